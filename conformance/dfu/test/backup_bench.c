// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_bench.h"
#include "opened_target.h"
#include <conformance/dfu_steps.h>
#include <conformance/dfuse.h>
#include <conformance/download.h>
#include <conformance/modes.h>
#include <usb/bytes.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

// ---- The cable ----

static struct cable *cable_of(struct target *target)
{
    return (struct cable *)target;
}

static int look_again(struct cable *cable, int result)
{
    const struct target_ops *ops = cable->base.ops;
    cable->base = *cable->target;
    cable->base.ops = ops;
    cable->base.moved = cable->moved;
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

// The first byte of an image, as it was downloaded first.
static void note_first(struct cable *cable, uint8_t first)
{
    cable->firsts += cable->blocks > 1 && first != cable->first;
    cable->first = first;
}

// An erased sector is one that blank bytes were written to.
static int erase_by_writing(struct cable *cable, struct usbdev_setup_packet setup, uint8_t *data)
{
    uint16_t length = setup.wLength;
    uint8_t command[5] = {setup.wValue == 0 ? DFUSE_SET_ADDRESS : DFUSE_ERASE};
    store_le32(command + 1, setup.wValue == 0 ? load_le32(data + 1) : cable->pointer);
    setup.wValue = 0;
    setup.wLength = sizeof command;
    int result = cable->target->ops->control(cable->target, &setup, command, 1000);
    return result < 0 ? result : length;
}

static int upload(struct cable *cable, const struct usbdev_setup_packet *setup, uint8_t *data)
{
    if (cable->hides && cable->pointer < LAST_PAGES)
        return USB_STALL;
    int result = cable->target->ops->control(cable->target, setup, data, 1000);
    bool first_page = cable->alternate == 0 && cable->pointer == FIRST_PAGE && setup->wValue == 2;
    cable->changed += cable->flickers;
    cable->readings += first_page;
    if (result > 0 && first_page && (cable->restless || cable->misreads))
        data[0] ^= cable->readings;
    cable->misreads &= !first_page;
    if (result > 0 && cable->alternate > 0)
        data[0] ^= cable->changed;
    if (result > 0 && cable->spoilt)
        data[result - 1] ^= 0x5A;
    return result;
}

static bool asks_serial(const struct cable *cable, const struct usbdev_setup_packet *setup)
{
    return setup->bmRequestType == USBDEV_DIR_IN && setup->bRequest == USBDEV_GET_DESCRIPTOR &&
           setup->wValue == (USBDEV_DT_STRING << 8 | cable->target->descriptors.device[16]);
}

static int answer_other_serial(uint8_t *data)
{
    static const uint8_t serial[] = {4, USBDEV_DT_STRING, 'B', 0};
    memcpy(data, serial, sizeof serial);
    return sizeof serial;
}

static void pull_plug(struct cable *cable)
{
    cable->target->ops->power_cycle(cable->target);
    cable->away = true;
}

static bool is_cut_off(const struct cable *cable)
{
    return cable->cut_at && cable->requests >= cable->cut_at;
}

static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    cable->requests++;
    if (is_cut_off(cable))
        return USB_IO;
    if (cable->exchanged && asks_serial(cable, setup))
        return answer_other_serial(data);
    bool downloads = setup->bmRequestType == 0x21 && setup->bRequest == DFURT_DNLOAD;
    bool block = downloads && setup->wLength > 0;
    cable->blocks += block;
    if (block && cable->blocks == cable->pulled_at)
        pull_plug(cable);
    if (cable->away)
        return USB_GONE;
    if (block && setup->wValue == 0)
        note_first(cable, data[0]);
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
    bool blanks = block && setup->wValue > 1 && backup_is_blank(data, setup->wLength);
    if (cable->keeps && (erases || blanks))
        return erase_by_writing(cable, *setup, data);
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
    if (is_cut_off(cable))
        return USB_IO;
    cable->alternate = alternate;
    return cable->target->ops->set_interface(cable->target, interface, alternate);
}

static int reset(struct target *target)
{
    struct cable *cable = cable_of(target);
    if (is_cut_off(cable))
        return USB_IO;
    if (cable->stays)
        return 0;
    return look_again(cable, cable->target->ops->reset(cable->target));
}

static int power_cycle(struct target *target)
{
    struct cable *cable = cable_of(target);
    if (is_cut_off(cable))
        return USB_IO;
    return look_again(cable, cable->target->ops->power_cycle(cable->target));
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    if (is_cut_off(cable))
        return USB_IO;
    return look_again(cable, cable->target->ops->wait_leave(cable->target, timeout_ms));
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct cable *cable = cable_of(target);
    if (is_cut_off(cable))
        return USB_IO;
    if (cable->away) {
        cable->away = false;
        return look_again(cable, 0);
    }
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
    .power_cycle = power_cycle,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = now_us,
    .sleep_ms = sleep_ms,
};

// ---- A bench: a device in DFU mode, and the backup of a run ----

void bench_begin_run(struct bench *bench)
{
    static const struct check check = {.id = "DM-TEST-01", .level = LEVEL_MUST};
    static const struct probe_options options = {.leave = {.detach = true, .write = true}};
    probe_init(&bench->probe, &bench->cable.base, &options);
    bench->backup = (struct backup){.options.folder = bench->folder};
    bench->probe.backup = &bench->backup;
    probe_begin(&bench->probe, &check);
}

void bench_open(struct bench *bench, const char *device)
{
    *bench = (struct bench){.cable.base.ops = &cable_ops, .cable.target = open_target(device)};
    look_again(&bench->cable, 0);
    strcpy(bench->folder, "/tmp/dfurt-backup-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench_begin_run(bench);
    if (!mode_enter_dfu(&bench->probe, bench->why, sizeof bench->why))
        fail_msg("%s: %s", device, bench->why);
}

void bench_close(struct bench *bench)
{
    char line[400];
    snprintf(line, sizeof line, "rm -r %s", bench->folder);
    backup_finish(&bench->backup);
    bench->cable.target->ops->close(bench->cable.target);
    assert_int_equal(system(line), 0);
}

bool bench_is_ready(struct bench *bench)
{
    return backup_ready(&bench->probe, bench->why, sizeof bench->why);
}

bool bench_keeps_on_disk(const struct bench *bench)
{
    return *bench->backup.file.path && access(bench->backup.file.path, F_OK) == 0;
}

int bench_write_something(struct bench *bench)
{
    struct dfu_status_reply status;
    int result = dfu_to_idle(&bench->probe) ? 0 : -1;
    download_begin(&bench->probe);
    if (result == 0)
        result = download_next_block(&bench->probe);
    return result < 0 ? result : dfu_poll(&bench->probe, &status);
}

bool bench_erase_page(struct bench *bench)
{
    return dfuse_erase(&bench->probe, bench->backup.address, bench->why, sizeof bench->why);
}

void bench_assert_ends(struct bench *bench, enum flash_ending ending, const char *text)
{
    char line[PROBE_WORDS];
    backup_read_last(&bench->probe);
    assert_int_equal(backup_end(&bench->probe, line, sizeof line), ending);
    if (!strstr(line, text))
        fail_msg("the last line says: %s", line);
}
