// SPDX-License-Identifier: MIT
//
// Good devices, and a signal at each request of a run that writes: the flash is restored, the
// device is brought back to run time, and the last line says so.

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include "wrapped_target.h"
#include <conformance/runner.h>

struct interrupting_target {
    struct wrapped_target wrapped;
    unsigned at; // this request
    unsigned requests;
    volatile sig_atomic_t interrupted;
};

static bool
before(struct wrapped_target *wrapped, enum wrapped_step step, unsigned ms, int *ret_result)
{
    struct interrupting_target *interrupting = (struct interrupting_target *)wrapped;
    (void)ms;
    (void)ret_result;
    if (step == WRAPPED_REQUEST && ++interrupting->requests == interrupting->at)
        interrupting->interrupted = SIGINT;
    return true;
}

static bool is_at_run_time(const struct target *target)
{
    return target->descriptors.device[10] == 0x01; // idProduct 0001h; the boot loaders have others
}

// Returns whether the run was interrupted.
static bool interrupt(const char *device, unsigned request, const char *only)
{
    struct interrupting_target interrupting = {.wrapped = {.before = before}, .at = request};
    struct report report;
    wrapped_target_init(&interrupting.wrapped, open_target(device));

    runner_run(&(struct runner_options){.only = only,
                                        .allow_write = true,
                                        .interrupted = &interrupting.interrupted},
               &interrupting.wrapped.base, device, &report);

    bool as_found = strcmp(report.flash, "flash restored (verified)") == 0 ||
                    strncmp(report.flash, "flash unchanged (verified)", 26) == 0 ||
                    strncmp(report.flash, "flash not written", 17) == 0;
    if (report.status == RUN_NOT_AS_FOUND || !as_found ||
        !is_at_run_time(&interrupting.wrapped.base))
        fail_msg("%s interrupted at request %u: status %d, %s, %s; %04x", device, request,
                 report.status, report.flash, report.ending,
                 interrupting.wrapped.base.descriptors.device[10]);
    report_finish(&report);
    interrupting.wrapped.base.ops->close(&interrupting.wrapped.base);
    return interrupting.interrupted;
}

static void interrupted_run__leaves_the_device_as_it_was(void **state)
{
    (void)state;
    static const char *const devices[] = {"sim:wait-reset", "sim:will-detach", "sim:two-banks"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        unsigned request = 1;
        while (interrupt(devices[i], request, "DM-STATE-6-ABORT,DM-DNLOAD-07,DS-WRITE-02"))
            request++;
        assert_in_range(request, 100, 2000);
    }
}

static void whole_run_that_is_interrupted__leaves_the_device_as_it_was(void **state)
{
    (void)state;
    static const char *const devices[] = {"sim:wait-reset", "sim:will-detach"};
    enum { EVERY = 61 };
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        unsigned request = 1;
        while (interrupt(devices[i], request, NULL))
            request += EVERY;
        assert_in_range(request, 2000, 20000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_run__leaves_the_device_as_it_was),
        cmocka_unit_test(whole_run_that_is_interrupted__leaves_the_device_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
