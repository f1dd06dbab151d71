// SPDX-License-Identifier: MIT

#include "detach_steps.h"

enum { COARSE_MS = 1000 }; // what a coarse timer may add to its time, and half of that

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
    return given(probe, expect_detach(probe, probe_detach_time(probe)));
}

static bool given_reset_leaves(struct probe *probe)
{
    int result = probe_reset(probe);
    if (result == 0 && probe->mode != DEVICE_DFU_MODE)
        result = probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave after the bus reset");
    return result == 0 || result == USB_GONE ||
           probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
}

bool given_departure(struct probe *probe)
{
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), 0);
    int result = probe_control(probe, &detach, NULL);
    bool early = result == USB_GONE || result == USB_IO;
    if (early && probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") != 0)
        return probe_inconclusive(probe, "DETACH: %s", usb_result_text(result));
    if (!early && !given(probe, expect_detached(probe, result)))
        return false;
    if (!early && !(device_will_detach(&probe->run_time) ? given(probe, expect_leave(probe))
                                                         : given_reset_leaves(probe)))
        return false;
    return probe->mode == DEVICE_DFU_MODE ||
           given(probe, expect_return(probe, PROBE_RETURN_MS, "DFU mode"));
}

// An earlier attempt of this check is none.
bool was_seen(struct probe *probe, const struct check *in, const char *expected)
{
    if (!in || in == probe->check)
        return false;
    probe_note(probe, "as was seen in %s", in->id);
    return expect(probe, true, expected, "the same");
}

bool given_dfu_mode(struct probe *probe)
{
    return given_departure(probe) &&
           given(probe, expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode after DETACH",
                               "the device is at run time"));
}
