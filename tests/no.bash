# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# `load ../no`: what must not hold.

# no COMMAND...: it answers no, which is 1. Any other failure (a file that is
# not there, a word that no tool knows) is a test that looked at nothing; and a
# bare `!` before a command fails no test of bats.
no() {
    local code=0
    "$@" || code=$?
    [ "$code" -eq 1 ] || { echo "wanted 1, was $code: $*"; return 1; }
}
