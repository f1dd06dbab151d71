// SPDX-License-Identifier: MIT
//
// The way from run time into DFU mode gone wrong, mostly as seen in real devices; what the good
// device does instead is in the core.

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
    return to_dfu_interface(view, setup) && setup->bRequest == bRequest;
}

static bool in_app_detach(const struct defect_view *view)
{
    return view->runtime && dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH;
}

// ---- Detaching ----

static int leave_before_status_stage(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !is_dfu_request(view, setup, DFURT_DETACH))
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
    if (in_app_detach(view) && waits_for_reset(view) && view->scratch != 0)
        defect_detach(view, UINT16_MAX);
    view->scratch = 0;
}

static void other_serial_after_return(struct defect_view *view)
{
    if (view->runtime && view->starts > 1)
        view->device_descriptor[12] = (uint8_t)view->starts;
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

static int always_say_app_idle(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !is_dfu_request(view, setup, DFURT_GETSTATUS))
        return NATIVE_PASS;
    memset(view->reply, 0, DFURT_STATUS_REPLY_SIZE);
    return setup->wLength < DFURT_STATUS_REPLY_SIZE ? setup->wLength : DFURT_STATUS_REPLY_SIZE;
}

static int reply_beyond_wLength(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !is_dfu_request(view, setup, DFURT_GETSTATUS) || setup->wLength == 0)
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
        .name = "leaves-before-status",
        .summary = "leaves the bus at the SETUP of DETACH, before its status stage",
        .setup = leave_before_status_stage,
    },
    {
        .name = "no-detach-timer",
        .summary = "the detach timer never expires: stays in appDETACH",
        .tick = keep_timer_from_expiring,
    },
    {
        .name = "second-detach",
        .summary = "accepts a second DETACH in appDETACH and starts the timer again",
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
        .summary = "off the bus for 12 s between its two modes: longer than any tool waits",
        .reset_ms = 12000,
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
        .summary = "becomes its boot loader without dropping the pull-up",
        .keeps_pull_up = true,
    },
    {
        .name = "leaves-uncalled-for",
        .summary = "bitWillDetach = 0, but it leaves by itself",
        .tick = leave_uncalled_for,
    },
    {
        .name = "never-leaves",
        .summary = "bitWillDetach = 1, but it stays and waits",
        .tick = never_leave,
    },
    {
        .name = "timer-too-short",
        .summary = "the detach timer is over after 20 ms",
        .tick = expire_early,
    },
    {
        .name = "timer-uncapped",
        .summary = "the detach timer waits for wValue, though that is more than wDetachTimeOut",
        .setup = remember_wValue,
        .tick = wait_for_wValue,
    },
    {
        .name = "timer-ignores-wvalue",
        .summary = "the detach timer always waits for wDetachTimeOut",
        .setup = remember_wValue,
        .tick = wait_for_wDetachTimeOut,
    },
    {
        .name = "returns-as-another",
        .summary = "back at run time bcdDevice is another one",
        .describe = other_serial_after_return,
    },
    {
        .name = "detaches-once",
        .summary = "back at run time DETACH STALLs",
        .setup = detach_once,
    },
    {0},
};
