# SPDX-License-Identifier: MIT
"""A dfu-sim server on loopback, for as long as a `with` block lasts, and a client of a few lines."""

import re
import socket
import struct
import subprocess


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


def get_descriptors(port, *lengths):
    """Import 1-1 and ask for the device descriptor with each wLength, as a kernel would."""
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, b"1-1"))
        status, = struct.unpack(">4xI", receive(connection, 8))
        if status:
            raise ConnectionError(f"the import is refused with status {status}")
        busnum, devnum = struct.unpack_from(">II", receive(connection, 312), 288)
        for seqnum, length in enumerate(lengths, 1):
            setup = struct.pack("<BBHHH", 0x80, 6, 0x0100, 0, length)
            connection.sendall(struct.pack(">IIIIIIIIII8s", 1, seqnum, busnum << 16 | devnum, 1, 0,
                                           0x200, length, 0, 0, 0, setup))
            status, actual = struct.unpack_from(">iI", receive(connection, 48), 20)
            answers.append((status, receive(connection, actual)))
    return answers
