// SPDX-License-Identifier: MIT
//
// names.h - states, status codes and requests by the names that the specifications give them.

#ifndef USB_NAMES_H
#define USB_NAMES_H

#include <stdint.h>

// DFU 1.1 6.1.2: "appIDLE", ..., "dfuERROR"; "a state out of range" for others.
const char *usb_dfu_state_name(uint8_t bState);

// DFU 1.1 6.1.2: "OK", "errTARGET", ..., "errSTALLEDPKT"; "a status out of range" for others.
const char *usb_dfu_status_name(uint8_t bStatus);

// DFU 1.1 table 3.2: "DETACH", ..., "ABORT"; NULL for others.
const char *usb_dfu_request_name(uint8_t bRequest);

// USB 2.0 table 9-4: "GET_STATUS", ..., "SYNCH_FRAME"; NULL for others.
const char *usb_standard_request_name(uint8_t bRequest);

#endif
