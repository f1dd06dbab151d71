// SPDX-License-Identifier: MIT
//
// What a firmware image costs on the virtual board: enumeration in virtual and in processor time,
// and a virtual second of an idle, configured device.
//
//     bench_board IMAGE...

#include <stdio.h>
#include <time.h>

#include <sim/devices.h>
#include <sim/host.h>

enum { IDLE_SECONDS = 20 };

// Of this process, so that others on the machine do not count.
static double spent_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int configure(struct sim_host *host)
{
    const struct usbdev_setup_packet setup = {.bRequest = USBDEV_SET_CONFIGURATION, .wValue = 1};

    return sim_host_control(host, &setup, NULL, 0);
}

static int measure(const char *image)
{
    const struct sim_options options = {.firmware = image};
    char error[200];
    struct sim_device *device = sim_open(&options, error, sizeof error);

    if (device == NULL) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    struct sim_host *host = sim_host_open(device, NULL, NULL);
    double start_ms = spent_ms();
    int result = sim_host_enumerate(host, 5000 * SIM_MS);
    double enumerated_ms = spent_ms();
    uint64_t now_ns = sim_host_now(host);
    if (result == 0)
        result = configure(host);
    double idle_from_ms = spent_ms();
    sim_host_run_until(host, sim_host_now(host) + IDLE_SECONDS * 1000 * SIM_MS);
    printf("%s: %s; enumerated in %.1f ms of virtual and %.2f ms of processor time; "
           "an idle virtual second costs %.3f ms\n",
           image, usb_result_text(result), (double)now_ns / 1e6, enumerated_ms - start_ms,
           (spent_ms() - idle_from_ms) / IDLE_SECONDS);
    sim_host_close(host);
    return result != 0;
}

int main(int argc, char **argv)
{
    int failures = 0;

    for (int i = 1; i < argc; i++)
        failures += measure(argv[i]);
    return failures != 0;
}
