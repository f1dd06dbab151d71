// SPDX-License-Identifier: MIT
//
// Run time is left by DETACH and, with bitWillDetach = 0, a bus reset. DFU mode is left by the
// first of these that works: DfuSe's leave request (with --allow-write), a bus reset, a second one,
// DETACH, a power cycle, a person who replugs the device.
//
// Between two checks mode_quieten() brings the state machine back to appIDLE or dfuIDLE by requests
// that move no firmware. A device that no longer answers is waited for and reset.

#include <stdio.h>
#include <stdlib.h>

#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/modes.h>

enum {
    DETACH_MS = 1000,  // what dfu-util and fwupd ask for
    REPLUG_MS = 60000, // a person's time to pull a plug and put it back
};

static bool fail_with(char *why, size_t size, const char *text)
{
    snprintf(why, size, "%s", text);
    return false;
}

unsigned mode_return_ms(const struct probe *probe)
{
    enum { RETURN_MS = 60000 };
    return probe->options.return_ms ? probe->options.return_ms : RETURN_MS;
}

// Once more where the wValue that it refuses tells another one.
static int send_detach(struct probe *probe)
{
    uint16_t wValue = probe_detach_time(probe);
    struct usbdev_setup_packet setup = dfu_setup(probe, DFURT_DETACH, wValue, 0);
    int result = probe_control(probe, &setup, NULL);
    if (probe_detach_time(probe) == wValue)
        return result;
    setup.wValue = probe_detach_time(probe);
    return probe_control(probe, &setup, NULL);
}

static const char *why_no_dfu(const struct probe *probe)
{
    if (*probe->target->fault)
        return probe->target->fault;
    if (probe->run_time.config.interface_left_out)
        return "no DFU interface is among the first 128 interface descriptors, and the suite "
               "stores no more";
    return "the device has no DFU interface";
}

static bool enter_dfu(struct probe *probe, char *why, size_t size)
{
    if (probe->mode == DEVICE_DFU_MODE)
        return true;
    if (!probe->run_time.dfu)
        return fail_with(why, size, why_no_dfu(probe));
    bool waits = !device_will_detach(&probe->run_time);
    if (waits && !(probe->target->capabilities & TARGET_CAN_RESET))
        return fail_with(why, size,
                         "this target cannot reset the bus, and the device waits for that");

    int result = send_detach(probe);
    if (result < 0 && result != USB_GONE) {
        snprintf(why, size, "DETACH: %s", usb_result_text(result));
        return false;
    }
    if (waits && result == 0)
        result = probe_reset(probe);
    // The device may see the reset first and drop its pull-up a moment later.
    if (probe->mode != DEVICE_DFU_MODE && result == 0)
        result = probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave");
    if (result == USB_TIMEOUT)
        return fail_with(why, size, "the device does not leave the bus after DETACH");
    if (probe->mode != DEVICE_DFU_MODE &&
        probe_wait_return(probe, mode_return_ms(probe), "DFU mode") < 0)
        return fail_with(why, size, "the device does not come back after DETACH");
    if (probe->mode != DEVICE_DFU_MODE)
        return fail_with(why, size, "the device is still at run time after DETACH");
    probe_time_forget_state(probe);
    return true;
}

bool mode_enter_dfu(struct probe *probe, char *why, size_t size)
{
    probe->on_the_way++;
    bool entered = enter_dfu(probe, why, size);
    probe->on_the_way--;
    return entered;
}

// ---- Back to run time ----

// No flash is written, but it is a download.
bool mode_request_leave(struct probe *probe)
{
    struct dfu_status_reply status;
    if (dfu_dnload(probe, DFUSE_FIRST_BLOCK, NULL, 0) < 0)
        return false;
    dfu_ask(probe, &status); // starts it; some leave the bus before they answer
    return probe_wait_leave(probe, PROBE_LEAVE_MS, "the boot loader to leave") == 0 &&
           probe_wait_return(probe, mode_return_ms(probe), "run time") == 0;
}

static void dfuse_leave(struct probe *probe)
{
    char why[PROBE_WORDS];
    if (probe->loader.layouts[0].count > 0 && dfu_to_idle(probe) &&
        dfuse_point_at(probe, probe->loader.layouts[0].regions[0].address, why, sizeof why))
        mode_request_leave(probe);
}

static void reset_and_find(struct probe *probe)
{
    if (probe_reset(probe) == USB_GONE)
        probe_wait_return(probe, mode_return_ms(probe), "run time");
}

// DFU mode has no DETACH (A.2.3), but with some boot loaders it is the way back: of cameras, of
// FPGA boards, of two-image devices. fwupd knows them as "detach-for-attach".
static void leave_by_detach(struct probe *probe)
{
    const struct usbdev_setup_packet detach = dfu_setup(probe, DFURT_DETACH, DETACH_MS, 0);
    int result = probe_control(probe, &detach, NULL);
    if ((result == 0 || result == USB_GONE) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the boot loader to leave") == 0)
        probe_wait_return(probe, mode_return_ms(probe), "run time");
}

// Some take a second bus reset.
static void leave_by_resets(struct probe *probe)
{
    enum { RESETS = 2 };
    for (int i = 0; i < RESETS && probe->mode == DEVICE_DFU_MODE; i++)
        reset_and_find(probe);
}

static bool leave_dfu(struct probe *probe, bool ask, char *why, size_t size)
{
    bool dfuse = probe->gate.dialect == GATE_DFUSE;
    bool may_leave = dfuse && probe->gate.leave.write;
    if (probe->mode == DEVICE_DFU_MODE && may_leave)
        dfuse_leave(probe);
    if (probe->target->capabilities & TARGET_CAN_RESET)
        leave_by_resets(probe);
    if (probe->mode == DEVICE_DFU_MODE)
        leave_by_detach(probe);
    if (probe->mode == DEVICE_DFU_MODE && (probe->target->capabilities & TARGET_CAN_POWER))
        probe_power_cycle(probe);
    if (probe->mode == DEVICE_DFU_MODE && ask &&
        probe_wait_leave(probe, REPLUG_MS, "the device to be unplugged and plugged in again") == 0)
        probe_wait_return(probe, REPLUG_MS, "the device to be plugged in again");
    if (probe->mode == DEVICE_RUN_TIME)
        return true;
    return fail_with(
        why, size,
        dfuse && !may_leave
            ? "the device stays in DFU mode: unplug it and plug it in again (DfuSe's request "
              "to leave is a download, and needs --allow-write)"
            : "the device stays in DFU mode: unplug it and plug it in again");
}

bool mode_leave_dfu(struct probe *probe, bool ask, char *why, size_t size)
{
    probe->on_the_way++;
    bool left = leave_dfu(probe, ask, why, size);
    probe->on_the_way--;
    return left;
}

bool mode_enter_run_time(struct probe *probe, bool ask, char *why, size_t size)
{
    if (probe->mode == DEVICE_RUN_TIME)
        return true;
    return backup_restore(probe, why, size) && mode_leave_dfu(probe, ask, why, size);
}

// ---- Between two checks ----

static int ask_state(struct probe *probe, uint8_t *ret_state)
{
    struct dfu_status_reply status;
    int result = probe_ask_getstate(probe, ret_state);
    if (result == DFURT_STATE_REPLY_SIZE || result == USB_GONE || result == USB_IO)
        return result;
    result = probe_getstatus(probe, &status);
    if (result == DFURT_STATUS_REPLY_SIZE)
        *ret_state = status.bState;
    return result;
}

// appDETACH ends by leaving, by an illegal request, or by the timer (tables A.2.1, A.2.2).
static void end_detach(struct probe *probe)
{
    if (probe->stuck)
        return;
    if (device_will_detach(&probe->run_time) &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the device to leave") == 0) {
        probe_wait_return(probe, mode_return_ms(probe), "DFU mode");
        return;
    }
    const struct usbdev_setup_packet abort = dfu_setup(probe, DFURT_ABORT, 0, 0);
    uint8_t state = DFURT_STATE_appIDLE;
    probe_control(probe, &abort, NULL);
    ask_state(probe, &state);
    if (state != DFURT_STATE_appDETACH)
        return;
    probe_sleep(probe, device_detach_limit(&probe->run_time) + 100, "the detach timer");
    ask_state(probe, &state);
    probe->stuck = state == DFURT_STATE_appDETACH;
    if (probe->stuck && (probe->target->capabilities & TARGET_CAN_POWER))
        probe_power_cycle(probe); // nothing else leads out of it
}

// A device that does not report its state, or that says appIDLE once it has accepted DETACH, may
// still be in appDETACH, or about to leave: its timer ends that.
static void outwait_detach(struct probe *probe)
{
    unsigned timeout_ms = device_detach_limit(&probe->run_time) + 100;
    probe->detached = false;
    if (probe_wait_leave(probe, timeout_ms, "the detach timer") == 0)
        probe_wait_return(probe, mode_return_ms(probe), "the device to come back");
}

static bool gone(int result)
{
    return result == USB_GONE || result == USB_IO;
}

// Returns whether the device answers again.
static bool recover(struct probe *probe)
{
    uint8_t state;
    if (probe_wait_return(probe, mode_return_ms(probe), "the device to come back") < 0)
        return false;
    // A device that never left the bus and no longer answers may have changed its mode without a
    // disconnect.
    if (gone(ask_state(probe, &state)) && (probe->target->capabilities & TARGET_CAN_RESET))
        reset_and_find(probe);
    return !gone(ask_state(probe, &state));
}

// A device that has accepted DETACH in DFU mode may start its firmware a moment later: nothing is
// written until then.
static void outwait_leaving(struct probe *probe)
{
    if (probe->since.leaving &&
        probe_wait_leave(probe, PROBE_LEAVE_MS, "the boot loader to leave after DETACH") == 0)
        probe_wait_return(probe, mode_return_ms(probe), "the device");
    probe->since.leaving = false;
}

// A check that ended a manifestation by a request did not end what the device had begun: it may
// restart when bwPollTimeout has passed (DFU 1.1 A.2.8), and would be missed by the next check.
static void outwait_manifestation(struct probe *probe)
{
    enum { MARGIN_MS = 100 };
    uint64_t now_us = probe_now_us(probe);
    uint64_t end_us = probe->since.manifest_end_us;
    uint64_t left_us = end_us > now_us ? end_us - now_us : 0;
    if (end_us && probe_wait_leave(probe, dfu_wait_ms(probe, left_us / 1000) + MARGIN_MS,
                                   "the boot loader to leave after manifestation") == 0)
        probe_wait_return(probe, mode_return_ms(probe), "the device");
    probe->since.manifest_end_us = 0;
}

void mode_outwait_restart(struct probe *probe)
{
    if (!probe->since.may_restart)
        return;
    probe->since.may_restart = false;
    probe->on_the_way++;
    if (probe_wait_leave(probe, PROBE_LEAVE_MS,
                         "the boot loader to leave by itself after manifestation") == 0) {
        probe->loader.restart = RESTART_SEEN;
        probe_wait_return(probe, mode_return_ms(probe), "the device");
    } else if (probe->loader.restart == RESTART_UNKNOWN) {
        probe->loader.restart = RESTART_NEVER;
    }
    probe->on_the_way--;
}

bool mode_needs_power(struct probe *probe)
{
    uint8_t state = DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    return probe->loader.needs_power && probe->mode == DEVICE_DFU_MODE &&
           !gone(ask_state(probe, &state)) && state == DFURT_STATE_dfuMANIFEST_WAIT_RESET;
}

// Where no request leads to dfuIDLE, as from dfuMANIFEST-WAIT-RESET (DFU 1.1 A.2.9), a reset does;
// where it does not, power does. Neither question has to be answered in that state.
static bool quieten_dfu_mode(struct probe *probe)
{
    bool manifesting =
        probe->loader.needs_power || (probe->backup && probe->backup->fate.manifesting);
    uint8_t state = manifesting ? DFURT_STATE_dfuMANIFEST_WAIT_RESET : DFURT_STATE_dfuIDLE;
    outwait_leaving(probe);
    outwait_manifestation(probe);
    mode_outwait_restart(probe);
    if (probe->mode != DEVICE_DFU_MODE || dfu_to_idle(probe))
        return true;
    if (gone(ask_state(probe, &state)))
        return recover(probe);
    probe->loader.needs_power = state == DFURT_STATE_dfuMANIFEST_WAIT_RESET;
    if (probe->target->capabilities & TARGET_CAN_RESET)
        reset_and_find(probe);
    mode_outwait_restart(probe);
    probe->loader.needs_power = mode_needs_power(probe);
    if (probe->loader.needs_power && (probe->target->capabilities & TARGET_CAN_POWER))
        return probe_power_cycle(probe) == 0;
    return !gone(ask_state(probe, &state)) || recover(probe);
}

// A state other than appIDLE and appDETACH at run time is not ended by a request, because a handler
// for both modes could take it for a command (gate.h); nor is the state behind a DNLOAD that was
// accepted there, where the device does not tell it. A bus reset ends it (DFU 1.1 A.2.11); where it
// does not, the power is cycled where the target can.
static void end_other_state(struct probe *probe)
{
    uint8_t state = DFURT_STATE_appIDLE;
    if (probe->target->capabilities & TARGET_CAN_RESET)
        reset_and_find(probe);
    ask_state(probe, &state);
    if (state >= DFURT_STATE_dfuIDLE && (probe->target->capabilities & TARGET_CAN_POWER))
        probe_power_cycle(probe);
}

static bool says_idle_before_leaving(const struct probe *probe, uint8_t state)
{
    return state == DFURT_STATE_appIDLE && device_will_detach(&probe->run_time);
}

static bool quieten_run_time(struct probe *probe)
{
    uint8_t state = DFURT_STATE_appIDLE;
    if (gone(ask_state(probe, &state)))
        return recover(probe);
    probe->stuck &= state == DFURT_STATE_appDETACH;
    if (state == DFURT_STATE_appDETACH)
        end_detach(probe);
    else if (probe->detached && (probe->gate.silent || says_idle_before_leaving(probe, state)))
        outwait_detach(probe);
    else if (state >= DFURT_STATE_dfuIDLE || probe->gate.took_dnload)
        end_other_state(probe);
    else
        return true;
    return !gone(ask_state(probe, &state)) || recover(probe);
}

bool mode_quieten(struct probe *probe)
{
    if (!probe_device(probe)->dfu)
        return true;
    probe->on_the_way++;
    bool answers =
        probe->mode == DEVICE_DFU_MODE ? quieten_dfu_mode(probe) : quieten_run_time(probe);
    probe->on_the_way--;
    return answers;
}
