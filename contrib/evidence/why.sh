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
# It can be stopped and started again: runs of this commit that FOLDER (the cluster's
# shared/why; nodes have a /tmp of their own) has are not made again, and the one table at the end has all. Three repeats take
# about a quarter of an hour on two cores. A cluster that is up is used as it is, with what
# is installed there; else contrib/first-light.sh brings one up, which goes when all is done.
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
whole=''
"$lab" status > /dev/null 2>&1 || {
    trap '"$top/contrib/first-light.sh" stop ${whole:+--wipe} > /dev/null 2>&1' EXIT
    "$top/contrib/first-light.sh" >&2
}
eval "$("$lab" env)"
folder=${FOLDER:-$S/shared/why}
commit=$(git -C "$top" rev-parse HEAD 2> /dev/null || echo tarball)
[ "$(cat "$folder/commit" 2> /dev/null)" = "$commit" ] || rm -rf "$folder"
mkdir -p "$folder"; cd "$folder"; echo "$commit" > commit

srun_() { timeout -k 10 600 srun -K "$@" < /dev/null >> "$folder/log" 2>&1; }

# row CASE FOLDER JUDGEMENT: a line of the table
row() {
    jq -r --arg case "$1" --arg judged "$3" '
        def part: if . == null then "-" else 100 * . | round | tostring + " %" end;
        .workloads[0] as $w | [$case, (1000 * ($w.path.period_seconds // 0) | round | tostring),
            ($w.why.visible | part), ($w.why.foreign | part), $judged,
            $w.why.verdict + " | " + $w.why.why] | @tsv' "$2"
}

record_of() { find "$folder/$1" -maxdepth 1 -name '*.json' 2> /dev/null | head -1; }

# once CASE NAME SEED [KEYS]: that run, unless it was made before
once() {
    [ ! -e "$folder/$2/made" ] || return 0
    echo "why.sh: $2" >&2
    rm -rf "${folder:?}/$2"
    WHY_SEED=$3 why_run "$1" "$folder/$2" ${4:+"$4"} || true
    mkdir -p "$folder/$2"; touch "$folder/$2/made"
}

why_data "$folder/data" || { tail -n 5 log >&2; echo "why.sh: no data: do the nodes see $folder?" >&2; exit 3; }
for ((k = 1; k <= repeats; k++)); do
    for case in "${why_cases[@]}"; do
        why_possible "$case" > /dev/null && once "$case" "$case-$k" "$k"
    done
done
mended=''
if [[ " ${why_cases[*]} " == *" workers "* ]] && why_possible workers > /dev/null; then
    mended=mended
    once workers mended 1 workers=8,ahead=4
fi

: > judged
printf 'case\tms\twait\tother\tjudged\tverdict and why\n'
for case in "${why_cases[@]}"; do
    if ! said=$(why_possible "$case"); then
        printf '%s\t-\t-\t-\tskipped: %s\t-\n' "$case" "$said"
        continue
    fi
    for ((k = 1; k <= repeats; k++)); do
        record=$(record_of "$case-$k")
        if [ -z "$record" ]; then said='no record'; printf '%s\t-\t-\t-\t%s\t-\n' "$case" "$said"
        else said=$(why_judge "$case" "$record"); said=${said%%:*}; row "$case" "$record" "$said"; fi
        echo "$said" >> judged
    done
done
[ -z "$mended" ] || row "workers=8,ahead=4" "$(record_of mended)" -
echo
sort judged | uniq -c
if grep -qE 'wrong|no record' judged; then exit 1; fi
whole=1
