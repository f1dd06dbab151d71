// SPDX-License-Identifier: MIT
//
// A step sends requests through the probe and returns whether the check may continue. A step that
// the check judges calls expect(), so that its failure is a FAIL of the check; a step that the
// check only needs is wrapped in given(), which turns the failure into INCONCLUSIVE.
//
// Configurations are read from the device, not taken from the host's cache. A configuration whose
// header cannot be read is passed over here, because CH9-CFG-17 judges it.

#include <stdio.h>

#include <conformance/check_common.h>
#include <conformance/modes.h>

// ---- Configurations ----

static bool header_at(struct probe *probe, uint8_t index, uint8_t *header)
{
    enum { SIZE = USBDEV_CONFIGURATION_DESCRIPTOR_SIZE };
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, index, 0, SIZE);
    return probe_control(probe, &setup, header) == SIZE;
}

static uint8_t configuration_count(const struct probe *probe)
{
    uint8_t count = probe_device(probe)->raw.device[17];
    return count ? count : 1;
}

// Of the first configuration with this bConfigurationValue; -1: none has it.
static int index_of_value(struct probe *probe, uint8_t value)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    uint8_t count = configuration_count(probe);
    for (uint8_t index = 0; index < count; index++) {
        if (header_at(probe, index, header) && header[5] == value)
            return index;
    }
    return -1;
}

uint8_t active_configuration_index(struct probe *probe)
{
    if (configuration_count(probe) == 1)
        return 0;
    int index = index_of_value(probe, probe_device(probe)->config.bConfigurationValue);
    return index < 0 ? 0 : (uint8_t)index;
}

uint8_t absent_configuration(struct probe *probe, uint8_t from)
{
    uint8_t value = from;
    for (int tried = 0; tried < UINT8_MAX; tried++, value++) {
        if (value != 0 && index_of_value(probe, value) < 0)
            break;
    }
    return value;
}

static bool given_held(struct probe *probe, const struct usb_configuration *config)
{
    return !config->too_large ||
           probe_inconclusive(probe, "%s: the suite stores no more", config->too_large);
}

bool given_whole_configuration(struct probe *probe)
{
    return given_held(probe, &probe_device(probe)->config);
}

bool given_absent_interface(struct probe *probe, uint16_t *ret_number)
{
    if (!given_whole_configuration(probe))
        return false;
    int absent = device_absent_interface(probe_device(probe));
    if (absent < 0) {
        probe_skip(probe, "the device has all 256 interfaces");
        return false;
    }
    *ret_number = (uint16_t)absent;
    return true;
}

bool given_carried(struct probe *probe, uint16_t length)
{
    uint16_t limit = probe->target->control_limit;
    if (limit == 0 || length <= limit)
        return true;
    return probe_inconclusive(probe, "%u bytes: this target carries %u in a control transfer",
                              length, limit);
}

static bool
read_configuration_at(struct probe *probe, uint8_t index, struct configuration_bytes *ret)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, index, 0, sizeof header);
    if (!expect_length(probe, &setup, header, sizeof header))
        return false;

    uint16_t total = usbdev_load_le16(header + 2);
    if (!given_carried(probe, total))
        return false;
    setup.wLength = total;
    if (!expect_accepted(probe, &setup, ret->bytes, &ret->length))
        return false;
    bool parsed = configuration_parse(&ret->config, ret->bytes, (size_t)ret->length);
    if (parsed && !given_held(probe, &ret->config))
        return false;
    // What a configuration descriptor must be is judged by a check of its own.
    return given(probe, expect(probe, parsed, "a configuration descriptor", "%d bytes, malformed",
                               ret->length));
}

bool read_configuration(struct probe *probe, struct configuration_bytes *ret)
{
    return read_configuration_at(probe, active_configuration_index(probe), ret);
}

bool for_each_configuration(struct probe *probe, look_at_configuration *look, void *context)
{
    struct configuration_bytes read;
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    uint8_t count = configuration_count(probe);
    for (uint8_t index = 0; index < count; index++) {
        if (index > 0 && !header_at(probe, index, header))
            continue;
        if (!read_configuration_at(probe, index, &read) || !look(probe, &read, context))
            return false;
    }
    return true;
}

void for_each_that_has(struct probe *probe, look_at_configuration *look, const char *kind)
{
    unsigned seen = 0;
    if (for_each_configuration(probe, look, &seen) && seen == 0)
        probe_inapplicable(probe, kind);
}

void configure_afresh(struct probe *probe)
{
    if (probe->mode == DEVICE_RUN_TIME && (probe->target->capabilities & TARGET_CAN_RESET))
        probe_reset(probe);
    else
        probe_set_configuration(probe, probe_device(probe)->config.bConfigurationValue);
}

// ---- The device ----

bool read_device_descriptor(struct probe *probe, uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE])
{
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    return expect_length(probe, &setup, bytes, USBDEV_DEVICE_DESCRIPTOR_SIZE);
}

bool device_class_has_requests(const struct probe *probe)
{
    enum { HUB = 0x09, WIRELESS = 0xE0, VENDOR = 0xFF };
    uint8_t bDeviceClass = probe_device(probe)->raw.device[4];
    return bDeviceClass == HUB || bDeviceClass == WIRELESS || bDeviceClass == VENDOR;
}

bool expect_alive(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint16_t length;
    int result = probe_ask_device(probe, bytes, &length);
    return expect_result(probe, result, length, bytes);
}

// The last that was sent or waited for had no device any more.
static bool is_lost(const struct probe *probe)
{
    for (size_t i = transcript_count(&probe->transcript); i-- > 0;) {
        const struct transcript_entry *entry = transcript_get(&probe->transcript, i);
        if (entry->kind != TRANSCRIPT_SLEEP)
            return entry->result == USB_GONE || entry->result == USB_IO ||
                   (entry->kind == TRANSCRIPT_WAIT_RETURN && entry->result < 0);
    }
    return false;
}

bool expect_step(struct probe *probe, bool done, const char *expected, const char *why)
{
    if (!done && is_lost(probe))
        return probe_inconclusive(probe, "%s", why);
    return expect(probe, done, expected, "%s", why);
}

bool given_serial(struct probe *probe, char *text, size_t size)
{
    uint8_t iSerialNumber = probe_device(probe)->raw.device[16];
    probe_read_string(probe, iSerialNumber, text, size);
    return *text || iSerialNumber == 0 || given(probe, expect_alive(probe));
}

bool expect_data_in_time(struct probe *probe, const char *what)
{
    enum { PACKET_MS = 500, STATUS_MS = 50 };
    size_t count = transcript_count(&probe->transcript);
    int length = transcript_get(&probe->transcript, count - 1)->result;
    int packet = device_max_packet0(probe_device(probe));
    int packets = packet > 0 && length > packet ? (length + packet - 1) / packet : 1;
    return expect_last_within(probe, what, (unsigned)packets * PACKET_MS + STATUS_MS);
}

// ---- States ----

int ask_state(struct probe *probe, uint8_t *ret_state)
{
    struct dfu_status_reply status;
    int result = probe_ask_getstate(probe, ret_state);
    if (result == DFURT_STATE_REPLY_SIZE)
        return 0;
    if (result != 0 && result != USB_STALL && result != USB_OVERFLOW && result != USB_UNSUPPORTED)
        return result;
    result = probe_getstatus(probe, &status);
    if (result != DFURT_STATUS_REPLY_SIZE)
        return result < 0 ? result : USB_STALL;
    *ret_state = status.bState;
    return 0;
}

bool given_app_idle(struct probe *probe)
{
    uint8_t state;
    int result = ask_state(probe, &state);
    if (result == USB_STALL) {
        if (probe->detached)
            probe_sleep(probe, device_detach_limit(&probe->run_time),
                        "a detach timer that may run");
        return given(probe, expect_state(probe, DFURT_STATE_appIDLE, "before the check"));
    }
    return given(
        probe, expect_result(probe, result, 0, NULL) &&
                   expect_number(probe, "the state before the check", state, DFURT_STATE_appIDLE));
}

// ---- Detaching ----

bool expect_detached(struct probe *probe, int result)
{
    if (result != USB_GONE && result != USB_IO)
        return expect_result(probe, result, 0, NULL);

    // An error on the bus is the cable's, unless the device has gone just now, and comes back: a
    // plug that is pulled does not plug itself in again.
    size_t first = probe->transcript.total;
    if (probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") != 0)
        return probe_inconclusive(probe, "DETACH: %s", usb_result_text(result));
    int back =
        probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device to return");
    transcript_set_aside(&probe->transcript, first);
    if (back < 0)
        return probe_inconclusive(probe, "the device left in the middle of DETACH and did not come "
                                         "back, as one does whose plug is pulled");
    return expect(probe, false, "DETACH completes its status stage before the device leaves",
                  "the device left the bus before its status stage");
}

bool expect_detach(struct probe *probe, uint16_t wValue)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    return expect_detached(probe, probe_control(probe, &detach, NULL));
}

bool expect_leave(struct probe *probe)
{
    int result = probe_wait_leave(probe, PROBE_DFU_UTIL_MS, "the device to leave");
    return expect(probe, result == 0, "the device leaves the bus by itself (bitWillDetach = 1)",
                  "it stayed for %u ms", (unsigned)PROBE_DFU_UTIL_MS);
}

static bool leave_as_told(struct probe *probe)
{
    if (device_will_detach(&probe->run_time))
        return expect_leave(probe);
    int result = probe_reset(probe);
    if (result < 0 && result != USB_GONE)
        return probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));
    // The device may see the reset first and drop its pull-up a moment later.
    if (result == 0 && probe->mode != DEVICE_DFU_MODE)
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave after the bus reset");
    return true;
}

// From the DETACH to when the device connected; where the transport does not tell, to when it was
// found, which each of the host's steps made later.
static bool expect_connected_within(struct probe *probe,
                                    uint64_t start_us,
                                    uint64_t late_before_us,
                                    unsigned limit_ms)
{
    uint64_t connected_us = probe->target->connected_us;
    bool known = connected_us > start_us;
    uint64_t took_us = (known ? connected_us : probe_now_us(probe)) - start_us;
    uint64_t late_us = probe_late_us(probe) - late_before_us;
    return expect_within(probe, "DFU mode", took_us, late_us, probe_away_ms(probe, limit_ms));
}

bool expect_dfu_mode(struct probe *probe, unsigned limit_ms)
{
    uint64_t start_us = probe_now_us(probe);
    uint64_t late_us = probe_late_us(probe);
    if (!leave_as_told(probe))
        return false;
    if (probe->mode != DEVICE_DFU_MODE && !expect_return(probe, limit_ms, "DFU mode"))
        return false;
    return expect(probe, probe->mode == DEVICE_DFU_MODE, "DFU mode after DETACH",
                  "the device is at run time") &&
           expect_connected_within(probe, start_us, late_us, limit_ms);
}

bool expect_run_time_after_reset(struct probe *probe, const char *when)
{
    int result = probe_reset(probe);
    if (result == USB_GONE &&
        !expect_return(probe, PROBE_RETURN_MS, "the device after the bus reset"))
        return false;
    if (result < 0 && result != USB_GONE)
        return probe_inconclusive(probe, "bus reset: %s", usb_result_text(result));

    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "the device stays at run time %s", when);
    return expect(probe, probe->mode == DEVICE_RUN_TIME, expected, "it is in DFU mode") &&
           expect_state(probe, DFURT_STATE_appIDLE, when);
}

bool back_to_run_time(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (mode_enter_run_time(probe, false, why, sizeof why))
        return true;
    return probe_inconclusive(probe, "%s", why);
}
