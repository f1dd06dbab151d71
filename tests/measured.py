# SPDX-License-Identifier: MIT
"""What tests that measure have in common: lines of TAP, waiting, and what a process takes."""

import os
import re
import time
from pathlib import Path


def report(sentence, ok, *details):
    """A line of TAP, with details where it is not ok."""
    print(f"{'ok' if ok else 'not ok'} - {sentence}", flush=True)
    if not ok:
        for detail in details:
            print(f"# {detail}", flush=True)


def wait_for(condition, seconds, pause=0.1):
    """Until condition() is true. Returns whether it has become so, and how long that took."""
    begin = time.monotonic()
    while not (met := condition()) and time.monotonic() - begin < seconds:
        time.sleep(pause)
    return bool(met), time.monotonic() - begin


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def status_of(process, name):
    """A number of /proc/PID/status."""
    return int(re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(), re.M)[1])


def anonymous_kib(process):
    """Memory that is no file's: pages of the program itself come and go with what it does for the first time."""
    return status_of(process, "RssAnon")
