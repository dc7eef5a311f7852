#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How long the agent takes to begin, beyond MPI: a run that only plans (--dry-run: text,
# places, resources, the probe of the cores, networks compiled, memory) less a program
# that starts MPI and ends it, in adjacent pairs. Aim: at most 1 s.
#
#   contrib/bench/start.sh [BUILD-FOLDER [PAIRS [RUN...]]]
set -euo pipefail
build=$(cd "${1:-build}" && pwd) pairs=${2:-20}
shift $(($# < 2 ? $# : 2))
top=$(cd "$(dirname "$0")/../.." && pwd)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

make -s -C "$build" agent/hpcai500-agent agent/micro/p2p_bench >&2 || exit 3
starter=$(make -s -C "$build" print-MPIEXEC)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HPCAI500_CACHE=$work/cache

# ms COMMAND...: how long it takes
ms() {
    local from to
    from=$(date +%s%N)
    "$@" >/dev/null 2>log || { cat log >&2; exit 1; }
    to=$(date +%s%N)
    echo $(((to - from) / 1000))
}

# row TITLE < microseconds: median, 90 % interval by order statistics
row() {
    sort -n | awk -v title="$1" '{ v[NR] = $1 / 1000 }
        END {
            half = 1.645 * sqrt(NR) / 2; low = int(NR / 2 - half); if (low < 1) low = 1
            middle = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
            printf "%-44s %9.0f %10.0f to %.0f\n", title, middle, v[low], v[NR + 1 - low]
        }'
}

echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "2 ranks, $pairs pairs, load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-44s %9s   %s\n' "ms" median "90 % interval"
for run in "${@:-hep,class=tiny}"; do
    rm -f pairs
    for ((i = 0; i < pairs; i++)); do
        a=$(ms "$starter" -n 2 "$build/agent/hpcai500-agent" --dry-run "$run")
        b=$(ms "$starter" -n 2 "$build/agent/micro/p2p_bench" 0)
        echo "$a $b $((a - b))" >>pairs
    done
    cut -d' ' -f2 pairs | row "MPI alone"
    cut -d' ' -f1 pairs | row "$run, planned"
    cut -d' ' -f3 pairs | row "the second less the first, within a pair"
done
