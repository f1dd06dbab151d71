// SPDX-License-Identifier: MIT
//
// Devices of which one answer has a wrong byte (sim/defects/defects_answers.c).

#include <stddef.h>

#include "defect_rows.h"

// clang-format off
const struct defect_row answer_rows[] = {
    {"bos-header-length", "bos-lpm", "CH9-BOS-01"},
    {"bos-type", "bos-lpm", "CH9-BOS-01"},
    {"bos-cut", "bos-lpm", "CH9-BOS-02"},
    {"bos-other-descriptor", "bos-lpm", "CH9-BOS-02"},
    {"bos-capability-beyond", "bos-lpm", "CH9-BOS-02"},
    {"bos-reserved-bit", "bos-lpm", "CH9-BOS-03"},
    {"qualifier-reserved", "high-speed-capable", "CH9-QUAL-01"},
    {"qualifier-version", "high-speed-capable", "CH9-QUAL-01"},
    {"qualifier-max-packet", "high-speed-capable", "CH9-QUAL-01"},
    {"other-speed-interfaces", "high-speed-capable", "CH9-QUAL-02"},
    {"other-speed-beyond", "high-speed-capable", "CH9-QUAL-02"},
    {"other-speed-type", "high-speed-capable", "CH9-QUAL-02"},
    {"other-speed-short", "high-speed-capable", "CH9-QUAL-02"},
    {"device-type", "will-detach", "CH9-DEV-01"},
    {"device-cut-otherwise", "will-detach", "CH9-DEV-06"},
    {"string-cut-otherwise", "will-detach", "CH9-STR-05"},
    {"dm-no-serial", "will-detach", "DM-DESC-06b", .follows = {
         {"RT-RETURN-04", "none is not that of run time"},
         {"INTEROP-CUBEPROG-01", "it names devices by it"},
     }},
    {"poll-timeout-6s", "will-detach", "REQ-10a", .follows = {
         {"INTEROP-DFUUTIL-01", "dfu-util sleeps it"},
     }},
    {"slow-status-2s", "will-detach", "REQ-04c", .follows = {
         {"INTEROP-FWUPD-01", "fwupd waits 1.5 s"},
     }},
    {"dm-slow-status", "will-detach", "DM-TIME-01"},
    {"ms-os-2-windows-8", "ms-os-2", "OS-MS2-01"},
    {"language-0", "will-detach", "CH9-STR-01"},
    {"languages-cut", "will-detach", "CH9-STR-01"},
    {"association-of-nothing", "composite", "CH9-CFG-14"},
    {"power-in-app-detach", "wait-reset", "RT-DESC-09"},
    {"serial-counts", "wait-reset", "RT-RETURN-02", .follows = {
         {"RT-RETURN-04", "the boot loader has one that stays"},
     }},
    {"dm-abort-keeps-status", "will-detach", "DM-DNLOAD-05",
     .remembers = "the status stays until an error is cleared"},
    {"dm-upload-uncut", "wait-reset", "DM-UPLOAD-02"},
    {"detach-standard", "will-detach", "REQ-06l"},
    {"detach-ignored", "wait-reset", "RT-STATE-0-DETACH", .follows = {
         {"INTEROP-DFUUTIL-01", "the reset finds appIDLE"},
         {"INTEROP-FWUPD-02", "the reset finds appIDLE"},
     }},
    {"detach-ignored", "will-detach", "RT-STATE-0-DETACH", .follows = {
         {"RT-DETACH-03", "DETACH with wValue 0 as with another"},
         {"INTEROP-DFUUTIL-01", "it does not leave"},
         {"INTEROP-FWUPD-02", "it does not leave"},
         {"INTEROP-WEBDFU-01", "it does not leave"},
     }},
    {"state-0-OTHER-IN", "will-detach", "RT-STATE-0-OTHER"},
    {"state-1-says-0", "wait-reset", "RT-STATE-1-GETSTATE",
     .remembers = "checks that are told appIDLE leave it in appDETACH", .follows = {
         {"RT-DETACH-01", "DETACH STALLs in appDETACH, A.2.2"},
     }},
    {"state-1-says-0", "will-detach", "RT-STATE-0-DETACH"},
    {"ms-os-2-version", "ms-os-2", "OS-MS2-03"},
    {"ms-os-1-version", "ms-os-1", "OS-MS1-02"},
    {"ms-os-1-index", "ms-os-1", "OS-MS1-02"},
    {"ms-os-1-absent-interface", "ms-os-1", "OS-MS1-02"},
    {"ms-os-1-silent", "ms-os-1", "OS-MS1-02"},
    {"webusb-capability-long", "webusb", "OS-WEBUSB-01"},
    {"webusb-url-type", "webusb", "OS-WEBUSB-02"},
    {"webusb-url-scheme", "webusb", "OS-WEBUSB-02"},
    {"dm-manifested-idle", "wait-reset", "DM-DNLOAD-06"},
    {"dm-corrupt-unknown", "wait-reset", "DM-RESET-05"},
    {"dm-refuses-upload-in-idle", "download-only", "DM-CAN-01"},
    {"ds-address-other-error", "will-detach", "DS-CMD-03"},
    {"ds-list-stalls", "will-detach", "DS-CMD-07"},
    {NULL},
};
// clang-format on
