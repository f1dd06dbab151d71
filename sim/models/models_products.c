// SPDX-License-Identifier: MIT
//
// Products whose run-time interface, or whose change between the two modes, was shipped with
// faults.

#include <string.h>

#include <sim/models.h>

// ---- candleLight: DETACH sets a flag, the main loop resets when it sees it ----

enum {
    BLINKING_MS = 3000, // after power-on the main loop is busy with its LEDs
    FLAG = 1 << 30,
};

static int set_flag(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !defect_is_request(view, setup, TO_DFU, DFURT_DETACH))
        return NATIVE_PASS;
    if (view->scratch > BLINKING_MS) { // before the status stage
        view->enter_dfu(view->board);
        return NATIVE_SILENT;
    }
    view->scratch |= FLAG;
    return 0;
}

static void main_loop(struct defect_view *view)
{
    if (!view->runtime)
        return;
    view->scratch++;
    if ((view->scratch & FLAG) && (view->scratch & ~(uint32_t)FLAG) > BLINKING_MS)
        view->enter_dfu(view->board);
}

// ---- A USB audio stack: one DFU handler for both modes ----

enum {
    REVERT_TO_FACTORY = 0xF1,
    UPGRADE_AT = 64 * 1024, // behind the factory image
    IN_STATE = 1 << 8,      // scratch: the state, once it is not the class's own
};

static void delete_upgrade(struct defect_view *view)
{
    const struct memory *memory = view->memory;

    for (uint32_t at = UPGRADE_AT; at < memory->size; at += memory->page_size)
        memory->erase(memory->context, memory->base + at);
}

static int in_state(struct defect_view *view, enum dfurt_state bState, int result)
{
    view->scratch = IN_STATE | (uint32_t)bState;
    return result;
}

static int audio_reply(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    uint8_t bState = (uint8_t)(view->scratch & 0xFF);
    const uint8_t status[] = {
        bState == DFURT_STATE_dfuERROR ? DFURT_STATUS_errSTALLEDPKT : DFURT_STATUS_OK,
        0,
        0,
        0,
        bState,
        0};
    uint16_t length = setup->bRequest == DFURT_GETSTATUS ? sizeof status : 1;

    memcpy(view->reply, setup->bRequest == DFURT_GETSTATUS ? status : &bState, length);
    return setup->wLength < length ? setup->wLength : length;
}

static int audio_in_dfu_state(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool idle = (view->scratch & 0xFF) != DFURT_STATE_dfuERROR;

    switch (setup->bRequest) {
    case DFURT_GETSTATUS:
    case DFURT_GETSTATE:
        return audio_reply(view, setup);
    case DFURT_CLRSTATUS:
        return in_state(view, DFURT_STATE_dfuIDLE, 0);
    case DFURT_ABORT:
        return idle ? in_state(view, DFURT_STATE_dfuIDLE, 0) : NATIVE_STALL;
    case DFURT_DNLOAD:
        if (!idle || setup->wLength == 0)
            return in_state(view, DFURT_STATE_dfuERROR, NATIVE_STALL);
        delete_upgrade(view); // block 0 or not: there is room to be made
        return in_state(view, DFURT_STATE_dfuDNLOAD_IDLE, 0);
    default:
        return in_state(view, DFURT_STATE_dfuERROR, NATIVE_STALL);
    }
}

// The upgrade image lies in the flash of the board from the start: the first page behind 64 KiB.
static int audio_setup(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || (setup->bmRequestType & ~USBDEV_DIR_IN) != TO_DFU ||
        (setup->wIndex & 0xFF) != view->interface)
        return NATIVE_PASS;
    if (setup->bRequest >= 0xF0 && setup->bRequest <= 0xF4) {
        if (setup->bRequest == REVERT_TO_FACTORY)
            delete_upgrade(view);
        return 0;
    }
    if (view->scratch & IN_STATE)
        return audio_in_dfu_state(view, setup);
    if (setup->bRequest == DFURT_UPLOAD || setup->bRequest == DFURT_DNLOAD)
        return in_state(view, DFURT_STATE_dfuERROR, NATIVE_STALL);
    return NATIVE_PASS;
}

// ---- Crashes ----

static int crash(struct defect_view *view)
{
    view->native->hung = true;
    return NATIVE_SILENT;
}

// usb-device with stm32-usbd: GET_STATUS of an endpoint that is not there.
static int crash_at_endpoint(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || setup->bmRequestType != (USBDEV_DIR_IN | USBDEV_RECIPIENT_ENDPOINT) ||
        setup->bRequest != USBDEV_GET_STATUS || (setup->wIndex & 0x0F) < 8)
        return NATIVE_PASS;
    return crash(view);
}

static int crash_at_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !defect_is_request(view, setup, FROM_DFU, DFURT_UPLOAD))
        return NATIVE_PASS;
    return crash(view);
}

static int crash_at_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || !defect_is_request(view, setup, TO_DFU, DFURT_DETACH))
        return NATIVE_PASS;
    return crash(view);
}

static int crash_at_dnload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (view->runtime || !defect_is_request(view, setup, TO_DFU, DFURT_DNLOAD))
        return NATIVE_PASS;
    return crash(view);
}

static int crash_at_string(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { PRODUCT = USBDEV_DT_STRING << 8 | 2 };
    if (!view->runtime || setup->bmRequestType != USBDEV_DIR_IN ||
        setup->bRequest != USBDEV_GET_DESCRIPTOR || setup->wValue != PRODUCT)
        return NATIVE_PASS;
    return crash(view);
}

static void crash_at_reset(struct defect_view *view)
{
    if (view->runtime && usbdev_state(&view->native->dev) == USBDEV_CONFIGURED &&
        dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH)
        view->native->hung = true;
}

static int refuse_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime && defect_is_request(view, setup, TO_DFU, DFURT_DETACH) ? NATIVE_STALL
                                                                                 : NATIVE_PASS;
}

// ---- GD32: strings of one byte a character, and a bLength that counts other bytes ----

#define STRING(index) USBDEV_DT_STRING << 8 | (index)

enum { NEVER_MS = 1000 * 24 * 3600 };

#define ASKS_FOR_STRING(index)                                                                     \
    IN_BOTH_MODES, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,              \
                   .wValue_mask = 0xFFFF, .wValue = STRING(index), .target = ANY_INDEX,            \
                   .action = DO_REPLY

const struct shipped_model models_of_products[] = {
    {
        .model = {.name = "flag-and-main-loop",
                  .summary = "candleLight: the main loop resets before the status stage of DETACH, "
                             "and answers no request for 3 s after power-on",
                  .bootloader = &bootloader_st_rom},
        .about = "RT-DETACH-01",
        .way = {.setup = set_flag, .tick = main_loop},
    },
    {
        .model = {.name = "one-handler-for-both-modes",
                  .summary =
                      "a USB audio stack: UPLOAD leads to dfuERROR at run time, CLRSTATUS to "
                      "dfuIDLE, DNLOAD deletes the upgrade, F1h reverts to factory",
                  .bootloader = &bootloader_st_rom,
                  .image_length = 96 * 1024},
        .about = "RT-STATE-0-DNLOAD",
        .way = {.setup = audio_setup},
    },
    {
        .model = {.name = "crashes-at-absent-endpoint",
                  .summary = "GET_STATUS of an absent endpoint crashes the firmware",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "CH9-REQ-17",
        .way = {.setup = crash_at_endpoint},
    },
    {
        .model = {.name = "crashes-at-upload",
                  .summary = "UPLOAD at run time crashes the firmware",
                  .bootloader = &bootloader_st_rom},
        .about = "REQ-05a",
        .way = {.setup = crash_at_upload},
    },
    {
        .model = {.name = "crashes-at-detach",
                  .summary = "DETACH crashes the firmware, which stays on the bus",
                  .bootloader = &bootloader_st_rom},
        .about = "RT-DETACH-01",
        .way = {.setup = crash_at_detach},
    },
    {
        .model = {.name = "crashes-at-dnload",
                  .summary = "DNLOAD crashes the boot loader",
                  .bootloader = &bootloader_st_rom},
        .about = "DM-STATE-2-DNLOAD",
        .way = {.setup = crash_at_dnload},
    },
    {
        .model = {.name = "crashes-at-string",
                  .summary = "the name of the product crashes the firmware",
                  .bootloader = &bootloader_st_rom},
        .about = "CH9-STR-02",
        .way = {.setup = crash_at_string},
    },
    {
        .model = {.name = "crashes-at-reset",
                  .summary = "the bus reset after DETACH crashes the firmware",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "RT-RESET-05",
        .way = {.bus_reset = crash_at_reset},
    },
    {
        .model = {.name = "never-returns",
                  .summary = "leaves the bus after DETACH, and does not enumerate again",
                  .bootloader = &bootloader_st_rom},
        .about = "RT-DETACH-05",
        .way = {.reset_ms = NEVER_MS},
    },
    {
        .model = {.name = "never-returns-from-reset",
                  .summary = "waits for the reset after DETACH, and does not enumerate again",
                  .bootloader = &bootloader_plain_wait_reset},
        .about = "RT-RESET-05",
        .way = {.reset_ms = NEVER_MS},
    },
    {
        .model = {.name = "away-30-s",
                  .summary = "off the bus for 30 s between its modes",
                  .bootloader = &bootloader_st_rom},
        .about = "RT-DETACH-05",
        .way = {.reset_ms = 30000},
    },
    {
        .model = {.name = "refuses-detach",
                  .summary = "DETACH STALLs: the product refuses it",
                  .bootloader = &bootloader_st_rom},
        .about = "RT-STATE-0-DETACH",
        .way = {.setup = refuse_detach},
    },
    {
        .model = {.name = "odd-strings",
                  .summary = "GD32: the serial number string has one byte a character, bLength of "
                             "the product string exceeds the bytes returned",
                  .bootloader = &bootloader_st_rom},
        .about = "CH9-STR-03",
        .way = {.rules = RULES({ASKS_FOR_STRING(2), BYTES(20, USBDEV_DT_STRING, 'G', 0, 'D', 0)},
                               {ASKS_FOR_STRING(3),
                                BYTES(9, USBDEV_DT_STRING, '3', '2', 'F', 0xFF, 0xFF, 0, 0)})},
    },
    {.about = NULL},
};
