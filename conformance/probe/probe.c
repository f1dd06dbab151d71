// SPDX-License-Identifier: MIT
//
// The one wrapper around the target: every function that talks to it fills in one transcript entry.
// What it says of the device is learned in probe_learn.c.

#include "probe_private.h"

const char *verdict_text(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PASS:
        return "PASS";
    case VERDICT_FAIL:
        return "FAIL";
    case VERDICT_WARN:
        return "WARN";
    case VERDICT_SKIP:
        return "SKIP";
    case VERDICT_INCONCLUSIVE:
        return "INCONCLUSIVE";
    }
    return "?";
}

void probe_init(struct probe *probe, struct target *target, const struct probe_options *options)
{
    *probe = (struct probe){.target = target, .options = *options, .on_the_way = 1};
    gate_init(&probe->gate, &options->leave);
    probe->since.returned_us = probe_now_us(probe);
    probe_refresh(probe);
}

void probe_begin(struct probe *probe, const struct check *check)
{
    transcript_clear(&probe->transcript);
    probe_time_begin(probe);
    probe->check = check;
    probe->judgement = (struct judgement){.verdict = VERDICT_PASS};
}

enum verdict probe_end(struct probe *probe)
{
    if (!probe->judgement.decided && probe->judgement.expectations == 0)
        probe_inconclusive(probe, "the check could test nothing");
    return probe->judgement.verdict;
}

const struct device *probe_device(const struct probe *probe)
{
    return probe->mode == DEVICE_RUN_TIME ? &probe->run_time : &probe->dfu_mode;
}

// ---- The bus ----

uint64_t probe_now_us(struct probe *probe)
{
    return probe->target->ops->now_us(probe->target);
}

uint64_t probe_late_us(struct probe *probe)
{
    bool known = probe->target->capabilities & TARGET_KNOWS_LATENESS;
    return known ? probe->target->ops->late_us(probe->target) : 0;
}

static struct transcript_entry entry_start(struct probe *probe, enum transcript_kind kind)
{
    return (struct transcript_entry){
        .kind = kind,
        .dfu_mode = probe->mode == DEVICE_DFU_MODE,
        .start_us = probe_now_us(probe),
        .late_us = probe_late_us(probe),
    };
}

static int entry_end(struct probe *probe,
                     struct transcript_entry *entry,
                     int result,
                     const uint8_t *data,
                     size_t data_size)
{
    entry->result = result;
    entry->took_us = probe_now_us(probe) - entry->start_us;
    entry->late_us = probe_late_us(probe) - entry->late_us;
    probe_time_step(probe, entry);
    trips_saw(probe, entry);
    transcript_add(&probe->transcript, *entry, data, data_size);
    if (probe->behind)
        probe->behind(probe->behind_context, entry);
    return result;
}

// Past the gate.
static int send_departing(struct probe *probe,
                          const struct usbdev_setup_packet *setup,
                          uint8_t *data,
                          const struct target_departure *departure)
{
    const struct target_ops *ops = probe->target->ops;
    bool departs = departure->status_delay_ms || departure->cut_off != TARGET_WHOLE;
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_CONTROL);
    usbdev_setup_store(entry.setup, setup);
    entry.asked = setup->wLength;

    entry.departure = *departure;
    int result =
        departs ? ops->control_departing(probe->target, setup, data, PROBE_TIMEOUT_MS, departure)
                : ops->control(probe->target, setup, data, PROBE_TIMEOUT_MS);
    probe_learn(probe, setup, data, result, entry.start_us);
    size_t moved = setup->wLength;
    if (setup->bmRequestType & USBDEV_DIR_IN)
        moved = result > 0 ? (size_t)result : 0;
    return entry_end(probe, &entry, result, data, moved);
}

static int send(struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    const struct target_departure none = {.status_delay_ms = 0};
    return send_departing(probe, setup, data, &none);
}

// GETSTATE, which moves no state; GETSTATUS where that is not answered.
static void ask_state(struct probe *probe)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet getstate =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    const struct usbdev_setup_packet getstatus =
        dfu_setup(probe, DFURT_GETSTATUS, 0, DFURT_STATUS_REPLY_SIZE);
    probe->asking = true;
    probe->on_the_way++;
    if (probe_may_ask_getstate(probe))
        send(probe, &getstate, reply);
    if (probe->gate.state == GATE_STATE_STALE &&
        gate_ask(&probe->gate, &getstatus, NULL) == GATE_SEND)
        send(probe, &getstatus, reply);
    probe->on_the_way--;
    probe->asking = false;
}

int probe_control_departing(struct probe *probe,
                            const struct usbdev_setup_packet *setup,
                            uint8_t *data,
                            const struct target_departure *departure)
{
    enum gate_answer answer = gate_ask(&probe->gate, setup, data);
    if (answer == GATE_ASK_STATE) {
        ask_state(probe);
        answer = gate_ask(&probe->gate, setup, data);
    }
    if (answer == GATE_SEND)
        return send_departing(probe, setup, data, departure);
    probe_refuse(probe, answer);
    return USB_UNSUPPORTED;
}

int probe_control(struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    const struct target_departure none = {.status_delay_ms = 0};
    return probe_control_departing(probe, setup, data, &none);
}

int probe_transfer(struct probe *probe,
                   uint8_t bEndpointAddress,
                   uint8_t *data,
                   size_t length,
                   unsigned timeout_ms)
{
    enum gate_answer answer = gate_ask_transfer(&probe->gate, bEndpointAddress, length);
    if (answer != GATE_SEND) {
        probe_refuse(probe, answer);
        return USB_UNSUPPORTED;
    }
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_TRANSFER);
    entry.bEndpointAddress = bEndpointAddress;
    entry.asked = length;

    int result =
        probe->target->ops->transfer(probe->target, bEndpointAddress, data, length, timeout_ms);
    size_t moved = length;
    if (bEndpointAddress & USBDEV_DIR_IN)
        moved = result > 0 ? (size_t)result : 0;
    return entry_end(probe, &entry, result, data, moved);
}

int probe_set_configuration(struct probe *probe, uint8_t value)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_SET_CONFIGURATION);
    const struct usbdev_setup_packet setup = {.bRequest = USBDEV_SET_CONFIGURATION,
                                              .wValue = value};
    usbdev_setup_store(entry.setup, &setup);
    int result = probe->target->ops->set_configuration(probe->target, value);
    probe->since.alternate = 0;
    gate_moved(&probe->gate);
    return entry_end(probe, &entry, result, NULL, 0);
}

int probe_set_interface(struct probe *probe, uint8_t interface, uint8_t alternate)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_SET_INTERFACE);
    const struct usbdev_setup_packet setup = {.bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                              .bRequest = USBDEV_SET_INTERFACE,
                                              .wValue = alternate,
                                              .wIndex = interface};
    usbdev_setup_store(entry.setup, &setup);
    int result = probe->target->ops->set_interface(probe->target, interface, alternate);
    const struct usb_interface *dfu = probe_device(probe)->dfu;
    if (result == 0 && dfu && dfu->bInterfaceNumber == interface)
        probe->since.alternate = alternate;
    gate_moved(&probe->gate);
    return entry_end(probe, &entry, result, NULL, 0);
}

int probe_clear_halt(struct probe *probe, uint8_t bEndpointAddress)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_CLEAR_HALT);
    entry.bEndpointAddress = bEndpointAddress;
    int result = probe->target->ops->clear_halt(probe->target, bEndpointAddress);
    return entry_end(probe, &entry, result, NULL, 0);
}

static int
bus_event(struct probe *probe, enum transcript_kind kind, int (*operation)(struct target *target))
{
    struct transcript_entry entry = entry_start(probe, kind);
    int result = operation(probe->target);
    gate_moved(&probe->gate);
    return entry_end(probe, &entry, result, NULL, 0);
}

int probe_reset(struct probe *probe)
{
    bool manifested = probe->gate.state == DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    int result = bus_event(probe, TRANSCRIPT_RESET, probe->target->ops->reset);
    if (result != 0)
        return result;
    probe_refresh(probe);
    probe->resets += probe->since.unchanged;
    if (manifested)
        probe_learn_of_manifestation(probe);
    return 0;
}

int probe_to_default(struct probe *probe)
{
    return bus_event(probe, TRANSCRIPT_DEFAULT, probe->target->ops->to_default);
}

int probe_to_address(struct probe *probe)
{
    return bus_event(probe, TRANSCRIPT_ADDRESS, probe->target->ops->to_address);
}

int probe_power_cycle(struct probe *probe)
{
    int result = bus_event(probe, TRANSCRIPT_POWER, probe->target->ops->power_cycle);
    if (result == 0) {
        probe->since.returned_us = probe_now_us(probe);
        probe_refresh(probe);
    }
    return result;
}

int probe_suspend(struct probe *probe)
{
    return bus_event(probe, TRANSCRIPT_SUSPEND, probe->target->ops->suspend);
}

int probe_resume(struct probe *probe)
{
    return bus_event(probe, TRANSCRIPT_RESUME, probe->target->ops->resume);
}

static void tell_waiting(struct probe *probe, unsigned ms, const char *what)
{
    if (probe->waiting)
        probe->waiting(probe->waiting_context, ms, what);
}

int probe_wait_leave(struct probe *probe, unsigned timeout_ms, const char *what)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_WAIT_LEAVE);
    entry.wait_ms = timeout_ms;
    tell_waiting(probe, timeout_ms, what);
    int result = probe->target->ops->wait_leave(probe->target, timeout_ms);
    gate_waited(&probe->gate);
    return entry_end(probe, &entry, result, NULL, 0);
}

int probe_wait_return(struct probe *probe, unsigned timeout_ms, const char *what)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_WAIT_RETURN);
    entry.wait_ms = timeout_ms;
    tell_waiting(probe, timeout_ms, what);
    int result = probe->target->ops->wait_return(probe->target, timeout_ms);
    entry_end(probe, &entry, result, NULL, 0);
    if (result == 0) {
        probe->since.returned_us = probe_now_us(probe);
        probe_refresh(probe);
    }
    return result;
}

void probe_sleep(struct probe *probe, unsigned ms, const char *what)
{
    struct transcript_entry entry = entry_start(probe, TRANSCRIPT_SLEEP);
    entry.wait_ms = ms;
    tell_waiting(probe, ms, what);
    probe->target->ops->sleep_ms(probe->target, ms);
    gate_waited(&probe->gate);
    entry_end(probe, &entry, 0, NULL, 0);
}

// ---- Requests ----

struct usbdev_setup_packet
dfu_setup(const struct probe *probe, uint8_t bRequest, uint16_t wValue, uint16_t wLength)
{
    const struct device *device = probe_device(probe);
    bool in = bRequest == DFURT_UPLOAD || bRequest == DFURT_GETSTATUS || bRequest == DFURT_GETSTATE;
    return (struct usbdev_setup_packet){
        .bmRequestType = (uint8_t)((in ? USBDEV_DIR_IN : USBDEV_DIR_OUT) | USBDEV_TYPE_CLASS |
                                   USBDEV_RECIPIENT_INTERFACE),
        .bRequest = bRequest,
        .wValue = wValue,
        .wIndex = device->dfu ? device->dfu->bInterfaceNumber : 0,
        .wLength = wLength,
    };
}

struct dfu_status_reply dfu_status_load(const uint8_t bytes[DFURT_STATUS_REPLY_SIZE])
{
    return (struct dfu_status_reply){
        .bStatus = bytes[0],
        .bwPollTimeout = (uint32_t)(bytes[1] | bytes[2] << 8 | bytes[3] << 16),
        .bState = bytes[4],
        .iString = bytes[5],
    };
}

int probe_getstatus(struct probe *probe, struct dfu_status_reply *ret_status)
{
    uint8_t reply[DFURT_STATUS_REPLY_SIZE];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_GETSTATUS, 0, sizeof reply);
    int result = probe_control(probe, &setup, reply);
    if (result == (int)sizeof reply)
        *ret_status = dfu_status_load(reply);
    return result;
}

int probe_getstate(struct probe *probe, uint8_t *ret_state)
{
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_GETSTATE, 0, DFURT_STATE_REPLY_SIZE);
    return probe_control(probe, &setup, ret_state);
}
