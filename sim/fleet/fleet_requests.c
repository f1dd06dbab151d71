// SPDX-License-Identifier: MIT
//
// Devices that STALL optional requests, and accept requests of their own.

#include <string.h>

#include <sim/fleet.h>

static uint8_t type_of(const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType & USBDEV_TYPE_MASK;
}

static bool is_class_request_to_interface(const struct usbdev_setup_packet *setup)
{
    return type_of(setup) == USBDEV_TYPE_CLASS &&
           (setup->bmRequestType & USBDEV_RECIPIENT_MASK) == USBDEV_RECIPIENT_INTERFACE;
}

// The upper byte of wIndex is reserved: this device does not look at it. usbdev does, so it is
// handed the request without it, a millisecond later.
static int drop_upper_byte(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet low = *setup;

    low.wIndex &= 0xFF;
    if (!is_class_request_to_interface(setup) || low.wIndex == setup->wIndex ||
        (setup->wLength > 0 && !(setup->bmRequestType & USBDEV_DIR_IN)))
        return NATIVE_PASS;
    usbdev_setup_store(view->delayed, &low);
    view->delay_ms = 1;
    return NATIVE_SILENT;
}

// A stack that decides on a request once it has its data. Those of the three types that it has are
// below 20h.
static int take_data_first(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool unknown =
        setup->bRequest > 0x20 || type_of(setup) == (USBDEV_TYPE_CLASS | USBDEV_TYPE_VENDOR);
    (void)view;
    if (!unknown || setup->wLength == 0 || (setup->bmRequestType & USBDEV_DIR_IN))
        return NATIVE_PASS;
    return NATIVE_STALL_STATUS;
}

// Vendor requests read and write the product's own 8 bytes.
static int vendor_request(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || type_of(setup) != USBDEV_TYPE_VENDOR)
        return NATIVE_PASS;
    if (!(setup->bmRequestType & USBDEV_DIR_IN))
        return 0;
    memset(view->reply, 0x5A, 8);
    return setup->wLength < 8 ? setup->wLength : 8;
}

// Not asked for more than it can wait, as AT91 and NXP devices do. In appDETACH any DETACH leads to
// appIDLE.
static int refuse_long_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || setup->bmRequestType != TO_DFU || setup->bRequest != DFURT_DETACH ||
        setup->wIndex != view->interface ||
        setup->wValue <= view->runtime->dfurt_config.wDetachTimeOut)
        return NATIVE_PASS;
    dfurt_cancel(&view->runtime->dfurt);
    return NATIVE_STALL;
}

// A class request with data in its own right, not DFU's, to the device.
static int class_request_of_the_device(struct defect_view *view,
                                       const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || setup->bmRequestType != (USBDEV_DIR_IN | USBDEV_TYPE_CLASS) ||
        setup->bRequest != 0xA0)
        return NATIVE_PASS;
    memset(view->reply, 0, 4);
    return setup->wLength < 4 ? setup->wLength : 4;
}

// HCI commands: bRequest decides nothing.
static int hci_command(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool commands = view->runtime && setup->bmRequestType == USBDEV_TYPE_CLASS;

    return commands && usbdev_state(&view->native->dev) == USBDEV_CONFIGURED ? 0 : NATIVE_PASS;
}

static int clear_halt_of_endpoint_0(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    bool clears = setup->bmRequestType == USBDEV_RECIPIENT_ENDPOINT &&
                  setup->bRequest == USBDEV_CLEAR_FEATURE &&
                  setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT && setup->wIndex == 0 &&
                  setup->wLength == 0;

    return clears && usbdev_state(&view->native->dev) == USBDEV_CONFIGURED ? 0 : NATIVE_PASS;
}

enum { IN_APP_IDLE = 1 << DFURT_STATE_appIDLE };

static const struct product_shape dfu_second = {
    .before = {(const uint8_t[]){9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xFF, 0, 0, 0}, 9, 1},
};

static const struct product_shape bluetooth = {
    .before = {(const uint8_t[]){9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xE0, 1, 1, 0}, 9, 1},
    .device_class = {0xE0, 0x01, 0x01},
};

const struct variation fleet_of_requests[] = {
    {
        .model = {.name = "set-interface-refused",
                  .summary = "SET_INTERFACE STALLs: there is one setting",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.4.10: a STALL may be returned where only one setting is there",
        .way = {.rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                .bRequest = USBDEV_SET_INTERFACE, .target = ANY_INDEX,
                                .action = DO_STALL})},
    },
    {
        .model = {.name = "set-interface-refused-in-dfu-mode",
                  .summary = "SET_INTERFACE STALLs in both modes",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 9.4.10: a STALL may be returned where only one setting is there",
        .way = {.rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                .bRequest = USBDEV_SET_INTERFACE, .target = ANY_INDEX,
                                .action = DO_STALL})},
    },
    {
        .model = {.name = "set-interface-refused-by-one-memory",
                  .summary = "SET_INTERFACE STALLs in both modes: DfuSe with one alternate",
                  .bootloader =
                      FLEET_DFUSE(1024,
                                  .choices = {.leaves_by_itself = true},
                                  .alternates = {"@Internal Flash  /0x08000000/064*0002Kg"})},
        .allowed_by = "USB 2.0 9.4.10: a STALL may be returned where only one setting is there",
        .way = {.rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                .bRequest = USBDEV_SET_INTERFACE, .target = ANY_INDEX,
                                .action = DO_STALL})},
    },
    {
        .model = {.name = "status-refused",
                  .summary = "GETSTATUS STALLs in appIDLE",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 A.2.1: GETSTATUS is optional there",
        .way = {.rules = RULES({AT_RUN_TIME, .states = IN_APP_IDLE, .bmRequestType = FROM_DFU,
                                .bRequest = DFURT_GETSTATUS, .action = DO_STALL})},
    },
    {
        .model = {.name = "status-names-a-string",
                  .summary = "iString of GETSTATUS in appIDLE names an existing string",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 6.1.2: iString is the index of a description, or 0",
        .way = {.rules = RULES({AT_RUN_TIME, .states = IN_APP_IDLE, .bmRequestType = FROM_DFU,
                                .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                                BYTES(0, 0, 0, 0, 0, 2)})},
    },
    {
        .model = {.name = "state-refused",
                  .summary = "GETSTATE STALLs in appIDLE",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 A.2.1: GETSTATE is optional there",
        .way = {.rules = RULES({AT_RUN_TIME, .states = IN_APP_IDLE, .bmRequestType = FROM_DFU,
                                .bRequest = DFURT_GETSTATE, .action = DO_STALL})},
    },
    {
        .model = {.name = "status-and-state-refused",
                  .summary = "GETSTATUS and GETSTATE STALL in appIDLE",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "DFU 1.1 A.2.1: both are optional there",
        .way = {.rules = RULES({AT_RUN_TIME, .states = IN_APP_IDLE, .bmRequestType = FROM_DFU,
                                .bRequest = DFURT_GETSTATUS, .action = DO_STALL},
                               {AT_RUN_TIME, .states = IN_APP_IDLE, .bmRequestType = FROM_DFU,
                                .bRequest = DFURT_GETSTATE, .action = DO_STALL})},
    },
    {
        .model = {.name = "low-byte-of-wIndex",
                  .summary = "compares the low byte of wIndex only",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 9.3.4: the upper byte is reserved, to be set to zero by the host",
        .way = {.setup = drop_upper_byte},
    },
    {
        .model = {.name = "data-before-stall",
                  .summary = "takes the data of an unknown request, and STALLs its status stage",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 8.5.3.4: STALL in the data or the status stage",
        .way = {.setup = take_data_first},
    },
    {
        .model = {.name = "vendor-requests",
                  .summary = "answers every vendor request",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.2: vendor requests are the vendor's",
        .way = {.setup = vendor_request},
    },
    {
        .model = {.name = "vendor-requests-beside",
                  .summary = "a vendor interface beside DFU answers every vendor request",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &dfu_second},
        .allowed_by = "USB 2.0 9.2: vendor requests are the vendor's",
        .way = {.setup = vendor_request},
    },
    {
        .model = {.name = "class-request-of-the-device",
                  .summary = "answers a class request of its own, to the device",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.2: class requests are those of the device's classes",
        .way = {.setup = class_request_of_the_device},
    },
    {
        .model = {.name = "bluetooth",
                  .summary = "takes each class request to the device, as a Bluetooth controller",
                  .bootloader = &bootloader_plain_wait_reset,
                  .product = &bluetooth},
        .allowed_by = "Bluetooth Core 4.B 2.2: HCI commands are class requests to the device",
        .way = {.setup = hci_command},
    },
    {
        .model = {.name = "long-detach-refused",
                  .summary = "STALLs a DETACH whose wValue is more than wDetachTimeOut",
                  .bootloader = FLEET_PLAIN_OF(300, 1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 5.1: wValue is to be no more than wDetachTimeOut",
        .way = {.setup = refuse_long_detach},
    },
    {
        .model = {.name = "any-detach-time-refused",
                  .summary = "leaves by itself; wDetachTimeOut 0, and STALLs any other wValue",
                  .bootloader = FLEET_PLAIN_OF(0, 1024, FLEET_TOLERANT, .choices = {0})},
        .allowed_by = "DFU 1.1 5.1: wValue is to be no more than wDetachTimeOut",
        .way = {.setup = refuse_long_detach},
    },
    {
        .model = {.name = "halt-of-endpoint-0",
                  .summary = "CLEAR_FEATURE(ENDPOINT_HALT) of endpoint 0 is accepted",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.4.5: the halt feature of the default pipe is not required",
        .way = {.setup = clear_halt_of_endpoint_0},
    },
    {.allowed_by = NULL},
};
