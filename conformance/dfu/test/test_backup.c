// SPDX-License-Identifier: MIT
//
// What checks write over, from the first upload to the last line: on simulated boot loaders, behind
// a cable that spoils what is downloaded where a test says so.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opened_target.h"
#include <conformance/backup.h>
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>
#include <conformance/download.h>
#include <conformance/modes.h>
#include <usb/bytes.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

enum { FIRST_PAGE = 0x08000000, LAST_PAGES = 0x0801F000 };

// ---- The cable ----

struct cable {
    struct target base;
    struct target *target;
    bool spoils;    // the last byte of each block
    bool elsewhere; // DfuSe: each erase takes the first page
    bool refuses;
    bool spoils_end; // manifests, and uploads another last byte from then on
    bool spoilt;
    bool denies_end; // manifests, and says dfuDNLOAD-IDLE then
    bool denied;     // has manifested, and was not asked since
    bool errs;       // takes each download, is in dfuERROR then, and uploads nothing
    bool stays;      // in DFU mode, whatever reset it sees
    uint8_t alternate;
    uint8_t changed; // DfuSe: bits that are flipped in what other alternate settings upload
    bool flickers;   // other ones each time
    bool hides;      // DfuSe: uploads of what is below the last two pages STALL
    uint32_t pointer;
    unsigned erased_below; // sectors
    unsigned blocks;       // that were downloaded
    uint8_t last;          // byte of them
    unsigned ends;         // downloads of nothing
};

static struct cable *cable_of(struct target *target)
{
    return (struct cable *)target;
}

static int look_again(struct cable *cable, int result)
{
    const struct target_ops *ops = cable->base.ops;
    cable->base = *cable->target;
    cable->base.ops = ops;
    cable->base.capabilities &= ~(unsigned)TARGET_CAN_POWER;
    return result;
}

static int answer_error(const struct usbdev_setup_packet *setup, uint8_t *data)
{
    static const uint8_t status[] = {DFURT_STATUS_errUNKNOWN, 0, 0, 0, DFURT_STATE_dfuERROR, 0};
    if (setup->bRequest == DFURT_UPLOAD)
        return USB_STALL;
    if (setup->bRequest == DFURT_GETSTATUS)
        memcpy(data, status, sizeof status);
    else
        data[0] = DFURT_STATE_dfuERROR;
    return setup->wLength;
}

// The device manifests, and the suite is told of another state.
static int manifest(struct cable *cable, const struct usbdev_setup_packet *setup)
{
    static const struct usbdev_setup_packet getstatus = {0xA1, DFURT_GETSTATUS, 0, 0, 6};
    const struct target_ops *ops = cable->target->ops;
    uint8_t reply[6];
    int result = ops->control(cable->target, setup, NULL, 1000);
    for (int i = 0; i < 3; i++) {
        ops->control(cable->target, &getstatus, reply, 1000);
        ops->sleep_ms(cable->target, 1000);
    }
    cable->denied = true;
    return result;
}

static int deny(struct cable *cable, uint8_t *data)
{
    static const uint8_t status[] = {DFURT_STATUS_OK, 0, 0, 0, DFURT_STATE_dfuDNLOAD_IDLE, 0};
    cable->denied = false;
    memcpy(data, status, sizeof status);
    return sizeof status;
}

static void note_command(struct cable *cable, const uint8_t *data)
{
    uint32_t address = load_le32(data + 1);
    if (data[0] == DFUSE_SET_ADDRESS)
        cable->pointer = address;
    cable->erased_below += data[0] == DFUSE_ERASE && address < LAST_PAGES;
}

static int upload(struct cable *cable, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    if (cable->hides && cable->pointer < LAST_PAGES)
        return USB_STALL;
    int result = cable->target->ops->control(cable->target, setup, data, 1000);
    cable->changed += cable->flickers;
    if (result > 0 && cable->alternate > 0)
        data[0] ^= cable->changed;
    if (result > 0 && cable->spoilt)
        data[result - 1] ^= 0x5A;
    return result;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    bool downloads = setup->bmRequestType == 0x21 && setup->bRequest == DFURT_DNLOAD;
    bool block = downloads && setup->wLength > 0;
    cable->blocks += block;
    cable->last = block ? data[setup->wLength - 1] : cable->last;
    cable->ends += downloads && setup->wLength == 0;
    if (downloads)
        cable->spoilt = !block && cable->spoils_end;
    if (downloads && cable->refuses)
        return USB_STALL;
    if (downloads && !block && cable->denies_end)
        return manifest(cable, setup);
    if (cable->denied && setup->bRequest == DFURT_GETSTATUS)
        return deny(cable, data);
    if (cable->errs && downloads)
        return setup->wLength;
    if (cable->errs && setup->bmRequestType == 0xA1)
        return answer_error(setup, data);
    if (setup->bmRequestType == 0xA1 && setup->bRequest == DFURT_UPLOAD)
        return upload(cable, setup, data);
    if (block && setup->wValue == 0 && setup->wLength == 5)
        note_command(cable, data);
    bool erases = block && setup->wValue == 0 && data[0] == DFUSE_ERASE && setup->wLength == 5;
    if (!(block && cable->spoils) && !(erases && cable->elsewhere))
        return cable->target->ops->control(cable->target, setup, data, timeout_ms);
    static uint8_t spoilt[UINT16_MAX];
    memcpy(spoilt, data, setup->wLength);
    if (erases && cable->elsewhere)
        store_le32(spoilt + 1, FIRST_PAGE);
    else
        spoilt[setup->wLength - 1] ^= 0x5A;
    return cable->target->ops->control(cable->target, setup, spoilt, timeout_ms);
}

static int set_interface(struct target *target, uint8_t interface, uint8_t alternate)
{
    struct cable *cable = cable_of(target);
    cable->alternate = alternate;
    return cable->target->ops->set_interface(cable->target, interface, alternate);
}

static int reset(struct target *target)
{
    struct cable *cable = cable_of(target);
    if (cable->stays)
        return 0;
    return look_again(cable, cable->target->ops->reset(cable->target));
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    return look_again(cable, cable->target->ops->wait_leave(cable->target, timeout_ms));
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    return look_again(cable, cable->target->ops->wait_return(cable->target, timeout_ms));
}

static uint64_t now_us(struct target *target)
{
    struct target *device = cable_of(target)->target;
    return device->ops->now_us(device);
}

static void sleep_ms(struct target *target, unsigned ms)
{
    struct target *device = cable_of(target)->target;
    device->ops->sleep_ms(device, ms);
}

static const struct target_ops cable_ops = {
    .control = control,
    .set_interface = set_interface,
    .reset = reset,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
};

// ---- A bench: a device in DFU mode, and the backup of a run ----

struct bench {
    struct cable cable;
    struct probe probe;
    struct backup backup;
    char folder[64];
    char why[PROBE_WORDS];
};

static void begin_run(struct bench *bench)
{
    static const struct check check = {.id = "DM-TEST-01", .level = LEVEL_MUST};
    static const struct probe_options options = {.leave = {.detach = true, .write = true}};
    probe_init(&bench->probe, &bench->cable.base, &options);
    bench->backup = (struct backup){.options.folder = bench->folder};
    bench->probe.backup = &bench->backup;
    probe_begin(&bench->probe, &check);
}

static void bench_open(struct bench *bench, const char *device)
{
    *bench = (struct bench){.cable.base.ops = &cable_ops, .cable.target = open_target(device)};
    look_again(&bench->cable, 0);
    strcpy(bench->folder, "/tmp/dfurt-backup-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    begin_run(bench);
    if (!mode_enter_dfu(&bench->probe, bench->why, sizeof bench->why))
        fail_msg("%s: %s", device, bench->why);
}

static void bench_close(struct bench *bench)
{
    char line[400];
    snprintf(line, sizeof line, "rm -r %s", bench->folder);
    backup_finish(&bench->backup);
    bench->cable.target->ops->close(bench->cable.target);
    assert_int_equal(system(line), 0);
}

static bool ready(struct bench *bench)
{
    return backup_ready(&bench->probe, bench->why, sizeof bench->why);
}

static bool is_kept_on_disk(const struct bench *bench)
{
    return *bench->backup.file.path && access(bench->backup.file.path, F_OK) == 0;
}

// A check writes: the next block of what is kept.
static int write_something(struct bench *bench)
{
    struct dfu_status_reply status;
    int result = dfu_to_idle(&bench->probe) ? 0 : -1;
    download_begin(&bench->probe);
    if (result == 0)
        result = download_next_block(&bench->probe);
    return result < 0 ? result : dfu_poll(&bench->probe, &status);
}

static void assert_ends(struct bench *bench, enum flash_ending ending, const char *text)
{
    char line[PROBE_WORDS];
    assert_int_equal(backup_end(&bench->probe, line, sizeof line), ending);
    if (!strstr(line, text))
        fail_msg("the last line says: %s", line);
}

static const char plain[] = "sim:dfu-plain";

// ---- A device that is as it should be ----

static void image__is_on_disk_before_anything_is_written(void **state)
{
    (void)state;
    struct image_file image;
    static struct bench bench;
    bench_open(&bench, plain);

    assert_true(ready(&bench));

    assert_true(image_file_read(&image, bench.backup.file.path, bench.why, sizeof bench.why));
    assert_int_equal(image.length, bench.backup.length);
    assert_memory_equal(image.bytes, bench.backup.bytes, image.length);
    assert_ptr_equal(bench.probe.gate.kept.image, bench.backup.bytes);
    image_file_finish(&image);
    bench_close(&bench);
}

static void image__is_put_back_and_its_file_removed(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    assert_int_equal(write_something(&bench), 0);

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    assert_false(is_kept_on_disk(&bench));
    bench_close(&bench);
}

// The next run is one of another process: nothing but the file is left.
static void run__puts_back_what_a_run_that_was_cut_off_has_left(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    assert_int_equal(write_something(&bench), 0);
    backup_finish(&bench.backup);

    begin_run(&bench);
    assert_true(backup_is_left_over(&bench.probe));
    assert_true(ready(&bench));

    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    assert_false(is_kept_on_disk(&bench));
    bench_close(&bench);
}

static void page__is_the_last_one_that_is_blank(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");

    assert_true(ready(&bench));

    assert_true(bench.backup.is_page);
    assert_int_equal(bench.probe.gate.kept.page.last, 0x0801FFFF);
    assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

// ---- DfuSe: the memory beside the page ----

static bool erase_page(struct bench *bench)
{
    return dfuse_erase(&bench->probe, bench->backup.address, bench->why, sizeof bench->why);
}

// The run is killed after that.
static void keep_and_erase(struct bench *bench, const char *device, bool elsewhere)
{
    bench_open(bench, device);
    assert_true(ready(bench));
    bench->cable.elsewhere = elsewhere;
    assert_true(erase_page(bench));
    bench->cable.elsewhere = false;
    backup_finish(&bench->backup);
    begin_run(bench);
}

static void memory_of_dfuse__is_on_disk_before_anything_is_written(void **state)
{
    (void)state;
    struct image_file image;
    static struct bench bench;
    bench_open(&bench, "sim:layout-three-groups");

    assert_true(ready(&bench));

    assert_true(image_file_read(&image, bench.backup.file.path, bench.why, sizeof bench.why));
    assert_int_equal(image.address, bench.backup.address);
    assert_int_equal(image.more_count, 3);
    assert_int_equal(image.more[2].address, 0x08020000);
    assert_int_equal(image.more[2].length, 7 * 0x20000);
    assert_memory_equal(image.more[0].bytes, bench.backup.rest, image.more[0].length);
    image_file_finish(&image);
    bench_close(&bench);
}

static void run__puts_back_the_page_that_a_run_that_was_cut_off_has_left(void **state)
{
    (void)state;
    static struct bench bench;
    keep_and_erase(&bench, "sim:dfu-mode", false);

    assert_true(ready(&bench));

    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    assert_false(is_kept_on_disk(&bench));
    bench_close(&bench);
}

static void
run__writes_nothing_where_other_memory_has_changed_and_says_how_to_restore_it(void **state)
{
    (void)state;
    static struct bench bench;
    keep_and_erase(&bench, "sim:dfu-mode", true);
    unsigned blocks = bench.cable.blocks;

    assert_false(ready(&bench));

    assert_non_null(strstr(bench.why, "--restore"));
    assert_false(erase_page(&bench));
    assert_in_range(bench.cable.blocks - blocks, 0, 100); // pointers to read at
    assert_ends(&bench, FLASH_NOT_VERIFIED, bench.backup.file.path);
    assert_true(is_kept_on_disk(&bench));
    bench_close(&bench);
}

static void restore__puts_back_all_memory_that_a_run_that_was_cut_off_has_spoilt(void **state)
{
    (void)state;
    struct image_file image;
    uint8_t first[2048];
    static struct bench bench;
    char path[BACKUP_PATH];
    keep_and_erase(&bench, "sim:dfu-mode", true);
    assert_false(ready(&bench));
    snprintf(path, sizeof path, "%s", bench.backup.file.path);
    backup_finish(&bench.backup);
    assert_true(image_file_read(&image, path, bench.why, sizeof bench.why));
    begin_run(&bench);
    bench.backup.restore = &image;
    bench.backup.options.restore_path = path;

    assert_true(ready(&bench));

    assert_true(
        dfuse_read(&bench.probe, FIRST_PAGE, first, sizeof first, bench.why, sizeof bench.why));
    assert_memory_equal(first, image.more[0].bytes, sizeof first);
    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    assert_false(is_kept_on_disk(&bench));
    image_file_finish(&image);
    bench_close(&bench);
}

// An image seldom fills its sectors: what stands beside it is erased with them, and put back.
static void restore__keeps_what_stands_beside_the_image_in_its_sectors(void **state)
{
    (void)state;
    enum { SECTOR = 2048, AT = 100, LENGTH = SECTOR };
    static uint8_t bytes[LENGTH], before[2 * SECTOR], after[2 * SECTOR];
    static const size_t lengths[] = {LENGTH, 6, SECTOR - AT};
    memset(bytes, 0x5A, sizeof bytes);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct image_file image = {
            .bytes = bytes, .length = lengths[i], .has_address = true, .address = FIRST_PAGE + AT};
        static struct bench bench;
        bench_open(&bench, "sim:dfu-mode");
        assert_true(dfuse_read(&bench.probe, FIRST_PAGE, before, sizeof before, bench.why,
                               sizeof bench.why));
        bench.backup.restore = &image;

        assert_true(ready(&bench));
        assert_int_equal(write_something(&bench), 0);
        assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

        memcpy(before + AT, bytes, lengths[i]);
        assert_true(
            dfuse_read(&bench.probe, FIRST_PAGE, after, sizeof after, bench.why, sizeof bench.why));
        assert_memory_equal(after, before, sizeof after);
        bench_close(&bench);
    }
}

static void restore__refuses_an_image_that_is_larger_than_its_memory(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    struct image_file image = {
        .bytes = bytes, .length = sizeof bytes, .has_address = true, .address = 0x0801FFFF};
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    bench.backup.restore = &image;

    assert_false(ready(&bench));

    assert_ends(&bench, FLASH_NOT_WRITTEN, "larger than the memory at its address");
    bench_close(&bench);
}

static void restore__refuses_a_file_for_another_device(void **state)
{
    (void)state;
    static uint8_t bytes[2048];
    struct image_file image = {.bytes = bytes,
                               .length = sizeof bytes,
                               .has_suffix = true,
                               .idVendor = 0x1234,
                               .idProduct = 0xFFFF};
    static struct bench bench;
    bench_open(&bench, plain);
    bench.backup.restore = &image;

    assert_false(ready(&bench));

    assert_ends(&bench, FLASH_NOT_WRITTEN, "is for 1234:ffff, and this device is 1209:0002");
    bench_close(&bench);
}

static void restore__refuses_memory_that_is_not_there(void **state)
{
    (void)state;
    const uint8_t page[2048] = {0};
    struct image_file image = {
        .bytes = (uint8_t *)(uintptr_t)page,
        .length = sizeof page,
        .has_address = true,
        .address = FIRST_PAGE + 0x10000,
        .more = {{FIRST_PAGE + 0x20000, sizeof page, page}},
        .more_count = 1,
    };
    static struct bench bench;
    bench_open(&bench, "sim:layout-names-more");
    bench.backup.restore = &image;

    assert_false(ready(&bench));

    assert_non_null(strstr(bench.why, "cannot be written"));
    assert_ends(&bench, FLASH_NOT_WRITTEN, "cannot be written");
    bench_close(&bench);
}

// A ROM that parts of several sizes share names the memory of the largest.
static void page__is_in_memory_that_is_there(void **state)
{
    (void)state;
    static const char *const devices[] = {
        "sim:layout-names-more",
        "sim:layout-names-more-late",
        "sim:layout-names-more-vendor",
        "sim:layout-names-more-short",
    };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        static struct bench bench;
        bench_open(&bench, devices[i]);

        assert_true(ready(&bench));

        assert_int_equal(bench.backup.memory.regions[0].sectors, 64);
        assert_int_equal(bench.probe.gate.kept.page.last, 0x0801FFFF);
        assert_non_null(bench.backup.rest);
        bench_close(&bench);
    }
}

static void memory_that_cannot_be_read_any_more__is_not_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(ready(&bench));
    assert_true(erase_page(&bench));
    bench.cable.hides = true;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.erased_below, 0);
    assert_ends(&bench, FLASH_NOT_VERIFIED, "flash NOT verified");
    bench_close(&bench);
}

// ---- DfuSe: the memory of other alternate settings, the option bytes here ----

static void memory_of_another_setting__that_changed_is_told(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    assert_true(ready(&bench));
    assert_true(erase_page(&bench));
    bench.cable.changed = 0x01;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_ends(&bench, FLASH_LOST, "1 of 16 bytes differ");
    bench_close(&bench);
}

static void memory_of_another_setting__that_changes_by_itself_is_not_compared(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:dfu-mode");
    bench.cable.flickers = true;
    assert_true(ready(&bench));
    assert_true(erase_page(&bench));

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    bench_close(&bench);
}

// ---- Uploads that cannot be firmware ----

static void upload_that_is_no_firmware__lets_nothing_be_written(void **state)
{
    (void)state;
    static const char *const devices[][2] = {
        {"sim:upload-3-bytes", "too short"},
        {"sim:upload-fixed-text", "a text"},
        {"sim:upload-blank", "blank"},
        {"sim:upload-first-block", "one block"},
        {"sim:upload-changes", "two uploads differ"},
    };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        static struct bench bench;
        bench_open(&bench, devices[i][0]);

        assert_false(ready(&bench));

        assert_int_equal(bench.cable.blocks, 0);
        if (!strstr(bench.why, devices[i][1]))
            fail_msg("%s: %s", devices[i][0], bench.why);
        bench_close(&bench);
    }
}

// ---- Devices that cannot be written to ----

static void wrong_programmer__is_sent_two_blocks_and_no_end(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.spoils = true;

    assert_false(ready(&bench));

    assert_in_range(bench.cable.blocks, 1, 2 * BACKUP_TRIES);
    assert_int_equal(bench.cable.ends, 0);
    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    assert_in_range(bench.cable.blocks, 1, 2 * BACKUP_TRIES);
    assert_ends(&bench, FLASH_LOST, "bytes differ");
    assert_true(is_kept_on_disk(&bench));
    bench_close(&bench);
}

static void restore_that_is_read_as_other_bytes__ends_all_writing(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    bench.cable.spoils = true;
    assert_int_equal(write_something(&bench), 0);
    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));
    unsigned blocks = bench.cable.blocks;

    assert_false(ready(&bench));
    assert_int_equal(write_something(&bench), USB_UNSUPPORTED);

    assert_int_equal(bench.cable.blocks, blocks);
    assert_ends(&bench, FLASH_LOST, "--restore");
    assert_true(is_kept_on_disk(&bench));
    bench_close(&bench);
}

// A block may have been lost on the way, so the image is manifested again, once.
static void manifestation_that_spoils_the_image__is_not_repeated_more_than_once(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    unsigned ends = bench.cable.ends;
    bench.cable.spoils_end = true;
    assert_int_equal(write_something(&bench), 0);

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_int_equal(bench.cable.ends, ends + 2);
    assert_ends(&bench, FLASH_LOST, "bytes differ");
    assert_true(is_kept_on_disk(&bench));
    bench_close(&bench);
}

static void device_that_holds_downloads_back__has_nothing_manifested_and_is_unchanged(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");

    assert_false(ready(&bench));

    assert_int_equal(bench.cable.ends, 0);
    assert_int_equal(bench.cable.last, bench.backup.bytes[bench.backup.length - 1]);
    assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

static void device_that_returns_the_old_bytes_and_does_not_start__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");
    bench.cable.stays = true;

    assert_false(ready(&bench));

    assert_int_equal(bench.cable.ends, 0);
    assert_ends(&bench, FLASH_NOT_VERIFIED, "proves nothing");
    bench_close(&bench);
}

static void device_that_may_not_be_detached__is_not_sent_to_run_time(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, "sim:two-banks");
    bench.probe.gate.leave.detach = false;

    assert_false(ready(&bench));

    assert_int_equal(bench.probe.mode, DEVICE_DFU_MODE);
    assert_ends(&bench, FLASH_NOT_VERIFIED, "--no-detach");
    bench_close(&bench);
}

static void device_that_refuses_every_block__is_unchanged(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.cable.refuses = true;

    ready(&bench);

    assert_ends(&bench, FLASH_UNCHANGED, "flash unchanged (verified)");
    bench_close(&bench);
}

// All arrives, and the device says that the download has not ended. A pure boot loader is judged by
// its upload alone, which was proved; any other device must start.
static void restore_that_does_not_end__is_judged_by_what_is_read(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    bench.cable.denies_end = true;
    assert_int_equal(write_something(&bench), 0);

    assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_true(bench.cable.ends > 0);
    assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
    bench_close(&bench);
}

static void restore_that_does_not_end__must_start(void **state)
{
    (void)state;
    for (int stays = 0; stays < 2; stays++) {
        static struct bench bench;
        bench_open(&bench, "sim:tolerant-wait-reset");
        assert_true(ready(&bench));
        bench.cable.denies_end = true;
        bench.cable.stays = stays;
        assert_int_equal(write_something(&bench), 0);

        assert_true(backup_restore(&bench.probe, bench.why, sizeof bench.why));

        if (stays)
            assert_ends(&bench, FLASH_NOT_VERIFIED, "is read as equal to it, but the device stays");
        else
            assert_ends(&bench, FLASH_RESTORED, "flash restored (verified)");
        assert_int_equal(is_kept_on_disk(&bench), stays);
        bench_close(&bench);
    }
}

// Nothing was seen to differ, and no block was worked on.
static void device_that_refuses_each_block_and_each_upload__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    bench.cable.errs = true;
    download_begin(&bench.probe);
    assert_true(download_next_block(&bench.probe) >= 0);

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_ends(&bench, FLASH_NOT_VERIFIED, "the device refused each block");
    assert_true(is_kept_on_disk(&bench));
    bench_close(&bench);
}

// The block was worked on, and what became of it cannot be read.
static void device_that_worked_on_a_block_and_refuses_each_upload__is_not_verified(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    assert_true(ready(&bench));
    assert_int_equal(write_something(&bench), 0);
    bench.cable.errs = true;

    assert_false(backup_restore(&bench.probe, bench.why, sizeof bench.why));

    assert_ends(&bench, FLASH_NOT_VERIFIED, "NOT verified: dfuIDLE was not reached; restore");
    bench_close(&bench);
}

// ---- Without leave ----

static void without_leave__nothing_is_kept_and_nothing_written(void **state)
{
    (void)state;
    static struct bench bench;
    bench_open(&bench, plain);
    bench.probe.gate.leave.write = false;

    assert_false(backup_is_left_over(&bench.probe));
    assert_false(ready(&bench));

    assert_int_equal(bench.cable.blocks, 0);
    assert_ends(&bench, FLASH_NOT_WRITTEN, "--allow-write");
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(image__is_on_disk_before_anything_is_written),
        cmocka_unit_test(image__is_put_back_and_its_file_removed),
        cmocka_unit_test(run__puts_back_what_a_run_that_was_cut_off_has_left),
        cmocka_unit_test(page__is_the_last_one_that_is_blank),
        cmocka_unit_test(page__is_in_memory_that_is_there),
        cmocka_unit_test(memory_of_dfuse__is_on_disk_before_anything_is_written),
        cmocka_unit_test(run__puts_back_the_page_that_a_run_that_was_cut_off_has_left),
        cmocka_unit_test(
            run__writes_nothing_where_other_memory_has_changed_and_says_how_to_restore_it),
        cmocka_unit_test(restore__puts_back_all_memory_that_a_run_that_was_cut_off_has_spoilt),
        cmocka_unit_test(restore__keeps_what_stands_beside_the_image_in_its_sectors),
        cmocka_unit_test(restore__refuses_an_image_that_is_larger_than_its_memory),
        cmocka_unit_test(restore__refuses_a_file_for_another_device),
        cmocka_unit_test(restore__refuses_memory_that_is_not_there),
        cmocka_unit_test(memory_that_cannot_be_read_any_more__is_not_written),
        cmocka_unit_test(memory_of_another_setting__that_changed_is_told),
        cmocka_unit_test(memory_of_another_setting__that_changes_by_itself_is_not_compared),
        cmocka_unit_test(upload_that_is_no_firmware__lets_nothing_be_written),
        cmocka_unit_test(wrong_programmer__is_sent_two_blocks_and_no_end),
        cmocka_unit_test(restore_that_is_read_as_other_bytes__ends_all_writing),
        cmocka_unit_test(manifestation_that_spoils_the_image__is_not_repeated_more_than_once),
        cmocka_unit_test(device_that_holds_downloads_back__has_nothing_manifested_and_is_unchanged),
        cmocka_unit_test(device_that_returns_the_old_bytes_and_does_not_start__is_not_verified),
        cmocka_unit_test(device_that_may_not_be_detached__is_not_sent_to_run_time),
        cmocka_unit_test(device_that_refuses_every_block__is_unchanged),
        cmocka_unit_test(restore_that_does_not_end__is_judged_by_what_is_read),
        cmocka_unit_test(restore_that_does_not_end__must_start),
        cmocka_unit_test(device_that_refuses_each_block_and_each_upload__is_not_verified),
        cmocka_unit_test(device_that_worked_on_a_block_and_refuses_each_upload__is_not_verified),
        cmocka_unit_test(without_leave__nothing_is_kept_and_nothing_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
