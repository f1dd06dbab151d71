// SPDX-License-Identifier: MIT
//
// usbdev_webusb.h - descriptors for Windows and browsers: Microsoft OS 2.0 descriptors, which bind
// WinUSB to one function without an .inf file, and WebUSB. An option of a full usbdev; a device
// that does not name usbdev_webusb_handler pays nothing for it.
//
// A product does four things:
//
//   bcdUSB 0210h            in its device descriptor, so that hosts ask for the BOS (WebUSB 4.1);
//   struct usbdev_config    .bos points at a BOS made of the macros below;
//   a struct usbdev_webusb  with the two replies;
//   a struct usbdev_function {.handler = &usbdev_webusb_handler, .context = the struct,
//                           .device_requests = true}, which has no interface. A product with vendor
//                           requests to the device of its own calls usbdev_webusb_handler.setup
//                           from its own handler instead.
//
//     static const uint8_t ms_os_20[MS_OS_20_SIZE] = {
//         USBDEV_MS_OS_20_SET_HEADER(MS_OS_20_SIZE),
//         USBDEV_MS_OS_20_CONFIGURATION(MS_OS_20_SIZE),
//         USBDEV_MS_OS_20_FUNCTION(DFU_INTERFACE, MS_OS_20_SIZE),
//         USBDEV_MS_OS_20_WINUSB,
//         USBDEV_MS_OS_20_INTERFACE_GUID(0x01234567, 0x89AB, 0x4CDE, 0x8123, 0x4567, 0x89ABCDEF),
//     };
//
// The subsets by configuration and function are for a device of several interfaces. Windows takes
// one with a single interface as a whole: leave both out there.

#ifndef DFURT_USBDEV_WEBUSB_H
#define DFURT_USBDEV_WEBUSB_H

#include <dfurt/usbdev.h>

#ifdef __cplusplus
extern "C" {
#endif

// wIndex of the vendor requests, which are to the device and IN.
enum {
    USBDEV_WEBUSB_GET_URL = 2,   // WebUSB 4.2.1; wValue is the index of the URL
    USBDEV_MS_OS_20_GET_SET = 7, // MS_OS_20_DESCRIPTOR_INDEX
};

struct usbdev_webusb {
    uint8_t bVendorCode;     // bRequest of both, as in the BOS
    const uint8_t *ms_os_20; // descriptor set; NULL: the request STALLs
    const uint8_t *url;      // URL descriptor 1 (WebUSB 4.3.1); NULL: the request STALLs
};

// Answers both requests; its context is a const struct usbdev_webusb.
extern const struct usbdev_handler usbdev_webusb_handler;

// ---- The BOS (USB 3.2 9.6.2) ----

enum {
    USBDEV_BOS_HEADER_SIZE = 5,
    USBDEV_MS_OS_20_CAPABILITY_SIZE = 28,
    USBDEV_WEBUSB_CAPABILITY_SIZE = 24,
};

#define USBDEV_BOS_HEADER(wTotalLength, bNumDeviceCaps)                                            \
    USBDEV_BOS_HEADER_SIZE, USBDEV_DT_BOS, (uint8_t)(wTotalLength),                                \
        (uint8_t)((wTotalLength) >> 8), (bNumDeviceCaps)

// A platform capability, {D8DD60DF-4589-4CC7-9CD2-659D9E648A9F}: from Windows 8.1 on.
#define USBDEV_MS_OS_20_CAPABILITY(set_length, bVendorCode)                                        \
    USBDEV_MS_OS_20_CAPABILITY_SIZE, 16, 5, 0, 0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C,     \
        0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F, 0, 0, 3, 6, (uint8_t)(set_length),         \
        (uint8_t)((set_length) >> 8), (bVendorCode), 0

// {3408B638-09A9-47A0-8BFD-A0768815B665}. iLandingPage 1 is the url above, 0: there is none.
#define USBDEV_WEBUSB_CAPABILITY(bVendorCode, iLandingPage)                                        \
    USBDEV_WEBUSB_CAPABILITY_SIZE, 16, 5, 0, 0x38, 0xB6, 0x08, 0x34, 0xA9, 0x09, 0xA0, 0x47, 0x8B, \
        0xFD, 0xA0, 0x76, 0x88, 0x15, 0xB6, 0x65, 0, 1, (bVendorCode), (iLandingPage)

// ---- The Microsoft OS 2.0 descriptor set ----

enum {
    USBDEV_MS_OS_20_SET_HEADER_SIZE = 10,
    USBDEV_MS_OS_20_SUBSET_SIZE = 8,
    USBDEV_MS_OS_20_WINUSB_SIZE = 20,
    USBDEV_MS_OS_20_INTERFACE_GUID_SIZE = 132,
};

#define USBDEV_MS_OS_20_SET_HEADER(set_length)                                                     \
    USBDEV_MS_OS_20_SET_HEADER_SIZE, 0, 0, 0, 0, 0, 3, 6, (uint8_t)(set_length),                   \
        (uint8_t)((set_length) >> 8)

// What follows is for the first configuration; set_length is that of the whole set.
#define USBDEV_MS_OS_20_CONFIGURATION(set_length)                                                  \
    USBDEV_MS_OS_20_SUBSET_SIZE, 0, 1, 0, 0, 0,                                                    \
        (uint8_t)((set_length)-USBDEV_MS_OS_20_SET_HEADER_SIZE),                                   \
        (uint8_t)(((set_length)-USBDEV_MS_OS_20_SET_HEADER_SIZE) >> 8)

// What follows is for the function that begins at this interface, to the end of the set.
#define USBDEV_MS_OS_20_FUNCTION(bFirstInterface, set_length)                                      \
    USBDEV_MS_OS_20_SUBSET_SIZE, 0, 2, 0, (bFirstInterface), 0,                                    \
        (uint8_t)((set_length)-USBDEV_MS_OS_20_SET_HEADER_SIZE - USBDEV_MS_OS_20_SUBSET_SIZE),     \
        (uint8_t)(((set_length)-USBDEV_MS_OS_20_SET_HEADER_SIZE - USBDEV_MS_OS_20_SUBSET_SIZE) >>  \
                  8)

// The compatible id, for WinUSB.
#define USBDEV_MS_OS_20_WINUSB                                                                     \
    USBDEV_MS_OS_20_WINUSB_SIZE, 0, 3, 0, 'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

// The registry property DeviceInterfaceGUIDs, by which libusb and browsers find a WinUSB function:
// {data1-data2-data3-data4-high16low32}. Each product makes a GUID of its own (uuidgen).
#define USBDEV_MS_OS_20_INTERFACE_GUID(data1, data2, data3, data4, high16, low32)                  \
    USBDEV_MS_OS_20_INTERFACE_GUID_SIZE, 0, 4, 0, 7, 0, 42, 0, /* REG_MULTI_SZ */                  \
        'D', 0, 'e', 0, 'v', 0, 'i', 0, 'c', 0, 'e', 0, 'I', 0, 'n', 0, 't', 0, 'e', 0, 'r', 0,    \
        'f', 0, 'a', 0, 'c', 0, 'e', 0, 'G', 0, 'U', 0, 'I', 0, 'D', 0, 's', 0, 0, 0, 80, 0, '{',  \
        0, USBDEV_UTF16_HEX32(data1), '-', 0, USBDEV_UTF16_HEX16(data2), '-', 0,                   \
        USBDEV_UTF16_HEX16(data3), '-', 0, USBDEV_UTF16_HEX16(data4), '-', 0,                      \
        USBDEV_UTF16_HEX16(high16), USBDEV_UTF16_HEX32(low32), '}', 0, 0, 0, 0, 0

// A number as hexadecimal digits in UTF-16LE.
#define USBDEV_UTF16_DIGIT(digit)                                                                  \
    (uint8_t)(((digit)&0xF) < 10 ? '0' + ((digit)&0xF) : 'A' - 10 + ((digit)&0xF)), 0
#define USBDEV_UTF16_HEX16(value)                                                                  \
    USBDEV_UTF16_DIGIT((value) >> 12), USBDEV_UTF16_DIGIT((value) >> 8),                           \
        USBDEV_UTF16_DIGIT((value) >> 4), USBDEV_UTF16_DIGIT(value)
#define USBDEV_UTF16_HEX32(value)                                                                  \
    USBDEV_UTF16_HEX16((value) >> 16), USBDEV_UTF16_HEX16((value)&0xFFFF)

#ifdef __cplusplus
}
#endif

#endif
