// SPDX-License-Identifier: MIT
//
// The report as JSON, for programs: docs/report-json.md is the schema. Jansson writes it.

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include <conformance/report_files.h>

enum { SCHEMA_VERSION = 1, BYTES_TEXT = 3 * TRANSCRIPT_EXCERPT + 8, LINE_TEXT = 256 };

// A text from a device or a person may not be UTF-8: other bytes become question marks.
static json_t *device_text(const char *text)
{
    json_t *string = json_string(text);

    if (string)
        return string;

    char ascii[PROBE_WORDS];
    size_t length = strnlen(text, sizeof(ascii) - 1);
    for (size_t i = 0; i < length; i++)
        ascii[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    ascii[length] = '\0';
    return json_string(ascii);
}

// Bytes as one string of hexadecimal pairs.
static json_t *bytes_text(const uint8_t *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * TARGET_CONFIGURATION_MAX];

    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return json_stringn(text, 2 * length);
}

static json_t *id_text(uint16_t number)
{
    return json_sprintf("%04x", number);
}

static json_t *device_object(const struct report_device *device)
{
    if (!device->seen)
        return json_null();

    const struct target_descriptors *raw = &device->descriptors;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "idVendor",
                     id_text(usbdev_load_le16(raw->device + 8)), "idProduct",
                     id_text(usbdev_load_le16(raw->device + 10)), "bcdDevice",
                     id_text(usbdev_load_le16(raw->device + 12)), "manufacturer",
                     device_text(device->manufacturer), "product", device_text(device->product),
                     "serial", device_text(device->serial), "device_descriptor",
                     bytes_text(raw->device, sizeof(raw->device)), "configuration_descriptor",
                     bytes_text(raw->configuration, raw->configuration_length));
}

static json_t *transfer_object(const struct transcript_entry *entry)
{
    char line[LINE_TEXT];
    json_t *object;

    transcript_line(entry, line, sizeof(line));
    object =
        json_pack("{s:s, s:I, s:I, s:i}", "line", line, "start_us", (json_int_t)entry->start_us,
                  "took_us", (json_int_t)entry->took_us, "result", entry->result);
    if (entry->kind == TRANSCRIPT_CONTROL)
        json_object_set_new(object, "setup", bytes_text(entry->setup, sizeof(entry->setup)));
    if (entry->data_length)
        json_object_set_new(object, "data", bytes_text(entry->data, entry->data_length));
    return object;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && text[0])
        json_object_set_new(object, key, device_text(text));
}

static json_t *result_object(const struct result *result)
{
    const struct check *check = result->check;
    json_t *transfers = json_array();
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:b}", "id", check->id, "section",
        check->section, "level", level_text(check->level), "sentence", check->sentence, "verdict",
        verdict_text(result->verdict), "waived", result->waiver != NULL, "start_us",
        (json_int_t)result->start_us, "took_us", (json_int_t)result->took_us, "transfers_dropped",
        (json_int_t)result->transfers_dropped, "applicable", !result->inapplicable);

    if (result->first_frame)
        json_object_set_new(
            object, "frames",
            json_pack("[I, I]", (json_int_t)result->first_frame, (json_int_t)result->last_frame));
    set_text(object, "waiver", result->waiver);
    set_text(object, "sent", result->finding.sent);
    set_text(object, "expected", result->finding.expected);
    set_text(object, "received", result->finding.received);
    set_text(object, "message", result->finding.message);
    set_text(object, "trouble", result->trouble);
    for (size_t i = 0; i < result->transfer_count; i++)
        json_array_append_new(transfers, transfer_object(&result->transfers[i]));
    json_object_set_new(object, "transfers", transfers);
    return object;
}

static json_t *counts_object(const struct report *report)
{
    json_t *object = json_object();

    for (unsigned verdict = 0; verdict <= VERDICT_INCONCLUSIVE; verdict++)
        json_object_set_new(object, verdict_text((enum verdict)verdict),
                            json_integer(report->counts[verdict]));
    json_object_set_new(object, "waived", json_integer(report->waived));
    json_object_set_new(object, "inapplicable", json_integer(report->inapplicable));
    return object;
}

static void set_time(json_t *object, const char *key, time_t when)
{
    char text[32];
    struct tm utc;
    if (when && gmtime_r(&when, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
        json_object_set_new(object, key, json_string(text));
}

static json_t *suite_object(const struct report *report)
{
    json_t *object =
        json_pack("{s:s, s:s}", "name", "dfu-conformance", "version", report->suite_version);
    set_text(object, "commit", report->suite_commit);
    return object;
}

// Texts from a person or a device, which may not be UTF-8.
static json_t *report_object(const struct report *report)
{
    json_t *results = json_array();
    json_t *object = json_object();
    char profile[REPORT_TEXT];

    report_profile(report, profile);
    for (size_t i = 0; i < report->count; i++)
        json_array_append_new(results, result_object(&report->results[i]));
    json_object_set_new(object, "schema", json_integer(SCHEMA_VERSION));
    json_object_set_new(object, "suite", suite_object(report));
    set_time(object, "started", report->started);
    set_text(object, "host", report->host);
    json_object_set_new(object, "specification",
                        json_string(report->chapter9 ? "USB 2.0 chapter 9" : "USB DFU 1.1"));
    json_object_set_new(object, "target",
                        json_pack("{s:o, s:o}", "spec", device_text(report->target), "where",
                                  device_text(report->where)));
    json_object_set_new(object, "profile", json_string(profile));
    json_object_set_new(object, "run_time", device_object(&report->run_time));
    json_object_set_new(object, "dfu_mode", device_object(&report->dfu_mode));
    json_object_set_new(object, "counts", counts_object(report));
    json_object_set_new(object, "took_us", json_integer((json_int_t)report->took_us));
    json_object_set_new(object, "departures", json_integer(report->departures));
    json_object_set_new(object, "departure", device_text(report->departure));
    json_object_set_new(object, "losses", json_integer(report->losses));
    json_object_set_new(object, "loss", device_text(report->loss));
    json_object_set_new(object, "ending", device_text(report->ending));
    json_object_set_new(object, "flash", device_text(report->flash));
    json_object_set_new(object, "exit_status", json_integer(report->status));
    json_object_set_new(object, "results", results);
    return object;
}

int report_json_write(const struct report *report, FILE *out)
{
    json_t *object = report_object(report);
    int written;

    if (!object)
        return -ENOMEM;
    written = json_dumpf(object, out, JSON_INDENT(1));
    json_decref(object);
    return written == 0 && fputc('\n', out) != EOF ? 0 : -EIO;
}
