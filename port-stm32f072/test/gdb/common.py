# SPDX-License-Identifier: MIT
"""What the sessions in this folder share. For Python within GDB."""

import pathlib

import gdb

ROOT = pathlib.Path(__file__).resolve().parents[3]
ROM_ENTRY = 0x1FFFC900
MAGIC = 0x44465552


def value(expression):
    return int(gdb.parse_and_eval(expression)) & 0xFFFFFFFF


def line_of(path, text):
    """The place of a line of source, for `break`."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if line.strip() == text]
    return f"{path.rsplit('/', 1)[-1]}:{number}"


def break_at(place):
    gdb.execute(f"tbreak {place}")
    gdb.execute("continue")


def step_until(condition, limit, how="stepi"):
    """Single steps; returns how many there were."""
    for steps in range(1, limit + 1):
        gdb.execute(how, to_string=True)
        if condition():
            return steps
    raise AssertionError(f"not within {limit} times {how}, pc {value('$pc'):08X}")


def expect(expression, wanted):
    found = value(expression)
    assert found == wanted, f"{expression} is {found:08X}, expected {wanted:08X}"
