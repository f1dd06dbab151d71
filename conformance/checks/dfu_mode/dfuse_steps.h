// SPDX-License-Identifier: MIT
//
// dfuse_steps.h - steps that check_dfuse.c and check_dfuse_page.c are made of.

#ifndef CONFORMANCE_DFUSE_STEPS_H
#define CONFORMANCE_DFUSE_STEPS_H

#include <conformance/check_common.h>

// What is read as other bytes than it should be is read once more before the device is blamed.
enum { DFUSE_READINGS = 2 };

// The alternate setting of the flash is selected and the device is in dfuIDLE, or the check is
// INCONCLUSIVE.
bool dfuse_begin(struct probe *probe);

// After a DNLOAD in dfuIDLE that was accepted, GETSTATUS says this state. A device that says
// dfuIDLE has not begun: DM-STATE-2-DNLOAD judges that, and this check is INCONCLUSIVE.
bool given_begun(struct probe *probe, uint8_t bState);

// A download of length bytes ends in dfuDNLOAD-IDLE; result is that of its DNLOAD.
bool expect_downloaded(struct probe *probe, int result, uint16_t length, const char *expected);

// A command with an address is carried out.
bool expect_command(struct probe *probe, uint8_t command, uint32_t address);

#endif
