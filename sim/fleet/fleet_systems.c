// SPDX-License-Identifier: MIT
//
// Descriptors for the host's operating system and browser: BOS, Microsoft OS 1.0 and 2.0, WebUSB.

#include <sim/fleet.h>

enum { VENDOR_CODE = 0x20 };

static const uint8_t lpm_bos[] = {5, USBDEV_DT_BOS, 12, 0, 1, 7, 0x10, 2, 0x02, 0, 0, 0};

static const uint8_t ms_os_2_bos[] = {
    5,    USBDEV_DT_BOS, 33,   0,    1,    28,   0x10, 5,    0,    0xDF,        0x60,
    0xDD, 0xD8,          0x89, 0x45, 0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D,        0x9E,
    0x64, 0x8A,          0x9F, 0,    0,    3,    6,    30,   0,    VENDOR_CODE, 0,
};
static const uint8_t ms_os_2_set[] = {
    10, 0, 0, 0, 0,   0,   3,   6,   30,  0, // header
    20, 0, 3, 0, 'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
};

static const uint8_t webusb_bos[] = {
    5,    USBDEV_DT_BOS, 29,   0,    1,    24,   0x10, 5,           0,    0x38,
    0xB6, 0x08,          0x34, 0xA9, 0x09, 0xA0, 0x47, 0x8B,        0xFD, 0xA0,
    0x76, 0x88,          0x15, 0xB6, 0x65, 0x00, 0x01, VENDOR_CODE, 1,
};
static const uint8_t webusb_url[] = {14,  3,   1,   'e', 'x', 'a', 'm',
                                     'p', 'l', 'e', '.', 'o', 'r', 'g'};

static const uint8_t ms_os_1_compatible_id[40] = {
    40, 0, 0, 0, 0, 1, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 'W', 'I', 'N', 'U', 'S', 'B',
};

static int give(struct usbdev_request *request, const uint8_t *bytes, uint16_t length)
{
    request->data = (uint8_t *)(uintptr_t)bytes; // only read: the request is IN
    request->length = length;
    return 0;
}

static bool asks(const struct usbdev_request *request, uint16_t wIndex)
{
    return request->setup.bmRequestType == (USBDEV_DIR_IN | USBDEV_TYPE_VENDOR) &&
           request->setup.bRequest == VENDOR_CODE && request->setup.wIndex == wIndex;
}

static int ms_os_1_setup(void *context, struct usbdev_request *request)
{
    (void)context;
    return asks(request, 4) ? give(request, ms_os_1_compatible_id, sizeof ms_os_1_compatible_id)
                            : USBDEV_STALL;
}

static int ms_os_2_setup(void *context, struct usbdev_request *request)
{
    (void)context;
    return asks(request, 7) ? give(request, ms_os_2_set, sizeof ms_os_2_set) : USBDEV_STALL;
}

static int webusb_setup(void *context, struct usbdev_request *request)
{
    (void)context;
    return asks(request, 2) && request->setup.wValue == 1
               ? give(request, webusb_url, sizeof webusb_url)
               : USBDEV_STALL;
}

// String EEh: "MSFT100" and the vendor code.
static const char *ms_os_1_string(uint8_t index, uint16_t langid)
{
    (void)langid;
    return index == 0xEE ? "MSFT100\x20" : NULL;
}

static const struct usbdev_handler ms_os_1_handler = {.setup = ms_os_1_setup};
static const struct usbdev_handler ms_os_2_handler = {.setup = ms_os_2_setup};
static const struct usbdev_handler webusb_handler = {.setup = webusb_setup};

static const struct product_shape with_lpm = {.bcdUSB = 0x0201, .bos = lpm_bos};
static const struct product_shape with_ms_os_1 = {.handler = &ms_os_1_handler,
                                                  .string = ms_os_1_string};
static const struct product_shape with_ms_os_2 = {
    .bcdUSB = 0x0210, .bos = ms_os_2_bos, .handler = &ms_os_2_handler};
static const struct product_shape with_webusb = {
    .bcdUSB = 0x0210, .bos = webusb_bos, .handler = &webusb_handler};

const struct variation fleet_of_systems[] = {
    {
        .model = {.name = "bos-lpm",
                  .summary = "bcdUSB 0201h and a BOS with link power management",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_lpm},
        .allowed_by = "USB 2.0 LPM ECN 3",
    },
    {
        .model = {.name = "ms-os-1",
                  .summary = "Microsoft's OS string EEh and its vendor request",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_ms_os_1},
        .allowed_by = "Microsoft OS 1.0 descriptors; USB 2.0 9.2: vendor requests",
    },
    {
        .model = {.name = "ms-os-2",
                  .summary = "Microsoft's OS 2.0 descriptors in a BOS",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_ms_os_2},
        .allowed_by = "Microsoft OS 2.0 descriptors; USB 3.2 9.6.2: platform capability",
    },
    {
        .model = {.name = "webusb",
                  .summary = "a landing page in a BOS",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_webusb},
        .allowed_by = "WebUSB 4; USB 3.2 9.6.2: platform capability",
    },
    {.allowed_by = NULL},
};
