// SPDX-License-Identifier: MIT

#include <stdbool.h>
#include <string.h>

#include "report_files.h"
#include "report_html.h"

// ---- The sequence chart ----

enum { CHART_WIDTH = 720, CHART_ROW = 30, CHART_TOP = 46, CHART_ROWS = 24, LINE_TEXT = 256 };
enum { HOST_X = 90, DEVICE_X = 630 };

static bool has_kind(const struct result *result, enum transcript_kind kind)
{
    for (size_t i = 0; i < result->transfer_count; ++i) {
        if (result->transfers[i].kind == kind && result->transfers[i].result == 0)
            return true;
    }
    return false;
}

// The first check that sent DETACH and saw the device come back.
static const struct result *find_detach(const struct report *report)
{
    for (size_t i = 0; i < report->count; ++i) {
        const struct result *result = &report->results[i];
        for (size_t j = 0; j < result->transfer_count; ++j) {
            const struct transcript_entry *entry = &result->transfers[j];
            if (entry->kind == TRANSCRIPT_CONTROL && entry->setup[0] == 0x21 &&
                entry->setup[1] == DFU_DETACH && entry->result == 0 &&
                has_kind(result, TRANSCRIPT_WAIT_RETURN))
                return result;
        }
    }
    return NULL;
}

static bool is_from_device(const struct transcript_entry *entry)
{
    return entry->kind == TRANSCRIPT_WAIT_LEAVE || entry->kind == TRANSCRIPT_WAIT_RETURN;
}

// A label may be longer than the chart is wide.
static void put_label(FILE *out, int x, int y, const char *anchor, const char *text)
{
    char cut[64];

    snprintf(cut, sizeof(cut), "%.60s%s", text, strlen(text) > 60 ? ".." : "");
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y, anchor);
    report_put_xml(out, cut);
    fputs("</text>\n", out);
}

static void put_arrow(FILE *out, const struct transcript_entry *entry, int y, uint64_t origin_us)
{
    bool from_device = is_from_device(entry);
    int from = from_device ? DEVICE_X : HOST_X;
    int to = from_device ? HOST_X : DEVICE_X;
    char line[LINE_TEXT];

    transcript_line(entry, line, sizeof(line));
    fprintf(out,
            "<line class=\"stroke\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" "
            "marker-end=\"url(#tip)\"/>\n",
            from, y, to, y);
    put_label(out, CHART_WIDTH / 2, y - 5, "middle", line);
    fprintf(out, "<text class=\"soft\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%.1f ms</text>\n",
            HOST_X - 8, y + 4, (double)(entry->start_us - origin_us) / 1000);
}

static void put_lifelines(FILE *out, int height)
{
    const int x[] = {HOST_X, DEVICE_X};
    const char *const names[] = {"host", "device"};

    fputs("<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
          "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"currentColor\"/>"
          "</marker></defs>\n",
          out);
    for (size_t i = 0; i < 2; ++i) {
        put_label(out, x[i], 16, "middle", names[i]);
        fprintf(out, "<line class=\"stroke\" x1=\"%d\" y1=\"22\" x2=\"%d\" y2=\"%d\"/>\n", x[i],
                x[i], height - 6);
    }
}

void report_html_detach(FILE *out, const struct report *report)
{
    const struct result *result = find_detach(report);
    size_t rows;
    int height;

    if (!result)
        return;
    rows = result->transfer_count < CHART_ROWS ? result->transfer_count : CHART_ROWS;
    height = CHART_TOP + (int)rows * CHART_ROW;
    fputs("<h2>The detach</h2>\n<p class=\"soft\">As ", out);
    report_put_xml(out, result->check->id);
    fputs(" saw it; times in the device's own clock.</p>\n<div class=\"scroll\">", out);
    fprintf(out,
            "<svg id=\"detach\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
            "aria-label=\"Sequence chart of the detach\">\n",
            CHART_WIDTH, height, CHART_WIDTH);
    put_lifelines(out, height);
    for (size_t i = 0; i < rows; ++i)
        put_arrow(out, &result->transfers[i], CHART_TOP + (int)i * CHART_ROW,
                  result->transfers[0].start_us);
    fputs("</svg></div>\n", out);
}
