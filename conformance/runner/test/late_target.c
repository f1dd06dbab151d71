// SPDX-License-Identifier: MIT

#include "late_target.h"

static struct late_target *late_of(struct target *target)
{
    return (struct late_target *)target;
}

static void dawdle(struct late_target *late)
{
    late->late_us += late->late_ms * UINT64_C(1000);
    late->target->ops->sleep_ms(late->target, late->late_ms);
}

// xorshift32
static uint32_t next_random(struct late_target *late)
{
    late->seed ^= late->seed << 13;
    late->seed ^= late->seed >> 17;
    late->seed ^= late->seed << 5;
    return late->seed;
}

static bool is_late(struct late_target *late)
{
    return (late->seed ? next_random(late) : late->steps++) % late->every == 0;
}

static void before_step(struct late_target *late, bool is_late)
{
    if (is_late && !late->after)
        dawdle(late);
}

// The step may have changed what the device is.
static int after_step(struct late_target *late, bool is_late, int result)
{
    const struct target_ops *ops = late->base.ops;
    if (is_late && late->after)
        dawdle(late);
    late->base = *late->target;
    late->base.ops = ops;
    late->base.capabilities &= ~(unsigned)TARGET_VIRTUAL_TIME;
    late->base.capabilities |= TARGET_KNOWS_LATENESS;
    return result;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness,
                      late->target->ops->control(late->target, setup, data, timeout_ms));
}

static int control_departing(struct target *target,
                             const struct usbdev_setup_packet *setup,
                             uint8_t *data,
                             unsigned timeout_ms,
                             const struct target_departure *departure)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(
        late, lateness,
        late->target->ops->control_departing(late->target, setup, data, timeout_ms, departure));
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(
        late, lateness,
        late->target->ops->transfer(late->target, bEndpointAddress, data, length, timeout_ms));
}

static int set_configuration(struct target *target, uint8_t value)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->set_configuration(late->target, value));
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness,
                      late->target->ops->set_interface(late->target, interface, alternate));
}

static int clear_halt(struct target *target, uint8_t bEndpointAddress)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness,
                      late->target->ops->clear_halt(late->target, bEndpointAddress));
}

static int reset(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->reset(late->target));
}

static int to_default(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->to_default(late->target));
}

static int to_address(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->to_address(late->target));
}

static int suspend(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->suspend(late->target));
}

static int resume(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->resume(late->target));
}

static int power_cycle(struct target *target)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->power_cycle(late->target));
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->wait_leave(late->target, timeout_ms));
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct late_target *late = late_of(target);
    bool lateness = is_late(late);
    before_step(late, lateness);
    return after_step(late, lateness, late->target->ops->wait_return(late->target, timeout_ms));
}

static uint64_t now_us(struct target *target)
{
    struct target *device = late_of(target)->target;
    return device->ops->now_us(device);
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct late_target *late = late_of(target);
    if (is_late(late))
        dawdle(late);
    late->target->ops->sleep_ms(late->target, ms);
}

static uint64_t late_us(struct target *target)
{
    return late_of(target)->late_us;
}

static void close_late(struct target *target)
{
    struct target *device = late_of(target)->target;
    device->ops->close(device);
}

static const struct target_ops late_ops = {
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
    .close = close_late,
};

void late_target_init(struct late_target *late, struct target *target)
{
    *late = (struct late_target){.target = target, .every = 1, .base.ops = &late_ops};
    after_step(late, false, 0);
}
