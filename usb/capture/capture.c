// SPDX-License-Identifier: MIT
//
// A pcapng file is a row of blocks, each `type, total length, body, total length`, padded to four
// bytes: here one section header, one interface description, then an enhanced packet block for
// each record (pcapng specification, sections 4.1 to 4.3). The body of a packet is usbmon's
// 64-byte header (Linux Documentation/usb/usbmon.rst, "binary API") and the data.
//
// The section is written little-endian on every machine.

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <capture/capture.h>

enum {
    BLOCK_SECTION_HEADER = 0x0A0D0D0A,
    BLOCK_INTERFACE = 1,
    BLOCK_ENHANCED_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    LINKTYPE_USB_LINUX_MMAPPED = 220,

    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_SECTION_PROGRAM = 4,
    OPTION_INTERFACE_NAME = 2,
    OPTION_INTERFACE_RESOLUTION = 9,

    USBMON_HEADER_SIZE = 64,
    BLOCK_ENDS = 12, // type and both lengths
    PACKET_FIXED = 20,
    STATUS_IN_PROGRESS = -115, // -EINPROGRESS on Linux: what usbmon says of a submission
};

struct capture {
    FILE *file;
    uint64_t frames;
    int error; // negative errno of the first failure
};

static void put_bytes(struct capture *capture, const void *bytes, size_t length)
{
    if (capture->error || length == 0)
        return;
    if (fwrite(bytes, 1, length, capture->file) != length)
        capture->error = errno ? -errno : -EIO;
}

static void put_le(struct capture *capture, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    put_bytes(capture, bytes, size);
}

static size_t padded(size_t length)
{
    return (length + 3) & ~(size_t)3;
}

static void put_padded(struct capture *capture, const void *bytes, size_t length)
{
    static const uint8_t zeros[3];

    put_bytes(capture, bytes, length);
    put_bytes(capture, zeros, padded(length) - length);
}

// Options: code, length, value. A text of none takes no room.

enum { OPTION_TEXT_MAX = 4096 };

static size_t text_length(const char *text)
{
    return text ? strnlen(text, OPTION_TEXT_MAX) : 0;
}

static size_t option_size(const char *text)
{
    return text ? 4 + padded(text_length(text)) : 0;
}

static void put_option(struct capture *capture, unsigned code, const char *text)
{
    if (!text)
        return;
    put_le(capture, code, 2);
    put_le(capture, text_length(text), 2);
    put_padded(capture, text, text_length(text));
}

static void put_section_header(struct capture *capture, const struct capture_origin *origin)
{
    size_t size = BLOCK_ENDS + 16 + option_size(origin->program) + 4;

    put_le(capture, BLOCK_SECTION_HEADER, 4);
    put_le(capture, size, 4);
    put_le(capture, BYTE_ORDER_MAGIC, 4);
    put_le(capture, 1, 2); // version 1.0
    put_le(capture, 0, 2);
    put_le(capture, UINT64_MAX, 8); // section length not said
    put_option(capture, OPTION_SECTION_PROGRAM, origin->program);
    put_le(capture, OPTION_END, 4);
    put_le(capture, size, 4);
}

static void put_interface(struct capture *capture, const struct capture_origin *origin)
{
    static const uint8_t nanoseconds = 9; // timestamps count 10^-9 s
    size_t size = BLOCK_ENDS + 8 + option_size(origin->interface) + 8 + 4;

    put_le(capture, BLOCK_INTERFACE, 4);
    put_le(capture, size, 4);
    put_le(capture, LINKTYPE_USB_LINUX_MMAPPED, 2);
    put_le(capture, 0, 2);
    put_le(capture, 0, 4); // packets are never cut
    put_option(capture, OPTION_INTERFACE_NAME, origin->interface);
    put_le(capture, OPTION_INTERFACE_RESOLUTION, 2);
    put_le(capture, 1, 2);
    put_padded(capture, &nanoseconds, 1);
    put_le(capture, OPTION_END, 4);
    put_le(capture, size, 4);
}

static uint8_t usbmon_type(uint8_t type)
{
    static const uint8_t types[] = {
        [USBDEV_ENDPOINT_CONTROL] = 2,
        [USBDEV_ENDPOINT_ISOCHRONOUS] = 0,
        [USBDEV_ENDPOINT_BULK] = 3,
        [USBDEV_ENDPOINT_INTERRUPT] = 1,
    };
    return types[type & 3];
}

static void put_usbmon_header(struct capture *capture,
                              const struct capture_urb *urb,
                              bool submission,
                              uint32_t data_length)
{
    static const uint8_t no_setup[USBDEV_SETUP_SIZE];
    const char no_data = urb->bEndpointAddress & USBDEV_DIR_IN ? '<' : '>';
    const uint64_t second = UINT64_C(1000000000);

    put_le(capture, urb->id, 8);
    put_le(capture, submission ? 'S' : 'C', 1);
    put_le(capture, usbmon_type(urb->type), 1);
    put_le(capture, urb->bEndpointAddress, 1);
    put_le(capture, urb->device, 1);
    put_le(capture, urb->bus, 2);
    put_le(capture, urb->setup ? 0 : '-', 1);
    put_le(capture, data_length ? 0 : (uint8_t)no_data, 1);
    put_le(capture, urb->time_ns / second, 8);
    put_le(capture, urb->time_ns % second / 1000, 4);
    put_le(capture, (uint32_t)(submission ? STATUS_IN_PROGRESS : urb->status), 4);
    put_le(capture, urb->length, 4);
    put_le(capture, data_length, 4);
    put_bytes(capture, urb->setup ? urb->setup : no_setup, USBDEV_SETUP_SIZE);
    put_le(capture, 0, 4); // interval
    put_le(capture, 0, 4); // start frame
    put_le(capture, 0, 4); // transfer flags
    put_le(capture, 0, 4); // isochronous descriptors
}

static uint64_t put_packet(struct capture *capture, const struct capture_urb *urb, bool submission)
{
    uint32_t data_length = urb->data ? urb->length : 0;
    size_t packet = USBMON_HEADER_SIZE + (size_t)data_length;
    size_t options = urb->comment ? option_size(urb->comment) + 4 : 0;
    size_t size = BLOCK_ENDS + PACKET_FIXED + padded(packet) + options;

    put_le(capture, BLOCK_ENHANCED_PACKET, 4);
    put_le(capture, size, 4);
    put_le(capture, 0, 4); // interface
    put_le(capture, urb->time_ns >> 32, 4);
    put_le(capture, urb->time_ns & UINT32_MAX, 4);
    put_le(capture, packet, 4);
    put_le(capture, packet, 4);
    put_usbmon_header(capture, urb, submission, data_length);
    put_padded(capture, urb->data, data_length); // the header leaves it aligned
    put_option(capture, OPTION_COMMENT, urb->comment);
    if (urb->comment)
        put_le(capture, OPTION_END, 4);
    put_le(capture, size, 4);
    return ++capture->frames;
}

struct capture *
capture_open(const char *path, const struct capture_origin *origin, char *error, size_t error_size)
{
    struct capture *capture = calloc(1, sizeof(*capture));

    if (!capture) {
        snprintf(error, error_size, "no memory for a capture");
        return NULL;
    }
    capture->file = fopen(path, "wb");
    if (!capture->file) {
        snprintf(error, error_size, "cannot write the capture %s: %s", path, strerror(errno));
        free(capture);
        return NULL;
    }
    put_section_header(capture, origin);
    put_interface(capture, origin);
    return capture;
}

uint64_t capture_submitted(struct capture *capture, const struct capture_urb *urb)
{
    return put_packet(capture, urb, true);
}

uint64_t capture_completed(struct capture *capture, const struct capture_urb *urb)
{
    return put_packet(capture, urb, false);
}

uint64_t capture_frames(const struct capture *capture)
{
    return capture->frames;
}

void capture_flush(struct capture *capture)
{
    if (!capture->error && fflush(capture->file) != 0)
        capture->error = -errno;
}

int capture_close(struct capture *capture)
{
    int error;

    capture_flush(capture);
    error = capture->error;
    if (fclose(capture->file) != 0 && !error)
        error = -errno;
    free(capture);
    return error;
}
