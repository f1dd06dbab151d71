#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs that write to a device and are cut off at many moments, by signals that can be held back and by
one that cannot. After the first kind the device holds its firmware; after the other the next run finds
the file that was kept and puts it back. What the device holds at the end is looked at in the flash that
the simulator keeps.

Then the device's server is killed instead, at random moments of such runs: the run ends, says how it
left the device, and keeps the file for the next one. SEED in the environment repeats the moments.

    test_killed_runs.py DFU_CONFORMANCE DFU_SIM
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time

from suite_run import expect, expect_equal

DFU_SUFFIX = 16
MOMENTS = 6  # of each signal, spread over the run
WRITING = "DM-STATE-6-*,DM-DNLOAD-*"
UNCHANGED = "flash unchanged (verified)"
RESTORED = "flash restored (verified)"


class Bench:
    """A served device with its flash in a file, and a folder for what runs keep."""

    def __init__(self, suite, simulator, folder):
        self.suite = suite
        self.simulator = simulator
        self.socket = os.path.join(folder, "socket")
        self.folder = os.path.join(folder, "dfurt")
        self.environment = dict(os.environ, XDG_STATE_HOME=folder, COLUMNS="200")
        self.flash = os.path.join(folder, "flash")
        self.serve()

    def serve(self):
        self.server = subprocess.Popen(
            [self.simulator, "serve", "--device", "wait-reset", "--listen", "unix:" + self.socket,
             "--flash", self.flash],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.server.stdout.readline().startswith("listening on ")

    def kill_server(self):
        self.server.kill()
        self.server.wait()
        self.server.stdout.close()

    def start(self, *options, wrapper=()):
        return subprocess.Popen(
            [*wrapper, self.suite, "--target", "usbip:unix:" + self.socket, *options],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *options):
        run = self.start(*options)
        text = run.communicate(timeout=120)[0]
        return run.returncode, text.splitlines()[-1]

    def kept(self):
        """The files of a run that has not restored the flash, or not yet."""
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return [os.path.join(self.folder, name) for name in names if name.endswith(".dfu")]

    def kept_bytes(self):
        with open(self.kept()[0], "rb") as file:
            return file.read()

    def wait_for_kept(self):
        end = time.monotonic() + 60
        while not self.kept():
            assert time.monotonic() < end, "no file was kept"
            time.sleep(0.005)


def cut_off(bench, number, delay, wrapper=()):
    run = bench.start("--allow-write", "--only", WRITING, wrapper=wrapper)
    bench.wait_for_kept()
    time.sleep(delay)
    run.send_signal(number)
    text = run.communicate(timeout=120)[0]
    return run.returncode, text.splitlines()[-1]


def kill_the_server(bench, delay):
    """Of a run that writes, so long after it has kept what it will write over."""
    run = bench.start("--allow-write", "--return-time", "500", "--only", WRITING)
    bench.wait_for_kept()
    time.sleep(delay)
    bench.kill_server()
    start = time.monotonic()
    lines = run.communicate(timeout=120)[0].splitlines()
    took = time.monotonic() - start
    bench.serve()
    return run.returncode, lines, took


def whole_run(bench):
    """What a run keeps, and how long it writes."""
    run = bench.start("--allow-write", "--only", WRITING)
    bench.wait_for_kept()
    start = time.monotonic()
    firmware = bench.kept_bytes()
    text = run.communicate(timeout=120)[0]
    took = time.monotonic() - start
    expect_equal("a whole run", (run.returncode, text.splitlines()[-1]), (0, RESTORED))
    expect_equal("files after it", bench.kept(), [])
    return firmware, took


def interrupt(bench, number, delay):
    """The run restores the flash before it ends, if it has written or not."""
    status, line = cut_off(bench, number, delay)
    expect((status, line) in ((-number, UNCHANGED), (-number, RESTORED), (0, RESTORED)),
           f"the flash unchanged or restored after {number.name}, not {status}, {line}")
    expect_equal(f"files after {number.name}", bench.kept(), [])


def ignore(bench):
    """What nohup, or a shell that starts it in the background, has a run ignore does not end it."""
    expect_equal("a run that ignores SIGHUP", cut_off(bench, signal.SIGHUP, 0, wrapper=("nohup",)), (0, RESTORED))


def restore(bench, firmware):
    """The next run after one that could not restore the flash."""
    expect(bench.kept_bytes() == firmware, "the firmware in the file that is kept")
    expect_equal("the next run", bench.run("--allow-write", "--only", "DM-STATUS-01"), (0, RESTORED))
    expect_equal("files after it", bench.kept(), [])


def lose_the_server(bench, firmware, delay):
    status, lines, waited = kill_the_server(bench, delay)
    if not bench.kept():  # it was about to end
        expect(RESTORED in lines or UNCHANGED in lines, f"the words on the flash, not {lines}")
        return
    expect_equal("the status of the run without its server", status, 4)
    expect(waited < 20, f"its end within 20 s, not {waited:.0f}")
    expect_equal("the one line of the flash", [line for line in lines if line.startswith("flash LOST: ")], lines[-2:-1])
    # Lost in a check, or by the restore at the end of the run.
    left = lines[-1].startswith(("dfu-conformance: the device left", "dfu-conformance: the backup could not be restored: "))
    expect(left, f"the words on the device, not {lines[-1]}")
    restore(bench, firmware)


def cut_off_runs(bench):
    """Returns the firmware."""
    firmware, took = whole_run(bench)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for i in range(MOMENTS // 2):
            interrupt(bench, number, took * i / MOMENTS)
    ignore(bench)
    for i in range(MOMENTS):
        cut_off(bench, signal.SIGKILL, took * i / MOMENTS)
        if bench.kept():  # it was not over
            restore(bench, firmware)

    seed = int(os.environ.get("SEED", "1"))
    print("SEED", seed)
    moments = random.Random(seed)
    for delay in [0] + [moments.uniform(0, took) for _ in range(MOMENTS // 2)]:
        lose_the_server(bench, firmware, delay)
    return firmware


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], sys.argv[2], folder)
        try:
            firmware = cut_off_runs(bench)
        finally:
            bench.server.terminate()
            bench.server.wait(timeout=60)
        with open(bench.flash, "rb") as file:
            expect(firmware[:-DFU_SUFFIX] in file.read(), "the firmware in flash at the end")


main()
