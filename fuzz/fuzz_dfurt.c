// SPDX-License-Identifier: MIT
//
// The run-time class beside the model of its tables: the same events, the same answers.

#include <assert.h>

#include <dfurt/dfurt.h>

#include <dfu_model.h>

#include "setup_script.h"

struct bench {
    struct dfurt dfurt;
    struct dfu_model model;
    unsigned entered;
    bool accepted; // the status stage of the last request is to come
};

static bool may_detach(void *context, uint16_t *timeout_ms)
{
    const struct bench *bench = context;

    *timeout_ms = bench->model.allowed_ms;
    return !bench->model.refuses;
}

static void enter_dfu(void *context)
{
    ((struct bench *)context)->entered++;
}

static struct dfurt_config choose(struct script *script, struct dfu_model *model)
{
    const uint8_t choice = script_u8(script);

    *model = (struct dfu_model){
        .will_detach = choice & 1,
        .wDetachTimeOut = script_u16(script),
        .settle_ms = script_u8(script),
        .interface = choice >> 4,
        .allowed_ms = UINT16_MAX,
    };
    return (struct dfurt_config){
        .wDetachTimeOut = model->wDetachTimeOut,
        .wTransferSize = 64,
        .bcdDFUVersion = 0x0110,
        .bmAttributes = DFURT_ATTR_CAN_DNLOAD | (model->will_detach ? DFURT_ATTR_WILL_DETACH : 0),
        .bInterfaceNumber = (uint8_t)model->interface,
        .settle_ms = (uint8_t)model->settle_ms,
        .may_detach = choice & 2 ? may_detach : NULL,
        .enter_dfu = enter_dfu,
    };
}

static void setup(struct bench *bench, struct script *script)
{
    uint8_t bytes[USBDEV_SETUP_SIZE];
    uint8_t reply[DFURT_STATUS_REPLY_SIZE] = {0};
    uint8_t expected[DFURT_STATUS_REPLY_SIZE] = {0};

    script_setup(script, (uint8_t)bench->model.interface, bytes);
    const struct usbdev_setup_packet packet = usbdev_setup_load(bytes);
    int result = dfurt_setup(&bench->dfurt, &packet, reply);

    assert(result == dfu_model_setup(&bench->model, bytes, expected));
    assert(result < 0 || memcmp(reply, expected, (size_t)result) == 0);
    bench->accepted = result >= 0;
}

static void status_complete(struct bench *bench)
{
    if (!bench->accepted) // there is no status stage
        return;
    bench->accepted = false;
    dfurt_status_complete(&bench->dfurt);
    dfu_model_status_complete(&bench->model);
}

static void step(struct bench *bench, struct script *script)
{
    uint16_t elapsed_ms;

    switch (script_u8(script) % 8) {
    case 0:
        dfurt_bus_reset(&bench->dfurt);
        dfu_model_bus_reset(&bench->model);
        bench->accepted = false;
        break;
    case 1:
        elapsed_ms = script_u16(script);
        dfurt_tick(&bench->dfurt, elapsed_ms);
        dfu_model_passed(&bench->model, elapsed_ms);
        break;
    case 2:
        dfurt_cancel(&bench->dfurt);
        dfu_model_cancel(&bench->model);
        break;
    case 3:
        if (!bench->dfurt.config->may_detach)
            break;
        bench->model.refuses = script_u8(script) & 1;
        bench->model.allowed_ms = script_u16(script);
        break;
    case 4:
    case 5:
        status_complete(bench);
        break;
    default:
        setup(bench, script);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct script script = {bytes, length};
    struct bench bench = {0};
    struct dfurt_config config = choose(&script, &bench.model);

    dfurt_init(&bench.dfurt, &config, &bench);
    while (script.length > 0) {
        step(&bench, &script);
        assert(dfurt_state(&bench.dfurt) == bench.model.bState);
        assert(bench.entered == bench.model.entered);
    }
    return 0;
}
