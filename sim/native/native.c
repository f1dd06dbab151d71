// SPDX-License-Identifier: MIT
//
// How it works. Each endpoint has room for one packet: ep_in puts one there, ep_out makes room for
// one, and a transaction takes it away and tells usbdev, after the handshake as hardware does. Time
// comes by advance(): whole milliseconds become ticks, and 3 ms without a packet are a suspend.

#include <string.h>

#include <sim/native.h>

static const uint64_t suspend_ns = 3 * SIM_MS;  // USB 2.0 7.1.7.6
static const uint64_t wake_up_ns = 10 * SIM_MS; // 1 to 15 ms, USB 2.0 7.1.7.7
static const uint64_t idle_before_wake_up_ns = 5 * SIM_MS;

enum { SUPER_SPEED_PACKET0 = 512 }; // USB 3.2 8.12.2

static struct native *native_of(struct sim_device *device)
{
    return (struct native *)device;
}

static struct native_endpoint *endpoint_at(struct native *native, uint8_t bEndpointAddress)
{
    bool in = (bEndpointAddress & USBDEV_DIR_IN) != 0;

    return &(in ? native->in : native->out)[bEndpointAddress & 0x0F];
}

// ---- The driver: what usbdev asks of the hardware ----

static void set_address(void *port, uint8_t address)
{
    ((struct native *)port)->address = address;
}

static void ep_in(void *port, uint8_t endpoint, const uint8_t *data, uint16_t length)
{
    struct native_endpoint *in = &((struct native *)port)->in[endpoint];

    in->data = data;
    in->length = length;
    in->armed = true;
}

static void ep_out(void *port, uint8_t endpoint)
{
    ((struct native *)port)->out[endpoint].armed = true;
}

static void ep0_stall(void *port)
{
    struct native *native = port;

    native->in[0].stalled = true;
    native->out[0].stalled = true;
}

static void ep_open(void *port, const uint8_t *endpoint_descriptor)
{
    struct native_endpoint *endpoint = endpoint_at(port, endpoint_descriptor[2]);

    *endpoint = (struct native_endpoint){
        .open = true,
        .data1 = ((struct native *)port)->keeps_toggles && endpoint->data1,
        .wMaxPacketSize = usbdev_load_le16(endpoint_descriptor + 4) & 0x7FF,
    };
}

static void ep_close(void *port, uint8_t bEndpointAddress)
{
    endpoint_at(port, bEndpointAddress)->open = false;
}

static void ep_halt(void *port, uint8_t bEndpointAddress, bool halt)
{
    struct native_endpoint *endpoint = endpoint_at(port, bEndpointAddress);

    endpoint->stalled = halt;
    endpoint->armed = false;
    endpoint->data1 = (halt || ((struct native *)port)->keeps_toggles) && endpoint->data1;
}

static void connect(void *port, bool on)
{
    struct native *native = port;

    native->pull_up = on;
    native->active_ns = native->now_ns;
}

static void remote_wakeup(void *port)
{
    struct native *native = port;

    native->wake_ns = native->active_ns + idle_before_wake_up_ns;
    if (native->wake_ns < native->now_ns)
        native->wake_ns = native->now_ns;
}

static const struct usbdev_driver driver = {
    .set_address = set_address,
    .ep_in = ep_in,
    .ep_out = ep_out,
    .ep0_stall = ep0_stall,
    .ep_open = ep_open,
    .ep_close = ep_close,
    .ep_halt = ep_halt,
    .connect = connect,
    .remote_wakeup = remote_wakeup,
};

// ---- The bus ----

static void wake(struct native *native)
{
    native->active_ns = native->now_ns;
    if (!native->suspended)
        return;
    native->suspended = false;
    native->wake_ns = 0;
    usbdev_resumed(&native->dev);
}

static uint16_t packet0(const struct native *native)
{
    return native->base.speed == SIM_SUPER_SPEED ? SUPER_SPEED_PACKET0 : native->bMaxPacketSize0;
}

static void reset_endpoints(struct native *native)
{
    memset(native->in, 0, sizeof native->in);
    memset(native->out, 0, sizeof native->out);
    native->in[0] = (struct native_endpoint){.open = true, .wMaxPacketSize = packet0(native)};
    native->out[0] = native->in[0];
    native->address = 0;
    native->overridden = false;
}

static void native_advance(struct sim_device *device, uint64_t now_ns)
{
    struct native *native = native_of(device);
    bool listening = native->pull_up && !native->se0 && !native->resuming;

    native->now_ns = now_ns;
    if (native->hung)
        return;
    if (listening && !native->suspended && now_ns - native->active_ns >= suspend_ns) {
        native->suspended = true;
        usbdev_suspended(&native->dev);
    }
    while (now_ns - native->ticked_ns >= SIM_MS) {
        native->ticked_ns += SIM_MS;
        usbdev_tick(&native->dev, 1);
    }
}

static bool native_connected(const struct sim_device *device)
{
    return ((const struct native *)device)->pull_up;
}

static void native_bus_reset(struct sim_device *device, bool se0)
{
    struct native *native = native_of(device);

    native->se0 = se0;
    native->active_ns = native->now_ns;
    if (!se0 || native->hung)
        return;
    native->suspended = false;
    native->resuming = false;
    native->wake_ns = 0;
    reset_endpoints(native);
    usbdev_bus_reset(&native->dev);
}

static void native_sof(struct sim_device *device, uint16_t frame)
{
    (void)frame;
    native_of(device)->resuming = false;
    wake(native_of(device));
}

// Whatever usbdev's functions do by time is their owner's to ask for.
static bool native_rest(struct sim_device *device, uint64_t now_ns)
{
    struct native *native = native_of(device);

    if (!native->pull_up || native->se0 || native->hung || native->suspended || native->resuming)
        return false;
    if (now_ns == native->now_ns)
        return true;
    native->now_ns = now_ns;
    native->active_ns = now_ns;
    native->ticked_ns += (now_ns - native->ticked_ns) / SIM_MS * SIM_MS;
    return true;
}

static void native_resume(struct sim_device *device)
{
    native_of(device)->resuming = true;
    wake(native_of(device));
}

static bool native_waking(const struct sim_device *device)
{
    const struct native *native = (const struct native *)device;

    return native->wake_ns > 0 && native->now_ns >= native->wake_ns &&
           native->now_ns - native->wake_ns < wake_up_ns;
}

static bool hears(const struct native *native, uint8_t address)
{
    return native->pull_up && !native->se0 && !native->hung && address == native->address;
}

// ---- A reply of an override: endpoint 0 moves it without usbdev ----

static void send_packet_of_reply(struct native *native)
{
    size_t length = native->reply_left;

    if (length > native->in[0].wMaxPacketSize)
        length = native->in[0].wMaxPacketSize;
    ep_in(native, 0, native->reply, (uint16_t)length);
    ep_out(native, 0);
    native->reply += length;
    native->reply_left -= length;
    native->reply_packets--;
}

// A reply of less than wLength ends in a packet that is not full (USB 2.0 5.5.3, 8.5.3.2).
static void send_reply(struct native *native, size_t length, uint16_t wLength)
{
    uint16_t most = native->in[0].wMaxPacketSize;
    bool ends_empty =
        length == 0 || (length % most == 0 && length < wLength && !native->omits_empty_packet);

    native->reply_left = length;
    native->reply_packets = (length + most - 1) / most + ends_empty;
    send_packet_of_reply(native);
}

// Returns whether the request is dealt with.
static bool override(struct native *native, const uint8_t *bytes)
{
    struct usbdev_setup_packet setup = usbdev_setup_load(bytes);
    int length = NATIVE_PASS;

    if (native->override)
        length = native->override(native->override_context, &setup, &native->reply);
    native->overridden = length != NATIVE_PASS;
    if (length >= 0) {
        send_reply(native, (size_t)length, setup.wLength);
    } else if (length == NATIVE_STALL) {
        ep0_stall(native);
    } else if (length == NATIVE_STALL_STATUS) {
        native->in[0].stalled = true;
        ep_out(native, 0);
    }
    return native->overridden;
}

// ---- Transactions ----

static int native_setup(struct sim_device *device,
                        uint8_t address,
                        uint8_t endpoint,
                        const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct native *native = native_of(device);

    if (!hears(native, address) || endpoint != 0)
        return SIM_NO_RESPONSE;
    wake(native);
    native->in[0].stalled = native->out[0].stalled = false;
    native->in[0].armed = native->out[0].armed = false;
    native->in[0].data1 = native->out[0].data1 = true; // USB 2.0 8.5.3
    if (!override(native, setup))
        usbdev_setup(&native->dev, setup);
    return SIM_ACK;
}

// What the endpoint answers when it has no ACK to give.
static int refusal(const struct native_endpoint *endpoint)
{
    if (!endpoint->open)
        return SIM_NO_RESPONSE;
    if (endpoint->stalled)
        return SIM_STALL;
    return endpoint->armed ? SIM_ACK : SIM_NAK;
}

// A packet of endpoint 0 as usbdev takes it: in pieces of bMaxPacketSize0, as long as it wants
// them.
static void take_apart(struct native *native, const uint8_t *data, size_t length)
{
    for (;;) {
        size_t piece = length < native->bMaxPacketSize0 ? length : native->bMaxPacketSize0;

        native->out[0].armed = false;
        usbdev_out_done(&native->dev, 0, data, (uint16_t)piece);
        length -= piece;
        if (length == 0 || !native->out[0].armed || native->out[0].stalled)
            return;
        data += piece; // not before: an empty packet may have none
    }
}

static int native_out(struct sim_device *device,
                      uint8_t address,
                      uint8_t endpoint,
                      bool data1,
                      const uint8_t *data,
                      size_t length)
{
    struct native *native = native_of(device);
    struct native_endpoint *out = &native->out[endpoint & 0x0F];

    if (!hears(native, address) || length > out->wMaxPacketSize)
        return SIM_NO_RESPONSE;
    wake(native);
    if (refusal(out) != SIM_ACK)
        return refusal(out);
    if (data1 != out->data1)
        return SIM_ACK; // a repetition: USB 2.0 8.6.4
    out->armed = false;
    out->data1 = !out->data1;
    if (endpoint == 0 && native->overridden)
        ep_out(native, 0); // take whatever else the host brings
    else if (endpoint == 0)
        take_apart(native, data, length);
    else
        usbdev_out_done(&native->dev, endpoint, data, (uint16_t)length);
    return SIM_ACK;
}

static void in_done(struct native *native, uint8_t endpoint)
{
    if (endpoint != 0 || !native->overridden)
        usbdev_in_done(&native->dev, endpoint);
    else if (native->reply_packets > 0)
        send_packet_of_reply(native);
}

// What usbdev sends next belongs to the same packet of endpoint 0, until that is full or usbdev's
// is not.
static int put_together(struct native *native, uint8_t data[SIM_MAX_PACKET], int length)
{
    struct native_endpoint *in = &native->in[0];
    int last = length;

    while (!native->overridden && in->armed && !in->stalled && last == native->bMaxPacketSize0 &&
           length < packet0(native) && length + in->length <= packet0(native)) {
        last = in->length;
        if (last > 0)
            memcpy(data + length, in->data, in->length);
        length += last;
        in->armed = false;
        usbdev_in_done(&native->dev, 0);
    }
    return length;
}

static int native_in(struct sim_device *device,
                     uint8_t address,
                     uint8_t endpoint,
                     bool *ret_data1,
                     uint8_t data[SIM_MAX_PACKET])
{
    struct native *native = native_of(device);
    struct native_endpoint *in = &native->in[endpoint & 0x0F];
    int length = in->length;

    if (!hears(native, address))
        return SIM_NO_RESPONSE;
    wake(native);
    if (refusal(in) != SIM_ACK)
        return refusal(in);
    if (length > 0)
        memcpy(data, in->data, in->length);
    *ret_data1 = in->data1;
    in->armed = false;
    in->data1 = !in->data1;
    in_done(native, endpoint);
    return endpoint == 0 ? put_together(native, data, length) : length;
}

static const struct sim_device_ops native_ops = {
    .advance = native_advance,
    .connected = native_connected,
    .bus_reset = native_bus_reset,
    .sof = native_sof,
    .rest = native_rest,
    .resume = native_resume,
    .waking = native_waking,
    .setup = native_setup,
    .out = native_out,
    .in = native_in,
};

void native_init(struct native *native, const struct usbdev_config *config, uint64_t now_ns)
{
    *native = (struct native){
        .base.ops = &native_ops,
        .now_ns = now_ns,
        .ticked_ns = now_ns,
        .active_ns = now_ns,
        .bMaxPacketSize0 = config->device_descriptor[7],
    };
    usbdev_init(&native->dev, config, &driver, native);
    reset_endpoints(native);
}
