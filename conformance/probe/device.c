// SPDX-License-Identifier: MIT

#include <conformance/device.h>

void device_load(struct device *device, const struct target_descriptors *raw)
{
    *device = (struct device){.seen = true, .raw = *raw};
    if (!configuration_parse(&device->config, device->raw.configuration,
                             device->raw.configuration_length))
        return;
    device->dfu = configuration_dfu_interface(&device->config);
    device->functional = configuration_functional(&device->config);
}

uint16_t device_vendor(const struct device *device)
{
    return usbdev_load_le16(device->raw.device + 8);
}

uint16_t device_product(const struct device *device)
{
    return usbdev_load_le16(device->raw.device + 10);
}

uint16_t device_max_packet0(const struct device *device)
{
    enum { SUPERSPEED = 0x0300, EXPONENT = 9 };
    uint8_t bMaxPacketSize0 = device->raw.device[7];
    bool is_super = usbdev_load_le16(device->raw.device + 2) >= SUPERSPEED;
    return is_super && bMaxPacketSize0 == EXPONENT ? DEVICE_MOST_PACKET0 : bMaxPacketSize0;
}

uint8_t device_attributes(const struct device *device)
{
    return device->functional ? device->functional->bmAttributes : 0;
}

bool device_will_detach(const struct device *device)
{
    return device_attributes(device) & DFURT_ATTR_WILL_DETACH;
}

bool device_is_dfuse(const struct device *device)
{
    return device->functional && device->functional->bcdDFUVersion == 0x011A;
}

unsigned device_detach_timeout(const struct device *device)
{
    return device->functional ? device->functional->wDetachTimeOut : 0;
}

unsigned device_detach_limit(const struct device *device)
{
    unsigned timeout_ms = device_detach_timeout(device);
    unsigned limit_ms = device_will_detach(device) ? 3000 : 5000;
    return timeout_ms < limit_ms ? timeout_ms : limit_ms;
}

int device_absent_interface(const struct device *device)
{
    for (unsigned number = 0; number <= UINT8_MAX; number++) {
        if (!configuration_has_interface(&device->config, (uint8_t)number))
            return (int)number;
    }
    return -1;
}

int device_other_interface(const struct device *device)
{
    for (size_t i = 0; i < device->config.interface_count; i++) {
        if (!interface_is_dfu(&device->config.interfaces[i]))
            return device->config.interfaces[i].bInterfaceNumber;
    }
    return -1;
}
