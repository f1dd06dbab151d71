// SPDX-License-Identifier: MIT
//
// What happens to a session: resets, devices that leave, peers that misbehave, time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"
#include <usb/bytes.h>

static const uint8_t get_device_18[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
static const uint8_t get_device_64[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 64, 0};
static const uint8_t get_device_8[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 8, 0};
static const uint8_t port_reset[] = {0x23, 0x03, 4, 0, 1, 0, 0, 0};

// ---- Reset ----

static void reset__is_inferred_from_the_first_read_of_an_enumeration(void **state)
{
    struct talk *talk = *state;
    uint8_t descriptor[18];
    unsigned resets;

    talk_configure(talk);
    resets = talk->toy.resets;
    talk_send_control(talk, 2, get_device_64, NULL);
    talk_run_ms(talk, 0);
    talk_expect_ret(talk, 2, 0, 18);
    talk_expect_bytes(talk, descriptor, 18);
    assert_true(talk->toy.resets > resets);
    assert_int_equal(talk->toy.bConfigurationValue, 0);

    resets = talk->toy.resets;
    talk_send_control(talk, 3, get_device_8, NULL);
    talk_run_ms(talk, 0);
    talk_expect_ret(talk, 3, 0, 8);
    assert_true(talk->toy.resets > resets);
}

static void reset__is_not_inferred_from_anything_else(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get_configuration_64[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 64, 0};
    static const uint8_t get_device_63[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 63, 0};
    unsigned resets;

    talk_configure(talk);
    resets = talk->toy.resets;
    talk_send_control(talk, 2, get_device_18, NULL);
    talk_send_control(talk, 3, get_configuration_64, NULL);
    talk_send_control(talk, 4, get_device_63, NULL);
    talk_run_ms(talk, 0);

    assert_int_equal(talk->toy.resets, resets);
    assert_int_equal(talk->toy.bConfigurationValue, 1);
}

static void reset__on_request_ends_what_is_pending(void **state)
{
    struct talk *talk = *state;
    unsigned resets;

    talk_configure(talk);
    resets = talk->toy.resets;
    talk_send_in(talk, 2, 2, 8);
    talk_send_control(talk, 3, port_reset, NULL);

    talk_expect_ret(talk, 2, USBIP_STATUS_ESHUTDOWN, 0);
    talk_expect_ret(talk, 3, 0, 0);
    assert_true(talk->toy.resets > resets);
    assert_false(usbip_session_over(talk->session));
}

static void reset__that_changes_the_device_keeps_the_connection(void **state)
{
    struct talk *talk = *state;
    uint8_t descriptor[18];

    talk_import(talk);
    talk_send_vendor(talk, 1, TOY_ARM);
    talk_send_control(talk, 2, get_device_64, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, 0, 0);
    talk_expect_ret(talk, 2, 0, 18);
    talk_expect_bytes(talk, descriptor, sizeof descriptor);
    assert_int_equal(usbdev_load_le16(descriptor + 10), TOY_PRODUCT_AFTER_RESET);
    assert_false(usbip_session_over(talk->session));
    assert_int_equal(usbip_device_record(talk->device)->idProduct, TOY_PRODUCT_AFTER_RESET);
}

static void reset__gives_others_a_turn_before_the_next(void **state)
{
    struct talk *talk = *state;
    struct usbip_command reset = {.code = USBIP_CMD_SUBMIT, .devid = TALK_DEVID};
    uint8_t bytes[3 * USBIP_HEADER_SIZE];

    memcpy(reset.setup, port_reset, USBDEV_SETUP_SIZE);
    for (size_t at = 0; at < sizeof bytes; at += USBIP_HEADER_SIZE) {
        reset.seqnum++;
        usbip_command_encode(bytes + at, &reset);
    }
    talk_import(talk);

    for (size_t at = 0; at < sizeof bytes; at += USBIP_HEADER_SIZE)
        assert_int_equal(usbip_session_receive(talk->session, bytes + at, sizeof bytes - at),
                         USBIP_HEADER_SIZE);
    talk_expect_ret(talk, 1, 0, 0);
    talk_expect_ret(talk, 2, 0, 0);
    talk_expect_ret(talk, 3, 0, 0);
}

// ---- Leaving ----

static void leave__answers_first_then_ends(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 2, 8);
    talk_send_vendor(talk, 3, TOY_LEAVE);
    talk_run_ms(talk, 5);

    talk_expect_ret(talk, 3, 0, 0);
    talk_expect_ret(talk, 2, USBIP_STATUS_ESHUTDOWN, 0);
    talk_expect_silence(talk);
    assert_true(usbip_session_over(talk->session));
    assert_null(usbip_session_trouble(talk->session));
}

static void leave__device_can_be_imported_once_it_is_back(void **state)
{
    struct talk *talk = *state;

    talk_import(talk);
    talk_send_vendor(talk, 1, TOY_LEAVE);
    talk_run_ms(talk, 5);
    talk_begin_again(talk);
    assert_int_equal(talk_import_status(talk, "1-1"), USBIP_OP_NO_DEVICE);
    assert_true(usbip_device_needs_time(talk->device));
    talk_run_ms(talk, 200); // 20 ms away, 100 ms of debouncing

    assert_int_equal(usbip_device_availability(talk->device), USBIP_OP_OK);
    assert_int_equal(usbip_device_record(talk->device)->devnum, 3); // another arrival
}

static void leave__in_the_middle_of_a_reset_ends_the_session(void **state)
{
    struct talk *talk = *state;

    talk_import(talk);
    talk_send_vendor(talk, 1, TOY_VANISH);
    talk_send_control(talk, 2, port_reset, NULL);

    talk_expect_ret(talk, 1, 0, 0);
    talk_expect_ret(talk, 2, USBIP_STATUS_ENODEV, 0);
    assert_true(usbip_session_over(talk->session));
}

// ---- Peers that misbehave ----

static void chunks__of_any_size_say_the_same(void **state)
{
    struct talk *talk = *state;
    static const uint8_t keep[] = {USBDEV_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    static const uint8_t give[] = {USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    struct usbip_command out = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 1, .devid = TALK_DEVID, .length = 70};
    struct usbip_command in = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 2, .devid = TALK_DEVID, .length = 70, .in = true};
    uint8_t script[USBIP_IMPORT_SIZE + 2 * USBIP_HEADER_SIZE + 70];
    uint8_t *data = script + USBIP_IMPORT_SIZE + USBIP_HEADER_SIZE;

    memcpy(out.setup, keep, sizeof keep);
    memcpy(in.setup, give, sizeof give);
    usbip_request_encode(script, &request);
    usbip_command_encode(script + USBIP_IMPORT_SIZE, &out);
    for (uint8_t i = 0; i < 70; i++)
        data[i] = i;
    usbip_command_encode(data + 70, &in);

    for (size_t chunk = 1; chunk <= sizeof script; chunk++) {
        uint8_t answer[USBIP_OP_SIZE + USBIP_RECORD_SIZE];

        for (size_t at = 0; at < sizeof script; at += chunk)
            talk_send_bytes(talk, script + at,
                            at + chunk < sizeof script ? chunk : sizeof script - at);
        talk_run_ms(talk, 0);

        talk_expect_bytes(talk, answer, sizeof answer);
        talk_expect_ret(talk, 1, 0, 70);
        talk_expect_in(talk, 2, data, 70);
        talk_expect_silence(talk);
        talk_begin_again(talk);
    }
}

static void garbage__ends_the_session_with_its_reason(void **state)
{
    struct talk *talk = *state;
    static const struct {
        size_t offset;
        uint32_t value;
        const char *reason;
    } cases[] = {
        {0x00, 3, "unknown command"},
        {0x00, 0x01000000, "unknown command"},
        {0x08, TALK_DEVID + 1, "a command for a device that was not imported"},
        {0x0C, 2, "a direction that is neither OUT nor IN"},
        {0x10, 0x81, "an endpoint number above 15"},
        {0x18, 0xFFFFFFFF, "a transfer length that is negative or above 1 MiB"},
        {0x18, USBIP_MAX_LENGTH + 1, "a transfer length that is negative or above 1 MiB"},
        {0x20, 0x7FFFFFFF, "too many isochronous packets"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE];

        talk_import(talk);
        usbip_command_encode(bytes, &(struct usbip_command){.code = USBIP_CMD_SUBMIT,
                                                            .seqnum = 1,
                                                            .devid = TALK_DEVID,
                                                            .in = true,
                                                            .length = 18});
        store_be32(bytes + cases[i].offset, cases[i].value);
        usbip_session_receive(talk->session, bytes, sizeof bytes);

        assert_true(usbip_session_over(talk->session));
        assert_string_equal(usbip_session_trouble(talk->session), cases[i].reason);
        assert_int_equal(usbip_session_receive(talk->session, bytes, sizeof bytes), 0);
        talk_begin_again(talk);
    }
}

static void stranger__is_turned_away_at_its_first_bytes(void **state)
{
    struct talk *talk = *state;

    usbip_session_receive(talk->session, (const uint8_t *)"GET", 3);

    assert_true(usbip_session_over(talk->session));
    assert_string_equal(usbip_session_trouble(talk->session), "not USB/IP version 1.1.1");
    talk_expect_silence(talk);
}

static void seqnum__in_use_cannot_be_used_again(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 2, 8);
    talk_send_in(talk, 2, 2, 8);

    assert_true(usbip_session_over(talk->session));
    assert_string_equal(usbip_session_trouble(talk->session),
                        "a sequence number that is still in use");
}

static void flood__of_submissions_is_refused_beyond_the_limit(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    for (uint32_t i = 0; i < USBIP_SESSION_MAX_URBS + 10; i++)
        talk_send_in(talk, 100 + i, 2, 8);
    talk_run_ms(talk, 2);

    for (uint32_t i = 0; i < 10; i++)
        talk_expect_ret(talk, 100 + USBIP_SESSION_MAX_URBS + i, USBIP_STATUS_ENOMEM, 0);
    talk_expect_silence(talk);
    talk_send_unlink(talk, 1000, 100);
    talk_expect_unlinked(talk, 1000, USBIP_STATUS_ECONNRESET);
}

static void flood__of_bytes_is_refused_beyond_the_limit(void **state)
{
    struct talk *talk = *state;
    uint32_t fit = USBIP_SESSION_MAX_BYTES / USBIP_MAX_LENGTH;

    talk_configure(talk);
    for (uint32_t i = 0; i <= fit; i++)
        talk_send_in(talk, 100 + i, 2, USBIP_MAX_LENGTH);

    talk_expect_ret(talk, 100 + fit, USBIP_STATUS_ENOMEM, 0);
    talk_expect_silence(talk);
}

static void slow_reader__is_not_read_until_it_reads(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT, .devid = TALK_DEVID, .in = true, .length = 255};
    uint8_t bytes[USBIP_HEADER_SIZE];
    size_t length = 0;
    uint32_t sent = 0;

    memcpy(command.setup, get, sizeof get);
    talk_import(talk);
    while (usbip_session_wants(talk->session) && sent < 100000) {
        command.seqnum = ++sent;
        usbip_command_encode(bytes, &command);
        talk_send_bytes(talk, bytes, sizeof bytes);
        talk_run_ms(talk, 0);
    }

    usbip_session_output(talk->session, &length);
    assert_true(length >= USBIP_SESSION_MAX_OUTPUT);
    assert_true(length < USBIP_SESSION_MAX_OUTPUT + 1000);
    assert_int_equal(usbip_session_receive(talk->session, bytes, sizeof bytes), 0);
    for (uint32_t i = 1; i <= sent; i++)
        talk_expect_in(talk, i, toy_configuration, sizeof toy_configuration);
    assert_true(usbip_session_wants(talk->session));
    talk_expect_silence(talk);
}

static void wall_clock__is_followed_but_never_waited_for(void **state)
{
    struct talk *talk = *state;
    uint64_t before;

    talk_import(talk);
    talk_run_ms(talk, 0);
    before = usbip_device_now_ns(talk->device);
    talk_run_ms(talk, 30);
    assert_int_equal(usbip_device_now_ns(talk->device) - before, 30 * SIM_MS);

    before = usbip_device_now_ns(talk->device);
    talk_send_control(talk, 1, get_device_18, NULL);
    talk_run_ms(talk, 0); // no wall time passes
    talk_expect_ret(talk, 1, 0, 18);
    assert_true(usbip_device_now_ns(talk->device) > before);
}

static void hanging_request__is_paced_by_the_wall_clock(void **state)
{
    struct talk *talk = *state;
    uint64_t before;

    talk_import(talk);
    talk_send_vendor(talk, 1, TOY_HANG);
    talk_run_ms(talk, 10);
    before = usbip_device_now_ns(talk->device);
    talk_run_ms(talk, 100);

    assert_in_range(usbip_device_now_ns(talk->device) - before, 100 * SIM_MS, 102 * SIM_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, talk_plug, talk_unplug)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset__is_inferred_from_the_first_read_of_an_enumeration),
        TEST(reset__is_not_inferred_from_anything_else),
        TEST(reset__on_request_ends_what_is_pending),
        TEST(reset__that_changes_the_device_keeps_the_connection),
        TEST(reset__gives_others_a_turn_before_the_next),
        TEST(leave__answers_first_then_ends),
        TEST(leave__device_can_be_imported_once_it_is_back),
        TEST(leave__in_the_middle_of_a_reset_ends_the_session),
        TEST(chunks__of_any_size_say_the_same),
        TEST(garbage__ends_the_session_with_its_reason),
        TEST(stranger__is_turned_away_at_its_first_bytes),
        TEST(seqnum__in_use_cannot_be_used_again),
        TEST(flood__of_submissions_is_refused_beyond_the_limit),
        TEST(flood__of_bytes_is_refused_beyond_the_limit),
        TEST(slow_reader__is_not_read_until_it_reads),
        TEST(wall_clock__is_followed_but_never_waited_for),
        TEST(hanging_request__is_paced_by_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
