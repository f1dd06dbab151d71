// SPDX-License-Identifier: MIT
//
// What USB 2.0 chapter 9 and its companions ask for beyond single bytes and single requests:
// configurations, interface associations, the BOS, the second speed, the ends of replies, halts,
// remote wake-up.

#include <string.h>

#include <sim/defect.h>

enum { GET = USBDEV_DIR_IN };

static bool
is_request(const struct usbdev_setup_packet *setup, uint8_t bmRequestType, uint8_t bRequest)
{
    return setup->bmRequestType == bmRequestType && setup->bRequest == bRequest;
}

static bool is_configured(const struct defect_view *view)
{
    return usbdev_state(&view->native->dev) == USBDEV_CONFIGURED;
}

static uint16_t total_length(const struct defect_view *view)
{
    return usbdev_load_le16(view->configuration + 2);
}

// Insert bytes into the configuration, before at.
static void insert(struct defect_view *view, uint8_t *at, const uint8_t *bytes, uint8_t length)
{
    uint8_t *end = view->configuration + total_length(view);

    memmove(at + length, at, (size_t)(end - at));
    memcpy(at, bytes, length);
    usbdev_store_le16(view->configuration + 2, (uint16_t)(total_length(view) + length));
}

// ---- Interface associations: of the composite device, whose interfaces 0 and 1 have one ----

enum { ASSOCIATION_SIZE = 8 };

// Behind the interface that it should stand before.
static void association_late(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);
    uint8_t *interface = defect_find(view, USBDEV_DT_INTERFACE, 0);
    uint8_t copy[ASSOCIATION_SIZE];

    if (!view->runtime || !association)
        return;
    memcpy(copy, association, sizeof copy);
    memmove(association, interface, USBDEV_INTERFACE_DESCRIPTOR_SIZE);
    memcpy(association + USBDEV_INTERFACE_DESCRIPTOR_SIZE, copy, sizeof copy);
}

static void association_class_0(struct defect_view *view)
{
    uint8_t *association = defect_find(view, USBDEV_DT_INTERFACE_ASSOCIATION, 0);

    if (view->runtime && association)
        association[4] = 0;
}

// A second one, of interface 1 alone, where interface 1 begins.
static void association_overlaps(struct defect_view *view)
{
    static const uint8_t second[ASSOCIATION_SIZE] = {
        ASSOCIATION_SIZE, USBDEV_DT_INTERFACE_ASSOCIATION, 1, 1, 0xFF, 0, 0, 0};
    uint8_t *interface = defect_find(view, USBDEV_DT_INTERFACE, 1);

    if (view->runtime && interface)
        insert(view, interface, second, sizeof second);
}

// ---- Alternate settings ----

enum { SECOND_INTERFACE = 1 };

// Interface 1 with two settings.
static void add_settings(struct defect_view *view, uint8_t second)
{
    const uint8_t interfaces[2 * USBDEV_INTERFACE_DESCRIPTOR_SIZE] = {
        USBDEV_INTERFACE_DESCRIPTOR_SIZE,
        USBDEV_DT_INTERFACE,
        SECOND_INTERFACE,
        0,
        0,
        0xFF,
        0,
        0,
        0,
        USBDEV_INTERFACE_DESCRIPTOR_SIZE,
        USBDEV_DT_INTERFACE,
        SECOND_INTERFACE,
        second,
        0,
        0xFF,
        0,
        0,
        0,
    };

    if (!view->runtime)
        return;
    insert(view, view->configuration + total_length(view), interfaces, sizeof interfaces);
    view->configuration[4]++; // bNumInterfaces
}

static void add_settings_0_and_1(struct defect_view *view)
{
    add_settings(view, 1);
}

static void add_settings_0_and_2(struct defect_view *view)
{
    add_settings(view, 2);
}

// Standard requests to interface 1; the setting is kept in scratch.
static int
know_settings(struct defect_view *view, const struct usbdev_setup_packet *setup, uint16_t greatest)
{
    bool standard = (setup->bmRequestType & ~USBDEV_DIR_IN) == USBDEV_RECIPIENT_INTERFACE;

    if (!view->runtime || !standard || setup->wIndex != SECOND_INTERFACE ||
        setup->wValue > greatest)
        return NATIVE_PASS;
    if (setup->bRequest == USBDEV_SET_INTERFACE)
        view->scratch = setup->wValue;
    view->reply[0] = setup->bRequest == USBDEV_GET_INTERFACE ? (uint8_t)view->scratch : 0;
    view->reply[1] = 0;
    return setup->wLength < 2 ? setup->wLength : 2;
}

static int know_setting_0(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return know_settings(view, setup, 0);
}

static int know_setting_2(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return setup->wValue == 1 ? NATIVE_PASS : know_settings(view, setup, 2);
}

// ---- Halts ----

// scratch holds the address of the endpoint that is reported as halted.
static int pretend_halt(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool halt = setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT;

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_SET_FEATURE) && halt) {
        view->scratch = setup->wIndex;
        return 0;
    }
    if (is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_CLEAR_FEATURE) && halt)
        view->scratch = 0;
    if (is_request(setup, 0, USBDEV_SET_CONFIGURATION) ||
        is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE))
        view->scratch = 0;
    if (!is_request(setup, GET | USBDEV_RECIPIENT_ENDPOINT, USBDEV_GET_STATUS) ||
        view->scratch == 0 || setup->wIndex != view->scratch)
        return NATIVE_PASS;
    view->reply[0] = 1;
    view->reply[1] = 0;
    return 2;
}

static int pretend_clear(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool halt = setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT;

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_SET_FEATURE) && halt)
        view->scratch = 0;
    if (is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_CLEAR_FEATURE) && halt) {
        view->scratch = setup->wIndex;
        return 0;
    }
    if (!is_request(setup, GET | USBDEV_RECIPIENT_ENDPOINT, USBDEV_GET_STATUS) ||
        view->scratch == 0 || setup->wIndex != view->scratch)
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    return 2;
}

static int
keep_toggles_at(struct defect_view *view, const struct usbdev_setup_packet *setup, uint8_t bRequest)
{
    view->native->keeps_toggles = view->runtime && setup->bRequest == bRequest &&
                                  (setup->bmRequestType & USBDEV_TYPE_MASK) == 0;
    return NATIVE_PASS;
}

static int keep_toggles_at_clear(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return keep_toggles_at(view, setup, USBDEV_CLEAR_FEATURE);
}

static int keep_toggles_at_configuration(struct defect_view *view,
                                         const struct usbdev_setup_packet *setup)
{
    return keep_toggles_at(view, setup, USBDEV_SET_CONFIGURATION);
}

static int keep_toggles_at_interface(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    return keep_toggles_at(view, setup, USBDEV_SET_INTERFACE);
}

// CLEAR_FEATURE of an endpoint that is not halted is taken for a request that has nothing to do.
static int clear_halted_alone(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    uint8_t number = setup->wIndex & 0x0F;
    bool clear = view->runtime && setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT &&
                 is_request(setup, USBDEV_RECIPIENT_ENDPOINT, USBDEV_CLEAR_FEATURE);
    const struct native_endpoint *endpoint =
        setup->wIndex & USBDEV_DIR_IN ? &view->native->in[number] : &view->native->out[number];

    return clear && !endpoint->stalled ? 0 : NATIVE_PASS;
}

static int ignore_selected_interface(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    bool set = is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE);

    return view->runtime && set && setup->wValue == 0 && setup->wIndex < 2 && is_configured(view)
               ? 0
               : NATIVE_PASS;
}

static int ignore_second_configuration(struct defect_view *view,
                                       const struct usbdev_setup_packet *setup)
{
    bool again = view->runtime && is_request(setup, 0, USBDEV_SET_CONFIGURATION) &&
                 setup->wValue == view->configuration[5] && is_configured(view);

    return again ? 0 : NATIVE_PASS;
}

static int refuse_second_configuration(struct defect_view *view,
                                       const struct usbdev_setup_packet *setup)
{
    bool again = is_request(setup, 0, USBDEV_SET_CONFIGURATION) &&
                 setup->wValue == view->configuration[5] && is_configured(view);

    return again ? NATIVE_STALL : NATIVE_PASS;
}

static int refuse_set_interface(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool set = is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE);

    return view->bootloader && set ? NATIVE_STALL : NATIVE_PASS;
}

// ---- Suspend and reset ----

static void forget_when_suspended(struct defect_view *view)
{
    static const uint8_t unconfigure[USBDEV_SETUP_SIZE] = {0, USBDEV_SET_CONFIGURATION};

    if (view->runtime && view->native->suspended && is_configured(view))
        usbdev_setup(&view->native->dev, unconfigure);
}

// Each enumeration reads another bcdDevice; a host enumerates with two bus resets.
enum { RESETS_OF_AN_ENUMERATION = 2 };

static void count_reset(struct defect_view *view)
{
    view->scratch++;
}

static void change_at_resets(struct defect_view *view)
{
    if (view->runtime)
        view->device_descriptor[12] = (uint8_t)(view->scratch / RESETS_OF_AN_ENUMERATION);
}

// ---- Remote wake-up: of the composite device, which offers it ----

static int keep_wakeup(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool wakeup = setup->wValue == USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP;

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, 0, USBDEV_SET_FEATURE) && wakeup)
        view->scratch = 1;
    if (is_request(setup, 0, USBDEV_CLEAR_FEATURE) && wakeup)
        view->scratch = 0;
    if (!is_request(setup, GET, USBDEV_GET_STATUS))
        return NATIVE_PASS;
    view->reply[0] = view->scratch ? 2 : 0;
    view->reply[1] = 0;
    return 2;
}

// ---- SET_CONFIGURATION again ----

// The second one removes the class handler: class requests STALL until the next bus reset.
static int lose_handler(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool class_request = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, 0, USBDEV_SET_CONFIGURATION))
        view->scratch = is_configured(view);
    return class_request && view->scratch ? NATIVE_STALL : NATIVE_PASS;
}

static void find_handler(struct defect_view *view)
{
    view->scratch = 0;
}

// ---- Cut-off transfers ----

// A configuration that takes three packets, during which no SETUP is answered before the last one
// is armed.
static int deaf_in_data_stage(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { SIZE = 60, UNKNOWN = 0x7E };
    static const uint8_t unknown[SIZE] = {SIZE, UNKNOWN};
    uint16_t length = total_length(view);

    if (!view->runtime)
        return NATIVE_PASS;
    if (view->native->reply_left > 0) {
        view->native->reply_left = 0;
        return NATIVE_SILENT;
    }
    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) || setup->wValue != USBDEV_DT_CONFIGURATION
                                                                               << 8)
        return NATIVE_PASS;
    memcpy(view->reply, view->configuration, length);
    memcpy(view->reply + length, unknown, sizeof unknown);
    memcpy(view->reply + length + SIZE, unknown, sizeof unknown);
    length = (uint16_t)(length + 2 * SIZE);
    usbdev_store_le16(view->reply + 2, length);
    return setup->wLength < length ? setup->wLength : length;
}

// ---- The Address state ----

static bool is_addressed(const struct defect_view *view)
{
    return view->runtime && usbdev_state(&view->native->dev) == USBDEV_ADDRESS;
}

static int no_status_when_addressed(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    return is_addressed(view) && is_request(setup, GET, USBDEV_GET_STATUS) ? NATIVE_STALL
                                                                           : NATIVE_PASS;
}

static int configured_when_addressed(struct defect_view *view,
                                     const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) || !is_request(setup, GET, USBDEV_GET_CONFIGURATION))
        return NATIVE_PASS;
    view->reply[0] = 1;
    return 1;
}

static int any_configuration_when_addressed(struct defect_view *view,
                                            const struct usbdev_setup_packet *setup)
{
    bool absent = is_request(setup, 0, USBDEV_SET_CONFIGURATION) && setup->wValue > 1;

    return is_addressed(view) && absent ? 0 : NATIVE_PASS;
}

static int interface_when_addressed(struct defect_view *view,
                                    const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) ||
        !is_request(setup, GET | USBDEV_RECIPIENT_INTERFACE, USBDEV_GET_INTERFACE))
        return NATIVE_PASS;
    view->reply[0] = 0;
    return 1;
}

static int interface_status_when_addressed(struct defect_view *view,
                                           const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) ||
        !is_request(setup, GET | USBDEV_RECIPIENT_INTERFACE, USBDEV_GET_STATUS))
        return NATIVE_PASS;
    memset(view->reply, 0, 2);
    return 2;
}

static int dfu_when_addressed(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!is_addressed(view) || !is_request(setup, FROM_DFU, DFURT_GETSTATUS))
        return NATIVE_PASS;
    memset(view->reply, 0, DFURT_STATUS_REPLY_SIZE);
    return setup->wLength < DFURT_STATUS_REPLY_SIZE ? setup->wLength : DFURT_STATUS_REPLY_SIZE;
}

// ---- SET_CONFIGURATION again, and DETACH alone ----

static int lose_detach(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime)
        return NATIVE_PASS;
    if (is_request(setup, 0, USBDEV_SET_CONFIGURATION))
        view->scratch = is_configured(view);
    return is_request(setup, TO_DFU, DFURT_DETACH) && view->scratch ? NATIVE_STALL : NATIVE_PASS;
}

// ---- The ends of replies ----

// Once it is configured: no host would enumerate it otherwise.
static int seven_of_first_eight(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { FIRST = 8 };

    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) || setup->wValue != USBDEV_DT_DEVICE << 8 ||
        setup->wLength != FIRST || !is_configured(view))
        return NATIVE_PASS;
    memcpy(view->reply, view->device_descriptor, FIRST - 1);
    return FIRST - 1;
}

// A string of 62 bytes of text: one packet of 64 bytes, with nothing after it.
static int string_of_64_bytes(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { SIZE = 64 };

    if (!is_request(setup, GET, USBDEV_GET_DESCRIPTOR) ||
        setup->wValue != (USBDEV_DT_STRING << 8 | 2))
        return NATIVE_PASS;
    view->reply[0] = SIZE;
    view->reply[1] = USBDEV_DT_STRING;
    for (int i = 2; i < SIZE; i += 2) {
        view->reply[i] = 'x';
        view->reply[i + 1] = 0;
    }
    return setup->wLength < SIZE ? setup->wLength : SIZE;
}

#define GET_DESCRIPTOR(wanted, mask)                                                               \
    IN_BOTH_MODES, .bmRequestType = GET, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue_mask = (mask), \
                   .wValue = (wanted), .target = ANY_INDEX

const struct sim_defect defects_of_chapter9[] = {
    {
        .name = "configuration-uncounted",
        .summary = "bNumConfigurations 2, but the second STALLs",
        .patches = PATCHES({PATCH_DEVICE, IN_BOTH_MODES, 17, 2}),
    },
    {
        .name = "endpoint-reserved-bits",
        .summary = "bit 6 of an endpoint's bmAttributes is set",
        .patches = PATCHES({PATCH_ENDPOINT, AT_RUN_TIME, 3, 0x42}),
    },
    {
        .name = "association-late",
        .summary = "an interface association follows its first interface",
        .describe = association_late,
    },
    {
        .name = "association-class-0",
        .summary = "bFunctionClass of an interface association is 0",
        .describe = association_class_0,
    },
    {
        .name = "association-overlaps",
        .summary = "two interface associations share an interface",
        .describe = association_overlaps,
    },
    {
        .name = "association-unannounced",
        .summary = "interface associations in a device of class 0",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 4, 0},
                           {PATCH_DEVICE, AT_RUN_TIME, 5, 0},
                           {PATCH_DEVICE, AT_RUN_TIME, 6, 0}),
    },
    {
        .name = "bos-count",
        .summary = "bNumDeviceCaps counts one capability too many",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 2, 0x10}),
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_BOS << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(5, USBDEV_DT_BOS, 12, 0, 2, 7, 0x10, 2, 2, 0, 0, 0)}),
    },
    {
        .name = "bos-capability-short",
        .summary = "the USB 2.0 extension of the BOS is 4 bytes long",
        .patches = PATCHES({PATCH_DEVICE, AT_RUN_TIME, 2, 0x10}),
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_BOS << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(5, USBDEV_DT_BOS, 9, 0, 1, 4, 0x10, 2, 2)}),
    },
    {
        .name = "qualifier-alone",
        .summary = "a device qualifier, but no configuration of the other speed",
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_DEVICE_QUALIFIER << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(10, USBDEV_DT_DEVICE_QUALIFIER, 0, 2, 0, 0, 0, 64, 1, 0)}),
    },
    {
        .name = "string-second-language",
        .summary = "string 0 has two languages, the strings of the second STALL",
        .rules = RULES({GET_DESCRIPTOR(USBDEV_DT_STRING << 8, 0xFFFF), .action = DO_REPLY,
                        BYTES(6, USBDEV_DT_STRING, 0x09, 0x04, 0x07, 0x04)}),
    },
    {
        .name = "zero-packet-missing",
        .summary = "a string of 64 bytes is not ended by a zero-length packet",
        .setup = string_of_64_bytes,
    },
    {
        .name = "alternate-refused",
        .summary = "SET_INTERFACE of an alternate setting that is described STALLs",
        .describe = add_settings_0_and_1,
        .setup = know_setting_0,
    },
    {
        .name = "alternate-gap",
        .summary = "an interface has the alternate settings 0 and 2",
        .describe = add_settings_0_and_2,
        .setup = know_setting_2,
    },
    {
        .name = "wedged-by-new-setup",
        .summary = "a SETUP in the middle of a data stage is not answered",
        .setup = deaf_in_data_stage,
    },
    {
        .name = "device-first-7-bytes",
        .summary = "GET_DESCRIPTOR(DEVICE) of 8 bytes returns 7 of them",
        .setup = seven_of_first_eight,
    },
    {
        .name = "configuration-again-stalls",
        .summary = "SET_CONFIGURATION of the present value STALLs",
        .setup = refuse_second_configuration,
    },
    {
        .name = "suspend-unconfigures",
        .summary = "a suspend unconfigures the device",
        .tick = forget_when_suspended,
    },
    {
        .name = "changes-at-resets",
        .summary = "bcdDevice changes at each bus reset",
        .describe = change_at_resets,
        .bus_reset = count_reset,
    },
    {
        .name = "address-configuration",
        .summary = "GET_CONFIGURATION says 1 in the Address state",
        .setup = configured_when_addressed,
    },
    {
        .name = "address-configuration-any",
        .summary = "SET_CONFIGURATION accepts any value in the Address state, without effect",
        .setup = any_configuration_when_addressed,
    },
    {
        .name = "address-interface",
        .summary = "GET_INTERFACE is answered in the Address state",
        .setup = interface_when_addressed,
    },
    {
        .name = "address-interface-status",
        .summary = "GET_STATUS of an interface is answered in the Address state",
        .setup = interface_status_when_addressed,
    },
    {
        .name = "address-status",
        .summary = "GET_STATUS of the device STALLs in the Address state",
        .setup = no_status_when_addressed,
    },
    {
        .name = "address-dfu",
        .summary = "GETSTATUS is answered in the Address state",
        .setup = dfu_when_addressed,
    },
    {
        .name = "halt-pretended",
        .summary = "a halted endpoint reports the halt and still transfers data",
        .setup = pretend_halt,
    },
    {
        .name = "halt-not-cleared",
        .summary = "an endpoint whose halt is cleared reports that and still STALLs",
        .setup = pretend_clear,
    },
    {
        .name = "halt-outlives-configuration",
        .summary = "SET_CONFIGURATION of the present value has no effect: halts remain",
        .setup = ignore_second_configuration,
    },
    {
        .name = "halt-outlives-interface",
        .summary = "SET_INTERFACE of the present setting does nothing: halts stay",
        .setup = ignore_selected_interface,
    },
    {
        .name = "toggle-outlives-clear",
        .summary = "CLEAR_FEATURE(ENDPOINT_HALT) leaves the data toggle as it is",
        .setup = keep_toggles_at_clear,
    },
    {
        .name = "toggle-outlives-clear-of-nothing",
        .summary = "CLEAR_FEATURE(ENDPOINT_HALT) does nothing where the endpoint is not halted",
        .setup = clear_halted_alone,
    },
    {
        .name = "toggle-outlives-configuration",
        .summary = "SET_CONFIGURATION leaves data toggles as they are",
        .setup = keep_toggles_at_configuration,
    },
    {
        .name = "toggle-outlives-interface",
        .summary = "SET_INTERFACE leaves data toggles as they are",
        .setup = keep_toggles_at_interface,
    },
    {
        .name = "wakeup-outlives-reset",
        .summary = "remote wake-up is still enabled after a bus reset",
        .setup = keep_wakeup,
    },
    {
        .name = "handler-lost",
        .summary = "after a second SET_CONFIGURATION class requests STALL",
        .setup = lose_handler,
        .bus_reset = find_handler,
    },
    {
        .name = "detach-lost",
        .summary = "after a second SET_CONFIGURATION DETACH STALLs",
        .setup = lose_detach,
        .bus_reset = find_handler,
    },
    {
        .name = "dm-set-interface-stalls",
        .summary = "SET_INTERFACE STALLs in DFU mode, where there are alternates",
        .setup = refuse_set_interface,
    },
    {0},
};
