// SPDX-License-Identifier: MIT
//
// check_common.h - steps that several groups of checks are made of.

#ifndef CONFORMANCE_CHECK_COMMON_H
#define CONFORMANCE_CHECK_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include <conformance/probe.h>

struct configuration_bytes {
    uint8_t bytes[PROBE_CONTROL_MAX];
    int length; // received
    struct usb_configuration config;
};

// Read configuration 0 from the device, by its header and then by wTotalLength.
bool read_configuration(struct probe *probe, struct configuration_bytes *ret);

// Read the 18 bytes of the device descriptor.
bool read_device_descriptor(struct probe *probe, uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE]);

// Endpoint 0 still works: the device descriptor can be read.
bool expect_alive(struct probe *probe, const char *when);

// A wValue for DETACH that no device has a reason to refuse: what tools send, but no more than
// wDetachTimeOut (which may be 0 where bitWillDetach is 1).
uint16_t detach_time(const struct probe *probe);

// DETACH is carried out to the end of its status stage. A device that leaves in the middle of it
// breaks the expectation: it has left too early.
bool expect_detach(struct probe *probe, uint16_t wValue);

// The device leaves the bus without being reset.
bool expect_leave(struct probe *probe);

// After DETACH: the device leaves by itself, or is reset, as bitWillDetach says, and is in DFU mode
// not later than limit_ms after.
bool expect_dfu_mode(struct probe *probe, unsigned limit_ms);

// A bus reset after which the device is at run time, in appIDLE.
bool expect_run_time_after_reset(struct probe *probe, const char *when);

// Bring the device back to run time, or be INCONCLUSIVE.
bool back_to_run_time(struct probe *probe);

#endif
