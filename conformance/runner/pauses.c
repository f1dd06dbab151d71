// SPDX-License-Identifier: MIT

#include <string.h>

#include "run.h"

static struct answered_request request_of(const struct run *run,
                                          const struct transcript_entry *entry)
{
    struct answered_request request = {
        .state = run->pauses.state,
        .dfu_mode = entry->dfu_mode,
        .kind = entry->kind,
        .bEndpointAddress = entry->bEndpointAddress,
    };
    memcpy(request.setup, entry->setup, USBDEV_SETUP_SIZE);
    request.setup[6] = entry->setup[6] || entry->setup[7];
    request.setup[7] = 0;
    if ((entry->setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS)
        request.setup[2] = request.setup[3] = 0;
    return request;
}

static bool are_equal(const struct answered_request *a, const struct answered_request *b)
{
    return a->state == b->state && a->dfu_mode == b->dfu_mode && a->kind == b->kind &&
           a->bEndpointAddress == b->bEndpointAddress &&
           memcmp(a->setup, b->setup, USBDEV_SETUP_SIZE) == 0;
}

static void note(struct answered_requests *requests, const struct answered_request *request)
{
    for (unsigned i = 0; i < requests->count; i++) {
        if (are_equal(&requests->list[i], request))
            return;
    }
    if (requests->count < PAUSES_MAX)
        requests->list[requests->count++] = *request;
}

// A device that was let leave, or leaves by itself (departures.c), shows nothing. A busy state
// would be over behind a pause, and the next request is about it.
static bool has_to_stay(const struct run *run)
{
    const struct losses *losses = &run->watch.losses;
    bool by_itself = run->probe.mode == DEVICE_DFU_MODE && run->probe.loader.stays_us;
    int state = run->probe.gate.state;
    bool busy = state == DFURT_STATE_dfuDNBUSY || state == DFURT_STATE_dfuMANIFEST;
    return !losses->may_leave && !losses->silent && !losses->left && !by_itself && !busy;
}

// Behind those that were noted since the last pause, if there are any.
static void pause_behind(struct run *run, struct answered_requests *requests)
{
    struct probe *probe = &run->probe;
    size_t first = probe->transcript.total;
    if (requests->count == requests->stayed_behind)
        return;
    bool stays = false;
    if (has_to_stay(run)) {
        stays = probe_wait_leave(probe, LOSS_LATE_MS, "the device, whether it stays") < 0;
        transcript_set_aside(&probe->transcript, first);
    }
    if (stays)
        requests->stayed_behind = requests->count;
    else
        requests->count = requests->stayed_behind;
    if (run->watch.losses.left) // and is not waited for, to leave
        probe->since.manifest_end_us = 0;
}

// Once seen to stay behind a manifestation, a boot loader has no reason to leave: in any state
// where bitManifestationTolerant is 1, and else when it is over (DFU 1.1 A.2.8).
static bool is_settled_loader(const struct probe *probe)
{
    bool tolerant = device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT;
    int state = probe->gate.state;
    if (probe->loader.restart != RESTART_NEVER || probe->since.leaving)
        return false;
    return tolerant ? state >= DFURT_STATE_dfuIDLE && state <= DFURT_STATE_dfuERROR
                    : state == DFURT_STATE_dfuIDLE && probe->since.manifest_end_us == 0;
}

// In appIDLE a DETACH is over, where bitWillDetach is 0 (DFU 1.1 A.2.2).
static bool is_settled(const struct run *run)
{
    const struct probe *probe = &run->probe;
    const struct losses *losses = &run->watch.losses;
    if (losses->silent || losses->left)
        return false;
    if (probe->mode == DEVICE_DFU_MODE)
        return is_settled_loader(probe);
    return probe->gate.state == DFURT_STATE_appIDLE && losses->way == LOST_BY_DETACH &&
           !device_will_detach(&probe->run_time);
}

static bool is_answered_request(const struct transcript_entry *entry)
{
    bool is_request =
        entry->kind == TRANSCRIPT_CONTROL || entry->kind == TRANSCRIPT_SET_CONFIGURATION ||
        entry->kind == TRANSCRIPT_SET_INTERFACE || entry->kind == TRANSCRIPT_CLEAR_HALT;
    return is_request && (entry->result >= 0 || entry->result == USB_STALL);
}

static void note_request(void *context, const struct transcript_entry *entry)
{
    struct run *run = context;
    struct pauses *pauses = &run->pauses;
    const struct answered_request request = request_of(run, entry);
    pauses->state = run->probe.gate.state;
    if (is_settled(run))
        losses_have_to_stay(&run->watch.losses);
    if (!is_answered_request(entry))
        return;
    note(&pauses->run, &request);
    if (!pauses->behind_each || run->probe.asking)
        return;
    note(&pauses->attempt, &request);
    unsigned stayed_behind = pauses->attempt.stayed_behind;
    pauses->behind_one = true;
    pause_behind(run, &pauses->attempt);
    pauses->behind_one = false;
    if (pauses->attempt.stayed_behind > stayed_behind)
        losses_saw_stay(&run->watch.losses);
}

void pauses_begin(struct run *run)
{
    run->probe.behind = note_request;
    run->probe.behind_context = run;
}

void pauses_begin_attempt(struct run *run, bool behind_each)
{
    run->pauses.behind_each = behind_each;
    run->pauses.attempt.count = run->pauses.attempt.stayed_behind = 0;
}

void pauses_end_check(struct run *run)
{
    pause_behind(run, &run->pauses.run);
}

bool pauses_end_way(struct run *run)
{
    pause_behind(run, &run->pauses.run);
    return !run->watch.losses.left;
}
