// SPDX-License-Identifier: MIT
//
// Devices that exceed a limit by one; sim/fleet/fleet_limits.c has those that meet it exactly.

#include "defects_private.h"

enum { POLL_30001_MS = 30001 };

static int announce_too_long(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    int length;

    if (!defect_begins_work(view, setup))
        return NATIVE_PASS;
    length = defect_good_reply(view, setup);
    if (length >= DFURT_STATUS_REPLY_SIZE)
        usbdev_store_le16(view->reply + 1, POLL_30001_MS);
    return length;
}

// What GETSTATUS answers in this state.
#define POLLS(mode, state, ms)                                                                     \
    .rules = RULES({mode, .states = 1 << (state), .bmRequestType = FROM_DFU,                       \
                    .bRequest = DFURT_GETSTATUS, .action = DO_REPLY,                               \
                    BYTES(DFURT_STATUS_OK, (ms)&0xFF, (ms) >> 8, 0, state, 0)})

// A host has configured the device by the descriptor that was right.
#define ENDPOINT_SAYS(offset, value)                                                               \
    .patches = PATCHES({PATCH_ENDPOINT, AT_RUN_TIME, offset, value, .late = true})

const struct sim_defect defects_of_limits[] = {
    {
        .name = "poll-timeout-101-ms",
        .summary = "bwPollTimeout in appIDLE is 101 ms",
        POLLS(AT_RUN_TIME, DFURT_STATE_appIDLE, 101),
    },
    {
        .name = "poll-timeout-101-ms-in-app-detach",
        .summary = "bwPollTimeout in appDETACH is 101 ms",
        POLLS(AT_RUN_TIME, DFURT_STATE_appDETACH, 101),
    },
    {
        .name = "dm-poll-1001-ms-in-idle",
        .summary = "bwPollTimeout in dfuIDLE is 1001 ms",
        POLLS(IN_DFU_MODE, DFURT_STATE_dfuIDLE, 1001),
    },
    {
        .name = "dm-poll-30001-ms",
        .summary = "bwPollTimeout after DNLOAD is 30001 ms",
        .setup = announce_too_long,
    },
    {
        .name = "timeout-30001",
        .summary = "wDetachTimeOut is 30001 ms",
        .patches = PATCHES({PATCH_FUNCTIONAL, IN_BOTH_MODES, 3, 30001 & 0xFF},
                           {PATCH_FUNCTIONAL, IN_BOTH_MODES, 4, 30001 >> 8}),
    },
    {
        .name = "endpoint-interval-0",
        .summary = "bInterval of the first endpoint is 0",
        ENDPOINT_SAYS(6, 0),
    },
    {
        .name = "endpoint-interval-17",
        .summary = "bInterval of the first endpoint is 17, beyond the largest exponent",
        ENDPOINT_SAYS(6, 17),
    },
    {
        .name = "endpoint-size-65",
        .summary = "wMaxPacketSize of the first endpoint is 65",
        ENDPOINT_SAYS(4, 65),
    },
    {
        .name = "endpoint-size-1024",
        .summary = "wMaxPacketSize of the first endpoint is 1024",
        .patches = PATCHES({PATCH_ENDPOINT, AT_RUN_TIME, 4, 0, .late = true},
                           {PATCH_ENDPOINT, AT_RUN_TIME, 5, 4, .late = true}),
    },
    {
        .name = "endpoint-size-1025",
        .summary = "wMaxPacketSize of the first endpoint is 1025",
        .patches = PATCHES({PATCH_ENDPOINT, AT_RUN_TIME, 4, 1, .late = true},
                           {PATCH_ENDPOINT, AT_RUN_TIME, 5, 4, .late = true}),
    },
    {
        .name = "endpoint-three-additional",
        .summary = "the first endpoint has three additional transactions a microframe",
        ENDPOINT_SAYS(5, 3 << 3),
    },
    {0},
};
