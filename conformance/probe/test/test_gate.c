// SPDX-License-Identifier: MIT
//
// The gate, a row for each kind of request in each situation. What a row expects is what the safety
// rules at the top of gate.h say of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gates.h"

struct row {
    const char *what;
    struct usbdev_setup_packet setup;
    uint8_t data[5];
    enum gate_answer expected;
};

static void assert_rows(const struct gate *gate, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum gate_answer answer = gate_ask(gate, &rows[i].setup, rows[i].data);
        if (answer != rows[i].expected)
            fail_msg("%s: expected '%s', the gate answers '%s'", rows[i].what,
                     gate_answer_text(rows[i].expected), gate_answer_text(answer));
    }
}

#define ASSERT_ROWS(gate, rows) assert_rows(gate, rows, sizeof rows / sizeof rows[0])

// ---- Run time ----

static void run_time__unsafe_requests_need_a_state_just_asked(void **test)
{
    (void)test;
    static const uint8_t guarded[] = {DFURT_DNLOAD, DFURT_CLRSTATUS, DFURT_ABORT};
    static const struct {
        int state;
        enum gate_answer dnload, others;
    } states[] = {
        {DFURT_STATE_appIDLE, GATE_SEND, GATE_SEND},
        {DFURT_STATE_appDETACH, GATE_SEND, GATE_SEND},
        {GATE_STATE_STALE, GATE_ASK_STATE, GATE_ASK_STATE},
        {GATE_STATE_SILENT, GATE_NEEDS_STATE, GATE_SEND},
        {DFURT_STATE_dfuIDLE, GATE_NEEDS_STATE, GATE_NEEDS_STATE},
        {DFURT_STATE_dfuDNLOAD_IDLE, GATE_NEEDS_STATE, GATE_NEEDS_STATE},
        {DFURT_STATE_dfuERROR, GATE_NEEDS_STATE, GATE_NEEDS_STATE},
        {11, GATE_NEEDS_STATE, GATE_NEEDS_STATE},
    };

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        struct gate gate = gate_of_run_time(states[i].state);
        for (size_t j = 0; j < sizeof guarded; j++) {
            const struct usbdev_setup_packet setup = {OUT, guarded[j], 0, 0, 0};
            assert_int_equal(gate_ask(&gate, &setup, NULL),
                             guarded[j] == DFURT_DNLOAD ? states[i].dnload : states[i].others);
        }
    }
}

static void run_time__leave_to_write_changes_nothing(void **test)
{
    (void)test;
    struct gate gate = gate_of_run_time(DFURT_STATE_dfuIDLE);
    gate.leave.write = true;
    gate_keep_image(&gate, gate_image, GATE_IMAGE_SIZE);
    const struct row rows[] = {
        {"DNLOAD in a DFU-mode state", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0}, GATE_NEEDS_STATE},
    };

    ASSERT_ROWS(&gate, rows);
}

static void run_time__class_requests_are_harmless_samples(void **test)
{
    (void)test;
    struct gate gate = gate_of_run_time(DFURT_STATE_appIDLE);

    for (unsigned bRequest = 7; bRequest <= 0xFF; bRequest++) {
        bool sample = false;
        for (size_t i = 0; i < gate_sample_count; i++)
            sample |= gate_samples[i] == bRequest;
        const struct usbdev_setup_packet setup = {OUT, (uint8_t)bRequest, 0, 0, 0};
        assert_int_equal(gate_ask(&gate, &setup, NULL), sample ? GATE_SEND : GATE_NEVER);
        assert_false(sample && bRequest >= 0xF0);
    }
    assert_in_range(gate_sample_count, 1, 8);
}

static void detach__is_refused_by_no_detach_in_every_disguise(void **test)
{
    (void)test;
    struct gate gates[] = {gate_of_run_time(DFURT_STATE_appIDLE), gate_of_plain(false),
                           gate_of_dfuse(true)};
    const uint8_t types[] = {0x21, 0xA1, 0x20, 0x22, 0x23, 0x40, 0x41};

    for (size_t i = 0; i < sizeof types * 3; i++) {
        struct gate *gate = &gates[i % 3];
        const struct usbdev_setup_packet setup = {types[i / 3], DFURT_DETACH, 1000, 0, 0};
        gate->leave.vendor = true;
        gate->leave.detach = true;
        assert_int_equal(gate_ask(gate, &setup, NULL), GATE_SEND);
        gate->leave.detach = false;
        assert_int_equal(gate_ask(gate, &setup, NULL), GATE_NEEDS_DETACH);
    }
}

static void vendor__needs_its_own_leave(void **test)
{
    (void)test;
    struct gate gates[] = {gate_of_run_time(DFURT_STATE_appIDLE), gate_of_dfuse(true),
                           gate_of_plain(true)};
    const struct usbdev_setup_packet setup = {0xC0, 0x7F, 0, 0, 1};

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        assert_int_equal(gate_ask(&gates[i], &setup, NULL), GATE_NEEDS_VENDOR);
        assert_int_equal(gate_ask_transfer(&gates[i], 0x01, 1), GATE_NEEDS_VENDOR);
        assert_int_equal(gate_ask_transfer(&gates[i], 0x81, 64), GATE_SEND);
        gates[i].leave.vendor = true;
        assert_int_equal(gate_ask(&gates[i], &setup, NULL), GATE_SEND);
        assert_int_equal(gate_ask_transfer(&gates[i], 0x01, 1), GATE_SEND);
    }
}

static void standard__all_but_what_locks_or_rewrites(void **test)
{
    (void)test;
    struct gate gate = gate_of_run_time(GATE_STATE_STALE);
    const struct row rows[] = {
        {"GET_DESCRIPTOR", {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18}, {0}, GATE_SEND},
        {"SET_INTERFACE", {0x01, USBDEV_SET_INTERFACE, 0, 0, 0}, {0}, GATE_SEND},
        {"remote wake-up", {0x00, USBDEV_SET_FEATURE, 1, 0, 0}, {0}, GATE_SEND},
        {"TEST_MODE", {0x00, USBDEV_SET_FEATURE, 2, 0x0400, 0}, {0}, GATE_NEVER},
        {"SET_DESCRIPTOR", {0x00, 0x07, 0x0100, 0, 5}, {0}, GATE_NEVER},
        {"a reserved type", {0x61, DFURT_GETSTATUS, 0, 0, 0}, {0}, GATE_NEVER},
        {"a reserved type, DETACH", {0x61, DFURT_DETACH, 0, 0, 0}, {0}, GATE_NEVER},
        {"a reserved type, UPLOAD", {0xE1, DFURT_UPLOAD, 0, 0, 64}, {0}, GATE_NEVER},
        {"a reserved type, GETSTATUS", {0xE1, DFURT_GETSTATUS, 0, 0, 6}, {0}, GATE_SEND},
        {"a reserved type, unknown", {0x61, 0x7F, 0, 0, 8}, {0}, GATE_SEND},
    };

    ASSERT_ROWS(&gate, rows);
}

// ---- DFU mode without leave ----

static void without_leave__nothing_is_downloaded_to_a_plain_device(void **test)
{
    (void)test;
    for (int state = GATE_STATE_SILENT; state <= DFURT_STATE_dfuERROR; state++) {
        struct gate gate = gate_of_plain(false);
        gate.state = state;
        const struct row rows[] = {
            {"a block", {OUT, DFURT_DNLOAD, 0, 0, 5}, {1, 2, 3, 4, 5}, GATE_NEEDS_WRITE},
            {"a later block", {OUT, DFURT_DNLOAD, 3, 0, 5}, {1, 2, 3, 4, 5}, GATE_NEEDS_WRITE},
            {"nothing", {OUT, DFURT_DNLOAD, 0, 0, 0}, {0}, GATE_NEEDS_WRITE},
            {"like Set Address",
             {OUT, DFURT_DNLOAD, 0, 0, 5},
             {0x21, 0, 0, 0, 8},
             GATE_NEEDS_WRITE},
            {"to another interface", {OUT, DFURT_DNLOAD, 0, 1, 5}, {0}, GATE_NEEDS_WRITE},
            {"to the device", {0x20, DFURT_DNLOAD, 0, 0, 0}, {0}, GATE_NEEDS_WRITE},
            {"as IN", {IN, DFURT_DNLOAD, 0, 0, 5}, {0}, GATE_NEEDS_WRITE},
        };

        ASSERT_ROWS(&gate, rows);
    }
}

static void without_leave__dfuse_is_pointed_at_what_can_be_read(void **test)
{
    (void)test;
    struct gate gate = gate_of_dfuse(false);
    const struct row rows[] = {
        {"Set Address", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0, 0, 0, 8}, GATE_SEND},
        {"the last byte", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0xFF, 0xFF, 1, 8}, GATE_SEND},
        {"behind it", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0, 0, 2, 8}, GATE_NEEDS_WRITE},
        {"not readable", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0, 0, 0, 0x20}, GATE_NEEDS_WRITE},
        {"cut off", {OUT, DFURT_DNLOAD, 0, 0, 3}, {0x21, 0, 0}, GATE_NEEDS_WRITE},
        {"erase", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x41, 0, 0, 0, 8}, GATE_NEEDS_WRITE},
        {"unknown command", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x77}, GATE_NEEDS_WRITE},
        {"a block of data", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0x21, 0, 0, 0, 8}, GATE_NEEDS_WRITE},
        {"block 1", {OUT, DFURT_DNLOAD, 1, 0, 5}, {0x21, 0, 0, 0, 8}, GATE_NEEDS_WRITE},
        {"leave", {OUT, DFURT_DNLOAD, 2, 0, 0}, {0}, GATE_NEEDS_WRITE},
        {"to another interface",
         {OUT, DFURT_DNLOAD, 0, 1, 5},
         {0x21, 0, 0, 0, 8},
         GATE_NEEDS_WRITE},
    };

    ASSERT_ROWS(&gate, rows);
}

static void without_leave__set_address_needs_an_idle_state_just_asked(void **test)
{
    (void)test;
    const struct usbdev_setup_packet setup = {OUT, DFURT_DNLOAD, 0, 0, 5};
    const uint8_t command[] = {0x21, 0, 0, 0, 8};

    for (int state = GATE_STATE_SILENT; state <= DFURT_STATE_dfuERROR; state++) {
        struct gate gate = gate_of_dfuse(false);
        gate.state = state;
        bool idle = state == DFURT_STATE_dfuIDLE || state == DFURT_STATE_dfuDNLOAD_IDLE;
        assert_int_equal(gate_ask(&gate, &setup, command), idle ? GATE_SEND
                                                           : state == GATE_STATE_STALE
                                                               ? GATE_ASK_STATE
                                                               : GATE_NEEDS_WRITE);
    }
}

static void without_leave__what_was_pointed_at_is_read_next(void **test)
{
    (void)test;
    struct gate gate = gate_of_dfuse(false);
    const struct usbdev_setup_packet set_address = {OUT, DFURT_DNLOAD, 0, 0, 5};
    const struct usbdev_setup_packet upload = {IN, DFURT_UPLOAD, 2, 0, 5};
    const uint8_t command[] = {0x21, 0, 0, 0, 8};
    const struct row rows[] = {
        {"DETACH", {OUT, DFURT_DETACH, 0, 0, 0}, {0}, GATE_NEEDS_WRITE},
        {"a sample", {OUT, 7, 0, 0, 0}, {0}, GATE_NEEDS_WRITE},
        {"GETSTATUS", {IN, DFURT_GETSTATUS, 0, 0, 6}, {0}, GATE_SEND},
        {"GETSTATE", {IN, DFURT_GETSTATE, 0, 0, 1}, {0}, GATE_SEND},
        {"ABORT", {OUT, DFURT_ABORT, 0, 0, 0}, {0}, GATE_SEND},
        {"UPLOAD", {IN, DFURT_UPLOAD, 2, 0, 5}, {0}, GATE_SEND},
    };

    gate_saw(&gate, &set_address, command, 5, false);
    ASSERT_ROWS(&gate, rows);
    gate_saw(&gate, &upload, command, 5, false);
    const struct row after[] = {{"DETACH", {OUT, DFURT_DETACH, 0, 0, 0}, {0}, GATE_SEND}};
    ASSERT_ROWS(&gate, after);
}

// ---- DFU mode with leave ----

static void never__read_unprotect_and_mass_erase(void **test)
{
    (void)test;
    struct gate gates[] = {gate_of_dfuse(true), gate_of_dfuse(false), gate_of_plain(true)};
    const struct row rows[] = {
        {"Read Unprotect", {OUT, DFURT_DNLOAD, 0, 0, 1}, {0x92}, GATE_NEVER},
        {"mass erase", {OUT, DFURT_DNLOAD, 0, 0, 1}, {0x41}, GATE_NEVER},
    };
    const struct row only_dfuse[] = {
        {"Read Unprotect, longer", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x92}, GATE_NEVER},
        {"erase, cut off", {OUT, DFURT_DNLOAD, 0, 0, 3}, {0x41, 0, 0xF8}, GATE_NEVER},
    };

    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++)
        ASSERT_ROWS(&gates[i], rows);
    ASSERT_ROWS(&gates[0], only_dfuse);
    ASSERT_ROWS(&gates[1], only_dfuse);
}

static void with_leave__a_plain_device_needs_its_image_kept(void **test)
{
    (void)test;
    struct gate gate = gate_of_plain(true);
    const struct row rows[] = {
        {"a block", {OUT, DFURT_DNLOAD, 0, 0, 5}, {1, 2, 3, 4, 5}, GATE_SEND},
        {"nothing", {OUT, DFURT_DNLOAD, 0, 0, 0}, {0}, GATE_NEEDS_KEPT},
        {"as IN", {IN, DFURT_DNLOAD, 0, 0, 5}, {0}, GATE_NEEDS_KEPT},
    };
    ASSERT_ROWS(&gate, rows);

    gate_keep_nothing(&gate);
    const struct row not_kept[] = {
        {"a block", {OUT, DFURT_DNLOAD, 0, 0, 5}, {1, 2, 3, 4, 5}, GATE_NEEDS_KEPT},
    };
    ASSERT_ROWS(&gate, not_kept);
}

static void manifestation__needs_the_whole_image_as_it_is_kept(void **test)
{
    (void)test;
    static const uint8_t other[] = {6, 7, 8, 9, 11};
    const struct usbdev_setup_packet manifest = {OUT, DFURT_DNLOAD, 2, 0, 0};
    struct gate gate = gate_of_plain(true);

    gate_sends(&gate, 0, 5, gate_image, 5);
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_NEEDS_KEPT);
    gate_sends(&gate, 1, 5, gate_image + 5, 5);
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_SEND);

    gate_begin_image(&gate);
    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_sends(&gate, 1, 5, other, 5);
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_NEEDS_KEPT);

    gate_begin_image(&gate);
    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_sends(&gate, 2, 5, gate_image + 5, 5); // block 1 is missing
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_NEEDS_KEPT);

    gate_begin_image(&gate);
    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_sends(&gate, 1, 5, gate_image + 5, STALL);
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_NEEDS_KEPT);

    gate_begin_image(&gate);
    gate_sends(&gate, 0, 5, gate_image, 5);
    gate_moved(&gate); // a bus reset
    gate_sends(&gate, 1, 5, gate_image + 5, 5);
    assert_int_equal(gate_ask(&gate, &manifest, NULL), GATE_NEEDS_KEPT);
}

static void with_leave__dfuse_writes_only_its_scratch_page(void **test)
{
    (void)test;
    struct gate gate = gate_of_dfuse(true);
    static const uint8_t command[] = {0x21, 0x00, 0xF8, 0x01, 0x08}; // 0801F800h, the page
    const struct row before[] = {
        {"data, pointer unknown", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0}, GATE_NEEDS_KEPT},
        {"erase of the page", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x41, 0, 0xF8, 1, 8}, GATE_SEND},
        {"erase of another", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x41, 0, 0xF0, 1, 8}, GATE_NEEDS_KEPT},
        {"erase nowhere", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x41, 0, 0, 0, 0xF0}, GATE_SEND},
        {"erase of external memory",
         {OUT, DFURT_DNLOAD, 0, 0, 5},
         {0x41, 0, 0, 0, 0x60},
         GATE_NEEDS_KEPT},
        {"erase of external memory, its end",
         {OUT, DFURT_DNLOAD, 0, 0, 5},
         {0x41, 0xFF, 0xFF, 0xFF, 0x9F},
         GATE_NEEDS_KEPT},
    };
    const struct row after[] = {
        {"the page's first bytes", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0}, GATE_SEND},
        {"the whole page", {OUT, DFURT_DNLOAD, 2, 0, 2048}, {0}, GATE_SEND},
        {"a byte more", {OUT, DFURT_DNLOAD, 2, 0, 2049}, {0}, GATE_NEEDS_KEPT},
        {"the page behind it", {OUT, DFURT_DNLOAD, 3, 0, 5}, {0}, GATE_NEEDS_KEPT},
        {"block 1: the page before it", {OUT, DFURT_DNLOAD, 1, 0, 5}, {0}, GATE_NEEDS_KEPT},
    };

    ASSERT_ROWS(&gate, before);
    gate_sends(&gate, 0, 5, command, 5);
    ASSERT_ROWS(&gate, after);

    static const uint8_t error[] = {3, 0, 0, 0, DFURT_STATE_dfuERROR, 0};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    const struct row failed[] = {
        {"the command failed", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0}, GATE_NEEDS_KEPT},
    };
    gate_saw(&gate, &getstatus, error, sizeof error, false);
    ASSERT_ROWS(&gate, failed);
}

static void with_leave__dfuse_commands_need_something_kept(void **test)
{
    (void)test;
    struct gate gate = gate_of_dfuse(true);
    gate_keep_nothing(&gate);
    const struct row rows[] = {
        {"Set Address", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0, 0, 0, 8}, GATE_SEND},
        {"erase nowhere", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x41, 0, 0, 0, 0xF0}, GATE_NEEDS_KEPT},
        {"unknown command", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x77}, GATE_NEEDS_KEPT},
        {"a command cut off", {OUT, DFURT_DNLOAD, 0, 0, 3}, {0x21}, GATE_NEEDS_KEPT},
        {"data", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0}, GATE_NEEDS_KEPT},
    };

    ASSERT_ROWS(&gate, rows);
}

static void memory__has_room_for_so_many_regions(void **test)
{
    (void)test;
    static struct dfuse_layout layout;
    struct gate gate = gate_of_dfuse(true);
    for (uint32_t i = 0; i < DFUSE_MAX_REGIONS; i++)
        layout.regions[layout.count++] = (struct dfuse_region){i << 16, 1, 2048, DFUSE_READABLE};

    gate_set_memory(&gate, true, &layout, 1);

    assert_int_equal(gate.region_count, GATE_MOST_REGIONS);
    assert_int_equal(gate.dialect, GATE_DFUSE);
    assert_false(gate_is_nowhere(&gate, (GATE_MOST_REGIONS - 1) << 16));
}

static void doubt__downloads_nothing(void **test)
{
    (void)test;
    struct gate gates[] = {gate_of_dfuse(true), gate_of_plain(true)};
    gates[0].dialect = GATE_DIALECT_UNKNOWN;
    gates[1].mode = GATE_MODE_UNKNOWN;
    const struct row rows[] = {
        {"Set Address", {OUT, DFURT_DNLOAD, 0, 0, 5}, {0x21, 0, 0, 0, 8}, GATE_NEVER},
        {"data", {OUT, DFURT_DNLOAD, 2, 0, 5}, {0}, GATE_NEVER},
        {"nothing", {OUT, DFURT_DNLOAD, 0, 0, 0}, {0}, GATE_NEVER},
    };

    for (size_t i = 0; i < 2; i++)
        ASSERT_ROWS(&gates[i], rows);
}

static void doubt__begins_to_program_nothing_that_another_program_has_sent(void **test)
{
    (void)test;
    struct gate gate = gate_of_plain(false);
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    const uint8_t begun_by_getstatus[] = {DFURT_STATE_dfuDNLOAD_SYNC, DFURT_STATE_dfuMANIFEST_SYNC};

    for (size_t i = 0; i < sizeof begun_by_getstatus; i++) {
        gate.mode = GATE_MODE_UNKNOWN;
        gate_saw(&gate, &getstate, &begun_by_getstatus[i], 1, true);
        assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_BEGINS_TO_PROGRAM);
        assert_int_equal(gate_ask(&gate, &getstate, NULL), GATE_SEND);
        gate.mode = GATE_DFU_MODE;
        assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_SEND);
    }
}

static void run_time__begins_to_program_nothing_that_should_have_been_refused(void **test)
{
    (void)test;
    const struct usbdev_setup_packet getstate = {IN, DFURT_GETSTATE, 0, 0, 1};
    const struct usbdev_setup_packet getstatus = {IN, DFURT_GETSTATUS, 0, 0, 6};
    const struct usbdev_setup_packet dnload = {OUT, DFURT_DNLOAD, 0, 0, 5};
    const uint8_t sync = DFURT_STATE_dfuDNLOAD_SYNC, idle = DFURT_STATE_appIDLE;
    struct gate gate = gate_of_run_time(DFURT_STATE_appIDLE);

    gate_saw(&gate, &dnload, gate_image, STALL, true);
    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_SEND);
    gate_saw(&gate, &dnload, gate_image, 5, false);
    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_BEGINS_TO_PROGRAM);
    gate_saw(&gate, &getstate, NULL, STALL, true);
    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_BEGINS_TO_PROGRAM);
    gate_saw(&gate, &getstate, &sync, 1, false);
    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_BEGINS_TO_PROGRAM);
    gate_saw(&gate, &getstate, &idle, 1, false);
    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_SEND);
    gate_saw(&gate, &dnload, gate_image, 5, false);
    gate_moved(&gate);

    assert_int_equal(gate_ask(&gate, &getstatus, NULL), GATE_SEND);
}

static void run_time__no_dnload_follows_one_that_was_not_refused(void **test)
{
    (void)test;
    const struct usbdev_setup_packet data = {OUT, DFURT_DNLOAD, 0, 0, 5};
    const struct usbdev_setup_packet none = {OUT, DFURT_DNLOAD, 0, 0, 0};
    const struct usbdev_setup_packet abort = {OUT, DFURT_ABORT, 0, 0, 0};
    struct gate gate = gate_of_run_time(DFURT_STATE_appIDLE);

    gate_saw(&gate, &data, gate_image, STALL, true);
    gate.state = DFURT_STATE_appIDLE;
    assert_int_equal(gate_ask(&gate, &none, NULL), GATE_SEND);
    gate_saw(&gate, &data, gate_image, GONE, false);
    gate.state = DFURT_STATE_appIDLE;
    assert_int_equal(gate_ask(&gate, &data, gate_image), GATE_SEND);
    assert_int_equal(gate_ask(&gate, &none, NULL), GATE_NEVER);
    gate_saw(&gate, &data, gate_image, 5, false);
    gate.state = DFURT_STATE_appIDLE;

    assert_int_equal(gate_ask(&gate, &data, gate_image), GATE_NEVER);
    assert_int_equal(gate_ask(&gate, &none, NULL), GATE_NEVER);
    assert_int_equal(gate_ask(&gate, &abort, NULL), GATE_SEND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_time__unsafe_requests_need_a_state_just_asked),
        cmocka_unit_test(run_time__leave_to_write_changes_nothing),
        cmocka_unit_test(run_time__class_requests_are_harmless_samples),
        cmocka_unit_test(detach__is_refused_by_no_detach_in_every_disguise),
        cmocka_unit_test(vendor__needs_its_own_leave),
        cmocka_unit_test(standard__all_but_what_locks_or_rewrites),
        cmocka_unit_test(without_leave__nothing_is_downloaded_to_a_plain_device),
        cmocka_unit_test(without_leave__dfuse_is_pointed_at_what_can_be_read),
        cmocka_unit_test(without_leave__set_address_needs_an_idle_state_just_asked),
        cmocka_unit_test(without_leave__what_was_pointed_at_is_read_next),
        cmocka_unit_test(never__read_unprotect_and_mass_erase),
        cmocka_unit_test(with_leave__a_plain_device_needs_its_image_kept),
        cmocka_unit_test(manifestation__needs_the_whole_image_as_it_is_kept),
        cmocka_unit_test(with_leave__dfuse_writes_only_its_scratch_page),
        cmocka_unit_test(with_leave__dfuse_commands_need_something_kept),
        cmocka_unit_test(memory__has_room_for_so_many_regions),
        cmocka_unit_test(doubt__downloads_nothing),
        cmocka_unit_test(doubt__begins_to_program_nothing_that_another_program_has_sent),
        cmocka_unit_test(run_time__begins_to_program_nothing_that_should_have_been_refused),
        cmocka_unit_test(run_time__no_dnload_follows_one_that_was_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
