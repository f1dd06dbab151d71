// SPDX-License-Identifier: MIT
//
// The page that traces clauses to checks. Its path is the first argument.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clauses.h"
#include <conformance/catalogue.h>

static const char *page_path;

static const struct check *first_check_of(const struct clause *clause)
{
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            if (clause_is_tested_by(clause, &(*group)->checks[i]))
                return &(*group)->checks[i];
        }
    }
    return NULL;
}

static void every_clause__has_a_check_or_a_reason(void **state)
{
    (void)state;
    for (const struct clause *clause = clauses; clause->section; ++clause) {
        bool tested = first_check_of(clause);
        if (tested == (clause->untested != NULL))
            fail_msg("%s %s", clause->section,
                     tested ? "has checks and a reason for having none"
                            : "has neither a check nor a reason");
    }
}

static void every_glob__names_checks_that_exist(void **state)
{
    (void)state;
    char unknown[64];
    for (const struct clause *clause = clauses; clause->section; ++clause) {
        if (clause->also && glob_list_unknown(clause->also, unknown, sizeof unknown))
            fail_msg("%s: no check is called %s", clause->section, unknown);
    }
}

static bool is_a_clause(const char *section)
{
    for (const struct clause *clause = clauses; clause->section; ++clause) {
        if (strcmp(clause->section, section) == 0)
            return true;
    }
    return strcmp(section, "2") == 0; // the overview, where it says what Windows makes of VID:PID
}

static void every_check__cites_a_clause_that_exists(void **state)
{
    (void)state;
    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            const struct check *check = &(*group)->checks[i];
            if (strncmp(check->section, "DFU 1.1 ", 8) == 0 && !is_a_clause(check->section + 8))
                fail_msg("%s cites %s", check->id, check->section);
        }
    }
}

static char *read_all(FILE *in)
{
    char *text = calloc(1, 1 << 18);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 18) - 1, in) < (1 << 18) - 1);
    fclose(in);
    return text;
}

static void page__is_up_to_date(void **state)
{
    (void)state;
    char *wanted = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&wanted, &size);
    assert_non_null(out);
    clauses_write(out);
    fclose(out);
    FILE *page = fopen(page_path, "re");
    assert_non_null(page);
    char *found = read_all(page);

    if (strcmp(wanted, found) != 0)
        fail_msg("out of date: conformance/trace/trace_page > docs/traceability.md");

    free(wanted);
    free(found);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_clause__has_a_check_or_a_reason),
        cmocka_unit_test(every_glob__names_checks_that_exist),
        cmocka_unit_test(every_check__cites_a_clause_that_exists),
        cmocka_unit_test(page__is_up_to_date),
    };
    if (argc != 2)
        return 2;
    page_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
