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

int command_guest(int argc, char **argv)
{
    struct options options;
    char error[256];

    if (options_parse(&options, OPTIONS_COMMAND, argc, argv, error, sizeof(error)) < 0) {
        fprintf(stderr, "%s\n", error);
        return COULD_NOT;
    }
    int status = guest_run(options.command);
    return status < 0 ? COULD_NOT : status;
}

int command_guest_agent(int argc, char **argv)
{
    int port = argc == 2 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;

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
