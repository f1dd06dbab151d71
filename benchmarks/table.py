#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One table of all benchmarks, on standard output and as JSON in OUTPUT.

Each row has a value and, where there is one, a rival or a floor that was measured beside it in the
same run; and a goal, if it has one. A goal that is not met is shown and is no failure: the machine
may have been busy. docs/benchmarks.md says what the rows are.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

JUDGED = ("PASS", "FAIL", "WARN")
REPEATS = 10
TIMEOUT_S = 120


def row(name, value, unit, rival="", rival_value=0.0, goal=""):
    ratio = value / rival_value if rival and rival_value else None
    met = None
    if goal:
        subject, relation, limit = goal.split()
        measured = ratio if subject == "ratio" else value
        met = measured <= float(limit) if relation == "<=" else measured >= float(limit)
    return {"name": name, "value": value, "unit": unit, "rival": rival, "rival_value": rival_value,
            "ratio": ratio, "goal": goal, "met": met}


class Unavailable(Exception):
    """This machine lacks what a row takes: exit status 2 of a program."""


def run(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT_S, check=False)
    said = done.stderr.decode().strip()
    if done.returncode == 2:
        raise Unavailable(said.splitlines()[-1] if said else "exit status 2")
    if done.returncode:
        sys.exit(f"table.py: {' '.join(command)}: exit status {done.returncode}\n{said}")
    return done.stdout.decode()


def wall_s(command):
    begin = time.monotonic()
    run(command)
    return time.monotonic() - begin


# ---- Rows of the benchmark programs: bench/bench.h ----


def program_rows(options):
    for command in options.program:
        for line in run(command).splitlines():
            name, value, unit, rival, rival_value, goal = line.split("\t")
            yield row(name, float(value), unit, rival, float(rival_value), goal)


# ---- Sizes on a Cortex-M0 ----


def text_sections(tool, path):
    """The functions of an object, by their sections, and their sizes."""
    for line in run([tool, "-A", path]).splitlines():
        if line.startswith((".text", ".rodata")):
            name, size, _ = line.split()
            yield name, int(size)


def sizes(tool, path):
    """The name of each object in a file, and its text, data and bss."""
    for line in run([tool, path]).splitlines()[1:]:
        text, data, bss, _, _, name = line.split(None, 5)
        yield name.split()[0], int(text), int(data), int(bss)


def size_rows(options):
    if not options.size:
        return
    sections = dict(text_sections(options.size, options.class_object))
    total, builder = sum(sections.values()), sections[".text.dfurt_descriptors"]
    yield row("text of the class", total, "bytes", goal="value <= 350")
    yield row("text of the class, descriptors in flash", total - builder, "bytes", goal="value <= 300")
    for name, text, data, _ in sizes(options.size, options.core):
        if name.startswith("usbdev"):
            yield row(f"text of {name.removesuffix('.o')}", text + data, "bytes")
    for name, path, goal in (("dfu-only", options.dfu_only, "value <= 2048"), ("composite", options.composite, "")):
        _, text, data, bss = next(sizes(options.size, path))
        yield row(f"flash of the {name} image", text + data, "bytes", goal=goal)
        yield row(f"RAM of the {name} image, stack apart", data + bss, "bytes")


# ---- The conformance suite ----


def suite_rows(options):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [options.dfu_conformance, "--target", "sim:will-detach", "--json", str(report)]
        least_s = min(wall_s(command) for _ in range(REPEATS))
        floor_s = min(wall_s([options.dfu_conformance, "--version"]) for _ in range(REPEATS))
        counts = json.loads(report.read_text(encoding="utf-8"))["counts"]
    yield row("checks on sim:will-detach", sum(counts[verdict] for verdict in JUDGED) / least_s, "1/s")
    yield row("the suite on sim:will-detach", least_s, "s", "start of the program", floor_s)
    for name, measure in TARGETS:
        try:
            yield row(f"the suite on {name}", measure(options), "s", "sim:will-detach", least_s)
        except Unavailable as reason:
            print(f"the suite on {name}: left out: {reason}")


def on_board(options):
    if not options.composite:
        raise Unavailable("no cross compiler")
    return wall_s([options.dfu_conformance, "--target", f"sim:f072,firmware={options.composite}"])


def on_usbip(options):
    with subprocess.Popen([options.dfu_sim, "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True) as server:
        port = server.stdout.readline().rsplit(":", 1)[1].strip()
        spent_s = wall_s([options.dfu_conformance, "--target", f"usbip:127.0.0.1:{port}"])
        server.terminate()
    return spent_s


def on_mock(options):
    return wall_s([options.dfu_sim, "run", "--via", "mock", "--", options.dfu_conformance, "--target", "usb:1209:0001"])


def in_guest(options):
    return wall_s([options.dfu_sim, "run", "--via", "guest", "--", options.dfu_conformance, "--target", "usb:1209:0001"])


TARGETS = (("sim:f072 with the composite image", on_board), ("usbip:", on_usbip), ("usb: on the imitated USB stack", on_mock), ("usb: in the test guest", in_guest))


def children_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def guest_rows(options):
    before_s = children_s()
    try:
        boot_s = wall_s([options.dfu_sim, "guest", "--", "true"])
    except Unavailable as reason:
        print(f"test guest: left out: {reason}")
        return
    yield row("test guest, boot to power-off", boot_s, "s", "processor time", children_s() - before_s, "value <= 5")


# ---- The table ----


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def print_row(entry):
    rival = f"{entry['rival']}: {number(entry['rival_value'])}" if entry["rival"] else ""
    ratio = number(entry["ratio"]) if entry["ratio"] else ""
    goal = entry["goal"] + {None: "", True: ": met", False: ": not met"}[entry["met"]]
    value = f"{number(entry['value'])} {entry['unit']}".strip()
    print(f"{entry['name']:<42} {value:>20}  {rival:<30} {ratio:>8}  {goal}".rstrip(), flush=True)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", help="JSON file")
    parser.add_argument("--dfu-sim", required=True)
    parser.add_argument("--dfu-conformance", required=True)
    parser.add_argument("--program", nargs="+", action="append", default=[], help="prints rows, as bench/bench.h does")
    parser.add_argument("--size", help="arm-none-eabi-size; then also:")
    parser.add_argument("--class-object")
    parser.add_argument("--core")
    parser.add_argument("--dfu-only")
    parser.add_argument("--composite")
    return parser.parse_args()


def main():
    options = parse_options()
    rows = []
    print(f"{'what':<42} {'measured':>20}  {'beside':<30} {'ratio':>8}  goal")
    for part in (size_rows, program_rows, suite_rows, guest_rows):
        for entry in part(options):
            rows.append(entry)
            print_row(entry)
    pathlib.Path(options.output).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
