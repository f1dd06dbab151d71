// SPDX-License-Identifier: MIT
//
// A server that is killed in the middle of a detach and a download: at each event of its device, at
// bytes of what it receives and sends, at times. The bytes and times are random; SEED in the
// environment gives other ones.

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "forked_server.h"
#include "raw_client.h"
#include <sim/devices.h>
#include <usbip/client.h>
#include <usbip/loop.h>

enum {
    TRIES = 30,
    MOST_MS = 2500,      // until the client knows
    CONVERSATION = 1500, // bytes at least
};

// ---- The server ----

// When it is killed: the first of these that comes. 0: not for that reason.
struct moment {
    unsigned event;        // the n-th submission or completion of its device
    size_t byte;           // the n-th that it receives or sends
    unsigned microseconds; // from its first turn on
};

static struct moment planned; // for the next server
static struct moment left;    // until then; in the server alone

ssize_t __real_recv(int fd, void *data, size_t length, int flags);
ssize_t __real_send(int fd, const void *data, size_t length, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t length, int flags);

static void count_bytes(size_t count)
{
    if (left.byte > 0 && (left.byte -= count) == 0)
        raise(SIGKILL);
}

static size_t no_more_than_left(size_t length)
{
    return left.byte > 0 && length > left.byte ? left.byte : length;
}

ssize_t __wrap_recv(int fd, void *data, size_t length, int flags)
{
    ssize_t received = __real_recv(fd, data, no_more_than_left(length), flags);

    if (received > 0)
        count_bytes((size_t)received);
    return received;
}

ssize_t __wrap_send(int fd, const void *data, size_t length, int flags)
{
    ssize_t sent = __real_send(fd, data, no_more_than_left(length), flags);

    if (sent > 0)
        count_bytes((size_t)sent);
    return sent;
}

static void
count_down(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    (void)context, (void)device, (void)urb;
    if (left.event > 0 && --left.event == 0)
        raise(SIGKILL);
}

static int listener_of_loop;

static void accept_client(void *loop)
{
    int fd = accept(listener_of_loop, NULL, NULL);

    if (fd >= 0)
        loop_adopt(loop, fd, NULL);
}

static void serve_until_killed(int listener)
{
    static const struct usbip_observer observer = {.submitted = count_down,
                                                   .completed = count_down};
    char error[200];
    struct sim_device *sim = sim_open(&(struct sim_options){0}, error, sizeof error);
    struct usbip_device *device = usbip_device_open(sim, 1, &observer, NULL);
    struct loop *loop = loop_open(&device, 1, NULL, NULL);

    left = planned;
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = left.microseconds}, NULL);
    listener_of_loop = listener;
    loop_watch(loop, listener, accept_client, loop);
    loop_run(loop);
}

// ---- The client ----

static int request(struct usbip_client *client,
                   uint8_t bmRequestType,
                   uint8_t bRequest,
                   uint16_t wValue,
                   uint16_t wLength)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, 0, wLength};
    uint8_t data[64] = {0x21, 0, 0, 0, 8}; // to the boot loader: set the address pointer, 08000000h
    int result = usbip_client_control(client, &setup, data, 3000);

    if (result > 0 && bRequest == DFURT_GETSTATUS)
        poll(NULL, 0, usbdev_load_le16(data + 1)); // bwPollTimeout
    return result;
}

static bool has_ended(const struct forked_server *server)
{
    siginfo_t info = {0};

    waitid(P_PID, (id_t)server->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid != 0;
}

// A client waits as long as it is told for a device that is away: its server may be starting.
static int reopen(struct usbip_client *client, const struct forked_server *server)
{
    int result = USB_TIMEOUT;

    for (unsigned i = 0; i < 100 && result == USB_TIMEOUT; i++) {
        result = usbip_client_reopen(client, 30);
        if (result == USB_TIMEOUT && has_ended(server))
            return USB_GONE;
    }
    return result;
}

// DETACH, the boot loader, its address pointer and a block. Returns the first failure, or 0.
static int detach_and_download(struct usbip_client *client, const struct forked_server *server)
{
    static const struct {
        uint8_t bmRequestType, bRequest;
        uint16_t wValue, wLength;
    } download[] = {
        {0x00, USBDEV_SET_CONFIGURATION, 1, 0},
        {0x21, DFURT_DNLOAD, 0, 5},
        {0xA1, DFURT_GETSTATUS, 0, 6},
        {0xA1, DFURT_GETSTATUS, 0, 6},
        {0x21, DFURT_DNLOAD, 2, 64},
        {0xA1, DFURT_GETSTATUS, 0, 6},
    };
    int result = request(client, 0x00, USBDEV_SET_CONFIGURATION, 1, 0);

    if (result == 0)
        result = request(client, 0x21, DFURT_DETACH, 1000, 0);
    if (result == 0)
        result = usbip_client_wait_leave(client, 3000);
    if (result == 0)
        result = reopen(client, server);
    for (size_t i = 0; result >= 0 && i < sizeof download / sizeof *download; i++)
        result = request(client, download[i].bmRequestType, download[i].bRequest,
                         download[i].wValue, download[i].wLength);
    return result < 0 ? result : 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// Returns whether the server was killed before the client was done. The client finds that out from
// the connection, not from its own clock.
static bool kill_at(struct moment moment)
{
    struct forked_server server;
    char error[200] = "";

    planned = moment;
    forked_server_start_own(&server, serve_until_killed);
    uint64_t begin_ms = now_ms();
    struct usbip_client *client =
        usbip_client_open("127.0.0.1", server.port, "1-1", RAW_WAIT_MS, error, sizeof error);
    int result = client ? detach_and_download(client, &server) : USB_GONE;
    uint64_t took_ms = now_ms() - begin_ms;

    usbip_client_close(client);
    forked_server_kill(&server);
    if (result != 0 && (result != USB_GONE || took_ms > MOST_MS))
        fail_msg("killed at event %u, byte %zu, %u us: the client says %d after %llu ms",
                 moment.event, moment.byte, moment.microseconds, result,
                 (unsigned long long)took_ms);
    if (!client && !strstr(error, "closed the connection") && !strstr(error, "cannot connect"))
        fail_msg("killed at byte %zu, %u us: the client says '%s'", moment.byte,
                 moment.microseconds, error);
    return result != 0;
}

// ---- Tests ----

static void server_killed__at_any_point_of_a_detach_and_a_download_is_a_device_gone(void **state)
{
    unsigned event = 1;
    (void)state;

    while (kill_at((struct moment){.event = event}))
        event++;

    assert_int_equal(event,
                     2 * 8 + 1); // the last completion may kill it: its reply has not been sent
}

static unsigned random_below(unsigned limit)
{
    return (unsigned)rand() % limit;
}

static void server_killed__at_any_byte_of_a_message_is_a_device_gone(void **state)
{
    (void)state;
    unsigned killed = 0;

    for (unsigned i = 0; i < TRIES; i++)
        killed += kill_at((struct moment){.byte = 1 + random_below(CONVERSATION)});

    assert_int_equal(killed, TRIES);
}

static void server_killed__at_any_time_is_a_device_gone(void **state)
{
    (void)state;
    uint64_t begin_ms = now_ms();
    assert_false(kill_at((struct moment){0}));
    unsigned took_us = (unsigned)(now_ms() - begin_ms + 1) * 1000;

    for (unsigned i = 0; i < TRIES; i++)
        kill_at((struct moment){.microseconds = 1 + random_below(took_us)});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_killed__at_any_point_of_a_detach_and_a_download_is_a_device_gone),
        cmocka_unit_test(server_killed__at_any_byte_of_a_message_is_a_device_gone),
        cmocka_unit_test(server_killed__at_any_time_is_a_device_gone),
    };
    const char *seed = getenv("SEED");

    srand(seed ? (unsigned)atoi(seed) : 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
