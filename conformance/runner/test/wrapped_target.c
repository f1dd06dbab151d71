// SPDX-License-Identifier: MIT

#include "wrapped_target.h"

static struct wrapped_target *wrapped_of(struct target *target)
{
    return (struct wrapped_target *)target;
}

static struct target *inner(struct target *target)
{
    return wrapped_of(target)->target;
}

static int after(struct target *target, int result)
{
    struct wrapped_target *wrapped = wrapped_of(target);
    const struct target_ops *ops = target->ops;
    *target = *wrapped->target;
    target->ops = ops;
    if (wrapped->after)
        wrapped->after(wrapped);
    return result;
}

static bool before(struct target *target, enum wrapped_step step, unsigned ms, int *ret_result)
{
    struct wrapped_target *wrapped = wrapped_of(target);
    return wrapped->before(wrapped, step, ms, ret_result);
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    int result;
    if (before(target, WRAPPED_REQUEST, timeout_ms, &result))
        result = after(target, inner(target)->ops->control(inner(target), setup, data, timeout_ms));
    return result;
}

static int control_departing(struct target *target,
                             const struct usbdev_setup_packet *setup,
                             uint8_t *data,
                             unsigned timeout_ms,
                             const struct target_departure *departure)
{
    int result;
    if (before(target, WRAPPED_REQUEST, timeout_ms, &result))
        result = after(target, inner(target)->ops->control_departing(inner(target), setup, data,
                                                                     timeout_ms, departure));
    return result;
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    int result;
    if (before(target, WRAPPED_TRANSFER, timeout_ms, &result))
        result = after(target, inner(target)->ops->transfer(inner(target), bEndpointAddress, data,
                                                            length, timeout_ms));
    return result;
}

static int set_configuration(struct target *target, uint8_t value)
{
    int result;
    if (before(target, WRAPPED_REQUEST, 0, &result))
        result = after(target, inner(target)->ops->set_configuration(inner(target), value));
    return result;
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    int result;
    if (before(target, WRAPPED_REQUEST, 0, &result))
        result =
            after(target, inner(target)->ops->set_interface(inner(target), interface, alternate));
    return result;
}

static int clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    int result;
    if (before(target, WRAPPED_REQUEST, 0, &result))
        result = after(target, inner(target)->ops->clear_halt(inner(target), bEndpointAddress));
    return result;
}

static int
operate(struct target *target, enum wrapped_step step, int (*operation)(struct target *target))
{
    int result;
    if (before(target, step, 0, &result))
        result = after(target, operation(inner(target)));
    return result;
}

static int reset(struct target *target)
{
    return operate(target, WRAPPED_BUS, inner(target)->ops->reset);
}

static int to_default(struct target *target)
{
    return operate(target, WRAPPED_BUS, inner(target)->ops->to_default);
}

static int to_address(struct target *target)
{
    return operate(target, WRAPPED_BUS, inner(target)->ops->to_address);
}

static int suspend(struct target *target)
{
    return operate(target, WRAPPED_BUS, inner(target)->ops->suspend);
}

static int resume(struct target *target)
{
    return operate(target, WRAPPED_BUS, inner(target)->ops->resume);
}

static int power_cycle(struct target *target)
{
    return operate(target, WRAPPED_POWER_CYCLE, inner(target)->ops->power_cycle);
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    int result;
    if (before(target, WRAPPED_WAIT_LEAVE, timeout_ms, &result))
        result = after(target, inner(target)->ops->wait_leave(inner(target), timeout_ms));
    return result;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    int result;
    if (before(target, WRAPPED_WAIT_RETURN, timeout_ms, &result))
        result = after(target, inner(target)->ops->wait_return(inner(target), timeout_ms));
    return result;
}

static uint64_t now_us(struct target *target)
{
    return inner(target)->ops->now_us(inner(target));
}

static void sleep_ms(struct target *target, unsigned ms)
{
    int result;
    if (before(target, WRAPPED_SLEEP, ms, &result))
        inner(target)->ops->sleep_ms(inner(target), ms);
}

static uint64_t late_us(struct target *target)
{
    return wrapped_of(target)->late_us;
}

static void close_inner(struct target *target)
{
    inner(target)->ops->close(inner(target));
}

static const struct target_ops wrapped_ops = {
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
    .late_us = late_us,
    .close = close_inner,
};

void wrapped_target_init(struct wrapped_target *wrapped, struct target *target)
{
    wrapped->target = target;
    wrapped->base.ops = &wrapped_ops;
    after(&wrapped->base, 0);
}
