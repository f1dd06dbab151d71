// SPDX-License-Identifier: MIT

#include "watched_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/devices.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

enum { FLASH_BASE = 0x08000000 };

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

static void put_wrong(struct watched_run *run, const struct report *report)
{
    size_t used = 0;

    for (size_t i = 0; i < report->count && used < WATCHED_TEXT; i++) {
        const struct result *result = &report->results[i];
        bool blames = result->verdict == VERDICT_FAIL;
        if (blames || result->verdict == VERDICT_WARN)
            strcat(strcat(run->broken, result->check->id), " ");
        if (blames || result_outcome(result) == OUTCOME_NOT_JUDGED)
            used += (size_t)snprintf(
                run->wrong + used, WATCHED_TEXT - used, "    %s %s: expected %s, received %s; %s\n",
                verdict_text(result->verdict), result->check->id, result->finding.expected,
                result->finding.received, result->finding.message);
    }
    if (used < WATCHED_TEXT && report->ending[0])
        snprintf(run->wrong + used, WATCHED_TEXT - used, "    %s\n", report->ending);
}

void watched_run(struct watched_run *run, const char *name, bool allow_write)
{
    const struct sim_flash_watch watch = {.event = note, .context = &run->flash};
    struct target_spec spec;
    struct report report;
    char text[200];
    char error[200] = "";

    *run = (struct watched_run){.status = RUN_COULD_NOT};
    snprintf(text, sizeof text, "sim:%s", name);
    assert_int_equal(target_spec_parse(&spec, text, error, sizeof error), 0);
    spec.flash_watch = &watch;
    struct target *target = target_open(&spec, error, sizeof error);
    if (!target)
        fail_msg("%s: %s", text, error);
    run->status = runner_run(
        &(struct runner_options){.allow_write = allow_write, .allow_vendor = allow_write}, target,
        text, &report);
    put_wrong(run, &report);
    snprintf(run->left, sizeof run->left, "%s", report.flash);
    report_finish(&report);
    target->ops->close(target);
}

static const char *flash_text(const struct flash_log *log)
{
    if (log->pieces > 0)
        return "firmware that is not whole was started";
    return log->same ? "the flash is as it was" : "the flash is not as it was";
}

unsigned watched_run_complain(const char *name, const struct watched_run *run)
{
    // print_error() cuts what is long
    fprintf(stderr, "%s: exit status %d, %s, %u changes; %s; FAIL or WARN: %s\n%s", name,
            (int)run->status, flash_text(&run->flash), run->flash.changes, run->left, run->broken,
            run->wrong);
    return 1;
}
