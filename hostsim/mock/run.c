// SPDX-License-Identifier: MIT
//
// The imitated machine: a testbed with one device at /sys/devices/1-1, which comes and goes as the
// mock port says.
//
// Two threads: this one advances time, and plugs and unplugs the device; umockdev's worker answers
// ioctls. One lock guards the port between them.

#include <mock/mock.h>

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <umockdev.h>

#include "port.h"
#include "usbfs.h"
#include <command/command.h>

enum {
    COMING_MS = 10 * 1000, // a device that is there is enumerated much sooner
    USB_MAJOR = 189,       // of usbfs's device nodes
};

static const char syspath[] = "/sys/devices/1-1";

struct mock {
    struct command command;
    UMockdevTestbed *testbed;
    GMutex lock;
    struct mock_port port;
    struct mock_usbfs *usbfs; // of what is plugged in, or NULL
    GPtrArray *old;           // its predecessors: programs may still hold them open
    unsigned devnum;
};

const char *mock_missing(void)
{
    g_autofree char *wrapper = g_find_program_in_path("umockdev-wrapper");

    return wrapper ? NULL : "no umockdev-wrapper; run: apt-get install umockdev";
}

bool mock_inside(void)
{
    const char *preloaded = g_getenv("LD_PRELOAD");

    return preloaded && strstr(preloaded, "libumockdev-preload");
}

// ---- Coming and leaving ----

static char *node_path(const struct mock *mock)
{
    return g_strdup_printf("/dev/bus/usb/001/%03u", mock->devnum);
}

// A file below the testbed's root; its folders are made.
static void write_file(const struct mock *mock, const char *path, const void *data, size_t length)
{
    g_autofree char *root = umockdev_testbed_get_root_dir(mock->testbed);
    g_autofree char *file = g_build_filename(root, path, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    if (g_mkdir_with_parents(folder, 0755) < 0 ||
        !g_file_set_contents(file, data, (gssize)length, NULL))
        fprintf(stderr, "dfu-sim: cannot write %s: %s\n", file, g_strerror(errno));
}

// A string that the device gives is an attribute.
static void write_string(struct mock *mock, const char *attribute, uint8_t index)
{
    g_autofree char *path = g_build_filename(syspath, attribute, NULL);
    char text[3 * (UINT8_MAX / 2) + 1] = ""; // a unit of UTF-16 is at most 3 bytes of UTF-8

    if (index > 0) {
        g_mutex_lock(&mock->lock);
        usb_core_read_string(&mock->port.core, index, text, sizeof text);
        g_mutex_unlock(&mock->lock);
    }
    if (text[0]) {
        g_autofree char *line = g_strconcat(text, "\n", NULL);

        write_file(mock, path, line, strlen(line));
    }
}

static void add_to_sysfs(struct mock *mock, const char *node)
{
    const uint8_t *device = mock->port.core.descriptors;
    unsigned minor = mock->devnum - 1;
    g_autofree char *dev = g_strdup_printf("%d:%u\n", USB_MAJOR, minor);
    g_autofree char *minor_text = g_strdup_printf("%u", minor);
    g_autofree char *devnum = g_strdup_printf("%u\n", mock->devnum);
    g_autofree char *devnum3 = g_strdup_printf("%03u", mock->devnum);
    g_autofree char *vendor = g_strdup_printf("%04x\n", usbdev_load_le16(device + 8));
    g_autofree char *product = g_strdup_printf("%04x\n", usbdev_load_le16(device + 10));
    g_autofree char *release = g_strdup_printf("%04x\n", usbdev_load_le16(device + 12));
    g_autofree char *configuration = g_strdup_printf("%u\n", mock->port.core.bConfigurationValue);
    g_autofree char *configurations = g_strdup_printf("%u\n", device[17]);
    // clang-format off
    char *attributes[] = {
        "busnum", "1\n", "devnum", devnum, "dev", dev, "devpath", "1\n", "speed", "12\n",
        "idVendor", vendor, "idProduct", product, "bcdDevice", release,
        "bConfigurationValue", configuration, "bNumConfigurations", configurations,
        NULL,
    };
    char *properties[] = {
        "MAJOR", G_STRINGIFY(189), "MINOR", minor_text, "DEVNAME", (char *)node,
        "DEVTYPE", "usb_device", "BUSNUM", "001", "DEVNUM", devnum3,
        NULL,
    };
    // clang-format on

    g_free(umockdev_testbed_add_devicev(mock->testbed, "usb", "1-1", NULL, attributes, properties));
}

// A program opens the node and waits for it to be ready, by poll() or epoll; a regular file is
// refused by epoll.
static void make_node(const struct mock *mock, const char *node)
{
    g_autofree char *root = umockdev_testbed_get_root_dir(mock->testbed);
    g_autofree char *file = g_build_filename(root, node, NULL);
    g_autofree char *folder = g_path_get_dirname(file);

    if (g_mkdir_with_parents(folder, 0755) < 0 || mkfifo(file, 0666) < 0)
        fprintf(stderr, "dfu-sim: cannot make %s: %s\n", file, g_strerror(errno));
}

// The uevent is sent last, when all files are in place.
static void plug_in(struct mock *mock)
{
    mock->devnum++;
    g_autofree char *node = node_path(mock);
    g_autofree char *descriptors = g_build_filename(syspath, "descriptors", NULL);

    mock->usbfs = mock_usbfs_open(&mock->port, &mock->lock);
    umockdev_testbed_attach_ioctl(mock->testbed, node, mock_usbfs_handler(mock->usbfs), NULL);
    make_node(mock, node);
    write_file(mock, descriptors, mock->port.core.descriptors, mock->port.core.length);
    write_string(mock, "manufacturer", mock->port.core.descriptors[14]);
    write_string(mock, "product", mock->port.core.descriptors[15]);
    write_string(mock, "serial", mock->port.core.descriptors[16]);
    add_to_sysfs(mock, node);
}

static void pull_out(struct mock *mock)
{
    g_autofree char *node = node_path(mock);
    g_autofree char *root = umockdev_testbed_get_root_dir(mock->testbed);
    g_autofree char *file = g_build_filename(root, node, NULL);

    umockdev_testbed_uevent(mock->testbed, syspath, "remove");
    umockdev_testbed_remove_device(mock->testbed, syspath);
    umockdev_testbed_detach_ioctl(mock->testbed, node, NULL);
    g_remove(file);
    g_ptr_array_add(mock->old, mock->usbfs);
    mock->usbfs = NULL;
}

static void tick(struct mock *mock)
{
    g_mutex_lock(&mock->lock);
    bool unreaped = mock->usbfs && mock_usbfs_has_unreaped(mock->usbfs);
    enum mock_change change = mock_port_look(&mock->port, unreaped);
    if (change == MOCK_LEFT)
        mock_usbfs_gone(mock->usbfs);
    else if (mock->usbfs)
        mock_usbfs_tick(mock->usbfs);
    g_mutex_unlock(&mock->lock);

    if (change == MOCK_CAME)
        plug_in(mock);
    else if (change == MOCK_LEFT)
        pull_out(mock);
}

// ---- The run ----

// Returns 0, 128 + the signal that ended the wait, or -ENODEV.
static int await_device(struct mock *mock)
{
    int64_t limit_us = g_get_monotonic_time() + COMING_MS * INT64_C(1000);

    while (g_get_monotonic_time() < limit_us) {
        int status;

        tick(mock);
        if (mock->usbfs)
            return 0;
        status = command_interrupted(&mock->command, 1);
        if (status)
            return status;
    }
    fprintf(stderr, "dfu-sim run: the device did not enumerate within %d s\n", COMING_MS / 1000);
    return -ENODEV;
}

static int run_command(struct mock *mock, char *const argv[])
{
    int status = await_device(mock);

    if (status == 0)
        status = command_start(&mock->command, argv);
    if (status == 0)
        while (!command_wait(&mock->command, 1, &status))
            tick(mock);
    return status;
}

static void finish(struct mock *mock)
{
    if (mock->usbfs)
        pull_out(mock);
    g_object_unref(mock->testbed);
    for (guint i = 0; i < mock->old->len; i++)
        mock_usbfs_close(mock->old->pdata[i]);
    g_ptr_array_free(mock->old, TRUE);
    mock_port_finish(&mock->port);
}

int mock_run(const struct sim_options *options, char *const argv[])
{
    struct mock mock = {.devnum = 1};
    char error[256];
    struct sim_device *device = sim_open(options, error, sizeof(error));

    if (!device) {
        fprintf(stderr, "dfu-sim: %s\n", error);
        return -EINVAL;
    }
    if (mock_port_init(&mock.port, device) < 0) {
        device->ops->close(device);
        return -ENOMEM;
    }
    command_init(&mock.command);
    mock.testbed = umockdev_testbed_new();
    mock.old = g_ptr_array_new();
    int status = run_command(&mock, argv);
    finish(&mock);
    return status;
}
