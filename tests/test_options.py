# SPDX-License-Identifier: MIT
"""test_options SOURCE DFU-SIM DFU-CONFORMANCE: the help, the man page and Tab name the same options.

And the documents say how many requirements, variations and defects there are, to the next ten.
"""

import re
import subprocess
import sys
from pathlib import Path

SOURCE, SIM, CONFORMANCE = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
COMMANDS = ("serve", "attach", "run", "guest", "list")
complaints = []


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def helped(*command):
    """The options that stand in a help, at the beginning of a line."""
    lines = re.findall(r"^  (?:-h, )?(--.*)", output(*command, "--help"), re.M)
    return {option for line in lines
            for option in re.findall(r"--[a-z0-9-]+", line if line.startswith("--help") else line.split()[0])}


def in_man_page(page):
    lines = re.findall(r"^\.It (.*Fl -.*)", (SOURCE / page).read_text(encoding="utf-8"), re.M)
    return {"-" + option for line in lines for option in re.findall(r"Fl (-[a-z0-9-]+)", line)}


def offered(script, function, *words):
    """What Tab offers behind words."""
    line = " ".join([*words, "--"])
    return set(output("bash", "-c", f"""
        compopt() {{ :; }}
        . {SOURCE / script}
        COMP_WORDS=({line}) COMP_CWORD={len(words)}
        {function}
        printf '%s\\n' "${{COMPREPLY[@]}}" """).split())


def compare(what, found, wanted):
    if found != wanted:
        complaints.append(f"{what}: lacks {sorted(wanted - found)}, has {sorted(found - wanted)} too much")


wanted = helped(CONFORMANCE)
compare("dfu-conformance.1", in_man_page("conformance/dfu-conformance/dfu-conformance.1"), wanted)
compare("completion of dfu-conformance",
        offered("conformance/dfu-conformance/completion.bash", "_dfu_conformance", CONFORMANCE), wanted)

union = set()
for command in COMMANDS:
    wanted = helped(SIM, command)
    union |= wanted
    compare(f"completion of dfu-sim {command}",
            offered("hostsim/dfu-sim/completion.bash", "_dfu_sim", SIM, command), wanted)
compare("dfu-sim.1", in_man_page("hostsim/dfu-sim/dfu-sim.1"), union | {"--version"})

for line in (line for help_text in ([SIM], [CONFORMANCE], *([SIM, c] for c in COMMANDS))
             for line in output(*help_text, "--help").splitlines()):
    if len(line) > 100:
        complaints.append(f"wider than 100 columns: {line}")

def listed(heading):
    """How many names dfu-sim list has under a heading."""
    return len(re.search(rf"^{heading}.*:\n((?:  .*\n)+)", output(SIM, "list"), re.M).group(1).splitlines())


REQUIREMENTS = len(output(CONFORMANCE, "--list").splitlines())
for document, sentence, count in (
        ("README.md", r"about (\d+) requirements", REQUIREMENTS),
        ("README.md", r"about (\d+) legal variations", listed("variations")),
        ("README.md", r"some (\d+) with one deliberate defect", listed("defects")),
        ("DESIGN.md", r"some (\d+) devices that are right", listed("variations")),
        ("CHANGELOG.md", r"Some (\d+) legal variations", listed("variations"))):
    said = re.search(sentence, " ".join((SOURCE / document).read_text(encoding="utf-8").split()))
    if not said or abs(int(said.group(1)) - count) > 5:
        complaints.append(f"{document}: '{said and said.group()}', but there are {count}")
print("\n".join(complaints) or f"{len(union)} and {len(helped(CONFORMANCE))} options")
sys.exit(bool(complaints))
