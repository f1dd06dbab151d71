// SPDX-License-Identifier: MIT
//
// What a device is to a stock tool: what it wants of the tool or of a person, and with which words
// the tool ends where it cannot do with the device.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include <conformance/runner.h>

struct tool_case {
    const char *device;
    const char *id;
    const char *words; // NULL: no note
};

static void assert_each_says(const struct tool_case *cases, size_t count, enum verdict verdict)
{
    for (const struct tool_case *of = cases; of < cases + count; of++) {
        struct report report;
        struct target *target = open_target(of->device);
        runner_run(&(struct runner_options){.only = of->id}, target, of->device, &report);
        target->ops->close(target);

        const struct result *result = &report.results[0];
        const char *note = result->finding.message;
        if (of->words ? !strstr(note, of->words) : *note != '\0')
            fail_msg("%s, %s: '%s'", of->device, of->id, note);
        if (result->verdict != verdict && !result->inapplicable)
            fail_msg("%s, %s: %s", of->device, of->id, verdict_text(result->verdict));
        report_finish(&report);
    }
}

// A device that is right, and still wants something of a tool or of a person; and a tool that can
// do with a device that is wrong.
static void notes__name_what_a_tool_needs(void **state)
{
    (void)state;
    static const struct tool_case cases[] = {
        {"sim:will-detach", "INTEROP-FWUPD-03", "DfuForceTransferSize = 2048"}, // two alternates
        {"sim:wait-reset", "INTEROP-FWUPD-03", NULL},
        {"sim:wait-reset", "INTEROP-FWUPD-04", "ignore-upload"},
        {"sim:download-only", "INTEROP-FWUPD-04", "bitCanUpload"},
        {"sim:will-detach", "INTEROP-WEBDFU-01", NULL},
        {"sim:wait-reset", "INTEROP-WEBDFU-01", "bitWillDetach = 0"},
        {"sim:will-detach", "INTEROP-CUBEPROG-01", NULL},
        {"sim:will-detach", "INTEROP-DFUUTIL-02", NULL},
        {"sim:will-detach,defect=leaves-before-status", "INTEROP-DFUUTIL-02", "error detaching"},
        {"sim:will-detach,defect=leaves-before-status", "INTEROP-DFUUTIL-03", "error detaching"},
        {"sim:will-detach,defect=leaves-before-status", "INTEROP-DFUUTIL-04", "error detaching"},
        {"sim:will-detach,defect=leaves-before-status", "INTEROP-WEBDFU-02", "connected again"},
    };

    assert_each_says(cases, sizeof cases / sizeof cases[0], VERDICT_PASS);
}

static void what_ends_a_tool__is_told_in_its_words(void **state)
{
    (void)state;
    static const struct tool_case cases[] = {
        {"sim:will-detach,defect=never-leaves", "INTEROP-DFUUTIL-01",
         "dfu-util ends with \"Lost device after RESET?\""},
        {"sim:wait-reset,defect=detach-stalls", "INTEROP-DFUUTIL-01",
         "continues; dfu-util ends with \"Lost device after RESET?\""},
        {"sim:will-detach,defect=dm-starts-in-error", "INTEROP-DFUUTIL-02",
         "dfu-util ends with \"error clear_status\""},
        {"sim:will-detach,defect=dm-starts-with-status", "INTEROP-DFUUTIL-03",
         "dfu-util ends with \"USB communication error\""},
    };

    assert_each_says(cases, sizeof cases / sizeof cases[0], VERDICT_WARN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes__name_what_a_tool_needs),
        cmocka_unit_test(what_ends_a_tool__is_told_in_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
