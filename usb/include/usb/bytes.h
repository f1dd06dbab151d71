// SPDX-License-Identifier: MIT
//
// bytes.h - numbers in byte buffers: little-endian as USB has them, big-endian as USB/IP does.
// dfurt/usb_spec.h has the little-endian ones of 16 bits.

#ifndef USB_BYTES_H
#define USB_BYTES_H

#include <stdint.h>

#include <dfurt/usb_spec.h>

static inline uint32_t load_le32(const uint8_t *bytes)
{
    return usbdev_load_le16(bytes) | (uint32_t)usbdev_load_le16(bytes + 2) << 16;
}

static inline void store_le32(uint8_t *bytes, uint32_t value)
{
    usbdev_store_le16(bytes, (uint16_t)value);
    usbdev_store_le16(bytes + 2, (uint16_t)(value >> 16));
}

static inline uint16_t load_be16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)load_be16(bytes) << 16 | load_be16(bytes + 2);
}

static inline void store_be16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void store_be32(uint8_t *bytes, uint32_t value)
{
    store_be16(bytes, (uint16_t)(value >> 16));
    store_be16(bytes + 2, (uint16_t)value);
}

#endif
