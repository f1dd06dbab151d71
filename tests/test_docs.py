# SPDX-License-Identifier: MIT
"""test_docs SOURCE: what the documents point at is there: links, files and functions.

A word that looks like a path of the tree must be one; a name in backquotes that ends in a call or has
one of the project's prefixes must stand in the sources. Each reason for an INCONCLUSIVE that the suite
spells out has its row in docs/troubleshooting.md.
"""

import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(sys.argv[1])
DOCUMENTS = sorted(p for p in SOURCE.rglob("*.md") if p.name != "traceability.md" and
                   not any(part.startswith((".", "build")) for part in p.relative_to(SOURCE).parts))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
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


def main():
    missing = list(unexplained())
    code = subprocess.run(["grep", "-rhoE", r"\b[a-z]\w+\b", "--include=*.[ch]", "--include=meson.build", "."],
                          cwd=SOURCE, stdout=subprocess.PIPE, text=True, check=True).stdout
    words = set(code.split())
    checks = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "conformance/checks").rglob("*.c"))
    requirements = set(REQUIREMENT.findall(checks))
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for link in LINK.findall(text):
            if "://" not in link and not (document.parent / link).exists():
                missing.append(f"{document.name}: link to {link}")
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
