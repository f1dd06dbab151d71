// SPDX-License-Identifier: MIT
//
// A device behind a USB/IP server, without a kernel driver between: the server's own client is the
// host, so requests to absent interfaces reach the device too. The bus reset is the one that
// servers infer from a request, so that request cannot be sent otherwise.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lateness.h"
#include "target_requests.h"
#include "wall_clock.h"
#include <conformance/target.h>
#include <usbip/client.h>
#include <usbip/remote.h>

enum {
    CONNECT_MS = 3000,
    ELSEWHERE_AFTER_MS = 2000, // during this time only the old bus id counts
    RETRY_MS = 10,
};

struct target_usbip {
    struct target base;
    struct usbip_client *client;
    struct lateness *lateness;
    bool left; // has left the bus, and was not imported again yet

    // Where no bus id was given, the device may come back under another one: a new one. It is told
    // by the ids of --dfu-mode, else by its serial number, else by ids that it was seen with.
    bool only_bus_id;
    char first[USBIP_BUS_ID_SIZE];  // where it was opened
    char bus_id[USBIP_BUS_ID_SIZE]; // where it was last
    uint8_t serial[TARGET_STRING_MAX];
    size_t serial_length; // 0: none
    struct ids {
        uint16_t vendor, product;
    } opened, other;          // when it was opened, and in its other mode as far as known
    bool ids_given;           // the latter
    struct usbip_list before; // others that were there while it was
};

static struct target_usbip *usbip_of(struct target *target)
{
    return (struct target_usbip *)target;
}

static int finish(struct target_usbip *usbip, int result)
{
    if (result == USB_GONE)
        usbip->left = true;
    return result;
}

// Was it exported while ours was there?
static bool was_there(const struct usbip_list *before, const struct usbip_record *record)
{
    for (size_t i = 0; i < before->count; i++) {
        if (strcmp(before->devices[i].record.bus_id, record->bus_id) == 0)
            return true;
    }
    return false;
}

static bool is_at(const struct target_usbip *usbip, const char *bus_id)
{
    return strcmp(usbip_client_record(usbip->client)->bus_id, bus_id) == 0;
}

// While ours is there. Some servers list devices that are imported, and so ours; it may come back
// at the place that it has now. Returns false if the server does not answer a list request.
static bool look_around(struct target_usbip *usbip)
{
    static struct usbip_list now;
    struct usbip_list *before = &usbip->before;
    if (usbip_client_list(usbip->client, &now, CONNECT_MS) < 0)
        return false;
    for (size_t i = 0; i < now.count && before->count < USBIP_LIST_MAX; i++) {
        const struct usbip_record *record = &now.devices[i].record;
        if (!is_at(usbip, record->bus_id) && !was_there(before, record))
            before->devices[before->count++] = now.devices[i];
    }
    return true;
}

// It may leave the bus after DETACH alone, and be back before it is waited for.
static int control(struct target *target,
                   const struct usbdev_setup_packet *setup,
                   uint8_t *data,
                   unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    if (!usbip->only_bus_id && setup->bmRequestType == 0x21 && setup->bRequest == DFURT_DETACH)
        look_around(usbip);
    return finish(usbip, usbip_client_control(usbip->client, setup, data, timeout_ms));
}

static int transfer(struct target *target,
                    uint8_t bEndpointAddress,
                    uint8_t *data,
                    size_t length,
                    unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    if (!target_find_endpoint(target, bEndpointAddress))
        return USB_UNSUPPORTED;
    return finish(usbip,
                  usbip_client_transfer(usbip->client, bEndpointAddress, data, length, timeout_ms));
}

static enum target_speed speed_of(const struct usbip_record *record)
{
    if (record->speed > USBIP_SPEED_HIGH)
        return TARGET_SPEED_SUPER;
    static const enum target_speed speeds[] = {
        [USBIP_SPEED_LOW] = TARGET_SPEED_LOW,
        [USBIP_SPEED_FULL] = TARGET_SPEED_FULL,
        [USBIP_SPEED_HIGH] = TARGET_SPEED_HIGH,
    };
    return speeds[record->speed];
}

// Imported devices are addressed; the rest of the enumeration is ours.
static int enumerate(struct target *target)
{
    int result = target_read_dfu_descriptors(target, 0);
    if (result == 0)
        result = target_request_set_configuration(target, target->descriptors.configuration[5]);
    return result;
}

static struct ids ids_now(const struct target_usbip *usbip)
{
    const uint8_t *device = usbip->base.descriptors.device;
    return (struct ids){usbdev_load_le16(device + 8), usbdev_load_le16(device + 10)};
}

static bool ids_equal(struct ids a, struct ids b)
{
    return a.vendor == b.vendor && a.product == b.product;
}

// Its boot loader may say another one.
static void note_serial(struct target_usbip *usbip)
{
    if (!usbip->only_bus_id)
        usbip->serial_length = target_read_serial(&usbip->base, usbip->serial);
}

// It is ours, and enumerated.
static void note_ours(struct target_usbip *usbip)
{
    struct ids now = ids_now(usbip);
    snprintf(usbip->bus_id, sizeof usbip->bus_id, "%s", usbip_client_record(usbip->client)->bus_id);
    usbip->base.moved = !is_at(usbip, usbip->first);
    if (!usbip->ids_given && !ids_equal(now, usbip->opened))
        usbip->other = now;
}

// A boot loader may stand at another place, and at another speed than the application.
static void note_import(struct target_usbip *usbip)
{
    const struct usbip_record *record = usbip_client_record(usbip->client);
    usbip->base.speed = speed_of(record);
    snprintf(usbip->base.where, sizeof usbip->base.where,
             "bus id %.32s; what its board says is in the server's output", record->bus_id);
}

static int wait_leave(struct target *target, unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return 0;
    int result = usbip_client_wait_leave(usbip->client, timeout_ms);
    usbip->left = result == 0;
    return result;
}

static bool may_be_ours(const struct target_usbip *usbip, const struct usbip_exported *device)
{
    const struct usbip_record *record = &device->record;
    if (was_there(&usbip->before, record))
        return false;
    struct ids ids = {record->idVendor, record->idProduct};
    bool known = ids_equal(ids, usbip->opened) || ids_equal(ids, usbip->other);
    if (usbip->ids_given)
        return known;
    return device->dfu && (known || usbip->serial_length > 0);
}

// Where two qualify, neither is taken.
static void look_elsewhere(struct target_usbip *usbip)
{
    static struct usbip_list now;
    const struct usbip_record *found = NULL;
    usbip->base.fault[0] = '\0';
    if (usbip_client_list(usbip->client, &now, CONNECT_MS) < 0)
        return;
    for (size_t i = 0; i < now.count; i++) {
        if (!may_be_ours(usbip, &now.devices[i]))
            continue;
        if (found) {
            snprintf(
                usbip->base.fault, sizeof usbip->base.fault,
                "which device came back cannot be told: bus id %.31s or %.31s; name the bus id "
                "in --target",
                found->bus_id, now.devices[i].record.bus_id);
            return;
        }
        found = &now.devices[i].record;
    }
    if (found)
        usbip_client_follow(usbip->client, found->bus_id);
}

// One at another bus id that says another serial number, or none. Its own may be another one in its
// other mode, but not at another bus id.
static bool is_stranger(struct target_usbip *usbip)
{
    uint8_t serial[TARGET_STRING_MAX];
    size_t length = target_read_serial(&usbip->base, serial);
    bool same = length == usbip->serial_length && memcmp(serial, usbip->serial, length) == 0;
    if (usbip->left)
        return false; // before it could say
    if (!same && !usbip->ids_given && usbip->serial_length > 0 && !is_at(usbip, usbip->bus_id))
        return true;
    usbip->serial_length = length;
    memcpy(usbip->serial, serial, length);
    return false;
}

// It counts as one that was there.
static void turn_away(struct target_usbip *usbip)
{
    struct usbip_list *before = &usbip->before;
    if (before->count < USBIP_LIST_MAX)
        before->devices[before->count++].record = *usbip_client_record(usbip->client);
    usbip_client_release(usbip->client);
    usbip_client_follow(usbip->client, usbip->bus_id);
    usbip->left = true;
}

// Returns whether it is there and enumerated. One that is there and does not enumerate, or has left
// again in the middle, is tried again a little later.
static bool import_again(struct target_usbip *usbip, unsigned timeout_ms)
{
    if (usbip_client_reopen(usbip->client, timeout_ms) < 0)
        return false;
    usbip->left = false;
    if (!usbip->only_bus_id && is_stranger(usbip)) {
        turn_away(usbip);
        return false;
    }
    note_import(usbip);
    usbip->left = enumerate(&usbip->base) < 0;
    if (usbip->left)
        wall_clock_sleep_ms(&usbip->base, RETRY_MS);
    else
        note_ours(usbip);
    return !usbip->left;
}

static unsigned slice_ms(uint64_t end_us)
{
    uint64_t now_us = wall_clock_us();
    uint64_t left_ms = now_us < end_us ? (end_us - now_us) / 1000 + 1 : 1;
    return left_ms < ELSEWHERE_AFTER_MS ? (unsigned)left_ms : ELSEWHERE_AFTER_MS;
}

static int wait_return(struct target *target, unsigned timeout_ms)
{
    struct target_usbip *usbip = usbip_of(target);
    uint64_t start_us = wall_clock_us();
    uint64_t end_us = start_us + timeout_ms * UINT64_C(1000);
    while (usbip->left) {
        uint64_t waited_us = wall_clock_us() - start_us;
        if (!usbip->only_bus_id && waited_us >= ELSEWHERE_AFTER_MS * 1000)
            look_elsewhere(usbip);
        if (!import_again(usbip, slice_ms(end_us)) && wall_clock_us() >= end_us)
            return *target->fault ? USB_IO : USB_TIMEOUT;
    }
    target->fault[0] = '\0';
    return 0;
}

static int reset(struct target *target)
{
    struct target_usbip *usbip = usbip_of(target);
    if (usbip->left)
        return USB_GONE;
    struct target_descriptors before = target->descriptors;
    int result = finish(usbip, usbip_client_reset(usbip->client, TARGET_ENUMERATION_MS));
    if (result < 0)
        return result;
    usbip->left = enumerate(target) < 0; // wait_return() tries again
    if (usbip->left)
        return USB_GONE;
    note_ours(usbip);
    if (target_descriptors_equal(&before, &target->descriptors))
        return 0;
    note_serial(usbip);
    return USB_GONE;
}

static const char *server_trouble(struct target *target)
{
    return usbip_client_violation(usbip_of(target)->client);
}

static uint64_t late_us(struct target *target)
{
    return lateness_us(usbip_of(target)->lateness);
}

static void close_usbip(struct target *target)
{
    lateness_close(usbip_of(target)->lateness);
    usbip_client_close(usbip_of(target)->client);
    free(target);
}

static const struct target_ops usbip_ops = {
    .control = control,
    .transfer = transfer,
    .set_configuration = target_request_set_configuration,
    .set_interface = target_request_set_interface,
    .clear_halt = target_request_clear_halt,
    .reset = reset,
    .wait_leave = wait_leave,
    .wait_return = wait_return,
    .now_us = wall_clock_now_us,
    .sleep_ms = wall_clock_sleep_ms,
    .late_us = late_us,
    .trouble = server_trouble,
    .close = close_usbip,
};

struct target *target_usbip_open(const struct target_spec *spec, char *error, size_t size)
{
    struct target_usbip *usbip = calloc(1, sizeof *usbip);
    if (!usbip) {
        snprintf(error, size, "out of memory");
        return NULL;
    }
    usbip->base.ops = &usbip_ops;
    usbip->base.capabilities = TARGET_CAN_RESET | TARGET_CAN_RAW | TARGET_KNOWS_LATENESS;
    usbip->client = usbip_client_open(spec->host, spec->port, *spec->bus_id ? spec->bus_id : NULL,
                                      CONNECT_MS, error, size);
    if (!usbip->client) {
        free(usbip);
        return NULL;
    }
    usbip->lateness = lateness_open();
    if (!usbip->lateness) {
        snprintf(error, size, "%s", LATENESS_NOT_OPENED);
        close_usbip(&usbip->base);
        return NULL;
    }
    note_import(usbip);
    // If the server does not answer a list request, only the old bus id counts.
    usbip->only_bus_id = *spec->bus_id != '\0' || !look_around(usbip);
    snprintf(usbip->first, sizeof usbip->first, "%s", usbip_client_record(usbip->client)->bus_id);

    int result = enumerate(&usbip->base);
    if (result == 0) {
        usbip->opened = ids_now(usbip);
        usbip->ids_given = spec->dfu_vendor || spec->dfu_product;
        usbip->other =
            usbip->ids_given ? (struct ids){spec->dfu_vendor, spec->dfu_product} : usbip->opened;
        note_ours(usbip);
        note_serial(usbip);
        return &usbip->base;
    }
    const char *why = server_trouble(&usbip->base);
    snprintf(error, size, "the device does not enumerate: %s", why ? why : usb_result_text(result));
    close_usbip(&usbip->base);
    return NULL;
}
