// SPDX-License-Identifier: MIT
//
// The simulated device, in this process: a host controller model and a board on one of its ports,
// in virtual time. No function sleeps: a second takes as long as its simulation.
//
// The port behaves as a real host's: after a reset the host enumerates again, and a device that has
// dropped its pull-up is found when it raises it.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target_requests.h"
#include "target_sim_private.h"

enum { PROGRESS_MS = 2000 }; // after which a line says that the run waits for the device

static struct sim_host *host_of(const struct target_sim *sim)
{
    return sim->port->host;
}

// A result that the device gave, not the lack of it.
static int heard(struct target_sim *sim, int result)
{
    if (result >= 0 || result == USB_STALL)
        sim->heard_us = sim_bus_now(sim->bus) / 1000;
    return result;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct target_sim *sim = sim_of(target);
    if (sim->left)
        return USB_GONE;
    return heard(sim, sim_host_control(host_of(sim), setup, data, timeout_ms * SIM_MS));
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
        .wMaxPacketSize = sim_host_max_packet0(host_of(sim)),
        .data = data,
        .length = setup->wLength,
        .timeout_ns = timeout_ms * SIM_MS,
        .status_delay_ns = departure->status_delay_ms * SIM_MS,
        .cut_off = cut_offs[departure->cut_off],
    };
    usbdev_setup_store(transfer.setup, setup);
    return sim->left ? USB_GONE : heard(sim, sim_host_transfer(host_of(sim), &transfer));
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

const uint8_t *sim_configuration(const struct usb_core *core, size_t *ret_length)
{
    for (size_t i = 0; i < core->configuration_count; i++) {
        const uint8_t *bytes = usb_core_configuration(core, i, ret_length);
        if (*ret_length > 0 && target_has_dfu(bytes, *ret_length))
            return bytes;
    }
    return usb_core_configuration(core, 0, ret_length);
}

// Keep what the host received of it.
static int keep_descriptors(struct target_sim *sim)
{
    struct target_descriptors *kept = &sim->base.descriptors;
    size_t length;
    const uint8_t *configuration = sim_configuration(&sim->port->core, &length);
    if (length == 0)
        return USB_IO;
    *kept = (struct target_descriptors){.configuration_length = length};
    memcpy(kept->device, sim->port->core.descriptors, sizeof kept->device);
    memcpy(kept->configuration, configuration, length);
    return 0;
}

// Returns 0, or an enum usb_result; USB_GONE when there is nothing to enumerate.
static int enumerate(struct target_sim *sim)
{
    sim->left = false;
    sim->base.speed = speed_of(sim_host_device(host_of(sim)));
    int result = usb_core_enumerate(&sim->port->core, TARGET_ENUMERATION_MS * SIM_MS);
    if (result == 0)
        result = keep_descriptors(sim);
    if (result == 0)
        result =
            usb_core_set_configuration(&sim->port->core, sim->base.descriptors.configuration[5]);
    if (result == 0)
        sim_look_around(sim);
    return result;
}

// ---- The port ----

static uint64_t now_us(struct target *target)
{
    return sim_bus_now(sim_of(target)->bus) / 1000;
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct target_sim *sim = sim_of(target);
    sim_bus_run_until(sim->bus, sim_bus_now(sim->bus) + ms * SIM_MS);
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
    uint64_t start_us = now_us(target);
    uint64_t waited_ms = 0;
    if (!sim->left)
        return 0;
    do {
        if (sim_find(sim, waited_ms, timeout_ms) && enumerate(sim) == 0)
            return 0;
        sim->left = true;
        sleep_ms(target, 1);
        waited_ms = (now_us(target) - start_us) / 1000;
    } while (waited_ms < timeout_ms);
    return *target->fault ? USB_IO : USB_TIMEOUT;
}

static int reset(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    if (sim->left)
        return USB_GONE;
    struct target_descriptors before = target->descriptors;
    sim_host_reset(host_of(sim));
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
    sim_host_power(host_of(sim), false);
    sleep_ms(target, OFF_MS);
    sim_host_power(host_of(sim), true);
    sim->left = true;
    return wait_return(target, USB_CORE_APPEAR_MS);
}

static int to_default(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_reset(host_of(sim));
    return sim->left ? USB_GONE : 0;
}

static int to_address(struct target *target)
{
    int result = sim_host_enumerate(host_of(sim_of(target)), TARGET_ENUMERATION_MS * SIM_MS);
    return result < 0 ? result : 0;
}

static int suspend(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_suspend(host_of(sim));
    return sim->left ? USB_GONE : 0;
}

static int resume(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_host_resume(host_of(sim));
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
    return heard(sim, sim_host_transfer(host_of(sim), &transfer));
}

static const char *sim_trouble(struct target *target)
{
    struct sim_device *device = sim_host_device(host_of(sim_of(target)));
    return device->ops->trouble(device);
}

static void close_sim(struct target *target)
{
    struct target_sim *sim = sim_of(target);
    sim_bus_close(sim->bus);
    if (sim->twin)
        sim->twin->ops->close(sim->twin);
    free(sim);
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
    struct target_sim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    sim->base.ops = &sim_ops;
    sim->base.capabilities = TARGET_CAN_RESET | TARGET_CAN_RAW | TARGET_CAN_ADDRESS |
                             TARGET_CAN_DEFAULT | TARGET_CAN_SUSPEND | TARGET_CAN_ANY_LENGTH |
                             TARGET_CAN_POWER | TARGET_VIRTUAL_TIME | TARGET_CAN_DEPART |
                             TARGET_TELLS_LEAVING;
    if (!sim_plug_in(sim, spec, error, size)) {
        close_sim(&sim->base);
        return NULL;
    }
    sim->left = true;
    if (appears(sim))
        return &sim->base;
    const char *why = sim_trouble(&sim->base);
    if (!why)
        why = sim_host_fault(host_of(sim));
    snprintf(error, size, "the simulated device does not %s within %d s of its time%s%s",
             sim_host_connected(host_of(sim)) ? "enumerate" : "connect", USB_CORE_APPEAR_MS / 1000,
             *why ? ": " : "", why);
    close_sim(&sim->base);
    return NULL;
}
