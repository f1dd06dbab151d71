#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_mutants CC CORE FOLDER[:OPTION]...: what an adapter does, its test sees.

Each call and each assignment of an adapter is left out, and each condition of an if is taken for
true and for false, one at a time: its test must fail. A mutant that does not compile is none, nor
is one in a part that the preprocessor leaves out. What the adapter includes of its own folder is a
part of it. OPTION is the compiler's."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

# A function's body begins and ends in column 0.
BODY = re.compile(r"^\{\n(.*?)^\}", re.M | re.S)
CALL = re.compile(r"\b[a-z_]\w*\(")
ASSIGNMENT = re.compile(r"^ +(?:\*?[\w.>\[\]-]+ = )+[^;]*;", re.M)
CONDITION = re.compile(r"\bif \(")
OWN_HEADER = re.compile(r'^#include "(.*)"\n', re.M)
NOT_CALLS = {"if", "while", "for", "switch", "sizeof", "return"}


def closing(text, opening):
    """The index after the parenthesis that closes the one at `opening`."""
    depth = 0
    for i in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if not depth:
            return i + 1
    raise ValueError("unbalanced parentheses")


def mutants(source):
    """(line, what was changed, the source so changed) for each mutant."""
    for body in BODY.finditer(source):
        for call in CALL.finditer(source, body.start(), body.end()):
            if call[0][:-1] not in NOT_CALLS:
                yield from change(source, call.start(), closing(source, call.end() - 1), ["0"])
        for assignment in ASSIGNMENT.finditer(source, body.start(), body.end()):
            yield from change(source, assignment.start(), assignment.end(), [";"])
        for condition in CONDITION.finditer(source, body.start(), body.end()):
            yield from change(source, condition.end() - 1, closing(source, condition.end() - 1), ["(0)", "(1)"])


def change(source, start, end, replacements):
    line = source.count("\n", 0, start) + 1
    for new in replacements:
        what = " ".join(source[start:end].split())
        yield line, f"{what} -> {new}", source[:start] + new + source[end:]


class Adapter:
    def __init__(self, cc, core, folder, options, work):
        self.cc = cc + ["-std=c11", "-w", f"-I{core}/include", f"-I{folder}/test/stand-in",
                        f"-I{folder.parent}/test", *options]
        self.file = next(folder.glob("dfurt_*.c"))
        self.source = OWN_HEADER.sub(lambda header: (folder / header[1]).read_text(encoding="utf-8"),
                                     self.file.read_text(encoding="utf-8"))
        self.as_it_is = self.preprocessed(self.source)
        self.work = work
        self.others = []
        for source in [*folder.glob("test/test_*.c"), folder.parent / "test" / "adapter.c",
                       pathlib.Path(core) / "dfurt.c"]:
            self.others.append(str(work / (source.stem + ".o")))
            subprocess.run(self.cc + ["-c", str(source), "-o", self.others[-1]], check=True)

    def preprocessed(self, source):
        return subprocess.run(self.cc + ["-E", "-P", "-xc", "-"], input=source.encode(), capture_output=True,
                              check=True).stdout

    def survives(self, number, source):
        """Does the test pass? None if this does not compile."""
        program = self.work / str(number)
        file = self.work / f"{number}.c"
        file.write_text(source, encoding="utf-8")
        if subprocess.run(self.cc + [str(file), *self.others, "-o", str(program), "-lcmocka"],
                          capture_output=True).returncode:
            return None
        try:
            return not subprocess.run([program], capture_output=True, timeout=20).returncode
        except subprocess.TimeoutExpired:
            return False


def judge(cc, core, folder, options):
    """The number of mutants, and a line for each that its test does not see."""
    with tempfile.TemporaryDirectory() as work:
        adapter = Adapter(cc, core, folder, options, pathlib.Path(work))
        if not adapter.survives("as it is", adapter.source):
            sys.exit(f"{adapter.file}: its test fails without a change")
        all_mutants = [m for m in mutants(adapter.source) if adapter.preprocessed(m[2]) != adapter.as_it_is]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            verdicts = list(pool.map(lambda m: adapter.survives(m[0], m[1][2]), enumerate(all_mutants)))
    return sum(v is not None for v in verdicts), [
        f"{adapter.file}:{line}: {what}"
        for (line, what, _), survives in zip(all_mutants, verdicts) if survives]


def main():
    cc, core = shlex.split(sys.argv[1]), sys.argv[2]
    survivors = []
    for argument in sys.argv[3:]:
        folder, *options = argument.split(":")
        folder = pathlib.Path(folder)
        count, some = judge(cc, core, folder, options)
        print(f"{folder.name} {' '.join(options)}: {count} mutants, {len(some)} not seen")
        survivors += some
    print("\n".join(survivors))
    sys.exit(bool(survivors))


main()
