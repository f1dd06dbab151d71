// SPDX-License-Identifier: MIT

#include "gates.h"

struct gate gate_of_dfuse(bool may_write)
{
    static const struct dfuse_layout layout = {
        .regions = {{0x08000000, 64, 2048, DFUSE_READABLE | DFUSE_ERASABLE | DFUSE_WRITABLE},
                    {0x20000000, 1, 4096, DFUSE_WRITABLE}},
        .count = 2,
    };
    struct gate gate;
    gate_init(&gate, &(struct gate_leave){.detach = true, .write = may_write});
    gate_set_device(&gate, GATE_DFU_MODE, 0, 2048);
    gate_set_memory(&gate, true, &layout, 1);
    gate.state = DFURT_STATE_dfuIDLE;
    if (may_write)
        gate_keep_page(&gate, 0x0801F800, 2048);
    return gate;
}

const uint8_t gate_image[GATE_IMAGE_SIZE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

struct gate gate_of_plain(bool may_write)
{
    struct gate gate = gate_of_dfuse(may_write);
    gate_set_memory(&gate, false, NULL, 0);
    if (may_write)
        gate_keep_image(&gate, gate_image, GATE_IMAGE_SIZE);
    return gate;
}

struct gate gate_of_run_time(int state)
{
    struct gate gate;
    gate_init(&gate, &(struct gate_leave){.detach = true});
    gate_set_device(&gate, GATE_RUN_TIME, 0, 0);
    gate.state = state;
    return gate;
}

void gate_sends(
    struct gate *gate, uint16_t wBlockNum, uint16_t wLength, const uint8_t *data, int result)
{
    const struct usbdev_setup_packet setup = {OUT, DFURT_DNLOAD, wBlockNum, 0, wLength};
    gate_saw(gate, &setup, data, result, result == STALL);
}
