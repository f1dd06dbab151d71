// SPDX-License-Identifier: MIT

#include <usb/text.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A string descriptor of these units, and what it is as text.
static const struct {
    size_t length; // bytes received
    const char *bytes;
    const char *text;
    const char *problem;
} strings[] = {
    {0, "", "", NULL},
    {2, "\x02\x03", "", NULL},
    {8,
     "\x08\x03"
     "d\0f\0u\0",
     "dfu", NULL},
    {4, "\x04\x03\x00\x00", "?", "a NUL in the string"},
    {6, "\x06\x03\x0A\x00\x7F\x00", "??", NULL},                    // control characters
    {6, "\x06\x03\xFC\x00\xDF\x00", "\xC3\xBC\xC3\x9F", NULL},      // U+00FC U+00DF
    {4, "\x04\x03\xAC\x20", "\xE2\x82\xAC", NULL},                  // U+20AC
    {6, "\x06\x03\x3D\xD8\x00\xDE", "\xF0\x9F\x98\x80", NULL},      // U+1F600
    {6, "\x06\x03\xFF\xDB\xFF\xDF", "\xF4\x8F\xBF\xBF", NULL},      // U+10FFFF
    {6, "\x06\x03\x3D\xD8\x41\x00", "?A", "half a surrogate pair"}, // the first half
    {6, "\x06\x03\x00\xDE\x41\x00", "?A", "half a surrogate pair"}, // the second half
    {4, "\x04\x03\x3D\xD8", "?", "half a surrogate pair"},          // at the end
    {8, "\x08\x03\x3D\xD8\x3D\xD8\x00\xDE", "?\xF0\x9F\x98\x80", "half a surrogate pair"},
    {5, "\x06\x03\x41\x00\x42", "A?", "half a UTF-16 unit"},
    {7, "\x08\x03\x41\x00\x3D\xD8\x00", "A??", "half a UTF-16 unit"},

    // The first and the last of each range.
    {6, "\x06\x03\x1F\x00\x20\x00", "? ", NULL},
    {6, "\x06\x03\x7E\x00\x80\x00", "~?", NULL},
    {6, "\x06\x03\x9F\x00\xA0\x00", "?\xC2\xA0", NULL},
    {6, "\x06\x03\xFF\x07\x00\x08", "\xDF\xBF\xE0\xA0\x80", NULL},
    {6, "\x06\x03\xFF\xD7\x00\xE0", "\xED\x9F\xBF\xEE\x80\x80", NULL},
    {8, "\x08\x03\x00\xD8\x00\xDC\x41\x00", "\xF0\x90\x80\x80\x41", NULL}, // U+10000, A
    {8, "\x08\x03\xFF\xFF\x00\xD8\xFF\xDF", "\xEF\xBF\xBF\xF0\x90\x8F\xBF", NULL},
    {6, "\x06\x03\x00\xD8\x00\xE0", "?\xEE\x80\x80", "half a surrogate pair"},
    {6, "\x06\x03\x00\xD8\xFF\xDB", "??", "half a surrogate pair"},
    {6, "\x06\x03\x00\xDC\xFF\xDF", "??", "half a surrogate pair"},
};

// A copy that ends where its memory does, so that a sanitizer sees one byte too much.
static uint8_t *copy_exactly(const char *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static void text__is_what_the_units_mean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        uint8_t *bytes = copy_exactly(strings[i].bytes, strings[i].length);
        char text[64];

        size_t length = usb_text(text, sizeof text, bytes, strings[i].length);
        const char *problem = usb_text_problem(bytes, strings[i].length);

        assert_string_equal(strings[i].text, text);
        assert_int_equal(strlen(strings[i].text), length);
        if (strings[i].problem)
            assert_string_equal(strings[i].problem, problem);
        else
            assert_null(problem);
        free(bytes);
    }
}

static void text__is_cut_at_a_whole_character(void **state)
{
    static const uint8_t bytes[] = {8, 3, 'a', 0, 0x3D, 0xD8, 0x00, 0xDE};
    char text[6];
    (void)state;

    assert_int_equal(5, usb_text(text, 6, bytes, sizeof bytes));
    assert_string_equal("a\xF0\x9F\x98\x80", text);
    assert_int_equal(1, usb_text(text, 5, bytes, sizeof bytes));
    assert_string_equal("a", text);
    assert_int_equal(0, usb_text(text, 1, bytes, sizeof bytes));
    assert_string_equal("", text);
}

static void text__with_a_control_character_is_found(void **state)
{
    (void)state;

    assert_false(usb_text_has_control(""));
    assert_false(usb_text_has_control("caf\xC3\xA9 ~"));
    assert_true(usb_text_has_control("two\nlines"));
    assert_true(usb_text_has_control("\x1F"));
    assert_true(usb_text_has_control("end\x7F"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__is_what_the_units_mean),
        cmocka_unit_test(text__is_cut_at_a_whole_character),
        cmocka_unit_test(text__with_a_control_character_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
