# SPDX-License-Identifier: MIT
"""The HTML report as a browser renders it: of a good device, and of a wrong one.

Chromium is started once, on a page that holds each report in a frame as wide as a phone. When all
of them are loaded, that page measures them, with every fold open, and prints what their documents
have become. The reports themselves have no script.

    test_page_in_chromium.py DFU_CONFORMANCE
"""

import html
import json
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from suite_run import Run, expect, expect_equal, find_program

PHONE = 390  # CSS pixels
TOO_WIDE = '<!DOCTYPE html><div style="width:500px">wider than the frame</div>'

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
         "--allow-file-access-from-files", "--hide-scrollbars"]

MEASURE = """
const seen = [...document.querySelectorAll("iframe")].map(frame => {
  const page = frame.contentDocument;
  page.querySelectorAll("details").forEach(fold => fold.open = true);
  const chart = page.querySelector("svg#detach");
  return {width: page.documentElement.scrollWidth, html: page.documentElement.outerHTML,
          chart: chart ? chart.getBoundingClientRect().height : 0};
});
const pre = document.createElement("pre");
pre.textContent = JSON.stringify(seen);
document.body.replaceChildren(pre);
"""


class Pre(HTMLParser):
    """The text of the only <pre>."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.text = False, ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.inside = self.inside or tag == "pre"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        self.text += data if self.inside else ""


class Page(HTMLParser):
    """What a test wants to know of a report: texts by id, and the classes of cells and articles."""

    EMPTY = {"meta", "br", "img", "link", "path", "line"}

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.classes = [], {}, {}
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.scripts += tag == "script"
        name = known.get("id") or ("article" if tag == "article" else None)
        if tag == "article":
            name = f"article {len(self.having('article '))}"
            self.texts[name] = ""
            self.classes[name] = known.get("class", "").split()
        elif name:
            self.texts[name] = ""
        inside_states = "states" in self.open
        if tag == "td" and inside_states:
            self.classes[f"cell {len(self.having('cell '))}"] = known.get("class", "").split()
        if tag not in self.EMPTY:
            self.open.append(name)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY and self.open:
            self.open.pop()

    def handle_data(self, data):
        for name in self.open:
            if name:
                self.texts[name] += data

    def having(self, prefix):
        return [name for name in self.classes if name.startswith(prefix)]

    def articles(self, verdict):
        return [self.texts[n] for n in self.having("article ") if verdict in self.classes[n]]

    def cells(self, verdict):
        return sum(verdict in self.classes[n] for n in self.having("cell "))


def render(chromium, folder, pages):
    """What became of each page in a frame of PHONE pixels."""
    frames = "".join(f'<iframe style="width:{PHONE}px;height:800px;border:0" '
                     f'srcdoc="{html.escape(page)}"></iframe>' for page in pages)
    holder = Path(folder) / "holder.html"
    holder.write_text(f"<!DOCTYPE html><body onload='measure()'>{frames}"
                      f"<script>function measure() {{{MEASURE}}}</script></body>",
                      encoding="utf-8")
    profile = Path(folder) / "profile"
    done = subprocess.run([chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom",
                           holder.as_uri()],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    text = Pre(done.stdout.decode("utf-8")).text
    expect(text, f"a rendered page from {chromium}, not {done.stderr.decode()[-600:]}")
    return json.loads(text)


def check_counts(page, report):
    words = page.texts["counts"]
    for verdict, count in report["counts"].items():
        if verdict.isupper() and (count or verdict in ("PASS", "FAIL")):
            expect(f"{count} {verdict}" in words, f"'{count} {verdict}' in the counts '{words}'")


def check_states(page, report):
    for verdict in ("PASS", "FAIL", "SKIP", "INCONCLUSIVE"):
        wanted = sum("-STATE-" in r["id"] and r["id"][:3] in ("RT-", "DM-") and
                     r["verdict"] == verdict for r in report["results"])
        expect_equal(f"the number of {verdict} cells of the grid", page.cells(verdict), wanted)
    expect(page.cells("PASS"), "a grid with cells that pass")


def check_page(rendered, run, headline):
    page = Page(rendered["html"])
    expect_equal("the headline", page.texts["headline"], headline)
    expect_equal("the profile", page.texts["profile"], run.report["profile"])
    expect_equal("the number of scripts", page.scripts, 0)
    expect("http" not in rendered["html"], "nothing that is loaded from elsewhere")
    check_counts(page, run.report)
    check_states(page, run.report)
    expect("DETACH" in page.texts["detach"], "DETACH in the sequence chart")
    expect(rendered["chart"] > 100, "a sequence chart that has a height")
    expect(rendered["width"] <= PHONE, f"nothing wider than {PHONE} px, not {rendered['width']}")
    return page


def check_failures(page, run):
    failures = run.results("FAIL")
    expect(failures, "failing checks")
    articles = page.articles("FAIL")
    expect_equal("the number of failures shown", len(articles), len(failures))
    for failure in failures:
        told = [a for a in articles if failure["id"] in a]
        expect(told, f"an article about {failure['id']}")
        for member in ("section", "sent", "expected", "received"):
            expect(failure[member] in told[0], f"{failure['id']}: {member} '{failure[member]}'")


def main():
    chromium = find_program("chromium", "chromium-browser", "google-chrome")
    with tempfile.TemporaryDirectory() as folder:
        good = Run(sys.argv[1], "sim:will-detach", folder, "--allow-write")
        wrong = Run(sys.argv[1], "sim:wait-reset,defect=second-detach", folder)
        pages = [run.html.read_text(encoding="utf-8") for run in (good, wrong)]
        rendered = render(chromium, folder, [*pages, TOO_WIDE])

    expect(rendered[2]["width"] > PHONE, "the measure to notice a page that is too wide")
    page = check_page(rendered[0], good, "Every requirement that applies was met")
    expect_equal("the number of failures shown", len(page.articles("FAIL")), 0)
    page = check_page(rendered[1], wrong, "Not conformant")
    check_failures(page, wrong)


main()
