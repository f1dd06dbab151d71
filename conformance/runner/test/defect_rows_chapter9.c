// SPDX-License-Identifier: MIT
//
// Devices that are wrong in USB 2.0 chapter 9.

#include <stddef.h>

#include "defect_rows.h"

// clang-format off
const struct defect_row chapter9_rows[] = {
    {"device-max-packet", "will-detach", "CH9-DEV-02", .both_modes = true},
    {"device-no-configuration", "will-detach", "CH9-DEV-03", .both_modes = true, .follows = {
         {"CH9-CFG-15", "index 0 is one past the last"},
         {"DM-DESC-01b", "the boot loader, too"},
     }},
    {"device-version", "will-detach", "CH9-DEV-04", .both_modes = true, .follows = {
         {"CH9-BOS-01", "020Ah is above 0201h"},
         {"DM-DESC-02", "the boot loader, too"},
     }},
    {"device-subclass", "will-detach", "CH9-DEV-05", .both_modes = true, .follows = {
         {"DM-DESC-01a", "the boot loader, too"},
     }},
    {"device-length", "will-detach", "CH9-DEV-01", .both_modes = true},
    {"usb-2.1-without-bos", "will-detach", "CH9-BOS-01"},
    {"configuration-length", "will-detach", "CH9-CFG-01", .both_modes = true},
    {"configuration-stray-bytes", "will-detach", "CH9-CFG-03", .both_modes = true},
    {"configuration-bit-7", "will-detach", "CH9-CFG-04", .both_modes = true},
    {"configuration-reserved-bits", "will-detach", "CH9-CFG-05", .both_modes = true},
    {"configuration-power", "will-detach", "CH9-CFG-06", .both_modes = true},
    {"configuration-interfaces", "will-detach", "CH9-CFG-08", .both_modes = true, .follows = {
         {"DM-DESC-03a", "the boot loader, too"},
     }},
    {"interface-gap", "will-detach", "CH9-CFG-09"},
    {"endpoint-twice", "composite", "CH9-CFG-13", .follows = {
         {"CH9-HALT-04", "SET_INTERFACE of the one leaves the endpoint, which is the other's"},
     }},
    {"endpoint-uncounted", "composite", "CH9-CFG-11"},
    {"association-beyond", "composite", "CH9-CFG-14"},
    {"configuration-value-0", "will-detach", "CH9-CFG-07", .both_modes = true},
    {"endpoint-size", "composite", "CH9-CFG-12"},
    {"interface-status", "will-detach", "CH9-REQ-14", .both_modes = true, .follows = {
         {"CH9-STATE-04", "in the Address state, too"},
     }},
    {"length-0-stalls", "will-detach", "CH9-DEV-08", .both_modes = true},
    {"device-descriptor-uncut", "will-detach", "CH9-DEV-06", .both_modes = true, .follows = {
         {"CH9-DEV-07", "8 bytes are asked for first"},
     }},
    {"configuration-uncut", "will-detach", "CH9-CFG-16", .both_modes = true},
    {"configuration-short", "will-detach", "CH9-CFG-02", .both_modes = true, .follows = {
         {"RT-DESC-01b", "the last descriptor is cut off: DFU's"},
         {"CH9-CFG-03", "and reaches past the end"},
         {"DM-DESC-04a", "the boot loader, too"},
     }},
    {"configuration-absent", "will-detach", "CH9-CFG-15", .both_modes = true},
    {"bos-uncalled-for", "will-detach", "CH9-BOS-01"},
    {"qualifier-rubbish", "will-detach", "CH9-QUAL-01", .follows = {
         {"CH9-QUAL-02", "what is answered means high speed, 9.6.4"},
     }},
    {"no-languages", "will-detach", "CH9-STR-01", .both_modes = true},
    {"string-missing", "will-detach", "CH9-STR-02", .both_modes = true},
    {"string-length", "will-detach", "CH9-STR-03", .both_modes = true},
    {"string-utf-8", "will-detach", "CH9-STR-04", .both_modes = true},
    {"string-uncut", "will-detach", "CH9-STR-05", .both_modes = true},
    {"string-absent", "will-detach", "CH9-STR-06", .both_modes = true},
    {"configuration-says-2", "will-detach", "CH9-REQ-01", .both_modes = true, .follows = {
         {"CH9-REQ-02", "GET_CONFIGURATION says whether it was set"},
         {"CH9-REQ-03", "GET_CONFIGURATION says whether it was set"},
         {"CH9-REQ-05", "GET_CONFIGURATION says whether it stayed"},
         {"CH9-STATE-02", "GET_CONFIGURATION in the Address state"},
         {"CH9-STATE-05", "GET_CONFIGURATION in the Address state"},
         {"CH9-STATE-06", "GET_CONFIGURATION says whether it stayed"},
     }},
    {"configured-late", "will-detach", "CH9-REQ-03", .both_modes = true},
    {"configuration-any", "will-detach", "CH9-REQ-04", .both_modes = true, .follows = {
         {"CH9-STATE-05", "in the Address state, too"},
     }},
    {"configuration-lost", "will-detach", "CH9-REQ-05", .both_modes = true},
    {"interface-ff", "will-detach", "CH9-REQ-06", .both_modes = true, .follows = {
         {"CH9-REQ-07", "GET_INTERFACE says what was selected"},
         {"CH9-STATE-03", "in the Address state, too"},
     }},
    {"alternate-any", "will-detach", "CH9-REQ-08", .both_modes = true},
    {"self-powered", "will-detach", "CH9-REQ-11", .both_modes = true},
    {"wakes-uncalled-for", "will-detach", "CH9-REQ-12"},
    {"wakeup-feature", "will-detach", "CH9-REQ-13", .both_modes = true},
    {"endpoint-0-status", "will-detach", "CH9-REQ-16", .both_modes = true, .follows = {
         {"CH9-STATE-04", "in the Address state, too"},
     }},
    {"endpoint-any", "will-detach", "CH9-REQ-17", .both_modes = true},
    {"default-silent", "will-detach", "CH9-STATE-01"},
    {"halt-ignored", "composite", "CH9-REQ-18", .follows = {
         {"CH9-HALT-01", "it is not halted"},
     }},
    {"descriptor-any", "will-detach", "CH9-REQ-19", .both_modes = true},
    {"feature-any", "will-detach", "CH9-REQ-20", .both_modes = true},
    {"alternate-refused", "will-detach", "CH9-REQ-07"},
    {"address-status", "will-detach", "CH9-STATE-08"},
    {"address-dfu", "will-detach", "CH9-STATE-09"},
    {"wedged-by-new-setup", "will-detach", "CH9-REQ-24"},
    {"halt-pretended", "composite", "CH9-HALT-01"},
    {"halt-not-cleared", "composite", "CH9-HALT-02", .follows = {
         {"CH9-TOGGLE-01", "CLEAR_FEATURE does nothing: the toggle stays"},
     }},
    {"halt-outlives-configuration", "composite", "CH9-HALT-03", .follows = {
         {"CH9-TOGGLE-02", "toggles stay, too, 9.1.1.5"},
     }},
    {"halt-outlives-interface", "composite", "CH9-HALT-04", .follows = {
         {"CH9-TOGGLE-03", "toggles stay, too, 9.1.1.5"},
     }},
    {"toggle-outlives-clear", "composite", "CH9-TOGGLE-01"},
    {"toggle-outlives-clear-of-nothing", "composite", "CH9-TOGGLE-01"},
    {"toggle-outlives-configuration", "composite", "CH9-TOGGLE-02"},
    {"toggle-outlives-interface", "composite", "CH9-TOGGLE-03"},
    {"wakeup-outlives-reset", "composite", "CH9-REQ-12"},
    {"zero-packet-missing", "will-detach", "CH9-ZLP-01", .both_modes = true, .follows = {
         {"CH9-STR-02", "255 bytes are asked for, 64 come, and no end"},
     }},
    {"string-second-language", "will-detach", "CH9-STR-07", .both_modes = true},
    {"qualifier-alone", "will-detach", "CH9-QUAL-02"},
    {"bos-count", "will-detach", "CH9-BOS-02"},
    {"bos-capability-short", "will-detach", "CH9-BOS-03"},
    {"association-late", "composite", "CH9-IAD-01"},
    {"association-class-0", "composite", "CH9-IAD-02"},
    {"association-overlaps", "composite", "CH9-IAD-03"},
    {"association-unannounced", "composite", "CH9-IAD-04"},
    {"endpoint-reserved-bits", "composite", "CH9-CFG-18"},
    {"set-interface-any", "will-detach", "CH9-REQ-09", .both_modes = true},
    {"get-interface-any", "will-detach", "CH9-REQ-10", .both_modes = true},
    {"status-of-any-interface", "will-detach", "CH9-REQ-15", .both_modes = true},
    {"request-any", "will-detach", "CH9-REQ-21", .both_modes = true},
    {"class-request-any", "will-detach", "CH9-REQ-22", .both_modes = true},
    {"vendor-request-any", "will-detach", "CH9-REQ-23"},
    {"device-first-7-bytes", "will-detach", "CH9-DEV-07", .both_modes = true},
    {"configuration-again-stalls", "will-detach", "CH9-REQ-02", .both_modes = true},
    {"suspend-unconfigures", "will-detach", "CH9-STATE-06"},
    {"changes-at-resets", "will-detach", "CH9-STATE-07"},
    {"address-configuration", "will-detach", "CH9-STATE-02", .follows = {
         {"CH9-STATE-05", "GET_CONFIGURATION says whether it stayed"},
         {"CH9-REQ-03", "SET_CONFIGURATION 0 leads to the Address state, 9.4.7"},
     }},
    {"address-configuration-any", "will-detach", "CH9-STATE-05"},
    {"address-interface", "will-detach", "CH9-STATE-03"},
    {"address-interface-status", "will-detach", "CH9-STATE-04"},
    {"alternate-gap", "will-detach", "CH9-CFG-10"},
    {"dm-set-interface-stalls", "will-detach", "DM-CH9-REQ-07", .follows = {
         {"INTEROP-DFUUTIL-02", "dfu-util selects setting 0 where there are several"},
         {"DS-UPLOAD-02", "setting 1 cannot be selected"},
         {"INTEROP-WEBDFU-02", "it selects setting 0 where there are several"},
     }},
    {"configuration-uncounted", "will-detach", "CH9-CFG-17", .both_modes = true, .follows = {
         {"DM-DESC-01b", "two configurations in DFU mode"},
     }},
    {"ms-os-2-announces-nothing", "ms-os-2", "OS-MS2-01"},
    {"ms-os-2-announces-more", "ms-os-2", "OS-MS2-02"},
    {"ms-os-2-other-code", "ms-os-2", "OS-MS2-02"},
    {"ms-os-2-set-total", "ms-os-2", "OS-MS2-02"},
    {"ms-os-2-id-too-long", "ms-os-2", "OS-MS2-03"},
    {"ms-os-2-absent-interface", "ms-os-2", "OS-MS2-03"},
    {"ms-os-2-other-driver", "ms-os-2", "OS-MS2-04"},
    {"ms-os-1-string-short", "ms-os-1", "OS-MS1-01"},
    {"ms-os-1-count", "ms-os-1", "OS-MS1-02"},
    {"webusb-version", "webusb", "OS-WEBUSB-01"},
    {"webusb-no-page", "webusb", "OS-WEBUSB-02"},
    {NULL},
};
// clang-format on
