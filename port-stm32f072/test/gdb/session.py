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

from debugger import debug, need, port_of

LIMIT_S = 60


def main():
    script, gdb, elf, expected, status = sys.argv[1:6]
    need(gdb)
    command = subprocess.Popen(sys.argv[6:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True)
    try:
        ended_with, session = debug(gdb, elf, script, port_of(command), LIMIT_S)
        print(session)
        if status == "stop":
            command.send_signal(signal.SIGTERM)
        messages = command.communicate(timeout=LIMIT_S)[1]
    finally:
        command.kill()
    print(messages)
    print("GDB ended with", ended_with)
    if ended_with != 0 or "Error" in session:
        sys.exit("the session did not go as it should")
    if not re.search(expected, session):
        sys.exit(f"GDB's output does not match {expected}")
    wanted = [0, -signal.SIGTERM] if status == "stop" else [int(status)]
    if command.returncode not in wanted:
        sys.exit(f"the command ended with {command.returncode}, expected {wanted}")


main()
