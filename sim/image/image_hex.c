// SPDX-License-Identifier: MIT
//
// Intel HEX (Intel, Hexadecimal Object File Format, revision A, 1988). A line is a colon and bytes
// in hex: count, two of address, type, data, and a checksum that makes their sum 0.

#include "image_private.h"

enum {
    RECORD_DATA = 0,
    RECORD_END = 1,
    RECORD_SEGMENT = 2, // bits 4..19 of the addresses that follow
    RECORD_START_SEGMENT = 3,
    RECORD_LINEAR = 4, // bits 16..31
    RECORD_START_LINEAR = 5,
};

enum { OVERHEAD = 5, MAX_RECORD = OVERHEAD + 255 };

struct parser {
    struct image_file *file;
    size_t at;
    unsigned line;
    uint32_t base;
    bool ended;
};

struct record {
    uint8_t bytes[MAX_RECORD];
    size_t size;
};

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

static bool at_end_of_line(const struct parser *parser)
{
    const struct image_file *file = parser->file;

    return parser->at == file->size || file->bytes[parser->at] == '\n' ||
           file->bytes[parser->at] == '\r';
}

static bool read_bytes(struct parser *parser, struct record *record)
{
    const struct image_file *file = parser->file;

    record->size = 0;
    for (; !at_end_of_line(parser); parser->at += 2) {
        int high = digit(file->bytes[parser->at]);
        int low = parser->at + 1 < file->size ? digit(file->bytes[parser->at + 1]) : -1;
        if (high < 0 || low < 0)
            return image_fail(parser->file,
                              "line %u is not a line of Intel HEX: hex digits in pairs "
                              "were expected behind the colon",
                              parser->line);
        if (record->size == MAX_RECORD)
            return image_fail(parser->file,
                              "line %u has more than the %d bytes of the longest "
                              "record",
                              parser->line, MAX_RECORD);
        record->bytes[record->size++] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool check_record(struct parser *parser, const struct record *record)
{
    uint8_t sum = 0;

    if (record->size < OVERHEAD || record->size != OVERHEAD + (size_t)record->bytes[0])
        return image_fail(parser->file,
                          "line %u has %zu bytes, and its count makes it %zu: the file "
                          "is damaged",
                          parser->line, record->size,
                          OVERHEAD + (size_t)(record->size > 0 ? record->bytes[0] : 0));
    for (size_t i = 0; i < record->size; i++)
        sum = (uint8_t)(sum + record->bytes[i]);
    if (sum != 0)
        return image_fail(parser->file,
                          "line %u has the checksum %02Xh, and its bytes make it %02Xh: "
                          "the file is damaged",
                          parser->line, record->bytes[record->size - 1],
                          (uint8_t)(record->bytes[record->size - 1] - sum));
    return true;
}

static bool put_data(struct parser *parser, const struct record *record)
{
    uint32_t address = parser->base + ((uint32_t)record->bytes[1] << 8 | record->bytes[2]);

    return image_put(parser->file, "a record", address, record->bytes + 4, record->bytes[0]);
}

static bool apply(struct parser *parser, const struct record *record)
{
    const uint8_t *data = record->bytes + 4;

    switch (record->bytes[3]) {
    case RECORD_DATA:
        return put_data(parser, record);
    case RECORD_END:
        parser->ended = true;
        return true;
    case RECORD_SEGMENT:
    case RECORD_LINEAR:
        if (record->bytes[0] != 2)
            return image_fail(parser->file, "line %u gives a base address in %u bytes, not in 2",
                              parser->line, record->bytes[0]);
        parser->base = ((uint32_t)data[0] << 8 | data[1])
                       << (record->bytes[3] == RECORD_LINEAR ? 16 : 4);
        return true;
    case RECORD_START_SEGMENT: // the processor takes its start from the vector table
    case RECORD_START_LINEAR:
        return true;
    default:
        return image_fail(parser->file, "line %u is a record of the unknown type %02Xh",
                          parser->line, record->bytes[3]);
    }
}

static bool read_line(struct parser *parser)
{
    struct record record;

    if (at_end_of_line(parser))
        return true;
    if (parser->file->bytes[parser->at] != ':')
        return image_fail(parser->file,
                          "line %u is not a line of Intel HEX: it does not begin with a "
                          "colon",
                          parser->line);
    parser->at++;
    return read_bytes(parser, &record) && check_record(parser, &record) && apply(parser, &record);
}

static void skip_end_of_line(struct parser *parser)
{
    const struct image_file *file = parser->file;

    if (parser->at < file->size && file->bytes[parser->at] == '\r')
        parser->at++;
    if (parser->at < file->size && file->bytes[parser->at] == '\n')
        parser->at++;
}

bool image_load_hex(struct image_file *file)
{
    struct parser parser = {.file = file};

    while (parser.at < file->size && !parser.ended) {
        parser.line++;
        if (!read_line(&parser))
            return false;
        skip_end_of_line(&parser);
    }
    return parser.ended || image_fail(file, "truncated: no end record in %u lines", parser.line);
}
