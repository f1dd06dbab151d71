// SPDX-License-Identifier: MIT

#include "identity.h"

#include <usb/text.h>

// A string descriptor as UTF-8; empty if there is none.
static void read_string(struct probe *probe, uint8_t index, char text[REPORT_TEXT])
{
    uint8_t bytes[255];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, index, 0x0409, sizeof bytes);
    int length = index ? probe_control(probe, &setup, bytes) : 0;
    usb_text(text, REPORT_TEXT, bytes, length > 0 ? (size_t)length : 0);
}

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
    read_string(probe, device->descriptors.device[14], device->manufacturer);
    read_string(probe, device->descriptors.device[15], device->product);
    read_string(probe, device->descriptors.device[16], device->serial);
}
