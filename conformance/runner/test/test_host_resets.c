// SPDX-License-Identifier: MIT
//
// Good devices on a host whose port reset fails: none of them may be blamed for it. Linux disables
// the port then and enumerates the device anew; or it refuses the reset, and the device stays.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "opened_target.h"
#include "wrapped_target.h"
#include <conformance/runner.h>

struct host {
    struct wrapped_target wrapped;
    unsigned every;  // which resets fail: 1: each one
    bool enumerates; // the device anew, where the reset has failed; else the device stays
    unsigned resets;
    bool away; // the device, for this host, until it is waited for
};

// The port is reset once more when the device is enumerated anew.
static int fail_reset(struct host *host)
{
    struct target *target = host->wrapped.target;
    if (!host->enumerates)
        return USB_IO;
    host->away = target->ops->reset(target) == 0;
    return USB_GONE;
}

static bool
before(struct wrapped_target *wrapped, enum wrapped_step step, unsigned ms, int *ret_result)
{
    struct host *host = (struct host *)wrapped;
    (void)ms;
    switch (step) {
    case WRAPPED_BUS:
        if (host->away || host->resets++ % host->every != 0)
            break;
        *ret_result = fail_reset(host);
        return false;
    case WRAPPED_WAIT_LEAVE:
    case WRAPPED_WAIT_RETURN:
        *ret_result = 0;
        if (!host->away)
            return true;
        host->away = step == WRAPPED_WAIT_LEAVE;
        *ret_result = 0;
        return false;
    case WRAPPED_REQUEST:
    case WRAPPED_TRANSFER:
    case WRAPPED_POWER_CYCLE:
    case WRAPPED_SLEEP:
        break;
    }
    *ret_result = USB_GONE;
    return !host->away || step == WRAPPED_SLEEP;
}

// What a USB host's interface for programs cannot do.
static void after(struct wrapped_target *wrapped)
{
    wrapped->base.capabilities = TARGET_CAN_RESET | TARGET_CAN_ANY_LENGTH | TARGET_KNOWS_LATENESS;
}

static unsigned blamed_by(unsigned every, bool enumerates, const char *device)
{
    struct report report;
    unsigned blamed = 0;
    struct host host = {
        .wrapped = {.before = before, .after = after},
        .every = every,
        .enumerates = enumerates,
    };
    wrapped_target_init(&host.wrapped, open_target(device));
    runner_run(&(struct runner_options){.strict = true}, &host.wrapped.base, device, &report);
    host.wrapped.base.ops->close(&host.wrapped.base);
    for (size_t i = 0; i < report.count; i++) {
        const struct result *result = &report.results[i];
        if (result->verdict != VERDICT_FAIL && result->verdict != VERDICT_WARN)
            continue;
        blamed++;
        print_error("%s, %s each %u. reset: %s %s; sent %s; expected %s; received %s\n", device,
                    enumerates ? "enumerated anew at" : "refused", every,
                    verdict_text(result->verdict), result->check->id, result->finding.sent,
                    result->finding.expected, result->finding.received);
    }
    report_finish(&report);
    return blamed;
}

static void host__that_cannot_reset_a_port_blames_no_good_device(void **state)
{
    static const char *const devices[] = {
        "sim:will-detach", "sim:wait-reset", "sim:composite", "sim:dfu-mode", "sim:dfu-plain",
    };
    (void)state;
    unsigned blamed = 0;

    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        for (unsigned every = 1; every <= 3; every++)
            blamed += blamed_by(every, false, devices[i]) + blamed_by(every, true, devices[i]);

    assert_int_equal(blamed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host__that_cannot_reset_a_port_blames_no_good_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
