// SPDX-License-Identifier: MIT
//
// privileges.h - how a program that root has started goes on as another user (credentials(7)).

#ifndef HOSTSIM_PRIVILEGES_H
#define HOSTSIM_PRIVILEGES_H

#include <stdbool.h>

// Is this root's, and did sudo start it for another user (SUDO_UID)?
bool privileges_are_lent(void);

// Become the user that sudo was called by, or nobody where there is none, for good. Nothing happens
// where this is not root's. Returns 0 or a negative errno: then the program must end.
int privileges_drop(void);

#endif
