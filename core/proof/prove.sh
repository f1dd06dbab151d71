#!/bin/sh
# SPDX-License-Identifier: MIT
#
# prove.sh FRAMA_C SOURCE FILE - prove FILE, dfurt_proof.c or usbdev_proof.c, with Frama-C's WP, Why3
# and the provers Z3 and CVC4. Fails unless every goal is proved, and shows those that are not.
set -e
frama_c=$1 source=$2 file=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Why3 keeps the list of provers in the home directory: use one of our own. WP takes it from there.
export HOME="$work"
why3 config detect >"$work/log" 2>&1 || {
    cat "$work/log"
    exit 1
}

# What is inlined is proved where it is used. A call through a pointer is proved to be to the
# function that `calls` names: rte need not ask. What neither file is about is skipped.
case $file in
dfurt_proof.c)
    inlined=will_detach,may_detach,enter_app_idle,end_detach
    set -- -wp-rte -rte-no-pointer-call -wp-skip-fct \
        usbdev_load_le16,usbdev_store_le16,usbdev_setup_load,usbdev_setup_store \
        -wp-skip-fct dfurt_state,dfurt_setup_bytes,dfurt_functional_descriptor
    ;;
usbdev_proof.c)
    inlined=usbdev_hand_over,interface_exists,packet_length,send_packet
    set -- -wp-fct decide,usbdev_setup,usbdev_function_of,usbdev_stall,usbdev_begin_status_in \
        -wp-fct begin_data_in,begin_data_out
    ;;
esac

# prove PROVERS OPTION...: fails unless "Proved goals:  350 / 350".
prove()
{
    provers=$1
    shift
    "$frama_c" -cpp-extra-args="-I$source/core/include" "$source/core/proof/$file" \
        -inline-calls "$inlined" -remove-inlined "$inlined" "$@" \
        -wp -wp-prover "$provers" -wp-timeout 60 -wp-par 2 >"$work/log" 2>&1 &&
        awk '/Proved goals:/ { goals = $NF; proved = $(NF - 2) }
             END { exit !(goals > 0 && proved == goals) }' "$work/log"
}

# Both provers at once work on each goal until one is done: Z3 is asked only if CVC4 leaves a goal.
if prove cvc4 "$@" || prove cvc4,z3 "$@"; then
    grep goals "$work/log"
else
    cat "$work/log"
    exit 1
fi
