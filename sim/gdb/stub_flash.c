// SPDX-License-Identifier: MIT
//
// Packets that begin with vFlash: what GDB's `load` and `flash-erase` send for memory that the
// memory map calls flash (GDB manual, E.2).

#include <string.h>

#include "stub_private.h"

static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

// "ADDRESS,LENGTH"
static void erase(struct gdb_stub *stub, const char *at)
{
    uint32_t address, length;

    gdb_reply_ok_or_error(stub, gdb_take_hex(&at, &address) && gdb_take(&at, ',') &&
                                    gdb_take_hex(&at, &length) && *at == '\0' &&
                                    stub->target->erase_flash(stub->context, address, length));
}

// "ADDRESS:" and bytes up to the end of the packet
static void write(struct gdb_stub *stub, const char *at)
{
    uint32_t address;

    if (!gdb_take_hex(&at, &address) || !gdb_take(&at, ':')) {
        gdb_reply(stub, "E01");
        return;
    }
    size_t length = stub->rsp.length - (size_t)(at - stub->rsp.packet);
    gdb_reply_ok_or_error(
        stub, stub->target->program_flash(stub->context, address, (const uint8_t *)at, length));
}

bool gdb_flash(struct gdb_stub *stub, const char *arguments)
{
    if (take_word(&arguments, "FlashErase:"))
        erase(stub, arguments);
    else if (take_word(&arguments, "FlashWrite:"))
        write(stub, arguments);
    else if (strcmp(arguments, "FlashDone") == 0)
        gdb_reply(stub, "OK");
    else
        return false;
    return true;
}
