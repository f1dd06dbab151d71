#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_conformance_usbip.sh DFU-SIM DFU-CONFORMANCE IMAGE - the whole suite against a firmware image
# on the virtual board behind a USB/IP server. No check may fail or stay undecided; those may be
# skipped that need what USB/IP cannot do, or that came too late to see dfuDNBUSY: behind USB/IP time
# passes while nobody asks.
dfu_sim=$1 suite=$2 image=$3

folder=$(mktemp -d)
mkfifo "$folder/says"
"$dfu_sim" serve --listen 127.0.0.1:0 --firmware "$image" >"$folder/says" &
server=$!
trap 'kill $server; rm -r "$folder"' EXIT
exec 3<"$folder/says"
read -r line <&3 || exit 1
port=${line##*:}

report=$(COLUMNS=999 "$suite" --target "usbip:127.0.0.1:$port" --allow-write --allow-vendor)
status=$?
verdict=$(echo "$report" | grep ' passed, ')
excused=$(echo "$report" | sed -n 's/^  skipped: //p' | sed 's/), /)\n/g' |
    awk '/needs a target|needs a device that is in dfuDNBUSY/ { sum += $1 } END { print sum + 0 }')

case "$status $verdict" in
"0 "*" 0 failed, "*" $excused skipped, 0 inconclusive"*)
    echo "$verdict"
    ;;
*)
    echo "$report"
    exit 1
    ;;
esac
