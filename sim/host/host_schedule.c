// SPDX-License-Identifier: MIT
//
// The clock and the schedule of the host controller model.
//
// host_step() does one event: it finds the next one (a frame, a transfer that may make a
// transaction, a timeout), advances the device until then, tests the pull-up, and carries the event
// out. A frame begins each millisecond whether or not a SOF is sent, so the pull-up and remote
// wake-up are looked at least that often.
//
// A transfer that may go now is chosen by how long it has been waiting, and only the first of each
// endpoint; so endpoints share the bus, and a NAKing one delays no other.

#include "host_private.h"

// How often the host looks for a device that drives the resume of L1 (USB 2.0 Link Power Management
// addendum: TL1DevDrvResume is 50 us).
enum { L1_LOOK_NS = 25000 };

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
    host_watch_pull_up(host);
}

// Remote wake-up: the host takes the resume over and ends it (USB 2.0 7.1.7.7).
static void answer_wake_up(struct sim_host *host)
{
    sim_host_resume(host);
    if (host->connected && host->events.woken)
        host->events.woken(host->events_context);
}

// A device drives the resume that ends L1 for less than a frame.
static bool awaits_wake_up(const struct sim_host *host)
{
    return host->suspended && host->l1_resume_ns > 0 && !host->resuming;
}

static void begin_frame(struct sim_host *host)
{
    host->next_frame_ns += HOST_FRAME_NS;
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

    if (time_ns < host->next_frame_ns + HOST_FRAME_NS || !sim_host_at_rest(host))
        return;
    more = (time_ns - host->next_frame_ns) / HOST_FRAME_NS;
    host->now_ns = host->next_frame_ns + more * HOST_FRAME_NS;
    host->device->ops->rest(host->device, host->now_ns);
    host->next_frame_ns = host->now_ns + HOST_FRAME_NS;
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

// ---- How long it is worth to go on ----

static bool may_move_soon(const struct sim_host *host, const struct sim_transfer *transfer)
{
    if (transfer->type == USBDEV_ENDPOINT_ISOCHRONOUS)
        return false;
    if (!transfer->nak_since_ns)
        return true;
    return transfer->type != USBDEV_ENDPOINT_INTERRUPT &&
           host->now_ns - transfer->nak_since_ns < HOST_FRAME_NS;
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
