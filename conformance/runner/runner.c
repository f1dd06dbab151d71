// SPDX-License-Identifier: MIT
//
// The run as a whole: which checks, in which order, and the return to run time at the end.
// run_check.c runs one check.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit.h"
#include "config.h"
#include "identity.h"
#include "run.h"
#include <conformance/modes.h>

// ---- Which checks ----

static bool selected(const struct runner_options *options, const struct check *check)
{
    if (options->chapter9 && strncmp(check->id, "CH9-", strlen("CH9-")) != 0)
        return false;
    if (!options->file && catalogue_group_of(check) == &check_file)
        return false;
    return !options->only || glob_list_matches(options->only, check->id);
}

static const struct check_group *const *groups_of(const struct runner_options *options)
{
    return options->catalogue ? options->catalogue : catalogue;
}

static size_t count_selected(const struct runner_options *options)
{
    size_t count = 0;
    for (const struct check_group *const *group = groups_of(options); *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++)
            count += selected(options, &(*group)->checks[i]);
    }
    return count;
}

// A mode that was not reached in one group is tried once more in the next.
static void begin_group(struct run *run, const struct check_group *group)
{
    run->group = group;
    run->no_dfu_mode[0] = '\0';
    run->no_run_time[0] = '\0';
    if (run->lost && !*run->over)
        run->lost = !find_again(run);
}

static void run_group(struct run *run, const struct check_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        if (!selected(run->options, &group->checks[i]))
            continue;
        if (run->group != group)
            begin_group(run, group);
        run_check(run, &group->checks[i]);
    }
}

static void run_all(struct run *run)
{
    for (const struct check_group *const *group = groups_of(run->options); *group; group++)
        run_group(run, *group);
}

// The image of --restore is downloaded, whichever checks ran; a backup of an interrupted run is
// reported.
static void look_for_backup(struct run *run)
{
    struct probe *probe = &run->probe;
    char why[PROBE_WORDS];
    if (run->lost || run->backup.tried)
        return;
    bool wanted = run->options->restore && run->options->allow_write &&
                  mode_enter_dfu(probe, why, sizeof why);
    if (wanted || (probe->mode == DEVICE_DFU_MODE && backup_is_left_over(probe)))
        backup_ready(probe, why, sizeof why);
}

// A restoration may have to enter DFU mode first.
static bool restore_and_return(struct run *run, char *ending, size_t size)
{
    struct probe *probe = &run->probe;
    return backup_restore(probe, ending, size) &&
           (!probe->run_time.seen || mode_enter_run_time(probe, run->options->ask, ending, size));
}

// A device that was lost on the way is brought back, and what was written to it is restored then.
static bool bring_home(struct run *run, char *ending, size_t size)
{
    look_for_backup(run);
    if (run->lost && *run->watch.base.fault) {
        snprintf(ending, size, "%s", run->watch.base.fault);
        run->report->host_fault = true;
        return false;
    }
    if (run->lost) {
        snprintf(ending, size, "%.280s, and did not come back", run->loss);
        return false;
    }
    bool home = restore_and_return(run, ending, size);
    for (int i = 1;
         !home && run->watch.losses.silent && i < BACKUP_TRIES && quieten_or_recover(run); i++)
        home = restore_and_return(run, ending, size);
    return home;
}

// The target's trouble, which may explain the findings.
static void go_home(struct run *run)
{
    struct probe *probe = &run->probe;
    struct report *report = run->report;
    const struct loss_counts before = run->watch.losses.counts;
    bool home = bring_home(run, report->ending, sizeof report->ending);
    backup_read_last(probe);
    if (count_losses(run, &before, "on the way back to run time"))
        home = bring_home(run, report->ending, sizeof report->ending);
    report->not_as_found = !home && !report->host_fault;
    enum flash_ending flash = backup_end(probe, report->flash, sizeof report->flash);
    report->not_as_found |= flash == FLASH_NOT_VERIFIED || flash == FLASH_LOST;
    report->not_used = (run->backup.restore || run->backup.options.scratch_given) &&
                       (run->backup.tried || run->backup.moved) && !run->backup.ready;
    // Chapter 9 is for any device: one that has no flash, too.
    if (run->options->chapter9 && flash == FLASH_NOT_WRITTEN)
        report->flash[0] = '\0';
    const char *trouble =
        probe->target->ops->trouble ? probe->target->ops->trouble(probe->target) : NULL;
    if (trouble)
        snprintf(report->ending, sizeof report->ending, "%s", trouble);
    backup_finish(&run->backup);
}

// What its descriptors and strings took to read says how long the run will take, at least: a check
// sends ten requests on average. Where time is virtual nobody waits.
static void foretell_time(struct run *run)
{
    enum { REQUESTS = 10, WORTH_SAYING_MINUTES = 5, MINUTE_US = 60000000 };
    const struct transcript *transcript = &run->probe.transcript;
    uint64_t took_us = 0;
    unsigned count = 0;
    for (size_t i = 0; i < transcript_count(transcript); i++) {
        const struct transcript_entry *entry = transcript_get(transcript, i);
        bool answered = entry->kind == TRANSCRIPT_CONTROL && entry->result >= 0;
        took_us += answered ? entry->took_us : 0;
        count += answered;
    }
    uint64_t request_us = count ? took_us / count : 0;
    uint64_t minutes = run->report->planned * REQUESTS * request_us / MINUTE_US;
    bool real = !(run->probe.target->capabilities & TARGET_VIRTUAL_TIME);
    if (real && minutes >= WORTH_SAYING_MINUTES)
        snprintf(run->report->slow, sizeof run->report->slow,
                 "each request takes some %u ms, so that the run will take some %u minutes; "
                 "--only ID,... has fewer checks, and --max-time SECONDS ends it",
                 (unsigned)(request_us / 1000), (unsigned)minutes);
}

// The device may be lost while its descriptors and strings are read, before the first check.
static void begin(struct run *run)
{
    struct probe *probe = &run->probe;
    run->found_in = probe->mode;
    identify(probe, run->report);
    foretell_time(run);
    bool answers = !run->watch.losses.silent || quieten_or_recover(run);
    count_losses(run, &(struct loss_counts){.all = 0}, "before the first check");
    if (answers)
        return;
    run->lost = true;
    loss_text(&run->watch.losses.last, run->loss, sizeof run->loss);
}

static bool begin_report(const struct run *run, const struct target *target, const char *spec)
{
    struct report *report = run->report;
    *report = (struct report){
        .suite_version = SUITE_VERSION,
        .suite_commit = SUITE_COMMIT,
        .started = time(NULL),
        .target = spec,
        .where = target->where,
        .chapter9 = run->options->chapter9,
        .planned = count_selected(run->options),
    };
    report_name_host(report->host);
    report->results = calloc(report->planned ? report->planned : 1, sizeof *report->results);
    return report->results != NULL;
}

static void begin_probe(struct run *run, struct target *target)
{
    const struct runner_options *options = run->options;
    const struct probe_options probe_options = {
        .leave = {!options->no_detach, options->allow_write, options->allow_vendor},
        .strict = options->strict,
        .return_ms = options->return_ms,
        .file = options->file ? options->file->bytes : NULL,
        .file_length = options->file ? options->file->length : 0,
    };
    const struct losses_view view = {
        .mode = &run->probe.mode,
        .on_the_way = &run->probe.on_the_way,
        .dirty = &run->probe.gate.dirty,
        .run_time = &run->probe.run_time,
        .pausing = &run->pauses.behind_one,
    };
    watch_init(&run->watch, target, &view);
    if (options->max_time_s)
        run->watch.run_end_ms = watch_clock_ms() + options->max_time_s * UINT64_C(1000);
    probe_init(&run->probe, &run->watch.base, &probe_options);
    run->watch.interrupted = options->interrupted;
    run->watch.restoring = &run->backup.restoring;
    run->backup = (struct backup){.options = options->backup, .restore = options->restore};
    run->probe.backup = &run->backup;
    tell_of_probe(run);
    pauses_begin(run);
    run->start_us = probe_now_us(&run->probe);
}

enum run_status runner_run(const struct runner_options *options,
                           struct target *target,
                           const char *spec,
                           struct report *report)
{
    struct run run = {.options = options, .report = report};
    if (!begin_report(&run, target, spec))
        return RUN_COULD_NOT;
    begin_probe(&run, target);
    begin(&run);
    tell_begin(&run);

    run_all(&run);
    go_home(&run);
    report->took_us = probe_now_us(&run.probe) - run.start_us;
    report->status = report_status(report);
    tell_end(&run);
    return report->status;
}

void report_finish(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->results[i].transfers);
    free(report->results);
    *report = (struct report){.results = NULL};
}
