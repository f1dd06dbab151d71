// SPDX-License-Identifier: MIT
//
// What a check expects of an answer, of a state, of a device that stays or returns. All of them
// come to expect(), and speak of the last transfer in the transcript.

#include <stdio.h>

#include <conformance/probe.h>

// Decimal, and hexadecimal where that looks different.
static void format_number(char *text, size_t size, unsigned number)
{
    if (number < 10)
        snprintf(text, size, "%u", number);
    else
        snprintf(text, size, "%u (%Xh)", number, number);
}

bool expect_number(struct probe *probe, const char *what, unsigned received, unsigned expected)
{
    char words[PROBE_WORDS];
    char number[32];
    format_number(number, sizeof number, expected);
    snprintf(words, sizeof words, "%s is %s", what, number);
    format_number(number, sizeof number, received);
    return expect(probe, received == expected, words, "%s", number);
}

// A result that is not what the device was expected to do. STALL, TIMEOUT and OVERFLOW are the
// device's doing; other errors may be the transport's.
static bool unexpected(struct probe *probe, const char *expected, int result, const uint8_t *data)
{
    if (result == USB_GONE || result == USB_IO || result == USB_UNSUPPORTED)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    if (result < 0)
        return expect(probe, false, expected, "%s", usb_result_text(result));
    char bytes[100] = "";
    if (result > 0 && data)
        format_bytes(bytes, sizeof bytes, data, (size_t)result);
    return expect(probe, false, expected, "accepted, %d bytes%s%s", result, *bytes ? ": " : "",
                  bytes);
}

static bool is_met(struct probe *probe)
{
    probe->judgement.expectations++;
    return probe_in_time(probe, true);
}

bool expect_accepted(struct probe *probe,
                     const struct usbdev_setup_packet *setup,
                     uint8_t *data,
                     int *ret_length)
{
    int result = probe_control(probe, setup, data);
    if (result < 0)
        return unexpected(probe, "the request is carried out", result, NULL);
    if (ret_length)
        *ret_length = result;
    return is_met(probe);
}

bool expect_carried_out(struct probe *probe, int result)
{
    if (result < 0)
        return unexpected(probe, "the request is carried out", result, NULL);
    return is_met(probe);
}

bool expect_result(struct probe *probe, int result, uint16_t length, const uint8_t *data)
{
    if (result != length) {
        char expected[64];
        snprintf(expected, sizeof expected, "the request is carried out, %u bytes", length);
        return unexpected(probe, expected, result, data);
    }
    return is_met(probe);
}

bool expect_length(struct probe *probe,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   uint16_t length)
{
    int result = probe_control(probe, setup, data);
    return expect_result(probe, result, length, setup->bmRequestType & USBDEV_DIR_IN ? data : NULL);
}

bool expect_stalled(struct probe *probe, int result, const uint8_t *data)
{
    if (result != USB_STALL)
        return unexpected(probe, "STALL", result, data);
    return is_met(probe);
}

bool expect_stall(struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    int result = probe_control(probe, setup, data);
    return expect_stalled(probe, result, setup->bmRequestType & USBDEV_DIR_IN ? data : NULL);
}

bool expect_getstatus(struct probe *probe, struct dfu_status_reply *ret_status)
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    uint8_t reply[DFURT_STATUS_REPLY_SIZE] = {0};
    if (!expect_length(probe, &setup, reply, DFURT_STATUS_REPLY_SIZE))
        return false;
    *ret_status = dfu_status_load(reply);
    return true;
}

bool expect_getstate(struct probe *probe, uint8_t *ret_state)
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    return expect_length(probe, &setup, ret_state, DFURT_STATE_REPLY_SIZE);
}

bool expect_agreed(struct probe *probe, uint8_t state, uint8_t bState, const char *expected)
{
    const unsigned compared =
        1u << DFURT_STATE_appDETACH | 1u << DFURT_STATE_dfuIDLE | 1u << DFURT_STATE_dfuERROR;
    struct dfu_status_reply status;
    if (state != bState && (compared & 1u << bState) &&
        probe_getstatus(probe, &status) == DFURT_STATUS_REPLY_SIZE && status.bState == bState)
        return probe_inconclusive(probe, "GETSTATE says %s, GETSTATUS %s",
                                  usb_dfu_state_name(state), usb_dfu_state_name(bState));
    return expect(probe, state == bState, expected, "GETSTATE: %u, %s", state,
                  usb_dfu_state_name(state));
}

bool probe_may_ask_getstate(const struct probe *probe)
{
    enum { TIMES = 2 };
    bool is_error = probe->gate.state == DFURT_STATE_dfuERROR || probe->since.refused;
    return probe->mode != DEVICE_DFU_MODE || !is_error || probe->loader.mute_errors < TIMES;
}

int probe_ask_getstate(struct probe *probe, uint8_t *ret_state)
{
    if (!probe_may_ask_getstate(probe))
        return USB_UNSUPPORTED;
    probe->on_the_way++;
    int result = probe_getstate(probe, ret_state);
    probe->on_the_way--;
    return result;
}

int probe_ask_device(struct probe *probe,
                     uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE],
                     uint16_t *ret_length)
{
    const struct usbdev_setup_packet descriptor =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    const struct usbdev_setup_packet status = {USBDEV_DIR_IN, USBDEV_GET_STATUS, 0, 0, 2};
    probe->on_the_way++;
    *ret_length = descriptor.wLength;
    int result = probe_control(probe, &descriptor, bytes);
    if (result == USB_UNSUPPORTED) {
        *ret_length = status.wLength;
        result = probe_control(probe, &status, bytes);
    }
    probe->on_the_way--;
    return result;
}

// GETSTATE first: where it answers it changes no state, in DFU mode either. GETSTATUS may, and is
// what is left where the device has been lost at GETSTATE.
bool expect_state(struct probe *probe, uint8_t bState, const char *when)
{
    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "the device is in %s %s", usb_dfu_state_name(bState), when);

    uint8_t state = 0xFF;
    int result = probe_ask_getstate(probe, &state);
    if (result == DFURT_STATE_REPLY_SIZE)
        return expect_agreed(probe, state, bState, expected);
    // A GETSTATE of another length is judged elsewhere.
    if (result != USB_STALL && result != USB_OVERFLOW && result != USB_UNSUPPORTED && result != 0)
        return unexpected(probe, expected, result, &state);

    const struct usbdev_setup_packet getstatus =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    uint8_t reply[DFURT_STATUS_REPLY_SIZE] = {0};
    result = probe_control(probe, &getstatus, reply);
    if (result == DFURT_STATUS_REPLY_SIZE)
        return expect(probe, reply[4] == bState, expected, "GETSTATUS: bState %u, %s", reply[4],
                      usb_dfu_state_name(reply[4]));
    if (result != USB_STALL)
        return unexpected(probe, expected, result, reply);
    return expect(probe, bState == DFURT_STATE_appIDLE, expected,
                  "GETSTATE and GETSTATUS both STALL, as they may in appIDLE only");
}

bool expect_stays(struct probe *probe, unsigned ms, const char *what)
{
    int result = probe_wait_leave(probe, ms, what);
    if (result == USB_TIMEOUT) {
        probe->judgement.expectations++;
        return true;
    }
    if (result < 0)
        return unexpected(probe, "", result, NULL);
    if (probe_wait_return(probe, probe_away_ms(probe, PROBE_RETURN_MS), "the device") != 0)
        return probe_inconclusive(probe, "the device left the bus, and did not come back");
    return expect(probe, false, "the device stays on the bus", "it left the bus");
}

unsigned probe_away_ms(const struct probe *probe, unsigned ms)
{
    if (ms != PROBE_RETURN_MS)
        return ms;
    return probe->options.return_ms ? probe->options.return_ms : PROBE_AWAY_MS;
}

bool expect_return(struct probe *probe, unsigned ms, const char *what)
{
    unsigned wait_ms = probe_away_ms(probe, ms);
    if (probe->options.return_ms > wait_ms)
        wait_ms = probe->options.return_ms;
    int result = probe_wait_return(probe, wait_ms, what);
    if (result < 0 && result != USB_TIMEOUT)
        return unexpected(probe, "", result, NULL);
    char expected[64];
    snprintf(expected, sizeof expected, "the device is back on the bus within %u ms", wait_ms);
    return expect(probe, result == 0, expected, "it did not come back");
}
