// SPDX-License-Identifier: MIT
//
// chip_fixture.h - for tests of the chip: a chip whose firmware is a few instructions, written as
// half-words, and what a program or a debugger does on its bus.

#ifndef STM32F072_CHIP_FIXTURE_H
#define STM32F072_CHIP_FIXTURE_H

#include <stdint.h>

#include <stm32f072/chip.h>

// Where the firmware stands: its stack, the instructions behind reset, those of every exception.
enum { STACK = 0x20001000, CODE = 0x08000100, HANDLER = 0x08000180 };

enum {
    RCC_CR = 0x40021000,
    RCC_CFGR = 0x40021004,
    RCC_APB1RSTR = 0x40021010,
    RCC_AHBENR = 0x40021014,
    RCC_APB2ENR = 0x40021018,
    RCC_APB1ENR = 0x4002101C,
    RCC_BDCR = 0x40021020,
    RCC_CSR = 0x40021024,
    RCC_CFGR3 = 0x40021030,
    RCC_CR2 = 0x40021034,
    FLASH_ACR = 0x40022000,
    TIM2 = 0x40000000,
    IWDG = 0x40003000,
    DMA_ISR = 0x40020000,
    DMA_IFCR = DMA_ISR + 0x04,
    DMA_CCR1 = DMA_ISR + 0x08, // CNDTR1, CPAR1, CMAR1 behind it; the next channel 14h on
    SRAM = F072_SRAM_BASE,
};

// DMA_CCRx (RM0091 10.5.3).
enum { EN = 1, TCIE = 2, DIR = 1 << 4, CIRC = 1 << 5, PINC = 1 << 6, MINC = 1 << 7 };
enum { SIZES_16 = 1 << 8 | 1 << 10, SIZES_32 = 2 << 8 | 2 << 10, MEM2MEM = 1 << 14 };

struct fixture {
    struct f072_chip chip;
    uint8_t flash[F072_FLASH_SIZE];
    uint8_t options[F072_OPTIONS_SIZE];
    char sent[32]; // by its USARTs
    size_t sent_count;
};

// A chip that is off, with erased flash whose vectors lead to CODE and HANDLER; and the tear-down
// of a test that has it as *state.
struct fixture *chip_fixture_open(void);
int chip_fixture_close(void **state);

void chip_fixture_power_on(struct fixture *f);

void put_code(struct fixture *f, uint32_t address, const uint16_t *code, size_t count);

#define PUT(f, address, ...)                                                                       \
    put_code(f, address, (const uint16_t[]){__VA_ARGS__},                                          \
             sizeof((const uint16_t[]){__VA_ARGS__}) / 2)

// Accesses that the test expects to succeed.
uint32_t read_bus(struct fixture *f, uint32_t address, unsigned size);
void write_bus(struct fixture *f, uint32_t address, unsigned size, uint32_t value);
uint32_t read_word(struct fixture *f, uint32_t address);
void write_word(struct fixture *f, uint32_t address, uint32_t value);

// The processor sleeps until then.
void pass_to(struct fixture *f, uint64_t now_ns);

// Whether the line of this interrupt is asserted.
bool line(const struct fixture *f, unsigned number);

#endif
