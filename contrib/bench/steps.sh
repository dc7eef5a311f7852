#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# What it costs to measure training steps one by one, in microseconds a step, and a reading
# of the yardstick. The bound (diagnosis.md): 1 % of a step; 0.5 % of the time.
#
#   contrib/bench/steps.sh [BUILD-FOLDER] [STEPS] [BUCKETS]
set -eu
build=${1:-build}
steps=${2:-20000}
buckets=${3:-4}

make -s -C "$build" contrib/bench/steps_bench || { echo "steps.sh: cannot build in $build: configure there first" >&2; exit 3; }
echo "# $(git -C "$(dirname "$0")" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
"$build/contrib/bench/steps_bench" "$steps" "$buckets"
