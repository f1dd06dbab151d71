// SPDX-License-Identifier: MIT
//
// The state grid: the result of each request in each state. A cell is the result of the check whose
// id names both, RT-STATE-1-DETACH or DM-STATE-10-ABORT; reached means that the device was brought
// into the state and the request was sent.

#include <stdio.h>
#include <string.h>

#include "report_html.h"

enum { STATES = DFURT_STATE_dfuERROR + 1, TEXT = 64 };

static const struct column {
    const char *suffix; // of the check's id
    const char *title;
} columns[] = {
    {"DETACH", "DETACH"},     {"DNLOAD", "DNLOAD"},       {"DNLOAD-0", "DNLOAD, empty"},
    {"UPLOAD", "UPLOAD"},     {"GETSTATUS", "GETSTATUS"}, {"CLRSTATUS", "CLRSTATUS"},
    {"GETSTATE", "GETSTATE"}, {"ABORT", "ABORT"},         {"OTHER", "unknown"},
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

struct grid {
    const struct result *cells[STATES][COLUMNS];
    unsigned count;
    unsigned reached;
    unsigned kept; // as the table requires
};

static const struct result *find(const struct report *report, unsigned state, const char *suffix)
{
    char id[TEXT];
    const char *mode = state <= DFURT_STATE_appDETACH ? "RT" : "DM";

    snprintf(id, sizeof id, "%s-STATE-%u-%s", mode, state, suffix);
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->results[i].check->id, id) == 0)
            return &report->results[i];
    }
    return NULL;
}

static void load(struct grid *grid, const struct report *report)
{
    for (unsigned state = 0; state < STATES; state++) {
        for (unsigned i = 0; i < COLUMNS; i++) {
            const struct result *cell = find(report, state, columns[i].suffix);
            grid->cells[state][i] = cell;
            if (!cell)
                continue;
            grid->count++;
            grid->kept += cell->verdict == VERDICT_PASS;
            grid->reached += cell->verdict != VERDICT_SKIP && cell->verdict != VERDICT_INCONCLUSIVE;
        }
    }
}

// Distinguishable without colours too.
static const char *sign_of(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS:
        return "\u2713";
    case VERDICT_FAIL:
        return "\u2717";
    case VERDICT_WARN:
        return "!";
    case VERDICT_SKIP:
        return "\u2013";
    case VERDICT_INCONCLUSIVE:
        return "?";
    }
    return "";
}

static void put_cell(FILE *out, const struct result *cell)
{
    if (!cell) {
        fputs("<td class=\"none\"></td>", out);
        return;
    }
    fprintf(out, "<td class=\"%s\" title=\"", verdict_text(cell->verdict));
    html_put(out, "%s: %s", verdict_text(cell->verdict), cell->check->sentence);
    fputs("\">", out);
    if (cell->inapplicable)
        fputs(sign_of(cell->verdict), out);
    else
        fprintf(out, "<a href=\"#%s\">%s</a>", cell->check->id, sign_of(cell->verdict));
    fputs("</td>", out);
}

static void put_table(FILE *out, const struct grid *grid)
{
    fputs("<table class=\"states\" id=\"states\"><thead><tr><td class=\"none\"></td>", out);
    for (unsigned i = 0; i < COLUMNS; i++)
        fprintf(out, "<th scope=\"col\">%s</th>", columns[i].title);
    fputs("</tr></thead><tbody>\n", out);
    for (unsigned state = 0; state < STATES; state++) {
        fprintf(out, "<tr><th scope=\"row\"><span class=\"soft\">%u</span> %s</th>", state,
                usb_dfu_state_name((uint8_t)state));
        for (unsigned i = 0; i < COLUMNS; i++)
            put_cell(out, grid->cells[state][i]);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

static void put_legend(FILE *out)
{
    static const struct {
        enum verdict verdict;
        const char *meaning;
    } signs[] = {
        {VERDICT_PASS, "as the table requires"},
        {VERDICT_FAIL, "not as the table requires"},
        {VERDICT_INCONCLUSIVE, "not reached"},
        {VERDICT_SKIP, "left out"},
    };

    fputs("<ul class=\"chips soft\">", out);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        fprintf(out, "<li class=\"%s\"><b class=\"tone\">%s</b> %s</li>",
                verdict_text(signs[i].verdict), sign_of(signs[i].verdict), signs[i].meaning);
    fputs("<li>empty: no check</li></ul>\n", out);
}

void report_html_states(FILE *out, const struct report *report)
{
    struct grid grid = {.count = 0};

    load(&grid, report);
    if (grid.count == 0)
        return;
    fprintf(out,
            "<h2>The states</h2>\n<p class=\"soft\">Each request in each state of DFU 1.1, tables "
            "A.2.1 to A.2.11: %u of %u reached, %u as required.</p>\n",
            grid.reached, grid.count, grid.kept);
    put_table(out, &grid);
    put_legend(out);
}
