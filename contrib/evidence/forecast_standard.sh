#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# forecast_standard.sh: the attention forecaster at 720 x 1440 x 20.
#
# Makes six sequences of weather of that size and looks through them, then trains one step
# of one sample with the network, loss and rule of forecast's class standard (engine_bench
# step, fed with noise): 99,465,728 parameters, 37.5 TFLOP. All pairs of its 16,200 tokens
# would be 1.05 GB in each of 144 heads; they are never held. Prints the planned memory, what
# the process had at most, and where the seconds went.
#
# BUILD names the configured build folder (./build), THREADS how many threads the step has.
# DATA=no leaves the sequences out. EPOCH=yes also has the agent train on one of them, an
# epoch of one step, and evaluate another: four steps of a roll-out, 50 TFLOP more.
set -euo pipefail
: "${BUILD:=build}" "${THREADS:=$(nproc)}" "${DATA:=yes}" "${EPOCH:=no}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

make -s -C "$BUILD" contrib/bench/engine_bench >&2
if [ "$DATA" = yes ]; then
    begin=$SECONDS
    "$BUILD/workloads/generate/hpcai500-generate" forecast,class=standard --train 5 --validation 1 --out "$work/set" >/dev/null 2>&1
    echo "$(find "$work/set" -name '*.hdf5' | wc -l) sequences of $(find "$work/set" -name '*.hdf5' -printf '%s\n' | head -n 1) bytes made in $((SECONDS - begin)) s"
    "$BUILD/workloads/data/hpcai500-data" check "$work/set"
fi
OMP_PROC_BIND=true OMP_PLACES=cores /usr/bin/time -f '%M KiB at most' -o "$work/most" \
    "$BUILD/contrib/bench/engine_bench" step forecast f32 "$THREADS"
cat "$work/most"
if [ "$DATA$EPOCH" = yesyes ]; then
    rc=0
    mkdir -p "$work"/one/{train,validation} # one to train on: a step
    ln -s "$(find "$work/set/train" -name '*.hdf5' | sort | head -n 1)" "$work/one/train"
    ln -s "$(find "$work/set/validation" -name '*.hdf5')" "$work/one/validation"
    "$BUILD/agent/hpcai500-agent" --json \
        "forecast,class=standard,batch=1,epochs=1,threads=$THREADS,time=3h,data=$work/one,out=$work" \
        >"$work/record.json" 2>"$work/err" || rc=$?
    [ $rc -le 1 ] || { cat "$work/err" >&2; exit 3; }
    jq -r '.workloads[0] | .epochs[0] as $e | .phases as $p
        | "by the agent: a step in \($e.seconds) s, evaluation of a sequence \($p.evaluation.max_seconds) s, staging \($p.staging.max_seconds) s",
        "loss \($e.train_loss), RMSE a day ahead \($e.quality)"' "$work/record.json"
fi
