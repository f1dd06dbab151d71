// SPDX-License-Identifier: MIT
//
// The native boards' whole life, as a host sees it through the host controller model.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dfu_host.h"

// ---- A host program ----

static struct sim_host *start(const char *device)
{
    struct sim_host *host = plug_in(&(struct sim_options){.device = device});

    enumerate(host);
    return host;
}

static int dfu_out(struct sim_host *host, enum dfurt_request bRequest, uint16_t wValue)
{
    return control(host, 0x21, (uint8_t)bRequest, wValue, 0, NULL, 0);
}

static void make_image(uint8_t *image, size_t length)
{
    for (size_t i = 0; i < length; i++)
        image[i] = (uint8_t)(i * 7 + i / 256 + 1);
}

static void dfuse_leave(struct sim_host *host)
{
    assert_true(dfuse_command(host, DFUSE_SET_ADDRESS, 0x08000000));
    assert_int_equal(control(host, 0x21, DFURT_DNLOAD, 2, 0, NULL, 0), 0);
    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_dfuMANIFEST);
    pass_ms(host, 20);
    assert_false(sim_host_connected(host));
}

// ---- Run time into DFU mode ----

static void will_detach__leaves_by_itself_and_comes_back_as_its_boot_loader(void **state)
{
    (void)state;
    struct sim_host *host = start("will-detach");
    assert_int_equal(vid_pid(host), 0x12090001);

    assert_int_equal(dfu_out(host, DFURT_DETACH, 1000), 0);
    pass_ms(host, 20);

    assert_false(sim_host_connected(host));
    enumerate(host);
    assert_int_equal(vid_pid(host), 0x0483DF11);
    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_dfuIDLE);
    sim_host_close(host);
}

static void wait_reset__leaves_by_the_reset_and_not_before(void **state)
{
    (void)state;
    struct sim_host *host = start("wait-reset");

    assert_int_equal(dfu_out(host, DFURT_DETACH, 1000), 0);
    pass_ms(host, 900);
    assert_true(sim_host_connected(host));
    assert_int_equal(sim_host_reset(host), USB_GONE);

    enumerate(host);
    assert_int_equal(vid_pid(host), 0x12090002);
    sim_host_close(host);
}

static void wait_reset__stays_when_the_reset_comes_too_late(void **state)
{
    (void)state;
    struct sim_host *host = start("wait-reset");

    assert_int_equal(dfu_out(host, DFURT_DETACH, 1000), 0);
    pass_ms(host, 1001);
    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_appIDLE);

    assert_int_equal(sim_host_reset(host), 0);
    assert_true(sim_host_connected(host));
    sim_host_close(host);
}

static void run_time__stays_in_a_reset_without_detach(void **state)
{
    (void)state;
    static const char *const devices[] = {"will-detach", "wait-reset", "composite"};

    for (size_t i = 0; i < 3; i++) {
        struct sim_host *host = start(devices[i]);

        assert_int_equal(sim_host_reset(host), 0);
        enumerate(host);
        assert_int_equal(vid_pid(host), 0x12090001);
        sim_host_close(host);
    }
}

// ---- DFU mode and back ----

static void dfuse__download_upload_leave(void **state)
{
    (void)state;
    uint8_t image[5000], back[128 * 1024];
    struct sim_host *host = start("dfu-mode");
    make_image(image, sizeof image);

    assert_true(dfuse_write(host, 0x08000000, image, sizeof image));
    assert_true(dfuse_command(host, DFUSE_SET_ADDRESS, 0x08000000));
    assert_int_equal(dfu_out(host, DFURT_ABORT, 0), 0);
    size_t length = upload(host, 2, 2048, back);
    assert_int_equal(dfu_out(host, DFURT_ABORT, 0), 0);
    dfuse_leave(host);

    assert_int_equal(length, sizeof back);
    assert_memory_equal(back, image, sizeof image);
    enumerate(host);
    assert_int_equal(vid_pid(host), 0x12090001);
    sim_host_close(host);
}

static void dfuse__after_a_mass_erase_nothing_is_there_to_start(void **state)
{
    (void)state;
    struct sim_host *host = start("dfu-mode");

    assert_true(dnload(host, 0, "\x41", 1));
    dfuse_leave(host);

    enumerate(host);
    assert_int_equal(vid_pid(host), 0x0483DF11);
    sim_host_close(host);
}

static void dfuse__programming_what_is_not_erased_is_an_error(void **state)
{
    (void)state;
    uint8_t data[] = "abcd", bStatus = 0;
    uint32_t poll_ms = 0;
    struct sim_host *host = start("dfu-mode");

    assert_int_equal(control(host, 0x21, DFURT_DNLOAD, 2, 0, data, 4), 4);
    assert_int_equal(get_status(host, NULL, &poll_ms), DFURT_STATE_dfuDNBUSY);
    pass_ms(host, poll_ms);

    assert_int_equal(get_status(host, &bStatus, NULL), DFURT_STATE_dfuERROR);
    assert_int_equal(bStatus, DFURT_STATUS_errPROG);
    sim_host_close(host);
}

// wTransferSize blocks, then the zero-length one. Returns the state after manifestation.
static int plain_download(struct sim_host *host, const uint8_t *image, size_t length, size_t size)
{
    uint32_t poll_ms = 0;
    uint16_t block = 0;

    for (size_t at = 0; at < length; at += size) {
        size_t chunk = length - at < size ? length - at : size;

        assert_true(dnload(host, block++, image + at, chunk));
    }
    assert_int_equal(control(host, 0x21, DFURT_DNLOAD, block, 0, NULL, 0), 0);
    assert_int_equal(get_status(host, NULL, &poll_ms), DFURT_STATE_dfuMANIFEST);
    pass_ms(host, poll_ms);
    return get_status(host, NULL, NULL);
}

static void plain__download_upload_reset(void **state)
{
    (void)state;
    uint8_t image[3001], back[4096];
    struct sim_host *host = start("dfu-plain");
    make_image(image, sizeof image);

    int bState = plain_download(host, image, sizeof image, 1024);
    size_t length = upload(host, 0, 1024, back);

    assert_int_equal(bState, DFURT_STATE_dfuIDLE); // manifestation tolerant
    assert_int_equal(length, sizeof image);
    assert_memory_equal(back, image, sizeof image);
    assert_int_equal(sim_host_reset(host), USB_GONE);
    enumerate(host);
    assert_int_equal(vid_pid(host), 0x12090001);
    sim_host_close(host);
}

static void plain__takes_blocks_of_any_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 3, 63, 64, 1023, 1024};
    uint8_t image[2049], back[4096];
    make_image(image, sizeof image);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct sim_host *host = start("dfu-plain");

        assert_int_equal(plain_download(host, image, sizeof image, sizes[i]), DFURT_STATE_dfuIDLE);
        assert_int_equal(upload(host, 0, 1024, back), sizeof image);
        assert_memory_equal(back, image, sizeof image);
        sim_host_close(host);
    }
}

static void plain__not_tolerant_waits_for_the_reset(void **state)
{
    (void)state;
    uint8_t image[100];
    struct sim_host *host = start("wait-reset");
    make_image(image, sizeof image);
    assert_int_equal(dfu_out(host, DFURT_DETACH, 1000), 0);
    sim_host_reset(host);
    enumerate(host);

    int bState = plain_download(host, image, sizeof image, 1024);
    int clear = dfu_out(host, DFURT_CLRSTATUS, 0);

    assert_int_equal(bState, DFURT_STATE_dfuMANIFEST_WAIT_RESET);
    assert_int_equal(clear, USB_STALL);
    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_dfuMANIFEST_WAIT_RESET);
    assert_int_equal(sim_host_reset(host), USB_GONE);
    enumerate(host);
    assert_int_equal(vid_pid(host), 0x12090001);
    sim_host_close(host);
}

static void plain__a_download_that_was_broken_off_leaves_corrupt_firmware(void **state)
{
    (void)state;
    uint8_t image[1024], bStatus = 0;
    struct sim_host *host = start("dfu-plain");
    make_image(image, sizeof image);

    assert_true(dnload(host, 0, image, sizeof image));
    assert_int_equal(sim_host_reset(host), 0);
    enumerate(host);

    assert_int_equal(vid_pid(host), 0x12090002);
    assert_int_equal(get_status(host, &bStatus, NULL), DFURT_STATE_dfuERROR);
    assert_int_equal(bStatus, DFURT_STATUS_errFIRMWARE);
    assert_int_equal(dfu_out(host, DFURT_CLRSTATUS, 0), 0);
    assert_int_equal(get_status(host, &bStatus, NULL), DFURT_STATE_dfuIDLE);
    assert_int_equal(bStatus, DFURT_STATUS_OK);
    sim_host_close(host);
}

// The trap of DFU 1.1 A.2.3: the resets of the DFU-mode device's own enumeration end nothing.
static void dfu_mode__survives_the_resets_of_its_own_enumeration(void **state)
{
    (void)state;
    static const char *const devices[] = {"dfu-mode", "dfu-plain"};

    for (size_t i = 0; i < 2; i++) {
        struct sim_host *host = plug_in(&(struct sim_options){.device = devices[i]});

        for (int resets = 0; resets < 5; resets++)
            assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), 0);
        assert_int_not_equal(vid_pid(host), 0x12090001);
        enumerate(host);
        assert_int_equal(sim_host_reset(host), USB_GONE);
        enumerate(host);
        assert_int_equal(vid_pid(host), 0x12090001);
        sim_host_close(host);
    }
}

static void dfu_mode__requests_to_no_interface_of_it_move_no_state(void **state)
{
    (void)state;
    static const struct {
        uint8_t bmRequestType;
        uint16_t wIndex;
    } others[] = {{0x21, 0x0100}, {0x21, 1}, {0x20, 0}, {0x41, 0}, {0x22, 0}, {0x01, 0}};
    struct sim_host *host = start("dfu-plain");

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(
            control(host, others[i].bmRequestType, DFURT_DETACH, 0, others[i].wIndex, NULL, 0),
            USB_STALL);

    assert_int_equal(get_status(host, NULL, NULL), DFURT_STATE_dfuIDLE);
    sim_host_close(host);
}

// ---- Power, suspend, endpoints ----

static void power_cut__in_a_download_leaves_a_board_that_comes_back(void **state)
{
    (void)state;
    uint8_t image[3000];
    make_image(image, sizeof image);

    for (unsigned cut_ms = 0; cut_ms < 140; cut_ms += 7) {
        struct sim_host *host = start("dfu-plain");

        assert_int_equal(control(host, 0x21, DFURT_DNLOAD, 0, 0, image, 1024), 1024);
        get_status(host, NULL, NULL);
        pass_ms(host, cut_ms);
        sim_host_power(host, false);
        pass_ms(host, 50);
        sim_host_power(host, true);

        enumerate(host);
        uint32_t found = vid_pid(host);
        // The mark goes with the first page, 30 ms on: whole before, corrupt after.
        assert_int_equal(found, cut_ms < 30 ? 0x12090001 : 0x12090002);
        sim_host_close(host);
    }
}

static void suspend__and_resume_leave_the_device_configured(void **state)
{
    (void)state;
    uint8_t configuration = 0;
    struct sim_host *host = start("will-detach");

    sim_host_suspend(host);
    pass_ms(host, 500);
    sim_host_resume(host);

    assert_int_equal(control(host, 0x80, USBDEV_GET_CONFIGURATION, 0, 0, &configuration, 1), 1);
    assert_int_equal(configuration, 1);
    sim_host_close(host);
}

static void remote_wake_up__works_when_the_host_allowed_it(void **state)
{
    (void)state;

    for (int allowed = 0; allowed < 2; allowed++) {
        struct sim_host *host = start("composite");

        if (allowed)
            assert_int_equal(control(host, 0x00, USBDEV_SET_FEATURE, 1, 0, NULL, 0), 0);
        assert_int_equal(control(host, 0x41, 1, 50, 1, NULL, 0), 0);
        sim_host_suspend(host);
        pass_ms(host, 200);

        assert_int_equal(sim_host_suspended(host), !allowed);
        sim_host_close(host);
    }
}

static int move(struct sim_host *host, uint8_t endpoint, uint8_t type, void *data, size_t length)
{
    struct sim_transfer transfer = {
        .endpoint = endpoint,
        .type = type,
        .wMaxPacketSize = type == USBDEV_ENDPOINT_BULK ? 64 : 4,
        .bInterval = 10,
        .data = data,
        .length = length,
        .timeout_ns = 100 * SIM_MS,
    };

    return sim_host_transfer(host, &transfer);
}

static void composite__loops_bulk_data_back_and_counts_it(void **state)
{
    (void)state;
    uint8_t sent[64], back[64], total[4];
    struct sim_host *host = start("composite");
    make_image(sent, sizeof sent);

    for (int i = 0; i < 3; i++) {
        assert_int_equal(move(host, 0x01, USBDEV_ENDPOINT_BULK, sent, 64), 64);
        assert_int_equal(move(host, 0x81, USBDEV_ENDPOINT_BULK, back, 64), 64);
        assert_memory_equal(sent, back, 64);
        assert_int_equal(move(host, 0x82, USBDEV_ENDPOINT_INTERRUPT, total, 4), 4);
        assert_int_equal(usbdev_load_le16(total), 64 * (i + 1));
    }
    assert_int_equal(move(host, 0x81, USBDEV_ENDPOINT_BULK, back, 64), USB_TIMEOUT);
    sim_host_close(host);
}

static void composite__a_halted_endpoint_stalls_until_it_is_cleared(void **state)
{
    (void)state;
    static const uint8_t endpoints[] = {0x01, 0x81};
    uint8_t byte = 7, back[64];

    for (size_t i = 0; i < 2; i++) {
        struct sim_host *host = start("composite");

        if (endpoints[i] == 0x81) // and with a packet waiting in it, which is lost
            assert_int_equal(move(host, 0x01, USBDEV_ENDPOINT_BULK, &byte, 1), 1);
        assert_int_equal(control(host, 0x02, USBDEV_SET_FEATURE, 0, endpoints[i], NULL, 0), 0);
        assert_int_equal(move(host, endpoints[i], USBDEV_ENDPOINT_BULK, back, 1), USB_STALL);
        assert_int_equal(control(host, 0x02, USBDEV_CLEAR_FEATURE, 0, endpoints[i], NULL, 0), 0);

        assert_int_equal(move(host, 0x01, USBDEV_ENDPOINT_BULK, &byte, 1), 1);
        assert_int_equal(move(host, 0x81, USBDEV_ENDPOINT_BULK, back, 64), 1);
        sim_host_close(host);
    }
}

// ---- Determinism, files, wrong options ----

struct digest {
    uint64_t hash;
    uint64_t packets;
};

static void add(struct digest *digest, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < length; i++)
        digest->hash = (digest->hash ^ byte[i]) * 0x100000001B3; // FNV-1a
}

static void digest_packet(void *context, const struct sim_packet *packet)
{
    struct digest *digest = context;
    int kind = (int)packet->kind;

    digest->packets++;
    add(digest, &packet->time_ns, sizeof packet->time_ns);
    add(digest, &kind, sizeof kind);
    add(digest, &packet->result, sizeof packet->result);
    add(digest, packet->data, packet->length);
}

static struct digest whole_life(void)
{
    struct digest digest = {.hash = 0xCBF29CE484222325};
    uint8_t image[2100];
    struct sim_host *host = plug_in(&(struct sim_options){0});

    sim_host_tap(host, digest_packet, &digest);
    make_image(image, sizeof image);
    enumerate(host);
    dfu_out(host, DFURT_DETACH, 1000);
    pass_ms(host, 20);
    enumerate(host);
    assert_true(dfuse_write(host, 0x08000000, image, sizeof image));
    dfuse_leave(host);
    enumerate(host);
    sim_host_close(host);
    return digest;
}

static void the_same_calls__give_the_same_trace(void **state)
{
    (void)state;

    struct digest first = whole_life();
    struct digest second = whole_life();

    assert_true(first.packets > 50);
    assert_int_equal(first.packets, second.packets);
    assert_true(first.hash == second.hash);
}

static void flash_file__keeps_what_was_flashed(void **state)
{
    (void)state;
    char name[] = "/tmp/dfurt-flash-XXXXXX";
    uint8_t image[300], back[4096];
    int file = mkstemp(name);
    assert_true(file >= 0);
    close(file);
    unlink(name);
    make_image(image, sizeof image);
    const struct sim_options options = {.device = "dfu-plain", .flash = name};

    struct sim_host *host = plug_in(&options);
    enumerate(host);
    assert_int_equal(plain_download(host, image, sizeof image, 1024), DFURT_STATE_dfuIDLE);
    sim_host_close(host);
    host = plug_in(&options);
    enumerate(host);

    assert_int_equal(upload(host, 0, 1024, back), sizeof image);
    assert_memory_equal(back, image, sizeof image);
    sim_host_close(host);
    unlink(name);
}

static void flash_file__of_another_size_is_refused(void **state)
{
    (void)state;
    char name[] = "/tmp/dfurt-flash-XXXXXX", error[300] = "";
    int file = mkstemp(name);
    assert_true(file >= 0);
    assert_int_equal(write(file, "short", 5), 5);
    close(file);

    struct sim_device *device = sim_open(&(struct sim_options){.flash = name}, error, sizeof error);

    assert_null(device);
    assert_non_null(strstr(error, name));
    unlink(name);
}

static void open__says_what_is_wrong(void **state)
{
    (void)state;
    char error[300] = "";

    assert_null(sim_open(&(struct sim_options){.device = "nonesuch"}, error, sizeof error));
    assert_non_null(strstr(error, "nonesuch"));
    assert_null(sim_open(&(struct sim_options){.defect = "faultless"}, error, sizeof error));
    assert_non_null(strstr(error, "faultless"));
    assert_null(
        sim_open(&(struct sim_options){.defect = "second-detach+faultless"}, error, sizeof error));
    assert_non_null(strstr(error, "'faultless'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(will_detach__leaves_by_itself_and_comes_back_as_its_boot_loader),
        cmocka_unit_test(wait_reset__leaves_by_the_reset_and_not_before),
        cmocka_unit_test(wait_reset__stays_when_the_reset_comes_too_late),
        cmocka_unit_test(run_time__stays_in_a_reset_without_detach),
        cmocka_unit_test(dfuse__download_upload_leave),
        cmocka_unit_test(dfuse__after_a_mass_erase_nothing_is_there_to_start),
        cmocka_unit_test(dfuse__programming_what_is_not_erased_is_an_error),
        cmocka_unit_test(plain__download_upload_reset),
        cmocka_unit_test(plain__takes_blocks_of_any_size),
        cmocka_unit_test(plain__not_tolerant_waits_for_the_reset),
        cmocka_unit_test(plain__a_download_that_was_broken_off_leaves_corrupt_firmware),
        cmocka_unit_test(dfu_mode__survives_the_resets_of_its_own_enumeration),
        cmocka_unit_test(dfu_mode__requests_to_no_interface_of_it_move_no_state),
        cmocka_unit_test(power_cut__in_a_download_leaves_a_board_that_comes_back),
        cmocka_unit_test(suspend__and_resume_leave_the_device_configured),
        cmocka_unit_test(remote_wake_up__works_when_the_host_allowed_it),
        cmocka_unit_test(composite__loops_bulk_data_back_and_counts_it),
        cmocka_unit_test(composite__a_halted_endpoint_stalls_until_it_is_cleared),
        cmocka_unit_test(the_same_calls__give_the_same_trace),
        cmocka_unit_test(flash_file__keeps_what_was_flashed),
        cmocka_unit_test(flash_file__of_another_size_is_refused),
        cmocka_unit_test(open__says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
