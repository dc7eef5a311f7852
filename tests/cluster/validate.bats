#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 validate on four real nodes: jobs, lines, rounds, verdicts, their files.
#
# All nodes share this machine's cores and take turns. What is asserted of speed is a node
# that a quota holds to a twentieth of a core; that nobody else is named is asserted of
# numbers alone, which no noise changes.

load helper

eval "$(declare -f setup | sed 's/^setup ()/helper_setup ()/')"
eval "$(declare -f teardown | sed 's/^teardown ()/helper_teardown ()/')"

setup() {
    helper_setup
    need_root
    echo "history = $OUT/history.sqlite" > conf
    build=${top_builddir:-$S/build}
    make -s -C "$build" tests/workloads/node/hpcai500-node-test > make.log 2>&1 || { cat make.log; return 1; }
}

teardown() { let_go; "$lab" start n4 > /dev/null 2>&1 || true; helper_teardown; }

group=/sys/fs/cgroup/cpu/hpcai500-validate-$HPCAI500_CLUSTER

# hold NODE: a twentieth of a core for all that its slurmd starts
hold() {
    [ -e /sys/fs/cgroup/cpu/cgroup.procs ] || skip "no cgroup v1 with the controller cpu here"
    mkdir -p "$group"
    { echo 50000 > "$group/cpu.cfs_period_us" && echo 2500 > "$group/cpu.cfs_quota_us"; } ||
        skip "the kernel takes no quota"
    cat "$S/nodes/$1/slurmd.pid" > "$group/cgroup.procs"
}

let_go() {
    local pid
    [ -d "$group" ] || return 0
    while read -r pid; do echo "$pid" > /sys/fs/cgroup/cpu/cgroup.procs || true; done < "$group/cgroup.procs"
    await 2 rmdir "$group" # a step's last process may be on its way out
}

# validate OPTION...: its page, its exit status in $code
validate() {
    code=0
    timeout -k 10 $limit "$S/prefix/libexec/hpcai500/hpcai500-validate" --nodes='n[1-4]' \
        --conf="$OUT/conf" --profile=quick --turns --spacing=0 --samples=2 --calls=100 \
        --node-program="$build/tests/workloads/node/hpcai500-node-test" \
        --agent="$S/prefix/bin/hpcai500-agent" "$@" > page 2> talk < /dev/null || code=$?
    cat talk page
}

# verdict NODE: its word in the page
verdict() { awk -v n="$1" '$1 == n && ($2 ~ /^[A-Z-]$/) { print $3; exit }' page; }
filed() { jq -r "select(.node == \"$1\") | .$2" verdicts.jsonl | tail -n 1; }

@test "four good nodes are good, by their numbers; the verdicts are filed" {
    unvalidated() { "$S/prefix/libexec/hpcai500/hpcai500-validate" unvalidated --conf="$OUT/conf" --prometheus="$OUT/metrics"; }
    run unvalidated
    echo "$output"; [ "$status" = 1 ]; [[ $output == *"WARN: 4 of 4 nodes in service have been unvalidated since their boot" ]]
    grep -qx 'hpcai500_nodes_unvalidated 4' metrics
    validate --only=correct,replica --mpi=none
    [ "$code" = 0 ]
    for n in n1 n2 n3 n4; do [ "$(verdict $n)" = GOOD ]; done
    grep -qx '4 good: OK' page
    run unvalidated
    echo "$output"; [ "$status" = 0 ]; [ "$output" = "OK: 0 of 4 nodes in service have been unvalidated since their boot" ]
    [ "$(wc -l < verdicts.jsonl)" = 4 ]
    [ "$(filed n3 verdict)" = GOOD ]; [ "$(filed n3 job)" -gt 0 ]
    [ "$(jq -s 'map(.results) | unique | length' values.jsonl)" = 1 ]
    [ "$(jq -s 'map(.calls) | unique' -c values.jsonl)" = '[100]' ]
    [ "$(awk '{ if (length > 80) print }' page | grep -vc 'all of it')" = 0 ]
    run validate --dry-run
    [ "$status" = 0 ]; [[ $output == *"sbatch --parsable "*"--nodelist=n1,n2,n3,n4"* ]]
    [ "$(wc -l < verdicts.jsonl)" = 4 ]
}

@test "a bit that flips is FAULTY by its core, a dead slurmd UNKNOWN, a held node SLOW" {
    need_nodes_of_their_own
    hold n2
    "$lab" kill n4
    HPCAI500_NODE_TEST="n1 flip=1:57" validate --only=correct,clock --json --junit=junit.xml --calls=60 --mpi=none
    [ "$code" = 2 ]
    is page '.verdicts[0].verdict == "FAULTY" and .verdicts[0].action == "ISOLATE"' \
        '.verdicts[0].text == "correct: core 1: 1 of 60 results differ, first in call 57"' \
        '.verdicts[1].verdict == "SLOW" and .verdicts[1].loss_percent > 30' \
        '.verdicts[1].rounds_percent | length >= 3' \
        '.verdicts[2].verdict != "FAULTY" and .verdicts[2].verdict != "UNKNOWN"' \
        '.verdicts[3].verdict == "UNKNOWN" and .verdicts[3].action == "RESET"' \
        '.actions | map(select(.do == "drain") | .node) | contains(["n1", "n2"])' \
        '.alarm == "CRITICAL"'
    [ "$(filed n1 verdict)" = FAULTY ]
    [[ $(filed n1 reason) == "hpcai500: correct: core 1: 1 of 60 results differ"*"(job "*")" ]]
    grep -q 'classname="n4" name="node"><error' junit.xml
    # it looked and changed nothing
    [[ $(scontrol -o show node n1) == *State=IDLE* ]]
}

@test "links are measured in one MPI step, and an ordinary user may look" {
    chmod 777 "$OUT"
    as_user "$S/prefix/libexec/hpcai500/hpcai500-validate" --nodes='n[1-2]' --conf="$OUT/conf" --folder="$OUT" \
        --profile=quick --turns --spacing=0 --only=inventory --agent="$S/prefix/bin/hpcai500-agent" --json > page || code=$?
    is page '[.operating_point[].metric] | contains(["net.out.bandwidth", "net.latency"])' \
        '[.verdicts[].verdict] | contains(["FAULTY"]) | not'
    [ -s verdicts.jsonl ]
    # and become history: both ways, and the latency
    grep '"link 1"' values.jsonl | jq -es 'map(select(.round == 0)) | length == 3 and
        (map(select(.bandwidth > 0) | .from + ">" + .to) | sort == ["n1>n2", "n2>n1"])'
}

@test "the run validate: a line of each node as it comes, verdicts in the record" {
    printf '#!/bin/sh\nexec "%s" "$@" --only=correct --calls=60\n' \
        "$build/tests/workloads/node/hpcai500-node-test" > fewer
    chmod 755 fewer
    HPCAI500_NODE_TEST="n2 flip=0:57" HPCAI500_NODE_PROGRAM="$OUT/fewer" \
        srun_ -N2 -n2 --hpcai500="validate,profile=quick,turns=yes,out=$OUT/r.json" hpcai500-agent > lines || code=$?
    [ "$code" = 1 ] # a row is FAULTY
    [ "$(grep -c '"node 1"' lines)" -ge 2 ]
    is r.json '.micro | map(select(.what == "verdict" and .from == "n2")) | .[0].shape == "FAULTY"' \
        '.micro | map(select(.what == "verdict" and .from == "n1")) | .[0].shape != "FAULTY"' \
        '.micro | map(.what) | contains(["net.out.bandwidth", "net.latency"])'
}

@test "vet: exactly one node of a batch job is left out, the worst; a vet that fails costs nothing" {
    printf '#!/bin/sh\nexec "%s" "$@" --only=correct --calls=60\n' \
        "$build/tests/workloads/node/hpcai500-node-test" > fewer
    printf '#!/bin/sh\necho "$HPCAI500_VET|$HPCAI500_NODES|$HPCAI500_SPARES|$HPCAI500_SRUN"\n%s\n%s\n' \
        'srun $HPCAI500_SRUN sh -c "echo on \$SLURMD_NODENAME" | sort' 'cat $HPCAI500_HOSTFILE' > job.sh
    chmod 755 fewer job.sh
    HPCAI500_NODE_TEST="n2 flip=0:57" HPCAI500_NODE_PROGRAM="$OUT/fewer" timeout -k 10 $limit sbatch --wait -N3 -n3 \
        --exclusive -o job.out -e job.err --hpcai500="vet,spares=1,profile=quick,turns=yes,time=2m,out=$OUT/v.json" job.sh
    cat job.err job.out
    [ "$(cat job.out)" = "$(printf '%s\n' 'ok|n1,n3|n2|-N2 -n2 -x n2' 'on n1' 'on n3' 'n1 slots=1' 'n3 slots=1')" ]
    is v.json '.micro | map(select(.what == "spare")) | length == 1 and .[0].from == "n2" and .[0].shape == "FAULTY"'
    timeout -k 10 $limit sbatch --wait -N3 -n3 -o job.out -e job.err --hpcai500="vet,spares=1,out=/nowhere/at/all/v.json" job.sh
    cat job.err job.out
    grep -qxF 'failed|n1,n2|n3|-N2 -n2 -x n3' job.out; [ "$(grep -c '^on n' job.out)" = 2 ]
}

@test "vet in an allocation prints what a script would have; its rounds are apart" {
    printf '#!/bin/sh\nexec "%s" "$@" --only=clock --samples=1\n' \
        "$build/tests/workloads/node/hpcai500-node-test" > fewer
    cat > job.sh <<'E'
eval "$(srun --cpu-bind=none "$1")"
echo "$HPCAI500_VET|$HPCAI500_NODES|$HPCAI500_SPARES|$HPCAI500_SRUN"
srun $HPCAI500_SRUN sh -c 'echo on $SLURMD_NODENAME' | sort
E
    chmod 755 fewer
    HPCAI500_NODE_TEST="n2 slow=clock:90" HPCAI500_NODE_PROGRAM="$OUT/fewer" timeout -k 10 $limit salloc -N4 -n4 \
        --exclusive --hpcai500="vet,spares=1,profile=quick,turns=yes,pause=1s,time=5m,out=$OUT/v.json" \
        bash job.sh "$S/prefix/bin/hpcai500-agent" > job.out 2> job.err < /dev/null
    cat job.err job.out
    # short: on a full machine a second node may be slow, too; the slowest one is left out
    [ "$(sed '1s/^short/ok/' job.out)" = "$(printf '%s\n' 'ok|n1,n3,n4|n2|-N3 -n3 -x n2' 'on n1' 'on n3' 'on n4')" ]
    is v.json '.micro | map(select(.what == "verdict" and .from == "n2")) | .[0].shape == "SLOW clock" and
        (.[0].reason | test("in [0-9] further rounds, 1 s apart"))'
}
