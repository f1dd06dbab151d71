// SPDX-License-Identifier: MIT
//
// The adapter under a fake of usb_control.c: it asks the callbacks in turn and calls complete when
// the status stage has. A class that refuses whatever it does not know is registered behind it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <libopencm3/usb/usbd.h>

#include "adapter.h"

extern const struct usb_interface_descriptor product_dfu_interface;
void product_dfu_init(usbd_device *device);
void product_dfu_tick(uint16_t ms);

enum { CALLBACKS = 4 };

struct stand_in_device {
    usbd_set_config_callback set_config[CALLBACKS];
    struct {
        uint8_t type, type_mask;
        usbd_control_callback call;
    } control[CALLBACKS];
    void (*reset)(void);
    struct usb_setup_data request;
    uint8_t buffer[64], *data;
    uint16_t length;
    usbd_control_complete_callback complete;
};

static usbd_device device;
static int refused; // requests that came to the other class

int usbd_register_control_callback(usbd_device *d,
                                   uint8_t type,
                                   uint8_t type_mask,
                                   usbd_control_callback callback)
{
    for (int i = 0; i < CALLBACKS; i++) {
        if (d->control[i].call)
            continue;
        d->control[i].type = type;
        d->control[i].type_mask = type_mask;
        d->control[i].call = callback;
        return 0;
    }
    return -1;
}

int usbd_register_set_config_callback(usbd_device *d, usbd_set_config_callback callback)
{
    for (int i = 0; i < CALLBACKS; i++) {
        if (d->set_config[i])
            continue;
        d->set_config[i] = callback;
        return 0;
    }
    return -1;
}

void usbd_register_reset_callback(usbd_device *d, void (*callback)(void))
{
    d->reset = callback;
}

static enum usbd_request_return_codes other_class(usbd_device *d,
                                                  struct usb_setup_data *request,
                                                  uint8_t **buf,
                                                  uint16_t *len,
                                                  usbd_control_complete_callback *complete)
{
    (void)d, (void)request, (void)buf, (void)len, (void)complete;
    refused++;
    return USBD_REQ_NOTSUPP;
}

static void other_set_config(usbd_device *d, uint16_t wValue)
{
    (void)wValue;
    usbd_register_control_callback(d, 0x21, 0x7F, other_class);
}

static void set_configuration(uint16_t wValue)
{
    memset(device.control, 0, sizeof(device.control));
    for (int i = 0; i < CALLBACKS && device.set_config[i]; i++)
        device.set_config[i](&device, wValue);
}

// Returns false for a STALL.
static bool setup_to(uint16_t wIndex, uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    device.request =
        (struct usb_setup_data){bmRequestType, bRequest, STACK_wValue, wIndex, wLength};
    device.data = device.buffer;
    device.length = wLength;
    device.complete = NULL;
    for (int i = 0; i < CALLBACKS && device.control[i].call; i++) {
        enum usbd_request_return_codes code;

        if ((bmRequestType & device.control[i].type_mask) != device.control[i].type)
            continue;
        code = device.control[i].call(&device, &device.request, &device.data, &device.length,
                                      &device.complete);
        if (code != USBD_REQ_NEXT_CALLBACK)
            return code == USBD_REQ_HANDLED;
    }
    return (bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD;
}

bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(product_dfu_interface.bInterfaceNumber, bmRequestType, bRequest, wLength);
}

void stack_setup_for_another(void)
{
    assert_true(stack_setup(0x01, USBDEV_SET_INTERFACE, 0));
}

void stack_complete(void)
{
    if (device.complete)
        device.complete(&device, &device.request);
    device.complete = NULL;
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = device.length;
    return device.data;
}

void stack_bus_reset(void)
{
    device.reset();
}

void stack_other_event(void)
{
    set_configuration(1);
}

void stack_pass(uint16_t ms)
{
    product_dfu_tick(ms);
}

static int configured(void **state)
{
    (void)state;
    device = (usbd_device){0};
    adapter_entered = refused = 0;
    product_dfu_init(&device);
    usbd_register_set_config_callback(&device, other_set_config);
    set_configuration(1);
    return 0;
}

static void interface__is_followed_by_the_functional_descriptor(void **state)
{
    const uint8_t functional[] = {9, 0x21, 0x0B, 255, 0, 0x00, 0x08, 0x1A, 0x01};

    (void)state;

    assert_int_equal(product_dfu_interface.bInterfaceClass, 0xFE);
    assert_int_equal(product_dfu_interface.bInterfaceProtocol, 1);
    assert_int_equal(product_dfu_interface.extralen, 9);
    assert_memory_equal(product_dfu_interface.extra, functional, 9);
}

static void set_configuration__keeps_the_state(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    stack_complete();
    set_configuration(1);

    assert_state(DFURT_STATE_appDETACH);
}

static void other_interfaces__are_left_to_their_classes(void **state)
{
    (void)state;

    assert_false(setup_to(0, 0x21, DFURT_DETACH, 0));
    assert_int_equal(refused, 1);
    assert_state(DFURT_STATE_appIDLE);
}

// SET_CONFIGURATION(0) calls the callbacks too, and a bus reset leaves them registered.
static void requests__stall_in_the_address_state(void **state)
{
    (void)state;

    set_configuration(0);
    assert_false(stack_setup(0xA1, DFURT_GETSTATUS, 6));
    set_configuration(1);
    assert_true(stack_setup(0xA1, DFURT_GETSTATUS, 6));
    stack_bus_reset();
    assert_false(stack_setup(0xA1, DFURT_GETSTATUS, 6));
}

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(interface__is_followed_by_the_functional_descriptor),
        TEST(set_configuration__keeps_the_state),
        TEST(other_interfaces__are_left_to_their_classes),
        TEST(requests__stall_in_the_address_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
