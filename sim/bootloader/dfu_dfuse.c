// SPDX-License-Identifier: MIT
//
// The dialect of ST's ROM boot loaders (AN3156). Block 0 of a download is a command, block 1 is
// reserved, block n from 2 on goes to the address pointer + (n - 2) * wTransferSize. Block 0 of an
// upload lists the commands. A zero-length download leaves for the firmware at the address pointer,
// from dfuDNLOAD-IDLE and from dfuIDLE (AN3156, "Leave DFU mode").

#include <string.h>

#include <sim/dfu_mode.h>
#include <usb/bytes.h>

enum command {
    GET_COMMANDS = 0x00,
    SET_ADDRESS_POINTER = 0x21,
    ERASE = 0x41,
    READ_UNPROTECT = 0x92,
};

static bool exists(const struct memory *memory, uint32_t address)
{
    uint8_t byte;

    return memory->read(memory->context, address, &byte, 1) == 1;
}

static int set_address_pointer(struct dfu_mode *dfu, uint32_t address)
{
    if (dfu->config->choices.protects_address)
        return DFURT_STATUS_errVENDOR;
    if (!dfu->config->choices.judges_address_late && !exists(dfu->config->memory, address))
        return DFURT_STATUS_errTARGET;
    dfu->address = address;
    return DFURT_STATUS_OK;
}

static int erase_page(struct dfu_mode *dfu, uint32_t address)
{
    struct memory_page page = memory_page_at(dfu->config->memory, address);

    if (page.size == 0)
        return DFURT_STATUS_errTARGET;
    if (page.read_only)
        return DFURT_STATUS_errWRITE;
    dfu->work.erase_from = page.address;
    dfu->work.erase_to = page.address + page.size;
    return DFURT_STATUS_OK;
}

static int mass_erase(struct dfu_mode *dfu)
{
    const struct memory *memory = dfu->config->memory;

    dfu->work.mass_erase = true;
    dfu->work.erase_from = memory->base;
    dfu->work.erase_to = memory->base + memory->size;
    return DFURT_STATUS_OK;
}

static int begin_command(struct dfu_mode *dfu)
{
    const uint8_t *bytes = dfu->buffer;

    switch (bytes[0]) {
    case SET_ADDRESS_POINTER:
        if (dfu->length == 5)
            return set_address_pointer(dfu, load_le32(bytes + 1));
        break;
    case ERASE:
        if (dfu->length == 5)
            return erase_page(dfu, load_le32(bytes + 1));
        if (dfu->length == 1)
            return mass_erase(dfu);
        break;
    case READ_UNPROTECT: // nothing is protected, and an erase of everything is refused
        if (dfu->length == 1)
            return DFURT_STATUS_errVENDOR;
        break;
    }
    return DFURT_STATUS_errSTALLEDPKT;
}

static uint32_t block_address(const struct dfu_mode *dfu, uint16_t block)
{
    return dfu->address + (block - 2U) * dfu->config->wTransferSize;
}

static int dfuse_begin(struct dfu_mode *dfu)
{
    uint32_t address = block_address(dfu, dfu->block);

    if (dfu->block == 0)
        return begin_command(dfu);
    if (dfu->block == 1)
        return DFURT_STATUS_errSTALLEDPKT;
    if (!exists(dfu->config->memory, address) ||
        !exists(dfu->config->memory, address + dfu->length - 1))
        return DFURT_STATUS_errTARGET;
    dfu->work.address = address;
    dfu->work.data = dfu->buffer;
    dfu->work.length = dfu->length;
    return DFURT_STATUS_OK;
}

static int list_commands(struct dfu_mode *dfu, uint16_t length)
{
    static const uint8_t commands[] = {GET_COMMANDS, SET_ADDRESS_POINTER, ERASE, READ_UNPROTECT};

    memcpy(dfu->buffer, commands, sizeof commands);
    return length < sizeof commands ? length : (int)sizeof commands;
}

static int dfuse_upload(struct dfu_mode *dfu, uint16_t block, uint16_t length)
{
    const struct memory *memory = dfu->config->memory;
    int read;

    if (block == 0)
        return list_commands(dfu, length);
    if (block == 1 || length < dfu->config->choices.fewest_to_read)
        return -DFURT_STATUS_errSTALLEDPKT;
    read = memory->read(memory->context, block_address(dfu, block), dfu->buffer, length);
    return read < 0 ? -DFURT_STATUS_errTARGET : read;
}

static int dfuse_manifest(struct dfu_mode *dfu)
{
    (void)dfu;
    return DFURT_STATUS_OK;
}

// As the chip does: is the first word, the stack pointer, programmed?
static bool dfuse_valid(const struct memory *memory)
{
    uint8_t word[4];

    return memory->read(memory->context, memory->base, word, sizeof word) == sizeof word &&
           load_le32(word) != 0xFFFFFFFF;
}

static uint32_t dfuse_firmware(const struct memory *memory, uint32_t *ret_address)
{
    *ret_address = memory->base;
    return 0;
}

const struct dfu_dialect dfu_dialect_dfuse = {
    .begin = dfuse_begin,
    .upload = dfuse_upload,
    .manifest = dfuse_manifest,
    .valid = dfuse_valid,
    .firmware = dfuse_firmware,
    .leaves_from_idle = true,
};
