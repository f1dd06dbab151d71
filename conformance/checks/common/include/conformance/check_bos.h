// SPDX-License-Identifier: MIT
//
// check_bos.h - the binary object store, read from the device (USB 3.2 9.6.2).

#ifndef CONFORMANCE_CHECK_BOS_H
#define CONFORMANCE_CHECK_BOS_H

#include <conformance/check_common.h>

enum {
    BOS_HEADER_SIZE = 5,
    BOS_DT_CAPABILITY = 0x10,

    // bDevCapabilityType
    BOS_USB_2_0_EXTENSION = 0x02,
    BOS_SUPERSPEED = 0x03,
    BOS_CONTAINER_ID = 0x04,
    BOS_PLATFORM = 0x05,
};

struct bos {
    uint8_t bytes[PROBE_CONTROL_MAX];
    int length; // received, at least BOS_HEADER_SIZE
};

// Read the BOS by its header and then by wTotalLength. A device with bcdUSB below 0201h is of
// another kind.
bool bos_read(struct probe *probe, struct bos *ret);

#endif
