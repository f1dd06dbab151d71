// SPDX-License-Identifier: MIT
//
// A small report made by hand, with texts that a hostile device could have sent, through each of
// the writers.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <conformance/report_files.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

static const struct check checks[] = {
    {.id = "X-01", .section = "DFU 1.1 4.1", .level = LEVEL_MUST, .sentence = "one & all hold"},
    {.id = "X-02", .section = "DFU 1.1 A.2.1", .level = LEVEL_SHOULD, .sentence = "x < y"},
    {.id = "X-03", .section = "DFU 1.1 5.1", .level = LEVEL_MUST, .sentence = "it leaves"},
};

static struct transcript_entry detach_transfers[] = {
    {
        .kind = TRANSCRIPT_CONTROL,
        .start_us = 1000,
        .took_us = 250,
        .setup = {0x21, 0x00, 0xE8, 0x03},
    },
    {.kind = TRANSCRIPT_WAIT_LEAVE, .start_us = 1300, .took_us = 5000},
    {.kind = TRANSCRIPT_WAIT_RETURN, .start_us = 6300, .took_us = 200000},
};

static struct result results[] = {
    {.check = &checks[0], .verdict = VERDICT_PASS},
    {
        .check = &checks[1],
        .verdict = VERDICT_FAIL,
        .took_us = 1500,
        .finding = {.sent = "a1 03", .expected = "6 bytes", .received = "<script>\"&"},
    },
    {
        .check = &checks[2],
        .verdict = VERDICT_SKIP,
        .finding = {.message = "needs a bus reset"},
        .transfers = detach_transfers,
        .transfer_count = 3,
    },
};

static struct report sample(void)
{
    struct report report = {
        .suite_version = "9.9",
        .suite_commit = "v9.9-1-gabc",
        .started = 951782400, // 29 February 2000
        .host = "desk",
        .target = "sim:x",
        .where = "in this process",
        .planned = 3,
        .results = results,
        .count = 3,
        .run_time = {.seen = true, .product = "caf\xC3\xA9 <img>", .serial = "bad \xFF byte"},
    };

    report.counts[VERDICT_PASS] = report.counts[VERDICT_FAIL] = report.counts[VERDICT_SKIP] = 1;
    usbdev_store_le16(report.run_time.descriptors.device + 8, 0x1209);
    return report;
}

typedef int writer(const struct report *report, FILE *out);

// What the writer writes of a report; to be freed.
static char *written_of(const struct report *report, writer *write)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    assert_int_equal(write(report, stream), 0);
    fclose(stream);
    return text;
}

static char *written(writer *write)
{
    const struct report report = sample();

    return written_of(&report, write);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    assert_non_null(text);
    return text;
}

static void json__says_what_was_found(void **state)
{
    (void)state;
    char *text = written(report_json_write);

    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(report);
    const json_t *failed = json_array_get(json_object_get(report, "results"), 1);
    assert_int_equal(json_integer_value(json_object_get(report, "schema")), 1);
    assert_string_equal(text_of(json_object_get(report, "suite"), "version"), "9.9");
    assert_string_equal(text_of(failed, "id"), "X-02");
    assert_string_equal(text_of(failed, "verdict"), "FAIL");
    assert_string_equal(text_of(failed, "received"), "<script>\"&");
    assert_null(json_object_get(failed, "message"));
    json_decref(report);
    free(text);
}

static void json__describes_the_device_whatever_it_sent(void **state)
{
    (void)state;
    char *text = written(report_json_write);

    json_t *report = json_loads(text, 0, NULL);

    assert_non_null(report);
    const json_t *device = json_object_get(report, "run_time");
    assert_string_equal(text_of(device, "idVendor"), "1209");
    assert_string_equal(text_of(device, "product"), "caf\xC3\xA9 <img>");
    assert_string_equal(text_of(device, "serial"), "bad ? byte");
    assert_true(json_is_null(json_object_get(report, "dfu_mode")));
    json_decref(report);
    free(text);
}

static void json__lists_the_transfers(void **state)
{
    (void)state;
    char *text = written(report_json_write);

    json_t *report = json_loads(text, 0, NULL);

    assert_non_null(report);
    const json_t *skipped = json_array_get(json_object_get(report, "results"), 2);
    const json_t *transfers = json_object_get(skipped, "transfers");
    assert_int_equal(json_array_size(transfers), 3);
    assert_string_equal(text_of(json_array_get(transfers, 0), "setup"), "2100e80300000000");
    json_decref(report);
    free(text);
}

static void json__is_written_though_a_file_name_is_not_utf_8(void **state)
{
    (void)state;
    struct report report = sample();
    report.target = "sim:f072,firmware=\xE4.elf";

    char *text = written_of(&report, report_json_write);

    json_t *read = json_loads(text, 0, NULL);
    assert_non_null(read);
    assert_string_equal(text_of(json_object_get(read, "target"), "spec"),
                        "sim:f072,firmware=?.elf");
    assert_string_equal(text_of(read, "started"), "2000-02-29T00:00:00Z");
    json_decref(read);
    free(text);
}

static void html__begins_with_the_device_and_why_checks_were_skipped(void **state)
{
    (void)state;

    char *text = written(report_html_write);

    const char *found = strstr(text, "What was found");
    const char *device =
        strstr(text, "id=\"device\">1209:0000  caf\xC3\xA9 &lt;img&gt;, serial bad ");
    const char *skipped = strstr(text, "id=\"skipped\">1 (needs a bus reset)</dd>");
    assert_non_null(found);
    assert_true(device && device < found);
    assert_true(skipped && skipped < found);
    free(text);
}

// The page about a run in which checks came to the same; to be freed.
static char *page_of_two(enum verdict verdict, struct finding finding)
{
    struct result both[] = {
        {.check = &checks[0], .verdict = verdict, .finding = finding},
        {.check = &checks[2], .verdict = verdict, .finding = finding},
    };
    struct report report = sample();
    report.results = both;
    report.count = 2;
    return written_of(&report, report_html_write);
}

static void html__says_one_cause_once(void **state)
{
    (void)state;

    char *text =
        page_of_two(VERDICT_INCONCLUSIVE, (struct finding){.message = "the device is gone"});

    const char *card = strstr(text, "2 checks of one cause");
    assert_non_null(card);
    assert_non_null(strstr(card, "<a href=\"#X-01\">X-01</a> <a href=\"#X-03\">X-03</a>"));
    assert_null(strstr(strchr(card, '<'), "checks of one cause"));
    free(text);
}

static void html__says_once_what_two_checks_found(void **state)
{
    (void)state;

    char *text =
        page_of_two(VERDICT_FAIL,
                    (struct finding){.sent = "21 00", .expected = "STALL", .received = "accepted"});

    const char *card = strstr(text, "<article class=\"band FAIL\">");
    assert_non_null(card);
    assert_non_null(strstr(card, "also <span class=\"mono\"><a href=\"#X-03\">X-03</a>"));
    assert_null(strstr(card + 1, "<article class=\"band FAIL\">"));
    free(text);
}

static void trouble__stands_at_its_check_in_every_file(void **state)
{
    (void)state;
    static struct result passes_in_trouble[] = {
        {.check = &checks[0], .verdict = VERDICT_PASS, .trouble = "BKPT at <main+2h>"},
        {.check = &checks[1], .verdict = VERDICT_PASS},
    };
    struct report report = sample();
    report.results = passes_in_trouble;
    report.count = 2;

    char *json = written_of(&report, report_json_write);
    char *junit = written_of(&report, report_junit_write);
    char *html = written_of(&report, report_html_write);

    json_t *read = json_loads(json, 0, NULL);
    const json_t *results_read = json_object_get(read, "results");
    assert_string_equal(text_of(json_array_get(results_read, 0), "trouble"), "BKPT at <main+2h>");
    assert_null(json_object_get(json_array_get(results_read, 1), "trouble"));
    assert_non_null(strstr(junit, "<system-out>trouble: BKPT at &lt;main+2h&gt;\n</system-out>"));
    assert_non_null(strstr(strstr(html, "id=\"X-01\""), "BKPT at &lt;main+2h&gt;"));
    assert_null(strstr(strstr(html, "id=\"X-02\""), "BKPT"));
    json_decref(read);
    free(json);
    free(junit);
    free(html);
}

static void junit__counts_and_escapes(void **state)
{
    (void)state;

    char *text = written(report_junit_write);

    assert_non_null(strstr(text, "timestamp=\"2000-02-29T00:00:00\" hostname=\"desk\" "));
    assert_non_null(strstr(text, "<property name=\"commit\" value=\"v9.9-1-gabc\"/>"));
    assert_non_null(strstr(text, "<property name=\"target\" value=\"sim:x\"/>"));
    assert_non_null(strstr(text, "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    assert_non_null(strstr(text, "name=\"X-01 one &amp; all hold [DFU 1.1 4.1]\""));
    assert_non_null(strstr(text, "<failure message=\"&lt;script&gt;&quot;&amp;\">sent: a1 03\n"));
    assert_non_null(strstr(text, "<skipped message=\"needs a bus reset\">"));
    free(text);
}

static void html__never_lets_a_device_write_markup(void **state)
{
    (void)state;

    char *text = written(report_html_write);

    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<img>"));
    assert_non_null(strstr(text, "&lt;script&gt;&quot;&amp;"));
    free(text);
}

static void html__draws_the_detach(void **state)
{
    (void)state;

    char *text = written(report_html_write);

    assert_non_null(strstr(text, "<svg id=\"detach\""));
    assert_non_null(strstr(text, ">DETACH<"));
    assert_non_null(strstr(text, ">21 00 e8 03 00 00 00 00 -&gt; done<"));
    assert_non_null(strstr(text, ">5.3 ms<"));
    assert_non_null(strstr(text, ">205.3 ms<"));
    free(text);
}

static void html__puts_each_state_check_into_its_cell(void **state)
{
    (void)state;
    static const struct check cells[] = {
        {.id = "RT-STATE-1-DETACH", .section = "A.2.2", .sentence = "a second one STALLs"},
        {.id = "DM-STATE-10-ABORT", .section = "A.2.11", .sentence = "it STALLs"},
    };
    static struct result two[] = {
        {.check = &cells[0], .verdict = VERDICT_FAIL},
        {.check = &cells[1], .verdict = VERDICT_INCONCLUSIVE},
    };
    struct report report = sample();
    report.results = two;
    report.count = 2;

    char *text = written_of(&report, report_html_write);

    assert_non_null(strstr(text, "1 of 2 reached, 0 as required"));
    assert_non_null(strstr(text, "<td class=\"FAIL\" title=\"FAIL: a second one STALLs\">"
                                 "<a href=\"#RT-STATE-1-DETACH\">\u2717</a></td>"));
    assert_non_null(strstr(text, "<a href=\"#DM-STATE-10-ABORT\">?</a></td><td class=\"none\">"));
    free(text);
}

// A configuration of a DFU interface and its functional descriptor.
static void set_configuration(struct report_device *device, const uint8_t *functional)
{
    static const uint8_t head[] = {9, 2, 0, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 0xFE, 1, 2, 0};
    uint8_t *bytes = device->descriptors.configuration;

    device->seen = true;
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + sizeof head, functional, functional[0]);
    device->descriptors.configuration_length = sizeof head + functional[0];
    usbdev_store_le16(bytes + 2, (uint16_t)device->descriptors.configuration_length);
}

static void profile__follows_the_functional_descriptor(void **state)
{
    (void)state;
    static const struct {
        uint8_t functional[9];
        const char *profile;
    } cases[] = {
        {{7, 0x21, 3, 0xFF, 0, 0x40, 0}, "DFU 1.0"},
        {{9, 0x21, 3, 0xFF, 0, 0x40, 0, 0x00, 0x01}, "DFU 1.0"},
        {{9, 0x21, 3, 0xFF, 0, 0x40, 0, 0x10, 0x01}, "DFU 1.1"},
        {{9, 0x21, 3, 0xFF, 0, 0x40, 0, 0x1A, 0x01}, "DfuSe"},
        {{9, 0x21, 3, 0xFF, 0, 0x40, 0, 0x34, 0x12}, "DFU of unknown version 1234h"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct report report = {.run_time.seen = true};
        char profile[REPORT_TEXT];
        set_configuration(&report.dfu_mode, cases[i].functional);

        report_profile(&report, profile);

        assert_string_equal(profile, cases[i].profile);
    }
}

static void profile__says_which_mode_was_never_seen(void **state)
{
    (void)state;
    static const uint8_t functional[] = {9, 0x21, 3, 0xFF, 0, 0x40, 0, 0x10, 0x01};
    struct report at_run_time = {.count = 0};
    struct report in_dfu_mode = {.count = 0};
    struct report nothing = {.run_time.seen = true, .dfu_mode.seen = true};
    char profile[3][REPORT_TEXT];
    set_configuration(&at_run_time.run_time, functional);
    set_configuration(&in_dfu_mode.dfu_mode, functional);

    report_profile(&at_run_time, profile[0]);
    report_profile(&in_dfu_mode, profile[1]);
    report_profile(&nothing, profile[2]);

    assert_string_equal(profile[0], "DFU 1.1, seen at run time only");
    assert_string_equal(profile[1], "DFU 1.1, seen in DFU mode only");
    assert_string_equal(profile[2], "no DFU functional descriptor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json__says_what_was_found),
        cmocka_unit_test(json__describes_the_device_whatever_it_sent),
        cmocka_unit_test(json__lists_the_transfers),
        cmocka_unit_test(json__is_written_though_a_file_name_is_not_utf_8),
        cmocka_unit_test(trouble__stands_at_its_check_in_every_file),
        cmocka_unit_test(junit__counts_and_escapes),
        cmocka_unit_test(html__never_lets_a_device_write_markup),
        cmocka_unit_test(html__begins_with_the_device_and_why_checks_were_skipped),
        cmocka_unit_test(html__says_one_cause_once),
        cmocka_unit_test(html__says_once_what_two_checks_found),
        cmocka_unit_test(html__draws_the_detach),
        cmocka_unit_test(html__puts_each_state_check_into_its_cell),
        cmocka_unit_test(profile__follows_the_functional_descriptor),
        cmocka_unit_test(profile__says_which_mode_was_never_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
