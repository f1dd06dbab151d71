#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs whose process is stopped and continued again and again, at random moments and for random times:
no time that this host took is blamed on the device. SEED in the environment repeats the moments.

    test_stopped_runs.py DFU_CONFORMANCE DFU_SIM
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

from served import Served

TIMED = "REQ-04*,RT-STATE-1-*,RT-DETACH-02,RT-RESET-05"
RUNS = 8
STOPS_S = [0.06, 0.3, 0.6, 1.1]


def stop_at_random(run):
    stops = 0
    while run.poll() is None:
        run.send_signal(signal.SIGSTOP)
        time.sleep(random.choice(STOPS_S))
        run.send_signal(signal.SIGCONT)
        stops += 1
        time.sleep(random.uniform(0.001, 0.1))
    return stops


def blamed(suite, target, folder):
    report = os.path.join(folder, "report.json")
    run = subprocess.Popen([suite, "--target", target, "--strict", "--only", TIMED, "--json", report],
                           stdout=subprocess.DEVNULL)
    stops = stop_at_random(run)
    with open(report, encoding="utf-8") as file:
        results = json.load(file)["results"]
    assert stops > 0 and len(results) > 10, (stops, len(results))
    return [f"{r['id']}: expected {r['expected']}, received {r['received']}"
            for r in results if r["verdict"] in ("FAIL", "WARN")]


def main():
    suite, simulator = sys.argv[1:]
    seed = os.environ.get("SEED", str(time.time_ns()))
    random.seed(seed)
    with tempfile.TemporaryDirectory() as folder:
        with Served(simulator, "--device", "wait-reset") as served:
            lines = [line for _ in range(RUNS) for line in blamed(suite, served.target, folder)]
    if lines:
        sys.exit("\n".join([f"SEED={seed}:", *lines]))


if __name__ == "__main__":
    main()
