// SPDX-License-Identifier: MIT
//
// The native USB peripheral, transaction by transaction, under the composite product.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/runtime.h>

static void enter_dfu(void *context)
{
    (void)context;
}

static struct runtime runtime;
static struct sim_device *const wire = &runtime.native.base;

enum { ADDRESS = 9 };

static int setup(uint8_t address,
                 uint8_t bmRequestType,
                 uint8_t bRequest,
                 uint16_t wValue,
                 uint16_t wIndex,
                 uint16_t wLength)
{
    const struct usbdev_setup_packet request = {bmRequestType, bRequest, wValue, wIndex, wLength};
    uint8_t bytes[USBDEV_SETUP_SIZE];

    usbdev_setup_store(bytes, &request);
    return wire->ops->setup(wire, address, 0, bytes);
}

static int in(uint8_t address, uint8_t endpoint, uint8_t *data, bool *ret_data1)
{
    return wire->ops->in(wire, address, endpoint, ret_data1, data);
}

static int out(uint8_t endpoint, bool data1, const void *data, size_t length)
{
    return wire->ops->out(wire, ADDRESS, endpoint, data1, data, length);
}

static void no_data(uint8_t address, uint8_t bmRequestType, uint8_t bRequest, uint16_t wValue)
{
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;

    assert_int_equal(setup(address, bmRequestType, bRequest, wValue, 0, 0), SIM_ACK);
    assert_int_equal(in(address, 0, data, &data1), 0);
    assert_true(data1);
}

static void start_product(const struct product_shape *shape)
{
    static uint8_t configuration[200];
    const struct runtime_product product = {
        .bootloader = &bootloader_st_rom,
        .shape = shape,
        .serial = "1",
        .configuration = configuration,
        .enter_dfu = enter_dfu,
    };

    assert_in_range(runtime_configuration_size(shape), 0, sizeof configuration);
    runtime_init(&runtime, &product, 0);
    wire->ops->bus_reset(wire, true);
    wire->ops->bus_reset(wire, false);
    no_data(0, 0x00, USBDEV_SET_ADDRESS, ADDRESS);
    no_data(ADDRESS, 0x00, USBDEV_SET_CONFIGURATION, 1);
}

static int start(void **state)
{
    static const struct product_shape composite = {.loopback = true};

    (void)state;
    start_product(&composite);
    return 0;
}

static void transactions__of_another_address_are_not_answered(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;

    assert_int_equal(setup(0, 0x80, USBDEV_GET_STATUS, 0, 0, 2), SIM_NO_RESPONSE);
    assert_int_equal(in(ADDRESS + 1, 0, data, &data1), SIM_NO_RESPONSE);
    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_STATUS, 0, 0, 2), SIM_ACK);
}

static void reset__silences_the_device_and_takes_its_address(void **state)
{
    (void)state;

    wire->ops->bus_reset(wire, true);
    assert_int_equal(setup(0, 0x80, USBDEV_GET_DESCRIPTOR, 0x100, 0, 18), SIM_NO_RESPONSE);
    wire->ops->bus_reset(wire, false);

    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_DESCRIPTOR, 0x100, 0, 18), SIM_NO_RESPONSE);
    assert_int_equal(setup(0, 0x80, USBDEV_GET_DESCRIPTOR, 0x100, 0, 18), SIM_ACK);
}

static void disconnected__nothing_is_answered(void **state)
{
    (void)state;

    usbdev_connect(&runtime.native.dev, false);

    assert_false(wire->ops->connected(wire));
    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_STATUS, 0, 0, 2), SIM_NO_RESPONSE);
}

static void endpoints__that_are_absent_are_silent_and_idle_ones_nak(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;

    assert_int_equal(in(ADDRESS, 1, data, &data1), SIM_NAK);
    assert_int_equal(in(ADDRESS, 5, data, &data1), SIM_NO_RESPONSE);
    assert_int_equal(out(2, false, "x", 1), SIM_NO_RESPONSE);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_NAK);
}

static void setup__to_another_endpoint_is_not_answered(void **state)
{
    (void)state;
    const uint8_t bytes[USBDEV_SETUP_SIZE] = {0x80, USBDEV_GET_STATUS, 0, 0, 0, 0, 2, 0};

    assert_int_equal(wire->ops->setup(wire, ADDRESS, 1, bytes), SIM_NO_RESPONSE);
}

// A reply shorter than wLength that fills its last packet ends in an empty one, which is a packet
// of its own (USB 2.0 5.5.3).
static void in__a_zero_length_packet_is_not_swallowed(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;
    uint16_t wTotalLength = usbdev_load_le16(runtime.configuration + 2);
    uint16_t length = (uint16_t)((wTotalLength + 63) / 64 * 64);

    usbdev_store_le16(runtime.configuration + 2, length); // whole packets
    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_DESCRIPTOR, 0x0200, 0, 4096), SIM_ACK);
    for (uint16_t at = 0; at < length; at = (uint16_t)(at + 64))
        assert_int_equal(in(ADDRESS, 0, data, &data1), 64);

    assert_int_equal(in(ADDRESS, 0, data, &data1), 0);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_NAK);
}

static void out__repeated_packets_are_acknowledged_and_dropped(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = true;
    assert_int_equal(out(1, false, "one", 3), SIM_ACK);
    assert_int_equal(in(ADDRESS, 1, data, &data1), 3);
    assert_false(data1);

    assert_int_equal(out(1, false, "one", 3), SIM_ACK);
    assert_int_equal(in(ADDRESS, 1, data, &data1), SIM_NAK);
    assert_int_equal(out(1, true, "two", 3), SIM_ACK);

    assert_int_equal(in(ADDRESS, 1, data, &data1), 3);
    assert_true(data1);
    assert_memory_equal(data, "two", 3);
}

static void out__is_refused_until_the_last_packet_is_gone(void **state)
{
    (void)state;

    assert_int_equal(out(1, false, "one", 3), SIM_ACK);

    assert_int_equal(out(1, true, "two", 3), SIM_NAK);
}

static void out__longer_than_wMaxPacketSize_is_not_answered(void **state)
{
    (void)state;
    static const uint8_t long_packet[65];

    assert_int_equal(out(1, false, long_packet, 65), SIM_NO_RESPONSE);
    assert_int_equal(out(1, false, long_packet, 64), SIM_ACK);
}

static void setup__ends_a_stall_and_abandons_what_was_under_way(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;
    assert_int_equal(setup(ADDRESS, 0xC0, 0x99, 0, 0, 8), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_STALL);
    assert_int_equal(out(0, true, NULL, 0), SIM_STALL);

    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_DESCRIPTOR, 0x200, 0, 255), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 64);
    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_STATUS, 0, 0, 2), SIM_ACK);

    assert_int_equal(in(ADDRESS, 0, data, &data1), 2);
    assert_true(data1);
    assert_int_equal(out(0, true, NULL, 0), SIM_ACK);
}

static void silence__of_3_ms_is_a_suspend_and_5_ms_allow_a_wake_up(void **state)
{
    (void)state;
    no_data(ADDRESS, 0x00, USBDEV_SET_FEATURE, USBDEV_FEATURE_DEVICE_REMOTE_WAKEUP);
    wire->ops->sof(wire, 1);

    wire->ops->advance(wire, 3 * SIM_MS - 1);
    assert_false(usbdev_remote_wakeup(&runtime.native.dev));
    wire->ops->advance(wire, 3 * SIM_MS);
    assert_true(usbdev_remote_wakeup(&runtime.native.dev));

    assert_false(wire->ops->waking(wire));
    wire->ops->advance(wire, 5 * SIM_MS);
    assert_true(wire->ops->waking(wire));
    wire->ops->advance(wire, 15 * SIM_MS);
    assert_false(wire->ops->waking(wire));
}

static void reset__ends_a_suspend(void **state)
{
    (void)state;
    wire->ops->advance(wire, 3 * SIM_MS);
    assert_true(runtime.native.dev.suspended);

    wire->ops->bus_reset(wire, true);
    wire->ops->advance(wire, 53 * SIM_MS);
    wire->ops->bus_reset(wire, false);
    assert_false(runtime.native.dev.suspended);

    wire->ops->advance(wire, 56 * SIM_MS);
    assert_true(runtime.native.dev.suspended);
}

static int
say_too_much(void *context, const struct usbdev_setup_packet *request, const uint8_t **ret_reply)
{
    static const uint8_t reply[100];

    (void)context;
    *ret_reply = reply;
    return request->bRequest == 0x50 ? (int)sizeof reply : NATIVE_PASS;
}

static void override__sends_more_than_wLength_packet_by_packet(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;
    runtime.native.override = say_too_much;

    assert_int_equal(setup(ADDRESS, 0xC0, 0x50, 0, 0, 1), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 64);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 36);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_NAK);

    assert_int_equal(setup(ADDRESS, 0x80, USBDEV_GET_STATUS, 0, 0, 2), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 2);
}

static int
say_64_bytes(void *context, const struct usbdev_setup_packet *request, const uint8_t **ret_reply)
{
    static const uint8_t reply[64];
    (void)context, (void)request;

    *ret_reply = reply;
    return sizeof reply;
}

static void override__ends_in_an_empty_packet_where_wLength_is_more(void **state)
{
    (void)state;
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;
    runtime.native.override = say_64_bytes;

    assert_int_equal(setup(ADDRESS, 0xC0, 0x50, 0, 0, 65), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 64);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 0);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_NAK);

    assert_int_equal(setup(ADDRESS, 0xC0, 0x50, 0, 0, 64), SIM_ACK);
    assert_int_equal(in(ADDRESS, 0, data, &data1), 64);
    assert_int_equal(in(ADDRESS, 0, data, &data1), SIM_NAK);
}

static int
take_anything(void *context, const struct usbdev_setup_packet *request, const uint8_t **ret_reply)
{
    (void)context, (void)request, (void)ret_reply;
    return 0;
}

static void override__takes_all_data_of_an_out_request(void **state)
{
    (void)state;
    static const uint8_t packet[64];
    uint8_t data[SIM_MAX_PACKET];
    bool data1 = false;
    runtime.native.override = take_anything;

    assert_int_equal(setup(ADDRESS, 0x41, 0x50, 0, 0, 128), SIM_ACK);
    assert_int_equal(out(0, true, packet, 64), SIM_ACK);
    assert_int_equal(out(0, false, packet, 64), SIM_ACK);

    assert_int_equal(in(ADDRESS, 0, data, &data1), 0);
}

// ---- Descriptors of a product that are none ----

static void descriptor_of_no_length__ends_the_configuration_and_is_told(void **state)
{
    (void)state;
    static const uint8_t none[] = {0, USBDEV_DT_ENDPOINT, 0x85, 3, 8, 0, 10};
    static const struct product_shape shape = {.after = {none, sizeof none, 1}};

    start_product(&shape); // configured: the search for endpoints has ended

    assert_string_equal(runtime_trouble(&runtime),
                        "the product's configuration 0 has no descriptor at offset 27: bLength is "
                        "less than 2; its firmware goes no further there");
}

static void descriptor_that_reaches_past_the_end__is_told(void **state)
{
    (void)state;
    static const uint8_t cut[] = {9, USBDEV_DT_INTERFACE, 1, 0, 0};
    static const struct product_shape shape = {.after = {cut, sizeof cut, 1}};

    start_product(&shape);

    assert_non_null(strstr(runtime_trouble(&runtime), "bLength reaches past the end"));
}

static void descriptors_that_are_right__are_no_trouble(void **state)
{
    (void)state;

    assert_null(runtime_trouble(&runtime));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(transactions__of_another_address_are_not_answered, start),
        cmocka_unit_test_setup(reset__silences_the_device_and_takes_its_address, start),
        cmocka_unit_test_setup(disconnected__nothing_is_answered, start),
        cmocka_unit_test_setup(endpoints__that_are_absent_are_silent_and_idle_ones_nak, start),
        cmocka_unit_test_setup(setup__to_another_endpoint_is_not_answered, start),
        cmocka_unit_test_setup(in__a_zero_length_packet_is_not_swallowed, start),
        cmocka_unit_test_setup(out__repeated_packets_are_acknowledged_and_dropped, start),
        cmocka_unit_test_setup(out__is_refused_until_the_last_packet_is_gone, start),
        cmocka_unit_test_setup(out__longer_than_wMaxPacketSize_is_not_answered, start),
        cmocka_unit_test_setup(setup__ends_a_stall_and_abandons_what_was_under_way, start),
        cmocka_unit_test_setup(silence__of_3_ms_is_a_suspend_and_5_ms_allow_a_wake_up, start),
        cmocka_unit_test_setup(reset__ends_a_suspend, start),
        cmocka_unit_test_setup(override__sends_more_than_wLength_packet_by_packet, start),
        cmocka_unit_test_setup(override__ends_in_an_empty_packet_where_wLength_is_more, start),
        cmocka_unit_test_setup(override__takes_all_data_of_an_out_request, start),
        cmocka_unit_test(descriptor_of_no_length__ends_the_configuration_and_is_told),
        cmocka_unit_test(descriptor_that_reaches_past_the_end__is_told),
        cmocka_unit_test_setup(descriptors_that_are_right__are_no_trouble, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
