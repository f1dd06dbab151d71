# SPDX-License-Identifier: MIT
"""What a capture shows of DFU's requests beside the states: how they end, how long they take, what
they say, and what comes after them. Each verdict has the id that dfu-conformance gives it."""

from dataclasses import dataclass

from .capture import STALL
from .descriptors import DFU_MODE, WILL_DETACH, of_transfer
from .tables import REQUESTS

EVENTS = ("bus reset", "wait for the device to", "power")  # in comments of dfurt's captures

CANCELLED = (-2, -104)  # -ENOENT, -ECONNRESET: the host gave up
OVERFLOW = -75
LEAVE_S = 5  # as long as dfu-util waits
NO_DATA_S, DATA_S = 0.05, 0.55  # until the status stage is over: 500 ms for the data, 50 ms behind it
ENOUGH = 3  # requests of a kind, to judge the device's times and not the host's

# The requirement that each of these breaks.
AT_RUN_TIME = {"DETACH": "RT-DETACH-02", "GETSTATUS": "REQ-04c", "GETSTATE": "REQ-04c",
               "bStatus": "REQ-02a", "bState": "REQ-02b", "wLength": "REQ-08a"}
IN_DFU_MODE = {"ABORT": "DM-TIME-02", "GETSTATUS": "DM-TIME-01", "GETSTATE": "DM-TIME-01",
               "bStatus": "DM-STATUS-06", "bState": "DM-STATUS-02", "wLength": "DM-REQ-04"}


@dataclass
class Verdict:
    """Of one cell or requirement, once."""

    cell: str  # RT-STATE-1-DETACH, as dfu-conformance names it
    good: bool
    frame: int
    words: str


def happened(transfer):
    """Did something that is no transfer come before this one?"""
    return any(event in comment for comment in transfer.comments for event in EVENTS)


def request_name(transfer, interface):
    """GETSTATUS ... of a request that is DFU's to this interface, or None."""
    request_type, request, _, index, _ = transfer.fields
    name, to_host = REQUESTS.get(request, (None, False))
    right = request_type == (0xA1 if to_host else 0x21) and index == interface
    return name if right else None


def _of_times(took, name, ids):
    """took: s, of each. A host that is late now and then makes one of them long, but not most."""
    limit = DATA_S if name in ("GETSTATUS", "GETSTATE") else NO_DATA_S
    usual = sorted(took)[(len(took) - 1) // 2]
    if name in ids and len(took) >= ENOUGH and usual > limit:
        yield ids[name], (f"half of {len(took)} {name} took {usual * 1000:.0f} ms or more, limit "
                          f"{limit * 1000:.0f} ms (USB 2.0 9.2.6.5)")


def _of_status(transfer, ids):
    if not transfer.done or len(transfer.data) < 6:
        return
    if transfer.data[0] > 0x0F:
        yield ids["bStatus"], f"bStatus {transfer.data[0]:02X}h does not exist (6.1.2)"
    if transfer.data[4] > 10:
        yield ids["bState"], f"bState {transfer.data[4]} does not exist (6.1.2)"


def _of_return(before, after):
    """What a device says in DFU mode of what it said at run time."""
    ours, theirs = before.dfu()[1], after.dfu()[1]
    if len(ours) == len(theirs) == 9:
        same = ours[3:] == theirs[3:] and not (ours[2] ^ theirs[2]) & ~WILL_DETACH
        if not same:
            yield "DM-DESC-04b", f"the functional descriptor was {ours.hex(' ')} at run time (4.2.4)"
    if before.device and before.device[8:12] == after.device[8:12]:
        yield "DM-DESC-06a", "idVendor and idProduct are those of run time (4.2.1)"


def _is_dfu_mode(device):
    return device.dfu()[0][7] == DFU_MODE


class _Judge:
    """Follows all transfers of a capture in their order."""

    def __init__(self, devices):
        self.devices = {key: device for key, device in devices.items() if device.dfu()}
        self.detached = {}  # of each bus: the last DETACH at run time, and the key of its device
        self.present = {}  # the same, as long as the bus carries no other device and no reset
        self.times = {}  # of each device and request: the first frame, and how long each took
        self.found = []

    def ids(self, key):
        return IN_DFU_MODE if _is_dfu_mode(self.devices[key]) else AT_RUN_TIME

    def say(self, key, frame, verdicts):
        self.found += [(key, Verdict(cell, False, frame, words)) for cell, words in verdicts]

    def left(self, bus):
        """The device of the last DETACH was not heard of any more."""
        detach, key = self.present.pop(bus, (None, None))
        if detach and detach.status not in (None, 0, STALL, *CANCELLED):
            self.say(key, detach.frame, [("RT-DETACH-01", "the device left before the status stage of "
                                                          "DETACH (5.1)")])

    def see_presence(self, transfer, key):
        bus = transfer.device[0]
        detach, before = self.present.get(bus, (None, None))
        if not detach:
            return
        if key != before or happened(transfer):
            self.left(bus)
        elif transfer.done and not detach.done:
            del self.present[bus]  # the cable's fault
        elif transfer.done and transfer.start - detach.end > LEAVE_S:
            del self.present[bus]
            if self.devices[key].dfu()[1][2:3] and self.devices[key].dfu()[1][2] & WILL_DETACH:
                self.say(key, detach.frame,
                         [("RT-DETACH-04", "bitWillDetach is 1, and the device is there "
                           f"{transfer.start - detach.end:.1f} s later (4.1.3)")])

    def see_return(self, key, frame):
        """A device that came up after a DETACH is the one that was detached."""
        detach, before = self.detached.get(key[0], (None, None))
        if detach and key[2] > detach.frame and _is_dfu_mode(self.devices[key]):
            del self.detached[key[0]]
            self.say(key, frame, _of_return(self.devices[before], self.devices[key]))

    def see(self, transfer, key):
        device = self.devices[key]
        name = request_name(transfer, device.dfu()[0][2])
        dfu_mode = _is_dfu_mode(device)
        ids = self.ids(key)
        self.see_return(key, transfer.frame)
        if not name:
            return
        if transfer.done:
            _, took = self.times.setdefault((key, name), (transfer.frame, []))
            took.append(transfer.end - transfer.start)
        if name == "GETSTATUS":
            self.say(key, transfer.frame, _of_status(transfer, ids))
        if name == "DETACH" and not dfu_mode:
            self.detached[key[0]] = self.present[key[0]] = (transfer, key)
        if transfer.status == OVERFLOW and transfer.setup[0] & 0x80:
            self.say(key, transfer.frame,
                     [(ids["wLength"], f"{name} returns more than wLength (USB 2.0 9.3.5)")])


def judge(transfers, devices):
    """(key of the device, Verdict) of all that is wrong."""
    all_of_them, key_of = _Judge(devices), of_transfer(devices)
    for transfer in transfers:
        key = key_of(transfer)
        all_of_them.see_presence(transfer, key)
        if key in all_of_them.devices:
            all_of_them.see(transfer, key)
    for bus in list(all_of_them.present):
        all_of_them.left(bus)
    for (key, name), (frame, took) in all_of_them.times.items():
        all_of_them.say(key, frame, _of_times(took, name, all_of_them.ids(key)))
    return all_of_them.found
