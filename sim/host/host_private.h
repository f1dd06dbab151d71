// SPDX-License-Identifier: MIT
//
// host_private.h - what the files of the host controller model share: host.c has the list of
// transfers, host_port.c the port, host_schedule.c the clock; host_transfer.c makes transactions of
// transfers, host_fault.c says why one failed, host_blocking.c waits for them, enumeration.c
// enumerates.

#ifndef SIM_HOST_PRIVATE_H
#define SIM_HOST_PRIVATE_H

#include <sim/host.h>

// A frame, and from its beginning to its first token: the SOF packet, and a pause for the device.
enum { HOST_FRAME_NS = 1000000, HOST_SOF_NS = 5000 };

// Of a control transfer, unless its submitter says otherwise (USB 2.0 9.2.6.1).
#define HOST_TIMEOUT_NS (5000 * SIM_MS)

enum host_stage {
    STAGE_FIRST, // SETUP of a control transfer, nothing of the others
    STAGE_DATA,
    STAGE_STATUS, // of a control transfer; the zero-length packet that ends a bulk OUT transfer
};

struct sim_host {
    struct sim_device *device;
    struct sim_host_events events;
    void *events_context;
    sim_packet_tap *tap;
    void *tap_context;
    sim_request_accepted *accepted;
    void *accepted_context;

    uint64_t now_ns;
    uint64_t next_frame_ns;
    uint16_t frame;

    bool powered;
    bool se0;
    bool suspended;
    uint64_t l1_resume_ns; // how long the host drives resume to end L1; 0: suspended otherwise
    bool resuming;
    bool pull_up;        // as last seen
    bool connected;      // debounced
    uint64_t pull_up_ns; // since when pull_up is what it is

    uint8_t address;
    uint16_t max_packet0;
    uint32_t toggles;               // bit n: next packet of endpoint_index() n is DATA1
    uint64_t bus_free_ns;           // end of the last packet on the wire
    uint64_t ready_ns[32];          // by endpoint_index(): the host controller's pacing
    struct sim_transfer *transfers; // in the order they were submitted
    char fault[160];                // sim_host_fault()
};

// 0..15 for OUT and control endpoints, 16..31 for IN.
static inline unsigned endpoint_index(uint8_t bEndpointAddress)
{
    return (bEndpointAddress & 0x0FU) | (bEndpointAddress & 0x80U) >> 3;
}

// Run to the next thing that happens, at most to limit_ns. Always moves time unless it is there.
void host_step(struct sim_host *host, uint64_t limit_ns);

void host_tap(struct sim_host *host, const struct sim_packet *packet);
void host_tap_event(struct sim_host *host, enum sim_packet_kind kind);

// Look at the device's pull-up: it may connect or disconnect the device.
void host_watch_pull_up(struct sim_host *host);

// One transaction of this transfer, now. May finish it.
void host_transact(struct sim_host *host, struct sim_transfer *transfer);

// Longest time the transfer's next transaction can take on the wire.
uint64_t host_transaction_ns(const struct sim_transfer *transfer);

// "setup stage", "data stage", "status stage"
const char *host_stage_name(const struct sim_transfer *transfer);

// Why the transfer fails, for sim_host_fault().
__attribute__((format(printf, 3, 4))) void host_note_fault(struct sim_host *host,
                                                           const struct sim_transfer *transfer,
                                                           const char *format,
                                                           ...);

// Take the transfer off the list and tell its owner.
void host_finish(struct sim_host *host, struct sim_transfer *transfer, int status);
void host_finish_all(struct sim_host *host, int status);

#endif
