// SPDX-License-Identifier: MIT
//
// The port, the clock and the schedule of the host controller model.
//
// host_step() does one event: it finds the next one (a frame, a transfer that may make a
// transaction, a timeout), advances the device until then, tests the pull-up, and carries the event
// out. A frame begins each millisecond whether or not a SOF is sent, so the pull-up and remote
// wake-up are looked at least that often.
//
// A transfer that may go now is chosen by how long it has been waiting, and only the first of each
// endpoint; so endpoints share the bus, and a NAKing one delays no other.

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "host_private.h"

enum {
    FRAME_NS = 1000000,
    HUB_REQUEST_NS =
        1000000, // a port reset is a request to a hub: the bus runs on until it is served
};

// In L1: from the end of resume to the first packet, and how often the host looks for a device that
// drives it (USB 2.0 Link Power Management addendum: TL1ExitDevRecovery, TL1DevDrvResume is 50 us).
enum { L1_RECOVERY_NS = 10000, L1_LOOK_NS = 25000 };

static const uint64_t debounce_ns = 100 * SIM_MS; // TATTDB, USB 2.0 7.1.7.3

// ---- Opening and questions ----

struct sim_host *
sim_host_open(struct sim_device *device, const struct sim_host_events *events, void *context)
{
    struct sim_host *host = calloc(1, sizeof *host);

    if (!host)
        return NULL;
    host->device = device;
    if (events)
        host->events = *events;
    host->events_context = context;
    host->max_packet0 = 64;
    host->next_frame_ns = FRAME_NS;
    sim_host_power(host, true);
    return host;
}

static void finish_all(struct sim_host *host, int status)
{
    while (host->transfers)
        host_finish(host, host->transfers, status);
}

void sim_host_close(struct sim_host *host)
{
    if (!host)
        return;
    host->connected = false; // nothing can be submitted any more
    finish_all(host, USB_CANCELLED);
    host->device->ops->close(host->device);
    free(host);
}

void sim_host_tap(struct sim_host *host, sim_packet_tap *tap, void *context)
{
    host->tap = tap;
    host->tap_context = context;
}

void sim_host_follow(struct sim_host *host, sim_request_accepted *accepted, void *context)
{
    host->accepted = accepted;
    host->accepted_context = context;
}

uint64_t sim_host_now(const struct sim_host *host)
{
    return host->now_ns;
}

struct sim_device *sim_host_device(struct sim_host *host)
{
    return host->device;
}

bool sim_host_connected(const struct sim_host *host)
{
    return host->connected;
}

bool sim_host_suspended(const struct sim_host *host)
{
    return host->suspended;
}

uint8_t sim_host_address(const struct sim_host *host)
{
    return host->address;
}

void sim_host_use_address(struct sim_host *host, uint8_t address)
{
    host->address = address;
}

uint16_t sim_host_max_packet0(const struct sim_host *host)
{
    return host->max_packet0;
}

void sim_host_reset_toggle(struct sim_host *host, uint8_t bEndpointAddress)
{
    host->toggles &= ~(UINT32_C(1) << endpoint_index(bEndpointAddress));
}

void host_tap(struct sim_host *host, const struct sim_packet *packet)
{
    if (host->tap)
        host->tap(host->tap_context, packet);
}

static void tap_event(struct sim_host *host, enum sim_packet_kind kind)
{
    host_tap(host, &(struct sim_packet){.time_ns = host->now_ns, .kind = kind});
}

// ---- The port ----

static void call(struct sim_host *host, void (*event)(void *context))
{
    if (event)
        event(host->events_context);
}

static void lose_device(struct sim_host *host)
{
    host->connected = false;
    host->suspended = false;
    host->l1_resume_ns = 0;
    host->address = 0;
    finish_all(host, USB_GONE);
    tap_event(host, SIM_PACKET_DISCONNECT);
    call(host, host->events.disconnected);
}

// SE0 hides the pull-up (USB 2.0 7.1.7.3).
static void watch_pull_up(struct sim_host *host)
{
    bool pull_up = host->powered && host->device->ops->connected(host->device);

    if (host->se0)
        return;
    if (pull_up != host->pull_up) {
        host->pull_up = pull_up;
        host->pull_up_ns = host->now_ns;
        if (host->connected)
            lose_device(host);
    }
    if (pull_up && !host->connected && host->now_ns - host->pull_up_ns >= debounce_ns) {
        host->connected = true;
        tap_event(host, SIM_PACKET_CONNECT);
        call(host, host->events.connected);
    }
}

void sim_host_power(struct sim_host *host, bool on)
{
    if (host->powered == on)
        return;
    host->powered = on;
    tap_event(host, on ? SIM_PACKET_POWER_ON : SIM_PACKET_POWER_OFF);
    host->device->ops->power(host->device, on);
    watch_pull_up(host);
}

int sim_host_reset(struct sim_host *host)
{
    if (!host->connected)
        return USB_GONE;
    sim_host_run_until(host, host->now_ns + HUB_REQUEST_NS);
    if (!host->connected)
        return USB_GONE;
    host->se0 = true;
    finish_all(host, USB_GONE);
    tap_event(host, SIM_PACKET_RESET_BEGIN);
    host->suspended = false;
    host->l1_resume_ns = 0;
    host->address = 0;
    host->toggles = 0;
    host->device->ops->bus_reset(host->device, true);
    sim_host_run_until(host, host->now_ns + 50 * SIM_MS);
    host->se0 = false;
    host->device->ops->bus_reset(host->device, false);
    tap_event(host, SIM_PACKET_RESET_END);
    watch_pull_up(host);
    sim_host_run_until(host, host->now_ns + 10 * SIM_MS);
    return host->connected ? 0 : USB_GONE;
}

void sim_host_suspend(struct sim_host *host)
{
    if (!host->connected || host->suspended)
        return;
    host->suspended = true;
    tap_event(host, SIM_PACKET_SUSPEND);
    sim_host_run_until(host, host->now_ns + 10 * SIM_MS);
}

// BESL, in microseconds (USB 2.0 Link Power Management addendum, errata for BESL).
static const uint16_t besl_us[] = {125,  150,  200,  300,  400,  500,  1000, 2000,
                                   3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000};

int sim_host_sleep(struct sim_host *host, unsigned besl, bool remote_wake)
{
    unsigned attributes =
        SIM_LPM_L1 | (besl & 0xF) << SIM_LPM_BESL_SHIFT | (remote_wake ? SIM_LPM_bRemoteWake : 0);
    int result = SIM_NO_RESPONSE;

    if (!host->connected || host->suspended)
        return SIM_NO_RESPONSE;
    sim_host_run_until(host, host->next_frame_ns + HOST_SOF_NS);
    if (host->connected && host->device->ops->lpm)
        result = host->device->ops->lpm(host->device, host->address, (uint16_t)attributes);
    if (result != SIM_ACK)
        return result;
    host->suspended = true;
    host->l1_resume_ns = besl_us[besl & 0xF] * UINT64_C(1000);
    tap_event(host, SIM_PACKET_SUSPEND);
    return SIM_ACK;
}

void sim_host_resume(struct sim_host *host)
{
    uint64_t resume_ns = host->l1_resume_ns ? host->l1_resume_ns : 20 * SIM_MS;
    uint64_t recovery_ns = host->l1_resume_ns ? L1_RECOVERY_NS : 10 * SIM_MS;

    if (!host->suspended)
        return;
    host->resuming = true;
    host->device->ops->resume(host->device);
    sim_host_run_until(host, host->now_ns + resume_ns);
    host->resuming = false;
    if (!host->suspended)
        return; // the device left the bus
    host->suspended = false;
    host->l1_resume_ns = 0;
    tap_event(host, SIM_PACKET_RESUME);
    sim_host_run_until(host, host->now_ns + recovery_ns);
}

// ---- The schedule ----

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool bus_runs(const struct sim_host *host)
{
    return host->connected && !host->se0 && !host->suspended;
}

// When the transfer's next transaction can begin. One that would run into the next SOF waits for
// it.
static uint64_t ready_ns(const struct sim_host *host, const struct sim_transfer *transfer)
{
    uint64_t ready = max64(transfer->next_ns, host->ready_ns[endpoint_index(transfer->endpoint)]);

    ready = max64(max64(ready, host->bus_free_ns), host->now_ns);
    if (ready < host->next_frame_ns && ready + host_transaction_ns(transfer) > host->next_frame_ns)
        return host->next_frame_ns + HOST_SOF_NS;
    return ready;
}

// The transfer to serve next, and when: the first of each endpoint takes part.
static struct sim_transfer *next_transfer(const struct sim_host *host, uint64_t *ret_ready_ns)
{
    struct sim_transfer *best = NULL;
    uint64_t best_ready = UINT64_MAX;
    uint32_t seen = 0;

    if (!bus_runs(host))
        return NULL;
    for (struct sim_transfer *it = host->transfers; it; it = it->next) {
        uint32_t bit = UINT32_C(1) << endpoint_index(it->endpoint);
        uint64_t ready = seen & bit ? UINT64_MAX : ready_ns(host, it);

        seen |= bit;
        if (ready < best_ready || (ready == best_ready && best && it->next_ns < best->next_ns)) {
            best = it;
            best_ready = ready;
        }
    }
    *ret_ready_ns = best_ready;
    return best;
}

static struct sim_transfer *first_to_expire(const struct sim_host *host)
{
    struct sim_transfer *first = NULL;

    for (struct sim_transfer *it = host->transfers; it; it = it->next)
        if (!first || it->deadline_ns < first->deadline_ns)
            first = it;
    return first;
}

static void live_until(struct sim_host *host, uint64_t time_ns)
{
    host->now_ns = time_ns;
    host->device->ops->advance(host->device, time_ns);
    watch_pull_up(host);
}

// Remote wake-up: the host takes the resume over and ends it (USB 2.0 7.1.7.7).
static void answer_wake_up(struct sim_host *host)
{
    sim_host_resume(host);
    if (host->connected)
        call(host, host->events.woken);
}

// A device drives the resume that ends L1 for less than a frame.
static bool awaits_wake_up(const struct sim_host *host)
{
    return host->suspended && host->l1_resume_ns > 0 && !host->resuming;
}

static void begin_frame(struct sim_host *host)
{
    host->next_frame_ns += FRAME_NS;
    if (!host->connected || host->se0)
        return;
    if (host->suspended) {
        if (!host->resuming && host->device->ops->waking(host->device))
            answer_wake_up(host);
        return;
    }
    host->frame = (host->frame + 1) & 0x7FF;
    host->device->ops->sof(host->device, host->frame);
    host->bus_free_ns = host->now_ns + HOST_SOF_NS;
}

static void expire(struct sim_host *host, struct sim_transfer *transfer)
{
    host_note_fault(host, transfer, "NAK in the %s until the time was over",
                    host_stage_name(transfer));
    host_finish(host, transfer, USB_TIMEOUT);
}

void host_step(struct sim_host *host, uint64_t limit_ns)
{
    uint64_t ready = UINT64_MAX;
    struct sim_transfer *transfer = next_transfer(host, &ready);
    struct sim_transfer *expiring = first_to_expire(host);
    uint64_t until = limit_ns < host->next_frame_ns ? limit_ns : host->next_frame_ns;

    if (ready < until)
        until = ready;
    if (expiring && expiring->deadline_ns < until)
        until = max64(expiring->deadline_ns, host->now_ns);
    if (awaits_wake_up(host) && host->now_ns + L1_LOOK_NS < until)
        until = host->now_ns + L1_LOOK_NS;
    live_until(host, until);

    // Whatever the device did in the meantime may have ended transfers: look again.
    expiring = first_to_expire(host);
    if (expiring && expiring->deadline_ns <= host->now_ns)
        expire(host, expiring);
    else if (awaits_wake_up(host) && host->device->ops->waking(host->device))
        answer_wake_up(host);
    else if (host->now_ns == host->next_frame_ns)
        begin_frame(host);
    else if ((transfer = next_transfer(host, &ready)) && ready == host->now_ns)
        host_transact(host, transfer);
}

// ---- Rest: frames in which there is nothing to do but to send a SOF ----

bool sim_host_at_rest(const struct sim_host *host)
{
    return bus_runs(host) && !host->transfers && host->device->ops->rest &&
           host->device->ops->rest(host->device, host->now_ns);
}

// Advances the device through all frames that begin until time_ns, at once.
static void rest_until(struct sim_host *host, uint64_t time_ns)
{
    uint64_t more;

    if (time_ns < host->next_frame_ns + FRAME_NS || !sim_host_at_rest(host))
        return;
    more = (time_ns - host->next_frame_ns) / FRAME_NS;
    host->now_ns = host->next_frame_ns + more * FRAME_NS;
    host->device->ops->rest(host->device, host->now_ns);
    host->next_frame_ns = host->now_ns + FRAME_NS;
    host->frame = (uint16_t)((host->frame + more + 1) & 0x7FF);
    host->bus_free_ns = host->now_ns + HOST_SOF_NS;
}

void sim_host_run_until(struct sim_host *host, uint64_t time_ns)
{
    while (host->now_ns < time_ns) {
        rest_until(host, time_ns);
        if (host->now_ns < time_ns)
            host_step(host, time_ns);
    }
}

// ---- Transfers ----

static bool may_move_soon(const struct sim_host *host, const struct sim_transfer *transfer)
{
    if (transfer->type == USBDEV_ENDPOINT_ISOCHRONOUS)
        return false;
    if (!transfer->nak_since_ns)
        return true;
    return transfer->type != USBDEV_ENDPOINT_INTERRUPT &&
           host->now_ns - transfer->nak_since_ns < FRAME_NS;
}

bool sim_host_busy(const struct sim_host *host)
{
    uint32_t seen = 0;

    if (!bus_runs(host))
        return false;
    for (const struct sim_transfer *it = host->transfers; it; it = it->next) {
        uint32_t bit = UINT32_C(1) << endpoint_index(it->endpoint);

        if (!(seen & bit) && may_move_soon(host, it))
            return true;
        seen |= bit;
    }
    return false;
}

void sim_host_run_busy(struct sim_host *host, uint64_t limit_ns)
{
    while (host->now_ns < limit_ns && sim_host_busy(host))
        host_step(host, limit_ns);
}

int sim_host_submit(struct sim_host *host, struct sim_transfer *transfer)
{
    struct sim_transfer **end = &host->transfers;

    assert(transfer->wMaxPacketSize > 0 && transfer->wMaxPacketSize <= SIM_MAX_PACKET);
    if (!host->connected || host->se0)
        return USB_GONE;
    while (*end)
        end = &(*end)->next;
    *end = transfer;
    transfer->next = NULL;
    transfer->status = USB_OK;
    transfer->actual = 0;
    if (transfer->type == USBDEV_ENDPOINT_CONTROL)
        host->fault[0] = '\0';
    transfer->deadline_ns = transfer->timeout_ns ? host->now_ns + transfer->timeout_ns : UINT64_MAX;
    transfer->next_ns = host->now_ns;
    transfer->nak_since_ns = 0;
    transfer->stage = 0;
    transfer->errors = 0;
    transfer->naks = 0;
    return 0;
}

void host_finish(struct sim_host *host, struct sim_transfer *transfer, int status)
{
    struct sim_transfer **link = &host->transfers;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
    transfer->status = status;
    transfer->done(transfer);
}

bool sim_host_cancel(struct sim_host *host, struct sim_transfer *transfer)
{
    for (struct sim_transfer *it = host->transfers; it; it = it->next) {
        if (it != transfer)
            continue;
        host_finish(host, transfer, USB_CANCELLED);
        return true;
    }
    return false;
}
