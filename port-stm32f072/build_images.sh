#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build_images.sh MESON SOURCE BUILD OUTPUT WERROR IMAGE... - make the firmware images by a cross
# build of SOURCE in BUILD, and copy them and the object of the run-time class to OUTPUT where they
# have changed. Silent unless something fails.
set -e
meson=$1 source=$2 build=$3 output=$4 werror=$5
shift 5

quietly()
{
    "$@" >"$build.log" 2>&1 || {
        cat "$build.log"
        exit 1
    }
}

copy_changed()
{
    cmp -s "$1" "$2" || cp "$1" "$2"
}

mkdir -p "$build"
[ -f "$build/build.ninja" ] ||
    quietly "$meson" setup "$build" "$source" -Dwerror="$werror" \
        --cross-file "$source/port-stm32f072/stm32f072.ini"
quietly "$meson" compile -C "$build"

for image; do
    for kind in elf bin; do
        copy_changed "$build/port-stm32f072/images/$image.$kind" "$output/$image.$kind"
    done
done
copy_changed "$build/core/libdfurt.a.p/dfurt.c.o" "$output/dfurt.c.o"
