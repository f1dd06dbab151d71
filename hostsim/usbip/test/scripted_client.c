// SPDX-License-Identifier: MIT

#include "scripted_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t set_configuration_1[] = {0x00, 0x09, 1, 0, 0, 0, 0, 0};

// ---- Talking ----

void client_run_ms(struct scripted_client *client, unsigned ms)
{
    for (unsigned i = 0; i <= ms; i++) {
        while (usbip_device_catch_up(client->device, client->wall_ns))
            ;
        while (usbip_device_run(client->device))
            ;
        client->wall_ns += i < ms ? SIM_MS : 0;
    }
}

void client_send_bytes(struct scripted_client *client, const uint8_t *bytes, size_t length)
{
    size_t taken;

    for (size_t sent = 0; sent < length; sent += taken) { // the rest is offered again
        taken = usbip_session_receive(client->session, bytes + sent, length - sent);
        assert_in_range(taken, 1, length - sent);
    }
}

void client_send_submit(struct scripted_client *client,
                        struct usbip_command command,
                        const void *data)
{
    uint8_t bytes[USBIP_HEADER_SIZE];

    command.code = USBIP_CMD_SUBMIT;
    command.devid = CLIENT_DEVID;
    usbip_command_encode(bytes, &command);
    client_send_bytes(client, bytes, sizeof bytes);
    if (!command.in && command.length > 0)
        client_send_bytes(client, data, command.length);
}

void client_send_control(struct scripted_client *client,
                         uint32_t seqnum,
                         const uint8_t setup[USBDEV_SETUP_SIZE],
                         void *data)
{
    struct usbip_command command = {.seqnum = seqnum,
                                    .in = (setup[0] & USBDEV_DIR_IN) != 0,
                                    .length = usbdev_load_le16(setup + 6)};

    memcpy(command.setup, setup, USBDEV_SETUP_SIZE);
    client_send_submit(client, command, data);
}

void client_send_vendor(struct scripted_client *client, uint32_t seqnum, uint8_t request)
{
    const uint8_t setup[] = {USBDEV_TYPE_VENDOR, request, 0, 0, 0, 0, 0, 0};

    client_send_control(client, seqnum, setup, NULL);
}

void client_send_in(struct scripted_client *client,
                    uint32_t seqnum,
                    uint8_t endpoint,
                    uint32_t length)
{
    client_send_submit(client,
                       (struct usbip_command){
                           .seqnum = seqnum, .in = true, .endpoint = endpoint, .length = length},
                       NULL);
}

void client_send_out(struct scripted_client *client,
                     uint32_t seqnum,
                     const void *data,
                     uint32_t length)
{
    client_send_submit(
        client, (struct usbip_command){.seqnum = seqnum, .endpoint = 1, .length = length}, data);
}

void client_send_unlink(struct scripted_client *client, uint32_t seqnum, uint32_t unlinked)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK, .seqnum = seqnum, .devid = CLIENT_DEVID, .unlinked = unlinked};
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &command);
    client_send_bytes(client, bytes, sizeof bytes);
}

// Takes the next length bytes that the session says.
void client_expect_bytes(struct scripted_client *client, uint8_t *ret_bytes, size_t length)
{
    size_t available;
    const uint8_t *bytes = usbip_session_output(client->session, &available);

    if (available < length)
        fail_msg("expected %zu bytes, %zu came", length, available);
    memcpy(ret_bytes, bytes, length);
    usbip_session_sent(client->session, length);
}

void client_expect_silence(const struct scripted_client *client)
{
    size_t length;

    usbip_session_output(client->session, &length);
    assert_int_equal(length, 0);
}

struct usbip_reply client_next_reply(struct scripted_client *client)
{
    uint8_t bytes[USBIP_HEADER_SIZE];
    struct usbip_reply reply;

    client_expect_bytes(client, bytes, sizeof bytes);
    assert_int_equal(usbip_reply_decode(&reply, bytes, sizeof bytes), sizeof bytes);
    return reply;
}

void client_expect_ret(struct scripted_client *client,
                       uint32_t seqnum,
                       int32_t status,
                       uint32_t actual)
{
    struct usbip_reply reply = client_next_reply(client);

    assert_int_equal(reply.code, USBIP_RET_SUBMIT);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
    assert_int_equal(reply.actual_length, actual);
}

void client_expect_in(struct scripted_client *client,
                      uint32_t seqnum,
                      const void *data,
                      uint32_t length)
{
    uint8_t bytes[4096];

    client_expect_ret(client, seqnum, 0, length);
    client_expect_bytes(client, bytes, length);
    assert_memory_equal(bytes, data, length);
}

void client_expect_unlinked(struct scripted_client *client, uint32_t seqnum, int32_t status)
{
    struct usbip_reply reply = client_next_reply(client);

    assert_int_equal(reply.code, USBIP_RET_UNLINK);
    assert_int_equal(reply.seqnum, seqnum);
    assert_int_equal(reply.status, status);
}

static void hear(void *context, const struct usbip_device *device, const char *text)
{
    struct scripted_client *client = context;

    (void)device;
    snprintf(client->note, sizeof client->note, "%s", text);
    client->notes++;
}

// ---- Beginning and end ----

int client_plug(void **state)
{
    static const struct usbip_observer observer = {.note = hear};
    struct scripted_client *client = calloc(1, sizeof *client);

    client->wall_ns = 1;
    client->device = usbip_device_open(toy_init(&client->toy), 1, &observer, client);
    client->session = usbip_session_open(&client->device, 1);
    *state = client;
    return 0;
}

int client_unplug(void **state)
{
    struct scripted_client *client = *state;

    usbip_session_close(client->session);
    usbip_device_close(client->device);
    free(client);
    return 0;
}

void client_import(struct scripted_client *client)
{
    const struct usbip_request request = {.op = USBIP_REQ_IMPORT, .bus_id = "1-1"};
    uint8_t bytes[USBIP_IMPORT_SIZE];
    uint8_t answer[USBIP_OP_SIZE + USBIP_RECORD_SIZE];
    uint32_t status = 99;

    client_send_bytes(client, bytes, usbip_request_encode(bytes, &request));
    client_expect_bytes(client, answer, sizeof answer);
    usbip_op_decode(USBIP_REP_IMPORT, &status, answer, sizeof answer);
    assert_int_equal(status, USBIP_OP_OK);
}

void client_configure(struct scripted_client *client)
{
    client_import(client);
    client_send_control(client, 1, set_configuration_1, NULL);
    client_run_ms(client, 0);
    client_expect_ret(client, 1, 0, 0);
}

void client_begin_again(struct scripted_client *client)
{
    usbip_session_close(client->session);
    client->session = usbip_session_open(&client->device, 1);
}

uint32_t client_import_status(struct scripted_client *client, const char *bus_id)
{
    struct usbip_session *session = usbip_session_open(&client->device, 1);
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
