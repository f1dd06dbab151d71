// SPDX-License-Identifier: MIT

#include <sim/runtime.h>

#include <string.h>

enum {
    STRING_MANUFACTURER = 1,
    STRING_PRODUCT = 2,
    STRING_SERIAL = 3,
    STRING_DFU = 4,
};

enum {
    SETTLE_MS = 5,
    LOOPBACK_INTERFACES = 2,
    BUS_POWERED = 0x80,
    BUS_POWERED_REMOTE_WAKEUP = 0xA0,
};

static const uint8_t langids[] = {4, USBDEV_DT_STRING, 0x09, 0x04};

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    const struct runtime *runtime = context;

    if (langid != 0x0409)
        return NULL;
    switch (index) {
    case STRING_MANUFACTURER:
        return "dfurt";
    case STRING_PRODUCT:
        return runtime->product.composite ? "dfurt simulated composite device"
                                          : "dfurt simulated device";
    case STRING_SERIAL:
        return runtime->product.serial;
    case STRING_DFU:
        return "DFU run time";
    default:
        return NULL;
    }
}

// EF/02/01 says that interface associations follow (USB 2.0 interface association ECN).
static void build_device_descriptor(uint8_t *bytes, bool composite)
{
    const uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {
        USBDEV_DEVICE_DESCRIPTOR_SIZE,
        USBDEV_DT_DEVICE,
        0x00,
        0x02, // bcdUSB
        composite ? 0xEF : 0,
        composite ? 0x02 : 0,
        composite ? 0x01 : 0,
        64, // bMaxPacketSize0
        0x09,
        0x12, // idVendor
        0x01,
        0x00, // idProduct
        0x00,
        0x01, // bcdDevice
        STRING_MANUFACTURER,
        STRING_PRODUCT,
        STRING_SERIAL,
        1, // bNumConfigurations
    };

    memcpy(bytes, descriptor, sizeof descriptor);
}

static void build_configuration(struct runtime *runtime)
{
    bool composite = runtime->product.composite;
    uint8_t *bytes = runtime->configuration;
    uint8_t *end = bytes + USBDEV_CONFIGURATION_DESCRIPTOR_SIZE;

    if (composite) {
        memcpy(end, loopback_descriptors, LOOPBACK_DESCRIPTORS_SIZE);
        end += LOOPBACK_DESCRIPTORS_SIZE;
    }
    dfurt_descriptors(&runtime->dfurt_config, end);
    end += DFURT_DESCRIPTORS_SIZE;

    bytes[0] = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE;
    bytes[1] = USBDEV_DT_CONFIGURATION;
    usbdev_store_le16(bytes + 2, (uint16_t)(end - bytes));
    bytes[4] = composite ? LOOPBACK_INTERFACES + 1 : 1; // bNumInterfaces
    bytes[5] = 1;                                       // bConfigurationValue
    bytes[6] = 0;                                       // iConfiguration
    bytes[7] = composite ? BUS_POWERED_REMOTE_WAKEUP : BUS_POWERED;
    bytes[8] = 50; // 100 mA
}

static void choose_dfu(struct runtime *runtime)
{
    const struct bootloader_identity *bootloader = runtime->product.bootloader;

    runtime->dfurt_config = (struct dfurt_config){
        .wDetachTimeOut = bootloader->wDetachTimeOut,
        .wTransferSize = bootloader->wTransferSize,
        .bcdDFUVersion = bootloader->bcdDFUVersion,
        .bmAttributes = bootloader->bmAttributes,
        .bInterfaceNumber = runtime->product.composite ? LOOPBACK_INTERFACES : 0,
        .iInterface = STRING_DFU,
        .settle_ms = SETTLE_MS,
        .enter_dfu = runtime->product.enter_dfu,
    };
}

static void choose_functions(struct runtime *runtime)
{
    runtime->functions[0] = (struct usbdev_function){
        .handler = &dfurt_usbdev_handler,
        .context = &runtime->dfurt,
        .bFirstInterface = runtime->dfurt_config.bInterfaceNumber,
        .bInterfaceCount = 1,
    };
    runtime->functions[1] = (struct usbdev_function){
        .handler = &loopback_handler,
        .context = &runtime->loopback,
        .bInterfaceCount = LOOPBACK_INTERFACES,
    };
    runtime->configurations[0] = runtime->configuration;
    runtime->usb_config = (struct usbdev_config){
        .device_descriptor = runtime->device_descriptor,
        .configurations = runtime->configurations,
        .functions = runtime->functions,
        .function_count = runtime->product.composite ? 2 : 1,
        .full = &usbdev_full,
        .strings = &usbdev_strings,
        .langids = langids,
        .string = string,
        .context = runtime,
    };
}

void runtime_init(struct runtime *runtime, const struct runtime_product *product, uint64_t now_ns)
{
    memset(runtime, 0, sizeof *runtime);
    runtime->product = *product;
    choose_dfu(runtime);
    choose_functions(runtime);
    build_device_descriptor(runtime->device_descriptor, product->composite);
    build_configuration(runtime);
    dfurt_init(&runtime->dfurt, &runtime->dfurt_config, product->context);
    native_init(&runtime->native, &runtime->usb_config, now_ns);
    loopback_init(&runtime->loopback, &runtime->native.dev);
    usbdev_connect(&runtime->native.dev, true);
}
