// SPDX-License-Identifier: MIT
//
// usbdev.h - endpoint 0 and chapter 9 of USB 2.0 for a full-speed device, without I/O.
//
// Two sides:
//
//   the product supplies descriptors, strings and *functions* (a handler for a range of
//   interfaces: its class and vendor requests, its alternates, its bus events);
//   the port supplies a *driver*: nine small things that only the hardware can do.
//
// The port calls in with what happened on the bus (usbdev_setup, usbdev_in_done, usbdev_out_done,
// usbdev_bus_reset, usbdev_suspended, usbdev_resumed, usbdev_tick); usbdev calls out through the
// driver. The same object code serves a chip and a simulator. No heap, no globals, no locks: all
// calls come from one context.
//
// A control transfer (USB 2.0 8.5.3) as the port sees it:
//
//   SETUP arrived          -> usbdev_setup(dev, bytes)
//   driver->ep0_in(...)    <- one packet for the IN token, 0 bytes for a zero-length packet;
//                             acknowledged by the host -> usbdev_in_done(dev, 0)
//   driver->ep0_out()      <- be ready for one OUT packet; it came -> usbdev_out_done(dev, 0, data, n)
//   driver->ep0_stall()    <- STALL IN and OUT until the next SETUP (a protocol stall)
//
// A SETUP may come at any time and abandons what was under way. An OUT in the middle of an IN data
// stage is the host's early status stage: the port reports it by usbdev_out_done like any other.
// usbdev arms both directions where both can come.

#ifndef DFURT_USBDEV_H
#define DFURT_USBDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

#ifdef __cplusplus
extern "C" {
#endif

// Negative results of a handler.
enum {
    USBDEV_STALL = -1,
};

// ---- The port's side: the driver ----

struct usbdev_driver {
    // Answer to this address from now on. Called after the status stage of SET_ADDRESS.
    void (*set_address)(void *port, uint8_t address);

    // Endpoint 0: send one packet of length <= bMaxPacketSize0 (data stays valid until the next
    // event of endpoint 0); accept one packet; STALL both directions until the next SETUP.
    void (*ep0_in)(void *port, const uint8_t *data, uint8_t length);
    void (*ep0_out)(void *port);
    void (*ep0_stall)(void *port);

    // Other endpoints: set one up as its descriptor says (data toggle 0, not halted); or take it
    // away; or STALL it (halt true), or clear the STALL and the data toggle (halt false).
    // bEndpointAddress carries the direction in bit 7.
    void (*ep_open)(void *port, const uint8_t *endpoint_descriptor);
    void (*ep_close)(void *port, uint8_t bEndpointAddress);
    void (*ep_halt)(void *port, uint8_t bEndpointAddress, bool halt);

    // Pull-up on (true) or off. Drive resume signalling for 1 to 15 ms (USB 2.0 7.1.7.7).
    void (*connect)(void *port, bool on);
    void (*remote_wakeup)(void *port);
};

// ---- The product's side ----

// A control request as its handler sees it.
struct usbdev_request {
    struct usb_setup setup;
    uint8_t *data;   // IN: where the reply is. OUT: where the host's bytes go.
    uint16_t length; // IN: how many bytes the reply has. OUT: how many arrived (== wLength).
};

// A group of interfaces with one owner. Every member but setup may be NULL.
struct usbdev_handler {
    // A class or vendor request whose recipient is one of this function's interfaces or endpoints
    // (or, for the function marked `device_requests`, the device), or a GET_DESCRIPTOR(interface).
    // IN: point request->data at the reply (it starts as the device's scratch buffer of
    // USBDEV_SCRATCH_SIZE bytes) and set request->length; more than wLength is cut.
    // OUT with data: point request->data at a buffer of at least wLength bytes, or return
    // USBDEV_STALL if it is too long; it starts as the scratch buffer when wLength fits in it.
    // Returns 0 or USBDEV_STALL.
    int (*setup)(void *context, struct usbdev_request *request);

    // The data stage of an OUT request is complete. Returns 0 or USBDEV_STALL (then the status
    // stage STALLs).
    int (*data)(void *context, struct usbdev_request *request);

    // The status stage of a request accepted by setup has completed. Never called for a request
    // that was stalled or abandoned.
    void (*complete)(void *context, const struct usbdev_request *request);

    // The alternate setting of an interface was chosen, by SET_INTERFACE or (alternate 0) by
    // SET_CONFIGURATION; endpoints are open when this is called.
    void (*set_interface)(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting);

    // The configuration was taken away (SET_CONFIGURATION 0 or another, or a bus reset).
    void (*unconfigured)(void *context);

    // Something happened on the bus.
    void (*bus_reset)(void *context);
    void (*suspended)(void *context);
    void (*resumed)(void *context);
    void (*tick)(void *context, uint16_t elapsed_ms);

    // An IN packet on one of the function's endpoints was taken by the host; an OUT packet came.
    void (*in_done)(void *context, uint8_t bEndpointAddress);
    void (*out_done)(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length);
};

struct usbdev_function {
    const struct usbdev_handler *handler;
    void *context;
    uint8_t bFirstInterface;
    uint8_t bInterfaceCount;
    bool device_requests; // vendor and class requests to the device come here
};

// What the device is. Constant; may live in flash. Descriptors are in wire format.
struct usbdev_config {
    const uint8_t *device_descriptor;            // 18 bytes; bMaxPacketSize0 8, 16, 32 or 64
    const uint8_t *const *configurations;        // bNumConfigurations of them, wTotalLength bytes each
    const uint8_t *bos;                          // BOS descriptor set, or NULL: GET_DESCRIPTOR STALLs
    const uint16_t *langids;                     // langid_count supported LANGIDs, or NULL: no strings
    uint8_t langid_count;
    uint8_t function_count;
    const struct usbdev_function *functions;

    // The text of a string descriptor, UTF-8, NUL-terminated, valid until the next call; NULL when
    // there is none (the request STALLs). index is never 0.
    const char *(*string)(void *context, uint8_t index, uint16_t langid);
    void *context;
};

// A string descriptor holds at most this many UTF-16 units here; the rest is cut.
enum { USBDEV_STRING_UNITS = 31, USBDEV_SCRATCH_SIZE = 2 + 2 * USBDEV_STRING_UNITS };
enum { USBDEV_MAX_INTERFACES = 8 };

// bDeviceState of USB 2.0 9.1.1, as far as a device sees it.
enum usbdev_state {
    USBDEV_DEFAULT,
    USBDEV_ADDRESS,
    USBDEV_CONFIGURED,
};

// One device. The caller's memory; private to usbdev.c but for reading the state.
struct usbdev {
    const struct usbdev_config *config;
    const struct usbdev_driver *driver;
    void *port;
    struct usbdev_request request;           // the control transfer under way
    uint16_t done;                           // bytes of its data stage that have moved
    uint8_t stage;                           // private enum of usbdev.c
    uint8_t owner;                           // index of the function that handles it, or none
    uint8_t bConfigurationValue;             // 0: not configured
    uint8_t address;                         // 0: Default state
    uint8_t remote_wakeup;                   // DEVICE_REMOTE_WAKEUP set by the host
    uint8_t suspended;
    uint32_t halted;                         // bit n: OUT endpoint n, bit 16 + n: IN endpoint n
    uint8_t alternate[USBDEV_MAX_INTERFACES]; // current alternate of each interface
    uint8_t scratch[USBDEV_SCRATCH_SIZE];
};

// Prepare a device; does not touch the hardware. Call driver->connect afterwards, or
// usbdev_connect().
void usbdev_init(struct usbdev *dev,
                 const struct usbdev_config *config,
                 const struct usbdev_driver *driver,
                 void *port);

void usbdev_connect(struct usbdev *dev, bool on);
enum usbdev_state usbdev_state(const struct usbdev *dev);

// ---- Events from the port ----

void usbdev_setup(struct usbdev *dev, const uint8_t setup[USB_SETUP_SIZE]);
void usbdev_in_done(struct usbdev *dev, uint8_t endpoint);
void usbdev_out_done(struct usbdev *dev, uint8_t endpoint, const uint8_t *data, uint16_t length);
void usbdev_bus_reset(struct usbdev *dev);
void usbdev_suspended(struct usbdev *dev);
void usbdev_resumed(struct usbdev *dev);
void usbdev_tick(struct usbdev *dev, uint16_t elapsed_ms);

// ---- For the product ----

// Wake the host, if it is asleep and has allowed it by SET_FEATURE(DEVICE_REMOTE_WAKEUP)
// (USB 2.0 9.4.5). Returns whether resume signalling was started.
bool usbdev_remote_wakeup(struct usbdev *dev);

// Is this endpoint halted (by SET_FEATURE(ENDPOINT_HALT) or usbdev_halt)? Data must not be queued.
bool usbdev_halted(const struct usbdev *dev, uint8_t bEndpointAddress);
void usbdev_halt(struct usbdev *dev, uint8_t bEndpointAddress);

// ---- The DFU run-time class as a function of this device: usbdev_dfurt.c ----

// handler for struct usbdev_function; its context is a struct dfurt.
extern const struct usbdev_handler dfurt_usbdev_handler;

#ifdef __cplusplus
}
#endif

#endif
