// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "interop_steps.h"

static unsigned settings_of_dfu(const struct device *device)
{
    unsigned count = 0;
    for (size_t i = 0; i < device->config.interface_count; i++)
        count += device->config.interfaces[i].bInterfaceNumber == device->dfu->bInterfaceNumber;
    return count;
}

// Setting 0 is selected where there are alternates; where there are none, and the interface is not
// the first, too, but then a STALL, which is legal, does not reach the tool: the kernel takes it
// for success.
bool selects_alternate_0(struct probe *probe)
{
    const struct device *device = probe_device(probe);
    unsigned settings = device->dfu ? settings_of_dfu(device) : 0;
    if (!device->dfu || (device->dfu->bInterfaceNumber == 0 && settings == 1))
        return true;
    int result = probe_set_interface(probe, device->dfu->bInterfaceNumber, 0);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "SET_INTERFACE: %s", usb_result_text(result));
    return expect(probe, result == 0 || (result == USB_STALL && settings == 1),
                  "SET_INTERFACE to alternate 0 is carried out", "%s", usb_result_text(result));
}

bool expect_application_state(struct probe *probe, uint8_t bState, const char *tool)
{
    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "bState appIDLE or appDETACH: %s takes others for DFU mode",
             tool);
    return expect(probe, bState <= DFURT_STATE_appDETACH, expected, "%u, %s", bState,
                  usb_dfu_state_name(bState));
}

bool detach_despite_errors(struct probe *probe,
                           uint16_t wValue,
                           unsigned limit_ms,
                           const char *then)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    int result = probe_control(probe, &detach, NULL);
    if (result < 0)
        probe_note(probe, "DETACH: %s; %s", usb_result_text(result), then);
    return expect_dfu_mode(probe, limit_ms);
}

bool given_fresh_dfu_mode(struct probe *probe, const char *then)
{
    if (!probe->run_time.seen) {
        probe_note(probe, "the run began in DFU mode: the device was not seen after a detach");
        return true;
    }
    return back_to_run_time(probe) &&
           given(probe,
                 detach_despite_errors(probe, probe_detach_time(probe), PROBE_RETURN_MS, then));
}

bool send_without_data(struct probe *probe, uint8_t bRequest)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, bRequest, 0, 0);
    return expect_length(probe, &setup, NULL, 0);
}
