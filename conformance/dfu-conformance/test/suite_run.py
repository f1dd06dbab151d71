# SPDX-License-Identifier: MIT
"""Runs of dfu-conformance for the tests that read its reports back as others would."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

SKIPPED = 77  # what Meson takes for a skip


def find_program(*names):
    """The path of the first of these programs; where there is none, the test is skipped."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    print(f"SKIP: {' or '.join(names)} is not installed")
    sys.exit(SKIPPED)


class Run:
    """One run on a target, with all of its reports in folder."""

    def __init__(self, command, target, folder, *options):
        name = "".join(c if c.isalnum() else "-" for c in target)
        self.html, self.json, self.junit, self.capture = (
            Path(folder) / f"{name}.{suffix}" for suffix in ("html", "json", "xml", "pcapng"))
        done = subprocess.run(
            [command, "--target", target, "--tap", "--html", self.html, "--json", self.json,
             "--junit", self.junit, "--capture", self.capture, *options],
            env={**os.environ, "XDG_STATE_HOME": str(folder)}, # nobody else's backups
            stdout=subprocess.PIPE, text=True, timeout=60)
        self.status = done.returncode
        self.tap = done.stdout
        self.report = json.loads(self.json.read_text(encoding="utf-8"))

    def results(self, verdict):
        return [r for r in self.report["results"] if r["verdict"] == verdict]


def expect(met, what):
    """Like assert, whatever Python was told of assertions."""
    if not met:
        sys.exit(f"expected: {what}")


def expect_equal(what, received, expected):
    expect(received == expected, f"{what} is {expected!r}, not {received!r}")


DISSECTOR = Path(__file__).parents[3] / "usb/capture/wireshark/dfurt.lua"
FIELDS = ["frame.number", "frame.comment", "_ws.col.Protocol", "_ws.col.Info"]


def dissect(tshark, capture):
    """(number, comment, protocol, info) of each frame."""
    fields = [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run([tshark, "-X", f"lua_script:{DISSECTOR}", "-r", capture, "-T", "fields", *fields],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)
    expect_equal(f"the status of tshark ({done.stderr.strip()})", done.returncode, 0)
    return [line.split("\t") for line in done.stdout.splitlines()]
