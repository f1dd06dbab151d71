// SPDX-License-Identifier: MIT
//
// wall_ns is the wall-clock time up to which the device has run. Each step moves the device and
// wall_ns forward by at most a millisecond. A gap of more than a second (the program was stopped)
// is dropped.

#include <sim/pace.h>

static const uint64_t step_ns = SIM_MS;
static const uint64_t forgiven_ns = 1000 * SIM_MS;

bool sim_pace_step(struct sim_pace *pace, struct sim_host *host, uint64_t wall_ns)
{
    uint64_t behind_ns;

    if (!pace->wall_ns)
        pace->wall_ns = wall_ns;
    behind_ns = wall_ns - pace->wall_ns;
    if (behind_ns > step_ns && !sim_host_at_rest(host)) {
        if (behind_ns > forgiven_ns)
            pace->wall_ns = wall_ns - forgiven_ns;
        behind_ns = step_ns;
    }
    sim_host_run_until(host, sim_host_now(host) + behind_ns);
    pace->wall_ns += behind_ns;
    return pace->wall_ns < wall_ns;
}
