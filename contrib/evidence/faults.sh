#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The fault tests of the cluster, twenty times over (or N): a fault that is
# handled by luck of timing shows itself here.
#
# usage: faults.sh [N]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
export HPCAI500_CLUSTER=evidence
trap '"$top/contrib/first-light.sh" stop --wipe > /dev/null 2>&1' EXIT
"$top/contrib/first-light.sh" >&2
failed=0
for i in $(seq "${1:-20}"); do
    log=$(mktemp)
    bats --tap "$top/tests/cluster/faults.bats" > "$log" 2>&1 || failed=$((failed + 1))
    echo "round $i: $(grep -c '^ok' "$log" || true) ok, $(grep -c '^not ok' "$log" || true) not ok"
    grep '^not ok' "$log" || true
    rm -f "$log"
done
[ $failed = 0 ]
