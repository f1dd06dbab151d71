// SPDX-License-Identifier: MIT
//
// commands.h - the subcommands of dfu-sim, a file each.

#ifndef HOSTSIM_COMMANDS_H
#define HOSTSIM_COMMANDS_H

// Each gets its own arguments, argv[0] being its name, and returns the exit status of the program:
// 0; 2 if it could not do its work, after one line on stderr.

int command_attach(int argc, char **argv);
int command_list(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_run(int argc, char **argv);
int command_guest(int argc, char **argv);
int command_guest_agent(int argc, char **argv);

#endif
