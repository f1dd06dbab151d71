// SPDX-License-Identifier: MIT
//
// The watch is a target whose operations call those of the target under it. Before each call it
// tests the time that is left: with none left the call returns USB_IO and the target is not asked.
// A wait is cut to the time that is left. What came of it is told to losses.c.

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "watch.h"
#include <usb/requests.h>

static struct watch *watch_of(struct target *target)
{
    return (struct watch *)target;
}

uint64_t watch_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// The device's descriptors and its place may have changed.
static void look_again(struct watch *watch)
{
    const struct target_ops *ops = watch->base.ops;
    watch->base = *watch->target;
    watch->base.ops = ops;
}

// ---- Limits ----

// A check has limits, and a signal ends it; what restores the flash has none, nor has the way back
// from a check and to run time.
static bool has_limits(const struct watch *watch)
{
    return watch->check_end_ms && !(watch->restoring && *watch->restoring);
}

static uint64_t end_ms(const struct watch *watch)
{
    uint64_t run = watch->run_end_ms ? watch->run_end_ms : UINT64_MAX;
    if (!has_limits(watch))
        return UINT64_MAX;
    return watch->check_end_ms < run ? watch->check_end_ms : run;
}

uint64_t watch_left_ms(const struct watch *watch)
{
    uint64_t end = end_ms(watch);
    uint64_t now = watch_clock_ms();
    if (end == UINT64_MAX)
        return UINT64_MAX;
    return now < end ? end - now : 0;
}

static bool is_interrupted(const struct watch *watch)
{
    return has_limits(watch) && watch->interrupted && *watch->interrupted;
}

static bool refuse(struct watch *watch)
{
    if (watch_left_ms(watch) > 0 && !is_interrupted(watch))
        return false;
    watch->out_of_time = true;
    return true;
}

// A wait that would go on after the end is cut short; the next call is then refused.
static unsigned within_limit(const struct watch *watch, unsigned ms)
{
    uint64_t left = watch_left_ms(watch);
    bool virtual_time = watch->target->capabilities & TARGET_VIRTUAL_TIME;
    return virtual_time || ms <= left ? ms : (unsigned)left;
}

void watch_begin(struct watch *watch, unsigned limit_ms)
{
    watch->check_end_ms = limit_ms ? watch_clock_ms() + limit_ms : 0;
    watch->out_of_time = false;
    watch->losses.may_leave &= limit_ms == 0;
}

// ---- The seam ----

static uint64_t device_us(const struct watch *watch)
{
    return watch->target->ops->now_us(watch->target);
}

// A control transfer that began at start_ms has ended. Returns its result.
static int
note(struct watch *watch, const struct usbdev_setup_packet *setup, int result, uint64_t start_ms)
{
    losses_saw(&watch->losses, setup, result, device_us(watch));
    if (result == USB_TIMEOUT) {
        watch->timeouts++;
        watch->timeouts_ms += watch_clock_ms() - start_ms;
    }
    return result;
}

static int watched_control(struct target *target,
                           const struct usbdev_setup_packet *setup,
                           uint8_t *data,
                           unsigned timeout_ms)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return USB_IO;
    if (losses_forbid(&watch->losses, setup))
        return USB_UNSUPPORTED;
    uint64_t start_ms = watch_clock_ms();
    int result = watch->target->ops->control(watch->target, setup, data, timeout_ms);
    note(watch, setup, result, start_ms);
    watch->losses.fresh = false;
    return result;
}

static int watched_control_departing(struct target *target,
                                     const struct usbdev_setup_packet *setup,
                                     uint8_t *data,
                                     unsigned timeout_ms,
                                     const struct target_departure *departure)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return USB_IO;
    uint64_t start_ms = watch_clock_ms();
    int result =
        watch->target->ops->control_departing(watch->target, setup, data, timeout_ms, departure);
    note(watch, setup, result, start_ms);
    watch->losses.fresh = false;
    return result;
}

static int watched_transfer(struct target *target,
                            uint8_t bEndpointAddress,
                            uint8_t *data,
                            size_t length,
                            unsigned timeout_ms)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return USB_IO;
    return watch->target->ops->transfer(watch->target, bEndpointAddress, data, length, timeout_ms);
}

static int watched_set_configuration(struct target *target, uint8_t value)
{
    struct watch *watch = watch_of(target);
    const struct usbdev_setup_packet setup = usb_set_configuration(value);
    if (refuse(watch))
        return USB_IO;
    uint64_t start_ms = watch_clock_ms();
    int result = watch->target->ops->set_configuration(watch->target, value);
    return note(watch, &setup, result, start_ms);
}

static int watched_set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct watch *watch = watch_of(target);
    const struct usbdev_setup_packet setup = usb_set_interface(interface, alternate);
    if (refuse(watch))
        return USB_IO;
    if (losses_forbid(&watch->losses, &setup))
        return USB_UNSUPPORTED;
    uint64_t start_ms = watch_clock_ms();
    int result = watch->target->ops->set_interface(watch->target, interface, alternate);
    return note(watch, &setup, result, start_ms);
}

static int watched_clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    struct watch *watch = watch_of(target);
    const struct usbdev_setup_packet setup = usb_clear_halt(bEndpointAddress);
    if (refuse(watch))
        return USB_IO;
    uint64_t start_ms = watch_clock_ms();
    int result = watch->target->ops->clear_halt(watch->target, bEndpointAddress);
    return note(watch, &setup, result, start_ms);
}

static int operate(struct watch *watch, int (*operation)(struct target *target))
{
    if (refuse(watch))
        return USB_IO;
    int result = operation(watch->target);
    watch->losses.fresh = result == 0;
    if (result == USB_GONE)
        losses_saw_leave(&watch->losses, device_us(watch));
    look_again(watch);
    return result;
}

// A device that left at this did not do so by itself.
static int operate_on_port(struct watch *watch, int (*operation)(struct target *target))
{
    int result = operate(watch, operation);
    losses_excuse_departure(&watch->losses);
    return result;
}

// What a bus reset does to a device is judged by the checks that are about bus resets. Only one
// that enumerates the device shows at once that it is still there.
static int watched_reset(struct target *target)
{
    struct watch *watch = watch_of(target);
    int result = operate_on_port(watch, watch->target->ops->reset);
    if (result == 0)
        losses_saw_return(&watch->losses, device_us(watch));
    else
        losses_let_leave(&watch->losses, *watch->losses.view.mode == DEVICE_DFU_MODE
                                             ? LOST_BY_RESET
                                             : LOST_OTHERWISE);
    return result;
}

// Until it answers there.
static int reset_to(struct watch *watch, int (*operation)(struct target *target))
{
    int result = operate_on_port(watch, operation);
    losses_let_leave(&watch->losses, LOST_OTHERWISE);
    watch->losses.found = result == 0;
    return result;
}

static int watched_to_default(struct target *target)
{
    return reset_to(watch_of(target), watch_of(target)->target->ops->to_default);
}

static int watched_to_address(struct target *target)
{
    return reset_to(watch_of(target), watch_of(target)->target->ops->to_address);
}

static int watched_suspend(struct target *target)
{
    return operate(watch_of(target), watch_of(target)->target->ops->suspend);
}

static int watched_resume(struct target *target)
{
    return operate(watch_of(target), watch_of(target)->target->ops->resume);
}

// A power cycle ends the trouble, unless the device is in trouble again at once.
static int watched_power_cycle(struct target *target)
{
    struct watch *watch = watch_of(target);
    watch_look_for_trouble(watch);
    if (watch->losses.absent)
        losses_give_up(&watch->losses, device_us(watch));
    int result = operate_on_port(watch, watch->target->ops->power_cycle);
    if (result == 0)
        losses_saw_power(&watch->losses, device_us(watch));
    watch_look_for_trouble(watch);
    return result;
}

static int watched_wait_leave(struct target *target, unsigned timeout_ms)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return USB_IO;
    int result = watch->target->ops->wait_leave(watch->target, within_limit(watch, timeout_ms));
    if (result == 0)
        losses_saw_leave(&watch->losses, device_us(watch));
    return result;
}

static int watched_wait_return(struct target *target, unsigned timeout_ms)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return USB_IO;
    int result = watch->target->ops->wait_return(watch->target, within_limit(watch, timeout_ms));
    watch->losses.absent = result != 0;
    watch->losses.fresh = result == 0;
    if (result == 0)
        losses_saw_comeback(&watch->losses, device_us(watch));
    look_again(watch);
    return result;
}

static uint64_t watched_now_us(struct target *target)
{
    return device_us(watch_of(target));
}

static uint64_t watched_late_us(struct target *target)
{
    struct target *device = watch_of(target)->target;
    return device->ops->late_us(device);
}

static void watched_sleep_ms(struct target *target, unsigned ms)
{
    struct watch *watch = watch_of(target);
    if (refuse(watch))
        return;
    unsigned slept_ms = within_limit(watch, ms);
    watch->target->ops->sleep_ms(watch->target, slept_ms);
    if (!(watch->target->capabilities & TARGET_VIRTUAL_TIME))
        watch->slept_ms += slept_ms;
}

static const char *watched_trouble(struct target *target)
{
    struct target *device = watch_of(target)->target;
    return device->ops->trouble ? device->ops->trouble(device) : NULL;
}

void watch_look_for_trouble(struct watch *watch)
{
    const char *trouble = watched_trouble(&watch->base);
    bool is_new = trouble && strcmp(trouble, watch->known_trouble) != 0;
    snprintf(watch->known_trouble, sizeof watch->known_trouble, "%s", trouble ? trouble : "");
    if (is_new && !*watch->trouble)
        snprintf(watch->trouble, sizeof watch->trouble, "%s", trouble);
}

void watch_forget_trouble(struct watch *watch)
{
    watch_look_for_trouble(watch);
    watch->trouble[0] = '\0';
}

static void watched_close(struct target *target)
{
    struct target *device = watch_of(target)->target;
    device->ops->close(device);
}

static const struct target_ops watched_ops = {
    .control = watched_control,
    .control_departing = watched_control_departing,
    .transfer = watched_transfer,
    .set_configuration = watched_set_configuration,
    .set_interface = watched_set_interface,
    .clear_halt = watched_clear_halt,
    .reset = watched_reset,
    .to_default = watched_to_default,
    .to_address = watched_to_address,
    .suspend = watched_suspend,
    .resume = watched_resume,
    .power_cycle = watched_power_cycle,
    .wait_leave = watched_wait_leave,
    .wait_return = watched_wait_return,
    .now_us = watched_now_us,
    .sleep_ms = watched_sleep_ms,
    .late_us = watched_late_us,
    .trouble = watched_trouble,
    .close = watched_close,
};

void watch_init(struct watch *watch, struct target *target, const struct losses_view *view)
{
    *watch = (struct watch){.target = target, .base.ops = &watched_ops};
    look_again(watch);
    losses_init(&watch->losses, view, device_us(watch));
}
