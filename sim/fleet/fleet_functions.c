// SPDX-License-Identifier: MIT
//
// Products with other functions beside DFU: classes whose descriptors look like DFU's or break a
// simple walker, associations, alternate settings, endpoints of every kind.

#include "fleet_rows.h"

// ---- HID 1.11 ----

static const uint8_t keyboard_report[] = {0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0x05, 0x07,
                                          0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01,
                                          0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0xC0};

#define HID(number, address)                                                                       \
    INTERFACE(number, 0, 1, 3, 0, 0, 0), 9, 0x21, 0x11, 0x01, 0, 1, 0x22, sizeof keyboard_report,  \
        0, ENDPOINT(address, USBDEV_ENDPOINT_INTERRUPT, 8, 10)

static const uint8_t hid_before[] = {HID(0, 0x81)};
static const uint8_t hid_after[] = {HID(1, 0x81)};
static const uint8_t hid_twice[] = {HID(0, 0x81), HID(1, 0x82)};

enum { HID_REPORT = 0x22, HID_SET_IDLE = 0x0A };

static int hid_setup(void *context, struct usbdev_request *request)
{
    const struct usbdev_setup_packet *setup = &request->setup;

    (void)context;
    if (setup->bmRequestType == (USBDEV_DIR_IN | USBDEV_RECIPIENT_INTERFACE) &&
        setup->wValue == HID_REPORT << 8) {
        request->data = (uint8_t *)(uintptr_t)keyboard_report; // only read: the request is IN
        request->length = sizeof keyboard_report;
        return 0;
    }
    return setup->bmRequestType == TO_DFU && setup->bRequest == HID_SET_IDLE ? 0 : USBDEV_STALL;
}

static const struct usbdev_handler hid = {.setup = hid_setup};

static const struct product_shape with_hid_before = {.before = STANDS(hid_before, 1),
                                                     .handler = &hid};
static const struct product_shape with_hid_after = {.after = STANDS(hid_after, 1), .handler = &hid};
static const struct product_shape with_two_hids = {.before = STANDS(hid_twice, 2), .handler = &hid};

// ---- CDC 1.2 ----

static const uint8_t acm[] = {
    ASSOCIATION(0, 2, 2, 2, 1, 0),
    INTERFACE(0, 0, 1, 2, 2, 1, 0),
    DESCRIPTOR(5, 0x24, 0x00, 0x20, 0x01), // header
    DESCRIPTOR(5, 0x24, 0x01, 0x00, 1),    // call management
    DESCRIPTOR(4, 0x24, 0x02, 0x02),       // ACM
    DESCRIPTOR(5, 0x24, 0x06, 0, 1),       // union
    ENDPOINT(0x82, USBDEV_ENDPOINT_INTERRUPT, 8, 16),
    INTERFACE(1, 0, 2, 0x0A, 0, 0, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),
};

enum { STRING_MAC = 5 };

static const uint8_t ecm[] = {
    ASSOCIATION(0, 2, 2, 6, 0, 0),
    INTERFACE(0, 0, 1, 2, 6, 0, 0),
    DESCRIPTOR(5, 0x24, 0x00, 0x20, 0x01),                                   // header
    DESCRIPTOR(5, 0x24, 0x06, 0, 1),                                         // union
    DESCRIPTOR(13, 0x24, 0x0F, STRING_MAC, 0, 0, 0, 0, 0xEA, 0x05, 0, 0, 0), // Ethernet
    ENDPOINT(0x82, USBDEV_ENDPOINT_INTERRUPT, 16, 16),
    INTERFACE(1, 0, 0, 0x0A, 0, 0, 0), // no endpoints until the host wants data
    INTERFACE(1, 1, 2, 0x0A, 0, 0, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),
};

static const char *mac_address(uint8_t index, uint16_t langid)
{
    return index == STRING_MAC && langid == 0x0409 ? "02005E001001" : NULL;
}

static const struct product_shape with_acm = {.before = STANDS(acm, 2),
                                              .device_class = ASSOCIATIONS_FOLLOW};
static const struct product_shape with_ecm = {
    .before = STANDS(ecm, 2), .device_class = ASSOCIATIONS_FOLLOW, .string = mac_address};

// ---- Audio 1.0: isochronous endpoints with descriptors of 9 bytes, in alternate 1 ----

static const uint8_t audio[] = {
    INTERFACE(0, 0, 0, 1, 1, 0, 0),
    DESCRIPTOR(9, 0x24, 0x01, 0x00, 0x01, 30, 0, 1, 1),          // header
    DESCRIPTOR(12, 0x24, 0x02, 1, 0x01, 0x01, 0, 2, 3, 0, 0, 0), // input terminal: USB
    DESCRIPTOR(9, 0x24, 0x03, 2, 0x01, 0x03, 0, 1, 0),           // output terminal: speaker
    INTERFACE(1, 0, 0, 1, 2, 0, 0),
    INTERFACE(1, 1, 1, 1, 2, 0, 0),
    DESCRIPTOR(7, 0x24, 0x01, 1, 1, 1, 0),                          // general
    DESCRIPTOR(11, 0x24, 0x02, 1, 2, 2, 16, 1, 0x80, 0xBB, 0),      // 48 kHz, 2 * 16 bits
    DESCRIPTOR(9, USBDEV_DT_ENDPOINT, 0x01, 0x09, 192, 0, 1, 0, 0), // isochronous, adaptive
    DESCRIPTOR(7, 0x25, 0x01, 0, 0, 0, 0),
};

static const struct product_shape with_audio = {.before = STANDS(audio, 2)};

// ---- Others ----

static const uint8_t mass_storage[] = {
    INTERFACE(0, 0, 2, 8, 6, 0x50, 0),
    ENDPOINT(0x01, USBDEV_ENDPOINT_BULK, 64, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 64, 0),
};

// It reads no command. After a packet that is none it STALLs both endpoints, and does so again
// where the host clears one of the two halts (Bulk-Only Transport 1.0, 6.6.1); SET_CONFIGURATION
// and a bus reset end that.
enum { DISK_OUT = 0x01, DISK_IN = 0x81 };

static int disk_setup(void *context, struct usbdev_request *request)
{
    (void)context, (void)request;
    return USBDEV_STALL;
}

static void disk_set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    struct runtime *runtime = context;

    (void)bInterfaceNumber, (void)bAlternateSetting;
    usbdev_receive(&runtime->native.dev, DISK_OUT);
}

static void
disk_out_done(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    struct runtime *runtime = context;

    (void)bEndpointAddress, (void)data, (void)length;
    usbdev_halt(&runtime->native.dev, DISK_OUT);
    usbdev_halt(&runtime->native.dev, DISK_IN);
}

static void disk_halt(void *context, uint8_t bEndpointAddress, bool halted)
{
    struct usbdev *dev = &((struct runtime *)context)->native.dev;

    if (halted)
        return;
    if (dev->halted != 0)
        usbdev_halt(dev, bEndpointAddress);
    else if (bEndpointAddress == DISK_OUT)
        usbdev_receive(dev, DISK_OUT);
}

static const struct usbdev_handler disk_handler = {
    .setup = disk_setup,
    .set_interface = disk_set_interface,
    .out_done = disk_out_done,
    .halt = disk_halt,
};

static const uint8_t second_control_pipe[] = {
    INTERFACE(0, 0, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x03, USBDEV_ENDPOINT_CONTROL, 64, 0),
};

static const uint8_t many_alternates[] = {
    INTERFACE(0, 0, 0, 0xFF, 0, 0, 0),
    INTERFACE(0, 1, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 8, 1),
    INTERFACE(0, 2, 1, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_INTERRUPT, 64, 1),
    INTERFACE(0, 3, 2, 0xFF, 0, 0, 0),
    ENDPOINT(0x81, USBDEV_ENDPOINT_BULK, 32, 0),
    ENDPOINT(0x02, USBDEV_ENDPOINT_BULK, 16, 0),
};

#define SETTING(n) INTERFACE(0, n, 0, 0xFF, 0, 0, 0)
#define FOUR_SETTINGS(n) SETTING(n), SETTING((n) + 1), SETTING((n) + 2), SETTING((n) + 3)
#define SIXTEEN_SETTINGS(n)                                                                        \
    FOUR_SETTINGS(n), FOUR_SETTINGS((n) + 4), FOUR_SETTINGS((n) + 8), FOUR_SETTINGS((n) + 12)

static const uint8_t seventy_settings[] = {
    SIXTEEN_SETTINGS(0), SIXTEEN_SETTINGS(16), SIXTEEN_SETTINGS(32), SIXTEEN_SETTINGS(48),
    FOUR_SETTINGS(64),   SETTING(68),          SETTING(69),
};

static const uint8_t seven_vendor_interfaces[] = {
    INTERFACE(1, 0, 0, 0xFF, 0, 0, 0), INTERFACE(2, 0, 0, 0xFF, 0, 0, 0),
    INTERFACE(3, 0, 0, 0xFF, 0, 0, 0), INTERFACE(4, 0, 0, 0xFF, 0, 0, 0),
    INTERFACE(5, 0, 0, 0xFF, 0, 0, 0), INTERFACE(6, 0, 0, 0xFF, 0, 0, 0),
    INTERFACE(7, 0, 0, 0xFF, 0, 0, 0),
};

static const struct product_shape with_storage = {.before = STANDS(mass_storage, 1),
                                                  .handler = &disk_handler};
static const struct product_shape with_control = {.before = STANDS(second_control_pipe, 1)};
static const struct product_shape with_alternates = {.before = STANDS(many_alternates, 1)};
static const struct product_shape with_seventy = {.before = STANDS(seventy_settings, 1)};
static const struct product_shape dfu_first = {.after = STANDS(seven_vendor_interfaces, 7)};

const struct variation fleet_of_functions[] = {
    {
        .model = {.name = "hid-before",
                  .summary = "a HID, whose descriptor has DFU's type 21h, before DFU",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_hid_before},
        .allowed_by = "USB 2.0 9.5: class descriptors follow the interface that they extend",
    },
    {
        .model = {.name = "hid-after",
                  .summary = "a HID after DFU",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_hid_after},
        .allowed_by = "USB 2.0 9.5: class descriptors follow the interface that they extend",
    },
    {
        .model = {.name = "two-hids",
                  .summary = "two HIDs before DFU",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_two_hids},
        .allowed_by = "USB 2.0 9.5: class descriptors follow the interface that they extend",
    },
    {
        .model = {.name = "cdc-acm",
                  .summary = "a serial port of two associated interfaces before DFU",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_acm},
        .allowed_by = "USB 2.0 ECN Interface Association; CDC 1.2 4.8",
    },
    {
        .model = {.name = "cdc-ecm",
                  .summary = "a network adapter whose endpoints are in alternate 1 only",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_ecm},
        .allowed_by = "CDC 1.2 4.3, ECM 1.2 3.3: alternate 0 of the data interface has none",
    },
    {
        .model = {.name = "audio",
                  .summary = "isochronous endpoints with descriptors of 9 bytes, in alternate 1",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_audio},
        .allowed_by = "Audio 1.0 4.6.1.1; USB 2.0 5.6.3: no bandwidth in alternate 0",
    },
    {
        .model = {.name = "mass-storage",
                  .summary = "a bulk-only disk before DFU",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_storage},
        .allowed_by = "USB 2.0 9.6.5: a configuration has any interfaces",
    },
    {
        .model = {.name = "second-control-pipe",
                  .summary = "an interface with a control endpoint of its own",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_control},
        .allowed_by = "USB 2.0 5.5, 9.6.6: an endpoint may be of type control",
    },
    {
        .model = {.name = "many-alternates",
                  .summary = "an interface of four settings, one endpoint of another type in each",
                  .bootloader = &bootloader_st_rom,
                  .product = &with_alternates},
        .allowed_by = "USB 2.0 9.6.5: alternate settings vary the endpoints",
    },
    {
        .model = {.name = "70-settings",
                  .summary = "an interface of 70 settings before DFU",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &with_seventy},
        .allowed_by = "USB 2.0 9.6.5: bAlternateSetting is a byte",
    },
    {
        .model = {.name = "dfu-first-of-eight",
                  .summary = "DFU is interface 0 of eight",
                  .bootloader = &bootloader_st_rom,
                  .product = &dfu_first},
        .allowed_by = "DFU 1.1 4.1.2: bInterfaceNumber is any number",
    },
    {.allowed_by = NULL},
};
