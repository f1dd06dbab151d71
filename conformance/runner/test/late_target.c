// SPDX-License-Identifier: MIT

#include "late_target.h"

static void dawdle(struct late_target *late)
{
    struct target *target = late->wrapped.target;
    if (!late->untold)
        late->wrapped.late_us += late->late_ms * UINT64_C(1000);
    target->ops->sleep_ms(target, late->late_ms);
}

// xorshift32
static uint32_t next_random(struct late_target *late)
{
    late->seed ^= late->seed << 13;
    late->seed ^= late->seed >> 17;
    late->seed ^= late->seed << 5;
    return late->seed;
}

static bool
before(struct wrapped_target *wrapped, enum wrapped_step step, unsigned ms, int *ret_result)
{
    struct late_target *late = (struct late_target *)wrapped;
    (void)ms, (void)ret_result;
    late->is_late = (late->seed ? next_random(late) : late->steps++) % late->every == 0;
    if (late->is_late && (!late->after || step == WRAPPED_SLEEP))
        dawdle(late);
    return true;
}

static void after(struct wrapped_target *wrapped)
{
    struct late_target *late = (struct late_target *)wrapped;
    if (late->is_late && late->after)
        dawdle(late);
    wrapped->base.capabilities &= ~(unsigned)TARGET_VIRTUAL_TIME;
    wrapped->base.capabilities |= TARGET_KNOWS_LATENESS;
}

void late_target_init(struct late_target *late, struct target *target)
{
    *late = (struct late_target){.wrapped = {.before = before, .after = after}, .every = 1};
    wrapped_target_init(&late->wrapped, target);
}
