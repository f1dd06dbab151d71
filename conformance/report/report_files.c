// SPDX-License-Identifier: MIT
//
// A file is opened before the first request, so that a wrong path is reported before the run; its
// contents stay until there is a report to write. If there is none in the end, a file that did not
// exist before is removed.

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <conformance/report_files.h>

typedef int report_writer(const struct report *report, FILE *out);

static const struct {
    report_writer *write;
    const char *option;
} kinds[REPORT_FILES] = {
    [REPORT_FILE_JSON] = {report_json_write, "--json"},
    [REPORT_FILE_JUNIT] = {report_junit_write, "--junit"},
    [REPORT_FILE_HTML] = {report_html_write, "--html"},
};

static int file_error(
    const struct report_files *files, size_t kind, int error_number, char *error, size_t size)
{
    snprintf(error, size, "%s: cannot write the report %.400s: %s", kinds[kind].option,
             files->list[kind].path, strerror(error_number));
    return -1;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

bool report_files_use_stdout(const struct report_files *files)
{
    bool use = false;
    for (size_t i = 0; i < REPORT_FILES; i++)
        use = use || is_stdout(files->list[i].path);
    return use;
}

static int open_path(struct report_file *file)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    file->created = fd >= 0;
    if (fd < 0 && errno == EEXIST)
        fd = open(file->path, O_WRONLY | O_CLOEXEC);
    return fd;
}

static int open_file(struct report_file *file)
{
    int fd = is_stdout(file->path) ? dup(STDOUT_FILENO) : open_path(file);
    if (fd < 0)
        return -errno;
    file->out = fdopen(fd, "w");
    if (file->out)
        return 0;
    int result = -errno;
    close(fd);
    return result;
}

int report_files_open(struct report_files *files, char *error, size_t size)
{
    for (size_t i = 0; i < REPORT_FILES; i++) {
        int result = files->list[i].path ? open_file(&files->list[i]) : 0;
        if (result < 0)
            return file_error(files, i, -result, error, size);
    }
    return 0;
}

// Devices and pipes cannot be truncated; standard output keeps what was written to it.
static int empty_file(const struct report_file *file)
{
    struct stat status;
    if (is_stdout(file->path))
        return 0;
    if (fstat(fileno(file->out), &status) < 0)
        return -errno;
    return S_ISREG(status.st_mode) && ftruncate(fileno(file->out), 0) < 0 ? -errno : 0;
}

// A writer says -EIO of a stream that failed at any of its bytes; why is in errno.
static int write_file(struct report_file *file, report_writer *write, const struct report *report)
{
    int result = empty_file(file);
    errno = 0;
    if (result == 0)
        result = write(report, file->out);
    if (result == -EIO && errno)
        result = -errno;
    if (fclose(file->out) != 0 && result == 0)
        result = -errno;
    file->out = NULL;
    return result;
}

int report_files_write(struct report_files *files,
                       const struct report *report,
                       char *error,
                       size_t size)
{
    int first = 0;
    for (size_t i = 0; i < REPORT_FILES; i++) {
        struct report_file *file = &files->list[i];
        int result = file->out ? write_file(file, kinds[i].write, report) : 0;
        if (result < 0 && first == 0)
            first = file_error(files, i, -result, error, size);
    }
    return first;
}

void report_files_close(struct report_files *files)
{
    for (size_t i = 0; i < REPORT_FILES; i++) {
        struct report_file *file = &files->list[i];
        if (!file->out)
            continue;
        fclose(file->out);
        if (file->created)
            unlink(file->path);
        file->out = NULL;
    }
}
