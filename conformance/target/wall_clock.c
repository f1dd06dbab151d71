// SPDX-License-Identifier: MIT

#include <errno.h>
#include <time.h>

#include "wall_clock.h"

uint64_t wall_clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t wall_clock_now_us(struct target *target)
{
    (void)target;
    return wall_clock_us();
}

void wall_clock_sleep_ms(struct target *target, unsigned ms)
{
    (void)target;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}
