// SPDX-License-Identifier: MIT
//
// The ways to the other states than dfuIDLE (dfu_idle.c) and dfuERROR (dfu_error.c).

#include <stdio.h>

#include "dfu_states.h"
#include <conformance/backup.h>
#include <conformance/download.h>
#include <conformance/modes.h>

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

bool dfu_not_reached(struct probe *probe, uint8_t bState, const char *step)
{
    return probe_inconclusive(probe, "%s was not reached: %s", usb_dfu_state_name(bState), step);
}

bool dfu_enter_idle(struct probe *probe)
{
    dfuse_select(probe);
    return dfu_to_idle(probe) ||
           dfu_not_reached(probe, DFURT_STATE_dfuIDLE,
                           mode_needs_power(probe) ? MODE_NEEDS_POWER : "no request leads there");
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
    if (result == USB_GONE || result == USB_IO) {
        probe->loader.untold |= 1u << bState; // its row judges it; no way asks a second time
        return dfu_not_reached(probe, bState, "GETSTATE is not answered");
    }
    if (result != DFURT_STATE_REPLY_SIZE || state > DFURT_STATE_dfuERROR) {
        probe->loader.untold |= 1u << bState;
        return result == USB_UNSUPPORTED || go(probe);
    }
    if (state == bState)
        return true;
    snprintf(words, sizeof words, "the request was accepted, and the device says %s",
             usb_dfu_state_name(state));
    return dfu_not_reached(probe, bState, words);
}

static bool send_block(struct probe *probe)
{
    if (!dfu_prepare_dnload(probe) || !dfu_enter_idle(probe))
        return false;
    int result = dfu_dnload_something(probe);
    if (result == USB_STALL && dfuse_is_read_protected(probe))
        return false;
    return result >= 0 ||
           dfu_not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, usb_result_text(result));
}

static bool enter_dnload_sync(struct probe *probe, uint8_t subject)
{
    return arrive(probe, send_block, DFURT_STATE_dfuDNLOAD_SYNC, subject);
}

static bool enter_by_getstatus(struct probe *probe, uint8_t bState)
{
    struct dfu_status_reply status;
    if (!dfu_ask(probe, &status))
        return dfu_not_reached(probe, bState, "GETSTATUS was not answered");
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
    return !dfuse_is_read_protected(probe) &&
           dfu_not_reached(probe, DFURT_STATE_dfuDNLOAD_IDLE, words);
}

// Every block of the image, and the device in dfuDNLOAD-IDLE behind the last of them.
static bool enter_behind_image(struct probe *probe)
{
    char why[PROBE_WORDS];
    return dfu_prepare_dnload(probe) && dfu_enter_idle(probe) &&
           (download_image(probe, why, sizeof why) ||
            dfu_not_reached(probe, DFURT_STATE_dfuDNLOAD_IDLE, why));
}

// Is it known whether the device stays behind a manifestation? Where it does,
// bitManifestationTolerant says that it stays in the states on the way, too, and one that is lost
// there is judged by this.
static bool is_restart_known(const struct probe *probe)
{
    bool tolerant = device_attributes(&probe->dfu_mode) & DFURT_ATTR_MANIFESTATION_TOLERANT;
    return probe->loader.restart != RESTART_UNKNOWN || !tolerant ||
           device_is_dfuse(&probe->dfu_mode);
}

static bool see_manifestation(struct probe *probe)
{
    struct dfu_status_reply last;
    char why[PROBE_WORDS];
    if (is_restart_known(probe))
        return true;
    if (!enter_behind_image(probe))
        return false;
    if (download_manifest(probe, &last, why, sizeof why))
        mode_outwait_restart(probe);
    return (mode_quieten(probe) && mode_enter_dfu(probe, why, sizeof why)) ||
           dfu_not_reached(probe, DFURT_STATE_dfuMANIFEST_SYNC, why);
}

static bool end_image(struct probe *probe)
{
    if (!see_manifestation(probe) || !enter_behind_image(probe))
        return false;
    int result = download_end(probe);
    return result >= 0 ||
           dfu_not_reached(probe, DFURT_STATE_dfuMANIFEST_SYNC, usb_result_text(result));
}

static bool enter_manifest_sync(struct probe *probe, uint8_t subject)
{
    return arrive(probe, end_image, DFURT_STATE_dfuMANIFEST_SYNC, subject);
}

bool dfu_says(struct probe *probe, uint8_t question, uint8_t bState)
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
    if (!dfu_enter_idle(probe) || !dfu_rewind(probe) || !dfu_point_at_start(probe))
        return false;
    int result = dfu_upload(probe, dfu_first_block(probe), data, size);
    if (result >= 0 && result < size) // a short block ends an upload (DFU 1.1 6.2)
        return probe_skip(probe, "needs a device that uploads more than %d bytes", result);
    return result == size ||
           dfu_not_reached(probe, DFURT_STATE_dfuUPLOAD_IDLE, usb_result_text(result));
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
        reached = dfu_says(probe, questions[i], DFURT_STATE_dfuUPLOAD_IDLE);
    }
    if (!reached)
        return dfu_not_reached(probe, DFURT_STATE_dfuUPLOAD_IDLE,
                               "the device reports another state after a whole block; "
                               "DM-STATE-2-UPLOAD judges that");
    return begin_upload(probe);
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
        return dfu_enter_idle(probe);
    }
}

// The last block, which the device has accepted and not worked on yet.
static bool send_whole_image(struct probe *probe)
{
    char why[PROBE_WORDS];
    return dfu_prepare_dnload(probe) && dfu_enter_idle(probe) &&
           (download_all_but_last(probe, why, sizeof why) ||
            dfu_not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, why)) &&
           (download_next_block(probe) >= 0 ||
            dfu_not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, "DNLOAD was not accepted"));
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
        return dfu_enter_error_from(probe, enter_behind_image, DFURT_DNLOAD);
    case DFURT_STATE_dfuMANIFEST_SYNC:
    case DFURT_STATE_dfuMANIFEST:
        return dfu_enter_state(probe, bState, subject);
    default:
        return enter_behind_image(probe) && dfu_enter_state(probe, bState, subject);
    }
}
