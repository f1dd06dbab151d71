// SPDX-License-Identifier: MIT
//
// Two tables. A row of the first says which requirements the checks of a glob presume. A row of the
// second names the checks of one sentence in the order in which they judge it: each presumes those
// before it, as far as they are broken in the same way.
//
// No requirement presumes itself, by however many steps (test_presumptions.c).

#include <string.h>

#include <conformance/catalogue.h>
#include <conformance/presumptions.h>

// ---- What is presumed ----

struct row {
    const char *checks; // a list of globs
    const char *presume[8];
    const char *expected; // as far as both expected these words; NULL: whatever they expected
    const char *received; // as far as the check received these words; NULL: whatever it received
    const char *sent;     // as far as both sent this request; NULL: whatever they sent
    bool alike;           // as far as both received the same
};

// clang-format off
#define IN_BOTH_MODES(check, presumed) {check, {presumed}}, {"DM-" check, {"DM-" presumed}}
#define AT_RUN_TIME(but) "CH9-[!D]*,CH9-DEV-0[!" but "],RT-*,REQ-*,OS-*,INTEROP-*"
#define IN_DFU_MODE(but) "DM-[!C]*,DM-CH9-[!D]*,DM-CH9-DEV-0[!" but "],DS-*"
#define UNANSWERED "no answer in time"

static const struct row rows[] = {
    // The descriptors that many a check reads first.
    {AT_RUN_TIME("1"), {"CH9-DEV-01"}, .expected = "the request is carried out, 18 bytes", .sent = "GET_DESCRIPTOR"},
    {IN_DFU_MODE("1"), {"DM-CH9-DEV-01"}, .expected = "the request is carried out, 18 bytes", .sent = "GET_DESCRIPTOR"},
    {AT_RUN_TIME("1"), {"CH9-CFG-01"}, .expected = "the request is carried out, 9 bytes", .sent = "GET_DESCRIPTOR"},
    {IN_DFU_MODE("1"), {"DM-CH9-CFG-01"}, .expected = "the request is carried out, 9 bytes", .sent = "GET_DESCRIPTOR"},

    // A device may answer nothing, or no request that it ought to STALL.
    {AT_RUN_TIME("1"), {"CH9-CFG-01"}, .received = UNANSWERED, .alike = true},
    {IN_DFU_MODE("1"), {"DM-CH9-CFG-01"}, .received = UNANSWERED, .alike = true},
    {"CH9-REQ-*", {"CH9-REQ-21"}, .expected = "STALL", .received = UNANSWERED, .alike = true},
    {"DM-CH9-REQ-*", {"DM-CH9-REQ-21"}, .expected = "STALL", .received = UNANSWERED, .alike = true},
    {"CH9-BOS-01,CH9-QUAL-01,CH9-STR-06", {"CH9-REQ-21"}, .received = UNANSWERED, .alike = true},
    {"DM-CH9-BOS-01,DM-CH9-QUAL-01,DM-CH9-STR-06", {"DM-CH9-REQ-21"}, .received = UNANSWERED, .alike = true},

    // A descriptor that is cut off, or not whole descriptors, is not read any further (USB 2.0 9.5).
    IN_BOTH_MODES("CH9-DEV-07", "CH9-DEV-06"),
    {"CH9-BOS-01", {"CH9-DEV-04"}}, // bcdUSB says whether there is a BOS
    IN_BOTH_MODES("CH9-CFG-03", "CH9-CFG-02"),
    {"RT-DESC-01*", {"CH9-CFG-02", "CH9-CFG-03"}},
    {"DM-DESC-03a,DM-DESC-04a", {"DM-CH9-CFG-02", "DM-CH9-CFG-03"}},
    {"CH9-CFG-10", {"RT-DESC-02b"}}, // of the DFU interface
    {"DM-CH9-CFG-17", {"DM-DESC-01b"}},
    {"OS-MS2-03", {"OS-MS2-01"}}, // the set is for the version that was announced
    {"CH9-STR-07", {"CH9-STR-01"}},
    {"DS-LAYOUT-01", {"DM-CH9-STR-01"}},
    IN_BOTH_MODES("CH9-STR-02", "CH9-ZLP-01"), // strings are read with a wLength of 255
    IN_BOTH_MODES("CH9-STR-02", "CH9-STR-01"), // in the languages of string 0
    IN_BOTH_MODES("CH9-STR-04", "CH9-STR-03"),

    // A bConfigurationValue of 0 selects the Address state (9.4.7), and no configuration can be.
    {"CH9-REQ-*,CH9-STATE-*,CH9-HALT-*,CH9-TOGGLE-*,RT-STATE-*,RT-DETACH-*",
     {"CH9-CFG-07"},
     .received = "STALL"},

    // Interfaces are those that are described: one that is not there STALLs, and one that is there
    // and is not described does not.
    {"CH9-REQ-06,CH9-REQ-14", {"CH9-CFG-09"}, .received = "STALL"},
    {"CH9-REQ-09,CH9-REQ-10,CH9-REQ-15,REQ-07[cd]", {"CH9-CFG-09"}},
    {"DM-CH9-REQ-06,DM-CH9-REQ-14,DM-SELECT-01", {"DM-DESC-03b"}, .received = "STALL"},
    {"DM-CH9-REQ-09,DM-CH9-REQ-10,DM-CH9-REQ-15", {"DM-DESC-03b"}},
    {"DM-DESC-03b", {"DM-DESC-03a"}},
    {"DM-CH9-REQ-08", {"DM-DESC-04a"}, .received = "accepted"}, // wTotalLength ends before a setting
    {"CH9-REQ-07", {"CH9-CFG-10"}},
    {"CH9-TIME-01", {"REQ-04a"}}, // SET_INTERFACE of the DFU interface
    {"CH9-TIME-02", {"REQ-04b"}}, // GET_DESCRIPTOR(DEVICE)
    {"DM-CH9-REQ-07", {"DM-DESC-03e"}},
    {"DS-UPLOAD-02", {"DM-CH9-REQ-07", "DM-DESC-03b"}},

    // The Address state differs from the Configured state in what the checks of it are about.
    {"CH9-STATE-02", {"CH9-REQ-01"}},
    {"CH9-STATE-03", {"CH9-REQ-10"}, .received = "accepted", .sent = "GET_INTERFACE"}, // of any interface
    {"CH9-STATE-03", {"CH9-REQ-09"}, .received = "accepted", .sent = "SET_INTERFACE"},
    {"CH9-STATE-04", {"CH9-REQ-15"}, .received = "accepted", .sent = "GET_STATUS"},
    {"CH9-STATE-04", {"CH9-REQ-16"}},
    {"CH9-STATE-05", {"CH9-REQ-04"}},
    {"CH9-STATE-08", {"CH9-REQ-11", "CH9-REQ-13"}},
    {"CH9-REQ-11,CH9-REQ-13", {"CH9-CFG-04", "CH9-CFG-05"}}, // both in bmAttributes
    {"CH9-REQ-13", {"CH9-REQ-11"}, .sent = "GET_STATUS"},
    {"CH9-REQ-12", {"CH9-REQ-13"}},
    {"CH9-REQ-20", {"CH9-REQ-13", "CH9-REQ-17"}, .received = "accepted", .sent = "SET_FEATURE"}, // of any feature
    {"CH9-REQ-20", {"CH9-REQ-13", "CH9-REQ-17"}, .received = "accepted", .sent = "CLEAR_FEATURE"},
    {"DM-CH9-REQ-20", {"DM-CH9-REQ-13", "DM-CH9-REQ-17"}, .received = "accepted", .sent = "SET_FEATURE"},
    {"DM-CH9-REQ-20", {"DM-CH9-REQ-13", "DM-CH9-REQ-17"}, .received = "accepted", .sent = "CLEAR_FEATURE"},
    {"CH9-REQ-03", {"CH9-STATE-02"}}, // SET_CONFIGURATION(0) leads there (9.4.7)
    {"CH9-STATE-07", {"RT-RESET-01", "CH9-DEV-06"}},
    {"CH9-STATE-07", {"CH9-LOSS-01"}, .expected = "an answer, and the device stays on the bus"}, // many requests, too
    {"CH9-REQ-24", {"CH9-DEV-06"}}, // the device descriptor is always the same

    // What GET_STATUS says of the device and of endpoints (9.4.5).
    {"CH9-REQ-12", {"CH9-REQ-11"}, .sent = "GET_STATUS"},
    {"CH9-REQ-18", {"CH9-REQ-16"}, .sent = "GET_STATUS"},
    IN_BOTH_MODES("CH9-REQ-17", "CH9-REQ-16"),

    // Endpoints are those that are described, and begin anew as a whole (9.1.1.5).
    {"CH9-REQ-18", {"CH9-CFG-13", "RT-DESC-02c", "DM-DESC-03d"}},
    {"CH9-HALT-*,CH9-TOGGLE-*", {"CH9-REQ-18", "CH9-CFG-13"}},
    {"CH9-HALT-04,CH9-TOGGLE-03", {"CH9-REQ-07", "CH9-REQ-09", "CH9-CFG-10"}},
    {"CH9-TOGGLE-01", {"CH9-HALT-02"}},
    {"CH9-TOGGLE-02", {"CH9-HALT-03"}},
    {"CH9-TOGGLE-03", {"CH9-HALT-04"}},

    // The state is what GETSTATUS and GETSTATE say, behind a STALL as at other times.
    {"RT-STATE-0-GETSTATUS", {"REQ-01a"}},
    {"RT-STATE-0-GETSTATE", {"REQ-01b", "RT-STATE-0-GETSTATUS"}},
    {"REQ-02c", {"RT-STATE-0-GETSTATUS", "RT-STATE-0-GETSTATE"}},
    {"RT-STATE-1-GETSTATUS,RT-DETACH-11", {"REQ-01a", "REQ-04c"}},
    {"RT-STATE-1-GETSTATE", {"REQ-01b"}},
    {"RT-STATE-0-DETACH",
     {"RT-STATE-1-GETSTATUS", "RT-STATE-1-GETSTATE"},
     .received = "GETSTATE and GETSTATUS both STALL"},
    {"CH9-LOSS-01", {"RT-STATE-0-GETSTATUS", "RT-STATE-0-GETSTATE"}}, // the questions between
    {"RT-DETACH-01", {"RT-STATE-0-GETSTATE"}, .received = "STALL"}, // in appDETACH
    {"RT-DETACH-0[6-9],RT-DETACH-1[0-3],RT-RESET-*,RT-RETURN-03", {"RT-STATE-0-GETSTATE"}},
    {"RT-STATE-0-UPLOAD,REQ-05d,REQ-08c", {"REQ-05a"}},
    {"RT-STATE-0-DNLOAD*", {"REQ-05b"}},
    {"RT-STATE-0-CLRSTATUS,RT-STATE-0-ABORT", {"REQ-05c"}},
    {"RT-STATE-0-OTHER", {"REQ-05a", "REQ-05c"}},
    {"REQ-07d,REQ-07e", {"REQ-07c"}},
    {"REQ-08c", {"RT-STATE-0-UPLOAD"}},
    {"REQ-11b", {"REQ-11a"}},

    // The same in DFU mode; a STALL leads to dfuERROR there (A.2).
    {"DM-STATUS-02,DM-STATUS-01,DM-SELECT-01,DM-SELECT-03",
     {"DM-STATE-2-GETSTATUS", "DM-STATE-10-GETSTATUS"}},
    {"DM-SELECT-03", {"DM-SELECT-01"}}, // SET_CONFIGURATION selects setting 0 anew
    {"DM-STATE-*", {"DM-STATE-2-CLRSTATUS"}, .expected = "dfuERROR"},
    {"DM-RESET-05", {"DM-STATE-2-CLRSTATUS"}, .expected = "dfuERROR"},
    {"DM-STATE-2-DNLOAD,DM-STATE-2-UPLOAD", {"DM-STATUS-02"}},
    {"DM-STATE-5-DNLOAD,DM-STATE-9-UPLOAD,DM-UPLOAD-01,DM-STATE-*-GETSTATE",
     {"DM-STATUS-02"},
     .received = "GETSTATE: 2, dfuIDLE"},
    {"DM-STATE-2-GETSTATE,DM-STATE-10-GETSTATE", {"DM-STATUS-02"}, .received = "GETSTATE: "},
    {"DM-STATE-2-GETSTATUS,DM-STATE-10-CLRSTATUS", {"DM-STATUS-07"}},
    {"DM-SELECT-02", {"DM-STATUS-07"}},
    {"DM-TIME-03", {"DM-TIME-01"}, .sent = "GETSTATUS"},
    {"DM-TIME-04", {"DM-STATE-2-UPLOAD"}},
    {"DM-STATE-2-DNLOAD,DM-STATE-5-DNLOAD", {"DM-STATE-3-GETSTATE"}},
    {"DM-STATE-3-GETSTATUS,DM-STATE-5-GETSTATUS", {"DM-STATE-5-GETSTATE"}, .sent = "GETSTATE"},
    {"DM-STATE-5-GETSTATUS", {"DM-STATE-5-GETSTATE"}, .received = "GETSTATUS: bState"}, // asked before
    {"DM-CH9-LOSS-01",
     {"DM-STATE-2-GETSTATUS", "DM-STATE-2-GETSTATE", "DM-STATE-10-GETSTATUS", "DM-STATE-10-GETSTATE"}}, // the questions between
    {"DM-REQ-04,DM-STATUS-05", {"DM-STATE-2-GETSTATUS"}, .received = UNANSWERED, .sent = "GETSTATUS"},
    {"DM-STATE-5-DNLOAD-0", {"DM-STATE-6-GETSTATE"}},
    {"DM-STATE-2-UPLOAD,DM-STATE-9-UPLOAD,DM-STATE-9-GETSTATUS,DM-UPLOAD-01", {"DM-STATE-9-GETSTATE"}},
    {"DM-STATE-4-GETSTATE,DM-STATE-7-GETSTATE", {"DM-STATE-2-GETSTATE"}}, // it answers in dfuERROR

    // DETACH, and the way into DFU mode. The modes are told apart by bInterfaceProtocol.
    {"RT-DETACH-01,RT-DETACH-04,RT-DETACH-05,RT-DETACH-11,RT-RESET-05", {"RT-STATE-0-DETACH"}},
    {"RT-DETACH-14", {"RT-DETACH-01"}},
    {"RT-RETURN-03",
     {"RT-DETACH-01"},
     .expected = "DETACH completes its status stage before the device leaves"},
    {"RT-STATE-1-DETACH", {"RT-DETACH-02"}}, // as long as the detach timer runs
    {"RT-DETACH-08,RT-DETACH-09,RT-DETACH-12", {"RT-DETACH-07"}}, // that the timer ends at all
    {"RT-DETACH-01,RT-RESET-*", {"RT-DETACH-06"}}, // one that waits for a bus reset does not leave
    {"RT-RESET-02,RT-RESET-03,RT-RESET-04", {"RT-RESET-01"}},
    {"RT-RESET-03", {"RT-STATE-1-UPLOAD"}, .received = "it is in DFU mode"},
    {"RT-RESET-04", {"RT-STATE-1-DETACH"}, .received = "it is in DFU mode"},
    {"RT-DETACH-05,RT-RESET-05", {"RT-RETURN-01"}},
    {"RT-RETURN-02", {"CH9-STATE-07"}, .received = "others"}, // the way back is a bus reset
    {"DM-DESC-04b",
     {"RT-DESC-03", "RT-DESC-04", "RT-DESC-05a", "RT-DESC-06", "RT-DESC-07a", "RT-DESC-07b"}},

    // Bus resets in DFU mode lead to run time, in whichever state, and as soon as to DFU mode.
    {"DM-RESET-01", {"RT-RESET-05"}},
    {"DM-RESET-02,DM-RESET-03,DM-RESET-04", {"DM-RESET-01"}},
    {"DM-RESET-05", {"DM-STATE-10-GETSTATUS", "DM-STATE-10-GETSTATE", "DM-STATUS-06"}},

    // A download and an upload are made of the requests that the state table judges one by one.
    {"DM-UPLOAD-*,DS-UPLOAD-*,DS-CMD-07", {"DM-STATE-2-UPLOAD"}},
    {"DM-UPLOAD-04,DS-UPLOAD-01", {"DM-STATE-9-UPLOAD"}},
    {"DM-UPLOAD-03,DM-UPLOAD-04,DS-UPLOAD-01", {"DM-UPLOAD-01"}},
    {"DS-UPLOAD-02", {"DM-UPLOAD-02"}}, // reads as little
    {"DS-UPLOAD-*,DS-CMD-07", {"DM-UPLOAD-03"}},
    {"DS-UPLOAD-01", {"DM-DESC-04b", "RT-DESC-05a"}}, // by wTransferSize
    {"DM-DNLOAD-*,DS-CMD-0[1-6],DS-WRITE-*", {"DM-STATE-2-DNLOAD", "DM-STATE-3-GETSTATUS"}},
    {"DM-STATE-10-CLRSTATUS", {"DM-STATUS-01"}},
    {"DM-DNLOAD-03", {"DM-STATE-10-CLRSTATUS", "DM-STATUS-01"}},
    {"DM-DNLOAD-05", {"DM-STATE-5-ABORT"}},
    {"DM-DNLOAD-06", {"DM-DNLOAD-05", "DM-STATE-10-CLRSTATUS", "DM-STATUS-01"}},
    {"DM-DNLOAD-06,DM-DNLOAD-07",
     {"DM-STATE-3-GETSTATUS", "DM-STATE-5-DNLOAD", "DM-STATE-5-DNLOAD-0", "DM-STATE-6-GETSTATUS"}},
    {"DM-RESET-04", {"DM-STATE-6-GETSTATUS"}},
    {"DS-CMD-0[1-6],DS-WRITE-*", {"DM-DNLOAD-01"}},
    {"DS-CMD-02", {"DS-CMD-01", "DM-DNLOAD-05"}},
    {"DS-UPLOAD-*", {"DM-STATE-5-ABORT"}}, // behind Set Address Pointer
    {"DS-WRITE-0[12]", {"DS-UPLOAD-01"}},
    {"DS-WRITE-03", {"DS-WRITE-01", "DS-WRITE-02", "DS-WRITE-04"}},
};

// ---- One sentence, several requests ----

static const char *const sentences[][8] = {
    // GET_STATUS is one request for three kinds of recipients (USB 2.0 9.4.5).
    {"CH9-REQ-11", "CH9-REQ-14", "CH9-REQ-16"},
    {"DM-CH9-REQ-11", "DM-CH9-REQ-14", "DM-CH9-REQ-16"},
    {"CH9-DEV-01", "CH9-DEV-08"}, // of whichever length (9.3.5)
    {"DM-CH9-DEV-01", "DM-CH9-DEV-08"},
    {"CH9-CFG-01", "CH9-DEV-08"},
    {"DM-CH9-CFG-01", "DM-CH9-DEV-08"},
    {"CH9-REQ-14", "CH9-REQ-15"},
    {"DM-CH9-REQ-14", "DM-CH9-REQ-15"},
    // What is there, and what is not (9.4.4, 9.4.7, 9.4.10).
    {"CH9-REQ-02", "CH9-REQ-03", "CH9-REQ-04"},
    {"DM-CH9-REQ-02", "DM-CH9-REQ-03", "DM-CH9-REQ-04"},
    {"CH9-REQ-06", "CH9-REQ-10"},
    {"DM-CH9-REQ-06", "DM-CH9-REQ-10"},
    {"CH9-REQ-07", "CH9-REQ-08", "CH9-REQ-09"},
    {"DM-CH9-REQ-07", "DM-CH9-REQ-08", "DM-CH9-REQ-09"},
    // "Any other request" of each state (DFU 1.1 A.2.1 to A.2.11), in the order of a run. DETACH,
    // which may make a boot loader leave, comes last there.
    {"RT-STATE-0-DNLOAD", "RT-STATE-0-DNLOAD-0", "RT-STATE-0-UPLOAD", "RT-STATE-0-CLRSTATUS", "RT-STATE-0-ABORT", "RT-STATE-0-OTHER"},
    {"RT-STATE-1-DETACH", "RT-STATE-1-DNLOAD", "RT-STATE-1-DNLOAD-0", "RT-STATE-1-UPLOAD", "RT-STATE-1-CLRSTATUS", "RT-STATE-1-ABORT", "RT-STATE-1-OTHER"},
    {"DM-STATE-2-CLRSTATUS", "DM-STATE-2-OTHER", "DM-STATE-2-DETACH"},
    {"DM-STATE-3-DNLOAD", "DM-STATE-3-DNLOAD-0", "DM-STATE-3-UPLOAD", "DM-STATE-3-CLRSTATUS", "DM-STATE-3-DETACH"},
    {"DM-STATE-4-DNLOAD", "DM-STATE-4-DNLOAD-0", "DM-STATE-4-UPLOAD", "DM-STATE-4-CLRSTATUS", "DM-STATE-4-ABORT", "DM-STATE-4-DETACH"},
    {"DM-STATE-5-UPLOAD", "DM-STATE-5-CLRSTATUS", "DM-STATE-5-DETACH"},
    {"DM-STATE-6-DNLOAD", "DM-STATE-6-DNLOAD-0", "DM-STATE-6-UPLOAD", "DM-STATE-6-CLRSTATUS", "DM-STATE-6-DETACH"},
    {"DM-STATE-7-DNLOAD", "DM-STATE-7-DNLOAD-0", "DM-STATE-7-UPLOAD", "DM-STATE-7-CLRSTATUS", "DM-STATE-7-ABORT", "DM-STATE-7-DETACH"},
    {"DM-STATE-9-DNLOAD", "DM-STATE-9-DNLOAD-0", "DM-STATE-9-CLRSTATUS", "DM-STATE-9-OTHER", "DM-STATE-9-DETACH"},
    {"DM-STATE-10-DNLOAD", "DM-STATE-10-DNLOAD-0", "DM-STATE-10-UPLOAD", "DM-STATE-10-ABORT", "DM-STATE-10-OTHER", "DM-STATE-10-DETACH"},
    // One request in several states of DFU mode (A.2.3 to A.2.11). No table has DETACH.
    {"DM-STATE-3-DNLOAD", "DM-STATE-4-DNLOAD", "DM-STATE-6-DNLOAD", "DM-STATE-7-DNLOAD",
     "DM-STATE-9-DNLOAD", "DM-STATE-10-DNLOAD"},
    {"DM-STATE-3-UPLOAD", "DM-STATE-4-UPLOAD", "DM-STATE-5-UPLOAD", "DM-STATE-6-UPLOAD",
     "DM-STATE-7-UPLOAD", "DM-STATE-10-UPLOAD"},
    {"DM-STATE-2-CLRSTATUS", "DM-STATE-3-CLRSTATUS", "DM-STATE-4-CLRSTATUS",
     "DM-STATE-5-CLRSTATUS", "DM-STATE-6-CLRSTATUS", "DM-STATE-7-CLRSTATUS",
     "DM-STATE-9-CLRSTATUS"},
    {"DM-STATE-2-ABORT", "DM-STATE-5-ABORT", "DM-STATE-9-ABORT"},
    {"DM-STATE-3-ABORT", "DM-STATE-4-ABORT", "DM-STATE-6-ABORT", "DM-STATE-7-ABORT",
     "DM-STATE-10-ABORT"},
    {"DM-STATE-2-GETSTATUS", "DM-STATE-10-GETSTATUS", "DM-STATE-3-GETSTATUS",
     "DM-STATE-5-GETSTATUS", "DM-STATE-6-GETSTATUS", "DM-STATE-9-GETSTATUS"},
    {"DM-STATE-2-GETSTATE", "DM-STATE-10-GETSTATE", "DM-STATE-3-GETSTATE",
     "DM-STATE-5-GETSTATE", "DM-STATE-6-GETSTATE", "DM-STATE-9-GETSTATE"},
    {"DM-STATE-2-OTHER", "DM-STATE-9-OTHER", "DM-STATE-10-OTHER"},
    {"DM-STATE-2-DETACH", "DM-STATE-3-DETACH", "DM-STATE-4-DETACH", "DM-STATE-5-DETACH",
     "DM-STATE-6-DETACH", "DM-STATE-7-DETACH", "DM-STATE-9-DETACH", "DM-STATE-10-DETACH"},
};
// clang-format on

enum {
    ROWS = sizeof rows / sizeof rows[0],
    SENTENCES = sizeof sentences / sizeof sentences[0],
    COLUMNS = sizeof sentences[0] / sizeof sentences[0][0],
};

// ---- Looking them up: each returns the at-th, counted over all rows, or NULL ----

static const char *presumed_by(const char *id, size_t *at, const struct row **ret_row)
{
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        if (!glob_list_matches(row->checks, id))
            continue;
        *ret_row = row;
        for (size_t i = 0; i < COLUMNS && row->presume[i]; i++) {
            if (strcmp(row->presume[i], id) != 0 && (*at)-- == 0)
                return row->presume[i];
        }
    }
    return NULL;
}

static size_t place_in(const char *const sentence[COLUMNS], const char *id)
{
    for (size_t i = 0; i < COLUMNS && sentence[i]; i++) {
        if (strcmp(sentence[i], id) == 0)
            return i;
    }
    return 0;
}

static const char *earlier_of_sentence(const char *id, size_t at)
{
    for (size_t row = 0; row < SENTENCES; row++) {
        size_t before = place_in(sentences[row], id);
        if (at < before)
            return sentences[row][at];
        at -= before;
    }
    return NULL;
}

bool presumption_of(const struct check *check, size_t at, struct presumption *ret_presumption)
{
    const struct row *row;
    const char *id = presumed_by(check->id, &at, &row);
    *ret_presumption = (struct presumption){.alike = !id || row->alike};
    if (id) {
        ret_presumption->expected = row->expected;
        ret_presumption->received = row->received;
        ret_presumption->sent = row->sent;
    } else {
        id = earlier_of_sentence(check->id, at);
    }
    ret_presumption->check = id ? catalogue_find(id) : NULL;
    return id;
}
