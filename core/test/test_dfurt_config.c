// SPDX-License-Identifier: MIT
//
// What a product tells the class: its callbacks, the number of its interface, its descriptors.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "product.h"

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

// ---- Descriptors ----

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
        cmocka_unit_test(may_detach__can_refuse),
        cmocka_unit_test(may_detach__is_told_the_time_and_can_shorten_it),
        cmocka_unit_test(may_detach__cannot_make_the_time_longer),
        cmocka_unit_test(may_detach__is_told_the_settle_time_by_a_will_detach_device),
        cmocka_unit_test(may_detach__may_be_absent),
        cmocka_unit_test(may_detach__is_asked_in_app_idle_alone),
        cmocka_unit_test(cancel__before_the_status_stage_takes_the_detach_back),
        cmocka_unit_test(cancel__in_app_detach_leads_to_app_idle),
        cmocka_unit_test(cancel__within_the_callbacks_changes_nothing),
        cmocka_unit_test(interface_255__is_answered_by_its_number_alone),
        cmocka_unit_test(setup_bytes__are_decided_like_the_packet_they_hold),
        cmocka_unit_test(interface_number__can_be_told_late_and_keeps_the_state),
        cmocka_unit_test(functional_descriptor__is_what_follows_the_interface_descriptor),
        cmocka_unit_test(descriptors__say_what_the_config_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
