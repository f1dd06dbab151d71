# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Bash completion of dfu-sim. Commands, options and names are what the program itself says.

_dfu_sim()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
    local words
    case $previous in
    --device)
        words=$("$program" list 2>/dev/null | sed -n '/^defects:/q; s/^  \([^ ]*\) .*/\1/p')
        ;;
    --defect)
        words=$("$program" list 2>/dev/null | sed -n '/^defects:/,$ s/^  \([^ ]*\) .*/\1/p')
        ;;
    --via)
        words='auto vhci guest mock'
        ;;
    --chip)
        words='f072 f042 f070 f070x6'
        ;;
    --trace)
        words='instructions mmio states packets'
        ;;
    --firmware | --flash | --capture | --uart)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    dfu-sim | */dfu-sim)
        words=$("$program" --help 2>/dev/null | sed -n 's/^  dfu-sim \([a-z]*\).*/\1/p')
        ;;
    *)
        words=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '^  --[a-z]+' | sort -u)
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _dfu_sim dfu-sim
