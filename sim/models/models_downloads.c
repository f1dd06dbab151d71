// SPDX-License-Identifier: MIT
//
// Boot loaders that program other bytes than they were sent, or at other places.

#include <string.h>

#include <sim/models.h>

static struct dfu_mode *working(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_begins_work(view, setup) ? &view->bootloader->dfu : NULL;
}

// Flash takes half-words, and the odd byte of a block is not programmed.
static int lose_odd_byte(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = working(view, setup);

    if (dfu)
        dfu->length &= ~UINT32_C(1);
    return NATIVE_PASS;
}

// A block is programmed when the next one arrives, so the last one never is; the bytes of a block
// that is not full are dropped.
static int lose_short_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = working(view, setup);

    if (dfu && dfu->block != 0 && dfu->length < dfu->config->wTransferSize)
        memset(dfu->buffer, 0xFF, dfu->length);
    return NATIVE_PASS;
}

// (wBlockNum - 2) * wTransferSize, in a 32-bit number: block 1 lies below the address pointer. The
// length is not tested either.
static int program_below(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = working(view, setup);

    if (!dfu || dfu->block != 1)
        return NATIVE_PASS;
    dfu->address -= dfu->config->wTransferSize;
    dfu->block = 2;
    return NATIVE_PASS;
}

static void restore_pointer(struct defect_view *view)
{
    if (view->bootloader && view->bootloader->dfu.address < view->memory->base)
        view->bootloader->dfu.address = view->memory->base;
}

// Only GETSTATUS goes on with a block: where another request ends its state, the flash controller
// waits for ever, and each DNLOAD is refused until the loader starts again.
static int wait_for_getstatus(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!dfu || setup->bmRequestType == FROM_DFU || (setup->bmRequestType & USBDEV_TYPE_MASK) == 0)
        return NATIVE_PASS;
    if (dfu->bState == DFURT_STATE_dfuDNLOAD_SYNC)
        view->scratch = 1;
    if (!view->scratch || !defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD))
        return NATIVE_PASS;
    dfu->bState = DFURT_STATE_dfuERROR;
    dfu->bStatus = DFURT_STATUS_errUNKNOWN;
    return NATIVE_STALL;
}

// A timer that no request stops.
static void leave_in_a_transfer(struct defect_view *view)
{
    if (view->bootloader && ++view->scratch == 400)
        defect_start_firmware(view);
}

static bool takes_download(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) &&
           setup->wLength <= view->bootloader->dfu_config.wTransferSize &&
           (view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_IDLE ||
            (view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE && setup->wLength > 0));
}

static int manifest_nothing(struct defect_view *view)
{
    struct dfu_mode *dfu = &view->bootloader->dfu;
    const uint8_t reply[] = {DFURT_STATUS_OK, 12, 0, 0, DFURT_STATE_dfuMANIFEST, 0};

    dfu->work = (struct work){.memory = view->memory};
    dfu->busy_ms = dfu->poll_ms = 10;
    dfu->bState = DFURT_STATE_dfuMANIFEST;
    memcpy(view->reply, reply, sizeof reply);
    return sizeof reply;
}

// A download is accepted, reported as done, and discarded.
static int throw_away(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (takes_download(view, setup)) {
        view->bootloader->dfu.bState =
            setup->wLength > 0 ? DFURT_STATE_dfuDNLOAD_SYNC : DFURT_STATE_dfuMANIFEST_SYNC;
        return 0;
    }
    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) &&
        setup->wLength >= DFURT_STATUS_REPLY_SIZE &&
        view->bootloader->dfu.bState == DFURT_STATE_dfuMANIFEST_SYNC)
        return manifest_nothing(view);
    return NATIVE_PASS;
}

static bool is_uploading(const struct defect_view *view)
{
    return view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE ||
           view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE;
}

// The image is programmed from a copy in RAM, with a wrong byte in each block, and uploads read the
// copy until the loader starts again.
static int upload_copy(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = working(view, setup);

    if (dfu) {
        dfu->buffer[0] ^= 0x5A;
        view->scratch = 1;
    }
    if (!view->scratch || !defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) ||
        !is_uploading(view))
        return NATIVE_PASS;
    int length = defect_good_reply(view, setup);
    if (length > 0)
        view->reply[0] ^= 0x5A;
    return length;
}

// A boot loader that programs at the DNLOAD itself, not at the GETSTATUS after it.
static void program_at_once(struct defect_view *view)
{
    static const struct usbdev_setup_packet getstatus = {FROM_DFU, DFURT_GETSTATUS, 0, 0, 6};
    const uint8_t *reply;

    if (!view->bootloader || !view->bootloader->dfu.has_block)
        return;
    dfu_mode_setup(&view->bootloader->dfu, &getstatus, &reply);
    if (view->bootloader->dfu.bState == DFURT_STATE_dfuDNBUSY)
        dfu_mode_tick(&view->bootloader->dfu, UINT16_MAX);
}

static int no_state_but_writes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    program_at_once(view); // by the next SETUP at the latest
    if (dfu && defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) && setup->wLength > 0 &&
        dfu->bState != DFURT_STATE_dfuIDLE)
        dfu->bState = DFURT_STATE_dfuDNLOAD_IDLE;
    return NATIVE_PASS;
}

const struct shipped_model models_of_downloads[] = {
    {
        .model = {.name = "loses-odd-byte",
                  .summary = "the odd byte of a block is not programmed",
                  .bootloader = &bootloader_plain_wait_reset,
                  .image_length = 4097},
        .about = "DM-DNLOAD-07",
        .way = {.setup = lose_odd_byte},
    },
    {
        .model = {.name = "loses-short-block",
                  .summary = "a last block that is not full is not programmed",
                  .bootloader = &bootloader_plain_wait_reset,
                  .image_length = 4096 + 100},
        .about = "DM-DNLOAD-07",
        .way = {.setup = lose_short_block},
    },
    {
        .model = {.name = "uploads-a-copy",
                  .summary = "programs a wrong byte in each block, and uploads the right one until "
                             "it starts again",
                  .bootloader = &bootloader_plain_tolerant},
        .about = "DM-DNLOAD-07",
        .way = {.setup = upload_copy},
    },
    {
        .model = {.name = "programs-below",
                  .summary = "DfuSe; block 1 is programmed below the address pointer",
                  .bootloader = &bootloader_st_rom},
        .about = "",
        .way = {.setup = program_below, .bus_reset = restore_pointer},
    },
    {
        .model = {.name = "throws-away",
                  .summary = "accepts a download, reports OK and programs nothing",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "", // until it manifests, a device with two banks looks the same
        .way = {.setup = throw_away},
    },
    {
        .model = {.name = "claims-to-manifest",
                  .summary = "manifestation ends at once, in dfuIDLE, and does not make the image "
                             "valid",
                  .bootloader = &bootloader_plain_tolerant},
        .about = "DM-DNLOAD-07",
        .way = {.rules = RULES({IN_DFU_MODE, .states = 1u << DFURT_STATE_dfuMANIFEST_SYNC,
                                .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                                .action = DO_REPLY, BYTES(0, 0, 0, 0, DFURT_STATE_dfuIDLE, 0),
                                .next = DFURT_STATE_dfuIDLE})},
    },
    {
        .model = {.name = "programs-at-once",
                  .summary = "programs at the DNLOAD itself, in any state",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "",
        .way = {.setup = no_state_but_writes, .tick = program_at_once},
    },
    {
        .model = {.name = "programs-at-once-dfuse",
                  .summary = "DfuSe; programs at the DNLOAD itself, in any state",
                  .bootloader = &bootloader_st_rom},
        .about = "DS-CMD-02",
        .way = {.setup = no_state_but_writes, .tick = program_at_once},
    },
    {
        .model = {.name = "stuck-behind-abort",
                  .summary = "ABORT in dfuDNLOAD-SYNC, and no DNLOAD is accepted any more",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-DNLOAD",
        .way = {.setup = wait_for_getstatus},
    },
    {
        .model = {.name = "leaves-in-a-transfer",
                  .summary = "starts its firmware 400 ms after the boot loader, in the middle of a "
                             "download too",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "",
        .way = {.tick = leave_in_a_transfer},
    },
    {.about = NULL},
};
