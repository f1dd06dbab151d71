// SPDX-License-Identifier: MIT
//
// Each entry of the transcript passes probe_time_step() when it ends, with the lateness of this
// host in it. While appDETACH runs, the entry that starts after its end marks the check as run out.
//
// expect_within() then compares: within the limit is PASS; over the limit by less than the
// lateness, or for the first four times, is INCONCLUSIVE and the runner repeats the check; only
// then it is a FAIL.

#include <stdio.h>

#include <conformance/probe.h>
#include <usb/requests.h>

enum {
    ATTEMPTS_TO_BELIEVE = 5, // a limit that is exceeded once may be the host's doing
    PROMPT_US = 10000,       // a request that took no longer says nothing about the host
};

static bool is_virtual(const struct probe *probe)
{
    return probe->target->capabilities & TARGET_VIRTUAL_TIME;
}

void probe_time_begin(struct probe *probe)
{
    probe->time = (struct probe_time){
        .attempt = probe->time.attempt,
        .fastest_us = probe->time.fastest_us,
    };
}

// ---- Learning ----

static bool is_detach(const struct probe *probe, const struct transcript_entry *entry)
{
    return entry->kind == TRANSCRIPT_CONTROL && entry->setup[0] == 0x21 &&
           entry->setup[1] == DFURT_DETACH && entry->result == 0 && !entry->dfu_mode &&
           !device_will_detach(&probe->run_time);
}

// The device may have begun to wait when the request was sent.
static void state_begins(struct probe *probe, const struct transcript_entry *entry)
{
    struct probe_time *time = &probe->time;
    unsigned wValue = usbdev_setup_load(entry->setup).wValue;
    unsigned longest_ms = device_detach_timeout(&probe->run_time);
    time->lasts_ms = wValue < longest_ms ? wValue : longest_ms;
    time->waited_ms = 0;
    time->requests = 1;
    time->ends_us = time->lasts_ms ? entry->start_us + time->lasts_ms * UINT64_C(1000) : 0;
    time->depends |= time->ends_us != 0;
}

// Only GETSTATUS and GETSTATE leave appDETACH as it is (DFU 1.1 A.2.2).
static bool ends_state(const struct transcript_entry *entry)
{
    bool asks = entry->setup[1] == DFURT_GETSTATUS || entry->setup[1] == DFURT_GETSTATE;
    return (entry->setup[0] & USBDEV_TYPE_MASK) == USBDEV_TYPE_CLASS && !asks;
}

static void note_wait(struct probe_time *time, const struct transcript_entry *entry)
{
    time->waited_ms += entry->wait_ms;
    if (time->waited_ms >= time->lasts_ms)
        time->ends_us = 0; // the check waits for the end of the state
}

// A bus reset lasts longer than the state may; it counts when it begins.
static void note_in_state(struct probe *probe, const struct transcript_entry *entry)
{
    struct probe_time *time = &probe->time;
    switch (entry->kind) {
    case TRANSCRIPT_CONTROL:
        time->requests++;
        time->ran_out |= entry->start_us + entry->took_us > time->ends_us;
        if (ends_state(entry))
            time->ends_us = 0;
        break;
    case TRANSCRIPT_RESET:
    case TRANSCRIPT_DEFAULT:
    case TRANSCRIPT_ADDRESS:
        time->ran_out |= entry->start_us + entry->late_us > time->ends_us;
        time->ends_us = 0;
        break;
    case TRANSCRIPT_TRANSFER:
    case TRANSCRIPT_SET_CONFIGURATION:
    case TRANSCRIPT_SET_INTERFACE:
    case TRANSCRIPT_CLEAR_HALT:
    case TRANSCRIPT_SUSPEND:
    case TRANSCRIPT_RESUME:
    case TRANSCRIPT_POWER:
        break;
    case TRANSCRIPT_WAIT_LEAVE:
    case TRANSCRIPT_WAIT_RETURN:
    case TRANSCRIPT_SLEEP:
        note_wait(time, entry);
        break;
    }
}

void probe_outlast_detach(struct probe *probe)
{
    probe->time.ends_us = 0;
}

static void note_fastest(struct probe_time *time, const struct transcript_entry *entry)
{
    bool answered = entry->result >= 0 || entry->result == USB_STALL;
    if (entry->kind != TRANSCRIPT_CONTROL || !answered || entry->took_us <= entry->late_us)
        return;
    uint64_t took_us = entry->took_us - entry->late_us;
    if (time->fastest_us == 0 || took_us < time->fastest_us)
        time->fastest_us = took_us;
}

void probe_time_step(struct probe *probe, struct transcript_entry *entry)
{
    struct probe_time *time = &probe->time;
    uint64_t wait_us = entry->wait_ms * UINT64_C(1000);
    if (is_virtual(probe))
        return;
    if (entry->kind == TRANSCRIPT_SLEEP && entry->took_us > wait_us + entry->late_us)
        entry->late_us = entry->took_us - wait_us;
    if (entry->late_us > time->late_us)
        time->late_us = entry->late_us;
    note_fastest(time, entry);
    if (time->ends_us)
        note_in_state(probe, entry);
    if (is_detach(probe, entry))
        state_begins(probe, entry);
}

static uint64_t time_of(struct probe *probe, const struct usbdev_setup_packet *setup)
{
    uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    uint64_t start_us = probe_now_us(probe);
    probe_control(probe, setup, bytes);
    return probe_now_us(probe) - start_us;
}

// A device that is slow with all requests of one type does not make the host late.
void probe_calibrate(struct probe *probe)
{
    const struct usbdev_setup_packet standard =
        usb_get_descriptor(USBDEV_DT_DEVICE, 0, 0, USBDEV_DEVICE_DESCRIPTOR_SIZE);
    const struct usbdev_setup_packet class_specific =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    uint64_t took_us = time_of(probe, &standard);
    uint64_t class_us = probe_device(probe)->dfu ? time_of(probe, &class_specific) : took_us;
    if (class_us < took_us)
        took_us = class_us;
    probe->time.prompt_us = took_us > PROMPT_US ? took_us : 0;
    // One sleep more at each attempt, so that a host that is late at regular intervals is late at
    // another step.
    for (unsigned i = 0; i <= probe->time.attempt; i++)
        probe_sleep(probe, 1, "a measurement of this host");
}

void probe_time_forget_state(struct probe *probe)
{
    struct probe_time *time = &probe->time;
    time->ends_us = 0;
    time->depends = false;
    time->ran_out = false;
}

// ---- Judging ----

static bool too_late_to_tell(struct probe *probe, uint64_t late_us, uint64_t limit_us)
{
    struct probe_time *time = &probe->time;
    if (time->fastest_us > limit_us)
        return probe_inconclusive(probe,
                                  "each request takes %u ms or more here, and whether the device "
                                  "takes them or the way to it cannot be told",
                                  (unsigned)(time->fastest_us / 1000));
    time->again = time->attempt + 1 < TIME_ATTEMPTS;
    if (late_us < 1000)
        return probe_inconclusive(probe, "the device's answers take longer than the state lasts");
    return probe_inconclusive(probe, "this host was late by %u ms", (unsigned)(late_us / 1000));
}

bool probe_believes(const struct probe *probe)
{
    return !probe->time.depends || probe->time.attempt + 1 >= ATTEMPTS_TO_BELIEVE;
}

bool probe_in_time(struct probe *probe, bool met)
{
    const struct probe_time *time = &probe->time;
    if (probe->judgement.decided)
        return true;
    if (time->ran_out || (!met && !probe_believes(probe)))
        return too_late_to_tell(probe, time->late_us,
                                time->lasts_ms * UINT64_C(1000) / time->requests);
    return true;
}

// Where the time of the host alone may have exceeded the limit, the device is not judged.
static bool is_decided(struct probe *probe, uint64_t took_us, uint64_t late_us, uint64_t limit_us)
{
    if (took_us <= limit_us || is_virtual(probe))
        return true;
    if (!(probe->target->capabilities & TARGET_KNOWS_LATENESS))
        return probe_inconclusive(probe, "whether this host was late cannot be measured");
    return (probe->time.attempt + 1 >= ATTEMPTS_TO_BELIEVE && took_us > limit_us + late_us) ||
           too_late_to_tell(probe, late_us, limit_us);
}

bool expect_within(
    struct probe *probe, const char *what, uint64_t took_us, uint64_t late_us, unsigned limit_ms)
{
    uint64_t limit_us = limit_ms * UINT64_C(1000);
    char expected[PROBE_WORDS];
    snprintf(expected, sizeof expected, "%s within %u ms", what, limit_ms);
    if (late_us < probe->time.prompt_us)
        late_us = probe->time.prompt_us;
    return is_decided(probe, took_us, late_us, limit_us) &&
           expect(probe, took_us <= limit_us, expected, "%u.%u ms", (unsigned)(took_us / 1000),
                  (unsigned)(took_us / 100 % 10));
}

bool expect_last_within(struct probe *probe, const char *what, unsigned limit_ms)
{
    size_t at = transcript_count(&probe->transcript) - 1;
    while (at > 0 && transcript_get(&probe->transcript, at)->aside)
        at--;
    const struct transcript_entry *last = transcript_get(&probe->transcript, at);
    return expect_within(probe, what, last->took_us, last->late_us, limit_ms);
}
