// SPDX-License-Identifier: MIT

#include "raw_client.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "toy_device.h"

static const uint8_t get_device[] = {
    USBDEV_DIR_IN, USBDEV_GET_DESCRIPTOR, 0, USBDEV_DT_DEVICE, 0, 0, 18, 0};

size_t raw_encode(uint8_t *bytes, uint32_t seqnum, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT,
        .seqnum = seqnum,
        .devid = RAW_DEVID,
        .in = (setup[0] & USBDEV_DIR_IN) != 0,
        .length = usbdev_load_le16(setup + 6),
    };

    memcpy(command.setup, setup, USBDEV_SETUP_SIZE);
    usbip_command_encode(bytes, &command);
    return USBIP_HEADER_SIZE;
}

// Returns the bytes that came, 0 at the end of the stream.
static size_t receive_some(int fd, void *bytes, size_t length)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ssize_t received;

    if (poll(&readable, 1, RAW_WAIT_MS) != 1)
        fail_msg("nothing came for %d ms", RAW_WAIT_MS);
    received = recv(fd, bytes, length, 0);
    return received > 0 ? (size_t)received : 0;
}

void raw_receive(int fd, void *bytes, size_t length)
{
    for (size_t received = 0; received < length;) {
        size_t more = receive_some(fd, (uint8_t *)bytes + received, length - received);

        if (more == 0)
            fail_msg("expected %zu bytes, %zu came before the end", length, received);
        received += more;
    }
}

void raw_expect_end(int fd)
{
    uint8_t bytes[4096];

    while (receive_some(fd, bytes, sizeof bytes) > 0)
        ;
}

static void send_bytes(int fd, const void *bytes, size_t length)
{
    assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
}

void raw_send_import(int fd)
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    uint8_t bytes[USBIP_IMPORT_SIZE];

    send_bytes(fd, bytes, usbip_request_encode(bytes, &request));
}

uint32_t raw_expect_import(int fd)
{
    uint8_t bytes[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    uint32_t status = 99;

    raw_receive(fd, bytes, USBIP_OP_SIZE);
    assert_int_equal(usbip_op_decode(USBIP_REP_IMPORT, &status, bytes, USBIP_OP_SIZE),
                     USBIP_OP_SIZE);
    if (status == USBIP_OP_OK)
        raw_receive(fd, bytes, USBIP_RECORD_SIZE);
    return status;
}

int raw_import(const struct forked_server *server)
{
    int fd = forked_server_connect(server);

    raw_send_import(fd);
    assert_int_equal(raw_expect_import(fd), USBIP_OP_OK);
    return fd;
}

void raw_list(int fd)
{
    const struct usbip_request request = {.op = USBIP_REQ_DEVLIST};
    uint8_t bytes[USBIP_IMPORT_SIZE];

    send_bytes(fd, bytes, usbip_request_encode(bytes, &request));
}

void raw_expect_list(int fd)
{
    uint8_t bytes[USBIP_DEVLIST_SIZE];
    uint32_t status = 99;

    raw_receive(fd, bytes, sizeof bytes);
    assert_int_equal(usbip_op_decode(USBIP_REP_DEVLIST, &status, bytes, sizeof bytes),
                     USBIP_OP_SIZE);
    assert_int_equal(status, USBIP_OP_OK);
}

void raw_get_device(int fd, uint32_t seqnum)
{
    uint8_t bytes[USBIP_HEADER_SIZE];

    send_bytes(fd, bytes, raw_encode(bytes, seqnum, get_device));
}

void raw_expect_device(int fd, uint32_t seqnum)
{
    uint8_t bytes[USBIP_HEADER_SIZE + 18];
    struct usbip_reply reply;

    raw_receive(fd, bytes, sizeof bytes);
    assert_int_equal(usbip_reply_decode(&reply, bytes, USBIP_HEADER_SIZE), USBIP_HEADER_SIZE);
    assert_int_equal(reply.code, USBIP_RET_SUBMIT);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, USBIP_STATUS_OK);
    assert_int_equal(usbdev_load_le16(bytes + USBIP_HEADER_SIZE + 8), TOY_VENDOR);
}
