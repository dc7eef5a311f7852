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
awk -f "$top/contrib/bench/pairs.awk" "$work/pairs"
