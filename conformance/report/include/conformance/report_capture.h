// SPDX-License-Identifier: MIT
//
// report_capture.h - the traffic of a run as a pcapng file.
//
// The listener writes a frame for each transfer's submission and one for its completion. Each frame
// of a check carries the check's id as comment, and what is no transfer (a bus reset, the device
// leaving the bus) stands in the comment of the next frame. Times are the target's. Bus addresses
// are not known to every transport: address 1 is the device at run time, 2 in DFU mode.

#ifndef CONFORMANCE_REPORT_CAPTURE_H
#define CONFORMANCE_REPORT_CAPTURE_H

#include <capture/capture.h>

#include <conformance/report.h>

struct report_capture {
    const char *path, *target; // borrowed
    bool created;              // there was no file before
    struct capture *file;      // NULL before the first transfer
    char failure[256];         // to begin it then, or ""
    const struct check *check; // the one that runs
    uint64_t urbs;
    char event[256]; // what happened since the last frame
};

// Create the file, and leave what is in it until the first transfer; target is the SPEC. Returns 0,
// or -1 with one line in error.
int report_capture_open(struct report_capture *capture,
                        const char *path,
                        const char *target,
                        char *error,
                        size_t error_size);

struct report_listener report_capture(struct report_capture *capture);

// Frames written so far.
uint64_t report_capture_frames(const struct report_capture *capture);

// Without a transfer a file that was created is removed, and one that was there is as it was: no
// device was opened. Returns 0, or -1 with
// one line in error if the file is not whole.
int report_capture_close(struct report_capture *capture, char *error, size_t error_size);

#endif
