#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# bats file_tags=mpi
# Operators as micro benchmarks by mpirun on this host: plans, rows, a flipped bit, what
# a killed run keeps, what show makes of it. No rate is asserted.

load mpi.bash
load ../await

agent=$top_builddir/agent/hpcai500-agent
operators=conv+deconv+pool+gemm+attention+norm+act+loss+optimizer

setup() { dir=$(mktemp -d); cd "$dir" || return 1; }
teardown() { rm -rf "$dir"; }

record() { ls "$dir"/*[0-9].json; }
valid() { top_srcdir=$top_srcdir /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" "$1"; }

@test "plans: shapes of the networks in tiny, all published ones in standard" {
    run "$agent" --dry-run "$operators,class=tiny"
    [ "$status" -eq 0 ]
    [[ "$output" == *"workload  conv, class tiny: "*" rows of 5 samples: 2 shapes, by direction"* ]]
    [[ "$output" == *"workload  optimizer, class tiny: "* ]]
    run "$agent" --dry-run "gemm,class=standard"
    [[ "$output" =~ "gemm, class standard: "([0-9]+)" rows of 40 samples: "([0-9]+)" shapes" ]]
    [ "${BASH_REMATCH[2]}" -gt 223 ] # DeepBench's, and the networks'
    [ -z "$(ls "$dir")" ]
}

@test "rows on two ranks: checked, by shape, precision and direction, in an order of the seed" {
    ranks 2 "$agent" "deconv+loss+optimizer,class=tiny,out=$dir"
    R=$(record)
    valid "$R"
    jq -e '.status == "complete" and .valid and all(.micro[]; .status == "SKIPPED" or
        (.status == "OK" and .checked and .ranks == 2 and .median > 0 and .bytes > 0 and
         (.found_in | test("^[a-z]+(/[a-z0-9]+)? [0-9]+")) and (.unit == "FLOP/s") == (.flop > 0)))' "$R"
    jq -e '[.micro[] | select(.name == "deconv" and .dtype == "f32") | .direction] ==
        ["forward", "backward_data", "backward_weights"]' "$R"
    jq -e '[.micro[] | [.name, .what, .shape, .dtype, .direction]] | length == (unique | length)' "$R"
}

@test "a flipped bit in the library's result is FAULTY, and the run is not valid" {
    flip=$top_builddir/tests/agent/agent-flip
    [ -x "$flip" ] || skip "built without oneDNN"
    run ranks 1 "$flip" "gemm,class=tiny,out=$dir"
    [ "$status" -eq 1 ]
    [[ "$output" == *"gemm dense 128x1760 1760: FAULTY: rank 0 on "*" computed "*" wrong number"* ]]
    R=$(record)
    valid "$R"
    jq -e '(.valid | not) and ([.micro[] | select(.dtype == "f32") | .status] == ["FAULTY", "FAULTY"]) and
        all(.micro[]; .median > 0 or .status == "SKIPPED") and
        (.reasons.valid | test("gemm dense 128x1760 1760: rank 0 on"))' "$R"
}

# here: the agent's ranks of this test's folder
here() {
    local q
    for q in $(pgrep -f "^$agent"); do
        [ "$(readlink "/proc/$q/cwd")" != "$dir" ] || echo "$q"
    done
}

has_row() { grep -qs '"event":"micro"' "$dir"/*.journal/00000; }

@test "a run that is killed keeps the rows it had" {
    LIMIT=300 ranks_alive 2 "$agent" "conv,class=small,out=$dir" >log 2>&1 &
    await 3 has_row
    kill -KILL "$(here | tail -n 1)"
    wait || true
    R=$(record)
    valid "$R"
    jq -e '.status != "complete" and (.valid | not) and (.micro | length > 0) and
        all(.micro[]; .name == "conv" and (.samples | length > 0 or .status == "SKIPPED"))' "$R"
}

@test "show: rate, traffic, share of the peak that machine measured in the same run" {
    ranks 1 "$agent" "loss+gemm,class=tiny,out=$dir"
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    show=$top_builddir/reports/tools/hpcai500
    run "$show" show "$(record)"
    [ "$status" -eq 0 ]
    [[ "$output" =~ "gemm           shape                     type th       median    traffic of peak" ]]
    [[ "$output" =~ "  dense fwd    128x1760 1760             f32 " ]]
    [[ "$output" =~ FLOP/s" "+[0-9.]+" "[kMG]B/s" "+-$'\n' ]]
    # a peak of twice as much: half of it
    jq '(.micro[] | select(.name == "gemm" and .dtype == "f32" and .direction == "forward")) as $m |
        .micro += [$m + {name: "machine", what: "peak", direction: "none", median: (2 * $m.median)}]' \
        "$(record)" >peak.json
    run "$show" show peak.json
    [ "$status" -eq 0 ]
    [[ "$output" =~ "  dense fwd    128x1760 1760             f32 "[^$'\n']*" 50 %" ]]
}
