// SPDX-License-Identifier: MIT
//
// The simulated device, in this process: a host controller model and a board on its one port, in
// virtual time. No function sleeps: a second takes as long as its simulation.
//
// The port behaves as a real host's: after a reset the host enumerates again, and a device that has
// dropped its pull-up is found when it raises it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/devices.h>
#include <sim/usb_core.h>

#include "target_requests.h"
#include <conformance/target.h>

enum { PROGRESS_MS = 2000 }; // after which a line says that the run waits for the device

struct target_sim {
    struct target base;
    struct sim_host *host;
    struct usb_core core;
    bool left; // disconnected since it was enumerated last
};

static struct target_sim *sim_of(struct target *target)
{
    return (struct target_sim *)target;
}

static void on_disconnected(void *context)
{
    struct target_sim *sim = context;
    sim->left = true;
}

static void on_connected(void *context)
{
    struct target_sim *sim = context;
    sim->base.connected_us = sim_host_now(sim->host) / 1000;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct target_sim *sim = sim_of(target);
    if (sim->left)
        return USB_GONE;
    return sim_host_control(sim->host, setup, data, timeout_ms * SIM_MS);
}

static int control_departing(struct target *target,
                             const struct usbdev_setup_packet *setup,
                             uint8_t *data,
                             unsigned timeout_ms,
                             const struct target_departure *departure)
{
    static const enum sim_cut_off cut_offs[] = {
        [TARGET_WHOLE] = SIM_WHOLE,
        [TARGET_CUT_OFF_IN_DATA] = SIM_CUT_OFF_IN_DATA,
        [TARGET_CUT_OFF_BEFORE_STATUS] = SIM_CUT_OFF_BEFORE_STATUS,
    };
    struct target_sim *sim = sim_of(target);
    struct sim_transfer transfer = {
        .type = USBDEV_ENDPOINT_CONTROL,
        .wMaxPacketSize = sim_host_max_packet0(sim->host),
        .data = data,
        .length = setup->wLength,
        .timeout_ns = timeout_ms * SIM_MS,
        .status_delay_ns = departure->status_delay_ms * SIM_MS,
        .cut_off = cut_offs[departure->cut_off],
    };
    usbdev_setup_store(transfer.setup, setup);
    return sim->left ? USB_GONE : sim_host_transfer(sim->host, &transfer);
}

// ---- Enumeration ----

static enum target_speed speed_of(const struct sim_device *device)
{
    switch (device->speed) {
    case SIM_LOW_SPEED:
        return TARGET_SPEED_LOW;
    case SIM_HIGH_SPEED:
        return TARGET_SPEED_HIGH;
    case SIM_SUPER_SPEED:
        return TARGET_SPEED_SUPER;
    case SIM_FULL_SPEED:
        break;
    }
    return TARGET_SPEED_FULL;
}

// The first configuration with DFU, or the first of all.
static size_t choose_configuration(const struct usb_core *core)
{
    for (size_t i = 0; i < core->configuration_count; i++) {
        size_t length;
        const uint8_t *bytes = usb_core_configuration(core, i, &length);
        if (length > 0 && target_has_dfu(bytes, length))
            return i;
    }
    return 0;
}

// Keep what the host received of it.
static int keep_descriptors(struct target_sim *sim)
{
    struct target_descriptors *kept = &sim->base.descriptors;
    size_t length;
    const uint8_t *configuration =
        usb_core_configuration(&sim->core, choose_configuration(&sim->core), &length);
    if (length == 0)
        return USB_IO;
    *kept = (struct target_descriptors){.configuration_length = length};
    memcpy(kept->device, sim->core.descriptors, sizeof kept->device);
    memcpy(kept->configuration, configuration, length);
    return 0;
}

// Returns 0, or an enum usb_result; USB_GONE when there is nothing to enumerate.
static int enumerate(struct target_sim *sim)
{
    sim->left = false;
    sim->base.speed = speed_of(sim_host_device(sim->host));
    int result = usb_core_enumerate(&sim->core, TARGET_ENUMERATION_MS * SIM_MS);
    if (result == 0)
        result = keep_descriptors(sim);
    if (result == 0)
        result = usb_core_set_configuration(&sim->core, sim->base.descriptors.configuration[5]);
    return result;
}

// ---- The port ----

static uint64_t now_us(struct target *target)
{
    return sim_host_now(sim_of(target)->host) / 1000;
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct target_sim *sim = sim_of(target);
    sim_host_run_until(sim->host, sim_host_now(sim->host) + ms * SIM_MS);
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct target_sim *sim = sim_of(target);
    for (unsigned i = 0; i < timeout_ms && !sim->left; i++)
        sleep_ms(target, 1);
    return sim->left ? 0 : USB_TIMEOUT;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct target_sim *sim = sim_of(target);
    uint64_t end_us = now_us(target) + timeout_ms * UINT64_C(1000);
    if (!sim->left)
        return 0;
    do {
        if (sim_host_connected(sim->host) && enumerate(sim) == 0)
            return 0;
        sim->left = true;
        sleep_ms(target, 1);
    } while (now_us(target) < end_us);
    return USB_TIMEOUT;
}

static int reset(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    if (sim->left)
        return USB_GONE;
    struct target_descriptors before = target->descriptors;
    sim_host_reset(sim->host);
    if (sim->left)
        return USB_GONE;

    int result = enumerate(sim);
    if (result < 0)
        sim->left = true; // wait_return() tries again
    if (result < 0 || !target_descriptors_equal(&before, &target->descriptors))
        return USB_GONE;
    return 0;
}

// The board starts again, with the same flash.
static int power_cycle(struct target *target)
{
    enum { OFF_MS = 1000 };
    struct target_sim *sim = sim_of(target);
    sim_host_power(sim->host, false);
    sleep_ms(target, OFF_MS);
    sim_host_power(sim->host, true);
    sim->left = true;
    return wait_return(target, USB_CORE_APPEAR_MS);
}

static int to_default(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_reset(sim->host);
    return sim->left ? USB_GONE : 0;
}

static int to_address(struct target *target)
{
    int result = sim_host_enumerate(sim_of(target)->host, TARGET_ENUMERATION_MS * SIM_MS);
    return result < 0 ? result : 0;
}

static int suspend(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_suspend(sim->host);
    return sim->left ? USB_GONE : 0;
}

static int resume(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_resume(sim->host);
    return sim->left ? USB_GONE : 0;
}

// ---- Endpoints ----

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct target_sim *sim = sim_of(target);
    const uint8_t *endpoint = target_find_endpoint(target, bEndpointAddress);
    if (!endpoint)
        return USB_UNSUPPORTED;
    struct sim_transfer transfer = {
        .data = data,
        .length = length,
        .timeout_ns = timeout_ms * SIM_MS,
    };
    if (!usb_core_prepare(&transfer, endpoint))
        return USB_UNSUPPORTED;
    return sim_host_transfer(sim->host, &transfer);
}

static const char *sim_trouble(struct target *target)
{
    struct sim_device *device = sim_host_device(sim_of(target)->host);
    return device->ops->trouble(device);
}

static void close_sim(struct target *target)
{
    sim_host_close(sim_of(target)->host);
    usb_core_finish(&sim_of(target)->core);
    free(target);
}

static const struct target_ops sim_ops = {
    .control = control,
    .control_departing = control_departing,
    .transfer = transfer,
    .set_configuration = target_request_set_configuration,
    .set_interface = target_request_set_interface,
    .clear_halt = target_request_clear_halt,
    .reset = reset,
    .to_default = to_default,
    .to_address = to_address,
    .suspend = suspend,
    .resume = resume,
    .power_cycle = power_cycle,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
    .trouble = sim_trouble,
    .close = close_sim,
};

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

static struct sim_host *open_host(struct target_sim *sim, struct sim_device *device)
{
    static const struct sim_host_events events = {.connected = on_connected,
                                                  .disconnected = on_disconnected};
    struct sim_host *host = sim_host_open(device, &events, sim);
    if (!host)
        device->ops->close(device);
    return host;
}

static bool appears(struct target_sim *sim)
{
    if (wait_return(&sim->base, PROGRESS_MS) == 0)
        return true;
    fprintf(stderr,
            "dfu-conformance: the simulated device has not enumerated after %d s of its time; "
            "waiting until %d s\n",
            PROGRESS_MS / 1000, USB_CORE_APPEAR_MS / 1000);
    return wait_return(&sim->base, USB_CORE_APPEAR_MS - PROGRESS_MS) == 0;
}

struct target *target_sim_open(const struct target_spec *spec, char *error, size_t size)
{
    const struct sim_options options = {
        .device = text_or_null(spec->device),
        .firmware = text_or_null(spec->firmware),
        .chip = text_or_null(spec->chip),
        .boot = text_or_null(spec->boot),
        .pins = text_or_null(spec->pin),
        .uart = text_or_null(spec->uart),
        .gdb = text_or_null(spec->gdb),
        .defect = text_or_null(spec->defect),
        .serial = text_or_null(spec->serial),
        .cable = {.unplug_at = spec->unplug_at, .away_ms = spec->away_ms},
        .watch = spec->flash_watch,
    };
    struct sim_device *device = sim_open(&options, error, size);
    if (!device)
        return NULL;
    struct target_sim *sim = calloc(1, sizeof *sim);
    if (sim)
        sim->host = open_host(sim, device);
    else
        device->ops->close(device);
    if (!sim || !sim->host) {
        free(sim);
        snprintf(error, size, "out of memory");
        return NULL;
    }

    usb_core_init(&sim->core, sim->host);
    sim->base.ops = &sim_ops;
    sim->base.capabilities = TARGET_CAN_RESET | TARGET_CAN_RAW | TARGET_CAN_ADDRESS |
                             TARGET_CAN_DEFAULT | TARGET_CAN_SUSPEND | TARGET_CAN_ANY_LENGTH |
                             TARGET_CAN_POWER | TARGET_VIRTUAL_TIME | TARGET_CAN_DEPART;
    snprintf(sim->base.where, sizeof sim->base.where, "simulated in this process");
    sim->left = true;
    if (appears(sim))
        return &sim->base;
    const char *why = sim_trouble(&sim->base);
    snprintf(error, size, "the simulated device does not %s within %d s of its time%s%s",
             sim_host_connected(sim->host) ? "enumerate" : "connect", USB_CORE_APPEAR_MS / 1000,
             why ? ": " : "", why ? why : "");
    close_sim(&sim->base);
    return NULL;
}
