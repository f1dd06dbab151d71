// SPDX-License-Identifier: MIT
//
// named_files.h - the files that a command line names, held against each other.

#ifndef CONFORMANCE_NAMED_FILES_H
#define CONFORMANCE_NAMED_FILES_H

#include "arguments.h"
#include <conformance/target.h>

// Is a file named twice, one time to be written? Called when the reports are open, so that those
// exist, and before the capture is. Returns 0, or -1 with one line in error.
int named_files_check(const struct arguments *arguments,
                      const struct target_spec *spec,
                      char *error,
                      size_t size);

#endif
