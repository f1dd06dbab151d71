// SPDX-License-Identifier: MIT
//
// Boot loaders that report, answer or upload as they should not.

#include <string.h>

#include "defects_private.h"

static bool is_uploading(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) && setup->wLength > 0 &&
           setup->wLength <= view->bootloader->dfu_config.wTransferSize &&
           (view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE ||
            view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE);
}

static int upload_changes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!is_uploading(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    view->reply[0] = (uint8_t)(view->reply[0] + ++view->scratch);
    return length;
}

static int upload_never_ends(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_uploading(view, setup))
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuUPLOAD_IDLE;
    memset(view->reply, 0xA5, setup->wLength);
    return setup->wLength;
}

// The block that ends an upload does not end it.
static int upload_stays(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!is_uploading(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    view->bootloader->dfu.bState = DFURT_STATE_dfuUPLOAD_IDLE;
    return length;
}

static int upload_ignores_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet first = *setup;

    if (!is_uploading(view, setup) || setup->wValue < 3)
        return NATIVE_PASS;
    first.wValue = 2;
    return defect_good_reply(view, &first);
}

// Where it does not fit into them any more the upload ends.
static int upload_counts_15_bits(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_uploading(view, setup) || setup->wValue < 0x8000)
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuERROR;
    view->bootloader->dfu.bStatus = DFURT_STATUS_errADDRESS;
    return NATIVE_STALL;
}

// A whole block ends the upload as well, as the next request finds.
static int upload_over_early(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader)
        return NATIVE_PASS;
    if (view->scratch && view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE)
        view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    view->scratch =
        is_uploading(view, setup) && setup->wLength == view->bootloader->dfu_config.wTransferSize;
    return NATIVE_PASS;
}

// In dfuIDLE; a smaller one is taken.
static int refuse_whole_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_uploading(view, setup) || setup->wLength < view->bootloader->dfu_config.wTransferSize ||
        view->bootloader->dfu.bState != DFURT_STATE_dfuIDLE)
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuERROR;
    view->bootloader->dfu.bStatus = DFURT_STATUS_errSTALLEDPKT;
    return NATIVE_STALL;
}

// A block that is smaller than wTransferSize lacks its last byte.
static int upload_byte_less(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!is_uploading(view, setup) || setup->wLength >= view->bootloader->dfu_config.wTransferSize)
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    return length > 0 ? length - 1 : length;
}

// Until an error was cleared once.
static int start_with_status(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t status[] = {DFURT_STATUS_errUNKNOWN, 0, 0, 0, DFURT_STATE_dfuIDLE, 0};
    const struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (defect_is_asked(view, setup, TO_DFU, DFURT_CLRSTATUS) &&
        dfu->bState == DFURT_STATE_dfuERROR)
        view->scratch = 1;
    if (view->scratch || !defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) ||
        dfu->bState != DFURT_STATE_dfuIDLE)
        return NATIVE_PASS;
    memcpy(view->reply, status, sizeof status);
    return setup->wLength < sizeof status ? setup->wLength : (int)sizeof status;
}

static int keep_status(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!defect_is_asked(view, setup, TO_DFU, DFURT_CLRSTATUS) ||
        view->bootloader->dfu.bState != DFURT_STATE_dfuERROR)
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    return 0;
}

// Before its first request is looked at.
static int start_in_error(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader || view->scratch ||
        (setup->bmRequestType & USBDEV_TYPE_MASK) != USBDEV_TYPE_CLASS)
        return NATIVE_PASS;
    view->scratch = 1;
    view->bootloader->dfu.bState = DFURT_STATE_dfuERROR;
    view->bootloader->dfu.bStatus = DFURT_STATUS_errUNKNOWN;
    return NATIVE_PASS;
}

// Until the first ABORT.
static int begin_in_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!dfu || !is_configured(view) || view->scratch++ > 0 || dfu->bState != DFURT_STATE_dfuIDLE)
        return NATIVE_PASS;
    (void)setup;
    dfu->bState = DFURT_STATE_dfuUPLOAD_IDLE;
    return NATIVE_PASS;
}

static int status_of_any_interface(struct defect_view *view,
                                   const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet own = *setup;

    if (!view->bootloader || !is_configured(view) ||
        !is_request(setup, FROM_DFU, DFURT_GETSTATUS) || setup->wIndex == view->interface)
        return NATIVE_PASS;
    own.wIndex = view->interface;
    return defect_good_reply(view, &own);
}

const struct sim_defect defects_of_dfu_mode[] = {
    {
        .name = "dm-status-vendor",
        .summary = "bStatus after an unexpected request is errVENDOR",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(DFURT_STATUS_errVENDOR, 0, 0, 0, DFURT_STATE_dfuERROR, 0)}),
    },
    {
        .name = "dm-status-unknown",
        .summary = "bStatus after an unexpected request is 10h, which DFU 1.1 does not define",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(0x10, 0, 0, 0, DFURT_STATE_dfuERROR, 0)}),
    },
    {
        .name = "dm-interface-says-0",
        .summary = "GET_INTERFACE says 0 in DFU mode, whatever is selected",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = 0x81, .bRequest = USBDEV_GET_INTERFACE,
                        .action = DO_REPLY, BYTES(0)}),
    },
    {
        .name = "dm-upload-stalls-whole",
        .summary = "UPLOAD of wTransferSize bytes STALLs in dfuIDLE, a smaller one does not",
        .setup = refuse_whole_block,
    },
    {
        .name = "dm-status-string",
        .summary = "iString 99 in dfuERROR names no string",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(DFURT_STATUS_errSTALLEDPKT, 0, 0, 0, DFURT_STATE_dfuERROR, 99)}),
    },
    {
        .name = "dm-status-in-idle",
        .summary = "bStatus errUNKNOWN in dfuIDLE",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(DFURT_STATUS_errUNKNOWN, 0, 0, 0, DFURT_STATE_dfuIDLE, 0)}),
    },
    {
        .name = "dm-state-disagrees",
        .summary = "GETSTATE says dfuUPLOAD-IDLE in dfuIDLE",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATE, .action = DO_REPLY,
                        BYTES(DFURT_STATE_dfuUPLOAD_IDLE)}),
    },
    {
        .name = "dm-status-error-sticks",
        .summary = "CLRSTATUS leaves dfuERROR, but bStatus stays",
        .setup = keep_status,
    },
    {
        .name = "dm-poll-in-idle",
        .summary = "bwPollTimeout in dfuIDLE is 5000 ms",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(0, 0x88, 0x13, 0, DFURT_STATE_dfuIDLE, 0)}),
    },
    {
        .name = "dm-upload-changes",
        .summary = "each upload returns other bytes",
        .setup = upload_changes,
    },
    {
        .name = "dm-waits-for-set-interface",
        .summary = "class requests STALL in DFU mode before SET_INTERFACE",
        .setup = defect_wait_for_set_interface,
    },
    {
        .name = "dm-slow-state",
        .summary = "GETSTATE takes 551 ms in DFU mode",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "dm-slow-abort",
        .summary = "ABORT takes 51 ms",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_ABORT,
                        .action = DO_DELAY, .delay_ms = 51}),
    },
    {
        .name = "dm-status-out",
        .summary = "GETSTATUS is accepted in the direction OUT in DFU mode",
        .rules = RULES(
            {IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_GETSTATUS, .action = DO_ACK}),
    },
    {
        .name = "dm-state-out",
        .summary = "GETSTATE is accepted in the direction OUT in DFU mode",
        .rules = RULES(
            {IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_GETSTATE, .action = DO_ACK}),
    },
    {
        .name = "dm-status-of-device",
        .summary = "GETSTATUS to the device is answered in DFU mode",
        .rules =
            RULES({IN_DFU_MODE,
                   .bmRequestType = USBDEV_DIR_IN | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_DEVICE,
                   .bRequest = DFURT_GETSTATUS, .target = ANY_INDEX, .action = DO_REPLY,
                   BYTES(0, 0, 0, 0, DFURT_STATE_dfuIDLE, 0)}),
    },
    {
        .name = "dm-status-beyond-wlength",
        .summary = "GETSTATUS returns 6 bytes in dfuIDLE whatever wLength is",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY_WHOLE,
                        BYTES(0, 0, 0, 0, DFURT_STATE_dfuIDLE, 0)}),
    },
    {
        .name = "dm-uploads-without-bit",
        .summary = "bitCanUpload is 0, and UPLOAD works",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 2, DFURT_ATTR_CAN_DNLOAD}),
    },
    {
        .name = "dm-upload-endless",
        .summary = "an upload never ends in a short block",
        .setup = upload_never_ends,
    },
    {
        .name = "dm-upload-stays",
        .summary = "a short block does not end an upload",
        .setup = upload_stays,
    },
    {
        .name = "dm-upload-over-early",
        .summary = "after a whole block of an upload the state is dfuIDLE",
        .setup = upload_over_early,
    },
    {
        .name = "dm-upload-byte-less",
        .summary = "UPLOAD of less than wTransferSize returns a byte less",
        .setup = upload_byte_less,
    },
    {
        .name = "dm-starts-with-status",
        .summary = "the boot loader comes up in dfuIDLE with bStatus errUNKNOWN",
        .setup = start_with_status,
    },
    {
        .name = "dm-upload-counts-15-bits",
        .summary = "wBlockNum of an upload is taken for a number of 15 bits",
        .setup = upload_counts_15_bits,
    },
    {
        .name = "dm-serial",
        .summary = "the serial number in DFU mode is another one",
        .rules =
            RULES({IN_DFU_MODE, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 3, .target = ANY_INDEX,
                   .action = DO_REPLY, BYTES(4, USBDEV_DT_STRING, '1', 0)}),
    },
    {
        .name = "dm-upload-same-block",
        .summary = "wBlockNum of an upload is ignored",
        .setup = upload_ignores_block,
    },
    {
        .name = "dm-upload-too-long",
        .summary = "UPLOAD of more than wTransferSize is never answered",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .length = OVER_TRANSFER_SIZE, .action = DO_SILENT}),
    },
    {
        .name = "dm-starts-in-error",
        .summary = "the boot loader starts in dfuERROR, and CLRSTATUS STALLs",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_CLRSTATUS, .action = DO_STALL}),
        .setup = start_in_error,
    },
    {
        .name = "dm-state-unknown",
        .summary = "bState of GETSTATUS in dfuIDLE is 0Bh, which DFU 1.1 does not define",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0, 0, 0, 11, 0)}),
    },
    {
        .name = "dm-begins-in-upload",
        .summary = "DFU mode begins in dfuUPLOAD-IDLE",
        .setup = begin_in_upload,
    },
    {
        .name = "dm-status-of-any-interface",
        .summary = "GETSTATUS is answered for any interface in DFU mode",
        .setup = status_of_any_interface,
    },
    {
        .name = "dm-state-2-bytes",
        .summary = "GETSTATE returns 2 bytes in dfuIDLE where there is room for them",
        .rules =
            RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATE, .action = DO_REPLY, BYTES(DFURT_STATE_dfuIDLE, 0)}),
    },
    {
        .name = "dm-slow-upload",
        .summary = "UPLOAD takes 700 ms",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .length = WITH_DATA, .action = DO_DELAY, .delay_ms = 700}),
    },
    {
        .name = "dm-slow-clrstatus",
        .summary = "CLRSTATUS takes 51 ms",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_CLRSTATUS, .action = DO_DELAY, .delay_ms = 51}),
    },
    {0},
};
