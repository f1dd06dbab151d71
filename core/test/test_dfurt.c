// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <dfurt/dfurt.h>

enum { INTERFACE = 2 };

// A product around one instance. The callbacks do what the test has asked for.
struct product {
    struct dfurt dfurt;
    struct dfurt_config config;
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    int entered;              // calls of enter_dfu
    int state_when_entered;   // what GETSTATE would have said within the last one
    bool refuse;              // may_detach says no
    bool cancel_in_callbacks; // both call dfurt_cancel()
    uint16_t offered_ms;      // what may_detach was told
    int wanted_ms;            // what it answers; negative: leaves it alone
};

static bool may_detach(void *context, uint16_t *timeout_ms)
{
    struct product *product = context;

    product->offered_ms = *timeout_ms;
    if (product->wanted_ms >= 0)
        *timeout_ms = (uint16_t)product->wanted_ms;
    if (product->cancel_in_callbacks)
        dfurt_cancel(&product->dfurt);
    return !product->refuse;
}

static int request(struct product *product,
                   uint8_t bmRequestType,
                   uint8_t bRequest,
                   uint16_t wValue,
                   uint16_t wLength)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, INTERFACE, wLength};

    return dfurt_setup(&product->dfurt, &setup, product->reply);
}

static int get_state(struct product *product)
{
    if (request(product, 0xA1, DFURT_GETSTATE, 0, 1) != 1)
        return -1;
    return product->reply[0];
}

static void enter_dfu(void *context)
{
    struct product *product = context;

    product->entered++;
    product->state_when_entered = get_state(product);
    if (product->cancel_in_callbacks)
        dfurt_cancel(&product->dfurt);
}

static void start(struct product *product, uint8_t attribute)
{
    *product = (struct product){
        .config =
            {
                .wDetachTimeOut = 1000,
                .wTransferSize = 2048,
                .bcdDFUVersion = 0x0110,
                .bmAttributes = DFURT_ATTR_CAN_DNLOAD | attribute,
                .bInterfaceNumber = INTERFACE,
                .settle_ms = 5,
                .may_detach = may_detach,
                .enter_dfu = enter_dfu,
            },
        .wanted_ms = -1,
    };
    dfurt_init(&product->dfurt, &product->config, product);
}

static void start_will_detach(struct product *product)
{
    start(product, DFURT_ATTR_WILL_DETACH);
}

static void start_wait_reset(struct product *product)
{
    start(product, 0);
}

// DETACH and its status stage.
static void detach(struct product *product, uint16_t wValue)
{
    assert_int_equal(request(product, 0x21, DFURT_DETACH, wValue, 0), 0);
    dfurt_status_complete(&product->dfurt);
}

// ---- The state tables, every cell ----

// A row of DFU 1.1 table A.2.1 (appIDLE) or A.2.2 (appDETACH). What matches no row is the table's
// "any other request": STALL, on to appIDLE.
struct row {
    uint8_t state, bRequest;
    bool in;        // the direction that the request has in table 3.1
    bool data;      // has it a data stage?
    uint8_t length; // of the whole reply
    uint8_t next;
};

static const struct row table[] = {
    {DFURT_STATE_appIDLE, DFURT_DETACH, false, false, 0, DFURT_STATE_appDETACH},
    {DFURT_STATE_appIDLE, DFURT_GETSTATUS, true, true, 6, DFURT_STATE_appIDLE},
    {DFURT_STATE_appIDLE, DFURT_GETSTATE, true, true, 1, DFURT_STATE_appIDLE},
    {DFURT_STATE_appDETACH, DFURT_GETSTATUS, true, true, 6, DFURT_STATE_appDETACH},
    {DFURT_STATE_appDETACH, DFURT_GETSTATE, true, true, 1, DFURT_STATE_appDETACH},
};

struct verdict {
    int result;
    uint8_t reply[6];
    uint8_t next;
};

static const struct row *find_row(uint8_t state, const struct usbdev_setup_packet *setup)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].state == state && table[i].bRequest == setup->bRequest &&
            table[i].in == (setup->bmRequestType >= 0x80) && (table[i].data || setup->wLength == 0))
            return &table[i];
    return NULL;
}

static struct verdict specified(uint8_t state, const struct usbdev_setup_packet *setup)
{
    const bool mine = (setup->bmRequestType == 0x21 || setup->bmRequestType == 0xA1) &&
                      setup->wIndex == INTERFACE;
    if (!mine)
        return (struct verdict){.result = DFURT_NOT_MINE, .next = state};

    const struct row *row = find_row(state, setup);
    if (!row)
        return (struct verdict){.result = DFURT_STALL, .next = DFURT_STATE_appIDLE};

    struct verdict verdict = {.result = row->length, .next = row->next};
    if (setup->wLength < row->length)
        verdict.result = setup->wLength;
    verdict.reply[row->length == 6 ? 4 : 0] = row->next; // bStatus, bwPollTimeout, iString are 0
    return verdict;
}

static void check_cell(void (*start_device)(struct product *),
                       uint8_t state,
                       const struct usbdev_setup_packet *setup)
{
    const struct verdict expected = specified(state, setup);
    struct product product;
    start_device(&product);
    if (state == DFURT_STATE_appDETACH)
        detach(&product, 1000);

    int result = dfurt_setup(&product.dfurt, setup, product.reply);
    bool same = result == expected.result &&
                (result < 0 || memcmp(product.reply, expected.reply, (size_t)result) == 0);
    if (result >= 0)
        dfurt_status_complete(&product.dfurt);
    int next = get_state(&product);

    if (!same || next != expected.next || product.entered != 0)
        fail_msg("state %d, request %02x %02x wIndex %04x wLength %u: "
                 "expected %d and state %d, came %d and state %d, reply %02x .. %02x, entered %d",
                 state, setup->bmRequestType, setup->bRequest, setup->wIndex, setup->wLength,
                 expected.result, expected.next, result, next, product.reply[0], product.reply[4],
                 product.entered);
}

static void check_all_cells(void (*start_device)(struct product *), uint8_t state)
{
    static const uint16_t lengths[] = {0, 1, 5, 6, 7, 64, 0x0100, 0xFFFF};
    static const uint16_t indexes[] = {
        INTERFACE, 0, INTERFACE + 1, INTERFACE | 0x0100, INTERFACE | 0x8000, INTERFACE << 8, 0xFFFF,
    };
    struct usbdev_setup_packet setup = {.wValue = 1000};

    for (unsigned type = 0; type < 256; type++)
        for (unsigned bRequest = 0; bRequest < 256; bRequest++)
            for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
                for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
                    setup.bmRequestType = (uint8_t)type;
                    setup.bRequest = (uint8_t)bRequest;
                    setup.wIndex = indexes[i];
                    setup.wLength = lengths[j];
                    check_cell(start_device, state, &setup);
                }
}

static void every_request_in_app_idle__does_as_table_a21_says(void **state)
{
    (void)state;
    check_all_cells(start_will_detach, DFURT_STATE_appIDLE);
    check_all_cells(start_wait_reset, DFURT_STATE_appIDLE);
}

static void every_request_in_app_detach__does_as_table_a22_says(void **state)
{
    (void)state;
    check_all_cells(start_will_detach, DFURT_STATE_appDETACH);
    check_all_cells(start_wait_reset, DFURT_STATE_appDETACH);
}

static void interface_255__is_answered_by_its_number_alone(void **state)
{
    (void)state;
    const struct usbdev_setup_packet mine = {0xA1, DFURT_GETSTATE, 0, 0x00FF, 1};
    const struct usbdev_setup_packet not_mine = {0xA1, DFURT_GETSTATE, 0, 0xFFFF, 1};
    struct product product;
    start_wait_reset(&product);
    dfurt_set_interface_number(&product.dfurt, 255);

    assert_int_equal(dfurt_setup(&product.dfurt, &mine, product.reply), 1);
    assert_int_equal(dfurt_setup(&product.dfurt, &not_mine, product.reply), DFURT_NOT_MINE);
}

// ---- The detach timer: WILL_DETACH clear ----

static void detach_timer__waits_the_shorter_of_wValue_and_wDetachTimeOut(void **state)
{
    (void)state;
    static const struct {
        uint16_t wValue, wDetachTimeOut, waits_ms;
    } cases[] = {
        {1000, 1000, 1000},    {999, 1000, 999},    {1001, 1000, 1000},
        {1, 1000, 1},          {65535, 1000, 1000}, {1000, 1, 1},
        {65535, 65535, 65535}, {1000, 65535, 1000}, {0x0100, 0x0001, 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct product product;
        start_wait_reset(&product);
        product.config.wDetachTimeOut = cases[i].wDetachTimeOut;
        detach(&product, cases[i].wValue);

        dfurt_tick(&product.dfurt, (uint16_t)(cases[i].waits_ms - 1));
        assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
        dfurt_tick(&product.dfurt, 1);
        assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
        assert_int_equal(product.entered, 0);
    }
}

static void detach_timer__counts_ticks_of_any_size(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 10);

    dfurt_tick(&product.dfurt, 0);
    dfurt_tick(&product.dfurt, 4);
    dfurt_tick(&product.dfurt, 5);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void detach_timer__starts_when_the_status_stage_has_completed(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 10, 0);
    dfurt_tick(&product.dfurt, 9);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 9);

    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
}

static void expired_detach_timer__leaves_a_later_bus_reset_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    detach(&product, 10);
    dfurt_tick(&product.dfurt, 10);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void wValue_0__is_over_at_once(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    detach(&product, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void wDetachTimeOut_0__never_reaches_dfu_mode_by_reset(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.config.wDetachTimeOut = 0;

    detach(&product, 1000);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void wait_reset_device__never_leaves_by_itself(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    for (int ms = 0; ms < 70000; ms++)
        dfurt_tick(&product.dfurt, 1);

    assert_int_equal(product.entered, 0);
}

// ---- Bus reset ----

static void bus_reset_in_app_idle__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void bus_reset_while_the_timer_runs__enters_dfu_mode_once(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    dfurt_tick(&product.dfurt, 999);
    dfurt_bus_reset(&product.dfurt);
    assert_int_equal(product.entered, 1);
    dfurt_bus_reset(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 1);
    assert_int_equal(product.state_when_entered, DFURT_STATE_appIDLE);
}

static void bus_reset_after_an_illegal_request__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 1000, 0), DFURT_STALL);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void bus_reset_before_the_status_stage__stays_in_run_time(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    dfurt_bus_reset(&product.dfurt);
    dfurt_status_complete(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void bus_reset_in_the_settle_time__enters_dfu_mode_at_once(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    dfurt_tick(&product.dfurt, 2);
    dfurt_bus_reset(&product.dfurt);
    dfurt_tick(&product.dfurt, 3);

    assert_int_equal(product.entered, 1);
}

// ---- Leaving by itself: WILL_DETACH set ----

static void will_detach_device__leaves_after_status_stage_and_settle_time(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    dfurt_tick(&product.dfurt, 1000);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 4);
    assert_int_equal(product.entered, 0);
    dfurt_tick(&product.dfurt, 1);
    assert_int_equal(product.entered, 1);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 1);
    assert_int_equal(product.state_when_entered, DFURT_STATE_appIDLE);
}

static void settle_time_0__leaves_with_the_status_stage(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    product.config.settle_ms = 0;

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(product.entered, 0);
    dfurt_status_complete(&product.dfurt);

    assert_int_equal(product.entered, 1);
}

static void will_detach_device__does_not_care_for_the_detach_timer(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    product.config.wDetachTimeOut = 0;

    detach(&product, 0);
    dfurt_tick(&product.dfurt, 4);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_tick(&product.dfurt, 1);

    assert_int_equal(product.entered, 1);
}

static void get_status_in_the_settle_time__does_not_keep_the_device(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0xA1, DFURT_GETSTATUS, 0, 6), 6);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 5);

    assert_int_equal(product.entered, 1);
}

static void second_detach_in_the_settle_time__keeps_the_device(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    detach(&product, 1000);

    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 1000, 0), DFURT_STALL);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
}

static void detach__works_again_after_coming_back(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    for (int round = 1; round <= 3; round++) {
        detach(&product, 1000);
        dfurt_tick(&product.dfurt, 5);
        assert_int_equal(product.entered, round);
    }
}

// ---- A DETACH whose status stage does not complete ----

static void get_status__abandons_a_detach_and_says_app_idle(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(request(&product, 0xA1, DFURT_GETSTATUS, 0, 6), 6);
    assert_int_equal(product.reply[4], DFURT_STATE_appIDLE);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void request_to_someone_else__abandons_a_detach(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    assert_int_equal(request(&product, 0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 18), DFURT_NOT_MINE);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
}

static void detach_sent_again_before_its_status_stage__is_accepted(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);

    request(&product, 0x21, DFURT_DETACH, 100, 0);
    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 50, 0), 0);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 50);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void status_stage_without_a_detach__is_nothing(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    dfurt_status_complete(&product.dfurt);
    request(&product, 0xA1, DFURT_GETSTATUS, 0, 6);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

// ---- may_detach and cancel ----

static void may_detach__can_refuse(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.refuse = true;

    assert_int_equal(request(&product, 0x21, DFURT_DETACH, 1000, 0), DFURT_STALL);
    dfurt_status_complete(&product.dfurt);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void may_detach__is_told_the_time_and_can_shorten_it(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.wanted_ms = 20;

    detach(&product, 300);
    assert_int_equal(product.offered_ms, 300);
    dfurt_tick(&product.dfurt, 19);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_tick(&product.dfurt, 1);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void may_detach__cannot_make_the_time_longer(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.wanted_ms = 65535;

    detach(&product, 300);
    dfurt_tick(&product.dfurt, 300);

    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void may_detach__is_told_the_settle_time_by_a_will_detach_device(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);
    product.wanted_ms = 2;

    detach(&product, 1000);
    assert_int_equal(product.offered_ms, 5);
    dfurt_tick(&product.dfurt, 2);

    assert_int_equal(product.entered, 1);
}

static void may_detach__may_be_absent(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.config.may_detach = NULL;

    detach(&product, 1000);

    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
}

static void may_detach__is_asked_in_app_idle_alone(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 300);

    product.offered_ms = 0;
    request(&product, 0x21, DFURT_DETACH, 200, 0);

    assert_int_equal(product.offered_ms, 0);
}

static void cancel__before_the_status_stage_takes_the_detach_back(void **state)
{
    (void)state;
    struct product product;
    start_will_detach(&product);

    request(&product, 0x21, DFURT_DETACH, 1000, 0);
    dfurt_cancel(&product.dfurt);
    dfurt_status_complete(&product.dfurt);
    dfurt_tick(&product.dfurt, 65535);

    assert_int_equal(product.entered, 0);
}

static void cancel__in_app_detach_leads_to_app_idle(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    dfurt_cancel(&product.dfurt);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 0);
}

static void cancel__within_the_callbacks_changes_nothing(void **state)
{
    (void)state;
    struct product product;
    start_wait_reset(&product);
    product.cancel_in_callbacks = true;

    detach(&product, 1000);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
    dfurt_bus_reset(&product.dfurt);

    assert_int_equal(product.entered, 1);
    assert_int_equal(get_state(&product), DFURT_STATE_appIDLE);
}

static void instances__do_not_share_anything(void **state)
{
    (void)state;
    struct product one, other;
    start_wait_reset(&one);
    start_will_detach(&other);

    detach(&one, 1000);
    assert_int_equal(get_state(&other), DFURT_STATE_appIDLE);
    detach(&other, 1000);
    dfurt_tick(&other.dfurt, 5);

    assert_int_equal(other.entered, 1);
    assert_int_equal(one.entered, 0);
    assert_int_equal(get_state(&one), DFURT_STATE_appDETACH);
}

// ---- Descriptors ----

static void setup_bytes__are_decided_like_the_packet_they_hold(void **state)
{
    (void)state;
    static const uint8_t detach_bytes[] = {0x21, DFURT_DETACH, 0xE8, 0x03, INTERFACE, 0, 0, 0};
    static const uint8_t status[] = {0xA1, DFURT_GETSTATUS, 0, 0, INTERFACE, 0, 5, 0};
    static const uint8_t high_index[] = {0xA1, DFURT_GETSTATUS, 0, 0, INTERFACE, 1, 5, 0};
    struct product product;
    start_wait_reset(&product);

    assert_int_equal(dfurt_setup_bytes(&product.dfurt, status, product.reply), 5);
    assert_int_equal(dfurt_setup_bytes(&product.dfurt, high_index, product.reply), DFURT_NOT_MINE);
    assert_int_equal(dfurt_setup_bytes(&product.dfurt, detach_bytes, product.reply), 0);
    dfurt_status_complete(&product.dfurt);

    assert_int_equal(product.offered_ms, 1000);
    assert_int_equal(get_state(&product), DFURT_STATE_appDETACH);
}

static void interface_number__can_be_told_late_and_keeps_the_state(void **state)
{
    (void)state;
    const struct usbdev_setup_packet old = {0x21, DFURT_ABORT, 0, INTERFACE, 0};
    const struct usbdev_setup_packet new = {0xA1, DFURT_GETSTATE, 0, 7, 1};
    struct product product;
    start_wait_reset(&product);
    detach(&product, 1000);

    dfurt_set_interface_number(&product.dfurt, 7);

    assert_int_equal(dfurt_setup(&product.dfurt, &old, product.reply), DFURT_NOT_MINE);
    assert_int_equal(dfurt_setup(&product.dfurt, &new, product.reply), 1);
    assert_int_equal(product.reply[0], DFURT_STATE_appDETACH);
}

static void functional_descriptor__is_what_follows_the_interface_descriptor(void **state)
{
    (void)state;
    const struct dfurt_config config = {0x1234, 0x5678, 0x011A, 0x06, 7, 9, 0, NULL, NULL};
    static const uint8_t expected[] = {9, 0x21, 0x06, 0x34, 0x12, 0x78, 0x56, 0x1A, 0x01};
    static const uint8_t constant[] = {DFURT_FUNCTIONAL_DESCRIPTOR(6, 0x1234, 0x5678, 0x011A)};
    uint8_t bytes[USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE];

    dfurt_functional_descriptor(&config, bytes);

    assert_memory_equal(bytes, expected, sizeof(expected));
    assert_int_equal(sizeof(constant), sizeof(expected));
    assert_memory_equal(constant, expected, sizeof(expected));
}

static void descriptors__say_what_the_config_says(void **state)
{
    (void)state;
    const struct dfurt_config config = {
        .wDetachTimeOut = 0x1234,
        .wTransferSize = 0x5678,
        .bcdDFUVersion = 0x011A,
        .bmAttributes = DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_MANIFESTATION_TOLERANT,
        .bInterfaceNumber = 7,
        .iInterface = 9,
    };
    const uint8_t expected[] = {
        9, 0x04, 7,    0,    0,    0xFE, 0x01, 0x01, 9,    // DFU 1.1 4.1.2
        9, 0x21, 0x06, 0x34, 0x12, 0x78, 0x56, 0x1A, 0x01, // DFU 1.1 4.1.3
    };
    uint8_t bytes[DFURT_DESCRIPTORS_SIZE + 1] = {[DFURT_DESCRIPTORS_SIZE] = 0x55};

    dfurt_descriptors(&config, bytes);

    assert_int_equal(DFURT_DESCRIPTORS_SIZE, sizeof(expected));
    assert_memory_equal(bytes, expected, sizeof(expected));
    assert_int_equal(bytes[DFURT_DESCRIPTORS_SIZE], 0x55); // and nothing behind them
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_in_app_idle__does_as_table_a21_says),
        cmocka_unit_test(every_request_in_app_detach__does_as_table_a22_says),
        cmocka_unit_test(interface_255__is_answered_by_its_number_alone),
        cmocka_unit_test(detach_timer__waits_the_shorter_of_wValue_and_wDetachTimeOut),
        cmocka_unit_test(detach_timer__counts_ticks_of_any_size),
        cmocka_unit_test(detach_timer__starts_when_the_status_stage_has_completed),
        cmocka_unit_test(expired_detach_timer__leaves_a_later_bus_reset_in_run_time),
        cmocka_unit_test(wValue_0__is_over_at_once),
        cmocka_unit_test(wDetachTimeOut_0__never_reaches_dfu_mode_by_reset),
        cmocka_unit_test(wait_reset_device__never_leaves_by_itself),
        cmocka_unit_test(bus_reset_in_app_idle__stays_in_run_time),
        cmocka_unit_test(bus_reset_while_the_timer_runs__enters_dfu_mode_once),
        cmocka_unit_test(bus_reset_after_an_illegal_request__stays_in_run_time),
        cmocka_unit_test(bus_reset_before_the_status_stage__stays_in_run_time),
        cmocka_unit_test(bus_reset_in_the_settle_time__enters_dfu_mode_at_once),
        cmocka_unit_test(will_detach_device__leaves_after_status_stage_and_settle_time),
        cmocka_unit_test(settle_time_0__leaves_with_the_status_stage),
        cmocka_unit_test(will_detach_device__does_not_care_for_the_detach_timer),
        cmocka_unit_test(get_status_in_the_settle_time__does_not_keep_the_device),
        cmocka_unit_test(second_detach_in_the_settle_time__keeps_the_device),
        cmocka_unit_test(detach__works_again_after_coming_back),
        cmocka_unit_test(get_status__abandons_a_detach_and_says_app_idle),
        cmocka_unit_test(request_to_someone_else__abandons_a_detach),
        cmocka_unit_test(detach_sent_again_before_its_status_stage__is_accepted),
        cmocka_unit_test(status_stage_without_a_detach__is_nothing),
        cmocka_unit_test(may_detach__can_refuse),
        cmocka_unit_test(may_detach__is_told_the_time_and_can_shorten_it),
        cmocka_unit_test(may_detach__cannot_make_the_time_longer),
        cmocka_unit_test(may_detach__is_told_the_settle_time_by_a_will_detach_device),
        cmocka_unit_test(may_detach__may_be_absent),
        cmocka_unit_test(may_detach__is_asked_in_app_idle_alone),
        cmocka_unit_test(cancel__before_the_status_stage_takes_the_detach_back),
        cmocka_unit_test(cancel__in_app_detach_leads_to_app_idle),
        cmocka_unit_test(cancel__within_the_callbacks_changes_nothing),
        cmocka_unit_test(instances__do_not_share_anything),
        cmocka_unit_test(setup_bytes__are_decided_like_the_packet_they_hold),
        cmocka_unit_test(interface_number__can_be_told_late_and_keeps_the_state),
        cmocka_unit_test(functional_descriptor__is_what_follows_the_interface_descriptor),
        cmocka_unit_test(descriptors__say_what_the_config_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
