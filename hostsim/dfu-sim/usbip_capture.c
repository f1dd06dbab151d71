// SPDX-License-Identifier: MIT
//
// A URB becomes two frames, submitted and completed, with the device's virtual time. An event that
// has no URB is kept as text and becomes the comment of the next submitted frame of that device.
// Each completed frame is flushed, so that a capture can be read while it grows.

#include "usbip_capture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <capture/capture.h>

struct usbip_capture {
    struct capture *file;
    const struct usbip_device *noted; // whom the notes are about; NULL: there are none
    char notes[256];                  // since the last frame: "left the bus; on the bus: ..."
};

struct usbip_capture *
usbip_capture_open(const char *path, const char *interface, char *error, size_t error_size)
{
    const struct capture_origin origin = {
        .program = "dfu-sim " DFURT_VERSION,
        .interface = interface,
    };
    struct usbip_capture *capture = calloc(1, sizeof *capture);

    if (!capture) {
        snprintf(error, error_size, "no memory for a capture");
        return NULL;
    }
    capture->file = capture_open(path, &origin, error, error_size);
    if (!capture->file) {
        free(capture);
        return NULL;
    }
    return capture;
}

int usbip_capture_close(struct usbip_capture *capture)
{
    int result = capture ? capture_close(capture->file) : 0;

    free(capture);
    return result;
}

// An interrupt transfer is told from a bulk transfer by its interval: USB/IP has no more to say.
static uint8_t type_of(const struct usbip_command *command)
{
    if (command->endpoint == 0)
        return USBDEV_ENDPOINT_CONTROL;
    return command->interval ? USBDEV_ENDPOINT_INTERRUPT : USBDEV_ENDPOINT_BULK;
}

// A request to the device's port (USB 2.0 11.24.2) never reaches the device, and would be dissected
// as a DFU request.
static bool is_for_port(const struct usbip_urb *urb)
{
    const uint8_t to_port = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_OTHER;

    return urb->command.endpoint == 0 && (urb->command.setup[0] & ~USBDEV_DIR_IN) == to_port;
}

static struct capture_urb frame_of(const struct usbip_device *device, const struct usbip_urb *urb)
{
    const struct usbip_record *record = usbip_device_record(device);
    const struct usbip_command *command = &urb->command;

    return (struct capture_urb){
        .id = (uint64_t)command->devid << 32 | command->seqnum,
        .time_ns = usbip_device_now_ns(device),
        .bus = (uint16_t)record->busnum,
        .device = (uint8_t)record->devnum,
        .bEndpointAddress = (uint8_t)(command->endpoint | (command->in ? USBDEV_DIR_IN : 0)),
        .type = type_of(command),
    };
}

void usbip_capture_submitted(struct usbip_capture *capture,
                             const struct usbip_device *device,
                             const struct usbip_urb *urb)
{
    struct capture_urb frame;

    if (!capture || is_for_port(urb))
        return;
    frame = frame_of(device, urb);
    frame.setup = urb->command.endpoint == 0 ? urb->command.setup : NULL;
    frame.length = urb->command.length;
    frame.data = urb->command.in || !frame.length ? NULL : urb->data;
    if (capture->noted == device) {
        frame.comment = capture->notes;
        capture->noted = NULL;
    }
    capture_submitted(capture->file, &frame);
}

void usbip_capture_completed(struct usbip_capture *capture,
                             const struct usbip_device *device,
                             const struct usbip_urb *urb)
{
    struct capture_urb frame;

    if (!capture || is_for_port(urb))
        return;
    frame = frame_of(device, urb);
    frame.length = urb->actual;
    frame.data = urb->command.in && frame.length ? urb->data : NULL;
    frame.status = urb->status;
    capture_completed(capture->file, &frame);
    capture_flush(capture->file);
}

void usbip_capture_note(struct usbip_capture *capture,
                        const struct usbip_device *device,
                        const char *text)
{
    size_t used;

    if (!capture)
        return;
    if (capture->noted != device)
        capture->notes[0] = '\0';
    capture->noted = device;
    used = strlen(capture->notes);
    snprintf(capture->notes + used, sizeof capture->notes - used, "%s%s", used ? "; " : "", text);
}
