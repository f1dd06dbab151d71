// SPDX-License-Identifier: MIT
//
// host.h - a host controller with one root port, in virtual time.
//
// It makes transfers of all four types of transactions on the wire (wire.h), sends a SOF each
// millisecond, retries NAKs, tries an unanswered packet three times in frames that follow each
// other, keeps data toggles, never lets two packets of one transfer come closer than 12 us (as real
// hosts do), notices connect and disconnect, and can reset, suspend, resume and unpower the port.
// It reads no descriptors beyond what enumerating needs; usb_core.h does.
//
// Everything happens inside sim_host_run_until(), or in the blocking helpers built on it; transfers
// complete through their callback, with an enum usb_result: GONE also where nothing is connected.
// It does not read the wall clock. From inside a callback only sim_host_submit(), sim_host_cancel()
// and the questions may be called.
//
//     struct sim_device *device = sim_open(&options, error, sizeof error);
//     struct sim_host *host = sim_host_open(device, NULL, NULL);
//     if (sim_host_enumerate(host, 1000 * SIM_MS) == 0)
//         length = sim_host_control(host, &get_status, reply, 100 * SIM_MS);

#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>
#include <sim/wire.h>
#include <usb/result.h>

struct sim_transfer;
typedef void sim_transfer_done(struct sim_transfer *transfer);

// One transfer; the caller's memory, untouched by the caller until done() is called.
struct sim_transfer {
    // Filled in by the caller.
    uint8_t endpoint;        // bEndpointAddress; 0 for control (setup says the direction)
    uint8_t type;            // USBDEV_ENDPOINT_...; an isochronous transfer is one packet
    uint16_t wMaxPacketSize; // of the endpoint, 1..SIM_MAX_PACKET
    uint8_t bInterval;       // as in the endpoint descriptor; 0 counts as 1
    bool zero_packet;        // bulk OUT: end a multiple of wMaxPacketSize by a zero-length packet
    uint8_t setup[USBDEV_SETUP_SIZE];
    uint8_t *data;
    size_t length;            // control: wLength
    uint64_t status_delay_ns; // control: the status stage is asked for so much later
    enum sim_cut_off {
        SIM_WHOLE,
        SIM_CUT_OFF_IN_DATA,       // ends well after the first packet of the data stage
        SIM_CUT_OFF_BEFORE_STATUS, // ends well without a status stage
    } cut_off;                     // control: the host goes no further
    uint64_t timeout_ns;           // 0: none
    sim_transfer_done *done;
    void *context;

    // Filled in by the host before done().
    int status;    // enum usb_result
    size_t actual; // bytes that moved in the data stage

    // Private to the host.
    struct sim_transfer *next;
    uint64_t deadline_ns;  // when it times out
    uint64_t next_ns;      // not tried before
    uint64_t nak_since_ns; // first NAK of an unbroken row of them, or 0
    uint8_t stage;
    uint8_t errors; // in a row
    uint8_t naks;   // in a row
};

// What the port reports. Any of them may be NULL. Called from inside sim_host_run_until().
struct sim_host_events {
    void (*connected)(void *context);    // and debounced: reset it now
    void (*disconnected)(void *context); // every transfer has been completed with USB_GONE
    void (*woken)(void *context);        // the device drove resume; the bus is awake again
};

// One look at the wire, for traces and for tests.
struct sim_packet {
    uint64_t time_ns;
    enum sim_packet_kind {
        SIM_PACKET_SETUP,
        SIM_PACKET_OUT,
        SIM_PACKET_IN,
        SIM_PACKET_RESET_BEGIN,
        SIM_PACKET_RESET_END,
        SIM_PACKET_CONNECT,
        SIM_PACKET_DISCONNECT,
        SIM_PACKET_SUSPEND,
        SIM_PACKET_RESUME,
        SIM_PACKET_POWER_ON,
        SIM_PACKET_POWER_OFF,
    } kind;
    uint8_t address;
    uint8_t endpoint;
    bool data1;
    int result;          // enum sim_handshake; SIM_ACK for IN data that came
    const uint8_t *data; // of SETUP and OUT as sent, of IN as received; valid during the call
    size_t length;
};
typedef void sim_packet_tap(void *context, const struct sim_packet *packet);

struct sim_host;

// A host with this device plugged in and powered. NULL if there is no memory. The host closes the
// device in sim_host_close(). events may be NULL.
struct sim_host *
sim_host_open(struct sim_device *device, const struct sim_host_events *events, void *context);
void sim_host_close(struct sim_host *host);

// Report each packet to tap from now on; NULL ends it. The time is in ns since sim_host_open().
void sim_host_tap(struct sim_host *host, sim_packet_tap *tap, void *context);
uint64_t sim_host_now(const struct sim_host *host);
struct sim_device *sim_host_device(struct sim_host *host);

// Run frames, transfers and the device until time_ns.
void sim_host_run_until(struct sim_host *host, uint64_t time_ns);

// Is nothing pending, and can nothing but a transfer, or the port, change what the device does?
// Then the host runs through any time at once.
bool sim_host_at_rest(const struct sim_host *host);

// Is a transfer pending that may move soon: not one whose endpoint answered NAK throughout the last
// millisecond (an interrupt endpoint: in its last poll), not an isochronous one, whose frame has
// to come, and not one on a suspended bus?
bool sim_host_busy(const struct sim_host *host);

// Run while busy, at most until limit_ns; for a server that must answer as fast as it can.
void sim_host_run_busy(struct sim_host *host, uint64_t limit_ns);

// Queue a transfer. Transfers of one endpoint run in order. Returns 0, or USB_GONE
// if nothing is connected (done() is then not called).
int sim_host_submit(struct sim_host *host, struct sim_transfer *transfer);

// Take a transfer back: done() is called with USB_CANCELLED before this returns. Returns
// whether it was still pending.
bool sim_host_cancel(struct sim_host *host, struct sim_transfer *transfer);

// ---- The port. Each of these runs the bus for as long as it takes. ----

// Is a device there, and has its pull-up been on for 100 ms (USB 2.0 7.1.7.3)?
bool sim_host_connected(const struct sim_host *host);

// 1 ms of bus, as long as the request to the hub takes, then 50 ms of SE0 and 10 ms of recovery
// (USB 2.0 7.1.7.5). Transfers still pending at SE0 end with USB_GONE. Returns 0, or USB_GONE if
// there was nothing to reset, or if the reset itself made the device leave the bus, as DETACH with
// bitWillDetach = 0 does (events->disconnected has been called; wait for connected).
int sim_host_reset(struct sim_host *host);

void sim_host_suspend(struct sim_host *host); // no SOF from now on; 10 ms waited (7.1.7.6)
void sim_host_resume(struct sim_host *host);  // 20 ms of K, 10 ms of recovery (7.1.7.7)
// Put the bus to L1 by an LPM transaction, with BESL 0..15 of its token. Returns the handshake; by
// SIM_ACK the bus is suspended, and resumes in less than 10 ms, also where the device drives
// resume.
int sim_host_sleep(struct sim_host *host, unsigned besl, bool remote_wake);
bool sim_host_suspended(const struct sim_host *host);
void sim_host_power(struct sim_host *host, bool on);

// Address that SETUP, IN and OUT tokens carry. sim_host_reset() makes it 0.
uint8_t sim_host_address(const struct sim_host *host);
void sim_host_use_address(struct sim_host *host, uint8_t address);

// bMaxPacketSize0 as sim_host_enumerate() learnt it; 64 before.
uint16_t sim_host_max_packet0(const struct sim_host *host);

// The next data packet of this endpoint is DATA0. The host does this by itself for all endpoints
// after a bus reset and an accepted SET_CONFIGURATION, and for its endpoint after an accepted
// CLEAR_FEATURE(ENDPOINT_HALT) (USB 2.0 9.1.1.5, 9.4.5). For SET_INTERFACE usb_core.h does it: the
// host keeps no descriptors.
void sim_host_reset_toggle(struct sim_host *host, uint8_t bEndpointAddress);

// Call accepted() for each control transfer without IN data that the device has accepted, before
// its done(). What it may call: sim_host_reset_toggle() and the questions.
typedef void sim_request_accepted(void *context, const struct usbdev_setup_packet *setup);
void sim_host_follow(struct sim_host *host, sim_request_accepted *accepted, void *context);

// ---- Blocking helpers ----

// Submit a transfer that the caller has filled in (done and context are not used, and NULL
// afterwards) and run until it has ended. timeout_ns 0 means 5 s (USB 2.0 9.2.6.1). Returns the
// bytes moved or an enum usb_result; transfer->actual is set in both cases.
int sim_host_transfer(struct sim_host *host, struct sim_transfer *transfer);

// A control transfer to endpoint 0. Returns the length of the data stage (0..wLength) or an
// enum usb_result. data holds setup->wLength bytes. timeout_ns as above.
int sim_host_control(struct sim_host *host,
                     const struct usbdev_setup_packet *setup,
                     uint8_t *data,
                     uint64_t timeout_ns);

// Wait for a device, reset it, learn bMaxPacketSize0, reset again, give it address 1; leaves it in
// the Address state. Returns 0 or an enum usb_result; timeout_ns bounds the wait for a device.
int sim_host_enumerate(struct sim_host *host, uint64_t timeout_ns);

// What was wrong with the transfer that failed last, as in "GET_DESCRIPTOR (wValue 0100h): STALL in
// the data stage", or with the descriptor that it brought. Empty: nothing, or the device left the
// bus. The next control transfer clears it.
const char *sim_host_fault(const struct sim_host *host);

// ---- The same in pieces, for who has more than one device to serve ----
//
//     sim_enumeration_begin(&enumeration, host, 1000 * SIM_MS);
//     while (sim_enumeration_go_on(&enumeration, sim_host_now(host) + SIM_MS) == SIM_UNDER_WAY)
//         serve_others();

enum { SIM_UNDER_WAY = 1 };

struct sim_enumeration;

// What to do after a request: result is the length of its data stage or an enum usb_result. Returns
// SIM_UNDER_WAY if it asks for something else, 0 if all is known, or an enum usb_result.
typedef int sim_enumeration_step(struct sim_enumeration *enumeration, int result);

// The caller's memory, until it has ended or was cancelled.
struct sim_enumeration {
    // To be set after sim_enumeration_begin(), if the enumeration goes on after SET_ADDRESS.
    sim_enumeration_step *addressed;
    void *context;

    // Private, but for `bytes`, which steps may use.
    struct sim_host *host;
    sim_enumeration_step *next;
    struct sim_transfer transfer;
    bool asking;          // the transfer is pending
    unsigned attempts;    // as many as were begun
    uint64_t deadline_ns; // for a device to be there
    uint8_t bytes[64];
};

// Prepare what sim_host_enumerate() does; sim_enumeration_go_on() does it. timeout_ns bounds the
// wait for a device.
void sim_enumeration_begin(struct sim_enumeration *enumeration,
                           struct sim_host *host,
                           uint64_t timeout_ns);

// Carry it on, until limit_ns of the host's time; a bus reset, of 61 ms, is not interrupted.
// Returns SIM_UNDER_WAY, or what sim_host_enumerate() does.
int sim_enumeration_go_on(struct sim_enumeration *enumeration, uint64_t limit_ns);

// From inside a step: ask the device, for 5 s at most, and then call next. Returns SIM_UNDER_WAY.
int sim_enumeration_ask(struct sim_enumeration *enumeration,
                        struct usbdev_setup_packet setup,
                        uint8_t *data,
                        sim_enumeration_step *next);

// Give it up; a pending transfer is taken back.
void sim_enumeration_cancel(struct sim_enumeration *enumeration);

#endif
