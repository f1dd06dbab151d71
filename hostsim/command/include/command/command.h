// SPDX-License-Identifier: MIT
//
// command.h - the command of `dfu-sim run`, while a device is simulated beside it.
//
//     command_init(&command);                     // before any thread is started
//     command_start(&command, argv);
//     while (!command_wait(&command, 1, &status))
//         ...let the device live...

#ifndef HOSTSIM_COMMAND_H
#define HOSTSIM_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct command {
    sigset_t signals;  // looked for by command_wait()
    sigset_t original; // the mask before
    pid_t pid;
};

// Block the signals that command_wait() looks for: the command's end, and those that end dfu-sim.
void command_init(struct command *command);

// Start argv (NULL-terminated, looked for in PATH). Returns 0, or a negative errno after a line on
// stderr.
int command_start(struct command *command, char *const argv[]);

// Wait at most timeout_ms for its end. SIGINT, SIGTERM and SIGHUP are passed on to it. Returns
// whether it has ended, with its exit status or 128 + the signal that ended it.
bool command_wait(struct command *command, int timeout_ms, int *ret_status);

#endif
