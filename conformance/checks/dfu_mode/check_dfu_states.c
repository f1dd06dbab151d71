// SPDX-License-Identifier: MIT
//
// The state table in DFU mode, a requirement a cell (DFU 1.1 tables A.2.3 to A.2.8, A.2.10 and
// A.2.11). In dfuMANIFEST-WAIT-RESET (A.2.9) a device need not answer at all: what ends that state
// is checked in check_dfu_resets.c.
//
// One function serves all rows: dfu_state_row.h.

#include <conformance/dfu_steps.h>

#include "dfu_state_row.h"

// A boot loader that leaves by itself may do so before each of several requests was sent in its
// state: half of the time that it stays is spent on them.
static bool has_time(struct probe *probe, uint64_t start_us)
{
    uint64_t half_us = probe->loader.stays_us / 2;
    return half_us == 0 || probe_now_us(probe) - start_us < half_us;
}

// Requests that DFU does not have, in their state.
static void unknown_requests(struct probe *probe)
{
    const struct state_row *row = probe->check->row;
    uint64_t start_us = probe_now_us(probe);
    for (size_t i = 0; i < gate_sample_count && (i == 0 || has_time(probe, start_us)); i++) {
        uint8_t none[1];
        const struct usbdev_setup_packet setup = dfu_setup(probe, gate_samples[i], 0, 0);
        if (!dfu_enter_state(probe, row->state, row->bRequest) ||
            !expect_stall(probe, &setup, none) || !expect_state_after(probe, row->next))
            return;
    }
}

static void clears_error(struct probe *probe)
{
    struct dfu_status_reply status;
    const struct usbdev_setup_packet clear = dfu_setup(probe, DFURT_CLRSTATUS, 0, 0);
    if (!dfu_enter_state(probe, DFURT_STATE_dfuERROR, DFU_NO_QUESTION) ||
        !expect_length(probe, &clear, NULL, 0) || !expect_getstatus(probe, &status))
        return;
    expect_bState_of(probe, status.bState, 1u << DFURT_STATE_dfuIDLE);
    expect_number(probe, "bStatus after CLRSTATUS", status.bStatus, DFURT_STATUS_OK);
}

#define IN_DFU_MODE (NEED_DFU_MODE | NEED_DFU_INTERFACE)
#define DNLOADING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_DNLOAD_BEGUN)
#define MANIFESTING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_PLAIN | NEED_WRITE)
#define UPLOADING (IN_DFU_MODE | NEED_CAN_UPLOAD)
#define WRITING (IN_DFU_MODE | NEED_CAN_DNLOAD | NEED_WRITE)
#define S(state) STATE(state)
#define ROW(...) STATE_ROW(__VA_ARGS__)

// clang-format off
// Most cells: what is not named in a table of A.2 STALLs, and the device is in dfuERROR after it.
#define STALLS(id, table, request, needs, state, bRequest, wLength)                                \
    {id, "DFU 1.1 " table, LEVEL_MUST, request " STALLs, next is dfuERROR", needs, dfu_follow_row,     \
     ROW(state, bRequest, wLength, STALLED, S(10))}

static const struct check checks[] = {
    {"DM-STATE-2-DNLOAD", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: DNLOAD with data is accepted, next is dfuDNLOAD-SYNC",
     DNLOADING, dfu_follow_row, ROW(2, DFURT_DNLOAD, 1, ACCEPTED, S(3))},
    STALLS("DM-STATE-2-DNLOAD-0", "A.2.3", "dfuIDLE: DNLOAD without data",
           WRITING | NEED_PLAIN, 2, DFURT_DNLOAD, 0),
    {"DM-STATE-2-UPLOAD", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: UPLOAD is answered, next is dfuUPLOAD-IDLE, or dfuIDLE if it was short",
     UPLOADING, dfu_follow_row, ROW(2, DFURT_UPLOAD, 1, ACCEPTED, S(2) | S(9))},
    {"DM-STATE-2-GETSTATUS", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: GETSTATUS is answered, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(2, DFURT_GETSTATUS, 6, ACCEPTED, S(2))},
    STALLS("DM-STATE-2-CLRSTATUS", "A.2.3", "dfuIDLE: CLRSTATUS",
           IN_DFU_MODE, 2, DFURT_CLRSTATUS, 0),
    {"DM-STATE-2-GETSTATE", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: GETSTATE is answered, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(2, DFURT_GETSTATE, 1, ACCEPTED, S(2))},
    {"DM-STATE-2-ABORT", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: ABORT is accepted, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(2, DFURT_ABORT, 0, ACCEPTED, S(2))},
    {"DM-STATE-2-OTHER", "DFU 1.1 A.2.3", LEVEL_MUST,
     "dfuIDLE: requests that DFU does not have STALL, next is dfuERROR",
     IN_DFU_MODE, unknown_requests, ROW(2, 7, 0, STALLED, S(10))},

    STALLS("DM-STATE-3-DNLOAD", "A.2.4", "dfuDNLOAD-SYNC: DNLOAD with data",
           WRITING, 3, DFURT_DNLOAD, 1),
    STALLS("DM-STATE-3-DNLOAD-0", "A.2.4", "dfuDNLOAD-SYNC: DNLOAD without data",
           WRITING, 3, DFURT_DNLOAD, 0),
    STALLS("DM-STATE-3-UPLOAD", "A.2.4", "dfuDNLOAD-SYNC: UPLOAD",
           DNLOADING, 3, DFURT_UPLOAD, 1),
    {"DM-STATE-3-GETSTATUS", "DFU 1.1 A.2.4", LEVEL_MUST,
     "dfuDNLOAD-SYNC: GETSTATUS announces dfuDNBUSY, or dfuDNLOAD-IDLE if all is done",
     DNLOADING, dfu_follow_row, ROW(3, DFURT_GETSTATUS, 6, ACCEPTED, S(4) | S(5))},
    STALLS("DM-STATE-3-CLRSTATUS", "A.2.4", "dfuDNLOAD-SYNC: CLRSTATUS",
           DNLOADING, 3, DFURT_CLRSTATUS, 0),
    {"DM-STATE-3-GETSTATE", "DFU 1.1 A.2.4", LEVEL_MUST,
     "dfuDNLOAD-SYNC: GETSTATE is answered, the state stays",
     DNLOADING, dfu_follow_row, ROW(3, DFURT_GETSTATE, 1, ACCEPTED, S(3))},
    {"DM-STATE-3-ABORT", "DFU 1.1 A.2.4", LEVEL_MUST,
     "dfuDNLOAD-SYNC: ABORT STALLs (the table) or leads to dfuIDLE (figure A.1)",
     DNLOADING, dfu_follow_row, ROW(3, DFURT_ABORT, 0, EITHER, S(2) | S(10))},

    STALLS("DM-STATE-4-DNLOAD", "A.2.5", "dfuDNBUSY: DNLOAD with data",
           WRITING, 4, DFURT_DNLOAD, 1),
    STALLS("DM-STATE-4-DNLOAD-0", "A.2.5", "dfuDNBUSY: DNLOAD without data",
           WRITING, 4, DFURT_DNLOAD, 0),
    STALLS("DM-STATE-4-UPLOAD", "A.2.5", "dfuDNBUSY: UPLOAD",
           DNLOADING, 4, DFURT_UPLOAD, 1),
    STALLS("DM-STATE-4-GETSTATUS", "A.2.5", "dfuDNBUSY: GETSTATUS",
           DNLOADING, 4, DFURT_GETSTATUS, 6),
    STALLS("DM-STATE-4-CLRSTATUS", "A.2.5", "dfuDNBUSY: CLRSTATUS",
           DNLOADING, 4, DFURT_CLRSTATUS, 0),
    STALLS("DM-STATE-4-GETSTATE", "A.2.5", "dfuDNBUSY: GETSTATE",
           DNLOADING, 4, DFURT_GETSTATE, 1),
    STALLS("DM-STATE-4-ABORT", "A.2.5", "dfuDNBUSY: ABORT",
           DNLOADING, 4, DFURT_ABORT, 0),

    {"DM-STATE-5-DNLOAD", "DFU 1.1 A.2.6", LEVEL_MUST,
     "dfuDNLOAD-IDLE: DNLOAD with data is accepted, next is dfuDNLOAD-SYNC",
     DNLOADING, dfu_follow_row, ROW(5, DFURT_DNLOAD, 1, ACCEPTED, S(3))},
    {"DM-STATE-5-DNLOAD-0", "DFU 1.1 A.2.6", LEVEL_MUST,
     "dfuDNLOAD-IDLE: DNLOAD without data is accepted, next is dfuMANIFEST-SYNC",
     MANIFESTING, dfu_follow_row, ROW(5, DFURT_DNLOAD, 0, ACCEPTED, S(6))},
    STALLS("DM-STATE-5-UPLOAD", "A.2.6", "dfuDNLOAD-IDLE: UPLOAD",
           DNLOADING, 5, DFURT_UPLOAD, 1),
    {"DM-STATE-5-GETSTATUS", "DFU 1.1 A.2.6", LEVEL_MUST,
     "dfuDNLOAD-IDLE: GETSTATUS is answered, the state stays",
     DNLOADING, dfu_follow_row, ROW(5, DFURT_GETSTATUS, 6, ACCEPTED, S(5))},
    STALLS("DM-STATE-5-CLRSTATUS", "A.2.6", "dfuDNLOAD-IDLE: CLRSTATUS",
           DNLOADING, 5, DFURT_CLRSTATUS, 0),
    {"DM-STATE-5-GETSTATE", "DFU 1.1 A.2.6", LEVEL_MUST,
     "dfuDNLOAD-IDLE: GETSTATE is answered, the state stays",
     DNLOADING, dfu_follow_row, ROW(5, DFURT_GETSTATE, 1, ACCEPTED, S(5))},
    {"DM-STATE-5-ABORT", "DFU 1.1 A.2.6", LEVEL_MUST,
     "dfuDNLOAD-IDLE: ABORT is accepted, next is dfuIDLE",
     DNLOADING, dfu_follow_row, ROW(5, DFURT_ABORT, 0, ACCEPTED, S(2))},

    STALLS("DM-STATE-6-DNLOAD", "A.2.7", "dfuMANIFEST-SYNC: DNLOAD with data",
           MANIFESTING, 6, DFURT_DNLOAD, 1),
    STALLS("DM-STATE-6-DNLOAD-0", "A.2.7", "dfuMANIFEST-SYNC: DNLOAD without data",
           MANIFESTING, 6, DFURT_DNLOAD, 0),
    STALLS("DM-STATE-6-UPLOAD", "A.2.7", "dfuMANIFEST-SYNC: UPLOAD",
           MANIFESTING, 6, DFURT_UPLOAD, 1),
    {"DM-STATE-6-GETSTATUS", "DFU 1.1 A.2.7", LEVEL_MUST,
     "dfuMANIFEST-SYNC: GETSTATUS announces dfuMANIFEST, or dfuIDLE if all is done",
     MANIFESTING, dfu_follow_row, ROW(6, DFURT_GETSTATUS, 6, ACCEPTED, S(2) | S(7))},
    STALLS("DM-STATE-6-CLRSTATUS", "A.2.7", "dfuMANIFEST-SYNC: CLRSTATUS",
           MANIFESTING, 6, DFURT_CLRSTATUS, 0),
    {"DM-STATE-6-GETSTATE", "DFU 1.1 A.2.7", LEVEL_MUST,
     "dfuMANIFEST-SYNC: GETSTATE is answered, the state stays",
     MANIFESTING, dfu_follow_row, ROW(6, DFURT_GETSTATE, 1, ACCEPTED, S(6))},
    {"DM-STATE-6-ABORT", "DFU 1.1 A.2.7", LEVEL_MUST,
     "dfuMANIFEST-SYNC: ABORT STALLs (the table) or leads to dfuIDLE (figure A.1)",
     MANIFESTING, dfu_follow_row, ROW(6, DFURT_ABORT, 0, EITHER, S(2) | S(10))},

    STALLS("DM-STATE-7-DNLOAD", "A.2.8", "dfuMANIFEST: DNLOAD with data",
           MANIFESTING, 7, DFURT_DNLOAD, 1),
    STALLS("DM-STATE-7-DNLOAD-0", "A.2.8", "dfuMANIFEST: DNLOAD without data",
           MANIFESTING, 7, DFURT_DNLOAD, 0),
    STALLS("DM-STATE-7-UPLOAD", "A.2.8", "dfuMANIFEST: UPLOAD",
           MANIFESTING, 7, DFURT_UPLOAD, 1),
    STALLS("DM-STATE-7-GETSTATUS", "A.2.8", "dfuMANIFEST: GETSTATUS",
           MANIFESTING, 7, DFURT_GETSTATUS, 6),
    STALLS("DM-STATE-7-CLRSTATUS", "A.2.8", "dfuMANIFEST: CLRSTATUS",
           MANIFESTING, 7, DFURT_CLRSTATUS, 0),
    STALLS("DM-STATE-7-GETSTATE", "A.2.8", "dfuMANIFEST: GETSTATE",
           MANIFESTING, 7, DFURT_GETSTATE, 1),
    STALLS("DM-STATE-7-ABORT", "A.2.8", "dfuMANIFEST: ABORT",
           MANIFESTING, 7, DFURT_ABORT, 0),

    STALLS("DM-STATE-9-DNLOAD", "A.2.10", "dfuUPLOAD-IDLE: DNLOAD with data",
           WRITING | NEED_CAN_UPLOAD, 9, DFURT_DNLOAD, 1),
    STALLS("DM-STATE-9-DNLOAD-0", "A.2.10", "dfuUPLOAD-IDLE: DNLOAD without data",
           WRITING | NEED_CAN_UPLOAD, 9, DFURT_DNLOAD, 0),
    {"DM-STATE-9-UPLOAD", "DFU 1.1 A.2.10", LEVEL_MUST,
     "dfuUPLOAD-IDLE: UPLOAD is answered, the state stays, or is dfuIDLE if it was short",
     UPLOADING, dfu_follow_row, ROW(9, DFURT_UPLOAD, 1, ACCEPTED, S(2) | S(9))},
    {"DM-STATE-9-GETSTATUS", "DFU 1.1 A.2.10", LEVEL_MUST,
     "dfuUPLOAD-IDLE: GETSTATUS is answered, the state stays",
     UPLOADING, dfu_follow_row, ROW(9, DFURT_GETSTATUS, 6, ACCEPTED, S(9))},
    STALLS("DM-STATE-9-CLRSTATUS", "A.2.10", "dfuUPLOAD-IDLE: CLRSTATUS",
           UPLOADING, 9, DFURT_CLRSTATUS, 0),
    {"DM-STATE-9-GETSTATE", "DFU 1.1 A.2.10", LEVEL_MUST,
     "dfuUPLOAD-IDLE: GETSTATE is answered, the state stays",
     UPLOADING, dfu_follow_row, ROW(9, DFURT_GETSTATE, 1, ACCEPTED, S(9))},
    {"DM-STATE-9-ABORT", "DFU 1.1 A.2.10", LEVEL_MUST,
     "dfuUPLOAD-IDLE: ABORT is accepted, next is dfuIDLE",
     UPLOADING, dfu_follow_row, ROW(9, DFURT_ABORT, 0, ACCEPTED, S(2))},
    {"DM-STATE-9-OTHER", "DFU 1.1 A.2.10", LEVEL_MUST,
     "dfuUPLOAD-IDLE: requests that DFU does not have STALL, next is dfuERROR",
     UPLOADING, unknown_requests, ROW(9, 7, 0, STALLED, S(10))},

    {"DM-STATE-10-DNLOAD", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: DNLOAD with data STALLs, the state stays",
     WRITING, dfu_follow_row, ROW(10, DFURT_DNLOAD, 1, STALLED, S(10))},
    {"DM-STATE-10-DNLOAD-0", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: DNLOAD without data STALLs, the state stays",
     WRITING, dfu_follow_row, ROW(10, DFURT_DNLOAD, 0, STALLED, S(10))},
    {"DM-STATE-10-UPLOAD", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: UPLOAD STALLs, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(10, DFURT_UPLOAD, 1, STALLED, S(10))},
    {"DM-STATE-10-GETSTATUS", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: GETSTATUS is answered, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(10, DFURT_GETSTATUS, 6, ACCEPTED, S(10))},
    {"DM-STATE-10-CLRSTATUS", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: CLRSTATUS is accepted, next is dfuIDLE with status OK",
     IN_DFU_MODE, clears_error, ROW(10, DFURT_CLRSTATUS, 0, ACCEPTED, S(2))},
    {"DM-STATE-10-GETSTATE", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: GETSTATE is answered, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(10, DFURT_GETSTATE, 1, ACCEPTED, S(10))},
    {"DM-STATE-10-ABORT", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: ABORT STALLs, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(10, DFURT_ABORT, 0, STALLED, S(10))},
    {"DM-STATE-10-OTHER", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: requests that DFU does not have STALL, the state stays",
     IN_DFU_MODE, unknown_requests, ROW(10, 7, 0, STALLED, S(10))},
};

// Some boot loaders leave DFU mode at DETACH, and not all of them come back by themselves: these
// rows come last in DFU mode.
static const struct check detach_checks[] = {
    STALLS("DM-STATE-2-DETACH", "A.2.3", "dfuIDLE: DETACH",
           IN_DFU_MODE, 2, DFURT_DETACH, 0),
    STALLS("DM-STATE-3-DETACH", "A.2.4", "dfuDNLOAD-SYNC: DETACH",
           DNLOADING, 3, DFURT_DETACH, 0),
    STALLS("DM-STATE-4-DETACH", "A.2.5", "dfuDNBUSY: DETACH",
           DNLOADING, 4, DFURT_DETACH, 0),
    STALLS("DM-STATE-5-DETACH", "A.2.6", "dfuDNLOAD-IDLE: DETACH",
           DNLOADING, 5, DFURT_DETACH, 0),
    STALLS("DM-STATE-6-DETACH", "A.2.7", "dfuMANIFEST-SYNC: DETACH",
           MANIFESTING, 6, DFURT_DETACH, 0),
    STALLS("DM-STATE-7-DETACH", "A.2.8", "dfuMANIFEST: DETACH",
           MANIFESTING, 7, DFURT_DETACH, 0),
    STALLS("DM-STATE-9-DETACH", "A.2.10", "dfuUPLOAD-IDLE: DETACH",
           UPLOADING, 9, DFURT_DETACH, 0),
    {"DM-STATE-10-DETACH", "DFU 1.1 A.2.11", LEVEL_MUST,
     "dfuERROR: DETACH STALLs, the state stays",
     IN_DFU_MODE, dfu_follow_row, ROW(10, DFURT_DETACH, 0, STALLED, S(10))},
};
// clang-format on

const struct check_group check_dfu_states = {
    .title = "State table in DFU mode",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_dfu_detach = {
    .title = "DETACH in DFU mode",
    .checks = detach_checks,
    .count = sizeof detach_checks / sizeof detach_checks[0],
};
