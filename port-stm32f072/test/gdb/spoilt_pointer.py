# SPDX-License-Identifier: MIT
"""From a HardFault back to the instruction that spoilt the pointer (images/spoilt_pointer.c)."""

import pathlib
import sys

import gdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from common import expect, value

stops = []
gdb.events.stop.connect(stops.append)


def function():
    return gdb.selected_frame().name()


def stop_signal():
    return getattr(stops[-1], "stop_signal", None)


# The handler of HardFault, before its first instruction; the frame below is that of the function
# that faulted.
gdb.execute("continue")
assert stop_signal() == "SIGSEGV", stops[-1]
expect("$xpsr & 0x3F", 3)
expect("$pc", value("(unsigned)&unexpected") & ~1)
fault = value("((unsigned *)$sp)[6]")
assert gdb.block_for_pc(fault).function.name == "use_pointer"
good = value("(unsigned)&limit")
assert value("(unsigned)record.limit") != good

# Who wrote it last, and before that, and first?
gdb.execute("watch -l record.limit")
for spoiler in ("e", "m", "a"):
    gdb.execute("reverse-continue")
    assert function() == "copy_name", function()
    after = value("(unsigned)record.limit")
    pc = value("$pc")
    print(f"written at {pc:08X}, before it {after:08X}")
assert after == good, "the first of the three bytes that spoil it finds it whole"

# Forwards the same write spoils it.
gdb.execute("delete")
gdb.execute("stepi")
assert value("(unsigned)record.limit") == good & ~0xFF | ord("a")

# Back to where it was set, and to the beginning of history, which is told in words.
gdb.execute("watch -l record.limit")
gdb.execute("reverse-continue")  # the same write again
gdb.execute("reverse-continue")
assert function() == "stm32_main", function()
gdb.execute("reverse-continue")  # start-up code clears it
gdb.execute("reverse-continue")
gdb.execute("delete")
gdb.execute("reverse-continue")
expect("$pc", value("(unsigned)&reset") & ~1)

# And all the way forwards: the same fault at the same place.
gdb.execute("continue")
assert stop_signal() == "SIGSEGV"
expect("((unsigned *)$sp)[6]", fault)

# The reset pin.
gdb.execute("monitor reset")
gdb.execute("maintenance flush register-cache")
expect("$pc", value("(unsigned)&reset") & ~1)

# BKPT in RAM, by a debugger's writes; to continue is the HardFault that it is without a debugger; a
# fault in its handler is a lock-up.
BKPT_7, UDF_0 = 0xBE07, 0xDE00
gdb.execute(f"set *(unsigned short *)0x20001000 = {BKPT_7}")
gdb.execute(f"set *(unsigned short *)0x20001002 = {UDF_0}")
gdb.execute("set $pc = 0x20001000")
gdb.execute("continue")
expect("$pc", 0x20001000)
gdb.execute("continue")
assert stop_signal() == "SIGSEGV"
expect("$xpsr & 0x3F", 3)
gdb.execute("set $pc = 0x20001002")
gdb.execute("continue")
assert stop_signal() == "SIGSEGV"
expect("$pc", 0xFFFFFFFE)
gdb.execute("reverse-stepi")
expect("$pc", 0x20001002)

# A store does not change flash.
try:
    gdb.execute("set *(unsigned *)0x08000000 = 0")
    raise AssertionError("flash can be written")
except gdb.error:
    pass

# But it can be erased, and the image loaded into it anew: in the present.
try:
    gdb.execute("flash-erase")
    raise AssertionError("flash can be erased in the past")
except gdb.error:
    pass
gdb.execute("continue")
gdb.execute("flash-erase")
expect("*(unsigned *)0x08000000", 0xFFFFFFFF)
gdb.execute("load")
sections = gdb.execute("compare-sections", to_string=True)
assert "matched" in sections and "MIS" not in sections, sections
gdb.execute("monitor reset")
gdb.execute("maintenance flush register-cache")
gdb.execute("delete")
gdb.execute("break use_pointer")
gdb.execute("continue")
assert function() == "use_pointer", function()
print("session complete")
gdb.execute("detach")
