// SPDX-License-Identifier: MIT
//
// vhci.h - the kernel's virtual USB host controller (vhci-hcd) as sysfs shows it.
//
// It has ports, half of them for high speed and below ("hs"), half for super speed. A connected
// socket that speaks USB/IP is written to a port; from then on the kernel drives the device behind
// it as it drives any other. Any stream socket will do, one end of a socketpair too.
//
// The usbip tool is not needed. Writing is root's, unless an administrator has delegated it.

#ifndef HOSTSIM_VHCI_H
#define HOSTSIM_VHCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vhci_state {
    VHCI_FREE = 4,
    VHCI_NOT_ADDRESSED = 5,
    VHCI_USED = 6,
    VHCI_ERROR = 7,
};

struct vhci_port {
    unsigned port;
    bool super_speed;
    int state;     // enum vhci_state; kernels may know more
    char path[32]; // of the device in /sys/bus/usb/devices, as "1-1", once the port is used
};

// The files that only root may write are opened once: a process can give its privileges up after
// vhci_open() and still attach and detach. All return 0 or a negative errno, -ENODEV if there is no
// vhci-hcd.

struct vhci {
    const char *sysfs;
    int attach; // descriptors of the two files
    int detach;
};

// sysfs is where that is mounted: "/sys".
int vhci_open(struct vhci *vhci, const char *sysfs);
void vhci_close(struct vhci *vhci);

// Call visit() for each port, until it returns true: it has seen enough. Returns whether it has.
int vhci_each_port(const struct vhci *vhci,
                   bool (*visit)(void *context, const struct vhci_port *port),
                   void *context);

// A free port for a device of this speed: SuperSpeed has ports of its own. -EBUSY if all are taken.
int vhci_find_free(const struct vhci *vhci, bool super_speed, unsigned *ret_port);

// Hand one end of a connection over; the caller still closes its copy. devid is busnum << 16 |
// devnum of the exported device, speed as in enum usbip_speed.
int vhci_attach(const struct vhci *vhci, unsigned port, int fd, uint32_t devid, uint32_t speed);
int vhci_detach(const struct vhci *vhci, unsigned port);

// Bus and device number of the device at this path; the device number changes whenever the kernel
// enumerates it again.
int vhci_locate(const struct vhci *vhci,
                const char *path,
                unsigned *ret_busnum,
                unsigned *ret_devnum);

// Parse a line of a status file. Returns whether it describes a port.
bool vhci_parse_port(const char *line, struct vhci_port *ret_port);

#endif
