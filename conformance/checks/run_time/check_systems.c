// SPDX-License-Identifier: MIT
//
// What a device says to operating systems and browsers: Microsoft OS 2.0 descriptors and WebUSB,
// which it announces by platform capabilities of the BOS, and Microsoft OS 1.0 descriptors, by
// string EEh. All are read by vendor requests whose bRequest the device chooses.

#include <string.h>

#include <conformance/check_bos.h>
#include <usb/bytes.h>

enum {
    FROM_DEVICE = USBDEV_DIR_IN | USBDEV_TYPE_VENDOR | USBDEV_RECIPIENT_DEVICE,
    CAPABILITY_DATA = 20, // offset in a platform capability
};

static struct usbdev_setup_packet
ask_vendor(uint8_t bRequest, uint16_t wValue, uint16_t wIndex, uint16_t wLength)
{
    return (struct usbdev_setup_packet){FROM_DEVICE, bRequest, wValue, wIndex, wLength};
}

// ---- Platform capabilities ----

// The capability of this kind, from the device; NULL, and the check is decided, if there is none.
static const uint8_t *
read_platform(struct probe *probe, const uint8_t uuid[16], struct bos *bos, const char *kind)
{
    struct descriptor_walk walk;
    struct descriptor it;
    if (!bos_read(probe, bos))
        return NULL;
    descriptor_walk_start(&walk, bos->bytes + BOS_HEADER_SIZE,
                          (size_t)bos->length - BOS_HEADER_SIZE);
    while (descriptor_walk_next(&walk, &it)) {
        if (it.bLength >= CAPABILITY_DATA && it.bytes[2] == BOS_PLATFORM &&
            memcmp(it.bytes + 4, uuid, 16) == 0)
            return it.bytes;
    }
    probe_inapplicable(probe, kind);
    return NULL;
}

// ---- Microsoft OS 2.0 ----

enum {
    INFO_SIZE = 8,
    SET_HEADER_SIZE = 10,
    SUBSET_SIZE = 8,
    PROPERTY_SIZE = 10, // without its name and data
    WINDOWS_8_1 = 0x06030000,
    GET_SET = 7,

    // wDescriptorType
    SET_HEADER = 0,
    CONFIGURATION_SUBSET,
    FUNCTION_SUBSET,
    COMPATIBLE_ID,
    REGISTRY_PROPERTY,
    MINIMUM_RESUME_TIME,
    MODEL_ID,
    CCGP_DEVICE,
    VENDOR_REVISION,
};

struct set {
    uint8_t bytes[PROBE_CONTROL_MAX];
    uint16_t length; // as the capability announces it
    uint32_t windows;
};

// Where it goes wrong, in words; and whether WinUSB is named for the DFU interface.
struct set_walk {
    const struct probe *probe;
    const uint8_t *bytes;
    const char *problem;
    size_t at;
    bool binds_winusb;
};

static const uint8_t *read_ms_os_2(struct probe *probe, struct bos *bos)
{
    static const uint8_t uuid[16] = {0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C,
                                     0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F};
    return read_platform(probe, uuid, bos, "a device with Microsoft OS 2.0 descriptors");
}

static void announces_sets(struct probe *probe)
{
    struct bos bos;
    const uint8_t *capability = read_ms_os_2(probe, &bos);
    if (!capability)
        return;
    unsigned room = capability[0] - CAPABILITY_DATA;
    if (!expect(probe, room > 0 && room % INFO_SIZE == 0,
                "one or more sets of information, of 8 bytes each", "bLength %u", capability[0]))
        return;
    for (const uint8_t *info = capability + CAPABILITY_DATA; info < capability + capability[0];
         info += INFO_SIZE) {
        if (!expect(probe, load_le32(info) >= WINDOWS_8_1, "dwWindowsVersion of at least 06030000h",
                    "%08Xh", (unsigned)load_le32(info)) ||
            !expect(probe, usbdev_load_le16(info + 4) >= SET_HEADER_SIZE,
                    "wMSOSDescriptorSetTotalLength of at least 10", "%u",
                    usbdev_load_le16(info + 4)))
            return;
    }
}

static bool read_set(struct probe *probe, const uint8_t *info, struct set *ret)
{
    ret->windows = load_le32(info);
    ret->length = usbdev_load_le16(info + 4);
    if (!given_carried(probe, ret->length))
        return false;
    const struct usbdev_setup_packet setup = ask_vendor(info[6], 0, GET_SET, ret->length);
    return expect_length(probe, &setup, ret->bytes, ret->length);
}

// Call look for each set that can be read, until it returns false.
static void for_each_set(struct probe *probe,
                         bool judges_length,
                         bool (*look)(struct probe *, const struct set *))
{
    static struct set set;
    struct bos bos;
    const uint8_t *capability = read_ms_os_2(probe, &bos);
    if (!capability)
        return;
    for (const uint8_t *info = capability + CAPABILITY_DATA;
         info + INFO_SIZE <= capability + capability[0]; info += INFO_SIZE) {
        bool read = read_set(probe, info, &set);
        if (!(judges_length ? read : given(probe, read)) || !look(probe, &set))
            return;
    }
}

static bool has_its_length(struct probe *probe, const struct set *set)
{
    return expect_number(probe, "wTotalLength of the set", usbdev_load_le16(set->bytes + 8),
                         set->length);
}

static void returns_sets(struct probe *probe)
{
    for_each_set(probe, true, has_its_length);
}

static bool has_interface(const struct probe *probe, uint8_t number)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; i++) {
        if (config->interfaces[i].bInterfaceNumber == number)
            return true;
    }
    return false;
}

// As long as its type is; a registry property as long as its name and data.
static bool has_length_of_type(const uint8_t *descriptor, uint16_t wLength)
{
    switch (usbdev_load_le16(descriptor + 2)) {
    case CONFIGURATION_SUBSET:
    case FUNCTION_SUBSET:
        return wLength == SUBSET_SIZE;
    case COMPATIBLE_ID:
    case MODEL_ID:
        return wLength == 20;
    case MINIMUM_RESUME_TIME:
    case VENDOR_REVISION:
        return wLength == 6;
    case CCGP_DEVICE:
        return wLength == 4;
    case REGISTRY_PROPERTY: {
        unsigned name = wLength >= PROPERTY_SIZE ? usbdev_load_le16(descriptor + 6) : UINT16_MAX;
        return name + PROPERTY_SIZE <= wLength &&
               name + PROPERTY_SIZE + usbdev_load_le16(descriptor + 8 + name) == wLength;
    }
    case SET_HEADER: // there is one, in front
        return false;
    default: // a later version's
        return true;
    }
}

static bool go_wrong(struct set_walk *walk, size_t at, const char *problem)
{
    walk->problem = problem;
    walk->at = at;
    return false;
}

// Whose the features are: the whole device's, or those of the function that begins at an interface.
enum { WHOLE_DEVICE = -1 };

static bool is_for_dfu(const struct set_walk *walk, int function)
{
    const struct device *device = probe_device(walk->probe);
    if (function == WHOLE_DEVICE)
        return device->config.bNumInterfaces == 1;
    return device->dfu && device->dfu->bInterfaceNumber == function;
}

// The descriptors of a set, or of a subset of it: from here to there.
static bool walk_set(struct set_walk *walk, size_t at, size_t end, int function)
{
    while (at < end) {
        const uint8_t *it = walk->bytes + at;
        uint16_t wLength = end - at >= 4 ? usbdev_load_le16(it) : 0;
        if (wLength < 4 || wLength > end - at)
            return go_wrong(walk, at, "a descriptor reaches past the end");
        if (!has_length_of_type(it, wLength))
            return go_wrong(walk, at, "a descriptor is not as long as its type is");
        uint16_t type = usbdev_load_le16(it + 2);
        if (type == COMPATIBLE_ID && memcmp(it + 4, "WINUSB\0\0", 8) == 0)
            walk->binds_winusb |= is_for_dfu(walk, function);
        if (type == CONFIGURATION_SUBSET || type == FUNCTION_SUBSET) {
            uint16_t total = usbdev_load_le16(it + 6);
            bool is_function = type == FUNCTION_SUBSET;
            if (total < SUBSET_SIZE || total > end - at)
                return go_wrong(walk, at, "wTotalLength of a subset reaches past the end");
            if (is_function && !has_interface(walk->probe, it[4]))
                return go_wrong(walk, at, "bFirstInterface names no interface");
            if (!walk_set(walk, at + SUBSET_SIZE, at + total, is_function ? it[4] : function))
                return false;
            wLength = total;
        }
        at += wLength;
    }
    return true;
}

static bool is_well_formed(struct probe *probe, const struct set *set)
{
    struct set_walk walk = {.probe = probe, .bytes = set->bytes};
    const uint8_t *bytes = set->bytes;
    return expect(probe,
                  usbdev_load_le16(bytes) == SET_HEADER_SIZE &&
                      usbdev_load_le16(bytes + 2) == SET_HEADER &&
                      load_le32(bytes + 4) == set->windows,
                  "a set header of 10 bytes with the dwWindowsVersion of the capability",
                  "wLength %u, type %u, version %08Xh", usbdev_load_le16(bytes),
                  usbdev_load_le16(bytes + 2), (unsigned)load_le32(bytes + 4)) &&
           expect(probe, walk_set(&walk, SET_HEADER_SIZE, set->length, WHOLE_DEVICE),
                  "descriptors and subsets that fill the set exactly", "%s, at offset %zu",
                  walk.problem, walk.at);
}

static void sets_are_well_formed(struct probe *probe)
{
    for_each_set(probe, false, is_well_formed);
}

static bool binds_winusb(struct probe *probe, const struct set *set)
{
    struct set_walk walk = {.probe = probe, .bytes = set->bytes};
    if (!given(probe, is_well_formed(probe, set)))
        return false;
    walk_set(&walk, SET_HEADER_SIZE, set->length, WHOLE_DEVICE);
    return expect(probe, walk.binds_winusb,
                  "the compatible id WINUSB for the function that begins at the DFU interface, or "
                  "for a device of that one",
                  "none: Windows has no driver for DFU");
}

static void dfu_has_winusb(struct probe *probe)
{
    for_each_set(probe, false, binds_winusb);
}

// ---- Microsoft OS 1.0 ----

enum {
    OS_STRING = 0xEE,
    OS_STRING_SIZE = 18,
    COMPATIBLE_HEADER_SIZE = 16,
    FUNCTION_SECTION_SIZE = 24,
    GET_COMPATIBLE_ID = 4,
};

// Returns its length; negative, and the check is decided, where the device has no such string.
static int read_os_string(struct probe *probe, uint8_t bytes[UINT8_MAX])
{
    static const uint8_t signature[] = {'M', 0, 'S', 0, 'F', 0, 'T', 0, '1', 0, '0', 0, '0', 0};
    const struct usbdev_setup_packet setup =
        usb_get_descriptor(USBDEV_DT_STRING, OS_STRING, 0, UINT8_MAX);
    int length = probe_control(probe, &setup, bytes);
    if (length >= 2 + (int)sizeof signature && memcmp(bytes + 2, signature, sizeof signature) == 0)
        return length;
    probe_inapplicable(probe, "a device with Microsoft OS 1.0 descriptors");
    return -1;
}

static void os_string(struct probe *probe)
{
    uint8_t bytes[UINT8_MAX];
    int length = read_os_string(probe, bytes);
    if (length >= 0)
        expect(probe, length == OS_STRING_SIZE && bytes[0] == OS_STRING_SIZE, "18 bytes",
               "%d bytes, bLength %u", length, bytes[0]);
}

static bool expect_compatible_header(struct probe *probe, const uint8_t *header)
{
    uint32_t length = load_le32(header);
    return expect(probe,
                  length == COMPATIBLE_HEADER_SIZE + (uint32_t)header[8] * FUNCTION_SECTION_SIZE,
                  "dwLength 16 + 24 * bCount", "dwLength %u, bCount %u", (unsigned)length,
                  header[8]) &&
           expect_number(probe, "bcdVersion", usbdev_load_le16(header + 4), 0x0100) &&
           expect_number(probe, "wIndex", usbdev_load_le16(header + 6), GET_COMPATIBLE_ID);
}

static void compatible_ids(struct probe *probe)
{
    uint8_t os[UINT8_MAX], bytes[PROBE_CONTROL_MAX];
    int length = read_os_string(probe, os);
    if (length < 0 ||
        !given(probe, expect(probe, length == OS_STRING_SIZE, "18 bytes", "%d bytes", length)))
        return;
    struct usbdev_setup_packet setup =
        ask_vendor(os[16], 0, GET_COMPATIBLE_ID, COMPATIBLE_HEADER_SIZE);
    if (!expect_length(probe, &setup, bytes, COMPATIBLE_HEADER_SIZE) ||
        !expect_compatible_header(probe, bytes) || !given_carried(probe, usbdev_load_le16(bytes)))
        return;
    setup.wLength = usbdev_load_le16(bytes);
    if (!expect_length(probe, &setup, bytes, setup.wLength))
        return;
    for (const uint8_t *it = bytes + COMPATIBLE_HEADER_SIZE; it < bytes + setup.wLength;
         it += FUNCTION_SECTION_SIZE) {
        if (!expect(probe, has_interface(probe, it[0]), "bFirstInterfaceNumber of an interface",
                    "%u", it[0]))
            return;
    }
}

// ---- WebUSB ----

enum {
    WEBUSB_SIZE = 24,
    GET_URL = 2,
    URL_DESCRIPTOR = 3,
    URL_HEADER_SIZE = 3,
    SCHEME_HTTP = 0,
    SCHEME_HTTPS = 1,
    SCHEME_IN_URL = 255,
};

static const uint8_t *read_webusb(struct probe *probe, struct bos *bos)
{
    static const uint8_t uuid[16] = {0x38, 0xB6, 0x08, 0x34, 0xA9, 0x09, 0xA0, 0x47,
                                     0x8B, 0xFD, 0xA0, 0x76, 0x88, 0x15, 0xB6, 0x65};
    return read_platform(probe, uuid, bos, "a device with WebUSB");
}

static void webusb_capability(struct probe *probe)
{
    struct bos bos;
    const uint8_t *capability = read_webusb(probe, &bos);
    if (!capability || !expect_number(probe, "bLength", capability[0], WEBUSB_SIZE))
        return;
    expect_number(probe, "bcdVersion", usbdev_load_le16(capability + CAPABILITY_DATA), 0x0100);
}

static void landing_page(struct probe *probe)
{
    struct bos bos;
    uint8_t url[UINT8_MAX];
    const uint8_t *capability = read_webusb(probe, &bos);
    int length;
    if (!capability || !given(probe, expect_number(probe, "bLength", capability[0], WEBUSB_SIZE)))
        return;
    if (capability[23] == 0) {
        probe_inapplicable(probe, "a device with a landing page");
        return;
    }
    const struct usbdev_setup_packet setup =
        ask_vendor(capability[22], capability[23], GET_URL, sizeof url);
    if (!expect_accepted(probe, &setup, url, &length) ||
        !expect(probe, length >= URL_HEADER_SIZE && url[0] == length && url[1] == URL_DESCRIPTOR,
                "a URL descriptor: its bLength in bytes, bDescriptorType 3", "%d bytes: %02x %02x",
                length, length > 0 ? url[0] : 0, length > 1 ? url[1] : 0))
        return;
    expect(probe, url[2] == SCHEME_HTTP || url[2] == SCHEME_HTTPS || url[2] == SCHEME_IN_URL,
           "bScheme 0, 1 or 255", "%u", url[2]);
}

// clang-format off
static const struct check checks[] = {
    {"OS-MS2-01", "Microsoft OS 2.0", LEVEL_MUST,
     "the capability of Microsoft OS 2.0 descriptors announces a descriptor set",
     0, announces_sets},
    {"OS-MS2-02", "Microsoft OS 2.0", LEVEL_MUST,
     "a descriptor set is returned, as long as the capability announces it",
     0, returns_sets},
    {"OS-MS2-03", "Microsoft OS 2.0", LEVEL_MUST,
     "the descriptors and subsets of a descriptor set fill it exactly",
     0, sets_are_well_formed},
    {"OS-MS2-04", "Microsoft OS 2.0", LEVEL_INFO,
     "a descriptor set binds WinUSB to the DFU interface",
     NEED_DFU_INTERFACE, dfu_has_winusb},
    {"OS-MS1-01", "Microsoft OS 1.0", LEVEL_MUST,
     "string EEh, Microsoft's, is 18 bytes long",
     0, os_string},
    {"OS-MS1-02", "Microsoft OS 1.0", LEVEL_MUST,
     "the compatible ids are returned, for interfaces that exist",
     0, compatible_ids},
    {"OS-WEBUSB-01", "WebUSB 4.1", LEVEL_MUST,
     "the capability of WebUSB is 24 bytes long, of version 1.0",
     0, webusb_capability},
    {"OS-WEBUSB-02", "WebUSB 4.3", LEVEL_MUST,
     "the landing page is returned",
     0, landing_page},
};
// clang-format on

const struct check_group check_systems = {
    .title = "Descriptors for Windows and browsers",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
