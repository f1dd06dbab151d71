# SPDX-License-Identifier: MIT
"""The capture of a run as Wireshark's dissectors read it.

    test_capture_in_tshark.py DFU_CONFORMANCE
"""

import sys
import tempfile

from suite_run import Run, dissect, expect, find_program

def check_dissection(frames, *infos):
    dfu = [info for _, _, protocol, info in frames if protocol == "USB DFU"]
    for wanted in infos:
        expect(any(wanted in info for info in dfu), f"a DFU request dissected as '{wanted}'")


def check_comments(frames, results):
    """Each frame of a check carries its id, and no frame carries another check's."""
    for number, comment, _, _ in frames:
        owner = [r["id"] for r in results
                 if "frames" in r and r["frames"][0] <= int(number) <= r["frames"][1]]
        if owner:
            expect(comment.startswith(owner[0]), f"frame {number} of {owner[0]}, not '{comment}'")
    sending = [r for r in results if any("setup" in t for t in r["transfers"])]
    expect(sending and all("frames" in r for r in sending), "frames of each check that sent")


def check_failures(frames, run):
    expect(run.results("FAIL"), "failing checks")
    for failure in run.results("FAIL"):
        first, last = failure["frames"]
        comments = [comment for _, comment, _, _ in frames[first - 1:last]]
        expect(comments and all(failure["id"] in c for c in comments),
               f"{failure['id']} in the comments of frames {first} to {last}: {comments}")


def main():
    tshark = find_program("tshark")
    with tempfile.TemporaryDirectory() as folder:
        good = Run(sys.argv[1], "sim:will-detach", folder)
        wrong = Run(sys.argv[1], "sim:wait-reset,defect=second-detach", folder)
        frames = dissect(tshark, good.capture)
        wrong_frames = dissect(tshark, wrong.capture)

    check_dissection(frames, "Detach Timeout=255", "Get Status = Status: OK", "State: appIdle",
                     "State: dfuIdle", "Get State = dfuError", "Upload Block Number=2")
    check_comments(frames, good.report["results"])
    check_dissection(wrong_frames, "Detach Timeout=1000", "State: appDetach", "State: dfuIdle")
    check_comments(wrong_frames, wrong.report["results"])
    check_failures(wrong_frames, wrong)
    expect(any("bus reset" in comment for _, comment, _, _ in wrong_frames),
           "a comment that tells of a bus reset")


main()
