// SPDX-License-Identifier: MIT
//
// test_bench.h - a USB device on the bench: usbdev with a driver and functions that write down what
// they are asked to do, and scripts to talk to it.
//
// A step of a script is an event as a driver would report it, and what usbdev then does: its calls
// of the driver and of the functions' handlers, in order. Bytes are hexadecimal.
//
//     {"setup 00 05 07 00 00 00 00 00", "in 0"}   a SETUP packet; an empty packet is armed
//     {"taken 0", "address 7"}                    the host took it; the driver is told the address
//
// Events: setup BYTES, taken ENDPOINT, came ENDPOINT BYTES, reset, suspended, resumed, tick MS.
// A failure shows the event, what was expected and what came.
//
// The device. Configuration 1 wakes the host: interface 0 with bulk endpoints 01 and 81; interface
// 1, whose alternate 1 has interrupt endpoint 82 and isochronous endpoint 83. Configuration 5 is
// self-powered: interface 0 with endpoint 01. Function "a" owns interface 0 and the requests to the
// device; function "b" interface 1, and has no callback that may be absent but set_interface.

#ifndef DFURT_TEST_BENCH_H
#define DFURT_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dfurt/usbdev.h>

enum { BENCH_MOST = 4096 };

// Requests that function a knows: all others STALL. Function b knows BENCH_READ and answers it with
// an empty reply.
enum {
    BENCH_READ = 0x50,          // IN: wValue bytes that count up
    BENCH_WRITE = 0x51,         // OUT: up to 100 bytes
    BENCH_WRITE_REFUSED = 0x52, // OUT: refused once its data have come
    BENCH_WRITE_SCRATCH = 0x53, // OUT: into the scratch buffer
};

struct bench {
    struct usbdev dev;
    struct usbdev_config config; // of a full device; a test may change it
    struct usbdev_function functions[2];
    uint8_t device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const char *text; // string 1, in language 0409
    uint8_t buffer[BENCH_MOST];
    char log[8 * BENCH_MOST];

    // Endpoint 0 as the driver left it, for bench_read().
    bool stalled;
    bool in_armed, out_armed;
    const uint8_t *in;
    uint16_t in_length;
};

extern const uint8_t bench_device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];
extern const uint8_t bench_configuration_1[64];
extern const uint8_t bench_configuration_5[25];
extern const uint8_t bench_bos[12];
extern const uint8_t bench_langids[4];

void bench_start(struct bench *bench);

struct bench_step {
    const char *event;
    const char *expected;
};

void bench_play(struct bench *bench, const struct bench_step *steps);

#define PLAY(bench, ...) bench_play(bench, (const struct bench_step[]){__VA_ARGS__, {NULL, NULL}})

// From the start: a bus reset and address 7; then configuration 1.
void bench_address(struct bench *bench);
void bench_configure(struct bench *bench);

// A whole control transfer with an IN data stage (or, where wLength is 0, with none), as a host
// does it. Checks each packet against USB 2.0 8.5.3: full but for the last, and a short or empty
// one last unless wLength bytes came. Returns the length of the reply, or USBDEV_STALL.
int bench_read(struct bench *bench,
               const struct usbdev_setup_packet *setup,
               uint8_t reply[BENCH_MOST]);

#endif
