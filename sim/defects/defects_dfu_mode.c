// SPDX-License-Identifier: MIT
//
// Boot loaders that upload, download, report or reset as they should not.

#include <string.h>

#include <sim/defect.h>

static bool is_request(const struct defect_view *view,
                       const struct usbdev_setup_packet *setup,
                       uint8_t bmRequestType,
                       uint8_t bRequest)
{
    return view->bootloader && setup->bmRequestType == bmRequestType &&
           setup->bRequest == bRequest && setup->wIndex == view->interface;
}

// ---- Upload ----

static bool is_uploading(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return is_request(view, setup, FROM_DFU, DFURT_UPLOAD) && setup->wLength > 0 &&
           setup->wLength <= view->bootloader->dfu_config.wTransferSize &&
           (view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE ||
            view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE);
}

// The answer of the good boot loader, to be spoilt. Returns its length, or NATIVE_STALL.
static int good_reply(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const uint8_t *reply;
    int length = dfu_mode_setup(&view->bootloader->dfu, setup, &reply);

    if (length < 0)
        return NATIVE_STALL;
    memcpy(view->reply, reply, (size_t)length);
    return length < setup->wLength ? length : setup->wLength;
}

static int upload_changes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!is_uploading(view, setup))
        return NATIVE_PASS;
    length = good_reply(view, setup);
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
    length = good_reply(view, setup);
    view->bootloader->dfu.bState = DFURT_STATE_dfuUPLOAD_IDLE;
    return length;
}

// Class requests STALL until SET_INTERFACE has come.
static int wait_for_set_interface(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader)
        return NATIVE_PASS;
    if (setup->bmRequestType == USBDEV_RECIPIENT_INTERFACE &&
        setup->bRequest == USBDEV_SET_INTERFACE)
        view->scratch = 1;
    return (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS && !view->scratch
               ? NATIVE_STALL
               : NATIVE_PASS;
}

static int upload_ignores_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet first = *setup;

    if (!is_uploading(view, setup) || setup->wValue < 3)
        return NATIVE_PASS;
    first.wValue = 2;
    return good_reply(view, &first);
}

// ---- Download ----

// What is programmed is not what was sent.
static int program_other_bytes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct bootloader *bootloader = view->bootloader;

    if (is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) && bootloader->dfu.has_block &&
        bootloader->dfu.block != 0 && bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_SYNC)
        bootloader->dfu.buffer[0] ^= 0x01;
    return NATIVE_PASS;
}

static int never_done(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t busy[] = {0, 1, 0, 0, DFURT_STATE_dfuDNBUSY, 0};

    if (!is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) ||
        (view->bootloader->dfu.bState != DFURT_STATE_dfuDNLOAD_SYNC &&
         view->bootloader->dfu.bState != DFURT_STATE_dfuDNBUSY))
        return NATIVE_PASS;
    memcpy(view->reply, busy, sizeof busy);
    return sizeof busy;
}

static bool begins_work(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) && view->bootloader->dfu.has_block &&
           view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_SYNC;
}

static int poll_forever(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!begins_work(view, setup))
        return NATIVE_PASS;
    length = good_reply(view, setup);
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

static int done_at_once(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!begins_work(view, setup))
        return NATIVE_PASS;
    good_reply(view, setup);
    if (view->bootloader->dfu.bState == DFURT_STATE_dfuDNBUSY)
        dfu_mode_tick(&view->bootloader->dfu, UINT16_MAX);
    return good_reply(view, setup);
}

static int keep_status(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_request(view, setup, TO_DFU, DFURT_CLRSTATUS) ||
        view->bootloader->dfu.bState != DFURT_STATE_dfuERROR)
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    return 0;
}

static int erase_forgotten(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block && dfu->block == 0 &&
        dfu->buffer[0] == 0x41)
        dfu->buffer[0] = 0x21; // takes it for set address pointer
    return NATIVE_PASS;
}

// Whatever the command, it is set address pointer to the first page.
static int command_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t command[] = {0x21, 0x00, 0x00, 0x00, 0x08};
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block && dfu->block == 0 &&
        (dfu->buffer[0] == 0x77 || dfu->length < 5)) {
        memcpy(dfu->buffer, command, sizeof command);
        dfu->length = sizeof command;
    }
    return NATIVE_PASS;
}

static int address_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (is_request(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block && dfu->block == 0)
        dfu->buffer[4] = dfu->buffer[4] >= 0x60 ? 0x08 : dfu->buffer[4];
    return NATIVE_PASS;
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

// ---- Resets ----

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

const struct sim_defect defects_of_dfu_mode[] = {
    {
        .name = "dm-status-vendor",
        .summary = "bStatus after an unexpected request is errVENDOR",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(DFURT_STATUS_errVENDOR, 0, 0, 0, DFURT_STATE_dfuERROR, 0)}),
    },
    {
        .name = "dm-status-string",
        .summary = "iString 99 in dfuERROR, and no such string",
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
        .summary = "an upload returns other bytes each time",
        .setup = upload_changes,
    },
    {
        .name = "dm-waits-for-set-interface",
        .summary = "class requests STALL in DFU mode until SET_INTERFACE came",
        .setup = wait_for_set_interface,
    },
    {
        .name = "dm-slow-state",
        .summary = "GETSTATE takes 600 ms in DFU mode",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_DELAY, .delay_ms = 600}),
    },
    {
        .name = "dm-slow-abort",
        .summary = "ABORT takes 100 ms",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_ABORT,
                        .action = DO_DELAY, .delay_ms = 100}),
    },
    {
        .name = "dm-slow-dnload",
        .summary = "DNLOAD takes 4 s itself",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = TO_DFU, .bRequest = DFURT_DNLOAD,
                        .length = WITH_DATA, .action = DO_DELAY, .delay_ms = 4000}),
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
        .name = "dm-dnloads-without-bit",
        .summary = "bitCanDnload is 0, and DNLOAD works",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 2, DFURT_ATTR_CAN_UPLOAD}),
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
        .name = "dm-upload-same-block",
        .summary = "wBlockNum of an upload is not looked at",
        .setup = upload_ignores_block,
    },
    {
        .name = "dm-upload-too-long",
        .summary = "UPLOAD of more than wTransferSize is never answered",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .length = OVER_TRANSFER_SIZE, .action = DO_SILENT}),
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
    {
        .name = "ds-not-busy",
        .summary = "the first GETSTATUS after a command says dfuDNLOAD-IDLE",
        .setup = done_at_once,
    },
    {
        .name = "ds-command-any",
        .summary = "an unknown command, or half a one, is taken for set address pointer",
        .setup = command_any,
    },
    {
        .name = "ds-address-any",
        .summary = "an address that is not there is accepted",
        .setup = address_any,
    },
    {
        .name = "ds-upload-block-1",
        .summary = "UPLOAD of block 1, which is reserved, is answered",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .states = 1 << DFURT_STATE_dfuIDLE, .wValue_mask = 0xFFFF, .wValue = 1,
                        .action = DO_REPLY, BYTES(0, 0, 0, 0)}),
    },
    {
        .name = "ds-no-commands",
        .summary = "UPLOAD of block 0 returns nothing",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .states = 1 << DFURT_STATE_dfuIDLE, .wValue_mask = 0xFFFF, .wValue = 0,
                        .action = DO_ACK}),
    },
    {
        .name = "ds-erase-nothing",
        .summary = "the erase command does nothing",
        .setup = erase_forgotten,
    },
    {
        .name = "ds-layout",
        .summary = "the alternate settings are named by plain words",
        .rules =
            RULES({IN_DFU_MODE, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 4, .target = ANY_INDEX,
                   .action = DO_REPLY,
                   BYTES(12, USBDEV_DT_STRING, 'f', 0, 'l', 0, 'a', 0, 's', 0, 'h', 0)}),
    },
    {
        .name = "dm-starts-in-error",
        .summary = "the boot loader comes up in dfuERROR, and CLRSTATUS STALLs",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuERROR, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_CLRSTATUS, .action = DO_STALL}),
        .setup = start_in_error,
    },
    {0},
};
