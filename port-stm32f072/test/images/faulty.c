// SPDX-License-Identifier: MIT
//
// A product with a common fault, for tests of the virtual board's diagnosis: dfu_only.c, and before
// the DFU class sees an UPLOAD its block is noted in the transfer that a DNLOAD begins. At run time
// there is none. The write goes to flash, which is no memory to write to, and raises HardFault
// (PM0215 2.4).

#include <dfurt/dfurt.h>

struct transfer {
    uint32_t length;
    uint32_t block;
};

static struct transfer *volatile transfer; // NULL outside a download

__attribute__((noinline)) static void note_block(uint16_t wBlockNum)
{
    transfer->block = wBlockNum;
}

// The linker puts these around dfurt_setup(): -Wl,--wrap.
int __real_dfurt_setup(struct dfurt *dfurt,
                       const struct usbdev_setup_packet *setup,
                       uint8_t *reply);
int __wrap_dfurt_setup(struct dfurt *dfurt,
                       const struct usbdev_setup_packet *setup,
                       uint8_t *reply);

int __wrap_dfurt_setup(struct dfurt *dfurt, const struct usbdev_setup_packet *setup, uint8_t *reply)
{
    if (setup->bRequest == DFURT_UPLOAD)
        note_block(setup->wValue);
    return __real_dfurt_setup(dfurt, setup, reply);
}
