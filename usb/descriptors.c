// SPDX-License-Identifier: MIT
//
// descriptor_walk_next() is the only code outside core that follows bLength; it stops at a length
// below 2 or beyond the end, and says why. configuration_parse() walks once and copies what each
// known type holds into arrays of fixed size. A descriptor that is too short for its type is noted
// as a problem and passed over; one that does not fit into the arrays is noted apart, because the
// device is not wrong there.

#include <usb/descriptors.h>

void descriptor_walk_start(struct descriptor_walk *walk, const uint8_t *bytes, size_t length)
{
    *walk = (struct descriptor_walk){.bytes = bytes, .length = length};
}

bool descriptor_walk_next(struct descriptor_walk *walk, struct descriptor *ret_descriptor)
{
    size_t left = walk->length - walk->next;
    if (walk->problem || left == 0)
        return false;

    const uint8_t *bytes = walk->bytes + walk->next;
    if (left < 2) {
        walk->problem = "a single byte is left at the end";
        return false;
    }
    if (bytes[0] < 2) {
        walk->problem = "bLength is less than 2";
        return false;
    }
    if (bytes[0] > left) {
        walk->problem = "bLength reaches past the end";
        return false;
    }

    *ret_descriptor = (struct descriptor){
        .offset = walk->next,
        .bLength = bytes[0],
        .bDescriptorType = bytes[1],
        .bytes = bytes,
    };
    walk->next += bytes[0];
    return true;
}

static void note_problem(struct usb_configuration *config, size_t offset, const char *problem)
{
    if (config->problem)
        return;
    config->problem = problem;
    config->problem_offset = offset;
}

static void add_interface(struct usb_configuration *config, const struct descriptor *descriptor)
{
    const uint8_t *bytes = descriptor->bytes;
    if (descriptor->bLength < USBDEV_INTERFACE_DESCRIPTOR_SIZE) {
        note_problem(config, descriptor->offset, "an interface descriptor is shorter than 9 bytes");
        return;
    }
    if (config->interface_count == CONFIGURATION_MAX_INTERFACES) {
        config->too_large = "there are more than 128 interface descriptors";
        config->interface_left_out = true;
        return;
    }
    config->interfaces[config->interface_count++] = (struct usb_interface){
        .offset = descriptor->offset,
        .bLength = descriptor->bLength,
        .bInterfaceNumber = bytes[2],
        .bAlternateSetting = bytes[3],
        .bNumEndpoints = bytes[4],
        .bInterfaceClass = bytes[5],
        .bInterfaceSubClass = bytes[6],
        .bInterfaceProtocol = bytes[7],
        .iInterface = bytes[8],
    };
}

static void add_endpoint(struct usb_configuration *config, const struct descriptor *descriptor)
{
    const uint8_t *bytes = descriptor->bytes;
    if (descriptor->bLength < USBDEV_ENDPOINT_DESCRIPTOR_SIZE) {
        note_problem(config, descriptor->offset, "an endpoint descriptor is shorter than 7 bytes");
        return;
    }
    if (config->endpoint_count == CONFIGURATION_MAX_ENDPOINTS) {
        config->too_large = "there are more than 128 endpoint descriptors";
        return;
    }
    config->endpoints[config->endpoint_count++] = (struct usb_endpoint){
        .offset = descriptor->offset,
        .bLength = descriptor->bLength,
        .bEndpointAddress = bytes[2],
        .bmAttributes = bytes[3],
        .wMaxPacketSize = usbdev_load_le16(bytes + 4),
        .bInterval = bytes[6],
        .interface = (int)config->interface_count - 1,
    };
}

static void add_association(struct usb_configuration *config, const struct descriptor *descriptor)
{
    if (descriptor->bLength < 8) {
        note_problem(config, descriptor->offset,
                     "an interface association descriptor is shorter than 8 bytes");
        return;
    }
    if (config->association_count == CONFIGURATION_MAX_ASSOCIATIONS) {
        config->too_large = "there are more than 16 interface associations";
        return;
    }
    config->associations[config->association_count++] = (struct usb_association){
        .offset = descriptor->offset,
        .bFirstInterface = descriptor->bytes[2],
        .bInterfaceCount = descriptor->bytes[3],
        .bFunctionClass = descriptor->bytes[4],
        .iFunction = descriptor->bytes[7],
        .interface = config->interface_count,
    };
}

// Type 21h belongs to the class of the interface that it follows: after a DFU interface it is
// DFU's. Elsewhere it may be HID's (also 9 bytes long) or another class's, unless no class
// interface precedes it, or the interface before it is vendor-specific and its version is one of
// DFU.
static bool is_dfu_functional(const struct usb_configuration *config,
                              const struct descriptor *descriptor)
{
    const struct usb_interface *before =
        config->interface_count ? &config->interfaces[config->interface_count - 1] : NULL;
    if (before && interface_is_dfu(before))
        return true;
    if (before && before->bInterfaceClass != 0xFF)
        return false;
    if (descriptor->bLength != USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE)
        return false;
    uint16_t version = usbdev_load_le16(descriptor->bytes + 7);
    return version == 0x0100 || version == 0x0110 || version == 0x011A;
}

static void add_functional(struct usb_configuration *config, const struct descriptor *descriptor)
{
    const uint8_t *bytes = descriptor->bytes;
    if (!is_dfu_functional(config, descriptor))
        return;
    if (descriptor->bLength < 7) {
        note_problem(config, descriptor->offset,
                     "the DFU functional descriptor is shorter than 7 bytes");
        return;
    }
    if (config->functional_count == CONFIGURATION_MAX_FUNCTIONALS) {
        config->too_large = "there are more than 8 functional descriptors";
        return;
    }

    int interface = (int)config->interface_count - 1;
    config->functionals[config->functional_count++] = (struct usb_dfu_functional){
        .offset = descriptor->offset,
        .bLength = descriptor->bLength,
        .bmAttributes = bytes[2],
        .wDetachTimeOut = usbdev_load_le16(bytes + 3),
        .wTransferSize = usbdev_load_le16(bytes + 5),
        .bcdDFUVersion = descriptor->bLength >= 9 ? usbdev_load_le16(bytes + 7) : 0x0100,
        .interface = interface,
        .misplaced = interface < 0 || !interface_is_dfu(&config->interfaces[interface]),
    };
}

static void add_descriptor(struct usb_configuration *config, const struct descriptor *descriptor)
{
    if (config->interface_left_out)
        return;
    switch (descriptor->bDescriptorType) {
    case USBDEV_DT_INTERFACE:
        add_interface(config, descriptor);
        break;
    case USBDEV_DT_ENDPOINT:
        add_endpoint(config, descriptor);
        break;
    case USBDEV_DT_INTERFACE_ASSOCIATION:
        add_association(config, descriptor);
        break;
    case USBDEV_DT_DFU_FUNCTIONAL:
        add_functional(config, descriptor);
        break;
    default:
        break;
    }
}

bool configuration_parse(struct usb_configuration *ret, const uint8_t *bytes, size_t length)
{
    struct descriptor_walk walk;
    struct descriptor header;
    descriptor_walk_start(&walk, bytes, length);
    if (!descriptor_walk_next(&walk, &header) ||
        header.bLength < USBDEV_CONFIGURATION_DESCRIPTOR_SIZE ||
        header.bDescriptorType != USBDEV_DT_CONFIGURATION)
        return false;

    *ret = (struct usb_configuration){
        .wTotalLength = usbdev_load_le16(bytes + 2),
        .bNumInterfaces = bytes[4],
        .bConfigurationValue = bytes[5],
        .iConfiguration = bytes[6],
        .bmAttributes = bytes[7],
        .bMaxPower = bytes[8],
    };
    struct descriptor descriptor;
    while (descriptor_walk_next(&walk, &descriptor))
        add_descriptor(ret, &descriptor);
    ret->walked = walk.next;
    if (walk.problem)
        note_problem(ret, walk.next, walk.problem);
    return true;
}

bool interface_is_dfu(const struct usb_interface *interface)
{
    return interface->bInterfaceClass == DFURT_INTERFACE_CLASS &&
           interface->bInterfaceSubClass == DFURT_INTERFACE_SUBCLASS;
}

const struct usb_interface *configuration_dfu_interface(const struct usb_configuration *config)
{
    for (size_t i = 0; i < config->interface_count; i++) {
        if (interface_is_dfu(&config->interfaces[i]))
            return &config->interfaces[i];
    }
    return NULL;
}

const struct usb_dfu_functional *configuration_functional(const struct usb_configuration *config)
{
    for (size_t i = 0; i < config->functional_count; i++) {
        if (!config->functionals[i].misplaced)
            return &config->functionals[i];
    }
    return config->functional_count ? &config->functionals[0] : NULL;
}

size_t configuration_interface_numbers(const struct usb_configuration *config)
{
    size_t count = 0;
    for (unsigned number = 0; number <= UINT8_MAX; number++)
        count += configuration_has_interface(config, (uint8_t)number);
    return count;
}

bool configuration_has_interface(const struct usb_configuration *config, uint8_t number)
{
    for (size_t i = 0; i < config->interface_count; i++) {
        if (config->interfaces[i].bInterfaceNumber == number)
            return true;
    }
    return false;
}
