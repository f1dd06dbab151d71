#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""same_report.py GDB DFU-CONFORMANCE ELF - a debugger, even one that goes back, changes nothing.

Runs the suite twice on the virtual board, once under a GDB that stops it at each request of the
class, steps forwards and backwards and runs backwards. Both reports must be the same, the times of
the device included.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from debugger import debug, need, port_of

LIMIT_S = 100
CHECKS = "RT-STATE-0-*,RT-RESET-*,RT-DETACH-*"
BREAK = "return request(dfurt, setup, in, reply);"
SESSION = f"""
import sys
sys.path.insert(0, {str(pathlib.Path(__file__).resolve().parent)!r})
import gdb
from common import line_of
place = line_of("core/dfurt.c", {BREAK!r})
gdb.execute("hbreak " + place)
stops = 0
while gdb.selected_inferior().pid != 0:
    gdb.execute("continue", to_string=True)
    if gdb.selected_inferior().pid == 0:
        break
    stops += 1
    for how in ["stepi"] * (stops % 4) + ["reverse-stepi"] * (stops % 3):
        gdb.execute(how, to_string=True)
    if stops % 5 == 0:
        gdb.execute("reverse-continue", to_string=True)
print("stops", stops)
"""


def run_suite(arguments, folder, name, options=""):
    report = folder / name
    command = subprocess.Popen(
        [arguments.suite, "--target", f"sim:f072,firmware={arguments.elf}{options}", "--only", CHECKS,
         "--json", report], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return command, report


def read(report):
    """What must be the same: all but the target's name, and when it was."""
    content = json.loads(report.read_text(encoding="utf-8"))
    content.pop("started")
    content.pop("target")
    return content


class Arguments:
    def __init__(self, gdb, suite, elf):
        self.gdb, self.suite, self.elf = gdb, suite, elf


def debugged(arguments, folder):
    command, report = run_suite(arguments, folder, "debugged.json", ",gdb=0")
    try:
        script = folder / "session.py"
        script.write_text(SESSION, encoding="utf-8")
        _, session = debug(arguments.gdb, arguments.elf, script, port_of(command), LIMIT_S)
        command.communicate(timeout=LIMIT_S)
    finally:
        command.kill()
    print(session[-2000:])
    stops = re.search(r"^stops (\d+)$", session, re.MULTILINE)
    if not stops or int(stops.group(1)) < 20:
        sys.exit("the debugger did not stop the suite as often as it should")
    return report


def main():
    arguments = Arguments(*sys.argv[1:4])
    need(arguments.gdb)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        command, plain = run_suite(arguments, folder, "plain.json")
        command.communicate(timeout=LIMIT_S)
        if read(plain) != read(debugged(arguments, folder)):
            sys.exit("the reports differ")


main()
