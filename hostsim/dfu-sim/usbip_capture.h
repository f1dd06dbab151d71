// SPDX-License-Identifier: MIT
//
// usbip_capture.h - the transfers of simulated devices as a pcapng file, as an observer of
// usbip/device.h sees them.
//
// What is no transfer (a bus reset, a device coming back) stands in the comment of the next frame
// of that device: of the GET_DESCRIPTOR itself, where that is what a reset was inferred from. A
// request to the device's port is such an event too, and no frame. Times are each device's own
// virtual time. Each frame is written to the file when its transfer is complete.

#ifndef HOSTSIM_USBIP_CAPTURE_H
#define HOSTSIM_USBIP_CAPTURE_H

#include <stddef.h>

#include <usbip/device.h>

struct usbip_capture;

// Create the file; interface says whose traffic it is. NULL on failure, with one line in error.
struct usbip_capture *
usbip_capture_open(const char *path, const char *interface, char *error, size_t error_size);

// Returns 0, or a negative errno if not everything could be written. NULL is closed already.
int usbip_capture_close(struct usbip_capture *capture);

// The events of the observer. capture may be NULL: nothing is written then.
void usbip_capture_submitted(struct usbip_capture *capture,
                             const struct usbip_device *device,
                             const struct usbip_urb *urb);
void usbip_capture_completed(struct usbip_capture *capture,
                             const struct usbip_device *device,
                             const struct usbip_urb *urb);
void usbip_capture_note(struct usbip_capture *capture,
                        const struct usbip_device *device,
                        const char *text);

#endif
