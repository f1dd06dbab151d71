// SPDX-License-Identifier: MIT
//
// Does the table of defects notice each expectation of the checks? Each one is turned true, and
// what the suite then says of the devices that break it must be something else; turned false, and
// what it says of a device that meets it must be something else. An expectation whose
// loss no device shows stands in the file of survivors, with the reason.
//
//     mutate_expectations SURVIVORS
//
// A line of the file is a glob for "FILE FUNCTION EXPECTATION", " | ", and the reason.
//
// Each run is a process of its own: one that crashes has noticed, too.

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <conformance/runner.h>

#include "defect_rows.h"
#include "mutation.h"

// Of the linker: from the first to behind the last.
extern struct mutation_site *__start_mutation_sites[], *__stop_mutation_sites[];

enum {
    MOST_CHECKS = 1024,
    MOST_ROWS = 640,
    MOST_SITES = 1024,
    MOST_LINES = 256,
    TEXT = 1024,
    RUN_TIME_S = 60, // of one run that has gone astray
};

// Devices on which expectations are met that no row meets.
static const char *const good_devices[] = {
    "will-detach",
    "wait-reset",
    "composite",
    "bos-lpm",
    "high-speed-capable",
    "two-languages",
    "upload-only",
    "ms-os-1",
    "ms-os-2",
    "webusb",
    "download-only",
    "dfu-mode",
    "dfu-plain",
    "cdc-acm",
    "max-packet-16-dfuse",
    "status-names-a-string",
    "long-detach-refused",
    "cdc-ecm",
};
enum { GOOD_DEVICES = sizeof good_devices / sizeof good_devices[0] };

// What a run says: of each check its verdict, and how often each site was met and broken.
struct said {
    char verdicts[MOST_CHECKS];
    unsigned short met[MOST_SITES];
    unsigned short broken[MOST_SITES];
};

static char targets[MOST_ROWS][96];
static size_t target_count;
static struct said said[MOST_ROWS];

static size_t site_count(void)
{
    // cppcheck-suppress comparePointers ; the linker's: two ends of one array
    return (size_t)(__stop_mutation_sites - __start_mutation_sites);
}

// ---- Sites ----

struct mutation_before mutation_before(const struct probe *probe)
{
    return (struct mutation_before){probe->judgement.verdict, probe->judgement.decided,
                                    probe->judgement.finding};
}

static void undo(struct probe *probe, const struct mutation_before *before)
{
    probe->judgement.verdict = before->verdict;
    probe->judgement.decided = before->decided;
    probe->judgement.finding = before->finding;
}

bool mutation_after(struct mutation_site *site,
                    struct probe *probe,
                    const struct mutation_before *before,
                    bool met)
{
    bool decides = !met && probe->judgement.decided && !before->decided;
    site->met += met && !before->decided;
    site->broken += decides;
    if (site->turn == TURNED_TRUE && decides) {
        undo(probe, before);
        return true;
    }
    if (site->turn == TURNED_FALSE && met)
        return (expect)(probe, false, "a mutant", "turned false");
    return met;
}

// ---- Runs ----

static size_t index_of(const struct check *wanted)
{
    size_t index = 0;
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++, index++) {
            if (&(*group)->checks[i] == wanted)
                return index;
        }
    }
    return 0;
}

static void run_here(const char *text, struct said *ret)
{
    struct target_spec spec;
    struct report report;
    char error[TEXT] = "";
    const struct runner_options options = {.allow_write = true, .allow_vendor = true};
    if (target_spec_parse(&spec, text, error, sizeof error) < 0)
        exit(2);
    struct target *target = target_open(&spec, error, sizeof error);
    if (!target)
        exit(2);
    runner_run(&options, target, text, &report);
    for (size_t i = 0; i < report.count; i++) {
        const struct result *result = &report.results[i];
        bool told = result->verdict == VERDICT_PASS && *result->finding.expected;
        ret->verdicts[index_of(result->check)] = (char)(told ? '!' : 'a' + (int)result->verdict);
    }
    for (size_t i = 0; i < site_count(); i++) {
        ret->met[i] = (unsigned short)__start_mutation_sites[i]->met;
        ret->broken[i] = (unsigned short)__start_mutation_sites[i]->broken;
    }
}

static bool read_whole(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

static void run_in_child(const char *text, int out)
{
    static struct said said_here;
    alarm(RUN_TIME_S);
    if (!freopen("/dev/null", "w", stderr))
        _exit(2);
    run_here(text, &said_here);
    const char *at = (const char *)&said_here;
    for (size_t left = sizeof said_here; left > 0;) {
        ssize_t written = write(out, at, left);
        if (written <= 0)
            _exit(2);
        at += written;
        left -= (size_t)written;
    }
    _exit(0);
}

// Returns false where the run came to no end.
static bool run(const char *text, struct said *ret)
{
    int ends[2];
    int status;
    fflush(stdout);
    if (pipe(ends) < 0)
        exit(2);
    pid_t child = fork();
    if (child < 0)
        exit(2);
    if (child == 0) {
        close(ends[0]);
        run_in_child(text, ends[1]);
    }
    close(ends[1]);
    bool whole = read_whole(ends[0], ret, sizeof *ret);
    close(ends[0]);
    waitpid(child, &status, 0);
    return whole;
}

static void add_target(const char *text)
{
    for (size_t i = 0; i < target_count; i++) {
        if (strcmp(targets[i], text) == 0)
            return;
    }
    if (target_count == MOST_ROWS) {
        fprintf(stderr, "mutate_expectations: more than %d devices\n", MOST_ROWS);
        exit(2);
    }
    snprintf(targets[target_count++], sizeof targets[0], "%s", text);
}

static void run_all(void)
{
    static const struct defect_row *const tables[] = {run_time_rows, chapter9_rows, dfu_mode_rows,
                                                      answer_rows};
    char text[96];
    for (size_t i = 0; i < GOOD_DEVICES; i++) {
        snprintf(text, sizeof text, "sim:%s", good_devices[i]);
        add_target(text);
    }
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct defect_row *row = tables[i]; row->defect; row++) {
            snprintf(text, sizeof text, "sim:%s,defect=%s", row->device, row->defect);
            add_target(text);
        }
    }
    for (size_t i = 0; i < target_count; i++) {
        if (!run(targets[i], &said[i])) {
            fprintf(stderr, "mutate_expectations: %s cannot be run\n", targets[i]);
            exit(2);
        }
    }
}

// ---- Turning a site ----

// Does what is said of this device change?
static bool is_noticed(struct mutation_site *site, enum mutation_turn turn, size_t target)
{
    static struct said mutant;
    site->turn = turn;
    bool whole = run(targets[target], &mutant);
    site->turn = AS_IT_IS;
    return !whole || memcmp(mutant.verdicts, said[target].verdicts, MOST_CHECKS) != 0;
}

// Turned true on each device where it decides; turned false on the first few where it is met.
static const char *what_survives(size_t index)
{
    enum { TRIES = 64 };
    struct mutation_site *site = __start_mutation_sites[index];
    bool true_noticed = false, false_noticed = false;
    unsigned broken = 0, met = 0;
    for (size_t i = 0; i < target_count; i++) {
        if (said[i].broken[index] > 0 && !true_noticed && broken++ < TRIES)
            true_noticed = is_noticed(site, TURNED_TRUE, i);
        if (said[i].met[index] > 0 && !false_noticed && met++ < TRIES)
            false_noticed = is_noticed(site, TURNED_FALSE, i);
    }
    if (true_noticed && false_noticed)
        return NULL;
    if (broken == 0)
        return met == 0 ? "is never reached" : "is never broken";
    if (!true_noticed)
        return "turned true changes nothing";
    return met == 0 ? "is never met" : "turned false changes nothing";
}

// ---- Survivors ----

struct known {
    char glob[TEXT];
    unsigned found;
};

static struct known known[MOST_LINES];
static size_t known_count;

static void read_known(const char *path)
{
    FILE *in = fopen(path, "re");
    char line[TEXT];
    if (!in) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof line, in) && known_count < MOST_LINES) {
        char *bar = strstr(line, " | ");
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (!bar || strlen(bar) < 8) {
            fprintf(stderr, "%s: no reason in: %s", path, line);
            exit(2);
        }
        *bar = '\0';
        snprintf(known[known_count++].glob, TEXT, "%s", line);
    }
    fclose(in);
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < known_count; i++) {
        if (fnmatch(known[i].glob, name, 0) == 0) {
            known[i].found++;
            return true;
        }
    }
    return false;
}

// "check_dfuse.c set_address expect_command(...)", without the line breaks of the source.
static void put_name(char name[TEXT], const struct mutation_site *site)
{
    const char *slash = strrchr(site->file, '/');
    snprintf(name, TEXT, "%s %s %s", slash ? slash + 1 : site->file, site->function, site->text);
}

int main(int argc, char **argv)
{
    unsigned unknown = 0, survivors = 0;
    if (argc != 2 || site_count() > MOST_SITES) {
        fprintf(stderr, "usage: mutate_expectations SURVIVORS\n");
        return 2;
    }
    read_known(argv[1]);
    run_all();
    for (size_t i = 0; i < site_count(); i++) {
        char name[TEXT];
        const char *survives = what_survives(i);
        put_name(name, __start_mutation_sites[i]);
        if (!survives)
            continue;
        survivors++;
        if (is_known(name))
            continue;
        unknown++;
        printf("%s: %s\n", name, survives);
    }
    for (size_t i = 0; i < known_count; i++) {
        if (known[i].found == 0) {
            unknown++;
            printf("no survivor by now: %s\n", known[i].glob);
        }
    }
    printf("%zu expectations turned on %zu devices: %u survive, %u of them without a reason\n",
           site_count(), target_count, survivors, unknown);
    return unknown > 0;
}
