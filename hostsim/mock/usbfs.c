// SPDX-License-Identifier: MIT
//
// An ioctl arrives in umockdev's worker thread with its argument in the program's memory:
// umockdev_ioctl_data_resolve() fetches a piece of that, and what was changed in it is written back
// when the ioctl, or for an URB its reaping, is completed.
//
// A node of the mock is always ready for poll(), so a program that waits for an URB asks for it
// over and over (USBDEVFS_REAPURBNDELAY). Such a request is answered when an URB has ended or at
// the next tick, which saves processor time and changes nothing for the program.

#include "usbfs.h"

#include <errno.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>

enum { URB_MAX = 1024 * 1024 };

struct urb {
    struct urb *next;
    UMockdevIoctlClient *client;
    UMockdevIoctlData *data;   // struct usbdevfs_urb
    UMockdevIoctlData *buffer; // or NULL: no bytes
    struct mock_usbfs *usbfs;
    struct sim_transfer transfer;
};

struct mock_usbfs {
    UMockdevIoctlBase *handler;
    struct mock_port *port;
    GMutex *lock;
    bool gone;
    struct urb *pending;
    struct urb *ended;            // in the order of their ending
    UMockdevIoctlClient *waiting; // for the first of them, or NULL
};

static struct usbdevfs_urb *user_urb(const struct urb *urb)
{
    return (struct usbdevfs_urb *)(void *)urb->data->data;
}

// Fetch the memory that the pointer at offset in data points to. NULL if there is none.
static UMockdevIoctlData *fetch(UMockdevIoctlData *data, size_t offset, size_t size)
{
    return umockdev_ioctl_data_resolve(data, offset, size, NULL);
}

// The argument of an ioctl that takes a pointer to a struct of this size.
static UMockdevIoctlData *argument(UMockdevIoctlClient *client, size_t size)
{
    return fetch(umockdev_ioctl_client_get_arg(client), 0, size);
}

static void complete(UMockdevIoctlClient *client, int result)
{
    umockdev_ioctl_client_complete(client, result < 0 ? -1 : result, result < 0 ? -result : 0);
}

// ---- URBs ----

static void append(struct urb **list, struct urb *urb)
{
    while (*list)
        list = &(*list)->next;
    *list = urb;
    urb->next = NULL;
}

static void remove_urb(struct urb **list, const struct urb *urb)
{
    while (*list != urb)
        list = &(*list)->next;
    *list = urb->next;
}

static void free_urb(struct urb *urb)
{
    g_clear_object(&urb->buffer);
    g_clear_object(&urb->data);
    g_clear_object(&urb->client);
    g_free(urb);
}

static void urb_done(struct sim_transfer *transfer)
{
    struct urb *urb = transfer->context;
    struct mock_usbfs *usbfs = urb->usbfs;

    user_urb(urb)->status = mock_port_errno(transfer->status);
    user_urb(urb)->actual_length = (int)transfer->actual;
    remove_urb(&usbfs->pending, urb);
    append(&usbfs->ended, urb);
}

static bool has_interface(const struct mock_port *port, uint8_t number)
{
    return usb_core_find_interface(&port->core, number, port->core.alternates[number]);
}

// Requests to an interface or endpoint that is not there are refused as usbfs refuses them.
static int check_recipient(const struct mock_port *port, const struct usbdev_setup_packet *setup)
{
    uint8_t number = (uint8_t)setup->wIndex;

    if ((setup->bmRequestType & USBDEV_TYPE_MASK) == USBDEV_TYPE_VENDOR)
        return 0;
    switch (setup->bmRequestType & USBDEV_RECIPIENT_MASK) {
    case USBDEV_RECIPIENT_INTERFACE:
        return has_interface(port, number) ? 0 : -ENOENT;
    case USBDEV_RECIPIENT_ENDPOINT:
        return !(number & ~USBDEV_DIR_IN) || usb_core_find_endpoint(&port->core, number) ? 0
                                                                                         : -ENOENT;
    default:
        return 0;
    }
}

static int prepare_control(struct urb *urb)
{
    struct sim_transfer *transfer = &urb->transfer;
    struct mock_port *port = urb->usbfs->port;
    int size = user_urb(urb)->buffer_length;

    if (size < USBDEV_SETUP_SIZE)
        return -EINVAL;
    memcpy(transfer->setup, urb->buffer->data, USBDEV_SETUP_SIZE);
    struct usbdev_setup_packet setup = usbdev_setup_load(transfer->setup);
    if (size < USBDEV_SETUP_SIZE + setup.wLength)
        return -EINVAL;
    transfer->type = USBDEV_ENDPOINT_CONTROL;
    transfer->wMaxPacketSize = sim_host_max_packet0(port->host);
    transfer->data = urb->buffer->data + USBDEV_SETUP_SIZE;
    transfer->length = setup.wLength;
    return check_recipient(port, &setup);
}

static int prepare_data(struct urb *urb)
{
    struct sim_transfer *transfer = &urb->transfer;
    const struct usbdevfs_urb *user = user_urb(urb);
    const uint8_t *endpoint = usb_core_find_endpoint(&urb->usbfs->port->core, user->endpoint);

    if (!endpoint)
        return -ENOENT;
    transfer->zero_packet = user->flags & USBDEVFS_URB_ZERO_PACKET;
    transfer->data = urb->buffer ? urb->buffer->data : NULL;
    transfer->length = (size_t)user->buffer_length;
    return usb_core_prepare(transfer, endpoint) ? 0 : -EINVAL;
}

static int prepare(struct urb *urb)
{
    const struct usbdevfs_urb *user = user_urb(urb);

    if (user->buffer_length < 0 || user->buffer_length > URB_MAX)
        return -EINVAL;
    if (user->buffer_length > 0) {
        urb->buffer =
            fetch(urb->data, offsetof(struct usbdevfs_urb, buffer), (size_t)user->buffer_length);
        if (!urb->buffer)
            return -EFAULT;
    }
    switch (user->type) {
    case USBDEVFS_URB_TYPE_CONTROL:
        return prepare_control(urb);
    case USBDEVFS_URB_TYPE_BULK:
    case USBDEVFS_URB_TYPE_INTERRUPT:
        return prepare_data(urb);
    default:
        return -EINVAL;
    }
}

static int submit_urb(struct mock_usbfs *usbfs, UMockdevIoctlClient *client)
{
    UMockdevIoctlData *data = argument(client, sizeof(struct usbdevfs_urb));

    if (!data)
        return -EFAULT;
    struct urb *urb = g_new0(struct urb, 1);
    urb->usbfs = usbfs;
    urb->client = g_object_ref(client);
    urb->data = data;
    int error = prepare(urb);
    if (error) {
        free_urb(urb);
        return error;
    }

    urb->transfer.done = urb_done;
    urb->transfer.context = urb;
    append(&usbfs->pending, urb);
    if (sim_host_submit(usbfs->port->host, &urb->transfer) < 0) {
        remove_urb(&usbfs->pending, urb);
        free_urb(urb);
        return -ENODEV;
    }
    mock_port_run_busy(usbfs->port);
    return 0;
}

// The argument is the address that the URB has in the program.
static int discard_urb(struct mock_usbfs *usbfs, UMockdevIoctlClient *client)
{
    unsigned long address;

    memcpy(&address, umockdev_ioctl_client_get_arg(client)->data, sizeof(address));
    for (struct urb *urb = usbfs->pending; urb; urb = urb->next) {
        if (urb->client == client && urb->data->client_addr == address) {
            sim_host_cancel(usbfs->port->host, &urb->transfer);
            return 0;
        }
    }
    return -EINVAL;
}

// Give the client its first URB that has ended. Returns whether there is an answer; if so the
// ioctl is completed.
static bool reap_urb(struct mock_usbfs *usbfs, UMockdevIoctlClient *client)
{
    for (struct urb *urb = usbfs->ended; urb; urb = urb->next) {
        if (urb->client != client)
            continue;
        UMockdevIoctlData *result = argument(client, sizeof(void *));
        if (result)
            umockdev_ioctl_data_set_ptr(result, 0, urb->data);
        complete(client, result ? 0 : -EFAULT);
        g_clear_object(&result);
        remove_urb(&usbfs->ended, urb);
        free_urb(urb);
        return true;
    }
    if (usbfs->gone)
        complete(client, -ENODEV);
    return usbfs->gone;
}

static void answer_waiting(struct mock_usbfs *usbfs, bool now)
{
    UMockdevIoctlClient *client = usbfs->waiting;

    if (!client)
        return;
    bool answered = reap_urb(usbfs, client);
    if (!answered && now)
        complete(client, -EAGAIN);
    if (answered || now)
        g_clear_object(&usbfs->waiting);
}

static void wait_for_urb(struct mock_usbfs *usbfs, UMockdevIoctlClient *client)
{
    if (reap_urb(usbfs, client))
        return;
    if (usbfs->waiting)
        complete(client, -EAGAIN);
    else
        usbfs->waiting = g_object_ref(client);
}

// ---- The other ioctls ----

static int get_capabilities(UMockdevIoctlClient *client)
{
    const uint32_t capabilities = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
                                  USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
    UMockdevIoctlData *data = argument(client, sizeof(capabilities));

    if (!data)
        return -EFAULT;
    memcpy(data->data, &capabilities, sizeof(capabilities));
    g_object_unref(data);
    return 0;
}

// Of an ioctl that takes a pointer to one or two unsigned numbers.
static int get_numbers(UMockdevIoctlClient *client, unsigned *numbers, size_t size)
{
    UMockdevIoctlData *data = argument(client, size);

    if (!data)
        return -EFAULT;
    memcpy(numbers, data->data, size);
    g_object_unref(data);
    return 0;
}

static int with_numbers(struct mock_port *port, unsigned long request, const unsigned numbers[2])
{
    uint8_t number = (uint8_t)numbers[0];

    if (numbers[0] > 255 || numbers[1] > 255)
        return -EINVAL;
    switch (request) {
    case USBDEVFS_CLAIMINTERFACE:
    case USBDEVFS_RELEASEINTERFACE:
        return has_interface(port, number) ? 0 : -ENOENT;
    case USBDEVFS_SETCONFIGURATION:
        return mock_port_set_configuration(port, number);
    case USBDEVFS_SETINTERFACE:
        return mock_port_set_interface(port, number, (uint8_t)numbers[1]);
    default: // USBDEVFS_CLEAR_HALT
        return mock_port_clear_halt(port, number);
    }
}

static int dispatch(struct mock_usbfs *usbfs, UMockdevIoctlClient *client, unsigned long request)
{
    unsigned numbers[2] = {0};
    int error;

    switch (request) {
    case USBDEVFS_GET_CAPABILITIES:
        return get_capabilities(client);
    case USBDEVFS_CLAIMINTERFACE:
    case USBDEVFS_RELEASEINTERFACE:
    case USBDEVFS_SETCONFIGURATION:
    case USBDEVFS_CLEAR_HALT:
        error = get_numbers(client, numbers, sizeof(numbers[0]));
        if (request == USBDEVFS_SETCONFIGURATION && numbers[0] == UINT_MAX)
            numbers[0] = 0; // -1 takes the configuration away: usb_set_configuration()
        return error ? error : with_numbers(usbfs->port, request, numbers);
    case USBDEVFS_SETINTERFACE:
        error = get_numbers(client, numbers, sizeof(numbers));
        return error ? error : with_numbers(usbfs->port, request, numbers);
    case USBDEVFS_SUBMITURB:
        return submit_urb(usbfs, client);
    case USBDEVFS_RESET:
        return mock_port_reset(usbfs->port);
    case USBDEVFS_GETDRIVER: // no kernel driver is ever bound
    case USBDEVFS_IOCTL:     // to detach or attach one
        return usbfs->port->left ? -ENODEV : -ENODATA;
    default:
        return -ENOTTY;
    }
}

static gboolean on_ioctl(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer context)
{
    struct mock_usbfs *usbfs = context;
    unsigned long request = umockdev_ioctl_client_get_request(client);
    (void)handler;

    g_mutex_lock(usbfs->lock);
    mock_port_catch_up(usbfs->port);
    if (request == USBDEVFS_REAPURBNDELAY)
        wait_for_urb(usbfs, client);
    else if (request == USBDEVFS_DISCARDURB)
        complete(client, discard_urb(usbfs, client));
    else
        complete(client, usbfs->gone ? -ENODEV : dispatch(usbfs, client, request));
    answer_waiting(usbfs, false);
    g_mutex_unlock(usbfs->lock);
    return TRUE;
}

// ---- Life ----

static struct urb *first_of(struct urb *urb, const UMockdevIoctlClient *client)
{
    while (urb && client && urb->client != client)
        urb = urb->next;
    return urb;
}

// Take back the URBs of a client, or of all (NULL).
static void drop_urbs(struct mock_usbfs *usbfs, const UMockdevIoctlClient *client)
{
    struct urb *urb;

    while ((urb = first_of(usbfs->pending, client)))
        sim_host_cancel(usbfs->port->host, &urb->transfer);
    while ((urb = first_of(usbfs->ended, client))) {
        remove_urb(&usbfs->ended, urb);
        free_urb(urb);
    }
}

static void on_vanished(UMockdevIoctlBase *handler, UMockdevIoctlClient *client, gpointer context)
{
    struct mock_usbfs *usbfs = context;
    (void)handler;

    g_mutex_lock(usbfs->lock);
    if (usbfs->waiting == client)
        g_clear_object(&usbfs->waiting);
    drop_urbs(usbfs, client);
    g_mutex_unlock(usbfs->lock);
}

struct mock_usbfs *mock_usbfs_open(struct mock_port *port, GMutex *lock)
{
    struct mock_usbfs *usbfs = g_new0(struct mock_usbfs, 1);

    usbfs->port = port;
    usbfs->lock = lock;
    usbfs->handler = umockdev_ioctl_base_new();
    g_signal_connect(usbfs->handler, "handle-ioctl", G_CALLBACK(on_ioctl), usbfs);
    g_signal_connect(usbfs->handler, "client-vanished", G_CALLBACK(on_vanished), usbfs);
    return usbfs;
}

UMockdevIoctlBase *mock_usbfs_handler(struct mock_usbfs *usbfs)
{
    return usbfs->handler;
}

void mock_usbfs_tick(struct mock_usbfs *usbfs)
{
    answer_waiting(usbfs, true);
}

bool mock_usbfs_has_unreaped(const struct mock_usbfs *usbfs)
{
    return usbfs->ended;
}

void mock_usbfs_gone(struct mock_usbfs *usbfs)
{
    usbfs->gone = true;
    while (usbfs->pending)
        sim_host_cancel(usbfs->port->host, &usbfs->pending->transfer);
    answer_waiting(usbfs, true);
}

void mock_usbfs_close(struct mock_usbfs *usbfs)
{
    g_signal_handlers_disconnect_by_data(usbfs->handler, usbfs);
    g_mutex_lock(usbfs->lock);
    answer_waiting(usbfs, true);
    drop_urbs(usbfs, NULL);
    g_mutex_unlock(usbfs->lock);
    g_object_unref(usbfs->handler);
    g_free(usbfs);
}
