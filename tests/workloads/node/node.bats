#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500-node: one line of JSON, whatever is wrong; a bit that flips is found, on its core.

setup() {
    top_builddir=${top_builddir:-$PWD}
    node=$top_builddir/agent/node/hpcai500-node
    flipping=$top_builddir/tests/workloads/node/hpcai500-node-test
    export SLURMD_NODENAME=n1
    cpu=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
}

# run_node PROGRAM OPTION...: its line in $line
run_node() {
    line=$("$@" -q)
    [ "$(wc -l <<< "$line")" = 1 ] && [ "${#line}" -lt 4096 ] && jq -e . <<< "$line" > /dev/null
}

holds() {
    local what
    for what in "$@"; do
        jq -e "$what" <<< "$line" > /dev/null || { echo "does not hold: $what in $line" >&2; return 1; }
    done
}

@test "a healthy node says so, and who it is" {
    run_node "$node" --only=correct,replica,clock --profile=quick --calls=100 --samples=2 --round=3
    holds '.hpcai500 == "node 1"' '.node == "n1"' '.round == 3' '.calls == 100' '.faults == []' \
        '.unknown == []' '.results | length == 16' '.weights | length == 16' '.cpus >= 1' \
        '.values.clock[0] > 0 and .values.clock[2] == 2' '.values["clock.slowest"][0] <= 1' \
        '.values["gemm.f32"] == null'
}

@test "a bit that flips in one call is found: the core by its number" {
    HPCAI500_NODE_TEST="n1 flip=$cpu:57" run_node "$flipping" --only=correct --calls=100
    holds '.faults | length == 1' '.faults[0].test == "correct"' \
        ".faults[0].text == \"core $cpu: 1 of 100 results differ, first in call 57\""
    # of another node: nothing
    HPCAI500_NODE_TEST="n2 flip=$cpu:57" run_node "$flipping" --only=correct --calls=100
    holds '.faults == []'
    # the program that is installed knows no such variable
    HPCAI500_NODE_TEST="n1 flip=$cpu:57" run_node "$node" --only=correct --calls=100
    holds '.faults == []'
}

@test "a disk that cannot be written and a folder in memory cost that test only" {
    run_node "$node" --only=disk,clock --profile=quick --samples=1 --folder=/nowhere
    holds '.unknown | length == 1' '.unknown[0].test == "disk"' '.values.clock[0] > 0'
    [ "$(stat -f -c %T /dev/shm)" = tmpfs ] || return 0
    run_node "$node" --only=disk --samples=1 --folder=/dev/shm
    holds '.unknown[0].text == "/dev/shm lies in memory"'
}

@test "--dry-run says what would run and what it finds; bad words are refused" {
    run "$node" --dry-run --profile=quick
    [ "$status" = 0 ]
    [[ "$output" == *"correct           3  wrong numbers of single cores"* ]]
    [[ "$output" == *"disk              0  (not run) a worn or full disk"* ]]
    run "$node" --only=disks
    [ "$status" = 2 ]
    [ "$output" = "hpcai500-node: 'disks' is not a test; --dry-run lists them" ]
    run "$node" --profile=fast
    [ "$status" = 2 ]
    [ "$output" = "hpcai500-node: --profile='fast' is not quick, standard or deep" ]
}
