// SPDX-License-Identifier: MIT
//
// The real firmware's whole life on the virtual board, as a host sees it: the same ELF that would
// be flashed to a chip.
//
//     test_firmware COMPOSITE COMPOSITE_V2 DFU_ONLY

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>
#include <sim/image.h>
#include <usb/bytes.h>

#include "dfu_host.h"
#include "f072_board_private.h"

enum { DFU = 1 }; // its interface in the composite image

static const char *composite;
static const char *composite_v2;
static const char *dfu_only;

// ---- A host program ----

static struct f072_board *board_of(struct sim_host *host)
{
    return (struct f072_board *)sim_host_device(host);
}

// No warning has been printed either.
static void unplug_unwarned(struct sim_host *host)
{
    assert_int_equal(board_of(host)->chip.report.warning_count, 0);
    unplug(host);
}

// idVendor, idProduct, bcdDevice of whatever is on the bus, after enumerating it.
struct identity {
    uint16_t idVendor;
    uint16_t idProduct;
    uint16_t bcdDevice;
};

static struct identity identify(struct sim_host *host)
{
    uint8_t descriptor[USBDEV_DEVICE_DESCRIPTOR_SIZE];

    enumerate(host);
    assert_int_equal(control(host, 0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, descriptor, 18), 18);
    return (struct identity){usbdev_load_le16(descriptor + 8), usbdev_load_le16(descriptor + 10),
                             usbdev_load_le16(descriptor + 12)};
}

static void assert_runs(struct sim_host *host, uint16_t bcdDevice)
{
    struct identity identity = identify(host);

    assert_int_equal(identity.idVendor, 0x1209);
    assert_int_equal(identity.idProduct, 0x0001);
    assert_int_equal(identity.bcdDevice, bcdDevice);
}

static void assert_in_boot_loader(struct sim_host *host)
{
    struct identity identity = identify(host);

    assert_int_equal(identity.idVendor, 0x0483);
    assert_int_equal(identity.idProduct, 0xDF11);
}

static int detach(struct sim_host *host, uint16_t bInterfaceNumber)
{
    return control(host, 0x21, DFURT_DETACH, 1000, bInterfaceNumber, NULL, 0);
}

static void wait_for_leave(struct sim_host *host, uint64_t limit_ms)
{
    for (uint64_t ms = 0; ms < limit_ms && sim_host_connected(host); ms++)
        pass_ms(host, 1);
    assert_false(sim_host_connected(host));
}

// ---- Updates ----

struct update {
    uint8_t bytes[F072_FLASH_SIZE];
    size_t size; // whole pages
};

static struct update *read_update(const char *elf)
{
    struct update *update = calloc(1, sizeof *update);
    char error[200] = "";

    if (!f072_load_image(f072_models, 0, elf, update->bytes, error, sizeof error))
        fail_msg("%s", error);
    for (size_t i = 0; i < sizeof update->bytes; i++)
        if (update->bytes[i] != 0xFF)
            update->size = (i / DFUSE_PAGE + 1) * DFUSE_PAGE;
    return update;
}

static bool download(struct sim_host *host, struct update *image)
{
    return dfuse_write(host, F072_FLASH_BASE, image->bytes, image->size) &&
           dfuse_command(host, DFUSE_SET_ADDRESS, F072_FLASH_BASE);
}

static bool leave(struct sim_host *host)
{
    return control(host, 0x21, DFURT_DNLOAD, 0, 0, NULL, 0) == 0 &&
           get_status(host, NULL, NULL) >= 0;
}

// ---- Boot and enumeration ----

static void boot__whatever_the_ram_holds(void **state)
{
    (void)state;

    for (uint32_t seed = 0; seed < 50; seed++) {
        struct sim_host *host = plug_in(&(struct sim_options){.firmware = composite, .seed = seed});
        assert_runs(host, 0x0100);
        unplug_unwarned(host);
    }
}

// Everything that went over the wire and when, in one number (FNV-1a).
static void hash_packet(void *context, const struct sim_packet *packet)
{
    uint64_t *hash = context;
    const uint64_t numbers[] = {packet->time_ns, packet->kind, packet->address, packet->data1,
                                (uint64_t)packet->result};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *hash = (*hash ^ numbers[i]) * UINT64_C(0x100000001B3);
    for (size_t i = 0; i < packet->length; i++)
        *hash = (*hash ^ packet->data[i]) * UINT64_C(0x100000001B3);
}

static uint64_t hash_of_a_life(uint32_t seed)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    struct sim_host *host = plug_in(&(struct sim_options){.firmware = composite, .seed = seed});
    uint8_t serial[64];

    sim_host_tap(host, hash_packet, &hash);
    assert_runs(host, 0x0100);
    assert_true(control(host, 0x80, USBDEV_GET_DESCRIPTOR, 0x0303, 0x0409, serial, sizeof serial) >
                2);
    assert_int_equal(detach(host, DFU), 0);
    wait_for_leave(host, 1000);
    assert_in_boot_loader(host);
    unplug_unwarned(host);
    return hash;
}

static void boot__twice_gives_the_same_packets_to_the_nanosecond(void **state)
{
    (void)state;
    uint64_t first = hash_of_a_life(5);

    assert_true(hash_of_a_life(5) == first);
    assert_true(hash_of_a_life(6) != first); // the serial number is another chip's
}

// ---- The power ----

static void power__leaves_what_was_flashed(void **state)
{
    (void)state;
    struct sim_host *host = plug_in(&(struct sim_options){.firmware = composite});
    struct update *image = read_update(composite_v2);

    assert_runs(host, 0x0100);
    assert_int_equal(detach(host, DFU), 0);
    wait_for_leave(host, 1000);
    assert_in_boot_loader(host);
    assert_true(download(host, image));
    assert_true(leave(host));
    wait_for_leave(host, 1000);
    sim_host_power(host, false);
    pass_ms(host, 500);
    sim_host_power(host, true);
    assert_runs(host, 0x0200);

    free(image);
    unplug_unwarned(host);
}

// Downloads the image, with the power cut after `ns` of it, and brings the board back. Returns what
// it came back as; *ret_span_ns is how long the download took or would have taken.
static struct identity survive(struct update *image, uint64_t ns, uint64_t *ret_span_ns)
{
    struct sim_host *host =
        plug_in(&(struct sim_options){.firmware = composite, .seed = (uint32_t)ns});

    assert_runs(host, 0x0100);
    assert_int_equal(detach(host, DFU), 0);
    wait_for_leave(host, 1000);
    assert_in_boot_loader(host);
    uint64_t start_ns = sim_host_now(host);
    cut_power_at(sim_host_device(host), start_ns + ns);
    if (download(host, image))
        leave(host);
    *ret_span_ns = sim_host_now(host) - start_ns;
    pass_ms(host, 100);
    sim_host_power(host, false);
    pass_ms(host, 300);
    sim_host_power(host, true);
    struct identity identity = identify(host);

    unplug_unwarned(host);
    return identity;
}

static void power_cut__at_any_point_of_a_download_ends_in_application_or_boot_loader(void **state)
{
    (void)state;
    enum { CUTS = 60 };
    struct update *image = read_update(composite_v2);
    uint64_t span_ns;
    uint64_t cut_span_ns;
    unsigned old_ones = 0;
    unsigned boot_loaders = 0;

    struct identity whole = survive(image, UINT32_MAX, &span_ns);
    assert_int_equal(whole.bcdDevice, 0x0200);
    for (unsigned i = 0; i <= CUTS; i++) {
        struct identity identity = survive(image, span_ns * i / CUTS, &cut_span_ns);
        old_ones += identity.idVendor == 0x1209 && identity.bcdDevice == 0x0100;
        boot_loaders += identity.idVendor == 0x0483;
    }
    assert_true(old_ones > 0); // before the first erase
    assert_true(boot_loaders > CUTS / 2);

    free(image);
}

// ---- Names ----

// The line follows where this build has libdw.
static bool is_two_bytes_into_reset(const char *text)
{
    static const char function[] = "reset+2h", line[] = ", startup.c:";
    size_t length = strlen(function);

    return strncmp(text, function, length) == 0 &&
           (text[length] == '\0' || strncmp(text + length, line, strlen(line)) == 0);
}

static void symbols__name_the_functions_of_an_elf(void **state)
{
    (void)state;
    struct update *update = read_update(composite);
    uint32_t reset = load_le32(update->bytes + 4);
    char text[80] = "";

    assert_true(image_symbol(composite, (reset & ~UINT32_C(1)) + 2, text, sizeof text));
    assert_true(is_two_bytes_into_reset(text));
    assert_false(image_symbol(composite, 0x0801F000, text, sizeof text));
    assert_false(image_symbol("/etc/passwd", reset, text, sizeof text));
    assert_true(is_two_bytes_into_reset(text));

    free(update);
}

// The name of a function, with a byte in it that a terminal obeys.
static void symbols__of_a_damaged_file_are_printable(void **state)
{
    (void)state;
    static uint8_t bytes[256 * 1024];
    static const char name[] = "\0reset";
    FILE *elf = fopen(composite, "rb");
    char text[80] = "";
    char path[] = "/tmp/damaged-elf-XXXXXX";
    uint32_t reset;

    assert_non_null(elf);
    size_t size = fread(bytes, 1, sizeof bytes, elf);
    fclose(elf);
    uint8_t *at = memmem(bytes, size, name, sizeof name); // with the NUL behind it
    assert_non_null(at);
    at[2] = 0x1B;
    int file = mkstemp(path);
    assert_int_equal(write(file, bytes, size), size);
    close(file);
    struct update *update = read_update(composite);
    reset = load_le32(update->bytes + 4);
    free(update);

    assert_true(image_symbol(path, reset & ~UINT32_C(1), text, sizeof text));
    unlink(path);
    assert_memory_equal(text, "r?set+0h", 8);
}

// ---- Frames in which nothing happens ----

static struct sim_host *plug_in_configured(void)
{
    struct sim_host *host = plug_in(&(struct sim_options){.firmware = dfu_only, .seed = 1});

    enumerate(host);
    return host;
}

static void assert_same_board(struct sim_host *a, struct sim_host *b)
{
    static struct f072_chip chips[2];
    struct f072_board *boards[] = {board_of(a), board_of(b)};

    assert_true(sim_host_now(a) == sim_host_now(b));
    for (int i = 0; i < 2; i++) {
        chips[i] = boards[i]->chip;
        f072_chip_without_time(&chips[i], sim_host_now(a));
    }
    assert_memory_equal(chips[0].cpu.r, chips[1].cpu.r, sizeof chips[0].cpu.r);
    assert_memory_equal(chips[0].sram, chips[1].sram, sizeof chips[0].sram);
    assert_memory_equal(&chips[0].usb.ep, &chips[1].usb.ep, sizeof chips[0].usb.ep);
    assert_true(boards[0]->chip.cpu.cycles == boards[1]->chip.cpu.cycles);
    assert_true(boards[0]->chip.base_ns == boards[1]->chip.base_ns);
    assert_true(boards[0]->chip.cpu.systick.since == boards[1]->chip.cpu.systick.since);
    assert_true(boards[0]->chip.usb.sof_missing_ns == boards[1]->chip.usb.sof_missing_ns);
    assert_int_equal(boards[0]->chip.usb.fnr, boards[1]->chip.usb.fnr);
}

// A host that advances by no more than a frame simulates each.
static void frames__left_out_are_as_if_simulated(void **state)
{
    (void)state;
    struct sim_host *leaving_out = plug_in_configured();
    struct sim_host *living = plug_in_configured();
    uint8_t status[2];

    pass_ms(leaving_out, 3000);
    for (int i = 0; i < 3000; i++)
        pass_ms(living, 1);
    assert_true(board_of(leaving_out)->rest.steady);
    assert_same_board(leaving_out, living);
    control(leaving_out, 0x80, USBDEV_GET_STATUS, 0, 0, status, 2);
    control(living, 0x80, USBDEV_GET_STATUS, 0, 0, status, 2);
    assert_same_board(leaving_out, living);
    sim_host_suspend(leaving_out);
    sim_host_suspend(living);
    sim_host_resume(leaving_out);
    sim_host_resume(living);
    assert_same_board(leaving_out, living);

    unplug_unwarned(leaving_out);
    unplug_unwarned(living);
}

static void frames__of_a_day_are_over_in_no_time(void **state)
{
    (void)state;
    enum { DAY_MS = 24 * 3600 * 1000, CYCLES_PER_MS = 48000 };
    struct sim_host *host = plug_in_configured();
    uint8_t device[18];

    pass_ms(host, 100);
    uint64_t before = board_of(host)->chip.cpu.cycles;
    pass_ms(host, DAY_MS);
    uint64_t passed = board_of(host)->chip.cpu.cycles - before;
    assert_in_range(passed, (uint64_t)DAY_MS * CYCLES_PER_MS - 50,
                    (uint64_t)DAY_MS * CYCLES_PER_MS + 50);
    assert_int_equal(
        control(host, 0x80, USBDEV_GET_DESCRIPTOR, USBDEV_DT_DEVICE << 8, 0, device, sizeof device),
        18);

    unplug_unwarned(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames__left_out_are_as_if_simulated),
        cmocka_unit_test(frames__of_a_day_are_over_in_no_time),
        cmocka_unit_test(symbols__name_the_functions_of_an_elf),
        cmocka_unit_test(symbols__of_a_damaged_file_are_printable),
        cmocka_unit_test(boot__whatever_the_ram_holds),
        cmocka_unit_test(boot__twice_gives_the_same_packets_to_the_nanosecond),
        cmocka_unit_test(power__leaves_what_was_flashed),
        cmocka_unit_test(power_cut__at_any_point_of_a_download_ends_in_application_or_boot_loader),
    };

    if (argc != 4) {
        fprintf(stderr, "usage: %s COMPOSITE COMPOSITE_V2 DFU_ONLY\n", argv[0]);
        return 2;
    }
    composite = argv[1];
    composite_v2 = argv[2];
    dfu_only = argv[3];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
