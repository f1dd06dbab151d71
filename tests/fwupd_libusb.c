// SPDX-License-Identifier: MIT
//
// Preloaded into fwupdtool: libusb watches for no devices.
//
// fwupd binds its netlink socket to its process id as the port, and asks libusb 1.0.27 not to watch
// for devices by itself. Built with an older libusb it cannot ask; libusb then binds first, and the
// kernel gives it the same port (netlink(7), nl_pid).

#include <libusb.h>

__attribute__((constructor)) static void watch_no_devices(void)
{
    libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY);
}
