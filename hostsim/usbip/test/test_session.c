// SPDX-License-Identifier: MIT
//
// What a client is answered: operations, transfers, data toggles, UNLINK.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scripted_client.h"

static const uint8_t get_device_18[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
static const uint8_t set_configuration_1[] = {0x00, 0x09, 1, 0, 0, 0, 0, 0};

// ---- Operations ----

static void devlist__describes_device_and_interfaces_then_ends(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    static const uint8_t head[] = {0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t interfaces[] = {0xFF, 1, 2, 0, 0xFF, 3, 4, 0};
    uint8_t answer[USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE + sizeof interfaces];
    struct usbip_record record;

    client_send_bytes(client, request, sizeof request);
    client_expect_bytes(client, answer, sizeof answer);
    usbip_record_decode(&record, answer + sizeof head, USBIP_RECORD_SIZE);

    assert_memory_equal(answer, head, sizeof head);
    assert_string_equal(record.bus_id, "1-1");
    assert_int_equal(record.speed, USBIP_SPEED_FULL);
    assert_int_equal(record.idVendor, TOY_VENDOR);
    assert_int_equal(record.idProduct, TOY_PRODUCT);
    assert_int_equal(record.bcdDevice, 0x1234);
    assert_int_equal(record.bNumInterfaces, 2);
    assert_memory_equal(answer + sizeof head + USBIP_RECORD_SIZE, interfaces, sizeof interfaces);
    client_expect_silence(client);
    assert_true(usbip_session_over(client->session));
    assert_null(usbip_session_violation(client->session));
}

static void devlist__leaves_out_a_device_in_use(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    static const uint8_t expected[] = {0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 0};
    struct usbip_session *second = usbip_session_open(&client->device, 1);
    size_t length;

    client_import(client);
    usbip_session_receive(second, request, sizeof request);
    const uint8_t *answer = usbip_session_output(second, &length);

    assert_int_equal(length, sizeof expected);
    assert_memory_equal(answer, expected, sizeof expected);
    usbip_session_close(second);
}

static void import__says_why_not(void **state)
{
    struct scripted_client *client = *state;

    assert_int_equal(client_import_status(client, "1-2"), USBIP_OP_NO_DEVICE);
    assert_int_equal(client_import_status(client, ""), USBIP_OP_NO_DEVICE);
    client_import(client);
    assert_int_equal(client_import_status(client, "1-1"), USBIP_OP_BUSY);
}

static void close__resets_the_device_for_the_next_client(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    assert_int_equal(client->toy.bConfigurationValue, 1);
    client_begin_again(client);

    assert_int_equal(client->toy.bConfigurationValue, 0);
    client_configure(client);
}

// ---- Transfers ----

static void control_in__returns_what_the_device_has(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};

    client_import(client);
    client_send_control(client, 7, get, NULL);
    client_run_ms(client, 0);

    client_expect_in(client, 7, toy_configuration, sizeof toy_configuration);
    client_expect_silence(client);
}

static void control_out__reply_has_no_payload(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t keep[] = {USBDEV_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 100, 0};
    static const uint8_t give[] = {
        USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 200, 0};
    uint8_t data[100];

    memset(data, 0x5A, sizeof data);
    client_import(client);
    client_send_control(client, 1, keep, data);
    client_send_control(client, 2, give, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, 0, 100);
    client_expect_in(client, 2, data, sizeof data);
    client_expect_silence(client);
}

static void stall__is_epipe_and_the_next_request_works(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client_send_vendor(client, 1, 0x77);
    client_send_control(client, 2, get_device_18, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_EPIPE, 0);
    client_expect_ret(client, 2, 0, 18);
}

static void babble__is_eoverflow_and_never_more_than_asked_for(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t babble[] = {
        USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_BABBLE, 0, 0, 0, 0, 10, 0};

    client_import(client);
    client_send_control(client, 1, babble, NULL);
    client_run_ms(client, 0);
    struct usbip_reply reply = client_next_reply(client);
    uint8_t data[10];

    assert_int_equal(reply.status, USBIP_STATUS_EOVERFLOW);
    assert_true(reply.actual_length <= 10);
    client_expect_bytes(client, data, reply.actual_length);
    client_expect_silence(client);
}

static void short_not_ok__makes_a_short_transfer_an_error(void **state)
{
    struct scripted_client *client = *state;
    struct usbip_command command = {
        .seqnum = 1, .in = true, .length = 255, .flags = USBIP_SHORT_NOT_OK};
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 255, 0};

    memcpy(command.setup, get, sizeof get);
    client_import(client);
    client_send_submit(client, command, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_EREMOTEIO, 18);
}

static void nak__on_one_endpoint_holds_up_no_other(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 2, 8);
    client_send_control(client, 3, get_device_18, NULL);
    client_run_ms(client, 0);
    uint8_t descriptor[18];

    client_expect_ret(client, 3, 0, 18);
    client_expect_bytes(client, descriptor, sizeof descriptor);
    client_expect_silence(client);
    client->toy.event = true;
    client_run_ms(client, 2);
    client_expect_in(client, 2, "\xEE", 1);
}

static void bulk__goes_around(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 1, 64);
    client_send_out(client, 3, "hello", 5);
    client_run_ms(client, 1);

    client_expect_ret(client, 3, 0, 5);
    client_expect_in(client, 2, "hello", 5);
}

static void absent_endpoint__gets_no_response(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 3, 64); // exists in alternate 1 only
    client_send_in(client, 3, 9, 64);
    client_run_ms(client, 0);

    client_expect_ret(client, 2, USBIP_STATUS_EPROTO, 0);
    client_expect_ret(client, 3, USBIP_STATUS_EPROTO, 0);
}

static void set_address__never_reaches_the_device(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t set_address[] = {0x00, 0x05, 42, 0, 0, 0, 0, 0};

    client_import(client);
    client_send_control(client, 1, set_address, NULL);
    client_send_control(client, 2, get_device_18, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_EPERM, 0);
    client_expect_ret(client, 2, 0, 18);
}

static void contradiction__of_message_and_setup_is_refused(void **state)
{
    struct scripted_client *client = *state;
    struct usbip_command longer = {.seqnum = 1, .in = true, .length = 19};
    struct usbip_command other_way = {.seqnum = 2, .in = false, .length = 18};
    uint8_t data[18] = {0};
    unsigned setups;

    memcpy(longer.setup, get_device_18, USBDEV_SETUP_SIZE);
    memcpy(other_way.setup, get_device_18, USBDEV_SETUP_SIZE);
    client_import(client);
    setups = client->toy.setups;
    client_send_submit(client, longer, NULL);
    client_send_submit(client, other_way, data);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_EINVAL, 0);
    client_expect_ret(client, 2, USBIP_STATUS_EINVAL, 0);
    assert_int_equal(client->toy.setups, setups);
}

static void isochronous__is_refused_and_the_stream_stays_in_step(void **state)
{
    struct scripted_client *client = *state;
    const struct usbip_command iso_out = {.code = USBIP_CMD_SUBMIT,
                                          .seqnum = 1,
                                          .devid = CLIENT_DEVID,
                                          .endpoint = 1,
                                          .length = 10,
                                          .iso_packets = 3};
    uint8_t bytes[USBIP_HEADER_SIZE + 10 + 3 * USBIP_ISO_PACKET_SIZE] = {0};

    client_import(client);
    usbip_command_encode(bytes, &iso_out);
    client_send_bytes(client, bytes, sizeof bytes);
    client_send_control(client, 2, get_device_18, NULL);
    client_run_ms(client, 0);

    client_expect_ret(client, 1, USBIP_STATUS_EINVAL, 0);
    client_expect_ret(client, 2, 0, 18);
}

static void isochronous__is_told_once(void **state)
{
    struct scripted_client *client = *state;
    struct usbip_command iso_in = {.in = true, .endpoint = 3, .length = 10, .iso_packets = 1};
    unsigned notes;

    client_import(client);
    notes = client->notes;
    for (iso_in.seqnum = 1; iso_in.seqnum <= 2; iso_in.seqnum++) {
        uint8_t packet[USBIP_ISO_PACKET_SIZE] = {0};
        client_send_submit(client, iso_in, NULL);
        client_send_bytes(client, packet, sizeof packet);
        client_run_ms(client, 0);
        client_expect_ret(client, iso_in.seqnum, USBIP_STATUS_EINVAL, 0);
    }

    assert_int_equal(client->notes, notes + 1);
    assert_non_null(strstr(client->note, "isochronous transfers are not carried"));
    assert_non_null(strstr(client->note, "83h"));
}

// ---- Data toggles ----

static void loop_once(struct scripted_client *client, uint32_t seqnum)
{
    client_send_out(client, seqnum, "x", 1);
    client_send_in(client, seqnum + 1, 1, 64);
    client_run_ms(client, 1);
    client_expect_ret(client, seqnum, 0, 1);
    client_expect_in(client, seqnum + 1, "x", 1);
}

static void toggles__start_again_with_each_configuration(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    loop_once(client, 10); // now both sides are at DATA1
    client_send_control(client, 20, set_configuration_1, NULL);
    client_run_ms(client, 0);
    client_expect_ret(client, 20, 0, 0);

    loop_once(client, 30);
}

static void toggles__start_again_when_a_halt_is_cleared(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t clear_out[] = {0x02, 0x01, 0, 0, 0x01, 0, 0, 0};
    static const uint8_t clear_in[] = {0x02, 0x01, 0, 0, 0x81, 0, 0, 0};

    client_configure(client);
    loop_once(client, 10);
    client_send_control(client, 20, clear_out, NULL);
    client_send_control(client, 21, clear_in, NULL);
    client_run_ms(client, 0);
    client_expect_ret(client, 20, 0, 0);
    client_expect_ret(client, 21, 0, 0);

    loop_once(client, 30);
}

static void toggles__start_again_with_each_alternate(void **state)
{
    struct scripted_client *client = *state;
    static const uint8_t set_alternate_1[] = {0x01, 0x0B, 1, 0, 1, 0, 0, 0};

    client_configure(client);
    for (uint8_t round = 0; round < 3; round++) {
        client_send_control(client, 10, set_alternate_1, NULL);
        client_run_ms(client, 0);
        client_expect_ret(client, 10, 0, 0);
        client_send_in(client, 12, 3, 64);
        client_run_ms(client, 1);

        client_expect_in(client, 12, &round, 1);
    }
}

// ---- UNLINK ----

static void unlink__of_a_pending_transfer_is_its_only_answer(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 2, 8);
    client_run_ms(client, 5);
    client_send_unlink(client, 3, 2);
    client->toy.event = true;
    client_run_ms(client, 5);

    client_expect_unlinked(client, 3, USBIP_STATUS_ECONNRESET);
    client_expect_silence(client);
    assert_true(client->toy.event); // no IN transaction took it
}

static void unlink__of_a_finished_transfer_says_0(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client->toy.event = true;
    client_send_in(client, 2, 2, 8);
    client_run_ms(client, 5);
    client_send_unlink(client, 3, 2);

    client_expect_in(client, 2, "\xEE", 1);
    client_expect_unlinked(client, 3, 0);
    client_expect_silence(client);
}

static void unlink__of_what_never_was_or_is_gone_says_0(void **state)
{
    struct scripted_client *client = *state;

    client_configure(client);
    client_send_in(client, 2, 2, 8);
    client_send_unlink(client, 3, 2);
    client_send_unlink(client, 4, 2);
    client_send_unlink(client, 5, 999);

    client_expect_unlinked(client, 3, USBIP_STATUS_ECONNRESET);
    client_expect_unlinked(client, 4, 0);
    client_expect_unlinked(client, 5, 0);
    client_expect_silence(client);
}

static void unlink__frees_endpoint_0_from_a_request_that_hangs(void **state)
{
    struct scripted_client *client = *state;

    client_import(client);
    client_send_vendor(client, 1, TOY_HANG);
    client_send_control(client, 2, get_device_18, NULL);
    client_run_ms(client, 50);
    client_expect_silence(client);
    client_send_unlink(client, 3, 1);
    client_run_ms(client, 1);

    client_expect_unlinked(client, 3, USBIP_STATUS_ECONNRESET);
    client_expect_ret(client, 2, 0, 18);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_plug, client_unplug)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(devlist__describes_device_and_interfaces_then_ends),
        TEST(devlist__leaves_out_a_device_in_use),
        TEST(import__says_why_not),
        TEST(close__resets_the_device_for_the_next_client),
        TEST(control_in__returns_what_the_device_has),
        TEST(control_out__reply_has_no_payload),
        TEST(stall__is_epipe_and_the_next_request_works),
        TEST(babble__is_eoverflow_and_never_more_than_asked_for),
        TEST(short_not_ok__makes_a_short_transfer_an_error),
        TEST(nak__on_one_endpoint_holds_up_no_other),
        TEST(bulk__goes_around),
        TEST(absent_endpoint__gets_no_response),
        TEST(set_address__never_reaches_the_device),
        TEST(contradiction__of_message_and_setup_is_refused),
        TEST(isochronous__is_refused_and_the_stream_stays_in_step),
        TEST(isochronous__is_told_once),
        TEST(toggles__start_again_with_each_configuration),
        TEST(toggles__start_again_when_a_halt_is_cleared),
        TEST(toggles__start_again_with_each_alternate),
        TEST(unlink__of_a_pending_transfer_is_its_only_answer),
        TEST(unlink__of_a_finished_transfer_says_0),
        TEST(unlink__of_what_never_was_or_is_gone_says_0),
        TEST(unlink__frees_endpoint_0_from_a_request_that_hangs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
