// SPDX-License-Identifier: MIT
//
// ST's dialect of DFU mode, as AN3156 and UM0424 describe it and dfu-util depends on it.
//
// Where something is written it is one page, the last of the first region: it is uploaded first,
// and put back before the check ends.

#include <string.h>

#include "check_common.h"
#include <conformance/dfu_steps.h>

enum { PAGE_MAX = PROBE_CONTROL_MAX };

// ---- Layout ----

static bool first_region(struct probe *probe, struct dfuse_region *ret_region)
{
    struct dfuse_layout layout;
    if (!dfuse_read_layout(probe, probe_device(probe)->dfu->iInterface, &layout))
        return probe_inconclusive(probe, "the name of the alternate setting is no layout: %s",
                                  layout.problem);
    *ret_region = layout.regions[0];
    return true;
}

static void layouts(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        struct dfuse_layout layout;
        dfuse_read_layout(probe, config->interfaces[i].iInterface, &layout);
        if (!expect(probe, !*layout.problem,
                    "a name such as '@Internal Flash  /0x08000000/064*0002Kg'",
                    "the name of alternate %u: %s", config->interfaces[i].bAlternateSetting,
                    layout.problem))
            return;
    }
}

// ---- Commands ----

static bool begin(struct probe *probe)
{
    return dfu_to_idle(probe) || probe_inconclusive(probe, "dfuIDLE was not reached");
}

// A command that must end in dfuDNLOAD-IDLE.
static bool expect_command(struct probe *probe, uint8_t command, uint32_t address)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuERROR};
    int result = dfuse_command(probe, command, address);
    return expect_result(probe, result, 5, NULL) &&
           expect(probe, dfu_poll(probe, &status) && status.bState == DFURT_STATE_dfuDNLOAD_IDLE,
                  "dfuDNLOAD-IDLE after the command", "%s, status %02xh",
                  usb_dfu_state_name(status.bState), status.bStatus);
}

// A command that must end in dfuERROR, at the DNLOAD or when it is carried out.
static bool expect_command_fails(struct probe *probe,
                                 const uint8_t *bytes,
                                 uint16_t length,
                                 struct dfu_status_reply *ret_status)
{
    int result = dfu_dnload(probe, 0, bytes, length);
    if (result < 0 && result != USB_STALL)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    if (!expect(probe, dfu_poll(probe, ret_status), "GETSTATUS is answered", "it is not"))
        return false;
    return expect(probe, ret_status->bState == DFURT_STATE_dfuERROR, "dfuERROR", "%s",
                  usb_dfu_state_name(ret_status->bState));
}

static void set_address(struct probe *probe)
{
    struct dfuse_region region;
    if (begin(probe) && first_region(probe, &region))
        expect_command(probe, DFUSE_SET_ADDRESS, region.address);
}

static void first_status_is_busy(struct probe *probe)
{
    struct dfu_status_reply status;
    struct dfuse_region region;
    if (!begin(probe) || !first_region(probe, &region))
        return;
    dfuse_command(probe, DFUSE_SET_ADDRESS, region.address);
    if (expect_getstatus(probe, &status))
        expect(probe, status.bState == DFURT_STATE_dfuDNBUSY, "dfuDNBUSY", "%s",
               usb_dfu_state_name(status.bState));
}

static void set_address_outside(struct probe *probe)
{
    const uint8_t command[5] = {DFUSE_SET_ADDRESS, 0x00, 0x00, 0x00, 0x60};
    struct dfu_status_reply status;
    if (begin(probe) && expect_command_fails(probe, command, sizeof command, &status))
        expect(probe,
               status.bStatus == DFURT_STATUS_errTARGET ||
                   status.bStatus == DFURT_STATUS_errADDRESS,
               "errTARGET or errADDRESS", "status %02xh", status.bStatus);
}

static void erase_outside(struct probe *probe)
{
    const uint8_t command[5] = {DFUSE_ERASE, 0x00, 0x00, 0x00, 0x60};
    struct dfu_status_reply status;
    if (begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_unknown(struct probe *probe)
{
    const uint8_t command[5] = {0x77};
    struct dfu_status_reply status;
    if (begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void command_cut(struct probe *probe)
{
    const uint8_t command[3] = {DFUSE_SET_ADDRESS, 0x00, 0x00};
    struct dfu_status_reply status;
    if (begin(probe))
        expect_command_fails(probe, command, sizeof command, &status);
}

static void get_commands(struct probe *probe)
{
    uint8_t commands[16];
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, 0, sizeof commands);
    int length;
    if (!begin(probe) || !expect_accepted(probe, &setup, commands, &length))
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
    return expect_command(probe, DFUSE_SET_ADDRESS, address) &&
           expect_length(probe, &abort, NULL, 0);
}

static bool read_block(struct probe *probe, uint16_t block, uint8_t *data, uint16_t length)
{
    const struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_UPLOAD, block, length);
    return expect_length(probe, &setup, data, length);
}

// The second block of one upload is the first block of another that begins where it does.
static void upload_addresses(struct probe *probe)
{
    uint8_t first[PAGE_MAX], second[PAGE_MAX], again[PAGE_MAX];
    uint16_t size = dfu_transfer_size(probe);
    struct dfuse_region region;
    if (!begin(probe) || !first_region(probe, &region) || !point_at(probe, region.address) ||
        !read_block(probe, DFUSE_FIRST_BLOCK, first, size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK + 1, second, size) || !begin(probe) ||
        !point_at(probe, region.address + size) ||
        !read_block(probe, DFUSE_FIRST_BLOCK, again, size))
        return;
    expect(probe, memcmp(second, again, size) == 0,
           "block 3 at the address pointer + wTransferSize", "other bytes");
}

static void upload_alternates(struct probe *probe)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    for (size_t i = 0; i < config->interface_count; ++i) {
        const struct usb_interface *interface = &config->interfaces[i];
        uint8_t byte;
        struct dfuse_layout layout;
        if (!dfuse_read_layout(probe, interface->iInterface, &layout) ||
            !(layout.regions[0].access & DFUSE_READABLE))
            continue;
        int result =
            probe_set_interface(probe, interface->bInterfaceNumber, interface->bAlternateSetting);
        if (!expect_result(probe, result, 0, NULL) || !begin(probe) ||
            !point_at(probe, layout.regions[0].address) ||
            !read_block(probe, DFUSE_FIRST_BLOCK, &byte, 1))
            break;
    }
    probe_set_interface(probe, config->interfaces[0].bInterfaceNumber, 0);
}

// ---- One page written and put back ----

struct page {
    uint32_t address;
    uint16_t size;
    uint8_t saved[PAGE_MAX];
};

static bool save_page(struct probe *probe, struct page *page)
{
    struct dfuse_region region;
    const unsigned whole = DFUSE_READABLE | DFUSE_ERASABLE | DFUSE_WRITABLE;
    if (!begin(probe) || !first_region(probe, &region))
        return false;
    if ((region.access & whole) != whole || region.sector_size > dfu_transfer_size(probe))
        return probe_skip(probe, "needs a page of one block that can be read, erased and written");
    page->address = region.address + (region.sectors - 1) * region.sector_size;
    page->size = (uint16_t)region.sector_size;
    return point_at(probe, page->address) &&
           read_block(probe, DFUSE_FIRST_BLOCK, page->saved, page->size);
}

static bool write_page(struct probe *probe, const struct page *page, const uint8_t *bytes)
{
    struct dfu_status_reply status = {.bState = DFURT_STATE_dfuERROR};
    if (!begin(probe) || !expect_command(probe, DFUSE_ERASE, page->address) ||
        !expect_command(probe, DFUSE_SET_ADDRESS, page->address))
        return false;
    int result = dfu_dnload(probe, DFUSE_FIRST_BLOCK, bytes, page->size);
    return expect_result(probe, result, page->size, NULL) &&
           expect(probe, dfu_poll(probe, &status) && status.bState == DFURT_STATE_dfuDNLOAD_IDLE,
                  "dfuDNLOAD-IDLE after the block", "%s, status %02xh",
                  usb_dfu_state_name(status.bState), status.bStatus);
}

static bool expect_page(struct probe *probe, const struct page *page, const uint8_t *expected)
{
    uint8_t data[PAGE_MAX];
    return begin(probe) && point_at(probe, page->address) &&
           read_block(probe, DFUSE_FIRST_BLOCK, data, page->size) &&
           expect(probe, memcmp(data, expected, page->size) == 0, "the bytes that were written",
                  "others");
}

static void write_and_read(struct probe *probe)
{
    struct page page;
    uint8_t bytes[PAGE_MAX];
    if (!save_page(probe, &page))
        return;
    for (size_t i = 0; i < page.size; ++i)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    if (write_page(probe, &page, bytes))
        expect_page(probe, &page, bytes);
    write_page(probe, &page, page.saved);
}

static void erase_page(struct probe *probe)
{
    struct page page;
    uint8_t erased[PAGE_MAX];
    if (!save_page(probe, &page))
        return;
    memset(erased, 0xFF, sizeof erased);
    if (begin(probe) && expect_command(probe, DFUSE_ERASE, page.address))
        expect_page(probe, &page, erased);
    write_page(probe, &page, page.saved);
}

static void page_restored(struct probe *probe)
{
    struct page page;
    uint8_t bytes[PAGE_MAX] = {0};
    if (save_page(probe, &page) && write_page(probe, &page, bytes) &&
        write_page(probe, &page, page.saved))
        expect_page(probe, &page, page.saved);
}

#define COMMANDS (NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE | NEED_CAN_DNLOAD)
#define READING (COMMANDS | NEED_CAN_UPLOAD)
#define WRITING (READING | NEED_WRITE)

// clang-format off
static const struct check checks[] = {
    {"DS-LAYOUT-01", "UM0424 10.3.2", LEVEL_MUST,
     "each alternate setting is named by the layout of its memory",
     NEED_DFU_MODE | NEED_DFU_INTERFACE | NEED_DFUSE, layouts},
    {"DS-CMD-01", "AN3156 4.4", LEVEL_MUST,
     "set address pointer is carried out for an address that is there",
     COMMANDS, set_address},
    {"DS-CMD-02", "dfu-util 0.11", LEVEL_MUST,
     "the first GETSTATUS after a command says dfuDNBUSY",
     COMMANDS, first_status_is_busy},
    {"DS-CMD-03", "AN3156 4.4", LEVEL_MUST,
     "set address pointer fails for an address that is not there",
     COMMANDS, set_address_outside},
    {"DS-CMD-04", "AN3156 4.5", LEVEL_MUST,
     "erase fails for an address that is not there",
     COMMANDS | NEED_WRITE, erase_outside},
    {"DS-CMD-05", "AN3156 4.2", LEVEL_MUST,
     "an unknown command fails",
     COMMANDS, command_unknown},
    {"DS-CMD-06", "AN3156 4.4", LEVEL_MUST,
     "set address pointer without the whole address fails",
     COMMANDS, command_cut},
    {"DS-CMD-07", "AN3156 4.1", LEVEL_MUST,
     "UPLOAD of block 0 lists the commands",
     READING, get_commands},
    {"DS-UPLOAD-01", "AN3156 4.1", LEVEL_MUST,
     "block n of an upload comes from the address pointer + (n - 2) * wTransferSize",
     READING, upload_addresses},
    {"DS-UPLOAD-02", "AN3156 4.1", LEVEL_MUST,
     "each alternate setting that says it can be read can be",
     READING, upload_alternates},
    {"DS-WRITE-01", "AN3156 4.2", LEVEL_MUST,
     "an upload returns what was downloaded",
     WRITING, write_and_read},
    {"DS-WRITE-02", "AN3156 4.5", LEVEL_MUST,
     "an erased page reads FFh",
     WRITING, erase_page},
    {"DS-WRITE-03", "AN3156 4.2", LEVEL_MUST,
     "a page can be written over and put back",
     WRITING, page_restored},
};
// clang-format on

const struct check_group check_dfuse = {
    .title = "DfuSe",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
