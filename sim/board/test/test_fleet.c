// SPDX-License-Identifier: MIT
//
// The legal fleet, flashed by a plain host: one that reads the descriptors, detaches, uploads the
// firmware, downloads the same bytes again in full blocks, in order, and waits as bwPollTimeout
// says. A variation that such a host cannot flash would not be right.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sim/devices.h>
#include <sim/fleet.h>
#include <sim/host.h>
#include <usb/dfuse_layout.h>

enum {
    MOST = 8 * 1024 * 1024, // bytes of an image
    DFUSE_BYTES = 4096,     // that are written of a DfuSe device
    DFUSE_FIRST_BLOCK = 2,
};

static struct bench {
    struct sim_host *host;
    const struct variation *variation;
    uint8_t *opened;
    bool same;
    unsigned started, pieces, changes;
    uint8_t *image;
    size_t length;
} bench;

static void note(void *context, const struct sim_flash_event *event)
{
    (void)context;
    switch (event->kind) {
    case SIM_FLASH_OPENED:
        bench.opened = malloc(event->size);
        memcpy(bench.opened, event->bytes, event->size);
        break;
    case SIM_FLASH_ERASED:
    case SIM_FLASH_PROGRAMMED:
        bench.changes++;
        break;
    case SIM_FLASH_STARTED:
        bench.started++;
        bench.pieces += !event->whole;
        break;
    case SIM_FLASH_CLOSED:
        bench.same = memcmp(bench.opened, event->bytes, event->size) == 0;
        free(bench.opened);
        break;
    }
}

static const struct bootloader_identity *loader(void)
{
    return bench.variation->model.bootloader;
}

static bool is_dfuse(void)
{
    return loader()->dialect == &dfu_dialect_dfuse;
}

static void pass_ms(uint64_t ms)
{
    sim_host_run_until(bench.host, sim_host_now(bench.host) + ms * SIM_MS);
}

static int
control(uint8_t type, uint8_t request, uint16_t value, uint16_t index, void *data, uint16_t length)
{
    const struct usbdev_setup_packet setup = {type, request, value, index, length};

    return sim_host_control(bench.host, &setup, data, 5000 * SIM_MS);
}

// Enumerates, and chooses the first configuration that has a DFU interface. Returns its number, and
// its bInterfaceProtocol.
static int enumerate(uint8_t *ret_protocol)
{
    static uint8_t bytes[UINT16_MAX];
    uint8_t device[18];
    int result = sim_host_enumerate(bench.host, 20000 * SIM_MS);

    if (result < 0)
        fail_msg("%s does not enumerate: %d", bench.variation->model.name, result);
    assert_int_equal(control(0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, device, 18), 18);
    for (uint8_t i = 0; i < device[17]; i++) {
        int length = control(0x80, USBDEV_GET_DESCRIPTOR, (uint16_t)(0x0200 | i), 0, bytes, 9);
        assert_int_equal(length, 9);
        length = control(0x80, USBDEV_GET_DESCRIPTOR, (uint16_t)(0x0200 | i), 0, bytes,
                         usbdev_load_le16(bytes + 2));
        assert_int_equal(length, usbdev_load_le16(bytes + 2));
        for (int at = 0; at < length; at += bytes[at]) {
            assert_true(bytes[at] >= 2 && at + bytes[at] <= length);
            if (bytes[at + 1] != USBDEV_DT_INTERFACE || bytes[at + 5] != DFURT_INTERFACE_CLASS ||
                bytes[at + 6] != DFURT_INTERFACE_SUBCLASS)
                continue;
            assert_int_equal(control(0x00, USBDEV_SET_CONFIGURATION, bytes[5], 0, NULL, 0), 0);
            *ret_protocol = bytes[at + 7];
            return bytes[at + 2];
        }
    }
    fail_msg("%s has no DFU interface", bench.variation->model.name);
    return -1;
}

static int get_status(uint8_t *ret_bStatus, uint32_t *ret_poll_ms)
{
    uint8_t reply[6];

    assert_int_equal(control(0xA1, DFURT_GETSTATUS, 0, 0, reply, 6), 6);
    *ret_bStatus = reply[0];
    *ret_poll_ms = usbdev_load_le16(reply + 1) | (uint32_t)reply[3] << 16;
    return reply[4];
}

// GETSTATUS until nothing is under way. Returns bState, or -1 if the device has left.
static int settle(void)
{
    uint8_t bStatus;
    uint32_t poll_ms;
    int bState;

    do {
        bState = get_status(&bStatus, &poll_ms);
        pass_ms(poll_ms);
        if (bState == DFURT_STATE_dfuMANIFEST && !sim_host_connected(bench.host))
            return -1;
        if (bState == DFURT_STATE_dfuMANIFEST &&
            !(loader()->bmAttributes & DFURT_ATTR_MANIFESTATION_TOLERANT))
            return bState;
    } while (bState == DFURT_STATE_dfuDNBUSY || bState == DFURT_STATE_dfuMANIFEST);
    assert_int_equal(bStatus, DFURT_STATUS_OK);
    return bState;
}

static void dnload(uint16_t block, uint8_t *data, uint16_t length)
{
    assert_int_equal(control(0x21, DFURT_DNLOAD, block, 0, data, length), length);
    assert_int_equal(settle(), DFURT_STATE_dfuDNLOAD_IDLE);
}

static void abort_transfer(void)
{
    assert_int_equal(control(0x21, DFURT_ABORT, 0, 0, NULL, 0), 0);
}

static void upload(uint16_t first_block, size_t most)
{
    uint16_t block = first_block;
    int got;

    bench.length = 0;
    do {
        assert_true(bench.length + loader()->wTransferSize <= MOST);
        got = control(0xA1, DFURT_UPLOAD, block++, 0, bench.image + bench.length,
                      loader()->wTransferSize);
        if (got < 0)
            fail_msg("%s: UPLOAD of block %d: %d", bench.variation->model.name, block - 1, got);
        bench.length += (size_t)got;
    } while (got == loader()->wTransferSize && bench.length < most);
    if (bench.length > most)
        bench.length = most;
}

static void download(uint16_t first_block)
{
    uint16_t block = first_block;

    for (size_t at = 0; at < bench.length; at += loader()->wTransferSize) {
        size_t left = bench.length - at;
        dnload(block++, bench.image + at,
               left < loader()->wTransferSize ? (uint16_t)left : loader()->wTransferSize);
    }
    assert_int_equal(control(0x21, DFURT_DNLOAD, block, 0, NULL, 0), 0);
    settle();
}

static void command(uint8_t code, uint32_t address)
{
    uint8_t bytes[5] = {code};

    usbdev_store_le16(bytes + 1, (uint16_t)address);
    usbdev_store_le16(bytes + 3, (uint16_t)(address >> 16));
    dnload(0, bytes, sizeof bytes);
}

static const char *flash_name(void)
{
    for (size_t i = 0; loader()->alternates[i]; i++)
        if (strstr(loader()->alternates[i], "0x08000000") &&
            strstr(loader()->alternates[i], "lash"))
            return loader()->alternates[i];
    fail_msg("%s names no flash", bench.variation->model.name);
    return NULL;
}

// The first pages that can be written, as the layout that the device names itself says.
static void flash_dfuse(void)
{
    struct dfuse_layout layout;
    const struct dfuse_region *region;
    uint32_t address = 0x08000000;

    assert_true(dfuse_layout_parse(&layout, flash_name()));
    region = dfuse_layout_find(&layout, address);
    while (region && !(region->access & DFUSE_WRITABLE))
        region = dfuse_layout_find(&layout, address += region->sector_size);
    assert_non_null(region);
    command(0x21, address);
    abort_transfer();
    upload(DFUSE_FIRST_BLOCK,
           region->sector_size > DFUSE_BYTES ? region->sector_size : DFUSE_BYTES);
    abort_transfer();
    for (uint32_t at = 0; at < bench.length; at += region->sector_size)
        command(0x41, address + at);
    command(0x21, address);
    for (size_t at = 0; at < bench.length; at += loader()->wTransferSize)
        dnload((uint16_t)(DFUSE_FIRST_BLOCK + at / loader()->wTransferSize), bench.image + at,
               loader()->wTransferSize);
    command(0x21, 0x08000000);
    assert_int_equal(control(0x21, DFURT_DNLOAD, 0, 0, NULL, 0), 0);
    settle();
}

// Of several memories the last one holds the firmware.
static void flash_plain(void)
{
    uint16_t last = 0;

    while (loader()->alternates[last + 1])
        last++;
    if (last > 0)
        assert_int_equal(control(0x01, USBDEV_SET_INTERFACE, last, 0, NULL, 0), 0);
    upload(0, MOST);
    if (control(0xA1, DFURT_GETSTATE, 0, 0, bench.image + bench.length, 1) == 1 &&
        bench.image[bench.length] != DFURT_STATE_dfuIDLE)
        abort_transfer();
    download(0);
}

static void flash(void)
{
    uint8_t both = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_CAN_UPLOAD;

    if ((loader()->bmAttributes & both) != both || loader()->choices.read_protected ||
        bench.variation->model.blank)
        return;
    if (is_dfuse())
        flash_dfuse();
    else
        flash_plain();
    assert_true(bench.changes > 0);
}

static void detach(int interface)
{
    bool waits = !(loader()->bmAttributes & DFURT_ATTR_WILL_DETACH);
    uint16_t timeout_ms = loader()->wDetachTimeOut < 1000 ? loader()->wDetachTimeOut : 1000;

    assert_int_equal(control(0x21, DFURT_DETACH, timeout_ms, (uint16_t)interface, NULL, 0), 0);
    if (waits)
        sim_host_reset(bench.host);
    for (unsigned ms = 0; !waits && sim_host_connected(bench.host) && ms < 500; ms++)
        pass_ms(1);
}

static bool ends_in_dfu_mode(void)
{
    return bench.variation->model.blank || bench.variation->model.button_held;
}

static bool at_run_time(void)
{
    uint8_t device[18];

    assert_int_equal(control(0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, device, 18), 18);
    return usbdev_load_le16(device + 10) == 0x0001;
}

static void plug_in(const struct variation *variation)
{
    static const struct sim_flash_watch watch = {.event = note};
    const struct sim_options options = {.device = variation->model.name, .watch = &watch};
    char error[200] = "";

    bench = (struct bench){.variation = variation, .image = bench.image};
    struct sim_device *device = sim_open(&options, error, sizeof error);
    if (!device)
        fail_msg("%s: %s", variation->model.name, error);
    bench.host = sim_host_open(device, NULL, NULL);
    assert_non_null(bench.host);
}

static void flash_and_return(void)
{
    uint8_t protocol;
    int interface = enumerate(&protocol);

    if (at_run_time()) {
        detach(interface);
        interface = enumerate(&protocol);
    }
    assert_false(at_run_time());
    assert_int_equal(interface, 0);
    flash();
    if (sim_host_connected(bench.host))
        sim_host_reset(bench.host); // ends DFU mode where it has not ended by itself
    enumerate(&protocol);
    assert_int_equal(at_run_time(), !ends_in_dfu_mode());
}

static void unplug(void)
{
    const char *name = bench.variation->model.name;
    bool two_banks = loader()->choices.two_banks;

    sim_host_close(bench.host);
    if (bench.pieces > 0 || (!bench.same && !two_banks))
        fail_msg("%s: %u pieces started, the flash is %s", name, bench.pieces,
                 bench.same ? "as it was" : "another");
}

static void each_variation__is_flashed_by_a_plain_host_and_comes_back(void **state)
{
    (void)state;
    bench.image = malloc(MOST + UINT16_MAX);
    assert_non_null(bench.image);

    for (const struct sim_name *it = sim_list_variations(); it->name; it++) {
        plug_in(fleet_find(it->name));
        flash_and_return();
        unplug();
    }

    free(bench.image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_variation__is_flashed_by_a_plain_host_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
