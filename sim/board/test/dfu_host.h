// SPDX-License-Identifier: MIT
//
// dfu_host.h - for tests of boards: a host program that updates firmware, as dfu-util does. Every
// step may fail, as the board may have gone: it returns false or -1 then.

#ifndef SIM_DFU_HOST_H
#define SIM_DFU_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "plugged.h"

// DfuSe (AN3156 chapter 4): commands, and the block that is at the address pointer.
enum { DFUSE_SET_ADDRESS = 0x21, DFUSE_ERASE = 0x41, DFUSE_FIRST_BLOCK = 2, DFUSE_PAGE = 2048 };

// GETSTATUS. Returns bState; *ret_bStatus and *ret_poll_ms may be NULL.
int get_status(struct sim_host *host, uint8_t *ret_bStatus, uint32_t *ret_poll_ms);

// GETSTATUS, and a wait as its bwPollTimeout says, until the device is not busy. Returns bState.
int settle(struct sim_host *host);

// DNLOAD of up to a page, settled: is the next block welcome?
bool dnload(struct sim_host *host, uint16_t block, const void *data, size_t length);

bool dfuse_command(struct sim_host *host, uint8_t command, uint32_t address);

// Erases page by page, and programs.
bool dfuse_write(struct sim_host *host, uint32_t address, const uint8_t *bytes, size_t length);

// UPLOAD from this block on, of blocks of this size, until a short one. Returns the length of all.
size_t upload(struct sim_host *host, uint16_t block, uint16_t size, uint8_t *bytes);

#endif
