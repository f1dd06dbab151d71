// SPDX-License-Identifier: MIT
//
// dfu-sim guest: a command in the test guest, with nothing plugged in; and the agent in there.

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include <guest/guest.h>

enum { COULD_NOT = 2 }; // exit status

int command_guest(const struct options *options)
{
    int status = guest_run(options->command);

    return status < 0 ? COULD_NOT : status;
}

// The word after guest-agent is the port to the machine outside.
int command_guest_agent(const struct options *options)
{
    int port = open(options->command[0], O_RDWR | O_CLOEXEC);

    if (port < 0) {
        fprintf(stderr, "dfu-sim: guest-agent is for the test guest's init\n");
        return COULD_NOT;
    }
    int error = guest_agent(port);
    if (error)
        fprintf(stderr, "dfu-sim: guest-agent: %s\n", strerror(-error));
    close(port);
    return error ? COULD_NOT : 0;
}
