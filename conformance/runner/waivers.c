// SPDX-License-Identifier: MIT
//
// Lines are split in place into an id and a reason. An id that matches no check is an error, so
// that a misspelt waiver does not pass in silence.

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <conformance/catalogue.h>
#include <conformance/waivers.h>

enum { LINE_MAX_LENGTH = 512 };

// Split "ID  reason" in place. Returns what is wrong with it, or NULL.
static const char *parse_line(char *line, struct waiver *waiver)
{
    size_t id_length = strcspn(line, " \t");
    char *reason = line + id_length + strspn(line + id_length, " \t");
    if (*reason == '\0')
        return "a waiver needs an id and, after a blank, the reason";
    if (id_length >= sizeof waiver->glob || strlen(reason) >= sizeof waiver->reason)
        return "id or reason is longer than 255 characters";
    line[id_length] = '\0';
    strcpy(waiver->glob, line);
    strcpy(waiver->reason, reason);

    char unknown[WAIVER_TEXT];
    static char problem[128];
    if (catalogue_retired(line)) {
        snprintf(problem, sizeof problem, "%.30s is retired: %s", line, catalogue_retired(line));
        return problem;
    }
    if (strchr(line, ',') || glob_list_unknown(line, unknown, sizeof unknown))
        return "no check has this id (dfu-conformance --list shows them)";
    return NULL;
}

static void trim_end(char *line)
{
    size_t length = strlen(line);
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
}

static const char *add_line(struct waivers *waivers, char *line)
{
    trim_end(line);
    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#')
        return NULL;

    struct waiver waiver;
    const char *problem = parse_line(line, &waiver);
    if (problem)
        return problem;
    struct waiver *list = realloc(waivers->list, (waivers->count + 1) * sizeof *list);
    if (!list)
        return "out of memory";
    waivers->list = list;
    waivers->list[waivers->count++] = waiver;
    return NULL;
}

int waivers_read(struct waivers *waivers, FILE *in, const char *name, char *error, size_t size)
{
    char line[LINE_MAX_LENGTH];
    *waivers = (struct waivers){.count = 0};
    for (unsigned number = 1; fgets(line, sizeof line, in); number++) {
        bool whole = strchr(line, '\n') || feof(in);
        const char *problem = whole ? add_line(waivers, line) : "the line is too long";
        if (problem) {
            snprintf(error, size, "%s:%u: %s", name, number, problem);
            waivers_finish(waivers);
            return -1;
        }
    }
    if (ferror(in)) {
        snprintf(error, size, "%s: %s", name, strerror(errno));
        waivers_finish(waivers);
        return -1;
    }
    return 0;
}

void waivers_finish(struct waivers *waivers)
{
    free(waivers->list);
    *waivers = (struct waivers){.count = 0};
}

const char *waivers_reason(const struct waivers *waivers, const char *id)
{
    for (size_t i = 0; i < waivers->count; i++) {
        if (glob_list_matches(waivers->list[i].glob, id))
            return waivers->list[i].reason;
    }
    return NULL;
}
