// SPDX-License-Identifier: MIT
//
// Data toggles (USB 2.0 8.6), which no request tells: a device that did not begin anew with DATA0
// where the host did takes the next packet for one that it had, or has its own taken for that. It
// is lost either way. So they are judged on a product that sends back what it gets on the bulk
// endpoints of an interface, as loopbacks for tests do: what is sent behind the request must come
// back.
//
// Both toggles are at DATA1 before the request, by one packet each way since the endpoints were
// configured.

#include <string.h>

#include <conformance/check_common.h>

enum { TRANSFER_MS = 500, ECHO_SIZE = 8, MOST_PACKET = 1024 };

struct loop {
    const struct usb_interface *interface;
    uint8_t out;
    uint8_t in;
    uint16_t in_size; // wMaxPacketSize
};

// ---- An interface that sends back what it gets ----

static void find_loop(const struct usb_configuration *config, size_t setting, struct loop *ret)
{
    *ret = (struct loop){.interface = &config->interfaces[setting]};
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct usb_endpoint *endpoint = &config->endpoints[i];
        bool bulk = (endpoint->bmAttributes & 3) == USBDEV_ENDPOINT_BULK;
        if (endpoint->interface != (int)setting || !bulk)
            continue;
        if (endpoint->bEndpointAddress & USBDEV_DIR_IN) {
            ret->in = endpoint->bEndpointAddress;
            ret->in_size = endpoint->wMaxPacketSize & 0x7FF;
        } else {
            ret->out = endpoint->bEndpointAddress;
        }
    }
}

// One packet there and back; no two are alike. Returns what the transfer did that went wrong, or 0;
// USB_IO also stands for other bytes.
static int echo(struct probe *probe, const struct loop *loop)
{
    static uint8_t number;
    uint8_t sent[ECHO_SIZE] = {'e', 'c', 'h', 'o', 0, 0, 0, ++number};
    uint8_t back[MOST_PACKET];
    int result = probe_transfer(probe, loop->out, sent, sizeof sent, TRANSFER_MS);
    if (result != sizeof sent)
        return result < 0 ? result : USB_IO;
    result = probe_transfer(probe, loop->in, back, loop->in_size, TRANSFER_MS);
    if (result < 0)
        return result;
    return result == sizeof sent && memcmp(back, sent, sizeof sent) == 0 ? 0 : USB_IO;
}

static bool is_loop(struct probe *probe, const struct loop *loop)
{
    return loop->in && loop->out && loop->in_size <= MOST_PACKET && echo(probe, loop) == 0;
}

// The endpoints as they are configured, and one packet each way.
static bool given_loop(struct probe *probe, struct loop *ret)
{
    const struct usb_configuration *config = &probe_device(probe)->config;
    configure_afresh(probe);
    for (size_t i = 0; i < config->interface_count; i++) {
        if (config->interfaces[i].bAlternateSetting != 0)
            continue;
        find_loop(config, i, ret);
        if (is_loop(probe, ret))
            return true;
    }
    return probe_inapplicable(probe, "bulk endpoints that send back what they get");
}

static bool expect_echo(struct probe *probe, const struct loop *loop, const char *when)
{
    int result = echo(probe, loop);
    // A STALL is a halt that was not cleared: CH9-HALT-02 to CH9-HALT-04.
    if (result == USB_GONE || result == USB_UNSUPPORTED || result == USB_STALL)
        return probe_inconclusive(probe, "%s", usb_result_text(result));
    return expect(probe, result == 0, "DATA0 comes next: what is sent comes back", "%s %s",
                  result == USB_IO ? "other bytes" : usb_result_text(result), when);
}

// ---- What begins anew ----

static bool set_halt(struct probe *probe, uint8_t bEndpointAddress)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
        .bRequest = USBDEV_SET_FEATURE,
        .wValue = USBDEV_FEATURE_ENDPOINT_HALT,
        .wIndex = bEndpointAddress,
    };
    return given(probe, expect_length(probe, &setup, NULL, 0));
}

static bool begins_when_cleared(struct probe *probe, bool in, bool halted)
{
    struct loop loop;
    if (!given_loop(probe, &loop))
        return false;
    uint8_t address = in ? loop.in : loop.out;
    return (!halted || set_halt(probe, address)) &&
           given(probe, expect_result(probe, probe_clear_halt(probe, address), 0, NULL)) &&
           expect_echo(probe, &loop,
                       in ? "after CLEAR_FEATURE(ENDPOINT_HALT) of the IN endpoint"
                          : "after CLEAR_FEATURE(ENDPOINT_HALT) of the OUT endpoint");
}

// Whether it was halted or not.
static void clearing_begins(struct probe *probe)
{
    for (unsigned i = 0; i < 4; i++) {
        if (!begins_when_cleared(probe, i & 1, i & 2))
            return;
    }
}

static void configuring_begins(struct probe *probe)
{
    struct loop loop;
    uint8_t value = probe_device(probe)->config.bConfigurationValue;
    if (given_loop(probe, &loop) &&
        given(probe, expect_result(probe, probe_set_configuration(probe, value), 0, NULL)))
        expect_echo(probe, &loop, "after SET_CONFIGURATION");
}

static void selecting_begins(struct probe *probe)
{
    struct loop loop;
    if (!given_loop(probe, &loop))
        return;
    int result = probe_set_interface(probe, loop.interface->bInterfaceNumber, 0);
    if (result == USB_STALL)
        probe_inapplicable(probe, "an interface that takes SET_INTERFACE (USB 2.0 9.4.10)");
    else if (given(probe, expect_result(probe, result, 0, NULL)))
        expect_echo(probe, &loop, "after SET_INTERFACE");
}

// clang-format off
static const struct check checks[] = {
    {"CH9-TOGGLE-01", "USB 2.0 9.4.5", LEVEL_MUST,
     "an endpoint whose halt is cleared begins with DATA0, halted before or not",
     0, clearing_begins},
    {"CH9-TOGGLE-02", "USB 2.0 9.1.1.5", LEVEL_MUST,
     "endpoints begin with DATA0 after SET_CONFIGURATION",
     0, configuring_begins},
    {"CH9-TOGGLE-03", "USB 2.0 9.1.1.5", LEVEL_MUST,
     "endpoints begin with DATA0 after SET_INTERFACE",
     0, selecting_begins},
};
// clang-format on

const struct check_group check_chapter9_toggles = {
    .title = "Data toggles",
    .checks = checks,
    .count = sizeof checks / sizeof checks[0],
};
