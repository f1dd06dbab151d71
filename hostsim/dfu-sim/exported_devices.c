// SPDX-License-Identifier: MIT
//
// One observer serves all devices: it writes their URBs to the one capture and their events to
// standard error and to the capture. Devices are closed before the capture, so that their last
// events are in it.

#include "exported_devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void exported_devices_note(const struct usbip_device *device, const char *text)
{
    fprintf(stderr, "%s: %s\n", usbip_device_record(device)->bus_id, text);
}

// ---- The observer of the devices ----

static void submitted(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    const struct exported_devices *exported = context;

    usbip_capture_submitted(exported->capture, device, urb);
}

static void completed(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    const struct exported_devices *exported = context;

    usbip_capture_completed(exported->capture, device, urb);
}

static void note(void *context, const struct usbip_device *device, const char *text)
{
    const struct exported_devices *exported = context;

    if (exported->tells)
        exported_devices_note(device, text);
    usbip_capture_note(exported->capture, device, text);
}

// ---- Opening and closing ----

static int add_device(struct exported_devices *exported,
                      const struct options *options,
                      char *error,
                      size_t error_size)
{
    static const struct usbip_observer observer = {submitted, completed, note};
    unsigned number = (unsigned)exported->count + 1;
    struct sim_options sim_options = options->sim;
    struct sim_device *sim;
    char serial[32];

    // Several devices of one product differ in their serial numbers (USB 2.0 9.6.1), unless
    // --serial gives them all one.
    snprintf(serial, sizeof serial, "DFURT-SIM-%04u", number);
    if (options->count > 1 && !sim_options.serial)
        sim_options.serial = serial;
    sim = sim_open(&sim_options, error, error_size);
    if (!sim)
        return -1;
    exported->devices[exported->count] = usbip_device_plug_in(sim, number, &observer, exported);
    if (!exported->devices[exported->count]) {
        snprintf(error, error_size, "no memory for the device");
        return -1;
    }
    if (sim_options.gdb)
        usbip_device_keep_awake(exported->devices[exported->count]);
    exported->count++;
    return 0;
}

// Where others like it were opened, there are too many.
static void tell_refusal(const struct exported_devices *exported,
                         const struct options *options,
                         const char *reason,
                         char *error,
                         size_t error_size)
{
    if (exported->count == 0)
        snprintf(error, error_size, "%s", reason);
    else
        snprintf(error, error_size, "device %zu of %u: %s; ask for fewer", exported->count + 1,
                 options->count, reason);
}

int exported_devices_open(struct exported_devices *exported,
                          const struct options *options,
                          bool tells,
                          char *error,
                          size_t error_size)
{
    const char *device = options->sim.firmware ? options->sim.firmware : options->sim.device;

    *exported = (struct exported_devices){.tells = tells};
    exported->devices = calloc(options->count, sizeof(struct usbip_device *));
    if (!exported->devices) {
        snprintf(error, error_size, "no memory for %u devices", options->count);
        return -1;
    }
    if (options->capture) {
        exported->capture = usbip_capture_open(
            options->capture, device ? device : "simulated device", error, error_size);
        if (!exported->capture) {
            exported_devices_close(exported);
            return -1;
        }
    }
    while (exported->count < options->count) {
        char reason[256];

        if (add_device(exported, options, reason, sizeof reason) < 0) {
            tell_refusal(exported, options, reason, error, error_size);
            exported_devices_close(exported);
            return -1;
        }
    }
    return 0;
}

static uint64_t clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void exported_devices_settle(const struct exported_devices *exported, uint64_t limit_ms)
{
    const uint64_t begin_ms = clock_ms();
    bool settled;

    do {
        settled = true;
        for (size_t i = 0; i < exported->count; i++)
            settled &= usbip_device_settle(exported->devices[i]);
    } while (!settled && clock_ms() - begin_ms < limit_ms);
}

int exported_devices_close(struct exported_devices *exported)
{
    int result;

    while (exported->count > 0)
        usbip_device_close(exported->devices[--exported->count]);
    free(exported->devices);
    result = usbip_capture_close(exported->capture);
    if (result < 0)
        fprintf(stderr, "dfu-sim: the capture is incomplete: %s\n", strerror(-result));
    return result < 0 ? -1 : 0;
}
