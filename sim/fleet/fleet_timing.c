// SPDX-License-Identifier: MIT
//
// Devices that take the time that a specification gives them.

#include <sim/fleet.h>

enum {
    NO_DATA_MS = 49,     // of 50
    FIRST_DATA_MS = 499, // of 500
    LATE_MS = 200,
    GRAIN_MS = 50,
};

static int
answer_later(struct defect_view *view, const struct usbdev_setup_packet *setup, uint32_t delay_ms)
{
    usbdev_setup_store(view->delayed, setup);
    view->delay_ms = delay_ms;
    return NATIVE_SILENT;
}

// Requests without data; those of DFU too.
static int slow_without_data(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    return setup->wLength == 0 ? answer_later(view, setup, NO_DATA_MS) : NATIVE_PASS;
}

static int slow_with_data(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool in = (setup->bmRequestType & USBDEV_DIR_IN) != 0;

    return in && setup->wLength > 0 ? answer_later(view, setup, FIRST_DATA_MS) : NATIVE_PASS;
}

// settle_ms of the class is told at the first SETUP: nothing has begun by then.
static int leave_late(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    if (view->runtime)
        view->runtime->dfurt_config.settle_ms = LATE_MS;
    return NATIVE_PASS;
}

// A clock of 50 ms beats on its own: a detach timer that is in its last beat is over.
static void beat(struct defect_view *view)
{
    if (!view->runtime || dfurt_state(&view->runtime->dfurt) != DFURT_STATE_appDETACH) {
        view->scratch = 0;
        return;
    }
    view->scratch++;
    if (view->scratch + GRAIN_MS > view->runtime->dfurt_config.wDetachTimeOut)
        dfurt_cancel(&view->runtime->dfurt);
}

// ---- Boot loaders that start the firmware without a request ----

static bool is_idle(const struct defect_view *view)
{
    return view->bootloader && view->bootloader->dfu.bState == DFURT_STATE_dfuIDLE;
}

static int begin_waiting_again(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    (void)setup;
    view->scratch = 0;
    return NATIVE_PASS;
}

// scratch is UINT32_MAX where it stays.
static void leave_after(struct defect_view *view, uint32_t ms)
{
    if (is_idle(view) && view->scratch != UINT32_MAX && ++view->scratch >= ms)
        defect_start_firmware(view);
}

// Without a request.
static void leave_when_idle(struct defect_view *view)
{
    leave_after(view, 3000);
}

static void leave_when_idle_for_a_moment(struct defect_view *view)
{
    leave_after(view, 300);
}

// Unless a download or an upload has begun by then.
static int stay_for_a_transfer(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) ||
        defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD))
        view->scratch = UINT32_MAX;
    return NATIVE_PASS;
}

static void leave_soon(struct defect_view *view)
{
    leave_after(view, 5000);
}

// A host has hardly enumerated it by then.
static void leave_at_once(struct defect_view *view)
{
    leave_after(view, 300);
}

// scratch counts from 1 when a download was ended, and goes on in dfuIDLE, behind manifestation.
static int begin_restart(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    bool ends = defect_is_asked(view, setup, TO_DFU, DFURT_DNLOAD) && setup->wLength == 0 &&
                view->bootloader->dfu.bState == DFURT_STATE_dfuDNLOAD_IDLE;
    bool asks = setup->bmRequestType & USBDEV_DIR_IN;
    if (ends || !asks)
        view->scratch = ends;
    return NATIVE_PASS;
}

static void restart_after(struct defect_view *view, uint32_t ms)
{
    if (is_idle(view) && view->scratch > 0 && view->scratch++ >= ms)
        defect_start_firmware(view);
}

static void restart_soon(struct defect_view *view)
{
    restart_after(view, 20);
}

static void restart_later(struct defect_view *view)
{
    restart_after(view, 300);
}

static void restart_last(struct defect_view *view)
{
    restart_after(view, 2000);
}

#define BY_ITSELF "DFU 1.1 A.2.3: the table has no row for what the device does by itself"

#define RESTARTS(time, on_tick)                                                                    \
    {                                                                                              \
        .model = {.name = "restarts-" time "-ms-after-manifest",                                   \
                  .summary = "says dfuIDLE after manifestation, and restarts " time " ms later",   \
                  .bootloader = &bootloader_plain_tolerant},                                       \
        .allowed_by = BY_ITSELF, .way = {.setup = begin_restart, .tick = on_tick},                 \
    }

// Three boot loaders that start their firmware after a time: behind DETACH, plain and DfuSe; and at
// power-on.
#define LEAVES_AS(named, says, by, at_power_on, on_tick)                                           \
    {                                                                                              \
        .model = {.name = named,                                                                   \
                  .summary = says ", unless a transfer of firmware has begun",                     \
                  .bootloader = by,                                                                \
                  .starts_in_bootloader = at_power_on},                                            \
        .allowed_by = BY_ITSELF, .way = {.setup = stay_for_a_transfer, .tick = on_tick},           \
    }
#define LEAVES(named, time, on_tick)                                                               \
    LEAVES_AS(named, "starts its firmware " time " after the boot loader",                         \
              &bootloader_plain_wait_reset, false, on_tick),                                       \
        LEAVES_AS(named "-dfuse", "DfuSe; starts its firmware " time " after the boot loader",     \
                  FLEET_DFUSE(2048, .choices = {.leaves_by_itself = true},                         \
                              .alternates = {"@Internal Flash  /0x08000000/064*0002Kg"}),          \
                  false, on_tick),                                                                 \
        LEAVES_AS(named "-at-power-on",                                                            \
                  "comes up in DFU mode, and starts its firmware " time " later",                  \
                  &bootloader_plain_tolerant, true, on_tick)

const struct variation fleet_of_timing[] = {
    {
        .model = {.name = "slow-without-data",
                  .summary = "a request without data takes 49 ms",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "USB 2.0 9.2.6.4: 50 ms for the status stage of a request without data",
        .way = {.setup = slow_without_data},
    },
    {
        .model = {.name = "slow-with-data",
                  .summary = "the first data of a request come after 499 ms",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 9.2.6.4: 500 ms until the first data",
        .way = {.setup = slow_with_data},
    },
    {
        .model = {.name = "leaves-late",
                  .summary = "leaves the bus 200 ms after the status stage of DETACH",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "DFU 1.1 5.1: no time is named between DETACH and the disconnect",
        .way = {.setup = leave_late},
    },
    {
        .model = {.name = "coarse-timer",
                  .summary = "the detach timer is up to 50 ms early, as its clock is coarse",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 4.1.3: wDetachTimeOut is what the device waits at most",
        .way = {.tick = beat},
    },
    {
        .model = {.name = "away-3-s",
                  .summary = "off the bus for 3 s between its modes",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "DFU 1.1 5.1: no time is named; dfu-util looks after 5 s",
        .way = {.reset_ms = 3000},
    },
    {
        .model = {.name = "away-8-s",
                  .summary = "off the bus for 8 s between its modes",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 5.1: no time is named; fwupd waits for 10 s",
        .way = {.reset_ms = 8000},
    },
    {
        .model =
            {.name = "short-polls",
             .summary =
                 "bwPollTimeout is 7 ms, and GETSTATUS reports dfuDNBUSY until the block is done",
             .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.longest_poll_ms = 5})},
        .allowed_by = "DFU 1.1 A.2.4: GETSTATUS reports dfuDNBUSY while the block is programmed",
    },
    {
        .model = {.name = "short-polls-dfuse",
                  .summary =
                      "DfuSe; bwPollTimeout is 3 ms, and GETSTATUS reports dfuDNBUSY repeatedly",
                  .bootloader =
                      FLEET_DFUSE(2048,
                                  .choices = {.leaves_by_itself = true, .longest_poll_ms = 1},
                                  .alternates = {"@Internal Flash  /0x08000000/064*0002Kg"})},
        .allowed_by = "DFU 1.1 A.2.4: GETSTATUS reports dfuDNBUSY while the block is programmed",
    },
    {
        .model =
            {.name = "short-polls-erases-first",
             .summary = "the first block takes 2 s, announced 7 ms at a time: 300 times dfuDNBUSY",
             .bootloader = FLEET_PLAIN(
                 1024, FLEET_TOLERANT, .choices = {.longest_poll_ms = 5, .erases_first = true})},
        .allowed_by = "DFU 1.1 A.2.4: GETSTATUS reports dfuDNBUSY while the block is programmed",
    },
    {
        .model = {.name = "long-manifest",
                  .summary = "manifestation takes 20 s",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.manifest_ms = 20000})},
        .allowed_by = "DFU 1.1 6.1.2, A.2.7: bwPollTimeout says how long it takes",
    },
    {
        .model = {.name = "long-manifest-tolerant",
                  .summary = "manifestation takes 5 s, and the device is tolerant of it",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.manifest_ms = 5000})},
        .allowed_by = "DFU 1.1 6.1.2, A.2.7: bwPollTimeout says how long it takes",
    },
    {
        .model = {.name = "done-at-once",
                  .summary = "a block is programmed when GETSTATUS answers: never dfuDNBUSY",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.done_at_once = true})},
        .allowed_by = "DFU 1.1 A.2.4: GETSTATUS reports dfuDNLOAD-IDLE once the block is done",
    },
    {
        .model = {.name = "done-at-once-addressed",
                  .summary = "never dfuDNBUSY; blocks addressed, waits for the reset",
                  .bootloader =
                      FLEET_PLAIN(512,
                                  FLEET_BOTH_WAYS,
                                  .choices = {.done_at_once = true, .addresses_blocks = true})},
        .allowed_by = "DFU 1.1 A.2.4: GETSTATUS reports dfuDNLOAD-IDLE once the block is done",
    },
    {
        .model = {.name = "leaves-when-idle",
                  .summary = "starts its firmware after 3 s without a request in dfuIDLE",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = BY_ITSELF,
        .way = {.setup = begin_waiting_again, .tick = leave_when_idle},
    },
    {
        .model = {.name = "leaves-when-idle-for-a-moment",
                  .summary = "starts its firmware after 300 ms without a request in dfuIDLE",
                  .bootloader = &bootloader_plain_tolerant},
        .allowed_by = BY_ITSELF,
        .way = {.setup = begin_waiting_again, .tick = leave_when_idle_for_a_moment},
    },
    LEAVES("leaves-at-once", "300 ms", leave_at_once),
    LEAVES("leaves-soon", "5 s", leave_soon),
    RESTARTS("20", restart_soon),
    RESTARTS("300", restart_later),
    RESTARTS("2000", restart_last),
    {.allowed_by = NULL},
};
