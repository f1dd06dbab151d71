// SPDX-License-Identifier: MIT
//
// The flash of devices with deliberate defects, watched byte for byte: each defect, with each
// kind of boot loader. Without leave to write nothing changes it; with leave it is as it was when
// the run is over, or the last line and the exit status say that it is not.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sim/devices.h>

#include "watched_run.h"

#include <cmocka.h> // last: its macros have names that the probe uses too

static const char *const devices[] = {"will-detach", "wait-reset", "dfu-plain"};
enum { DEVICES = sizeof devices / sizeof devices[0] };

static struct watched_run run;

static bool is_unharmed(const char *name, bool allow_write)
{
    watched_run(&run, name, allow_write);
    bool same = run.flash.same && run.flash.pieces == 0;
    bool harmed = allow_write ? !same && run.status != RUN_NOT_AS_FOUND
                              : run.flash.changes > 0 || run.flash.pieces > 0;
    if (harmed)
        watched_run_complain(name, &run);
    return !harmed;
}

static unsigned count_harmed(bool allow_write)
{
    unsigned harmed = 0;

    for (const struct sim_name *it = sim_list_defects(); it->name; it++) {
        for (size_t i = 0; i < DEVICES; i++) {
            char name[120];
            snprintf(name, sizeof name, "%s,defect=%s", devices[i], it->name);
            harmed += !is_unharmed(name, allow_write);
        }
    }
    return harmed;
}

static void without_leave__no_defect_costs_a_byte(void **state)
{
    (void)state;

    assert_int_equal(count_harmed(false), 0);
}

static void with_leave__no_defect_costs_a_byte_in_silence(void **state)
{
    (void)state;

    assert_int_equal(count_harmed(true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_leave__no_defect_costs_a_byte),
        cmocka_unit_test(with_leave__no_defect_costs_a_byte_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
