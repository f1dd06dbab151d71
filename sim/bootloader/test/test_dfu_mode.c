// SPDX-License-Identifier: MIT
//
// The DFU-mode state machine against DFU 1.1 appendix A.2, cell by cell. States are reached by
// requests and time alone, as a host reaches them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/dfu_mode.h>
#include <sim/flash.h>

enum { TRANSFER_SIZE = 64 };

struct bench {
    struct flash flash;
    struct dfu_mode_config config;
    struct dfu_mode dfu;
    int left;
    uint32_t left_for;
};

static void leave(void *context, uint32_t address)
{
    struct bench *bench = context;

    bench->left++;
    bench->left_for = address;
}

static void set_up(struct bench *bench, const struct dfu_dialect *dialect, uint8_t bmAttributes)
{
    static const uint8_t image[200] = {1, 2, 3};

    flash_finish(&bench->flash);
    assert_true(flash_init(&bench->flash, (struct flash_shape){.size = 0}));
    assert_true(dfu_plain_install(&bench->flash.memory, image, sizeof image));
    bench->config = (struct dfu_mode_config){
        .dialect = dialect,
        .memory = &bench->flash.memory,
        .wTransferSize = TRANSFER_SIZE,
        .bmAttributes = bmAttributes,
        .choices = {.leaves_by_itself = dialect == &dfu_dialect_dfuse},
        .leave = leave,
        .context = bench,
    };
    bench->left = 0;
    dfu_mode_init(&bench->dfu, &bench->config);
}

enum { BOTH_WAYS = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD };
enum { TOLERANT = BOTH_WAYS | DFURT_ATTR_MANIFESTATION_TOLERANT };

// Returns the length of the reply or DFU_MODE_STALL; brings the data of an accepted DNLOAD.
static int request(struct bench *bench,
                   uint8_t bmRequestType,
                   uint8_t bRequest,
                   uint16_t wValue,
                   uint16_t wLength,
                   const uint8_t **ret_reply)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, 0, wLength};
    const uint8_t *reply = NULL;
    int result = dfu_mode_setup(&bench->dfu, &setup, &reply);

    if (result == 0 && bRequest == DFURT_DNLOAD && !(bmRequestType & USBDEV_DIR_IN) && wLength > 0)
        dfu_mode_block(&bench->dfu);
    if (ret_reply)
        *ret_reply = reply;
    return result;
}

static int dnload(struct bench *bench, uint16_t block, const void *data, uint16_t length)
{
    if (length > 0)
        memcpy(bench->dfu.buffer, data, length);
    return request(bench, 0x21, DFURT_DNLOAD, block, length, NULL);
}

// Returns bState. Lets bwPollTimeout pass.
static int get_status(struct bench *bench)
{
    const uint8_t *reply = NULL;

    assert_int_equal(request(bench, 0xA1, DFURT_GETSTATUS, 0, 6, &reply), 6);
    dfu_mode_tick(&bench->dfu, usbdev_load_le16(reply + 1));
    return reply[4];
}

// ---- The table ----

// Where a bench is brought to: a state, and what it waits for.
enum place {
    IDLE,
    SYNC_BLOCK, // dfuDNLOAD-SYNC, a block not worked on yet
    SYNC_DONE,
    BUSY,
    DNLOAD_IDLE,
    MANIFEST_SYNC,
    MANIFEST_SYNC_DONE, // tolerant devices only
    MANIFEST,
    WAIT_RESET, // devices that are not tolerant only
    UPLOAD_IDLE,
    ERROR,
    PLACES,
};

static void reach(struct bench *bench, enum place place)
{
    const uint8_t *reply;

    set_up(bench, &dfu_dialect_plain, place == WAIT_RESET ? BOTH_WAYS : TOLERANT);
    switch (place) {
    case IDLE:
    case PLACES:
        return;
    case UPLOAD_IDLE:
        assert_int_equal(request(bench, 0xA1, DFURT_UPLOAD, 0, TRANSFER_SIZE, NULL), TRANSFER_SIZE);
        return;
    case ERROR:
        assert_int_equal(request(bench, 0x21, DFURT_DETACH, 0, 0, NULL), DFU_MODE_STALL);
        return;
    case SYNC_BLOCK:
    case SYNC_DONE:
    case BUSY:
    case DNLOAD_IDLE:
    case MANIFEST_SYNC:
    case MANIFEST_SYNC_DONE:
    case MANIFEST:
    case WAIT_RESET:
        break;
    }
    assert_int_equal(dnload(bench, 0, "firm", 4), 0);
    if (place == SYNC_BLOCK)
        return;
    if (place == BUSY) {
        assert_int_equal(request(bench, 0xA1, DFURT_GETSTATUS, 0, 6, &reply), 6);
        return;
    }
    assert_int_equal(get_status(bench), DFURT_STATE_dfuDNBUSY);
    if (place == SYNC_DONE)
        return;
    assert_int_equal(get_status(bench), DFURT_STATE_dfuDNLOAD_IDLE);
    if (place == DNLOAD_IDLE)
        return;
    assert_int_equal(dnload(bench, 1, NULL, 0), 0);
    if (place == MANIFEST_SYNC)
        return;
    assert_int_equal(request(bench, 0xA1, DFURT_GETSTATUS, 0, 6, &reply), 6);
    if (place != MANIFEST)
        dfu_mode_tick(&bench->dfu, usbdev_load_le16(reply + 1));
}

struct column {
    const char *name;
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wLength;
};

static const struct column columns[] = {
    {"DETACH", 0x21, DFURT_DETACH, 0},       {"DNLOAD of nothing", 0x21, DFURT_DNLOAD, 0},
    {"DNLOAD", 0x21, DFURT_DNLOAD, 4},       {"UPLOAD of nothing", 0xA1, DFURT_UPLOAD, 0},
    {"UPLOAD", 0xA1, DFURT_UPLOAD, 32},      {"GETSTATUS", 0xA1, DFURT_GETSTATUS, 6},
    {"CLRSTATUS", 0x21, DFURT_CLRSTATUS, 0}, {"GETSTATE", 0xA1, DFURT_GETSTATE, 1},
    {"ABORT", 0x21, DFURT_ABORT, 0},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

// Positive: accepted, goes to this state. Negative: STALL, goes to this state.
#define S(state) (-(state))

// clang-format off
static const int8_t table[PLACES][COLUMNS] = {
    //                     DETACH   DNLOAD 0  DNLOAD  UPLOAD 0  UPLOAD  GETSTATUS CLRSTATUS GETSTATE ABORT
    [IDLE] =               {S(10),  S(10),    3,      9,        9,      2,        S(10),    2,       2},
    [SYNC_BLOCK] =         {S(10),  S(10),    S(10),  S(10),    S(10),  4,        S(10),    3,       S(10)},
    [SYNC_DONE] =          {S(10),  S(10),    S(10),  S(10),    S(10),  5,        S(10),    3,       S(10)},
    [BUSY] =               {S(10),  S(10),    S(10),  S(10),    S(10),  S(10),    S(10),    S(10),   S(10)},
    [DNLOAD_IDLE] =        {S(10),  6,        3,      S(10),    S(10),  5,        S(10),    5,       2},
    [MANIFEST_SYNC] =      {S(10),  S(10),    S(10),  S(10),    S(10),  7,        S(10),    6,       S(10)},
    [MANIFEST_SYNC_DONE] = {S(10),  S(10),    S(10),  S(10),    S(10),  2,        S(10),    6,       S(10)},
    [MANIFEST] =           {S(10),  S(10),    S(10),  S(10),    S(10),  S(10),    S(10),    S(10),   S(10)},
    [WAIT_RESET] =         {S(8),   S(8),     S(8),   S(8),     S(8),   8,        S(8),     8,       S(8)},
    [UPLOAD_IDLE] =        {S(10),  S(10),    S(10),  S(10),    9,      9,        S(10),    9,       2},
    [ERROR] =              {S(10),  S(10),    S(10),  S(10),    S(10),  10,       2,        10,      S(10)},
};

static const uint8_t state_at[PLACES] = {
    [IDLE] = 2, [SYNC_BLOCK] = 3, [SYNC_DONE] = 3, [BUSY] = 4, [DNLOAD_IDLE] = 5,
    [MANIFEST_SYNC] = 6, [MANIFEST_SYNC_DONE] = 6, [MANIFEST] = 7, [WAIT_RESET] = 8,
    [UPLOAD_IDLE] = 9, [ERROR] = 10,
};
// clang-format on

static void every_cell__is_as_in_the_table(void **state)
{
    (void)state;
    static struct bench bench;

    for (enum place place = 0; place < PLACES; place++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            const struct column *column = &columns[i];
            int expected = table[place][i];
            reach(&bench, place);
            assert_int_equal(bench.dfu.bState, state_at[place]);

            int result =
                request(&bench, column->bmRequestType, column->bRequest, 0, column->wLength, NULL);

            if ((result == DFU_MODE_STALL) != (expected < 0) ||
                bench.dfu.bState != (expected < 0 ? -expected : expected))
                fail_msg("%s in state %d (place %d): expected %s, then state %d; got %d, then "
                         "state %d",
                         column->name, state_at[place], (int)place,
                         expected < 0 ? "STALL" : "a reply", expected < 0 ? -expected : expected,
                         result, bench.dfu.bState);
            if (expected == S(10) && place != ERROR)
                assert_int_equal(bench.dfu.bStatus, DFURT_STATUS_errSTALLEDPKT);
        }
    }
}

static bool in_table(uint8_t bmRequestType, unsigned bRequest)
{
    for (size_t i = 0; i < COLUMNS; i++)
        if (columns[i].bmRequestType == bmRequestType && columns[i].bRequest == bRequest)
            return true;
    return false;
}

static void every_other_request__stalls_into_dfuERROR(void **state)
{
    (void)state;
    static struct bench bench;

    for (enum place place = 0; place < PLACES; place++) {
        for (unsigned n = 0; n < 512; n++) {
            uint8_t bmRequestType = n < 256 ? 0x21 : 0xA1;

            if (in_table(bmRequestType, n % 256))
                continue;
            reach(&bench, place);

            assert_int_equal(request(&bench, bmRequestType, (uint8_t)n, 0, 0, NULL),
                             DFU_MODE_STALL);
            assert_int_equal(bench.dfu.bState, place == WAIT_RESET ? 8 : 10);
        }
    }
}

static void data_with_a_request_that_has_none__stalls_into_dfuERROR(void **state)
{
    (void)state;
    static const uint8_t requests[] = {DFURT_DETACH, DFURT_CLRSTATUS, DFURT_ABORT};
    static struct bench bench;

    for (size_t i = 0; i < sizeof requests; i++) {
        reach(&bench, IDLE);

        assert_int_equal(request(&bench, 0x21, requests[i], 0, 1, NULL), DFU_MODE_STALL);
        assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);
    }
}

// ---- What the table's conditions depend on ----

static void idle__refuses_what_bmAttributes_does_not_offer(void **state)
{
    (void)state;
    static struct bench bench;

    set_up(&bench, &dfu_dialect_plain, DFURT_ATTR_CAN_UPLOAD);
    assert_int_equal(dnload(&bench, 0, "firm", 4), DFU_MODE_STALL);
    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);

    set_up(&bench, &dfu_dialect_plain, DFURT_ATTR_CAN_DNLOAD);
    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 0, 4, NULL), DFU_MODE_STALL);
    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);
}

static void upload__ends_with_a_short_block(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_plain, BOTH_WAYS); // 200 bytes of firmware

    for (uint16_t block = 0; block < 3; block++) {
        assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, block, 64, NULL), 64);
        assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuUPLOAD_IDLE);
    }
    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 3, 64, NULL), 200 - 3 * 64);

    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuIDLE);
}

static void blocks__larger_than_wTransferSize_stall(void **state)
{
    (void)state;
    static struct bench bench;

    set_up(&bench, &dfu_dialect_plain, BOTH_WAYS);
    assert_int_equal(request(&bench, 0x21, DFURT_DNLOAD, 0, TRANSFER_SIZE + 1, NULL),
                     DFU_MODE_STALL);
    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);

    set_up(&bench, &dfu_dialect_plain, BOTH_WAYS);
    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 0, TRANSFER_SIZE + 1, NULL),
                     DFU_MODE_STALL);
    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);
}

static void busy__ends_within_bwPollTimeout_and_not_at_once(void **state)
{
    (void)state;
    static struct bench bench;
    const uint8_t *reply = NULL;
    reach(&bench, SYNC_BLOCK);

    assert_int_equal(request(&bench, 0xA1, DFURT_GETSTATUS, 0, 6, &reply), 6);
    uint16_t poll_ms = usbdev_load_le16(reply + 1);
    assert_true(poll_ms > 2 * bench.flash.memory.erase_ms); // the mark's page and the first one
    dfu_mode_tick(&bench.dfu, (uint16_t)(2 * bench.flash.memory.erase_ms));
    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuDNBUSY);
    dfu_mode_tick(&bench.dfu, (uint16_t)(poll_ms - 2 * bench.flash.memory.erase_ms));

    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuDNLOAD_SYNC);
}

static void busy__upset_by_a_request_stops_the_work(void **state)
{
    (void)state;
    static struct bench bench;
    reach(&bench, BUSY);

    assert_int_equal(request(&bench, 0xA1, DFURT_GETSTATUS, 0, 6, NULL), DFU_MODE_STALL);
    dfu_mode_tick(&bench.dfu, 1000);

    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);
    assert_true(dfu_dialect_plain.valid(&bench.flash.memory)); // nothing was erased yet
}

static void plain__a_download_beyond_the_memory_is_errADDRESS(void **state)
{
    (void)state;
    static struct bench bench;
    static const uint8_t block[DFU_MODE_MAX_TRANSFER];
    set_up(&bench, &dfu_dialect_plain, BOTH_WAYS);
    bench.config.wTransferSize = DFU_MODE_MAX_TRANSFER;

    int bState = DFURT_STATE_dfuIDLE;
    int blocks = 0;
    while (bState != DFURT_STATE_dfuERROR && blocks < 100) {
        assert_int_equal(dnload(&bench, 0, block, sizeof block), 0);
        bState = get_status(&bench);
        if (bState == DFURT_STATE_dfuDNBUSY)
            bState = get_status(&bench);
        blocks++;
    }

    assert_int_equal(blocks, FLASH_SIZE / DFU_MODE_MAX_TRANSFER); // a page short of all of them
    assert_int_equal(bench.dfu.bStatus, DFURT_STATUS_errADDRESS);
}

// ---- Events ----

static void bus_reset__ends_DFU_mode_only_once_configured_and_with_valid_firmware(void **state)
{
    (void)state;
    static struct bench bench;

    for (enum place place = 0; place < PLACES; place++) {
        reach(&bench, place);
        bool valid = dfu_dialect_plain.valid(&bench.flash.memory);
        int expected = valid ? DFURT_STATE_dfuIDLE : DFURT_STATE_dfuERROR;

        dfu_mode_bus_reset(&bench.dfu);
        assert_int_equal(bench.left, 0);
        assert_int_equal(bench.dfu.bState, expected);
        dfu_mode_configured(&bench.dfu);
        dfu_mode_bus_reset(&bench.dfu);

        assert_int_equal(bench.left, valid);
        if (!valid)
            assert_int_equal(bench.dfu.bStatus, DFURT_STATUS_errFIRMWARE);
    }
}

static void power_on__with_corrupt_firmware_starts_in_dfuERROR(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_plain, BOTH_WAYS);

    bench.flash.bytes[FLASH_PAGE_SIZE + 50] ^= 0x10;
    dfu_mode_init(&bench.dfu, &bench.config);

    assert_int_equal(bench.dfu.bState, DFURT_STATE_dfuERROR);
    assert_int_equal(bench.dfu.bStatus, DFURT_STATUS_errFIRMWARE);
}

// ---- DfuSe ----

static void dfuse__commands(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t bytes[6];
        uint8_t length;
        uint8_t bStatus;
    } commands[] = {
        {"set address", {0x21, 0x00, 0x10, 0x00, 0x08}, 5, DFURT_STATUS_OK},
        {"set address, last byte", {0x21, 0xFF, 0xFF, 0x01, 0x08}, 5, DFURT_STATUS_OK},
        {"set address, behind it", {0x21, 0x00, 0x00, 0x02, 0x08}, 5, DFURT_STATUS_errTARGET},
        {"set address, before it", {0x21, 0xFF, 0xFF, 0xFF, 0x07}, 5, DFURT_STATUS_errTARGET},
        {"set address, options", {0x21, 0x00, 0xF8, 0xFF, 0x1F}, 5, DFURT_STATUS_OK},
        {"set address, no address", {0x21}, 1, DFURT_STATUS_errSTALLEDPKT},
        {"erase a page", {0x41, 0x00, 0x10, 0x00, 0x08}, 5, DFURT_STATUS_OK},
        {"erase nowhere", {0x41, 0x00, 0x00, 0x02, 0x08}, 5, DFURT_STATUS_errTARGET},
        {"erase all", {0x41}, 1, DFURT_STATUS_OK},
        {"erase, half an address", {0x41, 0x00, 0x00}, 3, DFURT_STATUS_errSTALLEDPKT},
        {"read-unprotect", {0x92}, 1, DFURT_STATUS_errVENDOR},
        {"unknown", {0x77}, 1, DFURT_STATUS_errSTALLEDPKT},
    };
    static struct bench bench;

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        bool good = commands[i].bStatus == DFURT_STATUS_OK;
        set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);

        assert_int_equal(dnload(&bench, 0, commands[i].bytes, commands[i].length), 0);
        int first = get_status(&bench);
        int second = get_status(&bench);

        if (first != (good ? DFURT_STATE_dfuDNBUSY : DFURT_STATE_dfuERROR) ||
            second != (good ? DFURT_STATE_dfuDNLOAD_IDLE : DFURT_STATE_dfuERROR) ||
            bench.dfu.bStatus != commands[i].bStatus)
            fail_msg("%s: states %d, %d, status %d", commands[i].name, first, second,
                     bench.dfu.bStatus);
    }
}

static void dfuse__erases_the_page_and_no_other(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);
    memset(bench.flash.bytes, 0, FLASH_SIZE);

    assert_int_equal(dnload(&bench, 0, "\x41\x04\x08\x00\x08", 5), 0);
    get_status(&bench);

    assert_int_equal(bench.flash.bytes[FLASH_PAGE_SIZE - 1], 0);
    for (int i = 0; i < FLASH_PAGE_SIZE; i++)
        assert_int_equal(bench.flash.bytes[FLASH_PAGE_SIZE + i], 0xFF);
    assert_int_equal(bench.flash.bytes[2 * FLASH_PAGE_SIZE], 0);
}

static void dfuse__writes_and_reads_block_2_and_up_from_the_address_pointer(void **state)
{
    (void)state;
    static struct bench bench;
    const uint8_t *reply = NULL;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);
    assert_int_equal(dnload(&bench, 0, "\x21\x00\x20\x00\x08", 5), 0);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuDNBUSY);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuDNLOAD_IDLE);

    assert_int_equal(dnload(&bench, 3, "data", 4), 0);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuDNBUSY);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuDNLOAD_IDLE);
    assert_int_equal(request(&bench, 0x21, DFURT_ABORT, 0, 0, NULL), 0);
    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 3, 4, &reply), 4);

    assert_memory_equal(bench.flash.bytes + 0x2000 + TRANSFER_SIZE, "data", 4);
    assert_memory_equal(reply, "data", 4);
}

static void dfuse__blocks_out_of_range_are_errTARGET(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);

    assert_int_equal(dnload(&bench, 2 + FLASH_SIZE / TRANSFER_SIZE, "data", 4), 0);

    assert_int_equal(get_status(&bench), DFURT_STATE_dfuERROR);
    assert_int_equal(bench.dfu.bStatus, DFURT_STATUS_errTARGET);
}

static void dfuse__block_1_is_reserved(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);

    assert_int_equal(dnload(&bench, 1, "data", 4), 0);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuERROR);

    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);
    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 1, 4, NULL), DFU_MODE_STALL);
}

static void dfuse__block_0_of_an_upload_lists_the_commands(void **state)
{
    (void)state;
    static struct bench bench;
    const uint8_t *reply = NULL;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);

    assert_int_equal(request(&bench, 0xA1, DFURT_UPLOAD, 0, TRANSFER_SIZE, &reply), 4);

    assert_memory_equal(reply, "\x00\x21\x41\x92", 4);
}

static void dfuse__leaves_for_the_address_pointer(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);
    assert_int_equal(dnload(&bench, 0, "\x21\x00\x40\x00\x08", 5), 0);
    get_status(&bench);
    get_status(&bench);

    assert_int_equal(dnload(&bench, 0, NULL, 0), 0);
    assert_int_equal(bench.left, 0);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuMANIFEST);
    dfu_mode_tick(&bench.dfu, 1000);

    assert_int_equal(bench.left, 1);
    assert_int_equal(bench.left_for, 0x08004000);
}

static void dfuse__leaves_from_dfuIDLE_too(void **state)
{
    (void)state;
    static struct bench bench;
    set_up(&bench, &dfu_dialect_dfuse, BOTH_WAYS);

    assert_int_equal(dnload(&bench, 2, NULL, 0), 0);
    assert_int_equal(get_status(&bench), DFURT_STATE_dfuMANIFEST);
    dfu_mode_tick(&bench.dfu, 1000);

    assert_int_equal(bench.left, 1);
    assert_int_equal(bench.left_for, 0x08000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell__is_as_in_the_table),
        cmocka_unit_test(every_other_request__stalls_into_dfuERROR),
        cmocka_unit_test(data_with_a_request_that_has_none__stalls_into_dfuERROR),
        cmocka_unit_test(idle__refuses_what_bmAttributes_does_not_offer),
        cmocka_unit_test(upload__ends_with_a_short_block),
        cmocka_unit_test(blocks__larger_than_wTransferSize_stall),
        cmocka_unit_test(busy__ends_within_bwPollTimeout_and_not_at_once),
        cmocka_unit_test(busy__upset_by_a_request_stops_the_work),
        cmocka_unit_test(plain__a_download_beyond_the_memory_is_errADDRESS),
        cmocka_unit_test(bus_reset__ends_DFU_mode_only_once_configured_and_with_valid_firmware),
        cmocka_unit_test(power_on__with_corrupt_firmware_starts_in_dfuERROR),
        cmocka_unit_test(dfuse__commands),
        cmocka_unit_test(dfuse__erases_the_page_and_no_other),
        cmocka_unit_test(dfuse__writes_and_reads_block_2_and_up_from_the_address_pointer),
        cmocka_unit_test(dfuse__blocks_out_of_range_are_errTARGET),
        cmocka_unit_test(dfuse__block_1_is_reserved),
        cmocka_unit_test(dfuse__block_0_of_an_upload_lists_the_commands),
        cmocka_unit_test(dfuse__leaves_for_the_address_pointer),
        cmocka_unit_test(dfuse__leaves_from_dfuIDLE_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
