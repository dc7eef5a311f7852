#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# bands.sh [SEEDS [RUN...]]: what one epoch of each component gives at tiny.
#
# Trains SEEDS seeds (5, and at least that) of each row of tests/train/bands.txt, or of the
# named ones, for one epoch and prints the rows anew: mean and standard deviation
# of the loss in training and of the quality after it. The stage `train` of contrib/test.sh
# holds a build to mean +- 4 deviations, with seed 1: what an epoch gives differs
# between machines and numbers of ranks by rounding, which training magnifies to at
# most what another seed does; a wrong operator, norm or draw is far outside.
#
# AGENT names the agent (and how to start it, "mpirun -n 2 hpcai500-agent").
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
bands=$top/tests/train/bands.txt
seeds=${1:-5}
[ "$seeds" -ge 5 ] || { echo "bands.sh: at least 5 seeds" >&2; exit 2; }
: "${AGENT:=hpcai500-agent}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# row RUN: its line
row() {
    local s rc
    rm -rf "${work:?}"/*
    for ((s = 1; s <= seeds; s++)); do
        rc=0
        $AGENT --json "$1,class=tiny,epochs=1,threads=1,seed=$s,time=1h,out=$work" \
            > "$work/$s.result" 2> "$work/err" || rc=$?
        [ $rc -le 1 ] || { cat "$work/err" >&2; exit 3; }
    done
    jq -s -r --arg run "$1" '
        def spread: length as $n | (add / $n) as $mean
            | [$mean, ([.[] | (. - $mean) * (. - $mean)] | add / ($n - 1) | sqrt)];
        [.[] | .workloads[0].epochs[0]] as $e
        | ([$e[] | .train_loss] | spread) + ([$e[] | .quality] | spread)
        | map(. * 1e6 | round / 1e6 | tostring) | "\($run) \(join(" ")) \($e | length)"' "$work"/*.result
}

if [ $# -gt 1 ]; then
    for run in "${@:2}"; do row "$run"; done
else
    while read -r run _; do row "$run"; done < <(grep -v '^#' "$bands")
fi
