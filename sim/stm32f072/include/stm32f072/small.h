// SPDX-License-Identifier: MIT
//
// small.h - small peripherals: CRS, EXTI, SYSCFG with DBGMCU, and those that only let drivers
// initialise them.

#ifndef F072_SMALL_H
#define F072_SMALL_H

#include <stdbool.h>
#include <stdint.h>

// ---- Clock recovery system (RM0091 chapter 7) ----

// The oscillator is always exact here; software sees that SOFs arrive.
struct f072_crs {
    uint32_t cr;
    uint32_t cfgr;
    uint32_t isr;
};

void f072_crs_reset(struct f072_crs *crs);
uint32_t f072_crs_read(const struct f072_crs *crs, uint32_t offset);
void f072_crs_write(struct f072_crs *crs, uint32_t offset, uint32_t value);
void f072_crs_sof(struct f072_crs *crs);
bool f072_crs_interrupt(const struct f072_crs *crs);

// ---- Extended interrupts and events (RM0091 chapter 11) ----

// Lines become pending by edges of pins, by the RTC and by software; those of other peripherals,
// but for line 18 of USB (low_power.c), are not modelled.
struct f072_exti {
    uint32_t imr;
    uint32_t emr;
    uint32_t rtsr;
    uint32_t ftsr;
    uint32_t swier;
    uint32_t pr;
    bool event; // for the processor's WFE, from a line that EMR lets through
};

void f072_exti_reset(struct f072_exti *exti);
uint32_t f072_exti_read(const struct f072_exti *exti, uint32_t offset);
void f072_exti_write(struct f072_exti *exti, uint32_t offset, uint32_t value);

// The level of the pin that a line looks at has changed.
void f072_exti_edge(struct f072_exti *exti, unsigned line, bool rising);

// Has there been an event since the last call?
bool f072_exti_take_event(struct f072_exti *exti);

// Is one of these lines pending and not masked?
bool f072_exti_interrupt(const struct f072_exti *exti, uint32_t lines);

// ---- The rest: registers that keep what is written, and status bits that say "ready" ----

enum f072_stub_kind {
    F072_STUB_CAN,
    F072_STUB_I2C,
    F072_STUB_SPI,
    F072_STUB_USART,
    F072_STUB_CEC,
    F072_STUB_TSC,
    F072_STUB_OTHER, // PWR, DAC: no status that software waits for
};

enum { F072_STUB_SIZE = 0x400 };

enum { F072_SPI_DR = 0x0C };

struct f072_stub {
    uint32_t words[F072_STUB_SIZE / 4];

    // Of a serial interface (serial.h).
    uint32_t clock_hz; // 0: none
    uint64_t end_ns;   // of what is on the wire; UINT64_MAX: nothing is
    uint8_t shifting;  // the byte of a USART there
    unsigned waiting;  // bytes in the FIFOs of an SPI: to be sent
    unsigned received; // and to be read
};

void f072_stub_reset(struct f072_stub *stub, enum f072_stub_kind kind);
uint32_t f072_stub_read(const struct f072_stub *stub, enum f072_stub_kind kind, uint32_t offset);

// Returns NULL, or what this write would start that is not modelled.
const char *
f072_stub_write(struct f072_stub *stub, enum f072_stub_kind kind, uint32_t offset, uint32_t value);

// The interrupt of a touch sensing controller.
bool f072_tsc_interrupt(const struct f072_stub *stub);

#endif
