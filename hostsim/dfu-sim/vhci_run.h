// SPDX-License-Identifier: MIT
//
// vhci_run.h - run a command with devices attached to this machine's vhci-hcd.

#ifndef HOSTSIM_VHCI_RUN_H
#define HOSTSIM_VHCI_RUN_H

#include "options.h"

// Can vhci_run() work here? NULL, or a line that says what is missing.
const char *vhci_missing(void);

// Attach the devices, run options->command, detach. Returns the command's exit status, 128 + the
// signal that ended it, or a negative errno after a line on stderr.
int vhci_run(const struct options *options);

#endif
