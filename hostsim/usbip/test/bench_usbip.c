// SPDX-License-Identifier: MIT
//
// What a transfer over loopback takes, at depth 1 and with 16 on their way, and what it takes among
// many devices: dfu-sim's server beside the echo. Both are measured by the same client, in turns,
// in the same run; the fastest of the turns counts, because whatever else the machine does only
// adds. Client and servers share one processor: on two, a transfer takes three times as long
// wherever the scheduler happens to have put them, for all turns of a server.

#include <bench/bench.h>

#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <usbip/proto.h>

#include "bench_servers.h"

enum {
    DESCRIPTOR = 18,
    PACKET = 64,
    LONG = 8192,
    LOOPBACK = 1, // endpoint of the composite device
    BUFFER = 1 << 17,
    TURNS = 100, // short ones, so that some find the machine at leisure
    DEEP = 16,
};

// ---- What is measured: a command, or an OUT and the IN that brings it back ----

struct load {
    const char *name;
    unsigned repeat; // of a turn
    unsigned commands;
    struct usbip_command command[2];
};

static const struct usbip_command get_descriptor = {
    .code = USBIP_CMD_SUBMIT,
    .in = true,
    .length = DESCRIPTOR,
    .setup = {USBDEV_DIR_IN, USBDEV_GET_DESCRIPTOR, 0, USBDEV_DT_DEVICE, 0, 0, DESCRIPTOR, 0},
};

static struct load control_load(void)
{
    return (struct load){"control transfer", 300, 1, {get_descriptor}};
}

static struct load bulk_load(const char *name, unsigned repeat, uint32_t length)
{
    struct usbip_command out = {
        .code = USBIP_CMD_SUBMIT,
        .endpoint = LOOPBACK,
        .length = length,
    };
    struct usbip_command in = out;

    in.in = true;
    return (struct load){name, repeat, 2, {out, in}};
}

// ---- The client ----

struct client {
    int fd;
    uint32_t devid;
    uint32_t seqnum; // of the next command
    size_t held;     // bytes of replies, not looked at
    uint8_t bytes[BUFFER];
};

static const struct usbip_command *command_of(const struct load *load, uint32_t seqnum)
{
    return &load->command[seqnum % load->commands];
}

// Sends so many loads at once.
static void submit(struct client *client, const struct load *load, unsigned count)
{
    static uint8_t bytes[BUFFER];
    size_t length = 0;

    for (unsigned i = 0; i < count * load->commands; i++) {
        struct usbip_command command = *command_of(load, client->seqnum);
        command.seqnum = client->seqnum++;
        command.devid = client->devid;
        usbip_command_encode(bytes + length, &command);
        length += USBIP_HEADER_SIZE + usbip_command_payload(&command);
        if (length > sizeof bytes - LONG - USBIP_HEADER_SIZE && i + 1 < count * load->commands) {
            if (send(client->fd, bytes, length, 0) != (ssize_t)length)
                bench_die("send");
            length = 0;
        }
    }
    if (send(client->fd, bytes, length, 0) != (ssize_t)length)
        bench_die("send");
}

static uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

// The reply at the front of what is held: returns its size, or 0 if it is not whole. An echo's
// reply is the command itself; a device's must be a success and bring all bytes.
static size_t reply_size(const struct client *client, const struct load *load, bool is_echo)
{
    enum { SEQNUM_AT = 4 };

    if (client->held < USBIP_HEADER_SIZE)
        return 0;

    const struct usbip_command *command = command_of(load, load_be32(client->bytes + SEQNUM_AT));
    struct usbip_reply reply;
    if (!is_echo && (usbip_reply_decode(&reply, client->bytes, client->held) < 0 ||
                     reply.status != 0 || reply.actual_length != command->length))
        bench_die("transfer failed");
    size_t size = USBIP_HEADER_SIZE + (command->in ? command->length : 0);
    return size <= client->held ? size : 0;
}

// Waits for something, and returns how many commands have been answered.
static unsigned collect(struct client *client, const struct load *load, bool is_echo)
{
    ssize_t received =
        recv(client->fd, client->bytes + client->held, sizeof client->bytes - client->held, 0);
    unsigned count = 0;
    size_t size;

    if (received <= 0)
        bench_die("recv");
    client->held += (size_t)received;
    while ((size = reply_size(client, load, is_echo)) > 0) {
        client->held -= size;
        memmove(client->bytes, client->bytes + size, client->held);
        count++;
    }
    return count;
}

// Keeps `depth` loads on their way. Returns microseconds a load.
static double measure(struct client *client, const struct load *load, unsigned depth, bool is_echo)
{
    unsigned sent = depth, answered = 0; // loads; commands
    double begin_s = bench_now_s(CLOCK_MONOTONIC);

    client->seqnum = load->commands; // replies tell by it which command they answer
    submit(client, load, depth);
    while (answered < load->repeat * load->commands) {
        answered += collect(client, load, is_echo);
        unsigned due = answered / load->commands + depth;
        due = due < load->repeat ? due : load->repeat;
        if (due > sent)
            submit(client, load, due - sent);
        sent = due > sent ? due : sent;
    }
    return (bench_now_s(CLOCK_MONOTONIC) - begin_s) * 1e6 / load->repeat;
}

static struct client connect_to(const struct bench_server *server, bool is_echo)
{
    struct client client = {.fd = bench_connect(server), .seqnum = 1};

    if (!is_echo)
        client.devid = bench_import(client.fd, 1);
    return client;
}

static void set_configuration(struct client *client)
{
    const struct load load = {
        "configuration",
        1,
        1,
        {{.code = USBIP_CMD_SUBMIT, .setup = {0, USBDEV_SET_CONFIGURATION, 1}}},
    };

    measure(client, &load, 1, false);
}

// ---- The rows of one device ----

struct pair {
    double device_us;
    double echo_us;
};

static struct pair
compare(struct client *device, struct client *echo, const struct load *load, unsigned depth)
{
    struct pair pair = {INFINITY, INFINITY};

    for (int i = 0; i < TURNS; i++) {
        pair.echo_us = bench_least(pair.echo_us, measure(echo, load, depth, true));
        pair.device_us = bench_least(pair.device_us, measure(device, load, depth, false));
    }
    return pair;
}

static void print_pair(const char *name, struct pair pair, const char *goal)
{
    bench_print(&(struct bench_row){name, pair.device_us, "us", "bare echo", pair.echo_us, goal});
}

static void print_speed(const char *name, struct pair pair)
{
    const double bytes = 2 * LONG; // there and back

    bench_print(&(struct bench_row){name, bytes / pair.device_us, "MB/s", "bare echo",
                                    bytes / pair.echo_us, NULL});
}

// Beside depth 1 as the rival: the goal is of their rates.
static void print_rates(struct pair one, struct pair deep)
{
    bench_print(&(struct bench_row){"USB/IP control transfers, depth 16", 1e3 / deep.device_us,
                                    "1000/s", "depth 1", 1e3 / one.device_us, "ratio >= 4"});
    bench_print(&(struct bench_row){"the same of the echo", 1e3 / deep.echo_us, "1000/s", "depth 1",
                                    1e3 / one.echo_us, NULL});
}

static void measure_one_device(void)
{
    const struct bench_server servers[] = {bench_serve_devices("composite", 1), bench_serve_echo()};
    static struct client device, echo;
    const struct load control = control_load();
    const struct load bulk = bulk_load("bulk", 200, PACKET);
    const struct load big = bulk_load("bulk, long", 20, LONG);

    device = connect_to(&servers[0], false);
    echo = connect_to(&servers[1], true);
    set_configuration(&device);

    struct pair one = compare(&device, &echo, &control, 1);
    struct pair deep = compare(&device, &echo, &control, DEEP);
    print_pair("USB/IP control transfer, depth 1", one, "ratio <= 1.1");
    print_pair("USB/IP control transfer, depth 16", deep, NULL);
    print_rates(one, deep);
    print_pair("USB/IP bulk round trip, depth 1", compare(&device, &echo, &bulk, 1), NULL);
    print_pair("USB/IP bulk round trip, depth 16", compare(&device, &echo, &bulk, DEEP), NULL);
    print_speed("USB/IP bulk in transfers of 8 KiB", compare(&device, &echo, &big, 4));

    close(device.fd);
    close(echo.fd);
    bench_stop(&servers[0]);
    bench_stop(&servers[1]);
}

// ---- The rows of many devices ----

// Beside one device alone, in turns.
static void measure_among(const struct bench_server *many, unsigned count, struct client *alone)
{
    const struct load control = control_load();
    static struct client client;
    double among_us = INFINITY, alone_us = INFINITY;
    char name[64];

    client = connect_to(many, false);
    for (int i = 0; i < TURNS; i++) {
        alone_us = bench_least(alone_us, measure(alone, &control, 1, false));
        among_us = bench_least(among_us, measure(&client, &control, 1, false));
    }
    close(client.fd);
    snprintf(name, sizeof name, "control transfer among %u devices", count);
    bench_print(&(struct bench_row){name, among_us, "us", "one device", alone_us, "ratio <= 1.2"});
}

static void print_memory(unsigned count, long bytes, long one)
{
    char name[64];

    snprintf(name, sizeof name, "memory of a server of %u devices", count);
    bench_print(&(struct bench_row){name, (double)bytes / 1024, "KiB", "one device",
                                    (double)one / 1024, NULL});
}

static void measure_scale(void)
{
    static const unsigned counts[] = {16, 240, 4096};
    enum { COUNTS = sizeof counts / sizeof *counts, LAST = COUNTS - 1 };
    struct bench_server one = bench_serve_devices("will-detach", 1);
    static struct client alone;
    long bytes[COUNTS];

    alone = connect_to(&one, false);
    for (int i = 0; i < COUNTS; i++) {
        struct bench_server many = bench_serve_devices("will-detach", counts[i]);
        bytes[i] = bench_memory(&many);
        print_memory(counts[i], bytes[i], bench_memory(&one));
        measure_among(&many, counts[i], &alone);
        bench_stop(&many);
    }
    double kib = (double)(bytes[LAST] - bytes[LAST - 1]) / (counts[LAST] - counts[LAST - 1]) / 1024;
    bench_print(
        &(struct bench_row){"memory of one more device", kib, "KiB", NULL, 0, "value <= 8"});
    close(alone.fd);
    bench_stop(&one);
}

static void stay_on_this_processor(void)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET((unsigned)sched_getcpu(), &one);
    if (sched_setaffinity(0, sizeof one, &one) < 0)
        bench_die("sched_setaffinity");
}

int main(void)
{
    stay_on_this_processor(); // and so do the servers, its children
    measure_one_device();
    measure_scale();
    return 0;
}
