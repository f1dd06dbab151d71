// SPDX-License-Identifier: MIT
//
// The ways into dfuERROR: requests that the state before does not have.

#include "dfu_states.h"

static bool says_error(struct probe *probe, uint8_t question)
{
    return dfu_says(probe, question, DFURT_STATE_dfuERROR);
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

bool dfu_enter_error_from(struct probe *probe, bool (*enter)(struct probe *), uint8_t subject)
{
    for (size_t i = 0; i < sizeof illegal_requests; i++) {
        if (probe->loader.taken & 1u << i)
            continue;
        if (!enter(probe))
            return false;
        if (may_be_sent(probe, illegal_requests[i]) && leads_to_error(probe, i, subject))
            return true;
    }
    return dfu_not_reached(probe, DFURT_STATE_dfuERROR,
                           "no unexpected request leads there; DM-STATE-2-CLRSTATUS, -DETACH and "
                           "-OTHER judge that");
}

// Where nothing leads to dfuIDLE the device may be in dfuERROR all the same.
bool dfu_enter_error(struct probe *probe, uint8_t subject)
{
    dfuse_select(probe);
    return (!dfu_to_idle(probe) && is_in_error(probe, subject)) ||
           dfu_enter_error_from(probe, dfu_enter_idle, subject);
}

static bool leaves_error(struct probe *probe)
{
    enum { NEITHER_DETACHES = 2 }; // of illegal_requests
    bool in_error = false;
    for (size_t i = 0; !in_error && i < NEITHER_DETACHES && dfu_to_idle(probe); i++) {
        const struct usbdev_setup_packet illegal = dfu_setup(probe, illegal_requests[i], 0, 0);
        uint8_t state;
        probe_control(probe, &illegal, NULL);
        in_error = dfu_ask_state(probe, &state) && state == DFURT_STATE_dfuERROR;
    }
    return !in_error || dfu_to_idle(probe);
}

bool dfu_leaves_error(struct probe *probe)
{
    probe->on_the_way++;
    bool leaves = leaves_error(probe);
    probe->on_the_way--;
    return leaves;
}
