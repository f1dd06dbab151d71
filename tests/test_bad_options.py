# SPDX-License-Identifier: MIT
"""test_bad_options DFU-SIM DFU-CONFORMANCE [FIRMWARE]: both programs refuse what they cannot use.

Each option that --help lists is given values that it cannot take: a new option is tried without a
line here, only of a file it must be said whether it is read or written. Whatever is wrong: status 2,
one line that names the option, nothing on standard output, no device connected to, no file left
behind. Without FIRMWARE the options of the virtual board are left out.
"""

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SIM, CONFORMANCE, FIRMWARE = ([str(Path(path).resolve()) for path in sys.argv[1:]] + [None])[:3]
TIMEOUT_S = 60
WIDEST_LINE = 600

READ = {"--restore", "--file", "--waive", "--firmware"}
WRITTEN = {"--json", "--junit", "--html", "--capture", "--uart", "--flash"}
ANY_TEXT = {"--serial"}
REPEATED = {"--trace", "--via"}
BOARD = {"--chip", "--boot", "--pin", "--uart", "--gdb"}
NEEDS = {"--restore": ["--allow-write"], "--scratch": ["--allow-write"],
         **({option: [f"--firmware={FIRMWARE}"] for option in BOARD} if FIRMWARE else {})}
GOOD = {"SECONDS": "5", "MS": "5", "N": "1", "ADDRESS": "0x08000000", "ADDR:PORT|unix:PATH": "127.0.0.1:0"}
LONG = "a" * 5000
# Root may read each file: here it may not.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
complaints = []


def complain(command, wrong, printed=b""):
    shown = " ".join(word if len(word) < 80 else word[:20] + "..." for word in command[1:])
    complaints.append(f"{shown!r} {', '.join(wrong)}: {printed.decode(errors='replace')[:300]!r}")


def judge(command, option, says):
    """Run a command that must be refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([*AS_ANYBODY, *command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return complain(command, ["does not end"])
        left = [path.name for path in Path(folder).iterdir()]
    line = done.stderr.decode(errors="replace")
    named = option if option == "--file" else option[2:]  # "file" is in other sentences, too
    wrong = [text for text, is_wrong in (
        (f"ends {done.returncode}", done.returncode != 2),
        ("is not one line", not re.fullmatch(rf"[^\x00-\x1f\x7f]{{1,{WIDEST_LINE}}}\n", line)),
        (f"does not name {option}", not re.search(rf"(?<!\w){named}\b", line[:200], re.I)),
        (f"does not say '{says}'", says not in line),
        (f"prints {done.stdout[:80]!r}", done.stdout != b""),
        (f"leaves {left}", left != []),
    ) if is_wrong]
    return complain(command, wrong, done.stderr) if wrong else None


# ---- Each option with a value ----

def value_options(command):
    """[(option, is its value optional, the value's name)] of a --help."""
    text = subprocess.run([*command, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.findall(r"^  (--[a-z0-9-]+)(?: |(\[)=)([A-Z0-9][^\] \n]*)", text, re.M)
    return [(option, optional != "", value) for option, optional, value in found]


def wrong_values(option, folder):
    """[(value, what the line says)]."""
    yield "", "empty"
    yield "two\nlines\x1b[31m", "control character"
    yield LONG, ""
    if option in READ | WRITTEN:
        yield from ((path, "") for path in ("/nonexistent/file", str(folder), f"{folder}/file/below"))
        yield f"{folder}/forbidden", os.strerror(errno.EACCES)
        yield f"{folder}/server", os.strerror(errno.ENXIO)
    elif option not in ANY_TEXT:
        yield from ((value, "") for value in ("/nonexistent/file", "-1", "9" * 30))


def wrong_options(command, folder, ending):
    """Wrong command lines for the options of a command: (command, option, what the line says)."""
    for option, value_is_optional, value_name in value_options(command):
        if option in BOARD and not FIRMWARE:
            continue
        if value_name.startswith("FILE") != (option in READ | WRITTEN):
            complaints.append(f"{option}: is its file read or written? Put it into a set of this test")
        begin, end = [*command, *NEEDS.get(option, [])], ending(option)
        good = GOOD.get(value_name, "x")
        for value, says in wrong_values(option, folder):
            refused = option == "--capture" and "--via=mock" in end  # whatever its file
            yield [*begin, f"{option}={value}", *end], option, "" if refused else says
        if not value_is_optional:
            yield [*command, option], option, ""
            if option not in REPEATED:
                yield [*begin, option, good, option, good, *end], option, "twice"


# ---- One file for two things ----

def one_file_for_two(command, folder):
    """What is written must not be what is read, nor another thing that is written."""
    image = folder / "image"
    image.write_text("# no waiver\n" * 100 + "# \0", encoding="utf-8")  # no text: an image, too
    known = [option for option, _, value in value_options(command) if value.startswith("FILE")]
    for written in (option for option in known if option in WRITTEN):
        for other in (option for option in known if option != written):
            yield [*command, f"{other}={image}", f"{written}={folder}/./image"], written, "one file"
            if other in WRITTEN:
                yield [*command, f"{other}=new", f"{written}=new"], written, "one file"


# ---- Standard output that takes nothing ----

def lost_output():
    for command in ([CONFORMANCE, "--list"], [CONFORMANCE, "--help"], [CONFORMANCE, "--version"],
                    [CONFORMANCE, "--target=sim", "--only=RT-DESC-01a", "--json=report"],
                    [SIM, "list"], [SIM, "--help"], [SIM, "serve", "--help"], [SIM, "--version"]):
        for where in (">/dev/full", ">&-"):
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run(["sh", "-c", f'exec "$@" {where}', "sh", *command], cwd=folder,
                                      stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
                report = Path(folder) / "report"
                mixed = report.exists() and not report.read_text(encoding="utf-8").startswith("{\n")
            if done.returncode != 2 or done.stderr.count(b"\n") != 1 or b"standard output" not in done.stderr or mixed:
                complain([*command, where], [f"ends {done.returncode}"], done.stderr)
    for option in sorted(WRITTEN - BOARD - {"--flash"}):
        done = subprocess.run([CONFORMANCE, "--target=sim", "--only=RT-DESC-01a", f"{option}=/dev/full"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        if done.returncode != 2 or done.stderr.count(b"\n") != 1 or b"No space left" not in done.stderr:
            complain([CONFORMANCE, f"{option}=/dev/full"], [f"ends {done.returncode}"], done.stderr)
    for command in ([CONFORMANCE, "--list"], [SIM, "list"]):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as listing:
            listing.stdout.close()
            errors = listing.stderr.read()
        if errors:
            complain([*command, "| head"], ["is not silent"], errors)


# ---- A named pipe that nobody writes to ----

def stuck():
    """A program that waits for what it reads ends when it is told to; one that takes no pipe, at once."""
    with tempfile.TemporaryDirectory() as folder:
        pipe = f"{folder}/pipe"
        os.mkfifo(pipe)
        for command in ([CONFORMANCE, "--target=sim", "--allow-write", f"--restore={pipe}"],
                        [CONFORMANCE, "--target=sim", f"--file={pipe}"],
                        [CONFORMANCE, "--target=sim", f"--waive={pipe}"],
                        [CONFORMANCE, f"--target=sim:f072,firmware={pipe}"],
                        [SIM, "serve", "--listen=127.0.0.1:0", f"--firmware={pipe}"]):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as reader:
                end = time.monotonic() + TIMEOUT_S
                writer = None
                while writer is None and reader.poll() is None and time.monotonic() < end:
                    try:  # fails until the program has opened the pipe
                        writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
                    except OSError:
                        time.sleep(0.01)
                reader.terminate()
                try:
                    reader.wait(TIMEOUT_S)
                except subprocess.TimeoutExpired:
                    reader.kill()
                if writer is None or reader.wait() not in (-signal.SIGTERM, 2):
                    complain(command, [f"ends {reader.returncode} on SIGTERM"])
                if writer is not None:
                    os.close(writer)


with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX) as server:
    folder = Path(name)
    (folder / "file").write_text("not a folder", encoding="utf-8")
    (folder / "forbidden").touch(mode=0)
    server.bind(f"{folder}/server")
    server.listen()
    server.setblocking(False)
    target = f"--target=usbip:unix:{folder}/server"
    cases = [
        *wrong_options([CONFORMANCE], folder, lambda option: [target] if option != "--target" else []),
        *wrong_options([SIM, "serve"], folder, lambda option: ["--listen=127.0.0.1:0"] if option != "--listen" else []),
        *wrong_options([SIM, "run"], folder, lambda option: ["--via=mock", "--", "touch", "started"]),
        *one_file_for_two([CONFORMANCE, target, "--allow-write"], folder),
        *one_file_for_two([SIM, "serve"], folder),
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda case: judge(*case), cases))
    try:
        server.accept()
        complaints.append("a device was connected to")
    except BlockingIOError:
        pass
lost_output()
stuck()
print("\n".join(complaints) or f"{len(cases)} wrong command lines refused")
sys.exit(bool(complaints))
