// SPDX-License-Identifier: MIT
//
// The descriptors are built from the identity when the boot loader starts. The DFU interface is a
// function of usbdev: handle_setup() passes class requests to dfu_mode, handle_data() hands it a
// block that has arrived, and a tick lets its work proceed. dfu_mode holds the state machine and
// knows no USB.

#include <sim/bootloader.h>

#include <string.h>

enum {
    STRING_MANUFACTURER = 1,
    STRING_PRODUCT = 2,
    STRING_SERIAL = 3,
    STRING_FIRST_ALTERNATE = 4,
};

const struct bootloader_identity bootloader_st_rom = {
    .dialect = &dfu_dialect_dfuse,
    .bcdUSB = 0x0100,
    .idVendor = 0x0483,
    .idProduct = 0xDF11,
    .bcdDevice = 0x2200,
    .wDetachTimeOut = 255,
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_WILL_DETACH,
    .choices = {.leaves_by_itself = true},
    .manufacturer = "STMicroelectronics",
    .product = "STM32  BOOTLOADER",
    .alternates = {"@Internal Flash  /0x08000000/064*0002Kg",
                   "@Option Bytes  /0x1FFFF800/01*016 e"},
};

#define PLAIN(attributes)                                                                          \
    {                                                                                              \
        BOOTLOADER_PLAIN(1000, 1024, attributes), .alternates = {"Firmware"},                      \
    }

const struct bootloader_identity bootloader_plain_tolerant =
    PLAIN(DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_MANIFESTATION_TOLERANT |
          DFURT_ATTR_WILL_DETACH);

const struct bootloader_identity bootloader_plain_wait_reset =
    PLAIN(DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD);

// ---- The DFU interface as a function of usbdev ----

static int handle_setup(void *context, struct usbdev_request *request)
{
    struct bootloader *bootloader = context;
    uint8_t bmRequestType = request->setup.bmRequestType & (uint8_t)~USBDEV_DIR_IN;
    const uint8_t *reply = NULL;
    int length;

    // All 16 bits of wIndex count; only class requests to the interface change the state.
    if (bmRequestType != (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE) ||
        request->setup.wIndex != 0)
        return USBDEV_STALL;
    length = dfu_mode_setup(&bootloader->dfu, &request->setup, &reply);
    if (length < 0)
        return USBDEV_STALL;
    if (request->setup.bmRequestType & USBDEV_DIR_IN) {
        request->data = (uint8_t *)(uintptr_t)reply; // only read: the request is IN
        request->length = (uint16_t)length;
    } else {
        request->data = bootloader->dfu.buffer;
    }
    return 0;
}

static int handle_data(void *context, struct usbdev_request *request)
{
    (void)request; // only DNLOAD has data
    dfu_mode_block(&((struct bootloader *)context)->dfu);
    return 0;
}

static void handle_set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    (void)bInterfaceNumber, (void)bAlternateSetting;
    dfu_mode_configured(&((struct bootloader *)context)->dfu);
}

static void handle_event(void *context, enum usbdev_event event)
{
    if (event == USBDEV_EVENT_BUS_RESET)
        dfu_mode_bus_reset(&((struct bootloader *)context)->dfu);
}

static void handle_tick(void *context, uint16_t elapsed_ms)
{
    dfu_mode_tick(&((struct bootloader *)context)->dfu, elapsed_ms);
}

static const struct usbdev_handler handler = {
    .setup = handle_setup,
    .data = handle_data,
    .set_interface = handle_set_interface,
    .event = handle_event,
    .tick = handle_tick,
};

// ---- Descriptors (DFU 1.1 4.2) ----

enum { ENGLISH = 0x0409 };

static uint16_t langid_of(const struct bootloader_identity *identity)
{
    return identity->langid > 0 ? identity->langid : ENGLISH;
}

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    const struct bootloader *bootloader = context;
    const char *const *alternates = bootloader->identity->alternates;

    if (langid != langid_of(bootloader->identity))
        return NULL;
    switch (index) {
    case STRING_MANUFACTURER:
        return bootloader->identity->manufacturer;
    case STRING_PRODUCT:
        return bootloader->identity->product;
    case STRING_SERIAL:
        return bootloader->serial;
    }
    for (uint8_t i = 0; alternates[i]; i++)
        if (index == STRING_FIRST_ALTERNATE + i)
            return alternates[i];
    return NULL;
}

static void build_device_descriptor(uint8_t *bytes, const struct bootloader_identity *identity)
{
    memset(bytes, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    bytes[0] = USBDEV_DEVICE_DESCRIPTOR_SIZE;
    bytes[1] = USBDEV_DT_DEVICE;
    usbdev_store_le16(bytes + 2, identity->bcdUSB);
    bytes[7] = identity->bMaxPacketSize0 > 0 ? identity->bMaxPacketSize0 : 64;
    usbdev_store_le16(bytes + 8, identity->idVendor);
    usbdev_store_le16(bytes + 10, identity->idProduct);
    usbdev_store_le16(bytes + 12, identity->bcdDevice);
    bytes[14] = identity->no_strings ? 0 : STRING_MANUFACTURER;
    bytes[15] = identity->no_strings ? 0 : STRING_PRODUCT;
    bytes[16] = identity->no_strings ? 0 : STRING_SERIAL;
    bytes[17] = 1; // bNumConfigurations
}

static uint8_t *put_interface(uint8_t *bytes, uint8_t bAlternateSetting, uint8_t iInterface)
{
    const uint8_t interface[USBDEV_INTERFACE_DESCRIPTOR_SIZE] = {
        USBDEV_INTERFACE_DESCRIPTOR_SIZE,
        USBDEV_DT_INTERFACE,
        0, // bInterfaceNumber
        bAlternateSetting,
        0, // bNumEndpoints
        DFURT_INTERFACE_CLASS,
        DFURT_INTERFACE_SUBCLASS,
        DFURT_PROTOCOL_DFU_MODE,
        iInterface,
    };

    memcpy(bytes, interface, sizeof interface);
    return bytes + sizeof interface;
}

static uint8_t *put_functional(uint8_t *bytes, const struct bootloader_identity *identity)
{
    bytes[0] = USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE;
    bytes[1] = USBDEV_DT_DFU_FUNCTIONAL;
    bytes[2] = identity->bmAttributes;
    usbdev_store_le16(bytes + 3, identity->wDetachTimeOut);
    usbdev_store_le16(bytes + 5, identity->wTransferSize);
    usbdev_store_le16(bytes + 7, identity->bcdDFUVersion);
    return bytes + USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE;
}

static void build_configuration(uint8_t *bytes, const struct bootloader_identity *identity)
{
    const uint8_t head[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE] = {
        USBDEV_CONFIGURATION_DESCRIPTOR_SIZE,
        USBDEV_DT_CONFIGURATION,
        0, // wTotalLength, below
        0,
        1,    // bNumInterfaces
        1,    // bConfigurationValue
        0,    // iConfiguration
        0xC0, // self-powered
        50,   // 100 mA
    };
    uint8_t *end = bytes + sizeof head;

    memcpy(bytes, head, sizeof head);
    for (uint8_t i = 0; identity->alternates[i]; i++)
        end =
            put_interface(end, i, identity->no_strings ? 0 : (uint8_t)(STRING_FIRST_ALTERNATE + i));
    end = put_functional(end, identity);
    usbdev_store_le16(bytes + 2, (uint16_t)(end - bytes));
}

// ---- Starting ----

static void describe(struct bootloader *bootloader)
{
    build_device_descriptor(bootloader->device_descriptor, bootloader->identity);
    build_configuration(bootloader->configuration, bootloader->identity);
    bootloader->configurations[0] = bootloader->configuration;
    bootloader->langids[0] = sizeof bootloader->langids;
    bootloader->langids[1] = USBDEV_DT_STRING;
    usbdev_store_le16(bootloader->langids + 2, langid_of(bootloader->identity));
    bootloader->function = (struct usbdev_function){
        .handler = &handler,
        .context = bootloader,
        .bInterfaceCount = 1,
    };
    bootloader->usb_config = (struct usbdev_config){
        .device_descriptor = bootloader->device_descriptor,
        .configurations = bootloader->configurations,
        .functions = &bootloader->function,
        .function_count = 1,
        .full = &usbdev_full,
        .strings = bootloader->identity->no_strings ? NULL : &usbdev_strings,
        .langids = bootloader->langids,
        .string = string,
        .context = bootloader,
    };
}

void bootloader_init(struct bootloader *bootloader,
                     const struct bootloader_identity *identity,
                     const struct bootloader_board *board,
                     uint64_t now_ns)
{
    memset(bootloader, 0, offsetof(struct bootloader, dfu)); // the rest is dfu_mode_init()'s
    bootloader->identity = identity;
    bootloader->serial = board->serial;
    bootloader->dfu_config = (struct dfu_mode_config){
        .dialect = identity->dialect,
        .memory = board->memory,
        .choices = identity->choices,
        .wTransferSize = identity->wTransferSize,
        .bmAttributes = identity->bmAttributes,
        .leave = board->leave,
        .context = board->context,
    };
    describe(bootloader);
    dfu_mode_init(&bootloader->dfu, &bootloader->dfu_config);
    native_init(&bootloader->native, &bootloader->usb_config, now_ns);
    usbdev_connect(&bootloader->native.dev, true);
}
