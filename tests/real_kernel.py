# SPDX-License-Identifier: MIT
"""What tests of many devices ask of a real kernel: its ports, its devices, its log."""

import contextlib
import fcntl
import os
import re
import struct
import subprocess
from pathlib import Path

DEVICES = Path("/sys/bus/usb/devices")
VHCI = Path("/sys/devices/platform/vhci_hcd.0")
CONTROL, RESET = 0xC0185500, 0x5514  # USBDEVFS_..., 64 bits
DETACH = 0
RUN_TIME = {"1209:0001"}
DFU_MODE = {"0483:df11", "1209:0002"}
FREE, USED = 4, 6


# ---- Ports ----

def ports():
    """{number: (hub, state, path)} of every port of vhci-hcd."""
    found = {}
    for file in VHCI.glob("status*"):
        for line in file.read_text().splitlines():
            if match := re.match(r"(hs|ss) +(\d+) (\d+) \d+ \w+ \d+ (\S+)", line):
                found[int(match[2])] = match[1], int(match[3]), match[4]
    return found


def all_free():
    return all(state == FREE for _, state, _ in ports().values())


# ---- Devices ----

def read(path):
    try:
        return path.read_text().strip()
    except OSError:
        return None


def is_configured(place):
    try:
        return any(place.glob(f"{place.name}:*"))
    except FileNotFoundError:  # it has left in between
        return False


def devices(kinds):
    """Places of the devices with these ids that the kernel has configured."""
    return [place for place in DEVICES.iterdir() if re.fullmatch(r"\d+-\d+", place.name) and
            f"{read(place / 'idVendor')}:{read(place / 'idProduct')}" in kinds and
            is_configured(place)]


def dfu_interface(place):
    for interface in place.glob(f"{place.name}:*"):
        if (read(interface / "bInterfaceClass"), read(interface / "bInterfaceSubClass")) == ("fe", "01"):
            return int(read(interface / "bInterfaceNumber"), 16)
    return 0


@contextlib.contextmanager
def node(place):
    path = f"/dev/bus/usb/{int(read(place / 'busnum')):03}/{int(read(place / 'devnum')):03}"
    file = os.open(path, os.O_RDWR)
    try:
        yield file
    finally:
        os.close(file)


def reset(place):
    """A bus reset; a device that has become another one in it has gone."""
    with node(place) as file, contextlib.suppress(OSError):
        fcntl.ioctl(file, RESET)


def detach(place):
    """DETACH alone: for devices that leave by themselves (bitWillDetach = 1)."""
    with node(place) as file:
        request = struct.pack("@BBHHHIP", 0x21, DETACH, 1000, dfu_interface(place), 0, 5000, 0)
        fcntl.ioctl(file, CONTROL, request)


# ---- Its log ----

def kernel_warnings():
    """Lines of its log that tell of a defect in it."""
    log = subprocess.run(["dmesg"], capture_output=True, text=True, check=True).stdout
    return [line for line in log.splitlines()
            if re.search(r"WARNING:|BUG:|Oops|Call Trace|refcount_t|hung_task|blocked for more", line)]
