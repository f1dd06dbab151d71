// SPDX-License-Identifier: MIT

#include "toy_device.h"

#include <string.h>
#include <time.h>

static const uint8_t device_descriptor[] = {
    18,   USBDEV_DT_DEVICE,
    0x00, 0x02,
    0xFF, 0x00,
    0x00, 64,
    0x09, 0x12,
    0x01, 0x00,
    0x34, 0x12,
    0,    0,
    0,    1,
};

static const uint8_t languages[] = {
    6, USBDEV_DT_STRING, TOY_LANGUAGE & 0xFF, TOY_LANGUAGE >> 8, 0x09, 0x04};
static const uint8_t string[] = {8, USBDEV_DT_STRING, 'T', 0, 'o', 0, 0xFF, 0};

const uint8_t toy_configuration[TOY_CONFIGURATION_SIZE] = {
    9,
    USBDEV_DT_CONFIGURATION,
    TOY_CONFIGURATION_SIZE,
    0,
    2,
    1,
    0,
    0x80,
    50, //
    9,
    USBDEV_DT_INTERFACE,
    0,
    0,
    3,
    0xFF,
    1,
    2,
    0, //
    7,
    USBDEV_DT_ENDPOINT,
    0x01,
    USBDEV_ENDPOINT_BULK,
    64,
    0,
    0, //
    7,
    USBDEV_DT_ENDPOINT,
    0x81,
    USBDEV_ENDPOINT_BULK,
    64,
    0,
    0, //
    7,
    USBDEV_DT_ENDPOINT,
    0x82,
    USBDEV_ENDPOINT_INTERRUPT,
    8,
    0,
    1, //
    9,
    USBDEV_DT_INTERFACE,
    1,
    0,
    0,
    0xFF,
    3,
    4,
    0, //
    9,
    USBDEV_DT_INTERFACE,
    1,
    1,
    1,
    0xFF,
    3,
    4,
    0, //
    7,
    USBDEV_DT_ENDPOINT,
    0x83,
    USBDEV_ENDPOINT_BULK,
    64,
    0,
    0, //
};

static struct toy *toy_of(struct sim_device *device)
{
    return (struct toy *)device;
}

// ---- Endpoint 0 ----

static void reply(struct toy *toy, const uint8_t *bytes, size_t length)
{
    toy->reply_length = length < toy->setup.wLength ? length : toy->setup.wLength;
    memcpy(toy->reply, bytes, toy->reply_length);
}

static void get_descriptor(struct toy *toy)
{
    uint8_t device[sizeof device_descriptor];

    memcpy(device, device_descriptor, sizeof device);
    if (toy->changed)
        usbdev_store_le16(device + 10, TOY_PRODUCT_AFTER_RESET);
    if (toy->setup.wValue == USBDEV_DT_DEVICE << 8)
        reply(toy, device, sizeof device);
    else if (toy->setup.wValue == USBDEV_DT_CONFIGURATION << 8)
        reply(toy, toy_configuration, sizeof toy_configuration);
    else if (toy->setup.wValue == USBDEV_DT_STRING << 8)
        reply(toy, languages, sizeof languages);
    else if (toy->setup.wValue == (USBDEV_DT_STRING << 8 | 1) && toy->setup.wIndex == TOY_LANGUAGE)
        reply(toy, string, sizeof string);
    else
        toy->stalled = true;
}

static void vendor_setup(struct toy *toy)
{
    switch (toy->setup.bRequest) {
    case TOY_LEAVE:
    case TOY_ARM:
    case TOY_VANISH:
        toy->stalled = toy->setup.wLength > 0;
        break;
    case TOY_HANG:
        toy->hanging = true;
        break;
    case TOY_BABBLE:
        memset(toy->reply, 0xBB, 64);
        toy->reply_length = 64;
        break;
    case TOY_KEEP:
        if (toy->setup.bmRequestType & USBDEV_DIR_IN)
            reply(toy, toy->kept, toy->kept_length);
        else
            toy->stalled = toy->setup.wLength > sizeof toy->kept;
        break;
    default:
        toy->stalled = true;
    }
}

static void standard_setup(struct toy *toy)
{
    switch (toy->setup.bRequest) {
    case USBDEV_GET_DESCRIPTOR:
        get_descriptor(toy);
        break;
    case USBDEV_SET_ADDRESS:
    case USBDEV_SET_CONFIGURATION:
    case USBDEV_CLEAR_FEATURE:
        break;
    case USBDEV_SET_INTERFACE: // only interface 1 has an alternate 1
        toy->stalled = toy->setup.wIndex > 1 || toy->setup.wValue > toy->setup.wIndex;
        break;
    default:
        toy->stalled = true;
    }
}

static int toy_setup(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct toy *toy = toy_of(device);

    if (address != toy->address || endpoint != 0)
        return SIM_NO_RESPONSE;
    toy->setups++;
    toy->setup = usbdev_setup_load(setup);
    toy->stalled = false;
    toy->hanging = false;
    toy->reply_length = 0;
    toy->moved = 0;
    if ((toy->setup.bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_VENDOR)
        vendor_setup(toy);
    else
        standard_setup(toy);
    return SIM_ACK;
}

void toy_leave(struct toy *toy, uint64_t return_ns)
{
    toy->leaving = true;
    toy->return_ns = return_ns;
}

static void status_stage_done(struct toy *toy)
{
    bool vendor = (toy->setup.bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_VENDOR;
    uint8_t request = toy->setup.bRequest;

    if (vendor && request == TOY_LEAVE)
        toy_leave(toy, toy->now_ns + 20 * SIM_MS);
    if (vendor && request == TOY_VANISH)
        toy_leave(toy, UINT64_MAX);
    if (vendor && request == TOY_ARM)
        toy->armed = true;
    if (vendor)
        return;
    if (request == USBDEV_SET_ADDRESS)
        toy->address = (uint8_t)toy->setup.wValue;
    if (request == USBDEV_SET_CONFIGURATION) {
        toy->bConfigurationValue = (uint8_t)toy->setup.wValue;
        toy->alternate = 0;
        toy->toggles = 0;
    }
    if (request == USBDEV_SET_INTERFACE) {
        toy->alternate = (uint8_t)toy->setup.wValue;
        toy->toggles &= ~(UINT32_C(1) << 19);
    }
    if (request == USBDEV_CLEAR_FEATURE)
        toy->toggles &=
            ~(UINT32_C(1) << ((toy->setup.wIndex & 15) + 16 * (toy->setup.wIndex >> 7)));
}

static bool hangs(const struct toy *toy)
{
    return toy->hanging || toy->now_ns - toy->reset_ns < toy->mute_ns;
}

static int ep0_in(struct toy *toy, bool *ret_data1, uint8_t *data)
{
    bool status = toy->setup.wLength == 0 || !(toy->setup.bmRequestType & USBDEV_DIR_IN);
    size_t length = toy->reply_length - toy->moved;

    if (toy->stalled || hangs(toy))
        return toy->stalled ? SIM_STALL : SIM_NAK;
    if (status) {
        *ret_data1 = true;
        status_stage_done(toy);
        return 0;
    }
    if (length > 64)
        length = 64;
    memcpy(data, toy->reply + toy->moved, length);
    *ret_data1 = toy->moved / 64 % 2 == 0;
    toy->moved += length;
    return (int)length;
}

static int ep0_out(struct toy *toy, const uint8_t *data, size_t length)
{
    if (toy->stalled || hangs(toy))
        return toy->stalled ? SIM_STALL : SIM_NAK;
    if (toy->setup.bmRequestType & USBDEV_DIR_IN)
        return SIM_ACK; // status stage
    if (toy->moved + length > sizeof toy->kept)
        return SIM_STALL;
    if (length > 0)
        memcpy(toy->kept + toy->moved, data, length);
    toy->moved += length;
    toy->kept_length = toy->moved;
    return SIM_ACK;
}

// ---- The other endpoints ----

static bool take_toggle(struct toy *toy, unsigned bit)
{
    bool data1 = (toy->toggles >> bit & 1) != 0;

    toy->toggles ^= UINT32_C(1) << bit;
    return data1;
}

static int toy_out(struct sim_device *device,
                   uint8_t address,
                   uint8_t endpoint,
                   bool data1,
                   const uint8_t *data,
                   size_t length)
{
    struct toy *toy = toy_of(device);

    if (address != toy->address)
        return SIM_NO_RESPONSE;
    if (endpoint == 0)
        return ep0_out(toy, data, length);
    if (endpoint != 1 || toy->bConfigurationValue == 0 || length > sizeof toy->packet)
        return SIM_NO_RESPONSE;
    if (toy->packet_full)
        return SIM_NAK;
    if (data1 != ((toy->toggles >> 1 & 1) != 0))
        return SIM_ACK; // a repetition: dropped (USB 2.0 8.6.4)
    take_toggle(toy, 1);
    if (length > 0)
        memcpy(toy->packet, data, length);
    toy->packet_length = length;
    toy->packet_full = true;
    return SIM_ACK;
}

static int
toy_in(struct sim_device *device, uint8_t address, uint8_t endpoint, bool *ret_data1, uint8_t *data)
{
    struct toy *toy = toy_of(device);

    if (address != toy->address)
        return SIM_NO_RESPONSE;
    if (endpoint == 0)
        return ep0_in(toy, ret_data1, data);
    if (toy->bConfigurationValue == 0)
        return SIM_NO_RESPONSE;
    if (endpoint == 1 && toy->packet_full) {
        toy->packet_full = false;
        memcpy(data, toy->packet, toy->packet_length);
        *ret_data1 = take_toggle(toy, 17);
        return (int)toy->packet_length;
    }
    if (endpoint == 2 && toy->event) {
        toy->event = false;
        data[0] = 0xEE;
        *ret_data1 = take_toggle(toy, 18);
        return 1;
    }
    if (endpoint == 3 && toy->alternate == 1) {
        data[0] = toy->count++;
        *ret_data1 = take_toggle(toy, 19);
        return 1;
    }
    return endpoint < 3 ? SIM_NAK : SIM_NO_RESPONSE;
}

// ---- The bus ----

static uint64_t real_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// Be as slow as a processor that is simulated with every instruction traced.
static void take_time(const struct toy *toy, uint64_t lived_ns)
{
    uint64_t end_ns = toy->cost_ns ? real_ns() + lived_ns * toy->cost_ns / SIM_MS : 0;

    while (end_ns && real_ns() < end_ns)
        ;
}

static void toy_advance(struct sim_device *device, uint64_t now_ns)
{
    struct toy *toy = toy_of(device);

    take_time(toy, now_ns - toy->now_ns);
    toy->now_ns = now_ns;
    if (toy->leaving && now_ns >= toy->return_ns)
        toy->leaving = false;
}

static bool toy_connected(const struct sim_device *device)
{
    return !((const struct toy *)device)->leaving;
}

static void toy_power(struct sim_device *device, bool on)
{
    (void)device;
    (void)on;
}

static void toy_bus_reset(struct sim_device *device, bool se0)
{
    struct toy *toy = toy_of(device);

    if (!se0)
        return;
    toy->resets++;
    toy->reset_ns = toy->now_ns;
    toy->address = 0;
    toy->bConfigurationValue = 0;
    toy->alternate = 0;
    toy->toggles = 0;
    toy->packet_full = false;
    if (toy->armed) {
        toy->changed = true;
        toy_leave(toy, toy->now_ns + toy->away_ns); // seen once SE0 is over
    }
    toy->armed = false;
}

static void toy_sof(struct sim_device *device, uint16_t frame)
{
    (void)device;
    (void)frame;
}

static void toy_resume(struct sim_device *device)
{
    (void)device;
}

static bool toy_waking(const struct sim_device *device)
{
    (void)device;
    return false;
}

static const char *toy_trouble(const struct sim_device *device)
{
    return ((const struct toy *)device)->trouble;
}

static void toy_close(struct sim_device *device)
{
    (void)device; // the test's memory
}

struct sim_device *toy_init(struct toy *toy)
{
    static const struct sim_device_ops ops = {
        .advance = toy_advance,
        .power = toy_power,
        .connected = toy_connected,
        .bus_reset = toy_bus_reset,
        .sof = toy_sof,
        .resume = toy_resume,
        .waking = toy_waking,
        .setup = toy_setup,
        .out = toy_out,
        .in = toy_in,
        .trouble = toy_trouble,
        .close = toy_close,
    };

    *toy = (struct toy){.base.ops = &ops, .away_ns = 70 * SIM_MS};
    return &toy->base;
}
