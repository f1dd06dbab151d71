// SPDX-License-Identifier: MIT
//
// What the adapter uses of Zephyr's udc.h: declarations of our own, for the test alone.

#ifndef STAND_IN_ZEPHYR_UDC_H
#define STAND_IN_ZEPHYR_UDC_H

#include <stdint.h>

struct udc_buf_info {
    uint8_t ep;
    unsigned int setup : 1, data : 1, status : 1;
};

struct net_buf;
struct udc_buf_info *udc_get_buf_info(const struct net_buf *buf);

#endif
