// SPDX-License-Identifier: MIT
//
// Each device has a slot with a vhci port. The slot passes through the states attached (the kernel
// has the socket), appeared (the kernel has enumerated it), away (the device has left the bus by
// itself) and ended. A slot that is away is tried again at each turn of the loop, at the same port,
// or at a free one if the device's speed needs another kind of port, until the kernel accepts it.
//
// vhci-hcd frees a port before the kernel has noticed that its device has gone: a hub is served by
// one worker, which may be busy with the device of another port. A device that connects before that
// would be taken for the one that left, if it has the same descriptors, and would not be reset,
// addressed and configured. So the slot waits until sysfs no longer has the old one.

#include <vhci/attach.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// sysfs is looked at as often as this, and for a tenth of the time at most: with 240 ports a look
// is long, and the kernel that enumerates the devices waits for this process.
static const uint64_t look_ns = 2000000;
static const uint64_t unseen_ns = 10000000000;
enum { PAUSE = 10 };

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct vhci_attach_slot *find_slot(struct vhci_attach *attach,
                                          const struct usbip_device *device)
{
    for (size_t i = 0; i < attach->count; i++)
        if (attach->slots[i].device == device)
            return &attach->slots[i];
    return NULL;
}

// ---- Attaching ----

// The kernel first: it refuses a port in use, and then the device has not been touched.
static int attach_slot(struct vhci_attach *attach, struct vhci_attach_slot *slot)
{
    const struct usbip_record *record = usbip_device_record(slot->device);
    int ends[2];
    int result;

    if (usbip_device_availability(slot->device) != USBIP_OP_OK)
        return -EAGAIN;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    result = vhci_attach(attach->vhci, slot->port, ends[1], record->busnum << 16 | record->devnum,
                         record->speed);
    close(ends[1]); // the kernel has its own reference
    if (result < 0) {
        close(ends[0]);
        return result;
    }
    slot->state = VHCI_SLOT_ATTACHED;
    slot->asked = 0;
    attach->progress_ns = clock_ns();
    return loop_adopt(attach->loop, ends[0], slot->device);
}

static bool is_super_speed(const struct vhci_attach_slot *slot)
{
    return usbip_device_record(slot->device)->speed >= USBIP_SPEED_SUPER;
}

// Another program may take a free port between looking and writing.
static int attach_to_free_port(struct vhci_attach *attach, struct vhci_attach_slot *slot)
{
    int result = -EBUSY;

    slot->super_speed = is_super_speed(slot);
    for (int attempt = 0; attempt < 10 && result == -EBUSY; attempt++) {
        result = vhci_find_free(attach->vhci, slot->super_speed, &slot->port);
        if (result < 0)
            return result;
        result = attach_slot(attach, slot);
    }
    return result;
}

// To the port where it was, unless it has come back at a speed that has other ports: its boot
// loader is seldom a SuperSpeed device.
static void attach_again(struct vhci_attach *attach, struct vhci_attach_slot *slot)
{
    unsigned busnum, devnum;

    if (usbip_device_availability(slot->device) != USBIP_OP_OK)
        return;
    if (*slot->path && vhci_locate(attach->vhci, slot->path, &busnum, &devnum) == 0)
        return;
    *slot->path = '\0';
    if (is_super_speed(slot) == slot->super_speed)
        attach_slot(attach, slot);
    else
        attach_to_free_port(attach, slot);
}

// ---- While the loop runs ----

static void ended(void *context, const struct loop_ending *ending)
{
    struct vhci_attach *attach = context;
    struct vhci_attach_slot *slot = find_slot(attach, ending->device);

    if (!slot)
        return;
    if (slot->state == VHCI_SLOT_LOST || ending->left ||
        usbip_device_availability(slot->device) != USBIP_OP_OK) {
        slot->state = VHCI_SLOT_AWAY;
        return;
    }
    slot->state = VHCI_SLOT_ENDED;
    if (attach->events.detached)
        attach->events.detached(attach->context, slot->device);
    for (size_t i = 0; i < attach->count; i++)
        if (attach->slots[i].state != VHCI_SLOT_ENDED)
            return;
    loop_stop(attach->loop);
}

// One of the ports of vhci-hcd: is it where a device is awaited?
static bool look_at(void *context, const struct vhci_port *port)
{
    struct vhci_attach *attach = context;
    struct vhci_place place = {.port = port->port};

    for (size_t i = 0; port->state == VHCI_USED && i < attach->count; i++) {
        struct vhci_attach_slot *slot = &attach->slots[i];

        if (slot->port != port->port || slot->state != VHCI_SLOT_ATTACHED ||
            vhci_locate(attach->vhci, port->path, &place.busnum, &place.devnum) < 0)
            continue;
        memcpy(place.path, port->path, sizeof place.path);
        memcpy(slot->path, port->path, sizeof slot->path);
        slot->state = VHCI_SLOT_APPEARED;
        slot->had_chance = false;
        attach->progress_ns = clock_ns();
        if (attach->events.appeared)
            attach->events.appeared(attach->context, slot->device, &place);
    }
    return false;
}

static void note_questions(struct vhci_attach *attach)
{
    for (size_t i = 0; i < attach->count; i++) {
        struct vhci_attach_slot *slot = &attach->slots[i];
        unsigned asked = usbip_device_asked(slot->device);

        if (slot->state != VHCI_SLOT_ATTACHED || asked == slot->asked)
            continue;
        slot->asked = asked;
        attach->progress_ns = clock_ns();
    }
}

// The kernel ends the connection, and ended() makes it one that is away.
static void plug_in_again(struct vhci_attach *attach)
{
    for (size_t i = 0; i < attach->count; i++) {
        struct vhci_attach_slot *slot = &attach->slots[i];

        if (slot->state != VHCI_SLOT_ATTACHED || (slot->asked && slot->had_chance))
            continue;
        slot->had_chance = slot->asked > 0;
        slot->state = VHCI_SLOT_LOST;
        vhci_detach(attach->vhci, slot->port);
    }
    attach->progress_ns = clock_ns();
}

static void look_for_devices(struct vhci_attach *attach, uint64_t now_ns)
{
    vhci_each_port(attach->vhci, look_at, attach);
    note_questions(attach);
    if (now_ns - attach->progress_ns >= unseen_ns && now_ns > attach->progress_ns)
        plug_in_again(attach);
}

static bool turned(void *context)
{
    struct vhci_attach *attach = context;
    const uint64_t begin_ns = clock_ns();
    const bool look = begin_ns >= attach->look_ns;
    bool awaited = false;
    bool away = false;
    uint64_t took_ns;

    for (size_t i = 0; i < attach->count; i++) {
        struct vhci_attach_slot *slot = &attach->slots[i];

        // -EBUSY: the kernel has not cleaned the port up yet. Other errors may pass as well.
        if (slot->state == VHCI_SLOT_AWAY && (look || !*slot->path))
            attach_again(attach, slot);
        away |= slot->state == VHCI_SLOT_AWAY || slot->state == VHCI_SLOT_LOST;
        awaited |= slot->state == VHCI_SLOT_ATTACHED;
    }
    if (look && awaited)
        look_for_devices(attach, begin_ns);
    took_ns = clock_ns() - begin_ns;
    if (look)
        attach->look_ns = begin_ns + (took_ns > look_ns / PAUSE ? took_ns * PAUSE : look_ns);
    return away || awaited;
}

// ---- Opening and closing ----

void vhci_explain(int result, char *error, size_t error_size)
{
    switch (-result) {
    case ENODEV:
        snprintf(error, error_size,
                 "no vhci-hcd on this machine: load it (modprobe vhci-hcd, as root), or use "
                 "dfu-sim run --via guest");
        break;
    case EACCES:
    case EPERM:
        snprintf(error, error_size,
                 "no permission to write the files attach and detach of vhci-hcd in sysfs: run as "
                 "root, or use dfu-sim run --via guest");
        break;
    case EBUSY:
        snprintf(error, error_size,
                 "all ports of vhci-hcd for devices of this speed are in use: detach something "
                 "(usbip port shows what), or ask for fewer devices");
        break;
    case EAGAIN:
        snprintf(error, error_size, "the device is not on the bus, so it cannot be attached");
        break;
    default:
        snprintf(error, error_size, "cannot attach to vhci-hcd: %s", strerror(-result));
    }
}

int vhci_attach_open(struct vhci_attach *attach,
                     const struct vhci *vhci,
                     struct usbip_device *const *devices,
                     size_t count,
                     const struct vhci_attach_events *events,
                     void *context,
                     char *error,
                     size_t error_size)
{
    static const struct loop_events loop_events = {.ended = ended, .turned = turned};
    int result = 0;

    *attach = (struct vhci_attach){.vhci = vhci, .events = *events, .context = context};
    attach->loop = loop_open(devices, count, &loop_events, attach);
    attach->slots = calloc(count, sizeof *attach->slots);
    if (!attach->loop || !attach->slots)
        result = -errno;
    while (result == 0 && attach->count < count) {
        struct vhci_attach_slot *slot = &attach->slots[attach->count++];

        slot->device = devices[attach->count - 1];
        result = attach_to_free_port(attach, slot);
    }
    if (result == 0)
        return 0;
    vhci_explain(result, error, error_size);
    vhci_attach_close(attach);
    return -1;
}

void vhci_attach_close(struct vhci_attach *attach)
{
    for (size_t i = 0; i < attach->count; i++) {
        struct vhci_attach_slot *slot = &attach->slots[i];

        if (slot->state == VHCI_SLOT_ATTACHED || slot->state == VHCI_SLOT_APPEARED)
            vhci_detach(attach->vhci, slot->port);
        slot->state = VHCI_SLOT_ENDED;
    }
    loop_close(attach->loop);
    free(attach->slots);
    attach->loop = NULL;
    attach->slots = NULL;
}
