// SPDX-License-Identifier: MIT
//
// A frame is a kind, a length of four bytes, little-endian, and the payload. Both directions loop
// until all bytes have moved: the port is a virtio serial device that may be non-blocking, so
// EAGAIN waits in poll(2).

#include "guest_link.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { HEADER_SIZE = 5 };

int guest_write_all(int fd, const void *data, size_t length)
{
    const uint8_t *next = data;

    while (length > 0) {
        ssize_t written = write(fd, next, length);

        if (written > 0) {
            next += written;
            length -= (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int read_all(int fd, uint8_t *data, size_t length)
{
    while (length > 0) {
        ssize_t got = read(fd, data, length);

        if (got > 0) {
            data += got;
            length -= (size_t)got;
        } else if (got == 0) {
            return -EPIPE;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1);
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

int guest_send(int port, enum guest_frame_kind kind, const void *payload, size_t length)
{
    uint8_t header[HEADER_SIZE] = {(uint8_t)kind};

    if (length > GUEST_PAYLOAD_MAX)
        return -E2BIG;
    for (unsigned i = 0; i < 4; i++)
        header[1 + i] = (uint8_t)(length >> (8 * i));

    int error = guest_write_all(port, header, sizeof(header));
    return error ? error : guest_write_all(port, payload, length);
}

int guest_receive(int port, struct guest_frame *ret_frame)
{
    uint8_t header[HEADER_SIZE];
    uint32_t length = 0;

    int error = read_all(port, header, sizeof(header));
    if (error)
        return error;

    for (unsigned i = 0; i < 4; i++)
        length |= (uint32_t)header[1 + i] << (8 * i);
    if (header[0] < GUEST_HELLO || header[0] > GUEST_STDIN || length > GUEST_PAYLOAD_MAX)
        return -EPROTO;

    error = read_all(port, ret_frame->payload, length);
    if (error)
        return error;
    ret_frame->kind = (enum guest_frame_kind)header[0];
    ret_frame->length = length;
    ret_frame->payload[length] = 0;
    return 0;
}
