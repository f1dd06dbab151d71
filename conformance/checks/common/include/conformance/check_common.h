// SPDX-License-Identifier: MIT
//
// check_common.h - steps that several groups of checks are made of.

#ifndef CONFORMANCE_CHECK_COMMON_H
#define CONFORMANCE_CHECK_COMMON_H

#include <stdbool.h>
#include <stdint.h>

#include <conformance/probe.h>

struct configuration_bytes {
    uint8_t bytes[PROBE_CONTROL_MAX];
    int length; // received
    struct usb_configuration config;
};

// Read the active configuration from the device, whatever its index, by its header and then by
// wTotalLength. One that is larger than the suite holds makes the check INCONCLUSIVE.
bool read_configuration(struct probe *probe, struct configuration_bytes *ret);

// All of the active configuration is held, so that what it does not name is absent; otherwise the
// check is INCONCLUSIVE.
bool given_whole_configuration(struct probe *probe);

// The number of an interface that the active configuration does not have. Where the suite does not
// hold all of it the check is INCONCLUSIVE, and SKIP where there are all 256.
bool given_absent_interface(struct probe *probe, uint16_t *ret_number);

// The target carries a data stage of this length, or the check is INCONCLUSIVE.
bool given_carried(struct probe *probe, uint16_t length);

// The index of the active configuration: the one with its bConfigurationValue.
uint8_t active_configuration_index(struct probe *probe);

// The first bConfigurationValue from this one on that no configuration has. Where each of 1 to 255
// is one's, any of them.
uint8_t absent_configuration(struct probe *probe, uint8_t from);

// Call look for each configuration that bNumConfigurations counts and that can be read, until look
// returns false. Returns whether all were looked at. That each can be read is CH9-CFG-17's.
typedef bool
look_at_configuration(struct probe *probe, const struct configuration_bytes *read, void *context);
bool for_each_configuration(struct probe *probe, look_at_configuration *look, void *context);

// The same for a requirement about something that a device may do without: look counts in its
// context (an unsigned) how many it saw. None in all configurations: the requirement is for another
// kind of device than this.
void for_each_that_has(struct probe *probe, look_at_configuration *look, const char *kind);

// As a host finds the device: what a check's own SET_CONFIGURATION did to it is undone, by a bus
// reset. In DFU mode, which that would end, by another SET_CONFIGURATION.
void configure_afresh(struct probe *probe);

// Read the 18 bytes of the device descriptor.
bool read_device_descriptor(struct probe *probe, uint8_t bytes[USBDEV_DEVICE_DESCRIPTOR_SIZE]);

// The class of the device has requests to the device, as hubs and Bluetooth controllers have, or is
// the vendor's: a class request to the device that the suite takes for unknown may be one of them.
bool device_class_has_requests(const struct probe *probe);

// A step that took several requests was carried out; else why says what failed. A device that was
// lost in it may have been unplugged: that is INCONCLUSIVE.
bool expect_step(struct probe *probe, bool done, const char *expected, const char *why);

// The serial number; empty where there is none or it cannot be read. Returns false, and the check
// is INCONCLUSIVE, if the device is gone.
bool given_serial(struct probe *probe, char *text, size_t size);

// Endpoint 0 still works: the next request is answered.
bool expect_alive(struct probe *probe);

// The last transfer had its data in time: each packet within 500 ms, the status stage within 50 ms
// after the last one (USB 2.0 9.2.6.4, for classes 9.2.6.5).
bool expect_data_in_time(struct probe *probe, const char *what);

// Ask for the DFU state by GETSTATE; by GETSTATUS where that STALLs, has another length or has lost
// the device twice. Returns 0; USB_STALL if the device does not tell it, as it may not in appIDLE
// (table A.2.1); or what came instead of an answer.
int ask_state(struct probe *probe, uint8_t *ret_state);

// The device is in appIDLE, or the check is INCONCLUSIVE. One that does not tell its state may
// still be in appDETACH: it gets wDetachTimeOut to leave it.
bool given_app_idle(struct probe *probe);

// DETACH is carried out to the end of its status stage. A device that leaves the bus before that
// breaks the expectation.
bool expect_detach(struct probe *probe, uint16_t wValue);

// The same for a check that sent DETACH itself.
bool expect_detached(struct probe *probe, int result);

// The device leaves the bus without being reset.
bool expect_leave(struct probe *probe);

// After DETACH: the device leaves by itself, or is reset, as bitWillDetach says, and is in DFU mode
// not later than limit_ms after.
bool expect_dfu_mode(struct probe *probe, unsigned limit_ms);

// A bus reset after which the device is at run time, in appIDLE.
bool expect_run_time_after_reset(struct probe *probe, const char *when);

// Bring the device back to run time; else the check is INCONCLUSIVE.
bool back_to_run_time(struct probe *probe);

#endif
