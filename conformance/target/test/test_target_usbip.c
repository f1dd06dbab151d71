// SPDX-License-Identifier: MIT
//
// A device behind a USB/IP server: what the target makes of one that is imported again and does not
// enumerate. The client is replaced by one whose device answers as a test says.

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <conformance/target.h>
#include <usbip/client.h>
#include <usbip/remote.h>

static struct usbip_client {
    bool away;              // it has left the bus
    unsigned returns_after; // so many attempts to import it
    unsigned imports;       // attempts
    unsigned refuses;       // so many SET_CONFIGURATION STALL
    const char *only_at;    // the bus id at which it can be imported again; NULL: any
    struct usbip_record record;
} client;

// What the server lists; nothing: it does not answer. It outlives a client.
static struct usbip_list listed;

// ---- The client ----

struct usbip_client *usbip_client_open(const char *host,
                                       const char *port,
                                       const char *bus_id,
                                       unsigned timeout_ms,
                                       char *error,
                                       size_t error_size)
{
    (void)host, (void)port, (void)bus_id, (void)timeout_ms, (void)error, (void)error_size;
    client = (struct usbip_client){.record = {.bus_id = "1-1", .speed = USBIP_SPEED_FULL}};
    return &client;
}

void usbip_client_close(struct usbip_client *ended)
{
    (void)ended;
}

const struct usbip_record *usbip_client_record(const struct usbip_client *of)
{
    return &of->record;
}

int usbip_client_control(struct usbip_client *to,
                         const struct usbdev_setup_packet *setup,
                         uint8_t *data,
                         unsigned timeout_ms)
{
    static const uint8_t device[] = {18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 0, 0, 0, 1};
    static const uint8_t configuration[] = {9, 2, 9, 0, 0, 1, 0, 0x80, 50};
    const bool of_device = setup->wValue >> 8 == USBDEV_DT_DEVICE;
    const uint16_t size = of_device ? sizeof device : sizeof configuration;
    const uint16_t length = setup->wLength < size ? setup->wLength : size;
    (void)timeout_ms;

    if (to->away)
        return USB_GONE;
    if (setup->bRequest == USBDEV_GET_DESCRIPTOR) {
        memcpy(data, of_device ? device : configuration, length);
        return length;
    }
    assert_int_equal(setup->bRequest, USBDEV_SET_CONFIGURATION);
    return to->refuses > 0 && to->refuses-- ? USB_STALL : 0;
}

int usbip_client_transfer(struct usbip_client *to,
                          uint8_t bEndpointAddress,
                          uint8_t *data,
                          size_t length,
                          unsigned timeout_ms)
{
    (void)to, (void)bEndpointAddress, (void)data, (void)length, (void)timeout_ms;
    return USB_UNSUPPORTED;
}

int usbip_client_reset(struct usbip_client *of, unsigned timeout_ms)
{
    (void)of, (void)timeout_ms;
    return 0;
}

int usbip_client_wait_leave(struct usbip_client *of, unsigned timeout_ms)
{
    (void)timeout_ms;
    return of->away ? 0 : USB_TIMEOUT;
}

int usbip_client_reopen(struct usbip_client *of, unsigned timeout_ms)
{
    of->imports++;
    assert_in_range(of->imports, 1, 1000); // or it would not end
    if (of->only_at && strcmp(of->only_at, of->record.bus_id) != 0)
        return poll(NULL, 0, (int)timeout_ms) == 0 ? USB_TIMEOUT : USB_IO;
    of->away = of->away && of->imports <= of->returns_after;
    return of->away ? USB_TIMEOUT : 0;
}

int usbip_client_list(struct usbip_client *of, struct usbip_list *ret_list, unsigned timeout_ms)
{
    (void)of, (void)timeout_ms;
    *ret_list = listed;
    return listed.count ? 0 : USB_IO;
}

void usbip_client_release(struct usbip_client *of)
{
    of->away = true;
}

void usbip_client_follow(struct usbip_client *of, const char *bus_id)
{
    snprintf(of->record.bus_id, sizeof of->record.bus_id, "%s", bus_id);
}

const char *usbip_client_violation(const struct usbip_client *of)
{
    (void)of;
    return NULL;
}

// ---- The target ----

static struct target *target;

static int open_spec(const struct target_spec *spec)
{
    char error[200] = "";

    target = target_usbip_open(spec, error, sizeof error);
    if (!target)
        fail_msg("%s", error);
    return 0;
}

static int open_target(void **state)
{
    (void)state;
    return open_spec(&(const struct target_spec){.kind = TARGET_KIND_USBIP, .bus_id = "1-1"});
}

// Of a server that lists devices that are imported, too.
static int open_any(void **state)
{
    (void)state;
    listed = (struct usbip_list){
        .count = 1,
        .exported = 1,
        .devices = {{{.bus_id = "1-1", .idVendor = 0x1209, .idProduct = 1}, .dfu = true}}};
    return open_spec(&(const struct target_spec){.kind = TARGET_KIND_USBIP});
}

static int close_target(void **state)
{
    (void)state;
    target->ops->close(target);
    return 0;
}

static void leave(void)
{
    client.away = true;
    assert_int_equal(target->ops->wait_leave(target, 10), 0);
}

static void return__ends_when_a_device_never_enumerates(void **state)
{
    (void)state;

    leave();
    client.refuses = UINT32_MAX;

    assert_int_equal(target->ops->wait_return(target, 100), USB_TIMEOUT);
}

static void return__asks_again_for_a_device_that_did_not_enumerate(void **state)
{
    (void)state;

    leave();
    client.refuses = 2;

    assert_int_equal(target->ops->wait_return(target, 5000), 0);
    assert_int_equal(client.refuses, 0);
    assert_int_equal(target->descriptors.configuration_length, 9);
}

static void return__waits_for_a_device_that_is_away(void **state)
{
    (void)state;

    leave();
    client.returns_after = 3;

    assert_int_equal(target->ops->wait_return(target, 5000), 0);
}

static void reset__is_left_to_wait_return_where_the_device_does_not_enumerate(void **state)
{
    (void)state;

    client.refuses = 1;

    assert_int_equal(target->ops->reset(target), USB_GONE);
    assert_int_equal(target->ops->wait_return(target, 5000), 0);
    assert_int_equal(target->descriptors.configuration_length, 9);
    assert_int_equal(target->ops->reset(target), 0);
}

static void return__may_be_at_another_speed(void **state)
{
    (void)state;

    assert_int_equal(target->speed, TARGET_SPEED_FULL);
    leave();
    client.record.speed = USBIP_SPEED_HIGH;

    assert_int_equal(target->ops->wait_return(target, 5000), 0);
    assert_int_equal(target->speed, TARGET_SPEED_HIGH);
}

// Its boot loader was at another place, and its firmware is where it was first.
static void return__may_be_to_a_place_that_was_listed_as_imported(void **state)
{
    (void)state;

    assert_false(target->moved);
    usbip_client_follow(&client, "1-2");
    leave();
    assert_int_equal(target->ops->wait_return(target, 5000), 0);
    assert_true(target->moved);
    leave();
    client.only_at = "1-1";

    assert_int_equal(target->ops->wait_return(target, 5000), 0);
    assert_string_equal(client.record.bus_id, "1-1");
    assert_false(target->moved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_target, close_target)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(return__ends_when_a_device_never_enumerates),
        TEST(return__asks_again_for_a_device_that_did_not_enumerate),
        TEST(return__waits_for_a_device_that_is_away),
        TEST(return__may_be_at_another_speed),
        TEST(reset__is_left_to_wait_return_where_the_device_does_not_enumerate),
        cmocka_unit_test_setup_teardown(return__may_be_to_a_place_that_was_listed_as_imported,
                                        open_any, close_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
