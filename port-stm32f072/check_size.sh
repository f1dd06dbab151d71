#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_size.sh SIZE FILE FLASH RAM - fail if FILE needs more than FLASH bytes of flash (text and
# data) or RAM bytes of memory (data and bss; what survives a reset counts, the stack does not).
"$1" "$2" | awk -v flash_max="$3" -v ram_max="$4" '
    NR == 2 {
        flash = $1 + $2
        ram = $2 + $3
        printf "flash %d of %d, RAM %d of %d bytes\n", flash, flash_max, ram, ram_max
        measured = 1
    }
    END { exit !measured || flash > flash_max || ram > ram_max }'
