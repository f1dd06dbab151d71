// SPDX-License-Identifier: MIT
//
// DFU requests at run time, and requests that only look like them, that are answered wrongly.

#include <string.h>

#include "defects_private.h"

// Answer nothing, once, after this request has STALLed so often in a row.
static int wedge(struct defect_view *view,
                 const struct usbdev_setup_packet *setup,
                 enum dfurt_request bRequest,
                 unsigned times)
{
    bool counts = (setup->bmRequestType & ~USBDEV_DIR_IN) == TO_DFU &&
                  setup->bRequest == bRequest && setup->wIndex == view->interface &&
                  dfurt_state(&view->runtime->dfurt) == DFURT_STATE_appIDLE;

    if (view->scratch >= times && !counts) {
        view->scratch = 0;
        return NATIVE_SILENT;
    }
    view->scratch = counts ? view->scratch + 1 : 0;
    return NATIVE_PASS;
}

static int wedge_after_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? wedge(view, setup, DFURT_UPLOAD, 1) : NATIVE_PASS;
}

static int wedge_after_dnload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? wedge(view, setup, DFURT_DNLOAD, 1) : NATIVE_PASS;
}

static int wedge_after_abort(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return view->runtime ? wedge(view, setup, DFURT_ABORT, 1) : NATIVE_PASS;
}

// The count goes on over UPLOAD and a request that DFU does not have, in turn.
static int wedge_after_many(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool either = setup->bRequest == DFURT_UPLOAD || setup->bRequest > DFURT_ABORT;

    if (!view->runtime)
        return NATIVE_PASS;
    return wedge(view, setup, either ? (enum dfurt_request)setup->bRequest : DFURT_UPLOAD, 15);
}

static int detach_by_vendor_getstatus(struct defect_view *view,
                                      const struct usbdev_setup_packet *setup)
{
    if (!view->runtime || setup->bRequest != DFURT_GETSTATUS ||
        setup->bmRequestType != (USBDEV_DIR_IN | USBDEV_TYPE_VENDOR | USBDEV_RECIPIENT_INTERFACE))
        return NATIVE_PASS;
    defect_detach(view, 1000);
    memset(view->reply, 0, DFURT_STATUS_REPLY_SIZE);
    return setup->wLength < DFURT_STATUS_REPLY_SIZE ? setup->wLength : DFURT_STATUS_REPLY_SIZE;
}

// A class handler that does not look at which of its interfaces is meant.
static int detach_by_other_interface(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    const uint8_t bNumInterfaces = view->configuration[4];

    if (!view->runtime || !is_request(setup, TO_DFU, DFURT_DETACH) ||
        setup->wIndex == view->interface || setup->wIndex >= bNumInterfaces)
        return NATIVE_PASS;
    defect_detach(view, setup->wValue);
    return 0;
}

const struct sim_defect defects_of_requests[] = {
    {
        .name = "status-5-bytes",
        .summary = "GETSTATUS returns 5 bytes at run time",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_REPLY, BYTES(0, 0, 0, 0, 0)}),
    },
    {
        .name = "state-no-bytes",
        .summary = "GETSTATE returns nothing",
        .rules = RULES(
            {AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE, .action = DO_ACK}),
    },
    {
        .name = "state-2-bytes",
        .summary = "GETSTATE returns 2 bytes where there is room for them",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .states = 1 << DFURT_STATE_appIDLE, .action = DO_REPLY, BYTES(0, 0)}),
    },
    {
        .name = "state-1-in-status",
        .summary = "bState of GETSTATUS in appIDLE is appDETACH",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0, 0, 0, 1, 0)}),
    },
    {
        .name = "status-stalls",
        .summary = "GETSTATUS STALLs in appIDLE, which is legal, but not enough for fwupd",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATUS, .action = DO_STALL}),
    },
    {
        .name = "questions-stall",
        .summary = "GETSTATUS and GETSTATE STALL, in appDETACH too, where they are mandatory",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_STALL},
                       {AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_STALL}),
    },
    {
        .name = "upload-of-nothing",
        .summary = "UPLOAD with wLength 0 is accepted in appIDLE",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_UPLOAD, .length = NO_DATA, .action = DO_ACK}),
    },
    {
        .name = "status-unknown",
        .summary = "bStatus 10h, which DFU 1.1 does not define, in appIDLE",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0x10, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "status-not-ok",
        .summary = "bStatus errUNKNOWN in appIDLE",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0x0E, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "state-unknown",
        .summary = "bState 0Bh, which DFU 1.1 does not define, in appIDLE",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0, 0, 0, 0x0B, 0)}),
    },
    {
        .name = "string-ff",
        .summary = "iString FFh names no string",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0, 0, 0, 0, 0xFF)}),
    },
    {
        .name = "poll-timeout-1s",
        .summary = "bwPollTimeout in appIDLE is 1000 ms",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appIDLE, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0xE8, 0x03, 0, 0, 0)}),
    },
    {
        .name = "poll-timeout-in-app-detach",
        .summary = "bwPollTimeout in appDETACH is 1000 ms",
        .rules =
            RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH, .bmRequestType = FROM_DFU,
                   .bRequest = DFURT_GETSTATUS, .action = DO_REPLY, BYTES(0, 0xE8, 0x03, 0, 1, 0)}),
    },
    {
        .name = "detach-device-class",
        .summary = "a class request 0 to the device detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_TYPE_CLASS, .bRequest = DFURT_DETACH,
                        .target = ANY_INDEX, .action = DO_DETACH}),
    },
    {
        .name = "detach-device-class-in",
        .summary = "a class request 0 to the device, in the direction IN, detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_DIR_IN | USBDEV_TYPE_CLASS,
                        .bRequest = DFURT_DETACH, .target = ANY_INDEX, .action = DO_DETACH}),
    },
    {
        .name = "detach-vendor-device",
        .summary = "a vendor request 0 to the device detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_TYPE_VENDOR, .bRequest = DFURT_DETACH,
                        .target = ANY_INDEX, .action = DO_DETACH}),
    },
    {
        .name = "detach-vendor",
        .summary = "a vendor request 0 to the DFU interface detaches",
        .rules =
            RULES({AT_RUN_TIME, .bmRequestType = USBDEV_TYPE_VENDOR | USBDEV_RECIPIENT_INTERFACE,
                   .bRequest = DFURT_DETACH, .action = DO_DETACH}),
    },
    {
        .name = "detach-in",
        .summary = "DETACH with direction IN detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_DETACH,
                        .action = DO_DETACH}),
    },
    {
        .name = "detach-endpoint",
        .summary = "a class request 0 to an endpoint detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = DFURT_DETACH, .target = ANY_INDEX, .action = DO_DETACH}),
    },
    {
        .name = "detach-other",
        .summary = "a class request 0 to 'other' detaches",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_OTHER,
                        .bRequest = DFURT_DETACH, .target = ANY_INDEX, .action = DO_DETACH}),
    },
    {
        .name = "status-out",
        .summary = "GETSTATUS with direction OUT is accepted, and its data overwrites memory",
        .rules = RULES(
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_GETSTATUS, .action = DO_ACK}),
    },
    {
        .name = "state-out",
        .summary = "GETSTATE with direction OUT is accepted",
        .rules = RULES(
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_GETSTATE, .action = DO_ACK}),
    },
    {
        .name = "status-of-device",
        .summary = "GETSTATUS to the device is answered",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_DIR_IN | USBDEV_TYPE_CLASS,
                        .bRequest = DFURT_GETSTATUS, .target = ANY_INDEX, .action = DO_REPLY,
                        BYTES(0, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "status-vendor",
        .summary = "GETSTATUS as a vendor request begins a detach",
        .setup = detach_by_vendor_getstatus,
    },
    {
        .name = "status-of-absent-interface",
        .summary = "GETSTATUS is answered for any interface",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .target = OTHER_INDEX, .action = DO_REPLY, BYTES(0, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "wIndex-ignored",
        .summary = "DFU requests for any interface are carried out",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH,
                        .target = OTHER_INDEX, .action = DO_DETACH},
                       {AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .target = OTHER_INDEX, .action = DO_REPLY, BYTES(0, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "detach-by-other-interface",
        .summary = "DETACH to another interface of the device is carried out",
        .setup = detach_by_other_interface,
    },
    {
        .name = "detach-silent",
        .summary = "DETACH is never answered",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH,
                        .length = NO_DATA, .action = DO_SILENT}),
    },
    {
        .name = "wedged-by-in-stall",
        .summary = "after a STALL of UPLOAD the next request is not answered",
        .setup = wedge_after_upload,
    },
    {
        .name = "wedged-by-out-stall",
        .summary = "after a STALL of DNLOAD the next request is not answered",
        .setup = wedge_after_dnload,
    },
    {
        .name = "wedged-by-no-data-stall",
        .summary = "after a STALL of ABORT the next request is not answered",
        .setup = wedge_after_abort,
    },
    {
        .name = "wedged-by-many-stalls",
        .summary = "after 15 STALLs in a row the next request is not answered",
        .setup = wedge_after_many,
    },
    {
        .name = "slow-standard",
        .summary = "GET_DESCRIPTOR(DEVICE) takes 551 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_DEVICE << 8, .target = ANY_INDEX,
                        .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "slow-status",
        .summary = "GETSTATUS takes 551 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "slow-detach",
        .summary = "DETACH takes 51 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH,
                        .length = NO_DATA, .action = DO_DELAY, .delay_ms = 51}),
    },
    {
        .name = "slow-set-interface",
        .summary = "SET_INTERFACE takes 51 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .action = DO_DELAY, .delay_ms = 51}),
    },
    {
        .name = "stall-keeps-app-detach",
        .summary = "requests STALL in appDETACH, but do not return to appIDLE",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_DETACH, .action = DO_STALL},
                       {AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_DNLOAD, .action = DO_STALL},
                       {AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH,
                        .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD, .action = DO_STALL},
                       {AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_CLRSTATUS, .action = DO_STALL}),
    },
    {
        .name = "all-accepted",
        .summary = "requests that DFU does not have at run time are accepted",
        .rules = RULES(
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DNLOAD, .action = DO_ACK},
            {AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_UPLOAD, .action = DO_ACK},
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_CLRSTATUS, .action = DO_ACK},
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_ABORT, .action = DO_ACK}),
    },
    {
        .name = "detach-stalls",
        .summary = "DETACH STALLs",
        .rules = RULES(
            {AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH, .action = DO_STALL}),
    },
    {
        .name = "interface-status",
        .summary = "GET_STATUS of the interface is answered as DFU's GETSTATUS",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET | USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_GET_STATUS, .action = DO_REPLY, BYTES(0, 1)}),
    },
    {0},
};
