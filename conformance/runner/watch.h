// SPDX-License-Identifier: MIT
//
// watch.h - the target of a run: the device under test, with limits of time.
//
// Everything that a run does to the device goes through here. The watch enforces limits: after the
// time of the check or of the run is over, each call returns USB_IO at once and the target is not
// called. It stores the last request that was answered and the first that was not, so that a loss
// can be described, and counts the time of transfers that timed out. It asks the target for trouble
// before each power cycle, which ends it, and stores the text.
//
// Limits are times of this machine's clock, because a person waits for it. Where the target's time
// is virtual, a wait takes none of it.

#ifndef CONFORMANCE_WATCH_H
#define CONFORMANCE_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include <conformance/device.h>
#include <conformance/target.h>

struct watch {
    struct target base;    // the target that the run uses; a copy of target's but for ops
    struct target *target; // the device

    uint64_t check_end_ms; // 0: no limit
    uint64_t run_end_ms;
    bool out_of_time;                         // a call was refused
    const volatile sig_atomic_t *interrupted; // a check ends when it is not 0; or NULL

    unsigned silent; // control transfers in a row that were not answered
    bool left;       // the device was seen to leave, at left_us
    uint64_t left_us;
    bool absent; // waiting for the device to return has just timed out
    bool heard;  // something was answered; answered and answered_us are valid
    uint8_t answered[USBDEV_SETUP_SIZE];
    uint64_t answered_us; // when, in the target's time

    // A request that the device may leave the bus for was accepted, or its bus was reset: until it
    // is found on the bus again, and answers there, its loss is the suite's own doing.
    bool may_leave;
    bool found;

    // How often the device was lost, how often it was by no doing of the suite, and how it was the
    // last time. One unanswered request is not a loss yet; the next one decides.
    unsigned losses;
    unsigned unasked_losses;
    unsigned strandings; // the other ones that it did not come back from by itself
    struct watch_loss {
        bool gone;                          // it left the bus, as far as the transport knows
        bool unasked;                       // by no doing of the suite
        bool stranded;                      // asked for, and it did not come back by itself
        bool waited;                        // it left while it was waited for
        bool heard;                         // before is valid
        uint8_t before[USBDEV_SETUP_SIZE];  // the last request that was answered
        uint8_t request[USBDEV_SETUP_SIZE]; // the first that was not
        uint64_t after_us;                  // from the one to the other
        unsigned question; // as fatal below, if the request was the suite's own, not a check's
        unsigned fatal;    // the same, if nothing was sent before it since the enumeration
    } loss;
    struct watch_loss unasked; // the last one that was by no doing of the suite

    // How often it left the bus in DFU mode, by no doing of the suite either, and how often it came
    // back from that by itself; of the last time: for how long it had been there, and without a
    // request.
    const enum device_mode *mode; // the device's
    uint64_t found_us;
    struct watch_departures {
        unsigned begun;
        unsigned over;
        uint64_t stayed_us;
        uint64_t idle_us;
    } departures;

    // A check runs, and judges the requests that are sent. Otherwise they are the suite's own, and
    // a GETSTATUS or GETSTATE that has lost a device just after its enumeration is not sent again:
    // it returns USB_UNSUPPORTED.
    bool judging;
    bool fresh;     // no request was sent since the device was enumerated
    unsigned fatal; // a bit for each bRequest of DFU that has

    char trouble[TARGET_TROUBLE];       // the first that is new since watch_forget_trouble(), or ""
    char known_trouble[TARGET_TROUBLE]; // what the target told last, or ""

    unsigned timeouts;    // transfers that timed out, in this run
    uint64_t timeouts_ms; // and how long they took, on this machine's clock
};

// target and mode stay the caller's.
void watch_init(struct watch *watch, struct target *target, const enum device_mode *mode);

// This machine's clock.
uint64_t watch_clock_ms(void);

// A check begins that may take limit_ms (0: no limit), within what is left of the run.
void watch_begin(struct watch *watch, unsigned limit_ms);

// How long the check may still take; UINT64_MAX where there is no limit.
uint64_t watch_left_ms(const struct watch *watch);

// The device does not come back by itself: that is a loss, if it is not counted as one yet. If it
// left while it was waited for and no request was sent since, that is how it was lost.
void watch_lose(struct watch *watch);

// Ask the target for trouble, and keep it in watch->trouble if it is new.
void watch_look_for_trouble(struct watch *watch);

// A check begins: trouble that the target is in already is not attributed to it.
void watch_forget_trouble(struct watch *watch);

// "the device left the bus 12 ms after GET_DESCRIPTOR(STRING 3); SET_INTERFACE was not answered".
void watch_loss_text(const struct watch_loss *loss, char *text, size_t size);

#endif
