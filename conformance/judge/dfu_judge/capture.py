# SPDX-License-Identifier: MIT
"""The transfers of a capture that Linux's usbmon, Windows' USBPcap, Wireshark or dfurt wrote.

Both file formats are read, gzipped or not: pcapng (sections 4.1 to 4.4 of its specification) and pcap;
of link types LINUX_USB (189) and LINUX_USB_MMAPPED (220): usbmon's header of 48 or 64 bytes, then the
data (Linux, Documentation/usb/usbmon.rst), in the byte order of the machine that wrote the file; and
USBPCAP (249): its header says how long it is. Packets of other link types are passed over, and so is
a packet that was captured twice, as by usbmon0 and usbmon1 at once. A file that was cut off, as that
of a program that was killed, is read as far as it goes.
"""

import struct
import zlib
from collections import deque
from dataclasses import dataclass, field

USBPCAP = 249
LINK_TYPES = {189: 48, 220: 64, USBPCAP: 27}  # link type: the least length of the header
STALL = -32  # -EPIPE: how Linux tells of a STALL
USBPCAP_STALL = 0xC0000004  # USBD_STATUS_STALL_PID
CONTROL = 2  # xfer_type, of both
PCAPNG = b"\x0A\x0D\x0D\x0A"
PCAP = (b"\xD4\xC3\xB2\xA1", b"\xA1\xB2\xC3\xD4", b"\x4D\x3C\xB2\xA1", b"\xA1\xB2\x3C\x4D")
GZIP = b"\x1F\x8B"
MOST_BYTES = 1 << 30  # of a gzipped file's contents


class Malformed(Exception):
    """The file is not a capture of USB, or is damaged."""


@dataclass
class Transfer:
    """A control transfer."""

    frame: int  # of its submission, from 1, as Wireshark counts
    device: tuple  # bus and address
    setup: bytes
    start: float  # s
    data: bytes = b""  # of its data stage, as far as it was captured
    length: int = 0  # of its data stage
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
    def whole(self):
        """Was all of its data stage captured?"""
        return len(self.data) >= self.length

    @property
    def fields(self):
        """bmRequestType, bRequest, wValue, wIndex, wLength (USB 2.0 table 9-2)."""
        return struct.unpack("<BBHHH", self.setup)


class _Cut(Exception):
    """What comes next reaches beyond the end of the file."""


def _pcapng(data):
    """(link type, byte order, seconds, packet, comments) of each packet."""
    offset, order, links = 0, "<", []
    while offset + 12 <= len(data):
        kind, length = struct.unpack_from(order + "II", data, offset)
        if kind == 0x0A0D0D0A:
            order = "<" if data[offset + 8:offset + 12] == b"\x4D\x3C\x2B\x1A" else ">"
            length = struct.unpack_from(order + "I", data, offset + 4)[0]
            links = []
        if length < 12 or length % 4:
            raise Malformed(f"a block of {length} bytes at byte {offset} of {len(data)}")
        if offset + length > len(data):
            raise _Cut(offset)
        body = data[offset + 8:offset + length - 4]
        if kind == 1 and len(body) >= 8:
            options = dict(_options(body[8:], order))
            links.append((struct.unpack_from(order + "H", body)[0],
                          _resolution(options.get(9) or b"\x06")))
        elif kind in (2, 6) and len(body) >= 20:
            interface, high, low, captured, _ = struct.unpack_from(
                order + ("IIIII" if kind == 6 else "HxxIIII"), body)
            if interface >= len(links) or 20 + captured > len(body):
                raise Malformed(f"a packet at byte {offset} that its block does not hold")
            link, resolution = links[interface]
            options = _options(body[20 + (captured + 3 & ~3):], order)
            comments = [v.decode("utf-8", "replace") for code, v in options if code == 1]
            yield link, order, (high << 32 | low) * resolution, body[20:20 + captured], comments
        elif kind == 3 and len(body) >= 4 and links:  # of a size that fills its block, and no time
            size, = struct.unpack_from(order + "I", body)
            yield links[0][0], order, None, body[4:4 + size], []
        offset += length
    if offset < len(data):
        raise _Cut(offset)


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
    while offset < len(data):
        if offset + 16 > len(data):
            raise _Cut(offset)
        seconds, fraction, captured, _ = struct.unpack_from(order + "IIII", data, offset)
        if offset + 16 + captured > len(data):
            raise _Cut(offset)
        packet = data[offset + 16:offset + 16 + captured]
        yield link, order, seconds + fraction * scale, packet, []
        offset += 16 + captured


def is_capture(begin):
    """Does a file that begins with these bytes say that it is one?"""
    return begin[:4] == PCAPNG or begin[:4] in PCAP or begin[:2] == GZIP


def _unzipped(data):
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        return unzip.decompress(data, MOST_BYTES)
    except zlib.error as error:
        raise Malformed(f"gzip: {error}") from error


def _packets(data):
    if data[:2] == GZIP:
        data = _unzipped(data)
    if data[:4] == PCAPNG:
        return _pcapng(data)
    if data[:4] in PCAP and len(data) >= 24:
        return _pcap(data)
    raise Malformed("neither pcapng nor pcap")


class _Reader:
    """Puts the packets of a capture together to transfers."""

    def __init__(self):
        self.transfers, self.open = [], {}
        self.recent = deque(maxlen=16)

    def submitted(self, key, transfer):
        self.open[key] = transfer
        self.transfers.append(transfer)

    def completed(self, transfer, status, when, frame, data, length):
        transfer.status, transfer.end, transfer.last_frame = status, when, frame
        if transfer.setup[0] & 0x80:
            transfer.data, transfer.length = data, length

    def usbmon(self, header, order, when, packet, frame, comments):
        urb, event, kind, _, address, bus, no_setup, _ = struct.unpack_from(order + "QcBBBHBB", packet)
        seconds, micros, status, length = struct.unpack_from(order + "qiiI", packet, 16)
        when = seconds + micros / 1e6 if when is None else when
        if kind != CONTROL:
            return
        if event == b"S" and no_setup == 0:
            transfer = Transfer(frame, (bus, address), packet[40:48], when, packet[header:],
                                comments=comments, last_frame=frame)
            transfer.length = 0 if transfer.setup[0] & 0x80 else length
            self.submitted(urb, transfer)
        elif event in (b"C", b"E") and urb in self.open:
            self.completed(self.open.pop(urb), status, when, frame, packet[header:], length)

    def usbpcap(self, when, packet, frame, comments):
        size, irp, status, _, info, bus, address, _, kind, length = struct.unpack_from(
            "<HQIHBHHBBI", packet)
        data = packet[size:]
        if kind != CONTROL or size < 28:
            return
        if not info & 1 and packet[27] == 0 and len(data) >= 8:  # down, the setup stage
            self.submitted(irp, Transfer(frame, (bus, address), data[:8], when or 0.0, data[8:],
                                         length=length - 8, comments=comments, last_frame=frame))
        elif irp in self.open and not info & 1:  # down, a data stage of its own
            self.open[irp].data, self.open[irp].length = data, length
        elif irp in self.open:
            transfer = self.open[irp]
            data, length = (data, length) if length else (transfer.data, transfer.length)
            code = 0 if status == 0 else STALL if status == USBPCAP_STALL else -71
            self.completed(transfer, code, when or 0.0, frame, data, length)

    def take(self, link, order, when, packet, frame, comments):
        header = LINK_TYPES[link]
        if len(packet) < header:
            raise Malformed(f"frame {frame} is shorter than its header of {header} bytes")
        if link == USBPCAP:
            self.usbpcap(when, packet, frame, comments)
        elif packet not in self.recent:  # with usbmon's own time in it
            self.recent.append(packet)
            self.usbmon(header, order, when, packet, frame, comments)


def read(data, warn=lambda words: None):
    """The control transfers of a file's bytes, in the order in which they were submitted."""
    reader, frame, others = _Reader(), 0, set()
    try:
        for link, order, when, packet, comments in _packets(data):
            frame += 1
            if link in LINK_TYPES:
                reader.take(link, order, when, packet, frame, comments)
            else:
                others.add(link)
    except _Cut as cut:
        warn(f"byte {cut}: what begins here reaches beyond the end of the file; "
             f"the {frame} frames before it are judged")
    if others and not reader.transfers:
        raise Malformed(f"link type {min(others)}: expected a capture of USB, by usbmon (189 or 220) "
                        "or USBPcap (249)")
    return reader.transfers
