// SPDX-License-Identifier: MIT
//
// The suite against devices that are right, each in a way of its own: every variation of the
// simulator's legal fleet. Nothing may FAIL, everything that applies is judged, and the flash is
// the same to the byte when the run is over.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/devices.h>

#include <conformance/runner.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

enum { TEXT = 65536, FLASH_BASE = 0x08000000 };

// ---- What the suite gets wrong today ----

// Variations that are blamed or not wholly judged, and those whose flash is not as it was after a
// run with --allow-write. A row is taken out when the suite is mended; both lists are to be empty.
static const char *const blamed_today[] = {
    "german",
    "german-dfuse",
    "dfu-in-second-configuration",
    "long-configuration",
    "dfu-1.0",
    "cdc-ecm",
    "second-control-pipe",
    "many-alternates",
    "set-interface-refused",
    "set-interface-refused-in-dfu-mode",
    "status-refused",
    "status-and-state-refused",
    "low-byte-of-wIndex",
    "vendor-requests",
    "vendor-requests-beside",
    "long-detach-refused",
    "away-8-s",
    "blocks-counted",
    "blocks-counted-tolerant",
    "read-protected",
    "read-protected-dfuse",
    "button-held",
    "no-firmware",
    "transfer-size-8",
    "transfer-size-16",
    "transfer-size-32",
    "five-mib",
    "dfuse-reads-2-bytes-or-more",
    "dfuse-address-judged-late",
    "layout-option-bytes-first",
    "short-polls-erases-first",
    "two-banks",
    "two-banks-tolerant",
    "knows-the-length",
    "leaves-after-manifest",
    "transfer-size-4096",
    "transfer-size-8192",
    NULL,
};
static const char *const not_restored_today[] = {
    "no-serial",
    "no-strings",
    "german",
    "french-first",
    "configuration-5",
    "remote-wakeup",
    "max-packet-8",
    "usb-1.1",
    "ms-os-2",
    "otg",
    "16-associations",
    "long-configuration",
    "dfu-1.0",
    "hid-after",
    "two-hids",
    "mass-storage",
    "set-interface-refused-in-dfu-mode",
    "status-refused",
    "state-refused",
    "low-byte-of-wIndex",
    "vendor-requests-beside",
    "slow-without-data",
    "coarse-timer",
    "away-8-s",
    "short-polls",
    "short-polls-erases-first",
    "long-manifest",
    "blocks-addressed",
    "blocks-counted",
    "erases-first",
    "two-banks",
    "will-detach-wait-reset",
    "leaves-after-manifest",
    "no-firmware",
    "transfer-size-8",
    "transfer-size-32",
    "transfer-size-64",
    "transfer-size-4096",
    "transfer-size-8192",
    NULL,
};

static bool listed(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

// ---- The flash, watched ----

struct flash_log {
    uint8_t *opened;
    size_t size;
    uint32_t address; // of the firmware
    size_t length;    // 0: not known
    unsigned changes; // pages erased and half-words programmed
    unsigned pieces;  // starts of firmware that is not whole
    bool same;        // at the end as at the beginning: all of it, or the firmware, in another bank
};

static bool same_firmware(const struct flash_log *log, const struct sim_flash_event *closed)
{
    return log->length > 0 && log->length == closed->length &&
           memcmp(log->opened + (log->address - FLASH_BASE),
                  closed->bytes + (closed->address - FLASH_BASE), log->length) == 0;
}

static void note(void *context, const struct sim_flash_event *event)
{
    struct flash_log *log = context;

    switch (event->kind) {
    case SIM_FLASH_OPENED:
        log->size = event->size;
        log->opened = malloc(event->size);
        assert_non_null(log->opened);
        memcpy(log->opened, event->bytes, event->size);
        log->address = event->address;
        log->length = event->length;
        break;
    case SIM_FLASH_ERASED:
    case SIM_FLASH_PROGRAMMED:
        log->changes++;
        break;
    case SIM_FLASH_STARTED:
        log->pieces += !event->whole;
        break;
    case SIM_FLASH_CLOSED:
        log->same = memcmp(log->opened, event->bytes, log->size) == 0 || same_firmware(log, event);
        free(log->opened);
        break;
    }
}

// ---- A run ----

struct run {
    struct flash_log flash;
    enum run_status status;
    char wrong[TEXT]; // what was reported, a line each
};

static void put_wrong(struct run *run, const struct report *report)
{
    size_t used = 0;

    for (size_t i = 0; i < report->count && used < TEXT; i++) {
        const struct result *result = &report->results[i];
        bool blames = result->verdict == VERDICT_FAIL;
        if (blames || result_outcome(result) == OUTCOME_NOT_JUDGED)
            used += (size_t)snprintf(
                run->wrong + used, TEXT - used, "    %s %s: expected %s, received %s; %s\n",
                verdict_text(result->verdict), result->check->id, result->finding.expected,
                result->finding.received, result->finding.message);
    }
    if (used < TEXT && report->ending[0])
        snprintf(run->wrong + used, TEXT - used, "    %s\n", report->ending);
}

static void run_on(struct run *run, const char *name, bool allow_write)
{
    const struct sim_flash_watch watch = {.event = note, .context = &run->flash};
    struct target_spec spec;
    struct report report;
    char text[200];
    char error[200] = "";

    *run = (struct run){.status = RUN_COULD_NOT};
    snprintf(text, sizeof text, "sim:%s", name);
    assert_int_equal(target_spec_parse(&spec, text, error, sizeof error), 0);
    spec.flash_watch = &watch;
    struct target *target = target_open(&spec, error, sizeof error);
    if (!target)
        fail_msg("%s: %s", text, error);
    run->status =
        runner_run(&(struct runner_options){.allow_write = allow_write}, target, text, &report);
    put_wrong(run, &report);
    report_finish(&report);
    target->ops->close(target);
}

static const char *flash_text(const struct flash_log *log)
{
    if (log->pieces > 0)
        return "firmware that is not whole was started";
    return log->same ? "the flash is as it was" : "the flash is not as it was";
}

static unsigned complain(const char *name, const struct run *run)
{
    // print_error() cuts what is long
    fprintf(stderr, "%s: exit status %d, %s, %u changes\n%s", name, (int)run->status,
            flash_text(&run->flash), run->flash.changes, run->wrong);
    return 1;
}

static void each_variation__is_met_without_leave_to_write_and_its_flash_is_not_touched(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        static struct run run;
        run_on(&run, it->name, false);
        bool met = run.status == RUN_MET || listed(blamed_today, it->name);
        if (!met || run.flash.changes > 0 || run.flash.pieces > 0)
            wrong += complain(it->name, &run);
    }

    assert_int_equal(wrong, 0);
}

static void each_variation__is_met_with_leave_to_write_and_its_flash_is_restored(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        static struct run run;
        run_on(&run, it->name, true);
        bool met = run.status == RUN_MET || listed(blamed_today, it->name);
        bool restored =
            (run.flash.same && run.flash.pieces == 0) || listed(not_restored_today, it->name);
        if (!met || !restored)
            wrong += complain(it->name, &run);
    }

    assert_int_equal(wrong, 0);
}

static void each_listed_variation__is_one_of_the_fleet(void **state)
{
    (void)state;
    const char *const *const lists[] = {blamed_today, not_restored_today};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        for (const char *const *name = lists[i]; *name; name++) {
            bool found = false;
            for (const struct sim_name *it = sim_list_variations(); it->name; it++)
                found = found || strcmp(it->name, *name) == 0;
            if (!found)
                fail_msg("there is no variation %s", *name);
        }
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
        cmocka_unit_test(each_listed_variation__is_one_of_the_fleet),
        cmocka_unit_test(
            each_variation__is_met_without_leave_to_write_and_its_flash_is_not_touched),
        cmocka_unit_test(each_variation__is_met_with_leave_to_write_and_its_flash_is_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
