#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Micro peaks and operators against the best library on this machine, and p2p against
# plain MPI (machine, operators, p2p: that alone): the
# ratio ours / theirs of adjacent pairs of samples, its median and the 90 % interval of the
# median by order statistics. Aim: upper end >= 0.98 and median >= 0.95; triad >= 0.9.
#
#   contrib/bench/micro.sh [BUILD-FOLDER] [PAIRS] [THREADS] [all | machine | operators | p2p]
set -eu
build=${1:-build} pairs=${2:-40} threads=${3:-$(nproc)} what=${4:-all}
top=$(cd "$(dirname "$0")/../.." && pwd)

make -s -C "$build" contrib/bench/micro_bench agent/micro/p2p_bench >&2 || exit 3
starter=$(make -s -C "$build" print-MPIEXEC)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$threads threads, load $(cut -d' ' -f1 /proc/loadavg)"
: >"$work/pairs"
[ "$what" = p2p ] ||
    OMP_PROC_BIND=true OMP_NUM_THREADS=$threads "$build/contrib/bench/micro_bench" "$threads" "$pairs" "$what" >"$work/pairs"
case $what in
all | p2p) "$starter" -n 2 "$build/agent/micro/p2p_bench" "$pairs" >>"$work/pairs" ;;
esac
grep '^#' "$work/pairs" || true
printf '%-14s %-14s %6s %12s %12s %8s %17s  %s\n' metric against pairs ours theirs ratio '90 % interval' aim
grep -v '^#' "$work/pairs" | awk '
    function sort(a, n,   i, j, t) {
        for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
    }
    function middle(a, n) { return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
    function column(what, k,   i) { for (i = 1; i <= n[k]; i++) v[i] = what[k, i]; sort(v, n[k]); return middle(v, n[k]) }
    { k = $1 " " $2; if (!(k in n)) order[++kinds] = k; i = ++n[k]; ours[k, i] = $3; theirs[k, i] = $4; ratio[k, i] = $3 / $4 }
    END {
        for (q = 1; q <= kinds; q++) {
            k = order[q]; split(k, name, " ")
            a = column(ours, k); b = column(theirs, k); r = column(ratio, k) # leaves v sorted
            half = 1.645 * sqrt(n[k]) / 2
            low = int(n[k] / 2 - half); high = n[k] + 1 - low
            if (low < 1) { low = 1; high = n[k] }
            met = name[1] ~ /triad/ ? r >= 0.9 : v[high] >= 0.98 && r >= 0.95
            printf "%-14s %-14s %6d %12.4g %12.4g %8.3f %8.3f %8.3f  %s\n", name[1], name[2], n[k], a, b, r, v[low], v[high], met ? "met" : "missed"
        }
    }'
