# SPDX-License-Identifier: MIT
"""A second judge of DFU 1.1: it reads a capture and says what it shows, with no code of the suite.

    capture      pcapng and pcap files of usbmon and USBPcap  ->  transfers
    descriptors  transfers  ->  what a device says it is, and what is wrong with that
    tables       the tables A.2.1 to A.2.11 of DFU 1.1 as data
    requests     transfers  ->  a verdict for what is wrong of DFU's requests beside the states
    states       transfers and tables  ->  a verdict for each cell that the capture shows
"""
