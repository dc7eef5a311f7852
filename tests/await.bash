# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# `load ../await`: a test waits for what it needs, and never asserts how long
# that took. The bound is in minutes: it ends what hangs, and a machine under
# any load stays below it.

# await MINUTES COMMAND...: waits until COMMAND succeeds. Else it says what it
# waited for, COMMAND's last words, and what show_state shows, where there is one.
await() {
    local minutes=$1 end=$((SECONDS + 60 * $1)) tries=0; shift
    until "$@" > /dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            { echo "waited $minutes minutes for: $*"
              "$@" || true
              ! declare -F show_state > /dev/null || show_state; } >&2
            return 1
        fi
        tries=$((tries + 1))
        if [ $tries -le 40 ]; then sleep 0.03; else sleep 0.3; fi
    done
}

# await_end MINUTES PID: until that process has ended (its parent may not have fetched it yet)
await_end() { await "$1" has_ended "$2"; }
has_ended() { [ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null || [ ! -d "/proc/$1" ]; }
