// SPDX-License-Identifier: MIT
//
// capture.h - USB transfers written as a pcapng file that Wireshark and tshark dissect.
//
// The link type is Linux usbmon's (LINKTYPE_USB_LINUX_MMAPPED): a record when a transfer is
// submitted, one when it completes, as the kernel would have written them. Wireshark recognises
// some DFU devices by their ids; for any other use
//
//     tshark -r FILE.pcapng -d usb.product==0x12090001,usbdfu
//
// or "Decode As" in its window.
//
// A record can carry a comment: which check it belongs to, or that a bus reset was inferred.
//
// Errors are sticky: after the first failed write nothing more is written, and capture_close() says
// so. It reads no clock: the caller passes the times.

#ifndef CAPTURE_H
#define CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

// The file's header.
struct capture_origin {
    const char *program;   // "dfu-sim 0.1.0"
    const char *interface; // "will-detach", "usb:1209:0001": whose traffic it is
};

// One transfer, at its submission or at its completion.
struct capture_urb {
    uint64_t id;              // the same at submission and completion
    uint64_t time_ns;         // since the epoch of the capture
    uint16_t bus;             // bus number, for display
    uint8_t device;           // device address: another one each time it is enumerated
    uint8_t bEndpointAddress; // direction in bit 7; for control the direction of the data stage
    uint8_t type;             // USBDEV_ENDPOINT_CONTROL, _BULK or _INTERRUPT
    const uint8_t *setup;     // 8 bytes at the submission of a control transfer, else NULL
    uint32_t length;          // submission: bytes asked for; completion: bytes that moved
    const uint8_t *data;      // OUT: at the submission; IN: at the completion; else NULL
    int status;               // completion: 0, or as Linux says it: -EPIPE for a STALL, ...
    const char *comment;      // or NULL
};

struct capture;

// Create the file. On failure returns NULL with one line in error.
struct capture *
capture_open(const char *path, const struct capture_origin *origin, char *error, size_t error_size);

// Add a record. Returns its frame number as Wireshark counts, from 1.
uint64_t capture_submitted(struct capture *capture, const struct capture_urb *urb);
uint64_t capture_completed(struct capture *capture, const struct capture_urb *urb);

// Frames written so far.
uint64_t capture_frames(const struct capture *capture);

// Hand what was written to the system, so that the file can be read while it grows.
void capture_flush(struct capture *capture);

// Close the file. Returns 0, or a negative errno if not everything could be written.
int capture_close(struct capture *capture);

#endif
