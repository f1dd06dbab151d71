// SPDX-License-Identifier: MIT
//
// The trace is a device that passes each call on to the device under it and prints the result. The
// pull-up has no call of its own: it is compared after each call that may change it.

#include "packet_trace.h"

#include <stdarg.h>
#include <stdlib.h>

#include <sim/forward.h>

struct packet_trace {
    struct forward forward; // to the device that is shown
    FILE *out;
    uint64_t now_ns;
    bool pull_up;
};

static struct packet_trace *trace_of(struct sim_device *device)
{
    return (struct packet_trace *)device;
}

// ---- Lines ----

__attribute__((format(printf, 2, 3))) static void
line(const struct packet_trace *trace, const char *format, ...)
{
    va_list arguments;

    fprintf(trace->out, "%14.6f ms  ", (double)trace->now_ns / 1e6);
    va_start(arguments, format);
    vfprintf(trace->out, format, arguments);
    va_end(arguments);
    fputc('\n', trace->out);
}

static const char *handshake_name(int result)
{
    switch (result) {
    case SIM_NAK:
        return "NAK";
    case SIM_STALL:
        return "STALL";
    case SIM_NO_RESPONSE:
        return "no answer";
    case SIM_NO_HANDSHAKE:
        return "no handshake";
    case SIM_NYET:
        return "NYET";
    default:
        return "ACK";
    }
}

enum { SHOWN = 16, BYTES_SIZE = 3 * SHOWN + 4 };

// The first bytes in hexadecimal, each after a space.
static const char *hex(const uint8_t *data, size_t length, char text[BYTES_SIZE])
{
    int at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < length && i < SHOWN; i++)
        at += snprintf(text + at, (size_t)(BYTES_SIZE - at), " %02x", data[i]);
    if (length > SHOWN)
        snprintf(text + at, (size_t)(BYTES_SIZE - at), " ..");
    return text;
}

static void look_at_pull_up(struct packet_trace *trace)
{
    bool pull_up = forward_connected(&trace->forward.base);

    if (pull_up != trace->pull_up)
        line(trace, pull_up ? "pull-up on" : "pull-up off");
    trace->pull_up = pull_up;
}

// ---- The wire, passed on ----

static void trace_advance(struct sim_device *device, uint64_t now_ns)
{
    struct packet_trace *trace = trace_of(device);

    forward_advance(device, now_ns);
    trace->now_ns = now_ns;
    look_at_pull_up(trace);
}

static void trace_power(struct sim_device *device, bool on)
{
    struct packet_trace *trace = trace_of(device);

    line(trace, on ? "VBUS on" : "VBUS off");
    forward_power(device, on);
    look_at_pull_up(trace);
}

static void trace_bus_reset(struct sim_device *device, bool se0)
{
    struct packet_trace *trace = trace_of(device);

    line(trace, se0 ? "bus reset begins" : "bus reset ends");
    forward_bus_reset(device, se0);
}

static void trace_resume(struct sim_device *device)
{
    struct packet_trace *trace = trace_of(device);

    line(trace, "the host resumes");
    forward_resume(device);
}

static int trace_setup(struct sim_device *device,
                       uint8_t address,
                       uint8_t endpoint,
                       const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct packet_trace *trace = trace_of(device);
    int result = forward_setup(device, address, endpoint, setup);
    char text[BYTES_SIZE];

    line(trace, "SETUP  %u.%u %s  %s", address, endpoint, hex(setup, USBDEV_SETUP_SIZE, text),
         handshake_name(result));
    return result;
}

static int trace_out(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     bool data1,
                     const uint8_t *data,
                     size_t length)
{
    struct packet_trace *trace = trace_of(device);
    int result = forward_out(device, address, endpoint, data1, data, length);
    char text[BYTES_SIZE];

    if (result != SIM_NAK)
        line(trace, "OUT    %u.%u  DATA%d, %zu bytes:%s  %s", address, endpoint, data1, length,
             hex(data, length, text), handshake_name(result));
    return result;
}

static int trace_in(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool *ret_data1,
                    uint8_t data[SIM_MAX_PACKET])
{
    struct packet_trace *trace = trace_of(device);
    int result = forward_in(device, address, endpoint, ret_data1, data);
    char text[BYTES_SIZE];

    if (result >= 0)
        line(trace, "IN     %u.%u  DATA%d, %d bytes:%s", address, endpoint, *ret_data1, result,
             hex(data, (size_t)result, text));
    else if (result != SIM_NAK)
        line(trace, "IN     %u.%u  %s", address, endpoint, handshake_name(result));
    return result;
}

static int trace_lpm(struct sim_device *device, uint8_t address, uint16_t bmAttributes)
{
    struct packet_trace *trace = trace_of(device);
    int result = forward_lpm(device, address, bmAttributes);

    line(trace, "LPM    %u  %03X  %s", address, bmAttributes, handshake_name(result));
    return result;
}

static void trace_close(struct sim_device *device)
{
    struct packet_trace *trace = trace_of(device);

    trace->forward.to->ops->close(trace->forward.to);
    free(trace);
}

static const struct sim_device_ops trace_ops = {
    .advance = trace_advance,
    .power = trace_power,
    .connected = forward_connected,
    .bus_reset = trace_bus_reset,
    .sof = forward_sof,
    .resume = trace_resume,
    .waking = forward_waking,
    .setup = trace_setup,
    .out = trace_out,
    .in = trace_in,
    .lpm = trace_lpm,
    .trouble = forward_trouble,
    .close = trace_close,
};

struct sim_device *packet_trace_open(struct sim_device *device, FILE *out)
{
    struct packet_trace *trace = calloc(1, sizeof *trace);

    if (!trace)
        return NULL;
    trace->forward.base.ops = &trace_ops;
    trace->forward.to = device;
    trace->out = out;
    return &trace->forward.base;
}
