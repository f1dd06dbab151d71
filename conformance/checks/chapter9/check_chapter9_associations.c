// SPDX-License-Identifier: MIT
//
// Interface associations: which interfaces make one function (the IAD ECN to USB 2.0). Each
// configuration is judged.

#include <conformance/check_common.h>

static const char kind[] = "a device with interface associations";

// Call look for each association of a configuration, and count it.
static bool each_association(struct probe *probe,
                             const struct usb_configuration *config,
                             unsigned *seen,
                             bool (*look)(struct probe *probe,
                                          const struct usb_configuration *config,
                                          const struct usb_association *association))
{
    for (size_t i = 0; i < config->association_count; i++) {
        ++*seen;
        if (!look(probe, config, &config->associations[i]))
            return false;
    }
    return true;
}

static bool covers(const struct usb_association *association, unsigned number)
{
    return number >= association->bFirstInterface &&
           number - association->bFirstInterface < association->bInterfaceCount;
}

// ---- The interfaces are there ----

static bool covers_interfaces(struct probe *probe,
                              const struct usb_configuration *config,
                              const struct usb_association *association)
{
    unsigned end = association->bFirstInterface + association->bInterfaceCount;
    for (unsigned number = association->bFirstInterface; number < end; number++) {
        if (!expect(probe,
                    number <= UINT8_MAX && configuration_has_interface(config, (uint8_t)number),
                    "an association of interfaces that exist", "interface %u does not", number))
            return false;
    }
    return expect(probe, association->bInterfaceCount > 0, "bInterfaceCount at least 1", "0");
}

static bool
cover_interfaces(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    return each_association(probe, &read->config, context, covers_interfaces);
}

static void associations_cover(struct probe *probe)
{
    for_each_that_has(probe, cover_interfaces, kind);
}

// ---- It stands before them ----

static bool stands_first(struct probe *probe,
                         const struct usb_configuration *config,
                         const struct usb_association *association)
{
    for (size_t i = 0; i < association->interface; i++) {
        uint8_t number = config->interfaces[i].bInterfaceNumber;
        if (!expect(probe, !covers(association, number),
                    "an association that stands before all its interfaces",
                    "interface %u stands before it", number))
            return false;
    }
    if (association->interface >= config->interface_count)
        return expect(probe, false, "an association that its interfaces follow", "none follows");
    uint8_t next = config->interfaces[association->interface].bInterfaceNumber;
    return expect_number(probe, "the interface after the association", next,
                         association->bFirstInterface);
}

static bool stand_first(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    return each_association(probe, &read->config, context, stands_first);
}

static void associations_ordered(struct probe *probe)
{
    for_each_that_has(probe, stand_first, kind);
}

// ---- Its class ----

static bool has_class(struct probe *probe,
                      const struct usb_configuration *config,
                      const struct usb_association *association)
{
    (void)config;
    return expect(probe, association->bFunctionClass != 0, "a bFunctionClass other than 0", "0");
}

static bool have_class(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    return each_association(probe, &read->config, context, has_class);
}

static void associations_class(struct probe *probe)
{
    for_each_that_has(probe, have_class, kind);
}

// ---- No interface is in two ----

static bool shares_none(struct probe *probe,
                        const struct usb_configuration *config,
                        const struct usb_association *association)
{
    for (const struct usb_association *other = config->associations; other < association; other++) {
        bool apart = !covers(other, association->bFirstInterface) &&
                     !covers(association, other->bFirstInterface);
        if (!expect(probe, apart, "each interface in one association at most",
                    "interfaces %u and %u begin associations that overlap", other->bFirstInterface,
                    association->bFirstInterface))
            return false;
    }
    return expect(probe, true, "an association apart from the others", "one");
}

static bool share_none(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    return each_association(probe, &read->config, context, shares_none);
}

static void associations_apart(struct probe *probe)
{
    for_each_that_has(probe, share_none, kind);
}

// ---- The device says that they follow ----

static bool
count_associations(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)probe;
    *(unsigned *)context += (unsigned)read->config.association_count;
    return true;
}

static void device_announces(struct probe *probe)
{
    unsigned count = 0;
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    if (!for_each_configuration(probe, count_associations, &count))
        return;
    if (count == 0) {
        probe_inapplicable(probe, kind);
        return;
    }
    if (read_device_descriptor(probe, device))
        expect(probe, device[4] == 0xEF && device[5] == 2 && device[6] == 1,
               "bDeviceClass EFh, bDeviceSubClass 02h, bDeviceProtocol 01h", "%02xh, %02xh, %02xh",
               device[4], device[5], device[6]);
}

// clang-format off
static const struct check checks[] = {
    {"CH9-CFG-14", "IAD ECN 9.X.Z", LEVEL_MUST,
     "interface associations name interfaces that exist",
     0, associations_cover},
    {"CH9-IAD-01", "IAD ECN 9.X.Z", LEVEL_MUST,
     "an interface association stands directly before its interfaces",
     0, associations_ordered},
    {"CH9-IAD-02", "IAD ECN 9.X.Z", LEVEL_MUST,
     "bFunctionClass of an interface association is not 0",
     0, associations_class},
    {"CH9-IAD-03", "IAD ECN 9.X.Z", LEVEL_MUST,
     "no interface is in two associations",
     0, associations_apart},
    {"CH9-IAD-04", "USB IAD class codes 1.0", LEVEL_SHOULD,
     "a device with interface associations has class EFh, subclass 02h, protocol 01h",
     0, device_announces},
};
// clang-format on

const struct check_group check_chapter9_associations = {
    .title = "Interface associations",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
