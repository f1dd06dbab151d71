// SPDX-License-Identifier: MIT

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dfurt/usb_spec.h>

#include "endpoints.h"
#include "toy_device.h"

static size_t count_endpoints(const struct usbip_endpoints *endpoints)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof endpoints->at / sizeof *endpoints->at; i++)
        count += endpoints->at[i].exists;
    return count;
}

static void configure__takes_alternate_0_of_every_interface(void **state)
{
    (void)state;
    struct usbip_endpoints endpoints;

    usbip_endpoints_configure(&endpoints, toy_configuration, sizeof toy_configuration);
    const struct usbip_endpoint *interrupt = usbip_endpoints_find(&endpoints, 0x82);

    assert_int_equal(count_endpoints(&endpoints), 3);
    assert_int_equal(usbip_endpoints_find(&endpoints, 0x01)->type, USBDEV_ENDPOINT_BULK);
    assert_int_equal(usbip_endpoints_find(&endpoints, 0x81)->wMaxPacketSize, 64);
    assert_int_equal(interrupt->type, USBDEV_ENDPOINT_INTERRUPT);
    assert_int_equal(interrupt->wMaxPacketSize, 8);
    assert_int_equal(interrupt->bInterval, 1);
    assert_null(usbip_endpoints_find(&endpoints, 0x02));
    assert_null(usbip_endpoints_find(&endpoints, 0x83)); // alternate 1
    assert_null(usbip_endpoints_find(&endpoints, 0x00));
}

static void set_interface__changes_that_interface_alone(void **state)
{
    (void)state;
    struct usbip_endpoints endpoints;

    usbip_endpoints_configure(&endpoints, toy_configuration, sizeof toy_configuration);
    usbip_endpoints_set_interface(&endpoints, toy_configuration, sizeof toy_configuration, 1, 1);
    assert_non_null(usbip_endpoints_find(&endpoints, 0x83));
    assert_int_equal(count_endpoints(&endpoints), 4);

    usbip_endpoints_set_interface(&endpoints, toy_configuration, sizeof toy_configuration, 1, 0);
    assert_null(usbip_endpoints_find(&endpoints, 0x83));
    assert_int_equal(count_endpoints(&endpoints), 3);
}

static void address__is_the_way_back_from_a_place(void **state)
{
    (void)state;
    struct usbip_endpoints endpoints;

    usbip_endpoints_configure(&endpoints, toy_configuration, sizeof toy_configuration);

    for (size_t i = 0; i < 32; i++)
        if (endpoints.at[i].exists)
            assert_ptr_equal(usbip_endpoints_find(&endpoints, usbip_endpoints_address(i)),
                             &endpoints.at[i]);
}

// A copy of exactly that size on the heap: the sanitizer sees a read beyond it.
static void
configure_exactly(struct usbip_endpoints *endpoints, const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + 1);

    memcpy(copy + 1, bytes, length);
    usbip_endpoints_configure(endpoints, copy + 1, length);
    free(copy);
}

static void configure__reads_no_further_than_what_was_received(void **state)
{
    (void)state;
    struct usbip_endpoints endpoints;

    for (size_t length = 0; length < sizeof toy_configuration; length++) {
        configure_exactly(&endpoints, toy_configuration, length);

        // Descriptors that end within length: the configuration, interface 0, then its endpoints.
        size_t whole = length < 25 ? 0 : (length - 18) / 7;
        assert_int_equal(count_endpoints(&endpoints), whole < 3 ? whole : 3);
    }
}

static void configure__leaves_out_what_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t bytes[16];
    } cases[] = {
        {"an endpoint 0", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 7, 5, 0x80, 2, 64, 0, 0}},
        {"no packet size", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 7, 5, 0x81, 2, 0, 0, 0}},
        {"a packet of 1024 bytes", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 7, 5, 0x81, 2, 0, 4, 0}},
        {"a descriptor of length 0", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 0, 5, 0x81, 2, 64, 0, 0}},
        {"a descriptor of length 1", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 1, 5, 0x81, 2, 64, 0, 0}},
        {"an endpoint cut short", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 6, 5, 0x81, 2, 64, 0, 0}},
        {"a descriptor beyond the end", {9, 4, 0, 0, 1, 0xFF, 0, 0, 0, 8, 5, 0x81, 2, 64, 0, 0}},
        {"an endpoint of no interface", {7, 5, 0x81, 2, 64, 0, 0}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct usbip_endpoints endpoints;

        configure_exactly(&endpoints, cases[i].bytes, sizeof cases[i].bytes);

        if (count_endpoints(&endpoints) != 0)
            fail_msg("took %s for an endpoint", cases[i].what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configure__takes_alternate_0_of_every_interface),
        cmocka_unit_test(set_interface__changes_that_interface_alone),
        cmocka_unit_test(address__is_the_way_back_from_a_place),
        cmocka_unit_test(configure__reads_no_further_than_what_was_received),
        cmocka_unit_test(configure__leaves_out_what_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
