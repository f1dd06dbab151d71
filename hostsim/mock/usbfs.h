// SPDX-License-Identifier: MIT
//
// usbfs.h - the ioctls of one device node below /dev/bus/usb, answered from a mock port.
//
// As linux/usbdevice_fs.h has them, as far as libusb uses them. A node belongs to one device from
// its connect to its disconnect; a program that holds it open afterwards gets ENODEV.

#ifndef HOSTSIM_MOCK_USBFS_H
#define HOSTSIM_MOCK_USBFS_H

#include <umockdev.h>

#include "port.h"

struct mock_usbfs;

// A node for what is plugged into the port. umockdev's worker thread calls into it; lock guards the
// port against that.
struct mock_usbfs *mock_usbfs_open(struct mock_port *port, GMutex *lock);

// With the lock not held, and the node taken out of the testbed.
void mock_usbfs_close(struct mock_usbfs *usbfs);

// To attach to the testbed.
UMockdevIoctlBase *mock_usbfs_handler(struct mock_usbfs *usbfs);

// Every millisecond or so, with the lock held: answer who waits for an URB.
void mock_usbfs_tick(struct mock_usbfs *usbfs);

// With the lock held: has an URB ended that no program has reaped yet?
bool mock_usbfs_has_unreaped(const struct mock_usbfs *usbfs);

// The device has left: with the lock held. URBs under way have ended.
void mock_usbfs_gone(struct mock_usbfs *usbfs);

#endif
