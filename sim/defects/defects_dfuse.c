// SPDX-License-Identifier: MIT
//
// Boot loaders of ST's dialect that take commands as they should not (AN3156, UM0424).

#include <sim/defect.h>
#include <sim/flash.h>
#include <usb/bytes.h>

enum {
    SET_ADDRESS = 0x21,
    ERASE = 0x41,
    COMMAND_SIZE = 5, // with its address
    EXTERNAL = 0x60,  // the upper byte of addresses above all that a chip has inside
    OPTIONS = 0x1FFF, // the upper bytes of addresses of system memory and option bytes
};

// The boot loader, if it is about to carry out a command; else NULL.
static struct dfu_mode *commanded(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    return dfu && dfu->config->dialect == &dfu_dialect_dfuse && dfu->block == 0 &&
                   defect_begins_work(view, setup)
               ? dfu
               : NULL;
}

// Set address pointer to the first page, in place of the command that came.
static int point_at_first_page(struct dfu_mode *dfu)
{
    dfu->buffer[0] = SET_ADDRESS;
    store_le32(dfu->buffer + 1, dfu->config->memory->base);
    dfu->length = COMMAND_SIZE;
    return NATIVE_PASS;
}

static int done_at_once(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!defect_begins_work(view, setup))
        return NATIVE_PASS;
    defect_good_reply(view, setup);
    if (view->bootloader->dfu.bState == DFURT_STATE_dfuDNBUSY)
        dfu_mode_tick(&view->bootloader->dfu, UINT16_MAX);
    return defect_good_reply(view, setup);
}

static int erase_forgotten(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);

    if (dfu && dfu->buffer[0] == ERASE)
        dfu->buffer[0] = SET_ADDRESS;
    return NATIVE_PASS;
}

static int erase_too_much(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const struct dfu_mode *dfu = commanded(view, setup);

    if (dfu && dfu->buffer[0] == ERASE && dfu->length == COMMAND_SIZE)
        view->memory->erase(view->memory->context, view->memory->base);
    return NATIVE_PASS;
}

static int erase_spoils_options(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { DATA_0 = FLASH_OPTIONS_BASE + 4 }; // RM0091 4: Data0 and its complement
    const struct dfu_mode *dfu = commanded(view, setup);
    const struct memory *memory = view->memory;

    if (dfu && dfu->buffer[0] == ERASE && dfu->length == COMMAND_SIZE)
        memory->program(memory->context, DATA_0, 0xFE01);
    return NATIVE_PASS;
}

static int command_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);

    return dfu && dfu->buffer[0] != SET_ADDRESS && dfu->buffer[0] != ERASE
               ? point_at_first_page(dfu)
               : NATIVE_PASS;
}

static int address_cut(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);

    return dfu && dfu->buffer[0] == SET_ADDRESS && dfu->length < COMMAND_SIZE
               ? point_at_first_page(dfu)
               : NATIVE_PASS;
}

static bool has_address_outside(const struct dfu_mode *dfu, uint8_t command)
{
    return dfu->buffer[0] == command && dfu->length == COMMAND_SIZE && dfu->buffer[4] >= EXTERNAL;
}

static int address_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);

    return dfu && has_address_outside(dfu, SET_ADDRESS) ? point_at_first_page(dfu) : NATIVE_PASS;
}

static int erase_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);

    return dfu && has_address_outside(dfu, ERASE) ? point_at_first_page(dfu) : NATIVE_PASS;
}

// The command is begun, and ends in an error.
static int address_fails(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = commanded(view, setup);
    int length;

    if (!dfu || dfu->buffer[0] != SET_ADDRESS)
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    if (dfu->bState == DFURT_STATE_dfuDNBUSY)
        dfu->work.bStatus = DFURT_STATUS_errADDRESS;
    return length;
}

static int options_unreadable(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wValue < 2 ||
        dfu->address >> 16 != OPTIONS)
        return NATIVE_PASS;
    dfu->bState = DFURT_STATE_dfuERROR;
    dfu->bStatus = DFURT_STATUS_errADDRESS;
    return NATIVE_STALL;
}

// Blocks are counted by the loader, from the address pointer on.
static int upload_in_order(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet next = *setup;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wValue < 2)
        return NATIVE_PASS;
    if (view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE)
        view->scratch = 2;
    next.wValue = (uint16_t)view->scratch++;
    return defect_good_reply(view, &next);
}

// A read of bytes behind the end of flash never ends.
static int hang_at_the_end(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;
    const struct memory *memory = view->memory;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wValue < 2 ||
        dfu->address < memory->base || dfu->address >= memory->base + memory->size)
        return NATIVE_PASS;
    uint32_t address = dfu->address + (setup->wValue - 2U) * dfu->config->wTransferSize;

    return address + setup->wLength > memory->base + memory->size ? NATIVE_SILENT : NATIVE_PASS;
}

const struct sim_defect defects_of_dfuse[] = {
    {
        .name = "ds-not-busy",
        .summary = "the first GETSTATUS after a command says dfuDNLOAD-IDLE",
        .setup = done_at_once,
    },
    {
        .name = "ds-command-any",
        .summary = "an unknown command is taken for set address pointer",
        .setup = command_any,
    },
    {
        .name = "ds-address-cut",
        .summary = "set address pointer is carried out without the whole address",
        .setup = address_cut,
    },
    {
        .name = "ds-address-fails",
        .summary = "set address pointer ends in errADDRESS, whatever the address",
        .setup = address_fails,
    },
    {
        .name = "ds-address-any",
        .summary = "set address pointer accepts an address outside the layout",
        .setup = address_any,
    },
    {
        .name = "ds-erase-any",
        .summary = "erase accepts an address outside the layout",
        .setup = erase_any,
    },
    {
        .name = "ds-options-unreadable",
        .summary = "option bytes that are named readable cannot be read",
        .setup = options_unreadable,
    },
    {
        .name = "ds-erase-spoils-options",
        .summary = "each erase writes an option byte, too",
        .setup = erase_spoils_options,
    },
    {
        .name = "ds-erase-first-page-too",
        .summary = "each erase takes the first page, too",
        .setup = erase_too_much,
    },
    {
        .name = "ds-upload-block-1",
        .summary = "UPLOAD of block 1, which is reserved, is answered",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .states = 1 << DFURT_STATE_dfuIDLE, .wValue_mask = 0xFFFF, .wValue = 1,
                        .action = DO_REPLY, BYTES(0, 0, 0, 0)}),
    },
    {
        .name = "ds-upload-block-1-stays",
        .summary = "UPLOAD of block 1, which is reserved, STALLs, and the state stays dfuIDLE",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .states = 1 << DFURT_STATE_dfuIDLE, .wValue_mask = 0xFFFF, .wValue = 1,
                        .action = DO_STALL}),
    },
    {
        .name = "ds-stays",
        .summary = "a zero-length DNLOAD ends in dfuERROR, errTARGET",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .states = 1 << DFURT_STATE_dfuMANIFEST_SYNC, .action = DO_REPLY,
                        BYTES(DFURT_STATUS_errTARGET, 0, 0, 0, DFURT_STATE_dfuERROR, 0),
                        .next = DFURT_STATE_dfuERROR}),
    },
    {
        .name = "ds-upload-in-order",
        .summary = "UPLOAD reads on from the address pointer, whatever wBlockNum is",
        .setup = upload_in_order,
    },
    {
        .name = "ds-upload-hangs-at-end",
        .summary = "UPLOAD across the end of flash is never answered",
        .setup = hang_at_the_end,
    },
    {
        .name = "ds-no-commands",
        .summary = "UPLOAD of block 0 returns no bytes",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD,
                        .states = 1 << DFURT_STATE_dfuIDLE, .wValue_mask = 0xFFFF, .wValue = 0,
                        .action = DO_ACK}),
    },
    {
        .name = "ds-erase-nothing",
        .summary = "the erase command has no effect",
        .setup = erase_forgotten,
    },
    {
        .name = "ds-layout",
        .summary = "the names of the alternate settings describe no memory",
        .rules =
            RULES({IN_DFU_MODE, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 4, .target = ANY_INDEX,
                   .action = DO_REPLY,
                   BYTES(12, USBDEV_DT_STRING, 'f', 0, 'l', 0, 'a', 0, 's', 0, 'h', 0)}),
    },
    {0},
};
