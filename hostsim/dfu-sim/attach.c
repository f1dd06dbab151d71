// SPDX-License-Identifier: MIT
//
// dfu-sim attach: simulated devices on this machine's USB, by vhci-hcd. Only to open its files
// takes root. One that sudo was called by opens its own files (firmware, capture, flash) as the
// user who called it, and so they are that user's.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exported_devices.h"
#include "privileges.h"
#include <vhci/attach.h>

static void appeared(void *context, struct usbip_device *device, const struct vhci_place *place)
{
    (void)context;
    printf("%s: port %u, bus %u device %u, path %s\n", usbip_device_record(device)->bus_id,
           place->port, place->busnum, place->devnum, place->path);
    fflush(stdout);
}

static void detached(void *context, struct usbip_device *device)
{
    (void)context;
    exported_devices_note(device, "detached by the kernel");
}

static bool drop_privileges(void)
{
    int result = privileges_drop();

    if (result < 0)
        fprintf(stderr, "dfu-sim attach: cannot give up root's privileges: %s\n",
                strerror(-result));
    return result == 0;
}

// Root attaches for itself: it goes on as nobody, who cannot write the flash file.
static bool attached(const struct options *options)
{
    return options->sim.flash || drop_privileges();
}

static int attach_devices(const struct options *options,
                          const struct vhci *vhci,
                          const struct exported_devices *exported)
{
    static const struct vhci_attach_events events = {appeared, detached};
    struct vhci_attach attach;
    char error[256];
    int result = -EPERM;

    if (vhci_attach_open(&attach, vhci, exported->devices, exported->count, &events, NULL, error,
                         sizeof error) < 0) {
        fprintf(stderr, "dfu-sim attach: %s\n", error);
        return 2;
    }
    if (attached(options)) {
        result = loop_run(attach.loop);
        if (result < 0)
            fprintf(stderr, "dfu-sim attach: %s\n", strerror(-result));
    }
    vhci_attach_close(&attach);
    return result < 0 ? 2 : 0;
}

static int attach_to(const struct options *options, const struct vhci *vhci)
{
    struct exported_devices exported;
    char error[256];
    int status;

    if (privileges_are_lent() && !drop_privileges())
        return 2;
    if (exported_devices_open(&exported, options, true, error, sizeof error) < 0) {
        fprintf(stderr, "dfu-sim attach: %s\n", error);
        return 2;
    }
    exported_devices_settle(&exported, UINT64_MAX);
    status = attach_devices(options, vhci, &exported);
    return exported_devices_close(&exported) < 0 ? 2 : status;
}

int command_attach(const struct options *options)
{
    struct vhci vhci;
    char error[256];
    int result = vhci_open(&vhci, "/sys");
    int status;

    if (result < 0) {
        vhci_explain(result, error, sizeof error);
        fprintf(stderr, "dfu-sim attach: %s\n", error);
        return 2;
    }
    status = attach_to(options, &vhci);
    vhci_close(&vhci);
    return status;
}
