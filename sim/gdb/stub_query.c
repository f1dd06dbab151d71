// SPDX-License-Identifier: MIT
//
// Packets that begin with q: what the stub can do, the target description, the memory map, and
// `monitor` (GDB manual, E.4, E.17, G.5.4).

#include <stdio.h>
#include <string.h>

#include "stub_private.h"

static const char target_description[] = "<?xml version=\"1.0\"?>\n"
                                         "<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                                         "<target>\n"
                                         "<architecture>arm</architecture>\n"
                                         "<feature name=\"org.gnu.gdb.arm.m-profile\">\n"
                                         "<reg name=\"r0\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r1\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r2\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r3\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r4\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r5\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r6\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r7\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r8\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r9\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r10\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r11\" bitsize=\"32\"/>\n"
                                         "<reg name=\"r12\" bitsize=\"32\"/>\n"
                                         "<reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/>\n"
                                         "<reg name=\"lr\" bitsize=\"32\"/>\n"
                                         "<reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/>\n"
                                         "<reg name=\"xpsr\" bitsize=\"32\"/>\n"
                                         "</feature>\n"
                                         "<feature name=\"org.gnu.gdb.arm.m-system\">\n"
                                         "<reg name=\"msp\" bitsize=\"32\" type=\"data_ptr\"/>\n"
                                         "<reg name=\"psp\" bitsize=\"32\" type=\"data_ptr\"/>\n"
                                         "</feature>\n"
                                         "</target>\n";

// Does a packet begin with this word? Then *at moves behind it.
static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

static void supported(struct gdb_stub *stub, const char *peer)
{
    char text[200];

    stub->says_hwbreak = strstr(peer, "hwbreak+");
    snprintf(text, sizeof text,
             "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:memory-map:read+;hwbreak+;"
             "vContSupported+;ReverseStep+;ReverseContinue+",
             RSP_MAX_PACKET);
    gdb_reply(stub, text);
}

// "OFFSET,LENGTH" of a document: 'm' and a piece, or 'l' and the last piece.
static void send_piece(struct gdb_stub *stub, const char *at, const char *document)
{
    char text[RSP_MAX_PACKET];
    size_t size = strlen(document);
    uint32_t offset, length;

    if (!gdb_take_hex(&at, &offset) || !gdb_take(&at, ',') || !gdb_take_hex(&at, &length) ||
        offset > size) {
        gdb_reply(stub, "E00");
        return;
    }
    if (length > sizeof text - 1)
        length = sizeof text - 1;
    if (length > size - offset)
        length = (uint32_t)(size - offset);
    text[0] = offset + length < size ? 'm' : 'l';
    memcpy(text + 1, document + offset, length);
    rsp_send(&stub->rsp, text, 1 + (size_t)length);
}

static void monitor(struct gdb_stub *stub, const char *arguments)
{
    char command[128];
    char text[RSP_MAX_PACKET / 2 - 1];
    char packet[RSP_MAX_PACKET];
    size_t length = strlen(arguments) / 2;

    if (length >= sizeof command || !gdb_take_bytes(&arguments, (uint8_t *)command, length) ||
        *arguments) {
        gdb_reply(stub, "E01");
        return;
    }
    command[length] = '\0';
    text[0] = '\0';
    if (!stub->target->monitor(stub->context, command, text, sizeof text))
        snprintf(text, sizeof text, "unknown command: %.40s; see monitor help\n", command);
    if (text[0] == '\0')
        gdb_reply(stub, "OK");
    else
        rsp_send(&stub->rsp, packet,
                 (size_t)(gdb_put_bytes(packet, (const uint8_t *)text, strlen(text)) - packet));
}

void gdb_query(struct gdb_stub *stub, const char *arguments)
{
    if (take_word(&arguments, "Supported"))
        supported(stub, arguments);
    else if (take_word(&arguments, "Xfer:features:read:target.xml:"))
        send_piece(stub, arguments, target_description);
    else if (take_word(&arguments, "Xfer:memory-map:read::"))
        send_piece(stub, arguments, stub->target->memory_map(stub->context));
    else if (take_word(&arguments, "Rcmd,"))
        monitor(stub, arguments);
    else if (strcmp(arguments, "Attached") == 0 || strncmp(arguments, "Attached:", 9) == 0)
        gdb_reply(stub, "1"); // so that GDB detaches when it ends
    else if (strcmp(arguments, "C") == 0)
        gdb_reply(stub, "QC1");
    else if (strcmp(arguments, "fThreadInfo") == 0)
        gdb_reply(stub, "m1");
    else if (strcmp(arguments, "sThreadInfo") == 0)
        gdb_reply(stub, "l");
    else
        gdb_reply(stub, "");
}
