// SPDX-License-Identifier: MIT

#include "rack.h"

#include <stdio.h>
#include <string.h>

void rack_tell(const struct usbip_device *device, const char *text)
{
    fprintf(stderr, "%s: %s\n", usbip_device_record(device)->bus_id, text);
}

// ---- The observer of the devices ----

static void submitted(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    const struct rack *rack = context;

    usbip_capture_submitted(rack->capture, device, urb);
}

static void completed(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    const struct rack *rack = context;

    usbip_capture_completed(rack->capture, device, urb);
}

static void note(void *context, const struct usbip_device *device, const char *text)
{
    const struct rack *rack = context;

    if (rack->tells)
        rack_tell(device, text);
    usbip_capture_note(rack->capture, device, text);
}

// ---- The rack ----

static int
add_device(struct rack *rack, const struct options *options, char *error, size_t error_size)
{
    static const struct usbip_observer observer = {submitted, completed, note};
    unsigned port = (unsigned)rack->count + 1;
    struct sim_options sim_options = options->sim;
    struct sim_device *sim;
    char serial[32];

    // Several devices of one product differ in their serial numbers (USB 2.0 9.6.1).
    snprintf(serial, sizeof serial, "DFURT-SIM-%04u", port);
    if (options->count > 1)
        sim_options.serial = serial;
    sim = sim_open(&sim_options, error, error_size);
    if (!sim)
        return -1;
    rack->devices[rack->count] = usbip_device_open(sim, port, &observer, rack);
    if (!rack->devices[rack->count]) {
        snprintf(error, error_size, "no memory for %u devices: ask for fewer", options->count);
        return -1;
    }
    rack->count++;
    return 0;
}

int rack_open(
    struct rack *rack, const struct options *options, bool tells, char *error, size_t error_size)
{
    const char *device = options->sim.firmware ? options->sim.firmware : options->sim.device;

    *rack = (struct rack){.tells = tells};
    if (options->capture) {
        rack->capture = usbip_capture_open(options->capture, device ? device : "simulated device",
                                           error, error_size);
        if (!rack->capture)
            return -1;
    }
    while (rack->count < options->count) {
        if (add_device(rack, options, error, error_size) < 0) {
            rack_close(rack);
            return -1;
        }
    }
    return 0;
}

void rack_close(struct rack *rack)
{
    int result;

    while (rack->count > 0)
        usbip_device_close(rack->devices[--rack->count]);
    result = usbip_capture_close(rack->capture);
    if (result < 0)
        fprintf(stderr, "dfu-sim: the capture is not whole: %s\n", strerror(-result));
}
