// SPDX-License-Identifier: MIT
//
// What the gate learns from each request that was sent, and from what happened beside it: the state
// of the device, the address pointer, how much of the image was accepted, whether memory may have
// changed.

#include <string.h>

#include "gate_private.h"
#include <usb/bytes.h>

// Only the image of the backup, from its first block on, may be manifested.
static void
saw_image_block(struct gate *gate, const struct usbdev_setup_packet *setup, const uint8_t *data)
{
    bool follows = gate->kept.image && setup->wValue == gate->next_block &&
                   setup->wLength <= gate->kept.image_length - gate->sent &&
                   memcmp(data, gate->kept.image + gate->sent, setup->wLength) == 0;
    gate->sent = follows ? gate->sent + setup->wLength : 0;
    gate->next_block = follows ? (uint16_t)(setup->wValue + 1) : 0;
}

static void saw_dnload(struct gate *gate,
                       const struct usbdev_setup_packet *setup,
                       const uint8_t *data,
                       int result,
                       bool stalled)
{
    bool leaves = gate->dialect == GATE_DFUSE && setup->wLength == 0;
    gate->state = GATE_STATE_STALE;
    if (gate->mode != GATE_DFU_MODE || leaves)
        return;
    gate->dirty |= !gate_is_set_address(gate, setup, data);
    gate->accepted |= !gate_is_set_address(gate, setup, data) && result >= 0;
    gate->unanswered |= !gate_is_set_address(gate, setup, data) && !stalled;
    if (result < 0 || setup->wLength == 0)
        return;
    if (gate->dialect == GATE_PLAIN)
        saw_image_block(gate, setup, data);
    if (gate->dialect != GATE_DFUSE || !gate_is_command(setup))
        return;
    // A command other than Set Address Pointer may change it too.
    gate->pointer_known = gate_is_set_address(gate, setup, data);
    if (gate->pointer_known)
        gate->pointer = load_le32(data + 1);
    gate->pointing = gate->pointer_known && !gate->leave.write;
}

static void saw_state(struct gate *gate)
{
    bool known = gate->state != GATE_STATE_STALE && gate->state != DFURT_STATE_dfuDNLOAD_SYNC;
    gate->worked |= gate->unanswered && known && gate->state != DFURT_STATE_dfuERROR;
    gate->unanswered &= !known;
    gate->took_dnload &= gate->state == GATE_STATE_STALE;
}

static void saw_getstate(struct gate *gate, const uint8_t *data, int result, bool stalled)
{
    gate->state = result == DFURT_STATE_REPLY_SIZE ? data[0] : GATE_STATE_STALE;
    saw_state(gate);
    gate->getstate_stalled = stalled;
}

static void saw_getstatus(struct gate *gate, const uint8_t *data, int result, bool stalled)
{
    gate->state = result == DFURT_STATUS_REPLY_SIZE ? data[4] : GATE_STATE_STALE;
    saw_state(gate);
    if (stalled && gate->getstate_stalled && gate->mode != GATE_DFU_MODE) {
        gate->state = GATE_STATE_SILENT;
        gate->silent = true;
    }
    if (gate->state == DFURT_STATE_dfuERROR || stalled)
        gate->pointer_known = false; // the command may have been refused
    gate->getstate_stalled = false;
}

static void saw_dfu_request(struct gate *gate,
                            const struct usbdev_setup_packet *setup,
                            const uint8_t *data,
                            int result,
                            bool stalled)
{
    switch (setup->bRequest) {
    case DFURT_GETSTATE:
        saw_getstate(gate, data, result, stalled);
        return;
    case DFURT_GETSTATUS:
        saw_getstatus(gate, data, result, stalled);
        return;
    case DFURT_DNLOAD:
        saw_dnload(gate, setup, data, result, stalled);
        break;
    case DFURT_DETACH:
        // Where neither GETSTATUS nor GETSTATE is answered, an accepted DETACH means appDETACH
        // (A.2.1).
        gate->state = result == 0 && gate->silent && gate->mode == GATE_RUN_TIME
                          ? DFURT_STATE_appDETACH
                          : GATE_STATE_STALE;
        break;
    case DFURT_UPLOAD:
    case DFURT_ABORT:
    case DFURT_CLRSTATUS:
        gate->pointing = false;
        gate->state = GATE_STATE_STALE;
        break;
    default:
        gate->state = GATE_STATE_STALE;
        break;
    }
    gate->getstate_stalled = false;
}

static void saw_dnload_at_run_time(struct gate *gate,
                                   const struct usbdev_setup_packet *setup,
                                   int result,
                                   bool stalled)
{
    gate->took_dnload = !stalled;
    if (gate->state == DFURT_STATE_appIDLE || gate->state == DFURT_STATE_appDETACH)
        gate->at_run_time[gate->state][setup->wLength > 0] = stalled      ? GATE_DNLOAD_REFUSED
                                                             : result < 0 ? GATE_DNLOAD_UNANSWERED
                                                                          : GATE_DNLOAD_TAKEN;
}

void gate_saw(struct gate *gate,
              const struct usbdev_setup_packet *setup,
              const uint8_t *data,
              int result,
              bool stalled)
{
    bool standard = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD;
    bool class = (setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS;
    uint8_t in = setup->bmRequestType & USBDEV_DIR_IN;
    bool asks = setup->bRequest == DFURT_GETSTATE || setup->bRequest == DFURT_GETSTATUS ||
                setup->bRequest == DFURT_UPLOAD;
    if (standard &&
        (in || setup->bRequest == USBDEV_SET_FEATURE || setup->bRequest == USBDEV_CLEAR_FEATURE))
        return;
    if (class && setup->bRequest == DFURT_DNLOAD && gate->mode != GATE_DFU_MODE)
        saw_dnload_at_run_time(gate, setup, result, stalled);
    bool dfu = (setup->bmRequestType & 0x7F) == (USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE) &&
               setup->wIndex == gate->interface && (in != 0) == asks;
    if (dfu)
        saw_dfu_request(gate, setup, data, result, stalled);
    else
        gate->state = GATE_STATE_STALE;
}

void gate_moved(struct gate *gate)
{
    gate->state = GATE_STATE_STALE;
    gate->getstate_stalled = false;
    gate->took_dnload = false;
    gate->pointing = false;
    gate->pointer_known = false;
    gate->sent = 0;
    gate->next_block = 0;
}

void gate_waited(struct gate *gate)
{
    bool stays = gate->state == DFURT_STATE_appIDLE || gate->state == DFURT_STATE_dfuIDLE ||
                 gate->state == DFURT_STATE_dfuDNLOAD_IDLE ||
                 gate->state == DFURT_STATE_dfuUPLOAD_IDLE || gate->state == DFURT_STATE_dfuERROR ||
                 gate->state == GATE_STATE_SILENT;
    if (!stays)
        gate->state = GATE_STATE_STALE;
}

void gate_restored(struct gate *gate)
{
    gate->dirty = gate->accepted = gate->unanswered = gate->worked = false;
}

void gate_assume_written(struct gate *gate)
{
    gate->dirty = gate->accepted = gate->worked = true;
}

void gate_begin_image(struct gate *gate)
{
    gate->sent = 0;
    gate->next_block = 0;
}
