# SPDX-License-Identifier: MIT
"""GDB beside a program that runs the virtual board and waits for it, for the tests in this folder."""

import re
import subprocess
import sys

SKIPPED = 77  # what Meson takes for a skip


def need(gdb):
    """Skips the test where there is no GDB: its path is empty."""
    if not gdb:
        print("no gdb-multiarch here; run: apt-get install gdb-multiarch")
        sys.exit(SKIPPED)


def port_of(program):
    """Reads a program's messages up to the one that names the port."""
    for line in program.stderr:
        match = re.search(r"target remote 127\.0\.0\.1:(\d+)", line)
        if match:
            return int(match[1])
    sys.exit("the program ended without waiting for GDB")


def debug(gdb, elf, script, port, limit_s):
    """GDB executes script, a Python file, on the board at this port. Its exit status and its output."""
    done = subprocess.run(
        [gdb, "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
         "-ex", f"target remote 127.0.0.1:{port}", "-x", script, elf],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=limit_s, check=False)
    return done.returncode, done.stdout
