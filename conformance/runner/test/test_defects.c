// SPDX-License-Identifier: MIT
//
// The suite against devices that are wrong on purpose. For each defect of the simulator the table
// says on which device it shows, and exactly which requirements must be reported broken (FAIL or
// WARN): those that it breaks, and no other. Where a defect makes the rest of a run pointless, the
// row names the check to run alone.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sim/devices.h>

#include <conformance/runner.h>

#include <cmocka.h> // last: its macros have names that the probe uses too

struct row {
    const char *defect;
    const char *device;
    const char *broken; // ids in the order of the catalogue
    const char *only;   // --only, or NULL
};

// clang-format off
static const struct row rows[] = {
    {"leaves-before-status", "will-detach",
     "REQ-06d RT-DETACH-01 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"no-detach-timer", "wait-reset", "RT-DETACH-07 RT-DETACH-08 RT-DETACH-09 RT-RESET-02", NULL},
    {"second-detach", "wait-reset", "RT-STATE-1-DETACH RT-RESET-04", NULL},
    {"reset-enters-dfu", "will-detach", "CH9-STATE-07 RT-RESET-01", NULL},
    {"reset-bounces", "will-detach", "RT-DETACH-05 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"slow-return", "wait-reset",
     "RT-RESET-05 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02 DM-RESET-01 DM-RESET-02 DM-RESET-03 "
     "DM-RESET-04",
     NULL},
    {"status-always-app-idle", "wait-reset", "RT-DETACH-11", NULL},
    {"status-beyond-wlength", "will-detach", "REQ-08a", NULL},
    {"same-vid-pid", "will-detach", "DM-DESC-06a", NULL},
    {"no-disconnect", "will-detach", "RT-DETACH-04 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"leaves-uncalled-for", "wait-reset", "RT-DETACH-06 RT-RESET-02", NULL},
    {"never-leaves", "will-detach", "RT-DETACH-04 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"timer-too-short", "wait-reset", "RT-DETACH-10", NULL},
    {"timer-uncapped", "wait-reset", "RT-DETACH-09", NULL},
    {"timer-ignores-wvalue", "wait-reset", "RT-DETACH-08 RT-RESET-02", NULL},
    {"returns-as-another", "will-detach", "RT-RETURN-02", NULL},
    {"detaches-once", "will-detach", "RT-RETURN-03", "RT-RETURN-03"},
    {"rt-protocol-0", "will-detach", "RT-DESC-02a", NULL},
    {"rt-alternate-1", "will-detach", "RT-DESC-02b CH9-CFG-10 CH9-REQ-07", NULL},
    {"rt-endpoint", "will-detach", "RT-DESC-02c CH9-REQ-18", NULL},
    {"rt-interface-name", "will-detach", "RT-DESC-02d CH9-STR-02", NULL},
    {"functional-7-bytes", "will-detach", "RT-DESC-03 DM-DESC-04b", NULL},
    {"functional-missing", "will-detach", "RT-DESC-01b", NULL},
    {"functional-twice", "will-detach", "RT-DESC-01b", NULL},
    {"functional-first", "will-detach", "RT-DESC-08", NULL},
    {"attributes-reserved", "will-detach", "RT-DESC-04", NULL},
    {"transfer-size-0", "will-detach", "RT-DESC-05a DM-DESC-04b", NULL},
    {"transfer-size-ffff", "will-detach", "DM-DESC-04b", NULL},
    {"version-swapped", "will-detach", "RT-DESC-06 DM-DESC-04b", NULL},
    {"timeout-0", "will-detach", "DM-DESC-04b", NULL},
    {"timeout-0", "wait-reset",
     "RT-DESC-07a RT-DETACH-07 RT-DETACH-09 DM-DESC-04b", NULL},
    {"timeout-huge", "will-detach", "RT-DESC-07b DM-DESC-04b", NULL},
    {"changes-in-app-detach", "wait-reset", "RT-DESC-09", NULL},
    {"dm-class", "will-detach", "DM-DESC-01a", NULL},
    {"dm-two-configurations", "will-detach", "DM-DESC-01b", NULL},
    {"dm-protocol-1", "will-detach", "DM-DESC-03c", NULL},
    {"dm-transfer-size", "wait-reset", "DM-DESC-04b DM-DNLOAD-04", NULL},
    {"dfu-interface-twice", "will-detach", "RT-DESC-01a", NULL},
    {"dm-interface-twice", "will-detach", "DM-DESC-03a DM-DESC-03b DM-DESC-03e", NULL},
    {"dm-interface-1", "wait-reset",
     "RT-RETURN-01 INTEROP-DFUUTIL-02 INTEROP-DFUUTIL-03 DM-DESC-03b DM-SELECT-01", NULL},
    {"dm-alternate-gap", "will-detach", "DM-DESC-03e DS-UPLOAD-02", NULL},
    {"dm-endpoint", "will-detach", "DM-DESC-03d DM-DESC-05", NULL},
    {"dm-functional-missing", "will-detach", "DM-DESC-04a", NULL},
    {"dm-will-detach", "will-detach", "DM-DESC-04c", NULL},
    {"dm-vendor-descriptor", "will-detach", "DM-DESC-05", NULL},
    {"dm-alternate-unnamed", "will-detach", "DM-DESC-07 DS-LAYOUT-01", NULL},
    {"device-max-packet", "will-detach", "CH9-DEV-02", NULL},
    {"device-no-configuration", "will-detach", "CH9-DEV-03 CH9-CFG-15", NULL},
    {"device-version", "will-detach", "CH9-DEV-04 CH9-BOS-01", NULL},
    {"device-subclass", "will-detach", "CH9-DEV-05", NULL},
    {"device-length", "will-detach", "CH9-DEV-01", NULL},
    {"usb-2.1-without-bos", "will-detach", "CH9-BOS-01", NULL},
    {"configuration-length", "will-detach", "CH9-CFG-01", NULL},
    {"configuration-stray-bytes", "will-detach", "CH9-CFG-03", NULL},
    {"configuration-bit-7", "will-detach", "CH9-CFG-04", NULL},
    {"configuration-reserved-bits", "will-detach", "CH9-CFG-05", NULL},
    {"configuration-power", "will-detach", "CH9-CFG-06", NULL},
    {"configuration-interfaces", "will-detach", "RT-DESC-01c CH9-CFG-08", NULL},
    {"interface-gap", "will-detach", "CH9-CFG-09", NULL},
    {"endpoint-control", "composite", "CH9-CFG-12", NULL},
    {"endpoint-twice", "composite", "CH9-CFG-13", NULL},
    {"endpoint-uncounted", "composite", "CH9-CFG-11", NULL},
    {"association-beyond", "composite", "CH9-CFG-14", NULL},
    {"configuration-value-0", "will-detach", "CH9-CFG-07", NULL},
    {"endpoint-size", "composite", "CH9-CFG-12", NULL},
    {"status-5-bytes", "will-detach",
     "REQ-01a REQ-08a RT-STATE-0-GETSTATUS INTEROP-DFUUTIL-01 INTEROP-FWUPD-01", NULL},
    {"state-no-bytes", "will-detach", "REQ-01b REQ-08b RT-STATE-0-GETSTATE", NULL},
    {"state-2-bytes", "will-detach", "REQ-08b", NULL},
    {"status-unknown", "will-detach", "REQ-02a REQ-02e", NULL},
    {"status-not-ok", "will-detach", "REQ-02e", NULL},
    {"state-unknown", "will-detach", "REQ-02b REQ-02c", NULL},
    {"string-ff", "will-detach", "REQ-03", NULL},
    {"poll-timeout-1s", "will-detach", "REQ-10a", NULL},
    {"poll-timeout-in-app-detach", "wait-reset", "REQ-10b", NULL},
    {"detach-device-class", "will-detach", "REQ-06a", NULL},
    {"detach-vendor-device", "will-detach", "REQ-06b", NULL},
    {"detach-vendor", "will-detach", "REQ-06c", NULL},
    {"detach-in", "will-detach", "REQ-06d", NULL},
    {"detach-endpoint", "will-detach", "REQ-06e", NULL},
    {"detach-other", "will-detach", "REQ-06f", NULL},
    {"status-out", "will-detach", "REQ-06g", NULL},
    {"state-out", "will-detach", "REQ-06h", NULL},
    {"status-of-device", "will-detach", "REQ-06i", NULL},
    {"status-vendor", "will-detach", "REQ-06j", NULL},
    {"wIndex-low-byte", "will-detach", "REQ-07a REQ-07b", NULL},
    {"wIndex-ignored", "will-detach", "REQ-07a REQ-07b REQ-07c REQ-07d", NULL},
    {"wIndex-ignored", "composite",
     "REQ-07a REQ-07b REQ-07c REQ-07d REQ-07e", NULL},
    {"detach-silent", "will-detach",
     "RT-STATE-0-DETACH RT-DETACH-01 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"wedged-by-in-stall", "will-detach", "REQ-05a RT-STATE-0-UPLOAD", NULL},
    {"wedged-by-out-stall", "will-detach", "REQ-05b RT-STATE-0-DNLOAD-0", NULL},
    {"wedged-by-no-data-stall", "will-detach", "REQ-05c RT-STATE-0-ABORT", NULL},
    {"wedged-by-many-stalls", "will-detach", "REQ-05d", NULL},
    {"slow-standard", "will-detach", "REQ-04b", NULL},
    {"slow-status", "will-detach", "REQ-04c", NULL},
    {"slow-detach", "will-detach", "RT-DETACH-02", NULL},
    {"slow-set-interface", "will-detach", "REQ-04a", NULL},
    {"stall-keeps-app-detach", "wait-reset",
     "RT-STATE-1-DETACH RT-STATE-1-DNLOAD RT-STATE-1-DNLOAD-0 RT-STATE-1-UPLOAD "
     "RT-STATE-1-CLRSTATUS RT-RESET-03 RT-RESET-04", NULL},
    {"all-accepted", "will-detach",
     "REQ-08c RT-STATE-0-DNLOAD RT-STATE-0-DNLOAD-0 RT-STATE-0-UPLOAD "
     "RT-STATE-0-CLRSTATUS RT-STATE-0-ABORT", NULL},
    {"detach-stalls", "will-detach",
     "RT-STATE-0-DETACH RT-DETACH-01 INTEROP-DFUUTIL-01 INTEROP-FWUPD-02", NULL},
    {"interface-status", "will-detach", "CH9-REQ-14 CH9-STATE-04 REQ-06k", NULL},
    {"length-0-stalls", "will-detach", "CH9-DEV-08", NULL},
    {"device-descriptor-uncut", "will-detach", "CH9-DEV-06 CH9-DEV-07", NULL},
    {"configuration-uncut", "will-detach", "CH9-CFG-16", NULL},
    {"configuration-short", "will-detach", "RT-DESC-01b CH9-CFG-02 CH9-CFG-03", NULL},
    {"configuration-absent", "will-detach", "CH9-CFG-15", NULL},
    {"bos-uncalled-for", "will-detach", "CH9-BOS-01", NULL},
    {"qualifier-rubbish", "will-detach", "CH9-QUAL-01", NULL},
    {"no-languages", "will-detach", "CH9-STR-01", NULL},
    {"string-missing", "will-detach", "CH9-STR-02", NULL},
    {"string-length", "will-detach", "CH9-STR-03", NULL},
    {"string-utf-8", "will-detach", "CH9-STR-04", NULL},
    {"string-uncut", "will-detach", "CH9-STR-05", NULL},
    {"string-absent", "will-detach", "CH9-STR-06", NULL},
    {"configuration-says-2", "will-detach",
     "CH9-REQ-01 CH9-REQ-02 CH9-REQ-03 CH9-REQ-05 CH9-STATE-02 CH9-STATE-05 "
     "CH9-STATE-06", NULL},
    {"configured-late", "will-detach", "CH9-REQ-03", NULL},
    {"configuration-any", "will-detach", "CH9-REQ-04 CH9-STATE-05", NULL},
    {"configuration-lost", "will-detach", "CH9-REQ-05", NULL},
    {"interface-ff", "will-detach", "CH9-REQ-06 CH9-STATE-03", NULL},
    {"set-interface-stalls", "will-detach", "CH9-REQ-07 REQ-04a INTEROP-DFUUTIL-01", NULL},
    {"alternate-any", "will-detach", "CH9-REQ-08", NULL},
    {"interface-any", "will-detach", "CH9-REQ-09 CH9-REQ-10 CH9-REQ-15", NULL},
    {"self-powered", "will-detach", "CH9-REQ-11", NULL},
    {"wakes-uncalled-for", "will-detach", "CH9-REQ-12", NULL},
    {"wakeup-feature", "will-detach", "CH9-REQ-13", NULL},
    {"endpoint-0-status", "will-detach", "CH9-REQ-16 CH9-STATE-04", NULL},
    {"endpoint-any", "will-detach", "CH9-REQ-17", NULL},
    {"default-silent", "will-detach", "CH9-STATE-01", NULL},
    {"halt-ignored", "composite", "CH9-REQ-18", NULL},
    {"descriptor-any", "will-detach", "CH9-REQ-19", NULL},
    {"feature-any", "will-detach", "CH9-REQ-20", NULL},
    {"request-any", "will-detach", "CH9-REQ-21 CH9-REQ-22 CH9-REQ-23", NULL},
    {"state-falters", "will-detach", "RT-STATE-0-GETSTATE", "RT-STATE-0-GETSTATE"},
    {"state-0-DNLOAD", "will-detach", "RT-STATE-0-DNLOAD", NULL},
    {"state-0-DNLOAD-0", "will-detach", "RT-STATE-0-DNLOAD-0", NULL},
    {"state-0-UPLOAD", "will-detach", "REQ-08c RT-STATE-0-UPLOAD", NULL},
    {"state-0-CLRSTATUS", "will-detach", "RT-STATE-0-CLRSTATUS", NULL},
    {"state-0-ABORT", "will-detach", "RT-STATE-0-ABORT", NULL},
    {"state-0-OTHER", "will-detach", "RT-STATE-0-OTHER", NULL},
    {"state-1-DNLOAD", "wait-reset", "RT-STATE-1-DNLOAD", NULL},
    {"state-1-DNLOAD-0", "wait-reset", "RT-STATE-1-DNLOAD-0", NULL},
    {"state-1-UPLOAD", "wait-reset", "RT-STATE-1-UPLOAD RT-RESET-03", NULL},
    {"state-1-GETSTATUS", "wait-reset", "RT-STATE-1-GETSTATUS RT-DETACH-11 REQ-10b", NULL},
    {"state-1-CLRSTATUS", "wait-reset", "RT-STATE-1-CLRSTATUS", NULL},
    {"state-1-GETSTATE", "wait-reset", "RT-STATE-1-GETSTATE", NULL},
    {"state-1-ABORT", "wait-reset", "RT-STATE-1-ABORT", NULL},
    {"state-1-OTHER", "wait-reset", "RT-STATE-1-OTHER", NULL},
    {"state-1-DNLOAD-stays", "small-wait-reset", "RT-STATE-1-DNLOAD", NULL},
    {"state-2-DETACH", "will-detach", "DM-STATE-2-DETACH", NULL},
    {"state-2-DNLOAD", "wait-reset", "DM-STATE-2-DNLOAD", NULL},
    {"state-2-DNLOAD-0", "wait-reset", "DM-STATE-2-DNLOAD-0", NULL},
    {"state-2-UPLOAD", "wait-reset",
     "DM-STATE-2-UPLOAD DM-UPLOAD-01 DM-UPLOAD-02 DM-UPLOAD-03 DM-UPLOAD-04", NULL},
    {"state-2-CLRSTATUS", "will-detach", "DM-STATE-2-CLRSTATUS", NULL},
    {"state-2-ABORT", "will-detach", "DM-STATE-2-ABORT", NULL},
    {"state-2-OTHER", "will-detach", "DM-STATE-2-OTHER", NULL},
    {"state-3-GETSTATUS", "wait-reset",
     "DM-STATE-3-GETSTATUS DM-DNLOAD-01 DM-DNLOAD-02 DM-DNLOAD-03", NULL},
    {"state-3-GETSTATE", "will-detach", "DM-STATE-3-GETSTATE", NULL},
    {"state-3-DETACH", "will-detach", "DM-STATE-3-DETACH", NULL},
    {"state-3-DNLOAD", "will-detach", "DM-STATE-3-DNLOAD", NULL},
    {"state-3-DNLOAD-0", "will-detach", "DM-STATE-3-DNLOAD-0", NULL},
    {"state-3-UPLOAD", "will-detach", "DM-STATE-3-UPLOAD", NULL},
    {"state-3-CLRSTATUS", "will-detach", "DM-STATE-3-CLRSTATUS", NULL},
    {"state-3-ABORT", "will-detach", "DM-STATE-3-ABORT", NULL},
    {"state-4-DETACH", "will-detach", "DM-STATE-4-DETACH", NULL},
    {"state-4-DNLOAD", "will-detach", "DM-STATE-4-DNLOAD", NULL},
    {"state-4-DNLOAD-0", "will-detach", "DM-STATE-4-DNLOAD-0", NULL},
    {"state-4-UPLOAD", "will-detach", "DM-STATE-4-UPLOAD", NULL},
    {"state-4-GETSTATUS", "wait-reset", "DM-STATE-4-GETSTATUS", NULL},
    {"state-4-CLRSTATUS", "will-detach", "DM-STATE-4-CLRSTATUS", NULL},
    {"state-4-GETSTATE", "will-detach", "DM-STATE-4-GETSTATE", NULL},
    {"state-4-ABORT", "wait-reset", "DM-STATE-4-ABORT", NULL},
    {"state-5-GETSTATUS", "will-detach", "DM-STATE-5-GETSTATUS", NULL},
    {"state-5-GETSTATE", "will-detach", "DM-STATE-5-GETSTATE", NULL},
    {"state-5-DETACH", "will-detach", "DM-STATE-5-DETACH", NULL},
    {"state-5-DNLOAD", "will-detach", "DM-STATE-5-DNLOAD DS-WRITE-01 DS-WRITE-02", NULL},
    {"state-5-DNLOAD-0", "wait-reset",
     "DM-STATE-5-DNLOAD-0 DM-DNLOAD-06", NULL},
    {"state-5-UPLOAD", "will-detach", "DM-STATE-5-UPLOAD", NULL},
    {"state-5-CLRSTATUS", "will-detach", "DM-STATE-5-CLRSTATUS", NULL},
    {"state-5-ABORT", "wait-reset", "DM-STATE-5-ABORT DM-DNLOAD-05", NULL},
    {"state-6-GETSTATUS", "wait-reset",
     "DM-STATE-6-GETSTATUS DM-DNLOAD-06", NULL},
    {"state-6-GETSTATE", "wait-reset", "DM-STATE-6-GETSTATE", NULL},
    {"state-6-DETACH", "wait-reset", "DM-STATE-6-DETACH", NULL},
    {"state-6-DNLOAD", "wait-reset", "DM-STATE-6-DNLOAD", NULL},
    {"state-6-DNLOAD-0", "wait-reset", "DM-STATE-6-DNLOAD-0", NULL},
    {"state-6-UPLOAD", "wait-reset", "DM-STATE-6-UPLOAD", NULL},
    {"state-6-CLRSTATUS", "wait-reset", "DM-STATE-6-CLRSTATUS", NULL},
    {"state-6-ABORT", "wait-reset", "DM-STATE-6-ABORT", NULL},
    {"state-7-DETACH", "wait-reset", "DM-STATE-7-DETACH", NULL},
    {"state-7-DNLOAD", "wait-reset", "DM-STATE-7-DNLOAD", NULL},
    {"state-7-DNLOAD-0", "wait-reset", "DM-STATE-7-DNLOAD-0", NULL},
    {"state-7-UPLOAD", "wait-reset", "DM-STATE-7-UPLOAD", NULL},
    {"state-7-GETSTATUS", "wait-reset", "DM-STATE-7-GETSTATUS", NULL},
    {"state-7-CLRSTATUS", "wait-reset", "DM-STATE-7-CLRSTATUS", NULL},
    {"state-7-GETSTATE", "wait-reset", "DM-STATE-7-GETSTATE", NULL},
    {"state-7-ABORT", "wait-reset", "DM-STATE-7-ABORT", NULL},
    {"state-9-GETSTATUS", "will-detach", "DM-STATE-9-GETSTATUS", NULL},
    {"state-9-GETSTATE", "will-detach", "DM-STATE-9-GETSTATE", NULL},
    {"state-9-DETACH", "will-detach", "DM-STATE-9-DETACH", NULL},
    {"state-9-DNLOAD", "will-detach", "DM-STATE-9-DNLOAD", NULL},
    {"state-9-DNLOAD-0", "will-detach", "DM-STATE-9-DNLOAD-0", NULL},
    {"state-9-UPLOAD", "will-detach", "DM-STATE-9-UPLOAD DS-UPLOAD-01", NULL},
    {"state-9-CLRSTATUS", "will-detach", "DM-STATE-9-CLRSTATUS", NULL},
    {"state-9-ABORT", "will-detach", "DM-STATE-9-ABORT", NULL},
    {"state-9-OTHER", "will-detach", "DM-STATE-9-OTHER", NULL},
    {"state-10-GETSTATUS", "will-detach", "DM-STATE-10-GETSTATUS", "DM-STATE-10-*"},
    {"state-10-GETSTATE", "will-detach", "DM-STATE-10-GETSTATE DM-STATUS-01", NULL},
    {"state-10-DETACH", "will-detach", "DM-STATE-10-DETACH", NULL},
    {"state-10-DNLOAD", "will-detach", "DM-STATE-10-DNLOAD", NULL},
    {"state-10-DNLOAD-0", "will-detach", "DM-STATE-10-DNLOAD-0", NULL},
    {"state-10-UPLOAD", "will-detach", "DM-STATE-10-UPLOAD", NULL},
    {"state-10-CLRSTATUS", "will-detach", "DM-STATE-10-CLRSTATUS", NULL},
    {"state-10-ABORT", "will-detach", "DM-STATE-10-ABORT", NULL},
    {"state-10-OTHER", "will-detach", "DM-STATE-10-OTHER", NULL},
    {"dm-status-vendor", "will-detach", "DM-STATUS-03", NULL},
    {"dm-status-string", "will-detach", "DM-STATUS-04", NULL},
    {"dm-status-in-idle", "will-detach", "INTEROP-DFUUTIL-03 DM-STATE-10-CLRSTATUS DM-STATUS-01", NULL},
    {"dm-state-disagrees", "will-detach",
     "RT-RETURN-01 DM-STATE-2-GETSTATUS DM-STATE-2-GETSTATE DM-STATE-2-ABORT "
     "DM-STATE-5-ABORT DM-STATE-9-ABORT DM-STATUS-02 DM-DNLOAD-05", NULL},
    {"dm-status-error-sticks", "will-detach", "DM-STATE-10-CLRSTATUS DM-STATUS-01 DM-DNLOAD-03", NULL},
    {"dm-poll-in-idle", "will-detach", "DM-STATUS-05", NULL},
    {"dm-upload-changes", "wait-reset", "DM-UPLOAD-03", NULL},
    {"dm-waits-for-set-interface", "wait-reset", "RT-RETURN-01 DM-SELECT-01", NULL},
    {"dm-slow-state", "will-detach", "DM-TIME-01", NULL},
    {"dm-slow-abort", "will-detach", "DM-TIME-02", NULL},
    {"dm-slow-dnload", "wait-reset", "DM-TIME-03", NULL},
    {"dm-status-out", "will-detach", "DM-REQ-01", NULL},
    {"dm-state-out", "will-detach", "DM-REQ-02", NULL},
    {"dm-status-of-device", "will-detach", "DM-REQ-03", NULL},
    {"dm-status-beyond-wlength", "will-detach", "DM-REQ-04", NULL},
    {"dm-uploads-without-bit", "wait-reset", "DM-CAN-01", NULL},
    {"dm-dnloads-without-bit", "wait-reset", "DM-CAN-02", NULL},
    {"state-8-ABORT", "wait-reset", "DM-STATE-8-OTHER", NULL},
    {"dm-upload-endless", "wait-reset", "", NULL},
    {"dm-upload-stays", "wait-reset", "DM-UPLOAD-04", NULL},
    {"dm-upload-same-block", "will-detach", "DS-UPLOAD-01 DS-WRITE-01", NULL},
    {"dm-upload-too-long", "will-detach", "DM-UPLOAD-05", NULL},
    {"dm-dnload-too-long", "will-detach", "DM-DNLOAD-04", NULL},
    {"dm-programs-wrong", "wait-reset", "DM-DNLOAD-07 DM-RESET-04", NULL},
    {"dm-never-done", "wait-reset", "DM-DNLOAD-03", NULL},
    {"dm-never-done", "will-detach",
     "DM-DNLOAD-03 DS-CMD-01", NULL},
    {"dm-poll-forever", "will-detach", "DM-DNLOAD-02", NULL},
    {"dm-poll-too-short", "wait-reset",
     "DM-DNLOAD-01 DM-DNLOAD-03", NULL},
    {"dm-reset-stays", "wait-reset", "DM-RESET-01 DM-RESET-02 DM-RESET-03 DM-RESET-04", NULL},
    {"dm-corrupt-idle", "wait-reset", "DM-RESET-05", NULL},
    {"ds-not-busy", "will-detach", "DS-CMD-02", NULL},
    {"ds-command-any", "will-detach", "DS-CMD-05 DS-CMD-06", NULL},
    {"ds-address-any", "will-detach", "DS-CMD-03 DS-CMD-04", NULL},
    {"ds-upload-block-1", "will-detach", "DS-UPLOAD-03", NULL},
    {"ds-no-commands", "will-detach", "DS-CMD-07", NULL},
    {"ds-erase-nothing", "will-detach", "DS-WRITE-02 DS-WRITE-03", NULL},
    {"ds-layout", "will-detach", "DS-LAYOUT-01", NULL},
    {"dm-starts-in-error", "will-detach", "INTEROP-DFUUTIL-02", "INTEROP-DFUUTIL-0?"},
};
// clang-format on

enum { ROWS = sizeof rows / sizeof rows[0], TEXT = 2048 };

static bool is_broken(const struct result *result)
{
    return result->verdict == VERDICT_FAIL || result->verdict == VERDICT_WARN;
}

// The ids of what was reported broken, with blanks between them.
static void put_broken(char *text, size_t size, const struct report *report)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < report->count && used < size; ++i) {
        if (is_broken(&report->results[i]))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? " " : "",
                                     report->results[i].check->id);
    }
}

static void run_row(const struct row *row, char broken[TEXT])
{
    struct target_spec spec;
    struct report report;
    char text[TEXT];
    char error[TEXT] = "";
    const struct runner_options options = {
        .allow_write = true, .allow_vendor = true, .only = row->only};

    snprintf(text, sizeof text, "sim:%s,defect=%s", row->device, row->defect);
    if (target_spec_parse(&spec, text, error, sizeof error) < 0)
        fail_msg("%s: %s", text, error);
    struct target *target = target_open(&spec, error, sizeof error);
    if (!target)
        fail_msg("%s: %s", text, error);
    runner_run(&options, target, text, &report);
    put_broken(broken, TEXT, &report);
    report_finish(&report);
    target->ops->close(target);
}

static void each_defect__breaks_what_it_breaks_and_nothing_else(void **state)
{
    (void)state;
    unsigned wrong = 0;

    for (size_t i = 0; i < ROWS; ++i) {
        char broken[TEXT];
        run_row(&rows[i], broken);
        if (strcmp(broken, rows[i].broken) == 0)
            continue;
        ++wrong;
        print_error("%s on %s\n  expected %s\n  reported %s\n", rows[i].defect, rows[i].device,
                    rows[i].broken, broken);
    }

    assert_int_equal(wrong, 0);
}

static bool has_row(const char *defect)
{
    for (size_t i = 0; i < ROWS; ++i) {
        if (strcmp(rows[i].defect, defect) == 0)
            return true;
    }
    return false;
}

static void each_defect__has_a_row(void **state)
{
    (void)state;

    for (const struct sim_name *defect = sim_list_defects(); defect->name; ++defect) {
        if (!has_row(defect->name))
            fail_msg("%s has no row", defect->name);
    }
}

// The whole word, not the beginning of another id.
static bool names(const char *broken, const char *id)
{
    size_t length = strlen(id);
    for (const char *at = broken; (at = strstr(at, id)); at += length) {
        bool begins = at == broken || at[-1] == ' ';
        if (begins && (at[length] == ' ' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool some_defect_breaks(const char *id)
{
    for (size_t i = 0; i < ROWS; ++i) {
        if (names(rows[i].broken, id))
            return true;
    }
    return false;
}

// A check that no defect can fail checks nothing.
static void each_must_and_should__is_broken_by_some_defect(void **state)
{
    (void)state;
    unsigned idle = 0;

    for (const struct check_group *const *group = catalogue; *group; ++group) {
        for (size_t i = 0; i < (*group)->count; ++i) {
            const struct check *check = &(*group)->checks[i];
            if (check->level == LEVEL_INFO || some_defect_breaks(check->id))
                continue;
            ++idle;
            print_error("no defect breaks %s\n", check->id);
        }
    }

    assert_int_equal(idle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_defect__breaks_what_it_breaks_and_nothing_else),
        cmocka_unit_test(each_defect__has_a_row),
        cmocka_unit_test(each_must_and_should__is_broken_by_some_defect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
