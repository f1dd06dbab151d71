// SPDX-License-Identifier: MIT
//
// Needs are tested in the order target, run-time device, device in this mode, and the first one
// that is missing names the reason of the SKIP. A missing capability of the target is a plain SKIP;
// a device of another kind makes the check inapplicable, which is counted apart.

#include "needs.h"

#include <conformance/catalogue.h>

struct need_of_target {
    unsigned need;
    unsigned capability;
};

static const struct need_of_target needs_of_target[] = {
    {NEED_RESET, TARGET_CAN_RESET},     {NEED_RAW, TARGET_CAN_RAW},
    {NEED_ADDRESS, TARGET_CAN_ADDRESS}, {NEED_DEFAULT, TARGET_CAN_DEFAULT},
    {NEED_SUSPEND, TARGET_CAN_SUSPEND}, {NEED_ANY_LENGTH, TARGET_CAN_ANY_LENGTH},
    {NEED_DEPART, TARGET_CAN_DEPART},
};

static unsigned missing_of_target(const struct probe *probe, unsigned needs)
{
    for (size_t i = 0; i < sizeof needs_of_target / sizeof needs_of_target[0]; i++) {
        if ((needs & needs_of_target[i].need) &&
            !(probe->target->capabilities & needs_of_target[i].capability))
            return needs_of_target[i].need;
    }
    return 0;
}

// bitWillDetach is a property of the run-time device; the boot loader often says something else.
static unsigned missing_of_run_time(const struct probe *probe, unsigned needs)
{
    const struct device *device = &probe->run_time;
    if (!(needs & (NEED_WILL_DETACH | NEED_WAIT_RESET)))
        return 0;
    if (!device->functional)
        return NEED_FUNCTIONAL;
    if ((needs & NEED_WILL_DETACH) && !device_will_detach(device))
        return NEED_WILL_DETACH;
    if ((needs & NEED_WAIT_RESET) && device_will_detach(device))
        return NEED_WAIT_RESET;
    return 0;
}

static unsigned missing_of_device(const struct probe *probe, bool allow_write, unsigned needs)
{
    const struct device *device = probe_device(probe);
    uint8_t attributes = device_attributes(device);
    if ((needs & NEED_DFU_INTERFACE) && !device->dfu)
        return NEED_DFU_INTERFACE;
    if ((needs & NEED_FUNCTIONAL) && !device->functional)
        return NEED_FUNCTIONAL;
    if ((needs & NEED_CAN_DNLOAD) && !(attributes & DFURT_ATTR_CAN_DNLOAD))
        return NEED_CAN_DNLOAD;
    if ((needs & NEED_CAN_UPLOAD) && !(attributes & DFURT_ATTR_CAN_UPLOAD))
        return NEED_CAN_UPLOAD;
    if ((needs & NEED_DFUSE) && !device_is_dfuse(device))
        return NEED_DFUSE;
    if ((needs & NEED_PLAIN) && device_is_dfuse(device))
        return NEED_PLAIN;
    if ((needs & NEED_DNLOAD_BEGUN) && !device_is_dfuse(device) && !allow_write)
        return NEED_DNLOAD_BEGUN;
    if ((needs & NEED_OTHER_INTERFACE) && device_other_interface(device) < 0)
        return NEED_OTHER_INTERFACE;
    return 0;
}

// A device of another kind is not a gap that a person could close, so it is counted apart.
static bool skip_for(struct probe *probe, unsigned missing)
{
    const unsigned kinds = NEED_WILL_DETACH | NEED_WAIT_RESET | NEED_CAN_DNLOAD | NEED_CAN_UPLOAD |
                           NEED_DFUSE | NEED_PLAIN | NEED_OTHER_INTERFACE;
    if (missing & kinds)
        return probe_inapplicable(probe, need_text(missing));
    return probe_skip(probe, "needs %s", need_text(missing));
}

// A boot loader of another dialect: no option would make the check apply.
static bool is_of_other_dialect(const struct probe *probe, unsigned needs)
{
    const struct device *device = &probe->dfu_mode;
    return device->seen && (((needs & NEED_DFUSE) && !device_is_dfuse(device)) ||
                            ((needs & NEED_PLAIN) && device_is_dfuse(device)));
}

bool needs_before_mode(struct probe *probe,
                       const struct runner_options *options,
                       const struct check *check)
{
    if (options->skip && glob_list_matches(options->skip, check->id))
        return probe_skip(probe, "--skip");
    bool moves = (check->needs & NEED_DETACH) ||
                 ((check->needs & NEED_DFU_MODE) && probe->mode != DEVICE_DFU_MODE);
    if (moves && options->no_detach)
        return probe_skip(probe, "--no-detach");
    if (is_of_other_dialect(probe, check->needs))
        return skip_for(probe, check->needs & (NEED_DFUSE | NEED_PLAIN));
    if ((check->needs & NEED_WRITE) && !options->allow_write)
        return probe_refuse(probe, GATE_NEEDS_WRITE);
    if ((check->needs & NEED_RUN_TIME) && !probe->run_time.seen)
        return probe_inapplicable(probe, "run time; the run began with the device in DFU mode");

    unsigned missing = missing_of_target(probe, check->needs);
    if (!missing)
        missing = missing_of_run_time(probe, check->needs);
    return !missing || skip_for(probe, missing);
}

bool needs_in_mode(struct probe *probe,
                   const struct runner_options *options,
                   const struct check *check)
{
    unsigned missing = missing_of_device(probe, options->allow_write, check->needs);
    if (missing == NEED_DNLOAD_BEGUN)
        return probe_refuse(probe, GATE_NEEDS_WRITE);
    return !missing || skip_for(probe, missing);
}
