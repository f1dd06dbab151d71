// SPDX-License-Identifier: MIT
//
// commands.h - the subcommands of dfu-sim, a file each.

#ifndef HOSTSIM_COMMANDS_H
#define HOSTSIM_COMMANDS_H

#include "options.h"

// Each returns the exit status of the program: 0; 2 if it could not do its work, after one line on
// stderr.

int command_attach(const struct options *options);
int command_list(const struct options *options);
int command_serve(const struct options *options);
int command_run(const struct options *options);
int command_guest(const struct options *options);
int command_guest_agent(const struct options *options);

#endif
