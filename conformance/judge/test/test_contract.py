# SPDX-License-Identifier: MIT
"""Each request of runs on good devices and on models of shipped boot loaders is one that the man page
lets the suite send: without leave, with --no-detach and with --allow-write.

    test_contract.py DFU_CONFORMANCE DFU_SIM
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from contract import Contract  # noqa: E402
from dfu_judge import capture  # noqa: E402

OPTIONS = {"": Contract, "--no-detach": lambda: Contract(detach=False),
           "--allow-write": lambda: Contract(write=True)}
LESS = {"": OPTIONS["--no-detach"], "--allow-write": Contract}
GOOD = ("will-detach", "wait-reset", "composite")
MUST_SEE = 40  # targets


def targets(dfu_sim):
    """The devices, and the models of shipped ones."""
    text = subprocess.run([dfu_sim, "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found, wanted = [], False
    for line in text.splitlines():
        if not line.startswith(" "):
            wanted = line.startswith(("devices", "models"))
        elif wanted:
            found.append(line.split()[0])
    return found


def sent(suite, name, option, folder):
    """The control transfers of a run."""
    frames = Path(folder) / f"{name}{option}.pcapng"
    subprocess.run([suite, "--target", f"sim:{name}", "--capture", frames, *option.split()],
                   env={**os.environ, "XDG_STATE_HOME": folder},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    transfers = capture.read(frames.read_bytes())
    frames.unlink()
    return transfers


def main():
    suite, dfu_sim = sys.argv[1:]
    names = targets(dfu_sim)
    runs = [(name, option) for name in names for option in OPTIONS]
    broken, total, unseen = [], 0, []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for (name, option), transfers in zip(runs, pool.map(lambda r: sent(suite, *r, folder), runs)):
            total += len(transfers)
            broken += [f"sim:{name} {option}: {b}" for b in OPTIONS[option]().watch(transfers)]
            # It sees what is wrong: a run with more leave breaks the contract of one with less.
            less = LESS.get(option)
            if less and name in GOOD and not less().watch(transfers):
                unseen.append(f"sim:{name} {option}: held against less leave, nothing is seen")
    print(f"{len(runs)} runs, {total} control transfers, {len(broken)} that should not be sent")
    print("\n".join((broken + unseen)[:40]))
    sys.exit(1 if broken or unseen or len(names) < MUST_SEE else 0)


main()
