#!/bin/sh
# SPDX-License-Identifier: MIT
#
# check_conformance.sh DFU-CONFORMANCE IMAGE EXCUSE... - run the whole suite against a firmware image
# on the virtual board, writing to its flash. It fails if a check does, or if one was skipped for a
# reason that no EXCUSE begins.
suite=$1 image=$2
shift 2

report=$("$suite" --target "sim:f072,firmware=$image" --tap --allow-write)
status=$?
skipped=$(echo "$report" | sed -n 's/^ok .* # SKIP //p')
for excuse; do
    skipped=$(echo "$skipped" | grep -v "^$excuse")
done

echo "$report" | grep -A 12 '^not ok'
echo "$report" | grep -c '^ok' | sed 's/$/ checks passed or were skipped/'
[ $status -eq 0 ] || exit 1
[ -z "$skipped" ] || {
    echo "skipped without excuse:"
    echo "$skipped"
    exit 1
}
