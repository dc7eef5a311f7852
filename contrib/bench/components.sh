#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The components' training steps: the engine against PyTorch and against its own
# floor. One table on standard output; progress on standard error.
#
#   contrib/bench/components.sh [BUILD [ROW|all [f32|bf16|all [THREADS [PAIRS]]]]]
#   contrib/bench/components.sh --choose [BUILD [ROW|all [f32|bf16|all [THREADS]]]]
#
# BUILD is a configured build folder (default ./build); rows are those of
# `engine_bench rows`. PyTorch is that of /usr/bin/python3 (Debian: python3-torch)
# and, where COMPONENTS_PYTHON names another interpreter (a folder made by
# `python3 -m venv`, with torch, numpy and h5py from PyPI), of that too; without any
# only the floor is shown. Networks, losses and update rules are those of
# contrib/frameworks/pytorch.
#
# Of each PyTorch the fastest variant counts: eager or compiled, channels first or
# last. --choose tries them and leaves the choice in BUILD/contrib/bench/components.best,
# which later runs read; a row without a choice is tried first. Compiling takes a
# minute or two and is kept by PyTorch; COMPONENTS_HOW=eager leaves it out.
#
# Both sides are pinned (OMP_PROC_BIND) and take turns, A B A B: the figure is the
# median of the pairs' ratios with its 90 % interval by order statistics.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
choose=
if [ "${1-}" = --choose ]; then
    choose=--choose
    shift
fi
build=${1:-build} row=${2:-all} dtype=${3:-all} threads=${4:-all} pairs=${5:-9}

make -s -C "$build" contrib/bench/engine_bench >&2
bench=$(cd "$build" && pwd)/contrib/bench/engine_bench
export OMP_PROC_BIND=true OMP_PLACES=cores
echo "# $(git -C "$here" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "load $(cut -d' ' -f1 /proc/loadavg)"
exec /usr/bin/python3 "$here/components.py" $choose "$bench" "$row" "$dtype" "$threads" "$pairs"
