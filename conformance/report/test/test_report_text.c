// SPDX-License-Identifier: MIT
//
// What a person sees on a terminal, what TAP's readers see, and what GitHub Actions shows, of a run
// made by hand: one check of each verdict, and many with one cause.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <conformance/catalogue.h>
#include <conformance/report.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

enum { MANY = 60 };

static const struct check passes = {
    .id = "X-PASS", .section = "DFU 1.1 4.1", .sentence = "it holds"};
static const struct check fails = {
    .id = "X-FAIL",
    .section = "DFU 1.1 A.2.2",
    .sentence = "a sentence that is long enough not to fit on one line of a narrow terminal"};
static const struct check warns = {
    .id = "X-WARN", .section = "DFU 1.1 5.1", .level = LEVEL_SHOULD, .sentence = "it might"};
static const struct check waived = {
    .id = "X-WAIVED", .section = "DFU 1.1 5.1", .sentence = "it is known"};
static const struct check lost = {
    .id = "X-LOST", .section = "DFU 1.1 5.1", .sentence = "it answers"};

static const struct check found = {
    .id = "X-AGAIN", .section = "DFU 1.1 5.1", .sentence = "it holds in DFU mode"};

static struct result results[4 + MANY];
static enum run_status ended_with = RUN_FAILED;
static const char *troubled; // the id of the check that brings the device into trouble, or NULL
static const char *again;    // the waiver of a last check that finds what X-FAIL found; "": none

static struct report sample(void)
{
    struct report report = {
        .suite_version = "9.9",
        .suite_commit = "",
        .target = "sim:x",
        .where = "in this process",
        .planned = 4 + MANY,
        .results = results,
        .count = 4 + MANY,
        .waived = 1,
        .status = ended_with,
    };
    if (ended_with == RUN_NOT_AS_FOUND)
        strcpy(report.flash, "flash LOST: 50% of it");
    results[0] = (struct result){.check = &passes, .verdict = VERDICT_PASS};
    results[1] = (struct result){
        .check = &fails,
        .verdict = VERDICT_FAIL,
        .finding = {.sent = "21 00", .expected = "STALL: 100% of it", .received = "accepted, | 0"},
    };
    results[2] = (struct result){
        .check = &warns,
        .verdict = VERDICT_WARN,
        .finding = {.received = "it did not"},
    };
    results[3] = (struct result){
        .check = &waived,
        .verdict = VERDICT_FAIL,
        .waiver = "ROM of 2012",
        .finding = {.received = "it did not"},
    };
    for (size_t i = 4; i < 4 + MANY; i++)
        results[i] = (struct result){
            .check = &lost,
            .verdict = VERDICT_INCONCLUSIVE,
            .finding.message = "the device is gone",
        };
    if (again) {
        struct result *last = &results[report.count - 1];
        *last = results[1];
        last->check = &found;
        last->waiver = *again ? again : NULL;
    }
    for (size_t i = 0; troubled && i < report.count; i++) {
        if (strcmp(results[i].check->id, troubled) == 0) {
            strcpy(results[i].trouble, "BKPT at 08000040h");
            break;
        }
    }
    report.counts[VERDICT_PASS] = report.counts[VERDICT_FAIL] = report.counts[VERDICT_WARN] = 1;
    report.counts[VERDICT_INCONCLUSIVE] = MANY;
    return report;
}

static void run(struct report_listener listener)
{
    struct report report = sample();
    size_t count = report.count;
    if (listener.begin)
        listener.begin(listener.context, &report);
    for (report.count = 0; report.count < count;) {
        const struct result *result = &results[report.count++];
        if (listener.check_end)
            listener.check_end(listener.context, &report, result);
    }
    listener.end(listener.context, &report);
}

// What the table prints; to be freed.
static char *table(struct report_table_options options)
{
    char *text = NULL;
    size_t size = 0;
    struct report_table table;
    options.out = open_memstream(&text, &size);
    assert_non_null(options.out);
    run(report_table(&table, &options));
    fclose(options.out);
    return text;
}

static size_t count_of(const char *text, const char *words)
{
    size_t count = 0;
    while ((text = strstr(text, words))) {
        count++;
        text++;
    }
    return count;
}

static size_t widest_line(const char *text)
{
    size_t widest = 0;
    while (*text) {
        size_t length = strcspn(text, "\n");
        widest = length > widest ? length : widest;
        text += length + (text[length] == '\n');
    }
    return widest;
}

static void table__is_no_wider_than_the_terminal(void **state)
{
    (void)state;
    for (unsigned columns = 40; columns <= 132; columns += 23) {
        char *text = table((struct report_table_options){.columns = columns});

        assert_in_range(widest_line(text), 1, columns);
        assert_non_null(strstr(text, "a sentence that is long"));
        free(text);
    }
}

static void table__says_one_cause_once(void **state)
{
    (void)state;

    char *text = table((struct report_table_options){.columns = 80});

    assert_int_equal(count_of(text, "the device is gone"), 1);
    assert_non_null(strstr(text, "60 checks of one cause"));
    free(text);
}

static void table__says_once_what_two_checks_found(void **state)
{
    (void)state;

    again = "";
    char *same = table((struct report_table_options){.columns = 80});
    again = "ROM of 2012";
    char *of_waived = table((struct report_table_options){.columns = 80});
    again = NULL;

    assert_int_equal(count_of(same, "received  accepted, | 0\n        also      X-AGAIN\n"), 1);
    assert_int_equal(count_of(same, "accepted, | 0"), 1);
    assert_null(strstr(of_waived, "also"));
    assert_int_equal(count_of(of_waived, "accepted, | 0"), 2);
    free(same);
    free(of_waived);
}

static void table__shows_the_ids_of_a_large_cause_when_verbose(void **state)
{
    (void)state;

    char *brief = table((struct report_table_options){.columns = 80});
    char *verbose = table((struct report_table_options){.columns = 80, .verbose = true});

    assert_int_equal(count_of(strstr(brief, "60 checks of one cause"), "X-LOST"), 12);
    assert_non_null(strstr(brief, "and 48 more (--verbose)\n"));
    assert_int_equal(count_of(strstr(verbose, "60 checks of one cause"), "X-LOST"), 60);
    assert_null(strstr(verbose, "more (--verbose)"));
    free(brief);
    free(verbose);
}

static void table__says_trouble_with_the_cause(void **state)
{
    (void)state;
    troubled = lost.id;

    char *text = table((struct report_table_options){.columns = 80});

    troubled = NULL;
    assert_int_equal(count_of(text, "60 checks of one cause\n"
                                    "        the device is gone\n"
                                    "        trouble   BKPT at 08000040h\n"),
                     1);
    assert_int_equal(count_of(text, "the device is gone"), 1);
    free(text);
}

static void table__leaves_room_for_counts_on_a_narrow_terminal(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct report_table table;
    struct result judged[] = {
        {.check = catalogue_find("DM-CH9-DEV-01")},
        {.check = catalogue_find("DM-CH9-DEV-02"), .verdict = VERDICT_FAIL},
        {.check = catalogue_find("DM-CH9-DEV-04"), .verdict = VERDICT_INCONCLUSIVE},
    };
    struct report report = {.suite_version = "9.9", .target = "", .where = "", .results = judged};
    struct report_table_options options = {.columns = 60, .out = open_memstream(&text, &size)};
    struct report_listener listener = report_table(&table, &options);

    while (report.count < sizeof judged / sizeof *judged)
        listener.check_end(listener.context, &report, &judged[report.count++]);
    listener.end(listener.context, &report);
    fclose(options.out);

    assert_non_null(strstr(text, "  Descriptors of any USB device, in DFU mode\n"
                                 "                            0.00 s  1 passed, 1 failed,\n"
                                 "                                    1 inconclusive\n"));
    free(text);
}

static void table__omits_the_line_of_a_group_that_could_not_be_judged(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct report_table table;
    struct result not_judged[] = {
        {.check = catalogue_find("DM-CH9-DEV-01"),
         .verdict = VERDICT_INCONCLUSIVE,
         .finding = {.message = "DFU mode was not reached"}},
    };
    struct report report = {
        .suite_version = "9.9", .target = "", .where = "", .results = not_judged};
    struct report_table_options options = {.columns = 80, .out = open_memstream(&text, &size)};
    struct report_listener listener = report_table(&table, &options);

    listener.check_end(listener.context, &report, &not_judged[report.count++]);
    listener.end(listener.context, &report);
    fclose(options.out);

    assert_null(strstr(text, "Descriptors of any USB device"));
    assert_non_null(strstr(text, "INCONC. DM-CH9-DEV-01"));
    assert_non_null(strstr(text, "because   DFU mode was not reached\n"));
    free(text);
}

static void table__names_the_reason_of_a_group_that_was_skipped(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct report_table table;
    struct result skipped[] = {
        {.check = catalogue_find("DM-CH9-DEV-01"),
         .verdict = VERDICT_SKIP,
         .finding = {.message = "needs a bus reset"}},
    };
    struct report report = {.suite_version = "9.9", .target = "", .where = "", .results = skipped};
    struct report_table_options options = {.columns = 80, .out = open_memstream(&text, &size)};
    struct report_listener listener = report_table(&table, &options);

    listener.check_end(listener.context, &report, &skipped[report.count++]);
    listener.end(listener.context, &report);
    fclose(options.out);

    assert_null(strstr(text, "Descriptors of any USB device"));
    assert_non_null(strstr(text, "  skipped: 1 (needs a bus reset)\n"));
    free(text);
}

static void table__ends_with_what_failed(void **state)
{
    (void)state;

    char *text = table((struct report_table_options){.columns = 80});

    const char *in_full = strstr(text, "expected  STALL: 100% of it");
    const char *counts = strstr(text, "1 passed, 1 failed, 1 warned");
    assert_non_null(in_full);
    assert_non_null(counts);
    assert_true(in_full < counts);
    assert_string_equal(strchr(strstr(counts, "seen at run time only"), '\n'),
                        "\nWARN          X-WARN\n"
                        "FAIL          X-FAIL\n"
                        "exit status 1: a requirement is not met; one alone: --only X-FAIL "
                        "--capture FILE\n");
    free(text);
}

static void table__shows_a_line_for_each_check_when_verbose(void **state)
{
    (void)state;

    char *brief = table((struct report_table_options){.columns = 80});
    char *verbose = table((struct report_table_options){.columns = 80, .verbose = true});

    assert_null(strstr(brief, "X-PASS"));
    assert_non_null(strstr(verbose, "PASS    X-PASS"));
    free(brief);
    free(verbose);
}

static void table__omits_the_title_of_a_group_for_other_kinds_of_device_when_verbose(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct report_table table;
    struct result both[] = {
        {.check = catalogue_find("CH9-IAD-01"), .verdict = VERDICT_SKIP, .inapplicable = true},
        {.check = catalogue_find("CH9-STR-01")},
        {.check = catalogue_find("CH9-STR-02")},
    };
    struct report report = {.suite_version = "9.9", .target = "", .where = "", .results = both};
    struct report_table_options options = {
        .columns = 80, .verbose = true, .out = open_memstream(&text, &size)};
    struct report_listener listener = report_table(&table, &options);

    while (report.count < sizeof both / sizeof *both)
        listener.check_end(listener.context, &report, &both[report.count++]);
    fclose(options.out);

    assert_null(strstr(text, "Interface associations"));
    assert_int_equal(count_of(text, "\nStrings\n"), 1);
    assert_true(strstr(text, "\nStrings\n") < strstr(text, "CH9-STR-01"));
    free(text);
}

static void table__does_not_show_a_waived_failure_as_a_failure(void **state)
{
    (void)state;

    char *text = table((struct report_table_options){.columns = 80, .colour = true});

    assert_non_null(strstr(text, "\033[2mwaived  \033[0mX-WAIVED"));
    assert_non_null(strstr(text, "\033[1;31mFAIL    \033[0mX-FAIL"));
    free(text);
}

static char *tap(unsigned version)
{
    char *text = NULL;
    size_t size = 0;
    struct report_tap tap;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    run(report_tap(&tap, out, version));
    fclose(out);
    return text;
}

static void tap__begins_with_its_version_and_its_plan(void **state)
{
    (void)state;

    char *old = tap(13);
    char *new = tap(14);

    assert_memory_equal(old, "TAP version 13\n1..64\n", 21);
    assert_memory_equal(new, "TAP version 14\n1..64\n", 21);
    free(old);
    free(new);
}

static void github__shows_what_failed_beside_the_job(void **state)
{
    (void)state;
    char *text = NULL, *page = NULL;
    size_t size = 0, page_size = 0;
    struct report_github github;
    FILE *out = open_memstream(&text, &size);
    FILE *summary = open_memstream(&page, &page_size);
    assert_non_null(out);
    assert_non_null(summary);

    run(report_github(&github, out, summary));

    fclose(out);
    fclose(summary);
    assert_non_null(strstr(text, "::error title=X-FAIL::a sentence"));
    assert_non_null(strstr(text, "%0Aexpected STALL: 100%25 of it%0Areceived accepted"));
    assert_non_null(strstr(text, "::warning title=X-WARN::"));
    assert_null(strstr(text, "X-WAIVED"));
    assert_int_equal(count_of(text, "\n"), 2);
    assert_non_null(strstr(page, "accepted, \\| 0"));
    free(text);
    free(page);
}

// In verbose mode at its own line as well. INCONCLUSIVE results have it with their cause.
static void table__shows_trouble_at_its_check(void **state)
{
    (void)state;
    static const char *const ids[] = {"X-PASS", "X-FAIL", "X-WARN", "X-WAIVED"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        troubled = ids[i];
        char *brief = table((struct report_table_options){.columns = 80});
        char *verbose = table((struct report_table_options){.columns = 80, .verbose = true});
        troubled = NULL;

        assert_int_equal(count_of(brief, "trouble   BKPT at 08000040h\n"), 1);
        assert_int_equal(count_of(verbose, "trouble   BKPT at 08000040h\n"), 2);
        const char *check = strstr(brief, ids[i]);
        assert_non_null(check);
        assert_true(check < strstr(brief, "BKPT"));
        free(brief);
        free(verbose);
    }
}

static void tap__tells_trouble_in_the_block_of_its_check(void **state)
{
    (void)state;
    troubled = "X-PASS";

    char *text = tap(14);

    troubled = NULL;
    const char *trouble = strstr(text, "  trouble: \"BKPT at 08000040h\"\n");
    assert_non_null(trouble);
    assert_true(strstr(text, "ok 1 - X-PASS") < trouble);
    assert_true(trouble < strstr(text, "not ok 2 - X-FAIL"));
    free(text);
}

// What a job of GitHub is told, without a summary; to be freed.
static char *annotations(void)
{
    char *text = NULL;
    size_t size = 0;
    struct report_github github;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    run(report_github(&github, out, NULL));
    fclose(out);
    return text;
}

static void github__tells_trouble_with_what_failed(void **state)
{
    (void)state;
    troubled = "X-FAIL";

    char *text = annotations();

    troubled = NULL;
    assert_non_null(strstr(text, "accepted, | 0%0Atrouble BKPT at 08000040h\n"));
    free(text);
}

static void github__tells_the_outcome_that_is_no_failure_of_a_check(void **state)
{
    (void)state;
    ended_with = RUN_NOT_AS_FOUND;

    char *text = annotations();

    ended_with = RUN_FAILED;
    assert_non_null(strstr(text,
                           "\n::error title=dfu-conformance::the device is not as it was found"
                           "%0Aflash LOST: 50%25 of it\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__is_no_wider_than_the_terminal),
        cmocka_unit_test(table__says_one_cause_once),
        cmocka_unit_test(table__says_once_what_two_checks_found),
        cmocka_unit_test(table__shows_the_ids_of_a_large_cause_when_verbose),
        cmocka_unit_test(table__says_trouble_with_the_cause),
        cmocka_unit_test(table__leaves_room_for_counts_on_a_narrow_terminal),
        cmocka_unit_test(table__omits_the_line_of_a_group_that_could_not_be_judged),
        cmocka_unit_test(table__names_the_reason_of_a_group_that_was_skipped),
        cmocka_unit_test(table__ends_with_what_failed),
        cmocka_unit_test(table__shows_a_line_for_each_check_when_verbose),
        cmocka_unit_test(table__omits_the_title_of_a_group_for_other_kinds_of_device_when_verbose),
        cmocka_unit_test(table__does_not_show_a_waived_failure_as_a_failure),
        cmocka_unit_test(tap__begins_with_its_version_and_its_plan),
        cmocka_unit_test(table__shows_trouble_at_its_check),
        cmocka_unit_test(tap__tells_trouble_in_the_block_of_its_check),
        cmocka_unit_test(github__tells_trouble_with_what_failed),
        cmocka_unit_test(github__tells_the_outcome_that_is_no_failure_of_a_check),
        cmocka_unit_test(github__shows_what_failed_beside_the_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
