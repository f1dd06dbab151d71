// SPDX-License-Identifier: MIT
//
// ST's dialect of DFU mode, as AN3156 and UM0424 describe it and dfu-util depends on it.
//
// Where something is written it is the one page that is kept (backup.h), and it is put back before
// the check ends. Addresses that must be refused lie outside of all that the layouts name, and of
// the windows of external memory.

#include <stdlib.h>
#include <string.h>

#include <conformance/backup.h>
#include <conformance/check_common.h>
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>
#include <usb/bytes.h>

// ---- Layout ----

static void layouts(struct probe *probe)
{
    for (size_t i = 0; i < probe->layout_count; i++) {
        if (!expect(probe, !*probe->layouts[i].problem,
                    "a name such as '@Internal Flash  /0x08000000/064*0002Kg'",
                    "the name of alternate %zu: %s", i, probe->layouts[i].problem))
            return;
    }
}

static bool readable_region(struct probe *probe, struct dfuse_region *ret_region)
{
    const struct dfuse_region *region = dfuse_readable(probe);
    if (!region)
        return probe_inapplicable(probe, "a device with memory that can be read");
    *ret_region = *region;
    return true;
}

// ---- Commands ----

static bool begin(struct probe *probe)
{
    dfuse_select(probe);
    return dfu_to_idle(probe) || probe_inconclusive(probe, "dfuIDLE was not reached");
}

// A download that must end in dfuDNLOAD-IDLE. result is that of the DNLOAD.
static bool expect_done(struct probe *probe, int result, uint16_t length, const char *expected)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuDNLOAD_SYNC};
    char words[PROBE_WORDS];
    if (!expect_result(probe, result, length, NULL))
        return false;
    result = dfu_poll(probe, &status);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
    dfu_poll_text(words, sizeof words, result, &status);
    return expect(probe, result == 0 && status.bState == DFURT_STATE_dfuDNLOAD_IDLE, expected, "%s",
                  words);
}

static bool expect_command(struct probe *probe, uint8_t command, uint32_t address)
{
    return expect_done(probe, dfuse_command(probe, command, address), 5,
                       "dfuDNLOAD-IDLE after the command");
}

// A command that must end in dfuERROR, at the DNLOAD or when it is carried out.
static bool expect_command_fails(struct probe *probe,
                                 const uint8_t *bytes,
                                 uint16_t length,
                                 struct dfu_status_reply *ret_status)
{
    char words[PROBE_WORDS];
    int result = dfu_dnload(probe, 0, bytes, length);
    if (result < 0 && result != USB_STALL)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    ret_status->bState = DFURT_STATE_dfuDNLOAD_SYNC;
    result = dfu_poll(probe, ret_status);
    if (result == USB_GONE || result == USB_IO)
        return probe_inconclusive(probe, "GETSTATUS: %s", usb_result_text(result));
    dfu_poll_text(words, sizeof words, result, ret_status);
    return given(probe, expect(probe, result == 0, "the command ends", "%s", words)) &&
           expect(probe, ret_status->bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s", words);
}

// Read from the address pointer, as a host would, where that can be.
static bool read_there(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return begin(probe);
    int result = begin(probe) ? dfu_upload(probe, DFUSE_FIRST_BLOCK, data, dfu_small_block(probe))
                              : USB_UNSUPPORTED;
    return result >= 0 || probe_inconclusive(probe, "UPLOAD: %s", usb_result_text(result));
}

static void set_address(struct probe *probe)
{
    struct dfuse_region region = {.sectors = 0};
    if (begin(probe) && readable_region(probe, &region) &&
        expect_command(probe, DFUSE_SET_ADDRESS, region.address))
        read_there(probe);
}

static void first_status_is_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    struct dfuse_region region = {.sectors = 0};
    if (!begin(probe) || !readable_region(probe, &region))
        return;
    dfuse_command(probe, DFUSE_SET_ADDRESS, region.address);
    if (expect_getstatus(probe, &status) &&
        expect(probe, status.bState == DFURT_STATE_dfuDNBUSY, "dfuDNBUSY", "%s",
               usb_dfu_state_name(status.bState)))
        read_there(probe);
}

static bool nowhere(struct probe *probe, uint8_t command, uint8_t bytes[5])
{
    static const uint32_t candidates[] = {0xF0000000, 0xF8000000, 0xFC000000, 0xE8000000};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (!gate_is_nowhere(&probe->gate, candidates[i]))
            continue;
        bytes[0] = command;
        store_le32(bytes + 1, candidates[i]);
        return true;
    }
    return probe_skip(probe, "needs an address that no layout names");
}

// The ROM behaves as AN3156 says. Libraries that follow it test an address only when data arrives.
static void judge_as_rom(struct probe *probe)
{
    const struct device *device = &probe->dfu_mode;
    if (device_vendor(device) != 0x0483 || device_product(device) != 0xDF11)
        probe_soften(probe);
}

// A wrong loader may take a command for another one, so the backup is made first.
static bool prepare_page(struct probe *probe)
{
    char why[PROBE_WORDS];
    return backup_ready(probe, why, sizeof why) || probe_skip(probe, "%s", why);
}

static void set_address_outside(struct probe *probe)
{
    uint8_t command[5];
    struct dfu_status_reply status;
    judge_as_rom(probe);
    if (prepare_page(probe) && begin(probe) && nowhere(probe, DFUSE_SET_ADDRESS, command) &&
        expect_command_fails(probe, command, sizeof command, &status))
        expect(probe,
               status.bStatus == DFURT_STATUS_errTARGET ||
                   status.bStatus == DFURT_STATUS_errADDRESS,
               "errTARGET or errADDRESS", "%s", usb_dfu_status_name(status.bStatus));
}

static void erase_outside(struct probe *probe)
{
    uint8_t command[5];
    struct dfu_status_reply status;
    judge_as_rom(probe);
    if (prepare_page(probe) && begin(probe) && nowhere(probe, DFUSE_ERASE, command))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_unknown(struct probe *probe)
{
    const uint8_t command[5] = {0x77};
    struct dfu_status_reply status;
    if (prepare_page(probe) && begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_cut(struct probe *probe)
{
    const uint8_t command[3] = {DFUSE_SET_ADDRESS, 0x00, 0x00};
    struct dfu_status_reply status;
    if (prepare_page(probe) && begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void get_commands(struct probe *probe)
{
    uint8_t commands[UINT8_MAX];
    uint16_t size = dfu_small_block(probe);
    if (!begin(probe))
        return;
    int length = dfu_upload(probe, 0, commands, size);
    if (!expect_carried_out(probe, length))
        return;
    bool set = memchr(commands, DFUSE_SET_ADDRESS, (size_t)length) != NULL;
    bool erase = memchr(commands, DFUSE_ERASE, (size_t)length) != NULL;
    expect(probe, length >= 3 && commands[0] == 0 && set && erase,
           "a list of commands that begins with 00h and has 21h and 41h", "%d bytes", length);
}

// ---- Upload ----

// Set the address pointer, then leave the download that the command was.
static bool point_at(struct probe *probe, uint32_t address)
{
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    return given(probe, expect_command(probe, DFUSE_SET_ADDRESS, address) &&
                            expect_length(probe, &abort, NULL, 0));
}

static bool read_block(struct probe *probe, uint16_t block, uint8_t *data, uint16_t length)
{
    int result = dfu_upload(probe, block, data, length);
    return expect_result(probe, result, length, NULL);
}

// The second block of one upload is the first block of another that begins where it does.
static void upload_addresses(struct probe *probe)
{
    static uint8_t first[PROBE_CONTROL_MAX], second[PROBE_CONTROL_MAX], again[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    struct dfuse_region region = {.sectors = 0};
    if (!begin(probe) || !readable_region(probe, &region))
        return;
    if ((uint64_t)region.sectors * region.sector_size < 2u * size) {
        probe_skip(probe, "needs a region of two blocks that can be read");
        return;
    }
    if (!point_at(probe, region.address) || !read_block(probe, DFUSE_FIRST_BLOCK, first, size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK + 1, second, size) || !begin(probe) ||
        !point_at(probe, region.address + size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK, again, size))
        return;
    expect(probe, memcmp(second, again, size) == 0,
           "block 3 at the address pointer + wTransferSize", "other bytes");
}

// As many bytes as every loader returns, or the whole of a smaller memory.
static uint16_t small_read(const struct probe *probe, const struct dfuse_region *region)
{
    uint64_t whole = (uint64_t)region->sectors * region->sector_size;
    uint16_t size = device_max_packet0(probe_device(probe));
    return whole < size ? (uint16_t)whole : size;
}

static bool read_alternate(struct probe *probe,
                           const struct usb_interface *interface,
                           const struct dfuse_layout *layout)
{
    uint8_t bytes[UINT8_MAX];
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        if (!(region->access & DFUSE_READABLE))
            continue;
        int result =
            probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
        return expect_result(probe, result, 0, NULL) &&
               (dfu_to_idle(probe) || probe_inconclusive(probe, "dfuIDLE was not reached")) &&
               point_at(probe, region->address) &&
               read_block(probe, DFUSE_FIRST_BLOCK, bytes, small_read(probe, region));
    }
    return true;
}

static void upload_alternates(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    size_t alternate = 0;
    for (size_t i = 0; i < config->interface_count && alternate < probe->layout_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        if (interface_is_dfu(interface) &&
            !read_alternate(probe, interface, &probe->layouts[alternate++]))
            break;
    }
    dfuse_select(probe);
    if (!dfuse_readable(probe))
        probe_inapplicable(probe, "a device with memory that can be read");
}

static void upload_block_1(struct probe *probe)
{
    uint8_t data[UINT8_MAX];
    struct dfuse_region region = {.sectors = 0};
    if (!begin(probe) || !readable_region(probe, &region) || !point_at(probe, region.address))
        return;
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, 1, dfu_small_block(probe));
    expect_stall(probe, &setup, data);
}

static uint32_t region_end(const struct dfuse_region *region)
{
    return region->address + region->sectors * region->sector_size;
}

// A region that can be read, and nothing is named behind it.
static const struct dfuse_region *last_region(const struct probe *probe)
{
    const struct dfuse_layout *layout = dfuse_layout(probe);
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        bool continued = false;
        for (size_t j = 0; j < probe->gate.region_count; j++)
            continued |= probe->gate.regions[j].first == region_end(region);
        if ((region->access & DFUSE_READABLE) && !continued)
            return region;
    }
    return NULL;
}

// What comes is the device's to choose: what is there, a STALL, or what happens to lie behind.
static void upload_across_end(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    uint16_t size = dfu_transfer_size(probe);
    if (!begin(probe))
        return;
    const struct dfuse_region *region = last_region(probe);
    uint16_t left = region ? small_read(probe, region) : 0;
    if (left == 0 || left >= size) {
        probe_inapplicable(probe, "memory with an end that a block can reach across");
        return;
    }
    if (!point_at(probe, region_end(region) - left))
        return;
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, DFUSE_FIRST_BLOCK, size);
    int result = probe_control(probe, &setup, data);
    if (result == USB_GONE || result == USB_IO) {
        probe_inconclusive(probe, "%s", usb_result_text(result));
        return;
    }
    expect(probe, result != USB_TIMEOUT && result != USB_OVERFLOW,
           "STALL, or no more than wLength bytes", "%s", usb_result_text(result));
    expect_alive(probe, "after an UPLOAD across the end of memory");
}

// ---- The page that is kept ----

static bool erase(struct probe *probe)
{
    const struct backup *backup = probe->backup;
    for (size_t at = 0; at < backup->length; at += backup->sector_size) {
        if (!begin(probe) || !expect_command(probe, DFUSE_ERASE, backup->address + (uint32_t)at))
            return false;
    }
    return true;
}

// Each byte differs from the byte in memory.
static bool write_pattern(struct probe *probe, uint8_t *bytes)
{
    const struct backup *backup = probe->backup;
    uint16_t size = dfu_transfer_size(probe);
    uint16_t block = DFUSE_FIRST_BLOCK;
    for (size_t i = 0; i < backup->length; i++)
        bytes[i] = (uint8_t)(backup->bytes[i] ^ (1 + i % 255));
    if (!erase(probe) || !expect_command(probe, DFUSE_SET_ADDRESS, backup->address))
        return false;
    for (size_t at = 0; at < backup->length; at += size, block++) {
        uint16_t part = backup->length - at < size ? (uint16_t)(backup->length - at) : size;
        if (!expect_done(probe, dfu_dnload(probe, block, bytes + at, part), part,
                         "dfuDNLOAD-IDLE after the block"))
            return false;
    }
    return true;
}

static bool expect_page(struct probe *probe, const uint8_t *bytes, const char *expected)
{
    const struct backup *backup = probe->backup;
    uint8_t *found = malloc(backup->length);
    char why[PROBE_WORDS] = "out of memory";
    bool read = found && dfuse_read(probe, backup->address, found, backup->length, why, sizeof why);
    bool equal = read && memcmp(found, bytes, backup->length) == 0;
    free(found);
    if (!read)
        return probe_inconclusive(probe, "%s", why);
    return expect(probe, equal, expected, "others");
}

// Write the pattern, then what the check does with it; the page is restored in every case.
static bool with_page(struct probe *probe,
                      bool judges_writing,
                      bool (*then)(struct probe *probe, uint8_t *bytes))
{
    char why[PROBE_WORDS] = "";
    if (!prepare_page(probe))
        return false;
    uint8_t *bytes = malloc(probe->backup->length);
    if (!bytes)
        return probe_inconclusive(probe, "out of memory");
    bool met = write_pattern(probe, bytes);
    met = (judges_writing ? met : given(probe, met)) && then(probe, bytes);
    free(bytes);
    backup_restore(probe, why, sizeof why);
    return met;
}

static bool reads_as_written(struct probe *probe, uint8_t *bytes)
{
    return expect_page(probe, bytes, "the bytes that were written");
}

static bool reads_as_erased(struct probe *probe, uint8_t *bytes)
{
    memset(bytes, 0xFF, probe->backup->length);
    return erase(probe) && expect_page(probe, bytes, "FFh throughout");
}

// Before the page is put back, and the rest with it.
static bool rest_is_as_it_was(struct probe *probe, uint8_t *bytes)
{
    char why[PROBE_WORDS] = "";
    bool same;
    (void)bytes;
    if (!backup_compare_rest(probe, &same, why, sizeof why))
        return probe_inconclusive(probe, "%s", why);
    return expect(probe, same, "the memory beside the page as it was", "%s", why);
}

static bool nothing_more(struct probe *probe, uint8_t *bytes)
{
    (void)probe, (void)bytes;
    return true;
}

static void write_and_read(struct probe *probe)
{
    with_page(probe, true, reads_as_written);
}

// Only on a page that is not blank; a page that an earlier erase did not change counts as such.
static void erase_page(struct probe *probe)
{
    if (prepare_page(probe) && probe->gate.dirty) {
        uint8_t *bytes = malloc(probe->backup->length);
        if (bytes)
            reads_as_erased(probe, bytes);
        free(bytes);
        return;
    }
    with_page(probe, true, reads_as_erased);
}

static void write_nowhere_else(struct probe *probe)
{
    if (!prepare_page(probe))
        return;
    if (probe->backup->rest)
        with_page(probe, false, rest_is_as_it_was);
    else
        probe_skip(probe, "needs memory that is read within a minute");
}

static void page_restored(struct probe *probe)
{
    bool tried = prepare_page(probe) && probe->backup->lost; // by a check before
    if (tried || with_page(probe, false, nothing_more))
        expect(probe, !probe->gate.dirty, "the bytes that were there before", "%s",
               probe->backup->loss);
}

#define COMMANDS (NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE | NEED_CAN_DNLOAD)
#define READING (COMMANDS | NEED_CAN_UPLOAD)
#define WRITING (READING | NEED_WRITE)

// clang-format off
static const struct check checks[] = {
    {"DS-LAYOUT-01", "UM0424 10.3.2", LEVEL_MUST,
     "each alternate setting is named by the layout of its memory",
     NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE, layouts},
    {"DS-CMD-01", "AN3156 5.2", LEVEL_MUST,
     "set address pointer is carried out for an address in the layout",
     COMMANDS, set_address},
    {"DS-CMD-02", "dfu-util 0.11", LEVEL_MUST,
     "the first GETSTATUS after a command says dfuDNBUSY",
     COMMANDS, first_status_is_busy},
    {"DS-CMD-03", "AN3156 5.2", LEVEL_MUST,
     "set address pointer fails for an address outside the layout",
     COMMANDS | NEED_WRITE, set_address_outside},
    {"DS-CMD-04", "AN3156 5.3", LEVEL_MUST,
     "erase fails for an address outside the layout",
     COMMANDS | NEED_WRITE, erase_outside},
    {"DS-CMD-05", "AN3156 5", LEVEL_MUST,
     "an unknown command fails",
     COMMANDS | NEED_WRITE, command_unknown},
    {"DS-CMD-06", "AN3156 5.2", LEVEL_MUST,
     "set address pointer with an incomplete address fails",
     COMMANDS | NEED_WRITE, command_cut},
    {"DS-CMD-07", "AN3156 4.2", LEVEL_MUST,
     "UPLOAD of block 0 lists the commands",
     READING, get_commands},
    {"DS-UPLOAD-01", "AN3156 4.1", LEVEL_MUST,
     "block n of an upload comes from the address pointer + (n - 2) * wTransferSize",
     READING, upload_addresses},
    {"DS-UPLOAD-02", "AN3156 4.1", LEVEL_MUST,
     "each alternate setting whose layout says readable can be read",
     READING, upload_alternates},
    {"DS-UPLOAD-03", "AN3156 4.1", LEVEL_SHOULD,
     "UPLOAD of block 1, which is reserved, STALLs",
     READING, upload_block_1},
    {"DS-UPLOAD-04", "AN3156 4.1", LEVEL_MUST,
     "UPLOAD across the end of memory is cut or STALLs, and endpoint 0 works afterwards",
     READING, upload_across_end},
    {"DS-WRITE-01", "AN3156 5.1", LEVEL_MUST,
     "an upload returns what was downloaded",
     WRITING, write_and_read},
    {"DS-WRITE-02", "AN3156 5.3", LEVEL_MUST,
     "an erased page reads FFh",
     WRITING, erase_page},
    {"DS-WRITE-03", "AN3156 5.1", LEVEL_MUST,
     "a page can be written over and put back",
     WRITING, page_restored},
    {"DS-WRITE-04", "AN3156 5.3", LEVEL_MUST,
     "erasing and writing a page leaves the rest of memory as it was",
     WRITING, write_nowhere_else},
};
// clang-format on

const struct check_group check_dfuse = {
    .title = "DfuSe",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
