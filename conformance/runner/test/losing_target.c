// SPDX-License-Identifier: MIT

#include "losing_target.h"

// Returns what a step results in while the device is off the bus.
static int result_without_device(struct losing_target *losing, enum wrapped_step step, unsigned ms)
{
    struct target *target = losing->wrapped.target;
    if (step == WRAPPED_WAIT_LEAVE)
        return 0;
    if (step != WRAPPED_WAIT_RETURN)
        return USB_GONE;
    target->ops->sleep_ms(target, ms);
    return USB_TIMEOUT;
}

static bool
before(struct wrapped_target *wrapped, enum wrapped_step step, unsigned ms, int *ret_result)
{
    struct losing_target *losing = (struct losing_target *)wrapped;
    if (step == WRAPPED_SLEEP)
        return true;
    if (step == WRAPPED_POWER_CYCLE) {
        losing->lost = false;
        losing->requests = losing->each_time ? 0 : losing->requests;
    }
    if (step == WRAPPED_REQUEST && !losing->lost)
        losing->lost = ++losing->requests == losing->lost_at;
    if (step == WRAPPED_WAIT_RETURN && losing->waits < LOSING_WAITS)
        losing->waited_at[losing->waits++] = losing->requests;
    if (losing->lost)
        *ret_result = result_without_device(losing, step, ms);
    return !losing->lost;
}

void losing_target_init(struct losing_target *losing, struct target *target, unsigned lost_at)
{
    *losing = (struct losing_target){.wrapped = {.before = before}, .lost_at = lost_at};
    wrapped_target_init(&losing->wrapped, target);
}
