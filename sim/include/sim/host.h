// SPDX-License-Identifier: MIT
//
// host.h - a host controller with one root port, in virtual time.
//
// It makes control, bulk and interrupt transfers of transactions on the wire (wire.h), sends a SOF
// each millisecond, retries NAKs, keeps data toggles, never lets two packets of one transfer come
// closer than 12 us (as real hosts do), notices connect and disconnect, and can reset, suspend,
// resume and unpower the port. It knows nothing of descriptors beyond what enumerating needs.
//
// Everything happens inside sim_host_run_until(), or in the blocking helpers built on it;
// transfers complete through their callback. Nothing here looks at the wall clock.

#ifndef SIM_HOST_H
#define SIM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>
#include <sim/wire.h>

// How a transfer ended. Zero or one of:
enum sim_status {
    SIM_OK = 0,
    SIM_ERR_STALL = -1,     // the endpoint answered STALL
    SIM_ERR_GONE = -2,      // no response three times, or the device left the bus
    SIM_ERR_TIMEOUT = -3,   // the transfer's timeout_ns passed
    SIM_ERR_OVERFLOW = -4,  // the device sent more than was asked for (babble)
    SIM_ERR_CANCELLED = -5, // sim_host_cancel()
    SIM_ERR_PROTOCOL = -6,  // wrong data toggle or an impossible answer
    SIM_ERR_NO_DEVICE = -7, // nothing is connected
};

const char *sim_status_name(int status);

struct sim_transfer;
typedef void sim_transfer_done(struct sim_transfer *transfer);

// One transfer; the caller's memory, untouched by the caller until done() is called.
struct sim_transfer {
    // Filled in by the caller.
    uint8_t endpoint;        // bEndpointAddress; 0 for control (setup says the direction)
    uint8_t type;            // USB_ENDPOINT_CONTROL, _BULK or _INTERRUPT
    uint16_t wMaxPacketSize; // of the endpoint
    uint8_t bInterval;       // interrupt: frames between polls
    bool zero_packet;        // bulk OUT: end a multiple of wMaxPacketSize by a zero-length packet
    uint8_t setup[USB_SETUP_SIZE];
    uint8_t *data;
    size_t length;
    uint64_t timeout_ns; // 0: none
    sim_transfer_done *done;
    void *context;

    // Filled in by the host before done().
    int status;    // enum sim_status
    size_t actual; // bytes that moved in the data stage

    // Private to the host.
    struct sim_transfer *next;
    uint64_t started_ns;
    uint64_t next_ns;
    uint8_t stage;
    uint8_t errors;
    bool data1;
};

// What the port reports. Any of them may be NULL. Called from inside sim_host_run_until().
struct sim_host_events {
    void (*connected)(void *context);
    void (*disconnected)(void *context); // every transfer has been completed with SIM_ERR_GONE
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
    int result; // enum sim_handshake, or the length of IN data
    const uint8_t *data;
    size_t length;
};
typedef void sim_packet_tap(void *context, const struct sim_packet *packet);

struct sim_host;

// A host with this device plugged in and powered. NULL if there is no memory. The host closes the
// device in sim_host_close(). events may be NULL.
struct sim_host *sim_host_open(struct sim_device *device,
                               const struct sim_host_events *events,
                               void *context);
void sim_host_close(struct sim_host *host);

void sim_host_tap(struct sim_host *host, sim_packet_tap *tap, void *context);
uint64_t sim_host_now(const struct sim_host *host);
struct sim_device *sim_host_device(struct sim_host *host);

// Run frames, transfers and the device until time_ns.
void sim_host_run_until(struct sim_host *host, uint64_t time_ns);

// Run until no transfer is pending but those whose endpoint only NAKs in every try of the last
// frame, or until limit_ns; for a server that must answer as fast as it can.
void sim_host_run_busy(struct sim_host *host, uint64_t limit_ns);
bool sim_host_busy(const struct sim_host *host);

// Queue a transfer. Transfers of one endpoint run in order. Returns 0, or SIM_ERR_NO_DEVICE
// (done() is then not called).
int sim_host_submit(struct sim_host *host, struct sim_transfer *transfer);

// Take a transfer back: done() is called with SIM_ERR_CANCELLED before this returns. Returns
// whether it was still pending.
bool sim_host_cancel(struct sim_host *host, struct sim_transfer *transfer);

// ---- The port. Each of these runs the bus for as long as it takes. ----

bool sim_host_connected(const struct sim_host *host); // seen and debounced for 100 ms (7.1.7.3)
void sim_host_reset(struct sim_host *host);           // 50 ms of SE0, 10 ms of recovery (7.1.7.5)
void sim_host_suspend(struct sim_host *host);         // no SOF from now on, 3 ms waited
void sim_host_resume(struct sim_host *host);          // 20 ms of K, 10 ms of recovery (7.1.7.7)
void sim_host_power(struct sim_host *host, bool on);

// Address that SETUP, IN and OUT tokens carry. sim_host_reset() makes it 0.
uint8_t sim_host_address(const struct sim_host *host);
void sim_host_use_address(struct sim_host *host, uint8_t address);

// ---- Blocking helpers ----

// A control transfer to endpoint 0. Returns the length of the data stage (0..wLength) or an
// enum sim_status. data holds setup->wLength bytes.
int sim_host_control(struct sim_host *host,
                     const struct usb_setup *setup,
                     uint8_t *data,
                     uint64_t timeout_ns);

// Wait for a device, reset it, learn bMaxPacketSize0, reset again, give it an address; leaves it
// in the Address state. Returns 0 or an enum sim_status.
int sim_host_enumerate(struct sim_host *host, uint64_t timeout_ns);

#endif
