// SPDX-License-Identifier: MIT
//
// usbfs_bench.h - for tests of the USB peripheral: one that a driver has switched on, register
// accesses, and packets on its bus.

#ifndef STM32F072_USBFS_BENCH_H
#define STM32F072_USBFS_BENCH_H

#include <stm32f072/usbfs.h>

enum { ADDRESS = 5, TX_BUFFER = 0x80, RX_BUFFER = 0xC0 };
enum { CONTROL_64 = 0x8400 }; // COUNT_RX: two blocks of 32 bytes

struct fixture {
    struct f072_report report;
    struct f072_usbfs usb;
    uint64_t now_ns;
    uint8_t packet[SIM_MAX_PACKET];
    bool data1;
};

// Set-up of a test: *state is a struct fixture. A peripheral that a driver has switched on,
// connected and not yet reset by the host; or reset by the host, with endpoint 0 ready at ADDRESS
// in register 0.
int attach(void **state);
int open_control(void **state);

// What the driver does.
uint16_t read_register(struct fixture *f, uint32_t offset);
void write_register(struct fixture *f, uint32_t offset, unsigned value);
void write_table(struct fixture *f, unsigned n, uint16_t tx, uint16_t rx, uint16_t count_rx);
void set_tx_count(struct fixture *f, unsigned n, uint16_t count);
uint16_t rx_count(struct fixture *f, unsigned n);

void elapse(struct fixture *f, uint64_t ns);

extern const uint8_t get_status[USBDEV_SETUP_SIZE];

// A transaction of the host to its end: the SETUP of get_status; an OUT packet of the bytes 1, 2, 3
// ...; an IN packet, which is in packet and data1 afterwards. Returns as the functions of usbfs.h
// do.
int setup(struct fixture *f);
int out(struct fixture *f, uint8_t endpoint, bool data1, size_t length);
int in(struct fixture *f, uint8_t endpoint);

#define ATTACHED(name) cmocka_unit_test_setup(name, attach)
#define CONTROL(name) cmocka_unit_test_setup(name, open_control)

#endif
