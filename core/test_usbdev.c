// SPDX-License-Identifier: MIT
//
// Scripted conversations. A step is an event as a driver would report it, and what usbdev then
// does: its calls of the driver and of the functions' handlers, in order.
//
//     {"setup 00 05 07 00 00 00 00 00", "in 0"}   a SETUP packet; an empty packet is armed
//     {"taken 0", "address 7"}                    the host took it; the driver is told the address
//
// Bytes are hexadecimal. A failure shows the event, what was expected and what came.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dfurt/usbdev.h>

// ---- The device ----
//
// Configuration 1 wakes the host: interface 0 with bulk endpoints 01 and 81; interface 1, whose
// alternate 1 has interrupt endpoint 82 and isochronous endpoint 83. Configuration 5 is
// self-powered: interface 0 with endpoint 01. Function "a" owns interface 0 and the requests to the
// device, function "b" interface 1.

static const uint8_t device_descriptor[] = {
    18, 1, 0x01, 0x02, 0, 0, 0, 8, 0x09, 0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 3, 2,
};

// clang-format off
static const uint8_t configuration_1[] = {
    9, 2, 64, 0, 2, 1, 0, 0xA0, 50,
    9, 4, 0, 0, 2, 0xFF, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
    7, 5, 0x81, 2, 64, 0, 0,
    9, 4, 1, 0, 0, 0xFF, 1, 0, 0,
    9, 4, 1, 1, 2, 0xFF, 1, 0, 0,
    7, 5, 0x82, 3, 8, 0, 10,
    7, 5, 0x83, 1, 8, 0, 1,
};
static const uint8_t configuration_5[] = {
    9, 2, 25, 0, 1, 5, 0, 0xC0, 0,
    9, 4, 0, 0, 1, 0xFF, 0, 0, 0,
    7, 5, 0x01, 2, 64, 0, 0,
};
// clang-format on

static const uint8_t *const configurations[] = {configuration_1, configuration_5};
static const uint8_t bos[] = {5, 15, 12, 0, 1, 7, 16, 2, 0, 0, 0, 0};
static const uint8_t langids[] = {4, 3, 0x09, 0x04};

static_assert(sizeof(configuration_1) == 64 && sizeof(configuration_5) == 25, "wTotalLength");

enum { MOST = 4096 };

struct bench {
    struct usbdev dev;
    struct usbdev_config config;
    struct usbdev_function functions[2];
    uint8_t device_descriptor[18];
    uint8_t buffer[MOST]; // of function a
    const char *text;     // string 1
    char log[3 * MOST + 1024];
    const uint8_t *in_data; // the last packet armed
    uint16_t in_length;
};

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
    bench->in_data = data;
    bench->in_length = length;
}

static void ep_out(void *port, uint8_t endpoint)
{
    note(port, "out %u", endpoint);
}

static void ep0_stall(void *port)
{
    note(port, "stall");
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

// Requests that the functions know. All but these STALL.
enum {
    READ = 0x50,          // IN: wValue bytes, counting up
    WRITE = 0x51,         // OUT: whatever comes, up to 100 bytes
    WRITE_REFUSED = 0x52, // OUT: refused after its data
    WRITE_SCRATCH = 0x53, // OUT: into the scratch buffer
};

static int a_setup(void *context, struct usbdev_request *request)
{
    struct bench *bench = context;
    const struct usb_setup *setup = &request->setup;

    note(bench, "a.setup");
    switch (setup->bRequest) {
    case READ:
        for (unsigned i = 0; i < setup->wValue; i++)
            bench->buffer[i] = (uint8_t)i;
        request->data = bench->buffer;
        request->length = setup->wValue;
        return 0;
    case WRITE:
    case WRITE_REFUSED:
        request->data = bench->buffer;
        return setup->wLength > 100 ? USBDEV_STALL : 0;
    case WRITE_SCRATCH:
        return 0;
    }
    return USBDEV_STALL;
}

static int a_data(void *context, struct usbdev_request *request)
{
    note(context, "a.data");
    note_bytes(context, request->data, request->length);
    return request->setup.bRequest == WRITE_REFUSED ? USBDEV_STALL : 0;
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

// Knows READ without data of its own, which answers nothing, and its alternates: every optional
// callback but one is absent.
static int b_setup(void *context, struct usbdev_request *request)
{
    note(context, "b.setup");
    return request->setup.bRequest == READ ? 0 : USBDEV_STALL;
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

static void start(struct bench *bench)
{
    memset(bench, 0xA5, sizeof(*bench));
    bench->log[0] = '\0';
    bench->text = "dfurt";
    memcpy(bench->device_descriptor, device_descriptor, sizeof(device_descriptor));
    bench->functions[0] = (struct usbdev_function){&handler_a, bench, 0, 1, true};
    bench->functions[1] = (struct usbdev_function){&handler_b, bench, 1, 1, false};
    bench->config = (struct usbdev_config){
        .device_descriptor = bench->device_descriptor,
        .configurations = configurations,
        .bos = bos,
        .strings = &usbdev_strings,
        .langids = langids,
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
    uint8_t bytes[MOST];
    unsigned number;
    int used = 0;

    bench->log[0] = '\0';
    if (strncmp(event, "setup ", 6) == 0) {
        assert_int_equal(parse_bytes(event + 6, bytes), USB_SETUP_SIZE);
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

struct step {
    const char *event;
    const char *expected;
};

static void play(struct bench *bench, const struct step *steps)
{
    for (; steps->event; steps++) {
        happen(bench, steps->event);
        if (strcmp(bench->log, steps->expected) != 0)
            fail_msg("event:    %s\nexpected: %s\ncame:     %s", steps->event, steps->expected,
                     bench->log);
    }
}

#define PLAY(bench, ...) play(bench, (const struct step[]){__VA_ARGS__, {NULL, NULL}})

static void to_address_state(struct bench *bench)
{
    PLAY(bench, {"reset", "a.reset"}, {"setup 00 05 07 00 00 00 00 00", "in 0"},
         {"taken 0", "address 7"});
}

static void to_configured_state(struct bench *bench)
{
    to_address_state(bench);
    PLAY(bench, {"setup 00 09 01 00 00 00 00 00", "open 01, open 81, b.alternate 1.0, in 0"},
         {"taken 0", ""});
}

// ---- The tests ----

static void set_address__takes_effect_after_the_status_stage(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);

    PLAY(&bench, {"reset", "a.reset"}, {"setup 00 05 07 00 00 00 00 00", "in 0"});
    assert_int_equal(usbdev_state(&bench.dev), USBDEV_DEFAULT);
    PLAY(&bench, {"taken 0", "address 7"});

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_ADDRESS);
}

static void set_configuration__opens_endpoints_and_announces_alternates(void **state)
{
    (void)state;
    struct bench bench;
    start(&bench);

    to_configured_state(&bench);

    assert_int_equal(usbdev_state(&bench.dev), USBDEV_CONFIGURED);
    PLAY(&bench, {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"}, {"taken 0", ""},
         {"came 0", ""});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_address__takes_effect_after_the_status_stage),
        cmocka_unit_test(set_configuration__opens_endpoints_and_announces_alternates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
