#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# batches.sh WORKLOAD CLASS SEEDS BATCH...: epochs to the target by global batch.
#
# Trains SEEDS seeds at each BATCH to the class's target by rcp.sh, whose table it prints,
# and the rows of reports/core/convergence.def that follow. AGENT, KEYS and JOBS are
# rcp.sh's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 4 ] || { echo "usage: batches.sh WORKLOAD CLASS SEEDS BATCH..." >&2; exit 2; }
workload=$1 class=$2 seeds=$3; shift 3
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for batch in "$@"; do
    KEYS=${KEYS:+$KEYS,}batch=$batch "$here/rcp.sh" "$workload" "$class" "$seeds" 0 | tee "$out.$batch"
    sed -n "s/^reached \([0-9]*\) of \([0-9]*\); epochs mean \([0-9.]*\) std \([0-9.]*\) .*/$workload $class $batch \2 \1 \3 \4/p" \
        "$out.$batch" >>"$out"
    rm "$out.$batch"
done
awk '{printf "CONVERGENCE(%s, %s, %d, %d, %d, %.1f, %.2f)\n", $1, $2, $3, $4, $5, $6, $7}' "$out"
