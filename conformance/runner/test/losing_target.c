// SPDX-License-Identifier: MIT

#include "losing_target.h"

static struct losing_target *losing_of(struct target *target)
{
    return (struct losing_target *)target;
}

// The device under it may have changed.
static int pass_on(struct losing_target *losing, int result)
{
    const struct target_ops *ops = losing->base.ops;
    losing->base = *losing->target;
    losing->base.ops = ops;
    return result;
}

static bool is_lost(struct losing_target *losing)
{
    if (!losing->lost)
        losing->lost = ++losing->requests == losing->lost_at;
    return losing->lost;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct losing_target *losing = losing_of(target);
    if (is_lost(losing))
        return USB_GONE;
    return pass_on(losing, losing->target->ops->control(losing->target, setup, data, timeout_ms));
}

static int control_departing(struct target *target,
                             const struct usbdev_setup_packet *setup,
                             uint8_t *data,
                             unsigned timeout_ms,
                             const struct target_departure *departure)
{
    struct losing_target *losing = losing_of(target);
    if (is_lost(losing))
        return USB_GONE;
    return pass_on(losing, losing->target->ops->control_departing(losing->target, setup, data,
                                                                  timeout_ms, departure));
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct losing_target *losing = losing_of(target);
    if (losing->lost)
        return USB_GONE;
    return pass_on(losing, losing->target->ops->transfer(losing->target, bEndpointAddress, data,
                                                         length, timeout_ms));
}

static int set_configuration(struct target *target, uint8_t value)
{
    struct losing_target *losing = losing_of(target);
    if (is_lost(losing))
        return USB_GONE;
    return pass_on(losing, losing->target->ops->set_configuration(losing->target, value));
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct losing_target *losing = losing_of(target);
    if (is_lost(losing))
        return USB_GONE;
    return pass_on(losing,
                   losing->target->ops->set_interface(losing->target, interface, alternate));
}

static int clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    struct losing_target *losing = losing_of(target);
    if (is_lost(losing))
        return USB_GONE;
    return pass_on(losing, losing->target->ops->clear_halt(losing->target, bEndpointAddress));
}

static int unless_lost(struct target *target, int (*operation)(struct target *target))
{
    struct losing_target *losing = losing_of(target);
    return losing->lost ? USB_GONE : pass_on(losing, operation(losing->target));
}

static int reset(struct target *target)
{
    return unless_lost(target, losing_of(target)->target->ops->reset);
}

static int to_default(struct target *target)
{
    return unless_lost(target, losing_of(target)->target->ops->to_default);
}

static int to_address(struct target *target)
{
    return unless_lost(target, losing_of(target)->target->ops->to_address);
}

static int suspend(struct target *target)
{
    return unless_lost(target, losing_of(target)->target->ops->suspend);
}

static int resume(struct target *target)
{
    return unless_lost(target, losing_of(target)->target->ops->resume);
}

static int power_cycle(struct target *target)
{
    struct losing_target *losing = losing_of(target);
    losing->lost = false;
    if (losing->each_time)
        losing->requests = 0;
    return pass_on(losing, losing->target->ops->power_cycle(losing->target));
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct losing_target *losing = losing_of(target);
    if (losing->lost)
        return 0;
    return pass_on(losing, losing->target->ops->wait_leave(losing->target, timeout_ms));
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct losing_target *losing = losing_of(target);
    if (losing->lost) {
        losing->target->ops->sleep_ms(losing->target, timeout_ms);
        return USB_TIMEOUT;
    }
    return pass_on(losing, losing->target->ops->wait_return(losing->target, timeout_ms));
}

static uint64_t now_us(struct target *target)
{
    struct target *device = losing_of(target)->target;
    return device->ops->now_us(device);
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct target *device = losing_of(target)->target;
    device->ops->sleep_ms(device, ms);
}

static void close_losing(struct target *target)
{
    struct target *device = losing_of(target)->target;
    device->ops->close(device);
}

static const struct target_ops losing_ops = {
    .control = control,
    .control_departing = control_departing,
    .transfer = transfer,
    .set_configuration = set_configuration,
    .set_interface = set_interface,
    .clear_halt = clear_halt,
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
    .close = close_losing,
};

void losing_target_init(struct losing_target *losing, struct target *target, unsigned lost_at)
{
    *losing = (struct losing_target){.target = target, .lost_at = lost_at, .base.ops = &losing_ops};
    pass_on(losing, 0);
}
