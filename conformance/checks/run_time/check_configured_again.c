// SPDX-License-Identifier: MIT
//
// DFU's requests after a second SET_CONFIGURATION (USB 2.0 9.4.7), which hosts send when they bind
// another driver.

#include <conformance/check_common.h>

static bool given_configured_again(struct probe *probe)
{
    uint8_t value = probe_device(probe)->config.bConfigurationValue;
    int result = probe_set_configuration(probe, value);
    return given(probe, expect_result(probe, result, 0, NULL));
}

static void answers_configured_again(struct probe *probe)
{
    uint8_t state;
    int before = ask_state(probe, &state);
    if (before == USB_STALL) {
        probe_inapplicable(probe, "a device that tells its state in appIDLE");
        return;
    }
    if (!given(probe, expect_result(probe, before, 0, NULL)) || !given_app_idle(probe) ||
        !given_configured_again(probe))
        return;
    int after = ask_state(probe, &state);
    if (expect_result(probe, after, 0, NULL))
        expect_number(probe, "the state after SET_CONFIGURATION of the present value", state,
                      DFURT_STATE_appIDLE);
    configure_afresh(probe);
}

// Where DETACH STALLs after one SET_CONFIGURATION, too, the second one did not cause it: that is
// RT-STATE-0-DETACH's subject.
static bool given_detach_when_configured_once(struct probe *probe)
{
    size_t first = probe->transcript.total;
    configure_afresh(probe);
    bool detaches =
        given_app_idle(probe) && given(probe, expect_detach(probe, probe_detach_time(probe)));
    if (detaches)
        transcript_set_aside(&probe->transcript, first);
    return detaches;
}

static void detaches_configured_again(struct probe *probe)
{
    if (!given_app_idle(probe) || !given_configured_again(probe))
        return;
    const struct usbdev_setup_packet detach =
        dfu_setup(probe, DFURT_DETACH, probe_detach_time(probe), 0);
    int result = probe_control(probe, &detach, NULL);
    if (result == USB_GONE || result == USB_IO)
        given(probe, expect_detached(probe, result)); // RT-DETACH-01 judges how it leaves
    else if (result == 0 || given_detach_when_configured_once(probe))
        expect_result(probe, result, 0, NULL);
}

#define DFU (NEED_RUN_TIME | NEED_DFU_INTERFACE)

// clang-format off
static const struct check checks[] = {
    {"REQ-11a", "USB 2.0 9.4.7", LEVEL_MUST,
     "the DFU state can be asked after a second SET_CONFIGURATION",
     DFU, answers_configured_again},
    {"REQ-11b", "USB 2.0 9.4.7", LEVEL_MUST,
     "DETACH is accepted after a second SET_CONFIGURATION",
     DFU | NEED_DETACH, detaches_configured_again},
};
// clang-format on

const struct check_group check_configured_again = {
    .title = "SET_CONFIGURATION again",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
