// SPDX-License-Identifier: MIT
//
// identity.h - descriptors and strings of the device, for reports.

#ifndef CONFORMANCE_IDENTITY_H
#define CONFORMANCE_IDENTITY_H

#include <conformance/probe.h>
#include <conformance/report.h>

// The first time that the device is seen in its present mode, keep its descriptors and strings.
void identify(struct probe *probe, struct report *report);

#endif
