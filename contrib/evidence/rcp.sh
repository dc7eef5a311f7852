#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rcp.sh WORKLOAD CLASS [SEEDS [LONG-SEEDS]]: reference convergence points.
#
# The rule (benchmark: size classes): a class's target lies at least 60 % of
# the way from a baseline (the field's own for hep, deepcam, nowcast, defect and forecast,
# the best trivial predictor's for others; the output says which) to the quality that ten times longer
# training reaches, and at least 9 of 10 seeds reach it. This trains SEEDS
# seeds to the target, LONG-SEEDS seeds ten times as long without one, and
# prints what the class table needs, and whether the rule holds.
#
# AGENT names the agent (and how to start it, "mpirun -n 2 hpcai500-agent"),
# KEYS more of the run text (threads=1), JOBS how many seeds train at once
# (their seconds are those of seeds that share the machine).
set -euo pipefail
workload=${1:?usage: rcp.sh WORKLOAD CLASS [SEEDS [LONG-SEEDS]]}
class=${2:?usage: rcp.sh WORKLOAD CLASS [SEEDS [LONG-SEEDS]]}
seeds=${3:-10}
long=${4:-2}
: "${AGENT:=hpcai500-agent}" "${KEYS:=}" "${JOBS:=1}"
work=$(mktemp -d)
mkdir "$work/records"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
base=$workload,class=$class,time=24h${KEYS:+,$KEYS}

# train NAME KEYS: one run, its record in $work/NAME.json (exit 1: not valid,
# which is a result here)
train() {
    local rc=0
    $AGENT --json "$base$2,out=$work/records" >"$work/$1.json" 2>"$work/$1.err" || rc=$?
    [ $rc -le 1 ] || cat "$work/$1.err" >&2
    return $((rc > 1 ? 3 : 0))
}

# train_all: the long runs first, since one of them takes as long as ten others;
# JOBS at a time. JSON does not have the plan, so the dry run's words are read.
train_all() {
    local i epochs never
    # a target that nothing reaches, on the side that the metric's direction says
    train probe ",seed=1,epochs=1"
    never=0.000001
    ! jq -e '.workloads[0].quality.higher_is_better' "$work/probe.json" >/dev/null || never=1000000
    rm "$work/probe.json"
    epochs=$($AGENT --dry-run "$base" | sed -n 's/.* \([0-9]*\) epochs at most.*/\1/p')
    for ((i = 1; i <= long + seeds; i++)); do
        [ "$(jobs -rp | wc -l)" -lt "$JOBS" ] || wait -n
        if [ "$i" -le "$long" ]; then
            train "long$i" ",seed=$i,target=$never,epochs=$((epochs * 10))" &
        else
            train "$((i - long))" ",seed=$((i - long))" &
        fi
    done
    while [ -n "$(jobs -p)" ]; do wait -n; done
}

# its folder is this machine's business
echo "AGENT='${AGENT##*/}' KEYS='$KEYS' JOBS=$JOBS ($($AGENT --version | head -n 1))"
train_all
printf '%-6s %10s %10s %10s %12s %10s\n' seed epochs quality target seconds samples/s
for ((s = 1; s <= seeds; s++)); do
    jq -r --arg s "$s" '.workloads[0] | [$s, .quality.epochs_to_target // "-",
        .quality.achieved, .quality.target, .performance.time_to_quality_seconds // "-",
        .performance.samples_per_second // "-"] | @tsv' "$work/$s.json" |
        awk '{printf "%-6s %10s %10.4f %10.4f %12s %10s\n", $1, $2, $3, $4, $5, $6}'
done
for ((s = 1; s <= long; s++)); do
    jq -r --arg s "$s" '.workloads[0] |
        "long seed \($s): \(.epochs | length) epochs, best quality \(.quality.achieved)"' \
        "$work/long$s.json"
done
jq -s -r --argjson seeds "$seeds" '
    [.[] | .workloads[0]] as $w
    | [$w[] | select(.quality.target > 1e-5 and .quality.target < 1e5)] as $runs
    | [$w[] | select(.quality.target <= 1e-5 or .quality.target >= 1e5)] as $long
    | [$runs[] | .quality.epochs_to_target // 0 | select(. > 0)] as $n
    | ($n | length) as $reached
    | (if $reached > 0 then ($n | add) / $reached else 0 end) as $mean
    | (if $reached > 1
       then ([$n[] | (. - $mean) * (. - $mean)] | add / ($reached - 1) | sqrt) else 0 end) as $std
    | $runs[0].quality as $q
    | (if (["hep", "deepcam", "nowcast", "defect", "forecast"] | index($runs[0].name)) and $q.baseline_domain.value
       then {value: $q.baseline_domain.value, name: $q.baseline_domain.name}
       else {value: $q.baseline, name: "the trivial predictor"} end) as $from
    | "reached \($reached) of \($seeds); epochs mean \($mean) std \($std) least \($n | min)",
      "baseline \($q.baseline), \($q.baseline_domain.name // "of the field") " +
          "\($q.baseline_domain.value)",
      (if ($long | length) > 0 then
        ([$long[].quality.achieved] | add / length) as $far
        | "ten times longer: \($far); the target is " +
          "\(100 * ($from.value - $q.target) / ($from.value - $far)) % of the way from \($from.name) (rule: >= 60)"
       else empty end)' "$work"/*.json
