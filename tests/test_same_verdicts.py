# SPDX-License-Identifier: MIT
"""The same device gets the same verdicts in this process and over USB/IP, but for SKIPs for want of
something that the transport cannot do, and says so.

    test_same_verdicts.py DFU_SIM DFU_CONFORMANCE DEVICE[,DEFECT]
"""

import sys
import tempfile

from served import Served
from suite_run import Run, expect


def verdicts(report):
    return {r["id"]: r for r in report["results"]}


def is_for_the_transport(result):
    return result["verdict"] == "SKIP" and result["message"].startswith("needs a target ")


def main():
    dfu_sim, dfu_conformance, spec = sys.argv[1:]
    device, _, defect = spec.partition(",")
    options = ["--device", device] + (["--defect", defect] if defect else [])
    here = f"sim:{device}" + (f",defect={defect}" if defect else "")
    with tempfile.TemporaryDirectory() as folder:
        direct = verdicts(Run(dfu_conformance, here, folder, "--allow-write").report)
        with Served(dfu_sim, *options) as served:
            remote = verdicts(Run(dfu_conformance, served.target, folder, "--allow-write").report)

    expect(direct.keys() == remote.keys(), "the same checks")
    skipped = [name for name in direct if is_for_the_transport(remote[name])]
    print(f"{len(direct)} checks, {len(skipped)} skipped over USB/IP: {' '.join(skipped)}")
    differences = [
        f"{name}: {direct[name]['verdict']} in this process, {remote[name]['verdict']} over USB/IP:"
        f" {remote[name].get('received', '')} {remote[name].get('message', '')}"
        for name in direct
        if name not in skipped and direct[name]["verdict"] != remote[name]["verdict"]]
    expect(not differences, "the same verdicts, not\n" + "\n".join(differences))


main()
