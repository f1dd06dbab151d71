#!/bin/sh
# SPDX-License-Identifier: MIT
#
# update.sh DFU-SIM DFU-UTIL IMAGE UPDATE - plug the virtual board with a firmware image into an
# imitated Linux USB stack, let the stock dfu-util send it an update, bcdDevice 0200h, and see that
# the update is what runs then.
dfu_sim=$1 dfu_util=$2 image=$3 update=$4

# shellcheck disable=SC2016 # the inner shell expands its own arguments
log=$("$dfu_sim" run --via mock --firmware "$image" -- sh -ec '
    "$1" -l
    "$1" -d 1209:0001,0483:df11 -a 0 -s 0x08000000:leave -D "$2"
    for i in 1 2 3 4 5 6 7 8 9 10; do
        listing=$("$1" -l)
        case $listing in *"Found Runtime"*) break ;; esac
        sleep 0.2
    done
    echo "$listing"' sh "$dfu_util" "$update" 2>&1)
status=$?

echo "$log"
[ $status -eq 0 ] &&
    echo "$log" | grep -q 'Found Runtime: \[1209:0001\] ver=0100' &&
    echo "$log" | grep -q 'Found Runtime: \[1209:0001\] ver=0200'
