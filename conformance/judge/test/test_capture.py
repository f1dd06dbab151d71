# SPDX-License-Identifier: MIT
"""Captures that no suite made: each kind of file, states told by hand, and damaged files.

    test_capture.py DFU_JUDGE
"""

import json
import random
import struct
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dfu_judge import capture, descriptors, states  # noqa: E402

DFU_JUDGE = sys.argv.pop(1)

DEVICE = bytes([18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 1, 0, 0, 1, 0, 0, 0, 1])
CONFIGURATION = bytes([9, 2, 27, 0, 1, 1, 0, 0x80, 50,
                       9, 4, 0, 0, 0, 0xFE, 1, 1, 0,
                       9, 0x21, 0x01, 0xE8, 0x03, 0x40, 0, 0x10, 0x01])
DETACH, GETSTATE = bytes([0x21, 0, 0xE8, 3, 0, 0, 0, 0]), bytes([0xA1, 5, 0, 0, 0, 0, 1, 0])
ABORT = bytes([0x21, 6, 0, 0, 0, 0, 0, 0])
ENUMERATION = [(bytes([0x80, 6, 0, 1, 0, 0, 18, 0]), DEVICE),
               (bytes([0x80, 6, 0, 2, 0, 0, 27, 0]), CONFIGURATION)]
STALLED = None


def packets(transfers, header):
    """usbmon's packets of [(setup, reply or STALLED)], a millisecond apart."""
    for number, (setup, reply) in enumerate(transfers):
        for event in b"SC":
            status = -115 if event == ord("S") else -32 if reply is STALLED else 0
            data = reply if event == ord("C") and reply else b""
            packet = struct.pack("<QcBBBHBBqiiII8s", number + 1, bytes([event]), 2, setup[0] & 0x80,
                                 7, 3, 0 if event == ord("S") else 0x2D, 0, 0, number * 1000, status,
                                 len(data), len(data), setup)
            yield number * 1000, packet.ljust(header, b"\0") + data


def pcap(transfers, order="<"):
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 189)
    for when, packet in packets(transfers, 48):
        out += struct.pack(order + "IIII", 0, when, len(packet), len(packet)) + packet
    return out


def pcapng(transfers):
    out = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    out += struct.pack("<IIHHII", 1, 20, 220, 0, 0, 20)
    for when, packet in packets(transfers, 64):
        size = 32 + (len(packet) + 3 & ~3)
        out += struct.pack("<IIIIIII", 6, size, 0, 0, when, len(packet), len(packet))
        out += packet.ljust(size - 32, b"\0") + struct.pack("<I", size)
    return out


def judged(data):
    transfers = capture.read(data)
    verdicts = states.judge(transfers, descriptors.collect(transfers))
    return {v.cell: v.good for each in verdicts.values() for v in each}


class Captures(unittest.TestCase):
    obeys = ENUMERATION + [(GETSTATE, b"\0"), (DETACH, b""), (GETSTATE, b"\1"), (ABORT, STALLED),
                           (GETSTATE, b"\0")]
    stays = ENUMERATION + [(GETSTATE, b"\0"), (DETACH, b""), (GETSTATE, b"\1"), (ABORT, STALLED),
                           (GETSTATE, b"\1")]

    def test_each_kind_of_file_tells_the_same(self):
        # A cell is judged once the state after it is seen: not that of GETSTATE before DETACH.
        expected = {"RT-STATE-0-DETACH": True, "RT-STATE-1-ABORT": True}
        for data in pcapng(self.obeys), pcap(self.obeys), pcap(self.obeys, ">"):
            self.assertEqual(judged(data), expected)

    def test_a_state_that_stays_where_the_table_leaves_it_is_wrong(self):
        self.assertIs(judged(pcapng(self.stays))["RT-STATE-1-ABORT"], False)

    def test_nothing_is_judged_before_a_state_is_known(self):
        self.assertEqual(judged(pcap(ENUMERATION + [(ABORT, b""), (ABORT, b"")])), {})

    def test_a_timer_that_may_have_run_out_blames_nobody(self):
        between = [(bytes([0x80, 0, 0, 0, 0, 0, 2, 0]), b"\0\0")] * 1200  # more than 1000 ms
        late = ENUMERATION + [(GETSTATE, b"\0"), (DETACH, b"")] + between + [(GETSTATE, b"\0")]
        self.assertNotIn(False, judged(pcap(late)).values())

    def test_damaged_files_are_refused_or_read_but_never_crash(self):
        good, dice = pcapng(self.obeys), random.Random(1)
        for _ in range(3000):
            data = bytearray(good[:dice.randrange(len(good) + 1)])
            for _ in range(dice.randrange(4)):
                if data:
                    data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                judged(bytes(data))
            except capture.Malformed:
                pass

    def test_the_program_says_in_one_line_what_is_wrong(self):
        for data, words in ((b"no capture", "neither pcapng nor pcap"),
                            (pcap([]), "no descriptors of a DFU device"),
                            (pcap(self.obeys)[:-3], "that the file does not hold")):
            done = subprocess.run([sys.executable, DFU_JUDGE, "-"], input=data,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.decode().count("\n"), 1)
            self.assertIn(words, done.stderr.decode())

    def test_the_program_reads_no_file_that_is_none(self):
        for path, words in (("/nonexistent", "No such file or directory"), ("/", "Is a directory"),
                            ("/dev/null", "neither pcapng nor pcap"), ("/dev/zero", "neither pcapng nor pcap")):
            done = subprocess.run([sys.executable, DFU_JUDGE, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr.decode(), f"^dfu-judge: {path}: {words}[^\n]*\n$")

    def test_the_program_ends_with_the_verdict(self):
        for transfers, status in ((self.obeys, 0), (self.stays, 1)):
            done = subprocess.run([sys.executable, DFU_JUDGE, "--json", "-"], input=pcap(transfers),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertTrue(json.loads(done.stdout)[0]["cells"])


unittest.main()
