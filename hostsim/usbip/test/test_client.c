// SPDX-License-Identifier: MIT
//
// The client against the real server with a toy device, and against servers that mean no good.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "toy_device.h"
#include <usb/bytes.h>
#include <usbip/client.h>

enum { TIMEOUT_MS = 5000 }; // of what is expected to succeed

static const struct usbdev_setup_packet get_device = {
    .bmRequestType = 0x80, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue = 0x0100, .wLength = 18};
static const struct usbdev_setup_packet set_configuration = {.bRequest = USBDEV_SET_CONFIGURATION,
                                                             .wValue = 1};

static struct usbdev_setup_packet vendor(uint8_t request)
{
    return (struct usbdev_setup_packet){.bmRequestType = USBDEV_TYPE_VENDOR, .bRequest = request};
}

// ---- The real server ----

struct pair {
    struct forked_server server;
    struct usbip_client *client;
};

static int open_pair(void **state)
{
    static struct pair pair;
    char error[200];

    forked_server_start(&pair.server);
    pair.client =
        usbip_client_open("127.0.0.1", pair.server.port, NULL, TIMEOUT_MS, error, sizeof error);
    assert_non_null(pair.client);
    *state = &pair;
    return 0;
}

static int close_pair(void **state)
{
    struct pair *pair = *state;

    usbip_client_close(pair->client);
    forked_server_stop(&pair->server);
    return 0;
}

static void open__takes_the_first_device_and_knows_it(void **state)
{
    struct pair *pair = *state;

    const struct usbip_record *record = usbip_client_record(pair->client);

    assert_string_equal(record->bus_id, "1-1");
    assert_int_equal(record->idVendor, TOY_VENDOR);
    assert_int_equal(record->idProduct, TOY_PRODUCT);
}

static void open__says_why_not(void **state)
{
    struct pair *pair = *state;
    char error[200];

    assert_null(
        usbip_client_open("127.0.0.1", pair->server.port, "1-1", 1000, error, sizeof error));
    assert_non_null(strstr(error, "in use"));
    assert_null(usbip_client_open("127.0.0.1", pair->server.port, NULL, 1000, error, sizeof error));
    assert_non_null(strstr(error, "no device"));
    assert_null(
        usbip_client_open("127.0.0.1", pair->server.port, "9-9", 1000, error, sizeof error));
    assert_non_null(strstr(error, "9-9"));
    assert_null(usbip_client_open("127.0.0.1", "1", NULL, 1000, error, sizeof error));
    assert_non_null(strstr(error, "cannot connect to 127.0.0.1:1"));
}

static void control__moves_data_both_ways(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet out = vendor(TOY_KEEP);
    struct usbdev_setup_packet in = vendor(TOY_KEEP);
    uint8_t sent[200];
    uint8_t received[300];

    memset(sent, 0xA5, sizeof sent);
    out.wLength = sizeof sent;
    in.bmRequestType |= USBDEV_DIR_IN;
    in.wLength = sizeof received;
    int out_length = usbip_client_control(pair->client, &out, sent, TIMEOUT_MS);
    int in_length = usbip_client_control(pair->client, &in, received, TIMEOUT_MS);

    assert_int_equal(out_length, sizeof sent);
    assert_int_equal(in_length, sizeof sent);
    assert_memory_equal(received, sent, sizeof sent);
}

static void control__stall_is_told_and_the_next_request_works(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet unknown = vendor(0x77);
    uint8_t descriptor[18];

    assert_int_equal(usbip_client_control(pair->client, &unknown, NULL, TIMEOUT_MS), USB_STALL);
    assert_int_equal(usbip_client_control(pair->client, &get_device, descriptor, TIMEOUT_MS), 18);
}

static void control__babble_is_overflow(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet babble = vendor(TOY_BABBLE);
    uint8_t data[10];

    babble.bmRequestType |= USBDEV_DIR_IN;
    babble.wLength = sizeof data;

    assert_int_equal(usbip_client_control(pair->client, &babble, data, TIMEOUT_MS), USB_OVERFLOW);
}

static void control__timeout_takes_the_transfer_back(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet hang = vendor(TOY_HANG);
    uint8_t descriptor[18];

    assert_int_equal(usbip_client_control(pair->client, &hang, NULL, 20), USB_TIMEOUT);

    assert_int_equal(usbip_client_control(pair->client, &get_device, descriptor, TIMEOUT_MS), 18);
    assert_null(usbip_client_violation(pair->client));
}

static void transfer__goes_around(void **state)
{
    struct pair *pair = *state;
    uint8_t data[64] = "there and back";

    usbip_client_control(pair->client, &set_configuration, NULL, TIMEOUT_MS);
    int sent = usbip_client_transfer(pair->client, 0x01, data, 14, TIMEOUT_MS);
    memset(data, 0, sizeof data);
    int received = usbip_client_transfer(pair->client, 0x81, data, sizeof data, TIMEOUT_MS);

    assert_int_equal(sent, 14);
    assert_int_equal(received, 14);
    assert_memory_equal(data, "there and back", 14);
}

static void transfer__of_a_silent_endpoint_times_out(void **state)
{
    struct pair *pair = *state;
    uint8_t data[8];

    usbip_client_control(pair->client, &set_configuration, NULL, TIMEOUT_MS);

    assert_int_equal(usbip_client_transfer(pair->client, 0x82, data, sizeof data, 20), USB_TIMEOUT);
}

static void reset__may_find_another_device_on_the_same_connection(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet arm = vendor(TOY_ARM);
    uint8_t descriptor[18];

    usbip_client_control(pair->client, &arm, NULL, TIMEOUT_MS);
    int result = usbip_client_reset(pair->client, TIMEOUT_MS);
    usbip_client_control(pair->client, &get_device, descriptor, TIMEOUT_MS);

    assert_int_equal(result, 0);
    assert_int_equal(usbdev_load_le16(descriptor + 10), TOY_PRODUCT_AFTER_RESET);
}

static void leave__is_seen_and_the_device_is_found_again(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet leave = vendor(TOY_LEAVE);
    uint8_t descriptor[18];

    assert_int_equal(usbip_client_wait_leave(pair->client, 10), USB_TIMEOUT);
    assert_int_equal(usbip_client_control(pair->client, &leave, NULL, TIMEOUT_MS), 0);
    assert_int_equal(usbip_client_wait_leave(pair->client, TIMEOUT_MS), 0);
    assert_int_equal(usbip_client_control(pair->client, &get_device, descriptor, TIMEOUT_MS),
                     USB_GONE);
    assert_int_equal(usbip_client_reopen(pair->client, TIMEOUT_MS), 0);

    assert_int_equal(usbip_client_control(pair->client, &get_device, descriptor, TIMEOUT_MS), 18);
}

static void leave__for_good_ends_the_search_in_time(void **state)
{
    struct pair *pair = *state;
    struct usbdev_setup_packet vanish = vendor(TOY_VANISH);

    usbip_client_control(pair->client, &vanish, NULL, TIMEOUT_MS);
    usbip_client_wait_leave(pair->client, TIMEOUT_MS);

    assert_int_equal(usbip_client_reopen(pair->client, 30), USB_TIMEOUT);
}

static void server__that_dies_is_a_device_that_has_gone(void **state)
{
    (void)state;
    struct forked_server server;
    uint8_t descriptor[18];
    char error[200];

    forked_server_start(&server);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, "1-1", TIMEOUT_MS, error, sizeof error);
    forked_server_kill(&server);
    int result = usbip_client_control(client, &get_device, descriptor, TIMEOUT_MS);

    assert_int_equal(result, USB_GONE);
    usbip_client_close(client);
}

// ---- A server whose device is off the bus for a moment ----

// The list is empty, then it has the device, which is imported then.
static void serve_late_device(int listener)
{
    const struct usbip_record record = {.bus_id = "1-1", .busnum = 1, .devnum = 2};
    uint8_t empty[USBIP_DEVLIST_SIZE];
    uint8_t listed[USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE];
    uint8_t imported[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    const struct forked_script answers[] = {
        {USBIP_OP_SIZE, empty, sizeof empty},
        {USBIP_OP_SIZE, listed, sizeof listed},
        {USBIP_IMPORT_SIZE, imported, sizeof imported},
    };

    usbip_op_encode(empty, USBIP_REP_DEVLIST, USBIP_OP_OK);
    usbip_count_encode(empty + USBIP_OP_SIZE, 0);
    usbip_op_encode(listed, USBIP_REP_DEVLIST, USBIP_OP_OK);
    usbip_count_encode(listed + USBIP_OP_SIZE, 1);
    usbip_record_encode(listed + USBIP_DEVLIST_SIZE, &record);
    usbip_op_encode(imported, USBIP_REP_IMPORT, USBIP_OP_OK);
    usbip_record_encode(imported + USBIP_OP_SIZE, &record);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint8_t request[USBIP_IMPORT_SIZE];
        int fd = accept(listener, NULL, NULL);

        recv(fd, request, answers[i].asked, MSG_WAITALL);
        send(fd, answers[i].bytes, answers[i].length, MSG_NOSIGNAL);
    }
    pause();
}

static void open__waits_for_a_device_that_is_not_listed_yet(void **state)
{
    (void)state;
    struct forked_server server;
    char error[200] = "";

    forked_server_start_own(&server, serve_late_device);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, NULL, TIMEOUT_MS, error, sizeof error);

    assert_string_equal(error, "");
    assert_string_equal(usbip_client_record(client)->bus_id, "1-1");
    usbip_client_close(client);
    forked_server_kill(&server);
}

// ---- Servers that mean no good ----

static const uint8_t import_ok[USBIP_OP_SIZE + USBIP_RECORD_SIZE] = {
    0x01, 0x11, 0x00, 0x03, 0, 0, 0, 0, [8 + 256] = '1', '-', '1', [8 + 291] = 1, [8 + 295] = 2};

// What a server says to GET_DESCRIPTOR(DEVICE) of 18 bytes, seqnum 1.
struct forged_reply {
    uint8_t bytes[2 * USBIP_HEADER_SIZE + 32];
    size_t length;
};

static struct forged_reply
reply_with(uint32_t code, uint32_t seqnum, uint32_t status, uint32_t actual)
{
    struct forged_reply forged = {.length = USBIP_HEADER_SIZE + 18};

    store_be32(forged.bytes, code);
    store_be32(forged.bytes + 4, seqnum);
    store_be32(forged.bytes + 0x14, status);
    store_be32(forged.bytes + 0x18, actual);
    return forged;
}

static void assert_detects(struct forged_reply forged, const char *violation)
{
    const struct forked_script scripts[] = {
        {USBIP_IMPORT_SIZE, import_ok, sizeof import_ok},
        {USBIP_HEADER_SIZE, forged.bytes, forged.length},
    };
    struct forked_server server;
    uint8_t guarded[18 + 8];
    char error[200];

    memset(guarded, 0x55, sizeof guarded);
    forked_server_start_script(&server, scripts, 2);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, "1-1", TIMEOUT_MS, error, sizeof error);
    assert_non_null(client);
    int result = usbip_client_control(client, &get_device, guarded, TIMEOUT_MS);

    assert_int_equal(result, USB_IO);
    assert_non_null(usbip_client_violation(client));
    if (!strstr(usbip_client_violation(client), violation))
        fail_msg("expected '%s' in: %s", violation, usbip_client_violation(client));
    for (size_t i = 18; i < sizeof guarded; i++)
        assert_int_equal(guarded[i], 0x55);
    assert_int_equal(usbip_client_control(client, &get_device, guarded, TIMEOUT_MS), USB_IO);
    usbip_client_close(client);
    forked_server_kill(&server);
}

static void hostile_reply__never_reaches_the_caller(void **state)
{
    (void)state;

    assert_detects(reply_with(USBIP_RET_SUBMIT, 1, 0, 19), "19 bytes transferred of 18");
    assert_detects(reply_with(USBIP_RET_SUBMIT, 1, 0, 0xFFFFFFFF), "transfer length");
    assert_detects(reply_with(USBIP_RET_SUBMIT, 2, 0, 18), "transfer 2");
    assert_detects(reply_with(USBIP_RET_UNLINK, 1, 0, 0), "UNLINK that was not sent");
    assert_detects(reply_with(7, 1, 0, 0), "unknown command");
    assert_detects(reply_with(USBIP_CMD_SUBMIT, 1, 0, 0), "unknown command");
}

static int
control_with_script(const struct forked_script *scripts, size_t count, unsigned timeout_ms)
{
    struct forked_server server;
    uint8_t data[18];
    char error[200];

    forked_server_start_script(&server, scripts, count);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, "1-1", TIMEOUT_MS, error, sizeof error);
    assert_non_null(client);
    int result = usbip_client_control(client, &get_device, data, timeout_ms);
    usbip_client_close(client);
    forked_server_kill(&server);
    return result;
}

static void late_reply__counts_if_it_comes_before_the_unlink_is_answered(void **state)
{
    (void)state;
    struct forged_reply late = reply_with(USBIP_RET_SUBMIT, 1, 0, 18);
    uint8_t *unlink_reply = late.bytes + late.length;
    const struct forked_script scripts[] = {
        {USBIP_IMPORT_SIZE, import_ok, sizeof import_ok},
        {2 * USBIP_HEADER_SIZE, late.bytes, late.length + USBIP_HEADER_SIZE},
    };

    store_be32(unlink_reply, USBIP_RET_UNLINK);
    store_be32(unlink_reply + 4, 2);

    assert_int_equal(control_with_script(scripts, 2, 20), 18);
}

static void unlink__answered_done_without_the_reply_breaks_the_connection(void **state)
{
    (void)state;
    struct forged_reply done = reply_with(USBIP_RET_UNLINK, 2, 0, 0);
    const struct forked_script scripts[] = {
        {USBIP_IMPORT_SIZE, import_ok, sizeof import_ok},
        {2 * USBIP_HEADER_SIZE, done.bytes, USBIP_HEADER_SIZE},
    };

    assert_int_equal(control_with_script(scripts, 2, 20), USB_IO);
}

static void mute_server__is_waited_for_no_longer_than_said(void **state)
{
    (void)state;
    const struct forked_script half_an_import[] = {{USBIP_IMPORT_SIZE, import_ok, 100}};
    struct forked_server server;
    char error[200];

    forked_server_start_script(&server, half_an_import, 1);
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, "1-1", 50, error, sizeof error);

    assert_null(client);
    assert_non_null(strstr(error, "does not answer"));
    forked_server_kill(&server);
}

static void open__refuses_what_is_no_usbip_server(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        const char *said;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", "not USB/IP version 1.1.1"},
        {"\x01\x11\x00\x05\0\0\0\0", "malformed reply"}, // a list, when asked for a device
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct forked_script script = {USBIP_IMPORT_SIZE, (const uint8_t *)cases[i].bytes,
                                             USBIP_OP_SIZE};
        struct forked_server server;
        char error[200];

        forked_server_start_script(&server, &script, 1);
        assert_null(
            usbip_client_open("127.0.0.1", server.port, "1-1", TIMEOUT_MS, error, sizeof error));

        assert_non_null(strstr(error, cases[i].said));
        forked_server_kill(&server);
    }
}

static void open__refuses_a_list_that_is_malformed(void **state)
{
    (void)state;
    static const struct {
        uint32_t status, count;
        uint8_t path; // each byte of it: 0 is an empty one, another is a path without its NUL
        size_t size;
        const char *said;
    } cases[] = {
        {USBIP_OP_OK, 1, 'x', USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE, "malformed device record"},
        {USBIP_OP_OK, USBIP_MAX_LIST + 1, 0, USBIP_DEVLIST_SIZE, "malformed device list"},
        {USBIP_OP_ERROR, 0, 0, USBIP_DEVLIST_SIZE, "exports no device"},
        {USBIP_OP_ERROR, 0, 0, USBIP_OP_SIZE, "exports no device"}, // the header alone
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[USBIP_DEVLIST_SIZE + USBIP_RECORD_SIZE] = {0};
        const struct forked_script script = {USBIP_OP_SIZE, bytes, cases[i].size};
        struct forked_server server;
        char error[200];

        usbip_op_encode(bytes, USBIP_REP_DEVLIST, cases[i].status);
        usbip_count_encode(bytes + USBIP_OP_SIZE, cases[i].count);
        memset(bytes + USBIP_DEVLIST_SIZE, cases[i].path, USBIP_PATH_SIZE);
        forked_server_start_script(&server, &script, 1);
        assert_null(
            usbip_client_open("127.0.0.1", server.port, NULL, TIMEOUT_MS, error, sizeof error));

        assert_non_null(strstr(error, cases[i].said));
        forked_server_kill(&server);
    }
}

#define WITH_SERVER(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(open__takes_the_first_device_and_knows_it),
        WITH_SERVER(open__says_why_not),
        WITH_SERVER(control__moves_data_both_ways),
        WITH_SERVER(control__stall_is_told_and_the_next_request_works),
        WITH_SERVER(control__babble_is_overflow),
        WITH_SERVER(control__timeout_takes_the_transfer_back),
        WITH_SERVER(transfer__goes_around),
        WITH_SERVER(transfer__of_a_silent_endpoint_times_out),
        WITH_SERVER(reset__may_find_another_device_on_the_same_connection),
        WITH_SERVER(leave__is_seen_and_the_device_is_found_again),
        WITH_SERVER(leave__for_good_ends_the_search_in_time),
        cmocka_unit_test(server__that_dies_is_a_device_that_has_gone),
        cmocka_unit_test(open__waits_for_a_device_that_is_not_listed_yet),
        cmocka_unit_test(hostile_reply__never_reaches_the_caller),
        cmocka_unit_test(late_reply__counts_if_it_comes_before_the_unlink_is_answered),
        cmocka_unit_test(unlink__answered_done_without_the_reply_breaks_the_connection),
        cmocka_unit_test(mute_server__is_waited_for_no_longer_than_said),
        cmocka_unit_test(open__refuses_what_is_no_usbip_server),
        cmocka_unit_test(open__refuses_a_list_that_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
