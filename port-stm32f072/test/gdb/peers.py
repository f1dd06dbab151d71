#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peers.py DFU-SIM ELF - what else comes to a debugger's port: malformed packets, signals, a port in use."""

import re
import signal
import socket
import subprocess
import sys

from debugger import port_of

LIMIT_S = 20


class Board:
    """dfu-sim serve, which waits for a debugger."""

    def __init__(self, dfu_sim, elf):
        self.process = subprocess.Popen(
            [dfu_sim, "serve", "--listen", "127.0.0.1:0", "--firmware", elf, "--gdb", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = port_of(self.process)

    def connect(self):
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT_S)
        peer.settimeout(LIMIT_S)
        return peer

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=LIMIT_S)
        assert status == 0, f"ended with {status}"


def packet(text):
    return b"$%s#%02x" % (text, sum(text) & 0xFF)


def next_packet(peer):
    data = b""
    while not re.search(rb"\$([^#]*)#..", data):
        piece = peer.recv(4096)
        assert piece, f"the connection ended after {data!r}"
        data += piece
    return re.search(rb"\$([^#]*)#..", data).group(1)


def ask(peer, text):
    """Sends a packet; returns the next packet that comes back."""
    peer.sendall(packet(text))
    return next_packet(peer)


def is_closed(peer):
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


def write_word(peer, address, value):
    assert ask(peer, b"M%x,4:%s" % (address, value.to_bytes(4, "little").hex().encode())) == b"OK"


def go_to_stop_mode(peer):
    """Steps to a WFI that nothing ends."""
    write_word(peer, 0x20000000, 0xBF30BF00)  # nop; wfi
    write_word(peer, 0x20000004, 0x0000E7FE)  # b .
    write_word(peer, 0xE000E010, 0)           # SysTick off,
    write_word(peer, 0xE000ED04, 1 << 25)     # and no longer pending
    write_word(peer, 0xE000E180, 0xFFFFFFFF)  # no interrupt
    write_word(peer, 0xE000ED10, 1 << 2)      # SLEEPDEEP
    assert ask(peer, b"Pf=00000020") == b"OK"
    assert ask(peer, b"s").startswith(b"T05")
    assert ask(peer, b"pf") == b"02000020"


def expect_interrupted(peer, how):
    peer.sendall(packet(how) + b"\x03")
    assert next_packet(peer).startswith(b"T02")


def main():
    dfu_sim, elf = sys.argv[1:3]
    board = Board(dfu_sim, elf)
    try:
        first = board.connect()
        assert ask(first, b"?").startswith(b"T05")

        # A second one is refused; the first is served on.
        assert is_closed(board.connect())
        assert ask(first, b"QStartNoAckMode") == b"OK"
        first.sendall(b"\xff\x03$$$}\x80#zz-" * 1000 + b"GET / HTTP/1.1\r\n\r\n")
        assert ask(first, b"qAttached") == b"1"

        # It disconnects without D: the board runs, and says that it is on the bus.
        first.close()
        assert board.process.stdout.readline().startswith("listening on 127.0.0.1:")

        # The next one finds it standing still at once. It lets it run, and interrupts it.
        second = board.connect()
        pc = ask(second, b"pf")
        assert ask(second, b"pf") == pc
        expect_interrupted(second, b"c")

        # In Stop mode too, whether it continues or steps to a next instruction that does not come.
        go_to_stop_mode(second)
        for how in b"c", b"s":
            expect_interrupted(second, how)
            assert ask(second, b"pf") == b"04000020"
            assert bytes.fromhex(ask(second, b"qRcmd," + b"usb".hex().encode()).decode().lstrip("O")
                                 ).find(b"48 MHz missing") >= 0

        # The port is taken: one line, status 2.
        again = subprocess.run(
            [dfu_sim, "serve", "--listen", "127.0.0.1:0", "--firmware", elf, "--gdb",
             str(board.port)], capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert again.returncode == 2, again
        assert again.stderr.count("\n") == 1 and "in use" in again.stderr, again.stderr

        # SIGTERM ends the program while the processor stands still.
        board.end()
        second.close()
    finally:
        board.process.kill()


main()
