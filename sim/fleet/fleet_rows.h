// SPDX-License-Identifier: MIT
//
// fleet_rows.h - how the products of the fleet are written: descriptors as the bytes of an
// initializer (USB 2.0 tables 9-12 and 9-13, IAD ECN), and members of struct product_shape.

#ifndef SIM_FLEET_ROWS_H
#define SIM_FLEET_ROWS_H

#include <sim/fleet.h>

// What follows bNumEndpoints: bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol, iInterface.
#define INTERFACE(number, alternate, endpoints, ...)                                               \
    USBDEV_INTERFACE_DESCRIPTOR_SIZE, USBDEV_DT_INTERFACE, (number), (alternate), (endpoints),     \
        __VA_ARGS__
#define ENDPOINT(address, attributes, size, interval)                                              \
    USBDEV_ENDPOINT_DESCRIPTOR_SIZE, USBDEV_DT_ENDPOINT, (address), (attributes), (uint8_t)(size), \
        (uint8_t)((size) >> 8), (interval)

// What follows bInterfaceCount: bFunctionClass, bFunctionSubClass, bFunctionProtocol, iFunction.
#define ASSOCIATION(first, count, ...)                                                             \
    8, USBDEV_DT_INTERFACE_ASSOCIATION, (first), (count), __VA_ARGS__

// Any other, its bytes.
#define DESCRIPTOR(...) __VA_ARGS__

// .before and .after: the descriptors of so many interfaces.
#define STANDS(bytes, interfaces)                                                                  \
    {                                                                                              \
        (bytes), sizeof(bytes), (interfaces)                                                       \
    }

// .device_class of a device with interface associations (IAD ECN).
#define ASSOCIATIONS_FOLLOW                                                                        \
    {                                                                                              \
        0xEF, 0x02, 0x01                                                                           \
    }

#endif
