// SPDX-License-Identifier: MIT
//
// Boot loaders of both dialects and of many choices, with random requests: only transitions of DFU
// 1.1 tables A.2.3 to A.2.11, only bytes of their own flash (which ASan watches), and none of them
// changed before a DNLOAD was accepted.

#include <assert.h>
#include <stdlib.h>

#include <sim/dfu_mode.h>
#include <sim/flash.h>

#include "script.h"

enum { TRANSFER = 256, SIZE = 8192, PAGE = 1024 };

struct bench {
    struct flash flash;
    uint8_t before[SIZE];
    struct dfu_mode dfu;
    bool downloads; // a DNLOAD with data has been accepted
    bool left;
};

static void leave(void *context, uint32_t address)
{
    struct bench *bench = context;

    (void)address;
    assert(!bench->left);
    bench->left = true;
}

// Bit n of row s: bState s may become n, by a request or by time.
#define TO(bState) (1u << DFURT_STATE_##bState)
static const unsigned transitions[] = {
    [DFURT_STATE_dfuIDLE] = TO(dfuDNLOAD_SYNC) | TO(dfuUPLOAD_IDLE) | TO(dfuERROR),
    [DFURT_STATE_dfuDNLOAD_SYNC] = TO(dfuDNBUSY) | TO(dfuDNLOAD_IDLE) | TO(dfuERROR),
    [DFURT_STATE_dfuDNBUSY] = TO(dfuDNLOAD_SYNC) | TO(dfuERROR),
    [DFURT_STATE_dfuDNLOAD_IDLE] =
        TO(dfuDNLOAD_SYNC) | TO(dfuMANIFEST_SYNC) | TO(dfuIDLE) | TO(dfuERROR),
    [DFURT_STATE_dfuMANIFEST_SYNC] = TO(dfuMANIFEST) | TO(dfuIDLE) | TO(dfuERROR),
    [DFURT_STATE_dfuMANIFEST] = TO(dfuMANIFEST_SYNC) | TO(dfuMANIFEST_WAIT_RESET) | TO(dfuERROR),
    [DFURT_STATE_dfuMANIFEST_WAIT_RESET] = 0,
    [DFURT_STATE_dfuUPLOAD_IDLE] = TO(dfuIDLE) | TO(dfuERROR),
    [DFURT_STATE_dfuERROR] = TO(dfuIDLE),
};

static void choose(struct script *script, struct dfu_mode_config *config)
{
    const uint8_t choice = script_u8(script);
    const uint8_t more = script_u8(script);
    const uint8_t late = script_u8(script);

    config->dialect = choice & 1 ? &dfu_dialect_dfuse : &dfu_dialect_plain;
    config->bmAttributes = choice >> 4;
    config->wTransferSize = choice & 2 ? TRANSFER : 8;
    config->choices = (struct dfu_mode_choices){
        .leaves_by_itself = choice & 4,
        .done_at_once = choice & 8,
        .counts_blocks = more & 1,
        .read_protected = more & 2,
        .addresses_blocks = more & 4,
        .erases_first = more & 8,
        .two_banks = more & 16,
        .judges_address_late = more & 32,
        .fewest_to_read = more & 64 ? 3 : 0,
        .image_length = more & 128 ? 600 : 0,
        .longest_poll_ms = late & 7,
        .manifest_ms = late >> 3,
    };
}

static void request(struct bench *bench, struct script *script)
{
    const uint8_t shape = script_u8(script);
    const uint8_t short_length = script_u8(script);
    const bool in = shape & 8;
    const struct usbdev_setup_packet setup = {
        .bmRequestType = in ? 0xA1 : 0x21,
        .bRequest = shape & 7,
        .wValue = shape & 16 ? script_u16(script) : script_u8(script),
        .wLength = shape & 32 ? script_u16(script) : short_length,
    };
    const uint8_t *reply = NULL;
    int result = dfu_mode_setup(&bench->dfu, &setup, &reply);

    assert(result >= DFU_MODE_STALL && result <= TRANSFER);
    assert(in || result <= 0);
    if (result > 0) { // and all of it can be read
        uint8_t copy[TRANSFER];
        memcpy(copy, reply, (size_t)result);
    }
    if (result == 0 && setup.bRequest == DFURT_DNLOAD && !in && setup.wLength > 0) {
        assert(setup.wLength <= bench->dfu.config->wTransferSize);
        bench->downloads = true;
        script_bytes(script, bench->dfu.buffer, setup.wLength);
        dfu_mode_block(&bench->dfu);
    }
}

// Returns whether the state may be any other afterwards.
static bool step(struct bench *bench, struct script *script)
{
    switch (script_u8(script) & 15) {
    case 0:
        dfu_mode_bus_reset(&bench->dfu);
        return true;
    case 1:
        dfu_mode_configured(&bench->dfu);
        return false;
    case 2:
    case 3:
    case 4:
    case 5:
        dfu_mode_tick(&bench->dfu, script_u16(script));
        return false;
    default:
        request(bench, script);
        return false;
    }
}

// DfuSe alone: an empty DNLOAD in dfuIDLE leaves DFU mode, by way of the manifestation (AN3156,
// AN2662 4.5.5).
static bool is_leave(const struct dfu_mode *dfu, uint8_t before)
{
    return dfu->config->dialect == &dfu_dialect_dfuse && before == DFURT_STATE_dfuIDLE &&
           dfu->bState == DFURT_STATE_dfuMANIFEST_SYNC;
}

static void check_transition(const struct dfu_mode *dfu, uint8_t before)
{
    assert(dfu->bState >= DFURT_STATE_dfuIDLE && dfu->bState <= DFURT_STATE_dfuERROR);
    assert(dfu->bStatus <= DFURT_STATUS_errSTALLEDPKT);
    assert(dfu->bState == before || (transitions[before] >> dfu->bState & 1) ||
           is_leave(dfu, before));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct bench bench;
    static const uint8_t image[200] = {1, 2, 3};
    struct script script = {bytes, length};
    struct dfu_mode_config config = {.leave = leave, .context = &bench};

    bench.downloads = bench.left = false;
    if (!flash_init(&bench.flash, (struct flash_shape){.size = SIZE, .page_size = PAGE}))
        return 0;
    config.memory = &bench.flash.memory;
    choose(&script, &config);
    if (script_u8(&script) & 1)
        assert(dfu_plain_install(&bench.flash.memory, image, sizeof image));
    memcpy(bench.before, bench.flash.bytes, SIZE);
    dfu_mode_init(&bench.dfu, &config);
    while (script.length > 0 && !bench.left) {
        const uint8_t before = bench.dfu.bState;

        if (!step(&bench, &script))
            check_transition(&bench.dfu, before);
        assert(bench.downloads || memcmp(bench.before, bench.flash.bytes, SIZE) == 0);
    }
    flash_finish(&bench.flash);
    return 0;
}
