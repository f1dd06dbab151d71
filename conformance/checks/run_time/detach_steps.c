// SPDX-License-Identifier: MIT

#include "detach_steps.h"

enum {
    COARSE_MS = 1000,  // what a coarse timer may add to its time, and half of that
    SETTLED_MS = 4000, // so long after power-on a product has started all that it does
};

unsigned detach_timer_ms(const struct probe *probe, unsigned wValue)
{
    unsigned longest_ms = device_detach_timeout(&probe->run_time);
    return wValue < longest_ms ? wValue : longest_ms;
}

unsigned after_detach_timer_ms(const struct probe *probe, unsigned wValue)
{
    unsigned ms = detach_timer_ms(probe, wValue);
    return ms + ms / 2 + COARSE_MS;
}

bool given_detach(struct probe *probe)
{
    return given(probe, expect_detach(probe, detach_time(probe)));
}

bool given_dfu_mode(struct probe *probe)
{
    return given_detach(probe) && given(probe, expect_dfu_mode(probe, PROBE_RETURN_MS));
}

unsigned unsettled_ms(struct probe *probe)
{
    uint64_t up_ms = (probe_now_us(probe) - probe->since.returned_us) / 1000;
    return up_ms < SETTLED_MS ? SETTLED_MS - (unsigned)up_ms : 0;
}
