# SPDX-License-Identifier: MIT
"""Two judges, one capture: dfu-judge agrees with dfu-conformance on each cell of the state tables
that both judge, for every device with a deliberate defect; and a good device is good to both.

    test_judge.py DFU_CONFORMANCE DFU_SIM
"""

import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dfu_judge import capture, descriptors, states  # noqa: E402

CELL = re.compile(r"(RT|DM)-STATE-\d+-[A-Z0-9-]+")
GOOD = ("sim:will-detach", "sim:wait-reset", "sim:composite")
# What the suite judges of a cell by an id of its own: bState in the reply of GETSTATUS.
ELSEWHERE = {"RT-STATE-0-GETSTATUS": "REQ-02c", "RT-STATE-1-GETSTATUS": "RT-DETACH-11"}
# A device that answered, and left then: no reply of the capture shows that.
LEFT = re.compile(r"twice: the device left the bus \d+ ms after [^,]+")
# The checks of both, of a device with a defect. A good one is judged in a whole run.
CELLS = ("--only", "RT-STATE-*,DM-STATE-*,REQ-02c,RT-DETACH-11")
MUST_SEE = 40  # cells of a good device that both judge, at least


def defects(dfu_sim):
    """The names that `dfu-sim list` has under "defects"."""
    text = subprocess.run([dfu_sim, "list"], stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = text.split("defects", 1)[1].splitlines()[1:]
    return [line.split()[0] for line in lines if line.strip() and line.startswith(" ")]


def run(suite, target, folder, *only):
    """The suite's report and the judge's verdicts of one run."""
    name = re.sub(r"\W", "-", target)
    report, frames = Path(folder) / f"{name}.json", Path(folder) / f"{name}.pcapng"
    subprocess.run([suite, "--target", target, "--allow-write", "--json", report, "--capture",
                    frames, *only], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
    transfers = capture.read(frames.read_bytes())
    verdicts = states.judge(transfers, descriptors.collect(transfers))
    result = json.loads(report.read_text()), [v for each in verdicts.values() for v in each]
    report.unlink()
    frames.unlink()
    return result


def agree(result, here, failed):
    """Does what the judge saw in the frames of a check bear its verdict? The request is sent more
    than once there; and of two requests between which the state has moved, either may be blamed."""
    mine = [v.good for v in here if v.cell == result["id"]]
    if result["verdict"] == "FAIL":
        return not all(v.good for v in here)
    return True in mine or ELSEWHERE.get(result["id"]) in failed


def compare(target, report, verdicts):
    """(cells that both judged, sentences of disagreement)."""
    seen, wrong = 0, []
    failed = {r["id"] for r in report["results"] if r["verdict"] == "FAIL"}
    for result in report["results"]:
        if (not CELL.fullmatch(result["id"]) or result["verdict"] not in ("PASS", "FAIL")
                or "frames" not in result or LEFT.fullmatch(result.get("received", ""))):
            continue
        first, last = result["frames"]
        here = [v for v in verdicts if first <= v.frame <= last]
        mine = [v for v in here if v.cell == result["id"]]
        seen += bool(mine)
        if mine and not agree(result, here, failed):
            wrong.append(f"{target}: {result['id']} is {result['verdict']} "
                         f"({result.get('received', '')}), the judge: {mine[0].words}")
    return seen, wrong


def main():
    suite, dfu_sim = sys.argv[1:]
    names = defects(dfu_sim)
    if len(names) < 150:
        sys.exit(f"dfu-sim list names {len(names)} defects")
    targets = [f"sim:{'will-detach' if name.startswith('ds-') else 'wait-reset'},defect={name}"
               for name in names]
    seen, wrong, blamed = 0, [], 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        for target in GOOD:
            report, verdicts = run(suite, target, folder)
            here, disagreements = compare(target, report, verdicts)
            wrong += disagreements
            wrong += [f"{target}: {v.cell}: {v.words}" for v in verdicts if not v.good]
            if here < MUST_SEE:
                wrong.append(f"{target}: both judged {here} cells, expected {MUST_SEE} or more")
        for target, (report, verdicts) in zip(
                targets, pool.map(lambda t: run(suite, t, folder, *CELLS), targets)):
            here, disagreements = compare(target, report, verdicts)
            seen += here
            wrong += disagreements
            blamed += any(not v.good for v in verdicts)
    print(f"{len(targets)} runs, {seen} cells judged twice, {blamed} runs in which the judge found "
          f"something wrong, {len(wrong)} disagreements")
    print("\n".join(wrong))
    sys.exit(1 if wrong or not blamed else 0)


main()
