// SPDX-License-Identifier: MIT
//
// The tables of what requirements presume (presumptions.h), for the whole catalogue.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <conformance/catalogue.h>
#include <conformance/presumptions.h>

#include <cmocka.h>

typedef void look_at_check(const struct check *check);

static void for_each_check(look_at_check *look)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++)
            look(&(*group)->checks[i]);
    }
}

static bool presumes(const struct check *check, const char *id, bool *ret_same_sentence)
{
    struct presumption presumption;
    for (size_t at = 0; presumption_of(check, at, &presumption); at++) {
        if (presumption.check && strcmp(presumption.check->id, id) == 0) {
            *ret_same_sentence = presumption.same_sentence;
            return true;
        }
    }
    return false;
}

static void assert_in_catalogue(const struct check *check)
{
    struct presumption presumption;
    for (size_t at = 0; presumption_of(check, at, &presumption); at++) {
        if (!presumption.check)
            fail_msg("number %zu of what %s presumes is no requirement", at, check->id);
    }
}

static void each_presumption__is_a_requirement(void **state)
{
    (void)state;
    for_each_check(assert_in_catalogue);
}

// No path of more steps than there are requirements.
static void assert_path_ends(const struct check *check, size_t steps)
{
    struct presumption presumption;
    if (steps > catalogue_count())
        fail_msg("%s presumes itself", check->id);
    for (size_t at = 0; presumption_of(check, at, &presumption); at++)
        assert_path_ends(presumption.check, steps + 1);
}

static void assert_presumes_no_circle(const struct check *check)
{
    assert_path_ends(check, 0);
}

static void no_requirement__presumes_itself(void **state)
{
    (void)state;
    for_each_check(assert_presumes_no_circle);
}

static void twin__presumes_the_twin(void **state)
{
    (void)state;
    bool same_sentence;
    assert_true(presumes(catalogue_find("CH9-CFG-03"), "CH9-CFG-02", &same_sentence));
    assert_true(presumes(catalogue_find("DM-CH9-CFG-03"), "DM-CH9-CFG-02", &same_sentence));
    assert_false(presumes(catalogue_find("DM-CH9-CFG-03"), "CH9-CFG-02", &same_sentence));
}

static void requests_of_one_sentence__presume_those_before_them(void **state)
{
    (void)state;
    bool same_sentence = false;
    const struct check *upload = catalogue_find("RT-STATE-1-UPLOAD");
    assert_true(presumes(upload, "RT-STATE-1-DNLOAD", &same_sentence));
    assert_true(same_sentence);
    assert_false(presumes(upload, "RT-STATE-1-ABORT", &same_sentence));
    assert_false(presumes(upload, "RT-STATE-0-DNLOAD", &same_sentence));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_presumption__is_a_requirement),
        cmocka_unit_test(no_requirement__presumes_itself),
        cmocka_unit_test(twin__presumes_the_twin),
        cmocka_unit_test(requests_of_one_sentence__presume_those_before_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
