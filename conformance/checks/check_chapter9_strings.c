// SPDX-License-Identifier: MIT
//
// String descriptors (USB 2.0 9.6.7): the table of languages, and every string that any descriptor
// names.

#include <stdio.h>
#include <string.h>

#include <usb/text.h>

#include "check_common.h"

enum { STRING_MAX = 255, STRINGS_MAX = 64 };

struct string_index {
    uint8_t index;
    const char *name; // of the field that names it
};

struct string_indexes {
    struct string_index list[STRINGS_MAX];
    size_t count;
};

static void add_index(struct string_indexes *indexes, uint8_t index, const char *name)
{
    if (index == 0 || indexes->count == STRINGS_MAX)
        return;
    indexes->list[indexes->count++] = (struct string_index){index, name};
}

// Every string index that the descriptors name.
static bool read_indexes(struct probe *probe, struct string_indexes *indexes)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    struct configuration_bytes read;

    *indexes = (struct string_indexes){.count = 0};
    if (!read_device_descriptor(probe, device) || !read_configuration(probe, &read))
        return false;
    add_index(indexes, device[14], "iManufacturer");
    add_index(indexes, device[15], "iProduct");
    add_index(indexes, device[16], "iSerialNumber");
    add_index(indexes, read.config.iConfiguration, "iConfiguration");
    for (size_t i = 0; i < read.config.interface_count; ++i)
        add_index(indexes, read.config.interfaces[i].iInterface, "iInterface");
    return true;
}

static int read_string(struct probe *probe, uint8_t index, uint16_t language, uint8_t *bytes)
{
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, index, language, STRING_MAX);
    return probe_control(probe, &setup, bytes);
}

static bool well_formed(const uint8_t *bytes, int length)
{
    return length >= 2 && bytes[0] == length && bytes[1] == USBDEV_DT_STRING && length % 2 == 0;
}

// The first language, or a SKIP where there are no strings at all.
static bool
first_language(struct probe *probe, struct string_indexes *indexes, uint16_t *ret_language)
{
    uint8_t bytes[STRING_MAX];
    if (!read_indexes(probe, indexes))
        return false;
    if (indexes->count == 0) {
        expect_vacuously(probe, "no descriptor names a string");
        return false;
    }
    int length = read_string(probe, 0, 0, bytes);
    if (!expect(probe, length >= 4, "string 0: at least one LANGID", "%s",
                length < 0 ? usb_result_text(length) : "fewer than 4 bytes"))
        return false;
    *ret_language = usbdev_load_le16(bytes + 2);
    return true;
}

static void languages(struct probe *probe)
{
    struct string_indexes indexes;
    uint16_t language = 0;
    uint8_t bytes[STRING_MAX];
    if (!first_language(probe, &indexes, &language))
        return;
    int length = read_string(probe, 0, 0, bytes);
    expect(probe, well_formed(bytes, length), "string 0: bLength the bytes returned, type 03h",
           "%d bytes, bLength %u, type %02xh", length, bytes[0], bytes[1]);
    expect(probe, language != 0, "a LANGID other than 0", "0");
}

// Call look for each string that is named; ends at the first that is not as it should be.
static void for_each_string(struct probe *probe,
                            bool (*look)(struct probe *probe,
                                         const struct string_index *index,
                                         const uint8_t *bytes,
                                         int length))
{
    struct string_indexes indexes;
    uint16_t language;
    uint8_t bytes[STRING_MAX];
    if (!given(probe, first_language(probe, &indexes, &language)))
        return;
    for (size_t i = 0; i < indexes.count; ++i) {
        int length = read_string(probe, indexes.list[i].index, language, bytes);
        if (!look(probe, &indexes.list[i], bytes, length))
            return;
    }
}

static bool
is_readable(struct probe *probe, const struct string_index *index, const uint8_t *bytes, int length)
{
    (void)bytes;
    if (length == USB_GONE || length == USB_IO)
        return probe_inconclusive(probe, "%s", usb_result_text(length));
    return expect(probe, length >= 2, "each string that is named", "%s = %u: %s", index->name,
                  index->index, length < 0 ? usb_result_text(length) : "a string of no bytes");
}

static void strings_readable(struct probe *probe)
{
    for_each_string(probe, is_readable);
}

static bool length_agrees(struct probe *probe,
                          const struct string_index *index,
                          const uint8_t *bytes,
                          int length)
{
    if (length < 2) // CH9-STR-02 judges that
        return true;
    return expect(probe, bytes[0] == length && bytes[1] == USBDEV_DT_STRING,
                  "bLength the number of bytes returned, type 03h",
                  "%s = %u: %d bytes, bLength %u, type %02xh", index->name, index->index, length,
                  bytes[0], bytes[1]);
}

static void strings_length(struct probe *probe)
{
    for_each_string(probe, length_agrees);
}

static bool
is_utf16(struct probe *probe, const struct string_index *index, const uint8_t *bytes, int length)
{
    const char *problem = length >= 2 ? usb_text_problem(bytes, (size_t)length) : NULL;
    return expect(probe, !problem, "text in UTF-16LE", "%s = %u: %s", index->name, index->index,
                  problem ? problem : "");
}

static void strings_utf16(struct probe *probe)
{
    for_each_string(probe, is_utf16);
}

// What a shorter request returns is the beginning of the string.
static bool
is_cut(struct probe *probe, const struct string_index *index, const uint8_t *bytes, int length)
{
    static const uint16_t lengths[] = {1, 2, 4};
    uint8_t cut[STRING_MAX];
    if (length < 4)
        return true;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        const struct usbdev_setup_packet setup =
            usb_get_descriptor(USBDEV_DT_STRING, index->index, 0x0409, lengths[i]);
        if (!expect_length(probe, &setup, cut, lengths[i]) ||
            !expect(probe, memcmp(cut, bytes, lengths[i]) == 0,
                    "the bytes that a longer request returned", "other bytes"))
            return false;
    }
    return true;
}

static void strings_cut(struct probe *probe)
{
    for_each_string(probe, is_cut);
}

// EEh is Microsoft's OS string and may be there.
static void string_absent(struct probe *probe)
{
    struct string_indexes indexes;
    uint8_t bytes[STRING_MAX];
    uint8_t absent = 0xF0;
    if (!read_indexes(probe, &indexes))
        return;
    for (size_t i = 0; i < indexes.count; ++i) {
        if (indexes.list[i].index == absent) {
            ++absent;
            i = 0;
        }
    }
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, absent, 0x0409, STRING_MAX);
    if (expect_stall(probe, &setup, bytes))
        read_indexes(probe, &indexes);
}

static const struct check checks[] = {
    {"CH9-STR-01", "USB 2.0 9.6.7", LEVEL_MUST, "string 0 is a table of languages", 0, languages},
    {"CH9-STR-02", "USB 2.0 9.6.7", LEVEL_MUST, "every string that is named can be read", 0,
     strings_readable},
    {"CH9-STR-03", "USB 2.0 9.6.7", LEVEL_MUST,
     "bLength of each string is the number of bytes returned", 0, strings_length},
    {"CH9-STR-04", "USB 2.0 9.6.7", LEVEL_MUST, "strings are UTF-16LE", 0, strings_utf16},
    {"CH9-STR-05", "USB 2.0 9.4.3", LEVEL_MUST, "a request for a part of a string returns it", 0,
     strings_cut},
    {"CH9-STR-06", "USB 2.0 9.4.3", LEVEL_MUST, "the index of an absent string STALLs", 0,
     string_absent},
};

const struct check_group check_chapter9_strings = {
    .title = "Strings",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
