// SPDX-License-Identifier: MIT
//
// A report must overwrite neither another one nor what the run reads: the image of --restore may be
// the only copy that there is.

#include <usb/command_line.h>

#include "named_files.h"

int named_files_check(const struct arguments *arguments,
                      const struct target_spec *spec,
                      char *error,
                      size_t size)
{
    const struct usb_named_file files[] = {
        {"firmware= of --target", spec->firmware, false},
        {"uart= of --target", spec->uart, true},
        {"--restore", arguments->run.backup.restore_path, false},
        {"--file", arguments->file, false},
        {"--waive", arguments->waive, false},
        {"--json", arguments->files.list[REPORT_FILE_JSON].path, true},
        {"--junit", arguments->files.list[REPORT_FILE_JUNIT].path, true},
        {"--html", arguments->files.list[REPORT_FILE_HTML].path, true},
        {"--capture", arguments->capture, true},
    };
    return usb_named_files_check(files, sizeof files / sizeof *files, error, size);
}
