// SPDX-License-Identifier: MIT
//
// fleet.h - devices that are legal, each with an unusual choice.
//
// A conformance suite must not fail a device for a choice that a specification leaves to it. Each
// variation is a native board without defects that makes one such choice, with the sentence that
// allows it: the document and its section. It is written as the defects are (defect.h): patches,
// rules and hooks, which here break no requirement.
//
// A new variation is a new row in the group of its subject, fleet_*.c.

#ifndef SIM_FLEET_H
#define SIM_FLEET_H

#include <sim/board_model.h>
#include <sim/defect.h>
#include <sim/name.h>

struct variation {
    struct board_model model;
    const char *allowed_by; // document and section, and what it says, in our words
    struct sim_defect way;  // how it differs from what the model's parts do; its name is not used
};

// Groups, each terminated by a NULL name.
extern const struct variation fleet_of_descriptors[];
extern const struct variation fleet_of_systems[];
extern const struct variation fleet_of_functions[];
extern const struct variation fleet_of_speeds[];
extern const struct variation fleet_of_requests[];
extern const struct variation fleet_of_timing[];
extern const struct variation fleet_of_limits[];
extern const struct variation fleet_of_loaders[];
extern const struct variation fleet_of_layouts[];
extern const struct variation fleet_of_makers[];
extern const struct variation fleet_of_products[];

// NULL: no such variation.
const struct variation *fleet_find(const char *name);

// Terminated by a NULL name; the summary ends with the sentence that allows it.
const struct sim_name *fleet_names(void);

// How the boot loaders of the rows are written: DFU 1.1 alone, manifestation tolerant or not; and
// DfuSe. What follows is more fields of struct bootloader_identity.
enum {
    FLEET_BOTH_WAYS = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD,
    FLEET_TOLERANT = FLEET_BOTH_WAYS | DFURT_ATTR_MANIFESTATION_TOLERANT | DFURT_ATTR_WILL_DETACH,
};

#define FLEET_PLAIN(size, attributes, ...) FLEET_PLAIN_OF(1000, size, attributes, __VA_ARGS__)
#define FLEET_PLAIN_OF(timeout_ms, size, attributes, ...)                                          \
    &(const struct bootloader_identity)                                                            \
    {                                                                                              \
        BOOTLOADER_PLAIN(timeout_ms, size, attributes), .alternates = {"Firmware"}, __VA_ARGS__    \
    }

#define FLEET_DFUSE(size, ...)                                                                     \
    &(const struct bootloader_identity)                                                            \
    {                                                                                              \
        .dialect = &dfu_dialect_dfuse, .bcdUSB = 0x0100, .idVendor = 0x0483, .idProduct = 0xDF11,  \
        .bcdDevice = 0x2200, .wDetachTimeOut = 255, .wTransferSize = (size),                       \
        .bcdDFUVersion = 0x011A, .bmAttributes = FLEET_BOTH_WAYS | DFURT_ATTR_WILL_DETACH,         \
        .manufacturer = "STMicroelectronics", .product = "STM32  BOOTLOADER", __VA_ARGS__          \
    }

// Pages of several sizes, for .flash.groups.
#define FLEET_GROUPS(...)                                                                          \
    (const struct memory_group[])                                                                  \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

#endif
