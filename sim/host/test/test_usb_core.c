// SPDX-License-Identifier: MIT
//
// The USB core with a toy device on the wire, and with configurations that no device should have.

#include <sim/usb_core.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "toy_device.h"

struct fixture {
    struct toy toy;
    struct sim_host *host;
    struct usb_core core;
};

static int plug_in(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->host = sim_host_open(toy_init(&fixture->toy), NULL, NULL);
    assert_non_null(fixture->host);
    usb_core_init(&fixture->core, fixture->host);
    assert_int_equal(0, usb_core_enumerate(&fixture->core, 1000 * SIM_MS));
    *state = fixture;
    return 0;
}

static int unplug(void **state)
{
    struct fixture *fixture = *state;

    sim_host_close(fixture->host);
    usb_core_finish(&fixture->core);
    free(fixture);
    return 0;
}

static size_t count_endpoints(const struct usb_core *core)
{
    size_t count = 0;

    for (unsigned address = 0; address < 256; address++)
        count += usb_core_find_endpoint(core, (uint8_t)address) != NULL;
    return count;
}

// The next byte of the endpoint that counts its packets.
static int count_of_83h(struct fixture *fixture)
{
    uint8_t bytes[64] = {0};
    struct sim_transfer transfer = {
        .data = bytes, .length = sizeof bytes, .timeout_ns = 10 * SIM_MS};
    const uint8_t *endpoint = usb_core_find_endpoint(&fixture->core, 0x83);

    assert_non_null(endpoint);
    assert_true(usb_core_prepare(&transfer, endpoint));
    int result = sim_host_transfer(fixture->host, &transfer);
    return result == 1 ? bytes[0] : result;
}

// ---- A good device ----

static void enumerate__keeps_the_descriptors_as_they_came(void **state)
{
    struct fixture *fixture = *state;
    size_t length;
    const uint8_t *bytes = usb_core_configuration(&fixture->core, 0, &length);

    assert_int_equal(TOY_VENDOR, usbdev_load_le16(fixture->core.descriptors + 8));
    assert_int_equal(1, fixture->core.configuration_count);
    assert_int_equal(sizeof toy_configuration, length);
    assert_memory_equal(toy_configuration, bytes, length);
    assert_null(usb_core_configuration(&fixture->core, 1, &length));
    assert_int_equal(0, length);
    assert_int_equal(0, count_endpoints(&fixture->core)); // not configured
}

static void set_configuration__brings_alternate_0_of_every_interface(void **state)
{
    struct fixture *fixture = *state;
    struct sim_transfer transfer = {.length = 0};

    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 1));

    assert_int_equal(3, count_endpoints(&fixture->core));
    assert_true(usb_core_prepare(&transfer, usb_core_find_endpoint(&fixture->core, 0x82)));
    assert_int_equal(0x82, transfer.endpoint);
    assert_int_equal(USBDEV_ENDPOINT_INTERRUPT, transfer.type);
    assert_int_equal(8, transfer.wMaxPacketSize);
    assert_int_equal(1, transfer.bInterval);
    assert_null(usb_core_find_endpoint(&fixture->core, 0x83)); // of alternate 1
    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 0));
    assert_int_equal(0, count_endpoints(&fixture->core));
}

static void set_interface__changes_the_endpoints_of_that_interface(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 1));
    assert_int_equal(0, usb_core_set_interface(&fixture->core, 1, 1));
    assert_int_equal(4, count_endpoints(&fixture->core));
    assert_non_null(usb_core_find_endpoint(&fixture->core, 0x83));
    assert_int_equal(0, usb_core_set_interface(&fixture->core, 1, 0));
    assert_int_equal(3, count_endpoints(&fixture->core));
}

// USB 2.0 9.1.1.5: without the reset of the host's toggle the second packet would be dropped as a
// repetition of the first.
static void set_interface__begins_its_endpoints_with_data0(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 1));
    assert_int_equal(0, usb_core_set_interface(&fixture->core, 1, 1));
    int first = count_of_83h(fixture);
    assert_true(first >= 0);

    assert_int_equal(0, usb_core_set_interface(&fixture->core, 1, 1));

    assert_int_equal(first + 1, count_of_83h(fixture));
}

static void core__follows_requests_that_it_did_not_send(void **state)
{
    struct fixture *fixture = *state;
    const struct usbdev_setup_packet configure = {.bRequest = USBDEV_SET_CONFIGURATION,
                                                  .wValue = 1};
    const struct usbdev_setup_packet choose = {.bmRequestType = USBDEV_RECIPIENT_INTERFACE,
                                               .bRequest = USBDEV_SET_INTERFACE,
                                               .wValue = 1,
                                               .wIndex = 1};

    assert_int_equal(0, sim_host_control(fixture->host, &configure, NULL, 0));
    assert_int_equal(0, sim_host_control(fixture->host, &choose, NULL, 0));

    assert_int_equal(1, fixture->core.bConfigurationValue);
    assert_int_equal(4, count_endpoints(&fixture->core));
}

static void core__does_not_follow_a_request_that_stalls(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 1));

    assert_int_equal(USB_STALL, usb_core_set_interface(&fixture->core, 1, 7));

    assert_int_equal(3, count_endpoints(&fixture->core));
}

static void enumerate__forgets_what_was_there_before(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(0, usb_core_set_configuration(&fixture->core, 1));

    assert_int_equal(0, usb_core_enumerate(&fixture->core, 1000 * SIM_MS));

    assert_int_equal(0, fixture->core.bConfigurationValue);
    assert_int_equal(0, count_endpoints(&fixture->core));
}

static int go_on_for_1_ms(struct fixture *fixture)
{
    return usb_core_go_on(&fixture->core, sim_host_now(fixture->host) + SIM_MS);
}

static void enumerate__in_pieces_serves_others_in_between(void **state)
{
    struct fixture *fixture = *state;
    unsigned pieces = 0;

    fixture->toy.mute_ns = 1000 * SIM_MS;
    usb_core_begin(&fixture->core, 0);
    while (go_on_for_1_ms(fixture) == SIM_UNDER_WAY)
        pieces++;

    assert_in_range(pieces, 1000 - 2 * 61, 2000);
    assert_int_equal(1, fixture->core.configuration_count);
    assert_int_equal(18 + sizeof toy_configuration, fixture->core.length);
    assert_int_equal(1, sim_host_address(fixture->host));
}

static void enumerate__fails_when_the_device_leaves_after_its_first_descriptor(void **state)
{
    struct fixture *fixture = *state;

    usb_core_begin(&fixture->core, 0);
    while (!fixture->core.descriptors)
        assert_int_equal(SIM_UNDER_WAY,
                         usb_core_go_on(&fixture->core, sim_host_now(fixture->host) + 10000));
    sim_host_power(fixture->host, false);

    assert_int_equal(USB_GONE, go_on_for_1_ms(fixture));
}

static void enumerate__begins_again_in_the_middle_of_a_request(void **state)
{
    struct fixture *fixture = *state;

    fixture->toy.mute_ns = 100 * SIM_MS;
    usb_core_begin(&fixture->core, 0);
    assert_int_equal(SIM_UNDER_WAY, go_on_for_1_ms(fixture));

    assert_int_equal(0, usb_core_enumerate(&fixture->core, 0));
    assert_int_equal(1, fixture->core.configuration_count);
}

static void read_string__asks_in_the_first_language_of_the_device(void **state)
{
    struct fixture *fixture = *state;
    char text[8] = "before";

    usb_core_read_string(&fixture->core, 1, text, sizeof text);
    assert_string_equal("To\xC3\xBF", text);

    usb_core_read_string(&fixture->core, 2, text, sizeof text);
    assert_string_equal("", text); // STALL
}

// ---- Configurations that no device should have ----

// A configured core that has received these bytes, at the very end of their memory.
static void receive(struct usb_core *core, const uint8_t *bytes, size_t length)
{
    *core = (struct usb_core){
        .descriptors = malloc(length ? length : 1),
        .length = length,
        .configurations = {0, length},
        .configuration_count = 1,
        .bConfigurationValue = 1,
    };
    assert_non_null(core->descriptors);
    memcpy(core->descriptors, bytes, length);
}

static void find__reads_no_further_than_what_was_received(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof toy_configuration; length++) {
        struct usb_core core;

        receive(&core, toy_configuration, length);

        // Descriptors that end within length: the configuration, interface 0, then its endpoints.
        size_t whole = length < 25 ? 0 : (length - 18) / 7;
        assert_int_equal(whole < 3 ? whole : 3, count_endpoints(&core));
        usb_core_finish(&core);
    }
}

#define CONFIGURATION 9, 2, 25, 0, 1, 1, 0, 0x80, 50
#define INTERFACE 9, 4, 0, 0, 1, 0xFF, 0, 0, 0

static void find__leaves_out_what_is_no_endpoint(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[25];
    } cases[] = {
        {"a descriptor of length 0", {CONFIGURATION, INTERFACE, 0, 5, 0x81, 2, 64, 0, 0}},
        {"a descriptor of length 1", {CONFIGURATION, INTERFACE, 1, 5, 0x81, 2, 64, 0, 0}},
        {"an endpoint cut short", {CONFIGURATION, INTERFACE, 6, 5, 0x81, 2, 64, 0, 0}},
        {"a descriptor beyond the end", {CONFIGURATION, INTERFACE, 8, 5, 0x81, 2, 64, 0, 0}},
        {"an endpoint of no interface", {CONFIGURATION, 7, 5, 0x81, 2, 64, 0, 0}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct usb_core core;

        receive(&core, cases[i].bytes, sizeof cases[i].bytes);

        if (count_endpoints(&core) != 0)
            fail_msg("took %s for an endpoint", cases[i].what);
        usb_core_finish(&core);
    }
}

static void prepare__refuses_what_no_transfer_can_use(void **state)
{
    static const struct {
        const char *what;
        uint8_t bytes[USBDEV_ENDPOINT_DESCRIPTOR_SIZE];
    } cases[] = {
        {"endpoint 0", {7, 5, 0x80, 2, 64, 0, 0}},
        {"no packet size", {7, 5, 0x81, 2, 0, 0, 0}},
        {"a packet of 1025 bytes", {7, 5, 0x81, 2, 1, 4, 0}},
        {"a control endpoint", {7, 5, 0x81, 0, 64, 0, 0}},
        {"an isochronous endpoint", {7, 5, 0x81, 1, 64, 0, 1}},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sim_transfer transfer = {.length = 0};

        if (usb_core_prepare(&transfer, cases[i].bytes))
            fail_msg("prepared a transfer for %s", cases[i].what);
    }
}

int main(void)
{
#define WITH_TOY(test) cmocka_unit_test_setup_teardown(test, plug_in, unplug)
    const struct CMUnitTest tests[] = {
        WITH_TOY(enumerate__keeps_the_descriptors_as_they_came),
        WITH_TOY(set_configuration__brings_alternate_0_of_every_interface),
        WITH_TOY(set_interface__changes_the_endpoints_of_that_interface),
        WITH_TOY(set_interface__begins_its_endpoints_with_data0),
        WITH_TOY(core__follows_requests_that_it_did_not_send),
        WITH_TOY(core__does_not_follow_a_request_that_stalls),
        WITH_TOY(enumerate__forgets_what_was_there_before),
        WITH_TOY(enumerate__in_pieces_serves_others_in_between),
        WITH_TOY(enumerate__fails_when_the_device_leaves_after_its_first_descriptor),
        WITH_TOY(enumerate__begins_again_in_the_middle_of_a_request),
        WITH_TOY(read_string__asks_in_the_first_language_of_the_device),
        cmocka_unit_test(find__reads_no_further_than_what_was_received),
        cmocka_unit_test(find__leaves_out_what_is_no_endpoint),
        cmocka_unit_test(prepare__refuses_what_no_transfer_can_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
