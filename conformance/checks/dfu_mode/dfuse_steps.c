// SPDX-License-Identifier: MIT

#include "dfuse_steps.h"
#include <conformance/dfu_steps.h>

bool dfuse_begin(struct probe *probe)
{
    dfuse_select(probe);
    return dfu_to_idle(probe) || probe_inconclusive(probe, "dfuIDLE was not reached");
}

bool given_begun(struct probe *probe, uint8_t bState)
{
    return bState != DFURT_STATE_dfuIDLE ||
           probe_inconclusive(probe, "DNLOAD was accepted, and the device still says dfuIDLE");
}

// dfu_poll() has ended in dfuDNLOAD-IDLE.
static bool expect_ended(struct probe *probe,
                         int result,
                         const struct dfu_status_reply *status,
                         const char *expected)
{
    char words[PROBE_WORDS];
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
    if (result == 0 && !given_begun(probe, status->bState))
        return false;
    dfu_poll_text(words, sizeof words, result, status);
    return expect(probe, result == 0 && status->bState == DFURT_STATE_dfuDNLOAD_IDLE, expected,
                  "%s", words);
}

bool expect_downloaded(struct probe *probe, int result, uint16_t length, const char *expected)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    return expect_result(probe, result, length, NULL) &&
           expect_ended(probe, dfu_poll(probe, &status), &status, expected);
}

// One that never ends is DM-DNLOAD-03's.
bool expect_command(struct probe *probe, uint8_t command, uint32_t address)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    int result = dfuse_command(probe, command, address);
    bool refused = result == USB_STALL && dfuse_is_read_protected(probe);
    if (refused || !expect_result(probe, result, 5, NULL))
        return false;
    result = dfu_poll(probe, &status);
    if (status.bState == DFURT_STATE_dfuERROR && dfuse_is_read_protected(probe))
        return false;
    bool met = expect_ended(probe, result, &status, "dfuDNLOAD-IDLE after the command");
    return result == DFU_STILL_BUSY ? given(probe, met) : met;
}
