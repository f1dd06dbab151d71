// SPDX-License-Identifier: MIT
//
// What depends on the state of the device (USB 2.0 9.1.1): requests in the Address state, a second
// SET_CONFIGURATION, suspend, bus reset, remote wake-up, transfers that are cut off.

#include <string.h>

#include "defects_private.h"

static int refuse_second_configuration(struct defect_view *view,
                                       const struct usbdev_setup_packet *setup)
{
    bool again = is_request(setup, 0, USBDEV_SET_CONFIGURATION) &&
                 setup->wValue == view->configuration[5] && is_configured(view);

    return again ? NATIVE_STALL : NATIVE_PASS;
}

static int refuse_set_interface(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool set = is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE);

    return view->bootloader && set ? NATIVE_STALL : NATIVE_PASS;
}

// ---- Suspend and reset ----

static void forget_when_suspended(struct defect_view *view)
{
    static const uint8_t unconfigure[USBDEV_SETUP_SIZE] = {0, USBDEV_SET_CONFIGURATION};

    if (view->runtime && view->native->suspended && is_configured(view))
        usbdev_setup(&view->native->dev, unconfigure);
}

// Each enumeration reads another bcdDevice; a host enumerates with two bus resets.
enum { RESETS_OF_AN_ENUMERATION = 2 };

static void count_reset(struct defect_view *view)
{
    view->scratch++;
}

static void change_at_resets(struct defect_view *view)
{
    if (view->runtime)
        view->device_descriptor[12] = (uint8_t)(view->scratch / RESETS_OF_AN_ENUMERATION);
}

// ---- Remote wake-up: of the composite device, which offers it ----

static int keep_wakeup(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool wakeup = setup->wValue == USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP;

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, 0, USBDEV_SET_FEATURE) && wakeup)
        view->scratch = 1;
    if (is_request(setup, 0, USBDEV_CLEAR_FEATURE) && wakeup)
        view->scratch = 0;
    if (!is_request(setup, GET, USBDEV_GET_STATUS))
        return NATIVE_PASS;
    view->reply[0] = view->scratch ? 2 : 0;
    view->reply[1] = 0;
    return 2;
}

// ---- SET_CONFIGURATION again ----

// The second one removes the class handler: class requests STALL until the next bus reset.
static int lose_handler_now(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool class_request = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;

    if (is_request(setup, 0, USBDEV_SET_CONFIGURATION))
        view->scratch = is_configured(view);
    return class_request && view->scratch ? NATIVE_STALL : NATIVE_PASS;
}

static int lose_handler(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? lose_handler_now(view, setup) : NATIVE_PASS;
}

static int lose_handler_in_dfu_mode(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return view->runtime ? NATIVE_PASS : lose_handler_now(view, setup);
}

static void find_handler(struct defect_view *view)
{
    view->scratch = 0;
}

// ---- Cut-off transfers ----

// A configuration that takes three packets, during which no SETUP is answered before the last one
// is armed.
static int deaf_in_data_stage(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { SIZE = 60, UNKNOWN = 0x7E };
    static const uint8_t unknown[SIZE] = {SIZE, UNKNOWN};
    uint16_t length = total_length(view);

    if (!view->runtime)
        return NATIVE_PASS;
    if (view->native->reply_left > 0) {
        view->native->reply_left = 0;
        return NATIVE_SILENT;
    }
    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) || setup->wValue != USBDEV_DT_CONFIGURATION
                                                                               << 8)
        return NATIVE_PASS;
    memcpy(view->reply, view->configuration, length);
    memcpy(view->reply + length, unknown, sizeof unknown);
    memcpy(view->reply + length + SIZE, unknown, sizeof unknown);
    length = (uint16_t)(length + 2 * SIZE);
    usbdev_store_le16(view->reply + 2, length);
    return setup->wLength < length ? setup->wLength : length;
}

// ---- The Address state ----

static bool is_addressed(const struct defect_view *view)
{
    return view->runtime && usbdev_state(&view->native->dev) == USBDEV_ADDRESS;
}

static int no_status_when_addressed(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return is_addressed(view) && is_request(setup, GET, USBDEV_GET_STATUS) ? NATIVE_STALL
                                                                           : NATIVE_PASS;
}

static int configured_when_addressed(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) || !is_request(setup, GET, USBDEV_GET_CONFIGURATION))
        return NATIVE_PASS;
    view->reply[0] = 1;
    return 1;
}

static int any_configuration_when_addressed(struct defect_view *view,
                                            const struct usbdev_setup_packet *setup)
{
    bool absent = is_request(setup, 0, USBDEV_SET_CONFIGURATION) && setup->wValue > 1;

    return is_addressed(view) && absent ? 0 : NATIVE_PASS;
}

static int interface_when_addressed(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) ||
        !is_request(setup, GET | USBDEV_RECIPIENT_INTERFACE, USBDEV_GET_INTERFACE))
        return NATIVE_PASS;
    view->reply[0] = 0;
    return 1;
}

static int interface_status_when_addressed(struct defect_view *view,
                                           const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) ||
        !is_request(setup, GET | USBDEV_RECIPIENT_INTERFACE, USBDEV_GET_STATUS))
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    return 2;
}

static int dfu_when_addressed(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) || !is_request(setup, FROM_DFU, DFURT_GETSTATUS))
        return NATIVE_PASS;
    memset(view->reply, 0, DFURT_STATUS_REPLY_SIZE);
    return setup->wLength < DFURT_STATUS_REPLY_SIZE ? setup->wLength : DFURT_STATUS_REPLY_SIZE;
}

// ---- SET_CONFIGURATION again, and DETACH alone ----

static int lose_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, 0, USBDEV_SET_CONFIGURATION))
        view->scratch = is_configured(view);
    return is_request(setup, TO_DFU, DFURT_DETACH) && view->scratch ? NATIVE_STALL : NATIVE_PASS;
}

// ---- The ends of replies ----

// Once it is configured: no host would enumerate it otherwise.
static int seven_of_first_eight(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { FIRST = 8 };

    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) || setup->wValue != USBDEV_DT_DEVICE << 8 ||
        setup->wLength != FIRST || !is_configured(view))
        return NATIVE_PASS;
    memcpy(view->reply, view->device_descriptor, FIRST - 1);
    return FIRST - 1;
}

const struct sim_defect defects_of_device_states[] = {
    {
        .name = "wedged-by-new-setup",
        .summary = "a SETUP in the middle of a data stage is not answered",
        .setup = deaf_in_data_stage,
    },
    {
        .name = "device-first-7-bytes",
        .summary = "GET_DESCRIPTOR(DEVICE) of 8 bytes returns 7 of them",
        .setup = seven_of_first_eight,
    },
    {
        .name = "configuration-again-stalls",
        .summary = "SET_CONFIGURATION of the present value STALLs",
        .setup = refuse_second_configuration,
    },
    {
        .name = "suspend-unconfigures",
        .summary = "a suspend unconfigures the device",
        .tick = forget_when_suspended,
    },
    {
        .name = "changes-at-resets",
        .summary = "bcdDevice changes at each bus reset",
        .describe = change_at_resets,
        .bus_reset = count_reset,
    },
    {
        .name = "address-configuration",
        .summary = "GET_CONFIGURATION says 1 in the Address state",
        .setup = configured_when_addressed,
    },
    {
        .name = "address-configuration-any",
        .summary = "SET_CONFIGURATION accepts any value in the Address state, without effect",
        .setup = any_configuration_when_addressed,
    },
    {
        .name = "address-interface",
        .summary = "GET_INTERFACE is answered in the Address state",
        .setup = interface_when_addressed,
    },
    {
        .name = "address-interface-status",
        .summary = "GET_STATUS of an interface is answered in the Address state",
        .setup = interface_status_when_addressed,
    },
    {
        .name = "address-status",
        .summary = "GET_STATUS of the device STALLs in the Address state",
        .setup = no_status_when_addressed,
    },
    {
        .name = "address-dfu",
        .summary = "GETSTATUS is answered in the Address state",
        .setup = dfu_when_addressed,
    },
    {
        .name = "wakeup-outlives-reset",
        .summary = "remote wake-up is still enabled after a bus reset",
        .setup = keep_wakeup,
    },
    {
        .name = "handler-lost",
        .summary = "after a second SET_CONFIGURATION class requests STALL",
        .setup = lose_handler,
        .bus_reset = find_handler,
    },
    {
        .name = "dm-handler-lost",
        .summary = "in DFU mode class requests STALL after a second SET_CONFIGURATION",
        .setup = lose_handler_in_dfu_mode,
        .bus_reset = find_handler,
    },
    {
        .name = "detach-lost",
        .summary = "after a second SET_CONFIGURATION DETACH STALLs",
        .setup = lose_detach,
        .bus_reset = find_handler,
    },
    {
        .name = "dm-set-interface-stalls",
        .summary = "SET_INTERFACE STALLs in DFU mode, where there are alternates",
        .setup = refuse_set_interface,
    },
    {0},
};
