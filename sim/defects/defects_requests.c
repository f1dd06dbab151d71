// SPDX-License-Identifier: MIT
//
// Standard and DFU requests that are answered wrongly.

#include <string.h>

#include <sim/defect.h>

enum {
    GET = USBDEV_DIR_IN,
};

// ---- What a rule cannot say ----

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

// An invalid SET_CONFIGURATION: the device does what SET_CONFIGURATION(0) asks for, and STALLs.
static int lose_configuration(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t unconfigure[USBDEV_SETUP_SIZE] = {0, USBDEV_SET_CONFIGURATION};

    if (setup->bmRequestType != 0 || setup->bRequest != USBDEV_SET_CONFIGURATION ||
        setup->wValue <= 1)
        return NATIVE_PASS;
    usbdev_setup(&view->native->dev, unconfigure);
    return NATIVE_STALL;
}

static bool asks_for(const struct usbdev_setup_packet *setup, uint8_t type)
{
    return setup->bmRequestType == GET && setup->bRequest == USBDEV_GET_DESCRIPTOR &&
           setup->wValue == type << 8;
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

static bool is_configured(const struct defect_view *view)
{
    return usbdev_state(&view->native->dev) == USBDEV_CONFIGURED;
}

static int configured_late(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool refuse = view->scratch == 1;

    if (setup->bmRequestType != 0 || setup->bRequest != USBDEV_SET_CONFIGURATION)
        return NATIVE_PASS;
    view->scratch = setup->wValue == 0 && is_configured(view);
    return refuse ? NATIVE_STALL : NATIVE_PASS;
}

// Once it is configured: no host would enumerate it otherwise.
static int device_uncut(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!asks_for(setup, USBDEV_DT_DEVICE) || !is_configured(view) || setup->wLength == 0)
        return NATIVE_PASS;
    memcpy(view->reply, view->device_descriptor, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    return USBDEV_DEVICE_DESCRIPTOR_SIZE;
}

static int configuration_short(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length = usbdev_load_le16(view->configuration + 2) - 1;

    if (!asks_for(setup, USBDEV_DT_CONFIGURATION) || setup->wLength <= length)
        return NATIVE_PASS;
    memcpy(view->reply, view->configuration, (size_t)length);
    return length;
}

static int configuration_uncut(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    uint16_t length = usbdev_load_le16(view->configuration + 2);

    if (!asks_for(setup, USBDEV_DT_CONFIGURATION) || setup->wLength == 0 || setup->wLength >= 9)
        return NATIVE_PASS;
    memcpy(view->reply, view->configuration, length);
    return length;
}

static bool asks_for_endpoint(const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType == (GET | USBDEV_RECIPIENT_ENDPOINT) &&
           setup->bRequest == USBDEV_GET_STATUS;
}

static int endpoint_0_halted(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!asks_for_endpoint(setup) || (setup->wIndex & 0x0F) != 0)
        return NATIVE_PASS;
    view->reply[0] = 1;
    view->reply[1] = 0;
    return 2;
}

static int endpoint_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!asks_for_endpoint(setup) || (setup->wIndex & 0x0F) < 8)
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    return 2;
}

// Hosts ask for 64 or 8 bytes there; the suite asks for the 18.
static int default_refuses(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool whole = setup->wLength == USBDEV_DEVICE_DESCRIPTOR_SIZE;

    if (!view->runtime || !asks_for(setup, USBDEV_DT_DEVICE) || !whole ||
        view->native->address != 0)
        return NATIVE_PASS;
    return NATIVE_STALL;
}

static int longer_string(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t product[] = {20, USBDEV_DT_STRING, 'd', 0, 'f', 0, 'u', 0};

    if (setup->bmRequestType != GET || setup->bRequest != USBDEV_GET_DESCRIPTOR ||
        setup->wValue != (USBDEV_DT_STRING << 8 | 2))
        return NATIVE_PASS;
    memcpy(view->reply, product, sizeof product);
    return setup->wLength < (int)sizeof product ? setup->wLength : (int)sizeof product;
}

const struct sim_defect defects_of_requests[] = {
    // ---- DFU's own ----
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
        .summary = "GET_CONFIGURATION and the device descriptor take 600 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_DEVICE << 8, .target = ANY_INDEX,
                        .action = DO_DELAY, .delay_ms = 600}),
    },
    {
        .name = "slow-status",
        .summary = "GETSTATUS takes 600 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_DELAY, .delay_ms = 600}),
    },
    {
        .name = "slow-detach",
        .summary = "DETACH takes 80 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DETACH,
                        .length = NO_DATA, .action = DO_DELAY, .delay_ms = 80}),
    },
    {
        .name = "slow-set-interface",
        .summary = "SET_INTERFACE takes 80 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .action = DO_DELAY, .delay_ms = 80}),
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

    // ---- Chapter 9 ----
    {
        .name = "length-0-stalls",
        .summary = "GET_DESCRIPTOR(DEVICE) with wLength 0 STALLs",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_DEVICE << 8, .target = ANY_INDEX,
                        .length = NO_DATA, .action = DO_STALL}),
    },
    {
        .name = "device-descriptor-uncut",
        .summary = "GET_DESCRIPTOR(DEVICE) returns 18 bytes, whatever wLength is",
        .setup = device_uncut,
    },
    {
        .name = "configuration-uncut",
        .summary = "GET_DESCRIPTOR(CONFIGURATION) of less than 9 bytes returns all of it",
        .setup = configuration_uncut,
    },
    {
        .name = "configuration-short",
        .summary = "one byte less than wTotalLength is returned",
        .setup = configuration_short,
    },
    {
        .name = "configuration-absent",
        .summary = "GET_DESCRIPTOR of an absent configuration is answered",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_CONFIGURATION << 8 | 1,
                   .target = ANY_INDEX, .action = DO_REPLY, BYTES(9, 2, 9, 0, 0, 1, 0, 0x80, 50)}),
    },
    {
        .name = "bos-uncalled-for",
        .summary = "a BOS, though bcdUSB is 0200h",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFF00, .wValue = USBDEV_DT_BOS << 8, .target = ANY_INDEX,
                        .action = DO_REPLY, BYTES(5, USBDEV_DT_BOS, 5, 0, 0)}),
    },
    {
        .name = "qualifier-rubbish",
        .summary = "GET_DESCRIPTOR(DEVICE_QUALIFIER) returns two bytes",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFF00, .wValue = USBDEV_DT_DEVICE_QUALIFIER << 8,
                        .target = ANY_INDEX, .action = DO_REPLY, BYTES(0, 0)}),
    },
    {
        .name = "no-languages",
        .summary = "string 0 STALLs",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8, .target = ANY_INDEX,
                        .action = DO_STALL}),
    },
    {
        .name = "string-missing",
        .summary = "iProduct names a string that STALLs",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 2,
                        .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "string-length",
        .summary = "bLength of a string is more than the bytes returned",
        .setup = longer_string,
    },
    {
        .name = "string-utf-8",
        .summary = "a string is UTF-8 with a NUL",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 2, .target = ANY_INDEX,
                   .action = DO_REPLY, BYTES(8, USBDEV_DT_STRING, 'd', 'f', 'u', '!', 0, 0)}),
    },
    {
        .name = "string-uncut",
        .summary = "a string is returned whole, whatever wLength is",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8 | 2, .target = ANY_INDEX,
                   .action = DO_REPLY_WHOLE, BYTES(8, USBDEV_DT_STRING, 'd', 0, 'f', 0, 'u', 0)}),
    },
    {
        .name = "string-absent",
        .summary = "a string that nothing names is answered",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFFF0, .wValue = USBDEV_DT_STRING << 8 | 0xF0,
                   .target = ANY_INDEX, .action = DO_REPLY, BYTES(4, USBDEV_DT_STRING, '?', 0)}),
    },
    {
        .name = "configuration-says-2",
        .summary = "GET_CONFIGURATION says 2",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_CONFIGURATION,
                        .target = ANY_INDEX, .action = DO_REPLY, BYTES(2)}),
    },
    {
        .name = "configured-late",
        .summary = "after SET_CONFIGURATION 0, the first SET_CONFIGURATION 1 STALLs",
        .setup = configured_late,
    },
    {
        .name = "configuration-any",
        .summary = "SET_CONFIGURATION accepts any value, without effect",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_CONFIGURATION,
                   .wValue_mask = 0xF0, .wValue = 0x50, .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "configuration-lost",
        .summary = "an invalid SET_CONFIGURATION STALLs, but unconfigures",
        .setup = lose_configuration,
    },
    {
        .name = "interface-ff",
        .summary = "GET_INTERFACE says FFh",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET | USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_GET_INTERFACE, .action = DO_REPLY, BYTES(0xFF)}),
    },
    {
        .name = "alternate-any",
        .summary = "SET_INTERFACE accepts any alternate setting",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .wValue_mask = 0xF0, .wValue = 0xF0,
                        .action = DO_ACK}),
    },
    {
        .name = "set-interface-any",
        .summary = "SET_INTERFACE is accepted for absent interfaces",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .target = OTHER_INDEX, .action = DO_ACK}),
    },
    {
        .name = "get-interface-any",
        .summary = "GET_INTERFACE answers for absent interfaces",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET | USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_GET_INTERFACE, .target = OTHER_INDEX, .action = DO_REPLY,
                        BYTES(0)}),
    },
    {
        .name = "status-of-any-interface",
        .summary = "GET_STATUS answers for absent interfaces",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET | USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_GET_STATUS, .target = OTHER_INDEX, .action = DO_REPLY,
                        BYTES(0, 0)}),
    },
    {
        .name = "self-powered",
        .summary =
            "GET_STATUS says self-powered where bmAttributes does not, or sets reserved bits",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = GET, .bRequest = USBDEV_GET_STATUS,
                        .target = ANY_INDEX, .action = DO_REPLY, BYTES(1, 0)},
                       {IN_DFU_MODE, .bmRequestType = GET, .bRequest = USBDEV_GET_STATUS,
                        .target = ANY_INDEX, .action = DO_REPLY, BYTES(4, 0)}),
    },
    {
        .name = "wakes-uncalled-for",
        .summary = "remote wake-up is enabled after each reset",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_STATUS,
                        .target = ANY_INDEX, .action = DO_REPLY, BYTES(2, 0)}),
    },
    {
        .name = "wakeup-feature",
        .summary = "SET_FEATURE(DEVICE_REMOTE_WAKEUP) is accepted, though bmAttributes denies it",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_FEATURE,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP,
                        .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "endpoint-0-status",
        .summary = "GET_STATUS of endpoint 0 says halted",
        .setup = endpoint_0_halted,
    },
    {
        .name = "endpoint-any",
        .summary = "GET_STATUS answers for absent endpoints",
        .setup = endpoint_any,
    },
    {
        .name = "default-silent",
        .summary = "GET_DESCRIPTOR STALLs for more than 17 bytes until there is an address",
        .setup = default_refuses,
    },
    {
        .name = "halt-ignored",
        .summary = "SET_FEATURE(ENDPOINT_HALT) is accepted, without effect",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = USBDEV_SET_FEATURE, .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "descriptor-any",
        .summary = "an unknown descriptor type is answered",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFF00, .wValue = 0x7F00, .target = ANY_INDEX,
                        .action = DO_REPLY, BYTES(2, 0x7F)}),
    },
    {
        .name = "feature-any",
        .summary = "an unknown feature is accepted",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_FEATURE,
                   .wValue_mask = 0xFFFF, .wValue = 0x7F, .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "request-any",
        .summary = "an unknown standard request to the device is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x00, .bRequest = 0x7F, .target = ANY_INDEX,
                        .action = DO_ACK}),
    },
    {
        .name = "class-request-any",
        .summary = "an unknown class request to the device is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x20, .bRequest = 0x7F, .target = ANY_INDEX,
                        .action = DO_ACK}),
    },
    {
        .name = "vendor-request-any",
        .summary = "an unknown vendor request to the device is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x40, .bRequest = 0x7F, .target = ANY_INDEX,
                        .action = DO_ACK}),
    },
    {0},
};
