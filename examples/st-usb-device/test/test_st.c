// SPDX-License-Identifier: MIT
//
// The adapter under a fake of usbd_core.c: SETUP packets, endpoint 0's IN packets, bus resets.

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usbd_ctlreq.h>
#include <usbd_ioreq.h>

#include "adapter.h"

USBD_ClassTypeDef *product_dfu_with(const USBD_ClassTypeDef *product);
void product_dfu_ep0_in_done(const USBD_HandleTypeDef *pdev);
void product_dfu_bus_reset(void);
void product_dfu_tick(uint16_t ms);

enum { SETUP_STAGE = 1 }; // USBD_EP0_SETUP

static USBD_HandleTypeDef device;
static USBD_ClassTypeDef *registered;
static uint8_t product_configuration[255] = {9, 2, 18, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 3};
static uint16_t product_length;
static int product_requests;
static bool stalled;
static uint8_t data[64];
static uint32_t data_length;

void USBD_CtlError(USBD_HandleTypeDef *pdev, USBD_SetupReqTypedef *req)
{
    assert_ptr_equal(req, &pdev->request);
    stalled = true;
}

USBD_StatusTypeDef USBD_CtlSendData(USBD_HandleTypeDef *pdev, uint8_t *pbuf, uint32_t len)
{
    assert_int_not_equal(pdev->request.wLength, 0); // the library sends the status stage alone
    pdev->ep0_state = USBD_EP0_DATA_IN;
    data_length = len;
    memcpy(data, pbuf, len);
    return USBD_OK;
}

static uint8_t product_setup(USBD_HandleTypeDef *pdev, USBD_SetupReqTypedef *req)
{
    (void)pdev, (void)req;
    product_requests++;
    return USBD_OK;
}

static uint8_t product_data_in(USBD_HandleTypeDef *pdev, uint8_t epnum)
{
    (void)pdev, (void)epnum;
    return USBD_OK;
}

static uint8_t *product_descriptor(uint16_t *length)
{
    *length = product_length;
    return product_configuration;
}

// USBD_LL_SetupStage and USBD_StdItfReq. Returns false for a STALL.
static bool setup_to(uint16_t wIndex, uint8_t bmRequest, uint8_t bRequest, uint16_t wLength)
{
    stalled = false;
    data_length = 0;
    device.request = (USBD_SetupReqTypedef){bmRequest, bRequest, STACK_wValue, wIndex, wLength};
    device.ep0_state = SETUP_STAGE;
    if (registered->Setup(&device, &device.request) == USBD_OK && wLength == 0)
        device.ep0_state = USBD_EP0_STATUS_IN; // USBD_CtlSendStatus
    return !stalled;
}

bool stack_setup(uint8_t bmRequest, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(1, bmRequest, bRequest, wLength);
}

// HAL_PCD_DataInStageCallback of endpoint 0, as usbd_conf.c calls the adapter: USBD_LL_DataInStage
// leaves USBD_EP0_STATUS_IN alone and goes from DATA_IN to STATUS_OUT.
void stack_complete(void)
{
    if (device.ep0_state == USBD_EP0_DATA_IN)
        device.ep0_state = USBD_EP0_STATUS_OUT;
    product_dfu_ep0_in_done(&device);
}

void stack_setup_for_another(void)
{
    device.request = (USBD_SetupReqTypedef){0x00, USBDEV_SET_FEATURE, 1, 0, 0}; // to the device
    device.ep0_state = USBD_EP0_STATUS_IN;
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = data_length;
    return data;
}

void stack_bus_reset(void)
{
    product_dfu_bus_reset();
}

void stack_other_event(void)
{
    // The adapter is told of bus resets alone.
}

void stack_pass(uint16_t ms)
{
    product_dfu_tick(ms);
}

static int configured(void **state)
{
    static const USBD_ClassTypeDef product = {product_setup, product_descriptor, product_data_in};
    uint16_t length;

    (void)state;
    adapter_entered = product_requests = 0;
    product_length = 18;
    device = (USBD_HandleTypeDef){.dev_state = USBD_STATE_CONFIGURED};
    registered = product_dfu_with(&product);
    registered->GetFSConfigDescriptor(&length);
    return 0;
}

static void descriptor__gains_the_dfu_interface(void **state)
{
    const uint8_t added[] = {9, 4, 1, 0, 0, 0xFE, 1, 1, 0, 9, 0x21, 0x0B, 255, 0, 0, 8, 0x1A, 1};
    uint16_t length;
    const uint8_t *bytes;

    (void)state;

    bytes = registered->GetFSConfigDescriptor(&length);

    assert_int_equal(length, 36);
    assert_int_equal(usbdev_load_le16(bytes + 2), 36);
    assert_int_equal(bytes[4], 2);
    assert_memory_equal(bytes + 9, product_configuration + 9, 9);
    assert_memory_equal(bytes + 18, added, 18);
    assert_int_equal(product_configuration[4], 1);
}

static void descriptor__too_long_stays_the_products(void **state)
{
    static const USBD_ClassTypeDef product = {product_setup, product_descriptor, product_data_in};
    uint16_t length;

    (void)state;

    registered = product_dfu_with(&product);
    product_length = 239;
    assert_ptr_equal(registered->GetFSConfigDescriptor(&length), product_configuration);
    assert_int_equal(length, 239);
    setup_to(0, 0x21, DFURT_DETACH, 0);
    assert_int_equal(product_requests, 1);
}

static void detach__in_the_address_state_stalls(void **state)
{
    (void)state;

    device.dev_state = USBD_STATE_ADDRESSED;
    assert_false(stack_setup(0x21, DFURT_DETACH, 0));
}

static void other_handlers__are_the_products(void **state)
{
    (void)state;

    assert_ptr_equal(registered->DataIn, product_data_in);
}

static void other_requests__are_left_to_the_product(void **state)
{
    (void)state;

    setup_to(0, 0x21, DFURT_DETACH, 0);
    setup_to(1, 0x01, USBDEV_SET_INTERFACE, 0);
    setup_to(0x81, 0x22, DFURT_DETACH, 0);

    assert_int_equal(product_requests, 3);
    assert_state(DFURT_STATE_appIDLE);
}

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(descriptor__gains_the_dfu_interface),
        TEST(descriptor__too_long_stays_the_products),
        TEST(detach__in_the_address_state_stalls),
        TEST(other_handlers__are_the_products),
        TEST(other_requests__are_left_to_the_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
