// SPDX-License-Identifier: MIT
//
// Devices that are lost at the n-th request since they were started, whatever it is: as firmware is
// that leaks a buffer at each request. And devices that are lost at one request alone.

#include "defects_private.h"

enum { MOST_OF_A_CHECK = 240 };

// Returns whether this is the request, or one after it.
static bool is_due(struct defect_view *view, uint32_t nth)
{
    if (view->scratch < nth)
        view->scratch++;
    return view->scratch == nth;
}

// It answers NAK for ever.
static int hang(struct defect_view *view, uint32_t nth)
{
    return is_due(view, nth) ? NATIVE_SILENT : NATIVE_PASS;
}

// It answers no packet any more.
static int crash(struct defect_view *view, uint32_t nth)
{
    view->native->hung = is_due(view, nth);
    return view->native->hung ? NATIVE_SILENT : NATIVE_PASS;
}

// Its pull-up goes off.
static int vanish(struct defect_view *view, uint32_t nth)
{
    if (!is_due(view, nth))
        return NATIVE_PASS;
    view->native->pull_up = false;
    return NATIVE_SILENT;
}

// At run time alone those whose number is less than what one check of DFU mode sends.
#define NTH(what, nth)                                                                             \
    static int what##_at_##nth(struct defect_view *view, const struct usbdev_setup_packet *setup)  \
    {                                                                                              \
        (void)setup;                                                                               \
        return view->runtime || (nth) > MOST_OF_A_CHECK ? what(view, nth) : NATIVE_PASS;           \
    }

// Its watchdog starts the firmware.
static int restart(struct defect_view *view, uint32_t nth)
{
    if (!is_due(view, nth))
        return NATIVE_PASS;
    defect_start_firmware(view);
    return NATIVE_SILENT;
}

static int restart_in_dfu_mode(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    return view->bootloader ? restart(view, 260) : NATIVE_PASS;
}

static int restart_at_unknown(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool is_unknown = setup->bmRequestType == TO_DFU && setup->wIndex == view->interface &&
                      setup->bRequest > DFURT_ABORT;

    return is_unknown && view->bootloader && view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE
               ? restart(view, 0)
               : NATIVE_PASS;
}

static int restart_at_dnload_of_nothing(struct defect_view *view,
                                        const struct usbdev_setup_packet *setup)
{
    bool ends = defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) && setup->wLength == 0;
    return ends && view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE ? restart(view, 0)
                                                                              : NATIVE_PASS;
}

// A magic word in memory that is not cleared: the watchdog starts the boot loader.
static int restart_as_boot_loader_at(struct defect_view *view, bool is_it)
{
    if (!view->runtime || !is_it)
        return NATIVE_PASS;
    view->enter_dfu(view->board);
    return NATIVE_SILENT;
}

static int restart_at_configuration(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return restart_as_boot_loader_at(view, is_request(setup, GET, USBDEV_GET_CONFIGURATION));
}

static int restart_at_getstate(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return restart_as_boot_loader_at(
        view, is_configured(view) && defect_is_request(view, setup, FROM_DFU, DFURT_GETSTATE));
}

static bool asks_for(const struct usbdev_setup_packet *setup, uint16_t type_and_index)
{
    return is_request(setup, GET, USBDEV_GET_DESCRIPTOR) && setup->wValue == type_and_index;
}

static int restart_at_languages(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->bootloader && asks_for(setup, USBDEV_DT_STRING << 8) ? restart(view, 0)
                                                                      : NATIVE_PASS;
}

static int crash_at_device_descriptor(struct defect_view *view,
                                      const struct usbdev_setup_packet *setup)
{
    bool is_it = is_configured(view) && asks_for(setup, USBDEV_DT_DEVICE << 8);

    return view->bootloader && is_it ? crash(view, 0) : NATIVE_PASS;
}

static int hang_at_status(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool is_it = view->runtime && is_configured(view) &&
                 defect_is_request(view, setup, FROM_DFU, DFURT_GETSTATUS);

    return view->scratch || is_it ? hang(view, 1) : NATIVE_PASS;
}

static int ignore_configuration(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool is_it = is_configured(view) && asks_for(setup, USBDEV_DT_CONFIGURATION << 8);

    return view->runtime && is_it ? NATIVE_SILENT : NATIVE_PASS;
}

static int crash_at_endpoint_feature(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    bool is_it =
        view->runtime && is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_CLEAR_FEATURE);

    return is_it ? crash(view, 0) : NATIVE_PASS;
}

// A bus reset that is taken for a pulled plug.
enum { AWAY_MS = 3000 };

static void leave_at_reset(struct defect_view *view)
{
    if (!view->runtime || !is_configured(view))
        return;
    usbdev_connect(&view->native->dev, false);
    view->scratch = AWAY_MS;
}

static void come_back(struct defect_view *view)
{
    if (view->scratch > 0 && --view->scratch == 0)
        usbdev_connect(&view->native->dev, true);
}

NTH(hang, 60)
NTH(hang, 260)
NTH(hang, 450)
NTH(crash, 100)
NTH(crash, 400)
NTH(vanish, 80)
NTH(vanish, 350)

// At the first start alone, as by a cable that was touched.
static int vanish_once(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    return view->runtime && view->starts == 1 ? vanish(view, 150) : NATIVE_PASS;
}

const struct sim_defect defects_of_losses[] = {
    {
        .name = "hangs-at-request-60",
        .summary = "the device answers NAK from the 60th request at run time on",
        .setup = hang_at_60,
    },
    {
        .name = "hangs-at-request-260",
        .summary = "the device answers NAK from the 260th request on",
        .setup = hang_at_260,
    },
    {
        .name = "hangs-at-request-450",
        .summary = "the device answers NAK from the 450th request on",
        .setup = hang_at_450,
    },
    {
        .name = "crashes-at-request-100",
        .summary = "the device answers no packet from the 100th request at run time on",
        .setup = crash_at_100,
    },
    {
        .name = "crashes-at-request-400",
        .summary = "the device answers no packet from the 400th request on",
        .setup = crash_at_400,
    },
    {
        .name = "vanishes-at-request-80",
        .summary = "the device leaves the bus at the 80th request at run time",
        .setup = vanish_at_80,
    },
    {
        .name = "vanishes-at-request-350",
        .summary = "the device leaves the bus at the 350th request",
        .setup = vanish_at_350,
    },
    {
        .name = "dm-restarts-at-request-260",
        .summary = "the boot loader starts the firmware at the 260th request",
        .setup = restart_in_dfu_mode,
    },
    {
        .name = "dm-restarts-at-unknown",
        .summary = "the boot loader starts the firmware at an unknown request in dfuIDLE",
        .setup = restart_at_unknown,
    },
    {
        .name = "state-9-DNLOAD-0-leaves",
        .summary = "starts the firmware at DNLOAD without data in dfuUPLOAD-IDLE",
        .setup = restart_at_dnload_of_nothing,
    },
    {
        .name = "restarts-at-get-configuration",
        .summary = "GET_CONFIGURATION makes the firmware restart as its boot loader",
        .setup = restart_at_configuration,
    },
    {
        .name = "restarts-at-getstate",
        .summary = "GETSTATE makes the firmware restart as its boot loader",
        .setup = restart_at_getstate,
    },
    {
        .name = "dm-restarts-at-languages",
        .summary = "the boot loader starts the firmware at a request for string 0",
        .setup = restart_at_languages,
    },
    {
        .name = "dm-crashes-at-device-descriptor",
        .summary = "the boot loader, once configured, crashes at GET_DESCRIPTOR(DEVICE)",
        .setup = crash_at_device_descriptor,
    },
    {
        .name = "hangs-at-getstatus",
        .summary = "the device answers NAK from a GETSTATUS at run time on",
        .setup = hang_at_status,
    },
    {
        .name = "configuration-silent",
        .summary = "GET_DESCRIPTOR(CONFIGURATION) is not answered once the device is configured",
        .setup = ignore_configuration,
    },
    {
        .name = "crashes-at-clear-halt",
        .summary = "the device crashes at CLEAR_FEATURE of an endpoint",
        .setup = crash_at_endpoint_feature,
    },
    {
        .name = "leaves-at-resets",
        .summary = "leaves the bus for 3 s at each bus reset at run time",
        .bus_reset = leave_at_reset,
        .tick = come_back,
    },
    {
        .name = "vanishes-once",
        .summary = "the device leaves the bus at the 150th request after its first start",
        .setup = vanish_once,
    },
    {.name = NULL},
};
