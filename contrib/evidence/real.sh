#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# real [REPEATS [CASE...]]: does `hpcai500 validate` name the node that has a fault, on a real
# cluster, and no other?
#
# Four nodes of a private Slurm cluster, in namespaces of their own, which share this machine's
# cores and are measured one after another. First HISTORY (7) runs without a fault: they make
# the noise by which all others are judged, and the inventory that is approved. Then each case
# REPEATS times (1), on another node each time and with that history, nothing of a case going
# into it; `nothing` is run twice each time. `right`: the node is named for what was done to it
# and nobody else is named. `abstained`: nobody is named wrongly, and the rule says that it
# cannot tell (TRANSIENT, INCONCLUSIVE, SYSTEM, a blind spot that is larger than what was done).
# `wrong`: anybody else is named, or the node for something else, or it is called GOOD.
# Behind the table stands what this machine's noise hides: its blind spot, metric by metric.
#
# It can be stopped and started again, MINUTES=25 makes a piece: what FOLDER (the cluster's
# shared/real) has of this commit is not made again. A cluster that is up is used as it is, with
# what is installed and built there; else contrib/first-light.sh brings one up, which goes when
# all is done. SPACING=60 puts a minute between rounds, as a site would (4 s). Half an hour.
set -euo pipefail
repeats=${1:-1} history=${HISTORY:-7} begun=$SECONDS whole=
[ $# -eq 0 ] || shift
cases=(nothing quota memory stutter rate latency loss disk full flip cores hang dead)
[ $# -eq 0 ] || cases=("$@")
top=$(cd "$(dirname "$0")/../.." && pwd)
export HPCAI500_CLUSTER=${HPCAI500_CLUSTER:-real}
lab=$top/contrib/cluster/cluster.sh
. "$top/tests/await.bash"
. "$top/tests/cluster/inject.bash"
S=$("$lab" dir)
# as if nothing had been done, whoever ends this; the cluster goes if it is ours
leave() {
    set +e
    end_all n1 n2 n3 n4 2> /dev/null
    [ -z "$ours" ] || "$top/contrib/first-light.sh" stop ${whole:+--wipe} > /dev/null 2>&1
}
ours=; trap leave EXIT; trap 'exit 143' TERM; trap 'exit 130' INT
"$lab" status > /dev/null 2>&1 || { ours=1; "$top/contrib/first-light.sh" >&2; }
eval "$("$lab" env)"
grep -q mode=netns "$S/state.sh" || { echo "real.sh: the nodes have no network of their own here" >&2; exit 3; }
make -s -C "$S/build" tests/workloads/node/hpcai500-node-test >&2
folder=${FOLDER:-$S/shared/real}
commit=$(git -C "$top" rev-parse HEAD 2> /dev/null || echo tarball)
[ "$(cat "$folder/commit" 2> /dev/null)" = "$commit" ] || rm -rf "$folder"
mkdir -p "$folder"; cd "$folder"; echo "$commit" > commit

speed=correct,clock,gemm.f32,triad,train,disk

# measure FOLDER OPTION...: a validation of the four nodes with the history of FOLDER
measure() {
    local to=$1; shift
    timeout -k 10 1500 "$S/prefix/libexec/hpcai500/hpcai500-validate" --nodes='n[1-4]' --conf="$to/conf" \
        --folder="$to" --profile=quick --turns --samples=3 --spacing="${SPACING:-4}" --json \
        --node-program="$S/build/tests/workloads/node/hpcai500-node-test" \
        --agent="$S/prefix/bin/hpcai500-agent" "$@" > "$to/page" 2> "$to/talk" < /dev/null
}

# site FOLDER: with a history of its own, empty
site() { mkdir -p "$1"; echo "history = $1/history.sqlite" > "$1/conf"; }

# running NODE: a test runs there
running() {
    local p comm
    for p in /proc/[0-9]*; do
        { read -r comm < "$p/comm"; } 2> /dev/null && [[ $comm == hpcai500-node* ]] && grep -qzxF "SLURMD_NODENAME=$1" "$p/environ" 2> /dev/null &&
            grep -qzxF "SLURM_CONF=$S/etc/slurm.conf" "$p/environ" 2> /dev/null && return 0
    done
    return 1
}

# do_it CASE NODE: what is done before a measurement, or during it, beside it
do_it() {
    case $1 in
        nothing | memory | flip) ;;
        quota) slow_cpu "$2" $((80 * $(nproc))) ;;
        stutter) stutter "$2" ;;
        rate) slow_wire "$2" 100mbit ;;
        latency) late_wire "$2" 1000 ;;
        loss) lossy_wire "$2" 1 ;;
        disk) worn_disk "$2" ;;
        full) full_disk "$2" ;;
        cores) fewer_cores "$2" ;;
        hang) can_freeze "$2" && { (await 5 running "$2" && freeze "$2") 3>&- 4>&- & } ;;
        dead) (await 5 running n1 && "$lab" kill "$2") > /dev/null 2>&1 3>&- 4>&- & ;;
    esac
}

# options CASE NODE: what is measured
options() {
    case $1 in
        nothing | quota) echo "--only=$speed --calls=300" ;;
        memory | stutter | disk) echo "--only=$speed --calls=300 --mpi=none" ;;
        rate | latency | loss) echo "--only=inventory" ;;
        full) echo "--only=correct,disk --calls=300 --mpi=none" ;;
        flip) echo "--only=correct --calls=40000 --mpi=none" ;;
        cores) echo "--only=correct --calls=300 --mpi=none" ;;
        hang | dead) echo "--only=correct --calls=40000 --budget=2 --mpi=none" ;; # 40 s + 60 s of patience
    esac
}

# wanted CASE: VERDICT|METRIC-OR-TEXT that are right, and what was done in % (0: not a rate)
wanted() {
    case $1 in
        nothing) echo "- - 0" ;;
        quota) echo "SLOW|SUSPECT clock|gemm|train|memory|net 20" ;;
        memory) echo "SLOW|SUSPECT memory.triad 25" ;;
        stutter) echo "SLOW|SUSPECT train.tail 50" ;;
        rate) echo "SLOW net.out.bandwidth 90" ;;
        latency | loss) echo "SLOW net. 90" ;;
        disk) echo "SLOW disk. 90" ;;
        full) echo "UNKNOWN No.space.left 0" ;;
        flip) echo "FAULTY core.1:.1.of.40000.results.differ,.first.in.call.31007 0" ;;
        cores) echo "FAULTY inventory:.cpus.is.1,.approved 0" ;;
        hang | dead) echo "UNKNOWN . 0" ;;
    esac
}

# judge CASE NODE FOLDER: its line
judge() {
    local verdicts why lost
    read -r verdicts why lost < <(wanted "$1")
    jq -c --arg case "$1" --arg node "$2" --arg verdicts "^($verdicts)\$" --arg why "$why" --argjson lost "$lost" '
        def said: .node + " " + .verdict + (if .metric != "" then " " + .metric + " " + (-.loss_percent | round | tostring) + " %"
            elif .text != "" then " " + .text else "" end);
        def named: .verdict | IN("SUSPECT", "UNKNOWN", "SLOW", "FAULTY");
        [.verdicts[] | select(named)] as $named | ([.verdicts[] | select(.node == $node)][0]) as $it |
        ([.operating_point[] | select(.metric | test($why)) | .blind_percent // 100] | min) as $blind |
        {case: $case, node: (if $case == "nothing" then null else $node end), said: [.verdicts[] | select(.verdict != "GOOD") | said],
         blind: [.operating_point[] | {metric, noise: .noise_percent, blind: .blind_percent, history}],
         judged: (
            if ($case == "nothing") then (if $named == [] then "right" else "wrong" end)
            elif ([$named[] | select(.node != $node)] != []) then "wrong"
            elif ($it.verdict | test($verdicts)) and ($it.metric + " " + $it.text | test($why)) then "right"
            elif ($it | named) then "wrong"
            elif ($it.verdict | IN("TRANSIENT", "INCONCLUSIVE", "SYSTEM")) then "abstained"
            elif $lost > 0 and ($blind == null or $blind >= $lost) then "abstained" # no metric sees so little
            else "wrong" end)}' "$3/page"
}

# once CASE REPEAT: unless it was made before
once() {
    local to=$folder/$1-$2 node code=0 hook=
    node=n$((2 + ($(printf %s "$1" | cksum | cut -d' ' -f1) + $2) % 3)) # n1 runs the job's script
    [ ! -s "$to/line" ] || return 0
    rm -rf "$to"; site "$to"
    cp history/values.jsonl history/baseline.jsonl "$to/"
    case $1 in
        memory) hook="$node slow=memory.triad:25" ;;
        flip) hook="$node flip=1:31007" ;;
    esac
    echo "real.sh: $1-$2 on $node" >&2
    if do_it "$1" "$node"; then
        # shellcheck disable=SC2046
        HPCAI500_NODE_TEST=$hook measure "$to" $(options "$1" "$node") || code=$?
    else
        code=99
    fi
    [ "$1" != dead ] || "$lab" start "$node" > /dev/null
    end_all n1 n2 n3 n4
    wait
    await 5 idle || { echo "real.sh: the nodes are not idle after $1" >&2; exit 3; }
    if [ $code = 99 ]; then
        jq -cn --arg case "$1" --arg node "$node" '{case: $case, node: $node, judged: "skipped", said: ["this machine cannot do that"]}'
    elif [ -s "$to/page" ]; then judge "$1" "$node" "$to"
    else
        jq -cn --arg case "$1" --arg node "$node" --arg said "$(tail -n 1 "$to/talk")" \
            '{case: $case, node: $node, judged: "wrong", said: ["no page: " + $said]}'
    fi > "$to/line.new"
    mv "$to/line.new" "$to/line"
}
idle() { [ -z "$(squeue -h)" ] && [ "$(sinfo -h -p main -t idle -o %D)" = 4 ]; }

late() { [ $((SECONDS - begun)) -ge $((60 * ${MINUTES:-100000})) ]; }

await 5 idle
site "$folder/history"
for ((k = 1; k <= history; k++)); do
    [ ! -e "history/made-$k" ] || continue
    late && break
    echo "real.sh: history $k of $history" >&2
    measure "$folder/history" --only="$speed" --calls=300 || [ $? -le 2 ] || { tail -n 3 history/talk >&2; exit 3; }
    touch "history/made-$k"
done
if [ ! -s history/baseline.jsonl ] && [ -e "history/made-$history" ]; then
    hpcai500 baseline approve --yes --note="contrib/evidence/real.sh" --conf="$folder/history/conf" >&2
fi
if [ -s history/baseline.jsonl ]; then
    for ((k = 1; k <= repeats; k++)); do
        for case in "${cases[@]}"; do
            late && break 2
            once "$case" "$k"
            [ "$case" != nothing ] || once nothing "$((1000 + k))"
        done
    done
fi

cat ./*/line > lines 2> /dev/null || true
jq -rs --argjson cases "$(printf '%s\n' "${cases[@]}" | jq -R . | jq -cs .)" '
    . as $all | def count(j): [.[] | select(.judged == j)] | length;
    "| done to one node | scenarios | right | abstained | wrong | what was said |", "|---|---|---|---|---|---|",
    ($cases[] as $c | [$all[] | select(.case == $c)] |
        "| \($c) | \(length) | \(count("right")) | \(count("abstained")) | \(count("wrong")) | \([.[] | .judged as $j |
            (if $j == "right" then "" else $j + ": " end) + (.said | join("; "))] | unique | join(" / ")) |"),
    "| all | \(length) | \(count("right")) | \(count("abstained")) | \(count("wrong")) | \(count("skipped")) skipped |", "",
    "| metric | noise of a node, % | blind spot, % | history |", "|---|---|---|---|",
    ([$all[] | select(.case == "nothing")][0].blind // [] | .[] |
        "| \(.metric) | \(.noise // 0 | 10 * . | round / 10) | \(.blind // 0 | 10 * . | round / 10) | \(.history) |")' lines
[ "$(cat lines | wc -l)" -lt $((repeats * (${#cases[@]} + 1))) ] || whole=1
! jq -es 'map(select(.judged == "wrong")) != []' lines > /dev/null
