// SPDX-License-Identifier: MIT

#include <string.h>

#include "clauses.h"
#include <conformance/catalogue.h>

// clang-format off
const struct clause clauses[] = {
    {"3", "the seven requests: code, direction, type, recipient, wLength", "*-STATE-*", NULL},
    {"4.1", "descriptors at run time: DFU beside the device's own interfaces", NULL, NULL},
    {"4.1.1", "device descriptor at run time", NULL,
     "asks for nothing beyond USB 2.0 9.6.1, which the CH9-DEV checks cover"},
    {"4.1.2", "DFU interface descriptor at run time", NULL, NULL},
    {"4.1.3", "DFU functional descriptor", NULL, NULL},
    {"4.2", "descriptors in DFU mode: DFU alone", NULL, NULL},
    {"4.2.1", "device descriptor in DFU mode", NULL, NULL},
    {"4.2.2", "configuration descriptor in DFU mode", NULL, NULL},
    {"4.2.3", "interface descriptor in DFU mode", NULL, NULL},
    {"4.2.4", "functional descriptor in DFU mode", NULL, NULL},
    {"5", "reconfiguration: the host's part of it", NULL,
     "speaks of what a host driver does; what the device does is 5.1"},
    {"5.1", "DETACH, the detach timer, bitWillDetach", NULL, NULL},
    {"6", "transfer: the host's part of it", NULL,
     "speaks of what a host driver does; what the device does is 6.1 and 6.2"},
    {"6.1", "download: block sizes, wTransferSize", NULL, NULL},
    {"6.1.1", "DNLOAD, its end by a zero-length block", "DM-STATE-*-DNLOAD*", NULL},
    {"6.1.2", "GETSTATUS: bStatus, bwPollTimeout, bState, iString", "*-STATE-*-GETSTATUS", NULL},
    {"6.1.3", "CLRSTATUS", "*-STATE-*-CLRSTATUS", NULL},
    {"6.1.4", "ABORT", "*-STATE-*-ABORT", NULL},
    {"6.1.5", "GETSTATE", "*-STATE-*-GETSTATE", NULL},
    {"6.2", "upload: blocks, the short one at the end", "DM-STATE-*-UPLOAD", NULL},
    {"7", "manifestation, and the way back to run time", NULL, NULL},
    {"A.1", "the figure of the states", NULL,
     "draws what the tables of A.2 say, and the checks cite those; where it says more (ABORT in "
     "states 3 and 6), the checks of A.2.4 and A.2.7 accept both and name it"},
    {"A.2.1", "state 0, appIDLE", NULL, NULL},
    {"A.2.2", "state 1, appDETACH", NULL, NULL},
    {"A.2.3", "state 2, dfuIDLE", NULL, NULL},
    {"A.2.4", "state 3, dfuDNLOAD-SYNC", NULL, NULL},
    {"A.2.5", "state 4, dfuDNBUSY", NULL, NULL},
    {"A.2.6", "state 5, dfuDNLOAD-IDLE", NULL, NULL},
    {"A.2.7", "state 6, dfuMANIFEST-SYNC", NULL, NULL},
    {"A.2.8", "state 7, dfuMANIFEST", NULL, NULL},
    {"A.2.9", "state 8, dfuMANIFEST-WAIT-RESET", NULL, NULL},
    {"A.2.10", "state 9, dfuUPLOAD-IDLE", NULL, NULL},
    {"A.2.11", "state 10, dfuERROR", NULL, NULL},
    {"B", "the suffix of a firmware file", NULL, NULL},
    {NULL},
};
// clang-format on

static const char specification[] = "DFU 1.1 ";

static bool is_cited_by(const struct clause *clause, const struct check *check)
{
    size_t length = strlen(specification);
    return strncmp(check->section, specification, length) == 0 &&
           strcmp(check->section + length, clause->section) == 0;
}

bool clause_is_tested_by(const struct clause *clause, const struct check *check)
{
    return is_cited_by(clause, check) ||
           (clause->also && glob_list_matches(clause->also, check->id));
}

// Returns whether there was one.
static bool write_checks(FILE *out, const struct clause *clause)
{
    bool any = false;
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct check *check = &(*group)->checks[i];
            if (!is_cited_by(clause, check))
                continue;
            fprintf(out, "%s%s", any ? ", " : "", check->id);
            any = true;
        }
    }
    return any;
}

static void write_clause(FILE *out, const struct clause *clause)
{
    fprintf(out, "| %s | %s | ", clause->section, clause->subject);
    if (clause->untested)
        fprintf(out, "none: %s", clause->untested);
    else if (write_checks(out, clause) && clause->also)
        fprintf(out, ", ");
    if (clause->also)
        fprintf(out, "each `%s`", clause->also);
    fprintf(out, " |\n");
}

static void write_requirements(FILE *out)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        fprintf(out, "\n### %s\n\n| id | section | level | requirement |\n|---|---|---|---|\n",
                (*group)->title);
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct check *check = &(*group)->checks[i];
            fprintf(out, "| %s | %s | %s | %s |\n", check->id, check->section,
                    level_text(check->level), check->sentence);
        }
    }
}

void clauses_write(FILE *out)
{
    fprintf(out,
            "# From the clauses of DFU 1.1 to the checks, and back\n"
            "\n"
            "Written by the build from the catalogue of `dfu-conformance`; a test says when it "
            "is out of date.\n"
            "\n"
            "## Each clause and its checks\n"
            "\n"
            "Chapters 1 and 2 introduce: a device can neither meet nor break them.\n"
            "\n"
            "| clause | about | checks |\n"
            "|---|---|---|\n");
    for (const struct clause *clause = clauses; clause->section; clause++)
        write_clause(out, clause);
    fprintf(out, "\n## Each check and its section\n");
    write_requirements(out);
}
