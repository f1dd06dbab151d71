// SPDX-License-Identifier: MIT
//
// The sequence chart of a detach: time runs down, the host is on the left, the device on the right.
// Its lifeline shows the mode by its colour and is dashed while the device is off the bus. The
// chart is narrow enough for a phone: a step is a name above its arrow and the bytes below.

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "report_html.h"

enum {
    WIDTH = 440,
    HOST_X = 84,
    DEVICE_X = 424,
    MIDDLE_X = (HOST_X + DEVICE_X) / 2,
    TOP = 58,
    STEP = 48,
    STEPS_MAX = 24,
    LINE_TEXT = 256,
    LABEL_TEXT = 50, // as much as there is room for
};

// ---- Which check ----

static bool is_detach(const struct transcript_entry *entry)
{
    return entry->kind == TRANSCRIPT_CONTROL && entry->setup[0] == 0x21 &&
           entry->setup[1] == DFURT_DETACH && entry->result == 0;
}

static bool detached(const struct result *result)
{
    for (size_t i = 0; i < result->transfer_count; i++) {
        if (is_detach(&result->transfers[i]))
            return true;
    }
    return false;
}

static bool came_back(const struct result *result)
{
    for (size_t i = 0; i < result->transfer_count; i++) {
        if (result->transfers[i].kind == TRANSCRIPT_WAIT_RETURN && result->transfers[i].result == 0)
            return true;
    }
    return false;
}

static const struct result *find_by_id(const struct report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->results[i].check->id, id) == 0)
            return &report->results[i];
    }
    return NULL;
}

// The checks that only detach; else the first check that detached into DFU mode.
static const struct result *find_detach(const struct report *report)
{
    static const char *const plain[] = {"RT-DETACH-05", "RT-RESET-05", "INTEROP-DFUUTIL-01"};

    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        const struct result *result = find_by_id(report, plain[i]);
        if (result && detached(result))
            return result;
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        if (detached(result) && came_back(result))
            return result;
    }
    return NULL;
}

// ---- A step of it ----

static bool is_wait(const struct transcript_entry *entry)
{
    return entry->kind == TRANSCRIPT_WAIT_LEAVE || entry->kind == TRANSCRIPT_WAIT_RETURN;
}

// A wait that ended at once is not shown as a step.
static bool is_step(const struct transcript_entry *entry)
{
    return entry->took_us > 0 || !(is_wait(entry) || entry->kind == TRANSCRIPT_SLEEP);
}

static bool leaves(const struct transcript_entry *entry)
{
    return (entry->kind == TRANSCRIPT_WAIT_LEAVE && entry->result == 0) ||
           entry->result == USB_GONE;
}

// The time of the step: an action of the device is at the end of the wait for it.
static uint64_t shows_at_us(const struct transcript_entry *entry)
{
    return entry->start_us + (is_wait(entry) ? entry->took_us : 0);
}

static void name_step(char *text, size_t size, const struct transcript_entry *entry)
{
    bool met = entry->result == 0;

    if (entry->kind == TRANSCRIPT_CONTROL)
        format_request(text, size, entry->setup);
    else if (entry->kind == TRANSCRIPT_WAIT_LEAVE)
        snprintf(text, size, met ? "leaves the bus" : "does not leave the bus");
    else if (entry->kind == TRANSCRIPT_WAIT_RETURN)
        snprintf(text, size, met ? "is back, enumerated" : "does not come back");
    else
        transcript_sent(entry, text, size);
}

static void detail_step(char *text, size_t size, const struct transcript_entry *entry)
{
    char answer[LINE_TEXT / 2];
    char bytes[3 * USBDEV_SETUP_SIZE] = "";

    transcript_result(entry, answer, sizeof answer);
    if (entry->kind == TRANSCRIPT_CONTROL)
        format_bytes(bytes, sizeof bytes, entry->setup, USBDEV_SETUP_SIZE);
    if (is_wait(entry))
        snprintf(text, size, "after %" PRIu64 ".%" PRIu64 " ms", entry->took_us / 1000,
                 entry->took_us / 100 % 10);
    else
        snprintf(text, size, "%s%s%s", bytes, *bytes ? " -> " : "", answer);
}

// ---- The drawing ----

static void
put_text(FILE *out, int x, int y, const char *class, const char *anchor, const char *text)
{
    fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%d\" text-anchor=\"%s\">", class, x, y, anchor);
    html_put(out, strlen(text) > LABEL_TEXT ? "%.*s.." : "%.*s", LABEL_TEXT, text);
    fputs("</text>\n", out);
}

static void put_line(FILE *out, const char *class, int x, int from_y, int to_y, int width)
{
    fprintf(out,
            "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke-width=\"%d\"/>\n",
            class, x, from_y, x, to_y, width);
}

static void put_step(FILE *out, const struct transcript_entry *entry, int y, uint64_t origin_us)
{
    int from = is_wait(entry) ? DEVICE_X - 4 : HOST_X;
    int to = is_wait(entry) ? HOST_X + 1 : DEVICE_X - 4;
    char text[LINE_TEXT];

    fprintf(out,
            "<line class=\"stroke\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" "
            "marker-end=\"url(#tip)\"/>\n",
            from, y, to, y);
    name_step(text, sizeof text, entry);
    put_text(out, MIDDLE_X, y - 6, "", "middle", text);
    detail_step(text, sizeof text, entry);
    put_text(out, MIDDLE_X, y + 14, "bytes", "middle", text);
    snprintf(text, sizeof text, "%.1f ms", (double)(shows_at_us(entry) - origin_us) / 1000);
    put_text(out, HOST_X - 8, y + 4, "soft", "end", text);
}

// The device between one step and the next.
static const char *device_line(const struct transcript_entry *entry,
                               const struct transcript_entry *next)
{
    if (leaves(entry))
        return "away";
    return (next ? next : entry)->dfu_mode ? "dfu" : "run";
}

static void put_frame(FILE *out, int height)
{
    fprintf(out,
            "<svg id=\"detach\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Sequence chart of the detach\">\n"
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
            "markerHeight=\"8\" orient=\"auto\"><path class=\"soft\" d=\"M0 0L8 4L0 8z\"/>"
            "</marker></defs>\n",
            WIDTH, height);
    put_text(out, HOST_X, 16, "", "middle", "host");
    put_text(out, WIDTH, 16, "", "end", "device");
    put_line(out, "stroke", HOST_X, 24, height, 2);
    put_line(out, "run", DEVICE_X, 24, TOP, 6);
}

static size_t steps_of(const struct result *result,
                       const struct transcript_entry *ret_steps[STEPS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < result->transfer_count && count < STEPS_MAX; i++) {
        if (is_step(&result->transfers[i]))
            ret_steps[count++] = &result->transfers[i];
    }
    return count;
}

static void put_chart(FILE *out, const struct result *result)
{
    const struct transcript_entry *steps[STEPS_MAX];
    size_t count = steps_of(result, steps);

    put_frame(out, TOP + (int)count * STEP);
    for (size_t i = 0; i < count; i++) {
        int y = TOP + (int)i * STEP;
        const struct transcript_entry *next = i + 1 < count ? steps[i + 1] : NULL;
        put_line(out, device_line(steps[i], next), DEVICE_X, y, y + STEP, 6);
        put_step(out, steps[i], y, steps[0]->start_us);
    }
    fputs("</svg>\n", out);
}

void report_html_detach(FILE *out, const struct report *report)
{
    const struct result *result = find_detach(report);

    if (!result)
        return;
    fprintf(out,
            "<h2>The detach</h2>\n<p class=\"soft\">From run time into DFU mode, as %s saw it: "
            "<b class=\"%s tone\">%s</b>.</p>\n",
            result->check->id, verdict_text(result->verdict), verdict_text(result->verdict));
    put_chart(out, result);
    fputs(
        "<ul class=\"chips soft\"><li><b class=\"run\">&#9612;</b> run time</li>"
        "<li><b>&#9482;</b> off the bus</li><li><b class=\"dfu\">&#9612;</b> DFU mode</li></ul>\n",
        out);
}
