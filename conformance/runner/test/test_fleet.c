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

// What a legal device may do and should not, or a host's program cannot cope with: each is a WARN,
// and no other is.
static const struct {
    const char *variation;
    const char *without_leave, *with_leave; // ids, a blank behind each
} warned[] = {
    {"16-associations", "CH9-IAD-04 ", "CH9-IAD-04 "},
    {"lpc-rom", "RT-DESC-07b ", "RT-DESC-07b "},
    {"detach-timeout-65535", "RT-DESC-07b ", "RT-DESC-07b "},
    {"takes-blocks-slowly", "", "DM-TIME-03 "},
    {"dfuse-address-judged-late", "", "DS-CMD-03 "},
    {"layout-names-more-late", "", "DS-CMD-03 "},
    {"layout-names-more-vendor", "", "DS-CMD-03 "},
    {"layout-names-more-short", "", "DS-CMD-03 "},
    {"status-refused", "INTEROP-FWUPD-01 ", "INTEROP-FWUPD-01 "},
    {"status-and-state-refused", "INTEROP-FWUPD-01 ", "INTEROP-FWUPD-01 "},
    {"long-detach-refused", "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 ",
     "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 "},
    {"any-detach-time-refused", "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 INTEROP-WEBDFU-01 ",
     "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 INTEROP-WEBDFU-01 "},
    {"away-8-s", "INTEROP-DFUUTIL-01 ", "INTEROP-DFUUTIL-01 "},
    {"away-15-s", "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 ", "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 "},
    {"away-15-s-wait-reset", "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 ",
     "INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 "},
};

static const char *expected_warnings(const char *variation, bool allow_write)
{
    for (size_t i = 0; i < sizeof warned / sizeof warned[0]; i++) {
        if (strcmp(warned[i].variation, variation) == 0)
            return allow_write ? warned[i].with_leave : warned[i].without_leave;
    }
    return "";
}

// Met, and warned about what is listed and nothing else.
static bool is_met(const char *variation, bool allow_write, struct watched_run *run)
{
    watched_run(run, variation, allow_write);
    return run->status == RUN_MET &&
           strcmp(run->broken, expected_warnings(variation, allow_write)) == 0;
}

static void each_variation__is_met_without_leave_to_write_and_its_flash_is_not_touched(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        static struct watched_run run;
        bool met = is_met(it->name, false, &run);
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
        bool met = is_met(it->name, true, &run);
        bool restored = run.flash.same && run.flash.pieces == 0;
        if (!met || !restored)
            wrong += watched_run_complain(it->name, &run);
    }

    assert_int_equal(wrong, 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
