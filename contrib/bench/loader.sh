#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# How fast the loader is, beside its ceilings and beside h5py, alone and through
# PyTorch's DataLoader. Run in a build folder:
#     contrib/bench/loader.sh [ROUNDS]
# GB/s of decoded cubes (int16), the same number of threads (h5py: processes)
# in all columns of a row, memory touched before any clock starts:
#   raw      the files by read(2) into a buffer that stays: what storage gives
#   floats   the same, each int16 widened to a float of a batch: what any reader
#            must do that hands over what a network takes
#   inflate  the chunks out of memory by the best library: what inflating gives
#   read     dataset_read(): checked, decoded
#   loader   batches as a trainer gets them: floats, log(1 + x), channels last
#   h5py     the same floats by h5py and numpy into arrays that stay
#   torch    the same by a Dataset of h5py through torch's DataLoader, batches of 2,
#            as many worker processes as threads; its epoch before has begun them.
#            LOADER_PYTHON names the Python that has torch and h5py; "-": none has
# LOADER_BENCH_CPU=1: seconds are of processor time, all threads together, for
# machines that are never quiet; cold rows then say little.
# Interleaved rounds (A B C A B C); the median counts. $CUBES: of how many. In pieces:
# $SETS and $CACHES say which rows, $LOADER_DIR is a folder where the data stay.
set -eu
src=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${1:-5}
edge=128 cubes=${CUBES:-16}
modes='raw floats inflate read loader h5py torch'
python=${LOADER_PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, h5py' 2>/dev/null || { echo 'loader.sh: no torch with h5py: LOADER_PYTHON names a Python that has both' >&2; modes=${modes% torch}; }
make -s contrib/bench/loader_bench workloads/generate/hpcai500-generate
dir=${LOADER_DIR:-$(mktemp -d "${TMPDIR:-/var/tmp}/hpcai500-loader.XXXXXX")}
mkdir -p "$dir"
[ -n "${LOADER_DIR:-}" ] || trap 'rm -rf "$dir"' EXIT
if [ ! -d "$dir/plain" ]; then
    workloads/generate/hpcai500-generate cosmoflow,class=standard --train "$cubes" --validation 1 --out "$dir/deflated" \
        -j "$(nproc)" >/dev/null 2>&1
    mkdir -p "$dir/making/train"
    for f in "$dir"/deflated/train/*; do
        h5repack -f NONE -l CONTI "$f" "$dir/making/train/${f##*/}"
    done
    mv "$dir/making" "$dir/plain"
fi

cat >"$dir/drop.py" <<'END'
import os

def drop(files):
    """Out of this machine's page cache."""
    for name in files:
        fd = os.open(name, os.O_RDONLY)
        os.fdatasync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
END
export PYTHONPATH=$dir PYTHONDONTWRITEBYTECODE=1

h5py_rate() { # SET PROCESSES [cold]: a pass to touch, a pass that counts
    /usr/bin/python3 - "$dir/$1/train" "$2" "${3:-}" <<'END'
import glob, multiprocessing, os, sys, time
import h5py, numpy as np
from drop import drop
files, n = sorted(glob.glob(sys.argv[1] + "/*.hdf5")), int(sys.argv[2])
gate = multiprocessing.Barrier(n + 1)
used = multiprocessing.Value("d", 0)

def work(k):
    counts = floats = None
    for _ in range(2):
        gate.wait()
        start = time.process_time()
        for name in files[k::n]:
            with h5py.File(name) as f:
                if counts is None:
                    counts = np.ones(f["x"].shape, np.int16)
                    floats = np.ones(f["x"].shape, np.float32)
                f["x"].read_direct(counts)
                y = f["y"][:]
            floats[...] = counts
            np.log1p(floats, out=floats)
        spent = time.process_time() - start
        gate.wait()
    with used.get_lock():
        used.value += spent
    gate.wait()

for k in range(n):
    multiprocessing.Process(target=work, args=(k,), daemon=True).start()
gate.wait()
gate.wait()
if sys.argv[3]:
    drop(files)
start = time.monotonic()
gate.wait()
gate.wait()
seconds = time.monotonic() - start
gate.wait()
if "LOADER_BENCH_CPU" in os.environ:
    seconds = used.value
with h5py.File(files[0]) as f:
    print("h5py %.3f" % (len(files) * f["x"].size * 2 / seconds / 1e9))
END
}

torch_rate() { # SET WORKERS [cold]
    "$python" - "$dir/$1/train" "$2" "${3:-}" <<'END'
import glob, sys, time
import h5py, torch
import numpy as np
from drop import drop
files, n = sorted(glob.glob(sys.argv[1] + "/*.hdf5")), int(sys.argv[2])
torch.set_num_threads(1)

class Cubes(torch.utils.data.Dataset):
    def __len__(self):
        return len(files)

    def __getitem__(self, i):
        with h5py.File(files[i]) as f:
            x, y = f["x"][:], f["y"][:]
        x = x.astype(np.float32)
        np.log1p(x, out=x)
        return torch.from_numpy(x), torch.from_numpy(y)

loader = torch.utils.data.DataLoader(Cubes(), batch_size=2, shuffle=True, num_workers=n,
                                     persistent_workers=True)
values = sum(x.numel() for x, y in loader)
if sys.argv[3]:
    drop(files)
start = time.monotonic()
epochs = 1 if sys.argv[3] else 3
for epoch in range(epochs):
    for x, y in loader:
        pass
print("torch %.3f" % (epochs * values * 2 / (time.monotonic() - start) / 1e9))
END
}

measure() { # SET MODE THREADS [cold]
    case $2 in
    h5py) h5py_rate "$1" "$3" "${4-}" ;;
    torch) torch_rate "$1" "$3" "${4-}" ;;
    *) contrib/bench/loader_bench "$2" "$dir/$1" $edge "$3" ${4:+cold} ;;
    esac | awk '{ print $2 }'
}

median() {
    sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

echo "loader: $(git -C "$src" describe --always --dirty 2>/dev/null), $(nproc) cores, $(date -u +%F), $rounds rounds, $cubes cubes of $edge^3 x 4 int16"
printf '%-10s %-5s %7s' set cache threads
# shellcheck disable=SC2086
printf ' %8s' $modes
printf '   GB/s of decoded cubes\n'
for set in ${SETS:-plain deflated}; do
    for cache in ${CACHES:-warm cold}; do
        for threads in 1 2; do
            flag=; [ "$cache" = warm ] || flag=cold
            rm -f "$dir"/r.*
            for ((i = 0; i < rounds; i++)); do
                for mode in $modes; do
                    case $set$mode in plaininflate | deflatedfloats) continue ;; esac
                    measure "$set" "$mode" $threads $flag >>"$dir/r.$mode"
                done
            done
            printf '%-10s %-5s %7d' "$set" "$cache" $threads
            for mode in $modes; do
                if [ -e "$dir/r.$mode" ]; then median <"$dir/r.$mode"; else echo -; fi
            done | awk '{ v[NR] = $1; printf " %8s", $1 }
                END { printf "   loader/raw %.2f", v[5] / v[1]
                      if (v[2] != "-") printf ", loader/floats %.2f", v[5] / v[2]
                      if (v[3] != "-") printf ", loader/inflate %.2f", v[5] / v[3]
                      printf ", loader/h5py %.1f", v[5] / v[6]
                      if (NR > 6) printf ", loader/torch %.1f", v[5] / v[7]
                      printf "\n" }'
        done
    done
done
