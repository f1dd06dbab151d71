// SPDX-License-Identifier: MIT
//
// Elapsed time is credit, and each step (a page, a half-word) costs what the chip would need for
// it. Steps are done while the credit lasts: pages first, then half-words. A step that fails ends
// the work with its status.

#include <sim/work.h>

#include <dfurt/usb_spec.h>

static uint32_t after_page(const struct work *work, uint32_t address)
{
    struct memory_page page = memory_page_at(work->memory, address);

    return page.size > 0 ? page.address + page.size : work->erase_to;
}

static uint32_t pages(const struct work *work)
{
    uint32_t count = 0;

    for (uint32_t at = work->erase_from; at < work->erase_to; at = after_page(work, at))
        count++;
    return work->mass_erase && count > 1 ? 1 : count;
}

uint32_t work_ms(const struct work *work)
{
    uint32_t half_words = (uint32_t)(work->length + 1) / 2;
    uint32_t us = half_words * work->memory->program_us;

    us += pages(work) * work->memory->erase_ms * 1000;
    return us / 1000 + 1;
}

static bool spend(struct work *work, uint32_t us)
{
    if (work->credit_us < us)
        return false;
    work->credit_us -= us;
    return true;
}

static void give_up(struct work *work, enum dfurt_status bStatus)
{
    work->bStatus = (uint8_t)bStatus;
    work->erase_from = work->erase_to;
    work->length = 0;
}

static bool erase_next(struct work *work)
{
    if (!spend(work, work->memory->erase_ms * UINT32_C(1000)))
        return false;
    do {
        if (!work->memory->erase(work->memory->context, work->erase_from))
            give_up(work, DFURT_STATUS_errERASE);
        else
            work->erase_from = after_page(work, work->erase_from);
    } while (work->mass_erase && work->erase_from < work->erase_to);
    return true;
}

static bool program_next(struct work *work)
{
    size_t bytes = work->length < 2 ? 1 : 2;
    uint16_t half_word = (uint16_t)(work->data[0] | (bytes == 2 ? work->data[1] : 0xFF) << 8);

    if (!spend(work, work->memory->program_us))
        return false;
    if (!work->memory->program(work->memory->context, work->address, half_word)) {
        give_up(work, DFURT_STATUS_errPROG);
        return true;
    }
    work->address += 2;
    work->data += bytes;
    work->length -= bytes;
    return true;
}

void work_run(struct work *work, uint32_t elapsed_ms)
{
    bool going = true;

    work->credit_us += elapsed_ms * 1000;
    while (going && work->erase_from < work->erase_to)
        going = erase_next(work);
    while (going && work->length > 0)
        going = program_next(work);
}
