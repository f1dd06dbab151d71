// SPDX-License-Identifier: MIT
//
// Around the README's C: the interfaces of a configuration.

#include <libopencm3/usb/usbd.h>

struct usb_interface {
    uint8_t num_altsetting;
    const struct usb_interface_descriptor *altsetting;
};

// README 1
extern const struct usb_interface interfaces[];
const struct usb_interface interfaces[] = {
    // README 2
};

// README 3
