// SPDX-License-Identifier: MIT
//
// One loop serves the kernel, which enumerates the devices. A timer tests every few milliseconds
// whether programs can use them, and then the command is started; when it has ended the loop is
// stopped.

#include "vhci_run.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "exported_devices.h"
#include <command/command.h>
#include <vhci/attach.h>

enum {
    LOOK_MS = 5,
    COMING_MS = 30 * 1000, // on a slow guest it takes 2 s
    MORE_COMING_MS = 500,  // for each further device: the kernel enumerates them one by one
    CHOOSING_MS = 5000,    // of that, for the kernel to choose a configuration
};

struct run {
    char *const *argv;
    struct command command;
    struct vhci_attach attach;
    struct vhci_place *places;
    size_t appeared; // devices, and as many of places
    size_t usable;   // of these, the first ones
    int timer;
    int64_t start_ms; // of waiting for the devices
    int ended;        // pidfd of the command, or -1
    int error;
};

const char *vhci_missing(void)
{
    static const char attach[] = "/sys/devices/platform/vhci_hcd.0/attach";

    if (access(attach, F_OK) < 0)
        return "this machine's kernel has no vhci-hcd loaded";
    return access(attach, W_OK) < 0 ? "no permission to attach to this machine's vhci-hcd" : NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_timer(const struct run *run, int period_ms)
{
    const struct timespec period = {.tv_nsec = period_ms * 1000000L};

    timerfd_settime(run->timer, 0, &(struct itimerspec){period, period}, NULL);
}

static void fail(struct run *run, int error)
{
    run->error = error;
    loop_stop(run->attach.loop);
}

// ---- Waiting for the devices ----

static void appeared(void *context, struct usbip_device *device, const struct vhci_place *place)
{
    struct run *run = context;
    (void)device;

    if (run->ended < 0 && run->appeared < run->attach.count)
        run->places[run->appeared++] = *place;
}

// The kernel has configured it, so it has interfaces, and udev has given the device node to its
// users. A configuration that it refuses to choose is not waited for. (To read bConfigurationValue
// would wait for the kernel, and the kernel waits for us.)
static bool is_usable(const struct vhci_place *place, int64_t waited_ms)
{
    char path[128];
    glob_t interfaces;

    snprintf(path, sizeof(path), "/sys/bus/usb/devices/%s:*", place->path);
    bool configured = glob(path, GLOB_NOSORT, NULL, &interfaces) == 0;
    if (configured)
        globfree(&interfaces);
    snprintf(path, sizeof(path), "/dev/bus/usb/%03u/%03u", place->busnum, place->devnum);
    return (configured || waited_ms >= CHOOSING_MS) && access(path, R_OK | W_OK) == 0;
}

static bool all_usable(struct run *run, int64_t waited_ms)
{
    while (run->usable < run->appeared && is_usable(&run->places[run->usable], waited_ms))
        run->usable++;
    return run->usable == run->attach.count;
}

static int64_t coming_ms(const struct run *run)
{
    return COMING_MS + (int64_t)(run->attach.count - 1) * MORE_COMING_MS;
}

static void tell_missing(const struct run *run)
{
    if (run->appeared < run->attach.count)
        fprintf(stderr,
                "dfu-sim run: the kernel enumerated %zu of %zu devices within %d s; see dmesg\n",
                run->appeared, run->attach.count, (int)(coming_ms(run) / 1000));
    else
        fprintf(stderr, "dfu-sim run: this user may not open the device; install "
                        "90-dfurt-vhci.rules or run as root\n");
}

// ---- The command ----

static void command_ended(void *context)
{
    struct run *run = context;

    loop_stop(run->attach.loop);
}

static int start_command(struct run *run)
{
    int error = command_start(&run->command, run->argv);
    if (error)
        return error;
    run->ended = (int)syscall(SYS_pidfd_open, run->command.pid, 0);
    return run->ended < 0 ? -errno : loop_watch(run->attach.loop, run->ended, command_ended, run);
}

static void start_when_usable(void *context)
{
    struct run *run = context;
    uint64_t ticks;
    int64_t waited_ms;

    if (read(run->timer, &ticks, sizeof(ticks)) < 0)
        return;
    waited_ms = now_ms() - run->start_ms;
    if (all_usable(run, waited_ms)) {
        set_timer(run, 0);
        int error = start_command(run);
        if (error)
            fail(run, error);
    } else if (waited_ms >= coming_ms(run)) {
        tell_missing(run);
        fail(run, -ENODEV);
    }
}

// The loop has ended: because the command has, or by a signal, which is then passed on.
static int command_status(struct run *run)
{
    int status = run->error;

    if (run->ended < 0)
        return status ? status : 128 + SIGINT;
    if (!command_wait(&run->command, LOOK_MS, &status)) {
        command_stop(&run->command);
        while (!command_wait(&run->command, LOOK_MS, &status))
            ;
    }
    close(run->ended);
    return status;
}

static int run_attached(struct run *run)
{
    int error = loop_watch(run->attach.loop, run->timer, start_when_usable, run);

    if (error == 0) {
        run->start_ms = now_ms();
        set_timer(run, LOOK_MS);
        error = loop_run(run->attach.loop);
    }
    if (error) {
        fprintf(stderr, "dfu-sim run: %s\n", strerror(-error));
        run->error = error;
    }
    return command_status(run);
}

static int
attach_and_run(struct run *run, const struct vhci *vhci, const struct exported_devices *exported)
{
    static const struct vhci_attach_events events = {.appeared = appeared};
    char error[256];
    int status = -EIO;

    command_init(&run->command);
    run->places = calloc(exported->count, sizeof *run->places);
    run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!run->places) {
        fprintf(stderr, "dfu-sim run: out of memory\n");
    } else if (vhci_attach_open(&run->attach, vhci, exported->devices, exported->count, &events,
                                run, error, sizeof(error)) < 0) {
        fprintf(stderr, "dfu-sim run: %s\n", error);
    } else {
        status = run_attached(run);
        vhci_attach_close(&run->attach);
    }
    close(run->timer);
    free(run->places);
    return status;
}

int vhci_run(const struct options *options)
{
    struct run run = {.argv = options->command, .ended = -1};
    bool tell = options->sim.trace & SIM_TRACE_STATES; // stderr is the command's
    struct exported_devices exported;
    struct vhci vhci;
    char error[256];
    int status = vhci_open(&vhci, "/sys");

    if (status < 0) {
        vhci_explain(status, error, sizeof(error));
        fprintf(stderr, "dfu-sim run: %s\n", error);
        return status;
    }
    if (exported_devices_open(&exported, options, tell, error, sizeof(error)) < 0) {
        fprintf(stderr, "dfu-sim run: %s\n", error);
        status = -EINVAL;
    } else {
        exported_devices_settle(&exported, UINT64_MAX);
        status = attach_and_run(&run, &vhci, &exported);
        if (exported_devices_close(&exported) < 0 && status == 0)
            status = -EIO;
    }
    vhci_close(&vhci);
    return status;
}
