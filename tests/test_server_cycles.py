# SPDX-License-Identifier: MIT
"""10,000 imports and 1,000 detaches: what dfu-sim serve keeps of them. Writes TAP.

    test_server_cycles.py DFU_SIM
"""

import contextlib
import os
import re
import socket
import struct
import sys
import time
from pathlib import Path

from served import Served, receive

IMPORTS, DETACHES, DEVICES = 10000, 1000, 100
MORE_KIB = 128
SECONDS = 60


class Client:
    """An import of a device."""

    def __init__(self, port, bus_id):
        self.seqnum = 0
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        self.connection.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, bus_id.encode()))
        status, = struct.unpack(">4xI", receive(self.connection, 8))
        if status:
            self.connection.close()
            raise BlockingIOError(f"{bus_id} cannot be imported now: status {status}")
        busnum, devnum = struct.unpack_from(">II", receive(self.connection, 312), 288)
        self.devid = busnum << 16 | devnum

    def control(self, request_type, request, value, index=0, length=0):
        self.seqnum += 1
        incoming = request_type >> 7
        setup = struct.pack("<BBHHH", request_type, request, value, index, length)
        self.connection.sendall(struct.pack(">IIIIIIIIII8s", 1, self.seqnum, self.devid, incoming, 0,
                                            0x200 * incoming, length, 0, 0, 0, setup))
        status, actual = struct.unpack_from(">iI", receive(self.connection, 48), 20)
        data = receive(self.connection, actual if incoming else 0)
        if status:
            raise OSError(-status, f"request {request} of type {request_type:02X}h fails")
        return data

    def product(self):
        return struct.unpack_from("<HH", self.control(0x80, 6, 0x0100, 0, 18), 8)

    def end(self):
        """Hang up, and wait for the server to have done so."""
        with self.connection, contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while self.connection.recv(4096):
                pass

    def wait_end(self):
        with self.connection:
            while self.connection.recv(4096):
                pass


def import_when_there(port, bus_id):
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return Client(port, bus_id)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def kept(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return len(os.listdir(f"/proc/{process.pid}/fd")), int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def settle(process, before):
    deadline = time.monotonic() + 10
    while kept(process)[0] > before[0] and time.monotonic() < deadline:
        time.sleep(0.02)
    return kept(process)


def report(sentence, before, after):
    ok = after[0] <= before[0] and after[1] <= before[1] + MORE_KIB
    print(f"{'ok' if ok else 'not ok'} - {sentence}", flush=True)
    print(f"# {before[0]} descriptors and {before[1]} KiB before, {after[0]} and {after[1]} after",
          flush=True)


def import_often(port, times):
    for _ in range(times):
        client = import_when_there(port, "1-1")
        client.product()
        client.end()


def detach_all(port):
    """DETACH, the boot loader, a bus reset, run time again; all devices at once."""
    names = [f"{i // 15 + 1}-{i % 15 + 1}" for i in range(DEVICES)]
    clients = [import_when_there(port, name) for name in names]
    for client in clients:
        client.control(0x00, 9, 1)      # SET_CONFIGURATION
        client.control(0x21, 0, 1000)   # DETACH
    for client in clients:
        client.wait_end()
    for client in [import_when_there(port, name) for name in names]:
        assert client.product() == (0x0483, 0xDF11)
        client.control(0x00, 9, 1)      # SET_CONFIGURATION
        client.control(0x23, 3, 4, 1)   # the bus reset that ends DFU mode
        assert client.product() == (0x1209, 0x0001)
        client.end()


def main():
    with Served(sys.argv[1], "--count", str(DEVICES)) as served:
        import_often(served.port, 100)
        before = kept(served.process)
        import_often(served.port, IMPORTS)
        report(f"{IMPORTS} imports leave nothing behind", before, settle(served.process, before))

        detach_all(served.port)
        before = kept(served.process)
        for _ in range(DETACHES // DEVICES):
            detach_all(served.port)
        report(f"{DETACHES} detaches of {DEVICES} devices leave nothing behind", before,
               settle(served.process, before))
    print("1..2")


main()
