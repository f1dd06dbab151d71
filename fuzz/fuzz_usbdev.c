// SPDX-License-Identifier: MIT
//
// usbdev, small and full, with the run-time class on interface 1 beside a function that says what
// the script tells it to: a port that delivers only what is armed, and the model of the class.

#include <assert.h>

#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

#include <dfu_model.h>

#include "setup_script.h"

enum { DFU_INTERFACE = 1, MAX_PACKET0 = 8, ENDPOINTS = 16 };

struct bench {
    struct script *script;
    struct usbdev dev;
    struct dfurt dfurt;
    struct dfu_model model;
    unsigned entered;
    bool in_armed[ENDPOINTS];
    bool out_armed[ENDPOINTS];
    uint8_t in_length[ENDPOINTS];
    uint8_t in[USBDEV_SCRATCH_SIZE]; // of endpoint 0
    bool stalled;
    uint8_t data[UINT16_MAX];
};

// ---- The port ----

static void set_address(void *port, uint8_t address)
{
    (void)port;
    assert(address <= 127);
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    struct bench *bench = port;
    uint8_t packet[64] = {0};

    assert(endpoint < ENDPOINTS && length <= (endpoint == 0 ? MAX_PACKET0 : 64));
    if (length > 0)
        memcpy(packet, data, length); // a sanitizer sees what is not the device's
    bench->in_armed[endpoint] = true;
    bench->in_length[endpoint] = (uint8_t)length;
    if (endpoint == 0)
        memcpy(bench->in, packet, sizeof packet);
}

static void ep_out(void *port, uint8_t endpoint)
{
    assert(endpoint < ENDPOINTS);
    ((struct bench *)port)->out_armed[endpoint] = true;
}

static void ep0_stall(void *port)
{
    struct bench *bench = port;

    bench->stalled = true;
    bench->in_armed[0] = bench->out_armed[0] = false;
}

static void drop(struct bench *bench, uint8_t bEndpointAddress)
{
    bool *armed = bEndpointAddress & USBDEV_DIR_IN ? bench->in_armed : bench->out_armed;

    assert((bEndpointAddress & 0x0F) == 1); // the only one
    armed[bEndpointAddress & 0x0F] = false;
}

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    assert(endpoint_descriptor[1] == USBDEV_DT_ENDPOINT);
    drop(port, endpoint_descriptor[2]);
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    drop(port, bEndpointAddress);
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    (void)halt;
    drop(port, bEndpointAddress);
}

static void connect(void *port, bool on)
{
    (void)port;
    (void)on;
}

static void remote_wakeup(void *port)
{
    (void)port;
}

static const struct usbdev_driver driver = {
    set_address, ep_in, ep_out, ep0_stall, ep_open, ep_close, ep_halt, connect, remote_wakeup,
};

// ---- The function beside the class ----

static int other_setup(void *context, struct usbdev_request *request)
{
    struct bench *bench = context;
    const uint8_t answer = script_u8(bench->script);

    if (answer & 1)
        return USBDEV_STALL;
    request->data = bench->data;
    if (request->setup.bmRequestType & USBDEV_DIR_IN)
        request->length = script_u16(bench->script);
    return 0;
}

static int other_data(void *context, struct usbdev_request *request)
{
    assert(request->length == request->setup.wLength);
    return script_u8(((struct bench *)context)->script) & 1 ? USBDEV_STALL : 0;
}

static void other_set_interface(void *context, uint8_t bInterfaceNumber, uint8_t bAlternateSetting)
{
    struct bench *bench = context;

    assert(bInterfaceNumber == 0 && bAlternateSetting <= 1);
    usbdev_receive(&bench->dev, 0x01);
    usbdev_send(&bench->dev, 0x81, bench->data, 64);
}

static void other_in_done(void *context, uint8_t bEndpointAddress)
{
    struct bench *bench = context;

    usbdev_send(&bench->dev, bEndpointAddress, bench->data, script_u8(bench->script) % 65);
}

static void
other_out_done(void *context, uint8_t bEndpointAddress, const uint8_t *data, uint16_t length)
{
    struct bench *bench = context;

    memcpy(bench->data, data, length);
    usbdev_receive(&bench->dev, bEndpointAddress);
}

static const struct usbdev_handler other = {
    .setup = other_setup,
    .data = other_data,
    .set_interface = other_set_interface,
    .in_done = other_in_done,
    .out_done = other_out_done,
};

static void enter_dfu(void *context)
{
    struct bench *bench = (struct bench *)context;

    bench->entered++;
}

static const char *string(void *context, uint8_t index, uint16_t langid)
{
    (void)context;
    (void)langid;
    return index > 3 ? NULL : "B\xC3\xB6rse \xE2\x82\xAC \xF0\x9F\x94\x8C beside a name of its own";
}

static const uint8_t device_descriptor[] = {
    18, 1, 0, 2, 0, 0, 0, MAX_PACKET0, 0x09, 0x12, 0x01, 0x00, 0, 0x01, 0x01, 0x02, 0x03, 1};

// A configuration of two interfaces: 0 with two alternates, one of them with endpoints, and 1.
static const uint8_t configuration[] = {
    9,
    2,
    59,
    0,
    2,
    1,
    0,
    0xA0,
    50, //
    9,
    4,
    0,
    0,
    0,
    0xFF,
    0,
    0,
    0, //
    9,
    4,
    0,
    1,
    2,
    0xFF,
    0,
    0,
    0, //
    7,
    5,
    0x01,
    2,
    64,
    0,
    0, //
    7,
    5,
    0x81,
    2,
    64,
    0,
    0,                                                        //
    DFURT_DESCRIPTORS(DFU_INTERFACE, 0, 0, 1000, 64, 0x0110), //
};
_Static_assert(sizeof configuration == 59, "wTotalLength");
static const uint8_t *const configurations[] = {configuration};
static const uint8_t langids[] = {4, 3, 0x09, 0x04};

// ---- Events ----

// Is it the class that must be asked (usbdev.h, "Whose request it is")?
static bool is_for_the_class(const struct bench *bench, const uint8_t setup[8])
{
    const bool is_standard = (setup[0] & 0x60) == 0;
    const bool to_interface = (setup[0] & 0x1F) == 1;

    return !is_standard && to_interface && usbdev_state(&bench->dev) == USBDEV_CONFIGURED &&
           setup[4] == DFU_INTERFACE;
}

static void do_setup(struct bench *bench)
{
    uint8_t setup[8];
    uint8_t reply[6] = {0};
    int expected = DFU_MODEL_STALL;

    script_setup(bench->script, DFU_INTERFACE, setup);
    bench->in_armed[0] = bench->out_armed[0] = bench->stalled = false;
    bool asked = is_for_the_class(bench, setup);
    if (asked)
        expected = dfu_model_setup(&bench->model, setup, reply);
    else
        dfu_model_abandoned(&bench->model);
    usbdev_setup(&bench->dev, setup);

    assert(bench->stalled != (bench->in_armed[0] || bench->out_armed[0]));
    if (!asked)
        return;
    assert(bench->stalled == (expected < 0));
    if (expected > 0)
        assert(bench->in_length[0] == expected && memcmp(bench->in, reply, (size_t)expected) == 0);
}

static void do_in(struct bench *bench, uint8_t endpoint)
{
    if (!bench->in_armed[endpoint])
        return;
    bench->in_armed[endpoint] = false;
    // DETACH has no data stage: this is its status stage.
    if (endpoint == 0)
        dfu_model_status_complete(&bench->model);
    usbdev_in_done(&bench->dev, endpoint);
}

static void do_out(struct bench *bench, uint8_t endpoint)
{
    uint8_t packet[64];
    size_t length = script_u8(bench->script) % (endpoint == 0 ? MAX_PACKET0 + 1 : 65);

    length = script_bytes(bench->script, packet, length);
    if (!bench->out_armed[endpoint])
        return;
    bench->out_armed[endpoint] = false;
    usbdev_out_done(&bench->dev, endpoint, packet, (uint16_t)length);
}

static void do_bus_reset(struct bench *bench)
{
    memset(bench->in_armed, 0, sizeof bench->in_armed);
    memset(bench->out_armed, 0, sizeof bench->out_armed);
    dfu_model_bus_reset(&bench->model);
    usbdev_bus_reset(&bench->dev);
}

// Address and configuration, as every host does.
static void enumerate(struct bench *bench)
{
    static const uint8_t requests[][8] = {{0x00, USBDEV_SET_ADDRESS, 5},
                                          {0x00, USBDEV_SET_CONFIGURATION, 1}};

    for (int i = 0; i < 2; i++) {
        bench->in_armed[0] = bench->out_armed[0] = bench->stalled = false;
        dfu_model_abandoned(&bench->model);
        usbdev_setup(&bench->dev, requests[i]);
        do_in(bench, 0);
    }
}

static void step(struct bench *bench)
{
    uint16_t elapsed_ms;
    const uint8_t event = script_u8(bench->script);

    switch (event & 15) {
    case 0:
        do_bus_reset(bench);
        break;
    case 1:
        elapsed_ms = script_u16(bench->script);
        dfu_model_passed(&bench->model, elapsed_ms);
        usbdev_tick(&bench->dev, elapsed_ms);
        break;
    case 2:
        usbdev_suspended(&bench->dev);
        break;
    case 3:
        usbdev_resumed(&bench->dev);
        break;
    case 4:
        enumerate(bench);
        break;
    case 5:
    case 6:
        do_out(bench, event >> 7);
        break;
    case 7:
    case 8:
    case 9:
        do_in(bench, event >> 7);
        break;
    case 10:
        if (bench->dev.config->full)
            usbdev_halt(&bench->dev, 0x81);
        break;
    default:
        do_setup(bench);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct bench bench;
    struct script script = {bytes, length};
    const uint8_t choice = script_u8(&script);

    memset(&bench, 0, sizeof bench);
    bench.script = &script;
    bench.model = (struct dfu_model){
        .will_detach = choice & 1,
        .wDetachTimeOut = 1000,
        .settle_ms = choice >> 4,
        .interface = DFU_INTERFACE,
        .allowed_ms = UINT16_MAX,
    };
    const struct dfurt_config dfurt_config = {
        .wDetachTimeOut = 1000,
        .bmAttributes = bench.model.will_detach ? DFURT_ATTR_WILL_DETACH : 0,
        .bInterfaceNumber = DFU_INTERFACE,
        .settle_ms = (uint8_t)bench.model.settle_ms,
        .enter_dfu = enter_dfu,
    };
    const struct usbdev_function functions[] = {
        {&other, &bench, 0, 1, .device_requests = true},
        {&dfurt_usbdev_handler, &bench.dfurt, DFU_INTERFACE, 1},
    };
    const struct usbdev_config config = {
        .device_descriptor = device_descriptor,
        .configurations = configurations,
        .functions = functions,
        .function_count = 2,
        .full = choice & 2 ? &usbdev_full : NULL,
        .strings = choice & 4 ? &usbdev_strings : NULL,
        .langids = langids,
        .string = string,
    };

    dfurt_init(&bench.dfurt, &dfurt_config, &bench);
    usbdev_init(&bench.dev, &config, &driver, &bench);
    usbdev_connect(&bench.dev, true);
    while (script.length > 0) {
        step(&bench);
        assert(dfurt_state(&bench.dfurt) == bench.model.bState);
        assert(bench.entered == bench.model.entered);
    }
    return 0;
}
