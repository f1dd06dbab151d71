// SPDX-License-Identifier: MIT

#include "option_table.h"

const struct option_row option_table[] = {
    {"device", 'd', OPTIONS_DEVICE, "NAME", "a device of dfu-sim list; by default will-detach"},
    {"firmware", 'f', OPTIONS_DEVICE, "FILE",
     "an image (ELF, hex, bin or .dfu) on the virtual STM32F072"},
    {"chip", 'C', OPTIONS_DEVICE, "NAME",
     "its chip: f072 (default), f042, f070 (the xB) or f070x6"},
    {"boot", 'B', OPTIONS_DEVICE, "ADDRESS",
     "where the image's vector table is, behind a boot loader"},
    {"pin", 'P', OPTIONS_DEVICE, "PIN=LEVEL[@MS][,...]",
     "drive a pin from power-on, or from MS ms after it: PA1=0"},
    {"uart", 'U', OPTIONS_DEVICE, "FILE", "write what its USARTs send; - is standard output"},
    {"gdb", 'G', OPTIONS_DEVICE, "PORT", "wait at reset for GDB on 127.0.0.1; 0 takes a free port"},
    {"defect", 'x', OPTIONS_DEVICE, "NAME",
     "give the device a defect of dfu-sim list, or two: A+B"},
    {"serial", 's', OPTIONS_DEVICE, "TEXT",
     "serial number of a native device; of all, with --count"},
    {"away", 'a', OPTIONS_DEVICE, "MS", "stay off the bus for MS each time the device leaves it"},
    {"unplug", 'u', OPTIONS_DEVICE, "N", "unplug the device at the N-th control request"},
    {"flash", 'm', OPTIONS_DEVICE, "FILE", "keep the contents of the flash memory in this file"},
    {"trace", 't', OPTIONS_DEVICE, "WHAT",
     "write some of instructions,mmio,states,packets to stderr"},
    {"listen", 'l', OPTIONS_LISTEN, "ADDR:PORT|unix:PATH",
     "by default 127.0.0.1:3240; port 0 takes a free one; unix: is for this user"},
    {"count", 'n', OPTIONS_COUNT, "N", "so many devices of the kind, 1 to 4096"},
    {"via", 'v', OPTIONS_VIA, "MEANS", "auto (default), vhci, guest or mock"},
    {"capture", 'c', OPTIONS_CAPTURE, "FILE", "write the traffic as pcapng, for Wireshark"},
    {"help", 'h', 0, NULL, "print this"},
    {0},
};
_Static_assert(sizeof option_table / sizeof *option_table <= OPTION_TABLE_MAX, "raise the limit");
