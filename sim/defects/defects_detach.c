// SPDX-License-Identifier: MIT
//
// Defects between run time and DFU mode, most of them seen in real devices; the correct behaviour
// is in the core.

#include <sim/defect.h>

#include <string.h>

// ---- What hooks have in common ----

static bool to_dfu_interface(const struct defect_view *view,
                             const struct usbdev_setup_packet *setup)
{
    return (setup->bmRequestType & ~USBDEV_DIR_IN) ==
               (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE) &&
           setup->wIndex == view->interface;
}

static bool is_dfu_request(const struct defect_view *view,
                           const struct usbdev_setup_packet *setup,
                           enum dfurt_request bRequest)
{
    return to_dfu_interface(view, setup) && setup->bRequest == bRequest &&
           usbdev_state(&view->native->dev) == USBDEV_CONFIGURED;
}

static bool in_app_detach(const struct defect_view *view)
{
    return view->runtime && dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH;
}

// ---- Detaching ----

static int leave_before_status_stage(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !defect_is_request(view, setup, TO_DFU, DFURT_DETACH))
        return NATIVE_PASS;
    view->enter_dfu(view->board);
    return NATIVE_SILENT;
}

// Of a device that waits for the reset; with bitWillDetach = 1 it is the settle time that runs.
static void keep_timer_from_expiring(struct defect_view *view)
{
    if (in_app_detach(view) && !(view->runtime->dfurt_config.bmAttributes & DFURT_ATTR_WILL_DETACH))
        defect_detach(view, UINT16_MAX);
}

static int accept_second_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!in_app_detach(view) || !is_dfu_request(view, setup, DFURT_DETACH))
        return NATIVE_PASS;
    defect_detach(view, UINT16_MAX);
    return 0;
}

static bool waits_for_reset(const struct defect_view *view)
{
    return !(view->runtime->dfurt_config.bmAttributes & DFURT_ATTR_WILL_DETACH);
}

static void leave_uncalled_for(struct defect_view *view)
{
    if (!in_app_detach(view))
        view->scratch = 0;
    else if (waits_for_reset(view) && ++view->scratch == 20)
        view->enter_dfu(view->board);
}

static void never_leave(struct defect_view *view)
{
    if (in_app_detach(view) && !waits_for_reset(view))
        defect_detach(view, 0);
}

static void expire_early(struct defect_view *view)
{
    if (!in_app_detach(view))
        view->scratch = 0;
    else if (waits_for_reset(view) && ++view->scratch == 20)
        dfurt_cancel(&view->runtime->dfurt);
}

static int remember_wValue(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (view->runtime && is_dfu_request(view, setup, DFURT_DETACH) && !in_app_detach(view))
        view->scratch = setup->wValue;
    return NATIVE_PASS;
}

// The timer of the class is capped by wDetachTimeOut; once that is in the descriptors, the class is
// told another one.
static void wait_for_wValue(struct defect_view *view)
{
    if (!in_app_detach(view) || !waits_for_reset(view) || view->scratch == 0)
        return;
    if (view->scratch > view->runtime->dfurt_config.wDetachTimeOut) {
        view->runtime->dfurt_config.wDetachTimeOut = (uint16_t)view->scratch;
        defect_detach(view, (uint16_t)view->scratch);
    }
    view->scratch = 0;
}

static void wait_for_wDetachTimeOut(struct defect_view *view)
{
    if (!in_app_detach(view) || !waits_for_reset(view) || view->scratch == 0)
        return;
    defect_detach(view, UINT16_MAX);
    view->scratch = 0;
}

static int restart_timer(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (in_app_detach(view) && waits_for_reset(view) &&
        is_dfu_request(view, setup, DFURT_GETSTATUS))
        defect_detach(view, UINT16_MAX);
    return NATIVE_PASS;
}

static int stop_timer(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (in_app_detach(view) && is_dfu_request(view, setup, DFURT_GETSTATUS))
        view->scratch = 1;
    return NATIVE_PASS;
}

static void keep_stopped(struct defect_view *view)
{
    view->scratch &= in_app_detach(view);
    if (view->scratch)
        keep_timer_from_expiring(view);
}

// A signed 16-bit timer has expired before it starts.
static int take_wValue_for_signed(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool negative = setup->wValue >= 0x8000;

    return view->runtime && is_dfu_request(view, setup, DFURT_DETACH) && negative ? 0 : NATIVE_PASS;
}

static int leave_at_wValue_0(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return setup->wValue == 0 ? leave_before_status_stage(view, setup) : NATIVE_PASS;
}

static bool is_detach(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime && defect_is_request(view, setup, TO_DFU, DFURT_DETACH);
}

// The main loop polls a flag that the SETUP has set, and ignores the status stage.
static int note_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (is_detach(view, setup))
        view->scratch = 1;
    return NATIVE_PASS;
}

static int note_detach_and_stall(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    note_detach(view, setup);
    return is_detach(view, setup) ? NATIVE_STALL : NATIVE_PASS;
}

static void leave_after_setup(struct defect_view *view)
{
    enum { LATER_MS = 5 };

    if (view->runtime && view->scratch > 0 && ++view->scratch > LATER_MS)
        view->enter_dfu(view->board);
}

static void leave_much_after_setup(struct defect_view *view)
{
    enum { LATER_MS = 100 };

    if (view->runtime && view->scratch > 0 && ++view->scratch > LATER_MS)
        view->enter_dfu(view->board);
}

// ---- Bus resets that enter DFU mode though the detach is over ----

static bool asks_for_state(const struct usbdev_setup_packet *setup)
{
    return setup->bRequest == DFURT_GETSTATUS || setup->bRequest == DFURT_GETSTATE;
}

// scratch is 1 once appDETACH has ended in this way and until the next request to DFU that does
// more than ask for the state.
static bool ends_detach_by(struct defect_view *view,
                           const struct usbdev_setup_packet *setup,
                           enum dfurt_request bRequest)
{
    bool ends = in_app_detach(view) && is_dfu_request(view, setup, bRequest);

    if (view->runtime && to_dfu_interface(view, setup) && !asks_for_state(setup))
        view->scratch = ends;
    return ends;
}

static int remember_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    ends_detach_by(view, setup, DFURT_UPLOAD);
    return NATIVE_PASS;
}

static int remember_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    ends_detach_by(view, setup, DFURT_DETACH);
    return NATIVE_PASS;
}

static int remember_nothing(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (view->runtime && to_dfu_interface(view, setup) && !asks_for_state(setup))
        view->scratch = 0;
    return NATIVE_PASS;
}

static void remember_timer(struct defect_view *view)
{
    if (in_app_detach(view))
        view->scratch = 1;
}

static void enter_dfu_if_remembered(struct defect_view *view)
{
    if (view->runtime && view->scratch && !in_app_detach(view))
        view->enter_dfu(view->board);
}

// ---- Back to run time ----

enum { AWAY_MS = 200 };

static void leave_and_return(struct defect_view *view)
{
    if (view->runtime && view->scratch > 0 && --view->scratch == 0) {
        usbdev_connect(&view->native->dev, true);
    } else if (in_app_detach(view) && !waits_for_reset(view)) {
        dfurt_cancel(&view->runtime->dfurt);
        usbdev_connect(&view->native->dev, false);
        view->scratch = AWAY_MS;
    }
}

static void other_serial_after_return(struct defect_view *view)
{
    if (view->runtime && view->starts > 1)
        view->device_descriptor[12]++;
}

static int detach_once(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool again = view->runtime && view->starts > 1 && is_dfu_request(view, setup, DFURT_DETACH);

    return again ? NATIVE_STALL : NATIVE_PASS;
}

// But not by those of its enumeration, or it would never be seen at run time.
static void enter_dfu_by_any_reset(struct defect_view *view)
{
    if (view->runtime && usbdev_state(&view->native->dev) == USBDEV_CONFIGURED)
        view->enter_dfu(view->board);
}

static void end_dfu_mode_by_any_reset(struct defect_view *view)
{
    if (view->bootloader)
        dfu_mode_configured(&view->bootloader->dfu);
}

// ---- Replies ----

static bool asks_for_status(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return is_dfu_request(view, setup, DFURT_GETSTATUS) && (setup->bmRequestType & USBDEV_DIR_IN);
}

static int always_say_app_idle(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !asks_for_status(view, setup))
        return NATIVE_PASS;
    memset(view->reply, 0, DFURT_STATUS_REPLY_SIZE);
    return setup->wLength < DFURT_STATUS_REPLY_SIZE ? setup->wLength : DFURT_STATUS_REPLY_SIZE;
}

static int reply_beyond_wLength(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !asks_for_status(view, setup) || setup->wLength == 0)
        return NATIVE_PASS;
    dfurt_setup(&view->runtime->dfurt,
                &(struct usbdev_setup_packet){.bmRequestType = setup->bmRequestType,
                                              .bRequest = DFURT_GETSTATUS,
                                              .wIndex = setup->wIndex,
                                              .wLength = DFURT_STATUS_REPLY_SIZE},
                view->reply);
    return DFURT_STATUS_REPLY_SIZE;
}

// ---- Descriptors ----

static void same_product_in_both_modes(struct defect_view *view)
{
    usbdev_store_le16(view->device_descriptor + 8, 0x1209);
    usbdev_store_le16(view->device_descriptor + 10, 0x0001);
}

// ---- The table ----

const struct sim_defect defects_of_detach[] = {
    {
        .name = "detach-stalls-and-leaves",
        .summary = "DETACH STALLs, and the device leaves the bus all the same",
        .setup = note_detach_and_stall,
        .tick = leave_after_setup,
    },
    {
        .name = "leaves-before-status",
        .summary = "leaves the bus at the SETUP of DETACH, before its status stage",
        .setup = leave_before_status_stage,
    },
    {
        .name = "leaves-before-status-of-0",
        .summary = "leaves the bus at the SETUP of DETACH where wValue is 0",
        .setup = leave_at_wValue_0,
    },
    {
        .name = "leaves-5-ms-after-setup",
        .summary = "leaves the bus 5 ms after the SETUP of DETACH, whenever the status stage is",
        .setup = note_detach,
        .tick = leave_after_setup,
    },
    {
        .name = "leaves-without-status",
        .summary =
            "leaves the bus 100 ms after the SETUP of DETACH, with a status stage or without",
        .setup = note_detach,
        .tick = leave_much_after_setup,
    },
    {
        .name = "no-detach-timer",
        .summary = "the detach timer never expires: stays in appDETACH",
        .tick = keep_timer_from_expiring,
    },
    {
        .name = "second-detach",
        .summary = "accepts a second DETACH in appDETACH and restarts the timer",
        .setup = accept_second_detach,
    },
    {
        .name = "reset-enters-dfu",
        .summary = "a bus reset without DETACH leads into DFU mode",
        .bus_reset = enter_dfu_by_any_reset,
    },
    {
        .name = "reset-bounces",
        .summary = "the bus resets of its own enumeration end DFU mode",
        .bus_reset = end_dfu_mode_by_any_reset,
    },
    {
        .name = "slow-return",
        .summary = "off the bus for 25 s between its two modes: longer than any tool waits",
        .reset_ms = 25000,
    },
    {
        .name = "status-always-app-idle",
        .summary = "GETSTATUS says appIDLE in every state",
        .setup = always_say_app_idle,
    },
    {
        .name = "status-beyond-wlength",
        .summary = "GETSTATUS returns 6 bytes whatever wLength asks for",
        .setup = reply_beyond_wLength,
    },
    {
        .name = "same-vid-pid",
        .summary = "the same idVendor and idProduct in DFU mode as at run time",
        .describe = same_product_in_both_modes,
    },
    {
        .name = "no-disconnect",
        .summary = "starts its boot loader without dropping the pull-up",
        .keeps_pull_up = true,
    },
    {
        .name = "leaves-uncalled-for",
        .summary = "bitWillDetach is 0, but the device leaves by itself",
        .tick = leave_uncalled_for,
    },
    {
        .name = "never-leaves",
        .summary = "bitWillDetach is 1, but the device waits for a bus reset",
        .tick = never_leave,
    },
    {
        .name = "timer-too-short",
        .summary = "the detach timer expires after 20 ms",
        .tick = expire_early,
    },
    {
        .name = "timer-uncapped",
        .summary = "the detach timer runs for wValue, although it exceeds wDetachTimeOut",
        .setup = remember_wValue,
        .tick = wait_for_wValue,
    },
    {
        .name = "timer-ignores-wvalue",
        .summary = "the detach timer always runs for wDetachTimeOut",
        .setup = remember_wValue,
        .tick = wait_for_wDetachTimeOut,
    },
    {
        .name = "reset-after-timer-enters-dfu",
        .summary = "a bus reset after the detach timer enters DFU mode",
        .setup = remember_nothing,
        .tick = remember_timer,
        .bus_reset = enter_dfu_if_remembered,
    },
    {
        .name = "reset-after-upload-enters-dfu",
        .summary = "a bus reset after a STALLed UPLOAD in appDETACH enters DFU mode",
        .setup = remember_upload,
        .bus_reset = enter_dfu_if_remembered,
    },
    {
        .name = "reset-after-detach-enters-dfu",
        .summary = "a bus reset after a STALLed second DETACH enters DFU mode",
        .setup = remember_detach,
        .bus_reset = enter_dfu_if_remembered,
    },
    {
        .name = "returns-at-run-time",
        .summary = "leaves the bus after DETACH, and comes back at run time",
        .tick = leave_and_return,
    },
    {
        .name = "slow-return-7-s",
        .summary = "off the bus for 7 s between its two modes: longer than dfu-util waits",
        .reset_ms = 7000,
    },
    {
        .name = "slow-return-12-s",
        .summary = "off the bus for 12 s between its two modes: longer than fwupd waits",
        .reset_ms = 12000,
    },
    {
        .name = "timer-restarted",
        .summary = "GETSTATUS in appDETACH restarts the detach timer",
        .setup = restart_timer,
    },
    {
        .name = "timer-stopped",
        .summary = "GETSTATUS in appDETACH stops the detach timer",
        .setup = stop_timer,
        .tick = keep_stopped,
    },
    {
        .name = "timer-signed",
        .summary = "a DETACH with wValue 8000h or above is accepted, and its timer expires at once",
        .setup = take_wValue_for_signed,
    },
    {
        .name = "returns-as-another",
        .summary = "after the first return to run time bcdDevice has changed, for good",
        .describe = other_serial_after_return,
    },
    {
        .name = "detaches-once",
        .summary = "after the return to run time DETACH STALLs",
        .setup = detach_once,
    },
    {0},
};
