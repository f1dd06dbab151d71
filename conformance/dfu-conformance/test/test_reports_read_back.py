# SPDX-License-Identifier: MIT
"""The reports for programs, read back: JSON by its documentation, JUnit as XML, TAP by its grammar.

    test_reports_read_back.py DFU_CONFORMANCE docs/report-json.md
"""

import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from suite_run import Run, expect, expect_equal, find_program

# Members that are there only where there is something to say.
OPTIONAL = {"waiver", "sent", "expected", "received", "message", "trouble", "frames", "setup",
            "data", "commit", "started", "host"}


def documented(text):
    """The members that the document names, by its sections: report, device, result, transfer."""
    parts = re.split(r"\n(?=A device:|A result:|A transfer has)", text)
    expect_equal("the number of sections of the document", len(parts), 4)
    tables = [{name for row in re.findall(r"^\| (`.*?) \|", part, re.M)
               for name in re.findall(r"`([\w.]+)`", row)} for part in parts[:3]]
    return [*tables, set(re.findall(r"`(\w+)`", parts[3]))]


def check_members(what, received, names):
    top = {name.split(".")[0] for name in names}
    expect(set(received) <= top, f"no undocumented member of {what}: {set(received) - top}")
    missing = top - set(received) - OPTIONAL
    expect(not missing, f"every documented member of {what}: {missing} are missing")
    for name in names:
        head, _, tail = name.partition(".")
        if tail:
            expect(tail in received[head], f"{name} in {what}")


def check_json(report, document):
    of_report, of_device, of_result, of_transfer = documented(document)
    check_members("the report", report, of_report)
    for mode in ("run_time", "dfu_mode"):
        check_members(mode, report[mode], of_device)
    for result in report["results"]:
        check_members(result["id"], result, of_result)
        for transfer in result["transfers"]:
            check_members(f"a transfer of {result['id']}", transfer, of_transfer)


def check_counts(report):
    for verdict in ("PASS", "FAIL", "WARN", "SKIP", "INCONCLUSIVE"):
        counted = sum(r["verdict"] == verdict and r["applicable"] and not r["waived"]
                      for r in report["results"])
        expect_equal(f"the count of {verdict}", report["counts"][verdict], counted)
    expect_equal("the count of inapplicable", report["counts"]["inapplicable"],
                 sum(not r["applicable"] for r in report["results"]))


def outcome(result):
    """What a result means for whoever counts, from its verdict, its level and its waiver."""
    if result["verdict"] in ("FAIL", "WARN"):
        bare = result["verdict"] == "FAIL" and not result["waived"]
        return "broken" if bare else "tolerated"
    if result["verdict"] == "INCONCLUSIVE":
        return "skipped" if result["level"] == "inform" else "not judged"
    return "skipped" if result["verdict"] == "SKIP" else "met"


def expected_status(report):
    """The exit status that the results alone give."""
    outcomes = [outcome(r) for r in report["results"]]
    if "broken" in outcomes:
        return 1
    if "met" not in outcomes and "tolerated" not in outcomes:
        return 2
    return 3 if "not judged" in outcomes else 0


def check_junit(path, report):
    cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    suite = next(ElementTree.parse(path).getroot().iter("testsuite"))
    run_in_error = report["exit_status"] in (2, 4)
    expect_equal("the number of cases", len(cases), len(report["results"]) + run_in_error)
    expect_equal("tests=", int(suite.get("tests")), len(cases))
    expect_equal("failures=", int(suite.get("failures")), report["counts"]["FAIL"])
    for case, result in zip(cases, report["results"]):
        expect(case.get("name").startswith(result["id"] + " "), f"the case of {result['id']}")
        expect_equal(f"whether {result['id']} failed", case.find("failure") is not None,
                     result["verdict"] == "FAIL")
        expect_equal(f"whether {result['id']} was skipped", case.find("skipped") is not None,
                     outcome(result) == "skipped")
        expect_equal(f"whether {result['id']} is an error", case.find("error") is not None,
                     outcome(result) == "not judged")
    if run_in_error:
        expect(cases[-1].find("error") is not None, "the run in error")


def parse_tap(text):
    """(ok, id, directive) of each test point; anything TAP 13 does not know is an error."""
    lines = text.splitlines()
    expect_equal("the first line of TAP", lines[0], "TAP version 13")
    plan = re.fullmatch(r"1\.\.(\d+)", lines[1])
    expect(plan, f"a plan, not '{lines[1]}'")
    points, in_yaml = [], False
    for line in lines[2:]:
        if in_yaml or line == "  ---":
            expect(line.startswith("  "), f"YAML indented by two: '{line}'")
            in_yaml = line != "  ..."
        elif not line.startswith(("#", "Bail out!")):
            point = re.fullmatch(r"(ok|not ok) (\d+) - (\S+): ([^#]*)(?:# (SKIP|TODO)\b.*)?", line)
            expect(point, f"a test point, not '{line}'")
            expect_equal("the number of a test point", int(point[2]), len(points) + 1)
            points.append((point[1] == "ok", point[3], point[5]))
    expect(not in_yaml, "an end of the YAML block")
    expect_equal("the number of test points", len(points), int(plan[1]))
    return points


def check_tap(text, report):
    points = parse_tap(text)
    expect_equal("the ids of TAP", [p[1] for p in points], [r["id"] for r in report["results"]])
    for (ok, name, directive), result in zip(points, report["results"]):
        expect_equal(f"whether {name} is ok", ok, outcome(result) in ("met", "skipped"))
        expect_equal(f"whether {name} is skipped", directive == "SKIP",
                     outcome(result) == "skipped")
    expect_equal("whether the run bails out", "\nBail out! " in text,
                 report["exit_status"] in (2, 4))


def check_prove(text, status, folder):
    """What Perl's test harness makes of it."""
    prove = find_program("prove")
    path = Path(folder) / "run.tap"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([prove, "-e", "cat", path], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, universal_newlines=True, timeout=60)
    verdict = "PASS" if status == 0 else "FAIL"
    expect_equal("prove's last line", done.stdout.splitlines()[-1], f"Result: {verdict}")


def check_profiles(command, folder):
    """A mode counts as seen once a check has brought the device there, and not before."""
    cases = [(["--only", "RT-RESET-05"], "DFU 1.1"),
             (["--no-detach"], "DFU 1.1, seen at run time only")]
    for options, profile in cases:
        report = Run(command, "sim:wait-reset", folder, *options).report
        expect_equal(f"the profile with {options[0]}", report["profile"], profile)
        expect_equal(f"dfu_mode with {options[0]}", report["dfu_mode"] is None,
                     "run time only" in profile)


def main():
    document = Path(sys.argv[2]).read_text(encoding="utf-8")
    for target, status in (("sim:will-detach", 0), ("sim:wait-reset,defect=second-detach", 1)):
        with tempfile.TemporaryDirectory() as folder:
            run = Run(sys.argv[1], target, folder)
            check_junit(run.junit, run.report)
            check_prove(run.tap, status, folder)
        expect_equal(f"the exit status on {target}", run.status, status)
        expect_equal(f"exit_status of {target}", run.report["exit_status"], status)
        expect_equal(f"the status that follows on {target}", expected_status(run.report), status)
        check_json(run.report, document)
        check_counts(run.report)
        check_tap(run.tap, run.report)
    with tempfile.TemporaryDirectory() as folder:
        check_profiles(sys.argv[1], folder)


main()
