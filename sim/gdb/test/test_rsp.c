// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <gdb/rsp.h>

static struct rsp rsp;

static int set_up(void **state)
{
    (void)state;
    rsp_init(&rsp);
    return 0;
}

// Receives all of it; returns how many packets there were, and interrupts.
static unsigned receive(const char *bytes, size_t length, unsigned *ret_interrupts)
{
    unsigned packets = 0;

    *ret_interrupts = 0;
    for (size_t i = 0; i < length; i++) {
        enum rsp_event event = rsp_receive(&rsp, (uint8_t)bytes[i]);

        packets += event == RSP_PACKET;
        *ret_interrupts += event == RSP_INTERRUPT;
    }
    return packets;
}

static unsigned receive_text(const char *text)
{
    unsigned interrupts;

    return receive(text, strlen(text), &interrupts);
}

static void expect_output(const char *wanted)
{
    size_t length;
    const char *output = rsp_output(&rsp, &length);

    assert_int_equal(length, strlen(wanted));
    assert_memory_equal(output, wanted, length);
    rsp_sent(&rsp, length);
}

static void in__a_packet_is_acknowledged(void **state)
{
    (void)state;

    assert_int_equal(receive_text("$m0,4#fd"), 1);

    assert_string_equal(rsp.packet, "m0,4");
    expect_output("+");
}

static void in__a_wrong_sum_asks_for_the_packet_again(void **state)
{
    static const char *const wrong[] = {"$m0,4#fe", "$m0,4#gd", "$m0,4#f\xff", "$m0,5#fd"};
    (void)state;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(receive_text(wrong[i]), 0);
        expect_output("-");
    }
    assert_int_equal(receive_text("$m0,4#FD"), 1);
    expect_output("+");
}

static void in__escaped_bytes_are_restored(void **state)
{
    (void)state;

    assert_int_equal(receive_text("$}\x03}\x04}]}\x0a#62"), 1);

    assert_string_equal(rsp.packet, "#$}*");
}

static void in__a_packet_within_a_packet_replaces_it(void **state)
{
    (void)state;

    assert_int_equal(receive_text("$m0,$g#67"), 1);

    assert_string_equal(rsp.packet, "g");
}

static void in__03h_interrupts_between_packets_only(void **state)
{
    unsigned interrupts;
    (void)state;

    assert_int_equal(receive("+\x03$\x03#03", 7, &interrupts), 1);

    assert_int_equal(interrupts, 1);
}

static void in__a_packet_that_is_too_long_is_refused_whole(void **state)
{
    (void)state;

    receive_text("$");
    for (int i = 0; i <= RSP_MAX_PACKET; i++)
        receive_text("a");
    // (RSP_MAX_PACKET + 1) * 61h modulo 256
    assert_int_equal(receive_text("#61"), 0);

    expect_output("-");
    assert_int_equal(receive_text("$g#67"), 1);
}

static void out__special_bytes_are_escaped(void **state)
{
    (void)state;

    rsp_send(&rsp, "a#$}*", 5);

    expect_output("$a}\x03}\x04}]}\x0a#c3");
}

static void out__minus_repeats_the_last_packet(void **state)
{
    (void)state;

    rsp_send(&rsp, "OK", 2);
    expect_output("$OK#9a");
    receive_text("+-");

    expect_output("$OK#9a");
}

static void out__no_ack_mode_has_no_acknowledgements(void **state)
{
    (void)state;

    rsp.no_ack = true;
    rsp_send(&rsp, "OK", 2);
    receive_text("$g#67$g#00-");

    expect_output("$OK#9a");
}

static void out__a_peer_that_reads_nothing_costs_bounded_memory(void **state)
{
    size_t length;
    (void)state;

    rsp_send(&rsp, "OK", 2);
    for (int i = 0; i < 100000; i++)
        receive_text("-");

    assert_false(rsp_has_room(&rsp));
    rsp_output(&rsp, &length);
    assert_true(length <= RSP_MAX_OUTPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in__a_packet_is_acknowledged, set_up),
        cmocka_unit_test_setup(in__a_wrong_sum_asks_for_the_packet_again, set_up),
        cmocka_unit_test_setup(in__escaped_bytes_are_restored, set_up),
        cmocka_unit_test_setup(in__a_packet_within_a_packet_replaces_it, set_up),
        cmocka_unit_test_setup(in__03h_interrupts_between_packets_only, set_up),
        cmocka_unit_test_setup(in__a_packet_that_is_too_long_is_refused_whole, set_up),
        cmocka_unit_test_setup(out__special_bytes_are_escaped, set_up),
        cmocka_unit_test_setup(out__minus_repeats_the_last_packet, set_up),
        cmocka_unit_test_setup(out__no_ack_mode_has_no_acknowledgements, set_up),
        cmocka_unit_test_setup(out__a_peer_that_reads_nothing_costs_bounded_memory, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
