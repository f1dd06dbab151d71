// SPDX-License-Identifier: MIT
//
// target_requests.h - the requests of an enumeration, for transports where no kernel sends them.

#ifndef CONFORMANCE_TARGET_REQUESTS_H
#define CONFORMANCE_TARGET_REQUESTS_H

#include <stdbool.h>

#include <conformance/target.h>

enum { TARGET_ENUMERATION_MS = 5000 }; // of each transfer

// Read the device descriptor and the configuration of this value (0: the first one) into
// target->descriptors. Returns 0 or an enum usb_result; IO if what came is no descriptor.
int target_read_descriptors(struct target *target, uint8_t bConfigurationValue);

// The same, but for a configuration that has no DFU interface: then the first one that has, if any
// can be read. What is in target->descriptors is to be selected.
int target_read_dfu_descriptors(struct target *target, uint8_t bConfigurationValue);

// The string descriptor of the device's serial number, in its first language. Returns its length; 0
// where the device has none, or says none.
enum { TARGET_STRING_MAX = 255 };
size_t target_read_serial(struct target *target, uint8_t serial[TARGET_STRING_MAX]);

// Does the configuration have a DFU interface (class FEh, subclass 01h)?
bool target_has_dfu(const uint8_t *configuration, size_t length);

// The endpoint descriptor of this address in the configuration, or NULL.
const uint8_t *target_find_endpoint(const struct target *target, uint8_t bEndpointAddress);

// target_ops functions that send the plain request (USB 2.0 9.4.7, 9.4.10, 9.4.1).
int target_request_set_configuration(struct target *target, uint8_t value);
int target_request_set_interface(struct target *target, uint8_t interface, uint8_t alternate);
int target_request_clear_halt(struct target *target, uint8_t bEndpointAddress);

#endif
