// SPDX-License-Identifier: MIT
//
// The power fails at each millisecond of an update of a native board, which is each step that its
// flash makes: a page erased, the half-words of a millisecond programmed, a mark set. Whatever is
// left, the next power-on or the one after it, with the button held, is one of a board that can be
// updated; and no boot loader that checks its firmware starts a piece of it.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dfu_host.h"

enum { IMAGE = 4096 };

struct update {
    const char *device;
    bool dfuse;
    uint16_t wTransferSize;
};

// ---- The board ----

static unsigned pieces_started;

static void note(void *context, const struct sim_flash_event *event)
{
    (void)context;
    if (event->kind == SIM_FLASH_STARTED && !event->whole)
        pieces_started++;
}

static const struct sim_flash_watch watch = {.event = note};

static void switch_on_again(struct sim_host *host)
{
    sim_host_power(host, false);
    pass_ms(host, 100);
    sim_host_power(host, true);
}

// ---- The host program: every step may fail, as the board may have gone ----

static uint16_t product(struct sim_host *host)
{
    uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE] = {0};

    control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0, descriptor, 18);
    return usbdev_load_le16(descriptor + 10);
}

static bool enter_boot_loader(struct sim_host *host)
{
    if (!enumerates(host))
        return false;
    if (product(host) != 0x0001)
        return true;
    control(host, 0x21, DFURT_DETACH, 1000, 0, NULL, 0);
    pass_ms(host, 20);
    sim_host_reset(host); // for a board that waits for it
    return enumerates(host) && product(host) != 0x0001;
}

// Download the image and start it. Returns whether all of it went well.
static bool flash(struct sim_host *host, const struct update *update, const uint8_t *image)
{
    uint16_t block = 0;

    if (settle(host) == DFURT_STATE_dfuERROR) // errFIRMWARE, as dfu-util does
        control(host, 0x21, DFURT_CLRSTATUS, 0, 0, NULL, 0);
    for (uint32_t at = 0; at < IMAGE; at += update->wTransferSize) {
        const uint32_t address = 0x08000000 + at;

        if (update->dfuse && (!dfuse_command(host, DFUSE_ERASE, address) ||
                              !dfuse_command(host, DFUSE_SET_ADDRESS, address)))
            return false;
        if (!dnload(host, update->dfuse ? 2 : block++, image + at, update->wTransferSize))
            return false;
    }
    if (update->dfuse && !dfuse_command(host, DFUSE_SET_ADDRESS, 0x08000000))
        return false;
    if (control(host, 0x21, DFURT_DNLOAD, update->dfuse ? 2 : block, 0, NULL, 0) != 0)
        return false;
    settle(host);
    sim_host_reset(host);
    return true;
}

// Another maker's image is whole as far as a board can tell; a piece of it begins all the same.
// The board's own has a length and a hash: it is taken from the board and put back.
static void read_image(struct sim_host *host, const struct update *update, uint8_t *image)
{
    uint16_t block = update->dfuse ? 2 : 0;

    for (uint32_t at = 0; at < IMAGE; at += update->wTransferSize)
        assert_int_equal(
            control(host, 0xA1, DFURT_UPLOAD, block++, 0, image + at, update->wTransferSize),
            update->wTransferSize);
    assert_int_equal(control(host, 0x21, DFURT_ABORT, 0, 0, NULL, 0), 0);
}

// ---- The cut ----

// Returns the milliseconds that the download took.
static uint64_t survive(const struct update *update, uint64_t cut_ms)
{
    static uint8_t image[IMAGE];
    const struct sim_options options = {.device = update->device, .watch = &watch};
    struct sim_host *host = plug_in(&options);
    uint64_t begin_ns, end_ns;

    assert_true(enter_boot_loader(host));
    read_image(host, update, image);
    pieces_started = 0;
    begin_ns = sim_host_now(host);
    cut_power_at(sim_host_device(host), begin_ns + cut_ms * SIM_MS);
    flash(host, update, image);
    end_ns = sim_host_now(host);
    cut_power_at(sim_host_device(host), UINT64_MAX);

    switch_on_again(host);
    if (!enter_boot_loader(host)) {
        // What was started is a piece, and nothing but a hand at the button helps.
        assert_true(pieces_started > 0);
        switch_on_again(host);
        if (!enter_boot_loader(host))
            fail_msg("%s, cut after %llu ms: it cannot be updated any more", update->device,
                     (unsigned long long)cut_ms);
    }
    if (!update->dfuse && pieces_started > 0)
        fail_msg("%s, cut after %llu ms: a piece of firmware was started", update->device,
                 (unsigned long long)cut_ms);

    pieces_started = 0;
    assert_true(flash(host, update, image));
    enumerate(host);
    assert_int_equal(product(host), 0x0001);
    assert_int_equal(pieces_started, 0);
    sim_host_close(host);
    return (end_ns - begin_ns) / SIM_MS;
}

static void cut__at_each_step_leaves_a_board_that_can_be_updated(void **state)
{
    static const struct update updates[] = {
        {"will-detach", true, 2048},
        {"wait-reset", false, 1024},
        {"dfu-plain", false, 1024},
    };
    (void)state;

    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
        uint64_t whole_ms = survive(&updates[i], UINT32_MAX);

        assert_in_range(whole_ms, 100, 2000); // two pages erased, 2048 half-words programmed
        for (uint64_t ms = 0; ms <= whole_ms; ms++)
            survive(&updates[i], ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut__at_each_step_leaves_a_board_that_can_be_updated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
