// SPDX-License-Identifier: MIT
//
// usb_core.h - what an operating system's USB core does above its host controller: it enumerates
// the device on the port, keeps its descriptors, knows which configuration and which alternate
// settings are in use, and so which endpoints there are and where their data toggles begin.
//
//     usb_core_init(&core, host);
//     if (usb_core_enumerate(&core, 1000 * SIM_MS) == 0)
//         usb_core_set_configuration(&core, 1);
//     endpoint = usb_core_find_endpoint(&core, 0x81);
//
// It sees every control transfer that the device accepts, whoever submitted it: a SET_CONFIGURATION
// or SET_INTERFACE that a program sends by itself is followed like one of usb_core_set_...().
//
// The descriptors come from a device that may be wrong or hostile: what was received is kept as it
// is, and what cannot be read is left out.

#ifndef SIM_USB_CORE_H
#define SIM_USB_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/host.h>

enum { USB_CORE_MAX_CONFIGURATIONS = 8 }; // as Linux

// How long every host here waits for a device, when it is plugged in and after a reset: firmware
// may do a lot before it connects.
enum { USB_CORE_APPEAR_MS = 10000 };

// Read-only for others.
struct usb_core {
    struct sim_host *host;

    // The device descriptor and, behind it, the configurations, as they were received.
    uint8_t *descriptors; // NULL: none was read
    size_t length;
    size_t configurations[USB_CORE_MAX_CONFIGURATIONS + 1]; // where each begins, and the last ends
    size_t configuration_count;

    uint8_t bConfigurationValue; // 0: not configured
    uint8_t alternates[256];     // bAlternateSetting by bInterfaceNumber

    struct sim_enumeration enumeration;
};

// One core for a host, for as long as the host is used.
void usb_core_init(struct usb_core *core, struct sim_host *host);
void usb_core_finish(struct usb_core *core);

// Wait for a device, reset it, give it an address (sim_host_enumerate) and read its descriptors;
// leaves it in the Address state. timeout_ns bounds the wait for a device. Returns 0 or an enum
// usb_result; IO also if the device descriptor is not 18 bytes long. A configuration that cannot be
// read has length 0, which is no error as long as the device stays on the bus.
int usb_core_enumerate(struct usb_core *core, uint64_t timeout_ns);

// The same in pieces: usb_core_go_on() returns SIM_UNDER_WAY at limit_ns of the host's time, and
// is called again (sim_enumeration_go_on).
void usb_core_begin(struct usb_core *core, uint64_t timeout_ns);
int usb_core_go_on(struct usb_core *core, uint64_t limit_ns);

// The bytes of a configuration, by its index. *ret_length is 0 where there is none, or where it
// could not be read.
const uint8_t *
usb_core_configuration(const struct usb_core *core, size_t index, size_t *ret_length);

// Ask for the string of this index, not 0, in the device's first language (USB 2.0 9.6.7). Fills
// text as usb_text() does; "" if the device does not give it.
void usb_core_read_string(struct usb_core *core, uint8_t index, char *text, size_t size);

// The standard request (USB 2.0 9.4.7, 9.4.10, 9.4.1). Each returns 0 or an enum usb_result.
int usb_core_set_configuration(struct usb_core *core, uint8_t bConfigurationValue);
int usb_core_set_interface(struct usb_core *core,
                           uint8_t bInterfaceNumber,
                           uint8_t bAlternateSetting);
int usb_core_clear_halt(struct usb_core *core, uint8_t bEndpointAddress);

// The interface descriptor of this alternate setting in the current configuration, or NULL.
const uint8_t *usb_core_find_interface(const struct usb_core *core,
                                       uint8_t bInterfaceNumber,
                                       uint8_t bAlternateSetting);

// The endpoint descriptor of this address in the current configuration and alternate settings, or
// NULL.
const uint8_t *usb_core_find_endpoint(const struct usb_core *core, uint8_t bEndpointAddress);

// Fill in endpoint, type, wMaxPacketSize and bInterval of a transfer to this endpoint. Returns
// false if no bulk or interrupt transfer can be made of it: another type, endpoint 0, no packet
// size.
bool usb_core_prepare(struct sim_transfer *transfer, const uint8_t *endpoint_descriptor);

#endif
