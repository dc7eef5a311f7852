#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Do the engine's tests hold with oneDNN 3? Debian 12 has 2.6, Debian 13 has 3;
# the CPU package of PyPI (onednn-devel-cpu-gomp, 3.2) comes into a folder that
# is removed afterwards. PREFIX=DIR takes another installation instead.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
if [ -z "${PREFIX:-}" ]; then
    PREFIX=$build/onednn
    python3 -m venv "$build/venv"
    "$build/venv/bin/pip" -q install onednn-devel-cpu-gomp >&2
    mkdir "$PREFIX"
    cp -r "$build/venv/include" "$build/venv/lib" "$PREFIX"
fi
export LD_LIBRARY_PATH=$PREFIX/lib
(cd "$top" && [ -x configure ] || autoreconf -fi) > /dev/null 2>&1
tests=(tests/workloads/engine/test_{copies,cpu,cpu_kernels,model,nets,ops,parallel} tests/workloads/component/test_plans)
(cd "$build" && "$top/configure" --with-onednn="$PREFIX" --without-slurm --without-mpi &&
    make -j2 build_id.h "${tests[@]}") > "$build/log" 2>&1 || { tail "$build/log" >&2; exit 1; }
rc=0
for t in "${tests[@]}"; do
    "$build/$t" > "$build/log" 2>&1 || rc=1
    echo "$t: $(grep -aE 'PASSED|FAILED|ERROR' "$build/log" | tr '\n' ' ')"
done
ls -l "$PREFIX"/lib/libdnnl.so* | sed 's/.*lib\//    /'
exit $rc
