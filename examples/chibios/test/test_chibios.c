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

#include <dfurt/dfurt.h>

void board_enter_boot_loader(void *context);
bool product_requests_hook(USBDriver *usbp);
bool product_dfu_requests_hook(USBDriver *usbp);
void product_dfu_init(uint8_t bInterfaceNumber);
void product_dfu_event(USBDriver *usbp, usbevent_t event);
void product_dfu_tick(uint16_t ms);

static USBDriver driver;
static int entered;
static int product_requests;

void board_enter_boot_loader(void *context)
{
    (void)context;
    entered++;
}

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
    usbdev_setup_store(driver.setup, &(struct usbdev_setup_packet){bmRequestType, bRequest, 1000,
                                                                   wIndex, wLength});
    if (product_dfu_requests_hook(&driver))
        return true;
    if ((bmRequestType & USBDEV_TYPE_MASK) != USBDEV_TYPE_STANDARD)
        return false;
    usbSetupTransfer(&driver, NULL, 0, NULL);
    return true;
}

static bool setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(2, bmRequestType, bRequest, wLength);
}

static void complete(void)
{
    if (driver.ep0endcb)
        driver.ep0endcb(&driver);
}

static void assert_state(enum dfurt_state bState)
{
    assert_true(setup(0xA1, DFURT_GETSTATUS, 6));
    assert_int_equal(driver.ep0n, 6);
    assert_int_equal(driver.ep0next[0], DFURT_STATUS_OK);
    assert_int_equal(driver.ep0next[4], bState);
    complete();
}

static int configured(void **state)
{
    (void)state;
    driver = (USBDriver){.state = USB_ACTIVE};
    entered = product_requests = 0;
    product_dfu_init(2);
    return 0;
}

static void detach__enters_dfu_only_after_the_status_stage(void **state)
{
    (void)state;

    assert_true(setup(0x21, DFURT_DETACH, 0));
    assert_int_equal(driver.ep0n, 0);
    product_dfu_tick(1000);
    assert_int_equal(entered, 0);
    complete();
    product_dfu_tick(4);
    assert_int_equal(entered, 0);
    product_dfu_tick(1);

    assert_int_equal(entered, 1);
}

static void detach__without_its_status_stage_never_happened(void **state)
{
    (void)state;

    assert_true(setup(0x21, DFURT_DETACH, 0));
    assert_true(setup_to(0, 0x00, USBDEV_SET_FEATURE, 0));
    complete();
    assert_state(DFURT_STATE_appIDLE);
    product_dfu_tick(1000);

    assert_int_equal(entered, 0);
}

static void second_detach__stalls_and_leads_to_app_idle(void **state)
{
    (void)state;

    assert_true(setup(0x21, DFURT_DETACH, 0));
    complete();
    assert_state(DFURT_STATE_appDETACH);
    assert_false(setup(0x21, DFURT_DETACH, 0));

    assert_int_equal(product_requests, 0);
    assert_state(DFURT_STATE_appIDLE);
    product_dfu_tick(1000);
    assert_int_equal(entered, 0);
}

static void bus_reset__in_app_detach_enters_dfu(void **state)
{
    (void)state;

    assert_true(setup(0x21, DFURT_DETACH, 0));
    complete();
    product_dfu_event(&driver, USB_EVENT_CONFIGURED);
    assert_int_equal(entered, 0);
    product_dfu_event(&driver, USB_EVENT_RESET);

    assert_int_equal(entered, 1);
}

static void detach__in_the_address_state_stalls(void **state)
{
    (void)state;

    driver.state = USB_SELECTED;
    assert_false(setup(0x21, DFURT_DETACH, 0));
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
        TEST(detach__enters_dfu_only_after_the_status_stage),
        TEST(detach__without_its_status_stage_never_happened),
        TEST(second_detach__stalls_and_leads_to_app_idle),
        TEST(bus_reset__in_app_detach_enters_dfu),
        TEST(detach__in_the_address_state_stalls),
        TEST(other_requests__are_left_to_the_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
