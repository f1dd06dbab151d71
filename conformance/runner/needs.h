// SPDX-License-Identifier: MIT
//
// needs.h - tests what a check needs. A need that is not met makes the check a SKIP, which says
// what is missing.

#ifndef CONFORMANCE_NEEDS_H
#define CONFORMANCE_NEEDS_H

#include <stdbool.h>

#include <conformance/probe.h>
#include <conformance/runner.h>

// Needs that do not depend on the mode: options, the transport, the kind of device at run time.
bool needs_before_mode(struct probe *probe,
                       const struct runner_options *options,
                       const struct check *check);

// Needs that depend on the mode, once the device is in the mode of the check.
bool needs_in_mode(struct probe *probe,
                   const struct runner_options *options,
                   const struct check *check);

#endif
