// SPDX-License-Identifier: MIT
//
// Every wait has a deadline. A transfer that misses its own is cancelled by UNLINK, and the server
// has five more seconds to report its result: cancelled (-104), or complete (0, and then the reply
// to the transfer itself comes first). If the server does neither, or sends anything else that does
// not fit, the stream is out of step: the connection is closed.
//
// Nothing is allocated for what a server sends: data goes into the caller's buffer, and a reply
// longer than that is refused by its header.

#include <usbip/client.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream.h"
#include <usbip/remote.h>

enum {
    GRACE_MS = 5000,
    RETRY_MS = 5, // between attempts to import a device that is away
};

struct usbip_client {
    struct usbip_remote remote;
    int fd; // -1: no connection
    uint32_t seqnum;
    char violation[160];

    // The header being received; it survives a deadline.
    uint8_t head[USBIP_HEADER_SIZE];
    size_t head_length;
};

// A transfer under way.
struct exchange {
    const struct usbip_command *command;
    uint8_t *data;
    bool answered;
    int result;
};

// ---- Opening and closing ----

struct usbip_client *usbip_client_open(const char *host,
                                       const char *port,
                                       const char *bus_id,
                                       unsigned timeout_ms,
                                       char *error,
                                       size_t error_size)
{
    uint64_t deadline_ms = stream_now_ms() + timeout_ms;
    struct usbip_client *client = calloc(1, sizeof *client);
    struct usbip_remote *remote;

    if (!client) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    remote = &client->remote;
    snprintf(remote->host, sizeof remote->host, "%s", host);
    snprintf(remote->port, sizeof remote->port, "%s", port);
    snprintf(remote->bus_id, sizeof remote->bus_id, "%s", bus_id ? bus_id : "");
    client->fd = -1;
    if (bus_id || usbip_remote_choose(remote, deadline_ms, error, error_size) == 0)
        client->fd = usbip_remote_import(remote, deadline_ms, error, error_size);
    if (client->fd >= 0)
        return client;
    free(client);
    return NULL;
}

static void hang_up(struct usbip_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->head_length = 0;
}

void usbip_client_close(struct usbip_client *client)
{
    if (!client)
        return;
    hang_up(client);
    free(client);
}

const struct usbip_record *usbip_client_record(const struct usbip_client *client)
{
    return &client->remote.record;
}

const char *usbip_client_violation(const struct usbip_client *client)
{
    return *client->violation ? client->violation : NULL;
}

// ---- Transfers ----

// The stream is out of step.
__attribute__((format(printf, 2, 3))) static int
give_up(struct usbip_client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(client->violation, sizeof client->violation, format, arguments);
    va_end(arguments);
    hang_up(client);
    return USB_IO;
}

static int lost(struct usbip_client *client)
{
    hang_up(client);
    return USB_GONE;
}

static int result_of(const struct usbip_reply *reply)
{
    switch (reply->status) {
    case USBIP_STATUS_OK:
        return (int)reply->actual_length;
    case USBIP_STATUS_EPIPE:
        return USB_STALL;
    case USBIP_STATUS_EOVERFLOW:
        return USB_OVERFLOW;
    case USBIP_STATUS_ENODEV:
    case USBIP_STATUS_ESHUTDOWN:
        return USB_GONE;
    default:
        return USB_IO;
    }
}

static int send_command(struct usbip_client *client,
                        const struct usbip_command *command,
                        uint8_t *data,
                        uint64_t deadline_ms)
{
    uint8_t head[USBIP_HEADER_SIZE];
    struct iovec parts[] = {{head, sizeof head}, {data, usbip_command_payload(command)}};
    int result;

    usbip_command_encode(head, command);
    result = stream_send(client->fd, parts, parts[1].iov_len > 0 ? 2 : 1, deadline_ms);
    if (result == STREAM_LATE)
        return give_up(client, "the server does not read its connection");
    return result == STREAM_CLOSED ? lost(client) : 0;
}

// Waits for the next header. STREAM_LATE leaves the connection as it is.
static int
receive_reply(struct usbip_client *client, struct usbip_reply *ret_reply, uint64_t deadline_ms)
{
    int result = stream_receive(client->fd, client->head, &client->head_length, sizeof client->head,
                                deadline_ms);

    if (result < 0)
        return result;
    client->head_length = 0;
    return usbip_reply_decode(ret_reply, client->head, sizeof client->head);
}

static int
take_answer(struct usbip_client *client, struct exchange *exchange, const struct usbip_reply *reply)
{
    const struct usbip_command *command = exchange->command;
    int result = 0;

    if (reply->seqnum != command->seqnum || exchange->answered)
        return give_up(client, "the server answered transfer %u, which is not pending",
                       reply->seqnum);
    if (reply->actual_length > command->length)
        return give_up(client, "the server reports %u bytes transferred of %u",
                       reply->actual_length, command->length);
    if (command->in)
        result = stream_receive_all(client->fd, exchange->data, reply->actual_length,
                                    stream_now_ms() + GRACE_MS);
    if (result == STREAM_LATE)
        return give_up(client, "the server did not send the data of its reply");
    if (result == STREAM_CLOSED)
        return lost(client);
    exchange->answered = true;
    exchange->result = result_of(reply);
    return 0;
}

static int wait_for_unlink(struct usbip_client *client, struct exchange *exchange, uint32_t seqnum)
{
    uint64_t deadline_ms = stream_now_ms() + GRACE_MS;
    struct usbip_reply reply;

    for (;;) {
        int result = receive_reply(client, &reply, deadline_ms);

        if (result == STREAM_LATE)
            return give_up(client, "the server did not answer an UNLINK");
        if (result == STREAM_CLOSED)
            return lost(client);
        if (result < 0)
            return give_up(client, "the server sent %s", usbip_error_text(result));
        if (reply.code == USBIP_RET_UNLINK)
            break;
        result = take_answer(client, exchange, &reply);
        if (result < 0)
            return result;
    }
    if (reply.seqnum != seqnum)
        return give_up(client, "the server answered UNLINK %u, which is not pending", reply.seqnum);
    if (exchange->answered)
        return exchange->result;
    if (reply.status == 0)
        return give_up(
            client, "the server reports that a transfer completed, but sent no RET_SUBMIT for it");
    return USB_TIMEOUT;
}

static int take_back(struct usbip_client *client, struct exchange *exchange)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK,
        .seqnum = ++client->seqnum,
        .devid = exchange->command->devid,
        .unlinked = exchange->command->seqnum,
    };
    int result = send_command(client, &command, NULL, stream_now_ms() + GRACE_MS);

    return result < 0 ? result : wait_for_unlink(client, exchange, command.seqnum);
}

static int submit(struct usbip_client *client,
                  struct usbip_command *command,
                  uint8_t *data,
                  unsigned timeout_ms)
{
    struct exchange exchange = {.command = command, .data = data};
    uint64_t deadline_ms = stream_now_ms() + timeout_ms;
    struct usbip_reply reply;
    int result;

    if (client->fd < 0)
        return *client->violation ? USB_IO : USB_GONE;
    command->code = USBIP_CMD_SUBMIT;
    command->seqnum = ++client->seqnum;
    command->devid = client->remote.record.busnum << 16 | client->remote.record.devnum;
    command->flags = command->in ? USBIP_DIR_IN : 0;
    result = send_command(client, command, data, deadline_ms + GRACE_MS);
    if (result < 0)
        return result;
    result = receive_reply(client, &reply, deadline_ms);
    if (result == STREAM_LATE)
        return take_back(client, &exchange);
    if (result == STREAM_CLOSED)
        return lost(client);
    if (result < 0)
        return give_up(client, "the server sent %s", usbip_error_text(result));
    if (reply.code != USBIP_RET_SUBMIT)
        return give_up(client, "the server answered an UNLINK that was not sent");
    result = take_answer(client, &exchange, &reply);
    return result < 0 ? result : exchange.result;
}

int usbip_client_control(struct usbip_client *client,
                         const struct usbdev_setup_packet *setup,
                         uint8_t *data,
                         unsigned timeout_ms)
{
    struct usbip_command command = {
        .in = (setup->bmRequestType & USBDEV_DIR_IN) != 0,
        .length = setup->wLength,
    };

    usbdev_setup_store(command.setup, setup);
    return submit(client, &command, data, timeout_ms);
}

int usbip_client_transfer(struct usbip_client *client,
                          uint8_t bEndpointAddress,
                          uint8_t *data,
                          size_t length,
                          unsigned timeout_ms)
{
    struct usbip_command command = {
        .in = (bEndpointAddress & USBDEV_DIR_IN) != 0,
        .endpoint = bEndpointAddress & 0x0F,
        .length = length < USBIP_MAX_LENGTH ? (uint32_t)length : USBIP_MAX_LENGTH,
    };

    return submit(client, &command, data, timeout_ms);
}

int usbip_client_reset(struct usbip_client *client, unsigned timeout_ms)
{
    const struct usbdev_setup_packet port_reset = {
        .bmRequestType = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_OTHER,
        .bRequest = USBDEV_SET_FEATURE,
        .wValue = 4, // PORT_RESET, USB 2.0 table 11-17
        .wIndex = 1,
    };

    return usbip_client_control(client, &port_reset, NULL, timeout_ms);
}

// ---- Leaving and coming back ----

int usbip_client_wait_leave(struct usbip_client *client, unsigned timeout_ms)
{
    uint8_t byte;
    int result;

    if (client->fd < 0)
        return 0;
    result = stream_wait(client->fd, POLLIN, stream_now_ms() + timeout_ms);
    if (result == STREAM_LATE)
        return USB_TIMEOUT;
    if (result == 0 && recv(client->fd, &byte, 1, 0) > 0)
        return give_up(client, "the server sent a message that answers no request");
    hang_up(client);
    return 0;
}

int usbip_client_reopen(struct usbip_client *client, unsigned timeout_ms)
{
    uint64_t deadline_ms = stream_now_ms() + timeout_ms;
    char error[200];

    while (client->fd < 0) {
        client->fd = usbip_remote_import(&client->remote, deadline_ms, error, sizeof error);
        if (client->fd < 0 && stream_now_ms() >= deadline_ms)
            return USB_TIMEOUT;
        if (client->fd < 0)
            poll(NULL, 0, RETRY_MS);
    }
    *client->violation = '\0';
    return 0;
}

int usbip_client_list(struct usbip_client *client, struct usbip_list *ret_list, unsigned timeout_ms)
{
    char error[200];
    int result = usbip_remote_list(&client->remote, ret_list, stream_now_ms() + timeout_ms, error,
                                   sizeof error);

    return result < 0 ? USB_IO : 0;
}

void usbip_client_release(struct usbip_client *client)
{
    hang_up(client);
}

void usbip_client_follow(struct usbip_client *client, const char *bus_id)
{
    snprintf(client->remote.bus_id, sizeof client->remote.bus_id, "%s", bus_id);
}
