// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_target.h"
#include "watch.h"
#include <usb/requests.h>

static struct fake_target fake;
static struct watch watch;
static const enum device_mode mode = DEVICE_RUN_TIME;
static const unsigned on_the_way = 0;
static const bool dirty = false;
static const bool pausing = false;
static const struct device run_time;

static void start(void)
{
    fake_target_init(&fake, DFURT_ATTR_CAN_DNLOAD);
    const struct losses_view view = {&mode, &on_the_way, &dirty, &pausing, &run_time};
    watch_init(&watch, &fake.base, &view);
}

static int get_string(uint8_t index)
{
    uint8_t bytes[255];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, index, 0x0409, sizeof bytes);
    return watch.base.ops->control(&watch.base, &setup, bytes, 1000);
}

static void sleep_ms(unsigned ms)
{
    watch.base.ops->sleep_ms(&watch.base, ms);
}

static void loss__is_told_with_the_last_request_and_its_time(void **state)
{
    (void)state;
    char text[200];
    start();

    get_string(3);
    sleep_ms(12);
    fake.died = true;
    get_string(4);
    get_string(5);

    assert_int_equal(watch.losses.counts.all, 1);
    loss_text(&watch.losses.last, text, sizeof text);
    assert_string_equal(text, "the device left the bus 12 ms after GET_DESCRIPTOR(STRING 3), not "
                              "answering GET_DESCRIPTOR(STRING 4)");
}

static void loss__while_the_device_is_waited_for_has_the_time_of_its_leaving(void **state)
{
    (void)state;
    char text[200];
    start();

    get_string(3);
    fake.gone = true;
    watch.base.ops->wait_leave(&watch.base, 3000);
    sleep_ms(60000);
    losses_give_up(&watch.losses, watch.base.ops->now_us(&watch.base));

    loss_text(&watch.losses.last, text, sizeof text);
    assert_string_equal(text, "the device left the bus 0 ms after GET_DESCRIPTOR(STRING 3)");
}

static void one_silence__is_no_loss(void **state)
{
    (void)state;
    start();

    fake.hangs = true;
    get_string(3);
    fake.hangs = false;
    get_string(3);

    assert_int_equal(watch.losses.counts.all, 0);
    assert_int_equal(watch.timeouts, 1);
    assert_int_equal(watch.losses.silent, 0);
}

static void limit__ends_everything(void **state)
{
    (void)state;
    start();
    watch.run_end_ms = 1;
    watch_begin(&watch, 60000);

    int result = get_string(3);
    sleep_ms(60000);

    assert_int_equal(result, USB_IO);
    assert_int_equal(watch.base.ops->wait_return(&watch.base, 1000), USB_IO);
    assert_int_equal(fake.controls, 0);
    assert_int_equal(watch.base.ops->now_us(&watch.base), 0);
    assert_true(watch.out_of_time);
}

// What a check that was ended has left must be put in order, and the device may be on its way back.
static void limit__of_the_run_ends_no_clean_up(void **state)
{
    (void)state;
    start();
    watch.run_end_ms = 1;
    watch_begin(&watch, 60000);
    get_string(3);

    watch_begin(&watch, 0);

    assert_int_equal(get_string(3), USB_STALL);
    assert_false(watch.out_of_time);
}

static void limit__cuts_a_wait_short(void **state)
{
    (void)state;
    start();
    watch_begin(&watch, 100);

    sleep_ms(60000);

    assert_in_range(watch.base.ops->now_us(&watch.base), 0, 100000);
}

static void no_limit__lets_everything_through(void **state)
{
    (void)state;
    start();
    watch_begin(&watch, 0);

    sleep_ms(60000);

    assert_int_equal(get_string(3), USB_STALL);
    assert_int_equal(watch.base.ops->now_us(&watch.base), 60000000);
    assert_false(watch.out_of_time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss__is_told_with_the_last_request_and_its_time),
        cmocka_unit_test(loss__while_the_device_is_waited_for_has_the_time_of_its_leaving),
        cmocka_unit_test(one_silence__is_no_loss),
        cmocka_unit_test(limit__ends_everything),
        cmocka_unit_test(limit__of_the_run_ends_no_clean_up),
        cmocka_unit_test(limit__cuts_a_wait_short),
        cmocka_unit_test(no_limit__lets_everything_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
