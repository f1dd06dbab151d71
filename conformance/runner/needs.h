// SPDX-License-Identifier: MIT
//
// needs.h - is there what a check needs? If not, the check is a SKIP, and says what is missing.

#ifndef CONFORMANCE_NEEDS_H
#define CONFORMANCE_NEEDS_H

#include <stdbool.h>

#include <conformance/probe.h>
#include <conformance/runner.h>

// What no change of mode brings: options, the transport, the kind of device that run time shows.
bool needs_before_mode(struct probe *probe,
                       const struct runner_options *options,
                       const struct check *check);

// What the device in its present mode has, once it is in the one that the check is for.
bool needs_in_mode(struct probe *probe,
                   const struct runner_options *options,
                   const struct check *check);

#endif
