#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# bats file_tags=mpi
# Micro benchmarks by mpirun on this host: rows, checks, order, time, plans. No rate is
# asserted.

load mpi.bash

agent=$top_builddir/agent/hpcai500-agent

setup() { dir=$(mktemp -d); cd "$dir" || return 1; }
teardown() { rm -rf "$dir"; }

record() { ls "$dir"/*[0-9].json; }
valid() { top_srcdir=$top_srcdir /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" "$1"; }

@test "a plan says what is measured and how long it takes" {
    run ranks 2 "$agent" --dry-run "micro,class=tiny"
    [ "$status" -eq 0 ]
    for name in machine p2p allreduce reduce_scatter allgather alltoall bcast read write meta; do
        [[ "$output" == *"workload  $name, class tiny: "* ]]
    done
    [[ "$output" == *"latency and bandwidth of 2 links of 2 ranks, 5 samples each"* ]]
    [[ "$output" == *"allreduce, class tiny: 12 rows: 4 KiB to 16 MiB"* ]]
    [[ "$output" == *"read, class tiny: 8 rows of 5 samples: 64 x 256 KiB a rank, twice, cold and warm"* ]]
    [ -z "$(ls "$dir")" ]
}

@test "p2p and collectives on three ranks: all checked, every sample in the ranks' file" {
    ranks 3 "$agent" "p2p+allreduce+bcast,class=tiny,out=$dir"
    R=$(record)
    valid "$R"
    jq -e '.status == "complete" and .valid and (.workloads == []) and all(.micro[]; .checked and .status == "OK")' "$R"
    # 6 directed links and 3 pairs; 2 sizes x 3 ways x 2 rhythms; 2
    jq -e '[.micro[] | select(.name == "p2p" and (.shape | test("^rank . > rank .$")))] | length == 9' "$R"
    jq -e '[.micro[] | select(.name == "allreduce")] | length == 12 and ([.[].position] | sort) == [range(1; 13)]' "$R"
    jq -e '[.micro[] | select(.name == "bcast")] | length == 2 and all(.[]; .what == "library")' "$R"
    # busbw = bytes / median x 2 (n-1)/n, and bytes / median
    jq -e 'def near(a; b): (a - b | if . < 0 then -. else . end) <= 1e-9 * b;
        all(.micro[] | select(.name == "allreduce"); near(.busbw_bytes_per_second; .bytes / .median * 4 / 3)) and
        all(.micro[] | select(.name == "bcast"); near(.busbw_bytes_per_second; .bytes / .median))' "$R"
    zcat "${R%.json}.ranks.json.gz" > all.json
    jq -e '[.micro[] | .samples_taken] == [.micro[] | [.ranks[].samples | length] | add // 0]' all.json
    jq -e --slurpfile r "$R" '(.micro | length) == ($r[0].micro | length)' all.json
}

@test "the order of the rows is the seed's" {
    for seed in 1 2 1; do
        ranks 2 "$agent" "allreduce,class=tiny,seed=$seed,out=$dir/$seed-$((n += 1)).json"
    done
    order() { jq -c '[.micro[] | .position]' "$dir/$1.json"; }
    [ "$(order 1-1)" = "$(order 1-3)" ]
    [ "$(order 1-1)" != "$(order 2-2)" ]
}

@test "one rank has no link, and says so" {
    ranks 1 "$agent" "p2p,class=tiny,out=$dir"
    jq -e '.valid and (.micro | length == 1) and .micro[0].status == "SKIPPED" and
        .micro[0].reason == "there is one rank, and so no link" and .micro[0].median == null' "$(record)"
}

@test "when time is over the record is partial and holds what was measured" {
    run ranks 1 "$agent" "machine,class=small,time=6s,out=$dir"
    [ "$status" -eq 4 ]
    jq -e '.status == "partial" and (.valid | not) and (.micro | length > 0) and
        (.reasons.status | test("machine: [0-9]+ of [0-9]+ measurements: time= was over"))' "$(record)"
}
