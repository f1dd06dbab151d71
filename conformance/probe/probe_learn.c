// SPDX-License-Identifier: MIT
//
// What each request that was sent says of the device: whether DETACH leads it away, until when it
// is busy, whether it manifests. What the gate has to know of it, the gate learns itself.

#include "probe_private.h"

static bool
is_dfu(const struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t bRequest)
{
    const struct usbdev_setup_packet dfu = dfu_setup(probe, bRequest, 0, 0);
    return setup->bmRequestType == dfu.bmRequestType && setup->bRequest == bRequest &&
           setup->wIndex == dfu.wIndex;
}

// The device may have entered the state when the request was sent.
static void note_busy(struct probe *probe, uint64_t asked_us, const struct dfu_status_reply *status)
{
    bool busy =
        status->bState == DFURT_STATE_dfuDNBUSY || status->bState == DFURT_STATE_dfuMANIFEST;
    uint64_t poll_us = busy ? (uint64_t)status->bwPollTimeout * 1000 : 0;
    probe->since.busy_end_us = probe_now_us(probe) + poll_us;
    probe->since.busy_until_us = asked_us + poll_us / 2;
    if (status->bState == DFURT_STATE_dfuMANIFEST)
        probe->since.manifest_end_us = probe->since.busy_end_us;
}

uint16_t probe_detach_time(const struct probe *probe)
{
    enum { USUAL_MS = 1000 };
    unsigned longest_ms = device_detach_timeout(&probe->run_time);
    if (longest_ms == 0)
        return probe->takes_no_time ? 0 : USUAL_MS;
    return longest_ms < USUAL_MS ? (uint16_t)longest_ms : USUAL_MS;
}

// By 5.1 a device whose wDetachTimeOut is 0 may refuse any other wValue, and most take the usual
// one. What was judged by the usual one is judged again.
static void learn_of_refused_time(struct probe *probe, const struct usbdev_setup_packet *detach)
{
    bool refused = detach->wValue > 0 && detach->wLength == 0 && !probe->detached &&
                   device_detach_timeout(&probe->run_time) == 0;
    probe->time.again |= refused && !probe->takes_no_time;
    probe->takes_no_time |= refused;
}

static void
learn_of_detach(struct probe *probe, const struct usbdev_setup_packet *detach, int result)
{
    bool taken = result == 0 || result == USB_GONE;
    if (probe->mode == DEVICE_RUN_TIME) {
        if (result == USB_STALL)
            learn_of_refused_time(probe, detach);
        probe->detached |= taken;
        probe->stuck &= !taken;
        return;
    }
    probe->since.leaving |= taken;
    if (taken)
        probe->loader.detach = DM_DETACH_TAKEN;
    else if (result == USB_STALL && probe->loader.detach == DM_DETACH_UNTRIED)
        probe->loader.detach = DM_DETACH_STALLS;
}

void probe_learn_of_manifestation(struct probe *probe)
{
    probe->since.may_restart =
        probe->mode == DEVICE_DFU_MODE && probe->loader.restart != RESTART_NEVER;
}

// Any request but a question ends it. DfuSe's DNLOAD of nothing is a request to leave (AN3156 5.5):
// a device that stays behind one may leave behind the next.
static void
learn_of_download_end(struct probe *probe, const struct usbdev_setup_packet *setup, int result)
{
    bool ends = setup->wLength == 0 && is_dfu(probe, setup, DFURT_DNLOAD) && result >= 0 &&
                !device_is_dfuse(&probe->dfu_mode);
    bool asks = setup->bmRequestType & USBDEV_DIR_IN;
    probe->since.manifests = ends || (probe->since.manifests && asks);
    if (!probe->since.manifests || probe->gate.state != DFURT_STATE_dfuIDLE)
        return;
    probe->since.manifests = false;
    probe->since.manifest_end_us = 0; // it is over
    probe_learn_of_manifestation(probe);
}

// In DFU mode a request that STALLs leads to dfuERROR, and there GETSTATUS may be asked as well.
static void
learn_of_refusal(struct probe *probe, const struct usbdev_setup_packet *setup, int result)
{
    bool is_getstate = is_dfu(probe, setup, DFURT_GETSTATE);
    bool is_class = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;
    bool lost = result == USB_GONE || result == USB_IO || result == USB_TIMEOUT;
    if (probe->mode != DEVICE_DFU_MODE || !is_class)
        return;
    if (is_getstate && probe->since.refused && probe_may_ask_getstate(probe))
        probe->loader.mute_errors = lost ? probe->loader.mute_errors + 1 : 0;
    if (!is_getstate && !is_dfu(probe, setup, DFURT_GETSTATUS))
        probe->since.refused = result == USB_STALL;
}

void probe_learn(struct probe *probe,
                 const struct usbdev_setup_packet *setup,
                 const uint8_t *data,
                 int result,
                 uint64_t start_us)
{
    gate_saw(&probe->gate, setup, data, result, result == USB_STALL);
    if (is_dfu(probe, setup, DFURT_DETACH))
        learn_of_detach(probe, setup, result);
    learn_of_download_end(probe, setup, result);
    learn_of_refusal(probe, setup, result);
    if (result == DFURT_STATUS_REPLY_SIZE && is_dfu(probe, setup, DFURT_GETSTATUS)) {
        const struct dfu_status_reply status = dfu_status_load(data);
        note_busy(probe, start_us, &status);
    }
}
