// SPDX-License-Identifier: MIT
//
// help.h - what dfu-sim says of itself.

#ifndef HOSTSIM_HELP_H
#define HOSTSIM_HELP_H

#include <stdio.h>

struct help_command {
    const char *name;
    unsigned accepted;     // of enum options_set
    const char *arguments; // NULL: not for people
    const char *summary;
    const char *example;
};

// Each command in two lines.
void help_print_command(FILE *stream, const struct help_command *command);

// The options of these sets, a line each.
void help_print_options(FILE *stream, unsigned accepted);

#endif
