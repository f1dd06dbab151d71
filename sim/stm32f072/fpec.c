// SPDX-License-Identifier: MIT
//
// A write of CR.STRT, or of a half-word while CR.PG or CR.OPTPG is set, changes the bytes at once
// and notes the flag that SR gets when the operation ends; until then BSY reads as 1. A refused
// operation takes no time. Option bytes that were written take effect when the next reset loads
// them.

#include <stm32f072/fpec.h>

#include <string.h>

#include <dfurt/usb_spec.h>

// DS9826 table 51, typical values.
enum { PROGRAM_NS = 53500, PAGE_ERASE_NS = 30000000, MASS_ERASE_NS = 30000000 };

enum { ACR_PRFTBE = 1 << 4, ACR_PRFTBS = 1 << 5 };
enum { SR_FLAGS = F072_FLASH_SR_PGERR | F072_FLASH_SR_WRPRTERR | F072_FLASH_SR_EOP };
enum { CR_WRITABLE = 0x3677 };
enum { ERASED = 0xFFFF, BYTES_PER_WRP_BIT = 4096, WRP_BITS = 32 };

// ---- Option bytes (RM0091 4.1): each byte is followed by its complement ----

static uint8_t option(const struct f072_fpec *flash, unsigned index)
{
    uint8_t value = flash->options[2 * index];

    return (value ^ flash->options[2 * index + 1]) == 0xFF ? value : 0xFF;
}

static void load_options(struct f072_fpec *flash)
{
    uint8_t rdp = option(flash, 0);
    uint32_t level = rdp == 0xAA ? 0 : rdp == 0xCC ? 3 : 1;

    flash->obr = (uint32_t)option(flash, 3) << 24 | (uint32_t)option(flash, 2) << 16 |
                 (uint32_t)option(flash, 1) << 8 | level << 1;
    flash->wrpr = 0;
    for (unsigned i = 0; i < 4; i++)
        flash->wrpr |= (uint32_t)option(flash, 4 + i) << 8 * i;
}

void f072_fpec_reset(struct f072_fpec *flash)
{
    struct f072_fpec fresh = {
        .bytes = flash->bytes,
        .size = flash->size,
        .page_size = flash->page_size,
        .options = flash->options,
        .cr = F072_FLASH_CR_LOCK,
    };

    *flash = fresh;
    load_options(flash);
}

// One bit of WRPR for 4 KB, the last for all that are left (RM0091 4.1.4).
static bool is_protected(const struct f072_fpec *flash, uint32_t offset)
{
    uint32_t bit = offset / BYTES_PER_WRP_BIT;

    return !(flash->wrpr >> (bit < WRP_BITS ? bit : WRP_BITS - 1) & 1);
}

// ---- Operations ----

static void begin(struct f072_fpec *flash, uint32_t result, uint32_t span_ns, uint64_t now_ns)
{
    flash->result = result;
    flash->busy_until_ns = now_ns + (result == F072_FLASH_SR_EOP ? span_ns : 0);
}

static void settle(struct f072_fpec *flash, uint64_t now_ns)
{
    if (flash->busy_until_ns > now_ns)
        return;
    flash->sr |= flash->result;
    flash->result = 0;
}

static uint32_t erase_page(struct f072_fpec *flash)
{
    uint32_t offset = (flash->ar - F072_FLASH_BASE) & ~(flash->page_size - 1);

    if (offset >= flash->size || is_protected(flash, offset))
        return F072_FLASH_SR_WRPRTERR;
    memset(flash->bytes + offset, 0xFF, flash->page_size);
    return F072_FLASH_SR_EOP;
}

static uint32_t erase_all(struct f072_fpec *flash)
{
    if (flash->wrpr != UINT32_MAX)
        return F072_FLASH_SR_WRPRTERR;
    memset(flash->bytes, 0xFF, flash->size);
    return F072_FLASH_SR_EOP;
}

static void start(struct f072_fpec *flash, uint64_t now_ns)
{
    if (flash->cr & F072_FLASH_CR_PER)
        begin(flash, erase_page(flash), PAGE_ERASE_NS, now_ns);
    else if (flash->cr & F072_FLASH_CR_MER)
        begin(flash, erase_all(flash), MASS_ERASE_NS, now_ns);
    else if ((flash->cr & F072_FLASH_CR_OPTER) && (flash->cr & F072_FLASH_CR_OPTWRE)) {
        memset(flash->options, 0xFF, F072_OPTIONS_SIZE);
        begin(flash, F072_FLASH_SR_EOP, PAGE_ERASE_NS, now_ns);
    }
}

// Only an erased half-word can be programmed, or any with 0000h (RM0091 3.2.2).
static uint32_t program_main(struct f072_fpec *flash, uint32_t offset, uint16_t value)
{
    uint8_t *target = flash->bytes + offset;

    if (is_protected(flash, offset))
        return F072_FLASH_SR_WRPRTERR;
    if (usbdev_load_le16(target) != ERASED && value != 0)
        return F072_FLASH_SR_PGERR;
    usbdev_store_le16(target, value);
    return F072_FLASH_SR_EOP;
}

// The complement is written by the hardware (RM0091 3.2.3).
static uint32_t program_option(struct f072_fpec *flash, uint32_t offset, uint16_t value)
{
    uint8_t *target = flash->options + offset;

    if (usbdev_load_le16(target) != ERASED)
        return F072_FLASH_SR_PGERR;
    target[0] = (uint8_t)value;
    target[1] = (uint8_t)~value;
    return F072_FLASH_SR_EOP;
}

bool f072_fpec_program(
    struct f072_fpec *flash, uint32_t address, unsigned size, uint16_t value, uint64_t now_ns)
{
    const uint32_t option_mode = F072_FLASH_CR_OPTPG | F072_FLASH_CR_OPTWRE;
    bool main_memory = address - F072_FLASH_BASE < flash->size;
    uint32_t result = F072_FLASH_SR_PGERR;

    if (size != 2)
        return false;
    settle(flash, now_ns);
    if (flash->busy_until_ns > now_ns)
        result = F072_FLASH_SR_PGERR;
    else if (main_memory && (flash->cr & F072_FLASH_CR_PG))
        result = program_main(flash, address - F072_FLASH_BASE, value);
    else if (!main_memory && (flash->cr & option_mode) == option_mode)
        result = program_option(flash, address - F072_OPTIONS_BASE, value);
    begin(flash, result, PROGRAM_NS, now_ns);
    return true;
}

// ---- Registers ----

uint32_t f072_fpec_read(struct f072_fpec *flash, uint32_t offset, uint64_t now_ns)
{
    settle(flash, now_ns);
    switch (offset) {
    case F072_FLASH_ACR:
        return flash->acr | (flash->acr & ACR_PRFTBE ? ACR_PRFTBS : 0);
    case F072_FLASH_SR:
        return flash->sr | (flash->busy_until_ns > now_ns ? F072_FLASH_SR_BSY : 0);
    case F072_FLASH_CR:
        return flash->cr;
    case F072_FLASH_AR:
        return flash->ar;
    case F072_FLASH_OBR:
        return flash->obr;
    case F072_FLASH_WRPR:
        return flash->wrpr;
    default: // the key registers are write-only
        return 0;
    }
}

// A wrong sequence locks until the next reset and is a bus fault (RM0091 3.2.2).
static bool take_key(struct f072_fpec *flash, bool *key1, uint32_t value, bool *ret_open)
{
    *ret_open = !flash->shut && *key1 && value == F072_FLASH_KEY2;
    if (*ret_open) {
        *key1 = false;
        return true;
    }
    if (!flash->shut && !*key1 && value == F072_FLASH_KEY1) {
        *key1 = true;
        return true;
    }
    flash->shut = true;
    return false;
}

static bool write_keyr(struct f072_fpec *flash, uint32_t value)
{
    bool open;
    bool fine = take_key(flash, &flash->key1, value, &open);

    if (open)
        flash->cr &= ~(uint32_t)F072_FLASH_CR_LOCK;
    if (!fine)
        flash->cr |= F072_FLASH_CR_LOCK;
    return fine;
}

static bool write_optkeyr(struct f072_fpec *flash, uint32_t value)
{
    bool open;
    bool fine = take_key(flash, &flash->option_key1, value, &open);

    if (open && !(flash->cr & F072_FLASH_CR_LOCK))
        flash->cr |= F072_FLASH_CR_OPTWRE;
    return fine;
}

static void write_cr(struct f072_fpec *flash, uint32_t value, uint64_t now_ns)
{
    if (flash->cr & F072_FLASH_CR_LOCK)
        return;
    uint32_t optwre = flash->cr & value & F072_FLASH_CR_OPTWRE; // can only be cleared here
    flash->cr = (value & (CR_WRITABLE & ~(uint32_t)(F072_FLASH_CR_OPTWRE | F072_FLASH_CR_STRT))) |
                optwre | (value & F072_FLASH_CR_LOCK);
    if ((value & F072_FLASH_CR_STRT) && flash->busy_until_ns <= now_ns)
        start(flash, now_ns);
}

bool f072_fpec_write(struct f072_fpec *flash, uint32_t offset, uint32_t value, uint64_t now_ns)
{
    settle(flash, now_ns);
    switch (offset) {
    case F072_FLASH_ACR:
        flash->acr = value & (ACR_PRFTBE | 0xF);
        break;
    case F072_FLASH_KEYR:
        return write_keyr(flash, value);
    case F072_FLASH_OPTKEYR:
        return write_optkeyr(flash, value);
    case F072_FLASH_SR: // rc_w1
        flash->sr &= ~(value & SR_FLAGS);
        break;
    case F072_FLASH_CR:
        write_cr(flash, value, now_ns);
        break;
    case F072_FLASH_AR:
        flash->ar = value;
        break;
    default:
        break;
    }
    return true;
}

uint64_t f072_fpec_next_event(const struct f072_fpec *flash)
{
    bool wanted = flash->cr & (F072_FLASH_CR_EOPIE | F072_FLASH_CR_ERRIE);

    return wanted && flash->result != 0 ? flash->busy_until_ns : UINT64_MAX;
}

bool f072_fpec_interrupt(struct f072_fpec *flash, uint64_t now_ns)
{
    settle(flash, now_ns);
    return ((flash->cr & F072_FLASH_CR_EOPIE) && (flash->sr & F072_FLASH_SR_EOP)) ||
           ((flash->cr & F072_FLASH_CR_ERRIE) &&
            (flash->sr & (F072_FLASH_SR_PGERR | F072_FLASH_SR_WRPRTERR)));
}
