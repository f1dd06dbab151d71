// SPDX-License-Identifier: MIT
//
// The mock's port, with native devices plugged in.

#include "port.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <sim/devices.h>

enum { COMPOSITE_BULK_OUT = 0x01 };

static struct mock_port *open_port(const char *device)
{
    struct mock_port *port = malloc(sizeof(*port));
    char error[256] = "";
    struct sim_device *sim =
        sim_open(&(struct sim_options){.device = device}, error, sizeof(error));

    assert_string_equal("", error);
    assert_int_equal(0, mock_port_init(port, sim));
    return port;
}

static void close_port(struct mock_port *port)
{
    mock_port_finish(port);
    free(port);
}

// The next change, within 5 s of the wall clock.
static enum mock_change next_change(struct mock_port *port)
{
    for (int ms = 0; ms < 5000; ms++) {
        enum mock_change change = mock_port_look(port, false);
        if (change != MOCK_NOTHING)
            return change;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return MOCK_NOTHING;
}

static uint16_t product(const struct mock_port *port)
{
    return usbdev_load_le16(port->core.descriptors + 10);
}

static int detach(struct mock_port *port, uint16_t interface)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
        .bRequest = DFURT_DETACH,
        .wValue = 1000,
        .wIndex = interface,
    };

    return sim_host_control(port->host, &setup, NULL, 0);
}

static void port__enumerates_what_is_plugged_in(void **state)
{
    struct mock_port *port = open_port("will-detach");
    (void)state;

    assert_int_equal(MOCK_CAME, next_change(port));

    assert_int_equal(0x0001, product(port));
    assert_int_equal(USBDEV_DEVICE_DESCRIPTOR_SIZE +
                         usbdev_load_le16(port->core.descriptors + 18 + 2),
                     port->core.length);
    assert_int_equal(port->core.descriptors[18 + 5], port->core.bConfigurationValue);
    assert_non_null(usb_core_find_interface(&port->core, 0, 0));
    assert_null(usb_core_find_interface(&port->core, 1, 0));
    close_port(port);
}

static void port__sees_a_device_leave_and_return_as_another(void **state)
{
    struct mock_port *port = open_port("will-detach");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));

    assert_int_equal(0, detach(port, 0));

    assert_int_equal(MOCK_LEFT, next_change(port));
    assert_int_equal(MOCK_CAME, next_change(port));
    assert_int_not_equal(0x0001, product(port));
    close_port(port);
}

static void leaving__is_noticed_after_the_answers_were_taken(void **state)
{
    struct mock_port *port = open_port("will-detach");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));
    assert_int_equal(0, detach(port, 0));
    sim_host_run_until(port->host, sim_host_now(port->host) + 1000 * SIM_MS);

    enum mock_change owing = mock_port_look(port, true);
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
    enum mock_change still_owing = mock_port_look(port, true);
    enum mock_change then = mock_port_look(port, false);

    assert_int_equal(MOCK_NOTHING, owing);
    assert_int_equal(MOCK_NOTHING, still_owing);
    assert_int_equal(MOCK_LEFT, then);
    close_port(port);
}

static void reset__of_a_detached_device_finds_another_one(void **state)
{
    struct mock_port *port = open_port("wait-reset");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));
    assert_int_equal(0, detach(port, 0));

    assert_int_equal(-ENODEV, mock_port_reset(port));

    assert_int_equal(MOCK_LEFT, next_change(port));
    assert_int_equal(MOCK_CAME, next_change(port));
    assert_int_not_equal(0x0001, product(port));
    close_port(port);
}

// DfuSe: a device whose flash is empty has nothing to leave DFU mode for.
static void erase_flash(struct mock_port *port)
{
    const struct usbdev_setup_packet mass_erase = {
        .bmRequestType = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
        .bRequest = DFURT_DNLOAD,
        .wLength = 1,
    };
    const struct usbdev_setup_packet get_status = {
        .bmRequestType = USBDEV_DIR_IN | USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
        .bRequest = DFURT_GETSTATUS,
        .wLength = 6,
    };
    uint8_t command = 0x41, status[6];

    assert_int_equal(1, sim_host_control(port->host, &mass_erase, &command, 0));
    do {
        assert_int_equal(6, sim_host_control(port->host, &get_status, status, 0));
        sim_host_run_until(port->host,
                           sim_host_now(port->host) + usbdev_load_le16(status + 1) * SIM_MS);
    } while (status[4] == DFURT_STATE_dfuDNBUSY);
    assert_int_equal(DFURT_STATUS_OK, status[0]);
}

static void reset__restores_a_device_that_stays_the_same(void **state)
{
    struct mock_port *port = open_port("dfu-mode");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));
    erase_flash(port);
    assert_int_equal(0, mock_port_set_interface(port, 0, 1));

    int error = mock_port_reset(port);

    assert_int_equal(0, error);
    assert_int_equal(1, port->core.alternates[0]);
    assert_int_equal(MOCK_NOTHING, mock_port_look(port, false));
    close_port(port);
}

static void find__knows_the_endpoints_of_the_configuration(void **state)
{
    struct mock_port *port = open_port("composite");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));

    const uint8_t *endpoint = usb_core_find_endpoint(&port->core, COMPOSITE_BULK_OUT);

    assert_non_null(endpoint);
    assert_int_equal(USBDEV_ENDPOINT_BULK, endpoint[3] & 3);
    assert_null(usb_core_find_endpoint(&port->core, 0x0F));
    assert_int_equal(0, mock_port_set_configuration(port, 0));
    assert_null(usb_core_find_endpoint(&port->core, COMPOSITE_BULK_OUT));
    close_port(port);
}

static void requests__to_what_is_not_there_are_refused(void **state)
{
    struct mock_port *port = open_port("will-detach");
    (void)state;
    assert_int_equal(MOCK_CAME, next_change(port));

    assert_int_equal(-EINVAL, mock_port_set_interface(port, 0, 7));
    assert_int_equal(-EINVAL, mock_port_set_interface(port, 200, 0));
    assert_int_equal(-ENOENT, mock_port_clear_halt(port, 0x81));
    assert_int_equal(-EPIPE, mock_port_set_configuration(port, 99));

    close_port(port);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port__enumerates_what_is_plugged_in),
        cmocka_unit_test(port__sees_a_device_leave_and_return_as_another),
        cmocka_unit_test(leaving__is_noticed_after_the_answers_were_taken),
        cmocka_unit_test(reset__of_a_detached_device_finds_another_one),
        cmocka_unit_test(reset__restores_a_device_that_stays_the_same),
        cmocka_unit_test(find__knows_the_endpoints_of_the_configuration),
        cmocka_unit_test(requests__to_what_is_not_there_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
