// SPDX-License-Identifier: MIT
//
// Which configuration a device on this machine's bus is used in: that of the host if it has DFU,
// else the first that has, unless drivers keep the host's. And what a reset that fails has made of
// the device. libusb is played by this file.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "target_usb_private.h"

// ---- A host, and a device with DFU in configuration 2 ----

static struct {
    int configuration; // that is selected
    bool busy;         // drivers use its interfaces
    unsigned sets;     // SET_CONFIGURATION was asked for so often
    unsigned claims;
    int reset;       // what libusb_reset_device() returns
    bool given_up;   // the kernel has given the device up since
    bool driver_won; // a driver claimed its interface since
} host;

int LIBUSB_CALL libusb_reset_device(libusb_device_handle *handle)
{
    (void)handle;
    return host.reset;
}

int LIBUSB_CALL libusb_kernel_driver_active(libusb_device_handle *handle, int interface)
{
    (void)handle, (void)interface;
    return host.given_up ? LIBUSB_ERROR_NO_DEVICE : host.driver_won;
}

int LIBUSB_CALL libusb_get_configuration(libusb_device_handle *handle, int *ret_configuration)
{
    (void)handle;
    *ret_configuration = host.configuration;
    return 0;
}

int LIBUSB_CALL libusb_set_configuration(libusb_device_handle *handle, int configuration)
{
    (void)handle;
    host.sets++;
    if (host.busy)
        return LIBUSB_ERROR_BUSY;
    host.configuration = configuration;
    return 0;
}

int LIBUSB_CALL libusb_claim_interface(libusb_device_handle *handle, int interface)
{
    (void)handle, (void)interface;
    host.claims++;
    return host.driver_won ? LIBUSB_ERROR_BUSY : 0;
}

int LIBUSB_CALL libusb_release_interface(libusb_device_handle *handle, int interface)
{
    (void)handle, (void)interface;
    return 0;
}

libusb_device *LIBUSB_CALL libusb_get_device(libusb_device_handle *handle)
{
    (void)handle;
    return NULL;
}

int LIBUSB_CALL libusb_get_device_speed(libusb_device *device)
{
    (void)device;
    return LIBUSB_SPEED_FULL;
}

void LIBUSB_CALL libusb_close(libusb_device_handle *handle)
{
    (void)handle;
}

void LIBUSB_CALL libusb_exit(libusb_context *context)
{
    (void)context;
}

void usb_serial(libusb_device_handle *handle, char serial[TARGET_TEXT])
{
    (void)handle;
    serial[0] = '\0';
}

static const uint8_t device_descriptor[] = {
    18, USBDEV_DT_DEVICE, 0, 2, 0, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 2};

// Its interface is vendor-specific in configuration 1, and DFU at run time in configuration 2.
static const uint8_t configurations[][18] = {
    {9, USBDEV_DT_CONFIGURATION, 18, 0, 1, 1, 0, 0x80, 50, //
     9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xFF, 0, 0, 0},
    {9, USBDEV_DT_CONFIGURATION, 18, 0, 1, 2, 0, 0x80, 50, //
     9, USBDEV_DT_INTERFACE, 0, 0, 0, 0xFE, 1, 1, 0},
};

static int answer(uint8_t *data, uint16_t wLength, const uint8_t *bytes, size_t length)
{
    size_t moved = wLength < length ? wLength : length;
    memcpy(data, bytes, moved);
    return (int)moved;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    (void)target, (void)timeout_ms;
    unsigned index = setup->wValue & 0xFF;
    if (setup->bRequest != USBDEV_GET_DESCRIPTOR)
        return USB_STALL;
    if (setup->wValue == USBDEV_DT_DEVICE << 8)
        return answer(data, setup->wLength, device_descriptor, sizeof device_descriptor);
    if (setup->wValue >> 8 == USBDEV_DT_CONFIGURATION && index < 2)
        return answer(data, setup->wLength, configurations[index], sizeof configurations[index]);
    return USB_STALL;
}

static struct target_usb usb;

static void open_while(int configuration, bool busy)
{
    static const struct target_ops ops = {.control = control};
    static char handle; // what libusb's is, is not looked at
    const struct usb_seen seen = {.place = "9-9", .address = 5};
    memset(&host, 0, sizeof host);
    memset(&usb, 0, sizeof usb);
    host.configuration = configuration;
    host.busy = busy;
    usb.base.ops = &ops;
    assert_int_equal(usb_adopt(&usb, (libusb_device_handle *)(void *)&handle, NULL, -1, &seen), 0);
}

// ---- The tests ----

static void configuration__with_dfu_is_kept(void **state)
{
    (void)state;

    open_while(2, false);

    assert_int_equal(host.sets, 0);
    assert_int_equal(usb.base.descriptors.configuration[5], 2);
    assert_int_equal(host.claims, 1);
    assert_string_equal(usb.base.fault, "");
}

static void configuration__without_dfu_is_left_for_one_that_has_it(void **state)
{
    (void)state;

    open_while(1, false);

    assert_int_equal(host.configuration, 2);
    assert_int_equal(usb.base.descriptors.configuration[5], 2);
    assert_int_equal(usb.found_configuration, 1); // to be selected again at the end
    assert_int_equal(host.claims, 1);
    assert_string_equal(usb.base.fault, "");
}

static void configuration__that_drivers_use_stays_and_the_reason_is_told(void **state)
{
    (void)state;

    open_while(1, true);

    assert_int_equal(host.sets, 1);
    assert_int_equal(host.configuration, 1);
    assert_int_equal(usb.base.descriptors.configuration[5], 1);
    assert_int_equal(host.claims, 0);
    assert_non_null(strstr(usb.base.fault, "DFU is in configuration 2"));
    assert_non_null(strstr(usb.base.fault, "drivers use configuration 1: unbind them"));
}

static int reset_with(int result, bool given_up, bool driver_won)
{
    open_while(2, false);
    host.reset = result;
    host.given_up = given_up;
    host.driver_won = driver_won;
    return usb_reset(&usb);
}

static void
reset__that_the_kernel_answers_with_an_enumeration_is_a_device_that_is_away(void **state)
{
    (void)state;

    int result = reset_with(LIBUSB_ERROR_NOT_FOUND, true, false);

    assert_int_equal(result, USB_GONE);
    assert_null(usb.handle);
}

static void reset__that_this_host_refuses_leaves_the_device_where_it_is(void **state)
{
    (void)state;

    int result = reset_with(LIBUSB_ERROR_OTHER, false, false);

    assert_int_equal(result, USB_IO);
    assert_non_null(usb.handle);
    assert_int_equal(host.claims, 2); // anew, because libusb had released the interface
}

static void reset__after_which_the_interface_can_be_claimed_again_is_done(void **state)
{
    (void)state;

    int result = reset_with(LIBUSB_ERROR_NOT_FOUND, false, false);

    assert_int_equal(result, 0);
}

static void reset__after_which_a_driver_has_the_interface_is_the_hosts_fault(void **state)
{
    (void)state;

    int result = reset_with(LIBUSB_ERROR_NOT_FOUND, false, true);

    assert_int_equal(result, USB_IO);
    assert_non_null(usb.handle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configuration__with_dfu_is_kept),
        cmocka_unit_test(configuration__without_dfu_is_left_for_one_that_has_it),
        cmocka_unit_test(configuration__that_drivers_use_stays_and_the_reason_is_told),
        cmocka_unit_test(
            reset__that_the_kernel_answers_with_an_enumeration_is_a_device_that_is_away),
        cmocka_unit_test(reset__that_this_host_refuses_leaves_the_device_where_it_is),
        cmocka_unit_test(reset__after_which_the_interface_can_be_claimed_again_is_done),
        cmocka_unit_test(reset__after_which_a_driver_has_the_interface_is_the_hosts_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
