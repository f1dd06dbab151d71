// SPDX-License-Identifier: MIT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "modes.h"

enum {
    DETACH_MS = 1000,  // what dfu-util and fwupd ask for
    REPLUG_MS = 60000, // a person's time to pull a plug and put it back
    DFUSE_SET_ADDRESS = 0x21,
    DFUSE_FIRST_BLOCK = 2, // wValue 0 is commands, 1 is reserved
    POLLS = 50,            // more GETSTATUS than a device without data to write can need
};

static bool say(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

bool mode_enter_dfu(struct probe *probe, char *why, size_t size)
{
    if (probe->mode == DEVICE_DFU_MODE)
        return true;
    if (!probe->run_time.dfu)
        return say(why, size, "the device has no DFU interface");
    bool waits = !device_will_detach(&probe->run_time);
    if (waits && !(probe->target->capabilities & TARGET_CAN_RESET))
        return say(why, size, "this target cannot reset the bus, and the device waits for that");

    const struct usb_setup detach = dfu_setup(probe, DFU_DETACH, DETACH_MS, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result < 0 && result != TARGET_ERR_GONE) {
        snprintf(why, size, "DETACH: %s", target_error_text(result));
        return false;
    }
    if (waits && result == 0)
        result = probe_reset(probe);
    // It may take the reset first and drop its pull-up a moment later.
    if (probe->mode != DEVICE_DFU_MODE && result == 0)
        result = probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave");
    if (result == TARGET_ERR_TIMEOUT)
        return say(why, size, "the device does not leave the bus after DETACH");
    if (probe->mode != DEVICE_DFU_MODE && probe_wait_return(probe, PROBE_FWUPD_MS, "DFU mode") < 0)
        return say(why, size, "the device does not come back after DETACH");
    if (probe->mode != DEVICE_DFU_MODE)
        return say(why, size, "the device is still at run time after DETACH");
    return true;
}

// ---- Back to run time ----

static bool poll_status(struct probe *probe, struct dfu_status_reply *ret_status)
{
    const struct usb_setup setup = dfu_setup(probe, DFU_GETSTATUS, 0, DFU_STATUS_REPLY_SIZE);
    uint8_t reply[DFU_STATUS_REPLY_SIZE];
    if (probe_control(probe, &setup, reply) != DFU_STATUS_REPLY_SIZE)
        return false;
    *ret_status = dfu_status_load(reply);
    return true;
}

// One step from wherever the state machine stands towards dfuIDLE (DFU 1.1 A.2).
static void step_to_idle(struct probe *probe, const struct dfu_status_reply *status)
{
    if (status->bState == DFU_STATE_dfuDNBUSY || status->bState == DFU_STATE_dfuMANIFEST) {
        unsigned poll_ms = status->bwPollTimeout < DETACH_MS ? status->bwPollTimeout : DETACH_MS;
        probe_sleep(probe, poll_ms, "bwPollTimeout");
        return;
    }
    uint8_t request = status->bState == DFU_STATE_dfuERROR ? DFU_CLRSTATUS : DFU_ABORT;
    const struct usb_setup setup = dfu_setup(probe, request, 0, 0);
    probe_control(probe, &setup, NULL);
}

static bool to_dfu_idle(struct probe *probe)
{
    for (int i = 0; i < POLLS; ++i) {
        struct dfu_status_reply status;
        if (!poll_status(probe, &status))
            return false;
        if (status.bState == DFU_STATE_dfuIDLE)
            return true;
        step_to_idle(probe, &status);
    }
    return false;
}

// The address of the first region that alternate 0 names, "@Internal Flash /0x08000000/..."
// (UM0424 10.3.2); ST's parts begin there too, so that is the default.
static uint32_t dfuse_address(struct probe *probe)
{
    enum { DEFAULT_ADDRESS = 0x08000000 };
    const struct device *device = probe_device(probe);
    uint8_t bytes[255];
    const struct usb_setup setup =
        get_descriptor(USB_DT_STRING, device->dfu->iInterface, 0x0409, sizeof bytes);
    int length = probe_control(probe, &setup, bytes);

    char text[sizeof bytes / 2] = "";
    for (int i = 2; i + 1 < length; i += 2)
        text[i / 2 - 1] = (char)bytes[i];
    const char *address = strstr(text, "/0x");
    return address ? (uint32_t)strtoul(address + 1, NULL, 16) : DEFAULT_ADDRESS;
}

static bool dnload(struct probe *probe, uint16_t block, uint8_t *data, uint16_t length)
{
    const struct usb_setup setup = dfu_setup(probe, DFU_DNLOAD, block, length);
    return probe_control(probe, &setup, data) == length;
}

// Set the address pointer to where the application is, then a download of nothing: the boot loader
// manifests and jumps there. No flash is touched.
static bool dfuse_leave(struct probe *probe)
{
    uint32_t address = dfuse_address(probe);
    uint8_t command[5] = {DFUSE_SET_ADDRESS, (uint8_t)address, (uint8_t)(address >> 8),
                          (uint8_t)(address >> 16), (uint8_t)(address >> 24)};
    struct dfu_status_reply status;
    if (!to_dfu_idle(probe) || !dnload(probe, 0, command, sizeof command))
        return false;
    do {
        if (!poll_status(probe, &status))
            return false;
        probe_sleep(probe, status.bwPollTimeout < DETACH_MS ? status.bwPollTimeout : DETACH_MS,
                    "bwPollTimeout");
    } while (status.bState == DFU_STATE_dfuDNBUSY);

    if (!dnload(probe, DFUSE_FIRST_BLOCK, NULL, 0))
        return false;
    poll_status(probe, &status); // starts it; some are gone before they answer
    return probe_wait_leave(probe, PROBE_LEAVE_MS, "the boot loader to leave") == 0 &&
           probe_wait_return(probe, PROBE_FWUPD_MS, "run time") == 0;
}

static void reset_and_find(struct probe *probe)
{
    if (probe_reset(probe) == TARGET_ERR_GONE)
        probe_wait_return(probe, PROBE_FWUPD_MS, "run time");
}

bool mode_enter_run_time(struct probe *probe, bool ask, char *why, size_t size)
{
    if (probe->mode == DEVICE_DFU_MODE && device_is_dfuse(&probe->dfu_mode))
        dfuse_leave(probe);
    if (probe->mode == DEVICE_DFU_MODE && (probe->target->capabilities & TARGET_CAN_RESET))
        reset_and_find(probe);
    if (probe->mode == DEVICE_DFU_MODE && ask &&
        probe_wait_leave(probe, REPLUG_MS, "you to unplug the device and plug it in again") == 0)
        probe_wait_return(probe, REPLUG_MS, "the device to be plugged in again");
    if (probe->mode == DEVICE_RUN_TIME)
        return true;
    return say(why, size, "the device stays in DFU mode: unplug it and plug it in again");
}

// ---- Between two checks ----

static int ask_state(struct probe *probe, uint8_t *ret_state)
{
    const struct usb_setup getstate = dfu_setup(probe, DFU_GETSTATE, 0, DFU_STATE_REPLY_SIZE);
    int result = probe_control(probe, &getstate, ret_state);
    if (result != TARGET_ERR_STALL)
        return result;
    const struct usb_setup getstatus = dfu_setup(probe, DFU_GETSTATUS, 0, DFU_STATUS_REPLY_SIZE);
    uint8_t reply[DFU_STATUS_REPLY_SIZE];
    result = probe_control(probe, &getstatus, reply);
    if (result == DFU_STATUS_REPLY_SIZE)
        *ret_state = reply[4];
    return result;
}

// appDETACH ends by leaving, by an illegal request, or by the timer (tables A.2.1, A.2.2).
static void end_detach(struct probe *probe)
{
    if (device_will_detach(&probe->run_time) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0) {
        probe_wait_return(probe, PROBE_FWUPD_MS, "DFU mode");
        return;
    }
    const struct usb_setup abort = dfu_setup(probe, DFU_ABORT, 0, 0);
    uint8_t state = DFU_STATE_appIDLE;
    probe_control(probe, &abort, NULL);
    ask_state(probe, &state);
    if (state == DFU_STATE_appDETACH)
        probe_sleep(probe, device_detach_timeout(&probe->run_time) + 100, "the detach timer");
}

static bool gone(int result)
{
    return result == TARGET_ERR_GONE || result == TARGET_ERR_IO;
}

// Returns whether the device answers again.
static bool recover(struct probe *probe)
{
    uint8_t state;
    if (probe_wait_return(probe, PROBE_FWUPD_MS, "the device to come back") < 0)
        return false;
    // One that never left and answers no more may have changed its mode behind the host's back.
    if (gone(ask_state(probe, &state)) && (probe->target->capabilities & TARGET_CAN_RESET))
        reset_and_find(probe);
    return !gone(ask_state(probe, &state));
}

bool mode_quieten(struct probe *probe)
{
    uint8_t state = DFU_STATE_appIDLE;
    if (!probe_device(probe)->dfu)
        return true;
    if (gone(ask_state(probe, &state)))
        return recover(probe);
    if (state == DFU_STATE_appDETACH) {
        end_detach(probe);
        return !gone(ask_state(probe, &state)) || recover(probe);
    }
    if (state > DFU_STATE_dfuIDLE)
        to_dfu_idle(probe);
    return true;
}
