// SPDX-License-Identifier: MIT

#include "talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t set_configuration_1[] = {0x00, 0x09, 1, 0, 0, 0, 0, 0};

// ---- Talking ----

void talk_run_ms(struct talk *talk, unsigned ms)
{
    for (unsigned i = 0; i <= ms; i++) {
        while (usbip_device_run(talk->device, talk->wall_ns))
            ;
        talk->wall_ns += i < ms ? SIM_MS : 0;
    }
}

void talk_send_bytes(struct talk *talk, const uint8_t *bytes, size_t length)
{
    assert_int_equal(usbip_session_receive(talk->session, bytes, length), length);
}

void talk_send_submit(struct talk *talk, struct usbip_command command, const void *data)
{
    uint8_t bytes[USBIP_HEADER_SIZE];

    command.code = USBIP_CMD_SUBMIT;
    command.devid = TALK_DEVID;
    usbip_command_encode(bytes, &command);
    talk_send_bytes(talk, bytes, sizeof bytes);
    if (!command.in && command.length > 0)
        talk_send_bytes(talk, data, command.length);
}

void talk_send_control(struct talk *talk,
                       uint32_t seqnum,
                       const uint8_t setup[USBDEV_SETUP_SIZE],
                       void *data)
{
    struct usbip_command command = {.seqnum = seqnum,
                                    .in = (setup[0] & USBDEV_DIR_IN) != 0,
                                    .length = usbdev_load_le16(setup + 6)};

    memcpy(command.setup, setup, USBDEV_SETUP_SIZE);
    talk_send_submit(talk, command, data);
}

void talk_send_vendor(struct talk *talk, uint32_t seqnum, uint8_t request)
{
    const uint8_t setup[] = {USBDEV_TYPE_VENDOR, request, 0, 0, 0, 0, 0, 0};

    talk_send_control(talk, seqnum, setup, NULL);
}

void talk_send_in(struct talk *talk, uint32_t seqnum, uint8_t endpoint, uint32_t length)
{
    talk_send_submit(talk,
                     (struct usbip_command){
                         .seqnum = seqnum, .in = true, .endpoint = endpoint, .length = length},
                     NULL);
}

void talk_send_out(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length)
{
    talk_send_submit(
        talk, (struct usbip_command){.seqnum = seqnum, .endpoint = 1, .length = length}, data);
}

void talk_send_unlink(struct talk *talk, uint32_t seqnum, uint32_t unlinked)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK, .seqnum = seqnum, .devid = TALK_DEVID, .unlinked = unlinked};
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &command);
    talk_send_bytes(talk, bytes, sizeof bytes);
}

// Takes the next length bytes that the session says.
void talk_expect_bytes(struct talk *talk, uint8_t *ret_bytes, size_t length)
{
    size_t available;
    const uint8_t *bytes = usbip_session_output(talk->session, &available);

    if (available < length)
        fail_msg("expected %zu bytes, %zu came", length, available);
    memcpy(ret_bytes, bytes, length);
    usbip_session_sent(talk->session, length);
}

void talk_expect_silence(const struct talk *talk)
{
    size_t length;

    usbip_session_output(talk->session, &length);
    assert_int_equal(length, 0);
}

struct usbip_reply talk_next_reply(struct talk *talk)
{
    uint8_t bytes[USBIP_HEADER_SIZE];
    struct usbip_reply reply;

    talk_expect_bytes(talk, bytes, sizeof bytes);
    assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), sizeof bytes);
    return reply;
}

void talk_expect_ret(struct talk *talk, uint32_t seqnum, int32_t status, uint32_t actual)
{
    struct usbip_reply reply = talk_next_reply(talk);

    assert_int_equal(reply.code, USBIP_RET_SUBMIT);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.actual_length, actual);
}

void talk_expect_in(struct talk *talk, uint32_t seqnum, const void *data, uint32_t length)
{
    uint8_t bytes[4096];

    talk_expect_ret(talk, seqnum, 0, length);
    talk_expect_bytes(talk, bytes, length);
    assert_memory_equal(bytes, data, length);
}

void talk_expect_unlinked(struct talk *talk, uint32_t seqnum, int32_t status)
{
    struct usbip_reply reply = talk_next_reply(talk);

    assert_int_equal(reply.code, USBIP_RET_UNLINK);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
}

// ---- Beginning and end ----

int talk_plug(void **state)
{
    struct talk *talk = calloc(1, sizeof *talk);

    talk->wall_ns = 1;
    talk->device = usbip_device_open(toy_init(&talk->toy), 1, NULL, NULL);
    talk->session = usbip_session_open(&talk->device, 1);
    *state = talk;
    return 0;
}

int talk_unplug(void **state)
{
    struct talk *talk = *state;

    usbip_session_close(talk->session);
    usbip_device_close(talk->device);
    free(talk);
    return 0;
}

void talk_import(struct talk *talk)
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    uint8_t bytes[USBIP_IMPORT_SIZE];
    uint8_t answer[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    uint32_t status = 99;

    talk_send_bytes(talk, bytes, usbip_request_encode(bytes, &request));
    talk_expect_bytes(talk, answer, sizeof answer);
    usbip_op_decode(USBIP_REP_IMPORT, &status, answer, sizeof answer);
    assert_int_equal(status, USBIP_OP_OK);
}

void talk_configure(struct talk *talk)
{
    talk_import(talk);
    talk_send_control(talk, 1, set_configuration_1, NULL);
    talk_run_ms(talk, 0);
    talk_expect_ret(talk, 1, 0, 0);
}

void talk_begin_again(struct talk *talk)
{
    usbip_session_close(talk->session);
    talk->session = usbip_session_open(&talk->device, 1);
}

uint32_t talk_import_status(struct talk *talk, const char *bus_id)
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
