// SPDX-License-Identifier: MIT
//
// The first difference that decides on a request or a property wins. Ticks come once for each
// millisecond of virtual time that has passed.

#include "native_differences.h"

#include <stdlib.h>

static int answer(void *context, const struct usbdev_setup_packet *setup, const uint8_t **ret_reply)
{
    struct differences *differences = context;

    *ret_reply = differences->reply;
    return defects_answer(differences->list, setup);
}

bool differences_any(const struct differences *differences)
{
    for (size_t i = 0; i < DIFFERENCES; i++)
        if (differences->list[i].defect)
            return true;
    return false;
}

bool differences_at_rest(const struct differences *differences)
{
    for (size_t i = 0; i < DIFFERENCES; i++)
        if (differences->list[i].defect &&
            (differences->list[i].defect->tick || differences->list[i].view.delay_ms > 0))
            return false;
    return true;
}

bool differences_init(struct differences *differences)
{
    if (differences_any(differences))
        differences->reply = calloc(1, DEFECT_REPLY_SIZE);
    return differences->reply || !differences_any(differences);
}

void differences_finish(struct differences *differences)
{
    free(differences->reply);
}

void differences_begin(struct differences *differences,
                       const struct defect_view *view,
                       uint64_t now_ns)
{
    for (size_t i = 0; i < DIFFERENCES; i++) {
        differences->list[i].view = *view;
        differences->list[i].view.reply = differences->reply;
    }
    differences->ticked_ns = now_ns;
    view->native->override = differences_any(differences) ? answer : NULL;
    view->native->override_context = differences;
}

void differences_tick(struct differences *differences, struct sim_device **to, uint64_t now_ns)
{
    if (differences_at_rest(differences)) {
        differences->ticked_ns += (now_ns - differences->ticked_ns) / SIM_MS * SIM_MS;
        return;
    }
    for (; now_ns - differences->ticked_ns >= SIM_MS; differences->ticked_ns += SIM_MS)
        for (size_t i = 0; i < DIFFERENCES && *to; i++)
            if (differences->list[i].defect)
                defect_tick(differences->list[i].defect, &differences->list[i].view);
}

void differences_bus_reset(struct differences *differences, struct sim_device **to)
{
    for (size_t i = 0; i < DIFFERENCES && *to; i++)
        if (differences->list[i].defect && differences->list[i].defect->bus_reset)
            differences->list[i].defect->bus_reset(&differences->list[i].view);
}

uint32_t differences_reset_ms(const struct differences *differences)
{
    for (size_t i = 0; i < DIFFERENCES; i++)
        if (differences->list[i].defect && differences->list[i].defect->reset_ms > 0)
            return differences->list[i].defect->reset_ms;
    return 0;
}

bool differences_keep_pull_up(const struct differences *differences)
{
    for (size_t i = 0; i < DIFFERENCES; i++)
        if (differences->list[i].defect && differences->list[i].defect->keeps_pull_up)
            return true;
    return false;
}
