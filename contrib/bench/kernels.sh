#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The CPU engine's own kernels against memory: one table on standard output.
#
#   contrib/bench/kernels.sh [BUILD [THREADS [f32|bf16]]]
#
# BUILD is a configured build folder (default ./build). Threads are pinned.
set -eu
build=${1:-build} threads=${2:-2}

make -s -C "$build" contrib/bench/kernel_bench >&2
export OMP_PROC_BIND=true OMP_PLACES=cores
exec "$build/contrib/bench/kernel_bench" "$threads" "${@:3}"
