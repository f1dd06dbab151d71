# SPDX-License-Identifier: MIT
"""Many attachments of one device, many detaches into DFU mode, and a server that is killed in the middle
of both, on a real kernel: nothing is left behind in the server, in vhci-hcd or in the kernel's log.
Writes TAP. SEED in the environment gives other times at which the server is killed.

    cycles.py DFU_SIM ATTACHMENTS DETACHES
"""

import os
import random
import re
import subprocess
import sys
import time

from measured import anonymous_kib, descriptors, report, wait_for
from real_kernel import (DFU_MODE, FREE, RUN_TIME, USED, VHCI, all_free, detach, devices,
                         kernel_warnings, ports, reset)
from served import Served, import_when_there

ENUMERATED_EACH = 50  # the others are detached at once, in the middle of their enumeration
WARM_UP = 20
UNSEEN = 15
MORE_KIB = 160  # the heap grows in steps of 132: one of them is no leak
SECONDS = 60
KILLS = 3
UPLOAD_SIZE = 32768
UPLOAD = ["dfu-util", "-d", "1209:0001,0483:df11", "-a", "0", "-s", f"0x08000000:{UPLOAD_SIZE}", "-U"]


def state():
    """Of the first port; the other files of vhci-hcd take time to read."""
    return int(re.search(r"^hs +0000 (\d+)", (VHCI / "status").read_text(), re.M)[1])


def is_enumerated():
    return state() == USED and devices(RUN_TIME)


def attach_once(port, enumerated):
    """Attach the device to the first port of vhci-hcd, and detach it.

    A kernel that is still busy with what was there before may not notice a device that has come since:
    one that is to be enumerated is then plugged in again.
    """
    client = import_when_there(port, "1-1")
    with client.connection:
        (VHCI / "attach").write_text(f"0 {client.connection.fileno()} {client.devid} 2")
    deadline = time.monotonic() + SECONDS
    seen = not enumerated or wait_for(is_enumerated, UNSEEN)[0]
    (VHCI / "detach").write_text("0")
    while state() != FREE:
        if time.monotonic() > deadline:
            raise TimeoutError("the port does not become free")
    return seen


def cycle_attachments(dfu_sim, count):
    with Served(dfu_sim) as served:
        for i in range(WARM_UP):
            attach_once(served.port, i == 0)
        before = descriptors(served.process), anonymous_kib(served.process)
        begin, unseen = time.monotonic(), 0
        for i in range(count):
            while not attach_once(served.port, i % ENUMERATED_EACH == 0):
                unseen += 1
        took = time.monotonic() - begin
        import_when_there(served.port, "1-1").connection.close()  # the last one is released
        wait_for(lambda: descriptors(served.process) <= before[0], SECONDS)
        after = descriptors(served.process), anonymous_kib(served.process)
    report(f"{count} attachments ({took:.0f} s, {unseen} not noticed by the kernel) leave the server no descriptor more",
           after[0] <= before[0], before, after)
    report(f"nor {MORE_KIB} KiB of memory", after[1] <= before[1] + MORE_KIB, before, after)
    report("nor vhci-hcd a port that is in use", wait_for(all_free, SECONDS)[0], ports())


def change(act, kinds, wanted):
    act(devices(kinds)[0])
    if not wait_for(lambda: devices(wanted), SECONDS, 0.02)[0]:
        raise TimeoutError(f"the device did not come back as {wanted}")


def cycle_detaches(dfu_sim, count):
    process = subprocess.Popen([dfu_sim, "attach"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: devices(RUN_TIME), SECONDS)
        begin = time.monotonic()
        for i in range(count + 2):
            if i == 2:
                before = descriptors(process), anonymous_kib(process)
            change(detach, RUN_TIME, DFU_MODE)
            change(reset, DFU_MODE, RUN_TIME)
        took = time.monotonic() - begin
        wait_for(lambda: descriptors(process) <= before[0], SECONDS)
        after = descriptors(process), anonymous_kib(process)
    finally:
        process.terminate()
        process.wait(SECONDS)
    report(f"{count} detaches into DFU mode and back ({took:.0f} s) leave no descriptor more",
           after[0] <= before[0], before, after)
    report(f"nor {MORE_KIB} KiB of memory", after[1] <= before[1] + MORE_KIB, before, after)
    report("nor vhci-hcd a port that is in use", wait_for(all_free, SECONDS)[0], ports())


def upload(dfu_sim, number, delay):
    """DETACH, and an upload from the boot loader, whose server is killed after the delay, or not.

    What dfu-util ended with, None where it had to be killed, how much it has written, and how long that
    took.
    """
    attached = subprocess.Popen([dfu_sim, "attach"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status, file = None, f"/tmp/upload-{number}"
    try:
        wait_for(lambda: devices(RUN_TIME), SECONDS)
        begin = time.monotonic()
        with subprocess.Popen([*UPLOAD, file], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as client:
            try:
                if delay is not None:
                    time.sleep(delay)
                    attached.kill()
                status = client.wait(SECONDS)
            except subprocess.TimeoutExpired:
                client.kill()
    finally:
        attached.terminate()
        attached.wait(SECONDS)
    took = time.monotonic() - begin
    return status, os.path.getsize(file) if os.path.exists(file) else 0, took


def kill_servers(dfu_sim):
    moments = random.Random(int(os.environ.get("SEED", "1")))
    status, size, took = upload(dfu_sim, 0, None)
    report(f"an upload ends with status 0 ({took:.1f} s)", (status, size) == (0, UPLOAD_SIZE), status, size)
    ends = []
    for number in range(KILLS):
        ends.append(upload(dfu_sim, number + 1, moments.uniform(0, took)))
        freed = wait_for(lambda: all_free() and not devices(RUN_TIME | DFU_MODE), SECONDS)[0]
        if not freed:
            break
    report(f"one whose server is killed in it fails, unless it has all it wants, {KILLS} times",
           len(ends) == KILLS and any(status for status, _, _ in ends) and
           all(status is not None and (status or size == UPLOAD_SIZE) for status, size, _ in ends), ends)
    report("and the device and its port have gone each time", freed, ports())


def main():
    cycle_attachments(sys.argv[1], int(sys.argv[2]))
    cycle_detaches(sys.argv[1], int(sys.argv[3]))
    kill_servers(sys.argv[1])
    warnings = kernel_warnings()
    report("the kernel warns of nothing", not warnings, *warnings)
    print("1..10")


main()
