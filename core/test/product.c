// SPDX-License-Identifier: MIT

#include "product.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool may_detach(void *context, uint16_t *timeout_ms)
{
    struct product *product = context;

    product->offered_ms = *timeout_ms;
    if (product->wanted_ms >= 0)
        *timeout_ms = (uint16_t)product->wanted_ms;
    if (product->cancel_in_callbacks)
        dfurt_cancel(&product->dfurt);
    return !product->refuse;
}

int request(struct product *product,
            uint8_t bmRequestType,
            uint8_t bRequest,
            uint16_t wValue,
            uint16_t wLength)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, INTERFACE, wLength};

    return dfurt_setup(&product->dfurt, &setup, product->reply);
}

int get_state(struct product *product)
{
    if (request(product, 0xA1, DFURT_GETSTATE, 0, 1) != 1)
        return -1;
    return product->reply[0];
}

static void enter_dfu(void *context)
{
    struct product *product = context;

    product->entered++;
    product->state_when_entered = get_state(product);
    if (product->cancel_in_callbacks)
        dfurt_cancel(&product->dfurt);
}

static void start(struct product *product, uint8_t attribute)
{
    *product = (struct product){
        .config =
            {
                .wDetachTimeOut = 1000,
                .wTransferSize = 2048,
                .bcdDFUVersion = 0x0110,
                .bmAttributes = DFURT_ATTR_CAN_DNLOAD | attribute,
                .bInterfaceNumber = INTERFACE,
                .settle_ms = 5,
                .may_detach = may_detach,
                .enter_dfu = enter_dfu,
            },
        .wanted_ms = -1,
    };
    dfurt_init(&product->dfurt, &product->config, product);
}

void start_will_detach(struct product *product)
{
    start(product, DFURT_ATTR_WILL_DETACH);
}

void start_wait_reset(struct product *product)
{
    start(product, 0);
}

void detach(struct product *product, uint16_t wValue)
{
    assert_int_equal(request(product, 0x21, DFURT_DETACH, wValue, 0), 0);
    dfurt_status_complete(&product->dfurt);
}
