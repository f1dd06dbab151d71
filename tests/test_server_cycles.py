# SPDX-License-Identifier: MIT
"""10,000 imports and 1,000 detaches: what dfu-sim serve keeps of them. Writes TAP.

    test_server_cycles.py DFU_SIM
"""

import sys

from measured import anonymous_kib, descriptors, report, wait_for
from served import Served, import_when_there

IMPORTS, DETACHES, DEVICES = 10000, 1000, 100
MORE_KIB = 128


def kept(process):
    return descriptors(process), anonymous_kib(process)


def report_kept(sentence, process, before):
    """What the server keeps, once it has closed what it will close."""
    wait_for(lambda: descriptors(process) <= before[0], 10, 0.02)
    after = kept(process)
    report(sentence, after[0] <= before[0] and after[1] <= before[1] + MORE_KIB)
    print(f"# {before[0]} descriptors and {before[1]} KiB before, {after[0]} and {after[1]} after",
          flush=True)


def import_often(port, times):
    for _ in range(times):
        client = import_when_there(port, "1-1")
        client.product()
        client.end()


def detach_all(port):
    """DETACH, the boot loader, a bus reset, run time again; all devices at once."""
    names = [f"{i // 15 + 1}-{i % 15 + 1}" for i in range(DEVICES)]
    clients = [import_when_there(port, name) for name in names]
    for client in clients:
        client.control(0x00, 9, 1)      # SET_CONFIGURATION
        client.control(0x21, 0, 1000)   # DETACH
    for client in clients:
        client.wait_end()
    for client in [import_when_there(port, name) for name in names]:
        assert client.product() == (0x0483, 0xDF11)
        client.control(0x00, 9, 1)      # SET_CONFIGURATION
        client.control(0x23, 3, 4, 1)   # the bus reset that ends DFU mode
        assert client.product() == (0x1209, 0x0001)
        client.end()


def main():
    with Served(sys.argv[1], "--count", str(DEVICES)) as served:
        import_often(served.port, 100)
        before = kept(served.process)
        import_often(served.port, IMPORTS)
        report_kept(f"{IMPORTS} imports leave nothing behind", served.process, before)

        detach_all(served.port)
        before = kept(served.process)
        for _ in range(DETACHES // DEVICES):
            detach_all(served.port)
        report_kept(f"{DETACHES} detaches of {DEVICES} devices leave nothing behind", served.process,
                    before)
    print("1..2")


main()
