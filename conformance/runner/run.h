// SPDX-License-Identifier: MIT
//
// run.h - the state of a run, shared by the files of the runner.

#ifndef CONFORMANCE_RUN_H
#define CONFORMANCE_RUN_H

#include "pauses.h"
#include "watch.h"
#include <conformance/backup.h>
#include <conformance/runner.h>

enum {
    RUN_TRIALS = 16,
};

struct run {
    const struct runner_options *options;
    struct watch watch;
    struct probe probe;
    struct pauses pauses;
    struct backup backup;
    struct report *report;
    uint64_t start_us;

    enum device_mode found_in;       // before the first check
    const struct check_group *group; // of the check that runs
    char no_dfu_mode[PROBE_WORDS];   // why DFU mode could not be reached in this group
    char no_run_time[PROBE_WORDS];   // why run time could not be reached again

    struct departures {
        unsigned experiments;
        uint64_t stayed_us;     // it was seen to stay for so long without a request
        bool whatever_is_asked; // requests do not keep it in DFU mode
    } departures;

    // Checks that were run for the sake of another one (consequences.c), the last ones.
    struct trial {
        const struct check *check;
        bool fails; // both times
        struct finding finding;
    } trials[RUN_TRIALS];
    unsigned trial_count;

    bool lost;              // the device does not answer, and nothing brings it back
    char loss[PROBE_WORDS]; // how, and in which check
    char over[PROBE_WORDS]; // why the run has ended, or ""
};

// ---- tell.c: what happens, to the listeners ----

void tell_begin(struct run *run);
void tell_check_begin(struct run *run, const struct check *check);
void tell_check_end(struct run *run, const struct result *result);
void tell_end(struct run *run);

// Pass the probe's transfers and waits on.
void tell_of_probe(struct run *run);

// ---- recover.c: a device that does not answer ----

// Does it answer GET_DESCRIPTOR(DEVICE)?
bool device_answers(struct probe *probe);

// After a check: bring the device to appIDLE or dfuIDLE, or recover it by waiting, a bus reset or a
// power cycle. Returns false if it is lost.
bool quieten_or_recover(struct run *run);

// One more try to bring back a device that was lost.
bool find_again(struct run *run);

// ---- blame.c: a device that was lost ----

// Count the losses since then that no run should have: by no doing of the suite, or without a way
// back. where, as in "in CH9-REQ-01", completes the words that are kept of the last one. Returns
// whether the device was not lost, but a boot loader that left DFU mode by itself.
bool count_losses(struct run *run, const struct loss_counts *before, const char *where);

// ---- departures.c: a boot loader that leaves DFU mode by itself ----

// Has it done so since then? Finding that out may bring the device into either mode. Departures are
// no losses, and are taken out of the watch's counts; other losses stay in them.
bool left_dfu_mode_by_itself(struct run *run, const struct loss_counts *before);

// ---- run_check.c ----

// What a run of the check came to.
struct attempt {
    struct judgement judgement;
    struct transcript transcript;
    enum device_mode mode;    // when the check had run
    bool again;               // this host was too late for a verdict
    bool departed;            // the boot loader left DFU mode by itself in the check
    bool lost;                // the device stopped answering, in the check or right after it
    bool unasked;             // by no doing of the suite
    bool stranded;            // or without a way back
    struct loss loss;         // the last, of those by no doing of the suite where there is one
    const struct check *root; // the check that has the FAIL for what this one found, or NULL
};

// Run the check once, and bring the device back to appIDLE or dfuIDLE. again: the device was lost
// in it before.
void try_check(struct run *run, const struct check *check, bool again, struct attempt *attempt);

// The same, again and again until this host is in time to judge and the boot loader stays for as
// long as the check takes.
void try_check_until_judged(struct run *run, const struct check *check, struct attempt *attempt);

// Why a FAIL of the check is tolerated, or NULL.
const char *waiver_for(const struct run *run, const struct check *check, enum verdict verdict);

// consequences.c: a FAIL that follows from another requirement, which is not met, becomes
// INCONCLUSIVE. Returns the check that has the FAIL, or NULL.
const struct check *
judge_consequence(struct run *run, const struct check *check, struct attempt *attempt);

// blame.c: what a loss in the check makes of its verdict. The check may be run once more.
void judge_loss(struct run *run, const struct check *check, struct attempt *attempt);

void run_check(struct run *run, const struct check *check);

#endif
