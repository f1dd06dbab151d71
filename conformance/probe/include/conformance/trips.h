// SPDX-License-Identifier: MIT
//
// trips.h - what DETACH was seen to lead to in this run, whichever check had sent it.
//
// Each way into DFU mode and back is two enumerations, and as many restarts of a product. Nearly
// every check of DETACH needs one; what a device did without a fault in one of them need not be
// asked of it again. Only what was good is remembered: where it was not, the check that judges it
// goes that way by itself.

#ifndef CONFORMANCE_TRIPS_H
#define CONFORMANCE_TRIPS_H

#include <stdbool.h>
#include <stdint.h>

#include <conformance/check.h>
#include <conformance/transcript.h>

// Of DETACH at run time (DFU 1.1 5.1), whole and accepted. The check in which it was seen, NULL: in
// none. Those with two places are [wValue is 0].
struct trips {
    const struct check *settled[2]; // once the product had finished its start
    const struct check *prompt;     // within the 50 ms of USB 2.0 9.2.6.5; with a wValue
    const struct check *left[2];    // and the device left the bus by itself
    const struct check *arrived[2]; // and came back in DFU mode, by a bus reset if it waits for one
    const struct check *again;      // and that after it had been in DFU mode, and back in appIDLE

    struct target_descriptors before; // of run time, before the first one; empty: there was none

    // The one that is under way.
    enum {
        TRIP_NONE,
        TRIP_DETACHED,
        TRIP_LEFT,
    } stage;
    bool zero; // its wValue was 0
    uint64_t start_us;
    bool been; // the device has been in DFU mode since it was powered on
    bool told; // and which state it came back to, when it was first asked
    bool back; // which was appIDLE
};

struct probe;

// How long a product that was just powered on still starts what it does; 0: it has started.
unsigned trips_unsettled_ms(struct probe *probe);

// With each entry of the transcript, when it ends.
void trips_saw(struct probe *probe, const struct transcript_entry *entry);

// With each refresh: the device as it was found.
void trips_found(struct probe *probe);

#endif
