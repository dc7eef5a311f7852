#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# CosmoFlow (4 x 64^3, batch 4): the engine against PyTorch, and against its
# own floor. One table on standard output; progress on standard error.
#
#   contrib/bench/cosmoflow.sh [BUILD] [ROUNDS [STEPS]]
#
# BUILD is a configured build folder (default ./build). PyTorch is that of
# /usr/bin/python3 (Debian: python3-torch); without it only the floor is shown.
# Both sides are pinned (OMP_PROC_BIND) and take turns, A B A B.
# ENGINE_BENCH_CLOCK=cpu counts the processes' own time instead of the wall's
# (one thread): what remains meaningful while the machine does other work.
# Numbers are medians over the rounds, and the ratio is the median of the rounds' ratios.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-build} rounds=${2:-5} steps=${3:-2}

make -s -C "$build" contrib/bench/engine_bench >&2
bench=$(cd "$build" && pwd)/contrib/bench/engine_bench
export OMP_PROC_BIND=true OMP_PLACES=cores

exec /usr/bin/python3 "$here/cosmoflow.py" "$bench" "$rounds" "$steps"
