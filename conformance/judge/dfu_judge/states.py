# SPDX-License-Identifier: MIT
"""The states of a DFU device, followed through a capture.

What the device answers to GETSTATUS and GETSTATE says where it is; the tables say where each request
may lead. A verdict falls on the cell (state, request) whose answer is not in the table, or after
which the device is somewhere else than the table has it. Where a timer may have run out, a reset may
have happened or a state was never asked for, nothing is judged: `states` holds all that are possible.
"""

from . import requests
from .descriptors import CAN_DNLOAD, CAN_UPLOAD, Device, of_transfer
from .requests import Verdict, happened
from .tables import (APP_DETACH, APP_IDLE, DFU_IDLE, DNBUSY, DNLOAD_IDLE, DNLOAD_SYNC, ERROR, FAILED,
                     MANIFEST, MANIFEST_SYNC, REQUESTS, STATES, TABLE, UPLOAD_IDLE, WAIT_RESET)

# Where a state leads when its time is over.
AFTER_TIME = {APP_DETACH: {APP_IDLE}, DNBUSY: {DNLOAD_SYNC},
              MANIFEST: {MANIFEST_SYNC, WAIT_RESET}}
BUSY = {DNBUSY, MANIFEST}
UNEXPECTED = 0x0F  # errSTALLEDPKT (6.1.2)


def request_of(transfer, interface):
    """The name of a DFU request to this interface (table 3.2), or None."""
    request_type, request, _, index, length = transfer.fields
    if request_type & 0x7F != 0x21 or index != interface:
        return None
    name, to_host = REQUESTS.get(request, ("OTHER", False))
    if name == "OTHER" or to_host != bool(request_type & 0x80):
        return "OTHER"
    if name in ("DETACH", "CLRSTATUS", "ABORT") and length != 0:
        return "OTHER"
    return "DNLOAD-0" if name == "DNLOAD" and length == 0 else name


def cell_name(state, request):
    return f"{'RT' if state <= APP_DETACH else 'DM'}-STATE-{state}-{request}"


class Follower:
    """One device."""

    def __init__(self, device: Device):
        self.interface, functional = device.dfu() or (None, b"")
        self.attributes = functional[2] if len(functional) > 2 else CAN_DNLOAD | CAN_UPLOAD
        self.transfer_size = int.from_bytes(functional[5:7], "little") or 0xFFFF
        self.detach_limit = int.from_bytes(functional[3:5], "little") / 1000
        self.verdicts = []
        self.pending = None  # state, request and frame of the last cell; what is good of it already
        self.forget()

    def forget(self):
        """Something happened that may have led anywhere."""
        self.conclude()
        self.states, self.runs_out, self.is_over = None, None, None

    def conclude(self):
        """Nothing has contradicted what GETSTATUS said of the state it leads to."""
        if self.pending and self.pending[3]:
            state, request, at, words = self.pending
            self.say(state, request, True, at, words)
        self.pending = None

    # ---- Time ----

    def pass_time(self, now):
        """What may have run out by now: the detach timer (A.2.2), bwPollTimeout (A.2.5, A.2.8)."""
        if self.states is None or self.runs_out is None or now < self.runs_out:
            return
        if self.is_over and now > self.is_over and self.states <= {DNBUSY, DNLOAD_SYNC}:
            self.states = {DNLOAD_SYNC}
            return
        more = set().union(*(AFTER_TIME.get(state, set()) for state in self.states))
        if more - self.states:
            self.conclude()
            self.states = self.states | more

    def start_timer(self, transfer, request, state):
        """Busy times are over at the earliest at half of what was said, for a device may be early,
        and at the latest when a device whose timer is coarse has ended them, too."""
        if state == APP_DETACH and request == "DETACH":
            timer = min(transfer.fields[2] / 1000, self.detach_limit)
            self.runs_out = transfer.end + timer
            self.is_over = transfer.end + 1.5 * timer + 1 if self.detach_limit else None
        elif state in (DNBUSY, MANIFEST) and request == "GETSTATUS":
            poll = int.from_bytes(transfer.data[1:4], "little") / 1000
            self.runs_out = transfer.end + poll / 2
            self.is_over = transfer.end + 1.5 * poll + 0.05
        elif self.runs_out is None or state not in (APP_DETACH, DNBUSY, MANIFEST):
            self.runs_out = transfer.end  # whenever it began

    # ---- Verdicts ----

    def say(self, state, request, good, frame, words):
        self.verdicts.append(Verdict(cell_name(state, request), good, frame, words))

    def settle(self, possible, now_known, frame):
        """The state that follows the last request is known now: was it allowed?"""
        early = any(now_known in AFTER_TIME[busy] for busy in possible & BUSY)
        if self.pending and not early and not self.is_refusal():
            state, request, at, _ = self.pending
            good = now_known in possible
            self.say(state, request, good, at,
                     f"next is {STATES[now_known]} (seen in frame {frame})" if good else
                     f"next is {STATES[now_known]}, expected "
                     f"{' or '.join(STATES[s] for s in sorted(possible))} (frame {frame})")
        self.pending = None

    def outcomes(self, state, request, transfer):
        """(answer, next states) that this cell allows of this very transfer."""
        row = TABLE.get(state, {})
        cell = row.get(request, row.get("OTHER", set()))
        if request == "DNLOAD-0" and state == DFU_IDLE:
            cell = {("stall", ERROR)}
        elif request == "DNLOAD-0" and "DNLOAD-0" not in row:
            cell = row.get("OTHER", set())
        full = transfer.length >= transfer.fields[4]
        allowed = {
            "ok": True, "stall": True,
            "full": full, "short": not full,
            "can dnload": self.attributes & CAN_DNLOAD,
            "cannot dnload": not self.attributes & CAN_DNLOAD,
            "can upload": self.attributes & CAN_UPLOAD and full,
            "can upload, short": self.attributes & CAN_UPLOAD and not full,
            "cannot upload": not self.attributes & CAN_UPLOAD,
        }
        if request in ("DNLOAD", "UPLOAD") and transfer.fields[4] > self.transfer_size:
            cell = cell | {("stall", ERROR)}  # more than the device said it can carry (4.1.3)
        answers = {"stall": "stall", "cannot dnload": "stall", "cannot upload": "stall"}
        return {(answers.get(rule, "ok"), after) for rule, after in cell if allowed[rule]}

    def is_answered(self, request, transfer):
        """Accepted, with all the bytes that the request has (6.1.2, 6.1.5)."""
        wanted = {"GETSTATUS": 6, "GETSTATE": 1}.get(request, 0)
        return transfer.done and transfer.length >= min(wanted, transfer.fields[4])

    def next_states(self, state, request, transfer):
        """The states that may follow, or None if this answer is not one the cell allows."""
        if state == WAIT_RESET:
            return {WAIT_RESET}
        answer = "stall" if transfer.stalled else "ok"
        if answer == "ok" and not self.is_answered(request, transfer):
            return None
        nexts = {after for wanted, after in self.outcomes(state, request, transfer)
                 if wanted == answer}
        if FAILED in nexts:
            nexts.discard(FAILED)
            if len(transfer.data) >= 5 and transfer.data[0] != 0:
                nexts.add(ERROR)
        return nexts or None

    def refused(self, request, transfer):
        """A block that was STALLed where the table has it accepted: a device may have a reason that
        the table does not know, read protection or an address, and GETSTATUS says it."""
        return (request in ("DNLOAD", "UPLOAD") and transfer.stalled
                and self.states in ({DFU_IDLE}, {DNLOAD_IDLE}, {UPLOAD_IDLE})
                and not (request == "DNLOAD" and self.states == {UPLOAD_IDLE})
                and not (request == "UPLOAD" and self.states == {DNLOAD_IDLE}))

    def is_refusal(self):
        return self.pending and self.pending[1].startswith("refused ")

    # ---- One request ----

    def reported(self, request, transfer):
        """The bState that the answer tells, or None."""
        if transfer.done and request == "GETSTATE" and len(transfer.data) >= 1:
            return transfer.data[0]
        if transfer.done and request == "GETSTATUS" and len(transfer.data) >= 6:
            return transfer.data[4]
        return None

    def follow(self, transfer, request):
        told = transfer.whole or request not in ("GETSTATUS", "GETSTATE")
        if transfer.status is None or not (transfer.done or transfer.stalled) or not told:
            self.forget()
            return
        self.pass_time(transfer.start)
        state = self.reported(request, transfer)
        if state is not None and state >= len(STATES):
            self.forget()
            return
        self.judge_times(transfer, request, state)
        if request == "GETSTATE" and state is not None:
            self.resolve({state} if self.states is None else self.states, state, transfer)
        self.step(transfer, request, state)

    def judge_times(self, transfer, request, state):
        if not self.is_over or transfer.start <= self.is_over or self.states is None:
            return
        if state == APP_DETACH and self.states <= {APP_DETACH, APP_IDLE}:
            self.verdicts.append(Verdict("RT-DETACH-07", False, transfer.frame,
                                         "appDETACH when the detach timer has expired (A.2.2)"))
            self.forget()
        elif request == "GETSTATUS" and transfer.stalled and self.states == {DNLOAD_SYNC}:
            self.verdicts.append(Verdict("DM-DNLOAD-01", False, transfer.frame,
                                         "STALL when bwPollTimeout has passed (A.2.5)"))
            self.forget()

    def resolve(self, possible, state, transfer):
        """GETSTATE tells the state that it is asked in."""
        self.settle(possible, state, transfer.frame)
        if len(possible) == 1 and state not in possible and not self.verdicts_at(transfer.frame):
            self.say(*possible, "GETSTATE", False, transfer.frame, f"it says {STATES[state]}")
        self.states = {state}

    def verdicts_at(self, frame):
        return any(f"frame {frame})" in v.words for v in self.verdicts[-2:])

    def step(self, transfer, request, state):
        if self.states is None:
            if state is not None:
                self.states = {state}
                self.start_timer(transfer, request, state)
            return
        nexts, known = set(), len(self.states) == 1
        for before in self.states:
            nexts |= self.next_states(before, request, transfer) or set()
        if request == "GETSTATUS" and state is not None and self.pending:
            self.settle_by_status(nexts, state, transfer)
        self.conclude()
        if not nexts and self.refused(request, transfer):
            self.pending = (*self.states, f"refused {request}", transfer.frame, None)
            self.states = {ERROR}
            return
        if not nexts or (state is not None and request == "GETSTATUS" and state not in nexts):
            self.object(transfer, request, state, known, nexts)
            return
        if known and self.is_judged(request, transfer):
            words = f"GETSTATUS says {STATES[state]}" if request == "GETSTATUS" and state else None
            self.pending = (*self.states, request, transfer.frame, words)
        self.states = {state} if request == "GETSTATUS" and state is not None else nexts
        if len(self.states) == 1:
            self.start_timer(transfer, request, *self.states)

    def is_judged(self, request, transfer):
        """State 8 has no cells; and only the device knows whether it agrees that an image is whole
        (A.2.6)."""
        disagrees = request == "DNLOAD-0" and self.states == {DNLOAD_IDLE} and transfer.stalled
        return self.states != {WAIT_RESET} and not disagrees

    def settle_by_status(self, nexts, state, transfer):
        """GETSTATUS tells the state that it leads to: was there a way to it from one that may be?
        If not, either request is to blame."""
        before, request, at, _ = self.pending
        if self.is_refusal():
            if transfer.data[0] == UNEXPECTED:
                self.say(before, request.split()[1], False, at, "STALL, and bStatus is errSTALLEDPKT")
            self.pending = None
            return
        cleared = before != ERROR or request != "CLRSTATUS" or transfer.data[0] == 0
        if state in nexts:
            self.say(before, request, cleared, at, f"GETSTATUS says {STATES[state]}, "
                                                   f"bStatus {transfer.data[0]:02X}h")
        self.pending = None

    def object(self, transfer, request, state, known, nexts):
        if known and not self.verdicts_at(transfer.frame):
            answer = "STALL" if transfer.stalled else f"{transfer.length} bytes"
            words = answer if state is None or not nexts else f"next is {STATES[state]}"
            self.say(*self.states, request, False, transfer.frame, f"received {words}")
        self.forget()
        if state is not None and transfer.done:
            self.states, self.runs_out = {state}, transfer.end


def judge(transfers, devices):
    """The verdicts of each device, by its key of `devices`."""
    followers = {key: Follower(device) for key, device in devices.items() if device.dfu()}
    key_of, last = of_transfer(devices), {}
    for transfer in transfers:
        bus, address = transfer.device
        key = key_of(transfer)
        # A device that enumerates again answers at address 0 first, or is another one then.
        if address == 0 or last.setdefault(transfer.device, key) != key or happened(transfer):
            for other, each in followers.items():
                if other[0] == bus:
                    each.forget()
        last[transfer.device] = key
        follower = followers.get(key)
        if not follower:
            continue
        request = request_of(transfer, follower.interface[2])
        if request:
            follower.follow(transfer, request)
        elif transfer.fields[:2] == (0, 9) and not transfer.done:
            follower.forget()
    found = requests.judge(transfers, devices)
    return {key: sorted(follower.verdicts + [v for where, v in found if where == key],
                        key=lambda verdict: verdict.frame)
            for key, follower in followers.items()}
