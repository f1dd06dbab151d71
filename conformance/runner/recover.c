// SPDX-License-Identifier: MIT
//
// Recovery of a device that no longer answers, in this order: wait for it to come back, reset the
// bus, cycle the power. Each is a step of the transcript, so that reports and captures show what
// was needed.

#include "run.h"
#include <conformance/modes.h>

bool device_answers(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint16_t length;
    int result = probe_ask_device(probe, bytes, &length);
    return result >= 0 || result == USB_STALL || result == USB_OVERFLOW;
}

static bool can(const struct run *run, unsigned capability)
{
    return run->probe.target->capabilities & capability;
}

static bool wait_for(struct run *run)
{
    struct probe *probe = &run->probe;
    return !run->watch.losses.absent &&
           probe_wait_return(probe, mode_return_ms(probe), "the device to come back") == 0 &&
           device_answers(probe);
}

static bool reset(struct run *run)
{
    struct probe *probe = &run->probe;
    if (!can(run, TARGET_CAN_RESET))
        return false;
    int result = probe_reset(probe);
    if (result == USB_GONE)
        result = probe_wait_return(probe, mode_return_ms(probe), "the device after a bus reset");
    return result == 0 && device_answers(probe);
}

static bool cycle_power(struct run *run)
{
    return can(run, TARGET_CAN_POWER) && probe_power_cycle(&run->probe) == 0 &&
           device_answers(&run->probe);
}

static bool bring_back(struct run *run)
{
    bool gone = run->watch.losses.last.gone;
    if (gone && wait_for(run))
        return true;
    losses_give_up(&run->watch.losses, probe_now_us(&run->probe));
    if (run->options->stop_on_loss)
        return false;
    // A question that it is lost at again is not asked the second time (fatal.h).
    return (!gone && reset(run)) || cycle_power(run) || cycle_power(run);
}

bool quieten_or_recover(struct run *run)
{
    struct probe *probe = &run->probe;
    const struct losses *losses = &run->watch.losses;
    if (losses->silent && !losses->last.gone && !device_answers(probe))
        return bring_back(run);
    if (mode_quieten(probe) && (!losses->silent || device_answers(probe)))
        return true;
    return bring_back(run);
}

bool find_again(struct run *run)
{
    enum { LOOK_MS = 1000 };
    struct probe *probe = &run->probe;
    if (run->options->stop_on_loss)
        return false;
    return (probe_wait_return(probe, LOOK_MS, "the device to come back") == 0 &&
            device_answers(probe)) ||
           cycle_power(run);
}
