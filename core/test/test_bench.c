// SPDX-License-Identifier: MIT

#include "test_bench.h"

#include <stdio.h>
#include <string.h>

// ---- Descriptors ----

const uint8_t bench_device_descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {
    18, 1, 0x01, 0x02, 0, 0, 0, 8, 0x09, 0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 3, 2,
};

// clang-format off
const uint8_t bench_configuration_1[64] = {
    9, 2, 64, 0, 2, 1, 0, 0xA0, 50,
    9, 4, 0, 0, 2, 0xFF, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
    7, 5, 0x81, 2, 64, 0, 0,
    9, 4, 1, 0, 0, 0xFF, 1, 0, 0,
    9, 4, 1, 1, 2, 0xFF, 1, 0, 0,
    7, 5, 0x82, 3, 8, 0, 10,
    7, 5, 0x83, 1, 8, 0, 1,
};
const uint8_t bench_configuration_5[25] = {
    9, 2, 25, 0, 1, 5, 0, 0xC0, 0,
    9, 4, 0, 0, 1, 0xFF, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
};
// clang-format on

static const uint8_t *const configurations[] = {bench_configuration_1, bench_configuration_5};
const uint8_t bench_bos[12] = {5, 15, 12, 0, 1, 7, 16, 2, 0, 0, 0, 0};
const uint8_t bench_langids[4] = {4, 3, 0x09, 0x04};

// ---- What is seen of it ----

static void note(struct bench *bench, const char *format, ...)
{
    size_t length = strlen(bench->log);
    va_list arguments;

    va_start(arguments, format);
    if (length)
        strcat(bench->log, ", ");
    vsnprintf(bench->log + strlen(bench->log), sizeof(bench->log) - length - 2, format, arguments);
    va_end(arguments);
}

static void note_bytes(struct bench *bench, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sprintf(bench->log + strlen(bench->log), " %02x", bytes[i]);
}

static void set_address(void *port, uint8_t address)
{
    note(port, "address %u", address);
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    struct bench *bench = port;

    note(bench, "in %u", endpoint);
    note_bytes(bench, data, length);
    if (endpoint != 0)
        return;
    assert_true(length <= bench->device_descriptor[7]);
    bench->in_armed = true;
    bench->in_length = length;
    bench->in = data;
}

static void ep_out(void *port, uint8_t endpoint)
{
    struct bench *bench = port;

    note(bench, "out %u", endpoint);
    if (endpoint == 0)
        bench->out_armed = true;
}

static void ep0_stall(void *port)
{
    struct bench *bench = port;

    note(bench, "stall");
    bench->stalled = true;
}

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    note(port, "open %02x", endpoint_descriptor[2]);
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    note(port, "close %02x", bEndpointAddress);
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    note(port, "%s %02x", halt ? "halt" : "unhalt", bEndpointAddress);
}

static void connect(void *port, bool on)
{
    note(port, "connect %d", on);
}

static void remote_wakeup(void *port)
{
    note(port, "wake");
}

static const struct usbdev_driver driver = {
    .set_address = set_address,
    .ep_in = ep_in,
    .ep_out = ep_out,
    .ep0_stall = ep0_stall,
    .ep_open = ep_open,
    .ep_close = ep_close,
    .ep_halt = ep_halt,
    .connect = connect,
    .remote_wakeup = remote_wakeup,
};

static int a_setup(void *context, struct usbdev_request *request)
{
    struct bench *bench = context;
    const struct usbdev_setup_packet *setup = &request->setup;

    note(bench, "a.setup");
    if ((setup->bRequest == BENCH_READ) != ((setup->bmRequestType & USBDEV_DIR_IN) != 0))
        return USBDEV_STALL;
    switch (setup->bRequest) {
    case BENCH_READ:
        for (unsigned i = 0; i < setup->wValue; i++)
            bench->buffer[i] = (uint8_t)i;
        request->data = bench->buffer;
        request->length = setup->wValue;
        return 0;
    case BENCH_WRITE:
    case BENCH_WRITE_REFUSED:
        request->data = bench->buffer;
        request->length = 77; // counts for IN alone
        return setup->wLength > 100 ? USBDEV_STALL : 0;
    case BENCH_WRITE_SCRATCH:
        return 0;
    }
    return USBDEV_STALL;
}

static int a_data(void *context, struct usbdev_request *request)
{
    note(context, "a.data");
    note_bytes(context, request->data, request->length);
    return request->setup.bRequest == BENCH_WRITE_REFUSED ? USBDEV_STALL : 0;
}

static void a_complete(void *context, const struct usbdev_request *request)
{
    (void)request;
    note(context, "a.complete");
}

static void a_event(void *context, enum usbdev_event event)
{
    static const char *const names[] = {"reset", "suspended", "resumed", "unconfigured"};

    note(context, "a.%s", names[event]);
}

static void a_tick(void *context, uint16_t elapsed_ms)
{
    note(context, "a.tick %u", elapsed_ms);
}

static void a_in_done(void *context, uint8_t bEndpointAddress)
{
    note(context, "a.in_done %02x", bEndpointAddress);
}

static void
a_out_done(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    note(context, "a.out_done %02x:", bEndpointAddress);
    note_bytes(context, data, length);
}

static void a_halt(void *context, uint8_t bEndpointAddress, bool halted)
{
    note(context, "a.halt %02x %d", bEndpointAddress, halted);
}

static const struct usbdev_handler handler_a = {
    .setup = a_setup,
    .data = a_data,
    .complete = a_complete,
    .event = a_event,
    .tick = a_tick,
    .in_done = a_in_done,
    .out_done = a_out_done,
    .halt = a_halt,
};

static int b_setup(void *context, struct usbdev_request *request)
{
    note(context, "b.setup");
    return request->setup.bRequest == BENCH_READ ? 0 : USBDEV_STALL;
}

static void b_set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    note(context, "b.alternate %u.%u", bInterfaceNumber, bAlternateSetting);
}

static const struct usbdev_handler handler_b = {
    .setup = b_setup,
    .set_interface = b_set_interface,
};

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    struct bench *bench = context;

    return index == 1 && langid == 0x0409 ? bench->text : NULL;
}

void bench_start(struct bench *bench)
{
    memset(bench, 1, sizeof(*bench)); // what a chip's memory holds after power-on is not 0
    bench->log[0] = '\0';
    bench->text = "dfurt";
    memcpy(bench->device_descriptor, bench_device_descriptor, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    bench->functions[0] = (struct usbdev_function){&handler_a, bench, 0, 1, true};
    bench->functions[1] = (struct usbdev_function){&handler_b, bench, 1, 1, false};
    bench->config = (struct usbdev_config){
        .device_descriptor = bench->device_descriptor,
        .configurations = configurations,
        .bos = bench_bos,
        .strings = &usbdev_strings,
        .langids = bench_langids,
        .string = string,
        .context = bench,
        .full = &usbdev_full,
        .functions = bench->functions,
        .function_count = 2,
    };
    usbdev_init(&bench->dev, &bench->config, &driver, bench);
}

// ---- Playing a script ----

static size_t parse_bytes(const char *text, uint8_t *bytes)
{
    size_t length = 0;
    int used;
    unsigned byte;

    for (; sscanf(text, " %2x%n", &byte, &used) == 1; text += used)
        bytes[length++] = (uint8_t)byte;
    return length;
}

static void happen(struct bench *bench, const char *event)
{
    uint8_t bytes[BENCH_MOST];
    unsigned number;
    int used = 0;

    bench->log[0] = '\0';
    if (strncmp(event, "setup ", 6) == 0) {
        assert_int_equal(parse_bytes(event + 6, bytes), USBDEV_SETUP_SIZE);
        bench->stalled = bench->in_armed = bench->out_armed = false;
        usbdev_setup(&bench->dev, bytes);
    } else if (sscanf(event, "taken %u", &number) == 1) {
        usbdev_in_done(&bench->dev, (uint8_t)number);
    } else if (sscanf(event, "came %u%n", &number, &used) == 1) {
        size_t length = parse_bytes(event + used, bytes);
        usbdev_out_done(&bench->dev, (uint8_t)number, bytes, (uint16_t)length);
    } else if (sscanf(event, "tick %u", &number) == 1) {
        usbdev_tick(&bench->dev, (uint16_t)number);
    } else if (strcmp(event, "reset") == 0) {
        usbdev_bus_reset(&bench->dev);
    } else if (strcmp(event, "suspended") == 0) {
        usbdev_suspended(&bench->dev);
    } else if (strcmp(event, "resumed") == 0) {
        usbdev_resumed(&bench->dev);
    } else {
        fail_msg("no such event: %s", event);
    }
}

void bench_play(struct bench *bench, const struct bench_step *steps)
{
    for (; steps->event; steps++) {
        happen(bench, steps->event);
        if (strcmp(bench->log, steps->expected) != 0)
            fail_msg("event:    %s\nexpected: %s\ncame:     %s", steps->event, steps->expected,
                     bench->log);
    }
}

void bench_address(struct bench *bench)
{
    PLAY(bench, {"reset", "a.reset"}, {"setup 00 05 07 00 00 00 00 00", "in 0"},
         {"taken 0", "address 7"});
}

void bench_configure(struct bench *bench)
{
    bench_address(bench);
    PLAY(bench, {"setup 00 09 01 00 00 00 00 00", "open 01, open 81, b.alternate 1.0, in 0"},
         {"taken 0", ""});
}

// ---- A host ----

static size_t take_packet(struct bench *bench, uint8_t *bytes)
{
    size_t length = bench->in_length;

    assert_true(bench->in_armed);
    memcpy(bytes, bench->in, length);
    bench->in_armed = false;
    usbdev_in_done(&bench->dev, 0);
    return length;
}

static int read_data_stage(struct bench *bench, uint16_t wLength, uint8_t *reply)
{
    const uint8_t bMaxPacketSize0 = bench->device_descriptor[7];
    size_t length = 0;

    assert_true(bench->out_armed); // an early status stage must not wait
    for (bool more = true; more;) {
        uint8_t packet[64];
        size_t packet_length = take_packet(bench, packet);
        assert_true(packet_length <= wLength - length);
        memcpy(reply + length, packet, packet_length);
        length += packet_length;
        more = packet_length == bMaxPacketSize0 && length < wLength;
    }
    assert_false(bench->in_armed);
    usbdev_out_done(&bench->dev, 0, NULL, 0);
    return (int)length;
}

int bench_read(struct bench *bench,
               const struct usbdev_setup_packet *setup,
               uint8_t reply[BENCH_MOST])
{
    uint8_t bytes[USBDEV_SETUP_SIZE], none[64];

    bench->log[0] = '\0';
    usbdev_setup_store(bytes, setup);
    bench->stalled = bench->in_armed = bench->out_armed = false;
    usbdev_setup(&bench->dev, bytes);
    if (bench->stalled)
        return USBDEV_STALL;
    if (setup->wLength > 0)
        return read_data_stage(bench, setup->wLength, reply);
    assert_int_equal(take_packet(bench, none), 0);
    return 0;
}
