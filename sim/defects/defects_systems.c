// SPDX-License-Identifier: MIT
//
// Devices that say wrong things to operating systems and browsers. Each is one fault of a device of
// the fleet (sim/fleet/fleet_systems.c), whose vendor code is 20h.

#include "defects_private.h"

enum { VENDOR_CODE = 0x20, FROM_DEVICE = USBDEV_DIR_IN | USBDEV_TYPE_VENDOR };

#define LPM(attributes) 7, 0x10, 2, attributes, 0, 0, 0
#define MS_OS_2_CAPABILITY(bLength)                                                                \
    bLength, 0x10, 5, 0, 0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D,   \
        0x9E, 0x64, 0x8A, 0x9F
#define WEBUSB_CAPABILITY(bLength)                                                                 \
    bLength, 0x10, 5, 0, 0x38, 0xB6, 0x08, 0x34, 0xA9, 0x09, 0xA0, 0x47, 0x8B, 0xFD, 0xA0, 0x76,   \
        0x88, 0x15, 0xB6, 0x65
#define WINUSB_ID(wLength)                                                                         \
    wLength, 0, 3, 0, 'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define COMPATIBLE_IDS(bcdVersion, wIndex, bCount, bFirstInterfaceNumber)                          \
    40, 0, 0, 0, 0, bcdVersion, wIndex, 0, bCount, 0, 0, 0, 0, 0, 0, 0, bFirstInterfaceNumber, 1,  \
        'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

#define SAYS_BOS(...) SAYS(USBDEV_DT_BOS, 0, __VA_ARGS__)

// What is said to the vendor request.
#define SAYS_TO_VENDOR(...)                                                                        \
    .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DEVICE, .bRequest = VENDOR_CODE,            \
                    .target = ANY_INDEX, .action = DO_REPLY, BYTES_IN(__VA_ARGS__)})

const struct sim_defect defects_of_systems[] = {
    {
        .name = "bos-header-length",
        .summary = "bLength of the BOS is 6",
        SAYS_BOS({6, USBDEV_DT_BOS, 12, 0, 1, LPM(2)}),
    },
    {
        .name = "bos-type",
        .summary = "bDescriptorType of the BOS is that of a capability",
        SAYS_BOS({5, 0x10, 12, 0, 1, LPM(2)}),
    },
    {
        .name = "bos-cut",
        .summary = "the BOS is a byte shorter than its wTotalLength",
        SAYS_BOS({5, USBDEV_DT_BOS, 13, 0, 1, LPM(2)}),
    },
    {
        .name = "bos-other-descriptor",
        .summary = "a descriptor in the BOS is no capability",
        SAYS_BOS({5, USBDEV_DT_BOS, 12, 0, 1, 7, 0x11, 2, 2, 0, 0, 0}),
    },
    {
        .name = "bos-capability-beyond",
        .summary = "a capability reaches past the end of the BOS",
        SAYS_BOS({5, USBDEV_DT_BOS, 12, 0, 1, 9, 0x10, 2, 2, 0, 0, 0}),
    },
    {
        .name = "bos-reserved-bit",
        .summary = "bit 0 of the USB 2.0 extension, which is reserved, is set",
        SAYS_BOS({5, USBDEV_DT_BOS, 12, 0, 1, LPM(3)}),
    },
    {
        .name = "ms-os-2-windows-8",
        .summary = "the capability of Microsoft OS 2.0 is for Windows 8.0, which knows none",
        SAYS_BOS({5, USBDEV_DT_BOS, 33, 0, 1, MS_OS_2_CAPABILITY(28), 0, 0, 2, 6, 30, 0,
                  VENDOR_CODE, 0}),
    },
    {
        .name = "ms-os-2-version",
        .summary = "the set of Microsoft OS 2.0 is for another Windows than announced",
        SAYS_TO_VENDOR({10,  0,   0,   0,   0,   0, 0, 10, 30, 0, 20, 0, 3, 0, 'W',
                        'I', 'N', 'U', 'S', 'B', 0, 0, 0,  0,  0, 0,  0, 0, 0, 0}),
    },
    {
        .name = "ms-os-1-version",
        .summary = "bcdVersion of the compatible ids of Microsoft OS 1.0 is 2.0",
        SAYS_TO_VENDOR({COMPATIBLE_IDS(2, 4, 1, 0)}),
    },
    {
        .name = "ms-os-1-index",
        .summary = "wIndex of the compatible ids of Microsoft OS 1.0 is 5",
        SAYS_TO_VENDOR({COMPATIBLE_IDS(1, 5, 1, 0)}),
    },
    {
        .name = "ms-os-1-absent-interface",
        .summary = "the compatible id of Microsoft OS 1.0 is for interface 9, and there is one",
        SAYS_TO_VENDOR({COMPATIBLE_IDS(1, 4, 1, 9)}),
    },
    {
        .name = "ms-os-1-silent",
        .summary = "string EEh is there, and its vendor request STALLs",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DEVICE, .bRequest = VENDOR_CODE,
                        .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "webusb-capability-long",
        .summary = "the capability of WebUSB is 25 bytes long",
        SAYS_BOS({5, USBDEV_DT_BOS, 30, 0, 1, WEBUSB_CAPABILITY(25), 0, 1, VENDOR_CODE, 1, 0}),
    },
    {
        .name = "webusb-url-type",
        .summary = "bDescriptorType of the landing page is 4",
        SAYS_TO_VENDOR({4, 4, 1, 'x'}),
    },
    {
        .name = "webusb-url-scheme",
        .summary = "bScheme of the landing page is 7",
        SAYS_TO_VENDOR({4, 3, 7, 'x'}),
    },
    {
        .name = "ms-os-2-announces-nothing",
        .summary = "the capability of Microsoft OS 2.0 names no descriptor set",
        SAYS_BOS({5, USBDEV_DT_BOS, 25, 0, 1, MS_OS_2_CAPABILITY(20)}),
    },
    {
        .name = "ms-os-2-announces-more",
        .summary = "the descriptor set of Microsoft OS 2.0 is shorter than announced",
        SAYS_BOS({5, USBDEV_DT_BOS, 33, 0, 1, MS_OS_2_CAPABILITY(28), 0, 0, 3, 6, 46, 0,
                  VENDOR_CODE, 0}),
    },
    {
        .name = "ms-os-2-other-code",
        .summary = "the vendor request of Microsoft OS 2.0 is another one than announced",
        SAYS_BOS({5, USBDEV_DT_BOS, 33, 0, 1, MS_OS_2_CAPABILITY(28), 0, 0, 3, 6, 30, 0,
                  VENDOR_CODE + 1, 0}),
    },
    {
        .name = "ms-os-2-set-total",
        .summary = "wTotalLength of the set of Microsoft OS 2.0 is another one than announced",
        SAYS_TO_VENDOR({10, 0, 0, 0, 0, 0, 3, 6, 20, 0, WINUSB_ID(20)}),
    },
    {
        .name = "ms-os-2-id-too-long",
        .summary = "the compatible id of Microsoft OS 2.0 reaches past the end of its set",
        SAYS_TO_VENDOR({10, 0, 0, 0, 0, 0, 3, 6, 30, 0, WINUSB_ID(22)}),
    },
    {
        .name = "ms-os-2-absent-interface",
        .summary = "the function of Microsoft OS 2.0 begins at interface 7, and there is one",
        SAYS_TO_VENDOR({10, 0,  0, 0, 0, 0, 3, 6, 30, 0, 8, 0, 2, 0, 7,
                        0,  20, 0, 6, 0, 8, 0, 1, 0,  6, 0, 5, 0, 1, 2}),
    },
    {
        .name = "ms-os-2-other-driver",
        .summary = "Microsoft OS 2.0 names another driver than WinUSB for DFU",
        SAYS_TO_VENDOR({10,  0,   0,   0,   0,   0, 3, 6, 30, 0, 20, 0, 3, 0, 'L',
                        'I', 'B', 'U', 'S', 'B', 0, 0, 0, 0,  0, 0,  0, 0, 0, 0}),
    },
    {
        .name = "ms-os-1-string-short",
        .summary = "string EEh is 16 bytes: the vendor code is missing",
        SAYS(USBDEV_DT_STRING,
             0xEE,
             {16, USBDEV_DT_STRING, 'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0', 0}),
    },
    {
        .name = "ms-os-1-count",
        .summary = "the compatible ids of Microsoft OS 1.0 count two functions, and are one",
        SAYS_TO_VENDOR({COMPATIBLE_IDS(1, 4, 2, 0)}),
    },
    {
        .name = "webusb-version",
        .summary = "bcdVersion of WebUSB has its bytes swapped",
        SAYS_BOS({5, USBDEV_DT_BOS, 29, 0, 1, WEBUSB_CAPABILITY(24), 0x01, 0x00, VENDOR_CODE, 1}),
    },
    {
        .name = "webusb-no-page",
        .summary = "the landing page of WebUSB is not returned",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DEVICE, .bRequest = VENDOR_CODE,
                        .target = ANY_INDEX, .action = DO_STALL}),
    },
    {0},
};
