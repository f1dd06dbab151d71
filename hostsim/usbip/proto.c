// SPDX-License-Identifier: MIT
//
// Each message has an encode and a decode function; integers are big-endian. A decode function
// reads every field, validates it, and fills its result only if all fields are valid, so that no
// caller sees a value out of range. No function keeps state.

#include <usbip/proto.h>

#include <string.h>

#include <usb/bytes.h>

const char *usbip_error_text(int error)
{
    switch ((enum usbip_error)error) {
    case USBIP_ERR_VERSION:
        return "not USB/IP version 1.1.1";
    case USBIP_ERR_CODE:
        return "unknown command";
    case USBIP_ERR_STATUS:
        return "a request with an error status";
    case USBIP_ERR_TEXT:
        return "a path or bus id without its terminating NUL";
    case USBIP_ERR_DIRECTION:
        return "a direction that is neither OUT nor IN";
    case USBIP_ERR_ENDPOINT:
        return "an endpoint number above 15";
    case USBIP_ERR_LENGTH:
        return "a transfer length that is negative or above 1 MiB";
    case USBIP_ERR_PACKETS:
        return "too many isochronous packets";
    case USBIP_ERR_COUNT:
        return "too many devices in the list";
    case USBIP_ERR_SPEED:
        return "an unknown device speed";
    }
    return "unknown error";
}

// ---- Operations ----

static int check_op(const uint8_t *bytes, size_t length, uint16_t *ret_code)
{
    // The version is validated as soon as it has arrived: another program may never send eight
    // bytes.
    if (length >= 2 && load_be16(bytes) != USBIP_VERSION)
        return USBIP_ERR_VERSION;
    if (length < USBIP_OP_SIZE)
        return 0;
    *ret_code = load_be16(bytes + 2);
    return USBIP_OP_SIZE;
}

// A text field of fixed size that must hold its NUL. What follows the NUL is dropped.
static bool load_text(char *ret_text, const uint8_t *bytes, size_t size)
{
    const uint8_t *end = memchr(bytes, 0, size);

    if (!end)
        return false;
    memset(ret_text, 0, size);
    memcpy(ret_text, bytes, (size_t)(end - bytes));
    return true;
}

int usbip_request_decode(struct usbip_request *ret_request, const uint8_t *bytes, size_t length)
{
    struct usbip_request request = {0};
    uint16_t code = 0;
    int used = check_op(bytes, length, &code);

    if (used <= 0)
        return used;
    if (code != USBIP_REQ_DEVLIST && code != USBIP_REQ_IMPORT)
        return USBIP_ERR_CODE;
    if (load_be32(bytes + 4) != USBIP_OP_OK)
        return USBIP_ERR_STATUS;
    request.op = (enum usbip_op)code;
    if (request.op == USBIP_REQ_IMPORT) {
        if (length < USBIP_IMPORT_SIZE)
            return 0;
        if (!load_text(request.bus_id, bytes + USBIP_OP_SIZE, sizeof request.bus_id))
            return USBIP_ERR_TEXT;
        used = USBIP_IMPORT_SIZE;
    }
    *ret_request = request;
    return used;
}

size_t usbip_request_encode(uint8_t bytes[USBIP_IMPORT_SIZE], const struct usbip_request *request)
{
    usbip_op_encode(bytes, request->op, USBIP_OP_OK);
    if (request->op != USBIP_REQ_IMPORT)
        return USBIP_OP_SIZE;
    memcpy(bytes + USBIP_OP_SIZE, request->bus_id, sizeof request->bus_id);
    return USBIP_IMPORT_SIZE;
}

int usbip_op_decode(enum usbip_op expected,
                    uint32_t *ret_status,
                    const uint8_t *bytes,
                    size_t length)
{
    uint16_t code = 0;
    int used = check_op(bytes, length, &code);

    if (used <= 0)
        return used;
    if (code != expected)
        return USBIP_ERR_CODE;
    *ret_status = load_be32(bytes + 4);
    return used;
}

void usbip_op_encode(uint8_t bytes[USBIP_OP_SIZE], enum usbip_op op, uint32_t status)
{
    store_be16(bytes, USBIP_VERSION);
    store_be16(bytes + 2, (uint16_t)op);
    store_be32(bytes + 4, status);
}

int usbip_count_decode(uint32_t *ret_count, const uint8_t *bytes, size_t length)
{
    if (length < 4)
        return 0;
    if (load_be32(bytes) > USBIP_MAX_LIST)
        return USBIP_ERR_COUNT;
    *ret_count = load_be32(bytes);
    return 4;
}

void usbip_count_encode(uint8_t bytes[4], uint32_t count)
{
    store_be32(bytes, count);
}

int usbip_record_decode(struct usbip_record *ret_record, const uint8_t *bytes, size_t length)
{
    struct usbip_record record;

    if (length < USBIP_RECORD_SIZE)
        return 0;
    if (!load_text(record.path, bytes, sizeof record.path) ||
        !load_text(record.bus_id, bytes + 256, sizeof record.bus_id))
        return USBIP_ERR_TEXT;
    record.busnum = load_be32(bytes + 288);
    record.devnum = load_be32(bytes + 292);
    record.speed = load_be32(bytes + 296);
    record.idVendor = load_be16(bytes + 300);
    record.idProduct = load_be16(bytes + 302);
    record.bcdDevice = load_be16(bytes + 304);
    record.bDeviceClass = bytes[306];
    record.bDeviceSubClass = bytes[307];
    record.bDeviceProtocol = bytes[308];
    record.bConfigurationValue = bytes[309];
    record.bNumConfigurations = bytes[310];
    record.bNumInterfaces = bytes[311];
    if (record.speed > USBIP_SPEED_SUPER_PLUS)
        return USBIP_ERR_SPEED;
    *ret_record = record;
    return USBIP_RECORD_SIZE;
}

void usbip_record_encode(uint8_t bytes[USBIP_RECORD_SIZE], const struct usbip_record *record)
{
    memcpy(bytes, record->path, sizeof record->path);
    memcpy(bytes + 256, record->bus_id, sizeof record->bus_id);
    store_be32(bytes + 288, record->busnum);
    store_be32(bytes + 292, record->devnum);
    store_be32(bytes + 296, record->speed);
    store_be16(bytes + 300, record->idVendor);
    store_be16(bytes + 302, record->idProduct);
    store_be16(bytes + 304, record->bcdDevice);
    bytes[306] = record->bDeviceClass;
    bytes[307] = record->bDeviceSubClass;
    bytes[308] = record->bDeviceProtocol;
    bytes[309] = record->bConfigurationValue;
    bytes[310] = record->bNumConfigurations;
    bytes[311] = record->bNumInterfaces;
}

void usbip_interface_encode(uint8_t bytes[USBIP_INTERFACE_SIZE],
                            const struct usbip_interface *interface)
{
    bytes[0] = interface->bInterfaceClass;
    bytes[1] = interface->bInterfaceSubClass;
    bytes[2] = interface->bInterfaceProtocol;
    bytes[3] = 0;
}

// ---- URBs ----

// The documentation says ffffffffh for a transfer that is not isochronous, Linux sends 0.
static uint32_t load_packets(const uint8_t *bytes)
{
    uint32_t packets = load_be32(bytes);

    return packets == UINT32_MAX ? 0 : packets;
}

static int decode_submit(struct usbip_command *command, const uint8_t *bytes)
{
    command->flags = load_be32(bytes + 0x14);
    command->length = load_be32(bytes + 0x18);
    command->iso_packets = load_packets(bytes + 0x20);
    command->interval = load_be32(bytes + 0x24);
    memcpy(command->setup, bytes + 0x28, USBDEV_SETUP_SIZE);
    if (command->length > USBIP_MAX_LENGTH)
        return USBIP_ERR_LENGTH;
    if (command->iso_packets > USBIP_MAX_ISO_PACKETS)
        return USBIP_ERR_PACKETS;
    return USBIP_HEADER_SIZE;
}

int usbip_command_decode(struct usbip_command *ret_command, const uint8_t *bytes, size_t length)
{
    struct usbip_command command = {0};
    int used = USBIP_HEADER_SIZE;

    if (length < USBIP_HEADER_SIZE)
        return 0;
    command.code = (enum usbip_command_code)load_be32(bytes);
    command.seqnum = load_be32(bytes + 4);
    command.devid = load_be32(bytes + 8);
    if (command.code != USBIP_CMD_SUBMIT && command.code != USBIP_CMD_UNLINK)
        return USBIP_ERR_CODE;
    if (load_be32(bytes + 12) > 1)
        return USBIP_ERR_DIRECTION;
    if (load_be32(bytes + 16) > 15)
        return USBIP_ERR_ENDPOINT;
    command.in = load_be32(bytes + 12) == 1;
    command.endpoint = (uint8_t)load_be32(bytes + 16);
    if (command.code == USBIP_CMD_UNLINK)
        command.unlinked = load_be32(bytes + 0x14);
    else
        used = decode_submit(&command, bytes);
    if (used > 0)
        *ret_command = command;
    return used;
}

void usbip_command_encode(uint8_t bytes[USBIP_HEADER_SIZE], const struct usbip_command *command)
{
    memset(bytes, 0, USBIP_HEADER_SIZE);
    store_be32(bytes, (uint32_t)command->code);
    store_be32(bytes + 4, command->seqnum);
    store_be32(bytes + 8, command->devid);
    store_be32(bytes + 12, command->in);
    store_be32(bytes + 16, command->endpoint);
    if (command->code == USBIP_CMD_UNLINK) {
        store_be32(bytes + 0x14, command->unlinked);
        return;
    }
    store_be32(bytes + 0x14, command->flags);
    store_be32(bytes + 0x18, command->length);
    store_be32(bytes + 0x20, command->iso_packets);
    store_be32(bytes + 0x24, command->interval);
    memcpy(bytes + 0x28, command->setup, USBDEV_SETUP_SIZE);
}

size_t usbip_command_payload(const struct usbip_command *command)
{
    if (command->code != USBIP_CMD_SUBMIT)
        return 0;
    return (command->in ? 0 : command->length) +
           (size_t)command->iso_packets * USBIP_ISO_PACKET_SIZE;
}

int usbip_reply_decode(struct usbip_reply *ret_reply, const uint8_t *bytes, size_t length)
{
    struct usbip_reply reply = {0};

    if (length < USBIP_HEADER_SIZE)
        return 0;
    reply.code = (enum usbip_command_code)load_be32(bytes);
    reply.seqnum = load_be32(bytes + 4);
    reply.status = (int32_t)load_be32(bytes + 0x14);
    if (reply.code != USBIP_RET_SUBMIT && reply.code != USBIP_RET_UNLINK)
        return USBIP_ERR_CODE;
    if (reply.code == USBIP_RET_SUBMIT) {
        reply.actual_length = load_be32(bytes + 0x18);
        if (reply.actual_length > USBIP_MAX_LENGTH)
            return USBIP_ERR_LENGTH;
        if (load_packets(bytes + 0x20) > 0) // no isochronous transfers are submitted here
            return USBIP_ERR_PACKETS;
    }
    *ret_reply = reply;
    return USBIP_HEADER_SIZE;
}

void usbip_reply_encode(uint8_t bytes[USBIP_HEADER_SIZE], const struct usbip_reply *reply)
{
    memset(bytes, 0, USBIP_HEADER_SIZE);
    store_be32(bytes, (uint32_t)reply->code);
    store_be32(bytes + 4, reply->seqnum);
    store_be32(bytes + 0x14, (uint32_t)reply->status);
    if (reply->code == USBIP_RET_SUBMIT)
        store_be32(bytes + 0x18, reply->actual_length);
}
