// SPDX-License-Identifier: MIT

#include "identity.h"

// Read the descriptors that the host read when it enumerated the device, so that the traffic of the
// run shows them: without them a capture cannot be dissected.
static void read_descriptors(struct probe *probe)
{
    uint8_t bytes[TARGET_CONFIGURATION_MAX];
    struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);

    probe_control(probe, &setup, bytes);
    setup = usb_get_descriptor(USBDEV_DT_CONFIGURATION, 0, 0,
                               (uint16_t)probe->target->descriptors.configuration_length);
    probe_control(probe, &setup, bytes);
}

void identify(struct probe *probe, struct report *report)
{
    struct report_device *device =
        probe->mode == DEVICE_RUN_TIME ? &report->run_time : &report->dfu_mode;
    if (device->seen)
        return;
    device->seen = true;
    device->descriptors = probe->target->descriptors;
    read_descriptors(probe);
    const uint8_t *bytes = device->descriptors.device;
    probe_read_string(probe, bytes[14], device->manufacturer, sizeof device->manufacturer);
    probe_read_string(probe, bytes[15], device->product, sizeof device->product);
    probe_read_string(probe, bytes[16], device->serial, sizeof device->serial);
}
