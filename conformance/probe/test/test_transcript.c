// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <conformance/target.h>
#include <conformance/transcript.h>

static const struct transcript_entry getstatus = {
    .setup = {0xA1, 0x03, 0, 0, 2, 0, 6, 0},
    .result = 6,
    .took_us = 1250,
};

static void line__shows_setup_answer_and_time(void **state)
{
    (void)state;
    static struct transcript transcript;
    const uint8_t reply[6] = {0, 10, 0, 0, 1, 0};
    char line[300];

    transcript_add(&transcript, getstatus, reply, sizeof reply);
    transcript_line(transcript_get(&transcript, 0), line, sizeof line);

    assert_string_equal(line, "a1 03 00 00 02 00 06 00 GETSTATUS -> 6 bytes: 00 0a 00 00 01 00, "
                              "1.2 ms");
}

static void line__shows_data_that_was_sent_with_the_request(void **state)
{
    (void)state;
    static struct transcript transcript;
    const struct transcript_entry dnload = {.setup = {0x21, 0x01, 0, 0, 0, 0, 2, 0},
                                            .result = USB_STALL};
    char line[300];

    transcript_add(&transcript, dnload, (const uint8_t[]){0xAA, 0xBB}, 2);
    transcript_line(transcript_get(&transcript, 0), line, sizeof line);

    assert_string_equal(line, "21 01 00 00 00 00 02 00 DNLOAD, data aa bb -> STALL, 0.0 ms");
}

static void line__says_that_a_wait_was_in_vain(void **state)
{
    (void)state;
    const struct transcript_entry wait = {
        .kind = TRANSCRIPT_WAIT_LEAVE, .result = USB_TIMEOUT, .took_us = 3000000};
    char line[300];

    transcript_line(&wait, line, sizeof line);

    assert_string_equal(line, "wait for the device to leave -> timed out, 3000.0 ms");
}

static void line__fits_whatever_space_there_is(void **state)
{
    (void)state;
    static struct transcript transcript;
    uint8_t data[TRANSCRIPT_EXCERPT];
    memset(data, 0x55, sizeof data);
    transcript_add(&transcript, getstatus, data, sizeof data);
    for (size_t size = 1; size < 300; size++) {
        char *line = test_malloc(size);

        transcript_line(transcript_get(&transcript, 0), line, size);

        assert_true(strlen(line) < size);
        test_free(line);
    }
}

static void ring__keeps_the_last_and_counts_the_rest(void **state)
{
    (void)state;
    static struct transcript transcript;
    for (unsigned i = 0; i < TRANSCRIPT_ENTRIES + 10; i++) {
        struct transcript_entry entry = getstatus;
        entry.start_us = i;
        transcript_add(&transcript, entry, NULL, 0);
    }

    assert_int_equal(transcript_count(&transcript), TRANSCRIPT_ENTRIES);
    assert_int_equal(transcript_dropped(&transcript), 10);
    assert_int_equal(transcript_get(&transcript, 0)->start_us, 10);
    assert_int_equal(transcript_get(&transcript, TRANSCRIPT_ENTRIES - 1)->start_us,
                     TRANSCRIPT_ENTRIES + 9);
}

static void count_bytes(void *context,
                        const struct transcript_entry *entry,
                        const uint8_t *data,
                        size_t data_size)
{
    (void)entry;
    (void)data;
    *(size_t *)context += data_size;
}

static void tap__sees_all_of_the_data(void **state)
{
    (void)state;
    size_t seen = 0;
    static struct transcript transcript;
    static const uint8_t data[2048];
    transcript.tap = count_bytes;
    transcript.tap_context = &seen;

    transcript_add(&transcript, getstatus, data, sizeof data);
    transcript_clear(&transcript);
    transcript_add(&transcript, getstatus, data, 1);

    assert_int_equal(seen, sizeof data + 1);
    assert_int_equal(transcript_count(&transcript), 1);
}

static void format_bytes__says_when_not_all_fit(void **state)
{
    (void)state;
    const uint8_t bytes[] = {1, 2, 3, 4};
    char text[12];
    char narrow[11];

    format_bytes(text, sizeof text, bytes, sizeof bytes);
    format_bytes(narrow, sizeof narrow, bytes, sizeof bytes);

    assert_string_equal(text, "01 02 03 04");
    assert_string_equal(narrow, "01 02 ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line__shows_setup_answer_and_time),
        cmocka_unit_test(line__shows_data_that_was_sent_with_the_request),
        cmocka_unit_test(line__says_that_a_wait_was_in_vain),
        cmocka_unit_test(line__fits_whatever_space_there_is),
        cmocka_unit_test(ring__keeps_the_last_and_counts_the_rest),
        cmocka_unit_test(tap__sees_all_of_the_data),
        cmocka_unit_test(format_bytes__says_when_not_all_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
