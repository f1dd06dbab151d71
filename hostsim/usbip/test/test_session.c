// SPDX-License-Identifier: MIT
//
// What a client is answered: operations, transfers, data toggles, UNLINK.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "talk.h"

static const uint8_t get_device_18[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
static const uint8_t set_configuration_1[] = {0x00, 0x09, 1, 0, 0, 0, 0, 0};

// ---- Operations ----

static void devlist__describes_device_and_interfaces_then_ends(void **state)
{
    struct talk *talk = *state;
    static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    static const uint8_t head[] = {0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t interfaces[] = {0xFF, 1, 2, 0, 0xFF, 3, 4, 0};
    uint8_t answer[USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE + sizeof interfaces];
    struct usbip_record record;

    talk_send_bytes(talk, request, sizeof request);
    talk_expect_bytes(talk, answer, sizeof answer);
    usbip_record_decode(&record, answer + sizeof head, USBIP_RECORD_SIZE);

    assert_memory_equal(answer, head, sizeof head);
    assert_string_equal(record.bus_id, "1-1");
    assert_int_equal(record.speed, USBIP_SPEED_FULL);
    assert_int_equal(record.idVendor, TOY_VENDOR);
    assert_int_equal(record.idProduct, TOY_PRODUCT);
    assert_int_equal(record.bcdDevice, 0x1234);
    assert_int_equal(record.bNumInterfaces, 2);
    assert_memory_equal(answer + sizeof head + USBIP_RECORD_SIZE, interfaces, sizeof interfaces);
    talk_expect_silence(talk);
    assert_true(usbip_session_over(talk->session));
    assert_null(usbip_session_trouble(talk->session));
}

static void devlist__leaves_out_a_device_in_use(void **state)
{
    struct talk *talk = *state;
    static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    static const uint8_t expected[] = {0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 0};
    struct usbip_session *second = usbip_session_open(&talk->device, 1);
    size_t length;

    talk_import(talk);
    usbip_session_receive(second, request, sizeof request);
    const uint8_t *answer = usbip_session_output(second, &length);

    assert_int_equal(length, sizeof expected);
    assert_memory_equal(answer, expected, sizeof expected);
    usbip_session_close(second);
}

static void import__says_why_not(void **state)
{
    struct talk *talk = *state;

    assert_int_equal(talk_import_status(talk, "1-2"), USBIP_OP_NO_DEVICE);
    assert_int_equal(talk_import_status(talk, ""), USBIP_OP_NO_DEVICE);
    talk_import(talk);
    assert_int_equal(talk_import_status(talk, "1-1"), USBIP_OP_BUSY);
}

static void close__resets_the_device_for_the_next_client(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    assert_int_equal(talk->toy.bConfigurationValue, 1);
    talk_begin_again(talk);

    assert_int_equal(talk->toy.bConfigurationValue, 0);
    talk_configure(talk);
}

// ---- Transfers ----

static void control_in__returns_what_the_device_has(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};

    talk_import(talk);
    talk_send_control(talk, 7, get, NULL);
    talk_run_ms(talk, 0);

    talk_expect_in(talk, 7, toy_configuration, sizeof toy_configuration);
    talk_expect_silence(talk);
}

static void control_out__reply_has_no_payload(void **state)
{
    struct talk *talk = *state;
    static const uint8_t keep[] = {USBDEV_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 100, 0};
    static const uint8_t give[] = {
        USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 200, 0};
    uint8_t data[100];

    memset(data, 0x5A, sizeof data);
    talk_import(talk);
    talk_send_control(talk, 1, keep, data);
    talk_send_control(talk, 2, give, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, 0, 100);
    talk_expect_in(talk, 2, data, sizeof data);
    talk_expect_silence(talk);
}

static void stall__is_epipe_and_the_next_request_works(void **state)
{
    struct talk *talk = *state;

    talk_import(talk);
    talk_send_vendor(talk, 1, 0x77);
    talk_send_control(talk, 2, get_device_18, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, USBIP_STATUS_EPIPE, 0);
    talk_expect_ret(talk, 2, 0, 18);
}

static void babble__is_eoverflow_and_never_more_than_asked_for(void **state)
{
    struct talk *talk = *state;
    static const uint8_t babble[] = {
        USBDEV_TYPE_VENDOR | USBDEV_DIR_IN, TOY_BABBLE, 0, 0, 0, 0, 10, 0};

    talk_import(talk);
    talk_send_control(talk, 1, babble, NULL);
    talk_run_ms(talk, 0);
    struct usbip_reply reply = talk_next_reply(talk);
    uint8_t data[10];

    assert_int_equal(reply.status, USBIP_STATUS_EOVERFLOW);
    assert_true(reply.actual_length <= 10);
    talk_expect_bytes(talk, data, reply.actual_length);
    talk_expect_silence(talk);
}

static void short_not_ok__makes_a_short_transfer_an_error(void **state)
{
    struct talk *talk = *state;
    struct usbip_command command = {
        .seqnum = 1, .in = true, .length = 255, .flags = USBIP_SHORT_NOT_OK};
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 255, 0};

    memcpy(command.setup, get, sizeof get);
    talk_import(talk);
    talk_send_submit(talk, command, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, USBIP_STATUS_EREMOTEIO, 18);
}

static void nak__on_one_endpoint_holds_up_no_other(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 2, 8);
    talk_send_control(talk, 3, get_device_18, NULL);
    talk_run_ms(talk, 0);
    uint8_t descriptor[18];

    talk_expect_ret(talk, 3, 0, 18);
    talk_expect_bytes(talk, descriptor, sizeof descriptor);
    talk_expect_silence(talk);
    talk->toy.event = true;
    talk_run_ms(talk, 2);
    talk_expect_in(talk, 2, "\xEE", 1);
}

static void bulk__goes_around(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 1, 64);
    talk_send_out(talk, 3, "hello", 5);
    talk_run_ms(talk, 1);

    talk_expect_ret(talk, 3, 0, 5);
    talk_expect_in(talk, 2, "hello", 5);
}

static void absent_endpoint__gets_no_response(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 3, 64); // exists in alternate 1 only
    talk_send_in(talk, 3, 9, 64);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 2, USBIP_STATUS_EPROTO, 0);
    talk_expect_ret(talk, 3, USBIP_STATUS_EPROTO, 0);
}

static void set_address__never_reaches_the_device(void **state)
{
    struct talk *talk = *state;
    static const uint8_t set_address[] = {0x00, 0x05, 42, 0, 0, 0, 0, 0};

    talk_import(talk);
    talk_send_control(talk, 1, set_address, NULL);
    talk_send_control(talk, 2, get_device_18, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, USBIP_STATUS_EPERM, 0);
    talk_expect_ret(talk, 2, 0, 18);
}

static void contradiction__of_message_and_setup_is_refused(void **state)
{
    struct talk *talk = *state;
    struct usbip_command longer = {.seqnum = 1, .in = true, .length = 19};
    struct usbip_command other_way = {.seqnum = 2, .in = false, .length = 18};
    uint8_t data[18] = {0};
    unsigned setups;

    memcpy(longer.setup, get_device_18, USBDEV_SETUP_SIZE);
    memcpy(other_way.setup, get_device_18, USBDEV_SETUP_SIZE);
    talk_import(talk);
    setups = talk->toy.setups;
    talk_send_submit(talk, longer, NULL);
    talk_send_submit(talk, other_way, data);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, USBIP_STATUS_EINVAL, 0);
    talk_expect_ret(talk, 2, USBIP_STATUS_EINVAL, 0);
    assert_int_equal(talk->toy.setups, setups);
}

static void isochronous__is_refused_and_the_stream_stays_in_step(void **state)
{
    struct talk *talk = *state;
    const struct usbip_command iso_out = {.code = USBIP_CMD_SUBMIT,
                                          .seqnum = 1,
                                          .devid = TALK_DEVID,
                                          .endpoint = 1,
                                          .length = 10,
                                          .iso_packets = 3};
    uint8_t bytes[USBIP_HEADER_SIZE + 10 + 3 * USBIP_ISO_PACKET_SIZE] = {0};

    talk_import(talk);
    usbip_command_encode(bytes, &iso_out);
    talk_send_bytes(talk, bytes, sizeof bytes);
    talk_send_control(talk, 2, get_device_18, NULL);
    talk_run_ms(talk, 0);

    talk_expect_ret(talk, 1, USBIP_STATUS_EINVAL, 0);
    talk_expect_ret(talk, 2, 0, 18);
}

// ---- Data toggles ----

static void loop_once(struct talk *talk, uint32_t seqnum)
{
    talk_send_out(talk, seqnum, "x", 1);
    talk_send_in(talk, seqnum + 1, 1, 64);
    talk_run_ms(talk, 1);
    talk_expect_ret(talk, seqnum, 0, 1);
    talk_expect_in(talk, seqnum + 1, "x", 1);
}

static void toggles__start_again_with_each_configuration(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    loop_once(talk, 10); // now both sides are at DATA1
    talk_send_control(talk, 20, set_configuration_1, NULL);
    talk_run_ms(talk, 0);
    talk_expect_ret(talk, 20, 0, 0);

    loop_once(talk, 30);
}

static void toggles__start_again_when_a_halt_is_cleared(void **state)
{
    struct talk *talk = *state;
    static const uint8_t clear_out[] = {0x02, 0x01, 0, 0, 0x01, 0, 0, 0};
    static const uint8_t clear_in[] = {0x02, 0x01, 0, 0, 0x81, 0, 0, 0};

    talk_configure(talk);
    loop_once(talk, 10);
    talk_send_control(talk, 20, clear_out, NULL);
    talk_send_control(talk, 21, clear_in, NULL);
    talk_run_ms(talk, 0);
    talk_expect_ret(talk, 20, 0, 0);
    talk_expect_ret(talk, 21, 0, 0);

    loop_once(talk, 30);
}

static void toggles__start_again_with_each_alternate(void **state)
{
    struct talk *talk = *state;
    static const uint8_t set_alternate_1[] = {0x01, 0x0B, 1, 0, 1, 0, 0, 0};

    talk_configure(talk);
    for (uint8_t round = 0; round < 3; round++) {
        talk_send_control(talk, 10, set_alternate_1, NULL);
        talk_run_ms(talk, 0);
        talk_expect_ret(talk, 10, 0, 0);
        talk_send_in(talk, 12, 3, 64);
        talk_run_ms(talk, 1);

        talk_expect_in(talk, 12, &round, 1);
    }
}

// ---- UNLINK ----

static void unlink__of_a_pending_transfer_is_its_only_answer(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 2, 8);
    talk_run_ms(talk, 5);
    talk_send_unlink(talk, 3, 2);
    talk->toy.event = true;
    talk_run_ms(talk, 5);

    talk_expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    talk_expect_silence(talk);
    assert_true(talk->toy.event); // nobody asked the endpoint any more
}

static void unlink__of_a_finished_transfer_says_0(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk->toy.event = true;
    talk_send_in(talk, 2, 2, 8);
    talk_run_ms(talk, 5);
    talk_send_unlink(talk, 3, 2);

    talk_expect_in(talk, 2, "\xEE", 1);
    talk_expect_unlinked(talk, 3, 0);
    talk_expect_silence(talk);
}

static void unlink__of_what_never_was_or_is_gone_says_0(void **state)
{
    struct talk *talk = *state;

    talk_configure(talk);
    talk_send_in(talk, 2, 2, 8);
    talk_send_unlink(talk, 3, 2);
    talk_send_unlink(talk, 4, 2);
    talk_send_unlink(talk, 5, 999);

    talk_expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    talk_expect_unlinked(talk, 4, 0);
    talk_expect_unlinked(talk, 5, 0);
    talk_expect_silence(talk);
}

static void unlink__frees_endpoint_0_from_a_request_that_hangs(void **state)
{
    struct talk *talk = *state;

    talk_import(talk);
    talk_send_vendor(talk, 1, TOY_HANG);
    talk_send_control(talk, 2, get_device_18, NULL);
    talk_run_ms(talk, 50);
    talk_expect_silence(talk);
    talk_send_unlink(talk, 3, 1);
    talk_run_ms(talk, 1);

    talk_expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    talk_expect_ret(talk, 2, 0, 18);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, talk_plug, talk_unplug)

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
