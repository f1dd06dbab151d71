// SPDX-License-Identifier: MIT
//
// pauses.h - time for a device to leave that answers a request first.
//
// Firmware that restarts at a request it does not know, or by a watchdog, often answers it, and is
// gone some ten milliseconds later. By then other requests are under way, which are not to blame;
// and a DETACH or a bus reset among them would excuse it. So a check that sent a request which
// none before it did, in this state of the device, ends with a pause. Where a check is repeated
// since the device was lost, there is one behind each such request, which tells the one that is to
// blame.
//
// No pause is made where the device may leave, or does by itself.

#ifndef CONFORMANCE_PAUSES_H
#define CONFORMANCE_PAUSES_H

#include <conformance/transcript.h>

enum {
    PAUSES_MAX = 1024, // behind other requests there is none
};

// Requests that the device has answered, each with the state it was sent in. wLength counts as 0 or
// not; of class requests wValue counts for nothing, which numbers blocks.
struct answered_requests {
    struct answered_request {
        int state; // as the gate has it
        bool dfu_mode;
        enum transcript_kind kind;
        uint8_t setup[USBDEV_SETUP_SIZE];
        uint8_t bEndpointAddress;
    } list[PAUSES_MAX];
    unsigned count;
    unsigned stayed_behind; // so many of them, the first, had a pause behind them
};

struct pauses {
    struct answered_requests run;     // in it so far
    struct answered_requests attempt; // in this one, where there are pauses behind each
    bool behind_each;
    bool behind_one; // is under way
    int state;       // before the next request
};

struct run;

// Have run's probe tell of each request, and note those that were answered. The watch has its view
// of run->pauses.behind_one.
void pauses_begin(struct run *run);

// An attempt of a check begins; with pauses behind each request, or at its end alone.
void pauses_begin_attempt(struct run *run, bool behind_each);

// The check has sent its requests.
void pauses_end_check(struct run *run);

// A way of the suite's own has sent its requests. Returns whether the device is still there.
bool pauses_end_way(struct run *run);

#endif
