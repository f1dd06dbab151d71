# SPDX-License-Identifier: MIT
"""Tables A.2.1 to A.2.11 were typed twice, for dfu-judge and for the test of the suite's rows
(test_state_rows.c): each cell of the one is a cell of the other.

    test_tables.py TEST_STATE_ROWS_C
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dfu_judge.tables import FAILED, TABLE  # noqa: E402

LINE = re.compile(r'^    \{(\d+), "([\w-]+)", +\{(.*?)\}\},', re.M)
MUST_SEE = 38  # lines

# What the judge allows besides: a device that disagrees that the image is whole (A.2.6).
BESIDE = {(5, "DNLOAD-0"): {("stall", 10)}}
# What is no cell of the judge's, because its code has it: that DNLOAD needs data (A.2.3).
IN_CODE = {(2, "DNLOAD-0")}


def of_suite(text):
    """{(state, request): {(answer, next state)}}"""
    return {(int(state), request): {(answer, int(after)) for answer, after in
                                    re.findall(r'"(ok|stall) (\d+)"', outcomes)}
            for state, request, outcomes in LINE.findall(text)}


def of_judge():
    """The same, of a device with bitCanDnload and bitCanUpload that detects no error."""
    cells = {}
    for state, row in TABLE.items():
        for request, outcomes in row.items():
            cells[state, request.replace("OTHER", "other")] = {
                ("stall" if answer == "stall" else "ok", after) for answer, after in outcomes
                if after != FAILED and not answer.startswith("cannot")}
    return cells


def main():
    suite, judge = of_suite(Path(sys.argv[1]).read_text(encoding="utf-8")), of_judge()
    wrong = [f"state {cell[0]}, {cell[1]}: the suite's test has {sorted(suite.get(cell, []))}, "
             f"the judge {sorted(judge.get(cell, []))}"
             for cell in sorted((suite.keys() | judge.keys()) - IN_CODE)
             if suite.get(cell) != judge.get(cell, set()) - BESIDE.get(cell, set())]
    if len(suite) < MUST_SEE:
        wrong.append(f"the suite's test has {len(suite)} lines, expected {MUST_SEE} or more")
    print("\n".join(wrong))
    sys.exit(bool(wrong))


main()
