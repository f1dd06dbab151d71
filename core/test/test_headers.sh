#!/bin/sh
# SPDX-License-Identifier: MIT
#
# test_headers.sh SOURCE VERSION CC - the public headers compile as C11 and, where there is a C++
# compiler, as C++17, each alone, and after headers that take the names a USB header is likely to
# take: the kernel's linux/usb/ch9.h, and macros and structs such as libopencm3, TinyUSB, ST's
# library and ChibiOS define. The example of the README compiles in both languages. DFURT_VERSION is
# VERSION.
set -e
source=$1 version=$2 cc=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/alone_dfurt" <<'END'
#include <dfurt/dfurt.h>
END
cat >"$work/alone_usbdev" <<'END'
#include <dfurt/usbdev.h>
#include <dfurt/usbdev_webusb.h>
END
cat >"$work/alone_usb_spec" <<'END'
#include <dfurt/usb_spec.h>
END
cat >"$work/after_linux" <<'END'
#include <linux/usb/ch9.h>
#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>
#include <dfurt/usbdev_webusb.h>
int address_mask[USB_DIR_IN == 0x80 && USBDEV_DIR_IN == 0x80 ? 1 : -1];
END
{
    for name in \
        USB_DIR_IN USB_DIR_OUT USB_TYPE_CLASS USB_RECIP_INTERFACE USB_REQ_GET_STATUS \
        USB_REQ_TYPE_CLASS USB_DT_DEVICE USB_DT_INTERFACE USB_DT_STRING USB_DT_BOS USB_CLASS_DFU \
        GET_STATUS CLEAR_FEATURE SET_FEATURE SET_ADDRESS GET_DESCRIPTOR GET_CONFIGURATION \
        SET_CONFIGURATION GET_INTERFACE SET_INTERFACE SYNCH_FRAME DFU_DETACH DFU_DNLOAD DFU_UPLOAD \
        DFU_GETSTATUS DFU_CLRSTATUS DFU_GETSTATE DFU_ABORT DFU_STATUS_OK DFU_ATTR_CAN_DNLOAD \
        DFU_ATTR_WILL_DETACH DFU_FUNCTIONAL STATE_APP_IDLE STATE_APP_DETACH appIDLE appDETACH \
        dfuIDLE dfuERROR errTARGET STALL ENDPOINT_HALT TO_DEVICE REQUEST LE16; do
        echo "#define $name (not an expression"
    done
    cat <<'END'
struct usb_setup { int other; };
struct usb_setup_data { int other; };
struct usb_device { int other; };
enum dfu_state { DFU_STATE_OTHER };
enum dfu_status { DFU_STATUS_OTHER };
#include <dfurt/dfurt.h>
#include <dfurt/usbdev.h>
#include <dfurt/usbdev_webusb.h>
static inline int use(struct dfurt *dfurt, const unsigned char *setup, unsigned char *reply)
{
    return dfurt_setup_bytes(dfurt, setup, reply);
}
int use_it(struct dfurt *dfurt, const unsigned char *setup, unsigned char *reply);
int use_it(struct dfurt *dfurt, const unsigned char *setup, unsigned char *reply)
{
    return use(dfurt, setup, reply);
}
END
} >"$work/after_others"
cat >"$work/version" <<END
#include <dfurt/dfurt.h>
#define NUMBER(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
int version[DFURT_VERSION == NUMBER($(echo "$version" | tr . ,)) ? 1 : -1];
END
cp "$source/examples/minimal/example.c" "$work/example"

strict="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -I$source/core/include"
for file in alone_dfurt alone_usbdev alone_usb_spec after_linux after_others version example; do
    # shellcheck disable=SC2086 # the words of the compiler and of its options are to be split
    $cc -std=c11 $strict -Wno-missing-field-initializers -x c "$work/$file"
    command -v c++ >/dev/null || continue
    # Designated initializers, which the example has, are C++20's.
    standard=c++17
    [ "$file" != example ] || standard=c++20
    # shellcheck disable=SC2086
    c++ -std=$standard $strict -Wno-missing-field-initializers -x c++ "$work/$file"
done
