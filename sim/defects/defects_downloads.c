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

// Each block takes a second longer than was said.
static void stay_busy(struct defect_view *view)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!dfu || dfu->bState != DFURT_STATE_dfuDNBUSY)
        view->scratch = 0;
    else if (view->scratch++ == 0)
        dfu->poll_ms += 1000;
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

const struct sim_defect defects_of_downloads[] = {
    {
        .name = "dm-slow-dnload",
        .summary = "DNLOAD takes 4 s itself",
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
        .name = "dm-never-done",
        .summary = "dfuDNBUSY never ends",
        .setup = never_done,
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
        .name = "dm-corrupt-idle",
        .summary = "with half a download in flash the boot loader says dfuIDLE",
        .setup = forget_corruption,
    },
    {0},
};
