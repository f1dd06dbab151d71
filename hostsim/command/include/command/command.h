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
#include <stdint.h>
#include <sys/types.h>

struct command {
    sigset_t signals;  // looked for by command_wait()
    sigset_t original; // the mask before
    pid_t pid;
    int64_t kill_ms; // when it is killed, by the monotonic clock; 0: it was not told to stop
};

// Block the signals that command_wait() looks for: the command's end, and those that end dfu-sim.
void command_init(struct command *command);

// Start argv (NULL-terminated, looked for in PATH). Returns 0, or a negative errno after a line on
// stderr.
int command_start(struct command *command, char *const argv[]);

// Before it is started: wait at most timeout_ms for a signal that ends dfu-sim. Returns 128 + the
// signal, or 0.
int command_interrupted(const struct command *command, int timeout_ms);

// Wait at most timeout_ms for its end. SIGINT, SIGTERM and SIGHUP are passed on to it; one that is
// still there 2 s after SIGTERM or SIGHUP is killed. Returns whether it has ended, with its exit
// status or 128 + the signal that ended it.
bool command_wait(struct command *command, int timeout_ms, int *ret_status);

// Send it SIGTERM, as if that had been passed on.
void command_stop(struct command *command);

#endif
