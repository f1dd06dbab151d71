// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dfurt/dfurt.h>

static void enter_dfu(void *context)
{
    ++*(int *)context;
}

static const struct dfurt_config will_detach = {
    .wDetachTimeOut = 1000,
    .wTransferSize = 2048,
    .bcdDFUVersion = 0x0110,
    .bmAttributes = DFU_ATTR_CAN_DNLOAD | DFU_ATTR_WILL_DETACH,
    .settle_ms = 5,
    .enter_dfu = enter_dfu,
};

static void detach__leaves_only_after_status_stage_and_settle_time(void **state)
{
    (void)state;
    const struct usb_setup detach = {.bmRequestType = 0x21, .bRequest = DFU_DETACH, .wValue = 1000};
    struct dfurt dfurt;
    uint8_t reply[DFU_STATUS_REPLY_SIZE];
    int entered = 0;
    dfurt_init(&dfurt, &will_detach, &entered);

    assert_int_equal(dfurt_setup(&dfurt, &detach, reply), 0);
    dfurt_tick(&dfurt, 100);
    assert_int_equal(entered, 0);
    dfurt_status_complete(&dfurt);
    dfurt_tick(&dfurt, 4);
    assert_int_equal(entered, 0);
    dfurt_tick(&dfurt, 1);

    assert_int_equal(entered, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detach__leaves_only_after_status_stage_and_settle_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
