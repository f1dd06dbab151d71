// SPDX-License-Identifier: MIT
//
// Every wait has a deadline. A transfer that misses its own is taken back by UNLINK, and the server
// gets a grace of a second to say what has become of it: cancelled (-104), or done after all (0,
// and then the reply to the transfer itself comes first). A server that does neither, or anything
// else that does not fit, has lost its place in the stream: the connection is closed.
//
// Nothing is allocated for what a server sends: data goes into the caller's buffer, and a reply
// longer than that is refused by its header.

#include "usbip_client.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    GRACE_MS = 1000,
    RETRY_MS = 5, // between attempts to import a device that is away
};

struct usbip_client {
    char host[256];
    char port[16];
    char bus_id[USBIP_BUS_ID_SIZE];
    int fd; // -1: no connection
    struct usbip_record record;
    uint32_t seqnum;
    char trouble[160];

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

// What a wait on the connection can end with, beside 0 and enum usbip_error.
enum {
    LATE = -1000,   // the deadline has passed
    CLOSED = -1001, // by the server
};

const char *usbip_client_error_text(int error)
{
    switch ((enum usbip_client_error)error) {
    case USBIP_CLIENT_STALL:
        return "STALL";
    case USBIP_CLIENT_TIMEOUT:
        return "timeout";
    case USBIP_CLIENT_GONE:
        return "the device has left the bus";
    case USBIP_CLIENT_OVERFLOW:
        return "more data than was asked for";
    case USBIP_CLIENT_IO:
        return "no valid answer";
    }
    return "unknown error";
}

// ---- Time ----

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int wait_for(int fd, short events, uint64_t deadline_ms)
{
    for (;;) {
        uint64_t now = now_ms();
        uint64_t left = deadline_ms > now ? deadline_ms - now : 0;
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int result = poll(&poll_fd, 1, left < 60000 ? (int)left : 60000);

        if (result > 0)
            return 0;
        if (result == 0 && now_ms() >= deadline_ms)
            return LATE;
        if (result < 0 && errno != EINTR)
            return CLOSED;
    }
}

// ---- Bytes ----

static int send_all(int fd, struct iovec *parts, size_t count, uint64_t deadline_ms)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    while (message.msg_iovlen > 0) {
        ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        int result = 0;

        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return CLOSED;
        if (sent < 0)
            result = wait_for(fd, POLLOUT, deadline_ms);
        if (result < 0)
            return result;
        for (size_t left = sent > 0 ? (size_t)sent : 0; message.msg_iovlen > 0;) {
            struct iovec *part = message.msg_iov;
            size_t taken = left < part->iov_len ? left : part->iov_len;

            part->iov_base = (uint8_t *)part->iov_base + taken;
            part->iov_len -= taken;
            left -= taken;
            if (part->iov_len > 0)
                break;
            message.msg_iov++;
            message.msg_iovlen--;
        }
    }
    return 0;
}

// *length counts what has come; the rest can be asked for later.
static int receive(int fd, uint8_t *bytes, size_t *length, size_t size, uint64_t deadline_ms)
{
    while (*length < size) {
        ssize_t received = recv(fd, bytes + *length, size - *length, 0);
        int result = 0;

        if (received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR))
            return CLOSED;
        if (received > 0)
            *length += (size_t)received;
        else
            result = wait_for(fd, POLLIN, deadline_ms);
        if (result < 0)
            return result;
    }
    return 0;
}

static int receive_all(int fd, uint8_t *bytes, size_t size, uint64_t deadline_ms)
{
    size_t length = 0;

    return receive(fd, bytes, &length, size, deadline_ms);
}

// ---- Connecting ----

static int connect_to(const struct addrinfo *address, uint64_t deadline_ms)
{
    static const int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;
    socklen_t size = sizeof error;

    if (fd < 0)
        return -errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        error = errno;
        if (error == EINPROGRESS && wait_for(fd, POLLOUT, deadline_ms) == LATE)
            error = ETIMEDOUT;
        else if (error == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            error = errno;
    }
    if (error) {
        close(fd);
        return -error;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

// Returns a socket or a negative errno.
static int dial(const struct usbip_client *client, uint64_t deadline_ms)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int fd = -EADDRNOTAVAIL;

    if (getaddrinfo(client->host, client->port, &hints, &addresses) != 0)
        return fd;
    for (struct addrinfo *it = addresses; it && fd < 0; it = it->ai_next)
        fd = connect_to(it, deadline_ms);
    freeaddrinfo(addresses);
    return fd;
}

// ---- Operations ----

// What became of one. Everything but OP_DONE comes with a line for a person.
enum op_result {
    OP_DONE,
    OP_NOT_NOW, // the device may come yet
    OP_NEVER,
};

struct complaint {
    char *text;
    size_t size;
};

__attribute__((format(printf, 3, 4))) static enum op_result
complain(const struct complaint *complaint, enum op_result result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(complaint->text, complaint->size, format, arguments);
    va_end(arguments);
    return result;
}

static enum op_result complain_of_silence(const struct usbip_client *client,
                                          int waited,
                                          const struct complaint *complaint)
{
    return complain(complaint, OP_NEVER, "%s:%s %s: is it a USB/IP server?", client->host,
                    client->port, waited == LATE ? "does not answer" : "closed the connection");
}

// Sends a request and receives the head of the reply.
static enum op_result ask(const struct usbip_client *client,
                          int fd,
                          const struct usbip_request *request,
                          uint32_t *ret_status,
                          uint64_t deadline_ms,
                          const struct complaint *complaint)
{
    enum usbip_op expected = request->op == USBIP_REQ_IMPORT ? USBIP_REP_IMPORT : USBIP_REP_DEVLIST;
    uint8_t bytes[USBIP_IMPORT_SIZE];
    struct iovec part = {bytes, usbip_request_encode(bytes, request)};
    int result = send_all(fd, &part, 1, deadline_ms);

    if (result == 0)
        result = receive_all(fd, bytes, USBIP_OP_SIZE, deadline_ms);
    if (result < 0)
        return complain_of_silence(client, result, complaint);
    result = usbip_op_decode(expected, ret_status, bytes, USBIP_OP_SIZE);
    if (result < 0)
        return complain(complaint, OP_NEVER, "%s:%s sent a reply that is no answer: %s",
                        client->host, client->port, usbip_error_text(result));
    return OP_DONE;
}

static enum op_result receive_record(const struct usbip_client *client,
                                     int fd,
                                     struct usbip_record *ret_record,
                                     uint64_t deadline_ms,
                                     const struct complaint *complaint)
{
    uint8_t bytes[USBIP_RECORD_SIZE];
    int result = receive_all(fd, bytes, sizeof bytes, deadline_ms);

    if (result < 0)
        return complain_of_silence(client, result, complaint);
    result = usbip_record_decode(ret_record, bytes, sizeof bytes);
    if (result < 0)
        return complain(complaint, OP_NEVER, "%s:%s described its device wrongly: %s", client->host,
                        client->port, usbip_error_text(result));
    return OP_DONE;
}

static enum op_result
import(struct usbip_client *client, int fd, uint64_t deadline_ms, const struct complaint *complaint)
{
    struct usbip_request request = {.op = USBIP_REQ_IMPORT};
    uint32_t status = USBIP_OP_ERROR;
    enum op_result result;

    memcpy(request.bus_id, client->bus_id, sizeof request.bus_id);
    result = ask(client, fd, &request, &status, deadline_ms, complaint);
    if (result != OP_DONE)
        return result;
    if (status != USBIP_OP_OK)
        return complain(complaint, OP_NOT_NOW, "%s:%s does not give device %s away: %s",
                        client->host, client->port, client->bus_id,
                        status == USBIP_OP_BUSY ? "it is in use"
                                                : "there is none; see usbip list -r");
    return receive_record(client, fd, &client->record, deadline_ms, complaint);
}

// The bus id of the first device of the server's list. The rest of the list is not read.
static enum op_result choose_first(struct usbip_client *client,
                                   int fd,
                                   uint64_t deadline_ms,
                                   const struct complaint *complaint)
{
    const struct usbip_request request = {.op = USBIP_REQ_DEVLIST};
    struct usbip_record record;
    uint32_t status = USBIP_OP_ERROR;
    uint32_t count = 0;
    uint8_t bytes[4];
    enum op_result result = ask(client, fd, &request, &status, deadline_ms, complaint);
    int waited;

    if (result != OP_DONE)
        return result;
    waited = receive_all(fd, bytes, sizeof bytes, deadline_ms);
    if (waited < 0)
        return complain_of_silence(client, waited, complaint);
    if (usbip_count_decode(&count, bytes, sizeof bytes) < 0 || count == 0)
        return complain(complaint, OP_NOT_NOW, "%s:%s has no device to give away", client->host,
                        client->port);
    result = receive_record(client, fd, &record, deadline_ms, complaint);
    if (result == OP_DONE)
        memcpy(client->bus_id, record.bus_id, sizeof client->bus_id);
    return result;
}

typedef enum op_result operation_function(struct usbip_client *client,
                                          int fd,
                                          uint64_t deadline_ms,
                                          const struct complaint *complaint);

// Carries an operation out on a connection of its own. *ret_fd NULL: it is closed afterwards.
static enum op_result call(struct usbip_client *client,
                           operation_function *operation,
                           int *ret_fd,
                           uint64_t deadline_ms,
                           const struct complaint *complaint)
{
    int fd = dial(client, deadline_ms);
    enum op_result result;

    if (fd < 0)
        return complain(complaint, OP_NOT_NOW,
                        "cannot connect to %s:%s: %s; is a USB/IP server (dfu-sim serve) running?",
                        client->host, client->port, strerror(-fd));
    result = operation(client, fd, deadline_ms, complaint);
    if (result == OP_DONE && ret_fd)
        *ret_fd = fd;
    else
        close(fd);
    return result;
}

struct usbip_client *usbip_client_open(const char *host,
                                       const char *port,
                                       const char *bus_id,
                                       unsigned timeout_ms,
                                       char *error,
                                       size_t error_size)
{
    const struct complaint complaint = {error, error_size};
    uint64_t deadline_ms = now_ms() + timeout_ms;
    struct usbip_client *client = calloc(1, sizeof *client);
    enum op_result result = OP_DONE;

    if (!client) {
        complain(&complaint, OP_NEVER, "out of memory");
        return NULL;
    }
    snprintf(client->host, sizeof client->host, "%s", host);
    snprintf(client->port, sizeof client->port, "%s", port);
    snprintf(client->bus_id, sizeof client->bus_id, "%s", bus_id ? bus_id : "");
    client->fd = -1;
    if (!bus_id)
        result = call(client, choose_first, NULL, deadline_ms, &complaint);
    if (result == OP_DONE)
        result = call(client, import, &client->fd, deadline_ms, &complaint);
    if (result != OP_DONE) {
        free(client);
        return NULL;
    }
    return client;
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
    return &client->record;
}

const char *usbip_client_trouble(const struct usbip_client *client)
{
    return *client->trouble ? client->trouble : NULL;
}

// ---- Transfers ----

// The server has lost its place in the stream, and so have we.
__attribute__((format(printf, 2, 3))) static int
give_up(struct usbip_client *client, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(client->trouble, sizeof client->trouble, format, arguments);
    va_end(arguments);
    hang_up(client);
    return USBIP_CLIENT_IO;
}

static int lost(struct usbip_client *client)
{
    hang_up(client);
    return USBIP_CLIENT_GONE;
}

static int result_of(const struct usbip_reply *reply)
{
    switch (reply->status) {
    case USBIP_STATUS_OK:
        return (int)reply->actual_length;
    case USBIP_STATUS_EPIPE:
        return USBIP_CLIENT_STALL;
    case USBIP_STATUS_EOVERFLOW:
        return USBIP_CLIENT_OVERFLOW;
    case USBIP_STATUS_ENODEV:
    case USBIP_STATUS_ESHUTDOWN:
        return USBIP_CLIENT_GONE;
    default:
        return USBIP_CLIENT_IO;
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
    result = send_all(client->fd, parts, parts[1].iov_len > 0 ? 2 : 1, deadline_ms);
    if (result == LATE)
        return give_up(client, "the server does not read what it is sent");
    return result == CLOSED ? lost(client) : 0;
}

// Waits for the next header. LATE leaves the connection as it is.
static int
receive_reply(struct usbip_client *client, struct usbip_reply *ret_reply, uint64_t deadline_ms)
{
    int result =
        receive(client->fd, client->head, &client->head_length, sizeof client->head, deadline_ms);

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
        return give_up(client, "the server says that %u bytes moved of %u", reply->actual_length,
                       command->length);
    if (command->in)
        result = receive_all(client->fd, exchange->data, reply->actual_length, now_ms() + GRACE_MS);
    if (result == LATE)
        return give_up(client, "the server did not send the data of its reply");
    if (result == CLOSED)
        return lost(client);
    exchange->answered = true;
    exchange->result = result_of(reply);
    return 0;
}

static int wait_for_unlink(struct usbip_client *client, struct exchange *exchange, uint32_t seqnum)
{
    uint64_t deadline_ms = now_ms() + GRACE_MS;
    struct usbip_reply reply;

    for (;;) {
        int result = receive_reply(client, &reply, deadline_ms);

        if (result == LATE)
            return give_up(client, "the server did not answer an UNLINK");
        if (result == CLOSED)
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
        return give_up(client, "the server says that a transfer is done, but never answered it");
    return USBIP_CLIENT_TIMEOUT;
}

static int take_back(struct usbip_client *client, struct exchange *exchange)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_UNLINK,
        .seqnum = ++client->seqnum,
        .devid = exchange->command->devid,
        .unlinked = exchange->command->seqnum,
    };
    int result = send_command(client, &command, NULL, now_ms() + GRACE_MS);

    return result < 0 ? result : wait_for_unlink(client, exchange, command.seqnum);
}

static int submit(struct usbip_client *client,
                  struct usbip_command *command,
                  uint8_t *data,
                  unsigned timeout_ms)
{
    struct exchange exchange = {.command = command, .data = data};
    uint64_t deadline_ms = now_ms() + timeout_ms;
    struct usbip_reply reply;
    int result;

    if (client->fd < 0)
        return *client->trouble ? USBIP_CLIENT_IO : USBIP_CLIENT_GONE;
    command->code = USBIP_CMD_SUBMIT;
    command->seqnum = ++client->seqnum;
    command->devid = client->record.busnum << 16 | client->record.devnum;
    command->flags = command->in ? USBIP_DIR_IN : 0;
    result = send_command(client, command, data, deadline_ms + GRACE_MS);
    if (result < 0)
        return result;
    result = receive_reply(client, &reply, deadline_ms);
    if (result == LATE)
        return take_back(client, &exchange);
    if (result == CLOSED)
        return lost(client);
    if (result < 0)
        return give_up(client, "the server sent %s", usbip_error_text(result));
    if (reply.code != USBIP_RET_SUBMIT)
        return give_up(client, "the server answered an UNLINK that was not sent");
    result = take_answer(client, &exchange, &reply);
    return result < 0 ? result : exchange.result;
}

int usbip_client_control(struct usbip_client *client,
                         const struct usb_setup *setup,
                         uint8_t *data,
                         unsigned timeout_ms)
{
    struct usbip_command command = {
        .in = (setup->bmRequestType & USB_DIR_IN) != 0,
        .length = setup->wLength,
    };

    usb_setup_store(command.setup, setup);
    return submit(client, &command, data, timeout_ms);
}

int usbip_client_transfer(struct usbip_client *client,
                          uint8_t bEndpointAddress,
                          uint8_t *data,
                          size_t length,
                          unsigned timeout_ms)
{
    struct usbip_command command = {
        .in = (bEndpointAddress & USB_DIR_IN) != 0,
        .endpoint = bEndpointAddress & 0x0F,
        .length = length < USBIP_MAX_LENGTH ? (uint32_t)length : USBIP_MAX_LENGTH,
    };

    return submit(client, &command, data, timeout_ms);
}

int usbip_client_reset(struct usbip_client *client, unsigned timeout_ms)
{
    const struct usb_setup port_reset = {
        .bmRequestType = USB_TYPE_CLASS | USB_RECIPIENT_OTHER,
        .bRequest = USB_SET_FEATURE,
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
    result = wait_for(client->fd, POLLIN, now_ms() + timeout_ms);
    if (result == LATE)
        return USBIP_CLIENT_TIMEOUT;
    if (result == 0 && recv(client->fd, &byte, 1, 0) > 0)
        return give_up(client, "the server sent something without being asked");
    hang_up(client);
    return 0;
}

int usbip_client_reopen(struct usbip_client *client, unsigned timeout_ms)
{
    uint64_t deadline_ms = now_ms() + timeout_ms;
    char text[200];
    const struct complaint complaint = {text, sizeof text};

    while (client->fd < 0) {
        enum op_result result = call(client, import, &client->fd, deadline_ms, &complaint);

        if (result != OP_DONE && now_ms() >= deadline_ms)
            return USBIP_CLIENT_TIMEOUT;
        if (result != OP_DONE)
            poll(NULL, 0, RETRY_MS);
    }
    *client->trouble = '\0';
    return 0;
}
