// SPDX-License-Identifier: MIT
//
// Sizes, questions and single requests in DFU mode. The ways into the states are in dfu_idle.c,
// dfu_error.c and dfu_states.c.

#include <stdio.h>
#include <string.h>

#include <conformance/dfu_steps.h>
#include <usb/bytes.h>
#include <usb/names.h>

enum {
    BLOCK_LIMIT_MS = 30000, // the longest that one block, or manifestation, is waited for
    SMALL_BLOCK = 64,
};

// ---- Sizes ----

static uint16_t wTransferSize(const struct probe *probe)
{
    const struct usb_dfu_functional *functional = probe_device(probe)->functional;
    return functional ? functional->wTransferSize : 0;
}

static uint16_t control_limit(const struct probe *probe)
{
    uint16_t limit = probe->target->control_limit;
    return limit ? limit : UINT16_MAX;
}

uint16_t dfu_transfer_size(const struct probe *probe)
{
    uint16_t size = wTransferSize(probe);
    if (size == 0)
        return SMALL_BLOCK;
    return size < control_limit(probe) ? size : control_limit(probe);
}

bool dfu_has_whole_blocks(const struct probe *probe)
{
    return wTransferSize(probe) > 0 && wTransferSize(probe) <= control_limit(probe);
}

uint16_t dfu_small_block(const struct probe *probe)
{
    uint16_t most = dfu_transfer_size(probe);
    uint16_t least = device_max_packet0(probe_device(probe));
    uint16_t size = least > SMALL_BLOCK ? least : SMALL_BLOCK;
    return size > most && most > 0 ? most : size;
}

uint16_t dfu_first_block(const struct probe *probe)
{
    return device_is_dfuse(&probe->dfu_mode) ? DFUSE_FIRST_BLOCK : 0;
}

// ---- Questions ----

bool dfu_ask(struct probe *probe, struct dfu_status_reply *ret_status)
{
    return probe_getstatus(probe, ret_status) == DFURT_STATUS_REPLY_SIZE;
}

bool dfu_lacks_getstate(const struct probe *probe)
{
    return probe->loader.getstate == GETSTATE_MISSING ||
           probe->loader.getstate == GETSTATE_UNTRUE || !probe_may_ask_getstate(probe);
}

bool dfu_ask_state(struct probe *probe, uint8_t *ret_state)
{
    struct dfu_status_reply status;
    if (!dfu_lacks_getstate(probe))
        return probe_getstate(probe, ret_state) == DFURT_STATE_REPLY_SIZE;
    if (!dfu_ask(probe, &status))
        return false;
    *ret_state = status.bState;
    return true;
}

static bool is_underway(uint8_t bState)
{
    return bState == DFURT_STATE_dfuDNLOAD_SYNC || bState == DFURT_STATE_dfuDNBUSY ||
           bState == DFURT_STATE_dfuMANIFEST_SYNC || bState == DFURT_STATE_dfuMANIFEST;
}

unsigned dfu_wait_ms(const struct probe *probe, uint64_t ms)
{
    enum { NEXT_TIME_MS = 1000 };
    if (ms <= DFU_LONGEST_POLL_MS)
        return (unsigned)ms;
    return probe->loader.polls_too_long ? NEXT_TIME_MS : DFU_LONGEST_POLL_MS;
}

// At least a millisecond, or a device that says 0 would be asked without end. Never less than it
// says, where that has a bound: to be asked in dfuDNBUSY or dfuMANIFEST is an error to the device.
static void wait_poll(struct probe *probe, uint32_t bwPollTimeout)
{
    probe_sleep(probe, bwPollTimeout ? dfu_wait_ms(probe, bwPollTimeout) : 1, "bwPollTimeout");
}

int dfu_poll(struct probe *probe, struct dfu_status_reply *ret_status)
{
    uint64_t end_us = probe_now_us(probe) + BLOCK_LIMIT_MS * UINT64_C(1000);
    bool cut_short = false; // the wait for bwPollTimeout
    for (;;) {
        int result = probe_getstatus(probe, ret_status);
        if (result < 0)
            return result;
        if (result != DFURT_STATUS_REPLY_SIZE)
            return USB_IO;
        bool busy = is_underway(ret_status->bState);
        probe->loader.polls_too_long |= cut_short && !busy;
        if (!busy)
            return 0;
        if (probe_now_us(probe) >= end_us)
            return DFU_STILL_BUSY;
        cut_short = ret_status->bwPollTimeout > DFU_LONGEST_POLL_MS;
        wait_poll(probe, ret_status->bwPollTimeout);
    }
}

void dfu_poll_text(char *text, size_t size, int result, const struct dfu_status_reply *status)
{
    if (result == 0)
        snprintf(text, size, "%s, %s", usb_dfu_state_name(status->bState),
                 usb_dfu_status_name(status->bStatus));
    else if (result == DFU_STILL_BUSY)
        snprintf(text, size, "%s for more than %d s", usb_dfu_state_name(status->bState),
                 BLOCK_LIMIT_MS / 1000);
    else
        snprintf(text, size, "GETSTATUS is not answered: %s", usb_result_text(result));
}

bool dfu_finish_block(struct probe *probe, int result, char *text, size_t size)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    if (result < 0) {
        snprintf(text, size, "DNLOAD: %s", usb_result_text(result));
        return false;
    }
    result = dfu_poll(probe, &status);
    if (result == 0 && status.bState == DFURT_STATE_dfuDNLOAD_IDLE)
        return true;
    dfu_poll_text(text, size, result, &status);
    return false;
}

// ---- Requests ----

int dfu_dnload(struct probe *probe, uint16_t block, const uint8_t *data, uint16_t length)
{
    static uint8_t bytes[PROBE_CONTROL_MAX];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DNLOAD, block, length);
    if (length)
        memcpy(bytes, data, length);
    return probe_control(probe, &setup, bytes);
}

static bool says_vendor_error(struct probe *probe)
{
    struct dfu_status_reply status;
    return dfu_ask(probe, &status) && status.bState == DFURT_STATE_dfuERROR &&
           status.bStatus == DFURT_STATUS_errVENDOR;
}

static bool upload_is_refused(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    const struct usbdev_setup_packet clear = dfu_setup(probe, DFURT_CLRSTATUS, 0, 0);
    const struct usbdev_setup_packet upload =
        dfu_setup(probe, DFURT_UPLOAD, DFUSE_FIRST_BLOCK, dfu_small_block(probe));
    return probe_control(probe, &clear, NULL) == 0 &&
           probe_control(probe, &upload, data) == USB_STALL && says_vendor_error(probe);
}

bool dfu_is_read_protected(struct probe *probe)
{
    size_t first = probe->transcript.total;
    bool is = says_vendor_error(probe);
    transcript_set_aside(&probe->transcript, first);
    if (is)
        probe_skip(probe,
                   "needs a device that is not read protected; UPLOAD STALLs with errVENDOR");
    return is;
}

bool dfuse_is_read_protected(struct probe *probe)
{
    size_t first = probe->transcript.total;
    bool is =
        device_is_dfuse(&probe->dfu_mode) && says_vendor_error(probe) && upload_is_refused(probe);
    transcript_set_aside(&probe->transcript, first);
    if (is)
        probe_skip(probe, "needs a device that is not read protected; Set Address Pointer and "
                          "UPLOAD fail with errVENDOR");
    return is;
}

int dfu_upload(struct probe *probe, uint16_t block, uint8_t *data, uint16_t length)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, block, length);
    int result = probe_control(probe, &setup, data);
    if (result == USB_STALL)
        dfu_is_read_protected(probe);
    return result;
}

int dfuse_command(struct probe *probe, uint8_t command, uint32_t address)
{
    uint8_t bytes[5] = {command};
    store_le32(bytes + 1, address);
    return dfu_dnload(probe, 0, bytes, sizeof bytes);
}

bool dfuse_point_at(struct probe *probe, uint32_t address, char *why, size_t size)
{
    char words[PROBE_WORDS / 2];
    int result = dfuse_command(probe, DFUSE_SET_ADDRESS, address);
    if (dfu_finish_block(probe, result, words, sizeof words))
        return true;
    snprintf(why, size, "Set Address Pointer to %08Xh: %s", (unsigned)address, words);
    return false;
}

// ---- The alternate setting that the checks work in ----

static uint64_t region_size(const struct dfuse_region *region)
{
    return (uint64_t)region->sectors * region->sector_size;
}

static const struct dfuse_region *largest_readable(const struct dfuse_layout *layout)
{
    const struct dfuse_region *largest = NULL;
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        if ((region->access & DFUSE_READABLE) &&
            (!largest || region_size(region) > region_size(largest)))
            largest = region;
    }
    return largest;
}

// The first that has a region of two blocks to read, or the first of all.
static size_t working_alternate(const struct probe *probe)
{
    for (size_t i = 0; i < probe->loader.layout_count; i++) {
        const struct dfuse_region *region = largest_readable(&probe->loader.layouts[i]);
        if (region && region_size(region) >= 2u * dfu_transfer_size(probe))
            return i;
    }
    return 0;
}

const struct dfuse_layout *dfuse_layout(const struct probe *probe)
{
    return &probe->loader.layouts[working_alternate(probe)];
}

const struct dfuse_region *dfuse_readable(const struct probe *probe)
{
    return probe->loader.layout_count > 0 ? largest_readable(dfuse_layout(probe)) : NULL;
}

void dfuse_select(struct probe *probe)
{
    size_t alternate = working_alternate(probe);
    if (probe->mode != DEVICE_DFU_MODE || !probe->dfu_mode.dfu ||
        probe->since.alternate == alternate)
        return;
    probe->on_the_way++;
    probe_set_interface(probe, probe->dfu_mode.dfu->bInterfaceNumber, (uint8_t)alternate);
    probe->on_the_way--;
}

bool dfu_point_at_start(struct probe *probe)
{
    char why[PROBE_WORDS];
    const struct dfuse_region *region = dfuse_readable(probe);
    if (!device_is_dfuse(&probe->dfu_mode) || !region)
        return true;
    if (dfuse_point_at(probe, region->address, why, sizeof why) && dfu_to_idle(probe))
        return true;
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_DNLOAD))
        return probe_inapplicable(probe,
                                  "a DfuSe device with bitCanDnload = 1, whose memory has an "
                                  "address");
    return !dfuse_is_read_protected(probe) && probe_inconclusive(probe, "%s", why);
}
