// SPDX-License-Identifier: MIT
//
// Devices that answer a question, or another request, in all states but one. In that one they are
// silent, report no state, or hang.

#include <sim/defect.h>

#define IN_STATE(in_modes, state, type, request)                                                   \
    in_modes, .states = 1 << (state), .bmRequestType = (type), .bRequest = (request)

#define GETSTATE_IS_SILENT(state, state_name)                                                      \
    {                                                                                              \
        .name = "state-" #state "-GETSTATE-silent",                                                \
        .summary = "does not answer GETSTATE in " state_name,                                      \
        .rules =                                                                                   \
            RULES({IN_STATE(IN_DFU_MODE, state, FROM_DFU, DFURT_GETSTATE), .action = DO_SILENT}),  \
    }

#define GETSTATUS_IS_SILENT(state, state_name)                                                     \
    {                                                                                              \
        .name = "state-" #state "-GETSTATUS-silent",                                               \
        .summary = "does not answer GETSTATUS in " state_name,                                     \
        .rules =                                                                                   \
            RULES({IN_STATE(IN_DFU_MODE, state, FROM_DFU, DFURT_GETSTATUS), .action = DO_SILENT}), \
    }

#define GETSTATE_SAYS_NONE(state, state_name)                                                      \
    {                                                                                              \
        .name = "state-" #state "-GETSTATE-none",                                                  \
        .summary = "GETSTATE says FFh, which is no state, in " state_name,                         \
        .rules = RULES({IN_STATE(IN_DFU_MODE, state, FROM_DFU, DFURT_GETSTATE),                    \
                        .action = DO_REPLY, BYTES(0xFF)}),                                         \
    }

#define HANGS(in_modes, state, state_name, type, request, what)                                    \
    {                                                                                              \
        .name = "state-" #state "-" what "-hangs", .summary = "hangs at " what " in " state_name,  \
        .rules = RULES({IN_STATE(in_modes, state, type, request), .action = DO_HANG}),             \
    }

const struct sim_defect defects_of_questions[] = {
    {
        .name = "state-5-GETSTATE-stalls",
        .summary = "GETSTATE in dfuDNLOAD-IDLE STALLs and leads to dfuERROR",
        .rules = RULES(
            {IN_STATE(IN_DFU_MODE, 5, FROM_DFU, DFURT_GETSTATE), .action = DO_STALL, .next = 10}),
    },
    GETSTATE_IS_SILENT(3, "dfuDNLOAD-SYNC"),
    GETSTATE_IS_SILENT(5, "dfuDNLOAD-IDLE"),
    GETSTATE_IS_SILENT(9, "dfuUPLOAD-IDLE"),
    GETSTATE_IS_SILENT(10, "dfuERROR"),
    GETSTATUS_IS_SILENT(2, "dfuIDLE"),
    GETSTATUS_IS_SILENT(3, "dfuDNLOAD-SYNC"),
    GETSTATUS_IS_SILENT(6, "dfuMANIFEST-SYNC"),
    GETSTATE_IS_SILENT(6, "dfuMANIFEST-SYNC"),
    GETSTATE_SAYS_NONE(3, "dfuDNLOAD-SYNC"),
    GETSTATE_SAYS_NONE(6, "dfuMANIFEST-SYNC"),
    GETSTATE_SAYS_NONE(9, "dfuUPLOAD-IDLE"),
    GETSTATE_SAYS_NONE(10, "dfuERROR"),
    HANGS(AT_RUN_TIME, 0, "appIDLE", FROM_DFU, DFURT_GETSTATE, "GETSTATE"),
    HANGS(AT_RUN_TIME, 1, "appDETACH", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS"),
    HANGS(AT_RUN_TIME, 1, "appDETACH", FROM_DFU, DFURT_GETSTATE, "GETSTATE"),
    HANGS(AT_RUN_TIME, 1, "appDETACH", TO_DFU, DFURT_ABORT, "ABORT"),
    HANGS(IN_DFU_MODE, 2, "dfuIDLE", TO_DFU, DFURT_DETACH, "DETACH"),
    HANGS(IN_DFU_MODE, 2, "dfuIDLE", TO_DFU, DFURT_CLRSTATUS, "CLRSTATUS"),
    HANGS(IN_DFU_MODE, 3, "dfuDNLOAD-SYNC", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS"),
    HANGS(IN_DFU_MODE, 4, "dfuDNBUSY", FROM_DFU, DFURT_UPLOAD, "UPLOAD"),
    HANGS(IN_DFU_MODE, 6, "dfuMANIFEST-SYNC", TO_DFU, DFURT_ABORT, "ABORT"),
    HANGS(IN_DFU_MODE, 6, "dfuMANIFEST-SYNC", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS"),
    HANGS(IN_DFU_MODE, 6, "dfuMANIFEST-SYNC", FROM_DFU, DFURT_GETSTATE, "GETSTATE"),
    HANGS(IN_DFU_MODE, 7, "dfuMANIFEST", FROM_DFU, DFURT_UPLOAD, "UPLOAD"),
    HANGS(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE", FROM_DFU, DFURT_GETSTATE, "GETSTATE"),
    HANGS(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE", TO_DFU, DFURT_ABORT, "ABORT"),
    HANGS(IN_DFU_MODE, 10, "dfuERROR", FROM_DFU, DFURT_GETSTATE, "GETSTATE"),
    HANGS(IN_DFU_MODE, 10, "dfuERROR", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS"),
    {0},
};
