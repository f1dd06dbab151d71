// SPDX-License-Identifier: MIT
//
// Halts of endpoints, and their data toggles (USB 2.0 9.4.5, 9.4.7 to 9.4.10).

#include <string.h>

#include "defects_private.h"

// Is it this request with ENDPOINT_HALT, at run time, to an endpoint that there is?
static bool is_of_halt(const struct defect_view *view,
                       const struct usbdev_setup_packet *setup,
                       uint8_t bRequest)
{
    const struct native *native = view->native;
    bool in = setup->wIndex & USBDEV_DIR_IN;

    return view->runtime && is_request(setup, USBDEV_RECIPIENT_ENDPOINT, bRequest) &&
           setup->wValue == USBDEV_FEATURE_ENDPOINT_HALT &&
           (in ? native->in : native->out)[setup->wIndex & 0x0F].open;
}

static int ignore_halt(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return is_of_halt(view, setup, USBDEV_SET_FEATURE) ? 0 : NATIVE_PASS;
}

// scratch holds the address of the first endpoint that was halted: the others follow it.
static int halt_all(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (is_of_halt(view, setup, USBDEV_SET_FEATURE))
        view->scratch = setup->wIndex;
    if (is_of_halt(view, setup, USBDEV_CLEAR_FEATURE) ||
        is_request(setup, 0, USBDEV_SET_CONFIGURATION) ||
        is_request(setup, USBDEV_RECIPIENT_INTERFACE, USBDEV_SET_INTERFACE))
        view->scratch = 0;
    if (!view->runtime || view->scratch == 0 || (setup->wIndex & 0x0F) == 0 ||
        !is_request(setup, GET | USBDEV_RECIPIENT_ENDPOINT, USBDEV_GET_STATUS))
        return NATIVE_PASS;
    view->reply[0] = 1;
    view->reply[1] = 0;
    return 2;
}

// scratch holds the address of the endpoint that is reported as halted.
static int pretend_halt(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->runtime)
        return NATIVE_PASS;
    if (is_of_halt(view, setup, USBDEV_SET_FEATURE)) {
        view->scratch = setup->wIndex;
        return 0;
    }
    if (is_of_halt(view, setup, USBDEV_CLEAR_FEATURE))
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

// scratch has a bit for each endpoint that is reported as cleared.
static int pretend_clear(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    uint32_t bit =
        UINT32_C(1) << ((setup->wIndex & 0x0F) + (setup->wIndex & USBDEV_DIR_IN ? 16 : 0));

    if (!view->runtime)
        return NATIVE_PASS;
    if (is_of_halt(view, setup, USBDEV_SET_FEATURE))
        view->scratch &= ~bit;
    if (is_of_halt(view, setup, USBDEV_CLEAR_FEATURE)) {
        view->scratch |= bit;
        return 0;
    }
    if (!is_request(setup, GET | USBDEV_RECIPIENT_ENDPOINT, USBDEV_GET_STATUS) ||
        !(view->scratch & bit))
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
    bool clear = is_of_halt(view, setup, USBDEV_CLEAR_FEATURE);
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

// Each endpoint that the configuration describes is there, whichever setting is selected.
static int status_of_unselected(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    const struct native *native = view->native;
    bool in = setup->wIndex & USBDEV_DIR_IN;

    if (!view->runtime || !is_configured(view) ||
        !is_request(setup, GET | USBDEV_RECIPIENT_ENDPOINT, USBDEV_GET_STATUS) ||
        (in ? native->in : native->out)[setup->wIndex & 0x0F].open)
        return NATIVE_PASS;
    for (unsigned n = 0;; n++) {
        const uint8_t *endpoint = defect_find(view, USBDEV_DT_ENDPOINT, n);
        if (!endpoint)
            return NATIVE_PASS;
        if (endpoint[2] == setup->wIndex)
            break;
    }
    view->reply[0] = view->reply[1] = 0;
    return 2;
}

const struct sim_defect defects_of_halts[] = {
    {
        .name = "status-of-unselected",
        .summary = "GET_STATUS answers for endpoints of settings that are not selected",
        .setup = status_of_unselected,
    },
    {
        .name = "halt-ignored",
        .summary = "SET_FEATURE(ENDPOINT_HALT) is accepted, without effect",
        .setup = ignore_halt,
    },
    {
        .name = "halt-refused",
        .summary = "SET_FEATURE(ENDPOINT_HALT) STALLs",
        .rules = RULES({IN_BOTH_MODES, .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
                        .bRequest = USBDEV_SET_FEATURE, .target = ANY_INDEX, .action = DO_STALL}),
    },
    {
        .name = "halt-of-all",
        .summary = "where one endpoint is halted, each reports a halt",
        .setup = halt_all,
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
    {0},
};
