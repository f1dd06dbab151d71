# SPDX-License-Identifier: MIT
"""What a virtual board takes of its server's memory: in the boot loader, with half of its
flash written over. Writes TAP.

    test_board_memory.py DFU_SIM FIRMWARE
"""

import struct
import sys
import time

from measured import anonymous_kib, report
from served import Served, import_when_there

BOARDS = 16
CEILING_KIB = 512
FLASH = 0x08000000
DETACH, DNLOAD, GETSTATUS, SET_CONFIGURATION = 0, 1, 3, 9
IDLE = 5  # dfuDNLOAD-IDLE
INTERFACE = 1  # of DFU in the composite product
PAGE, PAGES = 2048, 64


def download(clients, block, data):
    """The same to every board; GETSTATUS as often as it says, and not earlier."""
    for client in clients:
        client.control(0x21, DNLOAD, block, sent=data)
    busy = True
    while busy:
        statuses = [client.control(0xA1, GETSTATUS, 0, length=6) for client in clients]
        assert all(status[0] == 0 for status in statuses), statuses
        time.sleep(max(int.from_bytes(status[1:4], "little") for status in statuses) / 1000)
        busy = any(status[4] != IDLE for status in statuses)


def enter_boot_loader(port, name):
    client = import_when_there(port, name)
    client.control(0x00, SET_CONFIGURATION, 1)
    client.control(0x21, DETACH, 1000, INTERFACE)
    client.wait_end()


def back_in_dfu_mode(port, name):
    client = import_when_there(port, name)
    client.control(0x00, SET_CONFIGURATION, 1)
    return client


def memory_of(dfu_sim, firmware, count):
    """With the upper half of each board's flash written over."""
    names = [f"{i // 15 + 1}-{i % 15 + 1}" for i in range(count)]
    with Served(dfu_sim, "--count", str(count), "--firmware", firmware) as served:
        for name in names:
            enter_boot_loader(served.port, name)
        clients = [back_in_dfu_mode(served.port, name) for name in names]
        for page in range(PAGES // 2, PAGES):
            address = struct.pack("<I", FLASH + page * PAGE)
            download(clients, 0, b"\x41" + address)  # Erase
            download(clients, 0, b"\x21" + address)  # Set Address Pointer
            download(clients, 2, bytes([page]) * PAGE)
        used = anonymous_kib(served.process)
        for client in clients:
            client.end()
    return used


def main():
    one, more = (memory_of(sys.argv[1], sys.argv[2], count) for count in (1, 1 + BOARDS))
    each = (more - one) / BOARDS
    report(f"a virtual board takes {CEILING_KIB} KiB at most", each <= CEILING_KIB)
    print(f"# {each:.0f} KiB; a server of one board {one} KiB")
    print("1..1")


main()
