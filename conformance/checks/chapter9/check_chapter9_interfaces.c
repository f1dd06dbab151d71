// SPDX-License-Identifier: MIT
//
// What is inside a configuration: interfaces, their alternate settings and their endpoints (USB 2.0
// 9.6.5, 9.6.6). Each configuration is judged.

#include <conformance/check_common.h>

// ---- Interfaces ----

static bool
interfaces_are_counted(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    return expect_number(probe, "bNumInterfaces", read->config.bNumInterfaces,
                         (unsigned)configuration_interface_numbers(&read->config));
}

static void interfaces_counted(struct probe *probe)
{
    for_each_configuration(probe, interfaces_are_counted, NULL);
}

static bool
interfaces_have_no_gap(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    size_t numbers = configuration_interface_numbers(&read->config);
    for (size_t i = 0; i < numbers; i++) {
        if (!expect(probe, configuration_has_interface(&read->config, (uint8_t)i),
                    "interface numbers from 0 without a gap", "no interface %zu of %zu", i,
                    numbers))
            return false;
    }
    return true;
}

static void interfaces_numbered(struct probe *probe)
{
    for_each_configuration(probe, interfaces_have_no_gap, NULL);
}

// The alternate settings of an interface follow each other: 0, 1, 2, ...
static bool
alternates_have_no_gap(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    const struct usb_configuration *config = &read->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        unsigned earlier = 0;
        for (size_t j = 0; j < i; j++)
            earlier += config->interfaces[j].bInterfaceNumber == interface->bInterfaceNumber;
        if (!expect(probe, interface->bAlternateSetting == earlier,
                    "the alternate settings of an interface counted from 0",
                    "interface %u has alternate %u as its %u. setting", interface->bInterfaceNumber,
                    interface->bAlternateSetting, earlier + 1))
            return false;
    }
    return true;
}

static void alternates_numbered(struct probe *probe)
{
    for_each_configuration(probe, alternates_have_no_gap, NULL);
}

static bool
endpoints_are_counted(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    const struct usb_configuration *config = &read->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        unsigned count = 0;
        for (size_t j = 0; j < config->endpoint_count; j++)
            count += config->endpoints[j].interface == (int)i;
        if (!expect_number(probe, "bNumEndpoints", config->interfaces[i].bNumEndpoints, count))
            return false;
    }
    return true;
}

static void endpoints_counted(struct probe *probe)
{
    for_each_configuration(probe, endpoints_are_counted, NULL);
}

// ---- What an endpoint can be ----

static const char kind[] = "a device with endpoints other than endpoint 0";

static uint8_t type_of(const struct usb_endpoint *endpoint)
{
    return endpoint->bmAttributes & 3;
}

static bool is_fast(enum target_speed speed)
{
    return speed == TARGET_SPEED_HIGH || speed == TARGET_SPEED_SUPER;
}

// The largest wMaxPacketSize; 0 where the speed has no endpoints of the type (USB 2.0 5.5.3, 5.6.3,
// 5.7.3, 5.8.3; USB 3.2 9.6.6).
static unsigned largest_packet(uint8_t type, enum target_speed speed)
{
    static const uint16_t largest[][4] = {
        // control, isochronous, bulk, interrupt
        [TARGET_SPEED_UNKNOWN] = {512, 1024, 1024, 1024},
        [TARGET_SPEED_LOW] = {8, 0, 0, 8},
        [TARGET_SPEED_FULL] = {64, 1023, 64, 64},
        [TARGET_SPEED_HIGH] = {64, 1024, 512, 1024},
        [TARGET_SPEED_SUPER] = {512, 1024, 1024, 1024},
    };
    return largest[speed][type];
}

// Control and bulk endpoints have one size from high speed on, one of four below it.
static bool size_legal(uint8_t type, uint16_t size, enum target_speed speed)
{
    unsigned largest = largest_packet(type, speed);
    if (type == USBDEV_ENDPOINT_INTERRUPT || type == USBDEV_ENDPOINT_ISOCHRONOUS)
        return size <= largest && largest > 0;
    bool slow = size == 8 || size == 16 || size == 32 || size == 64;
    bool unknown = speed == TARGET_SPEED_UNKNOWN;
    if (is_fast(speed) || (unknown && !slow))
        return size == largest || (unknown && size == 512);
    return slow && size <= largest;
}

// USB 2.0 table 9-13: an exponent for isochronous endpoints, and for interrupt endpoints from high
// speed on.
static bool interval_legal(uint8_t type, uint8_t bInterval, enum target_speed speed)
{
    enum { EXPONENT_MAX = 16 };
    if (type == USBDEV_ENDPOINT_ISOCHRONOUS)
        return bInterval >= 1 && bInterval <= EXPONENT_MAX;
    if (type == USBDEV_ENDPOINT_INTERRUPT)
        return bInterval >= 1 && (!is_fast(speed) || bInterval <= EXPONENT_MAX);
    return true;
}

static bool
endpoints_are_legal(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    unsigned *seen = context;
    enum target_speed speed = probe->target->speed;
    for (size_t i = 0; i < read->config.endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &read->config.endpoints[i];
        uint8_t address = endpoint->bEndpointAddress;
        bool legal = size_legal(type_of(endpoint), endpoint->wMaxPacketSize & 0x7FF, speed) &&
                     interval_legal(type_of(endpoint), endpoint->bInterval, speed);
        ++*seen;
        if (!expect(probe, (address & 0x0F) != 0, "an endpoint number of 1 to 15", "%02xh",
                    address) ||
            !expect(probe, legal,
                    "wMaxPacketSize and bInterval that the transfer type and the speed allow",
                    "endpoint %02xh: bmAttributes %02xh, wMaxPacketSize %u, bInterval %u", address,
                    endpoint->bmAttributes, endpoint->wMaxPacketSize, endpoint->bInterval))
            return false;
    }
    return true;
}

static void endpoints_legal(struct probe *probe)
{
    for_each_that_has(probe, endpoints_are_legal, kind);
}

// bmAttributes: bits 5..2 are for isochronous endpoints alone, bits 5..4 also say what an interrupt
// endpoint of USB 3 is for. wMaxPacketSize: bits 12..11 are for isochronous and interrupt endpoints
// from high speed on, and not 11b (USB 2.0 table 9-13; USB 3.2 table 9-26).
static uint8_t reserved_attributes(uint8_t type, enum target_speed speed)
{
    bool usage = type == USBDEV_ENDPOINT_INTERRUPT && speed == TARGET_SPEED_SUPER;
    if (type == USBDEV_ENDPOINT_ISOCHRONOUS)
        return 0xC0;
    return usage ? 0xCC : 0xFC;
}

static bool packet_bits_legal(const struct usb_endpoint *endpoint, enum target_speed speed)
{
    uint8_t type = type_of(endpoint);
    unsigned additional = endpoint->wMaxPacketSize >> 11 & 3;
    bool periodic = type == USBDEV_ENDPOINT_ISOCHRONOUS || type == USBDEV_ENDPOINT_INTERRUPT;
    bool may_have = periodic && (speed == TARGET_SPEED_HIGH || speed == TARGET_SPEED_UNKNOWN);
    return (endpoint->wMaxPacketSize & 0xE000) == 0 &&
           (may_have ? additional < 3 : additional == 0);
}

static bool
reserved_bits_are_zero(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    unsigned *seen = context;
    enum target_speed speed = probe->target->speed;
    for (size_t i = 0; i < read->config.endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &read->config.endpoints[i];
        bool zero = (endpoint->bEndpointAddress & 0x70) == 0 &&
                    (endpoint->bmAttributes & reserved_attributes(type_of(endpoint), speed)) == 0 &&
                    packet_bits_legal(endpoint, speed);
        ++*seen;
        if (!expect(probe, zero,
                    "reserved bits of bEndpointAddress, bmAttributes and wMaxPacketSize 0",
                    "%02xh, %02xh, %04xh", endpoint->bEndpointAddress, endpoint->bmAttributes,
                    endpoint->wMaxPacketSize))
            return false;
    }
    return true;
}

static void endpoints_reserved_bits(struct probe *probe)
{
    for_each_that_has(probe, reserved_bits_are_zero, kind);
}

// An endpoint belongs to one interface, and there to each alternate setting at most once. A control
// endpoint is one for both directions.
static bool conflict(const struct usb_configuration *config,
                     const struct usb_endpoint *a,
                     const struct usb_endpoint *b)
{
    if (a->bEndpointAddress != b->bEndpointAddress || a->interface < 0 || b->interface < 0)
        return false;
    const struct usb_interface *of_a = &config->interfaces[a->interface];
    const struct usb_interface *of_b = &config->interfaces[b->interface];
    return of_a == of_b || of_a->bInterfaceNumber != of_b->bInterfaceNumber;
}

static bool
endpoints_are_unshared(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    unsigned *seen = context;
    const struct usb_configuration *config = &read->config;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        ++*seen;
        for (size_t j = 0; j < i; j++) {
            if (!expect(probe, !conflict(config, &config->endpoints[i], &config->endpoints[j]),
                        "each endpoint address in one interface only, once in each setting",
                        "%02xh twice", config->endpoints[i].bEndpointAddress))
                return false;
        }
    }
    return true;
}

static void endpoints_unshared(struct probe *probe)
{
    for_each_that_has(probe, endpoints_are_unshared, kind);
}

// clang-format off
static const struct check checks[] = {
    {"CH9-CFG-08", "USB 2.0 9.6.3", LEVEL_MUST,
     "bNumInterfaces counts the interfaces",
     0, interfaces_counted},
    {"CH9-CFG-09", "USB 2.0 9.6.5", LEVEL_MUST,
     "interfaces are numbered from 0 without a gap",
     0, interfaces_numbered},
    {"CH9-CFG-10", "USB 2.0 9.6.5", LEVEL_MUST,
     "alternate settings are numbered from 0 without a gap",
     0, alternates_numbered},
    {"CH9-CFG-11", "USB 2.0 9.6.5", LEVEL_MUST,
     "bNumEndpoints counts the endpoints of its interface",
     0, endpoints_counted},
    {"CH9-CFG-12", "USB 2.0 9.6.6", LEVEL_MUST,
     "endpoint descriptors are legal at the speed of the device",
     0, endpoints_legal},
    {"CH9-CFG-13", "USB 2.0 9.6.3", LEVEL_MUST,
     "no two interfaces share an endpoint",
     0, endpoints_unshared},
    {"CH9-CFG-18", "USB 2.0 9.6.6", LEVEL_MUST,
     "the reserved bits of endpoint descriptors are 0",
     0, endpoints_reserved_bits},
};
// clang-format on

const struct check_group check_chapter9_interfaces = {
    .title = "Interfaces and endpoints",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
