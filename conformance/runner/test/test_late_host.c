// SPDX-License-Identifier: MIT
//
// Good devices on a host that is late: none of them may be blamed for it. And slow devices on a
// host that is not: they are.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "late_target.h"
#include "opened_target.h"
#include <conformance/runner.h>

struct lateness {
    unsigned late_ms;
    unsigned every;
    bool after;
    bool untold;
    unsigned phase; // steps that have gone before
    uint32_t seed;  // of random steps
};

static void run_late(struct report *report,
                     const char *text,
                     const struct lateness *lateness,
                     const struct runner_options *options)
{
    struct late_target late;
    late_target_init(&late, open_target(text));
    late.late_ms = lateness->late_ms;
    late.every = lateness->every;
    late.after = lateness->after;
    late.untold = lateness->untold;
    late.steps = lateness->phase;
    late.seed = lateness->seed;
    runner_run(options, &late.wrapped.base, text, report);
    late.wrapped.base.ops->close(&late.wrapped.base);
}

static unsigned
count_blamed(const struct report *report, const char *device, const struct lateness *lateness)
{
    unsigned blamed = 0;
    for (size_t i = 0; i < report->count; i++) {
        const struct result *result = &report->results[i];
        if (result->verdict != VERDICT_FAIL && result->verdict != VERDICT_WARN)
            continue;
        blamed++;
        print_error(
            "%s, %u ms late %s each %u. step, seed %u: %s %s; sent %s; expected %s; received "
            "%s\n",
            device, lateness->late_ms, lateness->after ? "after" : "before", lateness->every,
            (unsigned)lateness->seed, verdict_text(result->verdict), result->check->id,
            result->finding.sent, result->finding.expected, result->finding.received);
    }
    return blamed;
}

static const char *const good_devices[] = {
    "sim:will-detach", "sim:wait-reset", "sim:composite", "sim:dfu-mode", "sim:dfu-plain",
};

static unsigned blamed_with(const struct lateness *lateness)
{
    unsigned blamed = 0;
    for (size_t i = 0; i < sizeof good_devices / sizeof good_devices[0]; i++) {
        struct report report;
        run_late(&report, good_devices[i], lateness, &(struct runner_options){.strict = true});
        blamed += count_blamed(&report, good_devices[i], lateness);
        assert_int_not_equal(report.status, RUN_NOT_AS_FOUND);
        report_finish(&report);
    }
    return blamed;
}

static void late_host__blames_no_good_device(void **state)
{
    (void)state;
    static const unsigned times_ms[] = {60, 300, 600, 1100};
    unsigned blamed = 0;
    for (size_t i = 0; i < sizeof times_ms / sizeof times_ms[0]; i++) {
        for (unsigned way = 0; way < 4; way++)
            blamed += blamed_with(&(const struct lateness){
                .late_ms = times_ms[i], .every = way < 2 ? 1 : 7, .after = way % 2});
    }
    assert_int_equal(blamed, 0);
}

// Lateness at regular intervals hits another step in each phase.
static void host_that_is_late_now_and_then__blames_no_good_device(void **state)
{
    (void)state;
    const struct runner_options timed = {
        .only = "REQ-04*,RT-STATE-1-*,RT-DETACH-*,RT-RESET-*,RT-DESC-09,INTEROP-*"};
    unsigned blamed = 0;
    for (unsigned every = 2; every <= 9; every++) {
        for (unsigned phase = 0; phase < 2 * every; phase++) {
            const struct lateness lateness = {
                .late_ms = 1100, .every = every, .after = phase >= every, .phase = phase % every};
            struct report report;
            run_late(&report, "sim:wait-reset", &lateness, &timed);
            blamed += count_blamed(&report, "sim:wait-reset", &lateness);
            report_finish(&report);
        }
    }
    assert_int_equal(blamed, 0);
}

static void host_that_is_late_at_random__blames_no_good_device(void **state)
{
    (void)state;
    static const unsigned times_ms[] = {60, 300, 600, 1100};
    unsigned blamed = 0;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        blamed += blamed_with(&(const struct lateness){.late_ms = times_ms[seed % 4],
                                                       .every = 2 + seed % 7,
                                                       .after = seed % 3 == 0,
                                                       .seed = seed * 2654435761u});
    }
    assert_int_equal(blamed, 0);
}

// Longer than the boot loader stays, so that it leaves at the step before which the host was late.
static void host_that_misses_a_departure__blames_no_boot_loader(void **state)
{
    (void)state;
    static const char *const loaders[] = {"sim:leaves-when-idle", "sim:leaves-soon",
                                          "sim:leaves-soon-dfuse"};
    const struct runner_options requests = {.only = "DM-STATE-*"};
    unsigned blamed = 0;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        for (size_t i = 0; i < sizeof loaders / sizeof loaders[0]; i++) {
            const struct lateness lateness = {
                .late_ms = 6000, .every = 40, .seed = seed * 2654435761u};
            struct report report;
            run_late(&report, loaders[i], &lateness, &requests);
            blamed += count_blamed(&report, loaders[i], &lateness);
            report_finish(&report);
        }
    }
    assert_int_equal(blamed, 0);
}

// A host that is late finds it gone, or in another state, which no request of its own has caused.
static void host_that_misses_the_end_of_manifestation__blames_no_boot_loader(void **state)
{
    (void)state;
    const struct runner_options busy = {.only = "DM-STATE-4-*,DM-STATE-7-*", .allow_write = true};
    unsigned blamed = 0;
    for (unsigned i = 0; i < 28; i++) {
        const struct lateness lateness = {
            .late_ms = 300, .every = 7, .after = i / 7 % 2, .untold = i >= 14, .phase = i % 7};
        struct report report;
        run_late(&report, "sim:leaves-after-manifest", &lateness, &busy);
        blamed += count_blamed(&report, "sim:leaves-after-manifest", &lateness);
        assert_int_not_equal(report.status, RUN_NOT_AS_FOUND);
        report_finish(&report);
    }
    assert_int_equal(blamed, 0);
}

static const struct result *result_of(const struct report *report, const char *id)
{
    for (size_t i = 0; i < report->count; i++) {
        if (strcmp(report->results[i].check->id, id) == 0)
            return &report->results[i];
    }
    fail_msg("no result for %s", id);
    return NULL;
}

static const struct lateness punctual = {.late_ms = 0, .every = 1};

// In real time and on a host that is in time the verdicts are those of virtual time.
static void punctual_host__has_the_verdicts_of_virtual_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_devices / sizeof good_devices[0]; i++) {
        struct report here, there;
        struct target *target = open_target(good_devices[i]);
        runner_run(&(struct runner_options){.strict = true}, target, good_devices[i], &here);
        target->ops->close(target);

        run_late(&there, good_devices[i], &punctual, &(struct runner_options){.strict = true});

        for (size_t j = 0; j < here.count; j++) {
            if (here.results[j].verdict != there.results[j].verdict)
                fail_msg("%s, %s: %s and %s (%s)", good_devices[i], here.results[j].check->id,
                         verdict_text(here.results[j].verdict),
                         verdict_text(there.results[j].verdict), there.results[j].finding.message);
        }
        report_finish(&here);
        report_finish(&there);
    }
}

// In real time as in virtual time.
static void slow_device__is_blamed_on_a_host_that_is_in_time(void **state)
{
    (void)state;
    static const char *const slow[][2] = {
        {"sim:will-detach,defect=slow-set-interface", "REQ-04a"},
        {"sim:will-detach,defect=slow-standard", "REQ-04b"},
        {"sim:will-detach,defect=slow-status", "REQ-04c"},
        {"sim:will-detach,defect=slow-detach", "RT-DETACH-02"},
        {"sim:wait-reset,defect=slow-return", "RT-RESET-05"},
    };
    for (size_t i = 0; i < sizeof slow / sizeof slow[0]; i++) {
        struct report report;

        run_late(&report, slow[i][0], &punctual, &(struct runner_options){.only = slow[i][1]});

        if (result_of(&report, slow[i][1])->verdict != VERDICT_FAIL)
            fail_msg("%s: %s, %s", slow[i][0], verdict_text(report.results[0].verdict),
                     report.results[0].finding.message);
        report_finish(&report);
    }
}

static void late_host__says_by_how_much(void **state)
{
    (void)state;
    struct report report;

    run_late(&report, "sim:wait-reset", &(const struct lateness){.late_ms = 300, .every = 1},
             &(struct runner_options){.only = "RT-DETACH-02"});

    assert_int_equal(result_of(&report, "RT-DETACH-02")->verdict, VERDICT_INCONCLUSIVE);
    assert_string_equal(result_of(&report, "RT-DETACH-02")->finding.message,
                        "this host was late by 300 ms");
    report_finish(&report);
}

// ---- A way to the device that is slow, or a device that is slow with each request ----

struct slow_way {
    struct wrapped_target wrapped;
    unsigned requests;
};

static bool before_slow_way(struct wrapped_target *wrapped,
                            enum wrapped_step step,
                            unsigned ms,
                            int *ret_result)
{
    struct slow_way *way = (struct slow_way *)wrapped;
    (void)ms, (void)ret_result;
    if (step == WRAPPED_REQUEST) {
        way->requests++;
        wrapped->target->ops->sleep_ms(wrapped->target, 400);
    }
    return true;
}

static void after_slow_way(struct wrapped_target *wrapped)
{
    wrapped->base.capabilities &= ~(unsigned)TARGET_VIRTUAL_TIME;
    wrapped->base.capabilities |= TARGET_KNOWS_LATENESS;
}

// Not "this host was late", and not ten times.
static void slow_way__is_told_at_once_and_blames_no_good_device(void **state)
{
    static const char *const ids[] = {"REQ-04a", "RT-DETACH-02", "RT-STATE-1-GETSTATE"};
    enum { REQUESTS = 40 };
    (void)state;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct slow_way way = {.wrapped = {.before = before_slow_way, .after = after_slow_way}};
        struct report report;
        wrapped_target_init(&way.wrapped, open_target("sim:wait-reset"));

        runner_run(&(struct runner_options){.only = ids[i]}, &way.wrapped.base, "sim:wait-reset",
                   &report);

        const struct result *result = result_of(&report, ids[i]);
        assert_int_equal(result->verdict, VERDICT_INCONCLUSIVE);
        assert_string_equal(result->finding.message,
                            "each request takes 400 ms or more here, and whether the device takes "
                            "them or the way to it cannot be told");
        assert_in_range(way.requests, 1, REQUESTS);
        way.wrapped.base.ops->close(&way.wrapped.base);
        report_finish(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_host__blames_no_good_device),
        cmocka_unit_test(punctual_host__has_the_verdicts_of_virtual_time),
        cmocka_unit_test(host_that_is_late_now_and_then__blames_no_good_device),
        cmocka_unit_test(host_that_is_late_at_random__blames_no_good_device),
        cmocka_unit_test(host_that_misses_a_departure__blames_no_boot_loader),
        cmocka_unit_test(host_that_misses_the_end_of_manifestation__blames_no_boot_loader),
        cmocka_unit_test(slow_device__is_blamed_on_a_host_that_is_in_time),
        cmocka_unit_test(late_host__says_by_how_much),
        cmocka_unit_test(slow_way__is_told_at_once_and_blames_no_good_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
