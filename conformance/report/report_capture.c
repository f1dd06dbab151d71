// SPDX-License-Identifier: MIT
//
// Each transfer of the transcript becomes two frames, as usbmon writes them: submitted and
// completed. Entries that are no transfers (a bus reset, a wait) are collected as text, and become
// the comment of the next frame.
//
// The file is begun at the first transfer: without a device, an earlier capture there stays.

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include <conformance/report_capture.h>

enum { COMMENT_TEXT = 384, LINE_TEXT = 192 };

static bool is_transfer(const struct transcript_entry *entry)
{
    return entry->kind == TRANSCRIPT_CONTROL || entry->kind == TRANSCRIPT_TRANSFER;
}

// Join what is known to what happened now: "bus reset; waited 100 ms".
static void note_event(struct report_capture *capture, const struct transcript_entry *entry)
{
    size_t used = strlen(capture->event);
    char line[LINE_TEXT];

    transcript_line(entry, line, sizeof line);
    snprintf(capture->event + used, sizeof capture->event - used, "%s%s", used ? "; " : "", line);
}

static const char *take_comment(struct report_capture *capture, char comment[COMMENT_TEXT])
{
    const char *id = capture->check ? capture->check->id : "";
    const char *separator = *id && *capture->event ? ": " : "";

    snprintf(comment, COMMENT_TEXT, "%s%s%s", id, separator, capture->event);
    capture->event[0] = '\0';
    return *comment ? comment : NULL;
}

static uint8_t endpoint_of(const struct transcript_entry *entry)
{
    if (entry->kind == TRANSCRIPT_CONTROL)
        return entry->setup[0] & USBDEV_DIR_IN;
    return entry->bEndpointAddress;
}

static bool begin_file(struct report_capture *capture, char *error, size_t error_size)
{
    const struct capture_origin origin = {
        .program = "dfu-conformance " SUITE_VERSION,
        .interface = capture->target,
    };

    capture->file = capture_open(capture->path, &origin, error, error_size);
    return capture->file;
}

static void write_transfer(struct report_capture *capture,
                           const struct transcript_entry *entry,
                           const uint8_t *data,
                           size_t data_size)
{
    char comment[COMMENT_TEXT];
    bool in = (endpoint_of(entry) & USBDEV_DIR_IN) != 0;
    bool control = entry->kind == TRANSCRIPT_CONTROL;
    struct capture_urb urb = {
        .id = ++capture->urbs,
        .time_ns = entry->start_us * 1000,
        .bus = 1,
        .device = entry->dfu_mode ? 2 : 1,
        .bEndpointAddress = endpoint_of(entry),
        .type = control ? USBDEV_ENDPOINT_CONTROL : USBDEV_ENDPOINT_BULK,
        .setup = control ? entry->setup : NULL,
        .length = (uint32_t)entry->asked,
        .data = in || !data_size ? NULL : data,
        .comment = take_comment(capture, comment),
    };
    capture_submitted(capture->file, &urb);

    urb.time_ns += entry->took_us * 1000;
    urb.setup = NULL;
    urb.length = entry->result > 0 ? (uint32_t)entry->result : 0;
    urb.data = in && urb.length ? data : NULL;
    urb.status = usb_result_errno(entry->result);
    capture_completed(capture->file, &urb);
}

static void on_traffic(void *context,
                       const struct transcript_entry *entry,
                       const uint8_t *data,
                       size_t data_size)
{
    struct report_capture *capture = context;

    if (!is_transfer(entry))
        note_event(capture, entry);
    else if (capture->file ||
             (!*capture->failure && begin_file(capture, capture->failure, sizeof capture->failure)))
        write_transfer(capture, entry, data, data_size);
}

static void on_check_begin(void *context, const struct check *check)
{
    struct report_capture *capture = context;

    capture->check = check;
}

static void on_check_end(void *context, const struct report *report, const struct result *result)
{
    struct report_capture *capture = context;

    (void)report;
    (void)result;
    capture->check = NULL;
}

struct report_listener report_capture(struct report_capture *capture)
{
    return (struct report_listener){
        .check_begin = on_check_begin,
        .traffic = on_traffic,
        .check_end = on_check_end,
        .context = capture,
    };
}

int report_capture_open(struct report_capture *capture,
                        const char *path,
                        const char *target,
                        char *error,
                        size_t error_size)
{
    struct stat status;
    bool there = stat(path, &status) == 0;

    *capture = (struct report_capture){.path = path, .target = target, .created = !there};
    if (there && !S_ISREG(status.st_mode)) // a pipe is opened once
        return begin_file(capture, error, error_size) ? 0 : -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        snprintf(error, error_size, "cannot write the capture %s: %s", path, strerror(errno));
        return -1;
    }
    close(fd);
    return 0;
}

uint64_t report_capture_frames(const struct report_capture *capture)
{
    return capture->file ? capture_frames(capture->file) : 0;
}

int report_capture_close(struct report_capture *capture, char *error, size_t error_size)
{
    if (!capture->file && capture->created)
        unlink(capture->path);
    if (!capture->file) {
        snprintf(error, error_size, "%s", capture->failure);
        return *capture->failure ? -1 : 0;
    }
    int result = capture_close(capture->file);

    if (result < 0)
        snprintf(error, error_size, "the capture is incomplete: %s", strerror(-result));
    return result < 0 ? -1 : 0;
}
