// SPDX-License-Identifier: MIT
//
// What the native boards start, and what a watch on their flash is told.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dfu_host.h"

enum { BLOCK = 1024, PAGE = 2048, MOST = 8 };

static struct log {
    struct sim_flash_event erased[MOST];
    unsigned erased_count;
    uint32_t first_programmed;
    unsigned programmed_count;
    unsigned started, started_whole;
    uint8_t opened[16], closed[16]; // of the image's beginning
} seen;

static void note(void *context, const struct sim_flash_event *event)
{
    struct log *log = context;

    switch (event->kind) {
    case SIM_FLASH_OPENED:
        memcpy(log->opened, event->bytes + PAGE, sizeof log->opened);
        break;
    case SIM_FLASH_ERASED:
        if (log->erased_count < MOST)
            log->erased[log->erased_count] = *event;
        log->erased_count++;
        break;
    case SIM_FLASH_PROGRAMMED:
        if (log->programmed_count++ == 0)
            log->first_programmed = event->address;
        break;
    case SIM_FLASH_STARTED:
        log->started++;
        log->started_whole += event->whole;
        break;
    case SIM_FLASH_CLOSED:
        memcpy(log->closed, event->bytes + PAGE, sizeof log->closed);
        break;
    }
}

static const struct sim_flash_watch watch = {.event = note, .context = &seen};

static struct sim_host *start(const char *name)
{
    memset(&seen, 0, sizeof seen);
    return plug_in(&(struct sim_options){.device = name, .watch = &watch});
}

// Upload all there is, then download that many bytes of it again, and manifest.
static void put_back(struct sim_host *host, size_t length)
{
    static uint8_t image[8192];
    uint16_t block = 0;

    assert_true(length <= upload(host, 0, BLOCK, image));
    for (size_t at = 0; at < length; at += BLOCK)
        assert_true(dnload(host, block++, image + at, BLOCK));
    assert_int_equal(control(host, 0x21, DFURT_DNLOAD, block, 0, NULL, 0), 0);
    settle(host);
    sim_host_reset(host);
}

static const char *trouble(struct sim_host *host)
{
    return sim_host_device(host)->ops->trouble(sim_host_device(host));
}

static void whole_image__is_started_without_trouble(void **state)
{
    (void)state;
    struct sim_host *host = start("dfu-plain");
    enumerate(host);

    put_back(host, 4096);
    enumerate(host);

    assert_null(trouble(host));
    assert_int_equal(seen.started, 1);
    assert_int_equal(seen.started_whole, 1);
    sim_host_close(host);
    assert_memory_equal(seen.opened, seen.closed, sizeof seen.opened);
}

// The boot loader is content: a download of one block and a zero-length one is a whole one to it.
static void first_block_alone__is_started_and_the_board_is_dead(void **state)
{
    (void)state;
    struct sim_host *host = start("dfu-plain");
    enumerate(host);

    put_back(host, BLOCK);
    pass_ms(host, 1000);

    assert_non_null(trouble(host));
    assert_int_equal(seen.started, 1);
    assert_int_equal(seen.started_whole, 0);
    assert_false(sim_host_connected(host));
    sim_host_close(host);
}

static void dead_board__comes_up_in_its_boot_loader_at_power_on(void **state)
{
    (void)state;
    struct sim_host *host = start("dfu-plain");
    enumerate(host);
    put_back(host, BLOCK);
    pass_ms(host, 1000);

    sim_host_power(host, false);
    pass_ms(host, 100);
    sim_host_power(host, true);
    enumerate(host);

    assert_int_equal(settle(host), DFURT_STATE_dfuIDLE);
    sim_host_close(host);
}

static void watch__is_told_of_each_page_and_half_word(void **state)
{
    (void)state;
    struct sim_host *host = start("dfu-plain");
    enumerate(host);

    put_back(host, 4096);

    assert_int_equal(seen.erased_count, 3); // the mark's page, and two of the image
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(seen.erased[i].address, 0x08000000 + i * PAGE);
        assert_int_equal(seen.erased[i].length, PAGE);
    }
    assert_int_equal(seen.first_programmed, 0x08000000 + PAGE);
    assert_int_equal(seen.programmed_count, 4096 / 2 + 16 / 2);
    sim_host_close(host);
}

static void watch__is_told_of_nothing_that_is_only_read(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach");
    enumerate(host);

    assert_int_equal(control(host, 0x21, DFURT_DETACH, 1000, 0, NULL, 0), 0);
    pass_ms(host, 500);
    enumerate(host);
    uint8_t block[64];
    assert_int_equal(control(host, 0xA1, DFURT_UPLOAD, 2, 0, block, 64), 64);

    sim_host_close(host);
    assert_int_equal(seen.erased_count + seen.programmed_count, 0);
    assert_int_equal(seen.started_whole, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_image__is_started_without_trouble),
        cmocka_unit_test(first_block_alone__is_started_and_the_board_is_dead),
        cmocka_unit_test(dead_board__comes_up_in_its_boot_loader_at_power_on),
        cmocka_unit_test(watch__is_told_of_each_page_and_half_word),
        cmocka_unit_test(watch__is_told_of_nothing_that_is_only_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
