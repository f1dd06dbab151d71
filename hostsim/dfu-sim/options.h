// SPDX-License-Identifier: MIT
//
// options.h - the command line of dfu-sim's subcommands: one parser, each says what it accepts.

#ifndef HOSTSIM_OPTIONS_H
#define HOSTSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <sim/devices.h>
#include <usbip/proto.h>

enum {
    OPTIONS_MAX_COUNT = 4096, // devices; as many as a USB/IP list has (usbip/proto.h)
    OPTIONS_MAX_HOST = 64,
};

// What a subcommand accepts.
enum options_set {
    OPTIONS_DEVICE = 1, // what the device is: --device, --firmware and so on
    OPTIONS_LISTEN = 2,
    OPTIONS_COUNT = 4,
    OPTIONS_CAPTURE = 8,
    OPTIONS_VIA = 16,
    OPTIONS_COMMAND = 32, // words that are not options: a command to run
};

// How `run` puts the device on a bus.
enum options_via {
    OPTIONS_VIA_AUTO,
    OPTIONS_VIA_VHCI,
    OPTIONS_VIA_GUEST,
    OPTIONS_VIA_MOCK,
};

struct options {
    struct sim_options sim;
    const char *listen;                 // as given: 127.0.0.1:3240
    char listen_host[OPTIONS_MAX_HOST]; // 127.0.0.1
    char listen_port[USBIP_PORT_SIZE];  // 3240; with the host USBIP_UNIX_HOST a path
    unsigned count;                     // 1
    const char *capture;                // or NULL
    enum options_via via;
    bool help;      // was asked for; the rest is not complete
    char **words;   // the subcommand and its options, up to command
    char **command; // NULL-terminated; empty without OPTIONS_COMMAND
};

// Parse the arguments of a subcommand; argv[0] is its name. Returns 0, or -1 with one line in error
// that says what was wrong and what to do.
int options_parse(struct options *ret_options,
                  unsigned accepted,
                  int argc,
                  char **argv,
                  char *error,
                  size_t error_size);

#endif
