// SPDX-License-Identifier: MIT
//
// A device that is lost: it stops answering, or leaves the bus, though nothing that it was sent
// lets it (USB 2.0 9.1.1, 9.2.6.1). Firmware that leaks a buffer at each request, or writes over
// its stack now and then, is lost at a request that is right in itself and is carried out at other
// times.
//
// So one row of ordinary requests is sent, and the losses of the run that no other check has as its
// finding count here: two of them are more than a loose cable.

#include <string.h>

#include <conformance/check_common.h>

enum {
    REQUESTS = 500,
    ENOUGH_MS = 10000, // of a slow device: fewer requests will do
};

// None of these changes what the device does. GETSTATUS is last: a device without DFU has none, and
// in DFU mode the device is in dfuIDLE.
static struct usbdev_setup_packet ordinary_request(const struct probe *probe, unsigned number)
{
    const struct usbdev_setup_packet requests[] = {
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE),
        usb_get_descriptor(USBDEV_DT_CONFIGURATION, 0, 0, USBDEV_CONFIGURATION_DESCRIPTOR_SIZE),
        {USBDEV_DIR_IN, USBDEV_GET_CONFIGURATION, 0, 0, 1},
        {USBDEV_DIR_IN, USBDEV_GET_STATUS, 0, 0, 2},
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE),
    };
    enum { ALL = sizeof requests / sizeof requests[0] };
    return requests[number % (probe_device(probe)->dfu ? ALL : ALL - 1)];
}

// Data or a STALL: what it answers is judged elsewhere.
static bool expect_answer(struct probe *probe, unsigned number)
{
    uint8_t data[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct usbdev_setup_packet setup = ordinary_request(probe, number);
    int result = probe_control(probe, &setup, data);
    return result == USB_STALL || result == USB_OVERFLOW || expect_carried_out(probe, result);
}

// In DFU mode no longer than half of the time after which the boot loader leaves by itself.
static uint64_t enough_us(const struct probe *probe)
{
    uint64_t enough_us = ENOUGH_MS * UINT64_C(1000);
    uint64_t half_us = probe->mode == DEVICE_DFU_MODE ? probe->loader.stays_us / 2 : 0;
    return half_us && half_us < enough_us ? half_us : enough_us;
}

static bool expect_answers(struct probe *probe)
{
    uint64_t end_us = probe_now_us(probe) + enough_us(probe);
    for (unsigned i = 0; i < REQUESTS && probe_now_us(probe) < end_us; i++) {
        if (!expect_answer(probe, i))
            return false;
    }
    return true;
}

static void stays_through_the_run(struct probe *probe)
{
    static const uint8_t none[USBDEV_SETUP_SIZE];
    const struct unjudged_losses losses = probe->losses[probe->mode];
    if (!expect_answers(probe) ||
        expect(probe, losses.count < 2,
               "the device stays on the bus and answers all through the run",
               "it was lost %u times", losses.count))
        return;
    struct finding *finding = &probe->judgement.finding;
    finding->lost = memcmp(losses.at, none, sizeof none) != 0;
    finding->lost_in = probe->mode;
    memcpy(finding->lost_at, losses.at, sizeof finding->lost_at);
}

#define SENTENCE "the device answers 500 requests in a row, and is not lost in the run"

// clang-format off
static const struct check checks[] = {
    {"CH9-LOSS-01", "USB 2.0 9.2.6.1", LEVEL_MUST,
     SENTENCE,
     NEED_RUN_TIME, stays_through_the_run},
};
static const struct check checks_in_dfu_mode[] = {
    {"DM-CH9-LOSS-01", "USB 2.0 9.2.6.1", LEVEL_MUST,
     SENTENCE,
     NEED_DFU_MODE, stays_through_the_run},
};
// clang-format on

const struct check_group check_chapter9_losses = {
    .title = "The device is not lost",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_dm_chapter9_losses = {
    .title = "The device is not lost in DFU mode",
    .checks = checks_in_dfu_mode,
    .count = sizeof checks_in_dfu_mode / sizeof checks_in_dfu_mode[0],
};
