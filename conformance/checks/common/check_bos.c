// SPDX-License-Identifier: MIT

#include <conformance/check_bos.h>

bool bos_read(struct probe *probe, struct bos *ret)
{
    if (usbdev_load_le16(probe_device(probe)->raw.device + 2) < 0x0201)
        return probe_inapplicable(probe, "a device with a BOS (bcdUSB 0201h or above)");
    uint8_t header[BOS_HEADER_SIZE];
    struct usbdev_setup_packet setup = usb_get_descriptor(USBDEV_DT_BOS, 0, 0, sizeof header);
    if (!given(probe, expect_length(probe, &setup, header, sizeof header)))
        return false;
    uint16_t total = usbdev_load_le16(header + 2);
    if (!given_carried(probe, total))
        return false;
    setup.wLength = total;
    return expect_accepted(probe, &setup, ret->bytes, &ret->length) &&
           expect(probe, ret->length >= BOS_HEADER_SIZE, "a BOS of at least 5 bytes", "%d bytes",
                  ret->length);
}
