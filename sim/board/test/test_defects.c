// SPDX-License-Identifier: MIT
//
// What a host sees of devices with deliberate defects; and that each is wrong only there.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plugged.h"

static struct sim_host *start(const char *device, const char *defect)
{
    struct sim_host *host = plug_in(&(struct sim_options){.device = device, .defect = defect});

    enumerate(host);
    return host;
}

static int detach(struct sim_host *host)
{
    return control(host, 0x21, DFURT_DETACH, 1000, 0, NULL, 0);
}

static int get_state(struct sim_host *host)
{
    uint8_t bState = 0xFF;

    assert_int_equal(control(host, 0xA1, DFURT_GETSTATE, 0, 0, &bState, 1), 1);
    return bState;
}

static void every_defect__has_a_name_of_its_own_and_a_summary(void **state)
{
    (void)state;
    const struct sim_name *names = sim_list_defects();

    assert_non_null(names->name);
    for (const struct sim_name *it = names; it->name; it++) {
        assert_true(strlen(it->summary) > 10);
        for (const struct sim_name *other = names; other != it; other++)
            assert_string_not_equal(it->name, other->name);
    }
}

static void leaves_before_status__fails_the_detach_and_leaves_all_the_same(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach", "leaves-before-status");

    assert_int_equal(detach(host), USB_GONE);

    enumerate(host);
    assert_int_equal(vid_pid(host), 0x0483DF11);
    sim_host_close(host);
}

static void no_detach_timer__stays_in_appDETACH(void **state)
{
    (void)state;
    struct sim_host *host = start("wait-reset", "no-detach-timer");

    assert_int_equal(detach(host), 0);
    pass_ms(host, 60000);

    assert_int_equal(get_state(host), DFURT_STATE_appDETACH);
    sim_host_close(host);
}

static void second_detach__is_accepted_and_runs_the_timer_again(void **state)
{
    (void)state;
    struct sim_host *host = start("wait-reset", "second-detach");

    assert_int_equal(detach(host), 0);
    pass_ms(host, 900);
    assert_int_equal(detach(host), 0);
    pass_ms(host, 900);

    assert_int_equal(get_state(host), DFURT_STATE_appDETACH);
    pass_ms(host, 200);
    assert_int_equal(get_state(host), DFURT_STATE_appIDLE);
    sim_host_close(host);
}

static void status_always_app_idle__disagrees_with_GETSTATE(void **state)
{
    (void)state;
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    struct sim_host *host = start("wait-reset", "status-always-app-idle");

    assert_int_equal(detach(host), 0);
    assert_int_equal(control(host, 0xA1, DFURT_GETSTATUS, 0, 0, reply, 6), 6);

    assert_int_equal(reply[4], DFURT_STATE_appIDLE);
    assert_int_equal(get_state(host), DFURT_STATE_appDETACH);
    sim_host_close(host);
}

static void status_beyond_wlength__overflows(void **state)
{
    (void)state;
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    struct sim_host *host = start("will-detach", "status-beyond-wlength");

    assert_int_equal(control(host, 0xA1, DFURT_GETSTATUS, 0, 0, reply, 3), USB_OVERFLOW);
    assert_int_equal(control(host, 0xA1, DFURT_GETSTATUS, 0, 0, reply, 6), 6);
    sim_host_close(host);
}

static void same_vid_pid__in_both_modes(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach", "same-vid-pid");
    uint32_t before = vid_pid(host);

    assert_int_equal(detach(host), 0);
    pass_ms(host, 20);
    enumerate(host);

    assert_int_equal(vid_pid(host), before);
    sim_host_close(host);
}

static void no_disconnect__the_host_goes_on_talking_to_nobody(void **state)
{
    (void)state;
    uint8_t bState;
    struct sim_host *host = start("will-detach", "no-disconnect");

    assert_int_equal(detach(host), 0);
    pass_ms(host, 500);

    assert_true(sim_host_connected(host));
    assert_int_equal(control(host, 0xA1, DFURT_GETSTATE, 0, 0, &bState, 1), USB_GONE);
    sim_host_close(host);
}

static void reset_enters_dfu__without_detach(void **state)
{
    (void)state;
    struct sim_host *host = start("wait-reset", "reset-enters-dfu");

    assert_int_equal(sim_host_reset(host), USB_GONE);

    enumerate(host);
    assert_int_equal(vid_pid(host), 0x12090002);
    sim_host_close(host);
}

static void reset_bounces__never_is_in_dfu_mode_when_enumerated(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach", "reset-bounces");

    assert_int_equal(detach(host), 0);
    pass_ms(host, 20);
    enumerate(host);

    assert_int_equal(vid_pid(host), 0x12090001);
    sim_host_close(host);
}

static void slow_return__comes_back_after_25_s(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach", "slow-return");

    assert_int_equal(detach(host), 0);
    pass_ms(host, 24900);
    assert_false(sim_host_connected(host));
    enumerate(host);

    assert_int_equal(vid_pid(host), 0x0483DF11);
    sim_host_close(host);
}

static void two_defects__are_both_seen(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach", "configuration-power+rt-protocol-0");
    uint8_t configuration[27];

    assert_int_equal(control(host, 0x80, USBDEV_GET_DESCRIPTOR, 0x0200, 0, configuration, 27), 27);
    assert_int_equal(configuration[8], 251);   // bMaxPower
    assert_int_equal(configuration[9 + 7], 0); // bInterfaceProtocol
    sim_host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_defect__has_a_name_of_its_own_and_a_summary),
        cmocka_unit_test(leaves_before_status__fails_the_detach_and_leaves_all_the_same),
        cmocka_unit_test(no_detach_timer__stays_in_appDETACH),
        cmocka_unit_test(second_detach__is_accepted_and_runs_the_timer_again),
        cmocka_unit_test(status_always_app_idle__disagrees_with_GETSTATE),
        cmocka_unit_test(status_beyond_wlength__overflows),
        cmocka_unit_test(same_vid_pid__in_both_modes),
        cmocka_unit_test(reset_enters_dfu__without_detach),
        cmocka_unit_test(reset_bounces__never_is_in_dfu_mode_when_enumerated),
        cmocka_unit_test(slow_return__comes_back_after_25_s),
        cmocka_unit_test(two_defects__are_both_seen),
        cmocka_unit_test(no_disconnect__the_host_goes_on_talking_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
