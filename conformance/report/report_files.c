// SPDX-License-Identifier: MIT

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <conformance/report_files.h>

typedef int report_writer(const struct report *report, FILE *out);

static int write_file(const char *path, report_writer *write, const struct report *report)
{
    FILE *out = fopen(path, "we");
    int result;

    if (!out)
        return -errno;
    result = write(report, out);
    if (fclose(out) != 0 && result == 0)
        result = -errno;
    return result;
}

int report_files_write(const struct report_paths *paths,
                       const struct report *report,
                       char *error,
                       size_t error_size)
{
    const struct {
        const char *path;
        report_writer *write;
    } files[] = {
        {paths->json, report_json_write},
        {paths->junit, report_junit_write},
        {paths->html, report_html_write},
    };

    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        int result = files[i].path ? write_file(files[i].path, files[i].write, report) : 0;
        if (result < 0) {
            snprintf(error, error_size, "cannot write the report %s: %s", files[i].path,
                     strerror(-result));
            return -1;
        }
    }
    return 0;
}
