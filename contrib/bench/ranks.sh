#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What a second rank brings: CosmoFlow tiny by one rank with one thread, by two
# ranks with one thread each, and by one rank with two threads, in turn, on the
# same two cores and with the same global batch. Prints each round and the
# medians: samples/s, efficiency (two ranks / twice one rank; strong scaling)
# and the exposed share of the all-reduce on the slowest rank.
#
#   contrib/bench/ranks.sh [BUILD-FOLDER] [ROUNDS]
set -eu
build=${1:-build} rounds=${2:-5}
top=$(cd "$(dirname "$0")/../.." && pwd)
agent=$build/agent/hpcai500-agent
[ -x "$agent" ] || { echo "ranks.sh: no $agent: run make first" >&2; exit 3; }
starter=$(make -s -C "$build" print-MPIEXEC)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# one RANKS THREADS: "samples/s exposed-%" of the steady state of three epochs
one() {
    bind=
    [ "$2" -eq 1 ] || bind="--bind-to none" # Open MPI binds one rank to one core
    # shellcheck disable=SC2086
    "$starter" $bind -n "$1" "$agent" --json "cosmoflow,class=tiny,epochs=3,target=0.000001,threads=$2,out=$work" \
        >"$work/record" 2>"$work/err" || [ $? -eq 1 ] || { cat "$work/err" >&2; exit 3; }
    jq -r '.workloads[0] | .phases as $p
        | ([$p.compute, $p.withheld, $p.exchange_cpu, $p.update, $p.input_wait, $p.exposed_allreduce, $p.imbalance
            | .median_seconds // 0] | add) as $steps
        | [.performance.samples_per_second, 100 * $p.exposed_allreduce.max_seconds / $steps]
        | @tsv' "$work/record"
}

echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
printf '%-8s %12s %12s %12s %11s %11s\n' round 1x1 2x1 1x2 efficiency "exposed %"
r=1
while [ "$r" -le "$rounds" ]; do
    { one 1 1; one 2 1; one 1 2; } | tr '\n' '\t' |
        awk -v r="$r" '{printf "%-8s %12.1f %12.1f %12.1f %11.3f %11.2f\n", r, $1, $3, $5, $3 / (2 * $1), $4}'
    r=$((r + 1))
done | tee "$work/table"
awk 'function median(c,   i, j, n, t, v) {
         n = NR
         for (i = 1; i <= n; i++) v[i] = x[i, c]
         for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
         return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
     }
     { for (c = 2; c <= 6; c++) x[NR, c] = $c }
     END { printf "%-8s %12.1f %12.1f %12.1f %11.3f %11.2f\n", "median", median(2), median(3), median(4), median(5), median(6) }' \
    "$work/table"
