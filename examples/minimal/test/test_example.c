// SPDX-License-Identifier: MIT
//
// The README's example, run: from connect through DETACH to the boot loader.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

extern const struct usbdev_driver board_usb_driver;
extern struct usbdev product_usb;
void board_enter_boot_loader(void);
void product_start(void);

static bool connected;
static int in_length; // of the last packet armed on endpoint 0; -1 after a STALL
static uint8_t in_bytes[64];
static int entered;

static void set_address(void *port, uint8_t address)
{
    (void)port;
    assert_int_equal(address, 5);
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    (void)port;
    assert_int_equal(endpoint, 0);
    assert_true(length <= sizeof(in_bytes));
    for (in_length = 0; in_length < length; in_length++)
        in_bytes[in_length] = data[in_length];
}

static void ep_out(void *port, uint8_t endpoint)
{
    (void)port;
    assert_int_equal(endpoint, 0);
}

static void ep0_stall(void *port)
{
    (void)port;
    in_length = -1;
}

static void connect(void *port, bool on)
{
    (void)port;
    connected = on;
}

const struct usbdev_driver board_usb_driver = {
    .set_address = set_address,
    .ep_in = ep_in,
    .ep_out = ep_out,
    .ep0_stall = ep0_stall,
    .connect = connect,
};

void board_enter_boot_loader(void)
{
    entered++;
}

static void request(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, uint16_t wLength)
{
    uint8_t setup[USBDEV_SETUP_SIZE];

    usbdev_setup_store(setup,
                       &(struct usbdev_setup_packet){bmRequestType, bRequest, wValue, 0, wLength});
    usbdev_setup(&product_usb, setup);
    usbdev_in_done(&product_usb, 0);
    if (wLength > 0)
        usbdev_out_done(&product_usb, 0, NULL, 0);
}

static void example__enumerates_and_detaches(void **state)
{
    (void)state;

    product_start();
    assert_true(connected);
    usbdev_bus_reset(&product_usb);
    request(0x00, USBDEV_SET_ADDRESS, 5, 0);
    request(0x80, USBDEV_GET_DESCRIPTOR, 0x0200, 255);
    assert_int_equal(in_length, usbdev_load_le16(in_bytes + 2));
    assert_int_equal(in_bytes[9 + 5], DFURT_INTERFACE_CLASS);
    request(0x00, USBDEV_SET_CONFIGURATION, 1, 0);
    request(0xA1, DFURT_GETSTATUS, 0, 6);
    assert_int_equal(in_length, 6);
    request(0x21, DFURT_DETACH, 1000, 0);
    usbdev_tick(&product_usb, 5);

    assert_int_equal(entered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example__enumerates_and_detaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
