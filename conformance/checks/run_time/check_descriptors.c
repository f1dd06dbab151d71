// SPDX-License-Identifier: MIT
//
// The descriptors of DFU at run time (DFU 1.1 chapter 4.1). Each check reads them from the device
// again: the verdict depends on the bytes that the device returns, and they belong in the
// transcript.
//
// A device may keep DFU in some of its configurations only; each is judged (4.1). DFU 1.0 had a
// functional descriptor of 7 bytes and no bInterfaceProtocol: a device that reports DFU 1.0 is not
// held to DFU 1.1, and a note says what DFU 1.1 requires.

#include <stdio.h>

#include <conformance/check_fields.h>
#include <conformance/modes.h>

// ---- Each configuration ----

static unsigned dfu_interfaces(const struct usb_configuration *config)
{
    unsigned count = 0;
    for (size_t i = 0; i < config->interface_count; i++)
        count += interface_is_dfu(&config->interfaces[i]);
    return count;
}

static bool
has_no_second_dfu(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    unsigned count = dfu_interfaces(&read->config);
    return expect(probe, count <= 1, "at most one DFU interface descriptor in each configuration",
                  "%u with bConfigurationValue %u", count, read->config.bConfigurationValue);
}

// Returns true, to go on, while there is none.
static bool has_none(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    (void)context;
    (void)probe;
    return dfu_interfaces(&read->config) == 0;
}

static void one_dfu_interface(struct probe *probe)
{
    if (!for_each_configuration(probe, has_no_second_dfu, NULL))
        return;
    if (!expect(probe, !for_each_configuration(probe, has_none, NULL),
                "a configuration with a DFU interface", "none"))
        probe_note(probe, "--chapter9 checks a device without DFU");
}

static bool
has_one_functional(struct probe *probe, const struct configuration_bytes *read, void *context)
{
    unsigned *seen = context;
    const struct usb_configuration *config = &read->config;
    if (dfu_interfaces(config) == 0 && config->functional_count == 0)
        return true;
    ++*seen;
    return expect_number(probe, "the number of DFU functional descriptors",
                         (unsigned)config->functional_count, 1);
}

static void one_functional_descriptor(struct probe *probe)
{
    for_each_that_has(probe, has_one_functional, "a configuration with DFU");
}

// ---- The interface descriptor ----

static bool is_dfu_1_0(const struct usb_dfu_functional *functional)
{
    return functional && functional->bcdDFUVersion == 0x0100; // of 7 bytes, too
}

static void interface_protocol(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu_interface(probe, &dfu))
        return;
    if (is_dfu_1_0(dfu.functional) && dfu.interface->bInterfaceProtocol == 0) {
        expect(probe, true, "bInterfaceProtocol 0 of DFU 1.0", "0");
        probe_note(probe, "bInterfaceProtocol is 0, as in DFU 1.0; DFU 1.1 requires 1");
        return;
    }
    expect_number(probe, "bInterfaceProtocol", dfu.interface->bInterfaceProtocol,
                  DFURT_PROTOCOL_RUNTIME);
}

static void interface_endpoints(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu_interface(probe, &dfu) ||
        !expect_number(probe, "bNumEndpoints", dfu.interface->bNumEndpoints, 0))
        return;

    unsigned endpoints = 0;
    for (size_t i = 0; i < dfu.read.config.endpoint_count; i++)
        endpoints +=
            dfu.read.config.endpoints[i].interface == dfu.interface - dfu.read.config.interfaces;
    expect_number(probe, "the number of endpoint descriptors after the DFU interface", endpoints,
                  0);
}

// ---- The functional descriptor ----

static void functional_length(struct probe *probe)
{
    enum { SIZE_1_0 = 7 };
    struct dfu_descriptors dfu;
    if (!read_dfu(probe, &dfu))
        return;
    if (dfu.functional->bLength == SIZE_1_0)
        probe_note(probe,
                   "bLength is 7, the form of DFU 1.0; DFU 1.1 requires 9, with bcdDFUVersion");
    expect(probe,
           dfu.functional->bLength == USBDEV_DFU_FUNCTIONAL_DESCRIPTOR_SIZE ||
               dfu.functional->bLength == SIZE_1_0,
           "bLength is 9 (or 7, DFU 1.0)", "%u", dfu.functional->bLength);
}

static void attributes_reserved(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu(probe, &dfu))
        return;
    // Bit 7 is "acceleration" in ST's extension, which bcdDFUVersion 011Ah announces.
    uint8_t reserved = dfu.functional->bcdDFUVersion == 0x011A ? 0x70 : 0xF0;
    expect(probe, (dfu.functional->bmAttributes & reserved) == 0, "bmAttributes bits 7..4 are zero",
           "bmAttributes %02Xh", dfu.functional->bmAttributes);
}

// Blocks go to the endpoint 0 of DFU mode (6.1), whose packets may be smaller than those of run
// time. Where that decides, the device is brought into DFU mode to be asked.
static void transfer_size(struct probe *probe)
{
    enum { LARGEST_PACKET = 64 };
    const struct device *loader = &probe->dfu_mode;
    struct dfu_descriptors dfu;
    char why[PROBE_WORDS];
    if (!read_dfu(probe, &dfu))
        return;

    unsigned size = dfu.functional->wTransferSize;
    unsigned packet = device_max_packet0(&probe->run_time);
    size_t first = probe->transcript.total;
    if (size != 0 && size < packet && !loader->seen && !mode_enter_dfu(probe, why, sizeof why)) {
        probe_inconclusive(probe,
                           "wTransferSize is %u, bMaxPacketSize0 at run time %u; that of DFU mode, "
                           "which counts, was not seen: %.160s",
                           size, packet, why);
        return;
    }
    transcript_set_aside(&probe->transcript, first);
    if (loader->seen)
        packet = device_max_packet0(loader);
    else if (size < LARGEST_PACKET)
        probe_note(probe, "bMaxPacketSize0 of DFU mode, which counts, has not been seen");
    char expected[64];
    snprintf(expected, sizeof expected, "wTransferSize >= bMaxPacketSize0 (%u, %s), not 0", packet,
             loader->seen ? "in DFU mode" : "at run time");
    expect(probe, size != 0 && size >= packet, expected, "wTransferSize %u", size);
}

static void dfu_version(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu(probe, &dfu))
        return;

    uint16_t version = dfu.functional->bcdDFUVersion;
    if (version == 0x0100)
        probe_note(probe, "the device says DFU 1.0");
    if (version == 0x011A)
        probe_note(probe, "the device says DfuSe, ST's extension");
    expect(probe, version == 0x0110 || version == 0x0100 || version == 0x011A,
           "bcdDFUVersion 0110h (or 0100h, DFU 1.0; or 011Ah, DfuSe)", "%04Xh", version);
}

static void detach_timeout_usable(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu(probe, &dfu))
        return;
    bool leaves = dfu.functional->bmAttributes & DFURT_ATTR_WILL_DETACH;
    expect(probe, leaves || dfu.functional->wDetachTimeOut > 0,
           "wDetachTimeOut > 0, because the device waits for a bus reset", "wDetachTimeOut 0");
}

// A second is what tools ask for; E803h is a second with its bytes swapped.
static void detach_timeout_plausible(struct probe *probe)
{
    enum { LONGEST_MS = 30000 };
    struct dfu_descriptors dfu;
    if (read_dfu(probe, &dfu))
        expect(probe, dfu.functional->wDetachTimeOut <= LONGEST_MS, "wDetachTimeOut <= 30000 ms",
               "%u ms (with its bytes swapped: %u ms)", dfu.functional->wDetachTimeOut,
               (dfu.functional->wDetachTimeOut >> 8 | dfu.functional->wDetachTimeOut << 8) &
                   0xFFFF);
}

// Where the descriptors end that extend the interface: at the next interface, or at the end.
static size_t end_of(const struct usb_configuration *config, const struct usb_interface *interface)
{
    size_t end = SIZE_MAX;
    for (size_t i = 0; i < config->interface_count; i++) {
        size_t offset = config->interfaces[i].offset;
        if (offset > interface->offset && offset < end)
            end = offset;
    }
    return end;
}

// Other class and vendor descriptors may stand between the two (USB 2.0 9.5).
static void functional_follows(struct probe *probe)
{
    struct dfu_descriptors dfu;
    if (!read_dfu(probe, &dfu))
        return;
    size_t at = dfu.functional->offset;
    char expected[128];
    snprintf(expected, sizeof expected,
             "the functional descriptor behind its interface, at offset %zu, and before any other "
             "interface",
             dfu.interface->offset);
    expect(probe, at > dfu.interface->offset && at < end_of(&dfu.read.config, dfu.interface),
           expected, "offset %zu", at);
}

static void interface_name(struct probe *probe)
{
    struct dfu_descriptors dfu;
    uint8_t string[255];
    if (!read_dfu_interface(probe, &dfu))
        return;
    if (dfu.interface->iInterface == 0) {
        probe_inapplicable(probe, "a DFU interface with a name (iInterface not 0)");
        return;
    }
    const struct usbdev_setup_packet setup = usb_get_descriptor(
        USBDEV_DT_STRING, dfu.interface->iInterface, probe_language(probe), sizeof string);
    int length;
    if (expect_accepted(probe, &setup, string, &length))
        expect(probe, length >= 4 && string[1] == USBDEV_DT_STRING && string[0] == length,
               "a string descriptor that is as long as its bLength says", "%d bytes", length);
}

// clang-format off
static const struct check checks[] = {
    {"RT-DESC-01a", "DFU 1.1 4.1", LEVEL_MUST,
     "each configuration with DFU has exactly one DFU interface",
     NEED_RUN_TIME, one_dfu_interface},
    {"RT-DESC-01b", "DFU 1.1 4.1", LEVEL_MUST,
     "each configuration with DFU has exactly one DFU functional descriptor",
     NEED_RUN_TIME, one_functional_descriptor},
    {"RT-DESC-02a", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface has bInterfaceProtocol 01h (or 00h, DFU 1.0)",
     NEED_RUN_TIME, interface_protocol},
    {"RT-DESC-02b", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface is alternate setting 0",
     NEED_RUN_TIME, check_field, FIELD(DFU_INTERFACE, 3, 1, "bAlternateSetting", IS, 0)},
    {"RT-DESC-02c", "DFU 1.1 4.1.2", LEVEL_MUST,
     "the DFU interface has no endpoints",
     NEED_RUN_TIME, interface_endpoints},
    {"RT-DESC-02d", "DFU 1.1 4.1.2", LEVEL_SHOULD,
     "the string that names the DFU interface is readable",
     NEED_RUN_TIME, interface_name},
    {"RT-DESC-03", "DFU 1.1 4.1.3", LEVEL_MUST,
     "the functional descriptor is 9 bytes long (or 7, DFU 1.0)",
     NEED_RUN_TIME, functional_length},
    {"RT-DESC-04", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "the reserved bits of bmAttributes are zero",
     NEED_RUN_TIME, attributes_reserved},
    {"RT-DESC-05a", "DFU 1.1 6.1", LEVEL_MUST,
     "wTransferSize is at least bMaxPacketSize0 and not 0",
     NEED_RUN_TIME, transfer_size},
    {"RT-DESC-05b", "DFU 1.1 4.1.3", LEVEL_INFO,
     "wTransferSize is the size of a buffer, not FFFFh",
     NEED_RUN_TIME, check_field, FIELD(FUNCTIONAL, 5, 2, "wTransferSize", IS_NOT, 0xFFFF)},
    {"RT-DESC-06", "DFU 1.1 4.1.3", LEVEL_MUST,
     "bcdDFUVersion is a version that exists",
     NEED_RUN_TIME, dfu_version},
    {"RT-DESC-07a", "DFU 1.1 5.1", LEVEL_SHOULD,
     "a device that waits for a bus reset waits for longer than 0 ms",
     NEED_RUN_TIME, detach_timeout_usable},
    {"RT-DESC-07b", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "wDetachTimeOut is a time that a host can wait",
     NEED_RUN_TIME, detach_timeout_plausible},
    {"RT-DESC-08", "DFU 1.1 4.1.3", LEVEL_SHOULD,
     "the functional descriptor follows its own interface",
     NEED_RUN_TIME, functional_follows},
};
// clang-format on

const struct check_group check_descriptors = {
    .title = "Descriptors at run time",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
