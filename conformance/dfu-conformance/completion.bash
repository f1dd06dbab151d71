# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Bash completion of dfu-conformance. Options and ids are what the program itself says.

_dfu_conformance()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
    local words
    case $previous in
    --target)
        words='usb: usbip: sim: sim:will-detach sim:wait-reset sim:composite sim:dfu-mode sim:dfu-plain sim:f072,firmware='
        compopt -o nospace
        ;;
    --only | --skip)
        words=$("$program" --list 2>/dev/null | cut -d ' ' -f 1)
        ;;
    --waive | --json | --junit | --html | --capture | --restore | --file)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    *)
        words=$("$program" --help 2>/dev/null | grep -E '^  (-h, )?--' | grep -oE -- '--[a-z0-9-]+')
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    [ "$previous" != --target ] || __ltrim_colon_completions "$current" 2>/dev/null
}
complete -F _dfu_conformance dfu-conformance
