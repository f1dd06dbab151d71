#!/bin/sh
# SPDX-License-Identifier: MIT
#
# add_dfu_suffix.sh DFU-SUFFIX BIN DFU - BIN with the suffix of DFU 1.1 appendix B, for ST's ROM
# boot loader: dfu-util then refuses to give it to another device.
set -e
cp "$2" "$3"
"$1" --vid 0483 --pid df11 --add "$3" >/dev/null
