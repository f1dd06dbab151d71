// SPDX-License-Identifier: MIT

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "losses.h"
#include <conformance/transcript.h>
#include <usb/result.h>

void losses_init(struct losses *losses, const struct losses_view *view, uint64_t now_us)
{
    *losses = (struct losses){.view = *view, .fresh = true, .found_us = now_us};
}

// After DETACH, and after the DNLOAD of nothing that ends a download, a device may leave.
static bool lets_leave(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    bool nothing = setup[6] == 0 && setup[7] == 0;
    return setup[0] == 0x21 && (setup[1] == DFURT_DETACH || (setup[1] == DFURT_DNLOAD && nothing));
}

// GETSTATUS or GETSTATE, which the suite sends between two checks.
static bool is_question(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return setup[0] == 0xA1 && (setup[1] == DFURT_GETSTATUS || setup[1] == DFURT_GETSTATE);
}

// ---- Fatal requests ----

enum { FATAL_TIMES = 2 };

// Its place among those that were found, or fatal_count.
static unsigned place_of(const struct losses *losses,
                         enum device_mode mode,
                         const uint8_t request[USBDEV_SETUP_SIZE])
{
    unsigned i = 0;
    while (i < losses->fatal_count &&
           (losses->fatal[i].mode != mode ||
            memcmp(losses->fatal[i].request, request, USBDEV_SETUP_SIZE) != 0))
        i++;
    return i;
}

static bool is_fatal(const struct losses *losses,
                     enum device_mode mode,
                     const uint8_t request[USBDEV_SETUP_SIZE])
{
    unsigned place = place_of(losses, mode, request);
    return place < losses->fatal_count && losses->fatal[place].times >= FATAL_TIMES;
}

// Returns the request, with so many times more; NULL where there is no room.
static struct fatal_request *
add_fatal(struct losses *losses, const uint8_t request[USBDEV_SETUP_SIZE], unsigned times)
{
    enum device_mode mode = losses->last.mode;
    unsigned place = place_of(losses, mode, request);
    if (place == LOSSES_FATAL)
        return NULL;
    struct fatal_request *fatal = &losses->fatal[place];
    if (place == losses->fatal_count) {
        losses->fatal_count++;
        *fatal = (struct fatal_request){.mode = mode};
        memcpy(fatal->request, request, USBDEV_SETUP_SIZE);
    }
    fatal->question = request == losses->last.before ? losses->last.request[1] : 0;
    fatal->times += times;
    return fatal;
}

// A request that is answered is not fatal; one that was followed by a question, if that is answered
// behind it.
static void clear_fatal(struct losses *losses, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    enum device_mode mode = *losses->view.mode;
    unsigned place = place_of(losses, mode, setup);
    if (place < losses->fatal_count && !losses->fatal[place].question)
        losses->fatal[place].times = 0;
    place = place_of(losses, mode, losses->answered);
    if (is_question(setup) && place < losses->fatal_count &&
        losses->fatal[place].question == setup[1])
        losses->fatal[place].times = 0;
}

static bool is_class_request(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return (setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;
}

static unsigned bit_of(const uint8_t question[USBDEV_SETUP_SIZE])
{
    return 1u << question[1];
}

// What a way has to go without. A question is asked behind any request of DFU, and the device may
// have been lost by that one.
static const uint8_t *culprit(const struct loss *loss)
{
    bool behind = is_question(loss->request) && !loss->fresh && loss->heard;
    bool is_act = is_class_request(loss->before) && !is_question(loss->before);
    return behind && is_act ? loss->before : loss->request;
}

// The first of all requests to a device that has never answered it needs no second time.
static struct fatal_request *note_fatal(struct losses *losses)
{
    const struct loss *loss = &losses->last;
    bool is_certain = is_question(loss->request) && loss->fresh &&
                      !(losses->answers[loss->mode] & bit_of(loss->request));
    if (loss->waited || !(loss->unasked || is_certain))
        return NULL;
    return add_fatal(losses, culprit(loss), is_certain ? FATAL_TIMES : 1);
}

// ABORT and CLRSTATUS are the ways to dfuIDLE. Where the device was lost at both, as one may be
// that is lost after a number of requests, ABORT stays: nothing could be put back else.
static bool is_last_way(const struct losses *losses,
                        enum device_mode mode,
                        const uint8_t request[USBDEV_SETUP_SIZE])
{
    uint8_t other[USBDEV_SETUP_SIZE];
    memcpy(other, request, sizeof other);
    other[1] = DFURT_CLRSTATUS;
    return mode == DEVICE_DFU_MODE && request[0] == 0x21 && request[1] == DFURT_ABORT &&
           is_fatal(losses, mode, other);
}

// Does another request do the same? A question for the other one, CLRSTATUS for ABORT, and none
// for SET_INTERFACE.
static bool has_substitute(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return is_question(setup) || (setup[0] == 0x21 && setup[1] == DFURT_ABORT) ||
           (setup[0] == 0x01 && setup[1] == USBDEV_SET_INTERFACE);
}

bool losses_forbid(const struct losses *losses, const struct usbdev_setup_packet *setup)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];
    enum device_mode mode = *losses->view.mode;
    usbdev_setup_store(bytes, setup);
    if (!*losses->view.on_the_way || !is_fatal(losses, mode, bytes))
        return false;
    bool detaches = mode == DEVICE_RUN_TIME && bytes[0] == 0x21 && bytes[1] == DFURT_DETACH;
    bool may_go_without = !*losses->view.dirty || has_substitute(bytes);
    return !detaches && may_go_without && !is_last_way(losses, mode, bytes);
}

bool losses_avoid(const struct losses *losses, const struct loss *loss)
{
    return loss->on_the_way && !loss->waited && is_fatal(losses, loss->mode, culprit(loss));
}

// ---- Leaving and coming back ----

// It was seen to leave, and not found on the bus since.
static bool is_away(const struct losses *losses)
{
    return losses->left && !losses->found;
}

void losses_let_leave(struct losses *losses, enum loss_way way)
{
    losses->may_leave = true;
    losses->way = way;
}

static void note_departure(struct losses *losses, uint64_t now_us)
{
    bool noted = losses->counts.departures != losses->counts.returns;
    if (noted || losses->may_leave || *losses->view.mode != DEVICE_DFU_MODE)
        return;
    losses->departures[losses->counts.departures++ % LOSSES_DEPARTURES] = (struct departure){
        .stayed_us = now_us - losses->found_us,
        .idle_us = now_us - losses->answered_us,
    };
}

const struct departure *losses_departure(const struct losses *losses, unsigned number)
{
    bool kept = losses->counts.departures - number <= LOSSES_DEPARTURES;
    return kept ? &losses->departures[number % LOSSES_DEPARTURES] : NULL;
}

void losses_excuse_departure(struct losses *losses)
{
    unsigned number = losses->counts.departures - 1;
    if (losses->silent)
        losses->departures[number % LOSSES_DEPARTURES].silent = true;
    losses->counts.departures = losses->counts.returns;
}

void losses_saw_leave(struct losses *losses, uint64_t now_us)
{
    if (is_away(losses))
        return;
    losses->left_us = now_us;
    losses->left = true;
    losses->found = false;
    note_departure(losses, now_us);
}

static void count_in_departure(struct losses *losses, struct fatal_request *fatal)
{
    const struct loss_counts *counts = &losses->counts;
    struct departure *departure;
    if (counts->departures == counts->returns)
        return;
    departure = &losses->departures[(counts->departures - 1) % LOSSES_DEPARTURES];
    departure->all++;
    if (!losses->last.unasked)
        return;
    departure->unasked++;
    departure->number = counts->unasked + 1;
    departure->earlier = losses->last_unasked;
    departure->fatal = fatal;
}

static void confirm(struct losses *losses)
{
    count_in_departure(losses, note_fatal(losses));
    losses->counts.all++;
    if (!losses->last.unasked)
        return;
    losses->counts.unasked++;
    losses->last_unasked = losses->last;
}

// A device that left at the last request and is back is a loss that no second request has shown.
void losses_saw_return(struct losses *losses, uint64_t now_us)
{
    if (losses->silent == 1 && losses->last.gone)
        confirm(losses);
    losses->found = true;
    losses->found_us = now_us;
}

void losses_saw_comeback(struct losses *losses, uint64_t now_us)
{
    losses_saw_return(losses, now_us);
    losses->counts.returns = losses->counts.departures;
}

// ---- Answers and silence ----

static void
note_answer(struct losses *losses, const uint8_t setup[USBDEV_SETUP_SIZE], uint64_t now_us)
{
    if (losses->silent == 1 && losses->last.unasked && !losses->last.gone)
        add_fatal(losses, losses->last.request, 1); // the one request alone is not answered
    losses->silent = 0;
    clear_fatal(losses, setup);
    if (is_question(setup))
        losses->answers[*losses->view.mode] |= bit_of(setup);
    losses->left = losses->absent = false;
    losses->may_leave &= !losses->found;
    if (!losses->may_leave)
        losses->way = LOST_OTHERWISE;
    losses->found = false;
    losses->heard = true;
    memcpy(losses->answered, setup, USBDEV_SETUP_SIZE);
    losses->answered_us = now_us;
}

static struct loss loss_now(const struct losses *losses, uint64_t now_us)
{
    uint64_t since_us = is_away(losses) ? losses->left_us : now_us;
    struct loss loss = {
        .mode = *losses->view.mode,
        .unasked = !losses->may_leave,
        .way = losses->way,
        .heard = losses->heard,
        .after_us = since_us - losses->answered_us,
    };
    memcpy(loss.before, losses->answered, USBDEV_SETUP_SIZE);
    return loss;
}

static void begin_silence(struct losses *losses,
                          const uint8_t setup[USBDEV_SETUP_SIZE],
                          bool gone,
                          uint64_t now_us)
{
    struct loss loss = loss_now(losses, now_us);
    loss.gone = gone || is_away(losses);
    loss.waited = is_away(losses);
    memcpy(loss.request, setup, USBDEV_SETUP_SIZE);
    loss.on_the_way = *losses->view.on_the_way;
    loss.fresh = losses->fresh;
    losses->last = loss;
}

static void note_silence(struct losses *losses,
                         const uint8_t setup[USBDEV_SETUP_SIZE],
                         bool gone,
                         uint64_t now_us)
{
    losses->silent++;
    if (losses->silent == 1) {
        begin_silence(losses, setup, gone, now_us);
        return;
    }
    losses->last.gone |= gone;
    if (losses->silent == 2)
        confirm(losses);
}

static bool is_answer(int result)
{
    return result >= 0 || result == USB_STALL || result == USB_OVERFLOW;
}

void losses_saw(struct losses *losses,
                const struct usbdev_setup_packet *setup,
                int result,
                uint64_t now_us)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];
    usbdev_setup_store(bytes, setup);
    if (is_answer(result))
        note_answer(losses, bytes, now_us);
    if (result == USB_GONE)
        note_departure(losses, now_us); // also at a DETACH, which it may not have seen
    bool was_let = losses->may_leave;
    if (lets_leave(bytes) && result != USB_STALL) {
        bool detaches = result >= 0 && *losses->view.mode == DEVICE_RUN_TIME;
        losses_let_leave(losses, detaches ? LOST_BY_DETACH : LOST_OTHERWISE);
    }
    if (result == USB_TIMEOUT || result == USB_GONE || result == USB_IO)
        note_silence(losses, bytes, result == USB_GONE, now_us);
    if (losses->silent == 1)
        losses->last.unfinished = lets_leave(bytes) && !was_let;
}

// ---- For good, or not at all ----

// A device may take a DETACH that it does not complete, and come back in DFU mode. One that does
// not come back has left, or is stuck, by no doing of the suite.
static void find_unfinished(struct losses *losses)
{
    if (!losses->last.unfinished || losses->last.unasked)
        return;
    losses->last.unasked = true;
    losses->counts.unasked++;
    losses->last_unasked = losses->last;
    note_fatal(losses);
}

void losses_give_up(struct losses *losses, uint64_t now_us)
{
    if (losses->silent == 0) {
        losses->last = loss_now(losses, now_us);
        losses->last.gone = losses->last.waited = true;
    }
    if (losses->silent < 2)
        confirm(losses);
    losses->silent = 2;
    find_unfinished(losses);
    if (losses->last.unasked)
        return;
    losses->counts.stranded += !losses->last.stranded;
    losses->last.stranded = true;
}

void losses_take_out(struct losses *losses, const struct departure *departure)
{
    if (departure->unasked && losses->counts.unasked == departure->number)
        losses->last_unasked = departure->earlier;
    if (departure->fatal)
        departure->fatal->times = 0;
    losses->counts.all -= departure->all;
    losses->counts.unasked -= departure->unasked;
}

void loss_text(const struct loss *loss, char *text, size_t size)
{
    char before[64];
    char request[64];
    format_request_in_full(before, sizeof before, loss->before);
    format_request_in_full(request, sizeof request, loss->request);
    if (!loss->heard)
        snprintf(text, size, "the device has answered no request");
    else if (loss->gone)
        snprintf(text, size, "the device left the bus %" PRIu64 " ms after %s%s%s",
                 loss->after_us / 1000, before, loss->waited ? "" : ", not answering ",
                 loss->waited ? "" : request);
    else
        snprintf(text, size, "the device did not answer %s, which followed %s", request, before);
}
