// SPDX-License-Identifier: MIT
//
// Tables A.2.1 to A.2.11 of DFU 1.1, typed from the specification and from nothing else, against
// the rows of the checks: a line for each request that a table names, and "other" for the rest of
// it. Where the suite asks less than a table, or more, the reason stands here.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <conformance/catalogue.h>

#include <conformance/state_rows.h>

#include <cmocka.h>

// What the device does, and where that leads: "ok 3" is carried out, and state 3 follows; "stall
// 10"; an outcome for each case.
struct line {
    unsigned state;
    const char *request;
    const char *outcomes[3];
};

// clang-format off
static const struct line lines[] = {
    // A.2.1
    {0, "DETACH",    {"ok 1"}},
    {0, "GETSTATUS", {"ok 0", "stall 0"}},
    {0, "GETSTATE",  {"ok 0", "stall 0"}},
    {0, "other",     {"stall 0"}},
    // A.2.2
    {1, "GETSTATUS", {"ok 1"}},
    {1, "GETSTATE",  {"ok 1"}},
    {1, "other",     {"stall 0"}},
    // A.2.3: with bitCanDnload and bitCanUpload set. That DNLOAD needs data is in its own line.
    {2, "DNLOAD",    {"ok 3"}},
    {2, "DNLOAD-0",  {"stall 10"}},
    {2, "UPLOAD",    {"ok 9", "ok 2"}}, // the second: a block that is short is the last one (6.2)
    {2, "GETSTATUS", {"ok 2"}},
    {2, "GETSTATE",  {"ok 2"}},
    {2, "ABORT",     {"ok 2"}},
    {2, "other",     {"stall 10"}},
    // A.2.4
    {3, "GETSTATUS", {"ok 4", "ok 5"}},
    {3, "GETSTATE",  {"ok 3"}},
    {3, "ABORT",     {"stall 10", "ok 2"}}, // the second: figure A.1
    {3, "other",     {"stall 10"}},
    // A.2.5
    {4, "other",     {"stall 10"}},
    // A.2.6
    {5, "DNLOAD",    {"ok 3"}},
    {5, "DNLOAD-0",  {"ok 6"}}, // a device that disagrees is asked with the whole image only
    {5, "GETSTATUS", {"ok 5"}},
    {5, "GETSTATE",  {"ok 5"}},
    {5, "ABORT",     {"ok 2"}},
    {5, "other",     {"stall 10"}},
    // A.2.7
    {6, "GETSTATUS", {"ok 7", "ok 2"}},
    {6, "GETSTATE",  {"ok 6"}},
    {6, "ABORT",     {"stall 10", "ok 2"}}, // the second: figure A.1
    {6, "other",     {"stall 10"}},
    // A.2.8
    {7, "other",     {"stall 10"}},
    // A.2.10
    {9, "UPLOAD",    {"ok 9", "ok 2"}},
    {9, "GETSTATUS", {"ok 9"}},
    {9, "GETSTATE",  {"ok 9"}},
    {9, "ABORT",     {"ok 2"}},
    {9, "other",     {"stall 10"}},
    // A.2.11
    {10, "GETSTATUS", {"ok 10"}},
    {10, "CLRSTATUS", {"ok 2"}},
    {10, "GETSTATE",  {"ok 10"}},
    {10, "other",     {"stall 10"}},
};

// Table 3.2, and DNLOAD without data; OTHER: requests that DFU does not have.
static const struct {
    const char *name;
    uint8_t bRequest;
} requests[] = {
    {"DETACH", 0}, {"DNLOAD", 1}, {"DNLOAD-0", 1}, {"UPLOAD", 2}, {"GETSTATUS", 3},
    {"CLRSTATUS", 4}, {"GETSTATE", 5}, {"ABORT", 6}, {"OTHER", 7},
};
enum { REQUESTS = sizeof requests / sizeof requests[0] };

static const struct {
    const char *id;
    const char *why;
} not_asked[] = {
    {"DM-STATE-3-OTHER", "a loader that takes it for more than it is has a block that waits"},
    {"DM-STATE-4-OTHER", "the busy state ends by itself; the seven requests of DFU show the row"},
    {"DM-STATE-5-OTHER", "as in state 3"},
    {"DM-STATE-6-OTHER", "as in state 3"},
    {"DM-STATE-7-OTHER", "as in state 4"},
};
// clang-format on

static const struct line *find_line(unsigned state, const char *request)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (lines[i].state == state && strcmp(lines[i].request, request) == 0)
            return &lines[i];
    }
    return strcmp(request, "other") == 0 ? NULL : find_line(state, "other");
}

// The outcomes of a line, as bits of states: those that follow when it is carried out, and those
// that follow a STALL.
static void take_outcomes(const struct line *line, unsigned *ret_carried_out, unsigned *ret_stalled)
{
    *ret_carried_out = *ret_stalled = 0;
    for (size_t i = 0; i < 3 && line->outcomes[i]; i++) {
        char answer[8];
        unsigned state;

        assert_int_equal(sscanf(line->outcomes[i], "%7s %u", answer, &state), 2);
        *(strcmp(answer, "ok") == 0 ? ret_carried_out : ret_stalled) |= 1u << state;
    }
}

// The same of a row of the suite.
static void
outcomes_of_row(const struct state_row *row, unsigned *ret_carried_out, unsigned *ret_stalled)
{
    *ret_carried_out = *ret_stalled = 0;
    switch (row->outcome) {
    case STALLED:
        *ret_stalled = row->next;
        return;
    case ACCEPTED:
        *ret_carried_out = row->next;
        return;
    case ANSWERED_OR_STALLED:
        *ret_carried_out = *ret_stalled = row->next;
        return;
    case EITHER:
        *ret_carried_out = row->next & ~STATE(10);
        *ret_stalled = row->next & STATE(10);
        return;
    }
}

static bool is_not_asked(const char *id)
{
    for (size_t i = 0; i < sizeof not_asked / sizeof not_asked[0]; i++) {
        if (strcmp(not_asked[i].id, id) == 0)
            return true;
    }
    return false;
}

static void compare(unsigned state, size_t request)
{
    char id[64];
    const struct line *line = find_line(state, requests[request].name);
    snprintf(id, sizeof id, "%s-STATE-%u-%s", state < 2 ? "RT" : "DM", state,
             requests[request].name);
    const struct check *check = catalogue_find(id);

    if (is_not_asked(id)) {
        assert_null(check);
        return;
    }
    if (!check || !check->row)
        fail_msg("%s: there is no row of the suite", id);
    const struct state_row *row = check->row;
    unsigned carried_out, stalled, row_carried_out, row_stalled;
    take_outcomes(line, &carried_out, &stalled);
    outcomes_of_row(row, &row_carried_out, &row_stalled);
    if (row->state != state || row->bRequest != requests[request].bRequest)
        fail_msg("%s: the row is of state %u, request %u", id, row->state, row->bRequest);
    if (row_carried_out != carried_out || row_stalled != stalled)
        fail_msg("%s: carried out: %xh, the table %xh; STALL: %xh, the table %xh", id,
                 row_carried_out, carried_out, row_stalled, stalled);
    if (requests[request].bRequest == 1)
        assert_int_equal(row->wLength > 0, strcmp(requests[request].name, "DNLOAD") == 0);
}

static void each_cell__is_a_row_of_the_suite(void **state)
{
    (void)state;

    for (unsigned number = 0; number <= 10; number++) {
        if (number == 8) // A.2.9: nothing but a reset leads out; DM-STATE-8-OTHER
            continue;
        for (size_t request = 0; request < REQUESTS; request++)
            compare(number, request);
    }
}

static void each_row__cites_the_table_of_its_state(void **state)
{
    (void)state;

    for (const struct check_group *const *group = catalogue; *group; group++) {
        for (size_t i = 0; i < (*group)->count; i++) {
            const struct check *check = &(*group)->checks[i];
            unsigned number;
            char section[32];
            if (sscanf(check->id, "RT-STATE-%u-", &number) != 1 &&
                sscanf(check->id, "DM-STATE-%u-", &number) != 1)
                continue;
            snprintf(section, sizeof section, "DFU 1.1 A.2.%u", number + 1);
            assert_string_equal(check->section, section);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cell__is_a_row_of_the_suite),
        cmocka_unit_test(each_row__cites_the_table_of_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
