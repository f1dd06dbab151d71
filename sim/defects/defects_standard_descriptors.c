// SPDX-License-Identifier: MIT
//
// Standard descriptors (USB 2.0 9.6) with a byte or a length that is wrong.

#include <string.h>

#include "defects_private.h"

static void stray_descriptor(struct defect_view *view)
{
    static const uint8_t stray[] = {0x00, 0x24, 0x00};

    memcpy(view->configuration + usbdev_load_le16(view->configuration + 2), stray, sizeof stray);
    set_total_length(view, sizeof stray);
}

enum { STRAY_INTERFACE = 7 };

static void add_interface_7(struct defect_view *view)
{
    static const uint8_t interface[USBDEV_INTERFACE_DESCRIPTOR_SIZE] = {
        USBDEV_INTERFACE_DESCRIPTOR_SIZE, USBDEV_DT_INTERFACE, STRAY_INTERFACE, 0, 0, 0xFF, 0, 0, 0,
    };

    if (!view->runtime)
        return;
    memcpy(view->configuration + usbdev_load_le16(view->configuration + 2), interface,
           sizeof interface);
    set_total_length(view, sizeof interface);
    view->configuration[4]++; // bNumInterfaces
}

static int answer_for_7(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? defect_answer_for_interfaces(view, setup, STRAY_INTERFACE, 1)
                         : NATIVE_PASS;
}

// The last endpoint has the address of the first.
static void share_endpoint(struct defect_view *view)
{
    uint8_t *first = defect_find(view, USBDEV_DT_ENDPOINT, 0);
    uint8_t *third = defect_find(view, USBDEV_DT_ENDPOINT, 2);

    if (view->runtime && first && third)
        third[2] = first[2];
}

static void miscount_endpoints(struct defect_view *view)
{
    if (view->runtime)
        defect_find(view, USBDEV_DT_INTERFACE, 0)[4]++;
}

static void overstate_association(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);

    if (view->runtime && association)
        association[3] = 5; // bInterfaceCount
}

const struct sim_defect defects_of_standard_descriptors[] = {
    {
        .name = "device-max-packet",
        .summary = "bMaxPacketSize0 63",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 7, 63, .late = true}),
    },
    {
        .name = "device-no-configuration",
        .summary = "bNumConfigurations 0",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 17, 0, .late = true}),
    },
    {
        .name = "device-version",
        .summary = "bcdUSB 020Ah",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 2, 0x0A}),
    },
    {
        .name = "device-version-of-no-release",
        .summary = "bcdUSB 0235h",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 2, 0x35}),
    },
    {
        .name = "device-version-after-the-last",
        .summary = "bcdUSB 033Ah, which is no decimal number",
        .patches =
            PATCHES({PATCH_DEVICE, AT_RUN_TIME, 2, 0x3A}, {PATCH_DEVICE, AT_RUN_TIME, 3, 0x03}),
    },
    {
        .name = "device-subclass",
        .summary = "bDeviceSubClass 1 with bDeviceClass 0",
        .patches =
            PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 4, 0}, {PATCH_DEVICE, IN_BOTH_MODES, 5, 1}),
    },
    {
        .name = "device-length",
        .summary = "bLength 17 in the device descriptor",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 0, 17}),
    },
    {
        .name = "usb-2.1-without-bos",
        .summary = "bcdUSB 0210h, but no BOS",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 2, 0x10}),
    },
    {
        .name = "configuration-length",
        .summary = "bLength 8 in the configuration descriptor",
        .patches = PATCHES({PATCH_CONFIGURATION, IN_BOTH_MODES, 0, 8, .late = true}),
    },
    {
        .name = "configuration-stray-bytes",
        .summary = "a descriptor of length 0 at the end of the configuration",
        .describe = stray_descriptor,
    },
    {
        .name = "configuration-bit-7",
        .summary = "bit 7 of bmAttributes is clear in the configuration descriptor",
        .patches = PATCHES({PATCH_CONFIGURATION, AT_RUN_TIME, 7, 0x00},
                           {PATCH_CONFIGURATION, IN_DFU_MODE, 7, 0x40}),
    },
    {
        .name = "configuration-reserved-bits",
        .summary = "bit 0 of bmAttributes is set in the configuration descriptor",
        .patches = PATCHES({PATCH_CONFIGURATION, AT_RUN_TIME, 7, 0x81},
                           {PATCH_CONFIGURATION, IN_DFU_MODE, 7, 0xC1}),
    },
    {
        .name = "configuration-power",
        .summary = "bMaxPower 502 mA",
        .patches = PATCHES({PATCH_CONFIGURATION, IN_BOTH_MODES, 8, 251}),
    },
    {
        .name = "configuration-interfaces",
        .summary = "bNumInterfaces counts one interface too many",
        .patches = PATCHES({PATCH_CONFIGURATION, IN_BOTH_MODES, 4, 4}),
    },
    {
        .name = "interface-gap",
        .summary = "an interface has number 7 in a configuration with fewer",
        .describe = add_interface_7,
        .setup = answer_for_7,
    },
    {
        .name = "endpoint-twice",
        .summary = "two interfaces share an endpoint",
        .describe = share_endpoint,
    },
    {
        .name = "endpoint-uncounted",
        .summary = "bNumEndpoints of an interface counts one endpoint too many",
        .describe = miscount_endpoints,
    },
    {
        .name = "association-beyond",
        .summary = "an interface association of more interfaces than there are",
        .describe = overstate_association,
    },
    {
        .name = "configuration-value-0",
        .summary = "bConfigurationValue 0",
        .patches = PATCHES({PATCH_CONFIGURATION, IN_BOTH_MODES, 5, 0, .late = true}),
    },
    {
        .name = "endpoint-size",
        .summary = "a bulk endpoint with packets of 60 bytes",
        .patches = PATCHES({PATCH_ENDPOINT, IN_BOTH_MODES, 4, 60}),
    },
    {0},
};
