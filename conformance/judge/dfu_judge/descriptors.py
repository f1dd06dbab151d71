# SPDX-License-Identifier: MIT
"""What a device says that it is, by the descriptors in a capture, and what is wrong with them."""

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import lru_cache

DEVICE, CONFIGURATION, INTERFACE, ENDPOINT, FUNCTIONAL = 1, 2, 4, 5, 0x21
CAN_DNLOAD, CAN_UPLOAD, TOLERANT, WILL_DETACH = 1, 2, 4, 8
RUN_TIME, DFU_MODE = 1, 2  # bInterfaceProtocol
BEGIN = bytes([18, DEVICE])  # of a device descriptor


def walk(configuration):
    """The descriptors of a configuration, one after the other."""
    offset = 0
    while offset + 2 <= len(configuration) and configuration[offset] >= 2:
        yield configuration[offset:offset + configuration[offset]]
        offset += configuration[offset]


@lru_cache(maxsize=64)  # asked for at each transfer
def _dfu_of(configuration):
    interface, found = None, None
    for descriptor in walk(configuration):
        if descriptor[1] == INTERFACE and len(descriptor) >= 9:
            interface = descriptor
            if found is None and descriptor[5:7] == b"\xFE\x01":
                found = [descriptor, b""]
        elif (descriptor[1] == FUNCTIONAL and found and not found[1] and interface
              and interface[5:7] == b"\xFE\x01"):
            found[1] = descriptor
    return found and tuple(found)


@dataclass
class Device:
    """A device of the capture. Empty bytes: the capture does not show that descriptor."""

    device: bytes = b""
    configurations: dict = field(default_factory=dict)  # by index
    first: int = 0  # the frame from which it is this device
    guessed: int = None  # its DFU interface, where there are no descriptors

    def dfu(self):
        """(interface descriptor, functional descriptor) of the first DFU interface, or None."""
        if self.guessed is not None:
            return bytes([9, INTERFACE, self.guessed & 0xFF, 0, 0, 0xFE, 1, 0, 0]), b""
        return next(filter(None, map(_dfu_of, self.configurations.values())), None)


class _Collector:
    """The devices of a capture. At one bus and address there is another one as soon as descriptors
    change: a device that a bus reset led into DFU mode, or one that took over the address."""

    def __init__(self):
        self.devices, self.present = {}, {}

    def begin(self, where, device):
        self.present[where] = self.devices[(*where, device.first)] = device

    def at(self, transfer):
        if transfer.device not in self.present:
            self.begin(transfer.device, Device(first=transfer.frame))
        return self.present[transfer.device]

    def see_device(self, transfer):
        device, seen = self.at(transfer), transfer.data[:18]
        if device.device not in (b"", seen) or device.guessed is not None:
            device = Device(first=transfer.frame)
            self.begin(transfer.device, device)
        device.device = seen

    def see_configuration(self, transfer, index, seen):
        device = self.at(transfer)
        if device.configurations.get(index, seen) != seen or device.guessed is not None:
            device = Device(device.device, first=transfer.frame)
            self.begin(transfer.device, device)
        device.configurations[index] = seen

    def see_status(self, transfer):
        """GETSTATUS as only DFU has it, from a device without descriptors."""
        status = transfer.data
        known = transfer.device in self.present
        if not known and len(status) == 6 and status[0] <= 0x0F and status[4] <= 10:
            self.begin(transfer.device, Device(first=transfer.frame, guessed=transfer.fields[3]))

    def see(self, transfer):
        request_type, request, value, _, length = transfer.fields
        kind, index = value >> 8, value & 0xFF
        if (request_type, request) == (0x00, 5):  # SET_ADDRESS
            self.present.pop((transfer.device[0], value), None)
        elif (request_type, request) == (0xA1, 3):
            self.see_status(transfer)
        elif (request_type, request, kind) == (0x80, 6, DEVICE) and len(transfer.data) >= 18:
            self.see_device(transfer)
        elif (request_type, request, kind) == (0x80, 6, CONFIGURATION) and len(transfer.data) >= 9:
            total, = struct.unpack_from("<H", transfer.data, 2)
            if len(transfer.data) >= total and length >= total >= 9:
                self.see_configuration(transfer, index, transfer.data[:total])


def collect(transfers):
    """The Device at each bus, address and first frame, by the GET_DESCRIPTORs that were answered."""
    collector = _Collector()
    for transfer in transfers:
        if transfer.done:
            collector.see(transfer)
    return collector.devices


def of_transfer(devices):
    """A function: the key of the device that a transfer is with, or None."""
    starts = {}
    for bus, address, first in sorted(devices):
        starts.setdefault((bus, address), []).append(first)

    def key(transfer):
        firsts = starts.get(transfer.device)
        if not firsts:
            return None
        return (*transfer.device, firsts[max(0, bisect_right(firsts, transfer.frame) - 1)])
    return key


def from_sysfs(data):
    """The Device that a file `descriptors` of Linux' sysfs describes: the device descriptor, then
    each configuration."""
    device, offset = Device(data[:18]), 18
    while offset + 9 <= len(data) and data[offset + 1] == CONFIGURATION:
        total, = struct.unpack_from("<H", data, offset + 2)
        device.configurations[len(device.configurations)] = data[offset:offset + max(total, 9)]
        offset += max(total, 9)
    return device


def deviations(device):
    """(section, sentence) of each thing that DFU 1.1 has otherwise."""
    found = device.dfu()
    if not found or device.guessed is not None:
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
    interface, _ = device.dfu()
    if interface[2] != 0:
        yield "4.2.3", f"bInterfaceNumber is {interface[2]}, not 0"
    if device.device and device.device[4:7] != b"\0\0\0":
        yield "4.2.1", "bDeviceClass, bDeviceSubClass and bDeviceProtocol are not all 0"
    if device.device and device.device[17] != 1:
        yield "4.2.1", f"bNumConfigurations is {device.device[17]}, not 1"
    for configuration in device.configurations.values():
        numbers = [d[3] for d in walk(configuration) if d[1] == INTERFACE and len(d) >= 9]
        if configuration[4] == 1 and numbers != list(range(len(numbers))):
            yield "4.2.3", f"the alternate settings are {numbers}, not numbered from 0"
        if configuration[4] != 1:
            yield "4.2.2", f"bNumInterfaces is {configuration[4]}, not 1"
