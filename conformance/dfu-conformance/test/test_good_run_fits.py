# SPDX-License-Identifier: MIT
"""What a good run prints fits a screen of 40 lines of 80 columns, whatever the device has."""

import os
import subprocess
import sys
import tempfile

from suite_run import expect, expect_equal

LINES, COLUMNS = 40, 80
DEVICES = ["will-detach", "wait-reset", "composite", "dfu-mode", "dfu-plain"]


def printed(command, device, *options):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([command, "--target", f"sim:{device}", *options], text=True, stdout=subprocess.PIPE,
                              env={**os.environ, "COLUMNS": str(COLUMNS), "XDG_STATE_HOME": folder}, timeout=60)
    expect_equal(f"the status of a run on {device}", done.returncode, 0)
    return done.stdout.splitlines()


def main():
    for device in DEVICES:
        for options in ([], ["--allow-write"], ["--allow-write", "--allow-vendor"]):
            lines = printed(sys.argv[1], device, *options)
            run = f"{device} {' '.join(options)}"
            expect(len(lines) <= LINES, f"{run}: at most {LINES} lines, not {len(lines)}")
            expect(all(len(line) <= COLUMNS for line in lines), f"{run}: at most {COLUMNS} columns")


main()
