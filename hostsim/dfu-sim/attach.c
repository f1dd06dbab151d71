// SPDX-License-Identifier: MIT
//
// dfu-sim attach: simulated devices on this machine's USB, by vhci-hcd.

#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "exported_devices.h"
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

static int attach_devices(const struct exported_devices *exported)
{
    static const struct vhci_attach_events events = {appeared, detached};
    struct vhci_attach attach;
    char error[256];
    int result;

    if (vhci_attach_open(&attach, "/sys", exported->devices, exported->count, &events, NULL, error,
                         sizeof error) < 0) {
        fprintf(stderr, "dfu-sim attach: %s\n", error);
        return 2;
    }
    result = loop_run(attach.loop);
    if (result < 0)
        fprintf(stderr, "dfu-sim attach: %s\n", strerror(-result));
    vhci_attach_close(&attach);
    return result < 0 ? 2 : 0;
}

int command_attach(const struct options *options)
{
    struct exported_devices exported;
    char error[256];
    int status;

    if (exported_devices_open(&exported, options, true, error, sizeof error) < 0) {
        fprintf(stderr, "dfu-sim attach: %s\n", error);
        return 2;
    }
    status = attach_devices(&exported);
    return exported_devices_close(&exported) < 0 ? 2 : status;
}
