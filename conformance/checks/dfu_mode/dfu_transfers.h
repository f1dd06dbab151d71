// SPDX-License-Identifier: MIT
//
// dfu_transfers.h - steps that the checks of uploads, downloads and resets in DFU mode are made of.

#ifndef CONFORMANCE_DFU_TRANSFERS_H
#define CONFORMANCE_DFU_TRANSFERS_H

#include <conformance/check_common.h>

// The device is in this state, by GETSTATE or where that does not tell it by GETSTATUS.
bool expect_bState(struct probe *probe, uint8_t expected, const char *when);

// Everything is ready for a download of the image that is kept, and the device is in dfuIDLE.
bool prepare_download(struct probe *probe);

// Each block of the image that is kept is accepted. That the first one is, is judged by itself.
bool expect_image_taken(struct probe *probe);

// Download the image that is kept, and manifest; GETSTATUS said *ret_last last. A device may leave
// DFU mode by itself then.
bool expect_download(struct probe *probe, struct dfu_status_reply *ret_last);

#endif
