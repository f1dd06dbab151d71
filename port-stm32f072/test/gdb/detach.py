# SPDX-License-Identifier: MIT
"""From DETACH to the boot loader: the SETUP, the magic word, the reset, the jump; and back a step.

The host is the conformance suite in the same process: it sees no time pass.
"""

import pathlib
import sys

import gdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from common import MAGIC, ROM_ENTRY, break_at, expect, line_of, step_until, value

# The board waits at its reset vector.
expect("$pc", value("(unsigned)&reset") & ~1)
expect("$sp", value("*(unsigned *)0"))

# DETACH (DFU 1.1 5.1): 21 00, wValue, the interface, wLength 0.
break_at(line_of("core/dfurt.c", "dfurt->accepted = true;"))
usb = gdb.execute("monitor usb", to_string=True)
assert "last SETUP bmRequestType 21 bRequest 00" in usb, usb
assert "wIndex 0001 wLength 0000" in usb and ": ACK" in usb, usb
assert "USB_EP0R" in usb and "control" in usb, usb

# A read has no effect: USB_ISTR is the same twice, and so is the count of SysTick's COUNTFLAG.
expect("*(unsigned short *)0x40005C44", value("*(unsigned short *)0x40005C44"))
expect("*(unsigned *)0xE000E010", value("*(unsigned *)0xE000E010"))

# The magic word, by the instruction that writes it.
break_at(line_of("port-stm32f072/boot_request.c", "boot_request = BOOT_REQUEST_MAGIC;"))
assert value("(unsigned)boot_request") != MAGIC
step_until(lambda: value("(unsigned)boot_request") == MAGIC, 10)
gdb.execute("reverse-stepi")
assert value("(unsigned)boot_request") != MAGIC, "reverse-stepi does not undo the write"
gdb.execute("stepi")
expect("(unsigned)boot_request", MAGIC)

# The reset: RAM is kept, RCC_CSR.SFTRSTF tells.
break_at("*reset")
expect("(unsigned)boot_request", MAGIC)
assert value("*(unsigned *)0x40021024") >> 28 & 1 == 1

# The jump, with the stack of the boot loader and its own magic word cleared.
step_until(lambda: value("$pc") == ROM_ENTRY, 400)
expect("$sp", value("*(unsigned *)0x1FFFC800"))
expect("(unsigned)boot_request", 0)

# Back by an instruction, and on.
gdb.execute("reverse-stepi")
assert "bx" in gdb.execute("x/i $pc", to_string=True)
gdb.execute("stepi")
expect("$pc", ROM_ENTRY)

# Nothing is written into the past; in the present it is.
gdb.execute("reverse-stepi")
try:
    gdb.execute("set $r7 = 1")
    raise AssertionError("the past can be written")
except gdb.error:
    pass
gdb.execute("stepi")
print("session complete")
gdb.execute("detach")
