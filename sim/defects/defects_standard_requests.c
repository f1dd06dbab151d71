// SPDX-License-Identifier: MIT
//
// Standard requests (USB 2.0 9.4) in the Configured state that are answered wrongly.

#include <string.h>

#include "defects_private.h"

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

static int halt_absent(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool halts = is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_SET_FEATURE) ||
                 is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_CLEAR_FEATURE);

    return halts && is_configured(view) && setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT &&
                   (setup->wIndex & 0x0F) >= 8
               ? 0
               : NATIVE_PASS;
}

// Nothing looks at the recipient.
static int feature_of_any(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool feature = setup->bRequest == USBDEV_SET_FEATURE || setup->bRequest == USBDEV_CLEAR_FEATURE;
    uint8_t recipient = setup->bmRequestType;

    (void)view;
    return feature && setup->wValue <= 1 && recipient <= USBDEV_RECIPIENT_INTERFACE &&
                   (recipient == USBDEV_RECIPIENT_INTERFACE ||
                    setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT)
               ? 0
               : NATIVE_PASS;
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

// A descriptor, or the STALL of the request for it, comes late.
#define DESCRIBES_SLOWLY(defect_name, what, in_modes, type)                                        \
    {                                                                                              \
        .name = defect_name, .summary = what " takes 551 ms",                                      \
        .rules = RULES({in_modes, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,         \
                        .wValue_mask = 0xFFFF, .wValue = (type) << 8, .target = ANY_INDEX,         \
                        .action = DO_DELAY, .delay_ms = 551}),                                     \
    }

const struct sim_defect defects_of_standard_requests[] = {
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
        .name = "languages-none",
        .summary = "string 0 has a header and no language",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_DT_STRING << 8, .target = ANY_INDEX,
                        .action = DO_REPLY, BYTES(2, USBDEV_DT_STRING)}),
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
                   .wValue_mask = 0xFF80, .wValue = USBDEV_DT_STRING << 8 | 0x80,
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
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x00, .bRequest = 0x7F, .length = NO_DATA,
                        .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "configuration-length-0-stalls",
        .summary = "GET_DESCRIPTOR(CONFIGURATION) with wLength 0 STALLs",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFF00, .wValue = USBDEV_DT_CONFIGURATION << 8, .length = NO_DATA,
                   .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "configuration-stalls-in-app-detach",
        .summary = "in appDETACH the configuration descriptor STALLs",
        .rules = RULES({AT_RUN_TIME, .states = 1 << DFURT_STATE_appDETACH,
                        .bmRequestType = USBDEV_DIR_IN, .bRequest = USBDEV_GET_DESCRIPTOR,
                        .wValue_mask = 0xFF00, .wValue = USBDEV_DT_CONFIGURATION << 8,
                        .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "wakeup-refused",
        .summary = "SET_FEATURE(DEVICE_REMOTE_WAKEUP) STALLs, though bmAttributes offers it",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = 0x00, .bRequest = USBDEV_SET_FEATURE,
                        .wValue_mask = 0xFFFF, .wValue = USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP,
                        .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "request-any-to-interface",
        .summary = "an unknown standard request to an interface is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x01, .bRequest = 0x7F, .length = NO_DATA,
                        .target = ANY_INDEX, .action = DO_ACK}),
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
    {
        .name = "request-with-data-any",
        .summary = "an unknown standard request to the device with OUT data is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x00, .bRequest = 0x7F, .length = WITH_DATA,
                        .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "request-with-data-any-to-interface",
        .summary = "an unknown standard request to an interface with OUT data is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x01, .bRequest = 0x7F, .length = WITH_DATA,
                        .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "request-with-data-hangs",
        .summary = "the OUT data of an unknown standard request to an interface is never taken",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x01, .bRequest = 0x7F, .length = WITH_DATA,
                        .target = ANY_INDEX, .action = DO_SILENT}),
    },
    {
        .name = "reserved-type-any",
        .summary = "an unknown request of the reserved type is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0x61, .bRequest = 0x7F, .target = ANY_INDEX,
                        .action = DO_ACK}),
    },
    {
        .name = "reserved-type-is-class",
        .summary = "GETSTATUS of the reserved type is answered as one of the class",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0xE1, .bRequest = DFURT_GETSTATUS,
                        .action = DO_REPLY, BYTES(0, 0, 0, 0, 0, 0)}),
    },
    {
        .name = "halt-absent",
        .summary = "SET_FEATURE(ENDPOINT_HALT) is accepted for absent endpoints",
        .setup = halt_absent,
    },
    {
        .name = "feature-of-any-recipient",
        .summary = "features of one recipient are accepted for another one",
        .setup = feature_of_any,
    },
    {
        .name = "feature-any-of-endpoint",
        .summary = "an unknown feature of endpoint 0 is accepted",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = USBDEV_SET_FEATURE, .wValue_mask = 0xFF, .wValue = 0x7F,
                        .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "synch-frame",
        .summary = "SYNCH_FRAME of endpoint 0 is answered",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET | USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = 12, .target = ANY_INDEX, .action = DO_REPLY, BYTES(0, 0)}),
    },
    {
        .name = "configuration-next",
        .summary = "SET_CONFIGURATION accepts one value more than there are, without effect",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_CONFIGURATION,
                        .wValue_mask = 0xFFFF, .wValue = 2, .target = ANY_INDEX, .action = DO_ACK}),
    },
    {
        .name = "alternate-next",
        .summary = "SET_INTERFACE accepts one alternate setting more than there are",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .wValue_mask = 0xFFFF, .wValue = 1,
                        .action = DO_ACK}),
    },
    {
        .name = "interface-descriptor-alone",
        .summary = "GET_DESCRIPTOR of the interface descriptor is answered",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR,
                   .wValue_mask = 0xFF00, .wValue = USBDEV_DT_INTERFACE << 8, .target = ANY_INDEX,
                   .action = DO_REPLY, BYTES(9, 4, 0, 0, 0, 0xFE, 1, 1, 0)}),
    },
    {
        .name = "set-interface-with-data",
        .summary = "the status stage of SET_INTERFACE has a byte",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                        .bRequest = USBDEV_SET_INTERFACE, .wValue_mask = 0xFF, .wValue = 0,
                        .action = DO_REPLY_WHOLE, BYTES(0)}),
    },
    {
        .name = "slow-set-configuration",
        .summary = "SET_CONFIGURATION takes 400 ms",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_CONFIGURATION,
                        .target = ANY_INDEX, .action = DO_DELAY, .delay_ms = 400}),
    },
    {
        .name = "slow-halt",
        .summary = "SET_FEATURE(ENDPOINT_HALT) takes 51 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = USBDEV_SET_FEATURE, .target = ANY_INDEX, .action = DO_DELAY,
                        .delay_ms = 51}),
    },
    {
        .name = "slow-clear-halt",
        .summary = "CLEAR_FEATURE(ENDPOINT_HALT) takes 51 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = USBDEV_CLEAR_FEATURE, .target = ANY_INDEX, .action = DO_DELAY,
                        .delay_ms = 51}),
    },
    {
        .name = "slow-configuration",
        .summary = "GET_CONFIGURATION takes 551 ms",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_CONFIGURATION,
                        .target = ANY_INDEX, .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "slow-set-configuration-0",
        .summary = "SET_CONFIGURATION(0) takes 51 ms",
        .rules =
            RULES({IN_BOTH_MODES, .bmRequestType = 0, .bRequest = USBDEV_SET_CONFIGURATION,
                   .wValue_mask = 0xFFFF, .target = ANY_INDEX, .action = DO_DELAY, .delay_ms = 51}),
    },
    DESCRIBES_SLOWLY("dm-slow-standard", "GET_DESCRIPTOR(DEVICE)", IN_DFU_MODE, USBDEV_DT_DEVICE),
    DESCRIBES_SLOWLY("slow-bos", "GET_DESCRIPTOR(BOS)", IN_BOTH_MODES, USBDEV_DT_BOS),
    DESCRIBES_SLOWLY("slow-qualifier",
                     "GET_DESCRIPTOR(DEVICE_QUALIFIER)",
                     IN_BOTH_MODES,
                     USBDEV_DT_DEVICE_QUALIFIER),
    {
        .name = "slow-unknown",
        .summary = "the STALL of an unknown request takes 551 ms",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = GET, .bRequest = 0x7F, .target = ANY_INDEX,
                        .action = DO_DELAY, .delay_ms = 551}),
    },
    {
        .name = "slow-set-address",
        .summary = "SET_ADDRESS takes 51 ms",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = 0, .bRequest = USBDEV_SET_ADDRESS,
                        .target = ANY_INDEX, .action = DO_DELAY, .delay_ms = 51}),
    },
    {0},
};
