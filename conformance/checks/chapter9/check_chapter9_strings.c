// SPDX-License-Identifier: MIT
//
// String descriptors (USB 2.0 9.6.7): the table of languages, and every string that any descriptor
// names. Strings are read in the first language of the table, whichever that is.

#include <string.h>

#include <usb/text.h>

#include <conformance/check_common.h>

enum { STRING_MAX = 255, STRINGS_MAX = 64 };

struct string_index {
    uint8_t index;
    const char *name; // of the field that names it
};

struct string_indexes {
    struct string_index list[STRINGS_MAX];
    size_t count;
    struct configuration_bytes configuration; // the active one
};

static const char kind[] = "a device whose descriptors name strings";

static bool is_named(const struct string_indexes *indexes, uint8_t index)
{
    for (size_t i = 0; i < indexes->count; i++) {
        if (indexes->list[i].index == index)
            return true;
    }
    return false;
}

// Each string once, by the first field that names it.
static void add_index(struct string_indexes *indexes, uint8_t index, const char *name)
{
    if (index == 0 || indexes->count == STRINGS_MAX || is_named(indexes, index))
        return;
    indexes->list[indexes->count++] = (struct string_index){index, name};
}

// Every string index that the descriptors name.
static bool read_indexes(struct probe *probe, struct string_indexes *indexes)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];
    const struct usb_configuration *config = &indexes->configuration.config;

    indexes->count = 0;
    if (!read_device_descriptor(probe, device) ||
        !read_configuration(probe, &indexes->configuration))
        return false;
    add_index(indexes, device[14], "iManufacturer");
    add_index(indexes, device[15], "iProduct");
    add_index(indexes, device[16], "iSerialNumber");
    add_index(indexes, config->iConfiguration, "iConfiguration");
    for (size_t i = 0; i < config->association_count; i++)
        add_index(indexes, config->associations[i].iFunction, "iFunction");
    for (size_t i = 0; i < config->interface_count; i++)
        add_index(indexes, config->interfaces[i].iInterface, "iInterface");
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

// The table of languages; a device without strings has no need of one.
static bool
read_languages(struct probe *probe, struct string_indexes *indexes, uint8_t *bytes, int *ret_length)
{
    if (!given(probe, read_indexes(probe, indexes)))
        return false;
    if (indexes->count == 0)
        return probe_inapplicable(probe, kind);
    *ret_length = read_string(probe, 0, 0, bytes);
    return expect_carried_out(probe, *ret_length) &&
           expect(probe, *ret_length >= 4, "string 0: at least one LANGID", "%d bytes",
                  *ret_length);
}

static void languages(struct probe *probe)
{
    struct string_indexes indexes;
    uint8_t bytes[STRING_MAX];
    int length;
    if (!read_languages(probe, &indexes, bytes, &length))
        return;
    expect(probe, well_formed(bytes, length), "string 0: bLength the bytes returned, type 03h",
           "%d bytes, bLength %u, type %02xh", length, bytes[0], bytes[1]);
    for (int i = 2; i + 1 < length; i += 2)
        expect(probe, usbdev_load_le16(bytes + i) != 0, "LANGIDs other than 0", "0");
}

// Call look for each string in one language; false at the first that is not as it should be.
typedef bool look_at_string(struct probe *probe,
                            const struct string_index *index,
                            uint16_t language,
                            const uint8_t *bytes,
                            int length);
static bool each_string(struct probe *probe,
                        const struct string_indexes *indexes,
                        uint16_t language,
                        look_at_string *look)
{
    uint8_t bytes[STRING_MAX];
    for (size_t i = 0; i < indexes->count; i++) {
        int length = read_string(probe, indexes->list[i].index, language, bytes);
        if (length == USB_GONE || length == USB_IO)
            return probe_inconclusive(probe, "%s", usb_result_text(length));
        if (!look(probe, &indexes->list[i], language, bytes, length))
            return false;
    }
    return true;
}

static void for_each_string(struct probe *probe, look_at_string *look)
{
    struct string_indexes indexes;
    uint8_t bytes[STRING_MAX];
    int length;
    if (given(probe, read_languages(probe, &indexes, bytes, &length)))
        each_string(probe, &indexes, usbdev_load_le16(bytes + 2), look);
}

static bool is_readable(struct probe *probe,
                        const struct string_index *index,
                        uint16_t language,
                        const uint8_t *bytes,
                        int length)
{
    (void)bytes;
    return expect(probe, length >= 2, "each string that is named", "%s = %u, LANGID %04xh: %s",
                  index->name, index->index, language,
                  length < 0 ? usb_result_text(length) : "a string of no bytes");
}

static void strings_readable(struct probe *probe)
{
    for_each_string(probe, is_readable);
}

static bool length_agrees(struct probe *probe,
                          const struct string_index *index,
                          uint16_t language,
                          const uint8_t *bytes,
                          int length)
{
    (void)language;
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

static bool is_utf16(struct probe *probe,
                     const struct string_index *index,
                     uint16_t language,
                     const uint8_t *bytes,
                     int length)
{
    (void)language;
    const char *problem = length >= 2 ? usb_text_problem(bytes, (size_t)length) : NULL;
    return expect(probe, !problem, "text in UTF-16LE", "%s = %u: %s", index->name, index->index,
                  problem ? problem : "");
}

static bool is_string(const uint8_t *bytes, int length)
{
    return length >= 2 && bytes[0] == length && bytes[1] == USBDEV_DT_STRING &&
           !usb_text_problem(bytes, (size_t)length);
}

// One that is no better in the first language is judged by CH9-STR-02 to CH9-STR-04.
static bool is_readable_here(struct probe *probe,
                             const struct string_index *index,
                             uint16_t language,
                             const uint8_t *bytes,
                             int length)
{
    uint8_t first[STRING_MAX];
    size_t aside = probe->transcript.total;
    if (is_string(bytes, length))
        return true;
    int first_length = read_string(probe, index->index, probe_language(probe), first);
    transcript_set_aside(&probe->transcript, aside);
    if (!is_string(first, first_length))
        return true;
    return is_readable(probe, index, language, bytes, length) &&
           length_agrees(probe, index, language, bytes, length) &&
           is_utf16(probe, index, language, bytes, length);
}

static void strings_in_each_language(struct probe *probe)
{
    struct string_indexes indexes;
    uint8_t bytes[STRING_MAX];
    int length;
    if (!given(probe, read_languages(probe, &indexes, bytes, &length)))
        return;
    if (length < 6) {
        probe_inapplicable(probe, "a device with strings in several languages");
        return;
    }
    for (int i = 4; i + 1 < length; i += 2) {
        if (!each_string(probe, &indexes, usbdev_load_le16(bytes + i), is_readable_here))
            return;
    }
}

static void strings_utf16(struct probe *probe)
{
    for_each_string(probe, is_utf16);
}

// What a shorter request returns is the beginning of the string.
static bool is_cut(struct probe *probe,
                   const struct string_index *index,
                   uint16_t language,
                   const uint8_t *bytes,
                   int length)
{
    static const uint16_t lengths[] = {1, 2, 4};
    uint8_t cut[STRING_MAX];
    if (length < 4)
        return true;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        const struct usbdev_setup_packet setup =
            usb_get_descriptor(USBDEV_DT_STRING, index->index, language, lengths[i]);
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

static uint8_t unnamed_index(const struct string_indexes *indexes, uint8_t index)
{
    while (is_named(indexes, index))
        index++;
    return index;
}

// A string that no descriptor names may be there: for the other mode, for a class or for the
// vendor, as Microsoft's EEh. So an index is absent only to a device that has none at some of them,
// or that has the same one.
static void string_absent(struct probe *probe)
{
    static const uint8_t tries[] = {0xF0, 0xD2, 0xB4, 0x96};
    struct string_indexes indexes;
    uint8_t strings[2][STRING_MAX] = {{0}};
    int result = 0;
    bool others = true;
    if (!read_indexes(probe, &indexes))
        return;
    for (size_t i = 0; i < sizeof tries && (i == 0 || is_string(strings[0], result)); i++) {
        const struct usbdev_setup_packet setup = usb_get_descriptor(
            USBDEV_DT_STRING, unnamed_index(&indexes, tries[i]), probe_language(probe), STRING_MAX);
        memcpy(strings[1], strings[0], STRING_MAX);
        result = probe_control(probe, &setup, strings[0]);
        others &= memcmp(strings[0], strings[1], STRING_MAX) != 0;
    }
    if (others && is_string(strings[0], result))
        probe_inapplicable(probe, "an index without a string");
    else if (expect_stalled(probe, result, strings[0]))
        read_indexes(probe, &indexes);
}

// ---- The end of a reply ----

// A reply that is shorter than wLength and ends with a full packet is followed by a zero-length one
// (USB 2.0 5.5.3); a device that sends none answers NAK until the host times out. Which descriptors
// have such a length is the product's choice.
static bool is_whole_packets(const struct probe *probe, int length)
{
    unsigned packet = device_max_packet0(probe_device(probe));
    return packet > 0 && length > 0 && (unsigned)length % packet == 0;
}

static bool
expect_ended(struct probe *probe, uint8_t type, uint8_t index, uint16_t language, uint16_t length)
{
    uint8_t bytes[PROBE_CONTROL_MAX];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(type, index, language, (uint16_t)(length + 1));
    return expect_length(probe, &setup, bytes, length);
}

static uint8_t length_of_string(struct probe *probe, uint8_t index, uint16_t language)
{
    uint8_t header[2];
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, index, language, sizeof header);
    return probe_control(probe, &setup, header) == (int)sizeof header ? header[0] : 0;
}

static void whole_packets_end(struct probe *probe)
{
    struct string_indexes indexes;
    if (!given(probe, read_indexes(probe, &indexes)))
        return;
    bool any = false;
    int total = indexes.configuration.length;
    if (is_whole_packets(probe, total) && total < PROBE_CONTROL_MAX) {
        any = true;
        if (!expect_ended(probe, USBDEV_DT_CONFIGURATION, active_configuration_index(probe), 0,
                          (uint16_t)total))
            return;
    }
    uint16_t language = probe_language(probe);
    for (size_t i = 0; i < indexes.count; i++) {
        uint8_t length = length_of_string(probe, indexes.list[i].index, language);
        if (!is_whole_packets(probe, length))
            continue;
        any = true;
        if (!expect_ended(probe, USBDEV_DT_STRING, indexes.list[i].index, language, length))
            return;
    }
    if (!any)
        probe_inapplicable(probe, "a device with a descriptor of whole packets");
}

// clang-format off
#define ROWS(PREFIX, MODE)                                                                         \
    {PREFIX "CH9-STR-01", "USB 2.0 9.6.7", LEVEL_MUST,                                             \
     "string 0 is a table of languages",                                                           \
     MODE, languages},                                                                             \
    {PREFIX "CH9-STR-02", "USB 2.0 9.6.7", LEVEL_MUST,                                             \
     "every string that is named can be read",                                                     \
     MODE, strings_readable},                                                                      \
    {PREFIX "CH9-STR-03", "USB 2.0 9.6.7", LEVEL_MUST,                                             \
     "bLength of each string is the number of bytes returned",                                     \
     MODE, strings_length},                                                                        \
    {PREFIX "CH9-STR-04", "USB 2.0 9.6.7", LEVEL_MUST,                                             \
     "strings are UTF-16LE",                                                                       \
     MODE, strings_utf16},                                                                         \
    {PREFIX "CH9-STR-05", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "a request for a part of a string returns it",                                                \
     MODE, strings_cut},                                                                           \
    {PREFIX "CH9-STR-06", "USB 2.0 9.4.3", LEVEL_MUST,                                             \
     "the index of an absent string STALLs",                                                       \
     MODE, string_absent},                                                                         \
    {PREFIX "CH9-ZLP-01", "USB 2.0 5.5.3", LEVEL_MUST,                                             \
     "a descriptor of whole packets, shorter than wLength, ends in a zero-length packet",          \
     MODE, whole_packets_end}

static const struct check checks[] = {
    ROWS("", 0),
    {"CH9-STR-07", "USB 2.0 9.6.7", LEVEL_MUST,
     "every string can be read in each language of the table",
     0, strings_in_each_language},
};
static const struct check checks_in_dfu_mode[] = {ROWS("DM-", NEED_DFU_MODE)};
// clang-format on

const struct check_group check_chapter9_strings = {
    .title = "Strings",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};

const struct check_group check_dm_chapter9_strings = {
    .title = "Strings in DFU mode",
    .checks = checks_in_dfu_mode,
    .count = sizeof checks_in_dfu_mode / sizeof checks_in_dfu_mode[0],
};
