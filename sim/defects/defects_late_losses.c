// SPDX-License-Identifier: MIT
//
// Devices that answer a request and are gone some milliseconds later, as firmware is whose watchdog
// restarts it.

#include "defects_private.h"

enum { LATER_MS = 20 };

static int restart_later(struct defect_view *view, bool is_it)
{
    if (is_it && view->scratch == 0)
        view->scratch = LATER_MS;
    return NATIVE_PASS;
}

static void restart_when_due(struct defect_view *view)
{
    if (view->scratch == 0 || --view->scratch > 0)
        return;
    if (view->bootloader)
        defect_start_firmware(view);
    else
        view->enter_dfu(view->board);
}

static bool is_idle(const struct defect_view *view)
{
    return view->runtime && is_configured(view) &&
           dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appIDLE;
}

static int restart_behind_abort(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return restart_later(view,
                         is_idle(view) && defect_is_request(view, setup, TO_DFU, DFURT_ABORT));
}

static int restart_behind_getstatus(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return restart_later(view, is_idle(view) &&
                                   defect_is_request(view, setup, FROM_DFU, DFURT_GETSTATUS));
}

static int restart_behind_getstate(struct defect_view *view,
                                   const struct usbdev_setup_packet *setup)
{
    return restart_later(view,
                         is_idle(view) && defect_is_request(view, setup, FROM_DFU, DFURT_GETSTATE));
}

static int restart_behind_set_interface(struct defect_view *view,
                                        const struct usbdev_setup_packet *setup)
{
    return restart_later(
        view, is_idle(view) && is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE));
}

static int restart_behind_abort_in_dfu_mode(struct defect_view *view,
                                            const struct usbdev_setup_packet *setup)
{
    return restart_later(view, defect_is_asked(view, setup, TO_DFU, DFURT_ABORT));
}

static int restart_behind_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return restart_later(view, defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD));
}

// In appDETACH, where it leads to appIDLE (DFU 1.1 A.2.2).
static int
enter_behind(struct defect_view *view, const struct usbdev_setup_packet *setup, uint8_t bRequest)
{
    return restart_later(
        view, view->runtime && dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH &&
                  setup->wLength == 0 && defect_is_request(view, setup, TO_DFU, bRequest));
}

static int enter_behind_dnload_0(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return enter_behind(view, setup, DFURT_DNLOAD);
}

static int enter_behind_clrstatus(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return enter_behind(view, setup, DFURT_CLRSTATUS);
}

static int restart_behind_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return restart_later(view, defect_is_asked(view, setup, TO_DFU, DFURT_DETACH) &&
                                   view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE);
}

const struct sim_defect defects_of_late_losses[] = {
    {
        .name = "restarts-behind-abort",
        .summary = "20 ms after ABORT in appIDLE the firmware restarts as its boot loader",
        .setup = restart_behind_abort,
        .tick = restart_when_due,
    },
    {
        .name = "restarts-behind-getstatus",
        .summary = "20 ms after GETSTATUS in appIDLE the firmware restarts as its boot loader",
        .setup = restart_behind_getstatus,
        .tick = restart_when_due,
    },
    {
        .name = "restarts-behind-getstate",
        .summary = "20 ms after GETSTATE in appIDLE the firmware restarts as its boot loader",
        .setup = restart_behind_getstate,
        .tick = restart_when_due,
    },
    {
        .name = "restarts-behind-set-interface",
        .summary = "20 ms after SET_INTERFACE the firmware restarts as its boot loader",
        .setup = restart_behind_set_interface,
        .tick = restart_when_due,
    },
    {
        .name = "enters-behind-dnload-0",
        .summary = "20 ms after a DNLOAD of nothing in appDETACH, which STALLs, it enters DFU mode",
        .setup = enter_behind_dnload_0,
        .tick = restart_when_due,
    },
    {
        .name = "enters-behind-clrstatus",
        .summary = "20 ms after CLRSTATUS in appDETACH, which STALLs, it enters DFU mode",
        .setup = enter_behind_clrstatus,
        .tick = restart_when_due,
    },
    {
        .name = "dm-restarts-behind-abort",
        .summary = "20 ms after ABORT the boot loader starts the firmware",
        .setup = restart_behind_abort_in_dfu_mode,
        .tick = restart_when_due,
    },
    {
        .name = "dm-restarts-behind-upload",
        .summary = "20 ms after UPLOAD the boot loader starts the firmware",
        .setup = restart_behind_upload,
        .tick = restart_when_due,
    },
    {
        .name = "dm-restarts-behind-detach",
        .summary =
            "20 ms after DETACH in dfuIDLE, which STALLs, the boot loader starts the firmware",
        .setup = restart_behind_detach,
        .tick = restart_when_due,
    },
    {.name = NULL},
};
