// SPDX-License-Identifier: MIT
//
// A kernel that does not notice devices. The functions of vhci.h are this file's, and so is the
// clock: what takes ten seconds is there at once.

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "toy_device.h"
#include <vhci/attach.h>

enum {
    PORTS = 2,
    SOME_LOOKS = 50, // at the ports: one each tick
    TICK_MS = 3,
    TOO_MANY = 300, // ticks
};

// ---- The kernel ----

static struct kernel_port {
    int socket; // -1: nothing is attached
    bool enumerated;
    unsigned attached;
    unsigned detached;
} ports[PORTS];

static bool kernel_has_device; // in sysfs, whatever is on the ports

int __wrap_vhci_find_free(const struct vhci *vhci, bool super_speed, unsigned *ret_port);
int __wrap_vhci_attach(
    const struct vhci *vhci, unsigned port, int fd, uint32_t devid, uint32_t speed);
int __wrap_vhci_detach(const struct vhci *vhci, unsigned port);
int __wrap_vhci_each_port(const struct vhci *vhci,
                          bool (*visit)(void *context, const struct vhci_port *port),
                          void *context);
int __wrap_vhci_locate(const struct vhci *vhci,
                       const char *path,
                       unsigned *ret_busnum,
                       unsigned *ret_devnum);

int __wrap_vhci_find_free(const struct vhci *vhci, bool super_speed, unsigned *ret_port)
{
    unsigned port = 0;

    (void)vhci, (void)super_speed;
    while (port < PORTS && ports[port].socket >= 0)
        port++;
    *ret_port = port;
    return port < PORTS ? 0 : -1;
}

int __wrap_vhci_attach(
    const struct vhci *vhci, unsigned port, int fd, uint32_t devid, uint32_t speed)
{
    (void)vhci, (void)devid, (void)speed;
    ports[port].socket = dup(fd);
    ports[port].attached++;
    return 0;
}

int __wrap_vhci_detach(const struct vhci *vhci, unsigned port)
{
    (void)vhci;
    close(ports[port].socket);
    ports[port].socket = -1;
    ports[port].detached++;
    return 0;
}

int __wrap_vhci_each_port(const struct vhci *vhci,
                          bool (*visit)(void *context, const struct vhci_port *port),
                          void *context)
{
    (void)vhci;
    for (unsigned i = 0; i < PORTS; i++) {
        const struct vhci_port port = {.port = i,
                                       .state =
                                           ports[i].enumerated ? VHCI_USED : VHCI_NOT_ADDRESSED,
                                       .path = "1-1"};

        visit(context, &port);
    }
    return 0;
}

int __wrap_vhci_locate(const struct vhci *vhci,
                       const char *path,
                       unsigned *ret_busnum,
                       unsigned *ret_devnum)
{
    (void)vhci, (void)path;
    *ret_busnum = 1;
    *ret_devnum = 2;
    return kernel_has_device ? 0 : -ENOENT;
}

// The kernel asks the device on a port for something.
static void ask(unsigned port, const struct usbip_record *record)
{
    const struct usbip_command command = {
        .code = USBIP_CMD_SUBMIT,
        .seqnum = 1,
        .devid = record->busnum << 16 | record->devnum,
        .in = true,
        .length = 18,
        .setup = {0x80, USBDEV_GET_DESCRIPTOR, 0, 1, 0, 0, 18, 0},
    };
    uint8_t bytes[USBIP_HEADER_SIZE];

    usbip_command_encode(bytes, &command);
    assert_int_equal(send(ports[port].socket, bytes, sizeof bytes, 0), sizeof bytes);
}

// ---- The clock ----

// It runs only with the ticks of the test, and a little whenever it is read.
static uint64_t now_ns;

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    (void)clock;
    now_ns += 1000;
    *ret_time = (struct timespec){(time_t)(now_ns / 1000000000), (long)(now_ns % 1000000000)};
    return 0;
}

static void set_clock(unsigned seconds)
{
    now_ns = (1000 + seconds) * UINT64_C(1000000000);
}

// ---- Devices on it ----

struct bench {
    struct toy toys[PORTS];
    struct usbip_device *devices[PORTS];
    size_t count;
    struct vhci vhci;
    struct vhci_attach attach;
    int timer;
    unsigned ticks;
    bool (*enough)(void);
};

static void ticked(void *context)
{
    struct bench *bench = context;
    uint64_t ticks;

    now_ns += TICK_MS * SIM_MS;
    assert_int_equal(read(bench->timer, &ticks, sizeof ticks), sizeof ticks);
    if (++bench->ticks >= TOO_MANY || bench->enough())
        loop_stop(bench->attach.loop);
}

static void start(struct bench *bench, size_t count)
{
    static const struct vhci_attach_events events = {0};
    const struct timespec often = {.tv_nsec = 1000000};
    char error[200];

    *bench = (struct bench){.count = count};
    set_clock(0);
    for (unsigned i = 0; i < PORTS; i++)
        ports[i] = (struct kernel_port){.socket = -1};
    kernel_has_device = true;
    for (unsigned i = 0; i < count; i++)
        bench->devices[i] = usbip_device_open(toy_init(&bench->toys[i]), i + 1, NULL, NULL);
    assert_int_equal(vhci_attach_open(&bench->attach, &bench->vhci, bench->devices, count, &events,
                                      bench, error, sizeof error),
                     0);
    bench->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    timerfd_settime(bench->timer, 0, &(struct itimerspec){often, often}, NULL);
    assert_int_equal(loop_watch(bench->attach.loop, bench->timer, ticked, bench), 0);
}

static void run_until(struct bench *bench, bool (*enough)(void))
{
    bench->ticks = 0;
    bench->enough = enough;
    assert_int_equal(loop_run(bench->attach.loop), 0);
    assert_in_range(bench->ticks, 0, TOO_MANY - 1);
}

static void finish(struct bench *bench)
{
    vhci_attach_close(&bench->attach);
    for (unsigned i = 0; i < bench->count; i++)
        usbip_device_close(bench->devices[i]);
    close(bench->timer);
}

static unsigned looks;

static bool looked_often(void)
{
    return ++looks % SOME_LOOKS == 0;
}

static bool first_is_attached_again(void)
{
    return ports[0].attached == 2;
}

static bool first_is_gone(void)
{
    char byte;

    return recv(ports[0].socket, &byte, 1, MSG_DONTWAIT) == 0;
}

// ---- Tests ----

static void device_that_the_kernel_missed__is_plugged_in_again_after_10_s(void **state)
{
    struct bench bench;
    (void)state;

    start(&bench, 1);
    set_clock(9);
    run_until(&bench, looked_often);
    assert_int_equal(ports[0].detached, 0);
    set_clock(10);
    run_until(&bench, first_is_attached_again);

    assert_int_equal(ports[0].detached, 1);
    finish(&bench);
}

static void device_that_the_kernel_asks_something__stays(void **state)
{
    struct bench bench;
    (void)state;

    start(&bench, 1);
    set_clock(9);
    ask(0, usbip_device_record(bench.devices[0]));
    run_until(&bench, looked_often);
    set_clock(18);
    run_until(&bench, looked_often);

    assert_int_equal(ports[0].detached, 0);
    finish(&bench);
}

static void device_that_is_asked_and_does_not_appear__is_plugged_in_again_once(void **state)
{
    struct bench bench;
    (void)state;

    start(&bench, 1);
    ask(0, usbip_device_record(bench.devices[0]));
    run_until(&bench, looked_often);
    set_clock(11);
    run_until(&bench, first_is_attached_again);
    ask(0, usbip_device_record(bench.devices[0]));
    run_until(&bench, looked_often);
    set_clock(60);
    run_until(&bench, looked_often);

    assert_int_equal(ports[0].detached, 1);
    finish(&bench);
}

static void device_behind_others__has_10_s_from_the_last_of_them(void **state)
{
    struct bench bench;
    (void)state;

    start(&bench, 2);
    set_clock(9);
    ports[1].enumerated = true;
    run_until(&bench, looked_often);
    set_clock(18);
    run_until(&bench, looked_often);
    assert_int_equal(ports[0].detached, 0);
    set_clock(19);
    run_until(&bench, first_is_attached_again);

    assert_int_equal(ports[0].detached, 1);
    assert_int_equal(ports[1].detached, 0);
    finish(&bench);
}

static void device_that_is_back__waits_until_the_kernel_has_noticed_that_it_left(void **state)
{
    struct bench bench;
    (void)state;

    start(&bench, 1);
    ports[0].enumerated = true;
    run_until(&bench, looked_often);
    toy_leave(&bench.toys[0], bench.toys[0].now_ns + SIM_MS);
    run_until(&bench, first_is_gone);
    run_until(&bench, looked_often);
    assert_int_equal(usbip_device_availability(bench.devices[0]), USBIP_OP_OK);
    assert_int_equal(ports[0].attached, 1);
    kernel_has_device = false;
    run_until(&bench, first_is_attached_again);

    finish(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_that_the_kernel_missed__is_plugged_in_again_after_10_s),
        cmocka_unit_test(device_that_the_kernel_asks_something__stays),
        cmocka_unit_test(device_that_is_asked_and_does_not_appear__is_plugged_in_again_once),
        cmocka_unit_test(device_behind_others__has_10_s_from_the_last_of_them),
        cmocka_unit_test(device_that_is_back__waits_until_the_kernel_has_noticed_that_it_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
