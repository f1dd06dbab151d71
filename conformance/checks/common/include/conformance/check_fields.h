// SPDX-License-Identifier: MIT
//
// check_fields.h - requirements of the form "this field of that descriptor is such a number", as
// rows of a table.
//
//     {"RT-DESC-02a", "DFU 1.1 4.1.2", LEVEL_MUST,
//      "the DFU interface has bInterfaceProtocol 01h",
//      NEED_RUN_TIME, check_field, FIELD(DFU_INTERFACE, 7, 1, "bInterfaceProtocol", IS, 1)},
//
// The descriptor is read from the device for each row. Of configurations each one is judged, of
// interfaces and functional descriptors those of the DFU interface in the active configuration, or
// where that has none in the first one that has.

#ifndef CONFORMANCE_CHECK_FIELDS_H
#define CONFORMANCE_CHECK_FIELDS_H

#include <conformance/check_common.h>

struct field {
    enum field_of {
        OF_DEVICE,
        OF_CONFIGURATION,
        OF_DFU_INTERFACE,
        OF_FUNCTIONAL,
    } of;
    uint8_t offset;
    uint8_t size; // 1 or 2 bytes, little-endian
    const char *name;
    enum field_relation {
        FIELD_IS,
        FIELD_IS_NOT,
        FIELD_AT_LEAST,
        FIELD_AT_MOST,
        FIELD_BITS_SET,
        FIELD_BITS_CLEAR,
    } relation;
    uint16_t constant;
};

#define FIELD(descriptor, at, bytes, field_name, relates, number)                                  \
    (&(const struct field){.of = OF_##descriptor,                                                  \
                           .offset = (at),                                                         \
                           .size = (bytes),                                                        \
                           .name = (field_name),                                                   \
                           .relation = FIELD_##relates,                                            \
                           .constant = (number)})

// The run function of such a row.
void check_field(struct probe *probe);

// Points into itself: not to be copied.
struct dfu_descriptors {
    struct configuration_bytes read; // the configuration
    const struct usb_interface *interface;
    const struct usb_dfu_functional *functional; // or NULL
};

// Read the DFU interface, and its functional descriptor where there is one; with read_dfu() there
// is. Else the check is INCONCLUSIVE: RT-DESC-01a and RT-DESC-01b judge that.
bool read_dfu_interface(struct probe *probe, struct dfu_descriptors *ret);
bool read_dfu(struct probe *probe, struct dfu_descriptors *ret);

#endif
