// SPDX-License-Identifier: MIT
//
// URBs live on a list from the end of their payload until their completion; a RET_UNLINK is decided
// by whether its target is still there.

#include "session_private.h"

#include <stdlib.h>

#include "device_private.h"

static void send_unlink_reply(struct usbip_session *session, uint32_t seqnum, int32_t status)
{
    const struct usbip_reply reply = {.code = USBIP_RET_UNLINK, .seqnum = seqnum, .status = status};

    usbip_session_send(session, &reply, NULL, 0);
}

static void refuse(struct usbip_session *session, uint32_t seqnum, int32_t status)
{
    const struct usbip_reply reply = {.code = USBIP_RET_SUBMIT, .seqnum = seqnum, .status = status};

    usbip_session_send(session, &reply, NULL, 0);
}

static struct pending **find_pending(struct usbip_session *session, uint32_t seqnum)
{
    struct pending **link = &session->pending;

    while (*link && (*link)->urb.command.seqnum != seqnum)
        link = &(*link)->next;
    return link;
}

static void urb_done(struct usbip_urb *urb)
{
    struct pending *pending = urb->context;
    struct usbip_session *session = pending->session;
    const struct usbip_reply reply = {
        .code = USBIP_RET_SUBMIT,
        .seqnum = urb->command.seqnum,
        .status = urb->status,
        .actual_length = urb->actual,
    };

    *find_pending(session, urb->command.seqnum) = pending->next;
    session->pending_count--;
    session->pending_bytes -= urb->command.length;
    if (!pending->unlinked)
        usbip_session_send(session, &reply, pending->data, urb->command.in ? urb->actual : 0);
    free(pending);
}

static void submit(struct usbip_session *session, struct pending *pending)
{
    pending->next = session->pending;
    session->pending = pending;
    session->pending_count++;
    session->pending_bytes += pending->urb.command.length;
    usbip_device_submit(session->device, &pending->urb);
}

static void unlink_urb(struct usbip_session *session, const struct usbip_command *command)
{
    struct pending *target = *find_pending(session, command->unlinked);

    if (!target) {
        send_unlink_reply(session, command->seqnum, USBIP_STATUS_OK);
        return;
    }
    target->unlinked = true;
    usbip_device_unlink(session->device, &target->urb);
    send_unlink_reply(session, command->seqnum, USBIP_STATUS_ECONNRESET);
}

static int32_t find_refusal(const struct usbip_session *session,
                            const struct usbip_command *command)
{
    if (command->iso_packets > 0)
        return USBIP_STATUS_EINVAL;
    if (session->pending_count >= USBIP_SESSION_MAX_URBS ||
        session->pending_bytes + command->length > USBIP_SESSION_MAX_BYTES)
        return USBIP_STATUS_ENOMEM;
    return USBIP_STATUS_OK;
}

// Once: a stream of audio or video asks a thousand times a second.
static void tell_isochronous(struct usbip_session *session)
{
    const struct usbip_command *command = &session->command;

    if (command->iso_packets == 0 || session->told_isochronous)
        return;
    session->told_isochronous = true;
    device_note(session->device,
                "isochronous transfers are not carried over USB/IP here: those of endpoint %02Xh "
                "are refused (EINVAL)",
                (unsigned)(command->endpoint | (command->in ? 0x80 : 0)));
}

static void prepare_submission(struct usbip_session *session)
{
    const struct usbip_command *command = &session->command;
    struct pending *pending = NULL;

    tell_isochronous(session);
    session->refusal = find_refusal(session, command);
    if (session->refusal == USBIP_STATUS_OK) {
        pending = calloc(1, sizeof *pending + command->length);
        if (!pending)
            session->refusal = USBIP_STATUS_ENOMEM;
    }
    if (pending) {
        pending->session = session;
        pending->urb.command = *command;
        pending->urb.data = pending->data;
        pending->urb.done = urb_done;
        pending->urb.context = pending;
    }
    session->incoming = pending;
}

void usbip_session_submit(struct usbip_session *session)
{
    struct pending *pending = session->incoming;

    session->incoming = NULL;
    session->payload_size = 0;
    session->payload_length = 0;
    if (pending)
        submit(session, pending);
    else
        refuse(session, session->command.seqnum, session->refusal);
}

static const char *check_command(struct usbip_session *session, const struct usbip_command *command)
{
    const struct usbip_record *record = usbip_device_record(session->device);

    if (command->devid != (record->busnum << 16 | record->devnum))
        return "a command for a device that was not imported";
    if (command->code == USBIP_CMD_SUBMIT && *find_pending(session, command->seqnum))
        return "a sequence number that is still in use";
    return NULL;
}

int usbip_session_command(struct usbip_session *session)
{
    int used = usbip_command_decode(&session->command, session->head, session->head_length);
    const char *violation;

    if (used <= 0)
        return used;
    violation = check_command(session, &session->command);
    if (violation) {
        usbip_session_end(session, violation);
    } else if (session->command.code == USBIP_CMD_UNLINK) {
        unlink_urb(session, &session->command);
    } else {
        prepare_submission(session);
        session->payload_size = usbip_command_payload(&session->command);
        if (session->payload_size == 0)
            usbip_session_submit(session);
    }
    return used;
}

void usbip_session_cancel(struct usbip_session *session)
{
    while (session->pending) {
        session->pending->unlinked = true; // no client is left to read a reply
        usbip_device_unlink(session->device, &session->pending->urb);
    }
}
