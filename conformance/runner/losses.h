// SPDX-License-Identifier: MIT
//
// losses.h - whether and how the device under test was lost: it left the bus, or stopped answering.
//
// The watch reports here what came of each call of the target, and when, in the target's time.
// Nothing is sent. An answer (data, STALL, overflow) ends a silence; no answer begins one, and the
// first request that was not answered and the last one that was are kept. One unanswered request is
// no loss yet; the next one decides.
//
// A loss is the suite's own doing where a request that the device may leave the bus for was
// accepted, or its bus was reset, until it is found on the bus again and answers there. In
// appDETACH a device whose bitWillDetach is 0 is to stay: it may leave for DFU mode alone, which
// other checks judge.

#ifndef CONFORMANCE_LOSSES_H
#define CONFORMANCE_LOSSES_H

#include "fatal.h"

enum {
    LOSSES_DEPARTURES = 16,
};

// What the probe knows: the mode of the device, whether what is sent is the suite's own way (not
// 0), whether memory may have changed, and what the device says of itself at run time. And whether
// a pause behind the last request is under way (pauses.h). All outlive the losses.
struct losses_view {
    const enum device_mode *mode;
    const unsigned *on_the_way;
    const bool *dirty;
    const bool *pausing;
    const struct device *run_time;
};

struct losses {
    struct losses_view view;

    struct loss_counts {
        unsigned all;
        unsigned unasked;
        unsigned stranded;
        unsigned departures; // it left the bus in DFU mode, by no doing of the suite either
        unsigned returns;    // and came back from that by itself
    } counts;
    struct loss last;
    struct loss last_unasked;
    struct departure {
        uint64_t stayed_us; // it had been on the bus for so long
        uint64_t idle_us;   // and for so long without a request
        bool silent;        // it did not answer afterwards, until the suite did something
        unsigned all;       // it is among these counts so often
        unsigned unasked;
        unsigned number;             // counts.unasked when it was counted
        struct loss earlier;         // last_unasked before that
        struct fatal_request *fatal; // that it was taken for, or NULL
    } departures[LOSSES_DEPARTURES]; // the last ones

    unsigned silent; // control transfers in a row that were not answered
    bool heard;      // something was answered; answered and answered_us are valid
    uint8_t answered[USBDEV_SETUP_SIZE];
    uint64_t answered_us;
    bool left; // the device was seen to leave, at left_us
    uint64_t left_us;

    // The request at which the device is lost if it leaves before until_us, though it answered:
    // the one that a pause was behind, or one that is known to be of that kind.
    struct late_request {
        uint8_t setup[USBDEV_SETUP_SIZE];
        bool on_the_way;
        uint64_t answered_us;
        uint64_t until_us;
    } late;
    bool absent;    // waiting for the device to return has just timed out
    bool may_leave; // a loss would be the suite's own doing
    enum loss_way way;
    bool found; // the device is on the bus again since, and has not answered yet
    uint64_t found_us;

    bool fresh; // no request was sent since the device was enumerated
    struct fatal_requests fatal;
};

// The device is on the bus.
void losses_init(struct losses *losses, const struct losses_view *view, uint64_t now_us);

// A control transfer ended with this result, an enum usb_result.
void losses_saw(struct losses *losses,
                const struct usbdev_setup_packet *setup,
                int result,
                uint64_t now_us);

// The device may leave the bus from now on, by the suite's own doing.
void losses_let_leave(struct losses *losses, enum loss_way way);

// What let the device leave is over: it has to stay from now on.
void losses_have_to_stay(struct losses *losses);

// The device was seen to leave the bus, or was found on it.
void losses_saw_leave(struct losses *losses, uint64_t now_us);
void losses_saw_return(struct losses *losses, uint64_t now_us);

// It was found on the bus after its power was cycled, and begins anew: what it does not answer then
// is another loss, of the suite's doing until it has answered.
void losses_saw_power(struct losses *losses, uint64_t now_us);

// The device is still there, a pause behind the one request that it answered last.
void losses_saw_stay(struct losses *losses);

// The device was waited for and came back by itself: a departure is over.
void losses_saw_comeback(struct losses *losses, uint64_t now_us);

// The suite resets the bus or cycles the power: a departure that was begun does not count, and one
// that was followed by silence is a loss.
void losses_excuse_departure(struct losses *losses);

// The device does not come back by itself: that is a loss, if it is not counted as one yet. If it
// left while it was waited for and no request was sent since, that is how it was lost.
void losses_give_up(struct losses *losses, uint64_t now_us);

// The departure of that number, from 0; NULL where too many have followed.
const struct departure *losses_departure(const struct losses *losses, unsigned number);

// That departure was no loss. Of several the last comes first.
void losses_take_out(struct losses *losses, const struct departure *departure);

// Is this a request of the suite's own way that it has to go without (fatal.h)?
bool losses_forbid(const struct losses *losses, const struct usbdev_setup_packet *setup);

// Was the device lost on a way that is not taken any more?
bool losses_avoid(const struct losses *losses, const struct loss *loss);

#endif
