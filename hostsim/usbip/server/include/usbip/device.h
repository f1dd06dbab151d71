// SPDX-License-Identifier: MIT
//
// device.h - a simulated device as a USB/IP server exports it.
//
// It owns the simulated host controller that the device is connected to, and does what USB/IP
// leaves to the server's machine: it enumerates the device, gives it its address, knows its
// endpoints, and resets the bus. All URBs of a device pass usbip_device_submit() and one
// completion: an observer sees every one of them.
//
// There is no bus reset in USB/IP: a kernel client resets its virtual port by itself and sends no
// message to the server. The server sees a GET_DESCRIPTOR(DEVICE) with wLength 64, or 8: the first
// request of Linux to a device that has just been reset. So that request makes a reset here, before
// it is passed on ("bus reset inferred"). A user space client sends SET_FEATURE(PORT_RESET) to the
// device's port. Both give the device a new address and bring it back to the Address state, and a
// device that a reset turns into another one (DFU 1.1 A.2.2, bitWillDetach = 0) is that other one
// from then on, for the same client.
//
// When a device leaves the bus by itself, its client is informed (left()) and its URBs end; once it
// has returned and was enumerated it can be imported again.
//
// Time follows the wall clock as sim/pace.h says.

#ifndef HOSTSIM_USBIP_DEVICE_H
#define HOSTSIM_USBIP_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sim/host.h>

#include <usbip/proto.h>

struct usbip_device;

// A transfer on its way to the device; the caller's memory, until done() is called.
struct usbip_urb {
    // Filled in by the caller.
    struct usbip_command command; // a USBIP_CMD_SUBMIT that is not isochronous
    uint8_t *data;                // command.length bytes
    void (*done)(struct usbip_urb *urb);
    void *context;

    // Filled in before done().
    int32_t status;  // enum usbip_status
    uint32_t actual; // bytes that moved, never more than command.length

    // Private to the server.
    struct usbip_device *device;
    struct sim_transfer transfer;
};

// Called for every URB and event. Any of them may be NULL.
struct usbip_observer {
    void (*submitted)(void *context,
                      const struct usbip_device *device,
                      const struct usbip_urb *urb);
    void (*completed)(void *context,
                      const struct usbip_device *device,
                      const struct usbip_urb *urb);
    // A line for a person: "bus reset inferred".
    void (*note)(void *context, const struct usbip_device *device, const char *text);
};

// Plug the device into a host controller of its own and enumerate it. Devices are numbered from 1;
// each bus has 15 of them: the first has the bus id 1-1, the 16th 2-1.
// It takes the simulated device over. NULL if there is no memory. observer may be NULL.
struct usbip_device *usbip_device_open(struct sim_device *sim,
                                       unsigned number,
                                       const struct usbip_observer *observer,
                                       void *context);
void usbip_device_close(struct usbip_device *device);

// The same in pieces, for many devices, of which some may NAK or stay away for long: plug them all
// in, and then let each settle again and again, by a millisecond of its bus or by one bus reset. It
// returns whether the enumeration has ended; usbip_device_run() carries on one that has not.
struct usbip_device *usbip_device_plug_in(struct sim_device *sim,
                                          unsigned number,
                                          const struct usbip_observer *observer,
                                          void *context);
bool usbip_device_settle(struct usbip_device *device);

// ---- Questions ----

// As it was when it was enumerated last.
const struct usbip_record *usbip_device_record(const struct usbip_device *device);
// The interfaces of its first configuration, record->bNumInterfaces of them.
const struct usbip_interface *usbip_device_interfaces(const struct usbip_device *device);
uint64_t usbip_device_now_ns(const struct usbip_device *device); // virtual time

// Can it be imported: USBIP_OP_OK; or is it in use (BUSY), away from the bus (NO_DEVICE), or on it
// but failing to enumerate (DEVICE_ERROR)?
enum usbip_op_status usbip_device_availability(const struct usbip_device *device);

// Must the two calls below be made about each millisecond? Only while it is in use and not at rest
// (sim_host_at_rest), or away, or if it is kept awake. After a rest usbip_device_catch_up() comes
// before the next transfer.
bool usbip_device_needs_time(const struct usbip_device *device);

// Transfers that its client has submitted since it was imported.
unsigned usbip_device_asked(const struct usbip_device *device);

// From now on its time advances even while it is not imported: a debugger may connect.
void usbip_device_keep_awake(struct usbip_device *device);

// ---- Use ----

// Take the device; left() is called when it leaves the bus, from inside any of the calls below.
// Returns what usbip_device_availability() did.
enum usbip_op_status
usbip_device_import(struct usbip_device *device, void (*left)(void *context), void *context);

// Give it back. All URBs must have ended. The bus is reset, as usbip-host does.
void usbip_device_release(struct usbip_device *device);

// It will not be imported again: releasing it need not reset the bus.
void usbip_device_retire(struct usbip_device *device);

// Hand a transfer to the device. One that stands for a bus reset ends when the device is back from
// it, and others that come before that end with USBIP_STATUS_ESHUTDOWN. done() may be called before
// this returns, and is otherwise called from inside usbip_device_catch_up() or usbip_device_run().
void usbip_device_submit(struct usbip_device *device, struct usbip_urb *urb);

// Take a transfer back that has not ended: done() is called with USBIP_STATUS_ECONNRESET.
void usbip_device_unlink(struct usbip_device *device, struct usbip_urb *urb);

// Advance the device towards wall_ns, by a millisecond at most (sim/pace.h). Returns whether it is
// still behind.
bool usbip_device_catch_up(struct usbip_device *device, uint64_t wall_ns);

// Move what transfers can move, up to a millisecond of the bus. Returns whether more could move at
// once: call again soon.
bool usbip_device_run(struct usbip_device *device);

#endif
