// SPDX-License-Identifier: MIT
//
// DfuSe boot loaders with memory layouts and names in every form that hosts accept: UM0424 10.3.2
// defines the form of the name, dfu-util's parser what hosts accept.

#include <sim/fleet.h>

#define LAYOUT(of, ...)                                                                            \
    FLEET_DFUSE(2048, .choices = {.leaves_by_itself = true}, .alternates = {of, __VA_ARGS__})

// An UPLOAD of a block that begins behind the memory, where the address pointer may point.
static bool uploads_from_behind(const struct defect_view *view,
                                const struct usbdev_setup_packet *setup)
{
    uint32_t from;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wValue < 2 ||
        (view->bootloader->dfu.bState != DFURT_STATE_dfuIDLE &&
         view->bootloader->dfu.bState != DFURT_STATE_dfuUPLOAD_IDLE))
        return false;
    from = view->bootloader->dfu.address +
           (setup->wValue - 2U) * view->bootloader->dfu_config.wTransferSize;
    return from >= view->memory->base + view->memory->size;
}

static int refuse_behind(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!uploads_from_behind(view, setup))
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuERROR;
    view->bootloader->dfu.bStatus = DFURT_STATUS_errVENDOR;
    return NATIVE_STALL;
}

static int end_behind(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    if (!uploads_from_behind(view, setup))
        return NATIVE_PASS;
    view->bootloader->dfu.bState = DFURT_STATE_dfuIDLE;
    return 0;
}

// A byte of the flash that the firmware writes at each of its starts.
static int count_starts(struct defect_view *view, const struct usbdev_setup_packet *setup)
{
    enum { COUNTER = 0x08005000 };
    uint32_t from;
    int length;

    if (!defect_is_asked(view, setup, FROM_DFU, DFURT_UPLOAD) || setup->wValue < 2)
        return NATIVE_PASS;
    from = view->bootloader->dfu.address +
           (setup->wValue - 2U) * view->bootloader->dfu_config.wTransferSize;
    length = defect_good_reply(view, setup);
    if (length > 0 && from <= COUNTER && COUNTER < from + (uint32_t)length)
        view->reply[COUNTER - from] = (uint8_t)view->starts;
    return length;
}

// A name for parts of twice the size.
#define TWICE_THE_FLASH "@Internal Flash  /0x08000000/128*0002Kg"

// ST's USB device library, which keeps any address until it is used.
static const struct bootloader_identity library_of_twice_the_flash = {
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
    .alternates = {TWICE_THE_FLASH},
};

const struct variation fleet_of_layouts[] = {
    {
        .model = {.name = "layout-4-digits",
                  .summary = "sectors counted by four digits, 0256*0002Kg",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/0256*0002Kg", NULL),
                  .flash = {.size = 512 * 1024, .page_size = 2048}},
        .allowed_by = "UM0424 10.3.2: a number of sectors, of any length; ROMs of STM32L4",
    },
    {
        .model = {.name = "layout-no-unit",
                  .summary = "sectors measured in bytes without a unit, 1536*128g",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/1536*128g", NULL),
                  .flash = {.size = 1536 * 128, .page_size = 128}},
        .allowed_by = "UM0424 10.3.2: without a multiplier the size is in bytes; ROMs of STM32L0",
    },
    {
        .model = {.name = "layout-blank-unit",
                  .summary = "sectors measured in bytes by a blank, 512*256 g",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/512*256 g", NULL),
                  .flash = {.size = 512 * 256, .page_size = 256}},
        .allowed_by = "UM0424 10.3.2: the multiplier is a blank for bytes",
    },
    {
        .model = {.name = "layout-b-unit",
                  .summary = "sectors measured in bytes by a B, 512*256Bg",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/512*256Bg", NULL),
                  .flash = {.size = 512 * 256, .page_size = 256}},
        .allowed_by = "UM0424 10.3.2: the multiplier is B for bytes",
    },
    {
        .model = {.name = "layout-megabytes",
                  .summary = "one sector of a megabyte, 01*001Mg",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/01*001Mg", NULL),
                  .flash = {.size = 1024 * 1024, .page_size = 1024 * 1024}},
        .allowed_by = "UM0424 10.3.2: the multiplier is M for megabytes",
    },
    {
        .model = {.name = "layout-of-one-block",
                  .summary = "memory of wTransferSize bytes: there is no second block",
                  .bootloader =
                      FLEET_DFUSE(8192,
                                  .choices = {.leaves_by_itself = true},
                                  .alternates = {"@Internal Flash  /0x08000000/04*002Kg"}),
                  .flash = {.size = 8192, .page_size = 2048}},
        .allowed_by = "AN3156 4.1: block 3 is the address pointer + wTransferSize, past the memory",
    },
    {
        .model = {.name = "layout-no-leading-zeros",
                  .summary = "numbers without leading zeros, 64*2Kg",
                  .bootloader = LAYOUT("@Internal Flash /0x08000000/64*2Kg", NULL)},
        .allowed_by = "UM0424 10.3.2: numbers are decimal; nothing asks for leading zeros",
    },
    {
        .model = {.name = "layout-16-megabytes",
                  .summary = "65536 sectors of 256 bytes without a unit",
                  .bootloader = LAYOUT("@External Flash /0x08000000/65536*256g", NULL),
                  .flash = {.size = 65536 * 256, .page_size = 256}},
        .allowed_by = "UM0424 10.3.2: a number of sectors, of any length",
    },
    {
        .model = {.name = "layout-first-group-read-only",
                  .summary = "the boot loader's own sectors come first and can only be read",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/02*002Ka,62*002Kg", NULL),
                  .flash = {.groups = FLEET_GROUPS({2, 2048, true}, {62, 2048, false})}},
        .allowed_by = "UM0424 10.3.2: type a is readable only; Black Magic names its own so",
    },
    {
        .model =
            {.name = "layout-three-groups",
             .summary = "sectors of 16, 64 and 128 KiB, as in an STM32F4",
             .bootloader = LAYOUT("@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg", NULL),
             .flash = {.groups =
                           FLEET_GROUPS({4, 16384, false}, {1, 65536, false}, {7, 131072, false})}},
        .allowed_by = "UM0424 10.3.2: groups are separated by commas",
    },
    {
        .model = {.name = "layout-f7",
                  .summary = "sectors of 32, 128 and 256 KiB, as in an STM32F7",
                  .bootloader =
                      LAYOUT("@Internal Flash   /0x08000000/04*032Kg,01*128Kg,03*256Kg", NULL),
                  .flash = {.groups = FLEET_GROUPS({4, 32768, false},
                                                   {1, 131072, false},
                                                   {3, 262144, false})}},
        .allowed_by = "UM0424 10.3.2: groups are separated by commas",
    },
    {
        .model = {.name = "layout-lower-case",
                  .summary = "an address in lower-case digits, and a name of one word",
                  .bootloader =
                      LAYOUT("@Flash/0x08000000/64*002Kg", "@Option Bytes/0x1ffff800/01*016 e")},
        .allowed_by = "UM0424 10.3.2: an address is hexadecimal, a name is any text",
    },
    {
        .model = {.name = "layout-option-bytes-first",
                  .summary = "alternate 0 is the option bytes, the flash is alternate 1",
                  .bootloader = LAYOUT("@Option Bytes  /0x1FFFF800/01*016 e",
                                       "@Internal Flash  /0x08000000/064*0002Kg")},
        .allowed_by = "UM0424 10.3.2: each alternate setting names a memory; no order is asked for",
    },
    {
        .model = {.name = "layout-one-memory",
                  .summary = "the only alternate setting is the flash",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/064*0002Kg", NULL)},
        .allowed_by = "DFU 1.1 4.2.3: alternate settings are there for several memories",
    },
    {
        .model = {.name = "layout-names-more",
                  .summary = "half of the sectors that the name states are there: Set Address "
                             "Pointer behind them fails",
                  .bootloader = LAYOUT(TWICE_THE_FLASH, NULL)},
        .allowed_by = "AN3156 5.2: an address that is not there fails; a ROM that parts of several "
                      "sizes share states the largest",
    },
    {
        .model = {.name = "layout-names-more-late",
                  .summary = "half of the sectors that the name states are there: UPLOAD behind "
                             "them STALLs",
                  .bootloader = &library_of_twice_the_flash},
        .allowed_by = "AN3156 4.1: an address that is not there STALLs; a ROM that parts of "
                      "several sizes share states the largest",
    },
    {
        .model = {.name = "layout-names-more-vendor",
                  .summary = "half of the sectors that the name states are there: UPLOAD behind "
                             "them STALLs with errVENDOR",
                  .bootloader = &library_of_twice_the_flash},
        .allowed_by = "DFU 1.1 6.1.2: errVENDOR is for errors of the vendor's own",
        .way = {.setup = refuse_behind},
    },
    {
        .model = {.name = "layout-names-more-short",
                  .summary = "half of the sectors that the name states are there: UPLOAD behind "
                             "them returns no bytes",
                  .bootloader = &library_of_twice_the_flash},
        .allowed_by = "DFU 1.1 6.2: a short block ends an upload where there is no more",
        .way = {.setup = end_behind},
    },
    {
        .model = {.name = "counts-starts",
                  .summary = "the firmware counts its starts in a page of the flash",
                  .bootloader = LAYOUT("@Internal Flash  /0x08000000/064*0002Kg", NULL)},
        .allowed_by = "DFU 1.1 7: what a firmware keeps in its memory is its own",
        .way = {.setup = count_starts},
    },
    {.allowed_by = NULL},
};
