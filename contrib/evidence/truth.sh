#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# truth.sh [RUNS]: is the injected cause named, and do predictions come true, on a real cluster?
# truth.sh tables FILE: confusion matrix, errors and coverage of the lines that were filed.
#
# A plan of 102 runs in an order by SEED (1): two or three injected, one clean, and so on; components
# cosmoflow, hep and defect at tiny, two nodes of a private Slurm cluster; half of the
# injections mild, the others strong. RUNS (all) more of them are made now: what LINES
# (results/truth.jsonl) has of this code already is not made again, so it can be stopped
# and started; MINUTES=25 makes a piece of it: no run begins after so many minutes. A
# cluster that is up already is used and left up, which saves a piece its start. A line is a
# run: what was injected, what was named, what was predicted.
#
# Code, thresholds and the models' own errors are fixed before: `code` is the digest of
# reports/predict, reports/diagnose, what measures for them and this file as committed; it refuses to run when
# they differ from the commit, and the tables count one code only. A run with more than
# 10 % of foreign work is made again at the end, not judged.
#
# Predictions: links x k between the levels of the network, storage x k between those of
# the storage, twice the batch, four nodes from two. Truth: the median step of the runs
# without that throttle, or with that level, of the same component, each divided by
# its yardstick.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
here=$top/contrib/evidence
lines=${LINES_FILE:-$here/results/truth.jsonl}
if [ "${1:-}" = tables ]; then
    exec python3 "$here/truth.py" tables "${2:?which file}"
fi
runs=${1:-102} begun=$SECONDS

judged=(reports/predict reports/diagnose agent/why.c agent/series.c workloads/steps.c workloads/component/train_steps.c
    workloads/component/transport.c workloads/component/wire.c workloads/data/loader.c workloads/data/loader_make.c
    contrib/evidence/truth.sh contrib/evidence/truth.py)
cd "$top"
if ! git diff --quiet HEAD -- "${judged[@]}" || [ -n "$(git ls-files -o --exclude-standard -- "${judged[@]}")" ]; then
    echo "truth.sh: commit ${judged[*]} first: code and thresholds are fixed before the truth is seen" >&2
    exit 2
fi
code=$(git ls-tree -r HEAD -- "${judged[@]}" | sha256sum | cut -c1-16)

export HPCAI500_CLUSTER=${HPCAI500_CLUSTER:-truth}
lab=$top/contrib/cluster/cluster.sh
. "$top/tests/await.bash"
. "$top/tests/cluster/inject.bash"
S=$("$lab" dir)
"$lab" status > /dev/null 2>&1 || {
    trap '"$top/contrib/first-light.sh" stop --wipe > /dev/null 2>&1' EXIT
    "$top/contrib/first-light.sh" >&2
}
eval "$("$lab" env)"
folder=$S/shared/truth
mkdir -p "$folder"

# inject NODE WHAT VALUE
inject() {
    case $2 in
        network) slow_wire "$1" "$3" ;;
        delay) late_wire "$1" "$3" ;;
        cpu) slow_cpu "$1" "$3" ;;
        storage) slow_disk "$1" "$3" ;;
        memory) little_memory "$1" "$3" && chill_once "$S/nodes/$1/cache" ;;
    esac
}

# run JSON: one line of the plan; its line of the results
run() {
    local id component keys nodes out record asked
    read -r id component nodes keys < <(jq -r '[.run, .component, .nodes, .keys] | @tsv' <<< "$1")
    out=$folder/$id; rm -rf "$out"
    local first last; first=$(cut -d' ' -f1 /proc/loadavg)
    while read -r node what value; do
        inject "$node" "$what" "$value" || echo "truth.sh: cannot inject $what on $node" >&2
    done < <(jq -r '.inject[] | [.node, .what, .value] | @tsv' <<< "$1")
    jq -e '.chill' <<< "$1" > /dev/null && chill "$S"/nodes/n[12]/cache
    timeout -k 10 600 srun -K -w "$nodes" -N"$(tr , '\n' <<< "$nodes" | wc -l)" -n"$(tr , '\n' <<< "$nodes" | wc -l)" \
        --hpcai500="$component,class=tiny,epochs=3,seed=$id,diagnose=quick,out=$out,$keys" \
        hpcai500-agent < /dev/null >> "$folder/log" 2>&1 || [ $? = 1 ] || true
    end_all n1 n2 n3 n4
    last=$(cut -d' ' -f1 /proc/loadavg)
    record=$(find "$out" -maxdepth 1 -name '*.json' 2> /dev/null | head -1)
    [ -n "$record" ] || { echo "truth.sh: run $id left no record" >&2; return 0; }
    asked=$(jq -r '[.ask[].what] | join(",")' <<< "$1")
    hpcai500 show --buy --json ${asked:+--what="$asked"} "$record" > "$out/buy" || echo '{}' > "$out/buy"
    jq -cn --argjson plan "$1" --arg code "$code" --arg commit "$(git rev-parse --short HEAD)" --arg load "$first $last" \
        --slurpfile record "$record" --slurpfile buy "$out/buy" '
        $record[0].workloads[0] as $w | $plan + {code: $code, commit: $commit, load: $load,
            step: $w.path.period_seconds, speed: $w.yardstick.speed, yardstick: $w.yardstick.cpu.start_seconds,
            cause: $w.why.cause, node: $w.why.node, confirmed: $w.why.confirmed, foreign: $w.why.foreign,
            causes: [$w.why.causes[]? | {cause, node, share}], ablation: $w.ablation,
            replay: $buy[0].workloads[0].replay, asked: $buy[0].workloads[0].asked}' >> "$lines"
}

# each node has the samples before anything is slow
for component in cosmoflow hep defect; do
    timeout 600 srun -K -w n1,n2,n3,n4 -N4 -n4 --hpcai500="$component,class=tiny,epochs=1,threads=1,out=$folder/data" \
        hpcai500-agent < /dev/null >> "$folder/log" 2>&1 || [ $? = 1 ]
done
touch "$lines"
python3 "$here/truth.py" plan "${SEED:-1}" "$lines" "$code" >"$folder/plan"
echo "truth.sh: $(wc -l <"$folder/plan") runs to make; code $code" >&2
made=0 first=$SECONDS
while [ "$made" -lt "$runs" ] && read -r plan <&3; do
    [ $((SECONDS - begun)) -lt $((60 * ${MINUTES:-100000})) ] || break
    run "$plan"
    made=$((made + 1))
done 3<"$folder/plan"
echo "truth.sh: $made runs in $((SECONDS - first)) s" >&2
python3 "$here/truth.py" tables "$lines"
