// SPDX-License-Identifier: MIT
//
// Device states and standard requests of usbdev.

#include "test_bench.h"

#include <string.h>

// ---- Addresses and device states (USB 2.0 9.4, 9.1.1) ----

static void set_address__takes_effect_after_the_status_stage(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    PLAY(&bench, {"reset", "a.reset"}, {"setup 00 05 07 00 00 00 00 00", "in 0"});
    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
    PLAY(&bench, {"taken 0", "address 7"});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_ADDRESS);
}

static void new_device__has_forgotten_what_was_in_its_memory(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
    assert_false(usbdev_remote_wakeup(&bench.dev));
    PLAY(&bench, {"taken 0", ""}, {"came 0 01", ""}, {"setup 80 08 00 00 00 00 01 00", "stall"},
         {"setup 00 05 7f 00 00 00 00 00", "in 0"}, {"taken 0", "address 127"},
         {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup 00 09 01 00 00 00 00 00", "open 01, open 81, b.alternate 1.0, in 0"},
         {"setup 82 00 00 00 81 00 02 00", "out 0, in 0 00 00"},
         {"setup 81 0a 00 00 01 00 01 00", "out 0, in 0 00"},
         {"setup 00 03 01 00 00 00 00 00", "in 0"});
    assert_false(usbdev_remote_wakeup(&bench.dev)); // awake
}

static void set_address__abandoned_is_nothing(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    PLAY(&bench, {"setup 00 05 07 00 00 00 00 00", "in 0"},
         {"setup 80 06 00 01 00 00 08 00", "out 0, in 0 12 01 01 02 00 00 00 08"}, {"taken 0", ""},
         {"came 0", ""});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
}

static void set_address__0_leads_back_to_default(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 00 05 00 00 00 00 00 00", "in 0"}, {"taken 0", "address 0"});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
}

static void set_address__stalls_above_127_with_data_and_while_configured(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    PLAY(&bench, {"setup 00 05 80 00 00 00 00 00", "stall"},
         {"setup 00 05 07 01 00 00 00 00", "stall"}, {"setup 00 05 07 00 00 00 01 00", "stall"});
    bench_configure(&bench);
    PLAY(&bench, {"setup 00 05 08 00 00 00 00 00", "stall"});
}

static void default_state__answers_descriptors_and_the_address_alone(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    PLAY(&bench, {"reset", "a.reset"});

    PLAY(&bench, {"setup 80 00 00 00 00 00 02 00", "stall"},
         {"setup 80 08 00 00 00 00 01 00", "stall"}, {"setup 00 09 01 00 00 00 00 00", "stall"},
         {"setup 00 03 01 00 00 00 00 00", "stall"}, {"setup 81 0a 00 00 00 00 01 00", "stall"},
         {"setup c0 50 04 00 00 00 04 00", "stall"}, {"setup c1 50 04 00 00 00 04 00", "stall"},
         {"setup c1 06 04 00 00 00 04 00", "stall"}, {"setup c0 05 04 00 00 00 04 00", "stall"},
         {"setup 80 06 00 01 00 00 02 00", "out 0, in 0 12 01"});
}

static void address_state__knows_no_interface_and_no_endpoint_but_0(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 00"},
         {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 80 00 02 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 81 00 02 00", "stall"}, {"setup 02 03 00 00 81 00 00 00", "stall"},
         {"setup 81 00 00 00 00 00 02 00", "stall"}, {"setup 81 0a 00 00 00 00 01 00", "stall"},
         {"setup 01 0b 00 00 00 00 00 00", "stall"}, {"setup c1 50 04 00 00 00 04 00", "stall"},
         {"setup c2 50 04 00 81 00 04 00", "stall"},
         {"setup c0 50 02 00 00 00 02 00", "a.setup, out 0, in 0 00 01"});
}

// ---- Configurations (USB 2.0 9.4.2, 9.4.7) ----

static void set_configuration__opens_endpoints_and_announces_alternates(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 00 09 01 00 00 00 00 00", "open 01, open 81, b.alternate 1.0, in 0"},
         {"taken 0", ""}, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_CONFIGURED);
}

static void set_configuration__goes_1_1_0_1(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench,
         {"setup 00 09 01 00 00 00 00 00", "close 01, close 81, a.unconfigured, open 01, open 81, "
                                           "b.alternate 1.0, in 0"},
         {"taken 0", ""},
         {"setup 00 09 00 00 00 00 00 00", "close 01, close 81, a.unconfigured, in 0"},
         {"taken 0", ""}, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 00"},
         {"setup 00 09 01 00 00 00 00 00", "open 01, open 81, b.alternate 1.0, in 0"},
         {"taken 0", ""}, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"});
}

static void set_configuration__changes_to_another(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench,
         {"setup 00 09 05 00 00 00 00 00", "close 01, close 81, a.unconfigured, open 01, in 0"},
         {"taken 0", ""}, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 05"},
         {"setup 81 0a 00 00 01 00 01 00", "stall"}, {"setup 82 00 00 00 81 00 02 00", "stall"});
}

static void set_configuration__invalid_stalls_and_leaves_the_current_one(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 00 09 02 00 00 00 00 00", "stall"},
         {"setup 00 09 01 01 00 00 00 00", "stall"}, {"setup 00 09 00 01 00 00 00 00", "stall"},
         {"setup 00 09 ff 00 00 00 00 00", "stall"}, {"setup 00 09 05 00 00 00 01 00", "stall"},
         {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"},
         {"setup 82 00 00 00 81 00 02 00", "out 0, in 0 00 00"});
}

// ---- Descriptors (USB 2.0 9.4.3) ----

static void check_reply(struct bench *bench, uint16_t wValue, const uint8_t *bytes, size_t size)
{
    const uint16_t lengths[] = {0,
                                1,
                                2,
                                7,
                                8,
                                9,
                                16,
                                17,
                                64,
                                (uint16_t)(size - 1),
                                (uint16_t)size,
                                (uint16_t)(size + 1),
                                255,
                                256,
                                4096,
                                0xFFFF};
    uint8_t reply[BENCH_MOST];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, wValue, 0x0409,
                                                  lengths[i]};
        size_t expected = size < lengths[i] ? size : lengths[i];
        assert_int_equal(bench_read(bench, &setup, reply), expected);
        assert_memory_equal(reply, bytes, expected);
    }
}

static void get_descriptor__of_any_length_ends_in_a_short_or_empty_packet(void **state)
{
    (void)state;
    static const uint8_t sizes[] = {8, 16, 32, 64};
    static const uint8_t string[] = {
        24,  3, 'a', 0, 'b', 0, 'c', 0, 'd', 0, 'e', 0,
        'f', 0, 'g', 0, 'h', 0, 'i', 0, 'j', 0, 'k', 0,
    };
    struct bench bench;
    bench_start(&bench);
    bench.text = "abcdefghijk";

    for (size_t i = 0; i < sizeof(sizes); i++) {
        bench.device_descriptor[7] = sizes[i];
        check_reply(&bench, 0x0100, bench.device_descriptor, 18);
        check_reply(&bench, 0x0200, bench_configuration_1, 64);
        check_reply(&bench, 0x0201, bench_configuration_5, 25);
        check_reply(&bench, 0x0300, bench_langids, 4);
        check_reply(&bench, 0x0301, string, 24);
        check_reply(&bench, 0x0F00, bench_bos, 12);
    }
}

static void get_descriptor__absent_stalls(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);

    PLAY(&bench, {"setup 80 06 01 01 00 00 12 00", "stall"}, // a second device descriptor
         {"setup 80 06 02 02 00 00 09 00", "stall"},         // a third configuration
         {"setup 80 06 00 06 00 00 0a 00", "stall"},         // device qualifier: full speed only
         {"setup 80 06 00 07 00 00 09 00", "stall"}, {"setup 80 06 00 04 00 00 09 00", "stall"},
         {"setup 80 06 00 05 00 00 07 00", "stall"}, {"setup 80 06 00 21 00 00 09 00", "stall"},
         {"setup 80 06 01 0f 00 00 05 00", "stall"}, {"setup 80 06 00 00 00 00 09 00", "stall"},
         {"setup 80 06 02 03 09 04 ff 00", "stall"},  // no such string
         {"setup 80 06 01 03 07 04 ff 00", "stall"}); // not in this language
    bench.config.bos = NULL;
    bench.config.strings = NULL;
    PLAY(&bench, {"setup 80 06 00 0f 00 00 05 00", "stall"},
         {"setup 80 06 00 03 00 00 ff 00", "stall"}, {"setup 80 06 01 03 09 04 ff 00", "stall"});
}

// ---- Strings (USB 2.0 9.6.7) ----

static void check_string(const char *text, const uint16_t *units, size_t count)
{
    const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, 0x0301, 0x0409, 255};
    uint8_t reply[BENCH_MOST];
    struct bench bench;
    bench_start(&bench);
    bench.text = text;

    assert_int_equal(bench_read(&bench, &setup, reply), 2 + 2 * count);

    assert_int_equal(reply[0], 2 + 2 * count);
    assert_int_equal(reply[1], USBDEV_DT_STRING);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(usbdev_load_le16(reply + 2 + 2 * i), units[i]);
    for (size_t i = offsetof(struct usbdev, scratch) + USBDEV_SCRATCH_SIZE; i < sizeof bench.dev;
         i++)
        assert_int_equal(((const uint8_t *)&bench.dev)[i], 1); // as bench_start() has left it
}

static void string__utf8_becomes_utf16(void **state)
{
    (void)state;
    const uint16_t units[] = {'z', 0x00DF, 0x6C34, 0xFFFD, 0xD834, 0xDD0B, 0xDBFF, 0xDFFD};

    check_string("z\xC3\x9F\xE6\xB0\xB4\xEF\xBF\xBD\xF0\x9D\x84\x8B\xF4\x8F\xBF\xBD", units, 8);
    check_string("", NULL, 0);
}

// The first and the last character of each length (RFC 3629 3).
static void string__characters_at_the_limits_of_utf8(void **state)
{
    (void)state;
    const uint16_t units[] = {0x01,   0x7F,   0x80,   0x7FF,  0x800,
                              0xFFFF, 0xD800, 0xDC00, 0xDBFF, 0xDFFF};

    check_string("\x01\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"
                 "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                 units, 10);
}

static void string__is_cut_to_126_units_but_not_within_a_pair(void **state)
{
    (void)state;
    char text[200];
    uint16_t units[126];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < 126; i++)
        units[i] = 'x';

    text[126] = '\0';
    check_string(text, units, 126);
    text[126] = 'x';
    text[199] = '\0';
    check_string(text, units, 126);
    strcpy(text + 125, "\xF0\x9D\x84\x8B");
    check_string(text, units, 125);
    strcpy(text + 124, "\xF0\x9D\x84\x8B");
    units[124] = 0xD834;
    units[125] = 0xDD0B;
    check_string(text, units, 126);
}

static void string__that_is_not_utf8_is_not_read_beyond_its_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xC3", "\xE6", "\xE6\xB0", "\xF0\x9D\x84", "\xFF", "\x80"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, 0x0301, 0x0409, 255};
        uint8_t reply[BENCH_MOST];
        char text[8] = "........";
        struct bench bench;
        bench_start(&bench);
        bench.text = strcpy(text, texts[i]);

        int length = bench_read(&bench, &setup, reply);
        assert_true(length == 4 || length == 6); // one character, or a pair
    }
}

// ---- Status and features (USB 2.0 9.4.1, 9.4.5, 9.4.9) ----

static void get_status__of_the_device_agrees_with_bmAttributes(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup 00 09 05 00 00 00 00 00", "close 01, close 81, a.unconfigured, open 01, in 0"},
         {"taken 0", ""}, {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 01 00"});
}

static void small_replies__are_no_longer_than_they_are(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 80 00 00 00 00 00 40 00", "out 0, in 0 00 00"},
         {"setup 81 00 00 00 00 00 40 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 00 00 40 00", "out 0, in 0 00 00"},
         {"setup 82 00 00 00 81 00 40 00", "out 0, in 0 00 00"},
         {"setup 80 08 00 00 00 00 40 00", "out 0, in 0 01"},
         {"setup 81 0a 00 00 01 00 40 00", "out 0, in 0 00"});
}

static void remote_wakeup__is_set_cleared_and_reset(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 00 03 01 00 00 00 00 00", "in 0"}, {"taken 0", ""},
         {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 02 00"},
         {"setup 00 01 01 00 00 00 00 00", "in 0"}, {"taken 0", ""},
         {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup 00 03 01 00 00 00 00 00", "in 0"}, {"reset", "a.reset"});
    bench_address(&bench);
    PLAY(&bench, {"setup 80 00 00 00 00 00 02 00", "out 0, in 0 00 00"});
}

static void remote_wakeup__stalls_where_the_configuration_has_none(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_address(&bench);

    PLAY(&bench, {"setup 00 09 05 00 00 00 00 00", "open 01, in 0"}, {"taken 0", ""},
         {"setup 00 03 01 00 00 00 00 00", "stall"}, {"setup 00 01 01 00 00 00 00 00", "stall"});
}

static void features__unknown_stall(void **state)
{
    (void)state;
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    PLAY(&bench, {"setup 00 03 00 00 00 00 00 00", "stall"}, // halt of the device
         {"setup 00 03 02 00 00 01 00 00", "stall"},         // test mode: high speed only
         {"setup 00 03 01 00 01 00 00 00", "stall"}, {"setup 00 03 01 01 00 00 00 00", "stall"},
         {"setup 01 03 00 00 00 00 00 00", "stall"}, {"setup 01 01 00 00 00 00 00 00", "stall"},
         {"setup 02 03 01 00 81 00 00 00", "stall"}, {"setup 02 03 00 00 00 00 00 00", "stall"},
         {"setup 02 03 00 00 82 00 00 00", "stall"}, {"setup 02 03 00 00 81 01 00 00", "stall"},
         {"setup 02 01 00 00 02 00 00 00", "stall"});
}

// ---- Whatever is unknown STALLs, and the next request works (USB 2.0 9.2.7, 8.5.3.4) ----

static bool is_known(uint8_t bmRequestType, uint8_t bRequest)
{
    static const uint8_t known[][2] = {
        {0x80, USBDEV_GET_STATUS},        {0x81, USBDEV_GET_STATUS},
        {0x82, USBDEV_GET_STATUS},        {0x80, USBDEV_GET_DESCRIPTOR},
        {0x80, USBDEV_GET_CONFIGURATION}, {0x81, USBDEV_GET_INTERFACE},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i][0] == bmRequestType && known[i][1] == bRequest)
            return true;
    return (bmRequestType == 0xC0 || bmRequestType == 0xC1 || bmRequestType == 0xA0 ||
            bmRequestType == 0xA1) &&
           bRequest == BENCH_READ;
}

static void unknown_requests__stall_and_the_next_one_works(void **state)
{
    (void)state;
    const struct usbdev_setup_packet next = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};
    uint8_t reply[BENCH_MOST];
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    for (unsigned type = 0x80; type < 256; type++)
        for (unsigned bRequest = 0; bRequest < 256; bRequest++) {
            const struct usbdev_setup_packet setup = {(uint8_t)type, (uint8_t)bRequest, 0x0100, 0,
                                                      18};
            int result = bench_read(&bench, &setup, reply);
            if ((result >= 0) != is_known((uint8_t)type, (uint8_t)bRequest))
                fail_msg("request %02x %02x: came %d", type, bRequest, result);
            assert_int_equal(bench_read(&bench, &next, reply), 18);
        }
}

static void any_setup__ends_and_never_overruns(void **state)
{
    (void)state;
    uint32_t random = 1;
    uint8_t reply[BENCH_MOST];
    struct bench bench;
    bench_start(&bench);
    bench_configure(&bench);

    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[USBDEV_SETUP_SIZE];
        for (size_t j = 0; j < sizeof(bytes); j++) {
            random = random * 1664525 + 1013904223;
            bytes[j] = (uint8_t)(random >> 24);
            if (j != 0 && (random >> 20 & 7) != 0)
                bytes[j] &= j % 2 ? 0x0F : 0x00; // mostly small numbers
        }
        bytes[0] |= USBDEV_DIR_IN;
        bytes[3] &= bytes[1] == BENCH_READ ? 0x0F : 0xFF;
        const struct usbdev_setup_packet setup = usbdev_setup_load(bytes);
        int result = bench_read(&bench, &setup, reply);
        assert_true(result <= setup.wLength);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_address__takes_effect_after_the_status_stage),
        cmocka_unit_test(new_device__has_forgotten_what_was_in_its_memory),
        cmocka_unit_test(set_address__abandoned_is_nothing),
        cmocka_unit_test(set_address__0_leads_back_to_default),
        cmocka_unit_test(set_address__stalls_above_127_with_data_and_while_configured),
        cmocka_unit_test(default_state__answers_descriptors_and_the_address_alone),
        cmocka_unit_test(address_state__knows_no_interface_and_no_endpoint_but_0),
        cmocka_unit_test(set_configuration__opens_endpoints_and_announces_alternates),
        cmocka_unit_test(set_configuration__goes_1_1_0_1),
        cmocka_unit_test(set_configuration__changes_to_another),
        cmocka_unit_test(set_configuration__invalid_stalls_and_leaves_the_current_one),
        cmocka_unit_test(get_descriptor__of_any_length_ends_in_a_short_or_empty_packet),
        cmocka_unit_test(get_descriptor__absent_stalls),
        cmocka_unit_test(string__utf8_becomes_utf16),
        cmocka_unit_test(string__characters_at_the_limits_of_utf8),
        cmocka_unit_test(string__is_cut_to_126_units_but_not_within_a_pair),
        cmocka_unit_test(string__that_is_not_utf8_is_not_read_beyond_its_end),
        cmocka_unit_test(get_status__of_the_device_agrees_with_bmAttributes),
        cmocka_unit_test(small_replies__are_no_longer_than_they_are),
        cmocka_unit_test(remote_wakeup__is_set_cleared_and_reset),
        cmocka_unit_test(remote_wakeup__stalls_where_the_configuration_has_none),
        cmocka_unit_test(features__unknown_stall),
        cmocka_unit_test(unknown_requests__stall_and_the_next_one_works),
        cmocka_unit_test(any_setup__ends_and_never_overruns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
