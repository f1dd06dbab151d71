#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_conformance.sh DFU-CONFORMANCE IMAGE - run the whole suite against a firmware image on the
# virtual board, writing to its flash. No check may fail, be skipped or stay undecided; what is for
# other kinds of device does not count.
report=$(COLUMNS=200 "$1" --target "sim:f072,firmware=$2" --allow-write --allow-vendor)
status=$?
verdict=$(echo "$report" | grep ' passed, ')

case "$status $verdict" in
"0 "*" 0 failed, "*" 0 skipped, 0 inconclusive"*)
    echo "$verdict"
    ;;
*)
    echo "$report"
    exit 1
    ;;
esac
