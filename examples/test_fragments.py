#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_fragments CC ROOT FOLDER...: the C of an adapter's README compiles as it is pasted.

FOLDER/test/fragments.c is what a product has around it: "// README N" stands for the N-th piece. A
fragment that begins at file scope and goes on inside an initializer (indented) is two pieces."""

import pathlib
import re
import shlex
import subprocess
import sys


def pieces(readme):
    for fragment in re.findall(r"^```c\n(.*?)^```", readme, re.M | re.S):
        yield from re.split(r"\n\n(?=    )", fragment) if not fragment.startswith(" ") else [fragment]


def compile_errors(cc, root, folder):
    template = (folder / "test/fragments.c").read_text(encoding="utf-8")
    found = list(pieces((folder / "README.md").read_text(encoding="utf-8")))
    for number, piece in enumerate(found, 1):
        if f"// README {number}\n" not in template:
            return f"README.md has {len(found)} pieces of C, fragments.c has no place for {number}\n"
        template = template.replace(f"// README {number}\n", f'#line 1 "README.md, piece {number}"\n{piece}\n')
    if "// README " in template:
        return f"fragments.c has a place for more than the {len(found)} pieces of C in README.md\n"
    command = [*cc, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-",
               f"-I{root}/core/include", f"-I{folder}/test/stand-in", f"-I{root}/port-stm32f072"]
    return subprocess.run(command, input=template, capture_output=True, text=True).stderr


def main():
    cc, root = shlex.split(sys.argv[1]), sys.argv[2]
    errors = [f"{folder}: {text}" for folder in map(pathlib.Path, sys.argv[3:])
              if (text := compile_errors(cc, root, folder))]
    sys.exit("\n".join(errors) or 0)


main()
