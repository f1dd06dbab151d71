// SPDX-License-Identifier: MIT
//
// Boot loaders of ST's dialect that take commands as they should not (AN3156, UM0424).

#include <string.h>

#include <sim/defect.h>

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
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block &&
        dfu->block == 0 && dfu->buffer[0] == 0x41)
        dfu->buffer[0] = 0x21; // takes it for set address pointer
    return NATIVE_PASS;
}

// Whatever the command, it is set address pointer to the first page.
static int command_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t command[] = {0x21, 0x00, 0x00, 0x00, 0x08};
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block &&
        dfu->block == 0 && (dfu->buffer[0] == 0x77 || dfu->length < 5)) {
        memcpy(dfu->buffer, command, sizeof command);
        dfu->length = sizeof command;
    }
    return NATIVE_PASS;
}

static int address_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) && dfu->has_block &&
        dfu->block == 0)
        dfu->buffer[4] = dfu->buffer[4] >= 0x60 ? 0x08 : dfu->buffer[4];
    return NATIVE_PASS;
}

const struct sim_defect defects_of_dfuse[] = {
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
    {0},
};
