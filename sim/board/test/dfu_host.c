// SPDX-License-Identifier: MIT

#include "dfu_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

int get_status(struct sim_host *host, uint8_t *ret_bStatus, uint32_t *ret_poll_ms)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];

    if (control(host, 0xA1, DFURT_GETSTATUS, 0, 0, reply, sizeof reply) != sizeof reply)
        return -1;
    if (ret_bStatus)
        *ret_bStatus = reply[0];
    if (ret_poll_ms)
        *ret_poll_ms = usbdev_load_le16(reply + 1) | (uint32_t)reply[3] << 16;
    return reply[4];
}

int settle(struct sim_host *host)
{
    uint32_t poll_ms;
    int bState;

    do {
        bState = get_status(host, NULL, &poll_ms);
        if (bState >= 0)
            pass_ms(host, poll_ms);
    } while (bState == DFURT_STATE_dfuDNBUSY || bState == DFURT_STATE_dfuMANIFEST);
    return bState;
}

bool dnload(struct sim_host *host, uint16_t block, const void *data, size_t length)
{
    uint8_t copy[DFUSE_PAGE];

    memcpy(copy, data, length);
    return control(host, 0x21, DFURT_DNLOAD, block, 0, copy, (uint16_t)length) == (int)length &&
           settle(host) == DFURT_STATE_dfuDNLOAD_IDLE;
}

bool dfuse_command(struct sim_host *host, uint8_t command, uint32_t address)
{
    uint8_t bytes[5] = {command};

    usbdev_store_le16(bytes + 1, (uint16_t)address);
    usbdev_store_le16(bytes + 3, (uint16_t)(address >> 16));
    return dnload(host, 0, bytes, sizeof bytes);
}

bool dfuse_write(struct sim_host *host, uint32_t address, const uint8_t *bytes, size_t length)
{
    for (size_t at = 0; at < length; at += DFUSE_PAGE) {
        size_t chunk = length - at < DFUSE_PAGE ? length - at : DFUSE_PAGE;

        if (!dfuse_command(host, DFUSE_ERASE, address + (uint32_t)at) ||
            !dfuse_command(host, DFUSE_SET_ADDRESS, address + (uint32_t)at) ||
            !dnload(host, DFUSE_FIRST_BLOCK, bytes + at, chunk))
            return false;
    }
    return true;
}

size_t upload(struct sim_host *host, uint16_t block, uint16_t size, uint8_t *bytes)
{
    size_t length = 0;
    int part;

    do {
        part = control(host, 0xA1, DFURT_UPLOAD, block++, 0, bytes + length, size);
        assert_true(part >= 0);
        length += (size_t)part;
    } while (part == size);
    return length;
}
