#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How fast the loader is, beside the raw files and beside h5py in the manner of
# PyTorch's DataLoader. Run in a build folder:
#     contrib/bench/loader.sh [ROUNDS]
# Interleaved rounds (A B C A B C); the median counts. GB/s are of decoded
# cubes; raw: of the same files read from end to end, times what they deflate.
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${1:-5}
edge=128 cubes=16
make -s contrib/bench/loader_bench workloads/data/hpcai500-generate
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/hpcai500-loader.XXXXXX")
trap 'rm -rf "$dir"' EXIT
workloads/data/hpcai500-generate cosmoflow,class=standard --train $cubes --validation 1 --out "$dir/deflated" \
    -j "$(nproc)" >/dev/null 2>&1
mkdir -p "$dir/plain/train"
for f in "$dir"/deflated/train/*; do
    h5repack -f NONE -l CONTI "$f" "$dir/plain/train/${f##*/}"
done

h5py_rate() { # SET: one process of a DataLoader, its own work on a sample
    /usr/bin/python3 - "$dir/$1/train" <<'END'
import glob, sys, time
import h5py, numpy as np
files = sorted(glob.glob(sys.argv[1] + "/*.hdf5"))
start, size = time.monotonic(), 0
for name in files:
    with h5py.File(name) as f:
        x, y = f["x"][:], f["y"][:]
    x = np.ascontiguousarray(np.log1p(x.astype(np.float32)).transpose(3, 0, 1, 2))
    size += x.size * 2
print("h5py 0", "%.3f" % (size / (time.monotonic() - start) / 1e9))
END
}

measure() { # SET MODE TEMPERATURE
    case $2 in
    h5py) h5py_rate "$1" ;;
    *) contrib/bench/loader_bench "$2" "$dir/$1" $edge ${3:+cold} ;;
    esac | awk '{ print $3 }'
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

echo "loader: $(git -C "$src" describe --always --dirty 2>/dev/null), $(nproc) cores, $(date -u +%F), $rounds rounds, $cubes cubes of $edge^3 x 4 int16"
printf '%-10s %-5s %8s %8s %8s %8s   %s\n' set cache raw read loader h5py 'GB/s of decoded cubes'
for set in plain deflated; do
    for cache in warm cold; do
        flag=; [ $cache = warm ] || flag=cold
        rm -f "$dir"/r.*
        for ((i = 0; i < rounds; i++)); do
            for mode in raw read loader h5py; do
                [ "$cache $mode" != "cold h5py" ] || continue # it cannot drop the cache
                measure $set $mode "$flag" >>"$dir/r.$mode"
            done
        done
        printf '%-10s %-5s' $set $cache
        for mode in raw read loader h5py; do
            [ ! -e "$dir/r.$mode" ] || median <"$dir/r.$mode"
        done | awk '{ v[NR] = $1; printf " %8s", $1 }
            END { if (NR < 4) printf " %8s", "-"
                  printf "   read/raw %.2f, loader/raw %.2f", v[2] / v[1], v[3] / v[1]
                  print NR < 4 ? "" : sprintf(", loader/h5py %.1f", v[3] / v[4]) }'
    done
done
