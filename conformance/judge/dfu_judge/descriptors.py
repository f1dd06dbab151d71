# SPDX-License-Identifier: MIT
"""What a device says that it is, by the descriptors in a capture, and what is wrong with them."""

import struct
from dataclasses import dataclass, field

DEVICE, CONFIGURATION, INTERFACE, ENDPOINT, FUNCTIONAL = 1, 2, 4, 5, 0x21
CAN_DNLOAD, CAN_UPLOAD, TOLERANT, WILL_DETACH = 1, 2, 4, 8
RUN_TIME, DFU_MODE = 1, 2  # bInterfaceProtocol


@dataclass
class Device:
    """A device of the capture. Empty bytes: the capture does not show that descriptor."""

    device: bytes = b""
    configurations: dict = field(default_factory=dict)  # by index

    def walk(self, configuration):
        offset = 0
        while offset + 2 <= len(configuration) and configuration[offset] >= 2:
            yield configuration[offset:offset + configuration[offset]]
            offset += configuration[offset]

    def dfu(self):
        """(interface descriptor, functional descriptor) of the first DFU interface, or None."""
        for configuration in self.configurations.values():
            interface, found = None, None
            for descriptor in self.walk(configuration):
                if descriptor[1] == INTERFACE and len(descriptor) >= 9:
                    interface = descriptor
                    if found is None and descriptor[5:7] == b"\xFE\x01":
                        found = [descriptor, b""]
                elif (descriptor[1] == FUNCTIONAL and found and not found[1] and interface
                      and interface[5:7] == b"\xFE\x01"):
                    found[1] = descriptor
            if found:
                return tuple(found)
        return None


def collect(transfers):
    """The Device at each bus and address, by the GET_DESCRIPTORs that were answered."""
    devices = {}
    for transfer in transfers:
        request_type, request, value, _, length = transfer.fields
        if not transfer.done or (request_type, request) != (0x80, 6):
            continue
        device = devices.setdefault(transfer.device, Device())
        kind, index = value >> 8, value & 0xFF
        if kind == DEVICE and len(transfer.data) >= 18:
            device.device = transfer.data[:18]
        elif kind == CONFIGURATION and len(transfer.data) >= 9:
            total, = struct.unpack_from("<H", transfer.data, 2)
            if len(transfer.data) >= total and length >= total:
                device.configurations[index] = transfer.data[:total]
    return devices


def deviations(device):
    """(section, sentence) of each thing that DFU 1.1 has otherwise."""
    found = device.dfu()
    if not found:
        return []
    interface, functional = found
    in_dfu_mode = interface[7] == DFU_MODE
    rules = list(_of_interface(interface)) + list(_of_functional(device, functional))
    if in_dfu_mode:
        rules += list(_of_dfu_mode(device))
    return rules


def _of_interface(interface):
    if interface[7] not in (RUN_TIME, DFU_MODE):
        yield "4.1.2", f"bInterfaceProtocol is {interface[7]:02X}h, not 01h or 02h"
    if interface[4] != 0:
        yield "4.1.2", f"the DFU interface has {interface[4]} endpoints, not 0"
    if interface[7] == RUN_TIME and interface[3] != 0:
        yield "4.1.2", f"the DFU interface has alternate setting {interface[3]}, not 0"


def _of_functional(device, functional):
    if not functional:
        yield "4.1.3", "there is no functional descriptor"
        return
    if len(functional) != 9:
        yield "4.1.3", f"the functional descriptor has {len(functional)} bytes, not 9"
        return
    attributes, time_out, size, version = struct.unpack("<BHHH", functional[2:])
    if attributes & 0xF0 and version != 0x011A:
        yield "4.1.3", f"reserved bits of bmAttributes are set: {attributes:02X}h"
    if version not in (0x0100, 0x0101, 0x0110, 0x011A) or version == 0x0101:
        yield "4.1.3", f"bcdDFUVersion is {version:04X}h"
    if device.device and size < max(device.device[7], 1):
        yield "6.1", f"wTransferSize is {size}, less than bMaxPacketSize0, {device.device[7]}"
    if not attributes & WILL_DETACH and time_out == 0:
        yield "5.1", "bitWillDetach is 0 and so is wDetachTimeOut: DFU mode cannot be reached"


def _of_dfu_mode(device):
    if device.device and device.device[4:7] != b"\0\0\0":
        yield "4.2.1", "bDeviceClass, bDeviceSubClass and bDeviceProtocol are not all 0"
    if device.device and device.device[17] != 1:
        yield "4.2.1", f"bNumConfigurations is {device.device[17]}, not 1"
    for configuration in device.configurations.values():
        if configuration[4] != 1:
            yield "4.2.2", f"bNumInterfaces is {configuration[4]}, not 1"
