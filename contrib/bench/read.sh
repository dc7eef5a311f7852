#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Reading as the read benchmark does it against fio (Debian's package) on the same files,
# warm and cold, in order and shuffled: the ratio ours / theirs of adjacent pairs, its
# median and the 90 % interval of the median. Aim: upper end >= 0.98 and median >= 0.95.
#
#   contrib/bench/read.sh [BUILD-FOLDER [FOLDER [PAIRS [SAMPLES of 256 KiB]]]]
set -eu
build=${1:-build} folder=${2:-/var/tmp} pairs=${3:-40} samples=${4:-1024}
top=$(cd "$(dirname "$0")/../.." && pwd)
command -v fio >/dev/null || { echo "read.sh: fio is not installed" >&2; exit 3; }

make -s -C "$build" contrib/bench/read_bench >&2 || exit 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)," \
    "$(fio --version), $(stat -f -c %T "$folder"), $samples samples, load $(cut -d' ' -f1 /proc/loadavg)"
"$build/contrib/bench/read_bench" "$folder" "$pairs" "$samples" >"$work/pairs"
awk -f "$top/contrib/bench/pairs.awk" "$work/pairs"
