// SPDX-License-Identifier: MIT
//
// guest.h - run a command in a small virtual machine whose Linux kernel has USB.
//
// For machines without vhci-hcd, or without permission to use it. The guest is a copy of the host
// (guest/init), so the command, its libraries and its files are where they are here. Files that the
// command writes to the current directory are the host's; other writes are lost.
//
//   host: guest_run()                     guest: guest_agent()
//   starts qemu, then relays  <-- port -->  starts the command, then relays
//
// The port is a virtio-serial port; guest_link.h is what travels over it. Input, both outputs and
// the exit status come through unchanged.

#ifndef HOSTSIM_GUEST_H
#define HOSTSIM_GUEST_H

#include <stdbool.h>

// Can guest_run() work here? NULL, or a line that says what is missing.
const char *guest_missing(void);

// Run argv (NULL-terminated) in the guest with this process's environment, directory and standard
// streams. Returns its exit status, 128 + the signal that ended it, or 128 + the signal that ended
// this (SIGINT, SIGTERM, SIGHUP); or a negative errno after a line on stderr.
int guest_run(char *const argv[]);

// The guest's end, on an open port: run the one command that arrives, relay, report how it ended.
// Returns 0, or a negative errno when the port failed.
int guest_agent(int port);

// The host's end, on an open port: send the command, relay this process's standard streams until
// it has ended. signals is a signalfd, readable when this is to stop. Returns as guest_run() does;
// -EPIPE when the other end is gone, -ETIME when it has not said hello in hello_ms; ret_started
// tells whether it has. SIGPIPE is to be ignored.
int guest_relay(int port, int signals, int hello_ms, char *const argv[], bool *ret_started);

#endif
