// SPDX-License-Identifier: MIT
//
// setup_script.h - SETUP packets out of a script.

#ifndef FUZZ_SETUP_SCRIPT_H
#define FUZZ_SETUP_SCRIPT_H

#include "script.h"

// The 8 bytes of a SETUP packet to an interface: plausible more often than not.
static inline void script_setup(struct script *script, uint8_t interface, uint8_t setup[8])
{
    static const uint8_t types[8] = {0x21, 0xA1, 0x21, 0xA1, 0x00, 0x80, 0x01, 0x41};
    const uint8_t shape = script_u8(script);

    memset(setup, 0, 8);
    script_bytes(script, setup, 8);
    if (shape & 0x80) // just any bytes
        return;
    setup[0] = types[shape & 7];
    setup[4] = (shape & 0x40) ? setup[4] & 3 : interface;
    setup[5] = 0;
    setup[7] = 0;
    if (shape & 0x20)
        setup[6] = 0;
    if (shape & 0x10)
        setup[1] &= 7;
}

#endif
