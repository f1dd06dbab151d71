// SPDX-License-Identifier: MIT
//
// Suspend, resume and remote wake-up (RM0091 30.5.5), and LPM.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "usbfs_bench.h"

// ---- Suspend and resume (30.5.5) ----

static void suspend__comes_after_three_missing_frames(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    write_register(f, F072_USB_ISTR, 0);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);
    elapse(f, SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);
    elapse(f, SIM_MS / 10);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF | F072_USB_SUSP);
}

static void suspend__frames_keep_it_away(void **state)
{
    struct fixture *f = *state;

    for (uint16_t frame = 0; frame < 20; frame++) {
        f072_usbfs_sof(&f->usb, frame, f->now_ns);
        elapse(f, SIM_MS);
    }
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_SOF);
}

static void suspend__an_event_is_announced_only_while_the_timer_runs(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    assert_in_range(f072_usbfs_next_event(&f->usb), f->now_ns + SIM_MS, f->now_ns + 2 * SIM_MS);

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    assert_true(f072_usbfs_next_event(&f->usb) == UINT64_MAX);
}

static void resume__wakes_a_suspended_peripheral_and_ends_low_power(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_LP_MODE);
    f072_usbfs_resume(&f->usb, f->now_ns);

    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_WKUP);
    assert_int_equal(read_register(f, F072_USB_CNTR), F072_CNTR_FSUSP);
    assert_true(read_register(f, F072_USB_FNR) & F072_FNR_RXDM);
}

// K lasts 20 ms; the check for suspend is off until the first SOF after it.
static void resume__is_not_taken_for_another_suspend(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    f072_usbfs_resume(&f->usb, f->now_ns);
    write_register(f, F072_USB_CNTR, 0);
    write_register(f, F072_USB_ISTR, 0);
    elapse(f, 20 * SIM_MS);
    assert_false(read_register(f, F072_USB_ISTR) & F072_USB_SUSP);

    f072_usbfs_sof(&f->usb, 1, f->now_ns);
    elapse(f, 4 * SIM_MS);
    assert_true(read_register(f, F072_USB_ISTR) & F072_USB_SUSP);
}

static void resume__without_fsusp_is_no_event(void **state)
{
    struct fixture *f = *state;

    f072_usbfs_resume(&f->usb, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
}

static void resume__a_bus_reset_wakes_too(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    f072_usbfs_bus_reset(&f->usb, true, f->now_ns);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_WKUP | F072_USB_RESET);
}

// RESUME alone drives K: drivers clear FSUSP before they set it (RM0091 30.5.5).
static void remote_wakeup__needs_no_fsusp(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    write_register(f, F072_USB_CNTR, 0);
    assert_false(f072_usbfs_waking(&f->usb));
    write_register(f, F072_USB_CNTR, F072_CNTR_RESUME);
    assert_true(f072_usbfs_waking(&f->usb));
}

static void remote_wakeup__is_driven_while_resume_is_set_and_timed_by_esof(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    elapse(f, 100 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
    assert_false(f072_usbfs_waking(&f->usb));

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_RESUME);
    assert_true(f072_usbfs_waking(&f->usb));
    elapse(f, 2 * SIM_MS);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_ESOF);

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
    assert_false(f072_usbfs_waking(&f->usb));
}

static void remote_wakeup__lasts_1_to_15_ms_or_is_warned_of(void **state)
{
    static const struct {
        uint64_t lasts_us;
        unsigned warnings;
    } rows[] = {{999, 1}, {1000, 0}, {15000, 0}, {15001, 1}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_control(state);
        struct fixture *f = *state;
        f->report.warning_count = 0;
        elapse(f, 10 * SIM_MS);
        write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_RESUME);
        elapse(f, rows[i].lasts_us * 1000);
        write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP);
        assert_int_equal(f->report.warning_count, rows[i].warnings);
    }
}

// ---- LPM (30.6.1, LPMCSR) ----

enum { LPM_BESL_5 = 5 << SIM_LPM_BESL_SHIFT };

static int lpm(struct fixture *f, unsigned attributes)
{
    return f072_usbfs_lpm(&f->usb, ADDRESS, (uint16_t)attributes);
}

static void lpm__answers_what_lpmcsr_says(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_NO_RESPONSE);
    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN);
    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_NYET);
    assert_int_equal(lpm(f, 2), SIM_STALL); // another link state
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);

    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN | F072_LPMCSR_LPMACK);
    assert_int_equal(lpm(f, 2), SIM_STALL);
    assert_int_equal(lpm(f, SIM_LPM_L1 | SIM_LPM_bRemoteWake | LPM_BESL_5), SIM_ACK);
    assert_int_equal(read_register(f, F072_USB_ISTR), F072_USB_L1REQ);
    assert_int_equal(read_register(f, F072_USB_LPMCSR), 0x005B); // BESL, REMWAKE, LPMACK, LPMEN
    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN);
    assert_int_equal(read_register(f, F072_USB_LPMCSR), 0x0059);
    write_register(f, F072_USB_ISTR, (uint16_t)~F072_USB_L1REQ);
    assert_int_equal(read_register(f, F072_USB_ISTR), 0);
}

static void lpm__interrupts_by_l1reqm(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_LPMCSR, F072_LPMCSR_LPMEN | F072_LPMCSR_LPMACK);
    assert_int_equal(lpm(f, SIM_LPM_L1), SIM_ACK);
    assert_false(f072_usbfs_interrupt(&f->usb));
    write_register(f, F072_USB_CNTR, F072_USB_L1REQ);
    assert_true(f072_usbfs_interrupt(&f->usb));
}

static void lpm__l1resume_drives_resume_for_50_us_and_clears_itself(void **state)
{
    struct fixture *f = *state;

    write_register(f, F072_USB_CNTR, F072_CNTR_FSUSP | F072_CNTR_L1RESUME);
    assert_int_equal(f072_usbfs_next_event(&f->usb), f->now_ns + 50000);
    elapse(f, 49000);
    assert_true(f072_usbfs_waking(&f->usb));
    elapse(f, 1000);
    assert_false(f072_usbfs_waking(&f->usb));
    assert_int_equal(read_register(f, F072_USB_CNTR), F072_CNTR_FSUSP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTROL(suspend__comes_after_three_missing_frames),
        CONTROL(suspend__frames_keep_it_away),
        CONTROL(suspend__an_event_is_announced_only_while_the_timer_runs),
        CONTROL(resume__wakes_a_suspended_peripheral_and_ends_low_power),
        CONTROL(resume__is_not_taken_for_another_suspend),
        CONTROL(resume__without_fsusp_is_no_event),
        CONTROL(resume__a_bus_reset_wakes_too),
        CONTROL(remote_wakeup__needs_no_fsusp),
        CONTROL(remote_wakeup__is_driven_while_resume_is_set_and_timed_by_esof),
        CONTROL(remote_wakeup__lasts_1_to_15_ms_or_is_warned_of),
        CONTROL(lpm__answers_what_lpmcsr_says),
        CONTROL(lpm__interrupts_by_l1reqm),
        CONTROL(lpm__l1resume_drives_resume_for_50_us_and_clears_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
