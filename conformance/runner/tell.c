// SPDX-License-Identifier: MIT
//
// Each event of a run is passed on to every listener that has a function for it, in the order in
// which the listeners were given. The transcript and the probe know no listeners: they call a tap
// and a hook, which are set here.

#include <stdio.h>

#include "run.h"

void tell_begin(struct run *run)
{
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->begin)
            listener->begin(listener->context, run->report);
    }
}

void tell_check_begin(struct run *run, const struct check *check)
{
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->check_begin)
            listener->check_begin(listener->context, check);
    }
}

void tell_check_end(struct run *run, const struct result *result)
{
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->check_end)
            listener->check_end(listener->context, run->report, result);
    }
}

void tell_end(struct run *run)
{
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->end)
            listener->end(listener->context, run->report);
    }
}

static void pass_on_traffic(void *context,
                            const struct transcript_entry *entry,
                            const uint8_t *data,
                            size_t data_size)
{
    const struct run *run = context;
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->traffic)
            listener->traffic(listener->context, entry, data, data_size);
    }
}

// With the time that is left for the check, so that a person knows how long the wait may last.
static void pass_on_waiting(void *context, unsigned ms, const char *what)
{
    const struct run *run = context;
    char text[PROBE_WORDS];
    uint64_t left_ms = watch_left_ms(&run->watch);
    bool real = !(run->probe.target->capabilities & TARGET_VIRTUAL_TIME);
    if (real && left_ms != UINT64_MAX)
        snprintf(text, sizeof text, "%s; %u s are left for the check", what,
                 (unsigned)(left_ms / 1000));
    else
        snprintf(text, sizeof text, "%s", what);
    for (size_t i = 0; i < run->options->listener_count; i++) {
        const struct report_listener *listener = &run->options->listeners[i];
        if (listener->waiting)
            listener->waiting(listener->context, ms, text);
    }
}

void tell_of_probe(struct run *run)
{
    run->probe.waiting = pass_on_waiting;
    run->probe.waiting_context = run;
    run->probe.transcript.tap = pass_on_traffic;
    run->probe.transcript.tap_context = run;
}
