// SPDX-License-Identifier: MIT
//
// The adapter under a fake of tud_task(): events are handled one after another, as in the queue.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <device/dcd.h>
#include <device/usbd_pvt.h>
#include <tusb.h>

#include "adapter.h"

void product_dfu_tick(uint16_t ms);

static const usbd_class_driver_t *driver;
static tusb_control_request_t current; // the stack's copy of the SETUP packet
static int data_length;                // of the data stage; -1 without one
static uint8_t data[64];

bool tud_control_xfer(uint8_t rhport,
                      const tusb_control_request_t *request,
                      void *buffer,
                      uint16_t len)
{
    (void)rhport;
    assert_ptr_equal(request, &current);
    if (request->wLength == 0)
        return true;
    data_length = len < request->wLength ? len : request->wLength;
    memcpy(data, buffer, (size_t)data_length);
    return true;
}

// DCD_EVENT_SETUP_RECEIVED. Returns false for a STALL.
bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    data_length = -1;
    current = (tusb_control_request_t){.bmRequestType = bmRequestType,
                                       .bRequest = bRequest,
                                       .wValue = STACK_wValue,
                                       .wIndex = 3,
                                       .wLength = wLength};
    return driver->control_xfer_cb(0, CONTROL_STAGE_SETUP, &current);
}

void stack_setup_for_another(void)
{
    stack_setup(0x01, USBDEV_SET_INTERFACE, 0);
}

// The transfers of endpoint 0 complete, to the status stage.
void stack_complete(void)
{
    if (data_length >= 0)
        assert_true(driver->control_xfer_cb(0, CONTROL_STAGE_DATA, &current));
    driver->control_xfer_cb(0, CONTROL_STAGE_ACK, &current);
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = data_length < 0 ? 0 : (size_t)data_length;
    return data;
}

// The interrupt, which queues the event; the task handles it later.
void stack_bus_reset(void)
{
    tud_event_hook_cb(0, DCD_EVENT_BUS_RESET, true);
    assert_int_equal(adapter_entered, 0);
    driver->reset(0);
}

void stack_other_event(void)
{
    tud_event_hook_cb(0, DCD_EVENT_UNPLUGGED, true);
}

void stack_pass(uint16_t ms)
{
    product_dfu_tick(ms);
}

static int configured(void **state)
{
    const tusb_desc_interface_t interface = {9, 4, 3, 0, 0, 0xFE, 1, 1, 0};
    uint8_t count;

    (void)state;
    adapter_entered = 0;
    driver = usbd_app_driver_get_cb(&count);
    assert_int_equal(count, 1);
    driver->init();
    assert_int_equal(driver->open(0, &interface, 18), 18);
    return 0;
}

static void open__takes_a_dfu_run_time_interface_alone(void **state)
{
    const tusb_desc_interface_t dfu_mode = {9, 4, 3, 0, 0, 0xFE, 1, 2, 0};
    const tusb_desc_interface_t hid = {9, 4, 3, 0, 1, 3, 1, 1, 0};

    (void)state;

    assert_int_equal(driver->open(0, &dfu_mode, 18), 0);
    assert_int_equal(driver->open(0, &hid, 18), 0);
}

static void bus_reset__queued_behind_the_status_stage_enters_dfu(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    tud_event_hook_cb(0, DCD_EVENT_XFER_COMPLETE, true);
    tud_event_hook_cb(0, DCD_EVENT_BUS_RESET, true);
    stack_complete();
    driver->reset(0);

    assert_int_equal(adapter_entered, 1);
}

static void reset__of_an_unplug_or_a_configuration_is_no_bus_reset(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    stack_complete();
    tud_event_hook_cb(0, DCD_EVENT_UNPLUGGED, true);
    driver->reset(0);
    assert_int_equal(adapter_entered, 0);
    assert_state(DFURT_STATE_appDETACH);
}

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(open__takes_a_dfu_run_time_interface_alone),
        TEST(bus_reset__queued_behind_the_status_stage_enters_dfu),
        TEST(reset__of_an_unplug_or_a_configuration_is_no_bus_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
