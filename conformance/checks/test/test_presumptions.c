// SPDX-License-Identifier: MIT
//
// The tables of what requirements presume (presumptions.h), for the whole catalogue.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <conformance/catalogue.h>
#include <conformance/presumptions.h>
#include <conformance/request_judges.h>
#include <dfurt/usbdev.h>

#include <cmocka.h>

typedef void look_at_check(const struct check *check);

static void for_each_check(look_at_check *look)
{
    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++)
            look(&(*group)->checks[i]);
    }
}

static bool presumes(const struct check *check, const char *id, bool *ret_alike)
{
    struct presumption presumption;
    for (size_t at = 0; presumption_of(check, at, &presumption); at++) {
        if (presumption.check && strcmp(presumption.check->id, id) == 0) {
            *ret_alike = presumption.alike;
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

// Those whose every path of presumptions ends.
static const struct check *ending[1024];
static size_t ending_count;

static bool ends(const struct check *check)
{
    for (size_t i = 0; i < ending_count; i++) {
        if (ending[i] == check)
            return true;
    }
    return false;
}

// No path of more steps than there are requirements.
static void assert_path_ends(const struct check *check, size_t steps)
{
    struct presumption presumption;
    if (ends(check))
        return;
    if (steps > catalogue_count())
        fail_msg("%s presumes itself", check->id);
    for (size_t at = 0; presumption_of(check, at, &presumption); at++)
        assert_path_ends(presumption.check, steps + 1);
    assert_true(ending_count < sizeof ending / sizeof ending[0]);
    ending[ending_count++] = check;
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
    bool alike;
    assert_true(presumes(catalogue_find("CH9-CFG-03"), "CH9-CFG-02", &alike));
    assert_true(presumes(catalogue_find("DM-CH9-CFG-03"), "DM-CH9-CFG-02", &alike));
    assert_false(presumes(catalogue_find("DM-CH9-CFG-03"), "CH9-CFG-02", &alike));
}

static void requests_of_one_sentence__presume_those_before_them(void **state)
{
    (void)state;
    bool alike = false;
    const struct check *upload = catalogue_find("RT-STATE-1-UPLOAD");
    assert_true(presumes(upload, "RT-STATE-1-DNLOAD", &alike));
    assert_true(alike);
    assert_false(presumes(upload, "RT-STATE-1-ABORT", &alike));
    assert_false(presumes(upload, "RT-STATE-0-DNLOAD", &alike));
}

static const struct check *judge_in(enum device_mode mode, const char *type_and_request)
{
    unsigned type, request;
    sscanf(type_and_request, "%x %x", &type, &request);
    const uint8_t setup[USBDEV_SETUP_SIZE] = {(uint8_t)type, (uint8_t)request};
    return judge_of_request(mode, setup, false, 0);
}

// DFU 1.1 3, USB 2.0 9.4: whoever sends it.
static void each_request__has_a_judge_in_its_own_mode(void **state)
{
    (void)state;
    static const char *const requests[] = {"21 00", "21 01", "a1 02", "a1 03", "21 04", "a1 05",
                                           "21 06", "21 07", "a1 ff", "80 00", "81 00", "82 00",
                                           "80 08", "00 09", "81 0a", "01 0b", "00 01", "00 03",
                                           "01 01", "01 03", "02 01", "02 03"};
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const struct check *run_time = judge_in(DEVICE_RUN_TIME, requests[i]);
        const struct check *dfu_mode = judge_in(DEVICE_DFU_MODE, requests[i]);
        if (!run_time || !dfu_mode)
            fail_msg("%s has no judge", requests[i]);
        assert_false(run_time->needs & NEED_DFU_MODE);
        assert_false(dfu_mode->needs & NEED_RUN_TIME);
    }
}

static void string__has_the_languages_as_its_last_judge(void **state)
{
    (void)state;
    const uint8_t languages[USBDEV_SETUP_SIZE] = {0x80, 6, 0, 3};
    const uint8_t product[USBDEV_SETUP_SIZE] = {0x80, 6, 2, 3};
    assert_ptr_equal(judge_of_request(DEVICE_RUN_TIME, languages, false, 0),
                     catalogue_find("CH9-STR-01"));
    assert_ptr_equal(judge_of_request(DEVICE_RUN_TIME, product, false, 0),
                     catalogue_find("CH9-STR-02"));
    assert_ptr_equal(judge_of_request(DEVICE_DFU_MODE, product, false, 0),
                     catalogue_find("DM-CH9-STR-02"));
    assert_ptr_equal(judge_of_request(DEVICE_RUN_TIME, product, false, 1),
                     catalogue_find("CH9-STR-01"));
    assert_null(judge_of_request(DEVICE_RUN_TIME, product, false, 2));
}

// An answer that is right, and a device that leaves behind it.
static void request__that_is_answered_first_has_the_judge_of_its_state(void **state)
{
    (void)state;
    const uint8_t abort[USBDEV_SETUP_SIZE] = {0x21, DFURT_ABORT};
    assert_ptr_equal(judge_of_request(DEVICE_RUN_TIME, abort, false, 0), catalogue_find("REQ-05c"));
    assert_ptr_equal(judge_of_request(DEVICE_RUN_TIME, abort, true, 0),
                     catalogue_find("RT-STATE-0-ABORT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_presumption__is_a_requirement),
        cmocka_unit_test(no_requirement__presumes_itself),
        cmocka_unit_test(twin__presumes_the_twin),
        cmocka_unit_test(requests_of_one_sentence__presume_those_before_them),
        cmocka_unit_test(each_request__has_a_judge_in_its_own_mode),
        cmocka_unit_test(string__has_the_languages_as_its_last_judge),
        cmocka_unit_test(request__that_is_answered_first_has_the_judge_of_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
