# SPDX-License-Identifier: MIT
"""dfu-sim attach, started by root and by sudo, on a real kernel: it goes on without root's privileges,
attaches again what has left the bus, and its files are the user's. Writes TAP.

    privileges.py DFU_SIM
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import report, wait_for
from real_kernel import DFU_MODE, RUN_TIME, all_free, detach, devices, reset

USER, GROUP = 1234, 2345
NOBODY = 65534
SECONDS = 60


def identity(process):
    """Its real, effective, saved and file system ids, its groups and its capabilities."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return {name: re.search(rf"^{name}:[ \t]*(.*)$", status, re.M)[1].split()
            for name in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "NoNewPrivs")}


def without_root(user, group):
    return {"Uid": [str(user)] * 4, "Gid": [str(group)] * 4, "Groups": [],
            "CapPrm": ["0" * 16], "CapEff": ["0" * 16], "NoNewPrivs": ["1"]}


@contextlib.contextmanager
def attached(dfu_sim, folder, variables, *options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDO_")}
    process = subprocess.Popen([dfu_sim, "attach", *options], cwd=folder,
                               env=environment | variables, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: devices(RUN_TIME), SECONDS)
        yield process
    finally:
        process.terminate()
        process.wait(SECONDS)


def leaves_and_returns(act, kinds, wanted):
    act(devices(kinds)[0])
    return wait_for(lambda: devices(wanted), SECONDS)[0]


def by_sudo(dfu_sim, folder):
    os.chown(folder, USER, GROUP)
    with attached(dfu_sim, folder, {"SUDO_UID": str(USER), "SUDO_GID": str(GROUP)},
                  "--capture", "capture", "--flash", "flash") as process:
        found = identity(process)
        report("called by sudo it becomes the user who called", found == without_root(USER, GROUP), found)
        report("it attaches again a device that has left the bus",
               leaves_and_returns(detach, RUN_TIME, DFU_MODE) and
               leaves_and_returns(reset, DFU_MODE, RUN_TIME))
    report("it detaches the device at its end", process.returncode == 0 and
           wait_for(all_free, SECONDS)[0], process.returncode)
    owners = {name: (os.stat(f"{folder}/{name}").st_uid, os.stat(f"{folder}/{name}").st_gid)
              for name in os.listdir(folder)}
    report("its files are that user's", owners == dict.fromkeys(("capture", "flash"), (USER, GROUP)), owners)


def by_root(dfu_sim, folder):
    with attached(dfu_sim, folder, {}, "--capture", "capture") as process:
        found = identity(process)
        report("started by root it becomes nobody", found == without_root(NOBODY, NOBODY), found)
        report("it attaches again a device that has left the bus",
               leaves_and_returns(detach, RUN_TIME, DFU_MODE))
    report("it detaches the device at its end", process.returncode == 0 and
           wait_for(all_free, SECONDS)[0], process.returncode)
    report("its capture is complete", os.stat(f"{folder}/capture").st_size > 1000)


def main():
    os.setgroups([4, 27])
    for way in by_sudo, by_root:
        with tempfile.TemporaryDirectory() as folder:
            way(os.path.abspath(sys.argv[1]), folder)
    print("1..8")


main()
