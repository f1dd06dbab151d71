// SPDX-License-Identifier: MIT

#include "losses.h"

#include <string.h>

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

// ---- Fatal requests ----

bool losses_forbid(const struct losses *losses, const struct usbdev_setup_packet *setup)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];
    usbdev_setup_store(bytes, setup);
    return *losses->view.on_the_way &&
           fatal_forbid(&losses->fatal, *losses->view.mode, bytes, *losses->view.dirty);
}

bool losses_avoid(const struct losses *losses, const struct loss *loss)
{
    return loss->on_the_way && loss_request(loss) && fatal_was(&losses->fatal, loss);
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

void losses_have_to_stay(struct losses *losses)
{
    losses->may_leave = false;
    losses->way = LOST_OTHERWISE;
}

// The last request that was answered, if the device leaves until then.
static void suspect(struct losses *losses, uint64_t until_us)
{
    losses->late = (struct late_request){
        .on_the_way = *losses->view.on_the_way,
        .answered_us = losses->answered_us,
        .until_us = until_us,
    };
    memcpy(losses->late.setup, losses->answered, USBDEV_SETUP_SIZE);
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

// A loss that was counted as the suite's own doing, and is not.
static void blame_last(struct losses *losses)
{
    losses->last.unasked = true;
    losses->counts.unasked++;
    losses->last_unasked = losses->last;
    fatal_add_loss(&losses->fatal, &losses->last);
}

static bool is_detach(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return setup[0] == 0x21 && setup[1] == DFURT_DETACH;
}

// Where bitWillDetach is 0 a device stays in appDETACH until its bus is reset (DFU 1.1 A.2.2). One
// that answers there, and is lost at a later request, is lost at that one: unless it left the bus
// and came back in DFU mode, as the other kind of device does.
static bool is_lost_in_app_detach(const struct losses *losses)
{
    const struct loss *last = &losses->last;
    return losses->silent && last->way == LOST_BY_DETACH && !last->unasked && !last->stranded &&
           !last->waited && !last->fresh && !is_detach(last->before) &&
           !device_will_detach(losses->view.run_time);
}

void losses_excuse_departure(struct losses *losses)
{
    unsigned number = losses->counts.departures - 1;
    if (is_lost_in_app_detach(losses) && losses->silent > 1)
        blame_last(losses);
    else if (is_lost_in_app_detach(losses))
        losses->last.unasked = true; // and counted when it is known to be a loss
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
    if (*losses->view.pausing && now_us >= losses->late.until_us)
        suspect(losses, now_us + 1);
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
    count_in_departure(losses, fatal_add_loss(&losses->fatal, &losses->last));
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
    losses->late.until_us = 0;
}

void losses_saw_power(struct losses *losses, uint64_t now_us)
{
    losses_saw_return(losses, now_us);
    losses_let_leave(losses, LOST_OTHERWISE);
    losses->silent = 0;
    fatal_forget_answers(&losses->fatal);
}

void losses_saw_stay(struct losses *losses)
{
    fatal_clear_late(&losses->fatal, *losses->view.mode, losses->answered);
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
        fatal_add_silence(&losses->fatal, &losses->last);
    bool lost = losses->silent > 1 || losses->last.gone;
    if (lost && losses->found && *losses->view.mode == DEVICE_RUN_TIME &&
        is_lost_in_app_detach(losses))
        blame_last(losses);
    losses->silent = 0;
    fatal_clear(&losses->fatal, *losses->view.mode, setup, losses->answered);
    losses->left = losses->absent = false;
    losses->may_leave &= !losses->found;
    if (!losses->may_leave)
        losses->way = LOST_OTHERWISE;
    losses->found = false;
    losses->heard = true;
    memcpy(losses->answered, setup, USBDEV_SETUP_SIZE);
    losses->answered_us = now_us;
    if (fatal_comes_late(&losses->fatal, *losses->view.mode, setup))
        suspect(losses, now_us + LOSS_LATE_MS * UINT64_C(1000));
}

static struct loss loss_now(const struct losses *losses, bool gone, uint64_t now_us)
{
    uint64_t since_us = is_away(losses) ? losses->left_us : now_us;
    bool late = gone && since_us < losses->late.until_us;
    struct loss loss = {
        .mode = *losses->view.mode,
        .unasked = !losses->may_leave,
        .way = losses->way,
        .gone = gone,
        .waited = is_away(losses) || late,
        .late = late,
        .heard = losses->heard,
        .after_us = since_us - (late ? losses->late.answered_us : losses->answered_us),
        .on_the_way = late ? losses->late.on_the_way : *losses->view.on_the_way,
    };
    memcpy(loss.before, late ? losses->late.setup : losses->answered, USBDEV_SETUP_SIZE);
    return loss;
}

static void begin_silence(struct losses *losses,
                          const uint8_t setup[USBDEV_SETUP_SIZE],
                          bool gone,
                          uint64_t now_us)
{
    struct loss loss = loss_now(losses, gone || is_away(losses), now_us);
    memcpy(loss.request, setup, USBDEV_SETUP_SIZE);
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
    if (lets_leave(bytes) && result != USB_STALL && !is_away(losses)) {
        bool again = was_let && losses->way == LOST_BY_DETACH && result < 0;
        bool detaches = again || (result >= 0 && *losses->view.mode == DEVICE_RUN_TIME);
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
    if (losses->last.unfinished && !losses->last.unasked)
        blame_last(losses);
}

void losses_give_up(struct losses *losses, uint64_t now_us)
{
    if (losses->silent == 0) {
        losses->last = loss_now(losses, true, now_us);
        losses->last.waited = true;
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
