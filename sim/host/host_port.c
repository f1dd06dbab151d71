// SPDX-License-Identifier: MIT
//
// The port of the host controller model: power, the pull-up and its debouncing, bus reset, suspend
// and resume, L1.

#include "host_private.h"

// A port reset is a request to a hub: the bus runs on until it is served.
enum { HUB_REQUEST_NS = 1000000 };

// From the end of resume to the first packet in L1 (USB 2.0 Link Power Management addendum:
// TL1ExitDevRecovery).
enum { L1_RECOVERY_NS = 10000 };

static const uint64_t debounce_ns = 100 * SIM_MS; // TATTDB, USB 2.0 7.1.7.3

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
    host_finish_all(host, USB_GONE);
    host_tap_event(host, SIM_PACKET_DISCONNECT);
    call(host, host->events.disconnected);
}

// SE0 hides the pull-up (USB 2.0 7.1.7.3).
void host_watch_pull_up(struct sim_host *host)
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
        host_tap_event(host, SIM_PACKET_CONNECT);
        call(host, host->events.connected);
    }
}

void sim_host_power(struct sim_host *host, bool on)
{
    if (host->powered == on)
        return;
    host->powered = on;
    host_tap_event(host, on ? SIM_PACKET_POWER_ON : SIM_PACKET_POWER_OFF);
    host->device->ops->power(host->device, on);
    host_watch_pull_up(host);
}

int sim_host_reset(struct sim_host *host)
{
    if (!host->connected)
        return USB_GONE;
    sim_host_run_until(host, host->now_ns + HUB_REQUEST_NS);
    if (!host->connected)
        return USB_GONE;
    host->se0 = true;
    host_finish_all(host, USB_GONE);
    host_tap_event(host, SIM_PACKET_RESET_BEGIN);
    host->suspended = false;
    host->l1_resume_ns = 0;
    host->address = 0;
    host->toggles = 0;
    host->device->ops->bus_reset(host->device, true);
    sim_host_run_until(host, host->now_ns + 50 * SIM_MS);
    host->se0 = false;
    host->device->ops->bus_reset(host->device, false);
    host_tap_event(host, SIM_PACKET_RESET_END);
    host_watch_pull_up(host);
    sim_host_run_until(host, host->now_ns + 10 * SIM_MS);
    return host->connected ? 0 : USB_GONE;
}

void sim_host_suspend(struct sim_host *host)
{
    if (!host->connected || host->suspended)
        return;
    host->suspended = true;
    host_tap_event(host, SIM_PACKET_SUSPEND);
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
    host_tap_event(host, SIM_PACKET_SUSPEND);
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
    host_tap_event(host, SIM_PACKET_RESUME);
    sim_host_run_until(host, host->now_ns + recovery_ns);
}
