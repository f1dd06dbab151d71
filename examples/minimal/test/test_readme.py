#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_readme README EXAMPLE: the README shows the example as it is compiled."""

import sys

with open(sys.argv[1], encoding="utf-8") as readme, open(sys.argv[2], encoding="utf-8") as example:
    shown = readme.read().split("```c\n", 1)[1].split("```", 1)[0]
    compiled = example.read()
if shown != compiled:
    sys.exit(f"{sys.argv[1]} does not show {sys.argv[2]} as it is: copy it there")
