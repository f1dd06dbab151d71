// SPDX-License-Identifier: MIT

#include <usb/dfuse_layout.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { R = DFUSE_READABLE, E = DFUSE_ERASABLE, W = DFUSE_WRITABLE };

static const struct {
    const char *text;
    size_t count;
    struct dfuse_region regions[4];
} layouts[] = {
    {"@Internal Flash  /0x08000000/064*0002Kg", 1, {{0x08000000, 64, 2048, R | E | W}}},
    {"@Internal Flash /0x08000000/04*016Kg,01*064Kg,07*128Kg",
     3,
     {{0x08000000, 4, 16384, R | E | W},
      {0x08010000, 1, 65536, R | E | W},
      {0x08020000, 7, 131072, R | E | W}}},
    {"@Internal Flash   /0x08000000/8*001Ka,56*001Kg",
     2,
     {{0x08000000, 8, 1024, R}, {0x08002000, 56, 1024, R | E | W}}},
    {"@Option Bytes  /0x1FFFF800/01*016 e", 1, {{0x1FFFF800, 1, 16, R | W}}},
    {"@Option Bytes   /0x1FFF7800/01*040 e/0x1FFFF800/01*040 e",
     2,
     {{0x1FFF7800, 1, 40, R | W}, {0x1FFFF800, 1, 40, R | W}}},
    {"@Flash /0x8000000/0256*0002Kg", 1, {{0x08000000, 256, 2048, R | E | W}}},
    {"@Flash /0x08000000/1536*128g", 1, {{0x08000000, 1536, 128, R | E | W}}},
    {"@Flash/0x0/65536*256 g", 1, {{0, 65536, 256, R | E | W}}},
    {"@Flash/0x0/65536*256Bg", 1, {{0, 65536, 256, R | E | W}}},
    {"@RAM/0x20000000/1*2Mf", 1, {{0x20000000, 1, 2 << 20, E | W}}},
    {"@Flash /0x 8000000/ 4* 16Kg, 1*64Kg", // blanks before numbers
     2,
     {{0x08000000, 4, 16384, R | E | W}, {0x08010000, 1, 65536, R | E | W}}},
    {"@Flash /0x08000000/4*16Kg  ", 1, {{0x08000000, 4, 16384, R | E | W}}},
    {"@RAM/0xA0bB0000/1*1Kd", 1, {{0xA0BB0000, 1, 1024, W}}},
    {"@All /0xffffF000/4*1Kd", 1, {{0xFFFFF000, 4, 1024, W}}}, // up to the last byte
};

static void parse__takes_every_form_that_devices_have(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        struct dfuse_layout layout;

        assert_true(dfuse_layout_parse(&layout, layouts[i].text));
        assert_string_equal("", layout.problem);
        assert_int_equal(layouts[i].count, layout.count);
        for (size_t j = 0; j < layout.count; j++) {
            assert_int_equal(layouts[i].regions[j].address, layout.regions[j].address);
            assert_int_equal(layouts[i].regions[j].sectors, layout.regions[j].sectors);
            assert_int_equal(layouts[i].regions[j].sector_size, layout.regions[j].sector_size);
            assert_int_equal(layouts[i].regions[j].access, layout.regions[j].access);
        }
    }
}

// What is wrong, and how many regions stand before it.
static const struct {
    const char *text;
    size_t count;
    const char *problem;
} broken[] = {
    {"", 0, "expected '@' and a name at ''"},
    {"012345678901234567890123456789012345678\xC3\xBC", 0,
     "expected '@' and a name at '012345678901234567890123456789012345678'"},
    {"Firmware", 0, "expected '@' and a name at 'Firmware'"},
    {"@/0x08000000/4*1Kg", 0, "expected a name at '/0x08000000/4*1Kg'"},
    {"@Flash", 0, "expected '/0x' and an address at ''"},
    {"@Flash/08000000/4*1Kg", 0, "expected '/0x' and an address at '/08000000/4*1Kg'"},
    {"@Flash/0x/4*1Kg", 0, "expected an address in hexadecimal at '/4*1Kg'"},
    {"@Flash/0x108000000/4*1Kg", 0, "expected a number of at most 32 bits at '0/4*1Kg'"},
    {"@Flash/0x100000000/4*1Kg", 0, "expected a number of at most 32 bits at '0/4*1Kg'"},
    {"@Flash/0x08000000", 0, "expected '/' behind the address at ''"},
    {"@Flash/0x08000000/", 0, "expected a number of sectors at ''"},
    {"@Flash/0x08000000/-4*1Kg", 0, "expected a number of sectors at '-4*1Kg'"},
    {"@Flash/0x08000000/4x1Kg", 0, "expected '*' at 'x1Kg'"},
    {"@Flash/0x08000000/4a*1Kg", 0, "expected '*' at 'a*1Kg'"},
    {"@Flash/0x00000000/1*4194304Kg", 0, // a sector of 4 GB
     "expected sectors that end below 4 GB before the type at 'g'"},
    {"@Flash/0x08000000/4*Kg", 0, "expected the size of a sector at 'Kg'"},
    {"@Flash/0x08000000/65536*256", 0,
     "expected a unit (K, M, B or none) and a type from a to g at ''"},
    {"@Flash/0x08000000/4*1Gg", 0,
     "expected a unit (K, M, B or none) and a type from a to g at 'Gg'"},
    {"@Flash/0x08000000/4*1Kh", 0,
     "expected a unit (K, M, B or none) and a type from a to g at 'h'"},
    {"@Flash/0x08000000/4*1Kgg", 0,
     "expected a unit (K, M, B or none) and a type from a to g at 'gg'"},
    {"@Flash/0x08000000/0*1Kg", 0, "expected sectors that are not empty before the type at 'g'"},
    {"@Flash/0x08000000/4*0Kg", 0, "expected sectors that are not empty before the type at 'g'"},
    {"@Flash/0x08000000/4000000000*4000000000Kg", 0,
     "expected sectors that end below 4 GB before the type at 'g'"},
    {"@Flash/0xFFFFF000/5*1Kg", 0, "expected sectors that end below 4 GB before the type at 'g'"},
    {"@Flash/0xFFFFF000/4*1Kg,1*1Bg", 1,
     "expected sectors that end below 4 GB before the type at 'g'"},
    {"@Flash/0x08000000/4*1Kg,", 1, "expected a number of sectors at ''"},
    {"@Flash/0x08000000/4*1Kg,rest", 1, "expected a number of sectors at 'rest'"},
    {"@Flash/0x08000000/4*1Kg/rest", 1, "expected '/0x' and an address at '/rest'"},
};

static void parse__says_what_it_did_not_understand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct dfuse_layout layout;

        assert_int_equal(broken[i].count > 0, dfuse_layout_parse(&layout, broken[i].text));

        assert_int_equal(broken[i].count, layout.count);
        assert_string_equal(broken[i].problem, layout.problem);
    }
}

static void parse__takes_no_more_regions_than_it_has_room_for(void **state)
{
    char text[600] = "@Flash/0x0/1*1Kg";
    struct dfuse_layout layout;
    (void)state;

    for (int i = 1; i < DFUSE_MAX_REGIONS; i++)
        strcat(text, ",1*1Kg");
    assert_true(dfuse_layout_parse(&layout, text));
    assert_int_equal(DFUSE_MAX_REGIONS, layout.count);
    assert_string_equal("", layout.problem);
    strcat(text, ",1*1Kg");

    assert_true(dfuse_layout_parse(&layout, text));

    assert_int_equal(DFUSE_MAX_REGIONS, layout.count);
    assert_string_equal("expected no more than 64 regions at 'g'", layout.problem);
}

static void find__knows_the_first_and_the_last_byte_of_a_region(void **state)
{
    struct dfuse_layout layout;
    (void)state;

    assert_true(dfuse_layout_parse(&layout, "@Flash/0x08000000/8*1Ka,8*1Kg/0xFFFFFC00/1*1Kg"));

    assert_null(dfuse_layout_find(&layout, 0x07FFFFFF));
    assert_ptr_equal(&layout.regions[0], dfuse_layout_find(&layout, 0x08000000));
    assert_ptr_equal(&layout.regions[0], dfuse_layout_find(&layout, 0x08001FFF));
    assert_ptr_equal(&layout.regions[1], dfuse_layout_find(&layout, 0x08002000));
    assert_ptr_equal(&layout.regions[1], dfuse_layout_find(&layout, 0x08003FFF));
    assert_null(dfuse_layout_find(&layout, 0x08004000));
    assert_ptr_equal(&layout.regions[2], dfuse_layout_find(&layout, 0xFFFFFFFF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__takes_every_form_that_devices_have),
        cmocka_unit_test(parse__says_what_it_did_not_understand),
        cmocka_unit_test(parse__takes_no_more_regions_than_it_has_room_for),
        cmocka_unit_test(find__knows_the_first_and_the_last_byte_of_a_region),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
