// SPDX-License-Identifier: MIT
//
// Boot loaders that download, manifest or reset as they should not.

#include <string.h>

#include <sim/defect.h>

// What is programmed is not what was sent.
static int program_other_bytes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct bootloader *bootloader = view->bootloader;

    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) && bootloader->dfu.has_block &&
        bootloader->dfu.block != 0 && bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_SYNC)
        bootloader->dfu.buffer[0] ^= 0x01;
    return NATIVE_PASS;
}

// The third block, with which a page begins, is read from memory instead of from the host, and so
// changes nothing.
static int lose_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (dfu && defect_begins_work(view, setup) && dfu->block == 2)
        view->memory->read(view->memory->context, dfu->address, dfu->buffer, dfu->length);
    return NATIVE_PASS;
}

// A memory that can be written, but not all of it.
static int refuse_third_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (dfu && defect_begins_work(view, setup) && dfu->block == 2) {
        dfu->bState = DFURT_STATE_dfuERROR;
        dfu->bStatus = DFURT_STATUS_errWRITE;
    }
    return NATIVE_PASS;
}

static int never_done(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t busy[] = {0, 1, 0, 0, DFURT_STATE_dfuDNBUSY, 0};

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) ||
        (view->bootloader->dfu.bState != DFURT_STATE_dfuDNLOAD_SYNC &&
         view->bootloader->dfu.bState != DFURT_STATE_dfuDNBUSY))
        return NATIVE_PASS;
    memcpy(view->reply, busy, sizeof busy);
    return sizeof busy;
}

static int poll_forever(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!defect_begins_work(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    usbdev_store_le16(view->reply + 1, 65000); // bwPollTimeout
    return length;
}

// Its 24 bits: the low byte comes last.
static int poll_big_endian(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    uint8_t low;
    int length;

    if (!defect_begins_work(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    low = view->reply[1];
    view->reply[1] = view->reply[3];
    view->reply[3] = low;
    return length;
}

// Each block takes a second longer than announced.
static void stay_busy(struct defect_view *view)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!dfu || dfu->bState != DFURT_STATE_dfuDNBUSY)
        view->scratch = 0;
    else if (view->scratch++ == 0)
        dfu->poll_ms += 1000;
}

// The number of the block that is to come next outlives an ABORT, but not CLRSTATUS.
static int count_on(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!dfu)
        return NATIVE_PASS;
    if (dfu->bState == DFURT_STATE_dfuDNLOAD_IDLE)
        view->scratch = defect_is_asked(view, setup, TO_DFU, DFURT_ABORT);
    if (dfu->bState == DFURT_STATE_dfuERROR)
        view->scratch = 0;
    if (!view->scratch || dfu->bState != DFURT_STATE_dfuIDLE ||
        !defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD))
        return NATIVE_PASS;
    dfu->bState = DFURT_STATE_dfuERROR;
    dfu->bStatus = DFURT_STATUS_errADDRESS;
    return NATIVE_STALL;
}

static int never_verify(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (dfu && dfu->bState == DFURT_STATE_dfuMANIFEST_SYNC && !dfu->manifested &&
        defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS)) {
        dfu->bState = DFURT_STATE_dfuERROR;
        dfu->bStatus = DFURT_STATUS_errVERIFY;
    }
    return NATIVE_PASS;
}

// ---- Resets ----

static void stay_in(struct defect_view *view, enum dfurt_state bState)
{
    if (view->bootloader && view->bootloader->dfu.bState == bState)
        view->bootloader->dfu.configured = false;
}

static void stay_after_upload(struct defect_view *view)
{
    stay_in(view, DFURT_STATE_dfuUPLOAD_IDLE);
}

static void stay_after_error(struct defect_view *view)
{
    stay_in(view, DFURT_STATE_dfuERROR);
}

static void stay_after_manifestation(struct defect_view *view)
{
    stay_in(view, DFURT_STATE_dfuMANIFEST_WAIT_RESET);
}

static void stay_manifested(struct defect_view *view)
{
    if (view->bootloader && view->bootloader->dfu.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET)
        view->scratch = 1;
    stay_after_manifestation(view);
}

static int be_manifested(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    if (view->bootloader && view->scratch)
        view->bootloader->dfu.bState = DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    return NATIVE_PASS;
}

static void stay_in_dfu_mode(struct defect_view *view)
{
    if (view->bootloader)
        view->bootloader->dfu.configured = false;
}

static int forget_corruption(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    (void)setup;
    if (dfu && dfu->bState == DFURT_STATE_dfuERROR && dfu->bStatus == DFURT_STATUS_errFIRMWARE) {
        dfu->bState = DFURT_STATE_dfuIDLE;
        dfu->bStatus = DFURT_STATUS_OK;
    }
    return NATIVE_PASS;
}

static int blame_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS))
        return NATIVE_PASS;
    int length = defect_good_reply(view, setup);
    if (length > 4 && view->reply[4] == DFURT_STATE_dfuDNLOAD_IDLE)
        view->reply[0] = DFURT_STATUS_errUNKNOWN;
    return length;
}

const struct sim_defect defects_of_downloads[] = {
    {
        .name = "dm-block-status",
        .summary = "bStatus errUNKNOWN when a block is done",
        .setup = blame_block,
    },
    {
        .name = "dm-slow-dnload",
        .summary = "the DNLOAD request itself takes 4 s",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_DNLOAD,
                        .length = WITH_DATA, .action = DO_DELAY, .delay_ms = 4000}),
    },
    {
        .name = "dm-dnloads-without-bit",
        .summary = "bitCanDnload is 0, and DNLOAD works",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 2, DFURT_ATTR_CAN_UPLOAD}),
    },
    {
        .name = "dm-dnload-too-long",
        .summary = "DNLOAD of more than wTransferSize is accepted",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_DNLOAD,
                        .length = OVER_TRANSFER_SIZE, .action = DO_ACK}),
    },
    {
        .name = "dm-programs-wrong",
        .summary = "the first byte of each block but the first is programmed wrong",
        .setup = program_other_bytes,
    },
    {
        .name = "dm-block-lost",
        .summary = "the third block of a download changes nothing: what was there before stays",
        .setup = lose_block,
    },
    {
        .name = "dm-block-refused",
        .summary = "the third block of a download ends in errWRITE",
        .setup = refuse_third_block,
    },
    {
        .name = "dm-never-done",
        .summary = "dfuDNBUSY never ends",
        .setup = never_done,
    },
    {
        .name = "dm-dnload-stays-idle",
        .summary = "DNLOAD is accepted in dfuIDLE, and the state stays",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_DNLOAD, .length = WITH_DATA, .action = DO_ACK}),
    },
    {
        .name = "dm-poll-big-endian",
        .summary = "bwPollTimeout of a block has its bytes in the other order",
        .setup = poll_big_endian,
    },
    {
        .name = "dm-poll-forever",
        .summary = "bwPollTimeout of a block is 65 s",
        .setup = poll_forever,
    },
    {
        .name = "dm-poll-too-short",
        .summary = "the device is busy for longer than bwPollTimeout says, and STALLs",
        .tick = stay_busy,
    },
    {
        .name = "dm-reset-stays",
        .summary = "a bus reset does not end DFU mode",
        .bus_reset = stay_in_dfu_mode,
    },
    {
        .name = "dm-reset-stays-uploading",
        .summary = "a bus reset in dfuUPLOAD-IDLE does not end DFU mode",
        .bus_reset = stay_after_upload,
    },
    {
        .name = "dm-reset-stays-in-error",
        .summary = "a bus reset in dfuERROR does not end DFU mode",
        .bus_reset = stay_after_error,
    },
    {
        .name = "dm-reset-stays-manifested",
        .summary = "a bus reset in dfuMANIFEST-WAIT-RESET does not end DFU mode",
        .bus_reset = stay_after_manifestation,
    },
    {
        .name = "dm-reset-keeps-manifested",
        .summary = "a bus reset in dfuMANIFEST-WAIT-RESET does not end that state, only power does",
        .bus_reset = stay_manifested,
        .setup = be_manifested,
    },
    {
        .name = "dm-abort-counts-on",
        .summary = "ABORT in mid download does not begin to count blocks anew",
        .setup = count_on,
    },
    {
        .name = "dm-status-after-manifestation",
        .summary = "bStatus errFIRMWARE in dfuMANIFEST-WAIT-RESET, though all is well",
        .rules = RULES(
            {IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuMANIFEST_WAIT_RESET,
             .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
             BYTES(DFURT_STATUS_errFIRMWARE, 0, 0, 0, DFURT_STATE_dfuMANIFEST_WAIT_RESET, 0)}),
    },
    {
        .name = "dm-never-verifies",
        .summary = "each manifestation ends in dfuERROR, errVERIFY",
        .setup = never_verify,
    },
    {
        .name = "dm-corrupt-idle",
        .summary = "with an incomplete download in flash the boot loader reports dfuIDLE",
        .setup = forget_corruption,
    },
    {0},
};
