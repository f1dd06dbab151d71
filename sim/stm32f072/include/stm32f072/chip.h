// SPDX-License-Identifier: MIT
//
// chip.h - the STM32F072 around its processor: memories, peripherals, interrupt lines, clocks.
//
// Time. The processor counts cycles, everything else nanoseconds; the clock tree determines the
// length of a cycle. f072_chip_run() runs the processor up to the next event (a timer, a watchdog,
// a missing SOF), and so on to the end. An access that changes the time of the next event ends the
// run early.
//
// Peripherals are rows of a table (peripheral_table.c): address, clock enable bit, read, write,
// reset. One whose clock is off reads as zero and ignores writes (RM0091 6.4.6), and that is
// reported. An address that is not in the table is reported once with the PC, and reads as zero.

#ifndef F072_CHIP_H
#define F072_CHIP_H

#include <stdbool.h>
#include <stdint.h>

#include <armv6m/armv6m.h>
#include <stm32f072/adc.h>
#include <stm32f072/crc.h>
#include <stm32f072/dma.h>
#include <stm32f072/fpec.h>
#include <stm32f072/gpio.h>
#include <stm32f072/model.h>
#include <stm32f072/rcc.h>
#include <stm32f072/report.h>
#include <stm32f072/rtc.h>
#include <stm32f072/serial.h>
#include <stm32f072/small.h>
#include <stm32f072/timer.h>
#include <stm32f072/usbfs.h>
#include <stm32f072/watchdog.h>

enum {
    F072_SRAM_BASE = 0x20000000,
    F072_SRAM_SIZE = 0x4000,    // of the largest chip
    F072_ROM_END = 0x1FFFF800,  // of system memory: the boot loader, unique id, flash size
    F072_ROM_SIZE = 0x3400,     // of the largest
    F072_ROM_ENTRY = 0x100,     // of the boot loader, from the base of system memory
    F072_ROM_RAM_SIZE = 0x1800, // what the boot loader uses of the SRAM (AN2606)
    F072_ROM_STACK = F072_SRAM_BASE + F072_ROM_RAM_SIZE,
};

enum {
    F072_GPIO_PORTS = 6,
    F072_TIMERS = 9,
    F072_STUBS = 16,
    F072_PWR = 8, // among the stubs
    F072_TSC = 15,
    F072_BUS_PAGES = 145 + F072_GPIO_PORTS,
};

// SYSCFG_CFGR1.MEM_MODE: what address 0 shows (RM0091 9.1.1).
enum f072_memory {
    F072_MEMORY_FLASH = 0,
    F072_MEMORY_ROM = 1,
    F072_MEMORY_SRAM = 3,
};

// What SLEEPDEEP and PWR_CR.PDDS make of a sleep (RM0091 5.3).
enum f072_low_power {
    F072_RUN,
    F072_STOP,
    F072_STANDBY,
};

// Receives the bytes that the USARTs send; put NULL: dropped.
struct f072_uart_sink {
    void (*put)(void *context, uint8_t byte);
    void *context;
};

struct f072_chip {
    const struct f072_model *model;
    struct armv6m cpu;
    struct f072_report report;

    uint8_t *flash;   // model->flash_size bytes and
    uint8_t *options; // F072_OPTIONS_SIZE bytes, both the board's
    uint8_t sram[F072_SRAM_SIZE];
    uint8_t rom[F072_ROM_SIZE];
    bool boot0;            // the pin: start from system memory
    uint32_t boot_address; // of the vector table that a boot loader jumps to; 0: the start of flash

    struct f072_rcc rcc;
    struct f072_fpec fpec;
    struct f072_usbfs usb;
    struct f072_gpio gpio[F072_GPIO_PORTS];
    struct f072_timer timer[F072_TIMERS];
    uint32_t timers_used; // bit n: timer n has been written to since the reset
    struct f072_iwdg iwdg;
    struct f072_wwdg wwdg;
    struct f072_crs crs;
    struct f072_exti exti;
    struct f072_adc adc;
    struct f072_crc crc;
    struct f072_dma dma;
    bool dma_serving;
    uint32_t unrepeatable; // counts what is another thing each time: the frame number is read, a
                           // byte is sent, flash is written
    bool others_used;      // ADC, DMA or a stub has been written to since the reset
    struct f072_stub stub[F072_STUBS];
    struct f072_rtc rtc;
    uint32_t syscfg_cfgr1;
    uint32_t syscfg_cfgr2;
    uint32_t syscfg_exticr[4];
    uint32_t comp_csr;
    uint32_t dbgmcu[3];

    // Time: base_ns (and base_rest / hclk of a nanosecond) is when the cycle counter stood at
    // base_cycles.
    uint32_t hclk;
    uint64_t base_ns;
    uint64_t base_rest;
    uint64_t base_cycles;
    uint64_t slice_end_ns; // of the run under way

    enum f072_low_power low_power;
    uint64_t low_power_since_ns;
    bool standby_ends;

    struct f072_uart_sink uart;

    uint32_t reset_cause; // a reset that is due: enum f072_reset_flag, or 0
    uint32_t last_reset;
    unsigned resets; // since power-on

    // The last access that the bus refused.
    struct {
        uint32_t address;
        uint32_t pc; // of the instruction
        bool is_write;
        const char *why; // ", flash takes half-words alone", or ""
    } refused;

    // The last access, to detect an endless loop.
    struct {
        uint32_t address;  // of the last access to a peripheral,
        uint32_t value;    // and what it read
        uint64_t since_ns; // how long it has only repeated that
        uint64_t cycle;    // of the access
        bool only_reads;
    } last;

    uint8_t page[F072_BUS_PAGES]; // row of the peripheral table, by 1 KB of the bus
};

// flash and options are model->flash_size and F072_OPTIONS_SIZE bytes that survive a loss of power.
// serial makes the unique id.
void f072_chip_init(struct f072_chip *chip,
                    const struct f072_model *model,
                    uint8_t *flash,
                    uint8_t *options,
                    uint32_t serial);

// Power-on: SRAM is filled with noise, made from seed.
void f072_chip_power_on(struct f072_chip *chip, uint32_t seed, uint64_t now_ns);

// A reset of any other kind: SRAM stays. cause is one of enum f072_reset_flag.
void f072_chip_reset(struct f072_chip *chip, uint32_t cause);

// What a reset is called: "independent watchdog".
const char *f072_reset_name(uint32_t cause);

enum f072_stop {
    F072_RUNNING, // until_ns is reached
    F072_LOCKUP,
    F072_BKPT,
    F072_IN_ROM, // PC is in system memory
    F072_HELD,   // by a debugger, before the instruction at PC
};

// Run until a moment, resets included.
enum f072_stop f072_chip_run(struct f072_chip *chip, uint64_t until_ns);

// The instruction that is accessing the bus: all that do are 16 bits wide, and PC is behind it.
static inline uint32_t f072_chip_pc(const struct f072_chip *chip)
{
    return chip->cpu.r[15] - 2;
}

uint64_t f072_chip_now(const struct f072_chip *chip);

// The processor has not run until now.
void f072_chip_skip_to(struct f072_chip *chip, uint64_t now_ns);

// All that the system clock drives has stood still for so long.
void f072_chip_delay(struct f072_chip *chip, uint64_t ns);

// SRAM without power.
void f072_chip_lose_sram(struct f072_chip *chip);

// As if all had been the same, so much later.
void f072_chip_shift(struct f072_chip *chip, uint64_t ns, uint64_t cycles);

// Take from a copy of the chip what follows from the time alone: two chips that do the same from
// now on are the same byte by byte.
void f072_chip_without_time(struct f072_chip *copy, uint64_t now_ns);

// After the wire has done something: interrupt lines follow.
void f072_chip_update(struct f072_chip *chip);

// A host has just reset the bus: a connected peripheral without its clock is reported as trouble.
void f072_chip_check_usb_clock(struct f072_chip *chip);

// The register that the processor has read just now, as software does that waits for a flag:
// "ADC_ISR, 00000000h". Returns false, and no text, where the last access was another one, or is
// long ago.
enum { F072_POLLED_SIZE = 48 };
bool f072_chip_polled(const struct f072_chip *chip, char text[F072_POLLED_SIZE]);

// Wire pins of a port, 0 for GPIOA, to levels. The others of the port are not driven.
void f072_chip_wire(struct f072_chip *chip, unsigned port, uint16_t pins, uint16_t levels);

// The boot loader in ROM takes the chip: it overwrites the SRAM that it uses.
void f072_chip_enter_rom(struct f072_chip *chip, uint32_t seed);

// It gives the chip back to firmware whose vectors are at this address, without a reset: address 0
// still shows the ROM, clocks run at 48 MHz, peripherals are as after a reset but for a
// running watchdog. Returns false where there are no vectors.
bool f072_chip_leave_rom(struct f072_chip *chip, uint32_t address, uint64_t now_ns);

// The memory that the chip starts from.
enum f072_memory f072_chip_boot_memory(const struct f072_chip *chip);

// What address 0 shows.
void f072_chip_map(struct f072_chip *chip, enum f072_memory memory);

// Bring clocks and what follows from them up to date. For peripheral_table.c.
void f072_chip_clocks_changed(struct f072_chip *chip);

// ---- low_power.c ----

// Power-on: Standby mode and its flags (RM0091 5.4.2) are forgotten.
void f072_low_power_forget(struct f072_chip *chip);

// The processor sleeps with SLEEPDEEP: Stop or Standby begins.
void f072_low_power_enter(struct f072_chip *chip);

// Time passes in it, to its end, to a moment, or to an event.
void f072_low_power_pass(struct f072_chip *chip, uint64_t until_ns);

// The interrupt lines that reach the processor then.
uint32_t f072_low_power_lines(const struct f072_chip *chip);

// A pin of a port has risen: one of WKUP?
void f072_low_power_pin(struct f072_chip *chip, unsigned port, unsigned pin);

// ---- bus.c, peripherals.c ----

bool f072_bus_read(void *context, uint32_t address, unsigned size, uint32_t *ret_value);
bool f072_bus_write(void *context, uint32_t address, unsigned size, uint32_t value);

void f072_peripherals_init(struct f072_chip *chip);
void f072_peripherals_reset(struct f072_chip *chip);
uint64_t f072_peripherals_next_event(const struct f072_chip *chip);
void f072_peripherals_advance(struct f072_chip *chip, uint64_t now_ns);

#endif
