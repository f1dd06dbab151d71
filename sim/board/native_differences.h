// SPDX-License-Identifier: MIT
//
// native_differences.h - in what a native board differs from its model while a device is up: a
// defect, and the board's own way. Both are asked, the defect first.
//
// `to` is where the board keeps the device that has the pins. A hook may take it off the bus; no
// hook is called then.

#ifndef SIM_NATIVE_DIFFERENCES_H
#define SIM_NATIVE_DIFFERENCES_H

#include <sim/defect.h>

struct differences {
    struct difference list[DIFFERENCES];
    uint64_t ticked_ns; // time up to here has been passed to them
    uint8_t *reply;     // DEFECT_REPLY_SIZE bytes; NULL where there is no difference
};

// Beginning, with `list` filled in, and end. Returns false if there is no memory.
bool differences_init(struct differences *differences);
void differences_finish(struct differences *differences);

bool differences_any(const struct differences *differences);

// Do they nothing by time?
bool differences_at_rest(const struct differences *differences);

// A device has come up; view is what the hooks see of it, but for the reply.
void differences_begin(struct differences *differences,
                       const struct defect_view *view,
                       uint64_t now_ns);

void differences_tick(struct differences *differences, struct sim_device **to, uint64_t now_ns);
void differences_bus_reset(struct differences *differences, struct sim_device **to);

// Off the bus between two modes; 0: as long as a good board.
uint32_t differences_reset_ms(const struct differences *differences);
bool differences_keep_pull_up(const struct differences *differences);

#endif
