// SPDX-License-Identifier: MIT

#include "adapter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    TO_DFU = USBDEV_TYPE_CLASS | USBDEV_RECIPIENT_INTERFACE,
    FROM_DFU = USBDEV_DIR_IN | TO_DFU,
    LONGER = 64, // than any answer
};

int adapter_entered;

void board_enter_boot_loader(void *context); // the adapters ask for it

void board_enter_boot_loader(void *context)
{
    (void)context;
    adapter_entered++;
}

void assert_state(enum dfurt_state bState)
{
    const uint8_t *answer;
    size_t length;

    assert_true(stack_setup(FROM_DFU, DFURT_GETSTATUS, LONGER));
    answer = stack_answer(&length);
    assert_int_equal(length, DFURT_STATUS_REPLY_SIZE);
    assert_int_equal(answer[0], DFURT_STATUS_OK);
    assert_int_equal(answer[4], bState);
    stack_complete();
}

void detach__enters_dfu_only_after_the_status_stage(void **state)
{
    size_t length;

    (void)state;

    assert_true(stack_setup(TO_DFU, DFURT_DETACH, 0));
    stack_answer(&length);
    assert_int_equal(length, 0);
    stack_pass(STACK_wValue);
    assert_int_equal(adapter_entered, 0);
    stack_complete();
    stack_pass(4);
    assert_int_equal(adapter_entered, 0);
    stack_pass(1); // settle_ms has passed

    assert_int_equal(adapter_entered, 1);
}

void detach__without_its_status_stage_never_happened(void **state)
{
    (void)state;

    assert_true(stack_setup(TO_DFU, DFURT_DETACH, 0));
    stack_setup_for_another();
    stack_complete();
    assert_state(DFURT_STATE_appIDLE);
    stack_pass(STACK_wValue);

    assert_int_equal(adapter_entered, 0);
}

void second_detach__stalls_and_leads_to_app_idle(void **state)
{
    (void)state;

    assert_true(stack_setup(TO_DFU, DFURT_DETACH, 0));
    stack_complete();
    assert_state(DFURT_STATE_appDETACH);
    assert_false(stack_setup(TO_DFU, DFURT_DETACH, 0));

    assert_state(DFURT_STATE_appIDLE);
    stack_pass(STACK_wValue);
    assert_int_equal(adapter_entered, 0);
}

void bus_reset__in_app_detach_enters_dfu(void **state)
{
    (void)state;

    assert_true(stack_setup(TO_DFU, DFURT_DETACH, 0));
    stack_complete();
    stack_other_event();
    assert_int_equal(adapter_entered, 0);
    stack_bus_reset();

    assert_int_equal(adapter_entered, 1);
}
