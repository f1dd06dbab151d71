// SPDX-License-Identifier: MIT
//
// A device with more interfaces than the suite holds. What the suite does not hold is not absent:
// it is sent no request as if there were nothing, and no check that needs all of it blames the
// device.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "small_run.h"

enum { INTERFACES = CONFIGURATION_MAX_INTERFACES + 6 };

static unsigned beyond; // requests to interfaces that the suite does not hold

// An interface 0 that is DFU's, and others behind it that have one setting each.
static void start_large(struct run *run)
{
    start(run, DFURT_ATTR_CAN_DNLOAD);
    struct target_descriptors *descriptors = &run->fake.base.descriptors;
    uint8_t *bytes = descriptors->configuration;
    for (uint8_t number = 1; number < INTERFACES; number++) {
        const uint8_t interface[] = {9, USBDEV_DT_INTERFACE, number, 0, 0, 0xFF, 0, 0, 0};
        memcpy(bytes + descriptors->configuration_length, interface, sizeof interface);
        descriptors->configuration_length += sizeof interface;
    }
    usbdev_store_le16(bytes + 2, (uint16_t)descriptors->configuration_length);
    bytes[4] = INTERFACES;
    beyond = 0;
}

static int
answers_for_all(struct fake_target *fake, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    (void)fake;
    bool to_interface = (setup->bmRequestType & 0x1F) == USBDEV_RECIPIENT_INTERFACE;
    if (!to_interface || setup->wIndex >= INTERFACES)
        return FAKE_NOT_MINE;
    beyond += setup->wIndex >= CONFIGURATION_MAX_INTERFACES;
    if (setup->wIndex == 0 && (setup->bmRequestType & USBDEV_TYPE_MASK) != 0)
        return FAKE_NOT_MINE;
    memset(data, 0, setup->bmRequestType & USBDEV_DIR_IN ? setup->wLength : 0);
    return setup->bmRequestType & USBDEV_DIR_IN ? setup->wLength : 0;
}

static void larger_than_the_suite_holds__is_not_blamed_for_what_is_not_held(void **state)
{
    (void)state;
    static const char *const ids[] = {"CH9-REQ-07", "CH9-REQ-08", "CH9-REQ-09", "CH9-REQ-10",
                                      "CH9-REQ-14", "CH9-REQ-15", "CH9-REQ-17", "REQ-07c",
                                      "REQ-07d",    "CH9-REQ-18", "CH9-HALT-05"};
    struct run run;
    start_large(&run);
    run.fake.script = answers_for_all;

    finish(&run, &(struct runner_options){.only = "CH9-REQ-0[789],CH9-REQ-1[04578],REQ-07[cd],"
                                                  "CH9-HALT-05"});

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        const struct result *result = result_of(&run, ids[i]);
        if (result->verdict != VERDICT_INCONCLUSIVE)
            fail_msg("%s: %s %s", ids[i], verdict_text(result->verdict), result->finding.message);
        assert_string_equal(
            result->finding.message,
            "there are more than 128 interface descriptors: the suite stores no more");
    }
    assert_int_equal(beyond, 0);
    report_finish(&run.report);
}

static void dfu_beyond_what_the_suite_holds__is_not_called_absent(void **state)
{
    (void)state;
    struct run run;
    start_large(&run);
    struct target_descriptors *descriptors = &run.fake.base.descriptors;
    uint8_t *dfu = descriptors->configuration + USBDEV_CONFIGURATION_DESCRIPTOR_SIZE;
    size_t others = descriptors->configuration_length -
                    (USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + DFURT_DESCRIPTORS_SIZE);
    uint8_t kept[DFURT_DESCRIPTORS_SIZE];
    memcpy(kept, dfu, sizeof kept);
    memmove(dfu, dfu + sizeof kept, others);
    memcpy(dfu + others, kept, sizeof kept);
    run.fake.script = answers_for_all;

    finish(&run, &(struct runner_options){.only = "RT-DESC-01[ab],DM-DESC-01a"});

    assert_int_equal(result_of(&run, "RT-DESC-01a")->verdict, VERDICT_INCONCLUSIVE);
    assert_int_equal(result_of(&run, "RT-DESC-01b")->verdict, VERDICT_INCONCLUSIVE);
    const struct result *result = result_of(&run, "DM-DESC-01a");
    assert_int_equal(result->verdict, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(result->finding.message, "among the first 128 interface descriptors"));
    report_finish(&run.report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(larger_than_the_suite_holds__is_not_blamed_for_what_is_not_held),
        cmocka_unit_test(dfu_beyond_what_the_suite_holds__is_not_called_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
