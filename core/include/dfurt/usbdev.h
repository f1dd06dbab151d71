// SPDX-License-Identifier: MIT
//
// usbdev.h - endpoint 0 and chapter 9 of USB 2.0 for a full-speed device, without I/O.
//
// Two sides:
//
//   the product supplies descriptors, strings and *functions* (a handler for a range of
//   interfaces: its class and vendor requests, its alternates, its endpoints, its bus events);
//   the port supplies a *driver*: nine small things that only the hardware can do.
//
// A device is small or full. A small one has what DFU run time needs, in little more than 1 KB of a
// Cortex-M0's flash: endpoint 0, any number of configurations and functions, class and vendor
// requests to an interface that read or bring no data; and strings, if its config names
// usbdev_strings. A full one names usbdev_full in its config and has all that is marked [full]
// below. The linker omits what no config names.
//
// The port calls in with what happened on the bus (usbdev_setup, usbdev_in_done, usbdev_out_done,
// usbdev_bus_reset, usbdev_suspended, usbdev_resumed, usbdev_tick); usbdev calls out through the
// driver. The same object code serves a chip and a simulator. No heap, no globals, no locks: all
// calls come from one context, and none from inside a driver function.
//
// A control transfer (USB 2.0 8.5.3) as the port sees it:
//
//   SETUP arrived           -> usbdev_setup(dev, bytes)
//   driver->ep_in(0, ...)   <- one packet for the IN token, 0 bytes for a zero-length packet;
//                              acknowledged by the host -> usbdev_in_done(dev, 0)
//   driver->ep_out(0)       <- be ready for one OUT packet; it came -> usbdev_out_done(dev, 0, ...)
//   driver->ep0_stall()     <- STALL IN and OUT until the next SETUP (a protocol stall)
//
// A direction that was not asked for answers NAK. A SETUP is always taken: it ends a stall, takes
// back what was armed in both directions, and abandons the transfer that was under way (USB 2.0
// 8.5.3). In an IN data stage both directions are armed, because the host may begin the status
// stage early. The port reports events in the order in which they happened; where its hardware
// shows a finished IN packet and a SETUP at once, the IN packet came first.
//
// Whose request it is, asked in this order (USB 2.0 table 9-2); where USB 2.0 9.4 leaves an answer
// open, a STALL:
//
//   standard               usbdev, by the device state:
//                            Default     GET_DESCRIPTOR, SET_ADDRESS
//                            Address     also GET_STATUS, GET_CONFIGURATION, SET_CONFIGURATION,
//                                        remote wake-up [full]
//                            Configured  also what names an interface or an endpoint; SET_ADDRESS
//                                        no more. GET_DESCRIPTOR(interface) is the function's
//                                        that owns the interface [full]
//                          STALLs with an OUT data stage: no standard request known here has one
//   class or vendor,       the function that owns the interface in the low byte of wIndex, whatever
//   to an interface        the direction, wLength and high byte of wIndex; usbdev STALLs it in the
//                          Default and Address states, where no interface exists (9.1.1.5), and
//                          where the configuration has no such interface
//   class or vendor,       [full] Address and Configured: the function marked device_requests
//   to the device
//   class or vendor,       [full] Configured: the function that owns the endpoint
//   to an endpoint
//   any other              STALL: a reserved type or recipient, or what the device is too small for
//
// No request is kept from its owner because the bus was suspended, because endpoint 0 is stalled or
// in the middle of a transfer (a SETUP abandons it), because of alternate settings, or because it
// brings data. A small device has no OUT data stage: it asks the owner and then STALLs, whatever
// the owner said. A class that counts the requests it refuses, as DFU does (DFU 1.1 A.2.2), depends
// on being asked.

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
//
// `endpoint` is a number without direction, `bEndpointAddress` carries the direction in bit 7.
// Endpoint 0 is the port's to set up at each bus reset, where it also answers to address 0 again.

struct usbdev_driver {
    // Answer to this address from now on. Called after the status stage of SET_ADDRESS.
    void (*set_address)(void *port, uint8_t address);

    // Send one packet of at most wMaxPacketSize bytes; data stays valid until the host has taken
    // it, or until the next SETUP (endpoint 0), halt or ep_close.
    void (*ep_in)(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length);

    // Accept one packet.
    void (*ep_out)(void *port, uint8_t endpoint);

    // Endpoint 0: STALL both directions until the next SETUP.
    void (*ep0_stall)(void *port);

    // Another endpoint: set it up as its descriptor says (data toggle 0, not halted, NAK); or take
    // it away; or STALL it (halt true), or clear the STALL and the data toggle (halt false, then
    // NAK). A packet that was armed is dropped by each of them.
    void (*ep_open)(void *port, const uint8_t *endpoint_descriptor);
    void (*ep_close)(void *port, uint8_t bEndpointAddress);
    void (*ep_halt)(void *port, uint8_t bEndpointAddress, bool halt);

    // Pull-up on (true) or off.
    void (*connect)(void *port, bool on);

    // Drive resume signalling for 1 to 15 ms, once the bus has been idle for 5 ms (USB 2.0
    // 7.1.7.7). May be NULL where no configuration offers remote wake-up.
    void (*remote_wakeup)(void *port);
};

// ---- The product's side ----

// A control request as its handler sees it.
struct usbdev_request {
    struct usbdev_setup_packet setup;
    uint8_t *data;   // IN: where the reply is. OUT: where the host's bytes go.
    uint16_t length; // IN: how many bytes the reply has. OUT: how many arrived.
};

enum usbdev_event {
    USBDEV_EVENT_BUS_RESET,
    USBDEV_EVENT_SUSPENDED,
    USBDEV_EVENT_RESUMED,
    USBDEV_EVENT_UNCONFIGURED, // [full] SET_CONFIGURATION or a bus reset ended the configuration
};

// What a group of interfaces with one owner does. Every member but setup may be NULL.
struct usbdev_handler {
    // A class or vendor request whose recipient is one of this function's interfaces; or [full] one
    // of its endpoints, or the device (for the function marked device_requests), or a
    // GET_DESCRIPTOR(interface). It comes here by the low byte of wIndex; some classes use the high
    // byte, so the handler judges that. data starts as the device's scratch buffer of
    // USBDEV_SCRATCH_SIZE bytes, length as 0.
    // IN: put the reply there, or point request->data at it (it stays valid until the next
    // SETUP), and set request->length; more than wLength is cut.
    // OUT with data: point request->data at a buffer of wLength bytes unless that fits in the
    // scratch buffer, or return USBDEV_STALL if it is too long. A small device STALLs the request
    // in any case, and complete is not called.
    // Returns 0 or USBDEV_STALL.
    int (*setup)(void *context, struct usbdev_request *request);

    // [full] The data stage of an OUT request is complete: wLength bytes have arrived. Returns 0 or
    // USBDEV_STALL (then the status stage STALLs).
    int (*data)(void *context, struct usbdev_request *request);

    // The status stage of a request accepted by setup has completed. Never called for a request
    // that was stalled or abandoned.
    void (*complete)(void *context, const struct usbdev_request *request);

    // [full] The alternate setting of an interface was chosen, by SET_INTERFACE or (alternate 0) by
    // SET_CONFIGURATION; endpoints are open when this is called.
    void (*set_interface)(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting);

    // Something happened on the bus. May free nothing that belongs to the device.
    void (*event)(void *context, enum usbdev_event event);
    void (*tick)(void *context, uint16_t elapsed_ms);

    // [full] An IN packet on one of the function's endpoints was taken by the host; an OUT packet
    // came; the host halted an endpoint, or cleared the halt (what was armed is lost: arm it
    // again).
    void (*in_done)(void *context, uint8_t bEndpointAddress);
    void (*out_done)(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length);
    void (*halt)(void *context, uint8_t bEndpointAddress, bool halted);
};

struct usbdev_function {
    const struct usbdev_handler *handler;
    void *context;
    uint8_t bFirstInterface;
    uint8_t bInterfaceCount;
    bool device_requests; // [full] vendor and class requests to the device come here
};

// What the device is. Constant; may live in flash. Descriptors are in wire format and are trusted:
// lengths are right, interfaces are numbered 0 to at most USBDEV_MAX_INTERFACES - 1.
struct usbdev_config {
    const uint8_t *device_descriptor;     // 18 bytes; bMaxPacketSize0 8, 16, 32 or 64
    const uint8_t *const *configurations; // bNumConfigurations of them, wTotalLength bytes each
    const struct usbdev_function *functions;
    uint8_t function_count;

    const struct usbdev_full *full; // &usbdev_full, or NULL: a small device
    const uint8_t *bos;             // [full] BOS descriptor set, or NULL: GET_DESCRIPTOR STALLs

    const struct usbdev_strings *strings; // &usbdev_strings, or NULL: there are no strings
    const uint8_t *langids;               // string descriptor 0; NULL without strings

    // The text of a string descriptor, UTF-8, NUL-terminated, valid until the next call; NULL when
    // there is none in this language (the request STALLs). index is never 0. What does not fit in
    // a descriptor, 126 UTF-16 units, is cut. May be NULL without strings.
    const char *(*string)(void *context, uint8_t index, uint16_t langid);
    void *context;
};

// What makes a device full, and what gives it strings.
extern const struct usbdev_full usbdev_full;
extern const struct usbdev_strings usbdev_strings;

enum {
    USBDEV_MAX_INTERFACES = 8,
    USBDEV_SCRATCH_SIZE = 64,
};

// Device states of USB 2.0 9.1.1, as far as a device tells them apart.
enum usbdev_state {
    USBDEV_DEFAULT,
    USBDEV_ADDRESS,
    USBDEV_CONFIGURED,
};

// One device. The caller's memory; every field is private.
struct usbdev {
    uint8_t stage;      // of the control transfer under way: private enum of usbdev.c
    uint8_t address;    // 0: Default state
    bool remote_wakeup; // [full] DEVICE_REMOTE_WAKEUP set by the host
    bool suspended;
    uint8_t alternate[USBDEV_MAX_INTERFACES]; // [full] of each interface
    struct usbdev_request request;            // the control transfer under way
    uint16_t done;                            // bytes of its IN data stage that have moved
    const char *text;                         // [full] its reply is this string; NULL: request.data
    const struct usbdev_function *owner;      // who handles it; NULL: usbdev.c itself
    const struct usbdev_config *config;
    const struct usbdev_driver *driver;
    void *port;
    const uint8_t *configuration; // the current one; NULL: not configured
    uint32_t halted;              // [full] bit n: OUT endpoint n, bit 16 + n: IN endpoint n
    uint8_t scratch[USBDEV_SCRATCH_SIZE];
};

// Prepare a device; does not touch the hardware. usbdev_connect() comes next.
void usbdev_init(struct usbdev *dev,
                 const struct usbdev_config *config,
                 const struct usbdev_driver *driver,
                 void *port);

// Pull-up on or off.
void usbdev_connect(struct usbdev *dev, bool on);

// The device state (USB 2.0 9.1.1). It does not change while the bus is suspended.
enum usbdev_state usbdev_state(const struct usbdev *dev);

// ---- Events from the port ----

// A SETUP packet on endpoint 0. By the time that this returns the driver has been told what to
// answer: ep_in(), ep_out() or ep0_stall().
void usbdev_setup(struct usbdev *dev, const uint8_t setup[USBDEV_SETUP_SIZE]);

// The host has acknowledged the packet that ep_in() armed on this endpoint.
void usbdev_in_done(struct usbdev *dev, uint8_t endpoint);

// The packet that ep_out() was ready for: 0 to wMaxPacketSize bytes, used before this returns. A
// repetition, whose data toggle is that of the packet before it, is acknowledged by the port and
// not reported (USB 2.0 8.6.4).
void usbdev_out_done(struct usbdev *dev, uint8_t endpoint, const uint8_t *data, uint16_t length);

// The host has reset the bus (USB 2.0 7.1.7.5): the device is in the Default state again.
void usbdev_bus_reset(struct usbdev *dev);

// The bus has been idle for 3 ms; it is so no longer (USB 2.0 7.1.7.6, 7.1.7.7).
void usbdev_suspended(struct usbdev *dev);
void usbdev_resumed(struct usbdev *dev);

// elapsed_ms milliseconds have passed since the last call.
void usbdev_tick(struct usbdev *dev, uint16_t elapsed_ms);

// ---- For the product [full] ----

// Wake the host, if it is asleep and has allowed it by SET_FEATURE(DEVICE_REMOTE_WAKEUP)
// (USB 2.0 9.4.5). Returns whether resume signalling was started.
bool usbdev_remote_wakeup(struct usbdev *dev);

// Send one packet on an IN endpoint of the current configuration, or accept one on an OUT endpoint.
// Returns false, and does nothing, where the endpoint is absent or halted.
bool usbdev_send(struct usbdev *dev,
                 uint8_t bEndpointAddress,
                 const uint8_t *data,
                 uint16_t length);
bool usbdev_receive(struct usbdev *dev, uint8_t bEndpointAddress);

// Halt an endpoint from this side, as SET_FEATURE(ENDPOINT_HALT) does from the host's; only the
// host can clear it (USB 2.0 9.4.5). Does nothing where the endpoint is absent.
void usbdev_halt(struct usbdev *dev, uint8_t bEndpointAddress);

// ---- The DFU run-time class as a function of this device: usbdev_dfurt.c ----

// The handler for struct usbdev_function; its context is a struct dfurt.
extern const struct usbdev_handler dfurt_usbdev_handler;

#ifdef __cplusplus
}
#endif

#endif
