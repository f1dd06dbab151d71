// SPDX-License-Identifier: MIT
//
// Transactions: one step of a transfer each (USB 2.0 8.5). A control transfer is SETUP, then the
// data stage if wLength is not 0, then the status stage in the other direction; bulk and interrupt
// transfers are a data stage alone. NAK means again later, at growing intervals; silence means
// again in each of the next two frames (USB 2.0 10.2.6 asks for three tries; firmware that looks at
// its USB each millisecond answers the second); STALL ends the transfer. An isochronous transfer is
// one packet in a frame of its own, without handshake and never again.

#include <string.h>

#include "host_private.h"

enum {
    GAP_NS = 15000,        // between two packets of one endpoint; real hosts leave 12 us or more
    TURNAROUND_NS = 50000, // from the end of a control transfer to the SETUP of the next
    BYTE_NS = 667,         // eight bits at 12 Mbit/s
    OVERHEAD_BYTES = 13,   // token, sync, CRC, handshake, turn-around (USB 2.0 5.8.4)
    MAX_ERRORS = 3,        // in a row (USB 2.0 10.2.6)
    MAX_NAK_GAP = 4,       // GAP_NS << 4: a NAKing endpoint is tried four times a frame
};

static uint64_t wire_ns(size_t length)
{
    return (OVERHEAD_BYTES + length) * BYTE_NS;
}

static size_t left(const struct sim_transfer *transfer)
{
    return transfer->length - transfer->actual;
}

static size_t next_length(const struct sim_transfer *transfer)
{
    return left(transfer) < transfer->wMaxPacketSize ? left(transfer) : transfer->wMaxPacketSize;
}

uint64_t host_transaction_ns(const struct sim_transfer *transfer)
{
    return wire_ns(transfer->stage == STAGE_DATA ? next_length(transfer) : USBDEV_SETUP_SIZE);
}

static bool is_isochronous(const struct sim_transfer *transfer)
{
    return transfer->type == USBDEV_ENDPOINT_ISOCHRONOUS;
}

static bool is_control(const struct sim_transfer *transfer)
{
    return transfer->type == USBDEV_ENDPOINT_CONTROL;
}

static bool data_is_in(const struct sim_transfer *transfer)
{
    return ((is_control(transfer) ? transfer->setup[0] : transfer->endpoint) & USBDEV_DIR_IN) != 0;
}

// ---- Data toggles (USB 2.0 8.6). Control: DATA1 first, and for the status stage. ----

static bool next_toggle(const struct sim_host *host, const struct sim_transfer *transfer)
{
    if (is_isochronous(transfer))
        return false; // USB 2.0 8.5.5
    if (!is_control(transfer))
        return (host->toggles >> endpoint_index(transfer->endpoint) & 1) != 0;
    if (transfer->stage == STAGE_STATUS)
        return true;
    return transfer->actual / transfer->wMaxPacketSize % 2 == 0;
}

static void flip_toggle(struct sim_host *host, const struct sim_transfer *transfer)
{
    if (!is_control(transfer))
        host->toggles ^= UINT32_C(1) << endpoint_index(transfer->endpoint);
}

// ---- When to try again ----

// Frames from an isochronous packet to the next: a power of two (USB 2.0 9.6.6).
static uint64_t isochronous_frames(const struct sim_transfer *transfer)
{
    enum { LONGEST = 16 };
    unsigned exponent = transfer->bInterval ? transfer->bInterval : 1;

    return UINT64_C(1) << ((exponent < LONGEST ? exponent : LONGEST) - 1);
}

// Polls of an interrupt endpoint are a period apart whether they move data or not.
static uint64_t next_turn_ns(const struct sim_host *host, const struct sim_transfer *transfer)
{
    switch (transfer->type) {
    case USBDEV_ENDPOINT_ISOCHRONOUS:
        return host->next_frame_ns + (isochronous_frames(transfer) - 1) * SIM_MS + HOST_SOF_NS;
    case USBDEV_ENDPOINT_INTERRUPT:
        return host->bus_free_ns + (transfer->bInterval ? transfer->bInterval : 1) * SIM_MS;
    default:
        return host->bus_free_ns + GAP_NS;
    }
}

static void took(struct sim_host *host, struct sim_transfer *transfer, size_t length)
{
    host->bus_free_ns = host->now_ns + wire_ns(length);
    host->ready_ns[endpoint_index(transfer->endpoint)] = next_turn_ns(host, transfer);
}

// A host's software starts a control transfer only when it has seen the last one end. Drivers on
// slow chips need that pause: a SETUP that comes sooner finds them still busy with the status
// stage.
static void end_control(struct sim_host *host, struct sim_transfer *transfer)
{
    host->ready_ns[endpoint_index(transfer->endpoint)] = host->bus_free_ns + TURNAROUND_NS;
    host_finish(host, transfer, USB_OK);
}

static void moved(struct sim_transfer *transfer)
{
    transfer->errors = 0;
    transfer->naks = 0;
    transfer->nak_since_ns = 0;
}

static void not_acknowledged(struct sim_host *host, struct sim_transfer *transfer, int handshake)
{
    if (handshake == SIM_NAK) {
        if (!transfer->nak_since_ns)
            transfer->nak_since_ns = host->now_ns;
        if (transfer->naks < MAX_NAK_GAP)
            transfer->naks++;
        transfer->errors = 0;
        transfer->next_ns = host->now_ns + ((uint64_t)GAP_NS << transfer->naks);
    } else if (handshake == SIM_STALL) {
        host_note_fault(host, transfer, "STALL in the %s", host_stage_name(transfer));
        host_finish(host, transfer, USB_STALL);
    } else if (++transfer->errors == MAX_ERRORS) {
        host_note_fault(host, transfer, "no answer to %d packets in a row in the %s", MAX_ERRORS,
                        host_stage_name(transfer));
        host_finish(host, transfer, USB_GONE);
    } else {
        transfer->next_ns = host->next_frame_ns + HOST_SOF_NS;
    }
}

// ---- Packets ----

static int send_setup(struct sim_host *host, struct sim_transfer *transfer)
{
    int result =
        host->device->ops->setup(host->device, host->address, transfer->endpoint, transfer->setup);

    took(host, transfer, USBDEV_SETUP_SIZE);
    host_tap(host, &(struct sim_packet){.time_ns = host->now_ns,
                                        .kind = SIM_PACKET_SETUP,
                                        .address = host->address,
                                        .endpoint = transfer->endpoint,
                                        .result = result,
                                        .data = transfer->setup,
                                        .length = USBDEV_SETUP_SIZE});
    return result;
}

static int
send_out(struct sim_host *host, struct sim_transfer *transfer, const uint8_t *data, size_t length)
{
    bool data1 = next_toggle(host, transfer);
    uint8_t endpoint = transfer->endpoint & 0x0F;
    int result = host->device->ops->out(host->device, host->address, endpoint, data1, data, length);

    took(host, transfer, length);
    host_tap(host, &(struct sim_packet){.time_ns = host->now_ns,
                                        .kind = SIM_PACKET_OUT,
                                        .address = host->address,
                                        .endpoint = endpoint,
                                        .data1 = data1,
                                        .result = result,
                                        .data = data,
                                        .length = length});
    return result;
}

// Returns the length of the packet, or what the device answered instead of one.
static int
receive_in(struct sim_host *host, struct sim_transfer *transfer, uint8_t *data, bool *ret_data1)
{
    uint8_t endpoint = transfer->endpoint & 0x0F;
    int result = host->device->ops->in(host->device, host->address, endpoint, ret_data1, data);
    size_t length = result > 0 ? (size_t)result : 0;

    took(host, transfer, length);
    host_tap(host, &(struct sim_packet){.time_ns = host->now_ns,
                                        .kind = SIM_PACKET_IN,
                                        .address = host->address,
                                        .endpoint = endpoint,
                                        .data1 = *ret_data1,
                                        .result = result > 0 ? SIM_ACK : result,
                                        .data = data,
                                        .length = length});
    return result;
}

// ---- Stages ----

// A request that was accepted: what resets data toggles in the device resets them here.
static void follow_request(struct sim_host *host, const struct sim_transfer *transfer)
{
    struct usbdev_setup_packet setup = usbdev_setup_load(transfer->setup);

    if (setup.bmRequestType == USBDEV_RECIPIENT_DEVICE &&
        setup.bRequest == USBDEV_SET_CONFIGURATION)
        host->toggles = 0;
    if (setup.bmRequestType == USBDEV_RECIPIENT_ENDPOINT &&
        setup.bRequest == USBDEV_CLEAR_FEATURE && setup.wValue == USBDEV_FEATURE_ENDPOINT_HALT)
        sim_host_reset_toggle(host, (uint8_t)setup.wIndex);
    if (host->accepted)
        host->accepted(host->accepted_context, &setup);
}

static void begin_status_stage(struct sim_host *host, struct sim_transfer *transfer)
{
    transfer->stage = STAGE_STATUS;
    if (transfer->cut_off == SIM_CUT_OFF_BEFORE_STATUS)
        end_control(host, transfer);
    else if (transfer->status_delay_ns)
        transfer->next_ns = host->now_ns + transfer->status_delay_ns;
}

static void end_data_stage(struct sim_host *host, struct sim_transfer *transfer)
{
    if (is_control(transfer))
        begin_status_stage(host, transfer);
    else
        host_finish(host, transfer, USB_OK);
}

// Returns whether the host goes on with the data stage.
static bool goes_on(struct sim_host *host, struct sim_transfer *transfer)
{
    if (transfer->cut_off != SIM_CUT_OFF_IN_DATA)
        return true;
    end_control(host, transfer);
    return false;
}

static void setup_stage(struct sim_host *host, struct sim_transfer *transfer)
{
    int result = send_setup(host, transfer);

    if (result == SIM_ACK) {
        moved(transfer);
        if (transfer->length)
            transfer->stage = STAGE_DATA;
        else
            begin_status_stage(host, transfer);
    } else {
        // A device must acknowledge a SETUP or be silent (USB 2.0 8.5.3): any other answer is
        // ignored.
        not_acknowledged(host, transfer, SIM_NO_RESPONSE);
    }
}

static bool wants_zero_packet(const struct sim_transfer *transfer)
{
    return !is_control(transfer) && transfer->zero_packet && transfer->length > 0 &&
           transfer->length % transfer->wMaxPacketSize == 0;
}

static void out_stage(struct sim_host *host, struct sim_transfer *transfer)
{
    size_t length = next_length(transfer);
    int result = send_out(host, transfer, transfer->data + transfer->actual, length);

    if (result != SIM_ACK) {
        not_acknowledged(host, transfer, result);
        return;
    }
    moved(transfer);
    flip_toggle(host, transfer);
    transfer->actual += length;
    if (!goes_on(host, transfer) || left(transfer) > 0)
        return;
    if (wants_zero_packet(transfer))
        transfer->stage = STAGE_STATUS;
    else
        end_data_stage(host, transfer);
}

static void note_excess(struct sim_host *host, const struct sim_transfer *transfer, size_t packet)
{
    if (packet > transfer->wMaxPacketSize)
        host_note_fault(host, transfer, "%zu bytes in a packet, the maximum is %u (USB 2.0 5.5.3)",
                        packet, transfer->wMaxPacketSize);
    else
        host_note_fault(host, transfer, "more than the %zu bytes that were asked for",
                        transfer->length);
}

static void in_stage(struct sim_host *host, struct sim_transfer *transfer)
{
    uint8_t packet[SIM_MAX_PACKET];
    bool data1 = false;
    int result = receive_in(host, transfer, packet, &data1);
    size_t room = next_length(transfer);
    size_t length = result > 0 ? (size_t)result : 0;

    if (result < 0) {
        not_acknowledged(host, transfer, result);
        return;
    }
    if (data1 != next_toggle(host, transfer)) { // taken for a repetition and dropped: USB 2.0 8.6.4
        if (++transfer->errors < MAX_ERRORS)
            return;
        host_note_fault(host, transfer, "DATA%d came, DATA%d was due (USB 2.0 8.6)", data1, !data1);
        host_finish(host, transfer, USB_IO);
        return;
    }
    if (length > room)
        note_excess(host, transfer, length);
    moved(transfer);
    flip_toggle(host, transfer);
    if (room > 0)
        memcpy(transfer->data + transfer->actual, packet, length < room ? length : room);
    transfer->actual += length < room ? length : room;
    if (!goes_on(host, transfer))
        return;
    if (length > room)
        host_finish(host, transfer, USB_OVERFLOW);
    else if (left(transfer) == 0 || length < transfer->wMaxPacketSize)
        end_data_stage(host, transfer);
}

// USB 2.0 8.5.3.1: a zero-length packet with DATA1, against the direction of the data stage.
static void status_in(struct sim_host *host, struct sim_transfer *transfer)
{
    uint8_t packet[SIM_MAX_PACKET];
    bool data1 = true;
    int result = receive_in(host, transfer, packet, &data1);

    if (result < 0) {
        not_acknowledged(host, transfer, result);
        return;
    }
    if (result > 0 || !data1) {
        host_note_fault(
            host, transfer,
            "DATA%d of %d bytes in the status stage, DATA1 of 0 was due (USB 2.0 8.5.3)", data1,
            result);
        host_finish(host, transfer, result > 0 ? USB_OVERFLOW : USB_IO);
        return;
    }
    follow_request(host, transfer);
    end_control(host, transfer);
}

static void status_out(struct sim_host *host, struct sim_transfer *transfer)
{
    int result = send_out(host, transfer, NULL, 0);

    if (result != SIM_ACK) {
        not_acknowledged(host, transfer, result);
        return;
    }
    if (is_control(transfer)) {
        end_control(host, transfer);
        return;
    }
    flip_toggle(host, transfer); // the zero-length packet that ends a bulk OUT transfer
    host_finish(host, transfer, USB_OK);
}

// ---- Isochronous packets (USB 2.0 8.5.5) ----

// Without a handshake the host does not know whether it arrived.
static void isochronous_out(struct sim_host *host, struct sim_transfer *transfer)
{
    transfer->actual = next_length(transfer);
    send_out(host, transfer, transfer->data, transfer->actual);
    host_finish(host, transfer, USB_OK);
}

static void isochronous_in(struct sim_host *host, struct sim_transfer *transfer)
{
    uint8_t packet[SIM_MAX_PACKET];
    bool data1 = false;
    int result = receive_in(host, transfer, packet, &data1);
    size_t room = next_length(transfer);
    size_t length = result > 0 ? (size_t)result : 0;

    transfer->actual = length < room ? length : room;
    if (transfer->actual > 0)
        memcpy(transfer->data, packet, transfer->actual);
    host_finish(host, transfer, result < 0 ? USB_IO : length > room ? USB_OVERFLOW : USB_OK);
}

void host_transact(struct sim_host *host, struct sim_transfer *transfer)
{
    bool in = data_is_in(transfer);

    if (is_isochronous(transfer)) {
        (in ? isochronous_in : isochronous_out)(host, transfer);
        return;
    }
    if (transfer->stage == STAGE_FIRST && is_control(transfer)) {
        setup_stage(host, transfer);
        return;
    }
    if (transfer->stage == STAGE_FIRST)
        transfer->stage = STAGE_DATA;
    if (transfer->stage == STAGE_DATA) {
        (in ? in_stage : out_stage)(host, transfer);
        return;
    }
    // Without a data stage the status stage is IN whatever the request says (USB 2.0 8.5.3).
    if (is_control(transfer) && (!in || transfer->length == 0))
        status_in(host, transfer);
    else
        status_out(host, transfer);
}
