// SPDX-License-Identifier: MIT
//
// standard_requests.h - standard requests (USB 2.0 9.4) as steps of checks.

#ifndef CONFORMANCE_STANDARD_REQUESTS_H
#define CONFORMANCE_STANDARD_REQUESTS_H

#include <conformance/check_common.h>

// SET_FEATURE and CLEAR_FEATURE of DEVICE_REMOTE_WAKEUP (USB 2.0 9.4.9, 9.4.1).
extern const struct usbdev_setup_packet allow_wakeup, forbid_wakeup;

struct usbdev_setup_packet request(
    uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength);

// The request STALLs, and the next one works.
bool expect_refused(struct probe *probe, struct usbdev_setup_packet setup);

// A request without data is carried out.
bool expect_done(struct probe *probe, struct usbdev_setup_packet setup);

// probe_to_default() or probe_to_address() has led into its state.
bool given_state(struct probe *probe, int (*to_state)(struct probe *probe));

// bConfigurationValue of the configuration that the host has set.
uint8_t configuration_now(const struct probe *probe);

// GET_CONFIGURATION returns this value.
bool expect_configuration(struct probe *probe, uint8_t expected);

// It does before the request that is judged; that it always does is CH9-REQ-01's and
// CH9-STATE-02's.
bool given_configuration(struct probe *probe, uint8_t expected);

// GET_STATUS returns two bytes, and these bits of them.
bool expect_status(
    struct probe *probe, uint8_t recipient, uint16_t wIndex, uint16_t mask, uint16_t expected);

// An interface that exists: the DFU one, or interface 0 of a device without DFU.
uint16_t some_interface(const struct probe *probe);

// Does bmAttributes of the configuration offer remote wake-up?
bool wakes(const struct probe *probe);

// Bulk and interrupt endpoints have the Halt feature (USB 2.0 9.4.5).
bool can_halt(const struct usb_endpoint *endpoint);

#endif
