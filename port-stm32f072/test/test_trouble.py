# SPDX-License-Identifier: MIT
"""A crash of the firmware stands at the check that provoked it, with function and line, and once on
stderr however often it is provoked.

    test_trouble.py DFU_CONFORMANCE FAULTY.ELF faulty.c

faulty.c writes through a null pointer at UPLOAD. The line that must be named is read from it.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECK = "REQ-05a"
FOLLOWER = "RT-STATE-0-UPLOAD"  # presumes CHECK


def expect(holds, what, received):
    if not holds:
        sys.exit(f"expected: {what}\nreceived: {received}")


def run(suite, image, path):
    command = [suite, "--target", f"sim:f072,firmware={image}", "--only",
               f"{CHECK},RT-STATE-0-*", "--tap", "--json", path]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def main():
    suite, image, source = sys.argv[1:]
    lines = Path(source).read_text(encoding="utf-8").splitlines()
    number = 1 + next(i for i, line in enumerate(lines) if "transfer->block =" in line)
    crash = re.compile(r"an endless loop at [0-9A-F]{8}h \(unexpected\+[0-9A-F]+h, startup\.c:\d+\)"
                       r" in the handler of HardFault, which was taken at [0-9A-F]{8}h"
                       rf" \(note_block\+[0-9A-F]+h, faulty\.c:{number}\)"
                       r" by a write to 00000004h, flash takes half-words alone")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        tap = run(suite, image, path)
        report = json.loads(path.read_text(encoding="utf-8"))
    results = {result["id"]: result for result in report["results"]}
    trouble = {name: result["trouble"] for name, result in results.items() if "trouble" in result}

    expect(tap.returncode == 1, "exit status 1", f"{tap.returncode}\n{tap.stdout}")
    expect(list(trouble) == [CHECK, FOLLOWER], f"trouble of {CHECK} and {FOLLOWER} alone", trouble)
    expect(crash.fullmatch(trouble[CHECK]), crash.pattern, trouble[CHECK])
    failed = [name for name, result in results.items() if result["verdict"] == "FAIL"]
    expect(failed == [CHECK], f"FAIL of {CHECK} alone", failed)
    expect(report["ending"] == "", "no trouble after the power cycle", report["ending"])
    printed = [line for line in tap.stderr.splitlines() if trouble[CHECK] in line]
    expect(len(printed) == 2 and printed[0] == f"stm32f072: {trouble[CHECK]}"
           and re.fullmatch(rf"stm32f072: [2-9] times: {re.escape(trouble[CHECK])}", printed[1]),
           "the trouble once on stderr, and at the end how often it came", tap.stderr)
    block = tap.stdout[tap.stdout.index(f" - {CHECK}:"):]
    block = block[:block.index("\n  ...\n")]
    expect(f'  trouble: "{trouble[CHECK]}"' in block, "the trouble in the block of TAP", block)


main()
