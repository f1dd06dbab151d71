// SPDX-License-Identifier: MIT
//
// Boot loaders that act on DETACH in DFU mode, where it must STALL (DFU 1.1 A.2.3), products that
// take half of one at run time, and boot loaders that leave DFU mode in other ways than a reset.

#include <string.h>

#include <sim/models.h>

static bool detaches_in_dfu_mode(const struct defect_view *view,
                                 const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, TO_DFU, DFURT_DETACH);
}

// ---- Leaves a moment later: the reset is a job of the main loop ----

enum { LATER_MS = 30 };

static int leave_later(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!detaches_in_dfu_mode(view, setup))
        return NATIVE_PASS;
    view->scratch = LATER_MS;
    return 0;
}

static void count_down(struct defect_view *view)
{
    if (view->bootloader && view->scratch > 0 && --view->scratch == 0)
        defect_start_firmware(view);
}

// ---- Starts what was downloaded a moment after manifestation, whatever was asked meanwhile ----

static int restart_later(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { RESTART_MS = 60 };

    if (view->bootloader && view->bootloader->dfu.bState == DFURT_STATE_dfuMANIFEST_SYNC &&
        defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS))
        view->scratch = RESTART_MS;
    return NATIVE_PASS;
}

// ---- The same after dfuMANIFEST-WAIT-RESET, which a bus reset ends in dfuIDLE ----

static void restart_behind_reset(struct defect_view *view)
{
    enum { RESTART_MS = 500 };

    if (view->bootloader && view->scratch == 0 &&
        view->bootloader->dfu.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET)
        view->scratch = RESTART_MS;
    count_down(view);
}

// ---- Leaves before the status stage ----

static int leave_at_once(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!detaches_in_dfu_mode(view, setup))
        return NATIVE_PASS;
    defect_start_firmware(view);
    return NATIVE_SILENT;
}

// ---- DETACH, and not the bus reset, leads back to run time ----

static void stay_in_dfu_mode(struct defect_view *view)
{
    if (view->bootloader)
        view->bootloader->dfu.configured = false; // the reset counts as one of the enumeration
}

// ---- The second bus reset leads back ----

static void stay_once(struct defect_view *view)
{
    if (view->bootloader && view->bootloader->dfu.configured && view->scratch++ == 0)
        view->bootloader->dfu.configured = false;
}

// ---- appIDLE, with the descriptors of DFU mode; a second DETACH leads back ----

static int app_idle_reply(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const uint8_t status[DFURT_STATUS_REPLY_SIZE] = {DFURT_STATUS_OK, 0, 0, 0, DFURT_STATE_appIDLE};
    uint16_t length =
        setup->bRequest == DFURT_GETSTATUS ? DFURT_STATUS_REPLY_SIZE : DFURT_STATE_REPLY_SIZE;

    memcpy(view->reply, status + (setup->bRequest == DFURT_GETSTATUS ? 0 : 4), length);
    return setup->wLength < length ? setup->wLength : length;
}

static int to_app_idle(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader || (setup->bmRequestType & ~USBDEV_DIR_IN) != TO_DFU ||
        setup->wIndex != view->interface)
        return NATIVE_PASS;
    if (detaches_in_dfu_mode(view, setup) &&
        (view->scratch || view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE)) {
        view->scratch = !view->scratch;
        return 0;
    }
    if (!view->scratch)
        return NATIVE_PASS;
    bool asks = setup->bRequest == DFURT_GETSTATUS || setup->bRequest == DFURT_GETSTATE;
    return asks && (setup->bmRequestType & USBDEV_DIR_IN) ? app_idle_reply(view, setup)
                                                          : NATIVE_STALL;
}

// ---- appIDLE, with the descriptors of DFU mode; the detach timer leads back ----

enum { IN_APP_IDLE = 1, DETACH_TIMER_MS = 100 };

static int until_the_timer(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool detaches = detaches_in_dfu_mode(view, setup);

    if (!view->bootloader || (setup->bmRequestType & ~USBDEV_DIR_IN) != TO_DFU ||
        (view->scratch == 0 && !detaches))
        return NATIVE_PASS;
    if (view->scratch == IN_APP_IDLE && detaches) {
        view->scratch = IN_APP_IDLE + DETACH_TIMER_MS;
        return 0;
    }
    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) ||
        defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATE)) {
        int length = app_idle_reply(view, setup);
        view->reply[setup->bRequest == DFURT_GETSTATUS ? 4 : 0] =
            view->scratch == IN_APP_IDLE ? DFURT_STATE_appIDLE : DFURT_STATE_appDETACH;
        return length;
    }
    view->scratch = IN_APP_IDLE;
    return NATIVE_STALL;
}

static void leave_when_the_timer_ends(struct defect_view *view)
{
    if (view->bootloader && view->scratch > IN_APP_IDLE && --view->scratch == IN_APP_IDLE)
        view->enter_dfu(view->board);
}

// ---- ABORT in mid download leads to appIDLE, and DETACH from there starts what memory holds ----

static int abort_to_app_idle(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader)
        return NATIVE_PASS;
    if (defect_is_asked(view, setup, TO_DFU, DFURT_ABORT))
        view->scratch = view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_IDLE;
    if (!view->scratch)
        return NATIVE_PASS;
    if (detaches_in_dfu_mode(view, setup)) {
        view->scratch = 0;
        defect_start_firmware(view);
        return 0;
    }
    bool asks = defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) ||
                defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATE);
    return asks ? app_idle_reply(view, setup) : NATIVE_PASS;
}

// ---- At run time: DETACH in the direction IN leads to appDETACH, and nothing leads out of it ----

static int half_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool ours = view->runtime && (setup->bmRequestType & ~USBDEV_DIR_IN) == TO_DFU &&
                setup->wIndex == view->interface;

    if (ours && defect_is_request(view, setup, FROM_DFU, DFURT_DETACH)) {
        view->scratch = 1;
        return 0;
    }
    if (!ours || !view->scratch)
        return NATIVE_PASS;
    if (!(setup->bmRequestType & USBDEV_DIR_IN) ||
        (setup->bRequest != DFURT_GETSTATUS && setup->bRequest != DFURT_GETSTATE))
        return NATIVE_STALL;
    int length = app_idle_reply(view, setup);
    int state_at = setup->bRequest == DFURT_GETSTATUS ? 4 : 0;
    if (length > state_at)
        view->reply[state_at] = DFURT_STATE_appDETACH;
    return length;
}

const struct shipped_model models_of_detach[] = {
    {
        .model = {.name = "leaves-after-detach",
                  .summary =
                      "a boot loader that accepts DETACH and starts what it holds 30 ms later",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-DETACH",
        .way = {.setup = leave_later, .tick = count_down},
    },
    {
        .model = {.name = "leaves-at-detach",
                  .summary = "RIOT: a boot loader that leaves the bus at DETACH, before its status "
                             "stage",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-DETACH",
        .way = {.setup = leave_at_once},
    },
    {
        .model = {.name = "detach-leads-back",
                  .summary = "cameras: DETACH ends DFU mode, a bus reset does not",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-DETACH DM-RESET-01",
        .way = {.setup = leave_later, .tick = count_down, .bus_reset = stay_in_dfu_mode},
    },
    {
        .model = {.name = "second-reset-leads-back",
                  .summary = "headsets: the second bus reset ends DFU mode",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-RESET-01",
        .way = {.bus_reset = stay_once},
    },
    {
        .model = {.name = "app-idle-in-dfu-mode",
                  .summary = "Openmoko, old U-Boot: DETACH in dfuIDLE leads to appIDLE, and back",
                  .bootloader = &bootloader_plain_tolerant,
                  .starts_in_bootloader = true},
        .about = "DM-STATE-2-DETACH",
        .way = {.setup = to_app_idle},
    },
    {
        .model = {.name = "app-idle-until-the-timer",
                  .summary = "Zephyr's first stack: DETACH in DFU mode leads to appIDLE, a second "
                             "one to appDETACH, and dfuIDLE follows when its timer has ended",
                  .bootloader = &bootloader_plain_tolerant,
                  .starts_in_bootloader = true},
        .about = "DM-STATE-2-DETACH",
        .way = {.setup = until_the_timer, .tick = leave_when_the_timer_ends},
    },
    {
        .model = {.name = "abort-leads-to-app-idle",
                  .summary =
                      "ABORT in mid download leads to appIDLE, and DETACH starts what is there",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-5-ABORT",
        .way = {.setup = abort_to_app_idle},
    },
    {
        .model = {.name = "half-detach",
                  .summary = "Zephyr: DETACH in the direction IN leads to appDETACH, for good",
                  .bootloader = &bootloader_plain_tolerant},
        .about = "REQ-06d",
        .way = {.setup = half_detach},
    },
    {
        .model = {.name = "restarts-once-manifested",
                  .summary =
                      "Kiibohd: starts its firmware 60 ms after manifestation has begun, also "
                      "where a request has ended that",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "",
        .way = {.setup = restart_later, .tick = count_down},
    },
    {
        .model = {.name = "restarts-behind-a-reset",
                  .summary = "CherryUSB, Zephyr's first stack: a bus reset does not end DFU mode, "
                             "and 0.5 s after manifestation the firmware is started in any state",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-RESET-01",
        .way = {.tick = restart_behind_reset, .bus_reset = stay_in_dfu_mode},
    },
    {.about = NULL},
};
