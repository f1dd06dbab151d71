// SPDX-License-Identifier: MIT
//
// wire.h - the seam between a device and a host: one USB cable, at packet level.
//
// A device is a struct of a few functions. The native devices, the boot loaders and the virtual
// STM32F072 implement it; the host controller model (host.h) drives it. They all enumerate alike.
//
// Time is virtual: nanoseconds since the board was first powered, 64 bits. The host calls advance()
// before it uses the wire; a device does all its own work (timers, instructions) in there and reads
// no clock. The same calls give the same results, to the bit.
//
// Transactions are atomic: the host asks, the device answers with a handshake at once. A packet to
// an address that is not the device's, or to a device that is detached, unpowered, in reset or
// crashed, gets SIM_NO_RESPONSE. Data packets carry their toggle (false DATA0, true DATA1): a
// device that sees the wrong toggle on OUT acknowledges and drops the packet (USB 2.0 8.6); the
// handshake of an IN packet always reaches the device.

#ifndef SIM_WIRE_H
#define SIM_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

// Handshakes. IN returns SIM_ACK + length, or one of the negative ones.
enum sim_handshake {
    SIM_ACK = 0,
    SIM_NAK = -1,
    SIM_STALL = -2,
    SIM_NO_RESPONSE = -3,
    SIM_NYET = -5,         // of LPM: not now
    SIM_NO_HANDSHAKE = -4, // OUT: taken by an isochronous endpoint, which has none (USB 2.0 8.5.5)
};

enum { SIM_MAX_PACKET = 1024 };

// bmAttributes of an LPM token (USB 2.0 Link Power Management addendum).
enum {
    SIM_LPM_bLinkState = 0x000F,
    SIM_LPM_L1 = 1,
    SIM_LPM_BESL_SHIFT = 4, // 4 bits
    SIM_LPM_bRemoteWake = 0x0100,
};

// The speed that a device signals. It decides which packets and descriptors are legal (USB 2.0
// 9.6.1, USB 3.2 9.6.1); the wire and its times are those of full speed at every speed.
enum sim_speed {
    SIM_FULL_SPEED,
    SIM_LOW_SPEED,
    SIM_HIGH_SPEED,
    SIM_SUPER_SPEED,
};

#define SIM_MS UINT64_C(1000000) // nanoseconds in a millisecond

struct sim_device;

struct sim_device_ops {
    // Advance to now_ns. Never goes backwards; the same time twice has no effect.
    void (*advance)(struct sim_device *device, uint64_t now_ns);

    // VBUS: on at power-on, off unplugs a bus-powered device: RAM is lost, flash is not.
    void (*power)(struct sim_device *device, bool on);

    // Is the pull-up on D+ on? The host tests it after every advance().
    bool (*connected)(const struct sim_device *device);

    // Single-ended zero on the bus begins (true) or ends (false).
    void (*bus_reset)(struct sim_device *device, bool se0);

    // A start-of-frame packet. A bus without them for 3 ms is suspended (USB 2.0 7.1.7.6).
    void (*sof)(struct sim_device *device, uint16_t frame);

    // Can nothing but a packet, a reset or a suspended bus change what the device does? Then it
    // advances to now_ns as if a SOF had come each millisecond. Else nothing happens, and false is
    // returned. The same time as last is a question alone. NULL: it never rests.
    bool (*rest)(struct sim_device *device, uint64_t now_ns);

    // The host drives resume (K) onto a suspended bus.
    void (*resume)(struct sim_device *device);

    // Is the device driving resume (remote wake-up)?
    bool (*waking)(const struct sim_device *device);

    // Transactions. endpoint is a number 0..15 without direction.
    int (*setup)(struct sim_device *device,
                 uint8_t address,
                 uint8_t endpoint,
                 const uint8_t setup[USBDEV_SETUP_SIZE]);
    int (*out)(struct sim_device *device,
               uint8_t address,
               uint8_t endpoint,
               bool data1,
               const uint8_t *data,
               size_t length);
    int (*in)(struct sim_device *device,
              uint8_t address,
              uint8_t endpoint,
              bool *ret_data1,
              uint8_t data[SIM_MAX_PACKET]);

    // An LPM transaction: the bus is to go to L1. SIM_ACK: it does. NULL: the device does not know
    // the token, and is silent.
    int (*lpm)(struct sim_device *device, uint8_t address, uint16_t bmAttributes);

    // The device's trouble: NULL while it works, else one line that stays true from then on (a CPU
    // in lockup, an endless loop, a missing clock).
    const char *(*trouble)(const struct sim_device *device);

    void (*close)(struct sim_device *device);
};

// Base of every device; concrete ones embed it as their first member.
struct sim_device {
    const struct sim_device_ops *ops;
    enum sim_speed speed; // while its pull-up is on
};

#endif
