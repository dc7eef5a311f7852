#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deeplab.sh [STEPS]: DeepLabv3+ at the published size.
#
# Makes STEPS (2) moments of weather of 16 x 768 x 1152 to train on and one to
# evaluate, and trains an epoch of one moment a step with deepcam's class standard:
# 56,454,720 parameters, 1.97 TFLOP a sample. Prints the planned memory, what the
# process had at most, and where the seconds went.
#
# AGENT and GENERATE name the programs (of a build tree); THREADS how many the agent has;
# SET a folder that was made so before.
set -euo pipefail
steps=${1:-2}
: "${AGENT:=hpcai500-agent}" "${GENERATE:=hpcai500-generate}" "${THREADS:=$(nproc)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

begin=$SECONDS made=${SET:-$work/made}
if [ ! -d "$made" ]; then # the generator's regression wants five
    "$GENERATE" deepcam,class=standard --train $((steps > 5 ? steps : 5)) --validation 1 --out "$made" >/dev/null 2>&1
    echo "$(($(ls "$made/train" | wc -l) + 1)) moments of $(stat -c %s "$made"/train/* | head -n 1) bytes made in $((SECONDS - begin)) s"
fi
mkdir -p "$work"/set/{train,validation}
ls "$made"/train/* | head -n "$steps" | xargs ln -s -t "$work/set/train"
ls "$made"/validation/* | head -n 1 | xargs ln -s -t "$work/set/validation"
ln -s "$made/stats.h5" "$work/set"
rc=0
/usr/bin/time -f '%M KiB at most' -o "$work/most" "$AGENT" --json \
    "deepcam,class=standard,batch=1,epochs=1,threads=$THREADS,time=1h,data=$work/set,out=$work" \
    >"$work/record.json" 2>"$work/err" || rc=$?
[ $rc -le 1 ] || { cat "$work/err" >&2; exit 3; }
jq -r --argjson steps "$steps" '.workloads[0] | .epochs[0] as $e | .phases as $p
    | "\(.threads) threads, \(.parameters) parameters, \(.performance.flop_per_sample / 1e12) TFLOP a step as executed",
    "planned memory: \(.performance.arena_bytes / 1e9) GB",
    "\($steps) steps in \($e.seconds) s (the first epoch, in which all is met for the first time): \($e.seconds / $steps) s each, \(.performance.flop_per_sample * $steps / $e.seconds / 1e9) GFLOP/s",
    "evaluation of one moment: \($p.evaluation.max_seconds) s, staging: \($p.staging.max_seconds) s",
    "loss \($e.train_loss), mean IoU \($e.quality)"' "$work/record.json"
grep KiB "$work/most" # without what it says of an exit code
