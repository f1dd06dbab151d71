// SPDX-License-Identifier: MIT
//
// Malicious peers, over real sockets: every field of a message out of its range, messages that end
// anywhere, replies to no command.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "raw_client.h"
#include <usb/bytes.h>

static const uint8_t get_device[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0};

// ---- Fields ----

struct field {
    size_t offset;
    uint32_t value;
    int32_t status; // of the reply; ENDS: the connection ends
};

enum { ENDS = 1 };

static void each_field_of_an_operation__ends_its_connection_alone(void **state)
{
    static const struct field fields[] = {
        {0, 0x01108003, ENDS},      // version 1.1.0
        {0, 0x11018003, ENDS},      // version and code of the other endianness
        {0, 0x01110003, ENDS},      // a reply
        {0, 0x01118004, ENDS},      // a code that there is not
        {0, 0xFFFFFFFF, ENDS},      //
        {4, 1, ENDS},               // a request with a status
        {4, 0x80000000, ENDS},      //
        {8, 0x2F2E2E2F, ENDS},      // "/../", and no NUL: below
        {8, 0, USBIP_OP_NO_DEVICE}, // an empty bus id
    };
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t bytes[USBIP_IMPORT_SIZE] = {0x01, 0x11, 0x80, 0x03, 0, 0, 0, 0, '1', '-', '1'};
        int fd = forked_server_connect(&server);

        if (fields[i].value == 0x2F2E2E2F)
            memset(bytes + 8, 'x', USBIP_BUS_ID_SIZE);
        store_be32(bytes + fields[i].offset, fields[i].value);
        assert_int_equal(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
        if (fields[i].status != ENDS)
            assert_int_equal(raw_expect_import(fd), fields[i].status);
        raw_expect_end(fd);
        close(fd);
        int other = forked_server_connect(&server);
        raw_list(other);
        raw_expect_list(other);
        close(other);
    }
    forked_server_stop(&server);
}

// What does not contradict the format is refused by a status and the connection goes on.
static void each_field_of_a_command__ends_its_connection_or_fails_its_request(void **state)
{
    static const struct field fields[] = {
        {0x00, 0, ENDS},
        {0x00, USBIP_RET_SUBMIT, ENDS},
        {0x00, USBIP_RET_UNLINK, ENDS},
        {0x00, 0x01000000, ENDS}, // the other endianness
        {0x00, 0xFFFFFFFF, ENDS},
        {0x08, RAW_DEVID + 1, ENDS},
        {0x08, 0, ENDS},
        {0x0C, 2, ENDS},
        {0x0C, 0xFFFFFFFF, ENDS},
        {0x10, 16, ENDS},
        {0x10, 0x80, ENDS},
        {0x10, 0xFFFFFFFF, ENDS},
        {0x10, 15, USBIP_STATUS_EPROTO}, // an endpoint that there is not
        {0x18, 0x80000000, ENDS},
        {0x18, 0xFFFFFFFF, ENDS},
        {0x18, USBIP_MAX_LENGTH + 1, ENDS},
        {0x18, USBIP_MAX_LENGTH, USBIP_STATUS_EINVAL}, // and wLength 18
        {0x18, 0, USBIP_STATUS_EINVAL},
        {0x20, 0x7FFFFFFF, ENDS},
        {0x20, 0x80000000, ENDS},
        {0x20, USBIP_MAX_ISO_PACKETS + 1, ENDS},
        {0x14, 0xFFFFFFFF, USBIP_STATUS_OK}, // flags, start_frame, interval: not for control
        {0x1C, 0xFFFFFFFF, USBIP_STATUS_OK},
        {0x20, 0xFFFFFFFF, USBIP_STATUS_OK}, // number_of_packets as the documentation has it
        {0x24, 0xFFFFFFFF, USBIP_STATUS_OK},
        {0x28, 0x00050500, USBIP_STATUS_EINVAL}, // SET_ADDRESS with data, against its direction
    };
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE];
        struct usbip_reply reply;
        int fd = raw_import(&server);

        raw_encode(bytes, 1, get_device);
        store_be32(bytes + fields[i].offset, fields[i].value);
        assert_int_equal(send(fd, bytes, sizeof bytes, MSG_NOSIGNAL), sizeof bytes);
        if (fields[i].status == ENDS) {
            raw_expect_end(fd);
        } else {
            raw_receive(fd, bytes, sizeof bytes);
            assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), sizeof bytes);
            if (reply.status != fields[i].status)
                fail_msg("%02zxh %08x: expected status %d, received %d", fields[i].offset,
                         fields[i].value, fields[i].status, reply.status);
            raw_receive(fd, bytes, reply.actual_length);
            raw_get_device(fd, 2);
            raw_expect_device(fd, 2);
            shutdown(fd, SHUT_WR);
            raw_expect_end(fd);
        }
        close(fd);
    }
    forked_server_stop(&server);
}

// ---- Ends ----

// By a FIN, or by the RST that a close() with unread input or without lingering sends.
static void hang_up(int fd, bool reset)
{
    const struct linger linger = {.l_onoff = reset};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

static void wait_until_free(const struct forked_server *server)
{
    for (unsigned attempt = 0;; attempt++) {
        int fd = forked_server_connect(server);

        raw_send_import(fd);
        uint32_t status = raw_expect_import(fd);
        if (status == USBIP_OP_OK) {
            shutdown(fd, SHUT_WR);
            raw_expect_end(fd);
        }
        close(fd);
        if (status == USBIP_OP_OK)
            return;
        assert_in_range(attempt, 0, 1000);
    }
}

// An import, a list of strings that are never read, and an UNLINK, cut at every byte.
static void conversation__that_ends_anywhere_leaves_nothing(void **state)
{
    static const uint8_t get_strings[] = {0x80, USBDEV_GET_DESCRIPTOR, 0, 2, 0, 0, 255, 0};
    const struct usbip_request import = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    const struct usbip_command unlink_first = {
        .code = USBIP_CMD_UNLINK, .seqnum = 3, .devid = RAW_DEVID, .unlinked = 1};
    uint8_t script[USBIP_IMPORT_SIZE + 3 * USBIP_HEADER_SIZE];
    struct forked_server server;
    (void)state;

    size_t length = usbip_request_encode(script, &import);
    length += raw_encode(script + length, 1, get_strings);
    length += raw_encode(script + length, 2, get_strings);
    usbip_command_encode(script + length, &unlink_first);
    forked_server_start(&server);
    wait_until_free(&server);
    size_t descriptors = forked_server_descriptors(&server);

    for (size_t end = 0; end <= sizeof script; end++) {
        for (unsigned how = 0; how < 2; how++) {
            int fd = forked_server_connect(&server);

            if (end > 0)
                assert_int_equal(send(fd, script, end, MSG_NOSIGNAL), end);
            hang_up(fd, how > 0);
        }
    }

    wait_until_free(&server);
    for (unsigned i = 0; i < 200 && forked_server_descriptors(&server) > descriptors; i++)
        usleep(20000);
    assert_int_equal(forked_server_descriptors(&server), descriptors);
    forked_server_stop(&server);
}

// UNLINK of a sequence number that is not in use cancels nothing.
static void unlinks__of_what_is_not_pending_are_answered_each(void **state)
{
    enum { STORM = 3000 };
    struct forked_server server;
    (void)state;

    forked_server_start(&server);
    int fd = raw_import(&server);
    for (uint32_t i = 0; i < STORM; i++) {
        const struct usbip_command command = {
            .code = USBIP_CMD_UNLINK,
            .seqnum = i % 2 ? i : 0xFFFFFFFF, // the same one again and again
            .devid = RAW_DEVID,
            .unlinked = i * 0x01000193,
        };
        uint8_t bytes[USBIP_HEADER_SIZE];

        usbip_command_encode(bytes, &command);
        assert_int_equal(send(fd, bytes, sizeof bytes, 0), sizeof bytes);
    }
    for (uint32_t i = 0; i < STORM; i++) {
        uint8_t bytes[USBIP_HEADER_SIZE];
        struct usbip_reply reply;

        raw_receive(fd, bytes, sizeof bytes);
        usbip_reply_decode(&reply, bytes, sizeof bytes);
        assert_int_equal(reply.code, USBIP_RET_UNLINK);
        assert_int_equal(reply.status, 0);
    }
    raw_get_device(fd, 5);
    raw_expect_device(fd, 5);
    close(fd);
    forked_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_an_operation__ends_its_connection_alone),
        cmocka_unit_test(each_field_of_a_command__ends_its_connection_or_fails_its_request),
        cmocka_unit_test(conversation__that_ends_anywhere_leaves_nothing),
        cmocka_unit_test(unlinks__of_what_is_not_pending_are_answered_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
