// SPDX-License-Identifier: MIT
//
// The class and the device layer know nothing of each other; each function here translates one
// event of usbdev into one call of dfurt. usbdev asks only for class requests to the DFU interface,
// so dfurt_setup() decides on all of them.

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

static int setup(void *context, struct usbdev_request *request)
{
    int length = dfurt_setup(context, &request->setup, request->data);

    if (length < 0)
        return USBDEV_STALL;
    request->length = (uint16_t)length;
    return 0;
}

static void complete(void *context, const struct usbdev_request *request)
{
    (void)request;
    dfurt_status_complete(context);
}

static void event(void *context, enum usbdev_event event)
{
    if (event == USBDEV_EVENT_BUS_RESET)
        dfurt_bus_reset(context);
}

static void tick(void *context, uint16_t elapsed_ms)
{
    dfurt_tick(context, elapsed_ms);
}

const struct usbdev_handler dfurt_usbdev_handler = {
    .setup = setup,
    .complete = complete,
    .event = event,
    .tick = tick,
};
