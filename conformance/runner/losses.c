// SPDX-License-Identifier: MIT
//
// The result of each control transfer is sorted: an answer (data, STALL, overflow) ends a silence;
// no answer begins one, and the first unanswered request and the last answered one are kept. These
// two make the text of a loss.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "losses.h"
#include <conformance/transcript.h>

uint64_t watch_device_us(const struct watch *watch)
{
    return watch->target->ops->now_us(watch->target);
}

// After DETACH, and after the DNLOAD of nothing that ends a download, a device may leave.
static bool lets_leave(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    bool nothing = setup[6] == 0 && setup[7] == 0;
    return setup[0] == 0x21 && (setup[1] == DFURT_DETACH || (setup[1] == DFURT_DNLOAD && nothing));
}

static void note_departure(struct watch *watch, uint64_t us)
{
    struct watch_departures *departures = &watch->departures;
    bool noted = departures->begun != departures->over;
    if (noted || watch->may_leave || *watch->mode != DEVICE_DFU_MODE)
        return;
    departures->begun++;
    departures->stayed_us = us - watch->found_us;
    departures->idle_us = us - watch->answered_us;
}

void watch_note_leaving(struct watch *watch)
{
    if (watch->left)
        return;
    watch->left_us = watch_device_us(watch);
    watch->left = true;
    note_departure(watch, watch->left_us);
}

static void note_answer(struct watch *watch, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    watch->silent = 0;
    watch->left = watch->absent = false;
    watch->may_leave &= !watch->found;
    watch->found = false;
    watch->heard = true;
    memcpy(watch->answered, setup, USBDEV_SETUP_SIZE);
    watch->answered_us = watch_device_us(watch);
}

// GETSTATUS or GETSTATE, which the suite sends between two checks.
unsigned watch_question_of(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    bool asks = setup[0] == 0xA1 && (setup[1] == DFURT_GETSTATUS || setup[1] == DFURT_GETSTATE);
    return asks ? 1u << setup[1] : 0;
}

static void confirm_loss(struct watch *watch)
{
    watch->losses++;
    if (!watch->loss.unasked)
        return;
    watch->unasked_losses++;
    watch->unasked = watch->loss;
}

static void note_silence(struct watch *watch, const uint8_t setup[USBDEV_SETUP_SIZE], bool gone)
{
    struct watch_loss *loss = &watch->loss;
    watch->silent++;
    if (gone)
        note_departure(watch, watch_device_us(watch));
    if (watch->silent > 1) {
        loss->gone |= gone;
        watch->fatal |= loss->fatal;
        if (watch->silent == 2)
            confirm_loss(watch);
        return;
    }
    uint64_t since_us = watch->left ? watch->left_us : watch_device_us(watch);
    *loss = (struct watch_loss){
        .gone = gone || watch->left,
        .unasked = !watch->may_leave,
        .waited = watch->left,
        .heard = watch->heard,
        .after_us = since_us - watch->answered_us,
    };
    memcpy(loss->request, setup, USBDEV_SETUP_SIZE);
    memcpy(loss->before, watch->answered, USBDEV_SETUP_SIZE);
    loss->question = watch->judging ? 0 : watch_question_of(setup);
    loss->fatal = watch->fresh ? loss->question : 0;
}

static void strand(struct watch *watch)
{
    watch->strandings += !watch->loss.unasked && !watch->loss.stranded;
    watch->loss.stranded = !watch->loss.unasked;
}

void watch_lose(struct watch *watch)
{
    uint64_t since_us = watch->left ? watch->left_us : watch_device_us(watch);
    if (watch->silent == 0) {
        watch->loss = (struct watch_loss){
            .gone = true,
            .unasked = !watch->may_leave,
            .waited = true,
            .heard = watch->heard,
            .after_us = since_us - watch->answered_us,
        };
        memcpy(watch->loss.before, watch->answered, USBDEV_SETUP_SIZE);
    }
    if (watch->silent < 2)
        confirm_loss(watch);
    watch->silent = 2;
    strand(watch);
}

static bool is_answer(int result)
{
    return result >= 0 || result == USB_STALL || result == USB_OVERFLOW;
}

void watch_note_control(struct watch *watch,
                        const struct usbdev_setup_packet *setup,
                        int result,
                        uint64_t ms)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];
    usbdev_setup_store(bytes, setup);
    if (is_answer(result))
        note_answer(watch, bytes);
    watch->may_leave |= lets_leave(bytes) && result != USB_STALL;
    if (result == USB_TIMEOUT || result == USB_GONE || result == USB_IO)
        note_silence(watch, bytes, result == USB_GONE);
    if (result == USB_TIMEOUT) {
        watch->timeouts++;
        watch->timeouts_ms += ms;
    }
}

// A device that left at the last request and is back is a loss that no second request has shown.
void watch_note_found(struct watch *watch)
{
    if (watch->silent == 1 && watch->loss.gone)
        confirm_loss(watch);
    watch->found = true;
    watch->found_us = watch_device_us(watch);
}

void watch_loss_text(const struct watch_loss *loss, char *text, size_t size)
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
