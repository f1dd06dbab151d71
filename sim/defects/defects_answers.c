// SPDX-License-Identifier: MIT
//
// Devices whose answer to one question has a byte that is wrong: each is about one field, or one
// state, that no other defect touches.

#include <string.h>

#include "defects_private.h"

// ---- Descriptors ----

static void association_of_nothing(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);

    if (view->runtime && association)
        association[3] = 0; // bInterfaceCount
}

static void power_in_app_detach(struct defect_view *view)
{
    if (view->runtime && dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appDETACH)
        view->configuration[8]++; // bMaxPower
}

// The device descriptor has another idVendor where less than all of it is asked for, but more than
// hosts ask for first.
static int cut_otherwise(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool cut = view->runtime && setup->bmRequestType == USBDEV_DIR_IN &&
               setup->bRequest == USBDEV_GET_DESCRIPTOR && setup->wValue == USBDEV_DT_DEVICE << 8 &&
               setup->wLength > 9 && setup->wLength < USBDEV_DEVICE_DESCRIPTOR_SIZE;

    if (!cut)
        return NATIVE_PASS;
    memcpy(view->reply, view->device_descriptor, setup->wLength);
    view->reply[9] ^= 0xFF;
    return setup->wLength;
}

// A part of a string has its first character in another case.
static int string_cut_otherwise(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t part[] = {12, USBDEV_DT_STRING, 'D', 0, 'F', 0};
    bool cut = view->runtime && setup->bmRequestType == USBDEV_DIR_IN &&
               setup->bRequest == USBDEV_GET_DESCRIPTOR &&
               setup->wValue == (USBDEV_DT_STRING << 8 | 1) && setup->wLength >= 4 &&
               setup->wLength < sizeof part;

    if (!cut)
        return NATIVE_PASS;
    memcpy(view->reply, part, setup->wLength);
    return setup->wLength;
}

// The serial number counts how often the board has come up.
static int count_in_serial(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const uint8_t serial[] = {4, USBDEV_DT_STRING, (uint8_t)('A' + view->starts % 26), 0};

    if (!view->runtime || setup->bmRequestType != USBDEV_DIR_IN ||
        setup->bRequest != USBDEV_GET_DESCRIPTOR ||
        setup->wValue != (USBDEV_DT_STRING << 8 | view->device_descriptor[16]))
        return NATIVE_PASS;
    memcpy(view->reply, serial, sizeof serial);
    return setup->wLength < sizeof serial ? setup->wLength : (int)sizeof serial;
}

// ---- Questions of DFU ----

static int abort_keeps_status(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (!defect_is_asked(view, setup, TO_DFU, DFURT_ABORT) ||
        dfu->bState != DFURT_STATE_dfuDNLOAD_IDLE)
        return NATIVE_PASS;
    dfu->bState = DFURT_STATE_dfuIDLE;
    dfu->bStatus = DFURT_STATUS_errNOTDONE;
    return 0;
}

// A whole block is sent, whatever wLength is.
static int upload_uncut(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct usbdev_setup_packet whole = *setup;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wLength == 0 ||
        setup->wLength >= view->bootloader->dfu_config.wTransferSize)
        return NATIVE_PASS;
    whole.wLength = view->bootloader->dfu_config.wTransferSize;
    return defect_good_reply(view, &whole);
}

#define ANSWERS_STATUS(state, bStatus, bState)                                                     \
    .rules = RULES({IN_DFU_MODE, .states = 1 << (state), .bmRequestType = FROM_DFU,                \
                    .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,                               \
                    BYTES(bStatus, 0, 0, 0, bState, 0)})

static int corrupt_unknown(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (dfu && defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS) &&
        dfu->bStatus == DFURT_STATUS_errFIRMWARE)
        dfu->bStatus = DFURT_STATUS_errUNKNOWN;
    return NATIVE_PASS;
}

// The address of Set Address Pointer is outside of all memory, and the error is another one.
static int address_of_another_error(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;
    int length;

    if (!dfu || !defect_begins_work(view, setup) || dfu->block != 0 || dfu->buffer[0] != 0x21)
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    if (dfu->bState == DFURT_STATE_dfuERROR)
        view->reply[0] = dfu->bStatus = DFURT_STATUS_errPROG;
    return length;
}

const struct sim_defect defects_of_answers[] = {
    {
        .name = "qualifier-reserved",
        .summary = "bReserved of the device qualifier is 1",
        SAYS(USBDEV_DT_DEVICE_QUALIFIER, 0, {10, 6, 0, 2, 0, 0, 0, 64, 1, 1}),
    },
    {
        .name = "qualifier-version",
        .summary = "bcdUSB of the device qualifier is 0110h",
        SAYS(USBDEV_DT_DEVICE_QUALIFIER, 0, {10, 6, 0x10, 1, 0, 0, 0, 64, 1, 0}),
    },
    {
        .name = "qualifier-max-packet",
        .summary = "bMaxPacketSize0 of the device qualifier is 8, for high speed",
        SAYS(USBDEV_DT_DEVICE_QUALIFIER, 0, {10, 6, 0, 2, 0, 0, 0, 8, 1, 0}),
    },
    {
        .name = "other-speed-interfaces",
        .summary = "the configuration of the other speed counts an interface that it has not",
        SAYS(USBDEV_DT_OTHER_SPEED_CONFIGURATION,
             0,
             {9, USBDEV_DT_OTHER_SPEED_CONFIGURATION, 9, 0, 1, 1, 0, 0x80, 50}),
    },
    {
        .name = "other-speed-beyond",
        .summary = "an interface of the other speed reaches past the end of its configuration",
        SAYS(USBDEV_DT_OTHER_SPEED_CONFIGURATION,
             0,
             {9, USBDEV_DT_OTHER_SPEED_CONFIGURATION, 14, 0, 0, 1, 0, 0x80, 50, 9, 4, 0, 0, 0}),
    },
    {
        .name = "other-speed-type",
        .summary = "the configuration of the other speed is of the type of the present one",
        SAYS(USBDEV_DT_OTHER_SPEED_CONFIGURATION,
             0,
             {9, USBDEV_DT_CONFIGURATION, 9, 0, 0, 1, 0, 0x80, 50}),
    },
    {
        .name = "other-speed-short",
        .summary = "the configuration of the other speed is shorter than its wTotalLength",
        SAYS(USBDEV_DT_OTHER_SPEED_CONFIGURATION,
             0,
             {9, USBDEV_DT_OTHER_SPEED_CONFIGURATION, 27, 0, 1, 1, 0, 0x80, 50}),
    },
    {
        .name = "device-type",
        .summary = "bDescriptorType of the device descriptor is 2, once it is configured",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 1, 2, .late = true}),
    },
    {
        .name = "device-cut-otherwise",
        .summary = "a part of the device descriptor has another idVendor than the whole",
        .setup = cut_otherwise,
    },
    {
        .name = "string-cut-otherwise",
        .summary = "a part of a string is not a part of the whole",
        .setup = string_cut_otherwise,
    },
    {
        .name = "dm-no-serial",
        .summary = "iSerialNumber is 0 in DFU mode",
        .patches = PATCHES({PATCH_DEVICE, IN_DFU_MODE, 16, 0}),
    },
    {
        .name = "poll-timeout-6s",
        .summary = "bwPollTimeout in appIDLE is 6 s",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,
                        BYTES(0, 0x70, 0x17, 0, DFURT_STATE_appIDLE, 0)}),
    },
    {
        .name = "slow-status-2s",
        .summary = "GETSTATUS takes 2 s at run time",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_DELAY, .delay_ms = 2000}),
    },
    {
        .name = "dm-slow-status",
        .summary = "GETSTATUS takes 551 ms in DFU mode",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "dm-slow-sync",
        .summary = "GETSTATUS behind a block is answered when that is programmed, 700 ms later",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuDNLOAD_SYNC,
                        .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS, .action = DO_DELAY,
                        .delay_ms = 700}),
    },
    {
        .name = "language-0",
        .summary = "the table of languages names 0",
        SAYS(USBDEV_DT_STRING, 0, {6, USBDEV_DT_STRING, 0x09, 0x04, 0, 0}),
    },
    {
        .name = "languages-cut",
        .summary = "the table of languages is shorter than its bLength",
        SAYS(USBDEV_DT_STRING, 0, {6, USBDEV_DT_STRING, 0x09, 0x04}),
    },
    {
        .name = "association-of-nothing",
        .summary = "an interface association counts no interface",
        .describe = association_of_nothing,
    },
    {
        .name = "power-in-app-detach",
        .summary = "in appDETACH the configuration descriptor is another one",
        .describe = power_in_app_detach,
    },
    {
        .name = "serial-counts",
        .summary = "the serial number is another one after each start",
        .setup = count_in_serial,
    },
    {
        .name = "dm-abort-keeps-status",
        .summary = "after ABORT of a download bStatus is errNOTDONE in dfuIDLE",
        .setup = abort_keeps_status,
    },
    {
        .name = "dm-upload-uncut",
        .summary = "UPLOAD sends a whole block, whatever wLength is",
        .setup = upload_uncut,
    },
    {
        .name = "detach-standard",
        .summary = "standard request 0 to the DFU interface, in the direction OUT, detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = DFURT_DETACH, .action = DO_DETACH}),
    },
    {
        .name = "detach-ignored",
        .summary = "DETACH is accepted, and nothing comes of it",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH,
                        .length = NO_DATA, .action = DO_ACK}),
    },
    {
        .name = "state-0-OTHER-IN",
        .summary = "answers a request that DFU does not have in appIDLE, in the direction IN",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = 0x21, .action = DO_REPLY, BYTES(0, 0, 0, 0)}),
    },
    {
        .name = "state-1-says-0",
        .summary = "GETSTATE says appIDLE in appDETACH",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATE, .action = DO_REPLY, BYTES(DFURT_STATE_appIDLE)}),
    },
    {
        .name = "dm-manifested-idle",
        .summary = "dfuIDLE after manifestation, though bitManifestationTolerant is 0",
        ANSWERS_STATUS(DFURT_STATE_dfuMANIFEST_WAIT_RESET, DFURT_STATUS_OK, DFURT_STATE_dfuIDLE),
    },
    {
        .name = "dm-corrupt-unknown",
        .summary = "with half a download in flash bStatus is errUNKNOWN",
        .setup = corrupt_unknown,
    },
    {
        .name = "dm-refuses-upload-in-idle",
        .summary = "bitCanUpload is 0, UPLOAD STALLs, and the state stays dfuIDLE",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_UPLOAD, .action = DO_STALL}),
    },
    {
        .name = "ds-address-other-error",
        .summary = "set address pointer to where no memory is ends in errPROG",
        .setup = address_of_another_error,
    },
    {
        .name = "ds-list-stalls",
        .summary = "UPLOAD of block 0 STALLs",
        .rules = RULES({IN_DFU_MODE, .states = 1 << DFURT_STATE_dfuIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_UPLOAD, .wValue_mask = 0xFFFF, .wValue = 0,
                        .action = DO_STALL, .next = DFURT_STATE_dfuERROR}),
    },
    {0},
};
