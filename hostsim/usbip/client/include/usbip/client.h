// SPDX-License-Identifier: MIT
//
// client.h - a USB/IP client in user space: transfers to an exported device without a kernel
// driver, without root and without this machine having USB.
//
//     struct usbip_client *client =
//         usbip_client_open("127.0.0.1", "3240", NULL, 1000, error, sizeof error);
//     length = usbip_client_control(client, &get_status, reply, 500);
//     usbip_client_close(client);
//
// Calls block, each at most for the time it is given; one transfer is under way at a time. Every
// reply is validated: one that does not fit the transfer ends the connection, and
// usbip_client_violation() then says what was wrong with it.
//
// The device is in the Address state after opening, as after any enumeration. SET_ADDRESS cannot
// be sent. A GET_DESCRIPTOR(DEVICE) with wLength 64 or 8 makes a server reset the bus first: it is
// how a server learns that a kernel client has reset its port. Ask for 18 bytes.

#ifndef HOSTSIM_USBIP_CLIENT_H
#define HOSTSIM_USBIP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <usb/result.h>
#include <usbip/proto.h>

struct usbip_client;

// Connect and import a device. bus_id NULL takes the only one that the server exports. On failure
// returns NULL and writes one line that says what was wrong and what to do into error.
struct usbip_client *usbip_client_open(const char *host,
                                       const char *port,
                                       const char *bus_id,
                                       unsigned timeout_ms,
                                       char *error,
                                       size_t error_size);
void usbip_client_close(struct usbip_client *client);

// The device as the server described it at the last import.
const struct usbip_record *usbip_client_record(const struct usbip_client *client);

// A control transfer to endpoint 0. data holds setup->wLength bytes. Returns the length of the data
// stage (0..wLength) or an enum usb_result.
int usbip_client_control(struct usbip_client *client,
                         const struct usbdev_setup_packet *setup,
                         uint8_t *data,
                         unsigned timeout_ms);

// A bulk or interrupt transfer of at most USBIP_MAX_LENGTH bytes; bit 7 of bEndpointAddress is the
// direction. Returns the bytes that moved or an enum usb_result.
int usbip_client_transfer(struct usbip_client *client,
                          uint8_t bEndpointAddress,
                          uint8_t *data,
                          size_t length,
                          unsigned timeout_ms);

// Reset the bus; the server gives the device its address again, or USB_GONE if the device
// did not come back from it. Another device may be there now (DFU 1.1 A.2.2): read its descriptors.
int usbip_client_reset(struct usbip_client *client, unsigned timeout_ms);

// Wait until the device leaves the bus. Returns 0, or USB_TIMEOUT if it stayed.
int usbip_client_wait_leave(struct usbip_client *client, unsigned timeout_ms);

// After the device has left: import it again under the same bus id, trying until it is back. While
// it has not left, nothing is done: it is still there. Returns 0, or USB_TIMEOUT.
int usbip_client_reopen(struct usbip_client *client, unsigned timeout_ms);

// While the device is away: what the server exports now. Returns 0, or USB_TIMEOUT or USB_IO.
struct usbip_list;
int usbip_client_list(struct usbip_client *client,
                      struct usbip_list *ret_list,
                      unsigned timeout_ms);

// Give the device back to the server: it is away, and others may import it.
void usbip_client_release(struct usbip_client *client);

// While the device is away: it is expected under this bus id from here on.
void usbip_client_follow(struct usbip_client *client, const char *bus_id);

// How the server broke the protocol, one line; NULL if it did not.
const char *usbip_client_violation(const struct usbip_client *client);

#endif
