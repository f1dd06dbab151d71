// SPDX-License-Identifier: MIT
//
// Tables A.2.1 and A.2.2 of DFU 1.1 as a host meets them: through usbdev, small and full. Every
// cell of state x bmRequestType x bRequest x wIndex x wLength is a control transfer on a fresh
// device, and so is every class or vendor request in each situation that endpoint 0 can be in.
// After each, the state is asked for, and a bus reset shows whether the device leaves.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

#include "dfu_model.h"

enum {
    OTHER,   // an interface of another function, which takes every request
    DFU,     // ours
    NOBODYS, // an interface without a function
    ABSENT,  // no interface
};

enum { MAX_PACKET = 8, TIMEOUT_MS = 1000, SETTLE_MS = 5 };

// clang-format off
static const uint8_t device_descriptor[] = {
    18, 1, 0, 2, 0, 0, 0, MAX_PACKET, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1,
};
static const uint8_t configuration[] = {
    9, 2, 45, 0, 3, 1, 0, 0x80, 50,
    9, 4, OTHER, 0, 0, 0xFF, 0, 0, 0,
    DFURT_DESCRIPTORS(DFU, 0, DFURT_ATTR_CAN_DNLOAD, TIMEOUT_MS, 64, 0x0110),
    9, 4, NOBODYS, 0, 0, 0xFF, 0, 0, 0,
};
// clang-format on
static const uint8_t *const configurations[] = {configuration};

// ---- A device with its host's end of endpoint 0 ----

struct bus {
    struct usbdev dev;
    struct usbdev_config config;
    struct usbdev_function functions[2];
    struct dfurt dfurt;
    struct dfurt_config dfu;
    int entered;
    bool in_armed, stalled;
    const uint8_t *in;
    uint16_t in_length;
};

static void set_address(void *port, uint8_t address)
{
    (void)port;
    (void)address;
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    struct bus *bus = port;

    (void)endpoint;
    bus->in_armed = true;
    bus->in = data;
    bus->in_length = length;
}

static void ep_out(void *port, uint8_t endpoint)
{
    (void)port;
    (void)endpoint;
}

static void ep0_stall(void *port)
{
    ((struct bus *)port)->stalled = true;
}

static const struct usbdev_driver driver = {
    .set_address = set_address,
    .ep_in = ep_in,
    .ep_out = ep_out,
    .ep0_stall = ep0_stall,
};

static void enter_dfu(void *context)
{
    ((struct bus *)context)->entered++;
}

static int take_anything(void *context, struct usbdev_request *request)
{
    (void)context;
    request->length =
        request->setup.wLength < USBDEV_SCRATCH_SIZE ? request->setup.wLength : USBDEV_SCRATCH_SIZE;
    return 0;
}

static const struct usbdev_handler other_handler = {.setup = take_anything};

static void send_setup(struct bus *bus, const struct usbdev_setup_packet *setup)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];

    usbdev_setup_store(bytes, setup);
    bus->stalled = bus->in_armed = false;
    usbdev_setup(&bus->dev, bytes);
}

static void take(struct bus *bus)
{
    bus->in_armed = false;
    usbdev_in_done(&bus->dev, 0);
}

// A whole transfer. Returns the bytes of the reply, 0 where there is no IN data stage, or
// USBDEV_STALL.
static int transfer(struct bus *bus, const struct usbdev_setup_packet *setup, uint8_t reply[64])
{
    int length = 0;

    send_setup(bus, setup);
    if (bus->stalled)
        return USBDEV_STALL;
    while (bus->in_armed && length + bus->in_length <= 64) {
        memcpy(reply + length, bus->in, bus->in_length);
        length += bus->in_length;
        take(bus);
    }
    if (setup->wLength > 0)
        usbdev_out_done(&bus->dev, 0, NULL, 0);
    return length;
}

static void request(struct bus *bus, struct usbdev_setup_packet setup)
{
    uint8_t reply[64];

    assert_int_not_equal(transfer(bus, &setup, reply), USBDEV_STALL);
}

// ---- What a cell starts from ----

enum kind { SMALL, FULL };

static const uint8_t attributes[] = {0, DFURT_ATTR_WILL_DETACH};

static void start(struct bus *bus, enum kind kind, uint8_t attribute)
{
    memset(bus, 0, sizeof(*bus));
    bus->dfu = (struct dfurt_config){
        .wDetachTimeOut = TIMEOUT_MS,
        .wTransferSize = 64,
        .bcdDFUVersion = 0x0110,
        .bmAttributes = DFURT_ATTR_CAN_DNLOAD | attribute,
        .bInterfaceNumber = DFU,
        .settle_ms = SETTLE_MS,
        .enter_dfu = enter_dfu,
    };
    dfurt_init(&bus->dfurt, &bus->dfu, bus);
    bus->functions[0] = (struct usbdev_function){&other_handler, bus, OTHER, 1, false};
    bus->functions[1] = (struct usbdev_function){&dfurt_usbdev_handler, &bus->dfurt, DFU, 1, false};
    bus->config = (struct usbdev_config){
        .device_descriptor = device_descriptor,
        .configurations = configurations,
        .functions = bus->functions,
        .function_count = 2,
        .full = kind == FULL ? &usbdev_full : NULL,
    };
    usbdev_init(&bus->dev, &bus->config, &driver, bus);
    usbdev_bus_reset(&bus->dev);
    request(bus, (struct usbdev_setup_packet){0x00, USBDEV_SET_ADDRESS, 7, 0, 0});
    request(bus, (struct usbdev_setup_packet){0x00, USBDEV_SET_CONFIGURATION, 1, 0, 0});
}

static void idle(struct bus *bus)
{
    (void)bus;
}

static void suspended(struct bus *bus)
{
    usbdev_suspended(&bus->dev);
}

static void stalled(struct bus *bus)
{
    send_setup(bus, &(struct usbdev_setup_packet){0xC0, 0x33, 0, 0, 0});
    assert_true(bus->stalled);
}

static void sending(struct bus *bus)
{
    send_setup(bus, &(struct usbdev_setup_packet){0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18});
    take(bus);
    assert_true(bus->in_armed);
}

static void sent(struct bus *bus)
{
    sending(bus);
    while (bus->in_armed)
        take(bus);
}

static void in_status_stage(struct bus *bus)
{
    send_setup(bus, &(struct usbdev_setup_packet){0x01, USBDEV_SET_INTERFACE, 0, OTHER, 0});
    assert_true(bus->in_armed);
}

static void receiving(struct bus *bus)
{
    static const uint8_t packet[MAX_PACKET];

    send_setup(bus, &(struct usbdev_setup_packet){0x41, 0x33, 0, OTHER, 20});
    if (!bus->stalled)
        usbdev_out_done(&bus->dev, 0, packet, sizeof(packet));
}

static void alternate_chosen(struct bus *bus)
{
    request(bus, (struct usbdev_setup_packet){0x01, USBDEV_SET_INTERFACE, 0, DFU, 0});
}

static void configured_again(struct bus *bus)
{
    request(bus, (struct usbdev_setup_packet){0x00, USBDEV_SET_CONFIGURATION, 1, 0, 0});
}

// Accepted, its status stage not yet taken: it never happened (USB 2.0 8.5.3).
static void detaching(struct bus *bus)
{
    send_setup(bus, &(struct usbdev_setup_packet){0x21, DFURT_DETACH, TIMEOUT_MS, DFU, 0});
    assert_true(bus->in_armed);
}

static const struct situation {
    const char *name;
    void (*begin)(struct bus *);
    bool in_app_idle_alone;
} situations[] = {
    {"idle", idle, false},
    {"suspended", suspended, false},
    {"endpoint 0 stalled", stalled, false},
    {"in an IN data stage", sending, false},
    {"before the status stage of a read", sent, false},
    {"in a status stage", in_status_stage, false},
    {"in an OUT data stage", receiving, false},
    {"alternate chosen", alternate_chosen, false},
    {"configured again", configured_again, false},
    {"in the status stage of DETACH", detaching, true},
};

// ---- What is specified ----

struct verdict {
    bool judged; // the answer: not where the request is another's
    int length;  // or USBDEV_STALL
    uint8_t reply[6];
    uint8_t next;
};

static struct verdict
class_verdict(uint8_t attribute, uint8_t state, const struct usbdev_setup_packet *setup)
{
    struct verdict verdict = {.judged = true};
    struct dfu_model model = {.will_detach = attribute & DFURT_ATTR_WILL_DETACH,
                              .wDetachTimeOut = TIMEOUT_MS,
                              .settle_ms = SETTLE_MS,
                              .interface = DFU,
                              .allowed_ms = UINT16_MAX,
                              .bState = state};
    uint8_t bytes[USBDEV_SETUP_SIZE];
    usbdev_setup_store(bytes, setup);
    verdict.length = dfu_model_setup(&model, bytes, verdict.reply);
    dfu_model_status_complete(&model);
    verdict.next = model.bState;
    return verdict;
}

// Another's request moves no state of ours. It STALLs where no function can own it.
static struct verdict
specified(uint8_t attribute, uint8_t state, const struct usbdev_setup_packet *setup)
{
    const uint8_t type = setup->bmRequestType & 0x60, recipient = setup->bmRequestType & 0x1F;
    const bool to_other = recipient == 1 && (setup->wIndex & 0xFF) == OTHER;

    if (type == 0x20 && recipient == 1 && setup->wIndex == DFU)
        return class_verdict(attribute, state, setup);
    if (type == 0x00 || (to_other && type != 0x60))
        return (struct verdict){.judged = false, .next = state};
    return (struct verdict){true, USBDEV_STALL, {0}, state};
}

// ---- The cells ----

struct cell {
    enum kind kind;
    uint8_t attribute;
    const struct situation *situation;
    uint8_t state;
    struct usbdev_setup_packet setup;
};

// DETACH itself needs a status stage of its own: it comes before the situation.
static void reach(struct bus *bus, const struct cell *cell)
{
    start(bus, cell->kind, cell->attribute);
    if (cell->state == DFURT_STATE_appDETACH)
        request(bus, (struct usbdev_setup_packet){0x21, DFURT_DETACH, TIMEOUT_MS, DFU, 0});
    cell->situation->begin(bus);
}

static void fail_cell(const struct cell *cell, const struct verdict *expected, int length, int next)
{
    fail_msg("%s device, attributes %02x, %s, state %u, request %02x %02x wIndex %04x wLength %u: "
             "expected length %d and state %u, came length %d and state %d",
             cell->kind == FULL ? "full" : "small", cell->attribute, cell->situation->name,
             cell->state, cell->setup.bmRequestType, cell->setup.bRequest, cell->setup.wIndex,
             cell->setup.wLength, expected->length, expected->next, length, next);
}

static void check_cell(const struct cell *cell)
{
    const struct verdict expected = specified(cell->attribute, cell->state, &cell->setup);
    struct bus bus;
    uint8_t reply[64];
    reach(&bus, cell);

    int length = transfer(&bus, &cell->setup, reply);
    uint8_t next = bus.dfurt.bState;
    usbdev_bus_reset(&bus.dev);

    bool same = length == expected.length &&
                (length <= 0 || memcmp(reply, expected.reply, (size_t)length) == 0);
    bool leaves = expected.next == DFURT_STATE_appDETACH;
    if ((expected.judged && !same) || next != expected.next || bus.entered != leaves)
        fail_cell(cell, &expected, length, next);
}

// Every type, recipient and direction; those that look most like ours come in every situation.
static bool is_near(uint8_t bmRequestType)
{
    return (bmRequestType & 0x60) != 0 && (bmRequestType & 0x1F) <= 3;
}

static void check_requests(struct cell cell)
{
    static const uint8_t requests[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0x21, 0x80, 0xFF};
    static const uint16_t indexes[] = {
        DFU, OTHER, NOBODYS, ABSENT, DFU | 0x0100, DFU | 0x8000, DFU << 8, 0xFFFF,
    };
    static const uint16_t lengths[] = {0, 1, 5, 6, 7, 8, 16, 64, 65, 0x0100, 0xFFFF};

    cell.setup.wValue = TIMEOUT_MS;
    for (unsigned type = 0; type < 256; type++)
        for (size_t i = 0; i < sizeof(requests); i++)
            for (size_t j = 0; j < sizeof(indexes) / sizeof(indexes[0]); j++)
                for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
                    if (cell.situation != &situations[0] && !is_near((uint8_t)type))
                        continue;
                    cell.setup.bmRequestType = (uint8_t)type;
                    cell.setup.bRequest = requests[i];
                    cell.setup.wIndex = indexes[j];
                    cell.setup.wLength = lengths[k];
                    check_cell(&cell);
                }
}

static void check_all_cells(enum kind kind)
{
    for (size_t i = 0; i < sizeof(situations) / sizeof(situations[0]); i++)
        for (size_t j = 0; j < sizeof(attributes); j++) {
            struct cell cell = {.kind = kind,
                                .attribute = attributes[j],
                                .situation = &situations[i],
                                .state = DFURT_STATE_appIDLE};
            check_requests(cell);
            cell.state = DFURT_STATE_appDETACH;
            if (!situations[i].in_app_idle_alone)
                check_requests(cell);
        }
}

static void small_device__obeys_the_tables_in_every_cell(void **state)
{
    (void)state;
    check_all_cells(SMALL);
}

static void full_device__obeys_the_tables_in_every_cell(void **state)
{
    (void)state;
    check_all_cells(FULL);
}

// USB 2.0 9.1.1.5: without a configuration there is no interface to ask.
static void device_without_configuration__stalls_and_keeps_the_state(void **state)
{
    (void)state;
    static const struct usbdev_setup_packet requests[] = {
        {0x21, DFURT_DETACH, TIMEOUT_MS, DFU, 0}, {0x21, DFURT_DNLOAD, 0, DFU, 16},
        {0xA1, DFURT_GETSTATUS, 0, DFU, 6},       {0xA1, DFURT_GETSTATE, 0, DFU, 1},
        {0x21, DFURT_ABORT, 0, DFU, 0},
    };

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        for (int kind = SMALL; kind <= FULL; kind++) {
            struct bus bus;
            uint8_t reply[64];
            start(&bus, (enum kind)kind, 0);
            request(&bus, (struct usbdev_setup_packet){0x21, DFURT_DETACH, TIMEOUT_MS, DFU, 0});
            request(&bus, (struct usbdev_setup_packet){0x00, USBDEV_SET_CONFIGURATION, 0, 0, 0});

            assert_int_equal(transfer(&bus, &requests[i], reply), USBDEV_STALL);
            assert_int_equal(bus.dfurt.bState, DFURT_STATE_appDETACH);
            usbdev_bus_reset(&bus.dev);
            assert_int_equal(bus.entered, 1);
            assert_int_equal(transfer(&bus, &requests[i], reply), USBDEV_STALL);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_device__obeys_the_tables_in_every_cell),
        cmocka_unit_test(full_device__obeys_the_tables_in_every_cell),
        cmocka_unit_test(device_without_configuration__stalls_and_keeps_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
