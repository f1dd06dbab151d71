// SPDX-License-Identifier: MIT
//
// The hooks of a defect are data that is interpreted here. A request is answered by the first of
// these that applies: a rule that matches the request in this mode and state; a patched descriptor;
// the defect's setup() hook. Where none applies, the good device answers.

#include <assert.h>
#include <string.h>

#include <sim/defect.h>
#include <usb/descriptors.h>

// ---- Finding them ----

static const struct sim_defect *const groups[] = {
    defects_of_answers,
    defects_of_descriptor_sets,
    defects_of_device_states,
    defects_of_halts,
    defects_of_detach,
    defects_of_descriptors,
    defects_of_standard_descriptors,
    defects_of_requests,
    defects_of_standard_requests,
    defects_of_systems,
    defects_of_states,
    defects_of_dfu_mode,
    defects_of_downloads,
    defects_of_dfuse,
    defects_of_handlers,
    defects_of_losses,
    defects_of_questions,
    defects_of_late_losses,
    defects_of_limits,
};

enum { GROUPS = sizeof groups / sizeof groups[0], MOST_DEFECTS = 768 };

const struct sim_defect *sim_find_defect(const char *name)
{
    for (size_t group = 0; group < GROUPS; group++)
        for (const struct sim_defect *defect = groups[group]; defect->name; defect++)
            if (strcmp(defect->name, name) == 0)
                return defect;
    return NULL;
}

const struct sim_name *defect_names(void)
{
    static struct sim_name names[MOST_DEFECTS + 1];
    size_t count = 0;

    for (size_t group = 0; group < GROUPS; group++)
        for (const struct sim_defect *defect = groups[group]; defect->name; defect++) {
            assert(count < MOST_DEFECTS);
            names[count++] = (struct sim_name){defect->name, defect->summary};
        }
    names[count] = (struct sim_name){NULL, NULL};
    return names;
}

// ---- Patches ----

static uint8_t mode_of(const struct defect_view *view)
{
    return view->runtime ? AT_RUN_TIME : IN_DFU_MODE;
}

// The first descriptor of this type; of interfaces, the first of the DFU interface.
static uint8_t *find(const struct defect_view *view, uint8_t bDescriptorType)
{
    for (unsigned n = 0;; n++) {
        uint8_t *bytes = defect_find(view, bDescriptorType, n);

        if (!bytes || bDescriptorType != USBDEV_DT_INTERFACE || bytes[2] == view->interface)
            return bytes;
    }
}

static uint8_t *descriptor(const struct defect_view *view, enum defect_descriptor which)
{
    switch (which) {
    case PATCH_DEVICE:
        return view->device_descriptor;
    case PATCH_CONFIGURATION:
        return view->configuration;
    case PATCH_DFU_INTERFACE:
        return find(view, USBDEV_DT_INTERFACE);
    case PATCH_FUNCTIONAL:
        return find(view, USBDEV_DT_DFU_FUNCTIONAL);
    case PATCH_ENDPOINT:
        return find(view, USBDEV_DT_ENDPOINT);
    case PATCH_END:
        break;
    }
    return NULL;
}

static void patch(const struct sim_defect *defect, struct defect_view *view)
{
    const struct defect_patch *row = defect->patches;
    bool configured = usbdev_state(&view->native->dev) == USBDEV_CONFIGURED;

    for (; row && row->descriptor != PATCH_END; row++) {
        uint8_t *bytes = descriptor(view, row->descriptor);
        if (bytes && (row->modes & mode_of(view)) && (configured || !row->late))
            bytes[row->offset] = row->value;
    }
    if (defect->describe)
        defect->describe(view);
}

static bool describes(const struct difference *difference)
{
    return difference->defect && (difference->defect->patches || difference->defect->describe);
}

// GET_DESCRIPTOR of the device or its configuration: a copy of the good one, changed by each
// difference in turn. The device itself is unchanged; only its descriptors are wrong.
static int describe(const struct difference list[DIFFERENCES],
                    const struct defect_view *view,
                    const struct usbdev_setup_packet *setup)
{
    uint8_t *device = view->reply;
    uint8_t *configuration = view->reply + USBDEV_DEVICE_DESCRIPTOR_SIZE;
    bool is_device = setup->wValue == USBDEV_DT_DEVICE << 8;
    uint16_t length = USBDEV_DEVICE_DESCRIPTOR_SIZE;

    memcpy(device, view->device_descriptor, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    memcpy(configuration, view->configuration, usbdev_load_le16(view->configuration + 2));
    for (size_t i = 0; i < DIFFERENCES; i++) {
        struct defect_view copies = list[i].view;

        copies.device_descriptor = device;
        copies.configuration = configuration;
        if (describes(&list[i]))
            patch(list[i].defect, &copies);
    }
    if (!is_device) {
        length = usbdev_load_le16(configuration + 2);
        memmove(view->reply, configuration, length);
    }
    return setup->wLength < length ? setup->wLength : length;
}

static bool asks_for_descriptors(const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType == USBDEV_DIR_IN && setup->bRequest == USBDEV_GET_DESCRIPTOR &&
           (setup->wValue == USBDEV_DT_DEVICE << 8 || setup->wValue == USBDEV_DT_CONFIGURATION
                                                                           << 8);
}

// ---- Rules ----

enum { USUAL_TIMEOUT_MS = 1000 }; // wValue of DETACH as dfu-util and fwupd send it

static uint8_t state_of(const struct defect_view *view)
{
    return view->runtime ? (uint8_t)dfurt_state(&view->runtime->dfurt)
                         : view->bootloader->dfu.bState;
}

static uint16_t transfer_size(const struct defect_view *view)
{
    return view->runtime ? view->runtime->dfurt_config.wTransferSize
                         : view->bootloader->dfu_config.wTransferSize;
}

static bool
length_matches(const struct defect_view *view, const struct defect_rule *rule, uint16_t wLength)
{
    switch (rule->length) {
    case NO_DATA:
        return wLength == 0;
    case WITH_DATA:
        return wLength > 0;
    case OVER_TRANSFER_SIZE:
        return wLength > transfer_size(view);
    case ANY_LENGTH:
        break;
    }
    return true;
}

static bool
target_matches(const struct defect_view *view, const struct defect_rule *rule, uint16_t wIndex)
{
    switch (rule->target) {
    case DFU_INTERFACE:
        return wIndex == view->interface;
    case LOW_BYTE:
        return wIndex != view->interface && (wIndex & 0xFF) == view->interface;
    case OTHER_INDEX:
        return wIndex != view->interface;
    case ANY_INDEX:
        break;
    }
    return true;
}

static bool is_of_configuration(uint8_t bmRequestType)
{
    uint8_t type = bmRequestType & USBDEV_TYPE_MASK;
    return type == USBDEV_TYPE_CLASS ||
           (type == USBDEV_TYPE_STANDARD &&
            (bmRequestType & USBDEV_RECIPIENT_MASK) == USBDEV_RECIPIENT_INTERFACE);
}

static bool matches(const struct defect_view *view,
                    const struct defect_rule *rule,
                    const struct usbdev_setup_packet *setup)
{
    // A class and the interfaces are there in the Configured state only (USB 2.0 9.1.1.5).
    if (is_of_configuration(setup->bmRequestType) &&
        usbdev_state(&view->native->dev) != USBDEV_CONFIGURED)
        return false;
    return (rule->modes & mode_of(view)) &&
           (rule->states == 0 || (rule->states & 1u << state_of(view))) &&
           rule->bmRequestType == setup->bmRequestType && rule->bRequest == setup->bRequest &&
           (setup->wValue & rule->wValue_mask) == rule->wValue &&
           length_matches(view, rule, setup->wLength) && target_matches(view, rule, setup->wIndex);
}

void defect_detach(struct defect_view *view, uint16_t timeout_ms)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = TO_DFU,
        .bRequest = DFURT_DETACH,
        .wValue = timeout_ms,
        .wIndex = view->interface,
    };
    uint8_t none[DFURT_STATUS_REPLY_SIZE];

    if (!view->runtime)
        return;
    dfurt_cancel(&view->runtime->dfurt);
    if (dfurt_setup(&view->runtime->dfurt, &setup, none) == 0)
        dfurt_status_complete(&view->runtime->dfurt);
}

// At run time the class has two states: DETACH and dfurt_cancel() lead into them.
static void set_state(struct defect_view *view, uint8_t bState)
{
    if (bState == 0)
        return;
    if (view->bootloader)
        view->bootloader->dfu.bState = bState;
    else if (bState == DFURT_STATE_appDETACH)
        defect_detach(view, USUAL_TIMEOUT_MS);
    else
        dfurt_cancel(&view->runtime->dfurt);
}

static int reply(struct defect_view *view, const struct defect_rule *rule, uint16_t most)
{
    uint16_t length = rule->reply_length < most ? rule->reply_length : most;

    memcpy(view->reply, rule->reply, length);
    return length;
}

static int act(struct defect_view *view,
               const struct defect_rule *rule,
               const struct usbdev_setup_packet *setup)
{
    switch (rule->action) {
    case DO_STALL:
        return NATIVE_STALL;
    case DO_REPLY:
        return reply(view, rule, setup->wLength);
    case DO_REPLY_WHOLE:
        return reply(view, rule, UINT16_MAX);
    case DO_DETACH:
        defect_detach(view, USUAL_TIMEOUT_MS);
        return 0;
    case DO_HANG:
        view->native->hung = true;
        return NATIVE_SILENT;
    case DO_SILENT:
        return NATIVE_SILENT;
    case DO_DELAY:
        usbdev_setup_store(view->delayed, setup);
        view->delay_ms = rule->delay_ms;
        return NATIVE_SILENT;
    case DO_ACK:
        break;
    }
    return 0;
}

static int answer_of(struct difference list[DIFFERENCES],
                     struct difference *difference,
                     const struct usbdev_setup_packet *setup)
{
    const struct sim_defect *defect = difference->defect;
    struct defect_view *view = &difference->view;

    for (const struct defect_rule *rule = defect->rules; rule && rule->modes; rule++) {
        if (!matches(view, rule, setup))
            continue;
        int result = act(view, rule, setup);
        set_state(view, rule->next);
        return result;
    }
    if (describes(difference) && asks_for_descriptors(setup))
        return describe(list, view, setup);
    return defect->setup ? defect->setup(view, setup) : NATIVE_PASS;
}

int defects_answer(struct difference list[DIFFERENCES], const struct usbdev_setup_packet *setup)
{
    int result = NATIVE_PASS;

    for (size_t i = 0; i < DIFFERENCES; i++)
        list[i].view.delay_ms = 0; // a new SETUP ends what was under way
    for (size_t i = 0; i < DIFFERENCES && result == NATIVE_PASS; i++)
        if (list[i].defect)
            result = answer_of(list, &list[i], setup);
    return result;
}

void defect_tick(const struct sim_defect *defect, struct defect_view *view)
{
    if (view->delay_ms > 0 && --view->delay_ms == 0) {
        view->native->overridden = false;
        usbdev_setup(&view->native->dev, view->delayed);
    }
    if (defect->tick)
        defect->tick(view);
}
