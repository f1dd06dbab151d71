// SPDX-License-Identifier: MIT
//
// Conversations with a session, written down: what the client sends, what the device does, what
// comes back. The wall clock is a variable.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"
#include "toy_device.h"
#include "usbip_session.h"

enum { DEVID = 1 << 16 | 2 };

struct talk {
    struct toy toy;
    struct usbip_device *device;
    struct usbip_session *session;
    uint64_t wall_ns;
};

static const uint8_t get_device_18[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 18, 0};
static const uint8_t get_device_64[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 64, 0};
static const uint8_t get_device_8[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 8, 0};
static const uint8_t set_configuration_1[] = {0x00, 0x09, 1, 0, 0, 0, 0, 0};
static const uint8_t port_reset[] = {0x23, 0x03, 4, 0, 1, 0, 0, 0};

// ---- Talking ----

static void run_ms(struct talk *talk, unsigned ms)
{
    for (unsigned i = 0; i <= ms; i++) {
        while (usbip_device_run(talk->device, talk->wall_ns))
            ;
        talk->wall_ns += i < ms ? SIM_MS : 0;
    }
}

static void send_bytes(struct talk *talk, const uint8_t *bytes, size_t length)
{
    assert_int_equal(usbip_session_receive(talk->session, bytes, length), length);
}

static void send_submit(struct talk *talk, struct usbip_command command, const void *data)
{
    uint8_t bytes[USBIP_HEADER_SIZE];

    command.code = USBIP_CMD_SUBMIT;
    command.devid = DEVID;
    usbip_command_encode(bytes, &command);
    send_bytes(talk, bytes, sizeof bytes);
    if (!command.in && command.length > 0)
        send_bytes(talk, data, command.length);
}

static void
send_control(struct talk *talk, uint32_t seqnum, const uint8_t setup[USB_SETUP_SIZE], void *data)
{
    struct usbip_command command = {
        .seqnum = seqnum, .in = (setup[0] & USB_DIR_IN) != 0, .length = load_le16(setup + 6)};

    memcpy(command.setup, setup, USB_SETUP_SIZE);
    send_submit(talk, command, data);
}

static void send_vendor(struct talk *talk, uint32_t seqnum, uint8_t request)
{
    const uint8_t setup[] = {USB_TYPE_VENDOR, request, 0, 0, 0, 0, 0, 0};

    send_control(talk, seqnum, setup, NULL);
}

static void send_in(struct talk *talk, uint32_t seqnum, uint8_t endpoint, uint32_t length)
{
    send_submit(talk,
                (struct usbip_command){
                    .seqnum = seqnum, .in = true, .endpoint = endpoint, .length = length},
                NULL);
}

static void send_out(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length)
{
    send_submit(talk, (struct usbip_command){.seqnum = seqnum, .endpoint = 1, .length = length},
                data);
}

static void send_unlink(struct talk *talk, uint32_t seqnum, uint32_t unlinked)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK, .seqnum = seqnum, .devid = DEVID, .unlinked = unlinked};
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &command);
    send_bytes(talk, bytes, sizeof bytes);
}

// Takes the next length bytes that the session says.
static void expect_bytes(struct talk *talk, uint8_t *ret_bytes, size_t length)
{
    size_t available;
    const uint8_t *bytes = usbip_session_output(talk->session, &available);

    if (available < length)
        fail_msg("expected %zu bytes, %zu came", length, available);
    memcpy(ret_bytes, bytes, length);
    usbip_session_sent(talk->session, length);
}

static void expect_silence(const struct talk *talk)
{
    size_t length;

    usbip_session_output(talk->session, &length);
    assert_int_equal(length, 0);
}

static struct usbip_reply next_reply(struct talk *talk)
{
    uint8_t bytes[USBIP_HEADER_SIZE];
    struct usbip_reply reply;

    expect_bytes(talk, bytes, sizeof bytes);
    assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), sizeof bytes);
    return reply;
}

static void expect_ret(struct talk *talk, uint32_t seqnum, int32_t status, uint32_t actual)
{
    struct usbip_reply reply = next_reply(talk);

    assert_int_equal(reply.code, USBIP_RET_SUBMIT);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.actual_length, actual);
}

static void expect_in(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length)
{
    uint8_t bytes[4096];

    expect_ret(talk, seqnum, 0, length);
    expect_bytes(talk, bytes, length);
    assert_memory_equal(bytes, data, length);
}

static void expect_unlinked(struct talk *talk, uint32_t seqnum, int32_t status)
{
    struct usbip_reply reply = next_reply(talk);

    assert_int_equal(reply.code, USBIP_RET_UNLINK);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
}

// ---- Beginning and end ----

static int plug(void **state)
{
    struct talk *talk = calloc(1, sizeof *talk);

    talk->wall_ns = 1;
    talk->device = usbip_device_open(toy_init(&talk->toy), 1, NULL, NULL);
    talk->session = usbip_session_open(&talk->device, 1);
    *state = talk;
    return 0;
}

static int unplug(void **state)
{
    struct talk *talk = *state;

    usbip_session_close(talk->session);
    usbip_device_close(talk->device);
    free(talk);
    return 0;
}

static void import(struct talk *talk)
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    uint8_t bytes[USBIP_IMPORT_SIZE];
    uint8_t answer[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    uint32_t status = 99;

    send_bytes(talk, bytes, usbip_request_encode(bytes, &request));
    expect_bytes(talk, answer, sizeof answer);
    usbip_op_decode(USBIP_REP_IMPORT, &status, answer, sizeof answer);
    assert_int_equal(status, USBIP_OP_OK);
}

static void configure(struct talk *talk)
{
    import(talk);
    send_control(talk, 1, set_configuration_1, NULL);
    run_ms(talk, 0);
    expect_ret(talk, 1, 0, 0);
}

static void begin_again(struct talk *talk)
{
    usbip_session_close(talk->session);
    talk->session = usbip_session_open(&talk->device, 1);
}

// ---- Operations ----

static void devlist__describes_device_and_interfaces_then_ends(void **state)
{
    struct talk *talk = *state;
    static const uint8_t request[] = {0x01, 0x11, 0x80, 0x05, 0, 0, 0, 0};
    static const uint8_t head[] = {0x01, 0x11, 0x00, 0x05, 0, 0, 0, 0, 0, 0, 0, 1};
    static const uint8_t interfaces[] = {0xFF, 1, 2, 0, 0xFF, 3, 4, 0};
    uint8_t answer[USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE + sizeof interfaces];
    struct usbip_record record;

    send_bytes(talk, request, sizeof request);
    expect_bytes(talk, answer, sizeof answer);
    usbip_record_decode(&record, answer + sizeof head, USBIP_RECORD_SIZE);

    assert_memory_equal(answer, head, sizeof head);
    assert_string_equal(record.bus_id, "1-1");
    assert_int_equal(record.speed, USBIP_SPEED_FULL);
    assert_int_equal(record.idVendor, TOY_VENDOR);
    assert_int_equal(record.idProduct, TOY_PRODUCT);
    assert_int_equal(record.bcdDevice, 0x1234);
    assert_int_equal(record.bNumInterfaces, 2);
    assert_memory_equal(answer + sizeof head + USBIP_RECORD_SIZE, interfaces, sizeof interfaces);
    expect_silence(talk);
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

    import(talk);
    usbip_session_receive(second, request, sizeof request);
    const uint8_t *answer = usbip_session_output(second, &length);

    assert_int_equal(length, sizeof expected);
    assert_memory_equal(answer, expected, sizeof expected);
    usbip_session_close(second);
}

static uint32_t import_status(struct talk *talk, const char *bus_id)
{
    struct usbip_session *session = usbip_session_open(&talk->device, 1);
    struct usbip_request request = {.op = USBIP_REQ_IMPORT};
    uint8_t bytes[USBIP_IMPORT_SIZE];
    uint32_t status = 99;
    size_t length;

    strcpy(request.bus_id, bus_id);
    usbip_session_receive(session, bytes, usbip_request_encode(bytes, &request));
    const uint8_t *answer = usbip_session_output(session, &length);
    usbip_op_decode(USBIP_REP_IMPORT, &status, answer, length);
    assert_int_equal(length, USBIP_OP_SIZE); // no record behind an error
    assert_true(usbip_session_over(session));
    usbip_session_close(session);
    return status;
}

static void import__says_why_not(void **state)
{
    struct talk *talk = *state;

    assert_int_equal(import_status(talk, "1-2"), USBIP_OP_NO_DEVICE);
    assert_int_equal(import_status(talk, ""), USBIP_OP_NO_DEVICE);
    import(talk);
    assert_int_equal(import_status(talk, "1-1"), USBIP_OP_BUSY);
}

static void close__resets_the_device_for_the_next_client(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    assert_int_equal(talk->toy.bConfigurationValue, 1);
    begin_again(talk);

    assert_int_equal(talk->toy.bConfigurationValue, 0);
    configure(talk);
}

// ---- Transfers ----

static void control_in__returns_what_the_device_has(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};

    import(talk);
    send_control(talk, 7, get, NULL);
    run_ms(talk, 0);

    expect_in(talk, 7, toy_configuration, sizeof toy_configuration);
    expect_silence(talk);
}

static void control_out__reply_has_no_payload(void **state)
{
    struct talk *talk = *state;
    static const uint8_t keep[] = {USB_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 100, 0};
    static const uint8_t give[] = {USB_TYPE_VENDOR | USB_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 200, 0};
    uint8_t data[100];

    memset(data, 0x5A, sizeof data);
    import(talk);
    send_control(talk, 1, keep, data);
    send_control(talk, 2, give, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, 0, 100);
    expect_in(talk, 2, data, sizeof data);
    expect_silence(talk);
}

static void stall__is_epipe_and_the_next_request_works(void **state)
{
    struct talk *talk = *state;

    import(talk);
    send_vendor(talk, 1, 0x77);
    send_control(talk, 2, get_device_18, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, USBIP_STATUS_EPIPE, 0);
    expect_ret(talk, 2, 0, 18);
}

static void babble__is_eoverflow_and_never_more_than_asked_for(void **state)
{
    struct talk *talk = *state;
    static const uint8_t babble[] = {USB_TYPE_VENDOR | USB_DIR_IN, TOY_BABBLE, 0, 0, 0, 0, 10, 0};

    import(talk);
    send_control(talk, 1, babble, NULL);
    run_ms(talk, 0);
    struct usbip_reply reply = next_reply(talk);
    uint8_t data[10];

    assert_int_equal(reply.status, USBIP_STATUS_EOVERFLOW);
    assert_true(reply.actual_length <= 10);
    expect_bytes(talk, data, reply.actual_length);
    expect_silence(talk);
}

static void short_not_ok__makes_a_short_transfer_an_error(void **state)
{
    struct talk *talk = *state;
    struct usbip_command command = {
        .seqnum = 1, .in = true, .length = 255, .flags = USBIP_SHORT_NOT_OK};
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 255, 0};

    memcpy(command.setup, get, sizeof get);
    import(talk);
    send_submit(talk, command, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, USBIP_STATUS_EREMOTEIO, 18);
}

static void nak__on_one_endpoint_holds_up_no_other(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 2, 8);
    send_control(talk, 3, get_device_18, NULL);
    run_ms(talk, 0);
    uint8_t descriptor[18];

    expect_ret(talk, 3, 0, 18);
    expect_bytes(talk, descriptor, sizeof descriptor);
    expect_silence(talk);
    talk->toy.event = true;
    run_ms(talk, 2);
    expect_in(talk, 2, "\xEE", 1);
}

static void bulk__goes_around(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 1, 64);
    send_out(talk, 3, "hello", 5);
    run_ms(talk, 1);

    expect_ret(talk, 3, 0, 5);
    expect_in(talk, 2, "hello", 5);
}

static void absent_endpoint__gets_no_response(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 3, 64); // exists in alternate 1 only
    send_in(talk, 3, 9, 64);
    run_ms(talk, 0);

    expect_ret(talk, 2, USBIP_STATUS_EPROTO, 0);
    expect_ret(talk, 3, USBIP_STATUS_EPROTO, 0);
}

static void set_address__never_reaches_the_device(void **state)
{
    struct talk *talk = *state;
    static const uint8_t set_address[] = {0x00, 0x05, 42, 0, 0, 0, 0, 0};

    import(talk);
    send_control(talk, 1, set_address, NULL);
    send_control(talk, 2, get_device_18, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, USBIP_STATUS_EPERM, 0);
    expect_ret(talk, 2, 0, 18);
}

static void contradiction__of_message_and_setup_is_refused(void **state)
{
    struct talk *talk = *state;
    struct usbip_command longer = {.seqnum = 1, .in = true, .length = 19};
    struct usbip_command other_way = {.seqnum = 2, .in = false, .length = 18};
    uint8_t data[18] = {0};
    unsigned setups;

    memcpy(longer.setup, get_device_18, USB_SETUP_SIZE);
    memcpy(other_way.setup, get_device_18, USB_SETUP_SIZE);
    import(talk);
    setups = talk->toy.setups;
    send_submit(talk, longer, NULL);
    send_submit(talk, other_way, data);
    run_ms(talk, 0);

    expect_ret(talk, 1, USBIP_STATUS_EINVAL, 0);
    expect_ret(talk, 2, USBIP_STATUS_EINVAL, 0);
    assert_int_equal(talk->toy.setups, setups);
}

static void isochronous__is_refused_and_the_stream_stays_in_step(void **state)
{
    struct talk *talk = *state;
    const struct usbip_command iso_out = {.code = USBIP_CMD_SUBMIT,
                                          .seqnum = 1,
                                          .devid = DEVID,
                                          .endpoint = 1,
                                          .length = 10,
                                          .iso_packets = 3};
    uint8_t bytes[USBIP_HEADER_SIZE + 10 + 3 * USBIP_ISO_PACKET_SIZE] = {0};

    import(talk);
    usbip_command_encode(bytes, &iso_out);
    send_bytes(talk, bytes, sizeof bytes);
    send_control(talk, 2, get_device_18, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, USBIP_STATUS_EINVAL, 0);
    expect_ret(talk, 2, 0, 18);
}

// ---- Data toggles ----

static void loop_once(struct talk *talk, uint32_t seqnum)
{
    send_out(talk, seqnum, "x", 1);
    send_in(talk, seqnum + 1, 1, 64);
    run_ms(talk, 1);
    expect_ret(talk, seqnum, 0, 1);
    expect_in(talk, seqnum + 1, "x", 1);
}

static void toggles__start_again_with_each_configuration(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    loop_once(talk, 10); // now both sides are at DATA1
    send_control(talk, 20, set_configuration_1, NULL);
    run_ms(talk, 0);
    expect_ret(talk, 20, 0, 0);

    loop_once(talk, 30);
}

static void toggles__start_again_when_a_halt_is_cleared(void **state)
{
    struct talk *talk = *state;
    static const uint8_t clear_out[] = {0x02, 0x01, 0, 0, 0x01, 0, 0, 0};
    static const uint8_t clear_in[] = {0x02, 0x01, 0, 0, 0x81, 0, 0, 0};

    configure(talk);
    loop_once(talk, 10);
    send_control(talk, 20, clear_out, NULL);
    send_control(talk, 21, clear_in, NULL);
    run_ms(talk, 0);
    expect_ret(talk, 20, 0, 0);
    expect_ret(talk, 21, 0, 0);

    loop_once(talk, 30);
}

static void toggles__start_again_with_each_alternate(void **state)
{
    struct talk *talk = *state;
    static const uint8_t set_alternate_1[] = {0x01, 0x0B, 1, 0, 1, 0, 0, 0};

    configure(talk);
    for (uint8_t round = 0; round < 3; round++) {
        send_control(talk, 10, set_alternate_1, NULL);
        run_ms(talk, 0);
        expect_ret(talk, 10, 0, 0);
        send_in(talk, 12, 3, 64);
        run_ms(talk, 1);

        expect_in(talk, 12, &round, 1);
    }
}

// ---- UNLINK ----

static void unlink__of_a_pending_transfer_is_its_only_answer(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 2, 8);
    run_ms(talk, 5);
    send_unlink(talk, 3, 2);
    talk->toy.event = true;
    run_ms(talk, 5);

    expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    expect_silence(talk);
    assert_true(talk->toy.event); // nobody asked the endpoint any more
}

static void unlink__of_a_finished_transfer_says_0(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    talk->toy.event = true;
    send_in(talk, 2, 2, 8);
    run_ms(talk, 5);
    send_unlink(talk, 3, 2);

    expect_in(talk, 2, "\xEE", 1);
    expect_unlinked(talk, 3, 0);
    expect_silence(talk);
}

static void unlink__of_what_never_was_or_is_gone_says_0(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 2, 8);
    send_unlink(talk, 3, 2);
    send_unlink(talk, 4, 2);
    send_unlink(talk, 5, 999);

    expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    expect_unlinked(talk, 4, 0);
    expect_unlinked(talk, 5, 0);
    expect_silence(talk);
}

static void unlink__frees_endpoint_0_from_a_request_that_hangs(void **state)
{
    struct talk *talk = *state;

    import(talk);
    send_vendor(talk, 1, TOY_HANG);
    send_control(talk, 2, get_device_18, NULL);
    run_ms(talk, 50);
    expect_silence(talk);
    send_unlink(talk, 3, 1);
    run_ms(talk, 1);

    expect_unlinked(talk, 3, USBIP_STATUS_ECONNRESET);
    expect_ret(talk, 2, 0, 18);
}

// ---- Reset ----

static void reset__is_inferred_from_the_first_read_of_an_enumeration(void **state)
{
    struct talk *talk = *state;
    uint8_t descriptor[18];
    unsigned resets;

    configure(talk);
    resets = talk->toy.resets;
    send_control(talk, 2, get_device_64, NULL);
    run_ms(talk, 0);
    expect_ret(talk, 2, 0, 18);
    expect_bytes(talk, descriptor, 18);
    assert_true(talk->toy.resets > resets);
    assert_int_equal(talk->toy.bConfigurationValue, 0);

    resets = talk->toy.resets;
    send_control(talk, 3, get_device_8, NULL);
    run_ms(talk, 0);
    expect_ret(talk, 3, 0, 8);
    assert_true(talk->toy.resets > resets);
}

static void reset__is_not_inferred_from_anything_else(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get_configuration_64[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 64, 0};
    static const uint8_t get_device_63[] = {0x80, 0x06, 0x00, 0x01, 0, 0, 63, 0};
    unsigned resets;

    configure(talk);
    resets = talk->toy.resets;
    send_control(talk, 2, get_device_18, NULL);
    send_control(talk, 3, get_configuration_64, NULL);
    send_control(talk, 4, get_device_63, NULL);
    run_ms(talk, 0);

    assert_int_equal(talk->toy.resets, resets);
    assert_int_equal(talk->toy.bConfigurationValue, 1);
}

static void reset__on_request_ends_what_is_pending(void **state)
{
    struct talk *talk = *state;
    unsigned resets;

    configure(talk);
    resets = talk->toy.resets;
    send_in(talk, 2, 2, 8);
    send_control(talk, 3, port_reset, NULL);

    expect_ret(talk, 2, USBIP_STATUS_ESHUTDOWN, 0);
    expect_ret(talk, 3, 0, 0);
    assert_true(talk->toy.resets > resets);
    assert_false(usbip_session_over(talk->session));
}

static void reset__that_changes_the_device_keeps_the_connection(void **state)
{
    struct talk *talk = *state;
    uint8_t descriptor[18];

    import(talk);
    send_vendor(talk, 1, TOY_ARM);
    send_control(talk, 2, get_device_64, NULL);
    run_ms(talk, 0);

    expect_ret(talk, 1, 0, 0);
    expect_ret(talk, 2, 0, 18);
    expect_bytes(talk, descriptor, sizeof descriptor);
    assert_int_equal(load_le16(descriptor + 10), TOY_PRODUCT_AFTER_RESET);
    assert_false(usbip_session_over(talk->session));
    assert_int_equal(usbip_device_record(talk->device)->idProduct, TOY_PRODUCT_AFTER_RESET);
}

// ---- Leaving ----

static void leave__answers_first_then_ends(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 2, 8);
    send_vendor(talk, 3, TOY_LEAVE);
    run_ms(talk, 5);

    expect_ret(talk, 3, 0, 0);
    expect_ret(talk, 2, USBIP_STATUS_ESHUTDOWN, 0);
    expect_silence(talk);
    assert_true(usbip_session_over(talk->session));
    assert_null(usbip_session_trouble(talk->session));
}

static void leave__device_can_be_imported_once_it_is_back(void **state)
{
    struct talk *talk = *state;

    import(talk);
    send_vendor(talk, 1, TOY_LEAVE);
    run_ms(talk, 5);
    begin_again(talk);
    assert_int_equal(import_status(talk, "1-1"), USBIP_OP_NO_DEVICE);
    assert_true(usbip_device_needs_time(talk->device));
    run_ms(talk, 200); // 20 ms away, 100 ms of debouncing

    assert_int_equal(usbip_device_availability(talk->device), USBIP_OP_OK);
    assert_int_equal(usbip_device_record(talk->device)->devnum, 3); // another arrival
}

static void leave__in_the_middle_of_a_reset_ends_the_session(void **state)
{
    struct talk *talk = *state;

    import(talk);
    send_vendor(talk, 1, TOY_VANISH);
    send_control(talk, 2, port_reset, NULL);

    expect_ret(talk, 1, 0, 0);
    expect_ret(talk, 2, USBIP_STATUS_ENODEV, 0);
    assert_true(usbip_session_over(talk->session));
}

// ---- Peers that misbehave ----

static void chunks__of_any_size_say_the_same(void **state)
{
    struct talk *talk = *state;
    static const uint8_t keep[] = {USB_TYPE_VENDOR, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    static const uint8_t give[] = {USB_TYPE_VENDOR | USB_DIR_IN, TOY_KEEP, 0, 0, 0, 0, 70, 0};
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    struct usbip_command out = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 1, .devid = DEVID, .length = 70};
    struct usbip_command in = {
        .code = USBIP_CMD_SUBMIT, .seqnum = 2, .devid = DEVID, .length = 70, .in = true};
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
            send_bytes(talk, script + at, at + chunk < sizeof script ? chunk : sizeof script - at);
        run_ms(talk, 0);

        expect_bytes(talk, answer, sizeof answer);
        expect_ret(talk, 1, 0, 70);
        expect_in(talk, 2, data, 70);
        expect_silence(talk);
        begin_again(talk);
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
        {0x08, DEVID + 1, "a command for a device that was not imported"},
        {0x0C, 2, "a direction that is neither OUT nor IN"},
        {0x10, 0x81, "an endpoint number above 15"},
        {0x18, 0xFFFFFFFF, "a transfer length that is negative or above 1 MiB"},
        {0x18, USBIP_MAX_LENGTH + 1, "a transfer length that is negative or above 1 MiB"},
        {0x20, 0x7FFFFFFF, "too many isochronous packets"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE];

        import(talk);
        usbip_command_encode(
            bytes,
            &(struct usbip_command){
                .code = USBIP_CMD_SUBMIT, .seqnum = 1, .devid = DEVID, .in = true, .length = 18});
        store_be32(bytes + cases[i].offset, cases[i].value);
        usbip_session_receive(talk->session, bytes, sizeof bytes);

        assert_true(usbip_session_over(talk->session));
        assert_string_equal(usbip_session_trouble(talk->session), cases[i].reason);
        assert_int_equal(usbip_session_receive(talk->session, bytes, sizeof bytes), 0);
        begin_again(talk);
    }
}

static void stranger__is_turned_away_at_its_first_bytes(void **state)
{
    struct talk *talk = *state;

    usbip_session_receive(talk->session, (const uint8_t *)"GET", 3);

    assert_true(usbip_session_over(talk->session));
    assert_string_equal(usbip_session_trouble(talk->session), "not USB/IP version 1.1.1");
    expect_silence(talk);
}

static void seqnum__in_use_cannot_be_used_again(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    send_in(talk, 2, 2, 8);
    send_in(talk, 2, 2, 8);

    assert_true(usbip_session_over(talk->session));
    assert_string_equal(usbip_session_trouble(talk->session),
                        "a sequence number that is still in use");
}

static void flood__of_submissions_is_refused_beyond_the_limit(void **state)
{
    struct talk *talk = *state;

    configure(talk);
    for (uint32_t i = 0; i < USBIP_SESSION_MAX_URBS + 10; i++)
        send_in(talk, 100 + i, 2, 8);
    run_ms(talk, 2);

    for (uint32_t i = 0; i < 10; i++)
        expect_ret(talk, 100 + USBIP_SESSION_MAX_URBS + i, USBIP_STATUS_ENOMEM, 0);
    expect_silence(talk);
    send_unlink(talk, 1000, 100);
    expect_unlinked(talk, 1000, USBIP_STATUS_ECONNRESET);
}

static void flood__of_bytes_is_refused_beyond_the_limit(void **state)
{
    struct talk *talk = *state;
    uint32_t fit = USBIP_SESSION_MAX_BYTES / USBIP_MAX_LENGTH;

    configure(talk);
    for (uint32_t i = 0; i <= fit; i++)
        send_in(talk, 100 + i, 2, USBIP_MAX_LENGTH);

    expect_ret(talk, 100 + fit, USBIP_STATUS_ENOMEM, 0);
    expect_silence(talk);
}

static void slow_reader__is_not_read_until_it_reads(void **state)
{
    struct talk *talk = *state;
    static const uint8_t get[] = {0x80, 0x06, 0x00, 0x02, 0, 0, 0xFF, 0};
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT, .devid = DEVID, .in = true, .length = 255};
    uint8_t bytes[USBIP_HEADER_SIZE];
    size_t length = 0;
    uint32_t sent = 0;

    memcpy(command.setup, get, sizeof get);
    import(talk);
    while (usbip_session_wants(talk->session) && sent < 100000) {
        command.seqnum = ++sent;
        usbip_command_encode(bytes, &command);
        send_bytes(talk, bytes, sizeof bytes);
        run_ms(talk, 0);
    }

    usbip_session_output(talk->session, &length);
    assert_true(length >= USBIP_SESSION_MAX_OUTPUT);
    assert_true(length < USBIP_SESSION_MAX_OUTPUT + 1000);
    assert_int_equal(usbip_session_receive(talk->session, bytes, sizeof bytes), 0);
    for (uint32_t i = 1; i <= sent; i++)
        expect_in(talk, i, toy_configuration, sizeof toy_configuration);
    assert_true(usbip_session_wants(talk->session));
    expect_silence(talk);
}

static void wall_clock__is_followed_but_never_waited_for(void **state)
{
    struct talk *talk = *state;
    uint64_t before;

    import(talk);
    run_ms(talk, 0);
    before = usbip_device_now_ns(talk->device);
    run_ms(talk, 30);
    assert_int_equal(usbip_device_now_ns(talk->device) - before, 30 * SIM_MS);

    before = usbip_device_now_ns(talk->device);
    send_control(talk, 1, get_device_18, NULL);
    run_ms(talk, 0); // no wall time passes
    expect_ret(talk, 1, 0, 18);
    assert_true(usbip_device_now_ns(talk->device) > before);
}

static void hanging_request__is_paced_by_the_wall_clock(void **state)
{
    struct talk *talk = *state;
    uint64_t before;

    import(talk);
    send_vendor(talk, 1, TOY_HANG);
    run_ms(talk, 10);
    before = usbip_device_now_ns(talk->device);
    run_ms(talk, 100);

    assert_in_range(usbip_device_now_ns(talk->device) - before, 100 * SIM_MS, 102 * SIM_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, plug, unplug)

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
        TEST(reset__is_inferred_from_the_first_read_of_an_enumeration),
        TEST(reset__is_not_inferred_from_anything_else),
        TEST(reset__on_request_ends_what_is_pending),
        TEST(reset__that_changes_the_device_keeps_the_connection),
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
