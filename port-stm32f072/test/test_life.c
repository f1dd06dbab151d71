// SPDX-License-Identifier: MIT
//
// The life of the firmware on the virtual board, seen from the host's end of the cable: what it is
// when it comes up, how it sleeps with the bus, and its way into the boot loader, through an update
// and back.
//
// The arguments are images: composite.elf, composite-wait-reset.elf, dfu-only.elf, and
// composite-v2.bin, which is what an update sends.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sim/f072_board.h>

#include "dfu_host.h"
#include "plugged_image.h"

static const char *composite;
static const char *wait_reset;
static const char *dfu_only;
static const char *update;

enum {
    ROM_idVendor = 0x0483,
    ROM_idProduct = 0xDF11,
    RUN_TIME_idVendor = 0x1209,
    RUN_TIME_idProduct = 0x0001,
    COMPOSITE_DFU = 1, // bInterfaceNumber
    DFU_ONLY_DFU = 0,
};

// Who is there? The device is enumerated afresh and configured.
static void assert_is(struct sim_host *host, uint16_t idVendor, uint16_t idProduct, uint16_t bcd)
{
    uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];

    assert_int_equal(sim_host_enumerate(host, 5000 * SIM_MS), 0);
    assert_int_equal(
        control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0, descriptor, 18), 18);
    assert_int_equal(usbdev_load_le16(descriptor + 8), idVendor);
    assert_int_equal(usbdev_load_le16(descriptor + 10), idProduct);
    assert_int_equal(usbdev_load_le16(descriptor + 12), bcd);
    configure(host);
}

static void assert_is_boot_loader(struct sim_host *host)
{
    assert_is(host, ROM_idVendor, ROM_idProduct, 0x2200);
}

static void assert_is_run_time(struct sim_host *host, uint16_t bcdDevice)
{
    assert_is(host, RUN_TIME_idVendor, RUN_TIME_idProduct, bcdDevice);
}

static void assert_leaves_the_bus(struct sim_host *host, uint64_t within_ns)
{
    uint64_t limit_ns = sim_host_now(host) + within_ns;

    while (sim_host_connected(host) && sim_host_now(host) < limit_ns)
        pass_ms(host, 1);
    assert_false(sim_host_connected(host));
}

static void assert_stays_on_the_bus(struct sim_host *host, uint64_t for_ns)
{
    uint64_t limit_ns = sim_host_now(host) + for_ns;

    while (sim_host_now(host) < limit_ns) {
        pass_ms(host, 1);
        assert_true(sim_host_connected(host));
    }
}

static int detach(struct sim_host *host, uint16_t interface)
{
    return control(host, 0x21, DFURT_DETACH, 1000, interface, NULL, 0);
}

static int run_time_state(struct sim_host *host, uint16_t interface)
{
    uint8_t bState;

    assert_int_equal(control(host, 0xA1, DFURT_GETSTATE, 0, interface, &bState, 1), 1);
    return bState;
}

static void dfuse_leave(struct sim_host *host)
{
    assert_true(dfuse_command(host, DFUSE_SET_ADDRESS, 0x08000000));
    assert_int_equal(control(host, 0x21, DFURT_DNLOAD, 0, 0, NULL, 0), 0);
    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_dfuMANIFEST);
    assert_leaves_the_bus(host, 1000 * SIM_MS);
}

static void dfuse_flash(struct sim_host *host, const char *path)
{
    static uint8_t image[128 * 1024];
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_true(dfuse_write(host, 0x08000000, image, fread(image, 1, sizeof image, file)));
    fclose(file);
}

// ---- Coming up ----

static void firmware__says_what_it_is(void **state)
{
    (void)state;
    struct sim_host *host = plug(composite);
    assert_is_run_time(host, 0x0100);
    unplug(host);

    host = plug(dfu_only);
    assert_is_run_time(host, 0x0100);
    unplug(host);
}

static void composite__has_the_chips_id_as_serial_number(void **state)
{
    (void)state;
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint8_t string[64];
    struct sim_host *host = plug_and_configure(composite);

    control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0, device, sizeof device);
    uint16_t wValue = (uint16_t)(USBDEV_DT_STRING << 8 | device[16]);
    int length = control(host, 0x80, USBDEV_GET_DESCRIPTOR, wValue, 0x0409, string, sizeof string);

    assert_int_equal(length, 2 + 2 * 24);
    for (int i = 2; i < length; i += 2) {
        assert_non_null(strchr("0123456789ABCDEF", string[i]));
        assert_int_equal(string[i + 1], 0);
    }
    unplug(host);
}

static void firmware__sleeps_and_wakes_with_the_bus(void **state)
{
    const char *images[] = {composite, dfu_only};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct sim_host *host = plug_and_configure(images[i]);
        uint8_t bConfigurationValue = 0;

        sim_host_suspend(host);
        pass_ms(host, 500);
        assert_true(sim_host_connected(host));
        sim_host_resume(host);

        assert_int_equal(
            control(host, 0x80, USBDEV_GET_CONFIGURATION, 0, 0, &bConfigurationValue, 1), 1);
        assert_int_equal(bConfigurationValue, 1);
        unplug(host);
    }
}

static void firmware__is_reset_out_of_suspend(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    sim_host_suspend(host);
    pass_ms(host, 500);

    assert_is_run_time(host, 0x0100); // which begins with a bus reset
    unplug(host);
}

// ---- Into the boot loader and back ----

static void will_detach__goes_to_the_boot_loader_by_itself(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    assert_int_equal(detach(host, COMPOSITE_DFU), 0);
    assert_leaves_the_bus(host, 50 * SIM_MS);

    assert_is_boot_loader(host);
    unplug(host);
}

static void dfu_only__goes_to_the_boot_loader_by_itself(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(dfu_only);

    assert_int_equal(detach(host, DFU_ONLY_DFU), 0);
    assert_leaves_the_bus(host, 50 * SIM_MS);

    assert_is_boot_loader(host);
    unplug(host);
}

static void wait_reset__goes_to_the_boot_loader_when_reset(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(wait_reset);

    assert_int_equal(detach(host, COMPOSITE_DFU), 0);
    assert_stays_on_the_bus(host, 200 * SIM_MS);
    assert_int_equal(run_time_state(host, COMPOSITE_DFU), DFURT_STATE_appDETACH);
    assert_int_equal(sim_host_reset(host), USB_GONE);

    assert_is_boot_loader(host);
    unplug(host);
}

// The chip reports the end of the status stage and the reset in one interrupt.
static void wait_reset__sees_the_status_stage_before_the_reset_that_follows_at_once(void **state)
{
    static const uint8_t dfu_detach[8] = {0x21, DFURT_DETACH, 0xE8, 0x03, COMPOSITE_DFU, 0, 0, 0};
    (void)state;
    struct sim_host *host = plug_and_configure(wait_reset);
    struct sim_device *device = sim_host_device(host);
    uint8_t data[SIM_MAX_PACKET];

    uint64_t now_ns = sim_host_now(host);
    assert_int_equal(device->ops->setup(device, sim_host_address(host), 0, dfu_detach), SIM_ACK);
    assert_int_equal(poll_in(host, &now_ns, data), 0);
    device->ops->bus_reset(device, true);
    device->ops->advance(device, now_ns + 50 * SIM_MS);
    device->ops->bus_reset(device, false);
    pass_ms(host, 60);

    assert_is_boot_loader(host);
    unplug(host);
}

static void wait_reset__stays_when_the_reset_comes_too_late(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(wait_reset);

    assert_int_equal(detach(host, COMPOSITE_DFU), 0);
    assert_stays_on_the_bus(host, 300 * SIM_MS); // wDetachTimeOut is 255
    assert_int_equal(run_time_state(host, COMPOSITE_DFU), DFURT_STATE_appIDLE);

    assert_is_run_time(host, 0x0100);
    assert_stays_on_the_bus(host, 500 * SIM_MS);
    unplug(host);
}

static void update__runs_and_detaches_again(void **state)
{
    (void)state;
    struct sim_host *host = plug_and_configure(composite);

    for (int round = 0; round < 2; round++) {
        assert_int_equal(detach(host, COMPOSITE_DFU), 0);
        assert_leaves_the_bus(host, 50 * SIM_MS);
        assert_is_boot_loader(host);
        dfuse_flash(host, update);
        dfuse_leave(host);
        assert_is_run_time(host, 0x0200);
        assert_loops(host, 64); // its interrupts are its own
    }
    unplug(host);
}

static void leave__without_an_update_comes_back(void **state)
{
    const char *images[] = {composite, wait_reset};
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct sim_host *host = plug_and_configure(images[i]);
        assert_int_equal(detach(host, COMPOSITE_DFU), 0);
        if (images[i] == wait_reset)
            assert_int_equal(sim_host_reset(host), USB_GONE);
        else
            assert_leaves_the_bus(host, 50 * SIM_MS);
        assert_is_boot_loader(host);

        dfuse_leave(host);

        assert_is_run_time(host, 0x0100);
        assert_loops(host, 64);
        unplug(host);
    }
}

// Wherever between DETACH and the boot loader the plug is pulled, the application comes up again.
static void power_cut__after_detach_ends_in_the_application(void **state)
{
    (void)state;

    for (uint64_t after_ms = 0; after_ms <= 200; after_ms += 8) {
        struct sim_host *host = plug_and_configure(composite);
        assert_int_equal(detach(host, COMPOSITE_DFU), 0);
        pass_ms(host, after_ms);

        sim_host_power(host, false);
        pass_ms(host, 100);
        sim_host_power(host, true);

        assert_is_run_time(host, 0x0100);
        unplug(host);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(firmware__says_what_it_is),
        cmocka_unit_test(composite__has_the_chips_id_as_serial_number),
        cmocka_unit_test(firmware__sleeps_and_wakes_with_the_bus),
        cmocka_unit_test(firmware__is_reset_out_of_suspend),
        cmocka_unit_test(will_detach__goes_to_the_boot_loader_by_itself),
        cmocka_unit_test(dfu_only__goes_to_the_boot_loader_by_itself),
        cmocka_unit_test(wait_reset__goes_to_the_boot_loader_when_reset),
        cmocka_unit_test(wait_reset__sees_the_status_stage_before_the_reset_that_follows_at_once),
        cmocka_unit_test(wait_reset__stays_when_the_reset_comes_too_late),
        cmocka_unit_test(update__runs_and_detaches_again),
        cmocka_unit_test(leave__without_an_update_comes_back),
        cmocka_unit_test(power_cut__after_detach_ends_in_the_application),
    };

    if (argc != 5) {
        fprintf(stderr, "usage: %s COMPOSITE WAIT-RESET DFU-ONLY UPDATE\n", argv[0]);
        return 2;
    }
    composite = argv[1];
    wait_reset = argv[2];
    dfu_only = argv[3];
    update = argv[4];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
