// SPDX-License-Identifier: MIT

#include <string.h>

#include <conformance/dfu_steps.h>
#include <usb/text.h>

enum {
    POLL_LIMIT_MS = 30000, // longest single bwPollTimeout that is waited for
    POLLS = 200,           // more GETSTATUS than one block can need
    STEPS = 50,            // more than lie between any state and dfuIDLE
    UPLOAD_BLOCK = 64,     // a block that every device can send in full
};

// ---- Requests ----

uint16_t dfu_transfer_size(const struct probe *probe)
{
    const struct usb_dfu_functional *functional = probe_device(probe)->functional;
    uint16_t size = functional ? functional->wTransferSize : 0;
    if (size == 0)
        return UPLOAD_BLOCK;
    return size < PROBE_CONTROL_MAX ? size : PROBE_CONTROL_MAX;
}

int dfu_dnload(struct probe *probe, uint16_t block, const uint8_t *data, uint16_t length)
{
    uint8_t bytes[PROBE_CONTROL_MAX];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DNLOAD, block, length);
    if (length)
        memcpy(bytes, data, length);
    return probe_control(probe, &setup, bytes);
}

int dfuse_command(struct probe *probe, uint8_t command, uint32_t address)
{
    const uint8_t bytes[5] = {command, (uint8_t)address, (uint8_t)(address >> 8),
                              (uint8_t)(address >> 16), (uint8_t)(address >> 24)};
    return dfu_dnload(probe, 0, bytes, sizeof bytes);
}

bool dfuse_read_layout(struct probe *probe, uint8_t iInterface, struct dfuse_layout *ret_layout)
{
    uint8_t bytes[255];
    char name[3 * sizeof bytes / 2];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, iInterface, 0x0409, sizeof bytes);
    int length = iInterface ? probe_control(probe, &setup, bytes) : 0;
    usb_text(name, sizeof name, bytes, length > 0 ? (size_t)length : 0);
    return dfuse_layout_parse(ret_layout, name);
}

int dfuse_set_first_address(struct probe *probe)
{
    struct dfuse_layout layout;
    if (!dfuse_read_layout(probe, probe_device(probe)->dfu->iInterface, &layout))
        return USB_UNSUPPORTED;
    return dfuse_command(probe, DFUSE_SET_ADDRESS, layout.regions[0].address);
}

// Returns the length of the reply or an enum usb_result.
static int ask(struct probe *probe, struct dfu_status_reply *ret_status)
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int result = probe_control(probe, &setup, reply);
    if (result == DFURT_STATUS_REPLY_SIZE)
        *ret_status = dfu_status_load(reply);
    return result;
}

bool dfu_ask(struct probe *probe, struct dfu_status_reply *ret_status)
{
    return ask(probe, ret_status) == DFURT_STATUS_REPLY_SIZE;
}

static void wait_poll(struct probe *probe, const struct dfu_status_reply *status)
{
    unsigned poll_ms =
        status->bwPollTimeout < POLL_LIMIT_MS ? (unsigned)status->bwPollTimeout : POLL_LIMIT_MS;
    if (poll_ms)
        probe_sleep(probe, poll_ms, "bwPollTimeout");
}

static bool is_underway(uint8_t bState)
{
    return bState == DFURT_STATE_dfuDNLOAD_SYNC || bState == DFURT_STATE_dfuDNBUSY ||
           bState == DFURT_STATE_dfuMANIFEST_SYNC || bState == DFURT_STATE_dfuMANIFEST;
}

bool dfu_poll(struct probe *probe, struct dfu_status_reply *ret_status)
{
    for (int i = 0; i < POLLS; ++i) {
        if (!dfu_ask(probe, ret_status))
            return false;
        if (!is_underway(ret_status->bState))
            return true;
        wait_poll(probe, ret_status);
    }
    return false;
}

// ---- To dfuIDLE ----

static void step_to_idle(struct probe *probe, const struct dfu_status_reply *status)
{
    if (status->bState == DFURT_STATE_dfuDNBUSY || status->bState == DFURT_STATE_dfuMANIFEST) {
        wait_poll(probe, status);
        return;
    }
    uint8_t request = status->bState == DFURT_STATE_dfuERROR ? DFURT_CLRSTATUS : DFURT_ABORT;
    const struct usbdev_setup_packet setup = dfu_setup(probe, request, 0, 0);
    probe_control(probe, &setup, NULL);
}

bool dfu_to_idle(struct probe *probe)
{
    for (int i = 0; i < STEPS; ++i) {
        struct dfu_status_reply status;
        int result = ask(probe, &status);
        if (result == USB_STALL)
            continue; // it was asked too early, and is in dfuERROR now
        if (result != DFURT_STATUS_REPLY_SIZE)
            return false;
        if (status.bState == DFURT_STATE_dfuIDLE)
            return true;
        if (status.bState == DFURT_STATE_dfuMANIFEST_WAIT_RESET)
            return false;
        step_to_idle(probe, &status);
    }
    return false;
}

// ---- To the other states ----

// Keeping the firmware ends in dfuIDLE, where it begins: the last block of an upload is short.
bool dfu_prepare_dnload(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (device_is_dfuse(&probe->dfu_mode) || backup_take(probe, why, sizeof why))
        return true;
    return probe_skip(probe, "%s", why);
}

int dfu_dnload_something(struct probe *probe)
{
    if (device_is_dfuse(&probe->dfu_mode))
        return dfuse_set_first_address(probe);

    const struct backup *backup = &probe->backup;
    uint16_t size = dfu_transfer_size(probe);
    uint16_t length = backup->length < size ? (uint16_t)backup->length : size;
    probe->backup.dirty = true;
    return dfu_dnload(probe, 0, backup->bytes, length);
}

static bool not_reached(struct probe *probe, uint8_t bState, const char *step)
{
    return probe_inconclusive(probe, "%s was not reached: %s", usb_dfu_state_name(bState), step);
}

static bool enter_idle(struct probe *probe)
{
    return dfu_to_idle(probe) || not_reached(probe, DFURT_STATE_dfuIDLE, "no way leads there");
}

static bool enter_dnload_sync(struct probe *probe)
{
    if (!enter_idle(probe) || !dfu_prepare_dnload(probe))
        return false;
    return dfu_dnload_something(probe) >= 0 ||
           not_reached(probe, DFURT_STATE_dfuDNLOAD_SYNC, "DNLOAD was not accepted");
}

static bool enter_by_getstatus(struct probe *probe, uint8_t bState)
{
    struct dfu_status_reply status;
    uint64_t asked_us = probe_now_us(probe); // the device may have begun as early as that
    if (!dfu_ask(probe, &status))
        return not_reached(probe, bState, "GETSTATUS was not answered");
    probe->busy_until_us = asked_us + (uint64_t)status.bwPollTimeout * 1000 / 2;
    if (status.bState == bState)
        return true;
    return probe_skip(probe, "needs a device that goes through %s; this one says %s",
                      usb_dfu_state_name(bState), usb_dfu_state_name(status.bState));
}

static bool enter_dnload_idle(struct probe *probe)
{
    struct dfu_status_reply status;
    if (!enter_dnload_sync(probe))
        return false;
    if (dfu_poll(probe, &status) && status.bState == DFURT_STATE_dfuDNLOAD_IDLE)
        return true;
    return not_reached(probe, DFURT_STATE_dfuDNLOAD_IDLE,
                       "the download of a block did not end there");
}

static bool enter_manifest_sync(struct probe *probe)
{
    if (!enter_dnload_idle(probe))
        return false;
    return dfu_dnload(probe, 1, NULL, 0) == 0 ||
           not_reached(probe, DFURT_STATE_dfuMANIFEST_SYNC, "DNLOAD of nothing was not accepted");
}

static bool enter_upload_idle(struct probe *probe)
{
    uint8_t data[UPLOAD_BLOCK];
    uint16_t block = device_is_dfuse(&probe->dfu_mode) ? DFUSE_FIRST_BLOCK : 0;
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, block, sizeof data);
    if (!enter_idle(probe))
        return false;
    return probe_control(probe, &setup, data) == (int)sizeof data ||
           not_reached(probe, DFURT_STATE_dfuUPLOAD_IDLE, "UPLOAD did not return a whole block");
}

static bool enter_error(struct probe *probe)
{
    const struct usbdev_setup_packet illegal = dfu_setup(probe, DFURT_DETACH, 0, 0);
    if (!enter_idle(probe))
        return false;
    return probe_control(probe, &illegal, NULL) == USB_STALL ||
           not_reached(probe, DFURT_STATE_dfuERROR, "an illegal request was not STALLed");
}

bool dfu_enter_state(struct probe *probe, uint8_t bState)
{
    switch (bState) {
    case DFURT_STATE_dfuDNLOAD_SYNC:
        return enter_dnload_sync(probe);
    case DFURT_STATE_dfuDNBUSY:
        return enter_dnload_sync(probe) && enter_by_getstatus(probe, bState);
    case DFURT_STATE_dfuDNLOAD_IDLE:
        return enter_dnload_idle(probe);
    case DFURT_STATE_dfuMANIFEST_SYNC:
        return enter_manifest_sync(probe);
    case DFURT_STATE_dfuMANIFEST:
        return enter_manifest_sync(probe) && enter_by_getstatus(probe, bState);
    case DFURT_STATE_dfuUPLOAD_IDLE:
        return enter_upload_idle(probe);
    case DFURT_STATE_dfuERROR:
        return enter_error(probe);
    default:
        return enter_idle(probe);
    }
}
