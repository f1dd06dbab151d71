// SPDX-License-Identifier: MIT
//
// The report as one HTML page that needs nothing else: no script, no font, no picture from
// elsewhere. What a person wants to know comes first: the verdict, then what failed and why, then
// the device, then everything. Colours follow the reader's light or dark setting.

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "descriptors.h"
#include "report_files.h"
#include "report_html.h"

enum { LINE_TEXT = 256 };

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c2330;--soft:#5c6675;--line:#d8dde5;--paper:#fff;"
    "--card:#f5f7fa;--pass:#1a7f45;--fail:#c2272d;--warn:#9a6200;--skip:#66707f;--note:#5a4fb0}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e3e8ef;--soft:#9aa5b4;--line:#333c49;"
    "--paper:#12161c;--card:#1a2028;--pass:#4cc38a;--fail:#ff7b7f;--warn:#e5b04b;--skip:#8b96a5;"
    "--note:#a79cf5}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:68rem;padding:1.2rem;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .6rem}"
    "p{margin:.4rem 0}code,pre,.mono{font-family:ui-monospace,monospace;font-size:.86rem}"
    ".soft{color:var(--soft)}.band{border-left:.5rem solid;padding:.8rem 1rem;margin:1rem 0;"
    "background:var(--card);border-radius:.3rem}.band strong{font-size:1.3rem}"
    ".PASS{color:var(--pass)}.FAIL{color:var(--fail)}.WARN{color:var(--warn)}"
    ".SKIP{color:var(--skip)}.INCONCLUSIVE{color:var(--note)}"
    ".chips{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;padding:0;margin:.5rem 0;list-style:none}"
    ".cards{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr))}"
    ".card{background:var(--card);padding:.8rem 1rem;border-radius:.3rem;overflow-x:auto}"
    ".card h3{margin:0 0 .4rem;font-size:1rem}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.3rem 0}"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:.3rem .5rem;border-bottom:1px solid var(--line)}"
    "td.verdict{font-weight:600;white-space:nowrap}td.id{white-space:nowrap}"
    "pre{margin:.4rem 0;overflow-x:auto;white-space:pre}summary{cursor:pointer}"
    ".scroll{overflow-x:auto}svg{max-width:100%;height:auto}svg text{fill:var(--ink);"
    "font:13px system-ui,sans-serif}svg .soft{fill:var(--soft)}svg .stroke{stroke:var(--soft)}"
    ".grid td,.grid th{text-align:center;white-space:nowrap}.grid th:first-child{text-align:left}"
    "@media(max-width:40rem){body{padding:.8rem}td.section,th.section{display:none}}";

// Text with markup of ours: %s is escaped, everything else in format is written as it is.
__attribute__((format(printf, 2, 3))) static void put(FILE *out, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    report_put_xml(out, text);
}

// ---- The verdict at a glance ----

static bool run_failed(const struct report *report)
{
    return report->counts[VERDICT_FAIL] > 0;
}

static const char *headline(const struct report *report)
{
    if (run_failed(report))
        return "Not conformant";
    return report->counts[VERDICT_PASS] ? "No requirement was broken" : "Nothing could be learnt";
}

static const char *headline_class(const struct report *report)
{
    if (run_failed(report))
        return "FAIL";
    return report->counts[VERDICT_PASS] ? "PASS" : "INCONCLUSIVE";
}

static void put_summary(FILE *out, const struct report *report)
{
    fprintf(out, "<div class=\"band %s\"><strong>", headline_class(report));
    put(out, "%s", headline(report));
    fputs("</strong><ul class=\"chips\">", out);
    for (unsigned i = 0; i <= VERDICT_INCONCLUSIVE; ++i) {
        const char *verdict = verdict_text((enum verdict)i);
        if (report->counts[i])
            fprintf(out, "<li class=\"%s\">%u %s</li>", verdict, report->counts[i], verdict);
    }
    if (report->waived)
        fprintf(out, "<li class=\"soft\">%u waived</li>", report->waived);
    if (report->inapplicable)
        fprintf(out, "<li class=\"soft\">%u for other kinds of device</li>", report->inapplicable);
    fputs("</ul></div>\n<p class=\"soft\">", out);
    put(out, "%s, %s. dfu-conformance %s against USB DFU 1.1; %zu checks in %.2f s.",
        report->target, report->where, report->suite_version, report->count,
        (double)report->took_us / 1e6);
    fputs("</p>\n", out);
    if (report->ending[0]) {
        fputs("<p>", out);
        put(out, "%s", report->ending);
        fputs("</p>\n", out);
    }
}

// ---- What was found ----

static bool is_trouble(const struct result *result)
{
    return result->verdict == VERDICT_FAIL || result->verdict == VERDICT_WARN ||
           result->verdict == VERDICT_INCONCLUSIVE;
}

static void put_row(FILE *out, const char *name, const char *text)
{
    if (!text || !text[0])
        return;
    fprintf(out, "<dt>%s</dt><dd class=\"mono\">", name);
    put(out, "%s", text);
    fputs("</dd>", out);
}

static void put_finding(FILE *out, const struct result *result)
{
    fputs("<dl>", out);
    put_row(out, "sent", result->finding.sent);
    put_row(out, "expected", result->finding.expected);
    put_row(out, "received", result->finding.received);
    put_row(out, "note", result->finding.message);
    put_row(out, "waived", result->waiver);
    if (result->first_frame)
        fprintf(out, "<dt>capture</dt><dd>frames %" PRIu64 " to %" PRIu64 "</dd>",
                result->first_frame, result->last_frame);
    fputs("</dl>", out);
}

static void put_transfers(FILE *out, const struct result *result)
{
    char line[LINE_TEXT];

    if (result->transfer_count == 0)
        return;
    fprintf(out, "<details><summary>%zu transfers</summary><pre>", result->transfer_count);
    if (result->transfers_dropped)
        fprintf(out, "(%zu earlier ones left out)\n", result->transfers_dropped);
    for (size_t i = 0; i < result->transfer_count; ++i) {
        transcript_line(&result->transfers[i], line, sizeof(line));
        fprintf(out, "%10.3f ms  ", (double)result->transfers[i].start_us / 1000);
        put(out, "%s", line);
        fputc('\n', out);
    }
    fputs("</pre></details>", out);
}

static void put_troubles(FILE *out, const struct report *report)
{
    bool any = false;

    for (size_t i = 0; i < report->count; ++i) {
        const struct result *result = &report->results[i];
        const char *verdict = verdict_text(result->verdict);
        if (!is_trouble(result))
            continue;
        if (!any)
            fputs("<h2>What was found</h2>\n", out);
        any = true;
        fprintf(out, "<article class=\"band %s\"><strong>%s</strong> ", verdict, verdict);
        fprintf(out, "<span class=\"mono\">%s</span><p>", result->check->id);
        put(out, "%s. (%s)", result->check->sentence, result->check->section);
        fputs("</p>", out);
        put_finding(out, result);
        put_transfers(out, result);
        fputs("</article>\n", out);
    }
}

// ---- The device ----

static const char *descriptor_name(uint8_t type)
{
    switch (type) {
    case USB_DT_DEVICE:
        return "device";
    case USB_DT_CONFIGURATION:
        return "configuration";
    case USB_DT_INTERFACE:
        return "interface";
    case USB_DT_ENDPOINT:
        return "endpoint";
    case USB_DT_INTERFACE_ASSOCIATION:
        return "interface association";
    case USB_DT_DFU_FUNCTIONAL:
        return "DFU functional";
    default:
        return "other";
    }
}

static void put_descriptors(FILE *out, const struct target_descriptors *raw)
{
    struct descriptor_walk walk;
    struct descriptor descriptor;
    char bytes[LINE_TEXT];

    format_bytes(bytes, sizeof(bytes), raw->device, sizeof(raw->device));
    fprintf(out, "<details><summary>descriptors</summary><pre>%-22s%s\n", "device", bytes);
    descriptor_walk_start(&walk, raw->configuration, raw->configuration_length);
    while (descriptor_walk_next(&walk, &descriptor)) {
        format_bytes(bytes, sizeof(bytes), descriptor.bytes, descriptor.bLength);
        fprintf(out, "%-22s%s\n", descriptor_name(descriptor.bDescriptorType), bytes);
    }
    if (walk.problem)
        put(out, "%s\n", walk.problem);
    fputs("</pre></details>", out);
}

static void put_functional(FILE *out, const struct usb_dfu_functional *functional)
{
    static const char *const bits[] = {"bitCanDnload", "bitCanUpload", "bitManifestationTolerant",
                                       "bitWillDetach"};

    fprintf(out, "<dt>bcdDFUVersion</dt><dd>%04xh</dd>", functional->bcdDFUVersion);
    fprintf(out, "<dt>bmAttributes</dt><dd>%02xh", functional->bmAttributes);
    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); ++i) {
        if (functional->bmAttributes & 1u << i)
            fprintf(out, " %s", bits[i]);
    }
    fprintf(out, "</dd><dt>wDetachTimeOut</dt><dd>%u ms</dd>", functional->wDetachTimeOut);
    fprintf(out, "<dt>wTransferSize</dt><dd>%u bytes</dd>", functional->wTransferSize);
}

static void put_text_row(FILE *out, const char *name, const char *text)
{
    if (!text[0])
        return;
    fprintf(out, "<dt>%s</dt><dd>", name);
    put(out, "%s", text);
    fputs("</dd>", out);
}

static void put_device(FILE *out, const char *title, const struct report_device *device)
{
    static struct usb_configuration configuration;
    const uint8_t *bytes = device->descriptors.device;
    const struct usb_dfu_functional *functional = NULL;

    if (!device->seen)
        return;
    if (configuration_parse(&configuration, device->descriptors.configuration,
                            device->descriptors.configuration_length))
        functional = configuration_functional(&configuration);
    fprintf(out, "<section class=\"card\"><h3>%s</h3><dl>", title);
    fprintf(out, "<dt>device</dt><dd>%04x:%04x, bcdDevice %04xh</dd>", load_le16(bytes + 8),
            load_le16(bytes + 10), load_le16(bytes + 12));
    put_text_row(out, "iManufacturer", device->manufacturer);
    put_text_row(out, "iProduct", device->product);
    put_text_row(out, "iSerialNumber", device->serial);
    if (functional)
        put_functional(out, functional);
    fputs("</dl>", out);
    put_descriptors(out, &device->descriptors);
    fputs("</section>\n", out);
}

static void put_devices(FILE *out, const struct report *report)
{
    if (!report->run_time.seen && !report->dfu_mode.seen)
        return;
    fputs("<h2>The device</h2>\n<div class=\"cards\">\n", out);
    put_device(out, "At run time", &report->run_time);
    put_device(out, "In DFU mode", &report->dfu_mode);
    fputs("</div>\n", out);
}

// ---- Every check ----

static void put_result(FILE *out, const struct result *result)
{
    const char *verdict = verdict_text(result->verdict);

    fprintf(out, "<tr><td class=\"verdict %s\">%s</td><td class=\"mono id\">%s</td><td>", verdict,
            verdict, result->check->id);
    put(out, "%s", result->check->sentence);
    if (result->finding.message[0]) {
        fputs("<br><span class=\"soft\">", out);
        put(out, "%s", result->finding.message);
        fputs("</span>", out);
    }
    fputs("</td><td class=\"section soft\">", out);
    put(out, "%s, %s", result->check->section, level_text(result->check->level));
    fputs("</td></tr>\n", out);
}

static void put_results(FILE *out, const struct report *report)
{
    fputs("<h2>Every check</h2>\n<div class=\"scroll\"><table><thead><tr><th>verdict</th>"
          "<th>id</th><th>requirement</th><th class=\"section\">section</th></tr></thead><tbody>\n",
          out);
    for (size_t i = 0; i < report->count; ++i) {
        if (!report->results[i].inapplicable)
            put_result(out, &report->results[i]);
    }
    fputs("</tbody></table></div>\n", out);
}

int report_html_write(const struct report *report, FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>",
          out);
    put(out, "%s: %s", headline(report), report->target);
    fprintf(out, "</title><style>%s</style></head><body>\n<h1>DFU conformance report</h1>\n",
            style);
    put_summary(out, report);
    put_troubles(out, report);
    report_html_detach(out, report);
    put_devices(out, report);
    put_results(out, report);
    fputs("</body></html>\n", out);
    return ferror(out) ? -EIO : 0;
}
