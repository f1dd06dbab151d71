// SPDX-License-Identifier: MIT
//
// proto.h - the messages of USB/IP 1.1.1, as bytes and as structs. No sockets, no state.
//
// A connection has two phases. It begins with one *operation*: the client asks for the list of
// devices, or imports one by its bus id. After a successful import the same connection carries
// *URBs*: a 48-byte header each way, with the OUT data behind a submission and the IN data behind
// its reply. All fields are big-endian, but for the SETUP packet, which is raw USB.
//
// Every decoder takes the bytes received so far and returns how many of them the message took, 0
// if more are needed, or a negative enum usbip_error; what a peer sends is checked here before
// anything is done with it. ret_ arguments stay untouched unless a message was decoded. Encoders
// fill exactly the array that they are given.
//
// The format is described by the Linux kernel's Documentation/usb/usbip_protocol.rst; where it and
// the kernel's code differ, both forms are accepted.

#ifndef HOSTSIM_USBIP_PROTO_H
#define HOSTSIM_USBIP_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

// In place of the name of a host: the port is the path of a Unix socket (unix(7)).
#define USBIP_UNIX_HOST "unix"

enum {
    USBIP_VERSION = 0x0111,
    USBIP_PORT_SIZE = 108, // of its text: the path of a Unix socket is the longest

    USBIP_PATH_SIZE = 256,
    USBIP_BUS_ID_SIZE = 32,

    USBIP_OP_SIZE = 8,
    USBIP_IMPORT_SIZE = 40,
    USBIP_DEVLIST_SIZE = 12,
    USBIP_RECORD_SIZE = 312,
    USBIP_INTERFACE_SIZE = 4,
    USBIP_HEADER_SIZE = 48,
    USBIP_ISO_PACKET_SIZE = 16,

    // Limits of this implementation: more is malformed.
    USBIP_MAX_LENGTH = 1 << 20,   // bytes of one transfer
    USBIP_MAX_ISO_PACKETS = 1024, // of one transfer; Linux has the same limit
    USBIP_MAX_LIST = 4096,        // devices of a list
};

// Why a message was not understood.
enum usbip_error {
    USBIP_ERR_VERSION = -1,   // not USB/IP 1.1.1
    USBIP_ERR_CODE = -2,      // unknown operation or command
    USBIP_ERR_STATUS = -3,    // a request whose status is not 0
    USBIP_ERR_TEXT = -4,      // a path or bus id without its NUL
    USBIP_ERR_DIRECTION = -5, // neither 0 (OUT) nor 1 (IN)
    USBIP_ERR_ENDPOINT = -6,  // above 15
    USBIP_ERR_LENGTH = -7,    // negative, or above USBIP_MAX_LENGTH
    USBIP_ERR_PACKETS = -8,   // number_of_packets above USBIP_MAX_ISO_PACKETS
    USBIP_ERR_COUNT = -9,     // a list of more than USBIP_MAX_LIST devices
    USBIP_ERR_SPEED = -10,    // no such speed
};

// One phrase for a person: "not USB/IP version 1.1.1".
const char *usbip_error_text(int error);

// ---- Operations ----

enum usbip_op {
    USBIP_REQ_DEVLIST = 0x8005,
    USBIP_REP_DEVLIST = 0x0005,
    USBIP_REQ_IMPORT = 0x8003,
    USBIP_REP_IMPORT = 0x0003,
};

// Status of a reply.
enum usbip_op_status {
    USBIP_OP_OK = 0,
    USBIP_OP_NA = 1,
    USBIP_OP_BUSY = 2,
    USBIP_OP_DEVICE_ERROR = 3,
    USBIP_OP_NO_DEVICE = 4,
    USBIP_OP_ERROR = 5,
};

struct usbip_request {
    enum usbip_op op;               // USBIP_REQ_DEVLIST or USBIP_REQ_IMPORT
    char bus_id[USBIP_BUS_ID_SIZE]; // of an import
};

int usbip_request_decode(struct usbip_request *ret_request, const uint8_t *bytes, size_t length);

// Returns the size of the request, USBIP_OP_SIZE or USBIP_IMPORT_SIZE.
size_t usbip_request_encode(uint8_t bytes[USBIP_IMPORT_SIZE], const struct usbip_request *request);

// The head of a reply. After USBIP_REP_IMPORT with status USBIP_OP_OK comes a record; after
// USBIP_REP_DEVLIST with that status a count (big-endian, 32 bits), and for each device a record
// and bNumInterfaces interfaces.
int usbip_op_decode(enum usbip_op expected,
                    uint32_t *ret_status,
                    const uint8_t *bytes,
                    size_t length);
void usbip_op_encode(uint8_t bytes[USBIP_OP_SIZE], enum usbip_op op, uint32_t status);

int usbip_count_decode(uint32_t *ret_count, const uint8_t *bytes, size_t length);
void usbip_count_encode(uint8_t bytes[4], uint32_t count);

enum usbip_speed {
    USBIP_SPEED_LOW = 1,
    USBIP_SPEED_FULL = 2,
    USBIP_SPEED_HIGH = 3,
    USBIP_SPEED_SUPER = 5,
    USBIP_SPEED_SUPER_PLUS = 6,
};

// A device as a server describes it.
struct usbip_record {
    char path[USBIP_PATH_SIZE];
    char bus_id[USBIP_BUS_ID_SIZE];
    uint32_t busnum;
    uint32_t devnum;
    uint32_t speed;
    uint16_t idVendor;
    uint16_t idProduct;
    uint16_t bcdDevice;
    uint8_t bDeviceClass;
    uint8_t bDeviceSubClass;
    uint8_t bDeviceProtocol;
    uint8_t bConfigurationValue;
    uint8_t bNumConfigurations;
    uint8_t bNumInterfaces;
};

int usbip_record_decode(struct usbip_record *ret_record, const uint8_t *bytes, size_t length);
void usbip_record_encode(uint8_t bytes[USBIP_RECORD_SIZE], const struct usbip_record *record);

struct usbip_interface {
    uint8_t bInterfaceClass;
    uint8_t bInterfaceSubClass;
    uint8_t bInterfaceProtocol;
};

void usbip_interface_encode(uint8_t bytes[USBIP_INTERFACE_SIZE],
                            const struct usbip_interface *interface);

// ---- URBs ----

enum usbip_command_code {
    USBIP_CMD_SUBMIT = 1,
    USBIP_CMD_UNLINK = 2,
    USBIP_RET_SUBMIT = 3,
    USBIP_RET_UNLINK = 4,
};

// transfer_flags, as Linux numbers them
enum {
    USBIP_SHORT_NOT_OK = 0x0001,
    USBIP_ZERO_PACKET = 0x0040,
    USBIP_DIR_IN = 0x0200,
};

// status, a negative Linux errno whatever this machine's errno are
enum usbip_status {
    USBIP_STATUS_OK = 0,
    USBIP_STATUS_EPERM = -1,        // a request that only the host controller may make
    USBIP_STATUS_ENOMEM = -12,      // too many transfers are pending
    USBIP_STATUS_ENODEV = -19,      // nothing is connected
    USBIP_STATUS_EINVAL = -22,      // isochronous, or length and direction contradict the SETUP
    USBIP_STATUS_EPIPE = -32,       // STALL
    USBIP_STATUS_EPROTO = -71,      // no response, or a wrong one
    USBIP_STATUS_EOVERFLOW = -75,   // the device sent more than was asked for
    USBIP_STATUS_ECONNRESET = -104, // unlinked
    USBIP_STATUS_ESHUTDOWN = -108,  // the device left the bus, or was reset
    USBIP_STATUS_EREMOTEIO = -121,  // short, and USBIP_SHORT_NOT_OK was set
};

struct usbip_command {
    enum usbip_command_code code; // USBIP_CMD_SUBMIT or USBIP_CMD_UNLINK
    uint32_t seqnum;
    uint32_t devid;    // busnum << 16 | devnum
    bool in;           // direction
    uint8_t endpoint;  // 0..15
    uint32_t unlinked; // UNLINK: seqnum of the submission to take back; the rest is for SUBMIT
    uint32_t flags;
    uint32_t length;      // bytes of data, up to USBIP_MAX_LENGTH
    uint32_t iso_packets; // 0 unless isochronous
    uint32_t interval;
    uint8_t setup[USBDEV_SETUP_SIZE]; // endpoint 0
};

// Decodes the header alone: usbip_command_payload() bytes follow it.
int usbip_command_decode(struct usbip_command *ret_command, const uint8_t *bytes, size_t length);
void usbip_command_encode(uint8_t bytes[USBIP_HEADER_SIZE], const struct usbip_command *command);

// Bytes behind the header of a command: OUT data, then isochronous packet descriptors.
size_t usbip_command_payload(const struct usbip_command *command);

struct usbip_reply {
    enum usbip_command_code code; // USBIP_RET_SUBMIT or USBIP_RET_UNLINK
    uint32_t seqnum;              // of the command that it answers
    int32_t status;               // enum usbip_status, or another errno
    uint32_t actual_length;       // RET_SUBMIT: bytes that moved; of IN that many follow
};

// Decodes the header alone. Whether data follows depends on the direction of the submission.
int usbip_reply_decode(struct usbip_reply *ret_reply, const uint8_t *bytes, size_t length);
void usbip_reply_encode(uint8_t bytes[USBIP_HEADER_SIZE], const struct usbip_reply *reply);

#endif
