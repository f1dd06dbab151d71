// SPDX-License-Identifier: MIT
//
// adapter.h - what every adapter to a USB stack must do, tested once: DETACH and its status stage,
// a second DETACH, a bus reset. The test of an adapter is a fake of its stack that supplies the
// stack_ functions, with the product's DFU interface configured before each test, and tests of
// what that stack alone has:
//
//     const struct CMUnitTest tests[] = {
//         ADAPTER_TESTS(configured),
//         cmocka_unit_test_setup(descriptor__gains_the_dfu_interface, configured),
//     };

#ifndef EXAMPLES_ADAPTER_H
#define EXAMPLES_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/dfurt.h>

// ---- The fake of the stack ----

enum { STACK_wValue = 1000 };

// A SETUP packet for the DFU interface, with wValue STACK_wValue. Returns false for a STALL.
bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength);

// A SETUP packet of a standard request, which the stack answers.
void stack_setup_for_another(void);

// What follows the last SETUP packet, the end of its status stage included.
void stack_complete(void);

// The data of the last answer.
const uint8_t *stack_answer(size_t *ret_length);

void stack_bus_reset(void);
void stack_other_event(void); // any that is no bus reset
void stack_pass(uint16_t ms); // time

// ---- For all tests ----

// How often the product was asked for its boot loader; a test's set-up makes it 0.
extern int adapter_entered;

void assert_state(enum dfurt_state bState);

void detach__enters_dfu_only_after_the_status_stage(void **state);
void detach__without_its_status_stage_never_happened(void **state);
void second_detach__stalls_and_leads_to_app_idle(void **state);
void bus_reset__in_app_detach_enters_dfu(void **state);

#define ADAPTER_TESTS(setup)                                                                       \
    cmocka_unit_test_setup(detach__enters_dfu_only_after_the_status_stage, setup),                 \
        cmocka_unit_test_setup(detach__without_its_status_stage_never_happened, setup),            \
        cmocka_unit_test_setup(second_detach__stalls_and_leads_to_app_idle, setup),                \
        cmocka_unit_test_setup(bus_reset__in_app_detach_enters_dfu, setup)

#endif
