// SPDX-License-Identifier: MIT
//
// The suite against devices that are right, each in a way of its own: every variation of the
// simulator's legal fleet. Nothing may FAIL, everything that applies is judged, and the flash is
// the same to the byte when the run is over.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sim/devices.h>

#include "watched_run.h"

#include <cmocka.h> // last: its macros have names that the probe uses too

static void each_variation__is_met_without_leave_to_write_and_its_flash_is_not_touched(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        static struct watched_run run;
        watched_run(&run, it->name, false);
        bool met = run.status == RUN_MET;
        if (!met || run.flash.changes > 0 || run.flash.pieces > 0)
            wrong += watched_run_complain(it->name, &run);
    }

    assert_int_equal(wrong, 0);
}

static void each_variation__is_met_with_leave_to_write_and_its_flash_is_restored(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        static struct watched_run run;
        watched_run(&run, it->name, true);
        bool met = run.status == RUN_MET;
        bool restored = run.flash.same && run.flash.pieces == 0;
        if (!met || !restored)
            wrong += watched_run_complain(it->name, &run);
    }

    assert_int_equal(wrong, 0);
}

// A requirement that is a should has a limit, too: to exceed it is a WARN, which leaves a run met.
static void a_limit__is_not_warned_about_where_it_is_met_exactly(void **state)
{
    static const char *const names[] = {"polls-100-ms", "polls-1000-ms-in-idle"};
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        static struct watched_run run;
        watched_run(&run, names[i], true);
        assert_string_equal(run.broken, "");
    }
}

static void each_variation__has_a_name_of_its_own_and_what_allows_it(void **state)
{
    (void)state;
    unsigned count = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++, count++) {
        const char *allowed_by = strrchr(it->summary, '[');
        if (!allowed_by || strlen(allowed_by) < 10 || !strpbrk(allowed_by, "0123456789"))
            fail_msg("%s: no section allows it", it->name);
        for (const struct sim_name *other = sim_list_variations(); other != it; other++)
            assert_string_not_equal(other->name, it->name);
        for (const struct sim_name *other = sim_list_devices(); other->name; other++)
            assert_string_not_equal(other->name, it->name);
    }

    assert_true(count >= 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variation__has_a_name_of_its_own_and_what_allows_it),
        cmocka_unit_test(
            each_variation__is_met_without_leave_to_write_and_its_flash_is_not_touched),
        cmocka_unit_test(each_variation__is_met_with_leave_to_write_and_its_flash_is_restored),
        cmocka_unit_test(a_limit__is_not_warned_about_where_it_is_met_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
