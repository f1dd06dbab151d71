#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""session.py SCRIPT GDB ELF EXPECTED STATUS COMMAND... - a debugging session.

Starts COMMAND, which runs ELF on the virtual board and waits for GDB, and a GDB that executes
SCRIPT, a Python file that ends by an exception if something is not as it should be. Then COMMAND
has to end with STATUS; where that is "stop", it is told to by SIGTERM.
EXPECTED is a regular expression that GDB's output has to match. GDB is empty where there is none:
then the session is skipped.
"""

import re
import signal
import subprocess
import sys

LIMIT_S = 60


def port_of(command):
    """Reads the command's messages up to the one that names the port."""
    for line in command.stderr:
        match = re.search(r"target remote 127\.0\.0\.1:(\d+)", line)
        if match:
            return match.group(1)
    sys.exit("the command ended without waiting for GDB")


def debug(gdb, elf, script, port):
    done = subprocess.run(
        [gdb, "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off",
         "-ex", f"target remote 127.0.0.1:{port}", "-x", script, elf],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=LIMIT_S, check=False)
    print(done.stdout)
    return done


def main():
    script, gdb, elf, expected, status = sys.argv[1:6]
    if not gdb:
        print("no gdb-multiarch here; run: apt-get install gdb-multiarch")
        sys.exit(77)
    command = subprocess.Popen(sys.argv[6:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True)
    try:
        session = debug(gdb, elf, script, port_of(command))
        if status == "stop":
            command.send_signal(signal.SIGTERM)
        messages = command.communicate(timeout=LIMIT_S)[1]
    finally:
        command.kill()
    print(messages)
    print("GDB ended with", session.returncode)
    if session.returncode != 0 or "Error" in session.stdout:
        sys.exit("the session did not go as it should")
    if not re.search(expected, session.stdout):
        sys.exit(f"GDB's output does not match {expected}")
    wanted = [0, -signal.SIGTERM] if status == "stop" else [int(status)]
    if command.returncode not in wanted:
        sys.exit(f"the command ended with {command.returncode}, expected {wanted}")


main()
