// SPDX-License-Identifier: MIT
//
// runner.h - runs the catalogue on a target.
//
// For each selected check: if a need is not met, SKIP with the reason. Else bring the device into
// the mode that the check needs, run it, and bring the device back to appIDLE or dfuIDLE. A device
// that no longer answers is recovered: by waiting, by a bus reset, by a power cycle where the
// target can. At the end the device returns to run time.

#ifndef CONFORMANCE_RUNNER_H
#define CONFORMANCE_RUNNER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include <conformance/backup.h>
#include <conformance/image_file.h>
#include <conformance/report.h>
#include <conformance/report_capture.h>
#include <conformance/target.h>
#include <conformance/waivers.h>

struct runner_options {
    const char *only;    // comma-separated globs, or NULL: everything
    const char *skip;    // globs of what is not to be run, or NULL
    bool chapter9;       // the checks of any USB device, and none of DFU's
    unsigned max_time_s; // the run ends after that, 0: never
    unsigned return_ms;  // how long the device may be off the bus (--return-time); 0: not given
    bool stop_on_loss;   // do not recover a device that does not come back, and end the run
    bool no_detach;
    bool allow_write;
    bool allow_vendor;

    const struct image_file *restore; // what is put back, with allow_write; or NULL
    struct backup_options backup;
    const struct image_file *file; // as it is, to be judged; or NULL

    const volatile sig_atomic_t
        *interrupted; // not 0: end as soon as the flash is restored; or NULL
    bool strict;
    bool ask;                      // a person is there and can be asked to replug the device
    const struct waivers *waivers; // or NULL
    const struct check_group *const *catalogue; // NULL: the suite's own

    const struct report_capture *capture; // what results name frames of, or NULL
    struct report_listener *listeners;
    size_t listener_count;
};

// Run the checks on an open target. report is filled in, to be freed by report_finish(); spec and
// suite_version are kept by reference.
enum run_status runner_run(const struct runner_options *options,
                           struct target *target,
                           const char *spec,
                           struct report *report);

void report_finish(struct report *report);

#endif
