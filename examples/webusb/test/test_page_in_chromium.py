# SPDX-License-Identifier: MIT
"""The page flashes the virtual board, in a real browser: headless Chromium opens it as a person does,
chooses a file, presses Detach and then Flash, and its own WebUSB drives the device. In place of the
dialogue in which a person chooses the device stands a function that takes the first device for which
the page asks and which the profile of the browser allows.

    test_page_in_chromium.py VIA DFU_SIM PAGE IMAGE UPDATE [IMAGE UPDATE]...

Each UPDATE is flashed onto a board that runs the IMAGE before it; the first board is offered an image
that does not fit before. Most of the time is Chromium's start, once for each board: in the test guest
without KVM it takes a minute. Standard error says how far it is."""

import fcntl
import functools
import http.server
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from suite_run import expect, find_program

RUN_TIME, DFU_MODE = (0x1209, 0x0001), (0x0483, 0xDF11)
# The longest that Chromium takes to answer (its start, on a busy machine that emulates the guest), and
# a device to change its mode.
ANSWER_S, DEVICE_S = 900, 120

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
         # A child forked while another thread is inside umockdev's library inherits its lock, locked for ever.
         "--single-process", "--no-zygote"]

def tell(text):
    print(f"{time.monotonic():8.1f} s  {text}", file=sys.stderr, flush=True)


CHOOSE = """
navigator.usb.requestDevice = async ({ filters }) => {
  for (const device of await navigator.usb.getDevices())
    for (const { alternates } of device.configurations.flatMap(c => c.interfaces))
      if (alternates.some(a => filters.some(f => a.interfaceClass === f.classCode &&
          a.interfaceSubclass === f.subclassCode && a.interfaceProtocol === f.protocolCode)))
        return device;
  throw new DOMException("No device selected.", "NotFoundError");
};
"""

# What the page logs from the press of a button to one of its last words.
PRESS = """new Promise(resolve => {
  const log = document.getElementById("log"), before = log.textContent.length;
  const look = () => {
    const said = log.textContent.slice(before);
    if (/detached;|done:|failed:/.test(said)) resolve(said); else setTimeout(look, 20);
  };
  document.getElementById(%s).click();
  look();
})"""


class Ended(Exception):
    """Chromium has ended by itself."""


def pipe():
    """A pipe whose ends are not the descriptors that Chromium wants."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved


class Browser:
    """Chromium with one page, by its protocol for debuggers on a pair of pipes."""

    def __init__(self, profile):
        commands, self.commands = pipe()
        self.replies, replies = pipe()
        # It reads from descriptor 3 and writes to 4.
        launch = f'exec "$@" 3<&{commands} 4>&{replies} {commands}<&- {replies}>&-'
        with (profile / "log").open("wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", launch, "-", find_program("chromium", "chromium-browser", "google-chrome"),
                 *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
                pass_fds=(commands, replies), stdout=log, stderr=log)
        os.close(commands)
        os.close(replies)
        self.received, self.number, self.session = b"", 0, {}
        page = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = {"sessionId": attached["sessionId"]}

    def receive(self):
        while b"\0" not in self.received:
            expect(select.select([self.replies], [], [], ANSWER_S)[0], f"Chromium to answer within {ANSWER_S} s")
            more = os.read(self.replies, 1 << 16)
            if not more:
                raise Ended
            self.received += more
        message, _, self.received = self.received.partition(b"\0")
        return json.loads(message)

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **self.session}
        os.write(self.commands, json.dumps(message).encode() + b"\0")

    def call(self, method, **parameters):
        self.send(method, **parameters)
        while (reply := self.receive()).get("id") != self.number:
            pass # an event
        expect("error" not in reply, f"{method} to succeed, not {reply}")
        return reply["result"]

    def value_of(self, expression):
        reply = self.call("Runtime.evaluate", expression=expression, awaitPromise=True)
        expect("exceptionDetails" not in reply, f"{expression} to have a value, not {reply}")
        return reply["result"].get("value")

    def open(self, url):
        self.call("Page.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=CHOOSE)
        self.call("Page.navigate", url=url)
        self.value_of("new Promise(r => document.readyState === 'complete' ? r() : onload = r)")

    def choose(self, file):
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        chooser = self.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=chooser, files=[str(Path(file).resolve())])

    def press(self, button):
        return self.value_of(PRESS % json.dumps(button))

    def close(self):
        self.send("Browser.close")
        self.process.wait(20)


def allow(profile, origin, serials):
    """What the browser remembers once a person has chosen these devices on the page."""
    chosen = [{"name": "", "vendor-id": vendor, "product-id": product, "serial-number": serial}
              for vendor, product in (RUN_TIME, DFU_MODE) for serial in serials]
    settings = {"usb_chooser_data": {f"{origin},*": {"setting": {"chosen-objects": chosen}}}}
    (profile / "Default").mkdir()
    (profile / "Default/Preferences").write_text(json.dumps(
        {"profile": {"content_settings": {"exceptions": settings}}}), encoding="utf-8")


def start(profile, url):
    """Chromium with the page. In one process, as umockdev needs it, it now and then ends while it starts."""
    for _ in range(3):
        tell("Chromium starts")
        try:
            browser = Browser(profile)
            browser.open(url)
            return browser
        except (Ended, BrokenPipeError):
            said = (profile / "log").read_text(encoding="utf-8", errors="replace").splitlines()
            tell("Chromium has ended by itself: " + " | ".join(said[-5:]))
    return expect(False, "Chromium to start, not to end three times")


def serve(folder):
    """Serves the page to this machine; the address."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://localhost:{server.server_port}"


def detach_and_flash(browser):
    """Once more where the bus reset of a busy machine came after the device's detach timer."""
    for _ in range(10):
        detached = browser.press("detach")
        limit = time.monotonic() + 5 # to be back in DFU mode
        while time.monotonic() < limit:
            flashed = browser.press("flash")
            if "No device selected" not in flashed:
                return detached + flashed
    return detached + flashed


def flash(page, serials, files):
    """Where the device is plugged in: detaches it and flashes it, with one file after the other."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile, origin = Path(folder), serve(page.parent)
        allow(profile, origin, serials)
        browser = start(profile, f"{origin}/{page.name}")
        for file in files:
            tell(f"the page is open, and flashes {file}")
            browser.choose(file)
            print(detach_and_flash(browser), end="", flush=True)
        browser.close()
        tell("Chromium has ended")


def on_board(via, dfu_sim, image, mode, *command):
    """What a command says with a board plugged in that runs the image, and the board once it is in this mode."""
    look = ('"${@:2}"; end=$((SECONDS + %d)); until dfu-util -l | grep "^Found $1: "; do'
            ' [ $SECONDS -lt $end ] || exit 1; sleep 0.1; done' % DEVICE_S)
    done = subprocess.run([dfu_sim, "run", "--via", via, "--firmware", image, "--",
                           "bash", "-c", look, "-", mode, *command],
                          stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main():
    via, dfu_sim, page, *images = sys.argv[1:]
    find_program("chromium", "chromium-browser", "google-chrome")
    find_program("dfu-util")
    at_run_time = on_board(via, dfu_sim, images[0], "Runtime", "true")
    in_dfu_mode = on_board(via, dfu_sim, images[0], "DFU", "dfu-util", "-e")
    serials = sorted(set(re.findall(r'serial="(\w+)"', at_run_time + in_dfu_mode)))
    expect(len(serials) == 2, f"a serial number at run time and one in DFU mode, not {at_run_time}{in_dfu_mode}")

    def flashed(image, *files):
        return on_board(via, dfu_sim, image, "Runtime", sys.executable, "-B", __file__, "flash", page,
                        *serials, *files)

    with tempfile.NamedTemporaryFile() as big:
        big.write(bytes(200000))
        big.flush()
        refused = [big.name]
        for image, update in zip(images[::2], images[1::2]):
            tell(f"a board that runs {image}")
            said = flashed(image, *refused, update)
            before, _, after = said.rpartition("does not fit; nothing was erased")
            expect(bool(before) == bool(refused) and "done:" not in before,
                   f"the page to refuse an image that does not fit, not\n{said}")
            expect(re.search(r"read back: the same\ndone:.*\nFound Runtime: \[1209:0001\] ver=0200", after),
                   f"the page to flash {image}, not\n{said}")
            print(said)
            refused = []


if sys.argv[1] == "flash":
    flash(Path(sys.argv[2]), sys.argv[3:5], sys.argv[5:])
else:
    main()
