// SPDX-License-Identifier: MIT
//
// The adapter under a fake of CherryUSB: the port reports SETUP and IN packets by the wrapped
// names, the real ones are the core's.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <usbd_core.h>

#include "adapter.h"

void product_dfu_add(uint8_t busid);
void product_dfu_tick(uint16_t ms);
void __real_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup);
void __wrap_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup);
void __real_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes);
void __wrap_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes);

enum { BUS = 1, INTERFACE = 2 };

static struct usbd_interface *added;
static bool is_configured;
static bool stalled;
static uint8_t buffer[64], *data;
static uint32_t data_length;
static int in_packets; // that the core was told of

void usbd_add_interface(uint8_t busid, struct usbd_interface *intf)
{
    assert_int_equal(busid, BUS);
    intf->intf_num = INTERFACE;
    added = intf;
}

bool usb_device_is_configured(uint8_t busid)
{
    assert_int_equal(busid, BUS);
    return is_configured;
}

// A class request goes to the interface; the core answers any other.
void __real_usbd_event_ep0_setup_complete_handler(uint8_t busid, uint8_t *psetup)
{
    const struct usbdev_setup_packet packet = usbdev_setup_load(psetup);
    struct usb_setup_packet setup = {packet.bmRequestType, packet.bRequest, packet.wValue,
                                     packet.wIndex, packet.wLength};

    data = buffer;
    data_length = packet.wLength;
    stalled = false;
    if ((packet.bmRequestType & 0x7F) == 0x21)
        stalled = added->class_interface_handler(busid, &setup, &data, &data_length) < 0;
}

void __real_usbd_event_ep_in_complete_handler(uint8_t busid, uint8_t ep, uint32_t nbytes)
{
    (void)busid, (void)ep, (void)nbytes;
    in_packets++;
}

static void setup_on(uint8_t busid, struct usbdev_setup_packet packet)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];

    usbdev_setup_store(bytes, &packet);
    __wrap_usbd_event_ep0_setup_complete_handler(busid, bytes);
}

// Returns false for a STALL.
static bool setup_to(uint16_t wIndex, uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    setup_on(BUS,
             (struct usbdev_setup_packet){bmRequestType, bRequest, STACK_wValue, wIndex, wLength});
    return !stalled;
}

bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(INTERFACE, bmRequestType, bRequest, wLength);
}

static void in_packet(uint8_t busid, uint8_t ep)
{
    int before = in_packets;

    __wrap_usbd_event_ep_in_complete_handler(busid, ep, 0);
    assert_int_equal(in_packets, before + 1);
}

void stack_setup_for_another(void)
{
    setup_to(0, 0x00, USBDEV_SET_FEATURE, 0);
}

void stack_complete(void)
{
    in_packet(BUS, 0x80);
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = data_length;
    return data;
}

void stack_bus_reset(void)
{
    added->notify_handler(BUS, USBD_EVENT_RESET, NULL);
}

void stack_other_event(void)
{
    added->notify_handler(BUS, USBD_EVENT_CONFIGURED, NULL);
}

void stack_pass(uint16_t ms)
{
    product_dfu_tick(ms);
}

static int configured(void **state)
{
    (void)state;
    adapter_entered = 0;
    is_configured = true;
    product_dfu_add(BUS);
    added->notify_handler(BUS, USBD_EVENT_RESET, NULL);
    return 0;
}

static void detach__does_not_mind_other_endpoints_and_buses(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    in_packet(BUS, 0x81);
    in_packet(0, 0x80);
    setup_on(0, (struct usbdev_setup_packet){0x00, USBDEV_SET_FEATURE, 1, 0, 0});
    stack_pass(STACK_wValue);
    assert_int_equal(adapter_entered, 0);
    stack_complete();

    assert_state(DFURT_STATE_appDETACH);
}

static void detach__in_the_address_state_stalls(void **state)
{
    (void)state;

    is_configured = false;
    assert_false(stack_setup(0x21, DFURT_DETACH, 0));
}

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(detach__does_not_mind_other_endpoints_and_buses),
        TEST(detach__in_the_address_state_stalls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
