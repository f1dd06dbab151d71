// SPDX-License-Identifier: MIT
//
// Boot loaders whose UPLOAD does not return the firmware: a host that took it for a backup and
// wrote it back would destroy the firmware. The specification does not say what an upload contains.

#include <string.h>

#include <sim/models.h>

// Is this an UPLOAD that the good boot loader would answer?
static bool uploads(const struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) && setup->wLength > 0 &&
           setup->wLength <= view->bootloader->dfu_config.wTransferSize &&
           (view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE ||
            view->bootloader->dfu.bState == DFURT_STATE_dfuUPLOAD_IDLE);
}

// A reply that ends the upload, or goes on with it.
static int end_or_continue(struct defect_view *view, int length, uint16_t wLength)
{
    view->bootloader->dfu.bState =
        length < wLength ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuUPLOAD_IDLE;
    return length;
}

static int three_bytes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t stub[] = {0x01, 0x02, 0x03};

    if (!uploads(view, setup))
        return NATIVE_PASS;
    memcpy(view->reply, stub, sizeof stub);
    return end_or_continue(view, setup->wLength < 3 ? setup->wLength : 3, setup->wLength);
}

static int fixed_text(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const char text[] = "this device does not offer its firmware for reading. ";

    if (!uploads(view, setup))
        return NATIVE_PASS;
    if (setup->wValue >= 4)
        return end_or_continue(view, 0, setup->wLength);
    for (uint16_t i = 0; i < setup->wLength; i++)
        view->reply[i] = (uint8_t)text[i % (sizeof text - 1)];
    return end_or_continue(view, setup->wLength, setup->wLength);
}

// Flash that is read protected and does not say so: as long as the firmware, all FFh.
static int blank(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    if (length > 0)
        memset(view->reply, 0xFF, (size_t)length);
    return length;
}

// The right number of blocks, each of them the first.
static int first_block_again(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const struct memory *memory = view->memory;
    uint32_t address = memory->base;
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    view->bootloader->dfu.config->dialect->firmware(memory, &address);
    if (length > 0)
        memory->read(memory->context, address, view->reply, (size_t)length);
    return length;
}

// The factory image of another slot: complete and plausible, but not the memory that a DNLOAD
// writes.
static int other_slot(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    for (int i = 0; i < length; i++)
        view->reply[i] ^= 0xA5;
    return length;
}

static int golden_image(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    for (int i = 0; i < length; i++)
        view->reply[i] = (uint8_t)(setup->wValue * 31 + i * 7 + (i >> 3));
    return length;
}

static int changes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    if (length > 0)
        view->reply[length / 2] ^= (uint8_t)++view->scratch;
    return length;
}

// A FIFO that is filled once: the packets behind the first hold what is in the loader's RAM.
static int first_packet_alone(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    for (int i = view->device_descriptor[7]; i < length; i++)
        view->reply[i] = (uint8_t)(i * 7);
    return length;
}

static int fail_with(struct defect_view *view, enum dfurt_status bStatus, int result)
{
    view->bootloader->dfu.bStatus = (uint8_t)bStatus;
    view->bootloader->dfu.bState = DFURT_STATE_dfuERROR;
    return result;
}

// Whole blocks alone, each from wBlockNum * wTransferSize, and no state between them.
static int whole_blocks_alone(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!uploads(view, setup))
        return NATIVE_PASS;
    if (setup->wLength != dfu->config->wTransferSize)
        return fail_with(view, DFURT_STATUS_errUNKNOWN, NATIVE_STALL);
    if (setup->wValue > 0)
        dfu->bState = DFURT_STATE_dfuUPLOAD_IDLE;
    int length = defect_good_reply(view, setup);
    dfu->bState = DFURT_STATE_dfuIDLE;
    return length;
}

// A build without reading answers with no byte, and has failed.
static int nothing_and_error(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!uploads(view, setup))
        return NATIVE_PASS;
    return fail_with(view, view->bootloader->dfu.bStatus, 0);
}

static const struct bootloader_identity two_banks = {
    BOOTLOADER_PLAIN(1000,
                     1024,
                     DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD |
                         DFURT_ATTR_MANIFESTATION_TOLERANT | DFURT_ATTR_WILL_DETACH),
    .choices = {.two_banks = true},
    .alternates = {"Firmware"},
};

#define UPLOAD_MODEL(title, what, subject, hook)                                                   \
    {                                                                                              \
        .model = {.name = title, .summary = what, .bootloader = &bootloader_plain_wait_reset},     \
        .about = subject, .way = {.setup = hook},                                                  \
    }

const struct shipped_model models_of_uploads[] = {
    UPLOAD_MODEL("upload-3-bytes", "UPLOAD is a stub of 3 bytes", "", three_bytes),
    UPLOAD_MODEL("upload-fixed-text", "UPLOAD returns four blocks of a fixed text", "", fixed_text),
    UPLOAD_MODEL("upload-blank", "UPLOAD of protected flash returns FFh", "", blank),
    UPLOAD_MODEL(
        "upload-first-block", "UPLOAD returns the first block each time", "", first_block_again),
    UPLOAD_MODEL(
        "upload-other-slot", "UPLOAD reads another slot than DNLOAD writes", "", other_slot),
    {
        .model = {.name = "upload-golden-image-held",
                  .summary = "UPLOAD reads an image that no DNLOAD changes; the button is held",
                  .bootloader = &bootloader_plain_tolerant,
                  .starts_in_bootloader = true,
                  .button_held = true},
        .about = "",
        .way = {.setup = golden_image},
    },
    {
        .model = {.name = "two-banks-held",
                  .summary = "two banks; the button is held, so that UPLOAD alone is seen",
                  .bootloader = &two_banks,
                  .starts_in_bootloader = true,
                  .button_held = true},
        .about = "",
    },
    UPLOAD_MODEL("upload-first-packet",
                 "UPLOAD returns the first packet of each block, and then the loader's RAM",
                 "DM-DNLOAD-07",
                 first_packet_alone),
    UPLOAD_MODEL(
        "upload-changes", "UPLOAD contains a counter: no two are equal", "DM-UPLOAD-03", changes),
    UPLOAD_MODEL("upload-whole-blocks",
                 "UPLOAD of less than wTransferSize STALLs, and UPLOAD stays in dfuIDLE",
                 "DM-STATE-2-UPLOAD",
                 whole_blocks_alone),
    UPLOAD_MODEL("upload-empty-and-error",
                 "UPLOAD is accepted without a byte, and leads to dfuERROR",
                 "DM-STATE-2-UPLOAD",
                 nothing_and_error),
    {.about = NULL},
};
