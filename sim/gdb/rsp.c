// SPDX-License-Identifier: MIT
//
// A state machine takes one byte at a time: between packets, in the data, after an escape, in the
// two digits of the checksum. The last packet that was sent is kept, to send it again when the peer
// asks with "-".

#include <gdb/rsp.h>

#include <string.h>

enum { INTERRUPT = 0x03, ESCAPE_XOR = 0x20 };

void rsp_init(struct rsp *rsp)
{
    memset(rsp, 0, sizeof *rsp);
}

// ---- Out ----

bool rsp_has_room(const struct rsp *rsp)
{
    return rsp->output_length < RSP_MAX_FRAME;
}

static void put(struct rsp *rsp, const char *bytes, size_t length)
{
    if (length > sizeof rsp->output - rsp->output_length)
        return; // a peer that breaks the rules may lose packets
    memcpy(rsp->output + rsp->output_length, bytes, length);
    rsp->output_length += length;
}

static void acknowledge(struct rsp *rsp, char how)
{
    if (!rsp->no_ack)
        put(rsp, &how, 1);
}

static bool is_special(char byte)
{
    return byte == '#' || byte == '$' || byte == '}' || byte == '*';
}

static char hex_digit(unsigned value)
{
    return "0123456789abcdef"[value & 0xF];
}

void rsp_send(struct rsp *rsp, const char *data, size_t length)
{
    uint8_t sum = 0;
    char *at = rsp->last;

    if (length > RSP_MAX_PACKET)
        length = RSP_MAX_PACKET;
    *at++ = '$';
    for (size_t i = 0; i < length; i++) {
        if (is_special(data[i])) {
            *at++ = '}';
            sum = (uint8_t)(sum + '}');
        }
        *at = (char)(is_special(data[i]) ? data[i] ^ ESCAPE_XOR : data[i]);
        sum = (uint8_t)(sum + (uint8_t)*at++);
    }
    *at++ = '#';
    *at++ = hex_digit(sum >> 4);
    *at++ = hex_digit(sum);
    rsp->last_length = (size_t)(at - rsp->last);
    put(rsp, rsp->last, rsp->last_length);
}

const char *rsp_output(const struct rsp *rsp, size_t *ret_length)
{
    *ret_length = rsp->output_length;
    return rsp->output;
}

void rsp_sent(struct rsp *rsp, size_t length)
{
    rsp->output_length -= length;
    memmove(rsp->output, rsp->output + length, rsp->output_length);
}

// ---- In ----

static void begin(struct rsp *rsp)
{
    rsp->state = RSP_DATA;
    rsp->length = 0;
    rsp->too_long = false;
    rsp->sum = 0;
}

static void keep(struct rsp *rsp, uint8_t byte)
{
    if (rsp->length < RSP_MAX_PACKET)
        rsp->packet[rsp->length++] = (char)byte;
    else
        rsp->too_long = true;
}

static enum rsp_event between(struct rsp *rsp, uint8_t byte)
{
    if (byte == '$')
        begin(rsp);
    else if (byte == '-' && !rsp->no_ack)
        put(rsp, rsp->last, rsp->last_length);
    return byte == INTERRUPT ? RSP_INTERRUPT : RSP_NOTHING;
}

// A packet that begins within another one: the rest of that one was lost.
static void in_data(struct rsp *rsp, uint8_t byte)
{
    if (byte == '$') {
        begin(rsp);
        return;
    }
    if (byte == '#') {
        rsp->state = RSP_SUM_HIGH;
        return;
    }
    rsp->sum = (uint8_t)(rsp->sum + byte);
    if (byte == '}')
        rsp->state = RSP_ESCAPED;
    else
        keep(rsp, byte);
}

static void escaped(struct rsp *rsp, uint8_t byte)
{
    rsp->sum = (uint8_t)(rsp->sum + byte);
    rsp->state = RSP_DATA;
    keep(rsp, byte ^ ESCAPE_XOR);
}

// The value of a hexadecimal digit, 16 of anything else: then no sum is right.
static unsigned digit_value(uint8_t byte)
{
    const char *digits = "0123456789abcdef";
    const char *at =
        byte == 0 ? NULL : strchr(digits, byte >= 'A' && byte <= 'F' ? byte | 32 : byte);

    return at ? (unsigned)(at - digits) : 16;
}

static enum rsp_event end(struct rsp *rsp, unsigned sum)
{
    bool well = sum == rsp->sum && !rsp->too_long;

    rsp->state = RSP_BETWEEN;
    acknowledge(rsp, well ? '+' : '-');
    rsp->packet[rsp->length] = '\0';
    return well ? RSP_PACKET : RSP_NOTHING;
}

enum rsp_event rsp_receive(struct rsp *rsp, uint8_t byte)
{
    switch (rsp->state) {
    case RSP_BETWEEN:
        return between(rsp, byte);
    case RSP_DATA:
        in_data(rsp, byte);
        break;
    case RSP_ESCAPED:
        escaped(rsp, byte);
        break;
    case RSP_SUM_HIGH:
        rsp->received_sum = (uint8_t)digit_value(byte);
        rsp->state = RSP_SUM_LOW;
        break;
    case RSP_SUM_LOW:
        return end(rsp, (unsigned)rsp->received_sum << 4 | digit_value(byte));
    }
    return RSP_NOTHING;
}
