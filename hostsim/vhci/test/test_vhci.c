// SPDX-License-Identifier: MIT
//
// vhci-hcd as sysfs shows it, on a directory that looks like it.

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "toy_device.h"
#include <vhci/attach.h>
#include <vhci/vhci.h>

static const char header[] = "hub port sta spd dev      sockfd local_busid\n";

// ---- A sysfs ----

static void make_directory(const char *sysfs, const char *name)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", sysfs, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void write_file(const char *sysfs, const char *name, const char *text)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", sysfs, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_ports(const char *sysfs, const char *name, const char *ports)
{
    char path[100];
    char text[1000];

    snprintf(path, sizeof path, "devices/platform/vhci_hcd.0/%s", name);
    snprintf(text, sizeof text, "%s%s", header, ports);
    write_file(sysfs, path, text);
}

static int make_sysfs(void **state)
{
    static char sysfs[64];

    strcpy(sysfs, "/tmp/test_vhci.XXXXXX");
    assert_non_null(mkdtemp(sysfs));
    make_directory(sysfs, "devices");
    make_directory(sysfs, "devices/platform");
    make_directory(sysfs, "devices/platform/vhci_hcd.0");
    make_directory(sysfs, "bus");
    make_directory(sysfs, "bus/usb");
    make_directory(sysfs, "bus/usb/devices");
    write_file(sysfs, "devices/platform/vhci_hcd.0/attach", "");
    write_file(sysfs, "devices/platform/vhci_hcd.0/detach", "");
    *state = sysfs;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int remove_sysfs(void **state)
{
    return nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void assert_file(const char *sysfs, const char *name, const char *expected)
{
    char path[300];
    char text[100] = "";

    snprintf(path, sizeof path, "%s/devices/platform/vhci_hcd.0/%s", sysfs, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) < sizeof text);
    fclose(file);
    assert_string_equal(text, expected);
}

// ---- Tests ----

static void parse__reads_a_used_port(void **state)
{
    (void)state;
    struct vhci_port port;

    assert_true(vhci_parse_port("hs  0003 006 002 00010002 000004 1-1\n", &port));

    assert_int_equal(port.port, 3);
    assert_false(port.super_speed);
    assert_int_equal(port.state, VHCI_USED);
    assert_string_equal(port.path, "1-1");
}

static void parse__leaves_out_what_is_no_port(void **state)
{
    (void)state;
    struct vhci_port port;

    assert_false(vhci_parse_port(header, &port));
    assert_false(vhci_parse_port("", &port));
    assert_false(vhci_parse_port("hs  0003 006", &port));
    assert_false(vhci_parse_port("xs  0003 006 002 00010002 000004 1-1\n", &port));
    assert_false(vhci_parse_port("hs  port 006 002 00010002 000004 1-1\n", &port));
}

static struct vhci opened(const char *sysfs)
{
    struct vhci vhci;

    assert_int_equal(vhci_open(&vhci, sysfs), 0);
    return vhci;
}

static void find_free__takes_a_high_speed_port(void **state)
{
    const char *sysfs = *state;
    struct vhci vhci = opened(sysfs);
    unsigned port = 99;

    write_ports(sysfs, "status",
                "hs  0000 006 002 00010002 000004 1-1\n"
                "ss  0001 004 000 00000000 000000 0-0\n"
                "hs  0002 005 002 00010002 000005 0-0\n"
                "hs  0003 004 000 00000000 000000 0-0\n");

    assert_int_equal(vhci_find_free(&vhci, false, &port), 0);
    assert_int_equal(port, 3);
    assert_int_equal(vhci_find_free(&vhci, true, &port), 0);
    assert_int_equal(port, 1);
    vhci_close(&vhci);
}

static void find_free__looks_at_every_controller(void **state)
{
    const char *sysfs = *state;
    struct vhci vhci = opened(sysfs);
    unsigned port = 99;

    write_ports(sysfs, "status", "hs  0000 006 002 00010002 000004 1-1\n");
    assert_int_equal(vhci_find_free(&vhci, false, &port), -EBUSY);
    assert_int_equal(port, 99);
    write_ports(sysfs, "status.1", "hs  0030 004 000 00000000 000000 0-0\n");

    assert_int_equal(vhci_find_free(&vhci, false, &port), 0);
    assert_int_equal(port, 30);
    vhci_close(&vhci);
}

static void open__without_the_module_says_so(void **state)
{
    (void)state;
    struct vhci vhci;

    assert_int_equal(vhci_open(&vhci, "/nonexistent"), -ENODEV);
}

static void attach_and_detach__write_what_the_kernel_expects(void **state)
{
    const char *sysfs = *state;
    struct vhci vhci = opened(sysfs);

    assert_int_equal(vhci_attach(&vhci, 3, 7, 1 << 16 | 2, 2), 0);
    assert_int_equal(vhci_detach(&vhci, 3), 0);
    vhci_close(&vhci);

    assert_file(sysfs, "attach", "3 7 65538 2");
    assert_file(sysfs, "detach", "3");
}

static void locate__reads_bus_and_device_number(void **state)
{
    const char *sysfs = *state;
    struct vhci vhci = opened(sysfs);
    unsigned busnum;
    unsigned devnum;

    make_directory(sysfs, "bus/usb/devices/1-1");
    write_file(sysfs, "bus/usb/devices/1-1/busnum", "1\n");
    write_file(sysfs, "bus/usb/devices/1-1/devnum", "42\n");

    assert_int_equal(vhci_locate(&vhci, "1-1", &busnum, &devnum), 0);
    assert_int_equal(busnum, 1);
    assert_int_equal(devnum, 42);
    assert_int_equal(vhci_locate(&vhci, "1-2", &busnum, &devnum), -ENOENT);
    vhci_close(&vhci);
}

// ---- Keeping a device attached ----

struct toy_attach {
    struct vhci vhci;
    struct toy toy;
    struct usbip_device *device;
    struct vhci_attach attach;
    unsigned detached;
    char error[200];
};

static void count_detached(void *context, struct usbip_device *device)
{
    (void)device;
    ((struct toy_attach *)context)->detached++;
}

static int open_attach(struct toy_attach *attach, const char *sysfs)
{
    static const struct vhci_attach_events events = {.detached = count_detached};

    attach->vhci = opened(sysfs);
    attach->detached = 0;
    attach->device = usbip_device_open(toy_init(&attach->toy), 1, NULL, NULL);
    return vhci_attach_open(&attach->attach, &attach->vhci, &attach->device, 1, &events, attach,
                            attach->error, sizeof attach->error);
}

static void close_attach(struct toy_attach *attach)
{
    usbip_device_close(attach->device);
    vhci_close(&attach->vhci);
}

static void attach__says_what_is_missing(void **state)
{
    const char *sysfs = *state;
    struct toy_attach attach;

    vhci_explain(-ENODEV, attach.error, sizeof attach.error);
    assert_non_null(strstr(attach.error, "modprobe vhci-hcd"));
    vhci_explain(-EACCES, attach.error, sizeof attach.error);
    assert_non_null(strstr(attach.error, "run as root"));

    write_ports(sysfs, "status", "hs  0000 006 002 00010002 000004 1-1\n");
    assert_int_equal(open_attach(&attach, sysfs), -1);
    assert_non_null(strstr(attach.error, "all ports"));
    close_attach(&attach);
}

// This sysfs keeps no reference to the socket it is given: it hangs up at once, as the kernel does
// when a person detaches the port.
static void attach__ends_when_the_kernel_gives_the_device_up(void **state)
{
    const char *sysfs = *state;
    struct toy_attach attach;

    write_ports(sysfs, "status", "hs  0005 004 000 00000000 000000 0-0\n");
    assert_int_equal(open_attach(&attach, sysfs), 0);
    assert_int_equal(usbip_device_availability(attach.device), USBIP_OP_BUSY);
    assert_int_equal(loop_run(attach.attach.loop), 0);

    assert_int_equal(attach.detached, 1);
    assert_int_equal(usbip_device_availability(attach.device), USBIP_OP_OK);
    vhci_attach_close(&attach.attach);
    assert_file(sysfs, "detach", ""); // there is nothing left to detach
    close_attach(&attach);
}

static void attach__detaches_when_it_is_closed(void **state)
{
    const char *sysfs = *state;
    struct toy_attach attach;

    write_ports(sysfs, "status", "hs  0005 004 000 00000000 000000 0-0\n");
    assert_int_equal(open_attach(&attach, sysfs), 0);
    vhci_attach_close(&attach.attach);

    assert_file(sysfs, "detach", "5");
    close_attach(&attach);
}

#define WITH_SYSFS(name) cmocka_unit_test_setup_teardown(name, make_sysfs, remove_sysfs)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__reads_a_used_port),
        cmocka_unit_test(parse__leaves_out_what_is_no_port),
        WITH_SYSFS(find_free__takes_a_high_speed_port),
        WITH_SYSFS(find_free__looks_at_every_controller),
        cmocka_unit_test(open__without_the_module_says_so),
        WITH_SYSFS(attach_and_detach__write_what_the_kernel_expects),
        WITH_SYSFS(locate__reads_bus_and_device_number),
        WITH_SYSFS(attach__says_what_is_missing),
        WITH_SYSFS(attach__ends_when_the_kernel_gives_the_device_up),
        WITH_SYSFS(attach__detaches_when_it_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
