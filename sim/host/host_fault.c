// SPDX-License-Identifier: MIT
//
// Why a transfer failed, in words: enum usb_result tells four things from each other, and whoever
// looks for the fault of a device that does not enumerate has to tell more.

#include <stdarg.h>
#include <stdio.h>

#include "host_private.h"

#include <usb/names.h>

const char *host_stage_name(const struct sim_transfer *transfer)
{
    switch ((enum host_stage)transfer->stage) {
    case STAGE_FIRST:
        return "setup stage";
    case STAGE_DATA:
        return "data stage";
    case STAGE_STATUS:
        break;
    }
    return "status stage";
}

// "GET_DESCRIPTOR (wValue 0100h)", "request 7Fh (wValue 0000h)", "endpoint 81h"
static int put_subject(char *text, size_t size, const struct sim_transfer *transfer)
{
    struct usbdev_setup_packet setup = usbdev_setup_load(transfer->setup);
    const char *name =
        setup.bmRequestType & USBDEV_TYPE_MASK ? NULL : usb_standard_request_name(setup.bRequest);

    if (transfer->type != USBDEV_ENDPOINT_CONTROL)
        return snprintf(text, size, "endpoint %02Xh", transfer->endpoint);
    if (!name)
        return snprintf(text, size, "request %02Xh (wValue %04Xh)", setup.bRequest, setup.wValue);
    return snprintf(text, size, "%s (wValue %04Xh)", name, setup.wValue);
}

void host_note_fault(struct sim_host *host,
                     const struct sim_transfer *transfer,
                     const char *format,
                     ...)
{
    int length = put_subject(host->fault, sizeof host->fault, transfer);
    va_list values;

    length += snprintf(host->fault + length, sizeof host->fault - (size_t)length, ": ");
    va_start(values, format);
    vsnprintf(host->fault + length, sizeof host->fault - (size_t)length, format, values);
    va_end(values);
}

const char *sim_host_fault(const struct sim_host *host)
{
    return host->fault;
}
