#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The table of costs: what it costs to measure training steps one by one, to keep them, and to
# ask them, each beside its bound (an X where it is above it).
#
#   contrib/bench/steps.sh [BUILD-FOLDER] [STEPS] [BUCKETS]
#
# First the agent's own functions in a loop, and steps of a millisecond with and without
# them, in turns. Then a training of two ranks (cosmoflow, tiny, two epochs, which make their
# samples at the first time) says how much of its steps and seconds that is, and its steps
# are played again. About a minute on two cores, alone on the machine.
set -euo pipefail
build=$(cd "${1:-build}" && pwd)
steps=${2:-20000}
buckets=${3:-4}
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make -s -C "$build" contrib/bench/steps_bench reports/tools/hpcai500 reports/tools/hpcai500-show \
    agent/hpcai500-agent workloads/generate/hpcai500-generate > "$work/make" 2>&1 ||
    { tail -5 "$work/make" >&2; echo "steps.sh: cannot build in $build: configure there first" >&2; exit 3; }
echo "# $(git -C "$top" describe --always --dirty 2> /dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"

line() { printf '%s\t%s\t%s\t%s\n' "$@" >> "$work/table"; }
"$build/contrib/bench/steps_bench" "$steps" "$buckets" > "$work/table"

mkdir "$work/out"
began=$(date +%s.%N)
"${MPIEXEC:-mpirun}" -n 2 "$build/agent/hpcai500-agent" \
    "cosmoflow,class=tiny,epochs=2,threads=1,out=$work/out" > "$work/run" 2>&1 || [ $? = 1 ] ||
    { cat "$work/run" >&2; exit 3; } # 1: two epochs do not reach the target
took=$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')
record=$(find "$work/out" -maxdepth 1 -name '*.json' | head -1)
stamps=$(awk -F'\t' '$1 == "stamps and run delay" { us = $2 } END { print us }' "$work/table")
of() { jq -r ".workloads[0] | $1" "$record"; }
period=$(of '.path.period_seconds')
line "a step of the training of two ranks" "$(awk -v p="$period" 'BEGIN { printf "%.3f", 1e3 * p }')" ms ''
line "  its stamps and run delay" "$(awk -v p="$period" -v s="$stamps" 'BEGIN { printf "%.4f", 100 * s / 1e6 / p }')" '% of it' 1
line "  its readings of the run delay, as the run found" "$(of '100 * (.run_delay.cost_seconds // 0) / .path.period_seconds | . * 1e4 | round / 1e4')" '% of it' 1
line "  one step is asked for it of" "$(of '.run_delay.every')" steps ''
line "  agreements of the ranks" "$(of '100 * .path.agree_seconds / .path.period_seconds | . * 1e3 | round / 1e3')" '% of it' ''
line "  readings of the yardstick" "$(of '.yardstick.readings')" readings ''
line "  all of them" "$(of '100 * .yardstick.readings * 20e-3 / .wall_seconds | . * 1e3 | round / 1e3')" '% of the run' 0.5
file=$work/out/$(jq -r '.steps_file.name' "$record")
all=$(of '(.data.train_samples / .batch | ceil) * (.epochs | length) * .ranks')
line "steps file" "$(stat -c %s "$file")" bytes 16777216
line "  of a step of a rank" "$(awk -v b="$(stat -c %s "$file")" -v n="$all" 'BEGIN { printf "%.1f", b / n }')" bytes 104
line "the run" "$(printf %.1f "$took")" s ''
export HPCAI500_EXEC_PATH=$build/reports/tools
began=$(date +%s.%N)
"$build/reports/tools/hpcai500" show --buy --json --what=batch:2 "$record" > "$work/buy" || true
line "played again, and all that show --buy asks" \
    "$(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.2f", b - a }')" s ''

awk -F'\t' '{ printf "%-62s %12s %-14s %s\n", $1, $2, $3, $4 == "" ? "" : "at most " $4 ($2 > $4 + 0 ? "  X" : "") }' "$work/table"
