// SPDX-License-Identifier: MIT
//
// name.h - a device or a defect, with its name.

#ifndef SIM_NAME_H
#define SIM_NAME_H

struct sim_name {
    const char *name;
    const char *summary; // one line for a person
};

#endif
