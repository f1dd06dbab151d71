// SPDX-License-Identifier: MIT

#include <sim/pace.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "toy_device.h"

static const uint64_t start_ns = 77 * SIM_MS; // of the wall clock

struct fixture {
    struct toy toy;
    struct sim_host *host;
    struct sim_pace pace;
};

static int begin(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->host = sim_host_open(toy_init(&fixture->toy), NULL, NULL);
    assert_false(sim_pace_step(&fixture->pace, fixture->host, start_ns));
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;

    sim_host_close(fixture->host);
    free(fixture);
    return 0;
}

static void step__lives_until_the_clock_and_no_longer(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(0, sim_host_now(fixture->host));
    assert_false(sim_pace_step(&fixture->pace, fixture->host, start_ns + 300000));
    assert_int_equal(300000, sim_host_now(fixture->host));
    assert_false(sim_pace_step(&fixture->pace, fixture->host, start_ns + 300000));
    assert_int_equal(300000, sim_host_now(fixture->host));
}

static void step__is_a_millisecond_and_owes_the_rest(void **state)
{
    struct fixture *fixture = *state;

    assert_true(sim_pace_step(&fixture->pace, fixture->host, start_ns + 5 * SIM_MS / 2));
    assert_int_equal(SIM_MS, sim_host_now(fixture->host));
    assert_true(sim_pace_step(&fixture->pace, fixture->host, start_ns + 5 * SIM_MS / 2));
    assert_false(sim_pace_step(&fixture->pace, fixture->host, start_ns + 5 * SIM_MS / 2));
    assert_int_equal(5 * SIM_MS / 2, sim_host_now(fixture->host));
}

static void step__counts_from_the_clock_though_transfers_ran_ahead(void **state)
{
    struct fixture *fixture = *state;

    sim_host_run_until(fixture->host, 40 * SIM_MS); // a transfer
    assert_false(sim_pace_step(&fixture->pace, fixture->host, start_ns + SIM_MS));
    assert_int_equal(41 * SIM_MS, sim_host_now(fixture->host));
}

static void step__forgives_what_is_more_than_a_second_old(void **state)
{
    struct fixture *fixture = *state;

    while (sim_pace_step(&fixture->pace, fixture->host, start_ns + 60000 * SIM_MS))
        ;
    assert_int_equal(1000 * SIM_MS, sim_host_now(fixture->host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(step__lives_until_the_clock_and_no_longer, begin, end),
        cmocka_unit_test_setup_teardown(step__is_a_millisecond_and_owes_the_rest, begin, end),
        cmocka_unit_test_setup_teardown(step__counts_from_the_clock_though_transfers_ran_ahead,
                                        begin, end),
        cmocka_unit_test_setup_teardown(step__forgives_what_is_more_than_a_second_old, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
