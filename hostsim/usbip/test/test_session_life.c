// SPDX-License-Identifier: MIT
//
// What happens to a session: resets, devices that leave, peers that misbehave, time.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_client.h"
#include <usb/bytes.h>

static const uint8_t get_device_18[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
static const uint8_t get_device_64[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 64, 0};
static const uint8_t get_device_8[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 8, 0};
static const uint8_t port_reset[] = {0x23, 0x03, 4, 0, 1, 0, 0, 0};

// ---- Reset ----

static void reset__is_inferred_from_the_first_read_of_an_enumeration(void **state)
{
    struct scripted_client *client = *state;
    uint8_t descriptor[18];
    unsigned resets;

    client_configure(client);
    resets = client->toy.resets;
    client_send_control(client, 2, get_device_64, NULL);
    client_run_ms(client, 0);
    client_expect_ret(client, 2, 0, 18);
    client_expect_bytes(client, descriptor, 18);
    assert_true(client->toy.resets > resets);
    assert_int_equal(client->toy.bConfigurationValue, 0);

    resets = client->toy.resets;
    client_send_control(client, 3, get_device_8, NULL);
    client_run_ms(client, 0);
    client_expect_ret(client, 3, 0, 8);
    assert_true(client->toy.resets > resets);
}

static void reset__is_not_inferred_from_anything_else(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t get_configuration_64[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 64, 0};
    static const uint8_t get_device_63[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 63, 0};
    unsigned resets;

    client_configure(client);
    resets = client->toy.resets;
    client_send_control(client, 2, get_device_18, NULL);
    client_send_control(client, 3, get_configuration_64, NULL);
    client_send_control(client, 4, get_device_63, NULL);
    client_run_ms(client, 0);

    assert_int_equal(client->toy.resets, resets);
    assert_int_equal(client->toy.bConfigurationValue, 1);
}

static void reset__on_request_ends_what_is_pending(void **state)
{
    struct scripted_client *client = *state;
    unsigned resets;

    client_configure(client);
    resets = client->toy.resets;
    client_send_in(client, 2, 2, 8);
    client_send_control(client, 3, port_reset, NULL);

    client_expect_ret(client, 2, USBIP_STATUS_ESHUTDOWN, 0);
    client_expect_ret(client, 3, 0, 0);
    assert_true(client->toy.resets > resets);
    assert_false(usbip_session_over(client->session));
}

// The replies to TOY_ARM and to the request that makes the reset: the device is the other one.
static void expect_another_device(struct scripted_client *client)
{
    uint8_t descriptor[18];

    client_expect_ret(client, 1, 0, 0);
    client_expect_ret(client, 2, 0, 18);
    client_expect_bytes(client, descriptor, sizeof descriptor);
    assert_int_equal(usbdev_load_le16(descriptor + 10), TOY_PRODUCT_AFTER_RESET);
    assert_false(usbip_session_over(client->session));
    assert_int_equal(usbip_device_record(client->device)->idProduct, TOY_PRODUCT_AFTER_RESET);
}

static void reset__that_changes_the_device_keeps_the_connection(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client_send_vendor(client, 1, TOY_ARM);
    client_send_control(client, 2, get_device_64, NULL);
    client_run_ms(client, 0);

    expect_another_device(client);
}

// Firmware may do a lot before it connects.
static void reset__waits_for_a_device_that_returns_after_9_seconds(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client->toy.away_ns = 9000 * SIM_MS;
    client_send_vendor(client, 1, TOY_ARM);
    client_send_control(client, 2, get_device_64, NULL);
    client_run_ms(client, 0);

    expect_another_device(client);
}

static void reset__waits_for_a_device_that_answers_after_4_seconds(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client->toy.mute_ns = 4000 * SIM_MS;
    client_send_control(client, 1, port_reset, NULL);
    client_expect_silence(client);
    client_send_control(client, 2, get_device_18, NULL);
    client_expect_ret(client, 2, USBIP_STATUS_ESHUTDOWN, 0);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, 0, 0);
    assert_false(usbip_session_over(client->session));
    assert_int_equal(usbip_device_availability(client->device), USBIP_OP_BUSY);
}

static void reset__ends_the_session_of_a_device_that_naks_for_5_seconds(void **state)
{
    struct scripted_client *client = *state;
    uint64_t begin_ns;

    client_import(client);
    client->toy.mute_ns = UINT64_MAX;
    begin_ns = usbip_device_now_ns(client->device);
    client_send_control(client, 1, port_reset, NULL);
    client_expect_silence(client);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_ENODEV, 0);
    assert_true(usbip_session_over(client->session));
    client_begin_again(client);
    assert_int_equal(client_import_status(client, "1-1"), USBIP_OP_DEVICE_ERROR);
    assert_in_range(usbip_device_now_ns(client->device) - begin_ns, 5000 * SIM_MS, 5500 * SIM_MS);
}

static void reset__ends_what_comes_before_the_device_is_back(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client->toy.away_ns = 9000 * SIM_MS;
    client_send_vendor(client, 1, TOY_ARM);
    client_send_control(client, 2, get_device_64, NULL);
    client_send_control(client, 3, port_reset, NULL);
    client_send_vendor(client, 4, TOY_ARM);

    client_expect_ret(client, 1, 0, 0);
    client_expect_ret(client, 3, USBIP_STATUS_ESHUTDOWN, 0);
    client_expect_ret(client, 4, USBIP_STATUS_ESHUTDOWN, 0);
    client_expect_silence(client);
}

static void reset__goes_on_though_it_is_unlinked_or_its_client_leaves(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client->toy.away_ns = 9000 * SIM_MS;
    client_send_vendor(client, 1, TOY_ARM);
    client_send_control(client, 2, port_reset, NULL);
    client_send_unlink(client, 3, 2);
    client_expect_ret(client, 1, 0, 0);
    client_expect_unlinked(client, 3, USBIP_STATUS_ECONNRESET);
    client_begin_again(client);
    assert_int_equal(client_import_status(client, "1-1"), USBIP_OP_NO_DEVICE);
    client_run_ms(client, 0);

    assert_int_equal(usbip_device_availability(client->device), USBIP_OP_OK);
    assert_int_equal(usbip_device_record(client->device)->idProduct, TOY_PRODUCT_AFTER_RESET);
}

static void reset__gives_others_a_turn_before_the_next(void **state)
{
    struct scripted_client *client = *state;
    struct usbip_command reset = {.code = USBIP_CMD_SUBMIT, .devid = CLIENT_DEVID};
    uint8_t bytes[3 * USBIP_HEADER_SIZE];

    memcpy(reset.setup, port_reset, USBDEV_SETUP_SIZE);
    for (size_t at = 0; at < sizeof bytes; at += USBIP_HEADER_SIZE) {
        reset.seqnum++;
        usbip_command_encode(bytes + at, &reset);
    }
    client_import(client);

    for (size_t at = 0; at < sizeof bytes; at += USBIP_HEADER_SIZE)
        assert_int_equal(usbip_session_receive(client->session, bytes + at, sizeof bytes - at),
                         USBIP_HEADER_SIZE);
    client_expect_ret(client, 1, 0, 0);
    client_expect_ret(client, 2, 0, 0);
    client_expect_ret(client, 3, 0, 0);
}

// ---- Leaving ----

static void leave__answers_first_then_ends(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 2, 8);
    client_send_vendor(client, 3, TOY_LEAVE);
    client_run_ms(client, 5);

    client_expect_ret(client, 3, 0, 0);
    client_expect_ret(client, 2, USBIP_STATUS_ESHUTDOWN, 0);
    client_expect_silence(client);
    assert_true(usbip_session_over(client->session));
    assert_null(usbip_session_violation(client->session));
}

static void leave__device_can_be_imported_once_it_is_back(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client_send_vendor(client, 1, TOY_LEAVE);
    client_run_ms(client, 5);
    client_begin_again(client);
    assert_int_equal(client_import_status(client, "1-1"), USBIP_OP_NO_DEVICE);
    assert_true(usbip_device_needs_time(client->device));
    client_run_ms(client, 200); // 20 ms away, 100 ms of debouncing

    assert_int_equal(usbip_device_availability(client->device), USBIP_OP_OK);
    assert_int_equal(usbip_device_record(client->device)->devnum, 17); // another arrival
}

static void leave__in_the_middle_of_a_reset_ends_the_session(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client_send_vendor(client, 1, TOY_VANISH);
    client_send_control(client, 2, port_reset, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, 0, 0);
    client_expect_ret(client, 2, USBIP_STATUS_ENODEV, 0);
    assert_true(usbip_session_over(client->session));
}

// ---- Peers that misbehave ----

static void chunks__of_any_size_say_the_same(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t keep[] = {USBDEV_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    static const uint8_t give[] = {USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    struct usbip_command out = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 1, .devid = CLIENT_DEVID, .length = 70};
    struct usbip_command in = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 2, .devid = CLIENT_DEVID, .length = 70, .in = true};
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
            client_send_bytes(client, script + at,
                              at + chunk < sizeof script ? chunk : sizeof script - at);
        client_run_ms(client, 0);

        client_expect_bytes(client, answer, sizeof answer);
        client_expect_ret(client, 1, 0, 70);
        client_expect_in(client, 2, data, 70);
        client_expect_silence(client);
        client_begin_again(client);
    }
}

static void garbage__ends_the_session_with_its_reason(void **state)
{
    struct scripted_client *client = *state;
    static const struct {
        size_t offset;
        uint32_t value;
        const char *reason;
    } cases[] = {
        {0x00, 3, "unknown command"},
        {0x00, 0x01000000, "unknown command"},
        {0x08, CLIENT_DEVID + 1, "a command for a device that was not imported"},
        {0x0C, 2, "a direction that is neither OUT nor IN"},
        {0x10, 0x81, "an endpoint number above 15"},
        {0x18, 0xFFFFFFFF, "a transfer length that is negative or above 1 MiB"},
        {0x18, USBIP_MAX_LENGTH + 1, "a transfer length that is negative or above 1 MiB"},
        {0x20, 0x7FFFFFFF, "too many isochronous packets"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE];

        client_import(client);
        usbip_command_encode(bytes, &(struct usbip_command){.code = USBIP_CMD_SUBMIT,
                                                            .seqnum = 1,
                                                            .devid = CLIENT_DEVID,
                                                            .in = true,
                                                            .length = 18});
        store_be32(bytes + cases[i].offset, cases[i].value);
        usbip_session_receive(client->session, bytes, sizeof bytes);

        assert_true(usbip_session_over(client->session));
        assert_string_equal(usbip_session_violation(client->session), cases[i].reason);
        assert_int_equal(usbip_session_receive(client->session, bytes, sizeof bytes), 0);
        client_begin_again(client);
    }
}

static void stranger__is_turned_away_at_its_first_bytes(void **state)
{
    struct scripted_client *client = *state;

    usbip_session_receive(client->session, (const uint8_t *)"GET", 3);

    assert_true(usbip_session_over(client->session));
    assert_string_equal(usbip_session_violation(client->session), "not USB/IP version 1.1.1");
    client_expect_silence(client);
}

static void seqnum__in_use_cannot_be_used_again(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 2, 8);
    client_send_in(client, 2, 2, 8);

    assert_true(usbip_session_over(client->session));
    assert_string_equal(usbip_session_violation(client->session),
                        "a sequence number that is still in use");
}

static void flood__of_submissions_is_refused_beyond_the_limit(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    for (uint32_t i = 0; i < USBIP_SESSION_MAX_URBS + 10; i++)
        client_send_in(client, 100 + i, 2, 8);
    client_run_ms(client, 2);

    for (uint32_t i = 0; i < 10; i++)
        client_expect_ret(client, 100 + USBIP_SESSION_MAX_URBS + i, USBIP_STATUS_ENOMEM, 0);
    client_expect_silence(client);
    client_send_unlink(client, 1000, 100);
    client_expect_unlinked(client, 1000, USBIP_STATUS_ECONNRESET);
}

static void flood__of_bytes_is_refused_beyond_the_limit(void **state)
{
    struct scripted_client *client = *state;
    uint32_t fit = USBIP_SESSION_MAX_BYTES / USBIP_MAX_LENGTH;

    client_configure(client);
    for (uint32_t i = 0; i <= fit; i++)
        client_send_in(client, 100 + i, 2, USBIP_MAX_LENGTH);

    client_expect_ret(client, 100 + fit, USBIP_STATUS_ENOMEM, 0);
    client_expect_silence(client);
}

static void slow_reader__is_not_read_until_it_reads(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT, .devid = CLIENT_DEVID, .in = true, .length = 255};
    uint8_t bytes[USBIP_HEADER_SIZE];
    size_t length = 0;
    uint32_t sent = 0;

    memcpy(command.setup, get, sizeof get);
    client_import(client);
    while (usbip_session_wants(client->session) && sent < 100000) {
        command.seqnum = ++sent;
        usbip_command_encode(bytes, &command);
        client_send_bytes(client, bytes, sizeof bytes);
        client_run_ms(client, 0);
    }

    usbip_session_output(client->session, &length);
    assert_true(length >= USBIP_SESSION_MAX_OUTPUT);
    assert_true(length < USBIP_SESSION_MAX_OUTPUT + 1000);
    assert_int_equal(usbip_session_receive(client->session, bytes, sizeof bytes), 0);
    for (uint32_t i = 1; i <= sent; i++)
        client_expect_in(client, i, toy_configuration, sizeof toy_configuration);
    assert_true(usbip_session_wants(client->session));
    client_expect_silence(client);
}

static void wall_clock__is_followed_but_never_waited_for(void **state)
{
    struct scripted_client *client = *state;
    uint64_t before;

    client_import(client);
    client_run_ms(client, 0);
    before = usbip_device_now_ns(client->device);
    client_run_ms(client, 30);
    assert_int_equal(usbip_device_now_ns(client->device) - before, 30 * SIM_MS);

    before = usbip_device_now_ns(client->device);
    client_send_control(client, 1, get_device_18, NULL);
    client_run_ms(client, 0); // no wall time passes
    client_expect_ret(client, 1, 0, 18);
    assert_true(usbip_device_now_ns(client->device) > before);
}

static void hanging_request__is_paced_by_the_wall_clock(void **state)
{
    struct scripted_client *client = *state;
    uint64_t before;

    client_import(client);
    client_send_vendor(client, 1, TOY_HANG);
    client_run_ms(client, 10);
    before = usbip_device_now_ns(client->device);
    client_run_ms(client, 100);

    assert_in_range(usbip_device_now_ns(client->device) - before, 100 * SIM_MS, 102 * SIM_MS);
}

// ---- A board's trouble ----

static void hear(void *context, const struct usbip_device *device, const char *text)
{
    char *heard = context;

    (void)device;
    strcat(heard, text);
    strcat(heard, "; ");
}

static void trouble__is_noted_when_it_is_another(void **state)
{
    static const char *const troubles[] = {"a loop", "a loop", "a fault", NULL, "a fault"};
    static const struct usbip_observer observer = {.note = hear};
    char heard[200] = "";
    struct toy toy;
    struct usbip_device *device = usbip_device_open(toy_init(&toy), 2, &observer, heard);

    (void)state;
    assert_non_null(device);
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++) {
        toy.trouble = troubles[i];
        usbip_device_run(device);
    }
    assert_string_equal(heard, "a loop; a fault; a fault; ");
    usbip_device_close(device);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_plug, client_unplug)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reset__is_inferred_from_the_first_read_of_an_enumeration),
        TEST(reset__is_not_inferred_from_anything_else),
        TEST(reset__on_request_ends_what_is_pending),
        TEST(reset__that_changes_the_device_keeps_the_connection),
        TEST(reset__waits_for_a_device_that_returns_after_9_seconds),
        TEST(reset__waits_for_a_device_that_answers_after_4_seconds),
        TEST(reset__ends_the_session_of_a_device_that_naks_for_5_seconds),
        TEST(reset__ends_what_comes_before_the_device_is_back),
        TEST(reset__goes_on_though_it_is_unlinked_or_its_client_leaves),
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
        cmocka_unit_test(trouble__is_noted_when_it_is_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
