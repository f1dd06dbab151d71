#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
#
# test_killed_runs.py DFU-CONFORMANCE DFU-SIM - runs that write to a device and are cut off at many
# moments, by signals that can be held back and by one that cannot. After the first kind the device
# holds its firmware; after the other the next run finds the file that was kept and puts it back. What
# the device holds at the end is looked at in the flash that the simulator keeps.
#
# Then the device's server is killed instead, at random moments of such runs: the run ends, says how it
# left the device, and keeps the file for the next one. SEED in the environment repeats the moments.

import os
import random
import signal
import subprocess
import sys
import tempfile
import time

DFU_SUFFIX = 16
MOMENTS = 6  # of each signal, spread over the run
WRITING = "DM-STATE-6-*,DM-DNLOAD-*"


class Bench:
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

    def start(self, *options):
        return subprocess.Popen(
            [self.suite, "--target", "usbip:unix:" + self.socket, *options],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, *options):
        run = self.start(*options)
        text = run.communicate(timeout=120)[0]
        return run.returncode, text.splitlines()[-1]

    def kept(self):
        names = os.listdir(self.folder) if os.path.isdir(self.folder) else []
        return [os.path.join(self.folder, name) for name in names if name.endswith(".dfu")]

    def wait_for_kept(self):
        end = time.monotonic() + 60
        while not self.kept():
            assert time.monotonic() < end, "no file was kept"
            time.sleep(0.005)


def expect(what, found, *expected):
    assert found in expected, f"{what}: expected one of {expected}, found {found!r}"


def cut_off(bench, number, delay):
    run = bench.start("--allow-write", "--only", WRITING)
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


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], sys.argv[2], folder)
        try:
            # How long a run writes, and what it keeps.
            run = bench.start("--allow-write", "--only", WRITING)
            bench.wait_for_kept()
            start = time.monotonic()
            with open(bench.kept()[0], "rb") as file:
                firmware = file.read()
            text = run.communicate(timeout=120)[0]
            took = time.monotonic() - start
            expect("a whole run", (run.returncode, text.splitlines()[-1]),
                   (0, "flash restored (verified)"))
            expect("files after it", bench.kept(), [])

            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                for i in range(MOMENTS // 2):
                    status, line = cut_off(bench, number, took * i / MOMENTS)
                    expect(f"after {number.name}", (status, line),
                           (-number, "flash unchanged (verified)"),  # before the first write
                           (-number, "flash restored (verified)"), (0, "flash restored (verified)"))
                    expect(f"files after {number.name}", bench.kept(), [])

            for i in range(MOMENTS):
                cut_off(bench, signal.SIGKILL, took * i / MOMENTS)
                if not bench.kept():
                    continue  # it was over
                with open(bench.kept()[0], "rb") as file:
                    expect("what is kept", file.read() == firmware, True)
                status, line = bench.run("--allow-write", "--only", "DM-STATUS-01")
                expect("the next run", (status, line), (0, "flash restored (verified)"))
                expect("files after it", bench.kept(), [])

            seed = int(os.environ.get("SEED", "1"))
            print("SEED", seed)
            moments = random.Random(seed)
            for delay in [0] + [moments.uniform(0, took) for _ in range(MOMENTS // 2)]:
                status, lines, waited = kill_the_server(bench, delay)
                if not bench.kept():  # it was about to end
                    expect("the words on the flash", "flash restored (verified)" in lines, True)
                    continue
                expect("the run without its server", status, 4)
                expect("its end within 20 s", waited < 20, True)
                expect("the words on the flash",
                       [line for line in lines if line.startswith("flash LOST: ")], lines[-2:-1])
                expect("the words on the device",
                       [line for line in lines if line.startswith("dfu-conformance: the device left")],
                       lines[-1:])
                with open(bench.kept()[0], "rb") as file:
                    expect("what is kept", file.read() == firmware, True)
                status, line = bench.run("--allow-write", "--only", "DM-STATUS-01")
                expect("the next run", (status, line), (0, "flash restored (verified)"))
                expect("files after it", bench.kept(), [])
        finally:
            bench.server.terminate()
            bench.server.wait(timeout=60)
        with open(bench.flash, "rb") as file:
            expect("the firmware in flash at the end", firmware[:-DFU_SUFFIX] in file.read(), True)


main()
