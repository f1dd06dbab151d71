// SPDX-License-Identifier: MIT
//
// The DFU run-time class as the only function of a small device.

#include "test_bench.h"

#include <dfurt/dfurt.h>

static const struct dfurt_config will_detach = {
    .wDetachTimeOut = 1000,
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x0110,
    .bmAttributes = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH,
    .settle_ms = 5,
};

struct product {
    struct bench bench;
    struct dfurt dfurt;
    struct dfurt_config config;
    int entered;
};

static void enter_dfu(void *context)
{
    ++*(int *)context;
}

static void start(struct product *product, uint8_t attribute)
{
    bench_start(&product->bench);
    product->entered = 0;
    product->config = will_detach;
    product->config.bmAttributes = DFURT_ATTR_CAN_DNLOAD | attribute;
    product->config.enter_dfu = enter_dfu;
    dfurt_init(&product->dfurt, &product->config, &product->entered);

    product->bench.functions[0] =
        (struct usbdev_function){&dfurt_usbdev_handler, &product->dfurt, 0, 1, false};
    product->bench.config.function_count = 1;
    product->bench.config.full = NULL;
    PLAY(&product->bench, {"reset", ""}, {"setup 00 05 07 00 00 00 00 00", "in 0"},
         {"taken 0", "address 7"}, {"setup 00 09 01 00 00 00 00 00", "in 0"}, {"taken 0", ""});
}

static void get_status_and_get_state__are_answered(void **state)
{
    (void)state;
    struct product product;
    start(&product, DFURT_ATTR_WILL_DETACH);

    PLAY(&product.bench, {"setup a1 03 00 00 00 00 06 00", "out 0, in 0 00 00 00 00 00 00"},
         {"taken 0", ""}, {"came 0", ""}, {"setup a1 05 00 00 00 00 01 00", "out 0, in 0 00"},
         {"setup a1 03 00 00 00 00 00 00", "in 0"},
         {"setup a1 03 00 00 00 00 02 00", "out 0, in 0 00 00"},
         {"setup a1 03 00 00 00 00 40 00", "out 0, in 0 00 00 00 00 00 00"}, {"taken 0", ""});
}

static void detach__leaves_after_its_status_stage(void **state)
{
    (void)state;
    struct product product;
    start(&product, DFURT_ATTR_WILL_DETACH);

    PLAY(&product.bench, {"setup 21 00 e8 03 00 00 00 00", "in 0"}, {"tick 100", ""},
         {"taken 0", ""}, {"tick 4", ""});
    assert_int_equal(product.entered, 0);
    PLAY(&product.bench, {"setup a1 03 00 00 00 00 06 00", "out 0, in 0 00 00 00 00 01 00"},
         {"tick 1", ""});

    assert_int_equal(product.entered, 1);
}

static void detach__is_undone_by_a_request_to_anyone_before_its_status_stage(void **state)
{
    (void)state;
    struct product product;
    start(&product, DFURT_ATTR_WILL_DETACH);

    PLAY(&product.bench, {"setup 21 00 e8 03 00 00 00 00", "in 0"},
         {"setup 80 08 00 00 00 00 01 00", "out 0, in 0 01"}, {"taken 0", ""}, {"came 0", ""},
         {"tick 65535", ""}, {"setup a1 05 00 00 00 00 01 00", "out 0, in 0 00"});

    assert_int_equal(product.entered, 0);
}

static void bus_reset_after_detach__enters_dfu_mode(void **state)
{
    (void)state;
    struct product product;
    start(&product, 0);

    PLAY(&product.bench, {"setup 21 00 e8 03 00 00 00 00", "in 0"}, {"taken 0", ""},
         {"tick 999", ""}, {"reset", ""});

    assert_int_equal(product.entered, 1);
}

static void bus_reset_without_detach__does_not(void **state)
{
    (void)state;
    struct product product;
    start(&product, 0);

    PLAY(&product.bench, {"reset", ""}, {"suspended", ""}, {"resumed", ""});

    assert_int_equal(product.entered, 0);
}

static void other_requests__stall_and_lead_to_app_idle(void **state)
{
    (void)state;
    struct product product;
    start(&product, 0);

    PLAY(&product.bench, {"setup 21 00 e8 03 00 00 00 00", "in 0"}, {"taken 0", ""},
         {"setup a1 05 00 00 00 00 01 00", "out 0, in 0 01"},
         {"setup a1 02 00 00 00 00 40 00", "stall"},
         {"setup a1 05 00 00 00 00 01 00", "out 0, in 0 00"},
         {"setup 21 01 00 00 00 00 00 00", "stall"}, {"setup a1 00 e8 03 00 00 00 00", "stall"},
         {"setup 21 00 e8 03 00 01 00 00", "stall"}, {"setup 21 00 e8 03 01 00 00 00", "stall"},
         {"setup a1 05 00 00 00 00 01 00", "out 0, in 0 00"}, {"reset", ""});

    assert_int_equal(product.entered, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_status_and_get_state__are_answered),
        cmocka_unit_test(detach__leaves_after_its_status_stage),
        cmocka_unit_test(detach__is_undone_by_a_request_to_anyone_before_its_status_stage),
        cmocka_unit_test(bus_reset_after_detach__enters_dfu_mode),
        cmocka_unit_test(bus_reset_without_detach__does_not),
        cmocka_unit_test(other_requests__stall_and_lead_to_app_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
