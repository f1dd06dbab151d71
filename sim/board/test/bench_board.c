// SPDX-License-Identifier: MIT
//
// What firmware does on the virtual board, and what the board costs:
//
//     bench_board SMALL FULL
//
// SMALL and FULL are images with bitWillDetach clear, of a device of DFU run time alone and of one
// that has more beside it. Each request's row has the instructions of SMALL beside those of FULL;
// the board's rows have its processor time beside a native device's.

#include <bench/bench.h>

#include <stdlib.h>

#include <sim/f072_board.h>
#include <sim/host.h>

#include "f072_board_private.h"

enum { IDLE_SECONDS = 20, REPEATS = 20, CONFIGURATION_SIZE = 255, DFU_INTERFACE_CLASS = 0xFE };

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench_board: %s\n", what);
    exit(1);
}

static int transfer(struct sim_host *host, struct usbdev_setup_packet setup, uint8_t *data)
{
    return sim_host_control(host, &setup, data, 1000 * SIM_MS);
}

static void configure(struct sim_host *host)
{
    const struct usbdev_setup_packet setup = {.bRequest = USBDEV_SET_CONFIGURATION, .wValue = 1};

    if (sim_host_enumerate(host, 5000 * SIM_MS) < 0 || transfer(host, setup, NULL) < 0)
        die("the device does not enumerate");
}

// ---- Instructions of a control transfer ----

static uint16_t dfu_interface(struct sim_host *host)
{
    const struct usbdev_setup_packet setup = {USBDEV_DIR_IN, USBDEV_GET_DESCRIPTOR,
                                              USBDEV_DT_CONFIGURATION << 8, 0, CONFIGURATION_SIZE};
    uint8_t bytes[CONFIGURATION_SIZE];
    int length = transfer(host, setup, bytes);

    for (int i = 0; i + 9 <= length && bytes[i] > 0; i += bytes[i])
        if (bytes[i + 1] == USBDEV_DT_INTERFACE && bytes[i + 5] == DFU_INTERFACE_CLASS)
            return bytes[i + 2];
    die("no DFU interface");
}

static void count(void *context, const struct armv6m *cpu)
{
    (void)cpu;
    ++*(unsigned *)context;
}

static unsigned
instructions(struct sim_host *host, struct armv6m *cpu, struct usbdev_setup_packet setup)
{
    uint8_t data[64];
    unsigned executed = 0;

    armv6m_set_trace(cpu, count, &executed);
    transfer(host, setup, data);
    armv6m_set_trace(cpu, NULL, NULL);
    return executed;
}

// The fewest of some: now and then a tick of the clock falls into a transfer. Behind each comes one
// that leads back to appIDLE.
static unsigned fewest(struct sim_host *host, struct armv6m *cpu, struct usbdev_setup_packet setup)
{
    struct usbdev_setup_packet abort = {0x21, 6, 0, dfu_interface(host), 0};
    unsigned least = UINT32_MAX;

    for (int i = 0; i < REPEATS; i++) {
        unsigned executed = instructions(host, cpu, setup);
        least = executed < least ? executed : least;
        transfer(host, abort, NULL);
    }
    return least;
}

static const struct request {
    const char *name;
    struct usbdev_setup_packet setup;
} requests[] = {
    {"instructions of GET_DESCRIPTOR(DEVICE)", {0x80, 6, 0x0100, 0, 18}},
    {"instructions of DFU_GETSTATUS", {0xA1, 3, 0, 0, 6}},
    {"instructions of DFU_GETSTATE", {0xA1, 5, 0, 0, 1}},
    {"instructions of DFU_DETACH", {0x21, 0, 1000, 0, 0}},
    {"instructions of DFU_UPLOAD, a STALL", {0xA1, 2, 0, 0, 64}},
};
enum { REQUESTS = sizeof requests / sizeof *requests };

static void count_requests(const char *image, unsigned executed[REQUESTS])
{
    const struct sim_options options = {.firmware = image};
    char error[200];
    struct sim_device *device = f072_board_open(&options, error, sizeof error);
    if (!device)
        die(error);

    struct sim_host *host = sim_host_open(device, NULL, NULL);
    struct armv6m *cpu = &((struct f072_board *)device)->chip.cpu;
    configure(host);
    for (int i = 0; i < REQUESTS; i++) {
        struct usbdev_setup_packet setup = requests[i].setup;
        setup.wIndex = setup.bmRequestType & USBDEV_TYPE_CLASS ? dfu_interface(host) : 0;
        executed[i] = fewest(host, cpu, setup);
    }
    sim_host_close(host);
}

// ---- The board's own time ----

struct cost {
    double enumeration_ms;
    double idle_ms; // of a virtual second
};

// Processor time of this process, so that others on the machine do not count.
static double spent_ms(void)
{
    return bench_now_s(CLOCK_PROCESS_CPUTIME_ID) * 1e3;
}

static struct cost cost_of(const struct sim_options *options)
{
    char error[200];
    struct sim_device *device = sim_open(options, error, sizeof error);
    if (!device)
        die(error);

    struct sim_host *host = sim_host_open(device, NULL, NULL);
    double begin_ms = spent_ms();
    configure(host);
    double configured_ms = spent_ms();
    for (int i = 0; i < IDLE_SECONDS * 1000; i++) // so near that no frame is left out
        sim_host_run_until(host, sim_host_now(host) + SIM_MS);
    struct cost cost = {configured_ms - begin_ms, (spent_ms() - configured_ms) / IDLE_SECONDS};
    sim_host_close(host);
    return cost;
}

// A day of an idle device, frames that are all the same included.
static double day_s(const struct sim_options *options)
{
    char error[200];
    struct sim_device *device = sim_open(options, error, sizeof error);
    if (!device)
        die(error);

    struct sim_host *host = sim_host_open(device, NULL, NULL);
    configure(host);
    double begin_ms = spent_ms();
    sim_host_run_until(host, sim_host_now(host) + 24 * 3600 * 1000 * SIM_MS);
    double spent = spent_ms() - begin_ms;
    sim_host_close(host);
    return spent / 1000;
}

static struct cost least_cost(const struct sim_options *options)
{
    struct cost least = cost_of(options);

    for (int i = 1; i < REPEATS; i++) {
        struct cost cost = cost_of(options);
        least.enumeration_ms = bench_least(least.enumeration_ms, cost.enumeration_ms);
        least.idle_ms = bench_least(least.idle_ms, cost.idle_ms);
    }
    return least;
}

int main(int argc, char **argv)
{
    unsigned small[REQUESTS], full[REQUESTS];

    if (argc != 3)
        die("usage: bench_board SMALL FULL");
    count_requests(argv[1], small);
    count_requests(argv[2], full);
    for (int i = 0; i < REQUESTS; i++)
        bench_print(
            &(struct bench_row){requests[i].name, small[i], "", "full device", full[i], NULL});

    struct cost board = least_cost(&(struct sim_options){.firmware = argv[2]});
    struct cost native = least_cost(&(struct sim_options){.device = "composite"});
    bench_print(&(struct bench_row){"enumeration on the virtual board", board.enumeration_ms, "ms",
                                    "native device", native.enumeration_ms, NULL});
    bench_print(&(struct bench_row){"an idle virtual second of the board", board.idle_ms, "ms",
                                    "native device", native.idle_ms, "value <= 0.5"});
    bench_print(&(struct bench_row){
        "an idle virtual day of the board", day_s(&(struct sim_options){.firmware = argv[1]}), "s",
        "native device", day_s(&(struct sim_options){.device = "composite"}), NULL});
    return 0;
}
