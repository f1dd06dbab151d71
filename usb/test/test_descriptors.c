// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usb/descriptors.h>

// A keyboard (HID, whose class descriptor is 21h too) with an endpoint, then DFU.
static const uint8_t composite[] = {
    0x09, 0x02, 0x3D, 0x00, 0x02, 0x01, 0x05, 0x80, 0x32, // configuration, 61 bytes
    0x08, 0x0B, 0x00, 0x01, 0x03, 0x01, 0x01, 0x06,       // association
    0x09, 0x04, 0x00, 0x00, 0x01, 0x03, 0x01, 0x01, 0x00, // HID interface
    0x09, 0x21, 0x11, 0x01, 0x00, 0x01, 0x22, 0x10, 0x01, // HID descriptor: 0110h at its end
    0x07, 0x05, 0x81, 0x03, 0x08, 0x00, 0x0A,             // interrupt IN
    0x09, 0x04, 0x01, 0x00, 0x00, 0xFE, 0x01, 0x01, 0x04, // DFU interface
    0x09, 0x21, 0x0B, 0xE8, 0x03, 0x00, 0x08, 0x10, 0x01, // DFU functional
    0x01,
};
enum { COMPOSITE_LENGTH = sizeof composite - 1 };

// A copy that ends exactly where its memory does, so that a sanitizer sees one byte too much.
static bool parse_exact(struct usb_configuration *config, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    if (length)
        memcpy(copy, bytes, length);
    bool parsed = configuration_parse(config, copy, length);
    free(copy);
    return parsed;
}

static void parse__finds_every_part_of_a_composite_device(void **state)
{
    (void)state;
    struct usb_configuration config;

    assert_true(parse_exact(&config, composite, COMPOSITE_LENGTH));

    assert_null(config.problem);
    assert_int_equal(config.walked, COMPOSITE_LENGTH);
    assert_int_equal(config.interface_count, 2);
    assert_int_equal(config.endpoint_count, 1);
    assert_int_equal(config.endpoints[0].bEndpointAddress, 0x81);
    assert_int_equal(config.endpoints[0].interface, 0);
    assert_int_equal(config.association_count, 1);
    assert_int_equal(configuration_dfu_interface(&config)->bInterfaceNumber, 1);
    assert_int_equal(configuration_dfu_interface(&config)->iInterface, 4);
}

// Each byte differs from the others, so that a field from another place is another value.
static void parse__takes_each_field_from_its_place(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x09, 0x02, 0x33, 0x00, 0x14, 0x15, 0x16, 0x17, 0x18, // configuration
        0x08, 0x0B, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,       // association
        0x09, 0x04, 0x32, 0x33, 0x34, 0xFE, 0x01, 0x37, 0x38, // interface
        0x07, 0x05, 0x42, 0x43, 0x44, 0x45, 0x46,             // endpoint
        0x09, 0x21, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, // functional
        0x09, 0x21, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, // another one
    };
    struct usb_configuration config;

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_int_equal(config.wTotalLength, sizeof bytes);
    assert_int_equal(config.bNumInterfaces, 0x14);
    assert_int_equal(config.bConfigurationValue, 0x15);
    assert_int_equal(config.iConfiguration, 0x16);
    assert_int_equal(config.bmAttributes, 0x17);
    assert_int_equal(config.bMaxPower, 0x18);
    const struct usb_association *association = &config.associations[0];
    assert_int_equal(association->offset, 9);
    assert_int_equal(association->bFirstInterface, 0x22);
    assert_int_equal(association->bInterfaceCount, 0x23);
    assert_int_equal(association->bFunctionClass, 0x24);
    assert_int_equal(association->iFunction, 0x27);
    const struct usb_interface *interface = configuration_dfu_interface(&config);
    assert_ptr_equal(interface, &config.interfaces[0]);
    assert_int_equal(interface->offset, 17);
    assert_int_equal(interface->bLength, 9);
    assert_int_equal(interface->bInterfaceNumber, 0x32);
    assert_int_equal(interface->bAlternateSetting, 0x33);
    assert_int_equal(interface->bNumEndpoints, 0x34);
    assert_int_equal(interface->bInterfaceProtocol, 0x37);
    assert_int_equal(interface->iInterface, 0x38);
    assert_int_equal(config.endpoints[0].offset, 26);
    assert_int_equal(config.endpoints[0].bLength, 7);
    assert_int_equal(config.endpoints[0].bEndpointAddress, 0x42);
    assert_int_equal(config.endpoints[0].bmAttributes, 0x43);
    assert_int_equal(config.endpoints[0].wMaxPacketSize, 0x4544);
    assert_int_equal(config.endpoints[0].bInterval, 0x46);
    const struct usb_dfu_functional *functional = configuration_functional(&config);
    assert_ptr_equal(functional, &config.functionals[0]);
    assert_int_equal(functional->offset, 33);
    assert_int_equal(functional->bLength, 9);
    assert_int_equal(functional->bmAttributes, 0x52);
    assert_int_equal(functional->wDetachTimeOut, 0x5453);
    assert_int_equal(functional->wTransferSize, 0x5655);
    assert_int_equal(functional->bcdDFUVersion, 0x5857);
    assert_int_equal(functional->interface, 0);
}

static void parse__takes_no_hid_descriptor_for_the_functional_one(void **state)
{
    (void)state;
    struct usb_configuration config;

    assert_true(parse_exact(&config, composite, COMPOSITE_LENGTH));

    const struct usb_dfu_functional *functional = configuration_functional(&config);
    assert_int_equal(config.functional_count, 1);
    assert_int_equal(functional->bmAttributes, 0x0B);
    assert_int_equal(functional->wDetachTimeOut, 1000);
    assert_int_equal(functional->wTransferSize, 2048);
    assert_int_equal(functional->bcdDFUVersion, 0x0110);
    assert_false(functional->misplaced);
}

static void parse__finds_a_functional_descriptor_before_its_interface(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x09, 0x02, 0x1B, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, //
        0x09, 0x21, 0x01, 0xFF, 0x00, 0x40, 0x00, 0x10, 0x01, //
        0x09, 0x04, 0x00, 0x00, 0x00, 0xFE, 0x01, 0x01, 0x00, //
    };
    struct usb_configuration config;

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_non_null(configuration_functional(&config));
    assert_true(configuration_functional(&config)->misplaced);
}

static void functional__in_its_place_comes_before_one_that_is_not(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x09, 0x02, 0x24, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, //
        0x09, 0x21, 0x01, 0xFF, 0x00, 0x40, 0x00, 0x10, 0x01, //
        0x09, 0x04, 0x00, 0x00, 0x00, 0xFE, 0x01, 0x01, 0x00, //
        0x09, 0x21, 0x0B, 0xE8, 0x03, 0x00, 0x08, 0x10, 0x01, //
    };
    struct usb_configuration config;

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_int_equal(config.functional_count, 2);
    assert_false(configuration_functional(&config)->misplaced);
    assert_int_equal(configuration_functional(&config)->bmAttributes, 0x0B);
}

// Type 21h behind an interface of another class: its own, unless that is vendor-specific and the
// version one of DFU.
static void functional__behind_another_class_needs_a_version_of_dfu(void **state)
{
    (void)state;
    static const struct {
        uint8_t class, version[2];
        bool found;
    } cases[] = {
        {0xFF, {0x00, 0x01}, true},  {0xFF, {0x10, 0x01}, true},  {0xFF, {0x1A, 0x01}, true},
        {0xFF, {0x01, 0x01}, false}, {0xFF, {0x1B, 0x01}, false}, {0xFF, {0x00, 0x02}, false},
        {0x0B, {0x10, 0x01}, false}, {0xFE, {0x10, 0x01}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *version = cases[i].version;
        const uint8_t bytes[] = {
            0x09, 0x02, 0x1B, 0x00, 0x01, 0x01,           0x00, 0x80,       0x32, //
            0x09, 0x04, 0x00, 0x00, 0x00, cases[i].class, 0x02, 0x01,       0x00, //
            0x09, 0x21, 0x01, 0xFF, 0x00, 0x40,           0x00, version[0], version[1],
        };
        struct usb_configuration config;

        assert_true(parse_exact(&config, bytes, sizeof bytes));

        assert_int_equal(config.functional_count, cases[i].found);
        assert_true(!cases[i].found || config.functionals[0].misplaced);
    }
}

static void parse__reads_the_dfu_1_0_form(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x09, 0x02, 0x19, 0x00, 0x01, 0x01, 0x00, 0x80, 0x32, //
        0x09, 0x04, 0x00, 0x00, 0x00, 0xFE, 0x01, 0x01, 0x00, //
        0x07, 0x21, 0x01, 0xFF, 0x00, 0x40, 0x00,             //
    };
    struct usb_configuration config;

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_int_equal(configuration_functional(&config)->bLength, 7);
    assert_int_equal(configuration_functional(&config)->bcdDFUVersion, 0x0100);
}

static void walk__stops_at_a_length_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[4];
        size_t length;
        unsigned whole; // descriptors before the problem
        const char *problem;
    } cases[] = {
        {{0x00, 0x04}, 2, 0, "bLength is less than 2"},
        {{0x01, 0x04}, 2, 0, "bLength is less than 2"},
        {{0x03, 0x04}, 2, 0, "bLength reaches past the end"},
        {{0x02, 0x04, 0x02}, 3, 1, "a single byte is left at the end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct descriptor_walk walk;
        struct descriptor descriptor;
        unsigned count = 0;
        descriptor_walk_start(&walk, cases[i].bytes, cases[i].length);

        while (descriptor_walk_next(&walk, &descriptor))
            count++;

        assert_int_equal(count, cases[i].whole);
        assert_string_equal(walk.problem, cases[i].problem);
        assert_false(descriptor_walk_next(&walk, &descriptor));
    }
}

static void parse__refuses_what_is_no_configuration(void **state)
{
    (void)state;
    struct usb_configuration config;
    static const uint8_t device[18] = {18, 1};
    static const uint8_t too_short[8] = {8, 2};

    assert_false(parse_exact(&config, device, sizeof device));
    assert_false(parse_exact(&config, too_short, sizeof too_short));
    assert_false(parse_exact(&config, NULL, 0));
}

static void parse__reports_more_descriptors_than_it_keeps(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[9];
        size_t kept;
        const char *too_large;
    } cases[] = {
        {{9, 4, 0, 0, 0, 0xFE, 1, 1, 0}, 128, "there are more than 128 interface descriptors"},
        {{7, 5, 0x81, 2, 64, 0, 0}, 128, "there are more than 128 endpoint descriptors"},
        {{8, 11, 0, 1, 3, 1, 1, 0}, 16, "there are more than 16 interface associations"},
        {{9, 0x21, 1, 0xFF, 0, 64, 0, 0x10, 1}, 8, "there are more than 8 functional descriptors"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t bLength = cases[i].bytes[0];
        uint8_t bytes[9 + 9 * 129] = {9, 2};
        struct usb_configuration config;
        for (size_t n = 0; n <= cases[i].kept; n++)
            memcpy(bytes + 9 + n * bLength, cases[i].bytes, bLength);

        assert_true(parse_exact(&config, bytes, 9 + cases[i].kept * bLength));
        assert_null(config.too_large);
        assert_true(parse_exact(&config, bytes, 9 + (cases[i].kept + 1) * bLength));

        assert_null(config.problem);
        assert_string_equal(config.too_large, cases[i].too_large);
        assert_int_equal(config.interface_count + config.endpoint_count + config.association_count +
                             config.functional_count,
                         cases[i].kept);
    }
}

static void parse__gives_nothing_of_an_interface_left_out_to_the_one_before(void **state)
{
    (void)state;
    static const uint8_t interface[] = {9, 4, 0, 0, 1, 0xFE, 1, 1, 0};
    static const uint8_t of_the_next[] = {
        7, 5,    0x81, 2,    64, 0,  0,          // endpoint
        9, 0x21, 1,    0xFF, 0,  64, 0, 0x10, 1, // functional
    };
    enum { KEPT = CONFIGURATION_MAX_INTERFACES };
    uint8_t bytes[9 + 9 * (KEPT + 1) + sizeof of_the_next] = {9, 2};
    struct usb_configuration config;
    for (size_t n = 0; n <= KEPT; n++)
        memcpy(bytes + 9 + n * 9, interface, 9);
    memcpy(bytes + 9 + (KEPT + 1) * 9, of_the_next, sizeof of_the_next);

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_int_equal(config.interface_count, KEPT);
    assert_int_equal(config.endpoint_count, 0);
    assert_int_equal(config.functional_count, 0);
    assert_int_equal(config.walked, sizeof bytes);
}

// Each stands behind a DFU interface, and one that is too short as well behind it.
static void parse__reports_the_first_descriptor_that_is_too_short(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[9];
        const char *problem;
    } cases[] = {
        {{8, 4}, "an interface descriptor is shorter than 9 bytes"},
        {{6, 5}, "an endpoint descriptor is shorter than 7 bytes"},
        {{7, 11}, "an interface association descriptor is shorter than 8 bytes"},
        {{6, 0x21}, "the DFU functional descriptor is shorter than 7 bytes"},
    };
    static const uint8_t interface[] = {9, 4, 0, 0, 0, 0xFE, 1, 1, 0}, endpoint[6] = {6, 5};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t bLength = cases[i].bytes[0];
        uint8_t bytes[9 + 9 + 9 + 6] = {9, 2};
        struct usb_configuration config;
        memcpy(bytes + 9, interface, sizeof interface);
        memcpy(bytes + 18, cases[i].bytes, bLength);
        memcpy(bytes + 18 + bLength, endpoint, sizeof endpoint);

        assert_true(parse_exact(&config, bytes, 18 + bLength + sizeof endpoint));

        assert_string_equal(config.problem, cases[i].problem);
        assert_int_equal(config.problem_offset, 18);
        assert_int_equal(config.interface_count, 1);
        assert_int_equal(config.endpoint_count + config.association_count + config.functional_count,
                         0);
    }
}

static void interfaces__are_counted_by_number_up_to_255(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        9, 2, 36,  0, 3, 1, 0,    0x80, 50, //
        9, 4, 255, 0, 0, 3, 0,    0,    0,  //
        9, 4, 255, 1, 0, 3, 0,    0,    0,  // another alternate setting of the same
        9, 4, 0,   0, 0, 3, 0x01, 0,    0,
    };
    struct usb_configuration config;

    assert_true(parse_exact(&config, bytes, sizeof bytes));

    assert_int_equal(configuration_interface_numbers(&config), 2);
    assert_false(configuration_has_interface(&config, 1));
    assert_null(configuration_dfu_interface(&config));
}

static void parse__survives_every_truncation(void **state)
{
    (void)state;
    struct usb_configuration config;
    for (size_t length = 0; length < COMPOSITE_LENGTH; length++) {
        bool parsed = parse_exact(&config, composite, length);

        assert_true(parsed == (length >= USBDEV_CONFIGURATION_DESCRIPTOR_SIZE));
        if (parsed)
            assert_true(config.walked <= length);
    }
}

// Every byte takes every value.
static void parse__survives_every_mutation_of_a_byte(void **state)
{
    (void)state;
    uint8_t bytes[COMPOSITE_LENGTH];
    struct usb_configuration config;
    memcpy(bytes, composite, sizeof bytes);
    for (size_t at = 0; at < sizeof bytes; at++) {
        for (unsigned value = 0; value <= UINT8_MAX; value++) {
            bytes[at] = (uint8_t)value;
            if (!parse_exact(&config, bytes, sizeof bytes))
                continue;
            assert_true(config.walked <= sizeof bytes);
            assert_true(config.walked == sizeof bytes || config.problem);
        }
        bytes[at] = composite[at];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__finds_every_part_of_a_composite_device),
        cmocka_unit_test(parse__takes_each_field_from_its_place),
        cmocka_unit_test(parse__takes_no_hid_descriptor_for_the_functional_one),
        cmocka_unit_test(parse__finds_a_functional_descriptor_before_its_interface),
        cmocka_unit_test(functional__in_its_place_comes_before_one_that_is_not),
        cmocka_unit_test(functional__behind_another_class_needs_a_version_of_dfu),
        cmocka_unit_test(parse__reads_the_dfu_1_0_form),
        cmocka_unit_test(walk__stops_at_a_length_that_cannot_be),
        cmocka_unit_test(parse__refuses_what_is_no_configuration),
        cmocka_unit_test(parse__reports_more_descriptors_than_it_keeps),
        cmocka_unit_test(parse__gives_nothing_of_an_interface_left_out_to_the_one_before),
        cmocka_unit_test(parse__reports_the_first_descriptor_that_is_too_short),
        cmocka_unit_test(interfaces__are_counted_by_number_up_to_255),
        cmocka_unit_test(parse__survives_every_truncation),
        cmocka_unit_test(parse__survives_every_mutation_of_a_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
