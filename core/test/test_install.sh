#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_install.sh SOURCE BUILD CC - the example builds against what `meson install` has put
# somewhere, by what pkg-config says of it.
set -e
source=$1 build=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

meson install -C "$build" --no-rebuild --tags devel --destdir "$work/root" >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}
pc=$(find "$work/root" -name dfurt.pc)
if [ -z "$pc" ]; then
    echo "no dfurt.pc among what was installed:"
    find "$work/root" -type f
    exit 1
fi

export PKG_CONFIG_LIBDIR="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$work/root"
cp "$source/examples/minimal/example.c" "$work"
cat >"$work/main.c" <<'END'
#include <dfurt/usbdev.h>

extern const struct usbdev_driver board_usb_driver;
void board_enter_boot_loader(void);
void product_start(void);

const struct usbdev_driver board_usb_driver;

void board_enter_boot_loader(void)
{
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        product_start();
    return 0;
}
END
# shellcheck disable=SC2046,SC2086 # the words of the compiler and of pkg-config are to be split
$cc -std=c11 -o "$work/product" "$work/main.c" "$work/example.c" \
    $(pkg-config --cflags --libs dfurt)
"$work/product"
