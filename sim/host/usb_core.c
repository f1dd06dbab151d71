// SPDX-License-Identifier: MIT
//
// Each search for an endpoint walks the descriptors of the current configuration; nothing of them
// is stored a second time.

#include <sim/usb_core.h>

#include <stdlib.h>
#include <string.h>

#include <usb/descriptors.h>
#include <usb/requests.h>
#include <usb/text.h>

#include "host_private.h"

// ---- Reading the descriptors ----

static int request(struct usb_core *core, struct usbdev_setup_packet setup, uint8_t *data)
{
    return sim_host_control(core->host, &setup, data, 0);
}

static int
read_descriptor(struct usb_core *core, uint8_t type, uint8_t index, uint8_t *data, size_t size)
{
    return request(core, usb_get_descriptor(type, index, 0, (uint16_t)size), data);
}

static size_t configurations_said(const struct usb_core *core)
{
    size_t said = core->descriptors[17]; // bNumConfigurations

    return said < USB_CORE_MAX_CONFIGURATIONS ? said : USB_CORE_MAX_CONFIGURATIONS;
}

static sim_enumeration_step read_configuration, keep_configuration;

static int ask_for_configuration(struct usb_core *core,
                                 uint8_t *data,
                                 uint16_t length,
                                 sim_enumeration_step *next)
{
    return sim_enumeration_ask(
        &core->enumeration,
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, (uint8_t)core->configuration_count, 0, length),
        data, next);
}

static int begin_configuration(struct usb_core *core)
{
    core->configurations[core->configuration_count] = core->length;
    if (core->configuration_count == configurations_said(core))
        return 0;
    return ask_for_configuration(core, core->enumeration.bytes,
                                 USBDEV_CONFIGURATION_DESCRIPTOR_SIZE, read_configuration);
}

// Of one that cannot be read nothing is kept.
static int end_configuration(struct usb_core *core)
{
    core->configuration_count++;
    return begin_configuration(core);
}

static int read_configuration(struct sim_enumeration *enumeration, int length)
{
    struct usb_core *core = enumeration->context;
    uint16_t total = usbdev_load_le16(enumeration->bytes + 2);
    uint8_t *longer;

    if (length < 0)
        return length == USB_GONE ? USB_GONE : end_configuration(core);
    if (length < USBDEV_CONFIGURATION_DESCRIPTOR_SIZE ||
        total < USBDEV_CONFIGURATION_DESCRIPTOR_SIZE) {
        host_note_fault(core->host, &enumeration->transfer,
                        "%d bytes that are no configuration descriptor (USB 2.0 table 9-10)",
                        length);
        return end_configuration(core);
    }
    longer = realloc(core->descriptors, core->length + total);
    if (!longer)
        return end_configuration(core);
    core->descriptors = longer;
    return ask_for_configuration(core, longer + core->length, total, keep_configuration);
}

static int keep_configuration(struct sim_enumeration *enumeration, int length)
{
    struct usb_core *core = enumeration->context;

    if (length == USB_GONE)
        return USB_GONE;
    if (length >= USBDEV_CONFIGURATION_DESCRIPTOR_SIZE)
        core->length += (size_t)length;
    return end_configuration(core);
}

static int keep_device_descriptor(struct sim_enumeration *enumeration, int length)
{
    struct usb_core *core = enumeration->context;

    if (length < 0)
        return length;
    if (length == USBDEV_DEVICE_DESCRIPTOR_SIZE)
        core->descriptors = malloc(USBDEV_DEVICE_DESCRIPTOR_SIZE);
    else
        host_note_fault(core->host, &enumeration->transfer,
                        "%d bytes came, a device descriptor has 18 (USB 2.0 table 9-8)", length);
    if (!core->descriptors)
        return USB_IO;
    memcpy(core->descriptors, enumeration->bytes, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    core->length = USBDEV_DEVICE_DESCRIPTOR_SIZE;
    return begin_configuration(core);
}

static int read_device_descriptor(struct sim_enumeration *enumeration, int result)
{
    (void)result;
    return sim_enumeration_ask(
        enumeration, usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE),
        enumeration->bytes, keep_device_descriptor);
}

static void forget(struct usb_core *core)
{
    free(core->descriptors);
    *core = (struct usb_core){.host = core->host};
}

void usb_core_begin(struct usb_core *core, uint64_t timeout_ns)
{
    sim_enumeration_cancel(&core->enumeration);
    forget(core);
    sim_enumeration_begin(&core->enumeration, core->host, timeout_ns);
    core->enumeration.addressed = read_device_descriptor;
    core->enumeration.context = core;
}

int usb_core_go_on(struct usb_core *core, uint64_t limit_ns)
{
    return sim_enumeration_go_on(&core->enumeration, limit_ns);
}

int usb_core_enumerate(struct usb_core *core, uint64_t timeout_ns)
{
    usb_core_begin(core, timeout_ns);
    return usb_core_go_on(core, UINT64_MAX);
}

const uint8_t *usb_core_configuration(const struct usb_core *core, size_t index, size_t *ret_length)
{
    *ret_length = 0;
    if (index >= core->configuration_count)
        return NULL;
    *ret_length = core->configurations[index + 1] - core->configurations[index];
    return core->descriptors + core->configurations[index];
}

void usb_core_read_string(struct usb_core *core, uint8_t index, char *text, size_t size)
{
    uint8_t bytes[UINT8_MAX];
    int length = read_descriptor(core, USBDEV_DT_STRING, 0, bytes, sizeof bytes);

    if (length >= 4) {
        uint16_t language = usbdev_load_le16(bytes + 2);

        length = request(core, usb_get_descriptor(USBDEV_DT_STRING, index, language, sizeof bytes),
                         bytes);
    }
    usb_text(text, size, bytes, length < 4 ? 0 : (size_t)length);
}

// ---- Interfaces and endpoints ----

// Starts a walk at the current configuration. Returns whether there is one.
static bool walk_current(const struct usb_core *core, struct descriptor_walk *walk)
{
    for (size_t i = 0; core->bConfigurationValue && i < core->configuration_count; i++) {
        size_t length;
        const uint8_t *bytes = usb_core_configuration(core, i, &length);

        if (length < USBDEV_CONFIGURATION_DESCRIPTOR_SIZE || bytes[5] != core->bConfigurationValue)
            continue;
        descriptor_walk_start(walk, bytes, length);
        return true;
    }
    return false;
}

static bool is_interface(const struct descriptor *descriptor)
{
    return descriptor->bDescriptorType == USBDEV_DT_INTERFACE &&
           descriptor->bLength >= USBDEV_INTERFACE_DESCRIPTOR_SIZE;
}

static bool is_endpoint(const struct descriptor *descriptor)
{
    return descriptor->bDescriptorType == USBDEV_DT_ENDPOINT &&
           descriptor->bLength >= USBDEV_ENDPOINT_DESCRIPTOR_SIZE;
}

const uint8_t *usb_core_find_interface(const struct usb_core *core,
                                       uint8_t bInterfaceNumber,
                                       uint8_t bAlternateSetting)
{
    struct descriptor_walk walk;
    struct descriptor it;

    if (!walk_current(core, &walk))
        return NULL;
    while (descriptor_walk_next(&walk, &it))
        if (is_interface(&it) && it.bytes[2] == bInterfaceNumber &&
            it.bytes[3] == bAlternateSetting)
            return it.bytes;
    return NULL;
}

// The next endpoint that is in use, and *interface whose it is.
static const uint8_t *
next_endpoint(const struct usb_core *core, struct descriptor_walk *walk, const uint8_t **interface)
{
    struct descriptor it;

    while (descriptor_walk_next(walk, &it)) {
        if (is_interface(&it))
            *interface = it.bytes[3] == core->alternates[it.bytes[2]] ? it.bytes : NULL;
        else if (is_endpoint(&it) && *interface)
            return it.bytes;
    }
    return NULL;
}

const uint8_t *usb_core_find_endpoint(const struct usb_core *core, uint8_t bEndpointAddress)
{
    const uint8_t *interface = NULL;
    const uint8_t *endpoint;
    struct descriptor_walk walk;

    if (!walk_current(core, &walk))
        return NULL;
    while ((endpoint = next_endpoint(core, &walk, &interface)))
        if (endpoint[2] == bEndpointAddress)
            break;
    return endpoint;
}

bool usb_core_prepare(struct sim_transfer *transfer, const uint8_t *endpoint_descriptor)
{
    transfer->endpoint = endpoint_descriptor[2];
    transfer->type = endpoint_descriptor[3] & 3;
    transfer->wMaxPacketSize = usbdev_load_le16(endpoint_descriptor + 4) & 0x7FF; // table 9-13
    transfer->bInterval = endpoint_descriptor[6];
    return (transfer->endpoint & 0x0F) != 0 && transfer->wMaxPacketSize > 0 &&
           transfer->wMaxPacketSize <= SIM_MAX_PACKET &&
           (transfer->type == USBDEV_ENDPOINT_BULK || transfer->type == USBDEV_ENDPOINT_INTERRUPT);
}

// ---- Following requests ----

// USB 2.0 9.1.1.5: the endpoints of the chosen alternate setting begin with DATA0.
static void reset_toggles(struct usb_core *core, uint8_t bInterfaceNumber)
{
    const uint8_t *interface = NULL;
    const uint8_t *endpoint;
    struct descriptor_walk walk;

    if (!walk_current(core, &walk))
        return;
    while ((endpoint = next_endpoint(core, &walk, &interface)))
        if (interface[2] == bInterfaceNumber)
            sim_host_reset_toggle(core->host, endpoint[2]);
}

// The host controller itself begins all endpoints with DATA0 after SET_CONFIGURATION, and one after
// CLEAR_FEATURE(ENDPOINT_HALT): these need no descriptors.
static void follow(void *context, const struct usbdev_setup_packet *setup)
{
    struct usb_core *core = context;

    if (setup->bmRequestType == USBDEV_RECIPIENT_DEVICE &&
        setup->bRequest == USBDEV_SET_CONFIGURATION) {
        core->bConfigurationValue = (uint8_t)setup->wValue;
        memset(core->alternates, 0, sizeof core->alternates);
    } else if (setup->bmRequestType == USBDEV_RECIPIENT_INTERFACE &&
               setup->bRequest == USBDEV_SET_INTERFACE) {
        core->alternates[(uint8_t)setup->wIndex] = (uint8_t)setup->wValue;
        reset_toggles(core, (uint8_t)setup->wIndex);
    }
}

int usb_core_set_configuration(struct usb_core *core, uint8_t bConfigurationValue)
{
    return request(core, usb_set_configuration(bConfigurationValue), NULL);
}

int usb_core_set_interface(struct usb_core *core,
                           uint8_t bInterfaceNumber,
                           uint8_t bAlternateSetting)
{
    return request(core, usb_set_interface(bInterfaceNumber, bAlternateSetting), NULL);
}

int usb_core_clear_halt(struct usb_core *core, uint8_t bEndpointAddress)
{
    return request(core, usb_clear_halt(bEndpointAddress), NULL);
}

// ---- Beginning and end ----

void usb_core_init(struct usb_core *core, struct sim_host *host)
{
    *core = (struct usb_core){.host = host};
    sim_host_follow(host, follow, core);
}

void usb_core_finish(struct usb_core *core)
{
    forget(core);
}
