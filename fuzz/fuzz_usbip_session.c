// SPDX-License-Identifier: MIT
//
// A USB/IP session with a device behind it, fed in chunks of any size. A judge reads both
// directions: each URB has one answer, RET_SUBMIT or RET_UNLINK with -104 and never both, with no
// more bytes than it asked for. A client that reuses the seqnum of a pending URB cannot tell its
// answers apart: there the judge stops.

#include <assert.h>
#include <stdlib.h>

#include <sim/devices.h>
#include <usbip/session.h>

#include "script.h"

enum { MAX_COMMANDS = 512, MAX_STREAM = 8192, SLICES = 400 };

struct judge {
    struct usbip_command commands[MAX_COMMANDS]; // not answered yet
    size_t count;
    uint8_t stream[MAX_STREAM]; // taken by the session
    size_t stream_length;
    size_t parsed;
    bool off;
    size_t completed; // URBs that the device ended
    size_t submitted; // RET_SUBMIT seen
};

static void completed(void *context, const struct usbip_device *device, const struct usbip_urb *urb)
{
    struct judge *judge = context;

    (void)device;
    assert(urb->actual <= urb->command.length);
    judge->completed += urb->status != USBIP_STATUS_ECONNRESET;
}

static struct usbip_command *
find(struct judge *judge, enum usbip_command_code code, uint32_t seqnum)
{
    for (size_t i = 0; i < judge->count; i++)
        if (judge->commands[i].code == code && judge->commands[i].seqnum == seqnum)
            return &judge->commands[i];
    return NULL;
}

static void forget(struct judge *judge, struct usbip_command *command)
{
    *command = judge->commands[--judge->count];
}

// The messages of the client so far, whole ones only.
static void hear(struct judge *judge, const uint8_t *bytes, size_t length)
{
    struct usbip_command command;

    if (judge->stream_length + length > MAX_STREAM)
        judge->off = true;
    if (judge->off)
        return;
    memcpy(judge->stream + judge->stream_length, bytes, length);
    judge->stream_length += length;
    for (;;) {
        const size_t left = judge->stream_length - judge->parsed;
        int size = usbip_command_decode(&command, judge->stream + judge->parsed, left);

        if (size <= 0 || left < (size_t)size + usbip_command_payload(&command))
            return;
        judge->parsed += (size_t)size + usbip_command_payload(&command);
        judge->off = judge->count == MAX_COMMANDS ||
                     find(judge, USBIP_CMD_SUBMIT, command.seqnum) ||
                     find(judge, USBIP_CMD_UNLINK, command.seqnum);
        if (judge->off)
            return;
        judge->commands[judge->count++] = command;
    }
}

// Returns the bytes of data behind the header.
static size_t judge_submit(struct judge *judge, const struct usbip_reply *reply)
{
    struct usbip_command *command = find(judge, USBIP_CMD_SUBMIT, reply->seqnum);
    const bool in = command && command->in;

    assert(command); // never submitted, or answered before
    assert(reply->actual_length <= command->length);
    forget(judge, command);
    judge->submitted++;
    return in ? reply->actual_length : 0;
}

static void judge_unlink(struct judge *judge, const struct usbip_reply *reply)
{
    struct usbip_command *command = find(judge, USBIP_CMD_UNLINK, reply->seqnum);

    assert(command);
    const uint32_t unlinked = command->unlinked;
    forget(judge, command);
    assert(reply->status == 0 || reply->status == USBIP_STATUS_ECONNRESET);
    if (reply->status == 0)
        return;
    command = find(judge, USBIP_CMD_SUBMIT, unlinked);
    assert(command); // it has had its RET_SUBMIT
    forget(judge, command);
}

// Take all output of the session.
static void listen(struct judge *judge, struct usbip_session *session)
{
    size_t length;
    const uint8_t *said = usbip_session_output(session, &length);

    for (size_t at = 0; at < length && !judge->off;) {
        struct usbip_reply reply;

        assert(usbip_reply_decode(&reply, said + at, length - at) == USBIP_HEADER_SIZE);
        at += USBIP_HEADER_SIZE;
        if (reply.code == USBIP_RET_SUBMIT)
            at += judge_submit(judge, &reply);
        else
            judge_unlink(judge, &reply);
        assert(at <= length);
    }
    usbip_session_sent(session, length);
}

static void run(struct usbip_device *device, uint64_t *wall_ns)
{
    *wall_ns += 3 * SIM_MS;
    for (int slice = 0; usbip_device_catch_up(device, *wall_ns); slice++)
        assert(slice < SLICES);
    for (int slice = 0; usbip_device_run(device); slice++)
        assert(slice < SLICES);
}

static void feed(struct script *script,
                 struct judge *judge,
                 struct usbip_device *device,
                 struct usbip_session *session)
{
    uint64_t wall_ns = 1;
    uint8_t chunks[8] = {0};

    script_bytes(script, chunks, sizeof chunks);
    for (unsigned i = 0; script->length > 0 && !usbip_session_over(session); i++) {
        const uint8_t chunk = chunks[i % sizeof chunks];
        size_t length = chunk & 0x7F;
        length = length < script->length && length > 0 ? length : script->length;
        size_t taken = usbip_session_receive(session, script->bytes, length);

        assert(taken <= length);
        hear(judge, script->bytes, taken);
        script->bytes += taken;
        script->length -= taken;
        if ((chunk & 0x80) || taken < length)
            run(device, &wall_ns);
        listen(judge, session);
    }
    run(device, &wall_ns);
    listen(judge, session);
    if (!judge->off && !usbip_session_over(session))
        assert(judge->submitted >= judge->completed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const names[] = {"composite", "will-detach", "wait-reset", "dfu-mode"};
    static const struct usbip_observer observer = {.completed = completed};
    static struct judge judge;
    struct script script = {bytes, length};
    const uint8_t choice = script_u8(&script);
    char error[200];

    judge.count = judge.stream_length = judge.parsed = judge.completed = judge.submitted = 0;
    judge.off = choice & 0x80; // operations instead of URBs
    struct sim_device *sim =
        sim_open(&(struct sim_options){.device = names[choice & 3]}, error, sizeof error);
    struct usbip_device *device = usbip_device_open(sim, 1, &observer, &judge);
    struct usbip_session *session = usbip_session_open(&device, 1);

    if (!judge.off)
        assert(usbip_session_import(session, device) == USBIP_OP_OK);
    feed(&script, &judge, device, session);
    usbip_session_close(session);
    usbip_device_close(device);
    return 0;
}
