// SPDX-License-Identifier: MIT
//
// A report must overwrite neither another one nor what the run reads: the image of --restore may be
// the only copy that there is. Two names are one file if the file system says so, since a path can
// be written in many ways; a device such as /dev/null takes any number of reports.

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "named_files.h"

struct named_file {
    const char *option;
    const char *path; // NULL or "": not given
    bool written;
};

static bool is_given(const struct named_file *file)
{
    return file->path && *file->path;
}

static bool is_stdout(const struct named_file *file)
{
    return strcmp(file->path, "-") == 0;
}

static bool same_file(const struct named_file *a, const struct named_file *b)
{
    struct stat one, other;
    if (is_stdout(a) && is_stdout(b))
        return true;
    return stat(a->path, &one) == 0 && stat(b->path, &other) == 0 && !S_ISCHR(one.st_mode) &&
           one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static bool collide(const struct named_file *a, const struct named_file *b)
{
    return is_given(a) && is_given(b) && (a->written || b->written) && same_file(a, b);
}

int named_files_check(const struct arguments *arguments,
                      const struct target_spec *spec,
                      char *error,
                      size_t size)
{
    const struct named_file files[] = {
        {"firmware= of --target", spec->firmware, false},
        {"uart= of --target", spec->uart, true},
        {"--restore", arguments->run.restore_path, false},
        {"--file", arguments->file, false},
        {"--waive", arguments->waive, false},
        {"--json", arguments->files.list[REPORT_FILE_JSON].path, true},
        {"--junit", arguments->files.list[REPORT_FILE_JUNIT].path, true},
        {"--html", arguments->files.list[REPORT_FILE_HTML].path, true},
        {"--capture", arguments->capture, true},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!collide(&files[j], &files[i]))
                continue;
            snprintf(error, size, "%s and %s are one file, %.128s: name one for each",
                     files[j].option, files[i].option, files[i].path);
            return -1;
        }
    }
    return 0;
}
