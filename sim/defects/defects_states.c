// SPDX-License-Identifier: MIT
//
// The state table with a cell that is wrong (DFU 1.1 A.2). Where the table STALLs, the device
// accepts and stays in its state; where the table accepts, the device STALLs or enters a wrong
// state.

#include <string.h>

#include <sim/defect.h>

// In this state, the request is accepted, and nothing else happens.
#define ACCEPTS(in_modes, state, state_name, type, request, what, with)                            \
    {                                                                                              \
        .name = "state-" #state "-" what, .summary = "accepts " what " in " state_name,            \
        .rules = RULES({in_modes, .states = 1 << (state), .bmRequestType = (type),                 \
                        .bRequest = (request), .length = (with), .action = DO_ACK}),               \
    }

// In this state the request is answered with these bytes.
#define ANSWERS(state, state_name, request, what, ...)                                             \
    {                                                                                              \
        .name = "state-" #state "-" what, .summary = "answers " what " in " state_name,            \
        .rules = RULES({IN_DFU_MODE, .states = 1 << (state), .bmRequestType = FROM_DFU,            \
                        .bRequest = (request), .action = DO_REPLY, BYTES(__VA_ARGS__)}),           \
    }

// In this state, the request STALLs, and this state follows.
#define REFUSES(in_modes, state, state_name, type, request_code, what, with, after)                \
    {                                                                                              \
        .name = "state-" #state "-" what, .summary = "STALLs " what " in " state_name,             \
        .rules = RULES({in_modes, .states = 1 << (state), .bmRequestType = (type),                 \
                        .bRequest = (request_code), .length = (with), .action = DO_STALL,          \
                        .next = (after)}),                                                         \
    }

// In this state, the request is carried out, and a wrong state follows.
#define GOES_ASTRAY(state, state_name, type, request_code, what, after)                            \
    {                                                                                              \
        .name = "state-" #state "-" what,                                                          \
        .summary = "goes to state " #after " by " what " in " state_name,                          \
        .rules = RULES({IN_DFU_MODE, .states = 1 << (state), .bmRequestType = (type),              \
                        .bRequest = (request_code), .action = DO_ACK, .next = (after)}),           \
    }

// In this state the request is answered, and then the state changes.
#define STRAYS(in_modes, state, state_name, request, what, after, ...)                             \
    {                                                                                              \
        .name = "state-" #state "-" what,                                                          \
        .summary = "answers " what " in " state_name ", and is in state " #after " then",          \
        .rules = RULES({in_modes, .states = 1 << (state), .bmRequestType = FROM_DFU,               \
                        .bRequest = (request), .action = DO_REPLY, BYTES(__VA_ARGS__),             \
                        .next = (after)}),                                                         \
    }

// In this state the request STALLs, and the state stays although the table says dfuERROR.
#define STAYS(state, state_name, type, request_code, what)                                         \
    {                                                                                              \
        .name = "state-" #state "-" what "-stays",                                                 \
        .summary = "STALLs " what " in " state_name ", and stays there",                           \
        .rules = RULES({IN_DFU_MODE, .states = 1 << (state), .bmRequestType = (type),              \
                        .bRequest = (request_code), .action = DO_STALL}),                          \
    }

#define ACCEPTS_OUT(state, state_name, request, what)                                              \
    ACCEPTS(IN_DFU_MODE, state, state_name, TO_DFU, request, what, ANY_LENGTH)
#define ACCEPTS_DNLOAD(state, state_name)                                                          \
    ACCEPTS(IN_DFU_MODE, state, state_name, TO_DFU, DFURT_DNLOAD, "DNLOAD", WITH_DATA),            \
        ACCEPTS(IN_DFU_MODE, state, state_name, TO_DFU, DFURT_DNLOAD, "DNLOAD-0", NO_DATA)
#define ACCEPTS_UPLOAD(state, state_name)                                                          \
    ACCEPTS(IN_DFU_MODE, state, state_name, FROM_DFU, DFURT_UPLOAD, "UPLOAD", ANY_LENGTH)
#define ACCEPTS_UNKNOWN(in_modes, state, state_name)                                               \
    ACCEPTS(in_modes, state, state_name, TO_DFU, 0x21, "OTHER", ANY_LENGTH)

// One handler for both modes. The host gives an address after each bus reset.
static int error_by_upload(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    static const uint8_t status[] = {DFURT_STATUS_errSTALLEDPKT, 0, 0, 0, DFURT_STATE_dfuERROR, 0};
    bool in = setup->bmRequestType == FROM_DFU;
    if (!view->runtime)
        return NATIVE_PASS;
    if (setup->bmRequestType == 0 && setup->bRequest == USBDEV_SET_ADDRESS)
        view->scratch = 0;
    if (in && setup->bRequest == DFURT_UPLOAD)
        view->scratch = 1;
    if (view->scratch == 0 || (setup->bmRequestType & USBDEV_TYPE_MASK) != USBDEV_TYPE_CLASS)
        return NATIVE_PASS;
    memcpy(view->reply, status, sizeof status);
    if (in && setup->bRequest == DFURT_GETSTATUS)
        return setup->wLength < (int)sizeof status ? setup->wLength : (int)sizeof status;
    view->reply[0] = DFURT_STATE_dfuERROR;
    return in && setup->bRequest == DFURT_GETSTATE ? setup->wLength > 0 : NATIVE_STALL;
}

// A loader without dfuERROR: what STALLs leads to dfuIDLE.
static int know_no_error(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    if (view->bootloader && view->bootloader->dfu.bState == DFURT_STATE_dfuERROR)
        view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    return NATIVE_PASS;
}

const struct sim_defect defects_of_states[] = {
    // Not a cell, but all of them.
    {
        .name = "getstate-idle",
        .summary = "GETSTATE says dfuIDLE at run time",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_REPLY, BYTES(DFURT_STATE_dfuIDLE)}),
    },
    {
        .name = "dm-getstate-idle",
        .summary = "GETSTATE says dfuIDLE in each state of DFU mode",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_REPLY, BYTES(DFURT_STATE_dfuIDLE)}),
    },
    {
        .name = "dm-getstatus-stalls",
        .summary = "GETSTATUS STALLs in each state of DFU mode",
        .rules = RULES({IN_DFU_MODE, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATUS,
                        .action = DO_STALL}),
    },
    {
        .name = "dm-no-error",
        .summary = "what STALLs leads to dfuIDLE",
        .setup = know_no_error,
    },
    // A.2.1
    ACCEPTS(AT_RUN_TIME, 0, "appIDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD", WITH_DATA),
    ACCEPTS(AT_RUN_TIME, 0, "appIDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD-0", NO_DATA),
    ACCEPTS(AT_RUN_TIME, 0, "appIDLE", FROM_DFU, DFURT_UPLOAD, "UPLOAD", ANY_LENGTH),
    ACCEPTS(AT_RUN_TIME, 0, "appIDLE", TO_DFU, DFURT_CLRSTATUS, "CLRSTATUS", ANY_LENGTH),
    ACCEPTS(AT_RUN_TIME, 0, "appIDLE", TO_DFU, DFURT_ABORT, "ABORT", ANY_LENGTH),
    ACCEPTS_UNKNOWN(AT_RUN_TIME, 0, "appIDLE"),
    STRAYS(AT_RUN_TIME, 0, "appIDLE", DFURT_GETSTATUS, "GETSTATUS", 1, 0, 0, 0, 0, 0, 0),
    {
        .name = "state-0-GETSTATE",
        .summary = "GETSTATE says appDETACH in appIDLE",
        .rules = RULES({AT_RUN_TIME, .states = 1 << 0, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATE, .action = DO_REPLY, BYTES(1)}),
    },

    {
        .name = "state-0-DNLOAD-0-untold",
        .summary = "DNLOAD without data is accepted at run time, and GETSTATE STALLs",
        .rules = RULES({AT_RUN_TIME, .bmRequestType = TO_DFU, .bRequest = DFURT_DNLOAD,
                        .length = NO_DATA, .action = DO_ACK},
                       {AT_RUN_TIME, .bmRequestType = FROM_DFU, .bRequest = DFURT_GETSTATE,
                        .action = DO_STALL}),
    },
    {
        .name = "state-0-UPLOAD-error",
        .summary = "STALLs UPLOAD in appIDLE, and is in dfuERROR until a bus reset",
        .setup = error_by_upload,
    },

    // A.2.2
    ACCEPTS(AT_RUN_TIME, 1, "appDETACH", TO_DFU, DFURT_DNLOAD, "DNLOAD", WITH_DATA),
    ACCEPTS(AT_RUN_TIME, 1, "appDETACH", TO_DFU, DFURT_DNLOAD, "DNLOAD-0", NO_DATA),
    ACCEPTS(AT_RUN_TIME, 1, "appDETACH", FROM_DFU, DFURT_UPLOAD, "UPLOAD", ANY_LENGTH),
    REFUSES(AT_RUN_TIME, 1, "appDETACH", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS", ANY_LENGTH, 0),
    ACCEPTS(AT_RUN_TIME, 1, "appDETACH", TO_DFU, DFURT_CLRSTATUS, "CLRSTATUS", ANY_LENGTH),
    REFUSES(AT_RUN_TIME, 1, "appDETACH", FROM_DFU, DFURT_GETSTATE, "GETSTATE", ANY_LENGTH, 0),
    ACCEPTS(AT_RUN_TIME, 1, "appDETACH", TO_DFU, DFURT_ABORT, "ABORT", ANY_LENGTH),
    ACCEPTS_UNKNOWN(AT_RUN_TIME, 1, "appDETACH"),
    {
        .name = "state-1-DNLOAD-stays",
        .summary = "STALLs a DNLOAD with data in appDETACH, and stays there",
        .rules = RULES({AT_RUN_TIME, .states = 1 << 1, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_DNLOAD, .length = WITH_DATA, .action = DO_STALL}),
    },

    // A.2.3
    ACCEPTS_OUT(2, "dfuIDLE", DFURT_DETACH, "DETACH"),
    REFUSES(IN_DFU_MODE, 2, "dfuIDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD", WITH_DATA, 10),
    ACCEPTS(IN_DFU_MODE, 2, "dfuIDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD-0", NO_DATA),
    REFUSES(IN_DFU_MODE, 2, "dfuIDLE", FROM_DFU, DFURT_UPLOAD, "UPLOAD", ANY_LENGTH, 10),
    STRAYS(IN_DFU_MODE, 2, "dfuIDLE", DFURT_GETSTATUS, "GETSTATUS", 9, 0, 0, 0, 0, 2, 0),
    ACCEPTS_OUT(2, "dfuIDLE", DFURT_CLRSTATUS, "CLRSTATUS"),
    REFUSES(IN_DFU_MODE, 2, "dfuIDLE", FROM_DFU, DFURT_GETSTATE, "GETSTATE", ANY_LENGTH, 2),
    REFUSES(IN_DFU_MODE, 2, "dfuIDLE", TO_DFU, DFURT_ABORT, "ABORT", ANY_LENGTH, 10),
    ACCEPTS_UNKNOWN(IN_DFU_MODE, 2, "dfuIDLE"),

    // A.2.4
    REFUSES(
        IN_DFU_MODE, 3, "dfuDNLOAD-SYNC", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS", ANY_LENGTH, 10),
    STRAYS(IN_DFU_MODE, 3, "dfuDNLOAD-SYNC", DFURT_GETSTATE, "GETSTATE", 10, 3),
    ACCEPTS_OUT(3, "dfuDNLOAD-SYNC", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(3, "dfuDNLOAD-SYNC"),
    ACCEPTS_UPLOAD(3, "dfuDNLOAD-SYNC"),
    ACCEPTS_OUT(3, "dfuDNLOAD-SYNC", DFURT_CLRSTATUS, "CLRSTATUS"),
    GOES_ASTRAY(3, "dfuDNLOAD-SYNC", TO_DFU, DFURT_ABORT, "ABORT", 5),

    // A.2.5
    ACCEPTS_OUT(4, "dfuDNBUSY", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(4, "dfuDNBUSY"),
    ACCEPTS_UPLOAD(4, "dfuDNBUSY"),
    ANSWERS(4, "dfuDNBUSY", DFURT_GETSTATUS, "GETSTATUS", 0, 1, 0, 0, 4, 0),
    ACCEPTS_OUT(4, "dfuDNBUSY", DFURT_CLRSTATUS, "CLRSTATUS"),
    ANSWERS(4, "dfuDNBUSY", DFURT_GETSTATE, "GETSTATE", 4),
    ACCEPTS_OUT(4, "dfuDNBUSY", DFURT_ABORT, "ABORT"),
    STAYS(4, "dfuDNBUSY", FROM_DFU, DFURT_UPLOAD, "UPLOAD"),
    STAYS(4, "dfuDNBUSY", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS"),

    // A.2.6
    STRAYS(IN_DFU_MODE, 5, "dfuDNLOAD-IDLE", DFURT_GETSTATUS, "GETSTATUS", 10, 0, 0, 0, 0, 5, 0),
    STRAYS(IN_DFU_MODE, 5, "dfuDNLOAD-IDLE", DFURT_GETSTATE, "GETSTATE", 10, 5),
    ACCEPTS_OUT(5, "dfuDNLOAD-IDLE", DFURT_DETACH, "DETACH"),
    REFUSES(IN_DFU_MODE, 5, "dfuDNLOAD-IDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD", WITH_DATA, 10),
    REFUSES(IN_DFU_MODE, 5, "dfuDNLOAD-IDLE", TO_DFU, DFURT_DNLOAD, "DNLOAD-0", NO_DATA, 10),
    ACCEPTS_UPLOAD(5, "dfuDNLOAD-IDLE"),
    ACCEPTS_OUT(5, "dfuDNLOAD-IDLE", DFURT_CLRSTATUS, "CLRSTATUS"),
    GOES_ASTRAY(5, "dfuDNLOAD-IDLE", TO_DFU, DFURT_ABORT, "ABORT", 10),

    // A.2.7
    REFUSES(
        IN_DFU_MODE, 6, "dfuMANIFEST-SYNC", FROM_DFU, DFURT_GETSTATUS, "GETSTATUS", ANY_LENGTH, 10),
    STRAYS(IN_DFU_MODE, 6, "dfuMANIFEST-SYNC", DFURT_GETSTATE, "GETSTATE", 10, 6),
    ACCEPTS_OUT(6, "dfuMANIFEST-SYNC", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(6, "dfuMANIFEST-SYNC"),
    ACCEPTS_UPLOAD(6, "dfuMANIFEST-SYNC"),
    ACCEPTS_OUT(6, "dfuMANIFEST-SYNC", DFURT_CLRSTATUS, "CLRSTATUS"),
    GOES_ASTRAY(6, "dfuMANIFEST-SYNC", TO_DFU, DFURT_ABORT, "ABORT", 5),

    // A.2.8
    ACCEPTS_OUT(7, "dfuMANIFEST", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(7, "dfuMANIFEST"),
    ACCEPTS_UPLOAD(7, "dfuMANIFEST"),
    ANSWERS(7, "dfuMANIFEST", DFURT_GETSTATUS, "GETSTATUS", 0, 1, 0, 0, 7, 0),
    ACCEPTS_OUT(7, "dfuMANIFEST", DFURT_CLRSTATUS, "CLRSTATUS"),
    ANSWERS(7, "dfuMANIFEST", DFURT_GETSTATE, "GETSTATE", 7),
    ACCEPTS_OUT(7, "dfuMANIFEST", DFURT_ABORT, "ABORT"),
    STAYS(7, "dfuMANIFEST", TO_DFU, DFURT_CLRSTATUS, "CLRSTATUS"),

    // A.2.10
    GOES_ASTRAY(8, "dfuMANIFEST-WAIT-RESET", TO_DFU, DFURT_ABORT, "ABORT", 2),

    STRAYS(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE", DFURT_GETSTATUS, "GETSTATUS", 10, 0, 0, 0, 0, 9, 0),
    STRAYS(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE", DFURT_GETSTATE, "GETSTATE", 10, 9),
    {
        .name = "state-9-GETSTATE-error",
        .summary = "STALLs GETSTATE in dfuUPLOAD-IDLE, and is in dfuERROR then",
        .rules = RULES({IN_DFU_MODE, .states = 1 << 9, .bmRequestType = FROM_DFU,
                        .bRequest = DFURT_GETSTATE, .action = DO_STALL, .next = 10}),
    },
    ACCEPTS_OUT(9, "dfuUPLOAD-IDLE", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(9, "dfuUPLOAD-IDLE"),
    REFUSES(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE", FROM_DFU, DFURT_UPLOAD, "UPLOAD", ANY_LENGTH, 10),
    ACCEPTS_OUT(9, "dfuUPLOAD-IDLE", DFURT_CLRSTATUS, "CLRSTATUS"),
    {
        .name = "state-9-CLRSTATUS-error",
        .summary = "accepts CLRSTATUS in dfuUPLOAD-IDLE, and is in dfuERROR then",
        .rules = RULES({IN_DFU_MODE, .states = 1 << 9, .bmRequestType = TO_DFU,
                        .bRequest = DFURT_CLRSTATUS, .action = DO_ACK, .next = 10}),
    },
    GOES_ASTRAY(9, "dfuUPLOAD-IDLE", TO_DFU, DFURT_ABORT, "ABORT", 10),
    ACCEPTS_UNKNOWN(IN_DFU_MODE, 9, "dfuUPLOAD-IDLE"),

    // A.2.11
    STRAYS(IN_DFU_MODE, 10, "dfuERROR", DFURT_GETSTATUS, "GETSTATUS", 9, 15, 0, 0, 0, 10, 0),
    STRAYS(IN_DFU_MODE, 10, "dfuERROR", DFURT_GETSTATE, "GETSTATE", 9, 10),
    ACCEPTS_OUT(10, "dfuERROR", DFURT_DETACH, "DETACH"),
    ACCEPTS_DNLOAD(10, "dfuERROR"),
    ACCEPTS_UPLOAD(10, "dfuERROR"),
    ACCEPTS_OUT(10, "dfuERROR", DFURT_CLRSTATUS, "CLRSTATUS"),
    STAYS(10, "dfuERROR", TO_DFU, DFURT_CLRSTATUS, "CLRSTATUS"),
    ACCEPTS_OUT(10, "dfuERROR", DFURT_ABORT, "ABORT"),
    ACCEPTS_UNKNOWN(IN_DFU_MODE, 10, "dfuERROR"),
    {0},
};
