#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# All-reduce on this machine: shared windows and messages of comm_mpi against
# the MPI library's own, 4 KiB to 256 MiB, in turn, busbw beside.
#
#   contrib/bench/allreduce.sh [BUILD-FOLDER] [RANKS] [MOST-MIB]
set -eu
build=${1:-build} ranks=${2:-2} most=${3:-256}
top=$(cd "$(dirname "$0")/../.." && pwd)

make -s -C "$build" agent/comm/allreduce_bench >&2 || exit 3
echo "# $(git -C "$top" describe --always --dirty 2>/dev/null || echo tarball)," \
    "$(date -u +%F), $(uname -r), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
starter=$(make -s -C "$build" print-MPIEXEC)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 \
    PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
exec "$starter" -n "$ranks" "$build/agent/comm/allreduce_bench" "$most"
