// SPDX-License-Identifier: MIT
//
// backup.h - the firmware of a plain DFU 1.1 device, kept while checks write over it.
//
// Before the first check that writes, the whole firmware is uploaded; before the device leaves DFU
// mode, and at the end of the run, it is downloaded again if anything has written. A device that
// cannot upload is not written to. DfuSe needs none of this: there a check writes one page, and
// puts it back itself.

#ifndef CONFORMANCE_BACKUP_H
#define CONFORMANCE_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe;

enum { BACKUP_MAX = 1 << 20 }; // bytes

struct backup {
    uint8_t *bytes; // NULL: nothing is kept
    size_t length;
    bool dirty; // the device may hold something else now
};

// Keep the firmware, unless it is kept already. The device must be in dfuIDLE, and is again
// afterwards. Returns false with the reason in why.
bool backup_take(struct probe *probe, char *why, size_t size);

// Put it back if the device was written to. Afterwards the device is in dfuIDLE, or waits for the
// reset that ends DFU mode. Returns false with the reason in why.
bool backup_restore(struct probe *probe, char *why, size_t size);

void backup_finish(struct backup *backup);

#endif
