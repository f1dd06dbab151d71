// SPDX-License-Identifier: MIT

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <conformance/catalogue.h>
#include <conformance/waivers.h>

// ---- The catalogue as a whole ----

typedef void visitor(const struct check *check);

static void for_each(visitor *visit)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++)
            visit(&(*group)->checks[i]);
    }
}

static void has_every_part(const struct check *check)
{
    assert_non_null(check->run);
    assert_true(*check->section && *check->sentence);
    assert_int_not_equal(check->sentence[strlen(check->sentence) - 1], '.');
    for (const char *c = check->id; *c; c++)
        assert_true(isalnum((unsigned char)*c) || *c == '-');
}

static void every_check__has_id_section_sentence_and_function(void **state)
{
    (void)state;
    for_each(has_every_part);
}

static void is_found_by_its_id(const struct check *check)
{
    if (catalogue_find(check->id) != check)
        fail_msg("two checks are called %s", check->id);
}

static void every_id__names_one_check(void **state)
{
    (void)state;
    for_each(is_found_by_its_id);
}

static void find__knows_no_other_id(void **state)
{
    (void)state;
    assert_null(catalogue_find("RT-DESC"));
}

static void need_texts__exist_for_every_need(void **state)
{
    (void)state;
    for (unsigned bit = NEED_RUN_TIME; bit <= NEED_DFU_INTERFACE; bit <<= 1)
        assert_string_not_equal(need_text(bit), "?");
}

// ---- Globs ----

static void glob__matches_as_in_a_shell(void **state)
{
    (void)state;
    static const struct {
        const char *globs;
        const char *id;
        bool matches;
    } cases[] = {
        {"RT-DESC-03", "RT-DESC-03", true},
        {"rt-desc-03", "RT-DESC-03", true},
        {"RT-DESC", "RT-DESC-03", false},
        {"RT-DESC-03", "RT-DESC-0", false},
        {"RT-*", "RT-DESC-03", true},
        {"*-03", "RT-DESC-03", true},
        {"*", "RT-DESC-03", true},
        {"**", "RT-DESC-03", true},
        {"*C-?3", "RT-DESC-03", true},
        {"R*D*3", "RT-DESC-03", true},
        {"R*X*3", "RT-DESC-03", false},
        {"RT-DESC-0?", "RT-DESC-0", false},
        {"RT-DESC-0[1-3]", "RT-DESC-03", true},
        {"RT-DESC-0[!1-3]", "RT-DESC-03", false},
        {"REQ-*,RT-DESC-0?", "RT-DESC-03", true},
        {"REQ-*,DM-*", "RT-DESC-03", false},
        {"", "RT-DESC-03", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (glob_list_matches(cases[i].globs, cases[i].id) != cases[i].matches)
            fail_msg("'%s' and '%s'", cases[i].globs, cases[i].id);
    }
}

static void unknown__names_the_glob_that_matches_nothing(void **state)
{
    (void)state;
    char glob[32];

    assert_false(glob_list_unknown("RT-*,REQ-01a", glob, sizeof glob));
    assert_true(glob_list_unknown("RT-*,NOPE-1,REQ-01a", glob, sizeof glob));

    assert_string_equal(glob, "NOPE-1");
}

// ---- Waivers ----

static int read_text(struct waivers *waivers, const char *text, char *error, size_t size)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(in);
    int result = waivers_read(waivers, in, "w.txt", error, size);
    fclose(in);
    return result;
}

static void waivers__are_read_with_their_reasons(void **state)
{
    (void)state;
    struct waivers waivers;
    char error[200];

    int result = read_text(&waivers,
                           "# ROM\n\n"
                           "DM-DESC-04b \t the ROM has its own  \r\n"
                           "  RT-STATE-*  known",
                           error, sizeof error);

    assert_int_equal(result, 0);
    assert_int_equal(waivers.count, 2);
    assert_string_equal(waivers_reason(&waivers, "DM-DESC-04b"), "the ROM has its own");
    assert_string_equal(waivers_reason(&waivers, "RT-STATE-1-ABORT"), "known");
    assert_null(waivers_reason(&waivers, "REQ-01a"));
    waivers_finish(&waivers);
}

static void waivers__refuse_bad_lines_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"# x\nRT-DESC-03\n", "w.txt:2: a waiver needs an id and, after a blank, the reason"},
        {"RT-NOPE why\n", "w.txt:1: no check has this id (dfu-conformance --list shows them)"},
        {"RT-DESC-03,REQ-03 why\n",
         "w.txt:1: no check has this id (dfu-conformance --list shows them)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct waivers waivers;
        char error[200] = "";

        assert_int_equal(read_text(&waivers, cases[i].text, error, sizeof error), -1);

        assert_string_equal(error, cases[i].error);
    }
}

static void waivers__refuse_a_line_without_end(void **state)
{
    (void)state;
    struct waivers waivers;
    char error[200] = "";
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';

    assert_int_equal(read_text(&waivers, text, error, sizeof error), -1);

    assert_string_equal(error, "w.txt:1: the line is too long");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check__has_id_section_sentence_and_function),
        cmocka_unit_test(every_id__names_one_check),
        cmocka_unit_test(find__knows_no_other_id),
        cmocka_unit_test(need_texts__exist_for_every_need),
        cmocka_unit_test(glob__matches_as_in_a_shell),
        cmocka_unit_test(unknown__names_the_glob_that_matches_nothing),
        cmocka_unit_test(waivers__are_read_with_their_reasons),
        cmocka_unit_test(waivers__refuse_bad_lines_by_number),
        cmocka_unit_test(waivers__refuse_a_line_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
