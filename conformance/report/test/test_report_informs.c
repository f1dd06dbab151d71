// SPDX-License-Identifier: MIT
//
// A requirement of level inform that is not met: each writer says what was expected and received,
// and none calls that a PASS, but for JSON, whose verdicts are counted.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <conformance/report_files.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

static const struct check check = {
    .id = "X-01", .section = "a tool", .level = LEVEL_INFO, .sentence = "a tool can read"};

static struct result result = {
    .check = &check,
    .verdict = VERDICT_PASS,
    .finding = {.sent = "21 06", .expected = "a reply", .received = "STALL"},
};

static const struct report report = {
    .suite_version = "9.9",
    .suite_commit = "",
    .target = "sim:x",
    .where = "",
    .results = &result,
    .count = 1,
    .counts = {[VERDICT_PASS] = 1},
};

struct text {
    char *words;
    size_t size;
    FILE *out;
};

static void open_text(struct text *text)
{
    text->out = open_memstream(&text->words, &text->size);
    assert_non_null(text->out);
}

static void assert_informs(struct text *text, const char *verdict)
{
    fclose(text->out);
    assert_non_null(strstr(text->words, verdict));
    assert_null(strstr(text->words, ">PASS</td>"));
    assert_null(strstr(text->words, "PASS    "));
    assert_null(strstr(text->words, "verdict: \"PASS\""));
    assert_non_null(strstr(text->words, "a reply"));
    assert_non_null(strstr(text->words, "STALL"));
    free(text->words);
}

static void table__informs(void **state)
{
    (void)state;
    struct text text;
    struct report_table table;
    open_text(&text);
    const struct report_table_options options = {.out = text.out, .columns = 80, .verbose = true};
    const struct report_listener listener = report_table(&table, &options);

    listener.check_end(listener.context, &report, &result);

    assert_informs(&text, "informs X-01");
}

static void tap__informs(void **state)
{
    (void)state;
    struct text text;
    struct report_tap tap;
    open_text(&text);
    const struct report_listener listener = report_tap(&tap, text.out, 13);

    listener.check_end(listener.context, &report, &result);

    assert_informs(&text, "verdict: \"informs\"");
}

static void page__informs(void **state)
{
    (void)state;
    struct text text;
    open_text(&text);

    report_html_write(&report, text.out);

    assert_informs(&text, "<td class=\"verdict\">informs</td>");
}

static void junit__informs(void **state)
{
    (void)state;
    struct text text;
    open_text(&text);

    report_junit_write(&report, text.out);

    assert_informs(&text, "<system-out>sent: 21 06\nexpected: a reply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__informs),
        cmocka_unit_test(tap__informs),
        cmocka_unit_test(page__informs),
        cmocka_unit_test(junit__informs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
