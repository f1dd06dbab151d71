# SPDX-License-Identifier: MIT
"""test_docs SOURCE: what the documents point at is there: links, files and functions.

A link to a section names one of its document's headings. A word that looks like a path of the tree must
be one; a name in backquotes that ends in a call or has one of the project's prefixes must stand in the
sources; an option behind one of the programs, in its man page. Each reason for an INCONCLUSIVE that the suite
spells out has its row in docs/troubleshooting.md.
"""

import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(sys.argv[1])
DOCUMENTS = sorted(p for p in SOURCE.rglob("*.md") if p.name != "traceability.md" and
                   not any(part.startswith((".", "build")) for part in p.relative_to(SOURCE).parts))
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
COMMAND = re.compile(r"(?:^|[\s`/])(dfu-conformance|dfu-sim|dfu-judge)((?: [^`|#\n]*)?)")
FILE = re.compile(r"(?<![\w/.-])((?:core|usb|sim|hostsim|conformance|port-stm32f072|examples|tests|scripts|docs)"
                  r"/[\w./-]*\.(?:c|h|py|md|sh|1))\b")
REQUIREMENT = re.compile(r"\b(?:RT|CH9|DM)-[A-Z0-9]+-\d+\b")
PLACE = re.compile(r"`(\w+)` \((?:[\w/.-]*/)?(\w+\.c)\)")
NAME = re.compile(r"`((?:dfurt|usbdev|usbip|sim|host|probe|report|target|guest|loop|dfu_mode|expect)_\w+)`")
REASON = re.compile(r'probe_inconclusive\(\s*\w+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
CONVERSION = re.compile(r"%\.?\d*(?:z|l|ll)?([sud])")


def unexplained():
    """Reasons that no row of the tables begins with, written as there: N and ..."""
    page = (SOURCE / "docs/troubleshooting.md").read_text(encoding="utf-8")
    rows = {cause.strip() for row in re.findall(r"^\| (.*?) \|", page, re.M) for cause in row.split(" · ")}
    for path in sorted((SOURCE / "conformance").rglob("*.c")):
        if "test" in path.parts:
            continue
        for literals in REASON.findall(path.read_text(encoding="utf-8")):
            reason = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals))
            words = CONVERSION.sub(lambda found: "..." if found.group(1) == "s" else "N", reason)
            if words != "..." and words not in rows:
                yield f"troubleshooting.md: no row for '{words}' ({path.name})"


def anchors(document):
    """What a link to a section of it may say, as GitHub makes it of the headings."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def options_of(program):
    page = next(SOURCE.glob(f"*/**/{program}.1")).read_text(encoding="utf-8")
    return set(re.findall(r"\bFl -([a-z0-9-]+)", page)) | {"help", "version"}


def main():
    missing = list(unexplained())
    code = subprocess.run(["grep", "-rhoE", r"\b[a-z]\w+\b", "--include=*.[ch]", "--include=meson.build", "."],
                          cwd=SOURCE, stdout=subprocess.PIPE, text=True, check=True).stdout
    words = set(code.split())
    checks = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "conformance/checks").rglob("*.c"))
    options = {program: options_of(program) for program in ("dfu-conformance", "dfu-sim", "dfu-judge")}
    requirements = set(REQUIREMENT.findall(checks))
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for link, section in LINK.findall(text):
            target = document.parent / link if link else document
            if "://" in link:
                continue
            if not target.exists():
                missing.append(f"{document.name}: link to {link}")
            elif section and section not in anchors(target):
                missing.append(f"{document.name}: link to {link}#{section}")
        for program, arguments in COMMAND.findall(text):
            own = re.split(r" -- | && ", arguments)[0]
            missing += [f"{document.name}: {program} has no option --{option}"
                        for option in re.findall(r"(?<!\S)--([a-z][a-z0-9-]*)", own)
                        if option not in options[program]]
        for path in FILE.findall(text):
            named = "NAME" in path or (SOURCE / path).exists()
            if not named and not any(SOURCE.glob(f"**/include/{path}")):
                missing.append(f"{document.name}: {path}")
        missing += [f"{document.name}: {name} is no requirement" for name in REQUIREMENT.findall(text)
                    if name not in requirements and not name.endswith("-99")]  # an example
        for name, file in PLACE.findall(text):
            if not any(re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) for path in SOURCE.glob(f"*/**/{file}")):
                missing.append(f"{document.name}: {name} is not in {file}")
        for name in NAME.findall(text):
            if name not in words:
                missing.append(f"{document.name}: {name} is in no source")
    print("\n".join(missing) or f"{len(DOCUMENTS)} documents")
    sys.exit(bool(missing))


main()
