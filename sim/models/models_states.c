// SPDX-License-Identifier: MIT
//
// Boot loaders whose state machine is not DFU 1.1's.

#include <sim/models.h>

static struct dfu_mode *dfu_of(const struct defect_view *view)
{
    return view->bootloader ? &view->bootloader->dfu : NULL;
}

static int ack_in(struct dfu_mode *dfu, enum dfurt_state bState)
{
    dfu->bState = (uint8_t)bState;
    return 0;
}

// ---- The family of libopencm3's example: no request looks at the state ----

// Programming is started by the GETSTATUS after a DNLOAD, as in the good one.
static int no_state_test(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = dfu_of(view);

    if (!dfu || (setup->bmRequestType & ~USBDEV_DIR_IN) != TO_DFU || setup->wIndex != 0)
        return NATIVE_PASS;
    switch (setup->bRequest) {
    case DFURT_DNLOAD:
        if (setup->wLength == 0)
            return ack_in(dfu, DFURT_STATE_dfuMANIFEST_SYNC);
        if (dfu->bState != DFURT_STATE_dfuIDLE)
            dfu->bState = DFURT_STATE_dfuDNLOAD_IDLE; // where the good one takes it
        return NATIVE_PASS;
    case DFURT_CLRSTATUS:
        dfu->bStatus = DFURT_STATUS_OK;
        return ack_in(dfu, DFURT_STATE_dfuIDLE);
    case DFURT_ABORT:
        return ack_in(dfu, DFURT_STATE_dfuIDLE);
    case DFURT_GETSTATE:
        view->reply[0] = dfu->bState;
        return setup->wLength < 1 ? 0 : 1;
    case DFURT_GETSTATUS:
        return NATIVE_PASS;
    default: // DETACH and UPLOAD among them
        return NATIVE_STALL;
    }
}

// ---- TinyUSB's DFU class ----

// A zero-length DNLOAD in dfuIDLE manifests, although nothing was downloaded.
static int manifest_nothing(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = dfu_of(view);

    if (!dfu || !defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) || setup->wLength > 0 ||
        dfu->bState != DFURT_STATE_dfuIDLE)
        return NATIVE_PASS;
    dfu->manifested = true;
    return ack_in(dfu, DFURT_STATE_dfuMANIFEST_SYNC);
}

// GETSTATUS in the direction OUT is taken too, in both modes.
static int status_out(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_request(view, setup, TO_DFU, DFURT_GETSTATUS) ? 0
                                                                   : manifest_nothing(view, setup);
}

// ---- Others ----

static int dead_at_clrstatus(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!defect_is_asked(view, setup, TO_DFU, DFURT_CLRSTATUS))
        return NATIVE_PASS;
    view->native->hung = true;
    return NATIVE_SILENT;
}

static void dead_after_reset(struct defect_view *view)
{
    if (view->bootloader && usbdev_state(&view->native->dev) == USBDEV_CONFIGURED)
        view->native->hung = true;
}

enum { READS_ONLY = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH };

const struct shipped_model models_of_states[] = {
    {
        .model = {.name = "no-state-test",
                  .summary = "DfuSe of the libopencm3 family: DNLOAD in any state; its own code is "
                             "the first region",
                  .bootloader =
                      &(const struct bootloader_identity){
                          .dialect = &dfu_dialect_dfuse,
                          .bcdUSB = 0x0200,
                          .idVendor = 0x0483,
                          .idProduct = 0xDF11,
                          .bcdDevice = 0x0200,
                          .wDetachTimeOut = 255,
                          .wTransferSize = 1024,
                          .bcdDFUVersion = 0x011A,
                          .bmAttributes = READS_ONLY,
                          .choices = {.leaves_by_itself = true},
                          .manufacturer = "Black Sphere",
                          .product = "Firmware loader",
                          .alternates = {"@Internal Flash   /0x08000000/8*001Ka,120*001Kg"}},
                  .flash = {.size = 128 * 1024, .page_size = 1024}},
        .about = "DM-STATE-2-CLRSTATUS DM-STATE-3-DNLOAD",
        .way = {.setup = no_state_test},
    },
    {
        .model = {.name = "no-state-test-plain",
                  .summary = "a plain loader that accepts DNLOAD in any state",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-2-CLRSTATUS",
        .way = {.setup = no_state_test},
    },
    {
        .model = {.name = "manifests-nothing",
                  .summary = "TinyUSB: a zero-length DNLOAD in dfuIDLE manifests; GETSTATUS with "
                             "direction OUT is accepted",
                  .bootloader = &bootloader_plain_tolerant},
        .about = "DM-STATE-2-DNLOAD-0",
        .way = {.setup = status_out},
    },
    {
        .model = {.name = "no-getstate",
                  .summary = "GETSTATE STALLs in DFU mode, and the state stays",
                  .bootloader = &bootloader_st_rom},
        .about = "DM-STATE-2-GETSTATE",
        .way = {.rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                                .action = DO_STALL})},
    },
    {
        .model = {.name = "waits-for-set-interface",
                  .summary = "class requests STALL in DFU mode before SET_INTERFACE",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-SELECT-01",
        .way = {.setup = defect_wait_for_set_interface},
    },
    {
        .model = {.name = "dead-at-clrstatus",
                  .summary = "the boot loader crashes at CLRSTATUS",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-STATE-10-CLRSTATUS",
        .way = {.setup = dead_at_clrstatus},
    },
    {
        .model = {.name = "dead-after-reset",
                  .summary = "the boot loader does not answer after a bus reset",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "DM-RESET-01",
        .way = {.bus_reset = dead_after_reset},
    },
    {.about = NULL},
};
