# SPDX-License-Identifier: MIT
"""The transfers of a capture that Linux's usbmon, Wireshark or dfurt wrote.

Both file formats are read: pcapng (sections 4.1 to 4.3 of its specification) and pcap; of link types
LINUX_USB (189) and LINUX_USB_MMAPPED (220): usbmon's header of 48 or 64 bytes, then the data
(Linux, Documentation/usb/usbmon.rst).
"""

import struct
from dataclasses import dataclass, field

LINK_TYPES = {189: 48, 220: 64}  # link type: length of usbmon's header
STALL = -32  # -EPIPE: how Linux tells of a STALL
CONTROL = 2  # xfer_type
PCAPNG = b"\x0A\x0D\x0D\x0A"
PCAP = (b"\xD4\xC3\xB2\xA1", b"\xA1\xB2\xC3\xD4", b"\x4D\x3C\xB2\xA1", b"\xA1\xB2\x3C\x4D")


class Malformed(Exception):
    """The file is not a capture of USB, or is damaged."""


@dataclass
class Transfer:
    """A control transfer."""

    frame: int  # of its submission, from 1, as Wireshark counts
    device: tuple  # bus and address
    setup: bytes
    start: float  # s
    data: bytes = b""
    end: float = 0.0
    status: int = None  # 0, or a negative errno; None: the capture does not say
    last_frame: int = 0
    comments: list = field(default_factory=list)

    @property
    def done(self):
        return self.status == 0

    @property
    def stalled(self):
        return self.status == STALL

    @property
    def fields(self):
        """bmRequestType, bRequest, wValue, wIndex, wLength (USB 2.0 table 9-2)."""
        return struct.unpack("<BBHHH", self.setup)


def _pcapng(data):
    """(link type, seconds, packet, comments) of each packet."""
    offset, order, links = 0, "<", []
    while offset + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, offset)
        if kind == 0x0A0D0D0A:
            order = "<" if data[offset + 8:offset + 12] == b"\x4D\x3C\x2B\x1A" else ">"
            length = struct.unpack_from(order + "I", data, offset + 4)[0]
            links = []
        if length < 12 or length % 4 or offset + length > len(data):
            raise Malformed(f"a block of {length} bytes at byte {offset} of {len(data)}")
        body = data[offset + 8:offset + length - 4]
        if kind == 1 and len(body) >= 8:
            options = dict(_options(body[8:], order))
            links.append((struct.unpack_from(order + "H", body)[0],
                          _resolution(options.get(9, b"\x06"))))
        elif kind == 6 and len(body) >= 20:
            interface, high, low, captured, _ = struct.unpack_from(order + "IIIII", body)
            if interface >= len(links) or 20 + captured > len(body):
                raise Malformed(f"a packet at byte {offset} that its block does not hold")
            link, resolution = links[interface]
            options = _options(body[20 + (captured + 3 & ~3):], order)
            comments = [v.decode("utf-8", "replace") for code, v in options if code == 1]
            yield link, (high << 32 | low) * resolution, body[20:20 + captured], comments
        offset += length


def _options(data, order):
    options, offset = [], 0
    while offset + 4 <= len(data):
        code, length = struct.unpack_from(order + "HH", data, offset)
        if code == 0:
            break
        options.append((code, data[offset + 4:offset + 4 + length]))
        offset += 4 + (length + 3 & ~3)
    return options


def _resolution(option):
    exponent = option[0]
    return 2.0 ** -(exponent & 0x7F) if exponent & 0x80 else 10.0 ** -exponent


def _pcap(data):
    magic = data[:4]
    order = "<" if magic in (b"\xD4\xC3\xB2\xA1", b"\x4D\x3C\xB2\xA1") else ">"
    scale = 1e-9 if magic in (b"\x4D\x3C\xB2\xA1", b"\xA1\xB2\x3C\x4D") else 1e-6
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    offset = 24
    while offset + 16 <= len(data):
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, offset)
        if offset + 16 + captured > len(data):
            raise Malformed(f"a packet at byte {offset} that the file does not hold")
        yield link, seconds + fraction * scale, data[offset + 16:offset + 16 + captured], []
        offset += 16 + captured


def is_capture(begin):
    """Does a file that begins with these bytes say that it is one?"""
    return begin[:4] == PCAPNG or begin[:4] in PCAP


def _packets(data):
    if data[:4] == PCAPNG:
        return _pcapng(data)
    if is_capture(data) and len(data) >= 24:
        return _pcap(data)
    raise Malformed("neither pcapng nor pcap")


def read(data):
    """The control transfers of a file's bytes, in the order in which they were submitted."""
    transfers, open_urbs, frame = [], {}, 0
    for link, when, packet, comments in _packets(data):
        frame += 1
        header = LINK_TYPES.get(link)
        if header is None:
            raise Malformed(f"link type {link}: expected a capture of usbmon (189 or 220)")
        if len(packet) < header:
            raise Malformed(f"frame {frame} is shorter than usbmon's header")
        urb, event, kind, _, address, bus, no_setup, _ = struct.unpack_from("<QcBBBHBB", packet)
        status, = struct.unpack_from("<i", packet, 28)
        if kind != CONTROL:
            continue
        if event == b"S" and no_setup == 0:
            transfer = Transfer(frame, (bus, address), packet[40:48], when, packet[header:],
                                comments=comments)
            transfer.last_frame = frame
            open_urbs[urb] = transfer
            transfers.append(transfer)
        elif event in (b"C", b"E") and urb in open_urbs:
            transfer = open_urbs.pop(urb)
            transfer.status, transfer.end, transfer.last_frame = status, when, frame
            if transfer.setup[0] & 0x80:
                transfer.data = packet[header:]
    return transfers
