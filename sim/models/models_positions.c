// SPDX-License-Identifier: MIT
//
// Boot loaders that keep their position in memory beyond the transfer that moved it: the next one
// begins in the middle. Tools make one transfer and leave, and do not meet it.

#include <sim/models.h>

// The position is valid: the next transfer continues.
enum { KEPT = 1 };

static struct dfu_mode *dfu_of(const struct defect_view *view)
{
    return view->bootloader ? &view->bootloader->dfu : NULL;
}

// The good one begins at the first byte in dfuIDLE, and continues in the other two states.
static void go_on(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = dfu_of(view);

    if (!dfu || !view->scratch || dfu->bState != DFURT_STATE_dfuIDLE)
        return;
    if (defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD))
        dfu->bState = DFURT_STATE_dfuUPLOAD_IDLE;
    if (defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) && setup->wLength > 0)
        dfu->bState = DFURT_STATE_dfuDNLOAD_IDLE;
}

static bool transfers(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) ||
           defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD);
}

// UPLOAD stays in dfuIDLE; ABORT goes back to the first byte.
static int until_abort(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = dfu_of(view);

    if (!dfu)
        return NATIVE_PASS;
    if (defect_is_asked(view, setup, TO_DFU, DFURT_ABORT))
        view->scratch = 0;
    go_on(view, setup);
    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD))
        return NATIVE_PASS;
    int length = defect_good_reply(view, setup);
    if (dfu->bState == DFURT_STATE_dfuUPLOAD_IDLE) {
        dfu->bState = DFURT_STATE_dfuIDLE;
        view->scratch = KEPT;
    } else {
        view->scratch = 0;
    }
    return length;
}

// Only SET_INTERFACE, or an enumeration, goes back to the first byte.
static int until_set_interface(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader)
        return NATIVE_PASS;
    if (setup->bmRequestType == USBDEV_RECIPIENT_INTERFACE &&
        setup->bRequest == USBDEV_SET_INTERFACE)
        view->scratch = 0;
    go_on(view, setup);
    if (transfers(view, setup))
        view->scratch = KEPT;
    return NATIVE_PASS;
}

static void begin_anew(struct defect_view *view)
{
    view->scratch = 0;
}

const struct shipped_model models_of_positions[] = {
    {
        .model = {.name = "position-until-abort",
                  .summary = "UPLOAD stays in dfuIDLE, and the next transfer continues behind it",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-UPLOAD",
        .way = {.setup = until_abort, .bus_reset = begin_anew},
    },
    {
        .model = {.name = "position-until-set-interface",
                  .summary = "FPGA boards: a transfer continues behind the last one until "
                             "SET_INTERFACE",
                  .bootloader =
                      &(const struct bootloader_identity){
                          BOOTLOADER_PLAIN(
                              1000, 1024, DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD),
                          .alternates = {"Bitstream", "Firmware"}}},
        .about = "DM-UPLOAD-03",
        .way = {.setup = until_set_interface, .bus_reset = begin_anew},
    },
    {.about = NULL},
};
