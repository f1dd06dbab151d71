// SPDX-License-Identifier: MIT
//
// descriptors.h - parses configuration descriptors.
//
// The bytes come from a device that may be wrong or hostile. The parser reads only received bytes,
// validates every length and allocates nothing; a malformed descriptor is reported as a problem and
// passed over.

#ifndef USB_DESCRIPTORS_H
#define USB_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dfurt/usb_spec.h>

// ---- The walk: one descriptor after the other ----

struct descriptor_walk {
    const uint8_t *bytes;
    size_t length;
    size_t next;         // offset of the next descriptor
    const char *problem; // why the walk ended before the end of the bytes, or NULL
};

struct descriptor {
    size_t offset;
    uint8_t bLength; // >= 2, and all of it was received
    uint8_t bDescriptorType;
    const uint8_t *bytes;
};

// Begin at the first of length received bytes, which stay valid during the walk.
void descriptor_walk_start(struct descriptor_walk *walk, const uint8_t *bytes, size_t length);

// Returns false at the end, or at the first descriptor that cannot be one (problem says why).
bool descriptor_walk_next(struct descriptor_walk *walk, struct descriptor *ret_descriptor);

// ---- The parts ----

enum {
    CONFIGURATION_MAX_INTERFACES = 128, // interface descriptors, alternates counted
    CONFIGURATION_MAX_ENDPOINTS = 128,
    CONFIGURATION_MAX_ASSOCIATIONS = 16,
    CONFIGURATION_MAX_FUNCTIONALS = 8,
};

struct usb_interface {
    size_t offset;
    uint8_t bLength;
    uint8_t bInterfaceNumber;
    uint8_t bAlternateSetting;
    uint8_t bNumEndpoints;
    uint8_t bInterfaceClass;
    uint8_t bInterfaceSubClass;
    uint8_t bInterfaceProtocol;
    uint8_t iInterface;
};

struct usb_endpoint {
    size_t offset;
    uint8_t bLength;
    uint8_t bEndpointAddress;
    uint8_t bmAttributes;
    uint16_t wMaxPacketSize;
    uint8_t bInterval;
    int interface; // index into interfaces[], -1 before the first
};

struct usb_association {
    size_t offset;
    uint8_t bFirstInterface;
    uint8_t bInterfaceCount;
    uint8_t bFunctionClass;
    uint8_t iFunction;
    size_t interface; // index into interfaces[] of the one that follows, if there is one
};

// A DFU functional descriptor: type 21h that follows a DFU interface, or that stands where no class
// claims it and has a DFU functional descriptor's length. HID's class descriptor is 21h too.
struct usb_dfu_functional {
    size_t offset;
    uint8_t bLength; // 9; 7 is the DFU 1.0 form, without bcdDFUVersion
    uint8_t bmAttributes;
    uint16_t wDetachTimeOut;
    uint16_t wTransferSize;
    uint16_t bcdDFUVersion; // 0100h where bLength is 7
    int interface;          // index into interfaces[] of the one it follows, -1 before the first
    bool misplaced;         // the interface it follows is not a DFU interface
};

struct usb_configuration {
    uint16_t wTotalLength;
    uint8_t bNumInterfaces;
    uint8_t bConfigurationValue;
    uint8_t iConfiguration;
    uint8_t bmAttributes;
    uint8_t bMaxPower;

    struct usb_interface interfaces[CONFIGURATION_MAX_INTERFACES];
    size_t interface_count;
    struct usb_endpoint endpoints[CONFIGURATION_MAX_ENDPOINTS];
    size_t endpoint_count;
    struct usb_association associations[CONFIGURATION_MAX_ASSOCIATIONS];
    size_t association_count;
    struct usb_dfu_functional functionals[CONFIGURATION_MAX_FUNCTIONALS];
    size_t functional_count;

    size_t walked;         // bytes that could be walked
    const char *problem;   // the first thing that was wrong, or NULL
    size_t problem_offset; // where

    const char *too_large; // there is more of something than this struct has room for, or NULL
    bool
        interface_left_out; // there are more interfaces; what follows the first of them is not here
};

// Parse length received bytes. Returns false if there is not even a configuration header; otherwise
// whatever could be read is in *ret, and ret->problem says what could not.
bool configuration_parse(struct usb_configuration *ret, const uint8_t *bytes, size_t length);

// Its class and subclass are DFU's, FE/01, in either mode (DFU 1.1 4.1.2, 4.2.3).
bool interface_is_dfu(const struct usb_interface *interface);

// The first of them, or NULL.
const struct usb_interface *configuration_dfu_interface(const struct usb_configuration *config);

// The functional descriptor that belongs to it: one that follows a DFU interface, else a misplaced
// one, else NULL.
const struct usb_dfu_functional *configuration_functional(const struct usb_configuration *config);

// How many different bInterfaceNumber there are, and whether this is one of them.
size_t configuration_interface_numbers(const struct usb_configuration *config);
bool configuration_has_interface(const struct usb_configuration *config, uint8_t number);

#endif
