// SPDX-License-Identifier: MIT
//
// transcript.h - what went over the bus during one check.
//
// Failures, reports and captures are made from it, so it records everything: setup bytes, data,
// result, times, and the events between the transfers. It is a bounded ring: a long check keeps its
// last TRANSCRIPT_ENTRIES entries and says how many went before them. An entry keeps the first
// TRANSCRIPT_EXCERPT bytes of data; a tap sees all of them.

#ifndef CONFORMANCE_TRANSCRIPT_H
#define CONFORMANCE_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <conformance/target.h>

#include <dfurt/usb_spec.h>

enum {
    TRANSCRIPT_ENTRIES = 64,
    TRANSCRIPT_EXCERPT = 64,
};

enum transcript_kind {
    TRANSCRIPT_CONTROL,
    TRANSCRIPT_TRANSFER, // bulk or interrupt
    TRANSCRIPT_RESET,
    TRANSCRIPT_SET_CONFIGURATION, // through the transport; value in setup[2]
    TRANSCRIPT_SET_INTERFACE, // through the transport; alternate in setup[2], number in setup[4]
    TRANSCRIPT_CLEAR_HALT,
    TRANSCRIPT_DEFAULT, // reset, left in the Default state
    TRANSCRIPT_ADDRESS, // reset and addressed, left in the Address state
    TRANSCRIPT_SUSPEND,
    TRANSCRIPT_RESUME,
    TRANSCRIPT_POWER, // off and on again
    TRANSCRIPT_WAIT_LEAVE,
    TRANSCRIPT_WAIT_RETURN,
    TRANSCRIPT_SLEEP,
};

struct transcript_entry {
    enum transcript_kind kind;
    bool dfu_mode;     // the mode the device was in when it was sent
    uint64_t start_us; // in the target's time
    uint64_t took_us;
    uint64_t late_us;                 // by how much this host was late here, at most (probe_time.h)
    uint8_t setup[USBDEV_SETUP_SIZE]; // CONTROL and those that stand for one
    struct target_departure departure; // CONTROL
    uint8_t bEndpointAddress;          // TRANSFER, CLEAR_HALT
    unsigned wait_ms;                  // WAIT_LEAVE, WAIT_RETURN, SLEEP: for at most so long
    bool aside;                        // a question about the entry before: no finding is about it
    size_t asked;                      // bytes asked for or sent
    int result;                        // bytes that moved, 0, or an enum usb_result
    size_t data_length;                // bytes kept in data
    uint8_t data[TRANSCRIPT_EXCERPT];
};

// Sees each entry when it is complete, with all of its data (data_size bytes).
typedef void transcript_tap(void *context,
                            const struct transcript_entry *entry,
                            const uint8_t *data,
                            size_t data_size);

struct transcript {
    struct transcript_entry entries[TRANSCRIPT_ENTRIES];
    size_t total; // recorded since the last clear; the ring keeps the last of them
    transcript_tap *tap;
    void *tap_context;
};

// Forget the entries, keep the tap.
void transcript_clear(struct transcript *transcript);

// Add an entry; its data_length and data are filled in from data.
void transcript_add(struct transcript *transcript,
                    struct transcript_entry entry,
                    const uint8_t *data,
                    size_t data_size);

// The entries since total was first are questions about the one before them.
void transcript_set_aside(struct transcript *transcript, size_t first);

size_t transcript_count(const struct transcript *transcript);   // entries that are kept
size_t transcript_dropped(const struct transcript *transcript); // entries that went before them

// The i-th kept entry, oldest first.
const struct transcript_entry *transcript_get(const struct transcript *transcript, size_t i);

// One line for a person, without newline:
// "21 00 e8 03 00 00 00 00 DETACH -> done, 0.1 ms". Always terminated.
void transcript_line(const struct transcript_entry *entry, char *text, size_t size);

// What was sent, without the answer: "21 00 e8 03 00 00 00 00 DETACH".
void transcript_sent(const struct transcript_entry *entry, char *text, size_t size);

// The answer alone: "STALL", "6 bytes: 00 ...", "done".
void transcript_result(const struct transcript_entry *entry, char *text, size_t size);

// "21 00 e8 03 ..."; at most size-1 characters, " ..." at the end if not all bytes fit.
void format_bytes(char *text, size_t size, const uint8_t *bytes, size_t length);

// "DETACH", "GET_DESCRIPTOR", ... or "request 7Fh".
void format_request(char *text, size_t size, const uint8_t setup[USBDEV_SETUP_SIZE]);

// The same, and of GET_DESCRIPTOR which one: "GET_DESCRIPTOR(STRING 3)".
void format_request_in_full(char *text, size_t size, const uint8_t setup[USBDEV_SETUP_SIZE]);

#endif
