# SPDX-License-Identifier: MIT
"""Many devices on one real kernel, all detached at once and back. Writes TAP.

    many.py DFU_SIM COUNT

Half of them are full-speed devices, half SuperSpeed ones: vhci-hcd has ports for each, 120 in
Debian's kernel.
"""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from measured import report, wait_for
from real_kernel import DFU_MODE, RUN_TIME, all_free, detach, devices, kernel_warnings, read, reset

AT_ONCE = 40
UNCHANGED = 8
SECONDS = 240  # a guest without KVM on a busy machine stands still for half a minute now and then


def listed(mode):
    """Places of the devices that dfu-util lists in this mode."""
    out = subprocess.run(["dfu-util", "-l"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(rf'^Found {mode}: .*path="([^"]+)"', out, re.M))


def change(act, kinds):
    """Acts on every device of these kinds; what went wrong."""
    def one(place):
        try:
            act(place)
        except OSError as error:
            return f"{place.name}: {error}"
        return None
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [wrong for wrong in pool.map(one, devices(kinds)) if wrong]


def all_are(kinds, count):
    return lambda: len(devices(kinds)) == count


def numbers():
    """{place: number} of the devices at run time: another one each time that they are enumerated."""
    return {place.name: read(place / "devnum") for place in devices(RUN_TIME)}


def return_unchanged(dfu_sim):
    """Devices that leave and come back with the same descriptors, while the kernel is busy with others."""
    attached = subprocess.Popen([dfu_sim, "attach", "--defect", "returns-at-run-time", "--count", str(UNCHANGED)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(all_are(RUN_TIME, UNCHANGED), SECONDS)
        before = numbers()
        wrong = change(detach, RUN_TIME)
        met, took = wait_for(lambda: len(after := numbers()) == UNCHANGED and
                             all(after[place] != before.get(place) for place in after), SECONDS)
        report(f"{UNCHANGED} that come back as they were are enumerated again ({took:.1f} s later)",
               met and not wrong and len(before) == UNCHANGED, before, numbers(), *wrong)
    finally:
        attached.terminate()
        attached.wait(SECONDS)
    wait_for(lambda: all_free() and not devices(RUN_TIME), SECONDS)


def main():
    dfu_sim, count = sys.argv[1], int(sys.argv[2])
    return_unchanged(dfu_sim)
    seconds = SECONDS + count
    attached = [subprocess.Popen([dfu_sim, "attach", "--device", device, "--count", str(number)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for device, number in (("will-detach", (count + 1) // 2),
                                       ("super-speed-loader", count // 2))]
    try:
        met, took = wait_for(all_are(RUN_TIME, count), seconds)
        report(f"{count} devices are enumerated ({took:.1f} s)", met, len(devices(RUN_TIME)))
        found = listed("Runtime")
        report("dfu-util lists each of them", len(found) == count, len(found))

        wrong = change(detach, RUN_TIME)
        met, took = wait_for(all_are(DFU_MODE, count), seconds)
        report(f"all are detached at once and come back in DFU mode ({took:.1f} s later)",
               met and not wrong, len(devices(DFU_MODE)), *wrong)
        found = listed("DFU")
        report("dfu-util lists each of them in DFU mode", len(found) == count, len(found))

        wrong = change(reset, DFU_MODE)
        met, took = wait_for(all_are(RUN_TIME, count), seconds)
        report(f"all are back at run time after a bus reset ({took:.1f} s later)",
               met and not wrong, len(devices(RUN_TIME)), *wrong)
    finally:
        for process in attached:
            process.terminate()
    report("both programs end with status 0",
           [process.wait(seconds) for process in attached] == [0, 0])
    met, took = wait_for(all_free, seconds)
    report(f"all ports are free again ({took:.1f} s)", met)
    warnings = kernel_warnings()
    report("the kernel warns of nothing", not warnings, *warnings)
    print("1..9")


main()
