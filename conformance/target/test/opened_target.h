// SPDX-License-Identifier: MIT
//
// opened_target.h - for tests: the target of a specification as --target takes it.

#ifndef CONFORMANCE_OPENED_TARGET_H
#define CONFORMANCE_OPENED_TARGET_H

#include <conformance/target.h>

// The test fails, with the text of the error, where it is malformed or cannot be opened.
struct target *open_target(const char *text);

#endif
