# SPDX-License-Identifier: MIT
"""test_adding_a_check SOURCE BUILD: the worked diffs of docs/adding-a-check.md apply, compile, and the
suite that they make says of their device what the page says.

The changed files are compiled as the build compiles them and linked before its libraries.
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE, BUILD = Path(sys.argv[1]), Path(sys.argv[2])
PAGE = (SOURCE / "docs/adding-a-check.md").read_text(encoding="utf-8")
TARGET = "conformance/dfu-conformance"


def changed(diff):
    """The path that a diff names, and the text with the diff applied."""
    head, *lines = diff.splitlines(keepends=True)
    path = head.removeprefix("--- ").strip()
    old = "".join(line[1:] for line in lines if not line.startswith("+"))
    new = "".join(line[1:] for line in lines)
    text = (SOURCE / path).read_text(encoding="utf-8")
    if not old or text.count(old) != 1:
        sys.exit(f"{path}: the context of the diff stands there {text.count(old)} times:\n{old}")
    return path, text.replace(old, new)


def compiled(path, text, folder):
    commands = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
    entry = next(e for e in commands if (BUILD / e["file"]).resolve() == (SOURCE / path).resolve())
    source = folder / Path(path).name
    source.write_text(text, encoding="utf-8")
    command = shlex.split(entry["command"])
    command[command.index("-o") + 1] = str(source.with_suffix(".o"))
    command[command.index("-c") + 1] = str(source)
    for option in ("-MD", "-MQ", "-MF"):
        at = command.index(option)
        del command[at:at + (1 if option == "-MD" else 2)]
    subprocess.run(command + [f"-I{(SOURCE / path).parent}"], cwd=BUILD, check=True)
    return str(source.with_suffix(".o"))


def linked(objects, folder):
    commands = subprocess.run(["ninja", "-t", "commands", TARGET], cwd=BUILD, check=True, text=True,
                              stdout=subprocess.PIPE).stdout
    command = shlex.split(commands.splitlines()[-1])
    program = folder / "dfu-conformance"
    command[command.index("-o") + 1] = str(program)
    first = next(i for i, word in enumerate(command) if word.endswith(".o"))
    subprocess.run(command[:first] + objects + command[first:], cwd=BUILD, check=True)
    return program


def main():
    files = dict(changed(diff) for diff in re.findall(r"```diff\n(.*?)```", PAGE, re.S))
    words = re.search(r"build/conformance/dfu-conformance (.*)", PAGE).group(1).split()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        objects = [compiled(path, text, folder) for path, text in files.items() if "/test/" not in path]
        program = linked(objects, folder)
        alone = subprocess.run([program, *words], text=True, stdout=subprocess.PIPE, check=False)
        whole = subprocess.run([program, *words[:2]], text=True, stdout=subprocess.PIPE, check=False)
        variation = re.search(r'^\+.*\.name = "(.*)",\n.*\n.*\n\+ +\.allowed_by', PAGE, re.M).group(1)
        legal = subprocess.run([program, "--target", f"sim:{variation}"], text=True, stdout=subprocess.PIPE, check=False)
    row = next(text for path, text in files.items() if "/test/" in path)
    added = re.search(r'\{"configuration-two-bytes".*?\}\},\n', row, re.S).group(0)
    expected = set(re.findall(r'"([A-Z0-9]+-[A-Z]+-\d+)"', added))
    broken = set(re.search(r"^FAIL {10}(.*?)^exit status", whole.stdout, re.M | re.S).group(1).split())
    print(alone.stdout)
    if alone.returncode != 1 or "accepted, 2 bytes: 01 00" not in alone.stdout:
        sys.exit(f"alone: exit status {alone.returncode}, expected 1 and the two bytes")
    if legal.returncode != 0 or " passed, 0 failed" not in legal.stdout:
        sys.exit(f"{variation}: exit status {legal.returncode}, expected 0\n{legal.stdout}")
    if broken != expected:
        sys.exit(f"whole: FAIL of {sorted(broken)}, the row says {sorted(expected)}")


main()
