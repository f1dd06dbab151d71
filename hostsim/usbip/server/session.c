// SPDX-License-Identifier: MIT
//
// Input is collected until a decoder of proto.h has a whole message: first its header, then its
// payload, straight into the URB that will carry it, or nowhere if the submission is refused.

#include "session_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const size_t kept_output = 16 << 10;        // of the buffer, once it has been sent
static const uint64_t fair_share_ns = 20 * SIM_MS; // with what one command costs the device

// ---- Output ----

void usbip_session_end(struct usbip_session *session, const char *violation)
{
    if (!session->over)
        session->violation = violation;
    session->over = true;
}

static size_t output_length(const struct usbip_session *session)
{
    return session->output_end - session->output_begin;
}

// Room for length more bytes at the end of the output, or NULL.
static uint8_t *reserve(struct usbip_session *session, size_t length)
{
    if (session->output_begin > 0) {
        memmove(session->output, session->output + session->output_begin, output_length(session));
        session->output_end -= session->output_begin;
        session->output_begin = 0;
    }
    if (session->output_size - session->output_end < length) {
        size_t size = 2 * (session->output_end + length);
        uint8_t *output = realloc(session->output, size);

        if (!output) {
            usbip_session_end(session, "out of memory");
            return NULL;
        }
        session->output = output;
        session->output_size = size;
    }
    session->output_end += length;
    return session->output + session->output_end - length;
}

void usbip_session_send(struct usbip_session *session,
                        const struct usbip_reply *reply,
                        const uint8_t *data,
                        size_t length)
{
    uint8_t *bytes = reserve(session, USBIP_HEADER_SIZE + length);

    if (!bytes)
        return;
    usbip_reply_encode(bytes, reply);
    if (length > 0)
        memcpy(bytes + USBIP_HEADER_SIZE, data, length);
}

// ---- Operations ----

static struct usbip_device *find_device(const struct usbip_session *session, const char *bus_id)
{
    for (size_t i = 0; i < session->device_count; i++)
        if (strcmp(usbip_device_record(session->devices[i])->bus_id, bus_id) == 0)
            return session->devices[i];
    return NULL;
}

static void left(void *context)
{
    struct usbip_session *session = context;

    session->left = true;
    usbip_session_end(session, NULL);
}

int usbip_session_import(struct usbip_session *session, struct usbip_device *device)
{
    enum usbip_op_status status = usbip_device_import(device, left, session);

    if (status == USBIP_OP_OK)
        session->device = device;
    return (int)status;
}

static void answer_import(struct usbip_session *session, const char *bus_id)
{
    struct usbip_device *device = find_device(session, bus_id);
    int status = device ? usbip_session_import(session, device) : USBIP_OP_NO_DEVICE;
    bool imported = status == USBIP_OP_OK;
    uint8_t *bytes = reserve(session, USBIP_OP_SIZE + (imported ? USBIP_RECORD_SIZE : 0));

    if (!bytes)
        return;
    usbip_op_encode(bytes, USBIP_REP_IMPORT, (uint32_t)status);
    if (imported)
        usbip_record_encode(bytes + USBIP_OP_SIZE, usbip_device_record(device));
    else
        usbip_session_end(session, NULL);
}

static void list_device(struct usbip_session *session, const struct usbip_device *device)
{
    const struct usbip_record *record = usbip_device_record(device);
    const struct usbip_interface *interfaces = usbip_device_interfaces(device);
    uint8_t *bytes =
        reserve(session, USBIP_RECORD_SIZE + (size_t)record->bNumInterfaces * USBIP_INTERFACE_SIZE);

    if (!bytes)
        return;
    usbip_record_encode(bytes, record);
    bytes += USBIP_RECORD_SIZE;
    for (size_t i = 0; i < record->bNumInterfaces; i++)
        usbip_interface_encode(bytes + i * USBIP_INTERFACE_SIZE, &interfaces[i]);
}

// Devices that could be imported, as usbipd does.
static void answer_devlist(struct usbip_session *session)
{
    uint8_t *bytes = reserve(session, USBIP_DEVLIST_SIZE);
    uint32_t count = 0;

    if (!bytes)
        return;
    for (size_t i = 0; i < session->device_count; i++)
        count += usbip_device_availability(session->devices[i]) == USBIP_OP_OK;
    usbip_op_encode(bytes, USBIP_REP_DEVLIST, USBIP_OP_OK);
    usbip_count_encode(bytes + USBIP_OP_SIZE, count);
    for (size_t i = 0; i < session->device_count; i++)
        if (usbip_device_availability(session->devices[i]) == USBIP_OP_OK)
            list_device(session, session->devices[i]);
    usbip_session_end(session, NULL);
}

static int receive_operation(struct usbip_session *session)
{
    struct usbip_request request = {0};
    int used = usbip_request_decode(&request, session->head, session->head_length);

    if (used <= 0)
        return used;
    if (request.op == USBIP_REQ_IMPORT)
        answer_import(session, request.bus_id);
    else
        answer_devlist(session);
    return used;
}

// ---- Input ----

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t receive_payload(struct usbip_session *session, const uint8_t *bytes, size_t length)
{
    size_t taken = smaller(length, session->payload_size - session->payload_length);

    // A URB that is carried out has no isochronous descriptors: its payload is its data.
    if (session->incoming)
        memcpy(session->incoming->data + session->payload_length, bytes, taken);
    session->payload_length += taken;
    if (session->payload_length == session->payload_size)
        usbip_session_submit(session);
    return taken;
}

// The next message may be as short as this; an import grows to its full size only once its first
// bytes have shown that it is one.
static size_t wanted_head(const struct usbip_session *session)
{
    if (session->device)
        return USBIP_HEADER_SIZE;
    return session->head_length < USBIP_OP_SIZE ? USBIP_OP_SIZE : USBIP_IMPORT_SIZE;
}

static size_t receive_head(struct usbip_session *session, const uint8_t *bytes, size_t length)
{
    size_t taken = smaller(length, wanted_head(session) - session->head_length);
    int used;

    memcpy(session->head + session->head_length, bytes, taken);
    session->head_length += taken;
    used = session->device ? usbip_session_command(session) : receive_operation(session);
    if (used < 0)
        usbip_session_end(session, usbip_error_text(used));
    assert(used <= 0 || (size_t)used == session->head_length);
    if (used > 0)
        session->head_length = 0;
    return taken;
}

bool usbip_session_wants(const struct usbip_session *session)
{
    return !session->over && output_length(session) < USBIP_SESSION_MAX_OUTPUT;
}

static size_t receive_some(struct usbip_session *session, const uint8_t *bytes, size_t length)
{
    if (session->payload_size > 0)
        return receive_payload(session, bytes, length);
    return receive_head(session, bytes, length);
}

static uint64_t device_time(const struct usbip_session *session)
{
    return session->device ? usbip_device_now_ns(session->device) : UINT64_MAX;
}

// A bus reset is carried out at once and takes the simulator long, so other clients are served
// before the next command. And a device that is imported is to live until now before it is asked
// anything.
size_t usbip_session_receive(struct usbip_session *session, const uint8_t *bytes, size_t length)
{
    size_t taken = 0;
    bool had_its_share = false;

    while (taken < length && usbip_session_wants(session) && !had_its_share) {
        uint64_t begin_ns = device_time(session);

        taken += receive_some(session, bytes + taken, length - taken);
        had_its_share = begin_ns == UINT64_MAX ? session->device != NULL
                                               : device_time(session) - begin_ns > fair_share_ns;
    }
    return taken;
}

// ---- The rest ----

struct usbip_session *usbip_session_open(struct usbip_device *const *devices, size_t count)
{
    struct usbip_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->devices = devices;
    session->device_count = count;
    return session;
}

void usbip_session_close(struct usbip_session *session)
{
    if (!session)
        return;
    usbip_session_cancel(session);
    if (session->device)
        usbip_device_release(session->device);
    free(session->incoming);
    free(session->output);
    free(session);
}

const uint8_t *usbip_session_output(const struct usbip_session *session, size_t *ret_length)
{
    *ret_length = output_length(session);
    return *ret_length ? session->output + session->output_begin : NULL;
}

void usbip_session_sent(struct usbip_session *session, size_t length)
{
    assert(length <= output_length(session));
    session->output_begin += length;
    if (output_length(session) > 0 || session->output_size <= kept_output)
        return;
    free(session->output); // a long reply may have been the only one
    session->output = NULL;
    session->output_begin = session->output_end = session->output_size = 0;
}

bool usbip_session_over(const struct usbip_session *session)
{
    return session->over;
}

bool usbip_session_left(const struct usbip_session *session)
{
    return session->left;
}

const char *usbip_session_violation(const struct usbip_session *session)
{
    return session->violation;
}

struct usbip_device *usbip_session_device(const struct usbip_session *session)
{
    return session->device;
}
