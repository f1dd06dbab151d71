// SPDX-License-Identifier: MIT
//
// The adapter under a fake of ChibiOS's hal_usb.c: the hook for each SETUP packet, the function of
// usbSetupTransfer() after the status stage, events.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hal.h>

#include "adapter.h"

bool product_requests_hook(USBDriver *usbp);
bool product_dfu_requests_hook(USBDriver *usbp);
void product_dfu_init(uint8_t bInterfaceNumber);
void product_dfu_event(USBDriver *usbp, usbevent_t event);
void product_dfu_tick(uint16_t ms);

static USBDriver driver;
static int product_requests;

bool product_requests_hook(USBDriver *usbp)
{
    (void)usbp;
    product_requests++;
    return false;
}

// _usb_ep0setup. Returns false for a STALL. A standard request goes to the default handler, which
// sets a transfer without a function.
static bool setup_to(uint16_t wIndex, uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    usbdev_setup_store(driver.setup, &(struct usbdev_setup_packet){bmRequestType, bRequest,
                                                                   STACK_wValue, wIndex, wLength});
    if (product_dfu_requests_hook(&driver))
        return true;
    if ((bmRequestType & USBDEV_TYPE_MASK) != USBDEV_TYPE_STANDARD)
        return false;
    usbSetupTransfer(&driver, NULL, 0, NULL);
    return true;
}

bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(2, bmRequestType, bRequest, wLength);
}

void stack_setup_for_another(void)
{
    assert_true(setup_to(0, 0x00, USBDEV_SET_FEATURE, 0));
}

void stack_complete(void)
{
    if (driver.ep0endcb)
        driver.ep0endcb(&driver);
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = driver.ep0n;
    return driver.ep0next;
}

void stack_bus_reset(void)
{
    product_dfu_event(&driver, USB_EVENT_RESET);
}

void stack_other_event(void)
{
    product_dfu_event(&driver, USB_EVENT_CONFIGURED);
}

void stack_pass(uint16_t ms)
{
    product_dfu_tick(ms);
}

static int configured(void **state)
{
    (void)state;
    driver = (USBDriver){.state = USB_ACTIVE};
    adapter_entered = product_requests = 0;
    product_dfu_init(2);
    return 0;
}

static void detach__in_the_address_state_stalls(void **state)
{
    (void)state;

    driver.state = USB_SELECTED;
    assert_false(stack_setup(0x21, DFURT_DETACH, 0));
}

static void other_requests__are_left_to_the_product(void **state)
{
    (void)state;

    assert_false(setup_to(0, 0x21, DFURT_DETACH, 0));
    assert_int_equal(product_requests, 1);
    assert_state(DFURT_STATE_appIDLE);
}

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(detach__in_the_address_state_stalls),
        TEST(other_requests__are_left_to_the_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
