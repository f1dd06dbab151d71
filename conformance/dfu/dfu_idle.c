// SPDX-License-Identifier: MIT
//
// The ways to dfuIDLE, from any state. A download that is under way is ended by ABORT: GETSTATUS
// would carry out the block that waits in dfuDNLOAD-SYNC, or manifest what is there.

#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

enum {
    STEPS = 20, // more than lie between any state and dfuIDLE
};

// Returns whether it was sent: a request that is fatal to this device is not, on the suite's own
// way.
static bool request(struct probe *probe, uint8_t bRequest)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, 0);
    return probe_control(probe, &setup, NULL) != USB_UNSUPPORTED;
}

// In a busy state any request leads to dfuERROR.
static void wait_until_not_busy(struct probe *probe)
{
    uint64_t now_us = probe_now_us(probe);
    int state = probe->gate.state;
    bool settled = state == DFURT_STATE_dfuIDLE || state == DFURT_STATE_dfuERROR ||
                   state == DFURT_STATE_dfuDNLOAD_IDLE || state == DFURT_STATE_dfuUPLOAD_IDLE;
    if (settled || probe->since.busy_end_us <= now_us)
        return;
    uint64_t left_ms = (probe->since.busy_end_us - now_us) / 1000 + 1;
    probe_sleep(probe, dfu_wait_ms(probe, left_ms), "the busy state to end");
}

// Without GETSTATUS or GETSTATE: ABORT leads to dfuIDLE or to dfuERROR, which CLRSTATUS ends.
static bool to_idle_unasked(struct probe *probe)
{
    struct dfu_status_reply status;
    for (int i = 0; i < STEPS; i++) {
        bool aborted = request(probe, DFURT_ABORT);
        request(probe, DFURT_CLRSTATUS);
        if ((!aborted && probe->gate.accepted) || !dfu_ask(probe, &status))
            return false;
        if (status.bState == DFURT_STATE_dfuERROR) {
            request(probe, DFURT_CLRSTATUS);
            if (!dfu_ask(probe, &status))
                return false;
        }
        if (status.bState == DFURT_STATE_dfuIDLE)
            return true;
        wait_until_not_busy(probe);
    }
    return false;
}

// GETSTATE was not answered twice: does the device not implement it, or has it left?
static bool without_getstate(struct probe *probe)
{
    uint8_t state;
    if (!to_idle_unasked(probe))
        return false;
    if (probe->loader.getstate != GETSTATE_UNTRIED)
        return true;
    bool answered = dfu_ask_state(probe, &state);
    probe->loader.getstate = answered ? GETSTATE_WORKS : GETSTATE_MISSING;
    return answered || to_idle_unasked(probe); // GETSTATUS itself may lead to dfuERROR
}

// DETACH in appIDLE, with the descriptors of DFU mode, leads to dfuIDLE on some. Others treat it as
// at run time: dfuIDLE follows when they leave the bus by themselves, or at a bus reset (A.2.2).
static bool leave_app_idle(struct probe *probe)
{
    enum { DETACH_MS = 1000 };
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, DETACH_MS, 0);
    uint8_t state;
    if (probe->gate.accepted)
        return false; // on others it starts what memory holds, which may be half an image
    probe_control(probe, &detach, NULL);
    if (!dfu_ask_state(probe, &state) || state != DFURT_STATE_appDETACH)
        return probe->gate.mode == GATE_DFU_MODE;
    if (device_will_detach(&probe->dfu_mode) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0)
        probe_wait_return(probe, mode_return_ms(probe), "DFU mode");
    else if (probe->target->capabilities & TARGET_CAN_RESET)
        probe_reset(probe);
    return probe->mode == DEVICE_DFU_MODE;
}

// Returns false where no request changes the state.
static bool step_to_idle(struct probe *probe, uint8_t state)
{
    switch (state) {
    case DFURT_STATE_dfuDNBUSY:
    case DFURT_STATE_dfuMANIFEST:
        probe_sleep(probe, 10, "the busy state to end");
        return true;
    case DFURT_STATE_dfuERROR:
        return request(probe, DFURT_CLRSTATUS);
    case DFURT_STATE_appIDLE: // by DETACH in dfuIDLE, on some
        return leave_app_idle(probe);
    case DFURT_STATE_dfuDNLOAD_SYNC:
    case DFURT_STATE_dfuDNLOAD_IDLE:
    case DFURT_STATE_dfuMANIFEST_SYNC:
    case DFURT_STATE_dfuUPLOAD_IDLE:
        // CLRSTATUS, which none of these states has, leads to dfuERROR.
        return request(probe, DFURT_ABORT) || request(probe, DFURT_CLRSTATUS);
    default:
        return false;
    }
}

// Did the last class request before GETSTATE lead to another state than dfuIDLE, or might it have?
static bool is_doubtful(const struct probe *probe)
{
    for (size_t i = transcript_count(&probe->transcript); i-- > 0;) {
        const struct transcript_entry *entry = transcript_get(&probe->transcript, i);
        bool is_class = entry->kind == TRANSCRIPT_CONTROL &&
                        (entry->setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;
        if (is_class && entry->setup[1] != DFURT_GETSTATE)
            return entry->result == USB_STALL || entry->setup[1] == DFURT_UPLOAD;
    }
    return false;
}

// GETSTATE says dfuIDLE behind a STALL, which leads to dfuERROR, or behind an UPLOAD, which only a
// short block ends. What does GETSTATUS say?
static bool is_untrue(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!is_doubtful(probe) || !dfu_ask(probe, &status) || status.bState == DFURT_STATE_dfuIDLE ||
        status.bState > DFURT_STATE_dfuERROR)
        return false;
    probe->loader.getstate = GETSTATE_UNTRUE;
    return true;
}

static bool to_idle(struct probe *probe)
{
    int unanswered = 0;
    wait_until_not_busy(probe);
    if (dfu_lacks_getstate(probe))
        return to_idle_unasked(probe);
    for (int i = 0; i < STEPS; i++) {
        uint8_t state;
        if (!dfu_ask_state(probe, &state)) {
            if (++unanswered == 2)
                return without_getstate(probe);
            continue; // asked in a busy state: dfuERROR now
        }
        unanswered = 0;
        if (state == DFURT_STATE_dfuIDLE)
            return !is_untrue(probe) || to_idle_unasked(probe);
        if (!step_to_idle(probe, state))
            return state != DFURT_STATE_dfuMANIFEST_WAIT_RESET && to_idle_unasked(probe);
    }
    return to_idle_unasked(probe);
}

static bool rewind_upload(struct probe *probe)
{
    const struct usb_configuration *config = &probe->dfu_mode.config;
    if (!to_idle(probe))
        return false;
    request(probe, DFURT_ABORT);
    if (probe->dfu_mode.dfu && config->interface_count > 1)
        probe_set_interface(probe, probe->dfu_mode.dfu->bInterfaceNumber, probe->since.alternate);
    return to_idle(probe);
}

static bool on_the_way(struct probe *probe, bool (*go)(struct probe *probe))
{
    probe->on_the_way++;
    bool arrived = go(probe);
    probe->on_the_way--;
    return arrived;
}

bool dfu_to_idle(struct probe *probe)
{
    return on_the_way(probe, to_idle);
}

bool dfu_rewind(struct probe *probe)
{
    return on_the_way(probe, rewind_upload);
}
