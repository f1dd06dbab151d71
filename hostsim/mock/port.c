// SPDX-License-Identifier: MIT

#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t enumeration_timeout_ns = 5000 * SIM_MS;

// How long after the fact a hub's interrupt endpoint tells; and at most, if programs are slow to
// take what the device had still answered.
static const uint64_t notice_ns = 20 * SIM_MS;
static const uint64_t patience_ns = 1000 * SIM_MS;

static uint64_t wall_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static void note_connected(void *context)
{
    struct mock_port *port = context;

    port->connected = true;
}

static void note_disconnected(void *context)
{
    struct mock_port *port = context;

    port->connected = false;
    port->enumerated = false;
    port->left = true;
}

int mock_port_init(struct mock_port *port, struct sim_device *device)
{
    static const struct sim_host_events events = {
        .connected = note_connected,
        .disconnected = note_disconnected,
    };

    *port = (struct mock_port){.wall_ns = wall_ns()};
    port->host = sim_host_open(device, &events, port);
    return port->host ? 0 : -ENOMEM;
}

void mock_port_finish(struct mock_port *port)
{
    sim_host_close(port->host);
    free(port->descriptors);
}

int mock_port_errno(int result)
{
    return result == USB_GONE ? -EPROTO : usb_result_errno(result);
}

// ---- Reading the descriptors ----

static int get_descriptor(struct mock_port *port, uint16_t type_index, uint8_t *data, uint16_t size)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_DIR_IN,
        .bRequest = USBDEV_GET_DESCRIPTOR,
        .wValue = type_index,
        .wLength = size,
    };

    return sim_host_control(port->host, &setup, data, 0);
}

// Append one configuration, all of it. Returns 0 or an enum usb_result.
static int append_configuration(struct mock_port *port, uint8_t index)
{
    uint8_t header[USBDEV_CONFIGURATION_DESCRIPTOR_SIZE];
    uint16_t type_index = (uint16_t)(USBDEV_DT_CONFIGURATION << 8 | index);

    int got = get_descriptor(port, type_index, header, sizeof(header));
    if (got < 0)
        return got;
    uint16_t total = usbdev_load_le16(header + 2);
    if (got < (int)sizeof(header) || total < sizeof(header))
        return USB_IO;

    uint8_t *longer = realloc(port->descriptors, port->length + total);
    if (!longer)
        return USB_IO;
    port->descriptors = longer;
    got = get_descriptor(port, type_index, port->descriptors + port->length, total);
    if (got < 0)
        return got;
    port->length += (size_t)got;
    return 0;
}

static int read_descriptors(struct mock_port *port)
{
    uint8_t device[USBDEV_DEVICE_DESCRIPTOR_SIZE];

    int got = get_descriptor(port, USBDEV_DT_DEVICE << 8, device, sizeof(device));
    if (got < 0)
        return got;
    port->descriptors = malloc(sizeof(device));
    if (got < (int)sizeof(device) || !port->descriptors)
        return USB_IO;
    memcpy(port->descriptors, device, sizeof(device));
    port->length = sizeof(device);

    uint8_t bNumConfigurations = device[17];
    int result = bNumConfigurations ? 0 : USB_IO;
    for (uint8_t i = 0; result == 0 && i < bNumConfigurations; i++)
        result = append_configuration(port, i);
    return result;
}

const uint8_t *mock_port_find(const struct mock_port *port, uint8_t type, uint8_t number)
{
    const uint8_t *at = port->descriptors;
    const uint8_t *end = at + port->length;
    bool configured = false, chosen = false;

    for (; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == USBDEV_DT_CONFIGURATION && at[0] >= USBDEV_CONFIGURATION_DESCRIPTOR_SIZE) {
            configured = at[5] == port->bConfigurationValue;
        } else if (at[1] == USBDEV_DT_INTERFACE && at[0] >= USBDEV_INTERFACE_DESCRIPTOR_SIZE) {
            chosen = configured && at[2] < 32 && at[3] == port->alternates[at[2]];
            if (chosen && type == USBDEV_DT_INTERFACE && at[2] == number)
                return at;
        } else if (at[1] == USBDEV_DT_ENDPOINT && at[0] >= USBDEV_ENDPOINT_DESCRIPTOR_SIZE) {
            if (chosen && type == USBDEV_DT_ENDPOINT && at[2] == number)
                return at;
        }
    }
    return NULL;
}

// ---- Enumerating ----

static int control_out(struct mock_port *port, const struct usbdev_setup_packet *setup)
{
    return sim_host_control(port->host, setup, NULL, 0);
}

static int set_configuration(struct mock_port *port, uint8_t value)
{
    int result = control_out(
        port, &(struct usbdev_setup_packet){.bRequest = USBDEV_SET_CONFIGURATION, .wValue = value});

    if (result == 0) {
        port->bConfigurationValue = value;
        memset(port->alternates, 0, sizeof(port->alternates));
    }
    return result;
}

static int enumerate(struct mock_port *port)
{
    free(port->descriptors);
    port->descriptors = NULL;
    port->length = 0;

    int result = sim_host_enumerate(port->host, enumeration_timeout_ns);
    port->connected = false;
    if (result == 0)
        result = read_descriptors(port);
    if (result == 0)
        result = set_configuration(port, port->descriptors[USBDEV_DEVICE_DESCRIPTOR_SIZE + 5]);
    port->enumerated = result == 0;
    if (result < 0)
        fprintf(stderr, "dfu-sim: the device did not enumerate: %s\n", usb_result_text(result));
    return result;
}

void mock_port_catch_up(struct mock_port *port)
{
    uint64_t now_ns = wall_ns();

    sim_host_run_until(port->host, sim_host_now(port->host) + now_ns - port->wall_ns);
    port->wall_ns = now_ns;
}

static bool notices_leaving(struct mock_port *port, bool owes)
{
    if (!port->left)
        return false;
    if (!port->left_ns)
        port->left_ns = port->wall_ns;
    return port->wall_ns - port->left_ns >= (owes ? patience_ns : notice_ns);
}

enum mock_change mock_port_look(struct mock_port *port, bool owes)
{
    mock_port_catch_up(port);
    if (port->plugged && notices_leaving(port, owes)) {
        port->plugged = false;
        return MOCK_LEFT;
    }
    if (!port->plugged && (port->enumerated || (port->connected && enumerate(port) == 0))) {
        port->plugged = true;
        port->left = false;
        port->left_ns = 0;
        return MOCK_CAME;
    }
    return MOCK_NOTHING;
}

// ---- What a program asks for ----

void mock_port_run_busy(struct mock_port *port)
{
    sim_host_run_busy(port->host, sim_host_now(port->host) + enumeration_timeout_ns);
}

int mock_port_set_configuration(struct mock_port *port, uint8_t bConfigurationValue)
{
    return mock_port_errno(set_configuration(port, bConfigurationValue));
}

// The data toggles of the alternate's endpoints begin anew (USB 2.0 9.1.1.5).
static void reset_toggles(struct mock_port *port, uint8_t bInterfaceNumber)
{
    const uint8_t *at = mock_port_find(port, USBDEV_DT_INTERFACE, bInterfaceNumber);
    const uint8_t *end = port->descriptors + port->length;

    for (at += at[0]; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == USBDEV_DT_INTERFACE || at[1] == USBDEV_DT_CONFIGURATION)
            return;
        if (at[1] == USBDEV_DT_ENDPOINT && at[0] >= USBDEV_ENDPOINT_DESCRIPTOR_SIZE)
            sim_host_reset_toggle(port->host, at[2]);
    }
}

static bool has_alternate(struct mock_port *port, uint8_t bInterfaceNumber, uint8_t alternate)
{
    uint8_t current = port->alternates[bInterfaceNumber];

    port->alternates[bInterfaceNumber] = alternate;
    bool found = mock_port_find(port, USBDEV_DT_INTERFACE, bInterfaceNumber) != NULL;
    port->alternates[bInterfaceNumber] = current;
    return found;
}

int mock_port_set_interface(struct mock_port *port, uint8_t bInterfaceNumber, uint8_t alternate)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_RECIPIENT_INTERFACE,
        .bRequest = USBDEV_SET_INTERFACE,
        .wValue = alternate,
        .wIndex = bInterfaceNumber,
    };

    if (bInterfaceNumber >= sizeof(port->alternates) ||
        !has_alternate(port, bInterfaceNumber, alternate))
        return -EINVAL;
    int result = control_out(port, &setup);
    if (result == 0) {
        port->alternates[bInterfaceNumber] = alternate;
        reset_toggles(port, bInterfaceNumber);
    }
    return mock_port_errno(result);
}

int mock_port_clear_halt(struct mock_port *port, uint8_t bEndpointAddress)
{
    const struct usbdev_setup_packet setup = {
        .bmRequestType = USBDEV_RECIPIENT_ENDPOINT,
        .bRequest = USBDEV_CLEAR_FEATURE,
        .wValue = USBDEV_FEATURE_ENDPOINT_HALT,
        .wIndex = bEndpointAddress,
    };

    if (!mock_port_find(port, USBDEV_DT_ENDPOINT, bEndpointAddress))
        return -ENOENT;
    return mock_port_errno(control_out(port, &setup));
}

// After a reset that changed nothing, a kernel restores the configuration and the alternates.
static int restore(struct mock_port *port, uint8_t value, const uint8_t alternates[32])
{
    int result = value == port->bConfigurationValue ? 0 : mock_port_set_configuration(port, value);

    for (uint8_t i = 0; result == 0 && i < 32; i++)
        if (alternates[i])
            result = mock_port_set_interface(port, i, alternates[i]);
    return result;
}

int mock_port_reset(struct mock_port *port)
{
    uint8_t *descriptors = port->descriptors;
    size_t length = port->length;
    uint8_t value = port->bConfigurationValue;
    uint8_t alternates[32];

    memcpy(alternates, port->alternates, sizeof(alternates));
    port->descriptors = NULL;
    if (enumerate(port) < 0 || port->length != length ||
        memcmp(port->descriptors, descriptors, length) != 0)
        port->left = true;
    free(descriptors);
    if (!port->left && restore(port, value, alternates) < 0)
        port->left = true;
    return port->left ? -ENODEV : 0;
}
