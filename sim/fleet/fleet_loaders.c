// SPDX-License-Identifier: MIT
//
// Boot loaders that use what DFU 1.1 and AN3156 leave to them.

#include <sim/fleet.h>

enum {
    MIB = 1024 * 1024,
    IMAGE = 4096,
    DOWNLOAD_ONLY = DFURT_ATTR_CAN_DNLOAD,
    UPLOAD_ONLY = DFURT_ATTR_CAN_UPLOAD,
};

#define ST_FLASH "@Internal Flash  /0x08000000/064*0002Kg"
#define ST_OPTIONS "@Option Bytes  /0x1FFFF800/01*016 e"

static const struct product_shape max_packet_8 = {.bMaxPacketSize0 = 8};
static const struct product_shape max_packet_16 = {.bMaxPacketSize0 = 16};
static const struct product_shape max_packet_32 = {.bMaxPacketSize0 = 32};

static const struct bootloader_identity dfuse_upload_only = {
    .dialect = &dfu_dialect_dfuse,
    .bcdUSB = 0x0100,
    .idVendor = 0x1209,
    .idProduct = 0x0002,
    .wDetachTimeOut = 255,
    .wTransferSize = 1024,
    .bcdDFUVersion = 0x011A,
    .bmAttributes = UPLOAD_ONLY | DFURT_ATTR_WILL_DETACH,
    .manufacturer = "Maker",
    .product = "Reader",
    .alternates = {ST_FLASH},
};

static const struct bootloader_identity two_memories = {
    BOOTLOADER_PLAIN(1000, 1024, FLEET_BOTH_WAYS),
    .alternates = {"Boot loader", "Firmware"},
};

// The memory of alternate setting 0 is the loader's own.
static int refuse_to_write(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    struct dfu_mode *dfu = view->bootloader ? &view->bootloader->dfu : NULL;

    if (dfu && dfu->bState == DFURT_STATE_dfuDNLOAD_SYNC && view->native->dev.alternate[0] == 0 &&
        defect_is_asked(view, setup, FROM_DFU, DFURT_GETSTATUS)) {
        dfu->bState = DFURT_STATE_dfuERROR;
        dfu->bStatus = DFURT_STATUS_errWRITE;
    }
    return NATIVE_PASS;
}

const struct variation fleet_of_loaders[] = {
    // ---- What it does with blocks ----
    {
        .model = {.name = "blocks-addressed",
                  .summary = "a block is programmed at wBlockNum * wTransferSize of the image",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.addresses_blocks = true})},
        .allowed_by = "DFU 1.1 6.1.1: the device may use wBlockNum",
    },
    {
        .model = {.name = "blocks-counted",
                  .summary = "STALLs a wBlockNum that does not follow the last one",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.counts_blocks = true})},
        .allowed_by = "DFU 1.1 6.1.1: wBlockNum is incremented by one each time",
    },
    {
        .model = {.name = "blocks-counted-tolerant",
                  .summary = "counts wBlockNum, manifestation tolerant, comes up in DFU mode",
                  .bootloader =
                      FLEET_PLAIN(256, FLEET_TOLERANT, .choices = {.counts_blocks = true}),
                  .starts_in_bootloader = true},
        .allowed_by = "DFU 1.1 6.1.1: wBlockNum is incremented by one each time",
    },
    {
        .model = {.name = "erases-first",
                  .summary = "the first block erases the memory of the whole image",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.erases_first = true})},
        .allowed_by = "DFU 1.1 6.1.2: bwPollTimeout covers whatever a block needs",
    },
    {
        .model = {.name = "two-banks",
                  .summary = "downloads into the bank that does not hold the firmware",
                  .bootloader = FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.two_banks = true})},
        .allowed_by = "DFU 1.1 7: how an image is stored is the device's",
    },
    {
        .model = {.name = "two-banks-tolerant",
                  .summary = "two banks, manifestation tolerant",
                  .bootloader = FLEET_PLAIN(2048, FLEET_TOLERANT, .choices = {.two_banks = true})},
        .allowed_by = "DFU 1.1 7: how an image is stored is the device's",
    },
    {
        .model = {.name = "silent-until-reset",
                  .summary = "answers no request in dfuMANIFEST-WAIT-RESET",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.silent_at_end = true})},
        .allowed_by = "DFU 1.1 7, A.2.9: the device waits for a bus reset and need not answer",
    },
    {
        .model = {.name = "knows-the-length",
                  .summary = "an end of the download before the whole image is errNOTDONE",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.image_length = IMAGE})},
        .allowed_by = "DFU 1.1 A.2.6: the device may disagree that the download is complete",
    },
    {
        .model = {.name = "read-protected",
                  .summary = "UPLOAD STALLs, errVENDOR",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.read_protected = true})},
        .allowed_by = "DFU 1.1 A.1: an error of the device's own leads to dfuERROR",
    },
    {
        .model = {.name = "read-protected-dfuse",
                  .summary = "the ROM at read protection level 1: UPLOAD STALLs, errVENDOR",
                  .bootloader =
                      FLEET_DFUSE(2048,
                                  .choices = {.leaves_by_itself = true, .read_protected = true},
                                  .alternates = {ST_FLASH, ST_OPTIONS})},
        .allowed_by = "AN3156 4.1: a protected memory is answered by errVENDOR",
    },
    {
        .model = {.name = "protects-address",
                  .summary = "read protected: Set Address Pointer ends in errVENDOR, too",
                  .bootloader = FLEET_DFUSE(2048,
                                            .choices = {.leaves_by_itself = true,
                                                        .read_protected = true,
                                                        .protects_address = true},
                                            .alternates = {ST_FLASH, ST_OPTIONS})},
        .allowed_by = "DFU 1.1 A.1: an error of the device's own leads to dfuERROR",
    },
    {
        .model = {.name = "refuses-commands",
                  .summary = "read protected: DNLOAD STALLs, too, errVENDOR",
                  .bootloader = FLEET_DFUSE(2048,
                                            .choices = {.leaves_by_itself = true,
                                                        .read_protected = true,
                                                        .refuses_download = true},
                                            .alternates = {ST_FLASH, ST_OPTIONS})},
        .allowed_by = "DFU 1.1 A.1: an error of the device's own leads to dfuERROR",
    },
    {
        .model = {.name = "two-memories",
                  .summary = "two alternate settings, each of a memory that can be written",
                  .bootloader = &two_memories},
        .allowed_by = "DFU 1.1 4.2.3: an alternate setting for each memory",
    },
    {
        .model = {.name = "first-memory-protected",
                  .summary = "two memories, and that of alternate setting 0 cannot be written",
                  .bootloader = &two_memories},
        .allowed_by = "DFU 1.1 4.2.3: an alternate setting for each memory; no descriptor says "
                      "which of them can be written",
        .way = {.setup = refuse_to_write},
    },
    {
        .model = {.name = "download-only",
                  .summary = "bitCanUpload 0",
                  .bootloader = FLEET_PLAIN(1024, DOWNLOAD_ONLY, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: bitCanUpload is the device's choice",
    },
    {
        .model = {.name = "upload-only",
                  .summary = "bitCanDnload 0",
                  .bootloader = FLEET_PLAIN(1024, UPLOAD_ONLY, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: bitCanDnload is the device's choice",
    },
    {
        .model = {.name = "dfuse-upload-only",
                  .summary = "DfuSe; uploads, and refuses a download, of a command too",
                  .bootloader = &dfuse_upload_only},
        .allowed_by = "DFU 1.1 4.1.3: bitCanDnload is the device's choice",
    },

    // ---- How DFU mode ends ----
    {
        .model = {.name = "tolerant-wait-reset",
                  .summary = "manifestation tolerant, and bitWillDetach 0",
                  .bootloader = FLEET_PLAIN(
                      1024, FLEET_BOTH_WAYS | DFURT_ATTR_MANIFESTATION_TOLERANT, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: the two bits are independent",
    },
    {
        .model = {.name = "will-detach-wait-reset",
                  .summary = "leaves run time by itself, waits for a reset after manifestation",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS | DFURT_ATTR_WILL_DETACH, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: the two bits are independent",
    },
    {
        .model = {.name = "leaves-after-manifest",
                  .summary = "starts its firmware after manifestation without a reset",
                  .bootloader = FLEET_PLAIN(1024,
                                            FLEET_BOTH_WAYS | DFURT_ATTR_WILL_DETACH,
                                            .choices = {.leaves_by_itself = true})},
        .allowed_by = "DFU 1.1 7: a device may reset itself when it has manifested",
    },
    {
        .model = {.name = "detach-timeout-0",
                  .summary = "leaves by itself; wDetachTimeOut 0",
                  .bootloader = FLEET_PLAIN_OF(0, 1024, FLEET_TOLERANT, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wDetachTimeOut limits a wait for a reset, which this device "
                      "does not need",
    },
    {
        .model = {.name = "button-held",
                  .summary = "the button is held: every start is a start of the boot loader",
                  .bootloader = FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {0}),
                  .starts_in_bootloader = true,
                  .button_held = true},
        .allowed_by = "DFU 1.1 5: how a device comes into DFU mode otherwise is its own",
    },
    {
        .model = {.name = "button-held-judges-content",
                  .summary =
                      "the button is held, and the right bytes are valid before manifestation",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {.judges_content = true}),
                  .starts_in_bootloader = true,
                  .button_held = true},
        .allowed_by = "DFU 1.1 5: how a device comes into DFU mode otherwise is its own",
    },
    {
        .model = {.name = "judges-content",
                  .summary = "firmware with the right bytes is valid, manifested or not",
                  .bootloader =
                      FLEET_PLAIN(1024, FLEET_BOTH_WAYS, .choices = {.judges_content = true})},
        .allowed_by = "DFU 1.1 A.2.6: what valid firmware is, is the device's",
    },
    {
        .model = {.name = "no-firmware",
                  .summary = "shipped blank: starts in dfuERROR, errFIRMWARE",
                  .bootloader = FLEET_PLAIN(1024, FLEET_TOLERANT, .choices = {0}),
                  .blank = true},
        .allowed_by = "DFU 1.1 A.2.11, 6.1.2: corrupt firmware is dfuERROR, errFIRMWARE",
    },

    // ---- wTransferSize ----
    {
        .model = {.name = "transfer-size-8",
                  .summary = "wTransferSize 8, bMaxPacketSize0 8",
                  .bootloader = FLEET_PLAIN(8, FLEET_BOTH_WAYS, .bMaxPacketSize0 = 8),
                  .product = &max_packet_8},
        .allowed_by = "DFU 1.1 4.1.3, 6.1: wTransferSize is bMaxPacketSize0 or more",
    },
    {
        .model = {.name = "transfer-size-16",
                  .summary = "wTransferSize 16, bMaxPacketSize0 16",
                  .bootloader = FLEET_PLAIN(16, FLEET_TOLERANT, .bMaxPacketSize0 = 16),
                  .product = &max_packet_16},
        .allowed_by = "DFU 1.1 4.1.3, 6.1: wTransferSize is bMaxPacketSize0 or more",
    },
    {
        .model = {.name = "transfer-size-32",
                  .summary = "wTransferSize 32, bMaxPacketSize0 32, blocks addressed and counted",
                  .bootloader =
                      FLEET_PLAIN(32,
                                  FLEET_BOTH_WAYS,
                                  .bMaxPacketSize0 = 32,
                                  .choices = {.addresses_blocks = true, .counts_blocks = true}),
                  .product = &max_packet_32},
        .allowed_by = "DFU 1.1 4.1.3, 6.1: wTransferSize is bMaxPacketSize0 or more",
    },
    {
        .model = {.name = "transfer-size-16-of-64",
                  .summary = "wTransferSize 16; packets of 64 bytes at run time, of 16 in DFU mode",
                  .bootloader = FLEET_PLAIN(16, FLEET_TOLERANT, .bMaxPacketSize0 = 16)},
        .allowed_by = "DFU 1.1 4.2, 6.1: blocks go to DFU mode's endpoint 0, described there",
    },
    {
        .model = {.name = "transfer-size-64",
                  .summary = "wTransferSize 64",
                  .bootloader = FLEET_PLAIN(64, FLEET_BOTH_WAYS, .choices = {0})},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "transfer-size-4096",
                  .summary = "wTransferSize 4096, blocks addressed",
                  .bootloader =
                      FLEET_PLAIN(4096, FLEET_BOTH_WAYS, .choices = {.addresses_blocks = true}),
                  .image_length = 3 * IMAGE + 1000},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "transfer-size-8192",
                  .summary =
                      "wTransferSize 8192, blocks addressed: more than Linux hands on at once",
                  .bootloader =
                      FLEET_PLAIN(8192, FLEET_BOTH_WAYS, .choices = {.addresses_blocks = true}),
                  .image_length = 5 * IMAGE + 10},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is the device's choice",
    },
    {
        .model = {.name = "transfer-size-65535",
                  .summary = "wTransferSize 65535",
                  .bootloader = FLEET_PLAIN(65535, FLEET_TOLERANT, .choices = {0}),
                  .image_length = 20 * IMAGE},
        .allowed_by = "DFU 1.1 4.1.3: wTransferSize is a 16-bit number",
    },
    {
        .model = {.name = "five-mib",
                  .summary = "5 MiB of firmware in blocks of 64 bytes: wBlockNum wraps",
                  .bootloader = FLEET_PLAIN(64, FLEET_TOLERANT, .choices = {0}),
                  .flash = {.size = 6 * MIB, .page_size = 65536},
                  .image_length = 5 * MIB},
        .allowed_by = "DFU 1.1 6.1.1: wBlockNum has 16 bits; an image has no limit",
    },

    // ---- DfuSe ----
    {
        .model = {.name = "dfuse-1024",
                  .summary = "DfuSe with wTransferSize 1024",
                  .bootloader = FLEET_DFUSE(1024,
                                            .choices = {.leaves_by_itself = true},
                                            .alternates = {ST_FLASH, ST_OPTIONS})},
        .allowed_by = "AN3156 5.1: addresses count in units of wTransferSize, whatever it is",
    },
    {
        .model = {.name = "dfuse-reads-2-bytes-or-more",
                  .summary = "DfuSe; UPLOAD of one byte STALLs",
                  .bootloader =
                      FLEET_DFUSE(2048,
                                  .choices = {.leaves_by_itself = true, .fewest_to_read = 2},
                                  .alternates = {ST_FLASH, ST_OPTIONS})},
        .allowed_by = "AN3156 4.1: 2 to 2048 bytes can be read",
    },
    {
        .model = {.name = "dfuse-address-judged-late",
                  .summary = "DfuSe; an address is validated when data arrives",
                  .bootloader =
                      &(const struct bootloader_identity){
                          .dialect = &dfu_dialect_dfuse,
                          .bcdUSB = 0x0200,
                          .idVendor = 0x1209,
                          .idProduct = 0x0002,
                          .bcdDevice = 0x0100,
                          .wDetachTimeOut = 255,
                          .wTransferSize = 2048,
                          .bcdDFUVersion = 0x011A,
                          .bmAttributes = FLEET_BOTH_WAYS | DFURT_ATTR_WILL_DETACH,
                          .choices = {.leaves_by_itself = true, .judges_address_late = true},
                          .manufacturer = "dfurt",
                          .product = "dfurt boot loader",
                          .alternates = {ST_FLASH, ST_OPTIONS}}},
        .allowed_by = "UM0424 10.2: the library keeps an address until it is used",
    },
    {
        .model = {.name = "dfuse-three-memories",
                  .summary = "DfuSe; flash, option bytes and a second name for the flash",
                  .bootloader = FLEET_DFUSE(2048,
                                            .choices = {.leaves_by_itself = true},
                                            .alternates = {ST_FLASH, ST_OPTIONS,
                                                           "@Second Half  /0x08010000/32*2Kg"})},
        .allowed_by = "DFU 1.1 4.2.3: an alternate setting for each memory",
    },
    {.allowed_by = NULL},
};
