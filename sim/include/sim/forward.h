// SPDX-License-Identifier: MIT
//
// forward.h - forwards the wire to another device: for a board, whose pins its run-time device or
// its boot loader drives, and for a trace.
//
// Each function passes its call on to `to`; where that is NULL nothing is on the bus. A device
// embeds struct forward as its first member and takes for its struct sim_device_ops the functions
// that it does not write itself.

#ifndef SIM_FORWARD_H
#define SIM_FORWARD_H

#include <sim/wire.h>

struct forward {
    struct sim_device base;
    struct sim_device *to; // or NULL
};

void forward_advance(struct sim_device *device, uint64_t now_ns);
void forward_power(struct sim_device *device, bool on);
bool forward_connected(const struct sim_device *device);
void forward_bus_reset(struct sim_device *device, bool se0);
void forward_sof(struct sim_device *device, uint16_t frame);
bool forward_rest(struct sim_device *device, uint64_t now_ns);
void forward_resume(struct sim_device *device);
bool forward_waking(const struct sim_device *device);
int forward_setup(struct sim_device *device,
                  uint8_t address,
                  uint8_t endpoint,
                  const uint8_t setup[USBDEV_SETUP_SIZE]);
int forward_out(struct sim_device *device,
                uint8_t address,
                uint8_t endpoint,
                bool data1,
                const uint8_t *data,
                size_t length);
int forward_lpm(struct sim_device *device, uint8_t address, uint16_t bmAttributes);
int forward_in(struct sim_device *device,
               uint8_t address,
               uint8_t endpoint,
               bool *ret_data1,
               uint8_t data[SIM_MAX_PACKET]);
const char *forward_trouble(const struct sim_device *device);

#endif
