// SPDX-License-Identifier: MIT
//
// What a check found, in words, and its verdict. The first expectation that is not met decides
// (probe_expectations.c).

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <conformance/probe.h>

static void describe_last(const struct probe *probe, char *sent, size_t size)
{
    for (size_t i = transcript_count(&probe->transcript); i-- > 0;) {
        const struct transcript_entry *entry = transcript_get(&probe->transcript, i);
        if (entry->aside || entry->kind == TRANSCRIPT_SLEEP ||
            entry->kind == TRANSCRIPT_WAIT_LEAVE || entry->kind == TRANSCRIPT_WAIT_RETURN)
            continue;
        transcript_sent(entry, sent, size);
        return;
    }
    sent[0] = '\0';
}

static enum verdict broken_verdict(const struct probe *probe)
{
    switch (probe->check->level) {
    case LEVEL_MUST:
        if (!probe->judgement.softened)
            return VERDICT_FAIL;
        // fall through
    case LEVEL_SHOULD:
        return probe->options.strict ? VERDICT_FAIL : VERDICT_WARN;
    case LEVEL_INFO:
        break;
    }
    return VERDICT_PASS;
}

// Through the transport or not.
static bool is_request(enum transcript_kind kind)
{
    return kind == TRANSCRIPT_CONTROL || kind == TRANSCRIPT_SET_CONFIGURATION ||
           kind == TRANSCRIPT_SET_INTERFACE || kind == TRANSCRIPT_CLEAR_HALT;
}

// The device has been found on the bus.
static bool is_enumerated(const struct transcript_entry *entry)
{
    bool enumerates = entry->kind == TRANSCRIPT_RESET || entry->kind == TRANSCRIPT_POWER ||
                      entry->kind == TRANSCRIPT_WAIT_RETURN;
    return enumerates && entry->result == 0;
}

// Was the last request not answered, and how many before it?
static bool note_silence(const struct probe *probe, struct finding *finding)
{
    for (size_t i = transcript_count(&probe->transcript); i-- > 0;) {
        const struct transcript_entry *entry = transcript_get(&probe->transcript, i);
        if (is_enumerated(entry))
            break;
        if (!is_request(entry->kind))
            continue;
        if (entry->result != USB_TIMEOUT && entry->result != USB_GONE && entry->result != USB_IO)
            break;
        finding->unanswered++;
        finding->lost_in = entry->dfu_mode ? DEVICE_DFU_MODE : DEVICE_RUN_TIME;
        memcpy(finding->lost_at, entry->setup, sizeof finding->lost_at);
    }
    return finding->unanswered > 0;
}

// The first finding wins: false where there is one.
static bool decide(struct probe *probe, enum verdict verdict)
{
    struct judgement *judgement = &probe->judgement;
    if (judgement->decided)
        return false;
    judgement->decided = true;
    judgement->verdict = verdict;
    return true;
}

bool expect(struct probe *probe, bool met, const char *expected, const char *received, ...)
{
    struct judgement *judgement = &probe->judgement;
    struct finding *finding = &judgement->finding;
    judgement->expectations++;
    if (!probe_in_time(probe, met))
        return false;
    if (met || !decide(probe, broken_verdict(probe)))
        return met;
    judgement->silence = note_silence(probe, finding);
    describe_last(probe, finding->sent, sizeof finding->sent);
    snprintf(finding->expected, sizeof finding->expected, "%s", expected);
    va_list args;
    va_start(args, received);
    vsnprintf(finding->received, sizeof finding->received, received, args);
    va_end(args);
    return false;
}

static void say(struct probe *probe, const char *format, va_list args)
{
    vsnprintf(probe->judgement.finding.message, sizeof probe->judgement.finding.message, format,
              args);
}

bool probe_inconclusive(struct probe *probe, const char *reason, ...)
{
    va_list args;
    va_start(args, reason);
    if (decide(probe, VERDICT_INCONCLUSIVE))
        say(probe, reason, args);
    va_end(args);
    return false;
}

bool probe_skip(struct probe *probe, const char *reason, ...)
{
    va_list args;
    va_start(args, reason);
    if (decide(probe, VERDICT_SKIP))
        say(probe, reason, args);
    va_end(args);
    return false;
}

bool probe_refuse(struct probe *probe, enum gate_answer answer)
{
    switch (answer) {
    case GATE_ASK_STATE:
        return probe_inconclusive(probe, "the device does not report its state in full");
    case GATE_NEEDS_STATE:
        if (probe->gate.state == GATE_STATE_SILENT)
            return probe_inapplicable(probe,
                                      "a device that answers GETSTATE or GETSTATUS in appIDLE");
        return probe_inconclusive(probe,
                                  "the device says %s at run time: nothing is sent that it "
                                  "could act on in that state",
                                  usb_dfu_state_name((uint8_t)probe->gate.state));
    case GATE_BEGINS_TO_PROGRAM:
    case GATE_NEVER:
        return probe_inconclusive(probe, "%s", gate_answer_text(answer));
    case GATE_NEEDS_WRITE:
    case GATE_NEEDS_KEPT:
    case GATE_NEEDS_DETACH:
    case GATE_NEEDS_VENDOR:
    case GATE_SEND:
        break;
    }
    return probe_skip(probe, "%s", gate_answer_text(answer));
}

bool probe_inapplicable(struct probe *probe, const char *kind)
{
    if (!probe->judgement.decided)
        probe->judgement.inapplicable = true;
    return probe_skip(probe, "needs %s", kind);
}

void probe_soften(struct probe *probe)
{
    probe->judgement.softened = true;
}

void probe_note(struct probe *probe, const char *note, ...)
{
    va_list args;
    va_start(args, note);
    if (!probe->judgement.decided)
        say(probe, note, args);
    va_end(args);
}

bool given(struct probe *probe, bool met)
{
    struct finding *finding = &probe->judgement.finding;
    if (met || !probe->judgement.decided || !*finding->expected)
        return met;
    probe->judgement.verdict = VERDICT_INCONCLUSIVE;
    snprintf(finding->message, sizeof finding->message,
             "an earlier step failed: expected %.100s; received %.100s", finding->expected,
             finding->received);
    finding->expected[0] = '\0';
    finding->received[0] = '\0';
    return false;
}
