// SPDX-License-Identifier: MIT
//
// Each operation (list, import) has a TCP connection of its own: connect, send the request, receive
// and decode the reply, all within one deadline. The connection of a list is closed; that of an
// import is returned and carries URBs from then on. Every error is one line that begins with the
// server's address.

#include <usbip/remote.h>

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

// An operation under way.
struct call {
    struct usbip_remote *remote;
    int fd;
    uint64_t deadline_ms;
    char *error;
    size_t error_size;
    struct usbip_list *list; // where a device list goes, or NULL
};

// One line that begins with the server's address. Returns -1.
__attribute__((format(printf, 2, 3))) static int
fail_with(const struct call *call, const char *format, ...)
{
    va_list arguments;
    int length =
        snprintf(call->error, call->error_size, "%s:%s ", call->remote->host, call->remote->port);

    va_start(arguments, format);
    if (length > 0 && (size_t)length < call->error_size)
        vsnprintf(call->error + length, call->error_size - (size_t)length, format, arguments);
    va_end(arguments);
    return -1;
}

static bool is_unix(const struct usbip_remote *remote)
{
    return strcmp(remote->host, USBIP_UNIX_HOST) == 0;
}

// A server at a Unix socket closes the connection of another user.
static int fail_closed(const struct call *call)
{
    return fail_with(call, "closed the connection: is it a USB/IP server%s?",
                     is_unix(call->remote) ? " of this user" : "");
}

static int receive(const struct call *call, uint8_t *bytes, size_t size)
{
    int result = stream_receive_all(call->fd, bytes, size, call->deadline_ms);

    if (result == STREAM_LATE)
        return fail_with(call, "does not answer: is it a USB/IP server?");
    return result == STREAM_CLOSED ? fail_closed(call) : 0;
}

// Sends a request and receives the head of the reply.
static int
request_reply(const struct call *call, const struct usbip_request *request, uint32_t *ret_status)
{
    enum usbip_op expected = request->op == USBIP_REQ_IMPORT ? USBIP_REP_IMPORT : USBIP_REP_DEVLIST;
    uint8_t bytes[USBIP_IMPORT_SIZE];
    struct iovec part = {bytes, usbip_request_encode(bytes, request)};
    int result;

    result = stream_send(call->fd, &part, 1, call->deadline_ms);
    if (result == STREAM_LATE)
        return fail_with(call, "did not read the request: is it a USB/IP server?");
    if (result == STREAM_CLOSED)
        return fail_closed(call);
    if (receive(call, bytes, USBIP_OP_SIZE) < 0)
        return -1;
    result = usbip_op_decode(expected, ret_status, bytes, USBIP_OP_SIZE);
    if (result < 0)
        return fail_with(call, "sent a malformed reply: %s", usbip_error_text(result));
    return 0;
}

static int receive_record(const struct call *call, struct usbip_record *ret_record)
{
    uint8_t bytes[USBIP_RECORD_SIZE];
    int result;

    if (receive(call, bytes, sizeof bytes) < 0)
        return -1;
    result = usbip_record_decode(ret_record, bytes, sizeof bytes);
    if (result < 0)
        return fail_with(call, "sent a malformed device record: %s", usbip_error_text(result));
    return 0;
}

// A device that is off the bus, or does not enumerate, is not exported.
static const char no_device[] = "exports no device; if it has one, its output says what keeps it";

static const char *refusal(uint32_t status)
{
    switch (status) {
    case USBIP_OP_BUSY:
        return "it is in use";
    case USBIP_OP_DEVICE_ERROR:
        return "it does not enumerate; the output of the server says why";
    default:
        return "the server does not export it; see usbip list -r";
    }
}

static int import(struct call *call)
{
    struct usbip_remote *remote = call->remote;
    struct usbip_request request = {.op = USBIP_REQ_IMPORT};
    uint32_t status;

    memcpy(request.bus_id, remote->bus_id, sizeof request.bus_id);
    if (request_reply(call, &request, &status) < 0)
        return -1;
    if (status != USBIP_OP_OK)
        return fail_with(call, "refused to export device %s: %s", remote->bus_id, refusal(status));
    return receive_record(call, &remote->record);
}

// The interfaces of a device follow its record: class, subclass, protocol and a zero for each.
static int receive_device(const struct call *call, struct usbip_exported *ret_device)
{
    uint8_t interface[4];

    *ret_device = (struct usbip_exported){.dfu = false};
    if (receive_record(call, &ret_device->record) < 0)
        return -1;
    for (unsigned i = 0; i < ret_device->record.bNumInterfaces; i++) {
        if (receive(call, interface, sizeof interface) < 0)
            return -1;
        ret_device->dfu |=
            interface[0] == DFURT_INTERFACE_CLASS && interface[1] == DFURT_INTERFACE_SUBCLASS;
    }
    return 0;
}

// Devices beyond the room of the list are not received.
static int list(struct call *call)
{
    const struct usbip_request request = {.op = USBIP_REQ_DEVLIST};
    struct usbip_list *list = call->list;
    uint32_t status;
    uint8_t bytes[4];

    if (request_reply(call, &request, &status) < 0)
        return -1;
    if (status != USBIP_OP_OK) // then nothing follows
        return fail_with(call, "%s", no_device);
    if (receive(call, bytes, sizeof bytes) < 0)
        return -1;
    if (usbip_count_decode(&list->exported, bytes, sizeof bytes) < 0)
        return fail_with(call, "sent a malformed device list");
    for (list->count = 0; list->count < list->exported && list->count < USBIP_LIST_MAX;
         list->count++) {
        if (receive_device(call, &list->devices[list->count]) < 0)
            return -1;
    }
    return 0;
}

// Carries an operation out on a connection of its own. Returns the connection, or -1.
static int carry_out(int (*operation)(struct call *call), struct call *call)
{
    const struct usbip_remote *remote = call->remote;

    call->fd = stream_connect(remote->host, remote->port, call->deadline_ms);
    if (call->fd < 0) {
        snprintf(call->error, call->error_size, "cannot connect to %s:%s: %s; %s", remote->host,
                 remote->port, strerror(-call->fd),
                 call->fd == -EACCES ? "only its owner and root may use it"
                                     : "is a USB/IP server (dfu-sim serve) running there?");
        return -1;
    }
    if (operation(call) == 0)
        return call->fd;
    close(call->fd);
    return -1;
}

int usbip_remote_list(struct usbip_remote *remote,
                      struct usbip_list *ret_list,
                      uint64_t deadline_ms,
                      char *error,
                      size_t error_size)
{
    struct call call = {remote, -1, deadline_ms, error, error_size, ret_list};
    int fd = carry_out(list, &call);

    if (fd < 0)
        return -1;
    close(fd);
    return 0;
}

// "1-1 (1209:0001), 1-2 (1209:0001)"
static void put_names(char *text, size_t size, const struct usbip_list *list)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < list->count && used < size; i++) {
        const struct usbip_record *record = &list->devices[i].record;

        used += (size_t)snprintf(text + used, size - used, "%s%.31s (%04x:%04x)", i ? ", " : "",
                                 record->bus_id, record->idVendor, record->idProduct);
    }
}

// The list of a server is empty while its device is off the bus, as when that becomes its boot
// loader. The last try has time to be answered.
static int list_some(struct usbip_remote *remote,
                     struct usbip_list *ret_list,
                     uint64_t deadline_ms,
                     char *error,
                     size_t error_size)
{
    enum { AGAIN_MS = 50, LAST_MS = 1000 };

    while (usbip_remote_list(remote, ret_list, deadline_ms, error, error_size) == 0) {
        if (ret_list->exported > 0 || stream_now_ms() + LAST_MS >= deadline_ms)
            return 0;
        poll(NULL, 0, AGAIN_MS);
    }
    return -1;
}

int usbip_remote_choose(struct usbip_remote *remote,
                        uint64_t deadline_ms,
                        char *error,
                        size_t error_size)
{
    struct usbip_list list;
    struct call call = {remote, -1, deadline_ms, error, error_size, &list};
    char names[128];

    if (list_some(remote, &list, deadline_ms, error, error_size) < 0)
        return -1;
    if (list.exported == 0)
        return fail_with(&call, "%s", no_device);
    if (list.exported > 1) {
        put_names(names, sizeof names, &list);
        return fail_with(&call, "exports %u devices, %s: add the bus id of one, %s:%s%s%.31s",
                         list.exported, names, remote->host, remote->port,
                         is_unix(remote) ? ",busid=" : "/", list.devices[0].record.bus_id);
    }
    memcpy(remote->bus_id, list.devices[0].record.bus_id, sizeof remote->bus_id);
    return 0;
}

int usbip_remote_import(struct usbip_remote *remote,
                        uint64_t deadline_ms,
                        char *error,
                        size_t error_size)
{
    struct call call = {remote, -1, deadline_ms, error, error_size, NULL};

    return carry_out(import, &call);
}
