// SPDX-License-Identifier: MIT

#include <conformance/probe.h>

enum {
    PROMPT_US = 50000,    // USB 2.0 9.2.6.5
    SETTLED_US = 4000000, // so long after power-on a product has started all that it does
};

static uint64_t unsettled_us(const struct probe *probe, uint64_t now_us)
{
    uint64_t settled_us = probe->since.returned_us + SETTLED_US;
    return now_us < settled_us ? settled_us - now_us : 0;
}

unsigned trips_unsettled_ms(struct probe *probe)
{
    return (unsigned)((unsettled_us(probe, probe_now_us(probe)) + 999) / 1000);
}

static bool is_detach(const struct probe *probe, const struct usbdev_setup_packet *setup)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, 0, 0);
    return setup->bmRequestType == detach.bmRequestType && setup->bRequest == DFURT_DETACH &&
           setup->wIndex == detach.wIndex && setup->wLength == 0;
}

static bool is_whole(const struct target_departure *departure)
{
    return departure->cut_off == TARGET_WHOLE && departure->status_delay_ms == 0;
}

static void detached(struct probe *probe, const struct transcript_entry *entry, uint16_t wValue)
{
    struct trips *trips = &probe->trips;
    if (entry->result != 0 || entry->dfu_mode || !is_whole(&entry->departure)) {
        trips->stage = TRIP_NONE;
        return;
    }
    trips->stage = TRIP_DETACHED;
    trips->zero = wValue == 0;
    trips->start_us = entry->start_us;
    if (unsettled_us(probe, entry->start_us) == 0)
        trips->settled[trips->zero] = probe->check;
    if (!trips->zero && entry->took_us <= PROMPT_US)
        trips->prompt = probe->check;
}

// Where both questions STALL, that says appIDLE (DFU 1.1 A.2.1).
static void told(struct probe *probe, const struct transcript_entry *entry)
{
    struct trips *trips = &probe->trips;
    int state = probe->gate.state;
    if (entry->dfu_mode || !trips->been || trips->told || state == GATE_STATE_STALE)
        return;
    trips->told = true;
    trips->back = state == DFURT_STATE_appIDLE || state == GATE_STATE_SILENT;
}

// A question changes nothing.
static void requested(struct probe *probe, const struct transcript_entry *entry)
{
    const struct usbdev_setup_packet setup = usbdev_setup_load(entry->setup);
    told(probe, entry);
    if (is_detach(probe, &setup))
        detached(probe, entry, setup.wValue);
    else if (!(setup.bmRequestType & USBDEV_DIR_IN))
        probe->trips.stage = TRIP_NONE;
}

static void waited_for_departure(struct probe *probe, const struct transcript_entry *entry)
{
    struct trips *trips = &probe->trips;
    if (trips->stage != TRIP_DETACHED || entry->result != 0)
        return;
    trips->stage = TRIP_LEFT;
    trips->left[trips->zero] = probe->check;
}

static void was_reset(struct probe *probe)
{
    struct trips *trips = &probe->trips;
    bool leads = trips->stage == TRIP_DETACHED && !device_will_detach(&probe->run_time);
    trips->stage = leads ? TRIP_LEFT : TRIP_NONE;
}

void trips_saw(struct probe *probe, const struct transcript_entry *entry)
{
    switch (entry->kind) {
    case TRANSCRIPT_CONTROL:
        requested(probe, entry);
        break;
    case TRANSCRIPT_WAIT_LEAVE:
        waited_for_departure(probe, entry);
        break;
    case TRANSCRIPT_WAIT_RETURN:
    case TRANSCRIPT_SLEEP:
        break;
    case TRANSCRIPT_RESET:
        was_reset(probe);
        break;
    case TRANSCRIPT_POWER:
        probe->trips.been = probe->trips.told = probe->trips.back = false;
        probe->trips.stage = TRIP_NONE;
        break;
    case TRANSCRIPT_TRANSFER:
    case TRANSCRIPT_SET_CONFIGURATION:
    case TRANSCRIPT_SET_INTERFACE:
    case TRANSCRIPT_CLEAR_HALT:
    case TRANSCRIPT_DEFAULT:
    case TRANSCRIPT_ADDRESS:
    case TRANSCRIPT_SUSPEND:
    case TRANSCRIPT_RESUME:
        probe->trips.stage = TRIP_NONE;
        break;
    }
}

static bool is_in_time(struct probe *probe)
{
    uint64_t start_us = probe->trips.start_us, connected_us = probe->target->connected_us;
    uint64_t now_us = connected_us > start_us ? connected_us : probe_now_us(probe);
    return now_us - start_us <= probe_away_ms(probe, PROBE_RETURN_MS) * UINT64_C(1000);
}

void trips_found(struct probe *probe)
{
    struct trips *trips = &probe->trips;
    bool left = trips->stage == TRIP_LEFT;
    trips->stage = TRIP_NONE;
    if (probe->mode == DEVICE_RUN_TIME)
        return;
    if (probe->run_time.seen && trips->before.configuration_length == 0)
        trips->before = probe->run_time.raw;
    if (left && !probe->target->moved && is_in_time(probe)) {
        trips->arrived[trips->zero] = probe->check;
        if (trips->back)
            trips->again = probe->check;
    }
    trips->been = true;
    trips->told = trips->back = false;
}
