// SPDX-License-Identifier: MIT
//
// The Microsoft OS 2.0 and WebUSB descriptors of a device whose interface 1 is for WinUSB.

#include "test_bench.h"

#include <dfurt/usbdev_webusb.h>

enum { VENDOR_CODE = 0x20, SET_SIZE = 46, BOS_SIZE = 57 };

static const uint8_t set[SET_SIZE] = {
    USBDEV_MS_OS_20_SET_HEADER(SET_SIZE),
    USBDEV_MS_OS_20_CONFIGURATION(SET_SIZE),
    USBDEV_MS_OS_20_FUNCTION(1, SET_SIZE),
    USBDEV_MS_OS_20_WINUSB,
};
static const uint8_t bos[BOS_SIZE] = {
    USBDEV_BOS_HEADER(BOS_SIZE, 2),
    USBDEV_MS_OS_20_CAPABILITY(SET_SIZE, VENDOR_CODE),
    USBDEV_WEBUSB_CAPABILITY(VENDOR_CODE, 1),
};
static const uint8_t url[] = {6, 3, 1, 'a', '.', 'b'};

static void start(struct bench *bench, struct usbdev_webusb *webusb)
{
    bench_start(bench);
    *webusb = (struct usbdev_webusb){.bVendorCode = VENDOR_CODE, .ms_os_20 = set, .url = url};
    bench->functions[0].device_requests = false;
    bench->functions[1] = (struct usbdev_function){
        .handler = &usbdev_webusb_handler, .context = webusb, .device_requests = true};
    bench->config.bos = bos;
    bench_address(bench);
}

static int ask(struct bench *bench, uint16_t wValue, uint16_t wIndex, uint8_t *reply)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = 0xC0,
        .bRequest = VENDOR_CODE,
        .wValue = wValue,
        .wIndex = wIndex,
        .wLength = 255,
    };
    return bench_read(bench, &setup, reply);
}

// Microsoft OS 2.0 descriptors, tables 10 to 13.
static void ms_os_20__binds_winusb_to_one_function(void **state)
{
    (void)state;
    struct bench bench;
    struct usbdev_webusb webusb;
    uint8_t reply[BENCH_MOST];
    // clang-format off
    const uint8_t expected[] = {
        10, 0, 0x00, 0, 0x00, 0x00, 0x03, 0x06, 46, 0, // set header: Windows 8.1, wTotalLength
        8, 0, 0x01, 0, 0, 0, 36, 0,                    // configuration 0: the 36 bytes from here
        8, 0, 0x02, 0, 1, 0, 28, 0,                    // function at interface 1: 28 bytes
        20, 0, 0x03, 0, 'W', 'I', 'N', 'U', 'S', 'B', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    };
    // clang-format on
    start(&bench, &webusb);

    assert_int_equal(ask(&bench, 0, 7, reply), sizeof expected);

    assert_memory_equal(reply, expected, sizeof expected);
}

static void interface_guid__is_a_registry_property(void **state)
{
    (void)state;
    const uint8_t property[] = {
        USBDEV_MS_OS_20_INTERFACE_GUID(0x01234567, 0x89AB, 0x4CDE, 0xF012, 0x3456, 0x789ABCDE)};
    const char name[] = "DeviceInterfaceGUIDs";
    const char guids[] = "{01234567-89AB-4CDE-F012-3456789ABCDE}\0"; // a list of one
    const uint8_t head[] = {132, 0, 0x04, 0, 7, 0, 42, 0};

    assert_int_equal(sizeof property, 132);
    assert_memory_equal(property, head, sizeof head);
    for (size_t i = 0; i < sizeof name; i++)
        assert_int_equal(usbdev_load_le16(property + 8 + 2 * i), name[i]);
    assert_int_equal(usbdev_load_le16(property + 50), 80);
    for (size_t i = 0; i < sizeof guids; i++)
        assert_int_equal(usbdev_load_le16(property + 52 + 2 * i), guids[i]);
}

static void url__is_the_one_of_the_landing_page(void **state)
{
    (void)state;
    struct bench bench;
    struct usbdev_webusb webusb;
    uint8_t reply[BENCH_MOST];
    start(&bench, &webusb);

    assert_int_equal(ask(&bench, 1, 2, reply), sizeof url);

    assert_memory_equal(reply, url, sizeof url);
}

static void other_requests__stall(void **state)
{
    (void)state;
    struct bench bench;
    struct usbdev_webusb webusb;
    uint8_t reply[BENCH_MOST];
    start(&bench, &webusb);

    assert_int_equal(ask(&bench, 0, 2, reply), USBDEV_STALL); // URL 0: there is none
    assert_int_equal(ask(&bench, 2, 2, reply), USBDEV_STALL);
    assert_int_equal(ask(&bench, 1, 7, reply), USBDEV_STALL);
    assert_int_equal(ask(&bench, 0, 4, reply), USBDEV_STALL); // Microsoft OS 1.0
    PLAY(&bench, {"setup 40 20 00 00 07 00 00 00", "stall"},
         {"setup c0 21 00 00 07 00 2e 00", "stall"}, {"setup a0 20 00 00 07 00 2e 00", "stall"});
    webusb.ms_os_20 = NULL;
    webusb.url = NULL;
    assert_int_equal(ask(&bench, 0, 7, reply), USBDEV_STALL);
    assert_int_equal(ask(&bench, 1, 2, reply), USBDEV_STALL);
}

// The UUIDs as text in the two specifications; Data1 to Data3 are little-endian on the wire.
static void bos__names_both_platforms(void **state)
{
    (void)state;
    struct bench bench;
    struct usbdev_webusb webusb;
    uint8_t reply[BENCH_MOST];
    const struct usbdev_setup_packet setup = {
        .bmRequestType = 0x80, .bRequest = USBDEV_GET_DESCRIPTOR, .wValue = 0x0F00, .wLength = 255};
    // clang-format off
    const uint8_t expected[] = {
        5, 15, 57, 0, 2,
        28, 16, 5, 0,
        0xDF, 0x60, 0xDD, 0xD8, 0x89, 0x45, 0xC7, 0x4C, 0x9C, 0xD2, 0x65, 0x9D, 0x9E, 0x64, 0x8A, 0x9F,
        0x00, 0x00, 0x03, 0x06, 46, 0, VENDOR_CODE, 0,
        24, 16, 5, 0,
        0x38, 0xB6, 0x08, 0x34, 0xA9, 0x09, 0xA0, 0x47, 0x8B, 0xFD, 0xA0, 0x76, 0x88, 0x15, 0xB6, 0x65,
        0x00, 0x01, VENDOR_CODE, 1,
    };
    // clang-format on
    start(&bench, &webusb);

    assert_int_equal(bench_read(&bench, &setup, reply), sizeof expected);

    assert_memory_equal(reply, expected, sizeof expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ms_os_20__binds_winusb_to_one_function),
        cmocka_unit_test(interface_guid__is_a_registry_property),
        cmocka_unit_test(url__is_the_one_of_the_landing_page),
        cmocka_unit_test(other_requests__stall),
        cmocka_unit_test(bos__names_both_platforms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
