# SPDX-License-Identifier: MIT
"""A dfu-sim server on loopback, for as long as a `with` block lasts, and a client of a few lines."""

import contextlib
import re
import socket
import struct
import subprocess
import time

SECONDS = 60


class Served:
    """dfu-sim serve with these options; .port and .target say where."""

    def __init__(self, dfu_sim, *options):
        self.command = [dfu_sim, "serve", "--listen", "127.0.0.1:0", *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        self.port = int(re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)[1])
        self.target = f"usbip:127.0.0.1:{self.port}/1-1"
        return self

    def __exit__(self, *error):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.process.stdout.close()


def receive(connection, length):
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise EOFError("the server closed the connection")
        data += piece
    return data


class Client:
    """An import of a device; BlockingIOError where the server refuses it."""

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

    def control(self, request_type, request, value, index=0, length=0, sent=b""):
        self.seqnum += 1
        incoming = request_type >> 7
        length = length or len(sent)
        setup = struct.pack("<BBHHH", request_type, request, value, index, length)
        self.connection.sendall(struct.pack(">IIIIIIIIII8s", 1, self.seqnum, self.devid, incoming, 0,
                                            0x200 * incoming, length, 0, 0, 0, setup) + sent)
        status, actual = struct.unpack_from(">iI", receive(self.connection, 48), 20)
        data = receive(self.connection, actual if incoming else 0)
        if status:
            raise OSError(-status, f"request {request} of type {request_type:02X}h fails")
        return data

    def device_descriptor(self, length=18):
        return self.control(0x80, 6, 0x0100, 0, length)

    def product(self):
        """idVendor and idProduct."""
        return struct.unpack_from("<HH", self.device_descriptor(), 8)

    def end(self):
        """Hang up, and wait for the server to have done so."""
        with self.connection, contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while self.connection.recv(4096):
                pass

    def wait_end(self):
        """Wait until the server closes the connection: the device has left the bus."""
        with self.connection:
            while self.connection.recv(4096):
                pass


def import_when_there(port, bus_id):
    """A Client, as soon as the server has the device and nobody else imports it."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return Client(port, bus_id)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
