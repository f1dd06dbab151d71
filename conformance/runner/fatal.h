// SPDX-License-Identifier: MIT
//
// fatal.h - requests that are fatal to the device under test: it was lost at them twice, or never
// answers them.
//
// No way of the suite's own takes them any more, where there is another one. Checks send them.
// Behind a question for the state it is the request before that no way takes.

#ifndef CONFORMANCE_FATAL_H
#define CONFORMANCE_FATAL_H

#include "loss.h"

enum { FATAL_MAX = 16 }; // those that are found later are sent again and again

struct fatal_requests {
    struct fatal_request {
        enum device_mode mode;
        uint8_t request[USBDEV_SETUP_SIZE];
        uint8_t question; // bRequest of the one behind it that was not answered; 0: it was not
        bool late;        // it was answered, and the device left in the pause behind it
        unsigned times;   // that it was found to be, and was not answered since
    } list[FATAL_MAX];
    unsigned count;
    unsigned answers[DEVICE_DFU_MODE + 1]; // a bit for each question that was answered in the mode
};

// The device was lost. The first of all requests to a device that has never answered it needs no
// second time. Returns what it is taken for, to be taken back; or NULL.
struct fatal_request *fatal_add_loss(struct fatal_requests *fatal, const struct loss *loss);

// Its power was cycled: as long as it has not answered a question again, it has never answered it.
void fatal_forget_answers(struct fatal_requests *fatal);

// The one request was not answered, and the next one was.
void fatal_add_silence(struct fatal_requests *fatal, const struct loss *loss);

// A request that is answered is not fatal. Nor is the one before it, if that was taken for the
// culprit since a question behind it was not answered, and this is that question.
void fatal_clear(struct fatal_requests *fatal,
                 enum device_mode mode,
                 const uint8_t answered[USBDEV_SETUP_SIZE],
                 const uint8_t before[USBDEV_SETUP_SIZE]);

// A request behind which the device stays is not fatal by what comes late.
void fatal_clear_late(struct fatal_requests *fatal,
                      enum device_mode mode,
                      const uint8_t answered[USBDEV_SETUP_SIZE]);

// Did the device leave in a pause behind this request?
bool fatal_comes_late(const struct fatal_requests *fatal,
                      enum device_mode mode,
                      const uint8_t request[USBDEV_SETUP_SIZE]);

// Is a way to go without this request? DETACH at run time, to which there is no other way, is sent.
// Where memory may have changed (dirty), and is to be restored, only what another request replaces
// is not.
bool fatal_forbid(const struct fatal_requests *fatal,
                  enum device_mode mode,
                  const uint8_t request[USBDEV_SETUP_SIZE],
                  bool dirty);

// Was the device lost by what is known to be fatal?
bool fatal_was(const struct fatal_requests *fatal, const struct loss *loss);

#endif
