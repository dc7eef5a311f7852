#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# bats file_tags=mpi
# The run `validate` on this host, which is one node: lines, rows, verdicts. No rate is
# asserted.

load mpi.bash

agent=$top_builddir/agent/hpcai500-agent
tested=$top_builddir/tests/workloads/node/hpcai500-node-test

setup() { dir=$(mktemp -d); cd "$dir" || return 1; unset SLURMD_NODENAME; name=$(uname -n); name=${name%%.*}; }
teardown() { rm -rf "$dir"; }

valid() { top_srcdir=$top_srcdir /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" "$1"; }

@test "a plan says which nodes, and how long; all does not have it" {
    run ranks 2 "$agent" --dry-run "validate,profile=quick,budget=5s"
    [ "$status" -eq 0 ]
    [[ "$output" == *"workload  validate, class "*": 1 node, profile quick: numbers, speed, links"* ]]
    [[ "$output" != *cosmoflow* ]]
    run ranks 1 "$agent" --dry-run all,class=tiny
    [[ "$output" != *"workload  validate"* ]]
}

@test "a node alone: its line as it comes, its rows, and no verdict that it cannot have" {
    ranks 2 "$agent" "validate,profile=quick,budget=2s,out=$dir" > lines 2> talk || { cat talk; false; }
    record=$(ls "$dir"/*[0-9].json)
    [ "$(wc -l < lines)" = 1 ]
    [ "$(wc -c < lines)" -le 4096 ]
    jq -e --arg n "$name" '.hpcai500 == "node 1" and .node == $n and .profile == "quick" and .round == 0 and
        (.values | has("clock"))' lines
    valid "$record"
    jq -e --arg n "$name" '.status == "complete" and .valid and all(.micro[]; .name == "validate") and
        (.micro[] | select(.what == "good") | .median == 0) and
        (.micro[] | select(.what == "verdict") | .from == $n and (.shape | test("^INCONCLUSIVE"))) and
        (.micro[] | select(.what == "clock") | .median > 0 and .ranks == 1)' "$record"
}

@test "--json keeps standard output for the record" {
    ranks 1 "$agent" --json "validate,profile=quick,budget=1s,out=none" > out 2> talk || { cat talk; false; }
    jq -e '[.micro[].what] == ["good", "blind"]' out
}

@test "a wrong number is FAULTY by its core; a program that says nothing is UNKNOWN" {
    printf '#!/bin/sh\nexec "%s" "$@" --only=correct --calls=60\n' "$tested" > fewer
    chmod 755 fewer
    code=0
    HPCAI500_NODE_TEST="$name flip=0:57" HPCAI500_NODE_PROGRAM=$dir/fewer \
        ranks 1 "$agent" "validate,profile=quick,out=$dir/r.json" > lines 2> talk || code=$?
    cat talk
    [ "$code" = 1 ]
    jq -e --arg n "$name" '.micro[] | select(.what == "verdict") | .shape == "FAULTY" and .status == "FAULTY" and .from == $n and
        (.reason | test("correct: .*1 of 60 results differ"))' r.json
    grep -q 'some FAULTY' talk
    HPCAI500_NODE_PROGRAM=/bin/false ranks 1 "$agent" "validate,out=$dir/s.json" 2> talk || { cat talk; false; }
    jq -e '.micro[] | select(.what == "verdict") | .shape == "UNKNOWN" and .status == "SKIPPED" and
        (.reason | test("no line: it ended with 1"))' s.json
}

@test "a program that hangs ends with the run's time" {
    printf '#!/bin/sh\nsleep 600\n' > hangs
    chmod 755 hangs
    HPCAI500_NODE_PROGRAM=$dir/hangs ranks 2 "$agent" "validate,time=10s,out=$dir/r.json" 2> talk || code=$?
    jq -e '.micro[] | select(.what == "verdict") | .shape == "UNKNOWN" and (.reason | test("told to end"))' r.json
}
