// SPDX-License-Identifier: MIT
//
// The adapter under a fake of Zephyr's stack: the thread passes what the bus brings to the wrapped
// names, the real ones are the stack's. A buffer is freed by the real function, and must not
// be read afterwards. The work queue runs when the test lets time pass.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <zephyr/drivers/usb/udc.h>
#include <zephyr/kernel.h>
#include <zephyr/usb/usbd.h>
#include <zephyr/version.h>

#include "adapter.h"

int __real_usbd_handle_ctrl_xfer(struct usbd_context *device, struct net_buf *buf, int err);
int __wrap_usbd_handle_ctrl_xfer(struct usbd_context *device, struct net_buf *buf, int err);
void __real_usbd_msg_pub_simple(struct usbd_context *device, enum usbd_msg_type type, int status);
void __wrap_usbd_msg_pub_simple(struct usbd_context *device, enum usbd_msg_type type, int status);

enum { INTERFACE = 2 };

struct usbd_context {
    bool is_configured;
    enum usbd_msg_type last_message;
};
struct usbd_class_data {
    struct usbd_context *context;
};
struct net_buf {
    struct udc_buf_info info;
    size_t size, len;
    uint8_t data[64];
};

static struct usbd_context device, other_device;
static struct usbd_class_data class_data = {&device};
static struct net_buf reply; // of the last request
static bool stalled, is_out_of_buffers;

static int64_t now_ms;
static struct k_work_delayable *scheduled;
static int64_t due_ms;

// ---- The kernel ----

struct k_work_delayable *k_work_delayable_from_work(struct k_work *work)
{
    return (struct k_work_delayable *)work;
}

int k_work_schedule(struct k_work_delayable *work, k_timeout_t delay)
{
    if (scheduled)
        return 0;
    scheduled = work;
    due_ms = now_ms + delay;
    return 1;
}

int64_t k_uptime_delta(int64_t *reference)
{
    int64_t delta = now_ms - *reference;

    *reference = now_ms;
    return delta;
}

void stack_pass(uint16_t ms)
{
    for (int64_t end_ms = now_ms + ms; now_ms < end_ms;) {
        now_ms++;
        if (scheduled && due_ms <= now_ms) {
            struct k_work *work = &scheduled->work;

            scheduled = NULL;
            work->handler(work);
        }
    }
}

// ---- The stack ----

struct usbd_context *usbd_class_get_ctx(const struct usbd_class_data *data)
{
    return data->context;
}

struct udc_buf_info *udc_get_buf_info(const struct net_buf *buf)
{
    return (struct udc_buf_info *)&buf->info;
}

void *net_buf_add_mem(struct net_buf *buf, const void *mem, size_t len)
{
    assert_true(buf->len + len <= buf->size);
    buf->len += len;
    return memcpy(buf->data + buf->len - len, mem, len);
}

struct net_buf *usbd_ep_ctrl_data_in_alloc(struct usbd_context *context, size_t size)
{
    assert_ptr_equal(context, &device);
    reply = (struct net_buf){.size = size};
    return is_out_of_buffers ? NULL : &reply;
}

// Before 4.5 the class says STALL by errno, and the data of a request comes with it.
#if ZEPHYR_VERSION_CODE < ZEPHYR_VERSION(4, 5, 0)
static bool class_accepts(const struct usb_setup_packet *setup)
{
    errno = 0;
    reply = (struct net_buf){.size = setup->wLength};
    if (setup->bmRequestType & USBDEV_DIR_IN)
        assert_int_equal(stand_in_class->control_to_host(&class_data, setup, &reply), 0);
    else
        assert_int_equal(stand_in_class->control_to_dev(&class_data, setup, &reply), 0);
    return errno == 0;
}
#else
static bool class_accepts(const struct usb_setup_packet *setup)
{
    reply.len = 0;
    if (setup->bmRequestType & USBDEV_DIR_IN)
        return stand_in_class->control_to_host(&class_data, setup) != NULL;
    if (stand_in_class->control_to_dev(&class_data, setup, NULL) != 0)
        return false;
    return !setup->wLength || stand_in_class->control_to_dev(&class_data, setup, &reply) == 0;
}
#endif

// The class is asked when its interface exists; the stack looks at the low byte of wIndex.
static bool accepts(const struct usb_setup_packet *setup)
{
    if ((setup->bmRequestType & 0x60) == USBDEV_TYPE_STANDARD)
        return true;
    return device.is_configured && (setup->wIndex & 0xFF) == INTERFACE && class_accepts(setup);
}

int __real_usbd_handle_ctrl_xfer(struct usbd_context *context, struct net_buf *buf, int err)
{
    if (context == &device && buf->info.setup && !err) {
        const struct usbdev_setup_packet packet = usbdev_setup_load(buf->data);
        const struct usb_setup_packet setup = {packet.bmRequestType, packet.bRequest, packet.wValue,
                                               packet.wIndex, packet.wLength};

        stalled = !accepts(&setup);
    }
    free(buf);
    return 0;
}

void __real_usbd_msg_pub_simple(struct usbd_context *context, enum usbd_msg_type type, int status)
{
    (void)status;
    context->last_message = type;
}

// ---- The controller ----

static void endpoint_event(struct usbd_context *context, struct udc_buf_info info, int err)
{
    struct net_buf *buf = calloc(1, sizeof *buf);

    assert_non_null(buf);
    buf->info = info;
    assert_int_equal(__wrap_usbd_handle_ctrl_xfer(context, buf, err), 0);
}

// Returns false for a STALL.
static bool setup_to(uint16_t wIndex, uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    struct net_buf *buf = calloc(1, sizeof *buf);

    assert_non_null(buf);
    buf->info.setup = 1;
    usbdev_setup_store(buf->data, &(struct usbdev_setup_packet){bmRequestType, bRequest,
                                                                STACK_wValue, wIndex, wLength});
    assert_int_equal(__wrap_usbd_handle_ctrl_xfer(&device, buf, 0), 0);
    return !stalled;
}

bool stack_setup(uint8_t bmRequestType, uint8_t bRequest, uint16_t wLength)
{
    return setup_to(INTERFACE, bmRequestType, bRequest, wLength);
}

void stack_setup_for_another(void)
{
    setup_to(0, 0x00, USBDEV_SET_FEATURE, 0);
}

static void status_in(void)
{
    endpoint_event(&device, (struct udc_buf_info){.ep = 0x80, .status = 1}, 0);
}

void stack_complete(void)
{
    if (reply.len == 0) {
        status_in();
        return;
    }
    endpoint_event(&device, (struct udc_buf_info){.ep = 0x80, .data = 1}, 0);
    endpoint_event(&device, (struct udc_buf_info){.ep = 0x00, .status = 1}, 0);
}

const uint8_t *stack_answer(size_t *ret_length)
{
    *ret_length = reply.len;
    return reply.data;
}

static void bus_reset(struct usbd_context *context)
{
    __wrap_usbd_msg_pub_simple(context, USBD_MSG_RESET, 0);
    assert_int_equal(context->last_message, USBD_MSG_RESET);
}

void stack_bus_reset(void)
{
    bus_reset(&device);
}

void stack_other_event(void)
{
    __wrap_usbd_msg_pub_simple(&device, USBD_MSG_SUSPEND, 0);
}

// As usbd_init() does: the interface gets its number in its descriptor, then the class is told.
static int configured(void **state)
{
    struct usb_desc_header **list = stand_in_class->get_desc(&class_data, USBD_SPEED_FS);

    (void)state;
    ((uint8_t *)list[0])[2] = INTERFACE;
    assert_int_equal(stand_in_class->init(&class_data), 0);
    device = other_device = (struct usbd_context){.is_configured = true};
    is_out_of_buffers = false;
    adapter_entered = 0;
    scheduled = NULL;
    now_ms = 100000;
    return 0;
}

static void descriptors__are_an_interface_and_a_functional_descriptor(void **state)
{
    static const uint8_t interface[] = {9, 4, INTERFACE, 0, 0, 0xFE, 1, 1, 0};
    static const uint8_t functional[] = {9, 0x21, 0x0B, 0xFF, 0x00, 0x00, 0x08, 0x1A, 0x01};
    struct usb_desc_header **list = stand_in_class->get_desc(&class_data, USBD_SPEED_HS);

    (void)state;

    assert_memory_equal(list[0], interface, sizeof interface);
    assert_memory_equal(list[1], functional, sizeof functional);
    assert_null(list[2]);
}

static void detach__is_not_waited_for_any_more_once_dfu_is_entered(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    status_in();
    stack_pass(5);
    stack_pass(1000);

    assert_int_equal(adapter_entered, 1);
    assert_null(scheduled);
}

static void detach__counts_the_time_that_the_work_queue_was_late(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    status_in();
    now_ms += 9;
    stack_pass(1);

    assert_int_equal(adapter_entered, 1);
}

static void detach__whose_status_stage_was_aborted_never_happened(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    endpoint_event(&device, (struct udc_buf_info){.ep = 0x80, .status = 1}, -ECONNABORTED);
    stack_pass(1000);

    assert_state(DFURT_STATE_appIDLE);
    assert_int_equal(adapter_entered, 0);
}

static void detach__does_not_mind_another_device(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    endpoint_event(&other_device, (struct udc_buf_info){.ep = 0x80, .status = 1}, 0);
    stack_pass(1000);
    assert_int_equal(adapter_entered, 0);
    bus_reset(&other_device);
    status_in();
    bus_reset(&other_device);
    assert_int_equal(adapter_entered, 0);
    stack_pass(5);

    assert_int_equal(adapter_entered, 1);
}

static void dnload__in_app_detach_stalls_and_leads_to_app_idle(void **state)
{
    (void)state;

    assert_true(stack_setup(0x21, DFURT_DETACH, 0));
    status_in();
    assert_false(stack_setup(0x21, DFURT_DNLOAD, 16));

    assert_state(DFURT_STATE_appIDLE);
}

static void request__for_an_interface_with_the_same_low_byte_stalls(void **state)
{
    (void)state;

    assert_false(setup_to(0x0100 | INTERFACE, 0xA1, DFURT_GETSTATUS, 6));
    assert_int_equal(reply.len, 0);
}

// Before 4.5 the stack has allocated the buffer, or does not ask the class.
#if ZEPHYR_VERSION_CODE >= ZEPHYR_VERSION(4, 5, 0)
static void getstatus__stalls_where_no_buffer_is_left(void **state)
{
    (void)state;
    is_out_of_buffers = true;

    assert_false(stack_setup(0xA1, DFURT_GETSTATUS, 6));
    is_out_of_buffers = false;
    assert_state(DFURT_STATE_appIDLE);
}
#endif

#define TEST(name) cmocka_unit_test_setup(name, configured)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADAPTER_TESTS(configured),
        TEST(descriptors__are_an_interface_and_a_functional_descriptor),
        TEST(detach__is_not_waited_for_any_more_once_dfu_is_entered),
        TEST(detach__counts_the_time_that_the_work_queue_was_late),
        TEST(detach__whose_status_stage_was_aborted_never_happened),
        TEST(detach__does_not_mind_another_device),
        TEST(dnload__in_app_detach_stalls_and_leads_to_app_idle),
        TEST(request__for_an_interface_with_the_same_low_byte_stalls),
#if ZEPHYR_VERSION_CODE >= ZEPHYR_VERSION(4, 5, 0)
        TEST(getstatus__stalls_where_no_buffer_is_left),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
