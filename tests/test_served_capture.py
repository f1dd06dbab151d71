# SPDX-License-Identifier: MIT
"""What dfu-sim serve --capture writes, as Wireshark's dissectors read it.

    test_served_capture.py DFU_SIM DFU_CONFORMANCE
"""

import sys
import tempfile
from pathlib import Path

from served import Client, Served
from suite_run import Run, dissect, expect, expect_equal, find_program


def served_run(tshark, folder, dfu_sim, dfu_conformance):
    """A run of the suite, as the server saw it."""
    capture = Path(folder) / "run.pcapng"
    with Served(dfu_sim, "--device", "wait-reset", "--capture", capture) as served:
        Run(dfu_conformance, served.target, folder, "--only", "RT-RESET-05,DM-STATE-2-*")
    frames = dissect(tshark, capture)

    dfu = [info for _, _, protocol, info in frames if protocol == "USB DFU"]
    for wanted in ("Detach Timeout=1000", "Get State = appIdle", "Get State = dfuIdle",
                   "Get State = dfuError"):
        expect(any(wanted in info for info in dfu), f"a DFU request dissected as '{wanted}'")
    resets = [info for _, comment, _, info in frames if "bus reset requested" in comment]
    expect(resets, "a comment that tells of the bus reset after DETACH")


def served_kernel(tshark, folder, dfu_sim):
    """The first requests of a kernel: the one with wLength 64 follows a reset, the other does not."""
    capture = Path(folder) / "kernel.pcapng"
    with Served(dfu_sim, "--capture", capture) as served:
        client = Client(served.port, "1-1")
        answers = [client.device_descriptor(length) for length in (18, 64, 18)]
        client.end()
        during = dissect(tshark, capture)
    after = dissect(tshark, capture)

    expect_equal("the lengths of the answers", [len(answer) for answer in answers], [18] * 3)
    expect_equal("what can be read while the server runs", during, after)
    told = [(info, comment) for _, comment, _, info in after]
    expect_equal("the frames", told, [("GET DESCRIPTOR Request DEVICE", ""),
                                      ("GET DESCRIPTOR Response DEVICE", ""),
                                      ("GET DESCRIPTOR Request DEVICE", "bus reset inferred"),
                                      ("GET DESCRIPTOR Response DEVICE", ""),
                                      ("GET DESCRIPTOR Request DEVICE", ""),
                                      ("GET DESCRIPTOR Response DEVICE", "")])


def main():
    tshark = find_program("tshark")
    with tempfile.TemporaryDirectory() as folder:
        served_run(tshark, folder, sys.argv[1], sys.argv[2])
        served_kernel(tshark, folder, sys.argv[1])


main()
