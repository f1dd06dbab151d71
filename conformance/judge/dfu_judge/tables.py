# SPDX-License-Identifier: MIT
"""Tables A.2.1 to A.2.11 of DFU 1.1, typed from the specification: in each state, what may be
answered to each request, and which state is entered then.

A cell is a set of outcomes: the answer, "ok" or "stall", with the states that may follow. Where the
next state depends on what the device is or did, each case is an outcome, or a rule that states.py
knows by name. Any "ok" of a request that a device carries out may be followed by dfuERROR with a
bStatus that says why (A.2.4 to A.2.7: the device detects an error); that is `FAILED`.
"""

(APP_IDLE, APP_DETACH, DFU_IDLE, DNLOAD_SYNC, DNBUSY, DNLOAD_IDLE, MANIFEST_SYNC, MANIFEST,
 WAIT_RESET, UPLOAD_IDLE, ERROR) = range(11)

STATES = ("appIDLE", "appDETACH", "dfuIDLE", "dfuDNLOAD-SYNC", "dfuDNBUSY", "dfuDNLOAD-IDLE",
          "dfuMANIFEST-SYNC", "dfuMANIFEST", "dfuMANIFEST-WAIT-RESET", "dfuUPLOAD-IDLE", "dfuERROR")

# bRequest (table 3.2), and whether its data stage goes to the host (table 3.1).
REQUESTS = {0: ("DETACH", False), 1: ("DNLOAD", False), 2: ("UPLOAD", True),
            3: ("GETSTATUS", True), 4: ("CLRSTATUS", False), 5: ("GETSTATE", True),
            6: ("ABORT", False)}

FAILED = "FAILED"  # dfuERROR, and GETSTATUS says why


def stays(state):
    return {("ok", state)}


def stall(state):
    return {("stall", state)}


# The state column, then the requests that a table names; every other one is in its last row.
TABLE = {
    APP_IDLE: {  # A.2.1
        "DETACH": stays(APP_DETACH),
        "GETSTATUS": stays(APP_IDLE) | stall(APP_IDLE),
        "GETSTATE": stays(APP_IDLE) | stall(APP_IDLE),
        "OTHER": stall(APP_IDLE),
    },
    APP_DETACH: {  # A.2.2
        "GETSTATUS": stays(APP_DETACH),
        "GETSTATE": stays(APP_DETACH),
        "OTHER": stall(APP_IDLE),
    },
    DFU_IDLE: {  # A.2.3
        "DNLOAD": {("can dnload", DNLOAD_SYNC), ("cannot dnload", ERROR)},
        "UPLOAD": {("can upload", UPLOAD_IDLE), ("can upload, short", DFU_IDLE),
                   ("cannot upload", ERROR)},
        "GETSTATUS": stays(DFU_IDLE),
        "GETSTATE": stays(DFU_IDLE),
        "ABORT": stays(DFU_IDLE),
        "OTHER": stall(ERROR),
    },
    DNLOAD_SYNC: {  # A.2.4; figure A.1 has ABORT lead to dfuIDLE
        "GETSTATUS": {("ok", DNBUSY), ("ok", DNLOAD_IDLE), ("ok", FAILED)},
        "GETSTATE": stays(DNLOAD_SYNC),
        "ABORT": {("ok", DFU_IDLE), ("stall", ERROR)},
        "OTHER": stall(ERROR),
    },
    DNBUSY: {"OTHER": stall(ERROR)},  # A.2.5
    DNLOAD_IDLE: {  # A.2.6
        "DNLOAD": {("ok", DNLOAD_SYNC)},
        "DNLOAD-0": {("ok", MANIFEST_SYNC), ("stall", ERROR)},
        "GETSTATUS": stays(DNLOAD_IDLE),
        "GETSTATE": stays(DNLOAD_IDLE),
        "ABORT": stays(DFU_IDLE),
        "OTHER": stall(ERROR),
    },
    MANIFEST_SYNC: {  # A.2.7; figure A.1 has ABORT lead to dfuIDLE
        "GETSTATUS": {("ok", MANIFEST), ("ok", DFU_IDLE), ("ok", FAILED)},
        "GETSTATE": stays(MANIFEST_SYNC),
        "ABORT": {("ok", DFU_IDLE), ("stall", ERROR)},
        "OTHER": stall(ERROR),
    },
    MANIFEST: {"OTHER": stall(ERROR)},  # A.2.8
    UPLOAD_IDLE: {  # A.2.10
        "UPLOAD": {("full", UPLOAD_IDLE), ("short", DFU_IDLE)},
        "GETSTATUS": stays(UPLOAD_IDLE),
        "GETSTATE": stays(UPLOAD_IDLE),
        "ABORT": stays(DFU_IDLE),
        "OTHER": stall(ERROR),
    },
    ERROR: {  # A.2.11
        "GETSTATUS": stays(ERROR),
        "GETSTATE": stays(ERROR),
        "CLRSTATUS": stays(DFU_IDLE),
        "OTHER": stall(ERROR),
    },
}
# A.2.9, dfuMANIFEST-WAIT-RESET: the device need not answer, and nothing but a reset leads out.
