#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""build_site SOURCE SITE: the documents of the tree as a static site, by cmark-gfm.

FOLDER/README.md becomes FOLDER/index.html unless the tree has a page of that name, any other NAME.md
NAME.html; what they link to of the tree comes along. A link into the site that leads nowhere, to a file
or to a heading, is an error."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE, SITE = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
NAVIGATION = ("README.md", "docs/tour.md", "docs/chapter9.md", "docs/troubleshooting.md", "docs/glossary.md",
              "examples/webusb/README.md", "DESIGN.md", "CONTRIBUTING.md")
LINK = re.compile(r'(href|src)="([^"#:]*)(#[^"]*)?"')

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1rem/1.5 sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }}
  nav a {{ margin-right: 1em }}
  pre, table {{ overflow-x: auto; display: block }}
  pre, code {{ background: #8882 }}
  pre {{ padding: .75rem }}
  pre code {{ background: none }}
  td, th {{ border: 1px solid #8884; padding: .25rem .5rem; vertical-align: top; text-align: left }}
  table {{ border-collapse: collapse }}
</style>
<nav>{navigation}</nav>
{body}
</html>
"""


def documents():
    for folder, folders, names in os.walk(SOURCE):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")))
        yield from (Path(folder, name).relative_to(SOURCE) for name in sorted(names) if name.endswith(".md"))


def page_of(document):
    index = document.with_name("index.html")
    return index if document.name == "README.md" and not (SOURCE / index).exists() else document.with_suffix(".html")


def to_link(document, target):
    """Where a link of a document leads: a page, or a file of the tree, which is copied."""
    path = Path(os.path.normpath(document.parent / target))
    if (SOURCE / path).is_dir():
        path = path / "README.md" if (SOURCE / path / "README.md").exists() else path
    if path.suffix == ".md":
        path = page_of(path)
    elif (SOURCE / path).is_file():
        (SITE / path.parent).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SOURCE / path, SITE / path)
    elif (SOURCE / path).is_dir():
        return None  # nothing to read there
    return os.path.relpath(path, document.parent)


def with_links(document, body):
    def link(match):
        if not match[2]:
            return match[0]
        target = to_link(document, html.unescape(match[2]))
        return f'{match[1]}="{html.escape(target)}{match[3] or ""}"' if target else ""

    def anchor(match):
        slug = re.sub(r"[^\w -]", "", html.unescape(re.sub(r"<[^>]*>", "", match[2]))).lower().replace(" ", "-")
        return f'<h{match[1]} id="{slug}">{match[2]}</h{match[1]}>'

    return re.sub(r"<h([1-6])>(.*?)</h\1>", anchor, LINK.sub(link, body))


def title(text):
    return html.escape(re.search(r"^# (.*)", text, re.M)[1].replace("`", ""))


def write(document):
    text = (SOURCE / document).read_text(encoding="utf-8")
    body = subprocess.run(["cmark-gfm", "--extension", "table", "--extension", "autolink"], input=text,
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    navigation = "".join(f'<a href="{to_link(document, os.path.relpath(name, document.parent))}">'
                         f"{title((SOURCE / name).read_text(encoding='utf-8'))}</a>" for name in NAVIGATION)
    file = SITE / page_of(document)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PAGE.format(title=title(text), navigation=navigation, body=with_links(document, body)),
                    encoding="utf-8")


def leads_somewhere(page, target, anchor):
    file = page.parent / html.unescape(target) if target else page
    return file.is_file() and (not anchor or f' id="{anchor[1:]}"' in file.read_text(encoding="utf-8"))


def dead_links():
    for page in sorted(pages):
        for _, target, anchor in LINK.findall((SITE / page).read_text(encoding="utf-8")):
            if not leads_somewhere(SITE / page, target, anchor):
                yield f"{page}: {target}{anchor}"


if not shutil.which("cmark-gfm"):
    sys.exit("the pages are made by cmark-gfm: apt-get install cmark-gfm")
pages = set()
for each in documents():
    write(each)
    pages.add(page_of(each))
dead = list(dead_links())
print("\n".join(dead) or f"{len(pages)} pages: {SITE}/index.html")
sys.exit(bool(dead))
