// SPDX-License-Identifier: MIT
//
// download.h - a whole image from and to a plain DFU 1.1 device: blocks of wTransferSize, in order,
// wBlockNum counted up from 0 with a wrap at 65535 (DFU 1.1 6.1, 6.2). Loaders may test the number,
// compute the address from it, or ignore it; this order suits all of them.

#ifndef CONFORMANCE_DOWNLOAD_H
#define CONFORMANCE_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/probe.h>

// ---- Upload, from any state ----

enum {
    UPLOAD_MOST_BYTES = 16 << 20,
    UPLOAD_LIMIT_MS = 600000,
};

// All that the device uploads, or most bytes of it; the device is in dfuIDLE or dfuUPLOAD-IDLE
// afterwards. *ret_bytes is allocated, to be freed. Returns false with the reason in why.
bool upload_all(struct probe *probe,
                size_t most,
                uint8_t **ret_bytes,
                size_t *ret_length,
                char *why,
                size_t size);

// ---- Download, from any state ----

// All of bytes, to dfuDNLOAD-IDLE. Returns false with the reason in why.
bool download_bytes(
    struct probe *probe, const uint8_t *bytes, size_t length, char *why, size_t size);

// The image that is kept (backup.h), the same way; or without its last block.
bool download_image(struct probe *probe, char *why, size_t size);
bool download_all_but_last(struct probe *probe, char *why, size_t size);

// Single blocks of that image. begin: to dfuIDLE, and the next block is the first one. Behind the
// last block next_block sends that again, under its own number. end: the zero-length DNLOAD that
// begins manifestation. Both return what probe_control() returns.
void download_begin(struct probe *probe);
int download_next_block(struct probe *probe);
int download_end(struct probe *probe);

// Manifestation, to its end: dfuIDLE, dfuMANIFEST-WAIT-RESET or a device that has left. Returns
// false with the reason in why; *ret_last is what GETSTATUS said last.
bool download_manifest(struct probe *probe,
                       struct dfu_status_reply *ret_last,
                       char *why,
                       size_t size);

// Was that dfuIDLE or dfuMANIFEST-WAIT-RESET?
bool download_has_manifested(const struct dfu_status_reply *status);

#endif
