// SPDX-License-Identifier: MIT

#include "small_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usb/requests.h>

void start(struct run *run, uint8_t bmAttributes)
{
    fake_target_init(&run->fake, bmAttributes);
}

void finish(struct run *run, const struct runner_options *options)
{
    run->status = runner_run(options, &run->fake.base, "fake", &run->report);
}

const struct result *result_of(const struct run *run, const char *id)
{
    for (size_t i = 0; i < run->report.count; i++) {
        if (strcmp(run->report.results[i].check->id, id) == 0)
            return &run->report.results[i];
    }
    fail_msg("no result for %s", id);
    return NULL;
}

// ---- Checks that end in each way ----

void passes(struct probe *probe)
{
    expect_number(probe, "one", 1, 1);
}

static void breaks(struct probe *probe)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, 0, 4);
    uint8_t data[4];
    expect_length(probe, &setup, data, 4);
}

static void tests_nothing(struct probe *probe)
{
    (void)probe;
}

void asks_unsupported(struct probe *probe)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = 0x80, .bRequest = 0x77, .wLength = 1};
    uint8_t data;
    expect_length(probe, &setup, &data, 1);
}

static void detaches(struct probe *probe)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DETACH, 1000, 0);
    expect_length(probe, &setup, NULL, 0);
}

static void is_in_dfu_mode(struct probe *probe)
{
    expect_state(probe, DFURT_STATE_dfuIDLE, "after DETACH");
}

static void is_at_run_time(struct probe *probe)
{
    expect_state(probe, DFURT_STATE_appIDLE, "as the runner left it");
}

static void waits_for_700_s(struct probe *probe)
{
    for (int i = 0; i < 2; i++)
        probe_sleep(probe, 350000, "a slow device");
    expect_number(probe, "one", 1, 1);
}

void reads_device(struct probe *probe)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, sizeof bytes);
    expect_length(probe, &setup, bytes, sizeof bytes);
}

static const struct check checks[] = {
    {"T-PASS", "1", LEVEL_MUST, "passes", 0, passes},
    {"T-MUST", "1", LEVEL_MUST, "is broken", 0, breaks},
    {"T-SHOULD", "1", LEVEL_SHOULD, "is broken", 0, breaks},
    {"T-INFO", "1", LEVEL_INFO, "is broken", 0, breaks},
    {"T-EMPTY", "1", LEVEL_MUST, "tests nothing", 0, tests_nothing},
    {"T-TRANSPORT", "1", LEVEL_MUST, "cannot be asked", 0, asks_unsupported},
    {"T-SHOULD-T", "1", LEVEL_SHOULD, "cannot be asked", 0, asks_unsupported},
    {"T-INFO-T", "1", LEVEL_INFO, "cannot be asked", 0, asks_unsupported},
    {"T-SUSPEND", "1", LEVEL_MUST, "needs what is not there", NEED_SUSPEND, passes},
    {"T-WRITE", "1", LEVEL_MUST, "writes", NEED_WRITE, passes},
    {"T-OTHER", "1", LEVEL_MUST, "needs another interface", NEED_OTHER_INTERFACE, passes},
    {"T-DETACH", "1", LEVEL_MUST, "detaches", NEED_RUN_TIME | NEED_DETACH, detaches},
    {"T-WAITS", "1", LEVEL_MUST, "waits for the reset", NEED_WAIT_RESET, passes},
    {"T-LEAVES", "1", LEVEL_MUST, "leaves by itself", NEED_WILL_DETACH, passes},
    {"T-DFU", "1", LEVEL_MUST, "is in DFU mode", NEED_DFU_MODE, is_in_dfu_mode},
    {"T-SLOW", "1", LEVEL_MUST, "takes long", 0, waits_for_700_s},
    {"T-RUN", "1", LEVEL_MUST, "is at run time", NEED_RUN_TIME, is_at_run_time},
};
static const struct check_group group = {"Tests", checks, sizeof checks / sizeof checks[0]};
const struct check_group *const groups[] = {&group, NULL};
