# SPDX-License-Identifier: MIT
"""What a run may send, held against a capture of what it sent. The rules are those that the man page
has under "What is sent"; nothing here knows how the suite decides.

A boot loader may program at any DNLOAD, in whichever state it is, or at the GETSTATUS after it, and
may ignore the recipient and the direction of a request.
"""

import re
import struct

DETACH, DNLOAD, UPLOAD, GETSTATUS, CLRSTATUS, GETSTATE, ABORT = range(7)
SAMPLES = {0x07, 0x08, 0x21, 0x40, 0x7F, 0x80}
STANDARD, CLASS, VENDOR = range(3)  # bits 6 and 5 of bmRequestType
SYNC = (3, 6)  # dfuDNLOAD-SYNC, dfuMANIFEST-SYNC
SET_ADDRESS, ERASE, READ_UNPROTECT = 0x21, 0x41, 0x92  # AN3156 5
MOVES = ("bus reset", "wait for the device to return", "power", "SET_CONFIGURATION", "SET_INTERFACE")
GROUP = re.compile(r"\s*(\d+)\s*\*\s*(\d+)([ BKM]?)([a-z]?)")
UNIT = {"": 1, " ": 1, "B": 1, "K": 1 << 10, "M": 1 << 20}


def regions(name):
    """(address, end, sector size, readable) of each group in the name of an alternate (UM0424)."""
    parts = name.split("/")[1:] if name.startswith("@") else []
    for address, groups in zip(parts[::2], parts[1::2]):
        at = int(address, 16)
        for count, size, unit, access in map(re.Match.groups, GROUP.finditer(groups)):
            sector = int(size) * UNIT[unit]
            yield at, at + int(count) * sector, sector, ord(access or "g") & 1
            at += int(count) * sector


class Descriptors:
    """What a device at one address says that it is."""

    def __init__(self):
        self.configuration, self.strings = b"", {}

    def learn(self, transfer):
        request_type, request, value, _, _ = transfer.fields
        if not transfer.done or (request_type, request) != (0x80, 6):
            return
        if value >> 8 == 2 and value & 0xFF == 0 and len(transfer.data) > len(self.configuration):
            self.configuration = transfer.data
        if value >> 8 == 3 and value & 0xFF and len(transfer.data) > 2:
            text = transfer.data[2:].decode("utf-16le", "replace")
            self.strings[value & 0xFF] = max(text, self.strings.get(value & 0xFF, ""), key=len)

    def dfu(self):
        """The DFU interface descriptors, and the functional descriptor of the first."""
        found, functional, current, at = [], b"", b"", 0
        while at + 2 <= len(self.configuration) and self.configuration[at] >= 2:
            descriptor = self.configuration[at:at + self.configuration[at]]
            at += descriptor[0]
            if descriptor[1] == 4:
                current = descriptor
                found += [descriptor] if descriptor[5:7] == b"\xFE\x01" else []
            elif descriptor[1] == 0x21 and current[5:7] == b"\xFE\x01":
                functional = functional or descriptor
        return found, functional


class Contract:
    """Follows one run; `broken` has a sentence for each request that it should not have sent."""

    def __init__(self, detach=True, write=False):
        self.detach, self.write = detach, write
        self.broken, self.devices, self.said = [], {}, {}
        self.here = None
        self.accepted = False  # a DNLOAD, at run time
        self.uploads, self.reads = [], []
        self.next_upload = 0
        self.move()

    def move(self):
        """The device may be in any state, and what was sent before is no part of what comes."""
        self.state, self.stalls = None, []
        self.image, self.next_block, self.pointer, self.upload = b"", 0, None, None
        self.pointing = self.taken = False

    def watch(self, transfers):
        for transfer in transfers:
            self.devices.setdefault(transfer.device, Descriptors()).learn(transfer)
        for transfer in transfers:
            if transfer.device != self.here or any(m in c for c in transfer.comments for m in MOVES):
                self.move()
            self.here = transfer.device
            self.judge(transfer)
            self.learn(transfer)
        return self.broken

    def breaks(self, transfer, words):
        self.broken.append(f"frame {transfer.frame}, {' '.join(transfer.comments)[:20]}: "
                           f"{transfer.setup.hex()} {transfer.data[:6].hex()}, state {self.state}: {words}")

    # ---- The device ----

    def interfaces(self):
        return self.devices[self.here].dfu()[0]

    def in_dfu_mode(self):
        found = self.interfaces()
        return bool(found) and found[0][7] == 2 or self.said.get(self.here, 0) >= 2

    def transfer_size(self):
        return int.from_bytes(self.devices[self.here].dfu()[1][5:7], "little")

    def memory(self):
        """Where the strings were read at an earlier address of the device, they are those."""
        mine = self.devices[self.here]
        for interface in self.interfaces():
            same = [d.strings[interface[8]] for d in self.devices.values()
                    if d.configuration == mine.configuration and interface[8] in d.strings]
            yield from regions(max(same, default="", key=len))

    def is_dfuse(self):
        return self.devices[self.here].dfu()[1][7:9] == b"\x1A\x01" and any(self.memory())

    # ---- May it be sent? ----

    def judge(self, t):
        request_type, request, value, _, _ = t.fields
        kind = request_type >> 5 & 3
        if kind == STANDARD:
            if request == 7 or (request_type & 0x80, request, value) == (0, 3, 2):
                self.breaks(t, "SET_DESCRIPTOR or TEST_MODE")
        elif kind == CLASS:
            self.judge_class(t, request)
        elif kind == VENDOR:
            self.breaks(t, "a vendor request")
        elif request != 0x7F and not (request_type & 0x80 and request in (GETSTATUS, GETSTATE)):
            self.breaks(t, "of the reserved type")

    def judge_class(self, t, request):
        if request > ABORT and request not in SAMPLES:
            self.breaks(t, "no sample")
        if request == DETACH and not self.detach:
            self.breaks(t, "DETACH with --no-detach")
        if self.in_dfu_mode():
            self.judge_in_dfu_mode(t, request)
            return
        silent = self.stalls == [GETSTATE, GETSTATUS] and request != DNLOAD
        if request in (DNLOAD, CLRSTATUS, ABORT) and self.state not in (0, 1) and not silent:
            self.breaks(t, "the device has not just said appIDLE or appDETACH")
        if request == DNLOAD and self.accepted:
            self.breaks(t, "run time has accepted one before")
        if request == GETSTATUS and (self.taken or self.state in SYNC):
            self.breaks(t, "it begins to program what run time took")

    def judge_in_dfu_mode(self, t, request):
        set_address = request == DNLOAD and self.is_set_address(t)
        if self.pointing and request not in (UPLOAD, GETSTATUS, GETSTATE, ABORT, CLRSTATUS) \
                and not set_address:
            self.breaks(t, "between Set Address Pointer and what reads there")
        if request != DNLOAD:
            return
        if not self.write:
            at = int.from_bytes(t.data[1:5], "little")
            readable = any(first <= at < end and bit for first, end, _, bit in self.memory())
            if not set_address or not readable or self.state not in (2, 5):
                self.breaks(t, "DNLOAD without --allow-write")
        elif t.setup[0] & 0x80:
            self.breaks(t, "DNLOAD in the direction IN")
        elif not self.is_dfuse():
            self.judge_block(t)
        elif not set_address and t.fields[4]:
            self.judge_dfuse(t)

    def is_set_address(self, t):
        return t.setup[0] == 0x21 and t.fields[2] == 0 and len(t.data) == 5 \
            and t.data[0] == SET_ADDRESS and self.is_dfuse()

    def judge_block(self, t):
        """Of a plain device: over the image of two equal uploads, and its end behind all of it."""
        kept = next((u for i, u in enumerate(self.uploads) if u in self.uploads[:i]), None)
        size, at = self.transfer_size(), t.fields[2] * self.transfer_size()
        if kept is None:
            self.breaks(t, "no two uploads were equal")
        elif not t.data:
            if self.image != kept:
                self.breaks(t, f"it manifests {len(self.image)} of {len(kept)} bytes, or others")
        elif at + len(t.data) > len(kept):
            self.breaks(t, f"beyond the {len(kept)} bytes of the image")
        elif len(t.data) > size and t.data != kept[at:at + len(t.data)]:
            self.breaks(t, "other bytes than the image's, in a block that is too long")
        elif len(t.data) < size and at + len(t.data) != len(kept):
            self.breaks(t, "a short block in the middle")

    def judge_dfuse(self, t):
        """Of a DfuSe device: in sectors that were read twice, equal and blank."""
        number = t.fields[2]
        if number == 0 and t.data[0] == ERASE and len(t.data) == 5:
            self.judge_sector(t, int.from_bytes(t.data[1:], "little"), erases=True)
        elif number == 0 and t.data[0] in (ERASE, READ_UNPROTECT):
            self.breaks(t, "it erases all")
        elif number == 1 or (number and self.pointer is None):
            self.breaks(t, "it is not known where that is written")
        elif number:
            at = self.pointer + (number - 2) * self.transfer_size()
            self.judge_sector(t, at)
            self.judge_sector(t, at + len(t.data) - 1)

    def judge_sector(self, t, at, erases=False):
        sector = next((((at - first) // size * size + first, size)
                       for first, end, size, _ in self.memory() if first <= at < end), None)
        if sector is None:
            if not erases or 0x60000000 <= at <= 0x9FFFFFFF:
                self.breaks(t, f"{at:08X}h is no memory of the device")
            return
        seen = self.contents(*sector)[:2]
        if len(seen) < 2 or seen[0] != seen[1] or len(set(seen[0])) > 1:
            self.breaks(t, f"the sector at {sector[0]:08X}h was not read as blank twice")

    def contents(self, first, size):
        """What was read of these addresses, each time that all of them were."""
        whole, bytes_now, covered = [], bytearray(size), 0
        for at, data in self.reads:
            low, high = max(at, first), min(at + len(data), first + size)
            if low < high:
                covered = (0 if low == first else covered) + high - low
                bytes_now[low - first:high - first] = data[low - at:high - at]
                if covered == size:
                    whole.append(bytes(bytes_now))
        return whole

    # ---- What is known afterwards ----

    def learn(self, t):
        request_type, request, _, index, _ = t.fields
        if request_type >> 5 & 3 == STANDARD and (request_type & 0x80 or request in (1, 3)):
            return
        to_host = request in (UPLOAD, GETSTATUS, GETSTATE)
        found = self.interfaces()
        mine = request_type == (0xA1 if to_host else 0x21) and index == (found[0][2] if found else 0)
        if request_type >> 5 & 3 == CLASS and request == DNLOAD:
            self.taken = not t.stalled and not self.in_dfu_mode()
            self.accepted |= t.done and not self.in_dfu_mode()
        if mine and request in (GETSTATUS, GETSTATE):
            self.learn_state(t, request)
            return
        self.state, self.stalls = None, []
        if mine and request in (UPLOAD, CLRSTATUS, ABORT):
            self.pointing = False
        if mine and request == UPLOAD:
            self.learn_upload(t)
        elif mine and request == DNLOAD and t.done:
            self.learn_download(t)

    def learn_state(self, t, request):
        length, place = (6, 4) if request == GETSTATUS else (1, 0)
        self.state = t.data[place] if t.done and len(t.data) == length else None
        self.stalls = self.stalls[-1:] + [request] if t.stalled else []
        if self.state is not None:
            self.said[self.here] = self.state
            self.taken &= self.state in SYNC

    def learn_upload(self, t):
        number, asked = t.fields[2], t.fields[4]
        if not t.done:
            self.upload = None
        elif self.is_dfuse():
            if self.pointer is not None and number >= 2:
                self.reads.append((self.pointer + (number - 2) * self.transfer_size(), t.data))
        else:
            follows = self.upload is not None and number == self.next_upload
            self.upload = self.upload + t.data if follows else t.data if number == 0 else None
            self.next_upload = number + 1 & 0xFFFF
            if self.upload and len(t.data) < asked:
                self.uploads.append(self.upload)
                self.upload = None

    def learn_download(self, t):
        number = t.fields[2]
        if self.is_dfuse():
            if self.is_set_address(t):
                self.pointer, = struct.unpack("<I", t.data[1:])
                self.pointing = not self.write
            elif number == 0:
                self.pointer = None
        elif t.data:
            follows = number == self.next_block and self.image
            self.image = self.image + t.data if follows else t.data if number == 0 else b""
            self.next_block = number + 1 & 0xFFFF
