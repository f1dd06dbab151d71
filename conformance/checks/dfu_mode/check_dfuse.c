// SPDX-License-Identifier: MIT
//
// ST's dialect of DFU mode, as AN3156 and UM0424 describe it and dfu-util depends on it.
//
// Addresses that must be refused lie outside of all that the layouts name, and of the windows of
// external memory.

#include <string.h>

#include "dfuse_steps.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>
#include <conformance/modes.h>
#include <usb/bytes.h>

// ---- Layout ----

static void layouts(struct probe *probe)
{
    for (size_t i = 0; i < probe->loader.layout_count; i++) {
        if (!expect(probe, !*probe->loader.layouts[i].problem,
                    "a name such as '@Internal Flash  /0x08000000/064*0002Kg'",
                    "the name of alternate %zu: %s", i, probe->loader.layouts[i].problem))
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
           given_begun(probe, ret_status->bState) &&
           expect(probe, ret_status->bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s", words);
}

// Read from the address pointer, as a host would, where that can be.
static bool read_there(struct probe *probe)
{
    static uint8_t data[PROBE_CONTROL_MAX];
    if (!(device_attributes(&probe->dfu_mode) & DFURT_ATTR_CAN_UPLOAD))
        return dfuse_begin(probe);
    int result = dfuse_begin(probe)
                     ? dfu_upload(probe, DFUSE_FIRST_BLOCK, data, dfu_small_block(probe))
                     : USB_UNSUPPORTED;
    return result >= 0 || probe_inconclusive(probe, "UPLOAD: %s", usb_result_text(result));
}

static void set_address(struct probe *probe)
{
    struct dfuse_region region = {.sectors = 0};
    if (dfuse_begin(probe) && readable_region(probe, &region) &&
        expect_command(probe, DFUSE_SET_ADDRESS, region.address))
        read_there(probe);
}

static void first_status_is_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    struct dfuse_region region = {.sectors = 0};
    if (!dfuse_begin(probe) || !readable_region(probe, &region))
        return;
    dfuse_command(probe, DFUSE_SET_ADDRESS, region.address);
    if (expect_getstatus(probe, &status) && !dfuse_is_read_protected(probe) &&
        given_begun(probe, status.bState) &&
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

static void leaves_for_firmware(struct probe *probe)
{
    struct dfuse_region region = {.sectors = 0};
    char why[PROBE_WORDS];
    if (!probe->run_time.seen) {
        probe_inapplicable(probe, "a device whose firmware is known to start");
        return;
    }
    if (!readable_region(probe, &region) || !dfuse_begin(probe))
        return;
    if (!backup_restore(probe, why, sizeof why)) {
        probe_inconclusive(probe, "%s", why);
        return;
    }
    if (!dfuse_begin(probe) ||
        !given(probe, expect_command(probe, DFUSE_SET_ADDRESS, region.address)))
        return;
    judge_as_rom(probe);
    bool left = mode_request_leave(probe);
    expect_step(probe, left && probe->mode == DEVICE_RUN_TIME,
                "run time after a zero-length DNLOAD",
                left ? "the device is in DFU mode" : "the device did not leave and come back");
}

// A wrong loader may take a command for another one: the backup is made before any that writes or
// is to fail.
static void set_address_outside(struct probe *probe)
{
    uint8_t command[5];
    struct dfu_status_reply status;
    judge_as_rom(probe);
    if (backup_given(probe) && dfuse_begin(probe) && nowhere(probe, DFUSE_SET_ADDRESS, command) &&
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
    if (backup_given(probe) && dfuse_begin(probe) && nowhere(probe, DFUSE_ERASE, command))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_unknown(struct probe *probe)
{
    const uint8_t command[5] = {0x77};
    struct dfu_status_reply status;
    if (backup_given(probe) && dfuse_begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_cut(struct probe *probe)
{
    const uint8_t command[3] = {DFUSE_SET_ADDRESS, 0x00, 0x00};
    struct dfu_status_reply status;
    if (backup_given(probe) && dfuse_begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static bool lists_commands(const uint8_t *bytes, int length)
{
    return length >= 3 && bytes[0] == 0 && memchr(bytes, DFUSE_SET_ADDRESS, (size_t)length) &&
           memchr(bytes, DFUSE_ERASE, (size_t)length);
}

static void get_commands(struct probe *probe)
{
    uint8_t commands[DEVICE_MOST_PACKET0];
    int length = 0;
    for (int i = 0; i < DFUSE_READINGS && !lists_commands(commands, length); i++) {
        if (!dfuse_begin(probe))
            return;
        length = dfu_upload(probe, 0, commands, dfu_small_block(probe));
        if (!expect_carried_out(probe, length))
            return;
    }
    expect(probe, lists_commands(commands, length),
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

// The second block behind an address, by three uploads: of it and the first one; of the first one
// behind its own address; and of it alone, where the device does not STALL a block that does not
// follow.
struct readings {
    uint8_t following[PROBE_CONTROL_MAX], first[PROBE_CONTROL_MAX], alone[PROBE_CONTROL_MAX];
    int alone_result;
};

static bool
read_three_times(struct probe *probe, uint32_t address, uint16_t size, struct readings *ret)
{
    if (!dfuse_begin(probe) || !point_at(probe, address) ||
        !read_block(probe, DFUSE_FIRST_BLOCK, ret->first, size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK + 1, ret->following, size) || !dfuse_begin(probe) ||
        !point_at(probe, address + size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK, ret->first, size) || !dfuse_begin(probe) ||
        !point_at(probe, address))
        return false;
    ret->alone_result = dfu_upload(probe, DFUSE_FIRST_BLOCK + 1, ret->alone, size);
    return ret->alone_result == USB_STALL || expect_result(probe, ret->alone_result, size, NULL);
}

static void upload_addresses(struct probe *probe)
{
    static struct readings readings;
    uint16_t size = dfu_transfer_size(probe);
    struct dfuse_region region = {.sectors = 0};
    bool same = false, alone = false;
    if (!dfuse_begin(probe) || !readable_region(probe, &region))
        return;
    if ((uint64_t)region.sectors * region.sector_size < 2u * size) {
        probe_skip(probe, "needs a region of two blocks that can be read");
        return;
    }
    for (int i = 0; i < DFUSE_READINGS && !(same && alone); i++) {
        if (!read_three_times(probe, region.address, size, &readings))
            return;
        same = memcmp(readings.following, readings.first, size) == 0;
        alone = readings.alone_result == USB_STALL ||
                memcmp(readings.following, readings.alone, size) == 0;
    }
    if (expect(probe, same, "block 3 at the address pointer + wTransferSize", "other bytes"))
        expect(probe, alone,
               "block 3 at the address pointer + wTransferSize, as the first of an upload, too",
               "other bytes");
}

// As many bytes as every loader returns, or the whole of a smaller memory.
static uint16_t small_read(const struct probe *probe, const struct dfuse_region *region)
{
    uint64_t whole = (uint64_t)region->sectors * region->sector_size;
    uint16_t size = device_max_packet0(probe_device(probe));
    return whole < size ? (uint16_t)whole : size;
}

// An interface with one setting, which is selected, may STALL (USB 2.0 9.4.10).
static bool expect_selected(struct probe *probe, const struct usb_interface *interface)
{
    int result =
        probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
    bool one = probe_device(probe)->config.interface_count == 1;
    return (one && result == USB_STALL) || expect_result(probe, result, 0, NULL);
}

static bool read_alternate(struct probe *probe,
                           const struct usb_interface *interface,
                           const struct dfuse_layout *layout)
{
    uint8_t bytes[DEVICE_MOST_PACKET0];
    for (size_t i = 0; i < layout->count; i++) {
        const struct dfuse_region *region = &layout->regions[i];
        if (!(region->access & DFUSE_READABLE))
            continue;
        return expect_selected(probe, interface) &&
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
    for (size_t i = 0; i < config->interface_count && alternate < probe->loader.layout_count; i++) {
        const struct usb_interface *interface = &config->interfaces[i];
        if (interface_is_dfu(interface) &&
            !read_alternate(probe, interface, &probe->loader.layouts[alternate++]))
            break;
    }
    dfuse_select(probe);
    if (!dfuse_readable(probe))
        probe_inapplicable(probe, "a device with memory that can be read");
}

static void upload_block_1(struct probe *probe)
{
    uint8_t data[DEVICE_MOST_PACKET0];
    struct dfuse_region region = {.sectors = 0};
    if (!dfuse_begin(probe) || !readable_region(probe, &region) || !point_at(probe, region.address))
        return;
    const struct usbdev_setup_packet setup =
        dfu_setup(probe, DFURT_UPLOAD, 1, dfu_small_block(probe));
    if (expect_stall(probe, &setup, data))
        expect_state(probe, DFURT_STATE_dfuERROR, "after the STALL (DFU 1.1 A.2.3)");
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
            continued |= probe->gate.regions[j].range.first == region_end(region);
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
    if (!dfuse_begin(probe))
        return;
    struct dfuse_region region = {.sectors = 0};
    if (last_region(probe))
        region = *last_region(probe);
    region.sectors = dfuse_sectors_there(probe, &region);
    uint16_t left = small_read(probe, &region);
    if (left == 0 || left >= size) {
        probe_inapplicable(probe, "memory with an end that a block can reach across");
        return;
    }
    if (!point_at(probe, region_end(&region) - left))
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
    expect_alive(probe);
}

#define COMMANDS (NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE | NEED_CAN_DNLOAD)
#define READING (COMMANDS | NEED_CAN_UPLOAD)

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
    {"DS-LEAVE-01", "AN3156 5.5", LEVEL_MUST,
     "a zero-length DNLOAD leaves DFU mode for the firmware at the address pointer",
     COMMANDS | NEED_WRITE, leaves_for_firmware},
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
     "UPLOAD of block 1, which is reserved, STALLs, next is dfuERROR",
     READING, upload_block_1},
    {"DS-UPLOAD-04", "AN3156 4.1", LEVEL_MUST,
     "UPLOAD across the end of memory is cut or STALLs, and endpoint 0 works afterwards",
     READING, upload_across_end},
};
// clang-format on

const struct check_group check_dfuse = {
    .title = "DfuSe",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
