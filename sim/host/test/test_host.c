// SPDX-License-Identifier: MIT
//
// The host controller model against a device that is a script: it answers IN with the bytes it was
// given, keeps what OUT brings, and can be told to answer NAK, STALL or nothing.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <sim/host.h>

enum { MAX_PACKETS = 64 };

struct fake {
    struct sim_device base;
    bool pull_up;
    bool waking;
    bool leave_in_reset;
    uint8_t address;
    uint8_t max_packet;
    int naks;           // answer NAK this many times, then go on
    int handshake;      // SIM_ACK: well; else the answer to everything but SETUP
    int idle;           // endpoint that always answers NAK, or 0
    const char *script; // answers in turn, N for NAK and S for silence, or NULL
    int extra;          // bytes too many in each IN packet
    bool stuck;         // IN repeats the same toggle
    const uint8_t *reply;
    size_t reply_length;
    bool data1;
    uint8_t received[256];
    size_t received_length;
    int setups;
    int sofs;
    int resets;
    int resumes;

    struct sim_packet packets[MAX_PACKETS];
    int packet_count;
    int disconnects;
    int wakes;
};

static struct fake *fake_of(struct sim_device *device)
{
    return (struct fake *)device;
}

static void fake_advance(struct sim_device *device, uint64_t now_ns)
{
    (void)device;
    (void)now_ns;
}

static void fake_power(struct sim_device *device, bool on)
{
    (void)device;
    (void)on;
}

static bool fake_connected(const struct sim_device *device)
{
    return ((const struct fake *)device)->pull_up;
}

static void fake_bus_reset(struct sim_device *device, bool se0)
{
    struct fake *fake = fake_of(device);

    fake->resets += se0;
    fake->address = 0;
    if (fake->leave_in_reset)
        fake->pull_up = false;
}

static void fake_sof(struct sim_device *device, uint16_t frame)
{
    (void)frame;
    fake_of(device)->sofs++;
}

static void fake_resume(struct sim_device *device)
{
    fake_of(device)->resumes++;
    fake_of(device)->waking = false;
}

static bool fake_waking(const struct sim_device *device)
{
    return ((const struct fake *)device)->waking;
}

static int fake_setup(struct sim_device *device,
                      uint8_t address,
                      uint8_t endpoint,
                      const uint8_t setup[USBDEV_SETUP_SIZE])
{
    struct fake *fake = fake_of(device);
    struct usbdev_setup_packet request = usbdev_setup_load(setup);

    (void)endpoint;
    if (address != fake->address)
        return SIM_NO_RESPONSE;
    fake->setups++;
    fake->data1 = true;
    if (request.bRequest == USBDEV_SET_ADDRESS && request.bmRequestType == 0)
        fake->address = (uint8_t)request.wValue;
    return SIM_ACK;
}

static int answer(struct fake *fake, uint8_t endpoint)
{
    if (endpoint != 0 && endpoint == fake->idle)
        return SIM_NAK;
    if (fake->script && *fake->script)
        return *fake->script++ == 'N' ? SIM_NAK : SIM_NO_RESPONSE;
    if (fake->naks == 0)
        return fake->handshake;
    fake->naks--;
    return SIM_NAK;
}

static int fake_out(struct sim_device *device,
                    uint8_t address,
                    uint8_t endpoint,
                    bool data1,
                    const uint8_t *data,
                    size_t length)
{
    struct fake *fake = fake_of(device);
    int result = answer(fake, endpoint);

    (void)address, (void)data1;
    if (result == SIM_ACK && length > 0) {
        memcpy(fake->received + fake->received_length, data, length);
        fake->received_length += length;
    }
    return result;
}

static int fake_in(struct sim_device *device,
                   uint8_t address,
                   uint8_t endpoint,
                   bool *ret_data1,
                   uint8_t data[SIM_MAX_PACKET])
{
    struct fake *fake = fake_of(device);
    int result = answer(fake, endpoint);
    size_t length = fake->reply_length < fake->max_packet ? fake->reply_length : fake->max_packet;

    (void)address;
    if (result != SIM_ACK)
        return result;
    if (length > 0)
        memcpy(data, fake->reply, length);
    fake->reply += length;
    fake->reply_length -= length;
    *ret_data1 = fake->data1;
    fake->data1 ^= !fake->stuck;
    return (int)length + fake->extra;
}

static void fake_close(struct sim_device *device)
{
    (void)device;
}

static const struct sim_device_ops fake_ops = {
    .advance = fake_advance,
    .power = fake_power,
    .connected = fake_connected,
    .bus_reset = fake_bus_reset,
    .sof = fake_sof,
    .resume = fake_resume,
    .waking = fake_waking,
    .setup = fake_setup,
    .out = fake_out,
    .in = fake_in,
    .close = fake_close,
};

static void count_disconnect(void *context)
{
    ((struct fake *)context)->disconnects++;
}

static void count_wake(void *context)
{
    ((struct fake *)context)->wakes++;
}

static void keep_packet(void *context, const struct sim_packet *packet)
{
    struct fake *fake = context;

    if (fake->packet_count < MAX_PACKETS)
        fake->packets[fake->packet_count++] = *packet;
}

static struct sim_host *plug(struct fake *fake)
{
    static const struct sim_host_events events = {
        .disconnected = count_disconnect,
        .woken = count_wake,
    };
    struct sim_host *host;

    *fake = (struct fake){.base.ops = &fake_ops, .pull_up = true, .max_packet = 8};
    host = sim_host_open(&fake->base, &events, fake);
    assert_non_null(host);
    sim_host_run_until(host, 150 * SIM_MS);
    sim_host_tap(host, keep_packet, fake);
    return host;
}

static void set_reply(struct fake *fake, const void *bytes, size_t length)
{
    fake->reply = bytes;
    fake->reply_length = length;
}

// A bulk or interrupt transfer that counts its own completions.
struct counted {
    struct sim_transfer transfer;
    int done;
    uint64_t done_ns;
    struct sim_host *host;
};

static void count_done(struct sim_transfer *transfer)
{
    struct counted *counted = transfer->context;

    counted->done++;
    counted->done_ns = sim_host_now(counted->host);
}

static void submit(
    struct sim_host *host, struct counted *counted, uint8_t endpoint, uint8_t type, size_t length)
{
    static uint8_t buffer[256];

    *counted = (struct counted){
        .host = host,
        .transfer = {.endpoint = endpoint,
                     .type = type,
                     .wMaxPacketSize = 8,
                     .data = buffer,
                     .length = length,
                     .done = count_done,
                     .context = counted},
    };
    assert_int_equal(sim_host_submit(host, &counted->transfer), 0);
}

static const struct usbdev_setup_packet in_setup = {
    .bmRequestType = 0xC0, .bRequest = 1, .wLength = 24};
static const uint8_t bytes[24] = "abcdefghijklmnopqrstuvw";

// ---- Control transfers ----

static void control_in__gathers_packets_until_wLength(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24] = {0};
    struct sim_host *host = plug(&fake);
    sim_host_use_address(host, 0);
    set_reply(&fake, bytes, 24);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);
    int result = sim_host_transfer(host, &transfer);

    assert_int_equal(result, 24);
    assert_memory_equal(data, bytes, 24);
    assert_int_equal(fake.packets[fake.packet_count - 1].kind, SIM_PACKET_OUT);
    assert_int_equal(fake.packets[fake.packet_count - 1].length, 0);
    sim_host_close(host);
}

static void control_in__ends_at_a_short_packet(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24] = {0};
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 13);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);

    assert_int_equal(sim_host_transfer(host, &transfer), 13);
    assert_null(transfer.done); // nothing is left that points to what has gone
    assert_null(transfer.context);
    sim_host_close(host);
}

static void control__packets_are_never_closer_than_12_us(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24];
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 24);

    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
    usbdev_setup_store(transfer.setup, &in_setup);
    assert_int_equal(sim_host_transfer(host, &transfer), 24);
    set_reply(&fake, bytes, 24);
    assert_int_equal(sim_host_transfer(host, &transfer), 24);

    assert_int_equal(fake.packet_count, 10);
    for (int i = 1; i < fake.packet_count; i++)
        assert_true(fake.packets[i].time_ns - fake.packets[i - 1].time_ns >= 12000);
    sim_host_close(host);
}

static void expect_room_in_frame(void *context, const struct sim_packet *packet)
{
    (void)context;
    // 13 bytes of overhead at 12 Mbit/s (USB 2.0 5.8.4).
    assert_true(packet->time_ns % SIM_MS + (13 + packet->length) * 666 <= SIM_MS);
}

static void control__a_setup_waits_50_us_after_the_last_transfer(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[8];
    struct sim_host *host = plug(&fake);
    struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 8};
    usbdev_setup_store(transfer.setup, &in_setup);

    for (int i = 0; i < 2; i++) {
        set_reply(&fake, bytes, 8);
        assert_int_equal(sim_host_transfer(host, &transfer), 8);
    }

    assert_int_equal(fake.packet_count, 6); // SETUP, IN, OUT; SETUP, IN, OUT
    assert_int_equal(fake.packets[3].kind, SIM_PACKET_SETUP);
    assert_true(fake.packets[3].time_ns - fake.packets[2].time_ns >= 50000);
    sim_host_close(host);
}

static void packets__do_not_run_into_the_next_frame(void **state)
{
    (void)state;
    struct fake fake;
    uint8_t data[24];
    struct sim_host *host = plug(&fake);
    sim_host_tap(host, expect_room_in_frame, NULL);

    for (int i = 0; i < 500; i++) {
        set_reply(&fake, bytes, 24);
        struct sim_transfer transfer = {.wMaxPacketSize = 8, .data = data, .length = 24};
        usbdev_setup_store(transfer.setup, &in_setup);
        assert_int_equal(sim_host_transfer(host, &transfer), 24);
    }

    assert_true(sim_host_now(host) > 200 * SIM_MS); // it went over many frames
    sim_host_close(host);
}

static void control__repeats_what_was_answered_by_nak(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    uint8_t data[6] = "hello";
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1, .wLength = 6};
    fake.naks = 100;

    int result = sim_host_control(host, &setup, data, 0);

    assert_int_equal(result, 6);
    assert_int_equal(fake.received_length, 6);
    assert_memory_equal(fake.received, "hello", 6);
    sim_host_close(host);
}

static void control__gives_up_after_three_silences_in_a_row(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};

    fake.script = "SSNSSN";
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), 0);
    fake.script = "SSS";
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_GONE);

    sim_host_close(host);
}

static void control__fails_by_stall_silence_and_babble(void **state)
{
    (void)state;
    static const struct {
        int handshake;
        int extra;
        int expected;
    } table[] = {
        {SIM_STALL, 0, USB_STALL},
        {SIM_NO_RESPONSE, 0, USB_GONE},
        {SIM_NAK, 0, USB_TIMEOUT},
        {SIM_ACK, 1, USB_OVERFLOW},
    };
    uint8_t data[4];
    const struct usbdev_setup_packet setup = {.bmRequestType = 0xC0, .bRequest = 1, .wLength = 4};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct fake fake;
        struct sim_host *host = plug(&fake);
        fake.handshake = table[i].handshake;
        fake.extra = table[i].extra;
        set_reply(&fake, bytes, 4);

        assert_int_equal(sim_host_control(host, &setup, data, 50 * SIM_MS), table[i].expected);
        sim_host_close(host);
    }
}

static void control__says_what_was_wrong_with_it(void **state)
{
    (void)state;
    static const struct {
        struct fake how;
        uint16_t wMaxPacketSize;
        const char *expected;
    } table[] = {
        {{.handshake = SIM_STALL}, 8, "GET_DESCRIPTOR (wValue 0100h): STALL in the data stage"},
        {{.handshake = SIM_NO_RESPONSE},
         8,
         "GET_DESCRIPTOR (wValue 0100h): no answer to 3 packets in a row in the data stage"},
        {{.handshake = SIM_NAK},
         8,
         "GET_DESCRIPTOR (wValue 0100h): NAK in the data stage until the time was over"},
        {{.extra = 1},
         64,
         "GET_DESCRIPTOR (wValue 0100h): more than the 18 bytes that were asked for"},
        {{.extra = 1},
         8,
         "GET_DESCRIPTOR (wValue 0100h): 9 bytes in a packet, the maximum is 8 "
         "(USB 2.0 5.5.3)"},
        {{.stuck = true},
         8,
         "GET_DESCRIPTOR (wValue 0100h): DATA1 came, DATA0 was due (USB 2.0 8.6)"},
    };
    const struct usbdev_setup_packet setup = {0x80, USBDEV_GET_DESCRIPTOR, 0x0100, 0, 18};
    uint8_t data[18];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sim_transfer transfer = {.wMaxPacketSize = table[i].wMaxPacketSize,
                                        .data = data,
                                        .length = sizeof data,
                                        .timeout_ns = 50 * SIM_MS};
        struct fake fake;
        struct sim_host *host = plug(&fake);
        fake.handshake = table[i].how.handshake;
        fake.extra = table[i].how.extra;
        fake.stuck = table[i].how.stuck;
        fake.max_packet = (uint8_t)table[i].wMaxPacketSize;
        set_reply(&fake, bytes, sizeof data);
        usbdev_setup_store(transfer.setup, &setup);

        assert_true(sim_host_transfer(host, &transfer) < 0);
        assert_string_equal(sim_host_fault(host), table[i].expected);
        sim_host_close(host);
    }
}

static void control__data_in_the_status_stage_is_a_protocol_error(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    set_reply(&fake, bytes, 1);

    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_IO);
    sim_host_close(host);
}

static void control__times_out_at_its_own_time(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    uint64_t before_ns = sim_host_now(host);
    fake.handshake = SIM_NAK;

    sim_host_control(host, &setup, NULL, 7 * SIM_MS + 123);

    assert_int_equal(sim_host_now(host) - before_ns, 7 * SIM_MS + 123);
    sim_host_close(host);
}

// ---- Bulk and interrupt transfers ----

static void bulk_out__toggles_and_ends_with_a_zero_packet_when_asked(void **state)
{
    (void)state;
    struct fake fake;
    struct counted out;
    struct sim_host *host = plug(&fake);

    submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 16);
    out.transfer.zero_packet = true;
    sim_host_run_busy(host, 200 * SIM_MS);

    assert_int_equal(out.done, 1);
    assert_int_equal(out.transfer.actual, 16);
    assert_int_equal(fake.packet_count, 3);
    assert_false(fake.packets[0].data1);
    assert_true(fake.packets[1].data1);
    assert_false(fake.packets[2].data1);
    assert_int_equal(fake.packets[2].length, 0);
    sim_host_close(host);
}

static void toggles__start_again_after_set_configuration_clear_halt_and_reset(void **state)
{
    (void)state;
    static const struct usbdev_setup_packet resets[] = {
        {.bRequest = USBDEV_SET_CONFIGURATION, .wValue = 1},
        {.bmRequestType = 0x02, .bRequest = USBDEV_CLEAR_FEATURE, .wIndex = 0x02},
    };
    for (size_t i = 0; i < 3; i++) {
        struct fake fake;
        struct counted out;
        struct sim_host *host = plug(&fake);

        submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);
        sim_host_run_busy(host, UINT64_MAX);
        if (i < 2)
            assert_int_equal(sim_host_control(host, &resets[i], NULL, 0), 0);
        else
            assert_int_equal(sim_host_reset(host), 0);
        fake.packet_count = 0;
        submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);
        sim_host_run_busy(host, UINT64_MAX);

        assert_int_equal(fake.packet_count, 1);
        assert_false(fake.packets[0].data1);
        sim_host_close(host);
    }
}

static void bulk_in__drops_repeated_packets_and_then_gives_up(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, bytes, 24);
    fake.stuck = true;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 24);
    sim_host_run_busy(host, UINT64_MAX);

    assert_int_equal(in.transfer.status, USB_IO);
    assert_int_equal(in.transfer.actual, 8);
    sim_host_close(host);
}

static void endpoints__do_not_wait_for_one_that_naks(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};
    uint64_t before_ns;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    fake.idle = 1;
    sim_host_run_until(host, 160 * SIM_MS);
    before_ns = sim_host_now(host);
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), 0);

    assert_in_range(sim_host_now(host) - before_ns, 0, SIM_MS);
    sim_host_close(host);
}

static void transfers_of_one_endpoint__run_in_order(void **state)
{
    (void)state;
    struct fake fake;
    struct counted first, second;
    struct sim_host *host = plug(&fake);
    fake.naks = 3; // the first has to wait: the second must not overtake it

    submit(host, &first, 0x02, USBDEV_ENDPOINT_BULK, 64);
    submit(host, &second, 0x02, USBDEV_ENDPOINT_BULK, 8);
    sim_host_run_busy(host, UINT64_MAX);

    assert_int_equal(first.done, 1);
    assert_int_equal(second.done, 1);
    assert_true(first.done_ns < second.done_ns);
    sim_host_close(host);
}

static void interrupt_in__is_polled_once_an_interval(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    fake.naks = 1000;

    submit(host, &in, 0x82, USBDEV_ENDPOINT_INTERRUPT, 8);
    in.transfer.bInterval = 10;
    sim_host_run_until(host, sim_host_now(host) + 100 * SIM_MS);

    assert_in_range(1000 - fake.naks, 10, 11);
    sim_host_close(host);
}

static void cancel__ends_a_transfer_once(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    fake.handshake = SIM_NAK;
    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    sim_host_run_until(host, 200 * SIM_MS);

    assert_true(sim_host_cancel(host, &in.transfer));
    assert_false(sim_host_cancel(host, &in.transfer));

    assert_int_equal(in.done, 1);
    assert_int_equal(in.transfer.status, USB_CANCELLED);
    sim_host_close(host);
}

static void run_busy__returns_when_only_naking_endpoints_are_left(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in;
    struct sim_host *host = plug(&fake);
    uint64_t before_ns = sim_host_now(host);
    fake.handshake = SIM_NAK;

    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    assert_true(sim_host_busy(host));
    sim_host_run_busy(host, UINT64_MAX);

    assert_false(sim_host_busy(host));
    assert_int_equal(in.done, 0);
    assert_in_range(sim_host_now(host) - before_ns, SIM_MS, 2 * SIM_MS);
    sim_host_close(host);
}

// ---- The port ----

static void connect__is_debounced_for_100_ms(void **state)
{
    (void)state;
    struct fake fake = {.base.ops = &fake_ops, .pull_up = true, .max_packet = 8};
    struct sim_host *host = sim_host_open(&fake.base, NULL, NULL);

    sim_host_run_until(host, 99 * SIM_MS);
    assert_false(sim_host_connected(host));
    sim_host_run_until(host, 100 * SIM_MS);
    assert_true(sim_host_connected(host));

    sim_host_close(host);
}

static void frames__bring_a_sof_each_millisecond(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    int before = fake.sofs;

    sim_host_run_until(host, sim_host_now(host) + 1000 * SIM_MS);

    assert_int_equal(fake.sofs - before, 1000);
    sim_host_close(host);
}

static void disconnect__ends_every_transfer_and_is_reported_once(void **state)
{
    (void)state;
    struct fake fake;
    struct counted in, out;
    struct sim_host *host = plug(&fake);
    fake.handshake = SIM_NAK;
    submit(host, &in, 0x81, USBDEV_ENDPOINT_BULK, 8);
    submit(host, &out, 0x02, USBDEV_ENDPOINT_BULK, 8);

    fake.pull_up = false;
    sim_host_run_until(host, 200 * SIM_MS);

    assert_int_equal(in.transfer.status, USB_GONE);
    assert_int_equal(out.transfer.status, USB_GONE);
    assert_int_equal(fake.disconnects, 1);
    assert_int_equal(sim_host_submit(host, &in.transfer), USB_GONE);
    sim_host_close(host);
}

// USB 2.0 10.2.6: three tries.
static void control__tries_a_silent_packet_again_in_the_next_frame(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    const struct usbdev_setup_packet setup = {.bmRequestType = 0x40, .bRequest = 1};

    sim_host_use_address(host, 5); // nobody's
    fake.packet_count = 0;
    assert_int_equal(sim_host_control(host, &setup, NULL, 0), USB_GONE);

    assert_int_equal(fake.packet_count, 3);
    for (int i = 1; i < 3; i++)
        assert_int_equal(fake.packets[i].time_ns / SIM_MS,
                         fake.packets[i - 1].time_ns / SIM_MS + 1);
    sim_host_close(host);
}

static void reset__lasts_50_ms_without_sof_and_makes_the_address_0(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    sim_host_use_address(host, 5);
    int sofs = fake.sofs;

    int result = sim_host_reset(host);

    assert_int_equal(result, 0);
    assert_int_equal(fake.resets, 1);
    assert_int_equal(fake.packets[0].kind, SIM_PACKET_RESET_BEGIN);
    assert_int_equal(fake.packets[1].kind, SIM_PACKET_RESET_END);
    assert_int_equal(fake.packets[1].time_ns - fake.packets[0].time_ns, 50 * SIM_MS);
    assert_in_range(fake.sofs - sofs, 10, 11); // one before it, the others in the recovery
    assert_int_equal(sim_host_address(host), 0);
    sim_host_close(host);
}

static void reset__leaves_the_bus_a_millisecond_before_se0(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    uint64_t asked_ns = sim_host_now(host);
    int sofs = fake.sofs;

    assert_int_equal(sim_host_reset(host), 0);

    assert_int_equal(fake.packets[0].kind, SIM_PACKET_RESET_BEGIN);
    assert_int_equal(fake.packets[0].time_ns - asked_ns, SIM_MS);
    assert_true(fake.sofs > sofs);
    sim_host_close(host);
}

static void reset__says_when_it_made_the_device_leave(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    fake.leave_in_reset = true;

    assert_int_equal(sim_host_reset(host), USB_GONE);
    assert_int_equal(fake.disconnects, 1);
    assert_int_equal(sim_host_reset(host), USB_GONE);
    sim_host_close(host);
}

static void suspend__stops_sof_until_resume(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);

    sim_host_suspend(host);
    int sofs = fake.sofs;
    sim_host_run_until(host, sim_host_now(host) + 500 * SIM_MS);
    assert_int_equal(fake.sofs, sofs);
    sim_host_resume(host);
    sim_host_run_until(host, sim_host_now(host) + 10 * SIM_MS);

    assert_int_equal(fake.resumes, 1);
    assert_in_range(fake.sofs - sofs, 19, 21);
    sim_host_close(host);
}

static void remote_wake_up__resumes_the_bus(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);
    sim_host_suspend(host);

    fake.waking = true;
    sim_host_run_until(host, sim_host_now(host) + 50 * SIM_MS);

    assert_int_equal(fake.wakes, 1);
    assert_int_equal(fake.resumes, 1);
    assert_false(sim_host_suspended(host));
    sim_host_close(host);
}

static void power__off_loses_the_device_and_on_brings_it_back(void **state)
{
    (void)state;
    struct fake fake;
    struct sim_host *host = plug(&fake);

    sim_host_power(host, false);
    assert_false(sim_host_connected(host));
    assert_int_equal(fake.disconnects, 1);
    sim_host_power(host, true);
    sim_host_run_until(host, sim_host_now(host) + 150 * SIM_MS);

    assert_true(sim_host_connected(host));
    sim_host_close(host);
}

static void enumerate__learns_bMaxPacketSize0_and_gives_an_address(void **state)
{
    (void)state;
    static const uint8_t descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 8, 9, 18, 1, 0, 0, 1, 0, 0, 0, 1};
    struct fake fake;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, descriptor, 8);

    int result = sim_host_enumerate(host, 1000 * SIM_MS);

    assert_int_equal(result, 0);
    assert_int_equal(sim_host_max_packet0(host), 8);
    assert_int_equal(sim_host_address(host), fake.address);
    assert_int_not_equal(fake.address, 0);
    assert_int_equal(fake.resets, 2);
    for (int i = 1; i < fake.packet_count; i++)
        if (fake.packets[i].kind == SIM_PACKET_RESET_BEGIN) // not at once after the status stage
            assert_true(fake.packets[i].time_ns - fake.packets[i - 1].time_ns >= SIM_MS);
    sim_host_close(host);
}

static void enumerate__refuses_an_impossible_bMaxPacketSize0(void **state)
{
    (void)state;
    static const uint8_t descriptor[18] = {18, 1, 0, 2, 0, 0, 0, 9};
    struct fake fake;
    struct sim_host *host = plug(&fake);
    set_reply(&fake, descriptor, 18);
    fake.max_packet = 64;

    assert_int_equal(sim_host_enumerate(host, 1000 * SIM_MS), USB_IO);
    assert_string_equal(sim_host_fault(host), "GET_DESCRIPTOR (wValue 0100h): "
                                              "bMaxPacketSize0 is 9 (USB 2.0 table 9-8)");
    sim_host_close(host);
}

static void enumerate__without_a_device_gives_up_in_time(void **state)
{
    (void)state;
    struct fake fake = {.base.ops = &fake_ops};
    struct sim_host *host = sim_host_open(&fake.base, NULL, NULL);

    assert_int_equal(sim_host_enumerate(host, 300 * SIM_MS), USB_GONE);
    assert_int_equal(sim_host_now(host), 300 * SIM_MS);
    sim_host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_in__gathers_packets_until_wLength),
        cmocka_unit_test(control_in__ends_at_a_short_packet),
        cmocka_unit_test(control__packets_are_never_closer_than_12_us),
        cmocka_unit_test(control__a_setup_waits_50_us_after_the_last_transfer),
        cmocka_unit_test(packets__do_not_run_into_the_next_frame),
        cmocka_unit_test(control__repeats_what_was_answered_by_nak),
        cmocka_unit_test(control__gives_up_after_three_silences_in_a_row),
        cmocka_unit_test(control__fails_by_stall_silence_and_babble),
        cmocka_unit_test(control__tries_a_silent_packet_again_in_the_next_frame),
        cmocka_unit_test(control__says_what_was_wrong_with_it),
        cmocka_unit_test(control__data_in_the_status_stage_is_a_protocol_error),
        cmocka_unit_test(control__times_out_at_its_own_time),
        cmocka_unit_test(bulk_out__toggles_and_ends_with_a_zero_packet_when_asked),
        cmocka_unit_test(toggles__start_again_after_set_configuration_clear_halt_and_reset),
        cmocka_unit_test(bulk_in__drops_repeated_packets_and_then_gives_up),
        cmocka_unit_test(endpoints__do_not_wait_for_one_that_naks),
        cmocka_unit_test(transfers_of_one_endpoint__run_in_order),
        cmocka_unit_test(interrupt_in__is_polled_once_an_interval),
        cmocka_unit_test(cancel__ends_a_transfer_once),
        cmocka_unit_test(run_busy__returns_when_only_naking_endpoints_are_left),
        cmocka_unit_test(connect__is_debounced_for_100_ms),
        cmocka_unit_test(frames__bring_a_sof_each_millisecond),
        cmocka_unit_test(disconnect__ends_every_transfer_and_is_reported_once),
        cmocka_unit_test(reset__lasts_50_ms_without_sof_and_makes_the_address_0),
        cmocka_unit_test(reset__leaves_the_bus_a_millisecond_before_se0),
        cmocka_unit_test(reset__says_when_it_made_the_device_leave),
        cmocka_unit_test(suspend__stops_sof_until_resume),
        cmocka_unit_test(remote_wake_up__resumes_the_bus),
        cmocka_unit_test(power__off_loses_the_device_and_on_brings_it_back),
        cmocka_unit_test(enumerate__learns_bMaxPacketSize0_and_gives_an_address),
        cmocka_unit_test(enumerate__refuses_an_impossible_bMaxPacketSize0),
        cmocka_unit_test(enumerate__without_a_device_gives_up_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
