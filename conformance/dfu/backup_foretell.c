// SPDX-License-Identifier: MIT
//
// A run that writes uploads and downloads all of the memory many times. How long that takes is said
// once: when the first upload has shown it, else the first download. Blocks of a few bytes, or ones
// that are programmed slowly, take hours, and a run ends early.

#include <stdio.h>

#include "backup_private.h"
#include <conformance/dfu_steps.h>

void backup_foretell(
    struct probe *probe, const char *step, size_t length, uint64_t step_us, unsigned times)
{
    enum { WORTH_SAYING_MINUTES = 5, SECOND_US = 1000000, MINUTE_US = 60 * SECOND_US };
    struct backup *backup = probe->backup;
    uint64_t minutes = step_us * times / MINUTE_US;
    char text[PROBE_WORDS];
    if (minutes < WORTH_SAYING_MINUTES || backup->foretold || !backup->options.tell)
        return;
    backup->foretold = true;
    snprintf(text, sizeof text,
             "%zu bytes in blocks of %u take %u s to %s, so that all checks that write take "
             "some %u minutes at least; --max-time SECONDS gives the run that time, and --only "
             "ID,... has fewer checks",
             length, dfu_transfer_size(probe), (unsigned)(step_us / SECOND_US), step,
             (unsigned)minutes);
    backup->options.tell("the device is slow to read and to write:", text);
}
