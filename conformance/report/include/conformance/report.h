// SPDX-License-Identifier: MIT
//
// report.h - what a run found, for whoever writes it down.
//
// struct report is plain data: identity and descriptors of the device, and one struct result for
// each check in the order of the run. A writer that needs the whole (a file) reads it when the run
// is over. A writer that works during the run (a terminal, TAP, a capture) is a listener: a struct
// of functions, called for each event; those it does not need are NULL.

#ifndef CONFORMANCE_REPORT_H
#define CONFORMANCE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <conformance/catalogue.h>
#include <conformance/probe.h>
#include <conformance/target.h>
#include <conformance/transcript.h>

enum { REPORT_TEXT = 128 };

struct result {
    const struct check *check;
    enum verdict verdict;
    bool inapplicable;      // SKIP, because the requirement is for other kinds of device
    const char *waiver;     // the reason it is waived for, or NULL
    struct finding finding; // sent, expected, received; or the reason

    // INCONCLUSIVE: the check that has the FAIL for what this one found; NULL: there is none.
    const struct check *root;

    // The trouble that the device was in after the check, as the target reports it, or "". It
    // changes no verdict.
    char trouble[TARGET_TROUBLE];

    uint64_t start_us; // in the target's time, since the run began
    uint64_t took_us;
    uint64_t first_frame; // in the capture, from 1; 0: there is no capture, or nothing was sent
    uint64_t last_frame;

    // The last transfers of the check; owned.
    struct transcript_entry *transfers;
    size_t transfer_count;
    size_t transfers_dropped; // how many went before them
};

// The device in one mode; seen false: it was never in that mode.
struct report_device {
    bool seen;
    struct target_descriptors descriptors;
    char manufacturer[REPORT_TEXT]; // UTF-8, empty if there is none
    char product[REPORT_TEXT];
    char serial[REPORT_TEXT];
};

// What a result means for whoever counts. FAIL and WARN that are waived, and a WARN, are tolerated;
// an INCONCLUSIVE of level inform counts as skipped.
enum outcome {
    OUTCOME_MET,
    OUTCOME_BROKEN,
    OUTCOME_TOLERATED,
    OUTCOME_SKIPPED,
    OUTCOME_NOT_JUDGED, // INCONCLUSIVE, of a must or a should
};

enum outcome result_outcome(const struct result *result);

// Of level inform, and not as its sentence says: that breaks nothing, so that the verdict is PASS.
bool result_informs(const struct result *result);

// The verdict in a word for people: "informs" and "waived" where it is that, else verdict_text().
const char *result_text(const struct result *result);

// How a run ended: the exit status of dfu-conformance. The first that applies, from the last to the
// first, is the one: a device that is not as it was found comes before a requirement that it
// breaks.
enum run_status {
    RUN_MET = 0,          // everything that applies was judged and met
    RUN_FAILED = 1,       // a check failed
    RUN_COULD_NOT = 2,    // the run was not possible, or nothing was judged
    RUN_NOT_JUDGED = 3,   // no check failed, but a must or a should is INCONCLUSIVE, or the
                          // device was lost in the run
    RUN_NOT_AS_FOUND = 4, // the device was not left as it was found
};

const char *run_status_text(enum run_status status);

struct report {
    const char *suite_version;
    const char *suite_commit; // that the suite was built of; empty if unknown
    time_t started;           // by the host's clock; 0: unknown
    char host[REPORT_TEXT];   // the name of the host that ran the suite, and its system
    const char *target;       // the SPEC
    const char *where;
    struct report_device run_time;
    struct report_device dfu_mode;
    size_t planned;         // checks selected
    char slow[PROBE_WORDS]; // how long a slow device takes for them, and what to do, or ""
    struct result *results;
    size_t count;
    unsigned counts[VERDICT_INCONCLUSIVE + 1]; // by verdict, waived ones apart
    unsigned waived;
    unsigned inapplicable; // counted here, not as SKIP
    uint64_t took_us;
    char ending[TARGET_TROUBLE]; // the device's state at the end, for a person, or ""
    char flash[PROBE_WORDS];     // how the device's flash was left, one line

    // How often the device was lost by no doing of the suite, or did not come back by itself; and
    // that in words, with how and where it was the last time, or "".
    unsigned losses;
    char loss[PROBE_WORDS];

    // How often the boot loader left DFU mode by itself, as it may; and that in words, or "".
    unsigned departures;
    char departure[PROBE_WORDS];

    bool chapter9;          // a run of the checks of any USB device
    bool not_as_found;      // the device is not as it was found; ending or flash says how
    bool not_used;          // the file to restore, or --scratch, is of no use; flash says why
    bool host_fault;        // this host made the device unreachable; ending says how
    enum run_status status; // once the run is over
};

// The number of results with this outcome.
unsigned report_count(const struct report *report, enum outcome outcome);

// Results with one cause: the same verdict for the same reason, or for the same answer to the same
// request; results that are waived have none in common with others. Is this one, by its index, the
// first of them; which is the next after it, report->count if there is none; and how many are there
// from this one on?
bool report_is_first_of_cause(const struct report *report, size_t index);
size_t report_next_of_cause(const struct report *report, size_t index);
size_t report_count_of_cause(const struct report *report, size_t index);

// How many checks were skipped for each reason: "4 (needs --allow-vendor), 21 (...)"; empty if
// none.
enum { REPORT_SKIPS = 1024 };
void report_skips(const struct report *report, char text[REPORT_SKIPS]);

// The status that follows from the results and from how the device was left.
enum run_status report_status(const struct report *report);

// What kind of DFU device this is, by the functional descriptor it has in DFU mode, or at run time
// if it was never seen in DFU mode: "DFU 1.0", "DFU 1.1", "DfuSe", "DFU 1.1, seen at run time
// only".
void report_profile(const struct report *report, char text[REPORT_TEXT]);

// A device that was seen: "1209:0001 maker product, serial 123".
enum { REPORT_DEVICE = 4 * REPORT_TEXT };
void report_name_device(const struct report_device *device, char text[REPORT_DEVICE]);

// The name of this host, and its system: "desk, Linux 6.1.0 x86_64".
void report_name_host(char text[REPORT_TEXT]);

struct report_listener {
    // The device is open; results is still empty.
    void (*begin)(void *context, const struct report *report);
    void (*check_begin)(void *context, const struct check *check);
    void (*traffic)(void *context,
                    const struct transcript_entry *entry,
                    const uint8_t *data,
                    size_t data_size);
    void (*waiting)(void *context, unsigned ms, const char *what);
    void (*check_end)(void *context, const struct report *report, const struct result *result);
    void (*end)(void *context, const struct report *report);
    void *context;
};

// ---- The writers ----

// For a person: a line for each group of checks while they run, and at the end what was found, in
// full where something is wrong. verbose: a line for each check as well.
struct report_table_options {
    FILE *out;
    unsigned columns; // of the terminal; less than REPORT_COLUMNS_MIN is taken for that
    bool colour;      // ANSI colours
    bool progress;    // a line that is rewritten while checks run and the device is waited for
    bool verbose;
};

enum { REPORT_COLUMNS_MIN = 40 };

struct report_table {
    struct report_table_options options;
    bool line_open;                  // a progress line stands on the terminal
    const struct check_group *group; // of the last check
    size_t group_begin;              // index of its first result
    bool title_due;                  // verbose: its title is not printed yet
    const struct check *running;
};
struct report_listener report_table(struct report_table *table,
                                    const struct report_table_options *options);

// Test Anything Protocol, version 13 or 14.
struct report_tap {
    FILE *out;
    unsigned version;
    size_t number;
};
struct report_listener report_tap(struct report_tap *tap, FILE *out, unsigned version);

// For GitHub Actions, at the end of the run: a workflow command for each FAIL and WARN, which shows
// it beside the job, and one for the outcome if something else ends the run with another status
// than 0; and a summary in Markdown, unless summary is NULL.
struct report_github {
    FILE *out;
    FILE *summary;
};
struct report_listener report_github(struct report_github *github, FILE *out, FILE *summary);

// The workflow command for an error of which there is no report.
void report_github_error(FILE *out, const char *text);

#endif
