// SPDX-License-Identifier: MIT
//
// What DFU 1.1 leaves to a boot loader, choice by choice.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/dfu_mode.h>
#include <sim/flash.h>

enum { TRANSFER_SIZE = 64, IMAGE = 200, FIRST_BANK = FLASH_PAGE_SIZE };

static struct flash flash;
static struct dfu_mode_config config;
static struct dfu_mode dfu;
static uint8_t image[IMAGE];

static void leave(void *context, uint32_t address)
{
    (void)context, (void)address;
}

static void start(struct dfu_mode_choices choices)
{
    flash_finish(&flash);
    assert_true(flash_init(&flash, (struct flash_shape){.size = 0}));
    for (int i = 0; i < IMAGE; i++)
        image[i] = (uint8_t)(i + 1);
    assert_true(dfu_plain_install(&flash.memory, image, IMAGE));
    config = (struct dfu_mode_config){
        .dialect = &dfu_dialect_plain,
        .memory = &flash.memory,
        .choices = choices,
        .wTransferSize = TRANSFER_SIZE,
        .bmAttributes =
            DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD | DFURT_ATTR_MANIFESTATION_TOLERANT,
        .leave = leave,
    };
    dfu_mode_init(&dfu, &config);
}

static int ask(uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue, uint16_t wLength)
{
    const struct usbdev_setup_packet setup = {bmRequestType, bRequest, wValue, 0, wLength};
    const uint8_t *reply;

    return dfu_mode_setup(&dfu, &setup, &reply);
}

static int dnload(uint16_t block, const uint8_t *data, uint16_t length)
{
    int result = ask(0x21, DFURT_DNLOAD, block, length);

    if (result == 0 && length > 0) {
        memcpy(dfu.buffer, data, length);
        dfu_mode_block(&dfu);
    }
    return result;
}

// GETSTATUS, then bwPollTimeout. Returns bState.
static int poll(void)
{
    assert_int_equal(ask(0xA1, DFURT_GETSTATUS, 0, 6), 6);
    int bState = dfu.reply[4];
    dfu_mode_tick(&dfu, usbdev_load_le16(dfu.reply + 1));
    return bState;
}

static void send_block(uint16_t block, const uint8_t *data, uint16_t length)
{
    assert_int_equal(dnload(block, data, length), 0);
    assert_int_equal(poll(), DFURT_STATE_dfuDNBUSY);
    assert_int_equal(poll(), DFURT_STATE_dfuDNLOAD_IDLE);
}

static void send_image(uint16_t first_block, const uint8_t *bytes, uint16_t length)
{
    for (uint16_t at = 0; at < length; at = (uint16_t)(at + TRANSFER_SIZE))
        send_block(first_block++, bytes + at,
                   (uint16_t)(length - at < TRANSFER_SIZE ? length - at : TRANSFER_SIZE));
}

static void longest_poll__says_dfuDNBUSY_until_the_work_is_done(void **state)
{
    (void)state;
    int busy = 0;
    start((struct dfu_mode_choices){.longest_poll_ms = 3});

    assert_int_equal(dnload(0, image, TRANSFER_SIZE), 0);
    while (poll() == DFURT_STATE_dfuDNBUSY)
        busy++;

    assert_true(busy > 10); // two pages of 30 ms, 5 ms at a time
    assert_int_equal(dfu.bState, DFURT_STATE_dfuDNLOAD_IDLE);
    assert_memory_equal(flash.bytes + FIRST_BANK, image, TRANSFER_SIZE);
}

static void done_at_once__never_says_dfuDNBUSY(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.done_at_once = true});

    assert_int_equal(dnload(0, image, TRANSFER_SIZE), 0);

    assert_int_equal(poll(), DFURT_STATE_dfuDNLOAD_IDLE);
    assert_memory_equal(flash.bytes + FIRST_BANK, image, TRANSFER_SIZE);
}

static void counting__stalls_a_block_that_does_not_follow(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.counts_blocks = true});

    send_block(0, image, TRANSFER_SIZE);
    send_block(1, image, TRANSFER_SIZE);
    assert_int_equal(dnload(1, image, TRANSFER_SIZE), DFU_MODE_STALL);

    assert_int_equal(dfu.bState, DFURT_STATE_dfuERROR);
}

static void counting__begins_anew_with_each_transfer(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.counts_blocks = true});

    send_block(0, image, TRANSFER_SIZE);
    assert_int_equal(ask(0x21, DFURT_ABORT, 0, 0), 0);
    assert_int_equal(ask(0xA1, DFURT_UPLOAD, 0, TRANSFER_SIZE), TRANSFER_SIZE);
    assert_int_equal(ask(0xA1, DFURT_UPLOAD, 2, TRANSFER_SIZE), DFU_MODE_STALL);
}

static void known_length__is_not_done_before(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.image_length = IMAGE});

    send_block(0, image, TRANSFER_SIZE);
    assert_int_equal(dnload(1, NULL, 0), DFU_MODE_STALL);
    assert_int_equal(dfu.bStatus, DFURT_STATUS_errNOTDONE);

    assert_int_equal(ask(0x21, DFURT_CLRSTATUS, 0, 0), 0);
    send_image(0, image, IMAGE);
    assert_int_equal(dnload(4, NULL, 0), 0);
}

static void read_protected__stalls_upload_with_errVENDOR(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.read_protected = true});

    assert_int_equal(ask(0xA1, DFURT_UPLOAD, 0, TRANSFER_SIZE), DFU_MODE_STALL);

    assert_int_equal(dfu.bState, DFURT_STATE_dfuERROR);
    assert_int_equal(dfu.bStatus, DFURT_STATUS_errVENDOR);
}

static void addressed__a_block_belongs_where_its_number_says(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.addresses_blocks = true});

    send_block(0, image, 10);
    send_block(1, image, TRANSFER_SIZE);

    assert_memory_equal(flash.bytes + FIRST_BANK, image, 10);
    assert_int_equal(flash.bytes[FIRST_BANK + 10], 0xFF);
    assert_memory_equal(flash.bytes + FIRST_BANK + TRANSFER_SIZE, image, TRANSFER_SIZE);
    assert_int_equal(ask(0x21, DFURT_ABORT, 0, 0), 0);
    assert_int_equal(ask(0xA1, DFURT_UPLOAD, 1, 4), 4);
    assert_memory_equal(dfu.buffer, image, 4);
}

static void erases_first__the_first_block_erases_all(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.erases_first = true});
    memset(flash.bytes + FLASH_SIZE - 4, 0, 4);

    assert_int_equal(dnload(0, image, TRANSFER_SIZE), 0);
    assert_int_equal(poll(), DFURT_STATE_dfuDNBUSY);
    assert_true(usbdev_load_le16(dfu.reply + 1) > FLASH_SIZE / FLASH_PAGE_SIZE * 30);

    assert_int_equal(flash.bytes[FLASH_SIZE - 1], 0xFF);
}

static void two_banks__half_a_download_harms_nothing(void **state)
{
    (void)state;
    start((struct dfu_mode_choices){.two_banks = true});

    send_block(0, image, TRANSFER_SIZE);
    dfu_mode_init(&dfu, &config);

    assert_int_equal(dfu.bState, DFURT_STATE_dfuIDLE);
    assert_true(dfu_dialect_plain.valid(&flash.memory));
}

static void two_banks__change_with_each_download(void **state)
{
    (void)state;
    uint32_t address = 0;
    start((struct dfu_mode_choices){.two_banks = true});

    for (unsigned i = 0; i < 2; i++) {
        image[0] = (uint8_t)(0x70 + i);
        send_image(0, image, IMAGE);
        assert_int_equal(dnload(4, NULL, 0), 0);
        assert_int_equal(poll(), DFURT_STATE_dfuMANIFEST);
        assert_int_equal(poll(), DFURT_STATE_dfuIDLE);

        assert_int_equal(dfu_dialect_plain.firmware(&flash.memory, &address), IMAGE);
        assert_int_equal(address, FLASH_BASE + (i ? FIRST_BANK : FLASH_SIZE / 2));
        assert_int_equal(ask(0xA1, DFURT_UPLOAD, 0, 4), 4);
        assert_memory_equal(dfu.buffer, image, 4);
        assert_int_equal(ask(0x21, DFURT_ABORT, 0, 0), 0);
    }
}

static const struct memory_group groups[] = {
    {1, 4096, true}, {2, 1024, false}, {1, 8192, false}, {0}};

static void groups__pages_have_the_size_of_their_group(void **state)
{
    (void)state;
    flash_finish(&flash);
    assert_true(flash_init(&flash, (struct flash_shape){.groups = groups}));

    assert_int_equal(flash.memory.size, 4096 + 2 * 1024 + 8192);
    assert_int_equal(memory_page_at(&flash.memory, FLASH_BASE + 4096 + 1025).address,
                     FLASH_BASE + 4096 + 1024);
    assert_int_equal(memory_page_at(&flash.memory, FLASH_BASE + 4096 + 2048).size, 8192);
    assert_int_equal(memory_page_at(&flash.memory, FLASH_BASE + 4096 + 2048 + 8192).size, 0);
    assert_int_equal(memory_page_at(&flash.memory, FLASH_BASE - 1).size, 0);
}

static void groups__a_read_only_page_is_neither_erased_nor_programmed(void **state)
{
    (void)state;
    flash_finish(&flash);
    assert_true(flash_init(&flash, (struct flash_shape){.groups = groups}));

    assert_false(flash.memory.erase(&flash, FLASH_BASE + 4095));
    assert_false(flash.memory.program(&flash, FLASH_BASE, 0x1234));
    assert_true(flash.memory.program(&flash, FLASH_BASE + 4096, 0x1234));
    assert_true(flash.memory.erase(&flash, FLASH_BASE + 4096));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(longest_poll__says_dfuDNBUSY_until_the_work_is_done),
        cmocka_unit_test(done_at_once__never_says_dfuDNBUSY),
        cmocka_unit_test(counting__stalls_a_block_that_does_not_follow),
        cmocka_unit_test(counting__begins_anew_with_each_transfer),
        cmocka_unit_test(known_length__is_not_done_before),
        cmocka_unit_test(read_protected__stalls_upload_with_errVENDOR),
        cmocka_unit_test(addressed__a_block_belongs_where_its_number_says),
        cmocka_unit_test(erases_first__the_first_block_erases_all),
        cmocka_unit_test(two_banks__half_a_download_harms_nothing),
        cmocka_unit_test(two_banks__change_with_each_download),
        cmocka_unit_test(groups__pages_have_the_size_of_their_group),
        cmocka_unit_test(groups__a_read_only_page_is_neither_erased_nor_programmed),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    flash_finish(&flash);
    return failed;
}
