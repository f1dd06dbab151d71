// SPDX-License-Identifier: MIT
//
// A device at rest advances by any time at once, and no packet shows it: the same script on a
// device whose every frame is simulated gives the same packets at the same nanosecond.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugged.h"

enum { MAX_PACKETS = 20000, MAX_OFFSETS = 100 };

// What a run showed.
struct record {
    size_t count;
    struct shown {
        uint64_t time_ns;
        enum sim_packet_kind kind;
        int result;
        uint64_t sum; // of the data
    } packets[MAX_PACKETS];
    uint64_t frames; // that the device was told of, or rested through
    uint64_t jumps;

    // Frame numbers, less the milliseconds until then: they change where the bus stands still.
    struct sim_host *host;
    struct offset {
        uint64_t time_ns; // from here on
        uint16_t frames;
    } offsets[MAX_OFFSETS];
    size_t offset_count;
};

static struct record *recording;

static void note(void *context, const struct sim_packet *packet)
{
    struct record *record = context;
    struct shown *shown = &record->packets[record->count++];

    assert_in_range(record->count, 1, MAX_PACKETS);
    *shown = (struct shown){packet->time_ns, packet->kind, packet->result, 0};
    for (size_t i = 0; packet->data && i < packet->length; i++)
        shown->sum = shown->sum * 31 + packet->data[i];
}

// ---- The device, but for rest() ----

static struct sim_device_ops watched;
static const struct sim_device_ops *real;

static uint16_t offset_at(const struct record *record, uint64_t time_ns)
{
    size_t i = record->offset_count;

    while (i > 0 && record->offsets[i - 1].time_ns > time_ns)
        i--;
    return i > 0 ? record->offsets[i - 1].frames : UINT16_MAX;
}

static void note_frame_number(struct record *record, uint16_t frame)
{
    uint64_t now_ns = sim_host_now(record->host);
    uint16_t offset = (frame - now_ns / SIM_MS) & 0x7FF;

    if (offset == offset_at(record, now_ns))
        return;
    assert_in_range(record->offset_count, 0, MAX_OFFSETS - 1);
    record->offsets[record->offset_count++] = (struct offset){now_ns, offset};
}

static void watched_sof(struct sim_device *device, uint16_t frame)
{
    recording->frames++;
    note_frame_number(recording, frame);
    real->sof(device, frame);
}

static bool watched_rest(struct sim_device *device, uint64_t now_ns)
{
    recording->jumps++;
    return real->rest(device, now_ns);
}

static struct sim_host *plug_in_watched(const struct sim_options *options, bool rests)
{
    struct sim_device *device = open_device(options);

    real = device->ops;
    watched = *device->ops;
    watched.sof = watched_sof;
    watched.rest = rests && real->rest ? watched_rest : NULL;
    device->ops = &watched;
    struct sim_host *host = sim_host_open(device, NULL, NULL);
    assert_non_null(host);
    recording->host = host;
    sim_host_tap(host, note, recording);
    return host;
}

// ---- The script: whatever the device answers is recorded, not judged ----

static void request(struct sim_host *host,
                    uint8_t bmRequestType,
                    uint8_t bRequest,
                    uint16_t wValue,
                    uint16_t wLength)
{
    static uint8_t data[4096];
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, 0, wLength};

    memset(data, 0x5A, sizeof data);
    sim_host_control(host, &setup, data, 0);
}

static void pass(struct sim_host *host, uint64_t ns)
{
    sim_host_run_until(host, sim_host_now(host) + ns);
}

static void use(struct sim_host *host)
{
    sim_host_enumerate(host, 1000 * SIM_MS);
    request(host, 0x00, USBDEV_SET_CONFIGURATION, 1, 0);
    pass(host, 12345678901);
    request(host, 0xA1, DFURT_GETSTATE, 0, 1);
    pass(host, 3 * SIM_MS + 1);
    request(host, 0x21, DFURT_DNLOAD, 0, 1024);
    request(host, 0xA1, DFURT_GETSTATUS, 0, 6);
    pass(host, 7 * SIM_MS);
    request(host, 0xA1, DFURT_GETSTATUS, 0, 6);
    pass(host, 900 * SIM_MS + 999999);
    request(host, 0xA1, DFURT_GETSTATUS, 0, 6);
    request(host, 0x21, DFURT_DNLOAD, 1, 0);
    request(host, 0xA1, DFURT_GETSTATUS, 0, 6);
    pass(host, 2000 * SIM_MS);
    request(host, 0xA1, DFURT_GETSTATUS, 0, 6);
    sim_host_suspend(host);
    pass(host, 40 * SIM_MS);
    sim_host_resume(host);
    pass(host, 2000 * SIM_MS);
    request(host, 0x21, DFURT_DETACH, 700, 0);
    pass(host, 699 * SIM_MS);
    request(host, 0xA1, DFURT_GETSTATE, 0, 1);
    pass(host, 2 * SIM_MS);
    request(host, 0xA1, DFURT_GETSTATE, 0, 1);
}

static void run(const struct sim_options *options, bool rests, struct record *record)
{
    recording = record;
    memset(record, 0, sizeof *record);
    struct sim_host *host = plug_in_watched(options, rests);

    use(host);
    use(host); // as whatever it has become
    sim_host_reset(host);
    use(host);
    sim_host_close(host);
}

static void rest__shows_nowhere(void **state)
{
    static const struct sim_options devices[] = {
        {.device = "will-detach"},
        {.device = "wait-reset"},
        {.device = "small-wait-reset"},
        {.device = "composite"},
        {.device = "dfu-mode"},
        {.device = "dfu-plain"},
        {.device = "will-detach", .defect = "second-detach"},
        {.device = "super-speed-loader"},
        {.device = "dfu-plain", .cable = {.away_ms = 300}},
    };
    struct record *resting = malloc(sizeof *resting);
    struct record *living = malloc(sizeof *living);
    (void)state;

    assert_non_null(resting);
    assert_non_null(living);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        run(&devices[i], true, resting);
        run(&devices[i], false, living);

        assert_int_equal(resting->count, living->count);
        for (size_t n = 0; n < living->count; n++)
            if (memcmp(&resting->packets[n], &living->packets[n], sizeof *living->packets) != 0)
                fail_msg("%s, packet %zu: %d at %llu ns; frame by frame %d at %llu ns",
                         devices[i].device, n, resting->packets[n].result,
                         (unsigned long long)resting->packets[n].time_ns, living->packets[n].result,
                         (unsigned long long)living->packets[n].time_ns);
        for (size_t n = 0; n < resting->offset_count; n++)
            assert_int_equal(resting->offsets[n].frames,
                             offset_at(living, resting->offsets[n].time_ns));
    }
    free(living);
    free(resting);
}

static void rest__takes_no_frame_one_by_one(void **state)
{
    static struct record record;
    (void)state;

    run(&(struct sim_options){.device = "will-detach"}, false, &record);
    uint64_t lived = record.frames;
    run(&(struct sim_options){.device = "will-detach"}, true, &record);

    assert_in_range(record.frames, 1, lived / 10);
    assert_true(record.jumps > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest__shows_nowhere),
        cmocka_unit_test(rest__takes_no_frame_one_by_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
