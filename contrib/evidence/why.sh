#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# why.sh [REPEATS [CASE...]]: is what limits a run named, on a real cluster, and nothing wrong?
#
# Two nodes of a private Slurm cluster, in namespaces of their own, train CosmoFlow tiny for
# two epochs with a fault that tests/cluster/why.bash describes, REPEATS times (3) each, the
# cases interleaved and with a seed of their own each round. `right` is the resource and the
# node that were injected (for nothing: none), `abstained` is "no single bottleneck" with
# the injected one first or, for nothing, a node that "was slower in this run"; all else is
# wrong. Last, whether the free measure for too few workers that the verdict names helps.
#
# BUILD names a folder in which the project is built and installed for the cluster
# (else contrib/first-light.sh does it); FOLDER keeps the records.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
export HPCAI500_CLUSTER=${HPCAI500_CLUSTER:-why}
lab=$top/contrib/cluster/cluster.sh
. "$top/tests/await.bash"
. "$top/tests/cluster/inject.bash"
. "$top/tests/cluster/why.bash"

repeats=${1:-3}; [ $# -eq 0 ] || shift
[ $# -eq 0 ] || why_cases=("$@")
S=$("$lab" dir)
"$lab" status > /dev/null 2>&1 || {
    trap '"$top/contrib/first-light.sh" stop --wipe > /dev/null 2>&1' EXIT
    "$top/contrib/first-light.sh" >&2
}
eval "$("$lab" env)"
folder=${FOLDER:-$S/shared/why}
rm -rf "$folder"; mkdir -p "$folder"; cd "$folder"

srun_() { timeout -k 10 600 srun -K "$@" < /dev/null >> "$folder/log" 2>&1; }

# row CASE FOLDER JUDGEMENT: a line of the table
row() {
    jq -r --arg case "$1" --arg judged "$3" '
        def part: if . == null then "-" else 100 * . | round | tostring + " %" end;
        .workloads[0] as $w | [$case, (1000 * ($w.path.period_seconds // 0) | round | tostring),
            ($w.why.visible | part), ($w.why.foreign | part), $judged,
            $w.why.verdict + " | " + $w.why.why] | @tsv' "$2"
}

why_data "$folder/data"
printf 'case\tms\twait\tother\tjudged\tverdict and why\n'
for ((k = 1; k <= repeats; k++)); do
    for case in "${why_cases[@]}"; do
        out=$folder/$case-$k
        if ! said=$(why_possible "$case"); then printf '%s\t-\t-\t-\tskipped: %s\t-\n' "$case" "$said"; continue; fi
        WHY_SEED=$k why_run "$case" "$out" || true
        record=$(find "$out" -maxdepth 1 -name '*.json' 2> /dev/null | head -1)
        if [ -z "$record" ]; then printf '%s\t-\t-\t-\tno record\t-\n' "$case"; continue; fi
        said=$(why_judge "$case" "$record"); said=${said%%:*}
        row "$case" "$record" "$said"
        echo "$said" >> "$folder/judged"
    done
done
if [[ " ${why_cases[*]} " == *" workers "* ]] && why_possible workers > /dev/null; then
    why_run workers "$folder/mended" workers=8,ahead=4 || true
    row "workers=8,ahead=4" "$(find "$folder/mended" -name '*.json')" -
fi
echo
sort "$folder/judged" | uniq -c
! grep -q wrong "$folder/judged"
