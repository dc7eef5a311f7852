#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What counters cost: the table of this machine, one reading, and the same
# work with counters on and off in turn. The bound (performance.md): the upper
# end of the interval is at most 1 %.
#
#   contrib/bench/counters.sh [BUILD-FOLDER] [PAIRS]
set -eu
build=${1:-build}
pairs=${2:-1500}
probe=$build/papi/counters-probe

[ -x "$probe" ] || { echo "counters.sh: no $probe: run make first" >&2; exit 3; }
echo "# $(git -C "$(dirname "$0")" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
"$probe"
"$probe" bench "$pairs"
