// SPDX-License-Identifier: MIT
//
// request_judges.h - which check judges a device that is lost at a request.
//
// A firmware that crashes at a request is lost in every check that sends it: on the way into a
// mode, in a clean-up, in a check of another subject. The FAIL is that of the check whose subject
// the request is, in the first state in which it crashes.

#ifndef CONFORMANCE_REQUEST_JUDGES_H
#define CONFORMANCE_REQUEST_JUDGES_H

#include <stddef.h>
#include <stdint.h>

#include <conformance/check.h>
#include <conformance/device.h>
#include <usb/requests.h>

// late: the device answers it, and leaves the bus then.
//
// The at-th check whose subject a request is in that mode, or NULL behind the last one. The first
// that is not met has the FAIL. setup: the bytes of the SETUP packet (USB 2.0 9.3).
const struct check *judge_of_request(enum device_mode mode,
                                     const uint8_t setup[USBDEV_SETUP_SIZE],
                                     bool late,
                                     size_t at);

#endif
