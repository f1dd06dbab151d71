#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_subproject.sh SOURCE CC - a product somewhere else has dfurt as a Meson subproject: it builds
# without the network and without any library of the host's, has the core and nothing more, and
# what it builds runs.
set -e
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/subprojects/dfurt" "$work/root"
cp -R "$source/meson.build" "$source/meson_options.txt" "$source/core" "$work/subprojects/dfurt"

cat >"$work/meson.build" <<'END'
project('product', 'c', default_options: ['werror=true'])
executable('product', 'product.c', dependencies: dependency('dfurt', fallback: 'dfurt'))
END
cat >"$work/product.c" <<'END'
#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>

int main(void)
{
    const struct dfurt_config config = {.bInterfaceNumber = 3};
    uint8_t bytes[DFURT_DESCRIPTORS_SIZE];

    dfurt_descriptors(&config, bytes);
    return bytes[2] == 3 && dfurt_usbdev_handler.setup ? 0 : 1;
}
END

export CC="$2" PKG_CONFIG_LIBDIR="$work" # no library can be found
{
    meson setup --wrap-mode=nodownload "$work/build" "$work" &&
        meson compile -C "$work/build" &&
        meson install -C "$work/build" --destdir "$work/root"
} >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
"$work/build/product"

installed=$(find "$work/root" -type f)
if [ -n "$installed" ]; then
    echo "a subproject must install nothing, but did: $installed"
    exit 1
fi
