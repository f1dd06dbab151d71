// SPDX-License-Identifier: MIT
//
// option_table.h - the options of dfu-sim, a row each: what the parser takes and what the help
// says.

#ifndef HOSTSIM_OPTION_TABLE_H
#define HOSTSIM_OPTION_TABLE_H

#include "options.h"

struct option_row {
    const char *name; // without the dashes; NULL in the row after the last
    int letter;       // what getopt returns
    enum options_set set;
    const char *argument;
    const char *text; // for the help: at most 59 characters a line
};

extern const struct option_row option_table[];

enum { OPTION_TABLE_MAX = 24 }; // rows

#endif
