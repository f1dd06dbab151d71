# SPDX-License-Identifier: MIT
"""test_layers SOURCE BUILD: an include across a line of DESIGN.md's table does not compile.

Each source is compiled with the build's own command and one more header in front: it must not be
found. No source reaches over its folder by a path with .. in it, but for the proofs.
"""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

SOURCE, BUILD = Path(sys.argv[1]), Path(sys.argv[2])

# A source, and a header of a folder that it may not use.
FORBIDDEN = [
    ("core/usbdev.c", "usb/result.h"),
    ("usb/descriptors.c", "sim/wire.h"),
    ("sim/armv6m/armv6m.c", "stm32f072/chip.h"),
    ("sim/host/host.c", "sim/defect.h"),
    ("sim/host/host.c", "usbip/session.h"),
    ("hostsim/usbip/client/client.c", "usbip/session.h"),
    ("hostsim/usbip/server/session.c", "conformance/target.h"),
    ("conformance/target/test/test_target.c", "sim/host.h"),
    ("conformance/probe/probe.c", "conformance/backup.h"),
    ("conformance/dfu/backup.c", "conformance/check_common.h"),
    ("conformance/checks/chapter9/check_chapter9_halts.c", "conformance/catalogue.h"),
    ("conformance/checks/run_time/check_detach.c", "sim/wire.h"),
    ("conformance/checks/run_time/check_detach.c", "libusb.h"),
    ("conformance/report/report_html.c", "conformance/runner.h"),
    ("conformance/runner/watch.c", "sim/host.h"),
]


def command_for(path, commands):
    """The build's command for a source, to look at it only; None where this build has it not."""
    for entry in commands:
        if (BUILD / entry["file"]).resolve() == (SOURCE / path).resolve():
            words = shlex.split(entry["command"])
            return words[:words.index("-o")] + ["-MF", "/dev/null", "-fsyntax-only", words[-1]]
    return None


def compiles(command, header):
    result = subprocess.run(command + ["-include", header], cwd=BUILD, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                            stderr=subprocess.PIPE, text=True, check=False)
    return result.returncode == 0, "No such file" in result.stderr or "file not found" in result.stderr


def main():
    commands = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    wrong = []
    judged = 0
    for path, header in FORBIDDEN:
        command = command_for(path, commands)
        if not command:
            continue
        judged += 1
        if not compiles(command, "stddef.h")[0]:
            wrong.append(f"{path} does not compile as it stands")
        if not compiles(command, header)[1]:
            wrong.append(f"{path} finds <{header}>")
    for path in SOURCE.glob("[a-z]*/**/*.[ch]"):
        if "proof" in path.parts or BUILD in path.parents or any(part.startswith("build") for part in path.parts):
            continue
        if re.search(r'^#include "\.\./', path.read_text(encoding="utf-8"), re.M):
            wrong.append(f"{path.relative_to(SOURCE)} includes by a path with ..")
    print("\n".join(wrong) or f"{judged} includes refused")
    sys.exit(bool(wrong) or judged == 0)


main()
