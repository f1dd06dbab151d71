// SPDX-License-Identifier: MIT
//
// The flash controller, as boot loaders and programs that keep settings use it (RM0091 3.2.2).

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/wire.h>

#include <stm32f072/fpec.h>

struct flash_fixture {
    struct f072_fpec fpec;
    uint8_t bytes[F072_FLASH_SIZE];
    uint8_t options[F072_OPTIONS_SIZE];
};

static int set_up_flash(void **state)
{
    static struct flash_fixture f;

    memset(f.bytes, 0xFF, sizeof f.bytes);
    for (int i = 0; i < F072_OPTIONS_SIZE; i += 2)
        usbdev_store_le16(f.options + i, 0x00FF);
    usbdev_store_le16(f.options, 0x55AA);
    f.fpec = (struct f072_fpec){
        .bytes = f.bytes, .size = sizeof f.bytes, .page_size = 2048, .options = f.options};
    f072_fpec_reset(&f.fpec);
    *state = &f;
    return 0;
}

static void unlock(struct f072_fpec *fpec)
{
    assert_true(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY1, 0));
    assert_true(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY2, 0));
}

static uint32_t status(struct f072_fpec *fpec, uint64_t now_ns)
{
    return f072_fpec_read(fpec, F072_FLASH_SR, now_ns);
}

static void fpec__keys_unlock_and_a_wrong_one_locks_until_reset(void **state)
{
    struct f072_fpec *fpec = &((struct flash_fixture *)*state)->fpec;

    f072_fpec_write(fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), F072_FLASH_CR_LOCK);
    unlock(fpec);
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), 0);

    assert_false(f072_fpec_write(fpec, F072_FLASH_KEYR, 0x12345678, 0));
    assert_int_equal(f072_fpec_read(fpec, F072_FLASH_CR, 0), F072_FLASH_CR_LOCK);
    assert_false(f072_fpec_write(fpec, F072_FLASH_KEYR, F072_FLASH_KEY1, 0));
    f072_fpec_reset(fpec);
    unlock(fpec);
}

static void fpec__programs_half_words_and_takes_its_time(void **state)
{
    struct flash_fixture *f = *state;

    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    assert_true(f072_fpec_program(&f->fpec, 0x08000010, 2, 0xBEEF, 0));
    assert_int_equal(status(&f->fpec, 50000), F072_FLASH_SR_BSY);
    assert_int_equal(status(&f->fpec, 54000), F072_FLASH_SR_EOP);

    assert_int_equal(usbdev_load_le16(f->bytes + 0x10), 0xBEEF);
    assert_false(f072_fpec_program(&f->fpec, 0x08000014, 4, 0, 54000));
}

static void fpec__refuses_what_is_not_erased_but_takes_zeros(void **state)
{
    struct flash_fixture *f = *state;

    usbdev_store_le16(f->bytes, 0x1234);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PG, 0);
    f072_fpec_program(&f->fpec, 0x08000000, 2, 0x1200, 0);
    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_PGERR);
    assert_int_equal(usbdev_load_le16(f->bytes), 0x1234);

    f072_fpec_program(&f->fpec, 0x08000000, 2, 0, 0);
    assert_int_equal(usbdev_load_le16(f->bytes), 0);
}

static void fpec__erases_one_page(void **state)
{
    struct flash_fixture *f = *state;

    memset(f->bytes, 0, sizeof f->bytes);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_AR, 0x08000812, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER | F072_FLASH_CR_STRT, 0);

    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_BSY);
    assert_int_equal(f->bytes[0x7FF], 0);
    assert_int_equal(f->bytes[0x800], 0xFF);
    assert_int_equal(f->bytes[0xFFF], 0xFF);
    assert_int_equal(f->bytes[0x1000], 0);
    assert_int_equal(status(&f->fpec, 40 * SIM_MS), F072_FLASH_SR_EOP);
}

static void fpec__protected_pages_stay(void **state)
{
    struct flash_fixture *f = *state;

    f->options[8] = 0xFD; // WRP0: pages 2 and 3
    f->options[9] = 0x02;
    f072_fpec_reset(&f->fpec);
    memset(f->bytes, 0, sizeof f->bytes);
    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_AR, 0x08001000, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, F072_FLASH_CR_PER | F072_FLASH_CR_STRT, 0);

    assert_int_equal(status(&f->fpec, 0), F072_FLASH_SR_WRPRTERR);
    assert_int_equal(f->bytes[0x1000], 0);
}

static void fpec__option_bytes_get_their_complement(void **state)
{
    struct flash_fixture *f = *state;

    unlock(&f->fpec);
    f072_fpec_write(&f->fpec, F072_FLASH_OPTKEYR, F072_FLASH_KEY1, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_OPTKEYR, F072_FLASH_KEY2, 0);
    uint32_t open = F072_FLASH_CR_OPTWRE;
    assert_int_equal(f072_fpec_read(&f->fpec, F072_FLASH_CR, 0), open);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTER, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTER | F072_FLASH_CR_STRT, 0);
    f072_fpec_write(&f->fpec, F072_FLASH_CR, open | F072_FLASH_CR_OPTPG, 50 * SIM_MS);
    f072_fpec_program(&f->fpec, F072_OPTIONS_BASE, 2, 0x00AA, 50 * SIM_MS);

    assert_int_equal(usbdev_load_le16(f->options), 0x55AA);
    assert_int_equal(usbdev_load_le16(f->options + 2), 0xFFFF);
}

#define FLASH(name) cmocka_unit_test_setup(name, set_up_flash)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLASH(fpec__keys_unlock_and_a_wrong_one_locks_until_reset),
        FLASH(fpec__programs_half_words_and_takes_its_time),
        FLASH(fpec__refuses_what_is_not_erased_but_takes_zeros),
        FLASH(fpec__erases_one_page),
        FLASH(fpec__protected_pages_stay),
        FLASH(fpec__option_bytes_get_their_complement),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
