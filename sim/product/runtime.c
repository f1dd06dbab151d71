// SPDX-License-Identifier: MIT
//
// The descriptors are put together from the shape; usbdev answers from them for every interface, so
// that the descriptors and the behaviour agree.

#include <sim/runtime.h>

#include <stdio.h>
#include <string.h>

#include <usb/descriptors.h>

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
    REMOTE_WAKEUP = 0x20,
};

static const uint8_t english[] = {4, USBDEV_DT_STRING, 0x09, 0x04};

static bool speaks(const uint8_t *langids, uint16_t langid)
{
    for (uint8_t at = 2; at < langids[0]; at += 2)
        if (usbdev_load_le16(langids + at) == langid)
            return true;
    return false;
}

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    const struct runtime *runtime = context;

    if (index > STRING_DFU)
        return runtime->shape.string ? runtime->shape.string(index, langid) : NULL;
    if (!speaks(runtime->usb_config.langids, langid))
        return NULL;
    switch (index) {
    case STRING_MANUFACTURER:
        return "dfurt";
    case STRING_PRODUCT:
        return runtime->shape.loopback ? "dfurt simulated composite board"
                                       : "dfurt simulated device";
    case STRING_SERIAL:
        return runtime->shape.no_serial ? NULL : runtime->product.serial;
    case STRING_DFU:
        return "DFU run time";
    default:
        return NULL;
    }
}

// EF/02/01 says that interface associations follow (USB 2.0 interface association ECN).
static void build_device_descriptor(uint8_t *bytes, const struct product_shape *shape)
{
    static const uint8_t associations_follow[] = {0xEF, 0x02, 0x01};

    bytes[0] = USBDEV_DEVICE_DESCRIPTOR_SIZE;
    bytes[1] = USBDEV_DT_DEVICE;
    usbdev_store_le16(bytes + 2, shape->bcdUSB > 0 ? shape->bcdUSB : 0x0200);
    memcpy(bytes + 4, shape->loopback ? associations_follow : shape->device_class, 3);
    bytes[7] = shape->bMaxPacketSize0 > 0 ? shape->bMaxPacketSize0 : 64;
    usbdev_store_le16(bytes + 8, 0x1209);  // idVendor
    usbdev_store_le16(bytes + 10, 0x0001); // idProduct
    usbdev_store_le16(bytes + 12, 0x0100); // bcdDevice
    bytes[14] = shape->no_strings ? 0 : STRING_MANUFACTURER;
    bytes[15] = shape->no_strings ? 0 : STRING_PRODUCT;
    bytes[16] = shape->no_strings || shape->no_serial ? 0 : STRING_SERIAL;
    bytes[17] = shape->other_configuration ? 2 : 1; // bNumConfigurations
}

static uint8_t *put(uint8_t *end, const uint8_t *bytes, size_t length)
{
    if (length > 0)
        memcpy(end, bytes, length);
    return end + length;
}

// The loopback's interfaces stand before DFU's.
static struct product_shape whole_shape(const struct product_shape *shape)
{
    struct product_shape whole = shape ? *shape : (struct product_shape){0};

    if (whole.loopback) {
        whole.before = (struct product_interfaces){loopback_descriptors, LOOPBACK_DESCRIPTORS_SIZE,
                                                   LOOPBACK_INTERFACES};
        whole.bmAttributes = BUS_POWERED | REMOTE_WAKEUP;
    }
    return whole;
}

size_t runtime_configuration_size(const struct product_shape *shape)
{
    const struct product_shape whole = whole_shape(shape);

    return (size_t)USBDEV_CONFIGURATION_DESCRIPTOR_SIZE + whole.before.length +
           DFURT_DESCRIPTORS_SIZE + whole.after.length;
}

static void build_configuration(struct runtime *runtime)
{
    const struct product_shape *shape = &runtime->shape;
    uint8_t *bytes = runtime->configuration;
    uint8_t *end = bytes + USBDEV_CONFIGURATION_DESCRIPTOR_SIZE;

    end = put(end, shape->before.bytes, shape->before.length);
    dfurt_descriptors(&runtime->dfurt_config, end);
    end += DFURT_DESCRIPTORS_SIZE;
    end = put(end, shape->after.bytes, shape->after.length);

    bytes[0] = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE;
    bytes[1] = USBDEV_DT_CONFIGURATION;
    usbdev_store_le16(bytes + 2, (uint16_t)(end - bytes));
    bytes[4] = (uint8_t)(shape->before.count + 1 + shape->after.count); // bNumInterfaces
    bytes[5] = shape->bConfigurationValue > 0 ? shape->bConfigurationValue : 1;
    bytes[6] = 0; // iConfiguration
    bytes[7] = shape->bmAttributes > 0 ? shape->bmAttributes : BUS_POWERED;
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
        .bInterfaceNumber = runtime->shape.before.count,
        .iInterface = runtime->shape.no_strings ? 0 : STRING_DFU,
        .settle_ms = SETTLE_MS,
        .enter_dfu = runtime->product.enter_dfu,
    };
}

static int stall(void *context, struct usbdev_request *request)
{
    (void)context, (void)request;
    return USBDEV_STALL;
}

static const struct usbdev_handler idle_handler = {.setup = stall};

static struct usbdev_function
others(struct runtime *runtime, uint8_t first, uint8_t count, bool device_requests)
{
    const struct product_shape *shape = &runtime->shape;
    const struct usbdev_handler *handler = shape->handler ? shape->handler : &idle_handler;

    return (struct usbdev_function){
        .handler = shape->loopback ? &loopback_handler : handler,
        .context = shape->loopback ? (void *)&runtime->loopback : (void *)runtime,
        .bFirstInterface = first,
        .bInterfaceCount = count,
        .device_requests = device_requests,
    };
}

static void choose_functions(struct runtime *runtime)
{
    const struct product_shape *shape = &runtime->shape;
    uint8_t dfu = shape->before.count;

    runtime->functions[0] = (struct usbdev_function){
        .handler = &dfurt_usbdev_handler,
        .context = &runtime->dfurt,
        .bFirstInterface = dfu,
        .bInterfaceCount = 1,
    };
    runtime->functions[1] = others(runtime, 0, dfu, shape->handler);
    runtime->functions[2] = others(runtime, (uint8_t)(dfu + 1), shape->after.count, false);
    runtime->configurations[shape->other_is_first] = runtime->configuration;
    runtime->configurations[!shape->other_is_first] = shape->other_configuration;
    runtime->usb_config = (struct usbdev_config){
        .device_descriptor = runtime->device_descriptor,
        .configurations = runtime->configurations,
        .functions = runtime->functions,
        .function_count = shape->after.count > 0                      ? 3
                          : shape->before.count > 0 || shape->handler ? 2
                                                                      : 1,
        .full = shape->small ? NULL : &usbdev_full,
        .bos = shape->bos,
        .strings = shape->no_strings ? NULL : &usbdev_strings,
        .langids = shape->langids ? shape->langids : english,
        .string = string,
        .context = runtime,
    };
}

// The descriptors are the product's own words: usbdev walks them as they are.
static void look_at_configuration(struct runtime *runtime, unsigned index)
{
    const uint8_t *bytes = runtime->configurations[index];
    struct descriptor_walk walk;
    struct descriptor found;

    descriptor_walk_start(&walk, bytes, usbdev_load_le16(bytes + 2));
    while (descriptor_walk_next(&walk, &found)) {
    }
    if (walk.problem && !*runtime->trouble)
        snprintf(runtime->trouble, sizeof runtime->trouble,
                 "the product's configuration %u has no descriptor at offset %u: %s; its firmware "
                 "goes no further there",
                 index, (unsigned)walk.next, walk.problem);
}

const char *runtime_trouble(const struct runtime *runtime)
{
    return *runtime->trouble ? runtime->trouble : NULL;
}

void runtime_init(struct runtime *runtime, const struct runtime_product *product, uint64_t now_ns)
{
    memset(runtime, 0, sizeof *runtime);
    runtime->product = *product;
    runtime->shape = whole_shape(product->shape);
    runtime->configuration = product->configuration;
    choose_dfu(runtime);
    choose_functions(runtime);
    build_device_descriptor(runtime->device_descriptor, &runtime->shape);
    build_configuration(runtime);
    for (unsigned i = 0; i < runtime->device_descriptor[17]; i++)
        look_at_configuration(runtime, i);
    dfurt_init(&runtime->dfurt, &runtime->dfurt_config, product->context);
    native_init(&runtime->native, &runtime->usb_config, now_ns);
    loopback_init(&runtime->loopback, &runtime->native.dev);
    usbdev_connect(&runtime->native.dev, true);
}

bool runtime_at_rest(const struct runtime *runtime)
{
    const struct usbdev_handler *handler = runtime->shape.handler;

    return dfurt_state(&runtime->dfurt) == DFURT_STATE_appIDLE &&
           runtime->loopback.wake_in_ms == 0 && !(handler && handler->tick);
}
