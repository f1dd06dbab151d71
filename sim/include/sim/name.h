// SPDX-License-Identifier: MIT
//
// name.h - something that a person chooses by name: a device, a defect.

#ifndef SIM_NAME_H
#define SIM_NAME_H

struct sim_name {
    const char *name;
    const char *summary; // one line for a person
};

#endif
