// SPDX-License-Identifier: MIT
//
// The ways from one state to another. A download that is under way is ended by ABORT: GETSTATUS
// would carry out the block that waits in dfuDNLOAD-SYNC, or manifest what is there.

#include <stdio.h>

#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/download.h>
#include <conformance/modes.h>

enum {
    STEPS = 20, // more than lie between any state and dfuIDLE
};

// ---- To dfuIDLE ----

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

// ---- To the other states ----

int dfu_dnload_something(struct probe *probe)
{
    if (!device_is_dfuse(&probe->dfu_mode))
        return download_next_block(probe);
    const struct dfuse_region *region = dfuse_readable(probe);
    if (region)
        return dfuse_command(probe, DFUSE_SET_ADDRESS, region->address);
    probe_inapplicable(probe, "a device with memory that can be read");
    return USB_UNSUPPORTED;
}

static bool not_reached(struct probe *probe, uint8_t bState, const char *step)
{
    return probe_inconclusive(probe, "%s was not reached: %s", usb_dfu_state_name(bState), step);
}

static bool enter_idle(struct probe *probe)
{
    dfuse_select(probe);
    return dfu_to_idle(probe) || not_reached(probe, DFURT_STATE_dfuIDLE, "no request leads there");
}

bool dfu_prepare_dnload(struct probe *probe)
{
    bool ready =
        device_is_dfuse(&probe->dfu_mode) || !probe->gate.leave.write || backup_given(probe);
    download_begin(probe);
    return ready;
}

// The request that leads to the state was accepted: is the device in it, and does it stay there
// when GETSTATE asks? A check that judges GETSTATE asks by itself. Where GETSTATE says no state, as
// its row judges, it may have led away from this one: the way is gone again, and not asked about.
static bool arrive(struct probe *probe, bool (*go)(struct probe *), uint8_t bState, uint8_t subject)
{
    uint8_t state;
    char words[PROBE_WORDS];
    if (!go(probe))
        return false;
    if (dfu_lacks_getstate(probe) || subject == DFURT_GETSTATE ||
        probe->loader.untold & 1u << bState)
        return true;
    int result = probe_ask_getstate(probe, &state);
    if (result == DFURT_STATE_REPLY_SIZE && state == bState)
        result = probe_ask_getstate(probe, &state);
    if (result == USB_GONE || result == USB_IO)
        return not_reached(probe, bState, "GETSTATE is not answered");
    if (result != DFURT_STATE_REPLY_SIZE || state > DFURT_STATE_dfuERROR) {
        probe->loader.untold |= 1u << bState;
        return result == USB_UNSUPPORTED || go(probe);
    }
    if (state == bState)
        return true;
    snprintf(words, sizeof words, "the request was accepted, and the device says %s",
             usb_dfu_state_name(state));
    return not_reached(probe, bState, words);
}

static bool send_block(struct probe *probe)
{
    if (!dfu_prepare_dnload(probe) || !enter_idle(probe))
        return false;
    int result = dfu_dnload_something(probe);
    if (result == USB_STALL && dfuse_is_read_protected(probe))
        return false;
    return result >= 0 || not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, usb_result_text(result));
}

static bool enter_dnload_sync(struct probe *probe, uint8_t subject)
{
    return arrive(probe, send_block, DFURT_STATE_dfuDNLOAD_SYNC, subject);
}

static bool enter_by_getstatus(struct probe *probe, uint8_t bState)
{
    struct dfu_status_reply status;
    if (!dfu_ask(probe, &status))
        return not_reached(probe, bState, "GETSTATUS was not answered");
    if (status.bState == bState)
        return true;
    return probe_skip(probe, "needs a device that goes through %s; this one says %s",
                      usb_dfu_state_name(bState), usb_dfu_state_name(status.bState));
}

static bool enter_dnload_idle(struct probe *probe)
{
    char words[PROBE_WORDS / 2];
    if (!send_block(probe))
        return false;
    if (dfu_finish_block(probe, 0, words, sizeof words))
        return true;
    return !dfuse_is_read_protected(probe) && not_reached(probe, DFURT_STATE_dfuDNLOAD_IDLE, words);
}

// Every block of the image, and the device in dfuDNLOAD-IDLE behind the last of them.
static bool enter_behind_image(struct probe *probe)
{
    char why[PROBE_WORDS];
    return dfu_prepare_dnload(probe) && enter_idle(probe) &&
           (download_image(probe, why, sizeof why) ||
            not_reached(probe, DFURT_STATE_dfuDNLOAD_IDLE, why));
}

static bool end_image(struct probe *probe)
{
    if (!enter_behind_image(probe))
        return false;
    int result = download_end(probe);
    return result >= 0 || not_reached(probe, DFURT_STATE_dfuMANIFEST_SYNC, usb_result_text(result));
}

static bool enter_manifest_sync(struct probe *probe, uint8_t subject)
{
    return arrive(probe, end_image, DFURT_STATE_dfuMANIFEST_SYNC, subject);
}

// Does the answer say that the device is in this state? Where GETSTATE says none, GETSTATUS does.
static bool says(struct probe *probe, uint8_t question, uint8_t bState)
{
    struct dfu_status_reply status;
    uint8_t state;
    if (question == DFURT_GETSTATE && dfu_ask_state(probe, &state) && state <= DFURT_STATE_dfuERROR)
        return state == bState;
    return dfu_ask(probe, &status) && status.bState == bState;
}

static bool begin_upload(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_small_block(probe);
    if (!enter_idle(probe) || !dfu_rewind(probe) || !dfu_point_at_start(probe))
        return false;
    int result = dfu_upload(probe, dfu_first_block(probe), data, size);
    if (result >= 0 && result < size) // a short block ends an upload (DFU 1.1 6.2)
        return probe_skip(probe, "needs a device that uploads more than %d bytes", result);
    return result == size ||
           not_reached(probe, DFURT_STATE_dfuUPLOAD_IDLE, usb_result_text(result));
}

// Block n of DfuSe stands at the address pointer + (n - 2) * wTransferSize (AN3156 4.1): where the
// memory ends before the second one, or the layout does not say where it ends, the first one is
// read again.
static uint16_t second_block(const struct probe *probe)
{
    const struct dfuse_region *region = dfuse_readable(probe);
    bool is_inside = region && (uint64_t)region->sectors * region->sector_size >=
                                   (uint64_t)dfu_transfer_size(probe) + dfu_small_block(probe);
    return (uint16_t)(dfu_first_block(probe) + (is_inside || !device_is_dfuse(&probe->dfu_mode)));
}

// Rows judge each of the two questions, and a wrong device is led away by one: the other one is
// enough, and the upload is begun anew behind it.
bool dfu_enter_upload_idle(struct probe *probe, uint16_t *ret_next)
{
    static const uint8_t questions[] = {DFURT_GETSTATE, DFURT_GETSTATUS};
    bool reached = false;
    *ret_next = second_block(probe);
    for (size_t i = 0; !reached && i < sizeof questions; i++) {
        if (!begin_upload(probe))
            return false;
        reached = says(probe, questions[i], DFURT_STATE_dfuUPLOAD_IDLE);
    }
    if (!reached)
        return not_reached(probe, DFURT_STATE_dfuUPLOAD_IDLE,
                           "the device reports another state after a whole block; "
                           "DM-STATE-2-UPLOAD judges that");
    return begin_upload(probe);
}

static bool says_error(struct probe *probe, uint8_t question)
{
    return says(probe, question, DFURT_STATE_dfuERROR);
}

// If one of the requests changes the state, the next one shows it.
static bool is_in_error(struct probe *probe, uint8_t subject)
{
    if (subject == DFURT_GETSTATE || dfu_lacks_getstate(probe))
        return says_error(probe, DFURT_GETSTATUS) && says_error(probe, DFURT_GETSTATUS);
    if (subject == DFURT_GETSTATUS)
        return says_error(probe, DFURT_GETSTATE) && says_error(probe, DFURT_GETSTATE);
    return says_error(probe, DFURT_GETSTATE) && says_error(probe, DFURT_GETSTATUS) &&
           says_error(probe, DFURT_GETSTATE);
}

// Requests that neither dfuIDLE nor dfuDNLOAD-IDLE has (A.2.3, A.2.6). A wrong device may take one
// of them, which the row of that one judges, and be in dfuERROR all the same. DETACH, at which some
// devices leave the bus, comes last.
static const uint8_t illegal_requests[] = {DFURT_CLRSTATUS, 0x07, DFURT_DETACH};

// A boot loader that takes DETACH may start what it holds.
static bool may_be_sent(struct probe *probe, uint8_t bRequest)
{
    return bRequest != DFURT_DETACH || !probe->gate.accepted ||
           probe->loader.detach == DM_DETACH_STALLS;
}

static bool leads_to_error(struct probe *probe, size_t which, uint8_t subject)
{
    const struct usbdev_setup_packet illegal = dfu_setup(probe, illegal_requests[which], 0, 0);
    int result = probe_control(probe, &illegal, NULL);
    bool asks = result == USB_STALL || illegal.bRequest != DFURT_DETACH;
    bool in_error = asks && is_in_error(probe, subject);
    if (result != USB_STALL && !in_error)
        probe->loader.taken |= 1u << which;
    return in_error;
}

static bool enter_error_from(struct probe *probe, bool (*enter)(struct probe *), uint8_t subject)
{
    for (size_t i = 0; i < sizeof illegal_requests; i++) {
        if (probe->loader.taken & 1u << i)
            continue;
        if (!enter(probe))
            return false;
        if (may_be_sent(probe, illegal_requests[i]) && leads_to_error(probe, i, subject))
            return true;
    }
    return not_reached(probe, DFURT_STATE_dfuERROR,
                       "no unexpected request leads there; DM-STATE-2-CLRSTATUS, -DETACH and "
                       "-OTHER judge that");
}

// Where nothing leads to dfuIDLE the device may be in dfuERROR all the same.
bool dfu_enter_error(struct probe *probe, uint8_t subject)
{
    dfuse_select(probe);
    return (!dfu_to_idle(probe) && is_in_error(probe, subject)) ||
           enter_error_from(probe, enter_idle, subject);
}

static bool leaves_error(struct probe *probe)
{
    enum { NEITHER_DETACHES = 2 }; // of illegal_requests
    bool in_error = false;
    for (size_t i = 0; !in_error && i < NEITHER_DETACHES && to_idle(probe); i++) {
        uint8_t state;
        request(probe, illegal_requests[i]);
        in_error = dfu_ask_state(probe, &state) && state == DFURT_STATE_dfuERROR;
    }
    return !in_error || to_idle(probe);
}

bool dfu_leaves_error(struct probe *probe)
{
    return on_the_way(probe, leaves_error);
}

bool dfu_enter_state(struct probe *probe, uint8_t bState, uint8_t subject)
{
    uint16_t next;
    switch (bState) {
    case DFURT_STATE_dfuDNLOAD_SYNC:
        return enter_dnload_sync(probe, subject);
    case DFURT_STATE_dfuDNBUSY:
        return enter_dnload_sync(probe, subject) && enter_by_getstatus(probe, bState);
    case DFURT_STATE_dfuDNLOAD_IDLE:
        return enter_dnload_idle(probe);
    case DFURT_STATE_dfuMANIFEST_SYNC:
        return enter_manifest_sync(probe, subject);
    case DFURT_STATE_dfuMANIFEST:
        return enter_manifest_sync(probe, subject) && enter_by_getstatus(probe, bState);
    case DFURT_STATE_dfuUPLOAD_IDLE:
        return dfu_enter_upload_idle(probe, &next);
    case DFURT_STATE_dfuERROR:
        return dfu_enter_error(probe, DFURT_CLRSTATUS);
    default:
        return enter_idle(probe);
    }
}

// ---- Behind the whole image ----

// The last block, which the device has accepted and not worked on yet.
static bool send_whole_image(struct probe *probe)
{
    char why[PROBE_WORDS];
    return dfu_prepare_dnload(probe) && enter_idle(probe) &&
           (download_all_but_last(probe, why, sizeof why) ||
            not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, why)) &&
           (download_next_block(probe) >= 0 ||
            not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, "DNLOAD was not accepted"));
}

static bool enter_dnload_sync_with_image(struct probe *probe, uint8_t subject)
{
    return arrive(probe, send_whole_image, DFURT_STATE_dfuDNLOAD_SYNC, subject);
}

bool dfu_enter_state_with_image(struct probe *probe, uint8_t bState, uint8_t subject)
{
    if (device_is_dfuse(&probe->dfu_mode))
        return dfu_enter_state(probe, bState, subject);
    switch (bState) {
    case DFURT_STATE_dfuDNLOAD_SYNC:
        return enter_dnload_sync_with_image(probe, subject);
    case DFURT_STATE_dfuDNBUSY:
        return enter_dnload_sync_with_image(probe, subject) && enter_by_getstatus(probe, bState);
    case DFURT_STATE_dfuDNLOAD_IDLE:
        return enter_behind_image(probe);
    case DFURT_STATE_dfuERROR:
        return enter_error_from(probe, enter_behind_image, DFURT_DNLOAD);
    case DFURT_STATE_dfuMANIFEST_SYNC:
    case DFURT_STATE_dfuMANIFEST:
        return dfu_enter_state(probe, bState, subject);
    default:
        return enter_behind_image(probe) && dfu_enter_state(probe, bState, subject);
    }
}
