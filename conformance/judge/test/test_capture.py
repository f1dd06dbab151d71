# SPDX-License-Identifier: MIT
"""Captures that no suite made: each kind of file, states told by hand, and damaged files.

    test_capture.py DFU_JUDGE
"""

import gzip
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


def packets(transfers, header, order="<", snap=None):
    """usbmon's packets of [(setup, reply, STALLED or an errno)], a millisecond apart; snap: of so
    many bytes of data."""
    for number, (setup, reply) in enumerate(transfers):
        for event in b"SC":
            status = (-115 if event == ord("S") else -32 if reply is STALLED else
                      reply if isinstance(reply, int) else 0)
            data = reply if event == ord("C") and isinstance(reply, bytes) else b""
            packet = struct.pack(order + "QcBBBHBBqiiII8s", number + 1, bytes([event]), 2,
                                 setup[0] & 0x80, 7, 3, 0 if event == ord("S") else 0x2D, 0, 0,
                                 number * 1000, status, len(data), len(data[:snap]), setup)
            yield number * 1000, packet.ljust(header, b"\0") + data[:snap]


def pcap(transfers, order="<", snap=None):
    out = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 189)
    for when, packet in packets(transfers, 48, order, snap):
        out += struct.pack(order + "IIII", 0, when, len(packet), len(packet)) + packet
    return out


def usbpcap(transfers):
    """As USBPcap writes them: a packet for the SETUP, one for data, one for the status."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 249)
    for number, (setup, reply) in enumerate(transfers):
        answers = [(1, 3, 0xC0000004 if reply is STALLED else 0, b"")]
        if reply:
            answers.insert(0, (1, 1, 0, reply))
        for up, stage, status, data in [(0, 0, 0, setup)] + answers:
            packet = struct.pack("<HQIHBHHBBIB", 28, 0x8000, status, 8, up, 3, 7, setup[0] & 0x80, 2,
                                 len(data), stage) + data
            out += struct.pack("<IIII", 0, number * 1000, len(packet), len(packet)) + packet
    return out


def block(kind, body, order="<"):
    body = body.ljust(len(body) + 3 & ~3, b"\0")
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def pcapng(transfers, kind=6, order="<", twice=False):
    """A section; between the packets of usbmon there is one of another link."""
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    for link in 220, 1, 220:
        out += block(1, struct.pack(order + "HHIHHB3xI", link, 0, 0, 9, 1, 9, 0), order)  # ns
    for when, packet in packets(transfers, 64, order):
        times = struct.pack(order + "II", when * 1000 >> 32, when * 1000 & 0xFFFFFFFF)
        sizes = struct.pack(order + "II", len(packet), len(packet))
        for link in (0, 2) if twice else (0,):
            head = {6: struct.pack(order + "I", link), 2: struct.pack(order + "HH", link, 0)}
            whole = sizes[:4] + packet if kind == 3 else head[kind] + times + sizes + packet
            out += block(kind, whole, order)
        out += block(6, struct.pack(order + "IIIII", 1, 0, 0, 4, 4) + b"none", order)
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
        for data in (pcapng(self.obeys), pcapng(self.obeys, 2), pcapng(self.obeys, 3),
                     pcapng(self.obeys, order=">"), pcapng(self.obeys, twice=True),
                     pcapng([]) + pcapng(self.obeys), pcap(self.obeys), pcap(self.obeys, ">"),
                     usbpcap(self.obeys), gzip.compress(pcap(self.obeys))):
            self.assertEqual(judged(data), expected)

    def test_a_state_that_stays_where_the_table_leaves_it_is_wrong(self):
        self.assertIs(judged(pcapng(self.stays))["RT-STATE-1-ABORT"], False)

    def test_nothing_is_judged_before_a_state_is_known(self):
        self.assertEqual(judged(pcap(ENUMERATION + [(ABORT, b""), (ABORT, b"")])), {})

    def test_a_timer_that_may_have_run_out_blames_nobody(self):
        between = [(bytes([0x80, 0, 0, 0, 0, 0, 2, 0]), b"\0\0")] * 1200  # more than 1000 ms
        late = ENUMERATION + [(GETSTATE, b"\0"), (DETACH, b"")] + between + [(GETSTATE, b"\0")]
        self.assertNotIn(False, judged(pcap(late)).values())

    def test_what_was_not_captured_blames_nobody(self):
        status = (bytes([0xA1, 3, 0, 0, 0, 0, 6, 0]), bytes([0, 0, 0, 0, 0, 0]))
        cut = pcap(ENUMERATION + [(GETSTATE, b"\0"), status, (GETSTATE, b"\0")])
        cut = cut[:24] + pcap([(GETSTATE, b"\0"), status, (DETACH, b""), status], snap=3)[24:]
        begin = pcap(ENUMERATION)
        self.assertNotIn(False, judged(begin + cut[24:]).values())

    def test_without_descriptors_the_interface_is_that_of_getstatus(self):
        status = (bytes([0xA1, 3, 0, 0, 5, 0, 6, 0]), bytes([0, 0, 0, 0, 2, 0]))
        abort, getstate = bytes([0x21, 6, 0, 0, 5, 0, 0, 0]), bytes([0xA1, 5, 0, 0, 5, 0, 1, 0])
        for state, good in ((b"\2", True), (b"\3", False)):
            late = [status, (abort, b""), (getstate, state)]
            self.assertEqual(judged(pcap(late)), {"DM-STATE-2-ABORT": good})

    def test_what_a_device_changes_into_is_another_device(self):
        boot = CONFIGURATION[:16] + b"\2" + CONFIGURATION[17:]
        again = [(bytes([0x80, 6, 0, 1, 0, 0, 18, 0]), DEVICE[:10] + b"\x55" + DEVICE[11:]),
                 (bytes([0x80, 6, 0, 2, 0, 0, 27, 0]), boot)]
        transfers = capture.read(pcap(self.obeys + again))
        devices = descriptors.collect(transfers)
        self.assertEqual([device.dfu()[0][7] for device in devices.values()], [1, 2])

    def test_requests_that_end_wrong_are_told(self):
        status = bytes([0xA1, 3, 0, 0, 0, 0, 6, 0])
        for transfers, cell in (([(DETACH, -71)], "RT-DETACH-01"),
                                ([(status, bytes([0x10, 0, 0, 0, 0, 0]))], "REQ-02a"),
                                ([(status, bytes([0, 0, 0, 0, 11, 0]))], "REQ-02b"),
                                ([(GETSTATE, -75)], "REQ-08a")):
            self.assertEqual(judged(pcap(ENUMERATION + transfers)), {cell: False})

    def test_most_of_several_requests_must_be_slow(self):
        slow = [(GETSTATE, b"\0")] * 3
        late = pcap(ENUMERATION + slow)
        transfers = capture.read(late)
        for transfer in transfers[-2:]:
            transfer.end = transfer.start + 0.6
        verdicts, = states.judge(transfers, descriptors.collect(transfers)).values()
        self.assertEqual([v.cell for v in verdicts if not v.good], ["REQ-04c"])
        transfers[-1].end = transfers[-1].start
        verdicts, = states.judge(transfers, descriptors.collect(transfers)).values()
        self.assertEqual([v.cell for v in verdicts if not v.good], [])

    def test_a_cancelled_detach_and_a_noisy_cable_are_no_departure(self):
        alive = [(GETSTATE, b"\0")]
        for transfers in ([(DETACH, -2)], [(DETACH, -71)] + alive):
            self.assertEqual(judged(pcap(ENUMERATION + transfers)), {})

    def test_a_timer_that_never_expires_is_told(self):
        wait = [(bytes([0x80, 0, 0, 0, 0, 0, 2, 0]), b"\0\0")] * 2600  # 2.5 s is 1.5 * 1000 ms + 1 s
        late = ENUMERATION + [(GETSTATE, b"\0"), (DETACH, b"")] + wait + [(GETSTATE, b"\1")]
        self.assertIs(judged(pcap(late))["RT-DETACH-07"], False)

    def test_the_boot_loader_is_compared_with_the_product(self):
        boot = CONFIGURATION[:16] + b"\2" + CONFIGURATION[17:23] + b"\x80" + CONFIGURATION[24:]
        again = [(bytes([0x80, 6, 0, 1, 0, 0, 18, 0]), DEVICE[:10] + b"\x55" + DEVICE[11:]),
                 (bytes([0x80, 6, 0, 2, 0, 0, 27, 0]), boot), (GETSTATE, b"\2")]
        found = judged(pcap(ENUMERATION + [(DETACH, b"")] + again))
        self.assertEqual(found, {"DM-DESC-04b": False})

    def test_descriptors_of_sysfs_are_judged_alone(self):
        for functional, status in ((CONFIGURATION, 0), (CONFIGURATION[:20] + b"\x10" +
                                                        CONFIGURATION[21:], 1)):
            done = subprocess.run([sys.executable, DFU_JUDGE, "-"], input=DEVICE + functional,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, status, done.stderr)

    def test_limits_are_met_by_what_stands_at_them(self):
        setup = bytes([0xA1, 3, 0, 0, 5, 0, 6, 0])
        for reply, known in ((bytes([0x0F, 0, 0, 0, 10, 0]), True), (bytes([0x10, 0, 0, 0, 10, 0]), False),
                             (bytes([0x0F, 0, 0, 0, 11, 0]), False), (bytes([0, 0, 0, 0, 2]), False)):
            devices = descriptors.collect(capture.read(pcap([(setup, reply)])))
            self.assertEqual(len(devices), known, reply)

    def test_half_of_an_even_number_is_not_most(self):
        for slow, cells in ((2, []), (3, ["REQ-04c"])):
            transfers = capture.read(pcap(ENUMERATION + [(GETSTATE, b"\0")] * 4))
            for transfer in transfers[-slow:]:
                transfer.end = transfer.start + 0.6
            verdicts, = states.judge(transfers, descriptors.collect(transfers)).values()
            self.assertEqual([v.cell for v in verdicts if not v.good], cells)

    def test_a_device_that_ought_to_leave_has_five_seconds(self):
        leaves = CONFIGURATION[:20] + b"\x09" + CONFIGURATION[21:]
        for seconds, cells in ((5, []), (5.001, ["RT-DETACH-04"])):
            transfers = capture.read(pcap([ENUMERATION[0], (ENUMERATION[1][0], leaves), (DETACH, b""),
                                           (GETSTATE, b"\0")]))
            transfers[-1].start = transfers[-2].end + seconds
            transfers[-1].end = transfers[-1].start
            verdicts = states.judge(transfers, descriptors.collect(transfers))
            self.assertEqual([v.cell for each in verdicts.values() for v in each
                              if not v.good and v.cell == "RT-DETACH-04"], cells)

    def test_a_stall_behind_bwpolltimeout_is_told_and_one_before_it_is_not(self):
        boot = CONFIGURATION[:16] + b"\2" + CONFIGURATION[17:]
        status = bytes([0xA1, 3, 0, 0, 0, 0, 6, 0])
        dnload = (bytes([0x21, 1, 0, 0, 0, 0, 4, 0]), b"")
        busy = (status, bytes([0, 10, 0, 0, 4, 0]))  # dfuDNBUSY for 10 ms
        other = [(bytes([0x80, 0, 0, 0, 0, 0, 2, 0]), b"\0\0")]
        for wait, told in ((2, False), (2600, True)):
            found = judged(pcap([ENUMERATION[0], (ENUMERATION[1][0], boot), (GETSTATE, b"\2"), dnload,
                                 busy] + other * wait + [(status, STALLED)]))
            self.assertIs(found.get("DM-DNLOAD-01") is False, told, found)

    def test_a_getstate_that_contradicts_the_state_before_it_is_told_once(self):
        wrong = ENUMERATION + [(GETSTATE, b"\0"), (GETSTATE, b"\0"), (GETSTATE, b"\1")]
        self.assertIs(judged(pcap(wrong))["RT-STATE-0-GETSTATE"], False)

    def test_a_configuration_of_nine_bytes_is_one(self):
        short = bytes([9, 2, 9, 0, 0, 1, 0, 0x80, 50])
        for length, seen in ((9, 1), (8, 0)):
            transfers = capture.read(pcap([ENUMERATION[0], (bytes([0x80, 6, 0, 2, 0, 0, length, 0]), short)]))
            device, = descriptors.collect(transfers).values()
            self.assertEqual(len(device.configurations), seen)

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
                            (pcap([])[:20], "neither pcapng nor pcap"),
                            (b"\x1F\x8Bno gzip", "gzip: "),
                            (pcap([]).replace(b"\xBD", b"\x01") + pcap(self.obeys)[24:],
                             "link type 1: expected a capture of USB")):
            done = subprocess.run([sys.executable, DFU_JUDGE, "-"], input=data,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.decode().count("\n"), 1)
            self.assertIn(words, done.stderr.decode())

    def test_a_file_that_was_cut_off_is_judged_as_far_as_it_goes(self):
        for whole in pcap(self.stays + self.stays), pcapng(self.stays + self.stays):
            done = subprocess.run([sys.executable, DFU_JUDGE, "-"], input=whole[:-3],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 1)
            self.assertIn("reaches beyond the end of the file", done.stderr.decode())

    def test_the_program_reads_no_file_that_is_none(self):
        for path, words in (("/nonexistent", "No such file or directory"), ("/", "Is a directory"),
                            ("/dev/null", "neither pcapng nor pcap"), ("/dev/zero", "neither pcapng nor pcap")):
            done = subprocess.run([sys.executable, DFU_JUDGE, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 2)
            self.assertRegex(done.stderr.decode(), f"^dfu-judge: {path}: {words}[^\n]*\n$")

    def test_verdicts_that_are_not_written_are_no_success(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([sys.executable, DFU_JUDGE, "--verbose", "-"], input=pcap(self.obeys),
                                  stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr.decode(), "^dfu-judge: standard output: No space[^\n]*\n$")

    def test_the_program_ends_with_the_verdict(self):
        for transfers, status in ((self.obeys, 0), (self.stays, 1)):
            done = subprocess.run([sys.executable, DFU_JUDGE, "--json", "-"], input=pcap(transfers),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertTrue(json.loads(done.stdout)[0]["cells"])


unittest.main()
