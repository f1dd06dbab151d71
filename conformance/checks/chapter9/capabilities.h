// SPDX-License-Identifier: MIT
//
// capabilities.h - checks of what a device says of itself, which hold in DFU mode, too.

#ifndef CONFORMANCE_CAPABILITIES_H
#define CONFORMANCE_CAPABILITIES_H

#include <conformance/probe.h>

// A BOS if and only if bcdUSB is 0201h or above.
void bos_where_due(struct probe *probe);

// GET_DESCRIPTOR(DEVICE_QUALIFIER) STALLs or returns a legal one.
void qualifier_form(struct probe *probe);

#endif
