// SPDX-License-Identifier: MIT
//
// Devices that are wrong in DFU at run time (DFU 1.1 4.1, 5.1, 6.1, A.2.1, A.2.2), the way into DFU
// mode and back.

#include <stddef.h>

#include "defect_rows.h"

// clang-format off
const struct defect_row run_time_rows[] = {
    {"leaves-before-status", "will-detach", "RT-DETACH-01", .follows = {
         {"INTEROP-WEBDFU-01", "DETACH is not carried out to its end"},
     }},
    {"no-detach-timer", "wait-reset", "RT-DETACH-07"},
    {"second-detach", "wait-reset", "RT-STATE-1-DETACH"},
    {"reset-enters-dfu", "will-detach", "RT-RESET-01", .follows = {
         {"CH9-STATE-07", "the device is another one after the reset"},
     }},
    {"reset-bounces", "will-detach", "RT-RETURN-01", .follows = {
         {"RT-DETACH-05", "it is not seen in DFU mode, 5.1"},
         {"INTEROP-DFUUTIL-01", "the wait of the tool for DFU mode times out"},
         {"INTEROP-FWUPD-02", "the wait of the tool for DFU mode times out"},
         {"RT-DETACH-03", "DETACH with wValue 0 as with another"},
     }},
    {"slow-return", "wait-reset", "RT-RESET-05", .follows = {
         {"INTEROP-DFUUTIL-01", "DFU mode later than 5 s"},
         {"INTEROP-FWUPD-02", "DFU mode later than 10 s"},
         {"DM-RESET-01", "25 s on the way back are longer than is waited"},
         {"DM-RESET-02", "25 s on the way back are longer than is waited"},
         {"DM-RESET-03", "25 s on the way back are longer than is waited"},
         {"DM-RESET-04", "25 s on the way back are longer than is waited"},
     }},
    {"status-always-app-idle", "wait-reset", "RT-DETACH-11"},
    {"status-beyond-wlength", "will-detach", "REQ-08a"},
    {"no-disconnect", "will-detach", "RT-DETACH-04",
     .remembers = "a bus reset behind an earlier check makes the host see it in DFU mode",
     .follows = {
         {"DS-LEAVE-01", "on the way back it is not seen to leave either"},
         {"INTEROP-DFUUTIL-01", "the wait of the tool for DFU mode times out"},
         {"INTEROP-FWUPD-02", "the wait of the tool for DFU mode times out"},
         {"RT-DETACH-03", "DETACH with wValue 0 as with another"},
         {"INTEROP-WEBDFU-01", "it is not seen to leave"},
     }},
    {"leaves-uncalled-for", "wait-reset", "RT-DETACH-06"},
    {"never-leaves", "will-detach", "RT-DETACH-04", .follows = {
         {"INTEROP-DFUUTIL-01", "the wait of the tool for DFU mode times out"},
         {"INTEROP-FWUPD-02", "the wait of the tool for DFU mode times out"},
         {"RT-DETACH-03", "DETACH with wValue 0 as with another"},
         {"INTEROP-WEBDFU-01", "it does not leave"},
     }},
    {"timer-too-short", "wait-reset", "RT-DETACH-10"},
    {"timer-uncapped", "wait-reset", "RT-DETACH-09"},
    {"timer-ignores-wvalue", "wait-reset", "RT-DETACH-08"},
    {"returns-as-another", "will-detach", "RT-RETURN-02"},
    {"rt-protocol-0", "will-detach", "RT-DESC-02a"},
    {"rt-alternate-1", "will-detach", "RT-DESC-02b", .follows = {
         {"CH9-CFG-10", "no setting 0, USB 2.0 9.6.5"},
     }},
    {"rt-endpoint", "will-detach", "RT-DESC-02c", .follows = {
         {"CH9-REQ-18", "the endpoint is not there to be halted"},
     }},
    {"rt-interface-name", "will-detach", "RT-DESC-02d", .follows = {
         {"CH9-STR-02", "a string that is named cannot be read"},
     }},
    {"functional-missing", "will-detach", "RT-DESC-01b"},
    {"functional-twice", "will-detach", "RT-DESC-01b"},
    {"functional-first", "will-detach", "RT-DESC-08"},
    {"attributes-reserved", "will-detach", "RT-DESC-04"},
    {"transfer-size-0", "will-detach", "RT-DESC-05a", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"transfer-size-ffff", "will-detach", "RT-DESC-05b", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"version-swapped", "will-detach", "RT-DESC-06", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"timeout-0", "wait-reset", "RT-DESC-07a", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"timeout-huge", "will-detach", "RT-DESC-07b", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"changes-in-app-detach", "wait-reset", "RT-DESC-09"},
    {"configuration-stalls-in-app-detach", "wait-reset", "RT-DESC-09"},
    {"dfu-interface-twice", "will-detach", "RT-DESC-01a"},
    {"status-5-bytes", "will-detach", "REQ-01a", .follows = {
         {"RT-STATE-0-GETSTATUS", "the answer is not whole, 6.1.2"},
         {"INTEROP-DFUUTIL-01", "dfu-util reads dfuERROR from a short answer"},
         {"INTEROP-FWUPD-01", "fwupd wants 6 bytes"},
     }},
    {"state-no-bytes", "will-detach", "REQ-01b", .follows = {
         {"RT-STATE-0-GETSTATE", "the answer is not whole, 6.1.5"},
         {"REQ-02d", "it answers GETSTATUS only"},
     }},
    {"state-2-bytes", "will-detach", "REQ-08b"},
    {"status-unknown", "will-detach", "REQ-02a"},
    {"status-not-ok", "will-detach", "REQ-02e"},
    {"state-unknown", "will-detach", "REQ-02b", .follows = {
         {"INTEROP-DFUUTIL-01", "dfu-util takes it for DFU mode"},
     }},
    {"string-ff", "will-detach", "REQ-03"},
    {"poll-timeout-1s", "will-detach", "REQ-10a"},
    {"poll-timeout-in-app-detach", "wait-reset", "REQ-10b"},
    {"detach-device-class", "will-detach", "REQ-06a"},
    {"detach-device-class-in", "will-detach", "REQ-06a"},
    {"detach-vendor-device", "will-detach", "REQ-06b"},
    {"detach-vendor", "will-detach", "REQ-06c"},
    {"detach-in", "will-detach", "REQ-06d"},
    {"detach-endpoint", "will-detach", "REQ-06e"},
    {"detach-other", "will-detach", "REQ-06f"},
    {"status-out", "will-detach", "REQ-06g"},
    {"state-out", "will-detach", "REQ-06h"},
    {"status-of-device", "will-detach", "REQ-06i"},
    {"status-vendor", "will-detach", "REQ-06j"},
    {"wIndex-ignored", "will-detach", "REQ-07c", .follows = {
         {"REQ-07a", "the upper byte is ignored, too"},
         {"REQ-07b", "the upper byte is ignored, too"},
         {"REQ-07d", "GETSTATUS as DETACH"},
     }},
    {"wIndex-ignored", "composite", "REQ-07e", .follows = {
         {"REQ-07a", "the upper byte is ignored, too"},
         {"REQ-07b", "the upper byte is ignored, too"},
         {"REQ-07c", "absent interfaces as others"},
         {"REQ-07d", "GETSTATUS as DETACH"},
     }},
    {"detach-silent", "will-detach", "RT-STATE-0-DETACH", .follows = {
         {"RT-DETACH-01", "the request is not carried out"},
         {"INTEROP-DFUUTIL-01", "the wait of the tool for DFU mode times out"},
         {"INTEROP-FWUPD-02", "the wait of the tool for DFU mode times out"},
         {"INTEROP-WEBDFU-01", "DETACH is not carried out"},
     }},
    {"wedged-by-in-stall", "will-detach", "REQ-05a", .follows = {
         {"RT-STATE-0-UPLOAD", "the request after it is the question for the state"},
     }},
    {"wedged-by-out-stall", "will-detach", "REQ-05b", .follows = {
         {"RT-STATE-0-DNLOAD", "the request after it is the question for the state"},
         {"RT-STATE-0-DNLOAD-0", "the request after it is the question for the state"},
     }},
    {"wedged-by-no-data-stall", "will-detach", "REQ-05c", .follows = {
         {"RT-STATE-0-ABORT", "the request after it is the question for the state"},
     }},
    {"wedged-by-many-stalls", "will-detach", "REQ-05d"},
    {"slow-standard", "will-detach", "REQ-04b"},
    {"slow-status", "will-detach", "REQ-04c"},
    {"slow-detach", "will-detach", "RT-DETACH-02"},
    {"slow-set-interface", "will-detach", "REQ-04a"},
    {"stall-keeps-app-detach", "wait-reset", "RT-STATE-1-DETACH", .follows = {
         {"RT-STATE-1-DNLOAD", "the same row of A.2.2"},
         {"RT-STATE-1-DNLOAD-0", "the same row of A.2.2"},
         {"RT-STATE-1-UPLOAD", "the same row of A.2.2"},
         {"RT-STATE-1-CLRSTATUS", "the same row of A.2.2"},
     }},
    {"all-accepted", "will-detach", "RT-STATE-0-UPLOAD", .follows = {
         {"REQ-08c", "UPLOAD with any wLength"},
         {"RT-STATE-0-DNLOAD", "the same row of A.2.1"},
         {"RT-STATE-0-DNLOAD-0", "the same row of A.2.1"},
         {"RT-STATE-0-CLRSTATUS", "the same row of A.2.1"},
         {"RT-STATE-0-ABORT", "the same row of A.2.1"},
     }},
    {"detach-stalls-and-leaves", "will-detach", "INTEROP-WEBDFU-01",
     .remembers = "it leaves in the check after the one that sent DETACH", .follows = {
         {"RT-STATE-0-DETACH", "DETACH STALLs, A.2.1"},
         {"RT-RESET-01", "the reset finds it about to leave, after a DETACH that STALLed"},
         {"RT-DETACH-01", "DETACH STALLs, 5.1"},
         {"RT-DETACH-14", "the SETUP alone makes it leave, 5.1"},
     }},
    {"detach-stalls", "will-detach", "RT-STATE-0-DETACH", .follows = {
         {"RT-DETACH-01", "the request is not carried out"},
         {"INTEROP-DFUUTIL-01", "the wait of the tool for DFU mode times out"},
         {"INTEROP-FWUPD-02", "the wait of the tool for DFU mode times out"},
         {"INTEROP-WEBDFU-01", "DETACH STALLs"},
     }},
    {"state-0-DNLOAD", "will-detach", "RT-STATE-0-DNLOAD"},
    {"state-0-DNLOAD-0", "will-detach", "RT-STATE-0-DNLOAD-0"},
    {"state-0-UPLOAD", "will-detach", "RT-STATE-0-UPLOAD", .follows = {
         {"REQ-08c", "UPLOAD with any wLength"},
     }},
    {"state-0-UPLOAD-error", "will-detach", "RT-STATE-0-UPLOAD"},
    {"state-0-CLRSTATUS", "will-detach", "RT-STATE-0-CLRSTATUS"},
    {"state-0-ABORT", "will-detach", "RT-STATE-0-ABORT"},
    {"state-0-OTHER", "will-detach", "RT-STATE-0-OTHER"},
    {"state-1-DNLOAD", "wait-reset", "RT-STATE-1-DNLOAD"},
    {"state-1-DNLOAD-0", "wait-reset", "RT-STATE-1-DNLOAD-0"},
    {"state-1-UPLOAD", "wait-reset", "RT-STATE-1-UPLOAD"},
    {"state-1-GETSTATUS", "wait-reset", "RT-STATE-1-GETSTATUS"},
    {"state-1-CLRSTATUS", "wait-reset", "RT-STATE-1-CLRSTATUS"},
    {"state-1-GETSTATE", "wait-reset", "RT-STATE-1-GETSTATE"},
    {"state-1-ABORT", "wait-reset", "RT-STATE-1-ABORT"},
    {"state-1-OTHER", "wait-reset", "RT-STATE-1-OTHER"},
    {"leaves-before-status-of-0", "will-detach", "RT-DETACH-01"},
    {"leaves-5-ms-after-setup", "will-detach", "RT-DETACH-01", .follows = {
         {"RT-DETACH-14", "the SETUP alone makes it leave, 5.1"},
     }},
    {"leaves-without-status", "will-detach", "RT-DETACH-14"},
    {"timer-restarted", "wait-reset", "RT-DETACH-12"},
    {"timer-signed", "wait-reset", "RT-DETACH-13"},
    {"functional-8-bytes", "will-detach", "RT-DESC-03", .follows = {
         {"DM-DESC-04b", "the boot loader has the good one, 4.2.4"},
     }},
    {"slow-return", "will-detach", "INTEROP-FWUPD-02", .follows = {
         {"RT-DETACH-05", "25 s are longer than is waited"},
         {"RT-DETACH-03", "with wValue 0 as with another"},
         {"INTEROP-DFUUTIL-01", "dfu-util waits 5 s"},
     }},
    {"slow-return-7-s", "will-detach", "INTEROP-DFUUTIL-01"},
    {"returns-at-run-time", "will-detach", "RT-DETACH-05", .follows = {
         {"RT-RETURN-01", "it has left, and is at run time"},
         {"RT-DETACH-03", "DETACH with wValue 0 as with another"},
         {"INTEROP-DFUUTIL-01", "the tool finds no DFU mode"},
         {"INTEROP-FWUPD-02", "the tool finds no DFU mode"},
     }},
    {"reset-after-timer-enters-dfu", "wait-reset", "RT-RESET-02"},
    {"reset-after-upload-enters-dfu", "wait-reset", "RT-RESET-03"},
    {"reset-after-detach-enters-dfu", "wait-reset", "RT-RESET-04"},
    {"state-0-GETSTATUS", "wait-reset", "RT-STATE-0-GETSTATUS", .follows = {
         {"REQ-02c", "GETSTATE is asked after it"},
         {"INTEROP-DFUUTIL-01", "GETSTATUS comes before DETACH, which is a second one then"},
         {"INTEROP-FWUPD-02", "GETSTATUS comes before DETACH, which is a second one then"},
     }},
    {"state-0-GETSTATE", "wait-reset", "RT-STATE-0-GETSTATE", .follows = {
         {"REQ-01b", "no byte is not 1 byte, 6.1.5"},
         {"REQ-02d", "it answers GETSTATUS only"},
     }},
    {"state-1-in-status", "will-detach", "REQ-02c"},
    {"status-stalls", "will-detach", "INTEROP-FWUPD-01"},
    {"upload-of-nothing", "will-detach", "REQ-08c"},
    {"status-of-absent-interface", "will-detach", "REQ-07d", .follows = {
         {"REQ-07b", "an interface number in 16 bits that is absent"},
     }},
    {"handler-lost", "wait-reset", "REQ-11a", .follows = {
         {"REQ-11b", "DETACH is a class request"},
     }},
    {"detach-lost", "wait-reset", "REQ-11b"},
    {"detaches-once", "will-detach", "RT-RETURN-03",
     .remembers = "it STALLs each DETACH after the first way back", .follows = {
         {"RT-DETACH-01", "DETACH STALLs"},
         {"INTEROP-DFUUTIL-01", "DETACH STALLs, and the device stays"},
         {"INTEROP-FWUPD-02", "DETACH STALLs, and the device stays"},
         {"INTEROP-WEBDFU-01", "DETACH STALLs, and the device stays"},
     }},
    {"state-1-DNLOAD-stays", "small-wait-reset", "RT-STATE-1-DNLOAD"},
    {NULL},
};
// clang-format on
