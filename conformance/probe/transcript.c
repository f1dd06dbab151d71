// SPDX-License-Identifier: MIT
//
// Entry n stands at n modulo TRANSCRIPT_ENTRIES; total counts all of them, so the oldest entry and
// the number of dropped ones follow from it. Texts are formatted when they are read, not when an
// entry is added.

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <conformance/target.h>
#include <conformance/transcript.h>
#include <usb/names.h>

void transcript_clear(struct transcript *transcript)
{
    transcript->total = 0;
}

void transcript_add(struct transcript *transcript,
                    struct transcript_entry entry,
                    const uint8_t *data,
                    size_t data_size)
{
    entry.data_length = data_size < TRANSCRIPT_EXCERPT ? data_size : TRANSCRIPT_EXCERPT;
    if (entry.data_length)
        memcpy(entry.data, data, entry.data_length);
    transcript->entries[transcript->total % TRANSCRIPT_ENTRIES] = entry;
    transcript->total++;
    if (transcript->tap)
        transcript->tap(transcript->tap_context, &entry, data, data_size);
}

void transcript_set_aside(struct transcript *transcript, size_t first)
{
    for (size_t i = first; i < transcript->total; i++)
        transcript->entries[i % TRANSCRIPT_ENTRIES].aside = true;
}

size_t transcript_count(const struct transcript *transcript)
{
    return transcript->total < TRANSCRIPT_ENTRIES ? transcript->total : TRANSCRIPT_ENTRIES;
}

size_t transcript_dropped(const struct transcript *transcript)
{
    return transcript->total - transcript_count(transcript);
}

const struct transcript_entry *transcript_get(const struct transcript *transcript, size_t i)
{
    return &transcript->entries[(transcript_dropped(transcript) + i) % TRANSCRIPT_ENTRIES];
}

void format_bytes(char *text, size_t size, const uint8_t *bytes, size_t length)
{
    bool all = 3 * length <= size; // two digits and a blank each, or the end after the last
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (!all && used + sizeof " 00 ..." > size) {
            snprintf(text + used, size - used, " ...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%02x", i ? " " : "", bytes[i]);
    }
}

void format_request(char *text, size_t size, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    static const char *const types[] = {"standard", "class", "vendor", "reserved-type"};
    uint8_t type = setup[0] & USBDEV_TYPE_MASK;
    const char *name = NULL;
    if (type == USBDEV_TYPE_STANDARD)
        name = usb_standard_request_name(setup[1]);
    else if (type == USBDEV_TYPE_CLASS)
        name = usb_dfu_request_name(setup[1]);

    // The name alone; the bytes show whether wIndex, wLength and the like are as usual.
    if (name)
        snprintf(text, size, "%s", name);
    else
        snprintf(text, size, "%s request %02Xh", types[type >> 5], setup[1]);
}

void format_request_in_full(char *text, size_t size, const uint8_t setup[USBDEV_SETUP_SIZE])
{
    static const char *const types[] = {
        [USBDEV_DT_DEVICE] = "DEVICE",
        [USBDEV_DT_CONFIGURATION] = "CONFIGURATION",
        [USBDEV_DT_STRING] = "STRING",
        [USBDEV_DT_BOS] = "BOS",
    };
    const struct usbdev_setup_packet request = usbdev_setup_load(setup);
    unsigned type = request.wValue >> 8;
    bool standard = (request.bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_STANDARD;
    if (!standard || request.bRequest != USBDEV_GET_DESCRIPTOR)
        format_request(text, size, setup);
    else if (type < sizeof types / sizeof types[0] && types[type])
        snprintf(text, size, "GET_DESCRIPTOR(%s %u)", types[type], request.wValue & 0xFFu);
    else
        snprintf(text, size, "GET_DESCRIPTOR(%02Xh %u)", type, request.wValue & 0xFFu);
}

static const char *event_text(enum transcript_kind kind)
{
    switch (kind) {
    case TRANSCRIPT_CONTROL:
    case TRANSCRIPT_TRANSFER:
        break;
    case TRANSCRIPT_RESET:
        return "bus reset";
    case TRANSCRIPT_SET_CONFIGURATION:
        return "set configuration";
    case TRANSCRIPT_SET_INTERFACE:
        return "set interface";
    case TRANSCRIPT_CLEAR_HALT:
        return "clear halt";
    case TRANSCRIPT_DEFAULT:
        return "bus reset to the Default state";
    case TRANSCRIPT_ADDRESS:
        return "bus reset to the Address state";
    case TRANSCRIPT_SUSPEND:
        return "suspend";
    case TRANSCRIPT_RESUME:
        return "resume";
    case TRANSCRIPT_POWER:
        return "power off and on";
    case TRANSCRIPT_WAIT_LEAVE:
        return "wait for the device to leave";
    case TRANSCRIPT_WAIT_RETURN:
        return "wait for the device to return";
    case TRANSCRIPT_SLEEP:
        return "wait";
    }
    return "transfer";
}

static bool waits(enum transcript_kind kind)
{
    return kind == TRANSCRIPT_WAIT_LEAVE || kind == TRANSCRIPT_WAIT_RETURN ||
           kind == TRANSCRIPT_SLEEP;
}

// Is data what came, or what was sent?
static bool received(const struct transcript_entry *entry)
{
    uint8_t direction =
        entry->kind == TRANSCRIPT_TRANSFER ? entry->bEndpointAddress : entry->setup[0];
    return direction & USBDEV_DIR_IN;
}

void transcript_result(const struct transcript_entry *entry, char *text, size_t size)
{
    if (entry->result < 0 && waits(entry->kind))
        snprintf(text, size, "timed out");
    else if (entry->result < 0)
        snprintf(text, size, "%s", usb_result_text(entry->result));
    else if (entry->data_length && received(entry)) {
        size_t used = (size_t)snprintf(text, size, "%d byte%s: ", entry->result,
                                       entry->result == 1 ? "" : "s");
        format_bytes(text + used, size - used, entry->data, entry->data_length);
    } else if (entry->kind == TRANSCRIPT_CONTROL && (entry->setup[0] & USBDEV_DIR_IN))
        snprintf(text, size, "0 bytes");
    else
        snprintf(text, size, "done");
}

static void departure_text(const struct target_departure *departure, char *text, size_t size)
{
    if (departure->cut_off == TARGET_CUT_OFF_IN_DATA)
        snprintf(text, size, ", cut off in its data stage");
    else if (departure->cut_off == TARGET_CUT_OFF_BEFORE_STATUS)
        snprintf(text, size, ", cut off before its status stage");
    else if (departure->status_delay_ms)
        snprintf(text, size, ", status stage asked for %u ms later", departure->status_delay_ms);
}

void transcript_sent(const struct transcript_entry *entry, char *text, size_t size)
{
    char bytes[4 * TRANSCRIPT_EXCERPT] = "";
    char request[48];

    switch (entry->kind) {
    case TRANSCRIPT_CONTROL:
    case TRANSCRIPT_SET_CONFIGURATION:
    case TRANSCRIPT_SET_INTERFACE:
        format_bytes(bytes, sizeof bytes, entry->setup, USBDEV_SETUP_SIZE);
        format_request(request, sizeof request, entry->setup);
        int used = snprintf(text, size, "%s %s", bytes, request);
        if (!received(entry) && entry->data_length && used > 0 && (size_t)used < size) {
            format_bytes(bytes, sizeof bytes, entry->data, entry->data_length);
            used += snprintf(text + used, size - (size_t)used, ", data %s", bytes);
        }
        if (used > 0 && (size_t)used < size)
            departure_text(&entry->departure, text + used, size - (size_t)used);
        break;
    case TRANSCRIPT_TRANSFER:
    case TRANSCRIPT_CLEAR_HALT:
        snprintf(text, size, "endpoint %02Xh, %s", entry->bEndpointAddress,
                 event_text(entry->kind));
        break;
    case TRANSCRIPT_RESET:
    case TRANSCRIPT_DEFAULT:
    case TRANSCRIPT_ADDRESS:
    case TRANSCRIPT_SUSPEND:
    case TRANSCRIPT_RESUME:
    case TRANSCRIPT_POWER:
    case TRANSCRIPT_WAIT_LEAVE:
    case TRANSCRIPT_WAIT_RETURN:
    case TRANSCRIPT_SLEEP:
        snprintf(text, size, "%s", event_text(entry->kind));
        break;
    }
}

void transcript_line(const struct transcript_entry *entry, char *text, size_t size)
{
    char sent[4 * TRANSCRIPT_EXCERPT + 100];
    char result[4 * TRANSCRIPT_EXCERPT];
    transcript_sent(entry, sent, sizeof sent);
    transcript_result(entry, result, sizeof result);
    snprintf(text, size, "%s -> %s, %" PRIu64 ".%" PRIu64 " ms", sent, result,
             entry->took_us / 1000, entry->took_us / 100 % 10);
}
