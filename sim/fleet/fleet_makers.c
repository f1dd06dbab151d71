// SPDX-License-Identifier: MIT
//
// Boot loaders and products as makers describe them, each of them within the specifications.

#include <string.h>

#include <sim/firmware.h>
#include <sim/fleet.h>

enum {
    NO_UPLOAD = DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_MANIFESTATION_TOLERANT,
    DNLOAD_MS = 4800, // of 5000
};

// idVendor, idProduct, bcdDevice, iManufacturer and iProduct of a boot loader.
#define BY(vid, pid, release, maker, name)                                                         \
    .idVendor = (vid), .idProduct = (pid), .bcdDevice = (release), .manufacturer = (maker),        \
    .product = (name)
#define BY_ARTERY BY(0x2E3C, 0xDF11, 0x0200, "Artery", "AT32 Bootloader DFU")
#define BY_GIGADEVICE BY(0x28E9, 0x0189, 0x0100, "GDMicroelectronics", "GD32 DFU")
#define BY_NXP BY(0x1FC9, 0x000C, 0x0100, "NXP", "LPC")
#define BY_ST(release, name) BY(0x0483, 0xDF11, release, "STMicroelectronics", name)
#define BY_ZEPHYR BY(0x2FE3, 0xFFFF, 0x0100, "ZEPHYR", "Zephyr DFU")
#define UNNAMED BY(0x1209, 0x0002, 0x0100, "m", "p")

// What follows by and the numbers: the names of its alternate settings.
#define DFUSE_FIELDS(timeout_ms, size, attributes)                                                 \
    .dialect = &dfu_dialect_dfuse, .bcdUSB = 0x0200, .bcdDFUVersion = 0x011A,                      \
    .wDetachTimeOut = (timeout_ms), .wTransferSize = (size), .bmAttributes = (attributes),         \
    .choices = {.leaves_by_itself = true}
#define DFUSE(by, size, ...)                                                                       \
    &(const struct bootloader_identity)                                                            \
    {                                                                                              \
        by, DFUSE_FIELDS(255, size, FLEET_BOTH_WAYS | DFURT_ATTR_WILL_DETACH),                     \
            .alternates = {__VA_ARGS__},                                                           \
    }
#define DFUSE_OF(timeout_ms, by, size, attributes, ...)                                            \
    &(const struct bootloader_identity)                                                            \
    {                                                                                              \
        by, DFUSE_FIELDS(timeout_ms, size, attributes), .alternates = {__VA_ARGS__},               \
    }
#define PLAIN_OF(timeout_ms, by, size, attributes, ...)                                            \
    &(const struct bootloader_identity)                                                            \
    {                                                                                              \
        by, .dialect = &dfu_dialect_plain, .bcdUSB = 0x0200, .wDetachTimeOut = (timeout_ms),       \
            .wTransferSize = (size), .bcdDFUVersion = 0x0110, .bmAttributes = (attributes),        \
            .alternates = {__VA_ARGS__},                                                           \
    }

// A block is taken packet by packet as it is programmed.
static int take_block_slowly(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!view->bootloader || setup->bmRequestType != TO_DFU || setup->bRequest != DFURT_DNLOAD ||
        setup->wLength == 0)
        return NATIVE_PASS;
    usbdev_setup_store(view->delayed, setup);
    view->delay_ms = DNLOAD_MS;
    return NATIVE_SILENT;
}

// Each block is signed, say: one that is not the firmware's is no block for this device.
static int judge_block(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;
    uint8_t firmware[4096];

    if (!dfu || !defect_begins_work(view, setup))
        return NATIVE_PASS;
    firmware_make(firmware, sizeof firmware, 1);
    if (dfu->received > sizeof firmware || dfu->length > dfu->received ||
        memcmp(dfu->buffer, firmware + dfu->received - dfu->length, dfu->length) != 0) {
        dfu->bState = DFURT_STATE_dfuERROR;
        dfu->bStatus = DFURT_STATUS_errFILE;
    }
    return NATIVE_PASS;
}

const struct variation fleet_of_makers[] = {
    {
        .model = {.name = "gd32-rom",
                  .summary =
                      "the ROM of a GD32F3: 28e9:0189, pages of 2 KiB without a leading zero",
                  .bootloader = DFUSE(BY_GIGADEVICE, 2048, "@Internal Flash /0x08000000/256*2Kg"),
                  .flash = {.size = 512 * 1024, .page_size = 2048}},
        .allowed_by = "UM0424 10.3.2; DFU 1.1 4.2.1: idVendor is the maker's",
    },
    {
        .model = {.name = "at32-rom",
                  .summary = "the ROM of an AT32F4: 2e3c:df11, option bytes that can be erased",
                  .bootloader = DFUSE(BY_ARTERY,
                                      2048,
                                      "@Internal Flash  /0x08000000/128*002Kg",
                                      "@Option byte  /0x1FFFF800/01*016 g"),
                  .flash = {.size = 256 * 1024, .page_size = 2048}},
        .allowed_by = "UM0424 10.3.2: type g is readable, erasable and writable",
    },
    {
        .model = {.name = "f4-rom",
                  .summary = "the ROM of an STM32F405: three sizes of sectors",
                  .bootloader = DFUSE(BY_ST(0x2200, "STM32  BOOTLOADER"),
                                      2048,
                                      "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg",
                                      "@Option Bytes  /0x1FFFF800/01*016 e"),
                  .flash = {.groups = FLEET_GROUPS(
                                {4, 16384, false}, {1, 65536, false}, {7, 131072, false})}},
        .allowed_by = "AN3156 4.1; UM0424 10.3.2",
    },
    {
        .model = {.name = "two-banks-of-sectors",
                  .summary = "the ROM of an STM32F42x: two banks, six groups of sectors",
                  .bootloader =
                      DFUSE(BY_ST(0x2200, "STM32  BOOTLOADER"),
                            2048,
                            "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg,04*016Kg,"
                            "01*064Kg,07*128Kg"),
                  .flash = {.groups = FLEET_GROUPS({4, 16384, false},
                                                   {1, 65536, false},
                                                   {7, 131072, false},
                                                   {4, 16384, false},
                                                   {1, 65536, false},
                                                   {7, 131072, false})}},
        .allowed_by = "UM0424 10.3.2: groups follow each other behind a comma",
    },
    {
        .model = {.name = "two-segments",
                  .summary = "a layout of two segments with an address each",
                  .bootloader = DFUSE(
                      BY_ST(0x2200, "DfuSe"), 1024, "@Flash /0x08000000/16*1Kg/0x08010000/64*1Kg"),
                  .flash = {.size = 128 * 1024, .page_size = 1024}},
        .allowed_by = "UM0424 10.3.2: an address in front of each list of sectors",
    },
    {
        .model = {.name = "h7-rom",
                  .summary = "sectors of 128 KiB, 16 of them",
                  .bootloader = DFUSE(BY_ST(0x0200, "DFU in HS Mode"),
                                      1024,
                                      "@Internal Flash   /0x08000000/16*128Kg"),
                  .flash = {.size = 2048 * 1024, .page_size = 128 * 1024},
                  .loader_speed = SIM_HIGH_SPEED},
        .allowed_by = "UM0424 10.3.2; USB 2.0 5.5.3",
    },
    {
        .model = {.name = "dfuse-wait-reset",
                  .summary = "DfuSe; bitWillDetach 0, wDetachTimeOut 255",
                  .bootloader = DFUSE_OF(255,
                                         BY_ST(0x0200, "DFU"),
                                         1024,
                                         FLEET_BOTH_WAYS,
                                         "@Internal Flash   /0x08000000/03*001Ka,125*001Kg"),
                  .flash = {.groups = FLEET_GROUPS({3, 1024, true}, {125, 1024, false})}},
        .allowed_by = "DFU 1.1 4.1.3: bitWillDetach is the device's choice",
    },
    {
        .model = {.name = "dfuse-tolerant",
                  .summary = "DfuSe; all four attributes, bMaxPacketSize0 64, wTransferSize 4096",
                  .bootloader = DFUSE_OF(1000,
                                         BY_ST(0x0200, "DFU"),
                                         4096,
                                         FLEET_TOLERANT,
                                         "@Internal Flash   /0x08000000/032*004Kg"),
                  .flash = {.size = 128 * 1024, .page_size = 4096}},
        .allowed_by = "DFU 1.1 4.1.3; AN3156 5.1",
    },
    {
        .model = {.name = "dfuse-small-transfers",
                  .summary = "DfuSe; wTransferSize 64, pages of 1 KiB",
                  .bootloader = DFUSE(UNNAMED, 64, "@Flash/0x08000000/128*1Kg"),
                  .flash = {.size = 128 * 1024, .page_size = 1024}},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "dfuse-download-only",
                  .summary = "DfuSe; bitCanUpload 0",
                  .bootloader = DFUSE_OF(
                      255,
                      BY(0x0483, 0xDF11, 0x0200, "Black Magic Debug", "Black Magic Firmware"),
                      1024,
                      DFURT_ATTR_CAN_DNLOAD | DFURT_ATTR_WILL_DETACH,
                      "@Internal Flash   /0x08000000/8*001Ka,120*001Kg"),
                  .flash = {.groups = FLEET_GROUPS({8, 1024, true}, {120, 1024, false})}},
        .allowed_by = "DFU 1.1 4.1.3: bitCanUpload is the device's choice",
    },
    {
        .model = {.name = "lpc-rom",
                  .summary = "the ROM of an LPC43xx: 1fc9:000c, download only, tolerant",
                  .bootloader = PLAIN_OF(65280, BY_NXP, 2048, NO_UPLOAD, "RAM")},
        .allowed_by = "DFU 1.1 4.1.3: each attribute is the device's choice",
    },
    {
        .model = {.name = "two-images",
                  .summary = "plain DFU with an alternate setting for each image, as Zephyr has",
                  .bootloader =
                      PLAIN_OF(1000, BY_ZEPHYR, 512, FLEET_BOTH_WAYS, "image_0", "image_1")},
        .allowed_by = "DFU 1.1 4.2.3: alternate settings are there for several memories",
    },
    {
        .model = {.name = "image-of-300-bytes",
                  .summary = "an image that is shorter than a block",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {0}),
                  .image_length = 300},
        .allowed_by = "DFU 1.1 6.1: the last block is as long as what is left",
    },
    {
        .model = {.name = "image-of-odd-length",
                  .summary = "an image of 5001 bytes, blocks addressed",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.addresses_blocks = true}),
                  .image_length = 5001},
        .allowed_by = "DFU 1.1 6.1: the last block is as long as what is left",
    },
    {
        .model = {.name = "image-of-one-block",
                  .summary = "an image of one block to the byte",
                  .bootloader =
                      FLEET_PLAIN(4096, FLEET_BOTH_WAYS, .choices = {.counts_blocks = true})},
        .allowed_by = "DFU 1.1 6.2: an upload that ends with a whole block ends in an empty one",
    },
    {
        .model = {.name = "transfer-size-100",
                  .summary = "wTransferSize 100, no multiple of bMaxPacketSize0",
                  .bootloader =
                      FLEET_PLAIN(100, FLEET_BOTH_WAYS, .choices = {.counts_blocks = true})},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "transfer-size-65",
                  .summary = "wTransferSize 65, odd",
                  .bootloader = FLEET_PLAIN(65, FLEET_TOLERANT, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "detach-timeout-20",
                  .summary = "waits for the reset for 20 ms",
                  .bootloader = FLEET_PLAIN_OF(20, 1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wDetachTimeOut is the device's choice",
    },
    {
        .model = {.name = "detach-timeout-30000",
                  .summary = "waits for the reset for 30 s",
                  .bootloader = FLEET_PLAIN_OF(30000, 1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wDetachTimeOut is the device's choice",
    },
    {
        .model = {.name = "detach-timeout-65535",
                  .summary = "waits for the reset for as long as 16 bits can say",
                  .bootloader = FLEET_PLAIN_OF(65535, 1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wDetachTimeOut is a 16-bit number",
    },
    {
        .model = {.name = "manifests-29-s",
                  .summary = "manifestation takes 29 s and is tolerant",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.manifest_ms = 29000})},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout has 24 bits",
    },
    {
        .model = {.name = "manifests-60-s",
                  .summary = "manifestation takes 60 s, and the reset is waited for",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.manifest_ms = 60000})},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout has 24 bits",
    },
    {
        .model = {.name = "erases-all-first-slowly",
                  .summary = "the first block erases 1 MiB, 256 pages, before it is done",
                  .bootloader =
                      FLEET_PLAIN(2048, FLEET_BOTH_WAYS, .choices = {.erases_first = true}),
                  .flash = {.size = 1024 * 1024, .page_size = 4096}},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout covers whatever a block needs",
    },
    {
        .model = {.name = "takes-blocks-slowly",
                  .summary = "DNLOAD answers NAK for 4.8 s",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.done_at_once = true})},
        .allowed_by = "USB 2.0 9.2.6.4: 5 s for a request with data to the device",
        .way = {.setup = take_block_slowly},
    },
    {
        .model = {.name = "away-15-s",
                  .summary = "off the bus for 15 s between its modes",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "DFU 1.1 5.1: no time is named",
        .way = {.reset_ms = 15000},
    },
    {
        .model = {.name = "away-15-s-wait-reset",
                  .summary = "off the bus for 15 s between its modes, after a bus reset",
                  .bootloader = &bootloader_plain_wait_reset},
        .allowed_by = "DFU 1.1 5.1: no time is named",
        .way = {.reset_ms = 15000},
    },
    {
        .model = {.name = "away-3-ms",
                  .summary = "off the bus for 3 ms between its modes",
                  .bootloader = &bootloader_st_rom},
        .allowed_by = "USB 2.0 7.1.7.3: a disconnect is seen after 2.5 us",
        .way = {.reset_ms = 3},
    },
    {
        .model = {.name = "flash-of-2-pages",
                  .summary = "DfuSe; a flash of two pages, the second one blank",
                  .bootloader = DFUSE(UNNAMED, 2048, "@Flash/0x08000000/2*4Kg"),
                  .flash = {.size = 8192, .page_size = 4096}},
        .allowed_by = "UM0424 10.3.2: a number of sectors",
    },
    {
        .model = {.name = "flash-full",
                  .summary = "DfuSe; no page is blank",
                  .bootloader = DFUSE(UNNAMED, 2048, "@Flash/0x08000000/32*4Kg"),
                  .flash = {.size = 128 * 1024, .page_size = 4096},
                  .image_length = 128 * 1024},
        .allowed_by = "AN3156: the application may fill the memory",
    },
    {
        .model = {.name = "layout-write-only-options",
                  .summary = "DfuSe; a second memory that can only be written",
                  .bootloader =
                      DFUSE(UNNAMED, 1024, "@Flash/0x08000000/64*2Kg", "@Keys/0x1FFFF800/1*16Bd"),
                  .flash = {.size = 128 * 1024, .page_size = 2048}},
        .allowed_by = "UM0424 10.3.2: type d is writable only",
    },
    {
        .model = {.name = "layout-erase-before-write-only",
                  .summary = "DfuSe; flash of type f, which cannot be read",
                  .bootloader = DFUSE(UNNAMED, 1024, "@Flash/0x08000000/64*2Kf"),
                  .flash = {.size = 128 * 1024, .page_size = 2048}},
        .allowed_by = "UM0424 10.3.2: type f is erasable and writable",
    },
    {
        .model = {.name = "judges-each-block",
                  .summary = "a block with other bytes than the firmware's is errFILE",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 6.1.2: a file that is not for this device is errFILE",
        .way = {.setup = judge_block},
    },
    {.allowed_by = NULL},
};
