#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What the operator profile costs, which is always on: training steps with its clocks (two
# an operator) and without them, in adjacent pairs. Aim: at most 0.5 %.
#
#   contrib/bench/profile.sh [BUILD-FOLDER [THREADS [PAIRS [ROW...]]]]
set -eu
build=${1:-build} threads=${2:-$(nproc)} pairs=${3:-100}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- hep-tiny cosmoflow-tiny unet-tiny
top=$(cd "$(dirname "$0")/../.." && pwd)

make -s -C "$build" contrib/bench/engine_bench >&2 || exit 3
echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$threads threads, load $(cut -d' ' -f1 /proc/loadavg)"
printf '%-18s %6s %12s %10s %22s\n' row pairs "steps/s" "cost" "90 % interval"
for row; do
    OMP_PROC_BIND=true OMP_NUM_THREADS=$threads \
        "$build/contrib/bench/engine_bench" clocks "$row" f32 "$threads" "$pairs" |
        awk '{ printf "%.6f %.6g\n", $4 / $3 - 1, $3 }' | sort -n |
        awk -v row="$row" '{ v[NR] = $1; rate += $2 }
            END {
                half = 1.645 * sqrt(NR) / 2; low = int(NR / 2 - half); if (low < 1) low = 1
                middle = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
                printf "%-18s %6d %12.4g %8.2f %% %9.2f to %5.2f %%\n", row, NR, rate / NR, 100 * middle,
                    100 * v[low], 100 * v[NR + 1 - low]
            }'
done
