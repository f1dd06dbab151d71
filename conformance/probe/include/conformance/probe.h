// SPDX-License-Identifier: MIT
//
// probe.h - what a check may do, and how it reports what it found.
//
// A check is a function that sends requests to the device and states what it expects:
//
//     static void getstate_equals_getstatus(struct probe *probe)
//     {
//         struct dfu_status_reply status;
//         uint8_t state;
//         if (!expect_getstatus(probe, &status) || !expect_getstate(probe, &state))
//             return;
//
//         expect_number(probe, "bState of GETSTATE", state, status.bState);
//     }
//
// The verdict follows from the expectations: all met is PASS; the first that is not met decides
// (FAIL, WARN or a note, by the level of the check) and is reported in full: what was sent,
// expected and received. An expectation that could not be tested because the transport failed is
// INCONCLUSIVE. A check that expected nothing is INCONCLUSIVE too, never a PASS.
//
// Every transfer of a run goes through the probe_ functions: past the gate, which decides whether
// it may be sent to this device now (gate.h), and into the transcript. A request that the gate
// refuses ends the check: a SKIP that names the option it needs, or INCONCLUSIVE.

#ifndef CONFORMANCE_PROBE_H
#define CONFORMANCE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conformance/check.h>
#include <conformance/device.h>
#include <conformance/gate.h>
#include <conformance/probe_time.h>
#include <conformance/target.h>
#include <conformance/transcript.h>
#include <conformance/trips.h>
#include <usb/dfuse_layout.h>
#include <usb/names.h>
#include <usb/requests.h>

enum verdict {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_WARN,
    VERDICT_SKIP,
    VERDICT_INCONCLUSIVE,
};

const char *verdict_text(enum verdict verdict); // "PASS", ...

enum {
    PROBE_TIMEOUT_MS = 5000,  // of a control transfer, USB 2.0 9.2.6.1
    PROBE_WORDS = 320,        // longest text of a finding
    PROBE_DFU_UTIL_MS = 5000, // dfu-util waits that long for DFU mode
    PROBE_FWUPD_MS = 10000,   // fwupd waits that long
    PROBE_RETURN_MS = 0,      // as long as a device may be off the bus: 20 s, or --return-time
    PROBE_AWAY_MS = 20000,    // the same without --return-time; DFU 1.1 names no time
    PROBE_LEAVE_MS = 3000,    // a device that leaves by itself has left by then
    PROBE_CONTROL_MAX = UINT16_MAX, // the longest control transfer (wLength has 16 bits)
    PROBE_ALTERNATES = 8,           // alternate settings of the DFU interface that are looked at
};

// Why a verdict is not a plain PASS. Empty strings where there is nothing to say.
struct finding {
    char sent[PROBE_WORDS];
    char expected[PROBE_WORDS];
    char received[PROBE_WORDS];
    char message[PROBE_WORDS]; // SKIP and INCONCLUSIVE: the reason; PASS: a note

    // The device was lost each time that the check ran, and in lost_in at this request; all 0 where
    // no request was under way.
    bool lost;
    bool lost_late; // it answered that request, and left then
    enum device_mode lost_in;
    uint8_t lost_at[USBDEV_SETUP_SIZE];

    // The device was not lost, but left so many requests unanswered until the finding: lost_in and
    // lost_at are of the first of them.
    unsigned unanswered;
};

// Called with long waits while they last, to show them to a person.
typedef void probe_waiting(void *context, unsigned ms, const char *what);

// Called behind each entry of the transcript.
typedef void probe_behind(void *context, const struct transcript_entry *entry);

// What the person wants, for the whole run.
struct probe_options {
    struct gate_leave leave;
    bool strict;
    unsigned return_ms;  // how long a device may be off the bus (--return-time); 0: not given
    const uint8_t *file; // for the device, to be judged (--file); NULL: none
    size_t file_length;
};

// What was seen of the boot loader, in the whole run.
struct loader {
    // Its memory as its alternate settings describe it; without regions where they do not.
    struct dfuse_layout layouts[PROBE_ALTERNATES];
    size_t layout_count;
    bool layouts_known; // each name of an alternate setting was answered

    enum {
        DM_DETACH_UNTRIED,
        DM_DETACH_STALLS,
        DM_DETACH_TAKEN, // ever
    } detach;
    unsigned detach_in; // 1 << the states for which its rows have sent it, or tried to
    enum {
        GETSTATE_UNTRIED,
        GETSTATE_WORKS,
        GETSTATE_MISSING, // dfuIDLE, and it is not answered: GETSTATUS is asked instead
        GETSTATE_UNTRUE,  // it says dfuIDLE where GETSTATUS does not: the same
    } getstate;
    enum {
        RESTART_UNKNOWN,
        RESTART_SEEN,
        RESTART_NEVER,    // it was still in DFU mode, a while later
    } restart;            // by itself, after manifestation
    unsigned mute_errors; // running: behind a request that it STALLed it was lost at GETSTATE
    unsigned taken;       // unexpected requests that it does not STALL (dfu_error.c)
    unsigned untold;      // 1 << the states that a request led to, and in which GETSTATE says none
    bool polls_too_long;  // a bwPollTimeout was beyond all bounds, and it was ready long before
    bool needs_power;     // no bus reset ended its last dfuMANIFEST-WAIT-RESET
    uint64_t stays_us;    // it leaves DFU mode by itself after so long; 0: not seen
    bool breaks_off;      // it does so in the middle of an upload, too
};

// The device since it was enumerated.
struct presence {
    uint64_t returned_us; // when it was found on the bus
    bool unchanged;       // at run time, and with the descriptors that it had there before
    uint8_t alternate;    // the alternate setting of the DFU interface that is selected
    bool refused;         // the last class request that is no question was STALLed
    bool leaving;         // DETACH was accepted in DFU mode: it may leave at any time
    bool manifests;       // a download was ended, and dfuIDLE was not reported since
    bool may_restart;     // it has manifested, and has not restarted yet

    // Of the last GETSTATUS that announced a busy state: when it ends, and when half of its
    // bwPollTimeout has passed; the end of the last dfuMANIFEST, 0 where there was none.
    uint64_t busy_end_us;
    uint64_t busy_until_us;
    uint64_t manifest_end_us;
};

// What a check came to.
struct judgement {
    enum verdict verdict;
    bool inapplicable;     // a SKIP, because the requirement is for other kinds of device
    bool softened;         // a must that is a should for this device
    bool decided;          // verdict is final: the first finding wins
    bool awaits_departure; // that the boot loader leaves by itself is what it is about
    bool silence;          // the finding was made when the last request was not answered
    unsigned expectations; // how many were tested
    struct finding finding;
};

struct probe {
    struct target *target;
    struct probe_options options;
    struct gate gate;
    struct backup *backup; // what checks write over, and may be put back; the runner's
    struct probe_time time;
    probe_waiting *waiting; // may be NULL
    void *waiting_context;
    probe_behind *behind; // may be NULL
    void *behind_context;

    // The device in both modes, and in the one that it is in now.
    struct device run_time;
    struct device dfu_mode;
    enum device_mode mode;
    bool detached;      // DETACH was accepted, and the device has not been at run time again since
    bool stuck;         // it says appDETACH, whatever was waited for since DETACH was accepted last
    bool takes_no_time; // wDetachTimeOut is 0, and it STALLed DETACH with another wValue

    // So many ways of the suite's own are under way, one within another: what is sent brings the
    // device into a mode or a state, or tells of it, and no check judges it. 0: a check sends it.
    unsigned on_the_way;
    bool asking; // the gate's question: nothing may come between it and the request that it is for
    struct loader loader;
    struct presence since;
    struct trips trips;
    unsigned resets; // of the bus, in the whole run, that left it at run time as it was

    // How often the device was lost in this run and no check FAILed for it, by its mode then; and
    // the request of all of these, all 0 where they differ or it was none.
    struct unjudged_losses {
        unsigned count;
        uint8_t at[USBDEV_SETUP_SIZE];
    } losses[DEVICE_DFU_MODE + 1];

    // The check that runs.
    const struct check *check;
    struct transcript transcript;
    struct judgement judgement;
};

// Start on a target that has just been opened. Until the first check the suite is on its way.
void probe_init(struct probe *probe, struct target *target, const struct probe_options *options);

// Forget the last check, begin this one.
void probe_begin(struct probe *probe, const struct check *check);

// The check has returned: its verdict. A check that tested nothing is never a PASS.
enum verdict probe_end(struct probe *probe);

// The device as it is now.
const struct device *probe_device(const struct probe *probe);

// A wValue for DETACH at run time that the device has no reason to refuse, in milliseconds: what
// tools send, but no more than wDetachTimeOut (5.1), which may be 0 where bitWillDetach is 1.
uint16_t probe_detach_time(const struct probe *probe);

// ---- The bus. Results as in target.h; USB_UNSUPPORTED where the gate refused it. ----

// data holds setup->wLength bytes, or is NULL where that is 0.
int probe_control(struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t *data);

// The same with stages that come late or not at all, where the target has TARGET_CAN_DEPART; with
// no departure, on any target.
int probe_control_departing(struct probe *probe,
                            const struct usbdev_setup_packet *setup,
                            uint8_t *data,
                            const struct target_departure *departure);
int probe_transfer(struct probe *probe,
                   uint8_t bEndpointAddress,
                   uint8_t *data,
                   size_t length,
                   unsigned timeout_ms);
int probe_set_configuration(struct probe *probe, uint8_t value);
int probe_set_interface(struct probe *probe, uint8_t interface, uint8_t alternate);
int probe_clear_halt(struct probe *probe, uint8_t bEndpointAddress);
int probe_reset(struct probe *probe);
int probe_to_default(struct probe *probe);
int probe_to_address(struct probe *probe);
int probe_power_cycle(struct probe *probe);
int probe_suspend(struct probe *probe);
int probe_resume(struct probe *probe);
int probe_wait_leave(struct probe *probe, unsigned timeout_ms, const char *what);
int probe_wait_return(struct probe *probe, unsigned timeout_ms, const char *what);

// Wait in the target's time; what completes "waiting for ...".
void probe_sleep(struct probe *probe, unsigned ms, const char *what);
uint64_t probe_now_us(struct probe *probe);

// By how much this host has been late in all; 0 where that is not known, or time is virtual.
uint64_t probe_late_us(struct probe *probe);

// The string descriptor, in the first language that the device has, as UTF-8; empty if there is
// none. Returns false if the device was lost meanwhile.
bool probe_read_string(struct probe *probe, uint8_t index, char *text, size_t size);

// The first LANGID of string 0; 0409h where there is none (USB 2.0 9.6.7).
uint16_t probe_language(struct probe *probe);

// Read the target's descriptors again, and determine in which mode the device is. Called by the
// functions above whenever the device may have changed.
void probe_refresh(struct probe *probe);

// ---- Requests ----

// A DFU request to the DFU interface, in its own direction (DFU 1.1 table 3.1).
struct usbdev_setup_packet
dfu_setup(const struct probe *probe, uint8_t bRequest, uint16_t wValue, uint16_t wLength);

// GETSTATUS, decoded (DFU 1.1 6.1.2).
struct dfu_status_reply {
    uint8_t bStatus;
    uint32_t bwPollTimeout; // ms
    uint8_t bState;
    uint8_t iString;
};

// Of the bytes as they came.
struct dfu_status_reply dfu_status_load(const uint8_t bytes[DFURT_STATUS_REPLY_SIZE]);

// The two questions for the state. Return what probe_control() returns; *ret_status is set where
// the reply is whole.
int probe_getstatus(struct probe *probe, struct dfu_status_reply *ret_status);
int probe_getstate(struct probe *probe, uint8_t *ret_state);

// ---- Expectations. Each returns whether it was met; if not, the verdict is set. ----

// The general form; the format tells what was received. What was sent is the last transfer.
bool expect(struct probe *probe, bool met, const char *expected, const char *received, ...)
    __attribute__((format(printf, 4, 5)));

// A number that must be this.
bool expect_number(struct probe *probe, const char *what, unsigned received, unsigned expected);

// The request is carried out: its data stage has this length, or any length.
bool expect_length(struct probe *probe,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   uint16_t length);
bool expect_accepted(struct probe *probe,
                     const struct usbdev_setup_packet *setup,
                     uint8_t *data,
                     int *ret_length);

// For a check that sent the request itself: result is this length; or is a STALL. data, or NULL, is
// what came.
bool expect_result(struct probe *probe, int result, uint16_t length, const uint8_t *data);
bool expect_carried_out(struct probe *probe, int result); // whatever the length
bool expect_stalled(struct probe *probe, int result, const uint8_t *data);

// The request STALLs.
bool expect_stall(struct probe *probe, const struct usbdev_setup_packet *setup, uint8_t *data);

// GETSTATUS and GETSTATE answer in full.
bool expect_getstatus(struct probe *probe, struct dfu_status_reply *ret_status);
bool expect_getstate(struct probe *probe, uint8_t *ret_state);

// Is GETSTATE still asked here? Not in dfuERROR, nor behind a STALL that leads there, of a boot
// loader that was lost at it there twice: GETSTATUS changes nothing in dfuERROR either (A.2.11).
bool probe_may_ask_getstate(const struct probe *probe);

// GETSTATE as a question of the suite's own: USB_UNSUPPORTED where the device was lost at it twice.
int probe_ask_getstate(struct probe *probe, uint8_t *ret_state);

// A question that each device answers, of the suite's own: the device descriptor; the device's
// status where the device was lost at that twice. Stores how many bytes were asked for.
int probe_ask_device(struct probe *probe,
                     uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE],
                     uint16_t *ret_length);

// The device is in this state. In appIDLE GETSTATUS and GETSTATE may both STALL, which also means
// appIDLE (tables A.2.1 and A.2.2: they are optional in appIDLE and required in appDETACH).
bool expect_state(struct probe *probe, uint8_t bState, const char *when);

// The state that GETSTATE said is this one. Where GETSTATUS says so, and it is a state in which
// another check compares the two answers, the check is INCONCLUSIVE. Not appIDLE: many devices say
// that in GETSTATUS whatever their state is.
bool expect_agreed(struct probe *probe, uint8_t state, uint8_t bState, const char *expected);

// The device stays on the bus for so long. One that leaves and does not come back may have been
// unplugged: that is INCONCLUSIVE.
bool expect_stays(struct probe *probe, unsigned ms, const char *what);

// A time that a device may be off the bus, in ms, with PROBE_RETURN_MS replaced by its value.
unsigned probe_away_ms(const struct probe *probe, unsigned ms);

// The device is on the bus again within so long, enumerated. It is waited for as long as
// --return-time says; the caller judges whether a tool would have waited so long.
bool expect_return(struct probe *probe, unsigned ms, const char *what);

// A precondition, which the check needs and does not judge: given(probe, expect_detach(probe,
// ...)). If it was not met, the check is INCONCLUSIVE and says why; the check that requires it is
// another one.
bool given(struct probe *probe, bool met);

// ---- Other verdicts ----

// A result that says nothing of the requirement: the transport failed. Returns false.
bool probe_inconclusive(struct probe *probe, const char *reason, ...)
    __attribute__((format(printf, 2, 3)));

// The gate refused a request: a SKIP or INCONCLUSIVE with the reason. Returns false.
bool probe_refuse(struct probe *probe, enum gate_answer answer);

// The check needs something that the device or the target does not have. Returns false.
bool probe_skip(struct probe *probe, const char *reason, ...) __attribute__((format(printf, 2, 3)));

// The requirement applies to another kind of device: a SKIP that the maker cannot fix, and that is
// counted apart. Returns false.
bool probe_inapplicable(struct probe *probe, const char *kind);

// For this device the requirement is a should, whatever the level of the check.
void probe_soften(struct probe *probe);

// Something worth knowing that does not change the verdict, such as which of two permitted
// behaviours the device has.
void probe_note(struct probe *probe, const char *note, ...) __attribute__((format(printf, 2, 3)));

#endif
