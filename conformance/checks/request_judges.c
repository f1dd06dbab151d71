// SPDX-License-Identifier: MIT

#include <conformance/catalogue.h>
#include <conformance/request_judges.h>
#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

// clang-format off
#define IN_BOTH_MODES(id) {id}, {"DM-" id}
// clang-format on

enum {
    TO_DEVICE = 0x00,
    TO_INTERFACE = 0x01,
    TO_ENDPOINT = 0x02,
    FROM_DEVICE = 0x80,
    FROM_INTERFACE = 0x81,
    FROM_ENDPOINT = 0x82,
    TO_DFU = 0x21,
    FROM_DFU = 0xA1,

    ANY_VALUE = 0,
    TYPE = 0xFF00, // of a descriptor
    TYPE_AND_INDEX = 0xFFFF,

    MOST = 6, // checks of one request in one mode
};

// A request is the subject of several checks, in several states or for several reasons: the first
// that is not met has the FAIL.
// clang-format off
static const struct row {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t mask; // of wValue
    uint16_t wValue;
    const char *run_time[MOST];
    const char *dfu_mode[MOST];
    const char *run_time_late; // instead of the first of run_time; NULL: the same
} rows[] = {
    // DFU 1.1 3; in DFU mode the rows of A.2.3 to A.2.11 for the states in which checks of other
    // subjects send the request, too.
    {TO_DFU, DFURT_DETACH, ANY_VALUE, 0,
     {"RT-DETACH-01", "INTEROP-DFUUTIL-01", "RT-DETACH-14"},
     {"DM-STATE-2-DETACH"}},
    {TO_DFU, DFURT_DNLOAD, ANY_VALUE, 0,
     {"REQ-05b"},
     {"DM-STATE-2-DNLOAD", "DM-STATE-5-DNLOAD", "DM-STATE-5-DNLOAD-0", "DS-LEAVE-01",
      "DM-DNLOAD-04", "DS-WRITE-01"},
     "RT-STATE-0-DNLOAD"},
    {FROM_DFU, DFURT_UPLOAD, ANY_VALUE, 0,
     {"REQ-05a"},
     {"DM-STATE-2-UPLOAD", "DM-STATE-9-UPLOAD"},
     "RT-STATE-0-UPLOAD"},
    {FROM_DFU, DFURT_GETSTATUS, ANY_VALUE, 0,
     {"REQ-01a", "RT-STATE-1-GETSTATUS"},
     {"DM-STATE-2-GETSTATUS", "DM-STATE-10-GETSTATUS", "DM-STATE-3-GETSTATUS",
      "DM-STATE-5-GETSTATUS", "DM-STATE-9-GETSTATUS", "DM-STATE-6-GETSTATUS"},
     "RT-STATE-0-GETSTATUS"},
    {TO_DFU, DFURT_CLRSTATUS, ANY_VALUE, 0,
     {"RT-STATE-0-CLRSTATUS"},
     {"DM-STATE-10-CLRSTATUS", "DM-STATE-2-CLRSTATUS", "DM-STATE-5-CLRSTATUS"}},
    {FROM_DFU, DFURT_GETSTATE, ANY_VALUE, 0,
     {"REQ-01b", "RT-STATE-1-GETSTATE"},
     {"DM-STATE-2-GETSTATE", "DM-STATE-10-GETSTATE", "DM-STATE-3-GETSTATE",
      "DM-STATE-5-GETSTATE", "DM-STATE-9-GETSTATE", "DM-STATE-6-GETSTATE"},
     "RT-STATE-0-GETSTATE"},
    {TO_DFU, DFURT_ABORT, ANY_VALUE, 0,
     {"REQ-05c"},
     {"DM-STATE-2-ABORT", "DM-STATE-5-ABORT", "DM-STATE-9-ABORT", "DM-STATE-3-ABORT",
      "DM-STATE-6-ABORT"},
     "RT-STATE-0-ABORT"},

    // USB 2.0 9.4
    {FROM_DEVICE, USBDEV_GET_STATUS, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-11")},
    {FROM_INTERFACE, USBDEV_GET_STATUS, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-14")},
    {FROM_ENDPOINT, USBDEV_GET_STATUS, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-16")},
    {FROM_DEVICE, USBDEV_GET_CONFIGURATION, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-01")},
    {TO_DEVICE, USBDEV_SET_CONFIGURATION, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-02")},
    {TO_DEVICE, USBDEV_SET_CONFIGURATION, TYPE_AND_INDEX, 0, IN_BOTH_MODES("CH9-REQ-03")},
    {TO_DEVICE, USBDEV_SET_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-13")},
    {TO_DEVICE, USBDEV_SET_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-20")},
    {TO_DEVICE, USBDEV_CLEAR_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-13")},
    {TO_DEVICE, USBDEV_CLEAR_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-20")},
    {TO_INTERFACE, USBDEV_SET_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-20")},
    {TO_INTERFACE, USBDEV_CLEAR_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-20")},
    {TO_ENDPOINT, USBDEV_SET_FEATURE, ANY_VALUE, 0, {"CH9-REQ-18"}, {"DM-CH9-REQ-17"}},
    {TO_ENDPOINT, USBDEV_SET_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-17")},
    {TO_ENDPOINT, USBDEV_CLEAR_FEATURE, ANY_VALUE, 0, {"CH9-REQ-18"}, {"DM-CH9-REQ-17"}},
    {TO_ENDPOINT, USBDEV_CLEAR_FEATURE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-17")},
    {FROM_INTERFACE, USBDEV_GET_INTERFACE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-06")},
    {TO_INTERFACE, USBDEV_SET_INTERFACE, ANY_VALUE, 0, IN_BOTH_MODES("CH9-REQ-07")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0100, IN_BOTH_MODES("CH9-DEV-01")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0200, IN_BOTH_MODES("CH9-CFG-01")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0200, IN_BOTH_MODES("CH9-CFG-02")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE_AND_INDEX, 0x0300, IN_BOTH_MODES("CH9-STR-01")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0300, IN_BOTH_MODES("CH9-STR-02")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0300, IN_BOTH_MODES("CH9-STR-01")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0F00, IN_BOTH_MODES("CH9-BOS-01")},
    {FROM_DEVICE, USBDEV_GET_DESCRIPTOR, TYPE, 0x0600, IN_BOTH_MODES("CH9-QUAL-01")},
};
// clang-format on

static bool matches(const struct row *row, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    uint16_t wValue = (uint16_t)(setup[2] | setup[3] << 8);
    return row->bmRequestType == setup[0] && row->bRequest == setup[1] &&
           row->wValue == (wValue & row->mask);
}

// The at-th of the row, or NULL; *at is less by those of the row then.
static const char *judge_in(const struct row *row, enum device_mode mode, bool late, size_t *at)
{
    const char *const *judges = mode == DEVICE_DFU_MODE ? row->dfu_mode : row->run_time;
    bool is_late = late && mode == DEVICE_RUN_TIME && row->run_time_late;
    for (size_t i = 0; i < MOST && judges[i]; i++) {
        if ((*at)-- == 0)
            return i == 0 && is_late ? row->run_time_late : judges[i];
    }
    return NULL;
}

static bool is_unknown_to_dfu(const uint8_t setup[USBDEV_SETUP_SIZE])
{
    return (setup[0] & ~USBDEV_DIR_IN) == TO_DFU && setup[1] > DFURT_ABORT;
}

const struct check *judge_of_request(enum device_mode mode,
                                     const uint8_t setup[USBDEV_SETUP_SIZE],
                                     bool late,
                                     size_t at)
{
    const char *unknown = mode == DEVICE_DFU_MODE ? "DM-STATE-2-OTHER" : "RT-STATE-0-OTHER";
    if (is_unknown_to_dfu(setup))
        return at == 0 ? catalogue_find(unknown) : NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *id = matches(&rows[i], setup) ? judge_in(&rows[i], mode, late, &at) : NULL;
        if (id)
            return catalogue_find(id);
    }
    return NULL;
}
