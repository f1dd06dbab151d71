// SPDX-License-Identifier: MIT
//
// probe_private.h - what probe.c tells probe_learn.c.

#ifndef CONFORMANCE_PROBE_PRIVATE_H
#define CONFORMANCE_PROBE_PRIVATE_H

#include <conformance/probe.h>

// A request that was sent at start_us has come to this result.
void probe_learn(struct probe *probe,
                 const struct usbdev_setup_packet *setup,
                 const uint8_t *data,
                 int result,
                 uint64_t start_us);

// A device that was not seen to stay behind a manifestation may restart, as nothing forbids: after
// it has said that it is in dfuIDLE, or after a bus reset that did not end DFU mode.
void probe_learn_of_manifestation(struct probe *probe);

#endif
