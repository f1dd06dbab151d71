// SPDX-License-Identifier: MIT
//
// A device is present or away, and in use or free. It is enumerated when its pull-up appears, with
// a new device number each time; when it leaves the bus while a client uses it, the client is told
// and the connection ends. During a reset that the server itself makes, leaving the bus is not
// reported.
//
// usbip_device_run() carries pending transfers out for at most 1 ms of virtual time, so that the
// loop looks at its sockets in between. By such steps it also awaits a device that leaves the bus
// in a reset, to come back as another one or never, and enumerates one that takes its time to
// answer.

#include "device_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 15 }; // of a bus; as many as vhci-hcd has

static const uint64_t slice_ns = SIM_MS;             // of busy bus in one usbip_device_run()
static const uint64_t before_reset_ns = 10 * SIM_MS; // for what was submitted before a reset
static const uint64_t at_once_ns = 500 * SIM_MS;     // of an enumeration, before others are served
static const uint64_t appear_ns = USB_CORE_APPEAR_MS * SIM_MS;

void device_note(const struct usbip_device *device, const char *format, ...)
{
    char text[DEVICE_TEXT];
    va_list arguments;

    if (!device->observer.note)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    device->observer.note(device->observer_context, device, text);
}

// ---- Leaving and coming back ----

void device_tell_client(struct usbip_device *device)
{
    if (device->in_use && !device->present)
        device->left(device->left_context);
}

static void disconnected(void *context)
{
    struct usbip_device *device = context;

    if (device->enumerating)
        return;
    if (device->present)
        device_note(device, "left the bus");
    device->present = false;
    device->failed = false;
    device_tell_client(device);
}

// A new one for each arrival, as Linux gives them, and never that of another port of the bus: the
// root hub has 1, and each port every PORTS-th number from 2 to 127.
static uint32_t next_devnum(uint32_t devnum)
{
    return devnum + PORTS <= 127 ? devnum + PORTS : (devnum - 2) % PORTS + 2;
}

static void tell_absence(const struct usbip_device *device)
{
    if (device->core.enumeration.attempts == 0)
        device_note(device, "the device does not connect to the bus: its pull-up is off");
    else
        device_note(device, "left the bus while it was enumerated");
}

static void enumerate_returned(struct usbip_device *device, uint64_t limit_ns)
{
    int result = device_enumerate(device, limit_ns);

    if (result == 0)
        device_note(device, "on the bus: %04x:%04x", device->record.idVendor,
                    device->record.idProduct);
    else if (result != SIM_UNDER_WAY && !device->failed)
        tell_absence(device);
}

static void begin_returned(struct usbip_device *device)
{
    device->record.devnum = next_devnum(device->record.devnum);
    device_begin_enumeration(device, 0);
    enumerate_returned(device, sim_host_now(device->host) + at_once_ns);
}

static void tell_trouble(struct usbip_device *device)
{
    struct sim_device *sim = sim_host_device(device->host);
    const char *trouble = sim->ops->trouble ? sim->ops->trouble(sim) : NULL;

    if (!trouble)
        trouble = "";
    if (strcmp(device->trouble ? device->trouble : "", trouble) == 0)
        return;
    free(device->trouble);
    device->trouble = *trouble ? strdup(trouble) : NULL;
    if (*trouble)
        device_note(device, "%s", trouble);
}

// ---- Opening ----

struct usbip_device *usbip_device_plug_in(struct sim_device *sim,
                                          unsigned number,
                                          const struct usbip_observer *observer,
                                          void *context)
{
    static const struct sim_host_events events = {.disconnected = disconnected};
    struct usbip_device *device = calloc(1, sizeof *device);

    if (device)
        device->host = sim_host_open(sim, &events, device);
    if (!device || !device->host) {
        sim->ops->close(sim);
        free(device);
        return NULL;
    }
    usb_core_init(&device->core, device->host);
    if (observer)
        device->observer = *observer;
    device->observer_context = context;
    device->record.busnum = (number - 1) / PORTS + 1;
    device->record.devnum = (number - 1) % PORTS + 2; // the root hub is 1
    device->record.speed = USBIP_SPEED_FULL;          // until it is on the bus
    snprintf(device->record.bus_id, sizeof device->record.bus_id, "%u-%u", device->record.busnum,
             (number - 1) % PORTS + 1);
    snprintf(device->record.path, sizeof device->record.path, "/sys/devices/dfu-sim/usb%u/%s",
             device->record.busnum, device->record.bus_id);
    device_begin_enumeration(device, appear_ns);
    return device;
}

static bool settle(struct usbip_device *device, uint64_t limit_ns)
{
    int result;

    if (!device->enumerating)
        return true;
    result = device_enumerate(device, limit_ns);
    if (result == SIM_UNDER_WAY)
        return false;
    if (result < 0 && !device->failed)
        tell_absence(device);
    tell_trouble(device);
    return true;
}

bool usbip_device_settle(struct usbip_device *device)
{
    return settle(device, sim_host_now(device->host) + slice_ns);
}

struct usbip_device *usbip_device_open(struct sim_device *sim,
                                       unsigned number,
                                       const struct usbip_observer *observer,
                                       void *context)
{
    struct usbip_device *device = usbip_device_plug_in(sim, number, observer, context);

    if (device)
        settle(device, UINT64_MAX);
    return device;
}

void usbip_device_close(struct usbip_device *device)
{
    if (!device)
        return;
    device->enumerating = true; // the client is not informed
    sim_host_close(device->host);
    usb_core_finish(&device->core);
    free(device->trouble);
    free(device);
}

// ---- Questions ----

const struct usbip_record *usbip_device_record(const struct usbip_device *device)
{
    return &device->record;
}

const struct usbip_interface *usbip_device_interfaces(const struct usbip_device *device)
{
    return device->interfaces;
}

uint64_t usbip_device_now_ns(const struct usbip_device *device)
{
    return sim_host_now(device->host);
}

enum usbip_op_status usbip_device_availability(const struct usbip_device *device)
{
    if (device->in_use)
        return USBIP_OP_BUSY;
    if (device->failed)
        return USBIP_OP_DEVICE_ERROR;
    return device->present ? USBIP_OP_OK : USBIP_OP_NO_DEVICE;
}

bool usbip_device_needs_time(const struct usbip_device *device)
{
    return (device->in_use && !sim_host_at_rest(device->host)) || !device->present ||
           device->kept_awake;
}

unsigned usbip_device_asked(const struct usbip_device *device)
{
    return device->asked;
}

void usbip_device_keep_awake(struct usbip_device *device)
{
    device->kept_awake = true;
}

// ---- Reset ----

static void end_reset(struct usbip_device *device)
{
    struct usbip_urb *urb = device->after_reset;

    device->reset_end_ns = 0;
    device->after_reset = NULL;
    if (urb)
        device_carry_out(device, urb);
}

static void enumerate_reset(struct usbip_device *device, uint64_t limit_ns)
{
    const struct usbip_record before = device->record;
    int result = device_enumerate(device, limit_ns);
    uint64_t now_ns = sim_host_now(device->host);

    if (result == SIM_UNDER_WAY)
        return;
    if (result < 0 && !device->failed && now_ns < device->reset_end_ns) {
        device_begin_enumeration(device, device->reset_end_ns - now_ns);
        return; // it has left, and may come back
    }
    if (result < 0) {
        device_note(device, "the device did not come back after the reset");
    } else if (before.idVendor != device->record.idVendor ||
               before.idProduct != device->record.idProduct) {
        device_note(device, "the device %04x:%04x enumerates as %04x:%04x after the reset",
                    before.idVendor, before.idProduct, device->record.idVendor,
                    device->record.idProduct);
    }
    end_reset(device);
}

void device_reset(struct usbip_device *device)
{
    // What was submitted before the reset comes before it on the bus too.
    sim_host_run_busy(device->host, sim_host_now(device->host) + before_reset_ns);
    if (!device->present) {
        end_reset(device);
        return;
    }
    device->reset_end_ns = sim_host_now(device->host) + appear_ns;
    device_begin_enumeration(device, 0);
    enumerate_reset(device, sim_host_now(device->host) + at_once_ns);
}

// ---- Use ----

enum usbip_op_status
usbip_device_import(struct usbip_device *device, void (*left)(void *context), void *context)
{
    enum usbip_op_status status = usbip_device_availability(device);

    if (status != USBIP_OP_OK)
        return status;
    device->in_use = true;
    device->asked = 0;
    device->left = left;
    device->left_context = context;
    return USBIP_OP_OK;
}

void usbip_device_release(struct usbip_device *device)
{
    device->in_use = false;
    if (device->present && device->asked && !device->retired)
        device_reset(device);
}

void usbip_device_retire(struct usbip_device *device)
{
    device->retired = true;
}

bool usbip_device_catch_up(struct usbip_device *device, uint64_t wall_ns)
{
    return sim_pace_step(&device->pace, device->host, wall_ns);
}

bool usbip_device_run(struct usbip_device *device)
{
    uint64_t limit = sim_host_now(device->host) + slice_ns;

    if (device->reset_end_ns) {
        enumerate_reset(device, limit);
        return true;
    }
    if (device->enumerating) {
        enumerate_returned(device, limit);
        return true;
    }
    sim_host_run_busy(device->host, limit);
    if (!device->present && !device->failed && sim_host_connected(device->host))
        begin_returned(device);
    tell_trouble(device);
    return device->enumerating || sim_host_now(device->host) >= limit;
}
