// SPDX-License-Identifier: MIT
//
// Devices in which one handler of standard requests is broken as a whole, so that several checks
// see it; once they are configured, as no host would enumerate them otherwise.

#include "defects_private.h"

static bool is_descriptor(const struct usbdev_setup_packet *setup, uint8_t type)
{
    return is_request(setup, GET, USBDEV_GET_DESCRIPTOR) && setup->wValue >> 8 == type;
}

static int refuse_device_descriptor(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return is_configured(view) && is_descriptor(setup, USBDEV_DT_DEVICE) ? NATIVE_STALL
                                                                         : NATIVE_PASS;
}

static int refuse_configuration_descriptor(struct defect_view *view,
                                           const struct usbdev_setup_packet *setup)
{
    return is_configured(view) && is_descriptor(setup, USBDEV_DT_CONFIGURATION) ? NATIVE_STALL
                                                                                : NATIVE_PASS;
}

static int crash_at_device_descriptor(struct defect_view *view,
                                      const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !is_configured(view) || !is_descriptor(setup, USBDEV_DT_DEVICE))
        return NATIVE_PASS;
    view->native->hung = true;
    return NATIVE_SILENT;
}

static int answer_device_descriptor_alone(struct defect_view *view,
                                          const struct usbdev_setup_packet *setup)
{
    bool answers = !view->runtime || !is_configured(view) || is_descriptor(setup, USBDEV_DT_DEVICE);

    return answers ? NATIVE_PASS : NATIVE_SILENT;
}

static int ignore_strings(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->bootloader && is_descriptor(setup, USBDEV_DT_STRING) ? NATIVE_SILENT : NATIVE_PASS;
}

// NAK is what a driver answers until its firmware has said otherwise.
static int ignore_unknown(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { SYNCH_FRAME = 12 };
    bool is_standard = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD;
    bool is_unknown = is_request(setup, GET, USBDEV_GET_DESCRIPTOR)
                          ? setup->wValue >> 8 > USBDEV_DT_STRING
                          : setup->bRequest >= SYNCH_FRAME;

    return is_configured(view) && is_standard && is_unknown ? NATIVE_SILENT : NATIVE_PASS;
}

static int refuse_to_configure(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return is_configured(view) && is_request(setup, 0, USBDEV_SET_CONFIGURATION) ? NATIVE_STALL
                                                                                 : NATIVE_PASS;
}

const struct sim_defect defects_of_handlers[] = {
    {
        .name = "device-descriptor-refused",
        .summary = "GET_DESCRIPTOR(DEVICE) STALLs once the device is configured",
        .setup = refuse_device_descriptor,
    },
    {
        .name = "configuration-refused",
        .summary = "GET_DESCRIPTOR(CONFIGURATION) STALLs once the device is configured",
        .setup = refuse_configuration_descriptor,
    },
    {
        .name = "crashes-at-device-descriptor",
        .summary = "the device, once configured at run time, crashes at GET_DESCRIPTOR(DEVICE)",
        .setup = crash_at_device_descriptor,
    },
    {
        .name = "device-descriptor-alone",
        .summary = "once configured at run time, GET_DESCRIPTOR(DEVICE) alone is answered",
        .setup = answer_device_descriptor_alone,
    },
    {
        .name = "dm-strings-silent",
        .summary = "in DFU mode GET_DESCRIPTOR(STRING) is not answered",
        .setup = ignore_strings,
    },
    {
        .name = "unknown-silent",
        .summary = "standard requests and descriptors that are unknown are not answered",
        .setup = ignore_unknown,
    },
    {
        .name = "set-configuration-refused",
        .summary = "SET_CONFIGURATION STALLs once the device is configured",
        .setup = refuse_to_configure,
    },
    {
        .name = "get-interface-everywhere",
        .summary = "GET_INTERFACE answers for any interface, in the Address state too, at run time",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = GET | USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_GET_INTERFACE, .target = ANY_INDEX, .action = DO_REPLY,
                        BYTES(0)}),
    },
    {0},
};
