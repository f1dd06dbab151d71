// SPDX-License-Identifier: MIT
//
// request() is tables A.2.1 and A.2.2, a row each, in the specification's order, the last of them
// "any other request". The two differ by one row, and every row that they share is stated once: of
// the shapes that were measured (docs/benchmarks.md) this is the smallest.
//
// Lines that begin with //@ are for the proof of this file (proof/dfurt_proof.c).

#include <dfurt/dfurt.h>

static void enter_app_idle(struct dfurt *dfurt)
{
    dfurt->bState = DFURT_STATE_appIDLE;
    dfurt->accepted = false;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static int reply_status(const struct dfurt *dfurt, uint16_t wLength, uint8_t *reply)
{
    reply[0] = DFURT_STATUS_OK;
    reply[1] = reply[2] = reply[3] = 0; // bwPollTimeout
    reply[4] = dfurt->bState;
    reply[5] = 0; // iString
    return (int)least(wLength, DFURT_STATUS_REPLY_SIZE);
}

static int reply_state(const struct dfurt *dfurt, uint16_t wLength, uint8_t *reply)
{
    reply[0] = dfurt->bState;
    return (int)least(wLength, DFURT_STATE_REPLY_SIZE);
}

static bool will_detach(const struct dfurt *dfurt)
{
    return (dfurt->config->bmAttributes & DFURT_ATTR_WILL_DETACH) != 0;
}

static bool may_detach(struct dfurt *dfurt)
{
    if (!dfurt->config->may_detach)
        return true;
    //@ calls any_may_detach;
    return dfurt->config->may_detach(dfurt->context, &dfurt->remaining_ms);
}

static int accept_detach(struct dfurt *dfurt, const struct usbdev_setup_packet *setup)
{
    const struct dfurt_config *config = dfurt->config;
    uint16_t longest_ms = will_detach(dfurt)
                              ? config->settle_ms
                              : (uint16_t)least(setup->wValue, config->wDetachTimeOut);

    dfurt->remaining_ms = longest_ms;
    if (!may_detach(dfurt))
        return DFURT_STALL;
    if (dfurt->remaining_ms > longest_ms)
        dfurt->remaining_ms = longest_ms;
    dfurt->accepted = true;
    return 0;
}

// DFU 1.1 A.2.1; and A.2.2, which has no row for DETACH.
static int
request(struct dfurt *dfurt, const struct usbdev_setup_packet *setup, bool in, uint8_t *reply)
{
    bool idle = dfurt->bState == DFURT_STATE_appIDLE;

    if (idle && setup->bRequest == DFURT_DETACH && !in && setup->wLength == 0)
        return accept_detach(dfurt, setup);
    if (setup->bRequest == DFURT_GETSTATUS && in)
        return reply_status(dfurt, setup->wLength, reply);
    if (setup->bRequest == DFURT_GETSTATE && in)
        return reply_state(dfurt, setup->wLength, reply);
    enter_app_idle(dfurt);
    return DFURT_STALL;
}

void dfurt_init(struct dfurt *dfurt, const struct dfurt_config *config, void *context)
{
    dfurt->config = config;
    dfurt->context = context;
    dfurt->remaining_ms = 0;
    dfurt->bInterfaceNumber = config->bInterfaceNumber;
    enter_app_idle(dfurt);
}

void dfurt_set_interface_number(struct dfurt *dfurt, uint8_t bInterfaceNumber)
{
    dfurt->bInterfaceNumber = bInterfaceNumber;
}

int dfurt_setup(struct dfurt *dfurt,
                const struct usbdev_setup_packet *setup,
                uint8_t reply[DFURT_STATUS_REPLY_SIZE])
{
    const uint8_t to_us = USBDEV_DIR_OUT | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE;
    const uint8_t from_us = USBDEV_DIR_IN | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE;
    bool in = setup->bmRequestType == from_us;

    dfurt->accepted = false; // if one was, this SETUP abandons it (USB 2.0 8.5.3)
    if ((!in && setup->bmRequestType != to_us) || setup->wIndex != dfurt->bInterfaceNumber)
        return DFURT_NOT_MINE;
    return request(dfurt, setup, in, reply);
}

void dfurt_status_complete(struct dfurt *dfurt)
{
    if (!dfurt->accepted)
        return;
    dfurt->accepted = false;
    dfurt->bState = DFURT_STATE_appDETACH;
    dfurt_tick(dfurt, 0); // a time of 0 is over
}

static void end_detach(struct dfurt *dfurt, bool enter)
{
    enter_app_idle(dfurt);
    if (!enter)
        return;
    //@ calls any_enter_dfu;
    dfurt->config->enter_dfu(dfurt->context);
}

void dfurt_bus_reset(struct dfurt *dfurt)
{
    end_detach(dfurt, dfurt->bState == DFURT_STATE_appDETACH);
}

void dfurt_tick(struct dfurt *dfurt, uint16_t elapsed_ms)
{
    if (dfurt->bState != DFURT_STATE_appDETACH)
        return;
    if (elapsed_ms < dfurt->remaining_ms)
        dfurt->remaining_ms = (uint16_t)(dfurt->remaining_ms - elapsed_ms);
    else
        end_detach(dfurt, will_detach(dfurt));
}

void dfurt_cancel(struct dfurt *dfurt)
{
    enter_app_idle(dfurt);
}

void dfurt_descriptors(const struct dfurt_config *config, uint8_t bytes[DFURT_DESCRIPTORS_SIZE])
{
    const uint8_t descriptors[DFURT_DESCRIPTORS_SIZE] = {
        DFURT_DESCRIPTORS(config->bInterfaceNumber, config->iInterface, config->bmAttributes,
                          config->wDetachTimeOut, config->wTransferSize, config->bcdDFUVersion),
    };

    //@ loop pragma UNROLL "completely", 19;
    for (size_t i = 0; i < sizeof(descriptors); i++)
        bytes[i] = descriptors[i];
}
