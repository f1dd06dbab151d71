// SPDX-License-Identifier: MIT
//
// run_command.h - a shell command that a person gave, run to its end within a limit of time.

#ifndef CONFORMANCE_RUN_COMMAND_H
#define CONFORMANCE_RUN_COMMAND_H

// Run it with sh -c, its standard output joined to standard error so that a report on standard
// output stays whole. Returns its exit status; -1 if it could not be started, was ended by a
// signal, or had to be killed, with all that it started, after timeout_ms.
int run_command(const char *command, unsigned timeout_ms);

#endif
