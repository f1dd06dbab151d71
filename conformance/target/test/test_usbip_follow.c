// SPDX-License-Identifier: MIT
//
// A device behind a USB/IP server that comes back under another bus id, over real sockets. The
// server is this program's child: the device itself at 1-1, its boot loader at 1-2 once the device
// has left, neighbours of the same VID:PID, product and serial number at 1-3 and 1-4, and a boot
// loader of another serial number at 1-5, each there from the moment that the test wants on.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <conformance/target.h>
#include <sim/devices.h>
#include <sim/forward.h>
#include <usbip/loop.h>
#include <usbip/remote.h>

enum {
    DEVICES = 5,
    WAIT_MS = 4000,
    RETURN_MS = 60000, // of a device that comes: this machine may be slow
};

// Shared with the server: from when on each device is there.
enum presence {
    NEVER,
    ALWAYS,
    AFTER_LEAVING, // of the first one
};

static struct shared {
    atomic_int presence[DEVICES];
    atomic_bool left;
    atomic_int requests[DEVICES]; // that each has received
} * shared;

// ---- The server ----

struct plug {
    struct forward forward;
    int index;
    bool was_connected;
};

static struct plug plugs[DEVICES];

static void plug_advance(struct sim_device *device, uint64_t now_ns)
{
    struct plug *plug = (struct plug *)device;
    forward_advance(device, now_ns);
    bool connected = forward_connected(device);
    if (plug->index == 0 && plug->was_connected && !connected)
        shared->left = true;
    plug->was_connected = connected;
}

static bool plug_connected(const struct sim_device *device)
{
    const struct plug *plug = (const struct plug *)device;
    int presence = shared->presence[plug->index];
    bool there = plug->index == 0
                     ? presence == ALWAYS && !shared->left
                     : presence == ALWAYS || (presence == AFTER_LEAVING && shared->left);
    return there && forward_connected(device);
}

static int plug_setup(struct sim_device *device,
                      uint8_t address,
                      uint8_t endpoint,
                      const uint8_t setup[USBDEV_SETUP_SIZE])
{
    shared->requests[((struct plug *)device)->index]++;
    return forward_setup(device, address, endpoint, setup);
}

static void plug_close(struct sim_device *device)
{
    struct sim_device *to = ((struct plug *)device)->forward.to;
    to->ops->close(to);
}

static const struct sim_device_ops plug_ops = {
    .advance = plug_advance,
    .power = forward_power,
    .connected = plug_connected,
    .bus_reset = forward_bus_reset,
    .sof = forward_sof,
    .resume = forward_resume,
    .waking = forward_waking,
    .setup = plug_setup,
    .out = forward_out,
    .in = forward_in,
    .trouble = forward_trouble,
    .close = plug_close,
};

static _Noreturn void serve(const char *first, int port_pipe)
{
    const struct sim_options options[DEVICES] = {
        {.device = first},
        {.device = "dfu-mode"},
        {.device = "will-detach"},
        {.device = "will-detach"},
        {.device = "dfu-mode", .serial = "B"},
    };
    struct usbip_device *devices[DEVICES];
    char error[200];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < DEVICES; i++) {
        plugs[i].index = i;
        plugs[i].forward.base.ops = &plug_ops;
        plugs[i].forward.to = sim_open(&options[i], error, sizeof error);
        devices[i] = usbip_device_open(&plugs[i].forward.base, (unsigned)i + 1, NULL, NULL);
    }
    struct loop *loop = loop_open(devices, DEVICES, NULL, NULL);
    int port = loop_listen(loop, "127.0.0.1", "0");
    if (write(port_pipe, &port, sizeof port) != sizeof port)
        _exit(1);
    loop_run(loop);
    _exit(0);
}

static pid_t server;
static char port_text[8];

static int start_with(const char *first)
{
    int pipes[2];
    int port = 0;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    shared->presence[0] = ALWAYS;
    assert_int_equal(pipe(pipes), 0);
    server = fork();
    if (server == 0)
        serve(first, pipes[1]);
    assert_int_equal(read(pipes[0], &port, sizeof port), sizeof port);
    close(pipes[0]);
    close(pipes[1]);
    snprintf(port_text, sizeof port_text, "%d", port);
    return port > 0 ? 0 : -1;
}

static int start(void **state)
{
    (void)state;
    return start_with("will-detach");
}

static int start_without_serial(void **state)
{
    (void)state;
    return start_with("no-serial");
}

static int stop(void **state)
{
    (void)state;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return munmap(shared, sizeof *shared);
}

// ---- The suite's side ----

static struct target *open_with(const char *bus_id, const char *dfu_mode)
{
    struct target_spec spec;
    char text[64];
    char error[200] = "";
    snprintf(text, sizeof text, "usbip:127.0.0.1:%s%s", port_text, bus_id);
    assert_int_equal(target_spec_parse(&spec, text, error, sizeof error), 0);
    if (dfu_mode)
        assert_int_equal(target_ids_parse(&spec, dfu_mode, error, sizeof error), 0);
    struct target *target = target_open(&spec, error, sizeof error);
    if (!target)
        fail_msg("%s: %s", text, error);
    return target;
}

static void detach(struct target *target)
{
    const struct usbdev_setup_packet setup = {0x21, 0, 1000, 0, 0};
    assert_int_equal(target->ops->control(target, &setup, NULL, RETURN_MS), 0);
    assert_int_equal(target->ops->wait_leave(target, RETURN_MS), 0);
}

static void expect_boot_loader(struct target *target)
{
    assert_int_equal(target->ops->wait_return(target, RETURN_MS), 0);
    assert_int_equal(usbdev_load_le16(target->descriptors.device + 10), 0xDF11);
    assert_non_null(strstr(target->where, "bus id 1-2;"));
    assert_string_equal(target->fault, "");
}

// Until so many devices are exported that nobody has imported.
static void wait_for_exported(size_t count)
{
    struct usbip_remote remote = {.host = "127.0.0.1"};
    struct usbip_list list = {.count = 0};
    char error[200];
    strcpy(remote.port, port_text);
    while (list.count != count) {
        usleep(10000);
        assert_int_equal(usbip_remote_list(&remote, &list, UINT64_MAX, error, sizeof error), 0);
    }
}

static void show_neighbour(int index)
{
    shared->presence[index] = ALWAYS;
    wait_for_exported(1);
}

static void new_bus_id__is_followed(void **state)
{
    (void)state;
    struct target *target = open_with("", NULL);
    shared->presence[1] = AFTER_LEAVING;

    detach(target);

    expect_boot_loader(target);
    assert_true(target->moved);
    target->ops->close(target);
}

// The device comes back where it was.
static void other_serial_number__is_not_taken_and_does_not_hide_the_device(void **state)
{
    (void)state;
    struct target *target = open_with("", NULL);
    shared->presence[4] = AFTER_LEAVING;

    detach(target);
    wait_for_exported(1);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    shared->presence[4] = NEVER;
    shared->left = false;
    assert_int_equal(target->ops->wait_return(target, RETURN_MS), 0);
    assert_non_null(strstr(target->where, "bus id 1-1;"));
    assert_false(target->moved);
    target->ops->close(target);
}

// This one leaves at the bus reset after DETACH.
static void without_a_serial_number__ids_that_were_not_seen_are_not_taken(void **state)
{
    (void)state;
    const struct usbdev_setup_packet setup = {0x21, 0, 1000, 0, 0};
    struct target *target = open_with("", NULL);
    shared->presence[4] = AFTER_LEAVING;

    assert_int_equal(target->ops->control(target, &setup, NULL, RETURN_MS), 0);
    target->ops->reset(target);
    assert_int_equal(target->ops->wait_leave(target, RETURN_MS), 0);
    wait_for_exported(1);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    target->ops->close(target);
}

static void bus_id_that_was_named__is_the_only_one(void **state)
{
    (void)state;
    struct target *target = open_with("/1-1", NULL);
    shared->presence[1] = AFTER_LEAVING;

    detach(target);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    target->ops->close(target);
}

// It was exported when ours was still there.
static void neighbour_that_was_there__is_not_taken(void **state)
{
    (void)state;
    struct target *target = open_with("", NULL);
    show_neighbour(2);
    int requests = shared->requests[2];

    detach(target);
    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    assert_int_equal(shared->requests[2], requests);

    shared->presence[1] = AFTER_LEAVING;
    expect_boot_loader(target);
    assert_int_equal(shared->requests[2], requests);
    target->ops->close(target);
}

static void two_new_ones__are_neither_taken(void **state)
{
    (void)state;
    struct target *target = open_with("", NULL);
    shared->presence[1] = AFTER_LEAVING;
    shared->presence[3] = AFTER_LEAVING;

    detach(target);
    wait_for_exported(2);

    int result = USB_TIMEOUT; // also where this machine was too slow to look at the others
    for (int i = 0; i < 10 && result == USB_TIMEOUT; i++)
        result = target->ops->wait_return(target, WAIT_MS);
    assert_int_equal(result, USB_IO);
    assert_non_null(strstr(target->fault, "which device came back cannot be told: bus id 1-2 or "
                                          "1-4; name the bus id in --target"));
    target->ops->close(target);
}

static void dfu_mode_ids__tell_it_from_others(void **state)
{
    (void)state;
    struct target *target = open_with("", "0483:df12");
    shared->presence[1] = AFTER_LEAVING;

    detach(target);

    assert_int_equal(target->ops->wait_return(target, WAIT_MS), USB_TIMEOUT);
    target->ops->close(target);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(new_bus_id__is_followed),
        TEST(other_serial_number__is_not_taken_and_does_not_hide_the_device),
        cmocka_unit_test_setup_teardown(
            without_a_serial_number__ids_that_were_not_seen_are_not_taken, start_without_serial,
            stop),
        TEST(bus_id_that_was_named__is_the_only_one),
        TEST(neighbour_that_was_there__is_not_taken),
        TEST(two_new_ones__are_neither_taken),
        TEST(dfu_mode_ids__tell_it_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
