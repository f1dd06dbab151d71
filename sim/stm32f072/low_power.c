// SPDX-License-Identifier: MIT
//
// Stop and Standby (RM0091 5.3). The processor's cycles do not count in them: only the watchdog on
// the LSI, the RTC and what comes from outside go on. Afterwards all other moments are moved by the
// time that has passed.
//
// Stop ends by an interrupt that comes through an EXTI line, or where WFE was used by an event of
// one; USB has line 18, which follows ISTR.WKUP. The system clock is then the HSI; HSE and PLL are
// off. Standby ends by a rising edge of a WKUP pin, by the RTC or by a watchdog, as a reset: SRAM
// is lost, and PWR_CSR.SBF says what it was.

#include "peripherals.h"

#include <sim/trace.h>

enum { PWR_CR = 0, PWR_CSR = 1 }; // words of the stub
enum { PDDS = 1 << 1, SBF = 1 << 1, WUF = 1 << 0, EWUP1 = 8 };

// Of the data sheet, typical values: from the event to the first instruction.
enum { STOP_WAKE_NS = 5000, STANDBY_WAKE_NS = 60000 };

// Interrupts of RTC, EXTI0_1, EXTI2_3, EXTI4_15, and with line 18 of USB.
uint32_t f072_low_power_lines(const struct f072_chip *chip)
{
    enum { EXTI_LINES = 1 << 2 | 7 << 5, USB_LINE = 18, USB_IRQ = 31 };

    return EXTI_LINES | (chip->exti.imr >> USB_LINE & 1) << USB_IRQ;
}

static void enter(struct f072_chip *chip, enum f072_low_power mode)
{
    chip->low_power = mode;
    chip->low_power_since_ns = f072_chip_now(chip);
    f072_trace(&chip->report, SIM_TRACE_STATES, chip->low_power_since_ns, "%s mode (pc %08X)",
               mode == F072_STOP ? "Stop" : "Standby", chip->cpu.r[15]);
    if (mode == F072_STANDBY) {
        uint32_t csr = chip->stub[F072_PWR].words[PWR_CSR];
        struct f072_iwdg iwdg = chip->iwdg; // on the LSI: it goes on
        chip->standby_ends = false;
        f072_peripherals_reset(chip);
        chip->iwdg = iwdg;
        chip->stub[F072_PWR].words[PWR_CSR] = csr | SBF;
    }
    f072_peripherals_advance(chip, chip->low_power_since_ns); // USB has no clock
}

void f072_low_power_enter(struct f072_chip *chip)
{
    enter(chip, chip->stub[F072_PWR].words[PWR_CR] & PDDS ? F072_STANDBY : F072_STOP);
}

static void leave_stop(struct f072_chip *chip)
{
    uint64_t now_ns = f072_chip_now(chip) + STOP_WAKE_NS;

    chip->low_power = F072_RUN;
    f072_chip_delay(chip, now_ns - chip->low_power_since_ns);
    f072_chip_skip_to(chip, now_ns);
    f072_rcc_leave_stop(&chip->rcc, now_ns);
    f072_chip_clocks_changed(chip);
    f072_peripherals_advance(chip, now_ns);
    f072_chip_update(chip);
    f072_trace(&chip->report, SIM_TRACE_STATES, now_ns, "wake-up from Stop mode");
}

static void leave_standby(struct f072_chip *chip)
{
    uint32_t csr = chip->stub[F072_PWR].words[PWR_CSR];

    f072_chip_skip_to(chip, f072_chip_now(chip) + STANDBY_WAKE_NS);
    f072_chip_lose_sram(chip);
    f072_chip_reset(chip, F072_RESET_STANDBY);
    chip->stub[F072_PWR].words[PWR_CSR] = csr | WUF;
}

static bool ends(struct f072_chip *chip)
{
    if (chip->low_power == F072_STANDBY)
        return chip->standby_ends;
    return armv6m_would_wake(&chip->cpu);
}

void f072_low_power_pass(struct f072_chip *chip, uint64_t until_ns)
{
    uint64_t now_ns = f072_chip_now(chip);
    uint64_t end_ns = f072_peripherals_next_event(chip);

    if (ends(chip)) {
        if (chip->low_power == F072_STOP)
            leave_stop(chip);
        else
            leave_standby(chip);
        return;
    }
    if (end_ns <= now_ns)
        end_ns = now_ns + 1;
    f072_chip_skip_to(chip, end_ns < until_ns ? end_ns : until_ns);
    f072_peripherals_advance(chip, f072_chip_now(chip));
    f072_chip_update(chip);
    if (chip->reset_cause == 0)
        return;
    if (chip->low_power == F072_STANDBY)
        f072_chip_lose_sram(chip);
    f072_chip_reset(chip, chip->reset_cause);
}

// VREFINTRDYF reads 1 once VREFINT is stable, long before firmware starts; a value line has none.
static uint32_t vrefint_ready(const struct f072_chip *chip)
{
    enum { VREFINTRDYF = 1 << 3 };

    return chip->model->value_line ? 0 : VREFINTRDYF;
}

// RM0091 5.4.2: SBF stays through every reset but power-on.
void f072_row_pwr_reset(struct f072_chip *chip, const struct f072_peripheral *p)
{
    uint32_t sbf = chip->stub[F072_PWR].words[PWR_CSR] & SBF;

    f072_row_stub_reset(chip, p);
    chip->stub[F072_PWR].words[PWR_CSR] = sbf | vrefint_ready(chip);
}

void f072_low_power_forget(struct f072_chip *chip)
{
    chip->stub[F072_PWR].words[PWR_CSR] = vrefint_ready(chip);
}

// EWUP1 to EWUP8 of PWR_CSR (RM0091 5.4.2).
void f072_low_power_pin(struct f072_chip *chip, unsigned port, unsigned pin)
{
    static const struct {
        uint8_t port;
        uint8_t pin;
    } wkup[] = {{0, 0}, {2, 13}, {4, 6}, {0, 2}, {2, 5}, {1, 5}, {1, 15}, {5, 2}};

    for (unsigned i = 0; i < sizeof wkup / sizeof wkup[0]; i++)
        if (wkup[i].port == port && wkup[i].pin == pin &&
            (chip->stub[F072_PWR].words[PWR_CSR] >> EWUP1 >> i & 1))
            chip->standby_ends = true;
}
