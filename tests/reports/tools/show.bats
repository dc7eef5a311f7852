#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500: the dispatcher, show and recover, on a gallery of records.

load ../../no

setup_file() {
    export GALLERY=$(mktemp -d)
    "$top_builddir/tests/reports/record/make_records" "$GALLERY" >"$GALLERY/list"
}

teardown_file() {
    rm -r "$GALLERY"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    export HPCAI500_SPOOL=$BATS_TEST_TMPDIR/nospool
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/noreader" > "$BATS_TEST_TMPDIR/conf"
    export HPCAI500_CONF=$BATS_TEST_TMPDIR/conf
    hpcai500=$top_builddir/reports/tools/hpcai500
    cd "$BATS_TEST_TMPDIR"
}

# Screen of $1 record: at most $2 lines of 80 columns, no control character.
fits() {
    run "$hpcai500" show "$1"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -le "$2" ]
    [ -z "$(LC_ALL=C.UTF-8 awk 'length > 80' <<<"$output")" ]
    LC_ALL=C no grep -q "$(printf '[\001-\010\013-\037\177]')" <<<"$output"
}

@test "the commands are listed, and a wrong one gets the nearest" {
    run "$hpcai500" help
    [ "$status" -eq 0 ]
    [[ "$output" == *"show       print a record"* ]]
    run "$hpcai500"
    [ "$status" -eq 2 ]
    run "$hpcai500" shwo x
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500: there is no command 'shwo'; the nearest is 'show'" ]
    run "$hpcai500" ../../bin/sh
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500: there is no command '?'; \`hpcai500 help\` lists them" ]
    run "$hpcai500" --version
    [[ "$output" == "hpcai500 "*"("*")" ]]
}

@test "a command gets its arguments, and its exit status comes back" {
    mkdir first second
    printf '#!/bin/sh\necho "$#:$1:$2"\nexit 7\n' >second/hpcai500-probe
    printf 'no program' >first/hpcai500-broken
    chmod +x second/hpcai500-probe
    HPCAI500_EXEC_PATH=$PWD/first:$PWD/second run "$hpcai500" probe 'a b' -c
    [ "$status" -eq 7 ]
    [ "$output" = "2:a b:-c" ]
    HPCAI500_EXEC_PATH=$PWD/first:$PWD/second run "$hpcai500" help
    [[ "$output" == *"  probe"* ]]
    [[ "$output" != *broken* ]]
}

@test "a complete record is one screen, as in the golden file" {
    fits "$GALLERY/lab-4711.0.3.json" 45
    diff "$top_srcdir/tests/reports/tools/golden/show" - <<<"$output"
}

@test "tokens/s of a network that has tokens, and MFU where a peak was measured" {
    jq '.workloads[0].performance.tokens_per_second = 12800' "$GALLERY/lab-4711.0.3.json" >lab-4711.0.3.json
    run "$hpcai500" show lab-4711.0.3.json
    [[ "$output" == *$'\n  use         12.8 k tokens/s, MFU 37.5 %, of 8.61 GFLOP/s a rank (yardstick)\n'* ]]
    jq '.workloads[0].performance.mfu = null' lab-4711.0.3.json >x && mv x lab-4711.0.3.json
    run "$hpcai500" show lab-4711.0.3.json
    [[ "$output" == *$'\n  use         12.8 k tokens/s\n'* ]]
    jq '.workloads[0].performance |= del(.mfu, .tokens_per_second)' lab-4711.0.3.json >x && mv x lab-4711.0.3.json
    run "$hpcai500" show lab-4711.0.3.json
    [ "$status" -eq 0 ]
    [[ "$output" != *"  use  "* ]]
}

@test "show --why: the slowest path, its parts sum to the step" {
    run "$hpcai500" show --why "$GALLERY/lab-4711.0.3.json"
    [[ "$output" == *$'\n      of it       input 29 %, compute 71 %\n'* ]] # the evaluation
    [[ "$output" == *"slowest rank's processor 0.75 of its start; convolution 1.8 ms of CPU"* ]]
    [ "$status" -eq 0 ]
    [[ "$output" == *"slowest path of 127 steps, a mean step of 62 ms:"* ]]
    awk '/slowest path/ { on = 1; next } /clocks compared/ { on = 0 } on { sum += $(NF - 1) } END { exit !(sum > 99.7 && sum < 100.3) }' <<<"$output"
    [[ "$output" == *"clocks compared by ping-pong, +- "* ]]
    [[ "$output" == *$'\n    in training, 1600 sums, messages of 8.19 kB to 262 kB:\n      a message 100 us (50 to 200), bytes at 200 MB/s (41 to 200 %)\n      slowest to rank 2 on n1, 65.5 MB/s at least\n'* ]]
    [[ "$output" == *"change    it stays while it takes at least 10 % of a step (now 25 %)"* ]]
    [[ "$output" == *$'\n      wire +- 4 us by them; without clocks it is 3.1 ms\n'* ]]
    [[ "$output" == *"witnesses: the steps' parts alone, so it is not confirmed"* ]]
    # what else was measured is beside it, with its interval
    jq '.workloads[0].why.confirmed = true | .workloads[0].ablation = {rounds: 8, dropped: 0, steps: 16, arms: [
        {name: "base", gain: 0, low: 0, high: 0, noisy: false},
        {name: "empty_exchange", gain: 0.214, low: 0.183, high: 0.25, noisy: false},
        {name: "data_from_memory", gain: 0.02, low: -0.1, high: 0.14, noisy: true}]}' "$GALLERY/lab-4711.0.3.json" >lab-4711.0.3.json
    run "$hpcai500" show --why lab-4711.0.3.json
    echo "$output"
    [[ "$output" == *$'and an ablation that agrees\n      empty exchange: 21 % shorter (18 to 25)\n      data from memory: 2 % shorter (-10 to 14); noise hides it\n'* ]]
    # sums inside the network are of the wire, no further part of the step
    jq '.workloads[0].path |= (.met_seconds = .wire_seconds / 2)' "$GALLERY/lab-4711.0.3.json" >lab-4711.0.3.json
    run "$hpcai500" show --why lab-4711.0.3.json
    echo "$output"
    [[ "$output" =~ wire\ +3\.9\ ms\ +6\.[23]\ %$'\n        batch norm\'s sums '\ +2\.0\ ms\ +3\.1\ % ]]
    no grep -qE '^ +met ' <<<"$output"
    # a record without it is shown all the same
    jq 'del(.workloads[0].why, .workloads[0].path)' "$GALLERY/lab-4711.0.3.json" >lab-4711.0.3.json
    run "$hpcai500" show --why lab-4711.0.3.json
    [ "$status" -eq 0 ]
    [[ "$output" != *"slowest path"* ]]
}

# slower JOB NODE: a record of that job, which began as many minutes later, that suspects the node
slower() {
    jq -c --argjson job "$1" --arg node "$2" '.id = "lab-\($job).0.3" | .job.job_id = $job |
        .time.start = "2026-11-22T19:\($job - 4700):57.000Z" | .workloads[0].why |= (
            .cause = "node_was_slower" | .node = $node | .verdict = "\($node) was slower in this run; of the whole run: evaluation (40 %)" |
            .why = "of a step of 62.5 ms: it took 25 %" |
            .causes = [{cause: "node_was_slower", node: $node, suspect: "slow_node", share: 0.25}])' \
        "$GALLERY/lab-4711.0.3.json" > "lab-$1.0.3.json"
}

@test "a node that was slower is a slow node when two of three runs say it" {
    slower 4711 n2
    run "$hpcai500" show --why lab-4711.0.3.json
    echo "$output"
    [[ "$output" == *"limit       n2 was slower in this run; of the whole run: evaluation (40 %)"* ]]
    words=$(tr -s ' \n' ' ' <<<"$output")
    [[ "$words" == *"no earlier run is like it, so nothing can be compared"* ]]
    [[ "$words" == *"two of three runs like this one that name the node make it a slow node"* ]]
    # another node, another class, a run that came later: none of them says it of n2
    slower 4710 n1
    slower 4709 n2; jq -c '.workloads[0].class = "small"' lab-4709.0.3.json > x; mv x lab-4709.0.3.json
    slower 4712 n2
    run "$hpcai500" show lab-4711.0.3.json
    echo "$output"
    [[ "$output" == *"limit       n2 was slower in this run"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; 1 of the last 2 runs like this one name it"* ]]
    slower 4708 n2
    "$hpcai500" show --json lab-4711.0.3.json | cmp - lab-4711.0.3.json # the record stays as it is
    run "$hpcai500" show lab-4711.0.3.json
    echo "$output"
    [[ "$output" == *"limit       slow node n2: processor; of the whole run: evaluation (40 %)"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; 2 of the last 3 runs like this one name it next repeat the run without this node;"* ]]
}

# need_history: $make_history, and folders for the site's archive and a user's own records
need_history() {
    make_history=$top_builddir/tests/reports/history/make_history
    [ -x "$make_history" ] || skip "built without a history"
    mkdir own archive
}

@test "the site's history says it, too" {
    need_history
    slower 4708 n2; slower 4710 n1; slower 4711 n2
    "$make_history" site.sqlite archive 0 lab-4708.0.3.json lab-4710.0.3.json lab-4711.0.3.json
    mv lab-4711.0.3.json own; rm lab-*
    cd own
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/site.sqlite" "$BATS_TEST_TMPDIR/noreader" > "$HPCAI500_CONF"
    run "$hpcai500" show lab-4711.0.3.json
    echo "$output"
    [[ "$output" == *"limit       slow node n2: processor"* ]]
    # the run itself is in the history, too, and is no repeat of itself
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/own.sqlite" "$BATS_TEST_TMPDIR/noreader" > "$HPCAI500_CONF"
    "$make_history" ../own.sqlite ../archive 0 lab-4711.0.3.json
    run "$hpcai500" show lab-4711.0.3.json
    [[ "$output" == *"limit       n2 was slower in this run"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; no earlier run is like it"* ]]
}

# computed FILE RATIO: in that record n2 computed so many times as long as the median rank
computed() {
    jq -c --argjson ratio "$2" '.workloads[0].phases.compute |= (.median_seconds = 10 |
        .worst = [{rank: 3, node: "n2", seconds: (10 * $ratio)}])' "$1" > x
    mv x "$1"
}

# earlier JOB RATIO: a record of that job, which suspects nobody
earlier() {
    slower "$1" n2
    jq -c '.workloads[0].why |= (.cause = "processor" | .node = null | .causes = [])' "lab-$1.0.3.json" > x
    mv x "lab-$1.0.3.json"
    computed "lab-$1.0.3.json" "$2"
}

@test "a node's own history makes it a slow node: five runs, and more than chance" {
    for job in 4706 4707 4708 4709; do earlier "$job" "1.0${job#470}"; done
    slower 4720 n2
    computed lab-4720.0.3.json 1.3
    run "$hpcai500" show lab-4720.0.3.json
    [[ "$output" == *"limit       n2 was slower in this run"* ]]
    earlier 4710 1.04
    run "$hpcai500" show lab-4720.0.3.json
    echo "$output"
    [[ "$output" == *"limit       slow node n2: processor"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; 1 of the last 3 runs like this one name it; it computes 22 % longer than in its 5 runs before"* ]]
    # what it always did is no news
    for job in 4706 4707 4708 4709 4710; do earlier "$job" 1.3; done
    run "$hpcai500" show lab-4720.0.3.json
    [[ "$output" == *"limit       n2 was slower in this run"* ]]

    # at equal processor: hosts whose speed moves by 10 % hide 15 % until it is divided out
    unequal() { # JOB RATIO YARDSTICK's
        earlier "$1" "$2"
        jq -c --argjson y "$3" '.workloads[0].yardstick |= (.cpu.mean_seconds = (3 + $y) / 4 |
            .of_slowest = [{rank: 3, node: "n2", seconds: $y}])' "lab-$1.0.3.json" > x
        mv x "lab-$1.0.3.json"
    }
    suspects() { jq -c '.workloads[0].why |= (.cause = "node_was_slower" | .node = "n2" |
        .causes = [{cause: "node_was_slower", node: "n2", suspect: "slow_node", share: 0.25}])' "$1" > x; mv x "$1"; }
    n=0; for ratio in 1 1.1 0.9 1.05 0.95; do unequal $((4706 + n++)) "$ratio" "$ratio"; done
    unequal 4720 1.15 1
    suspects lab-4720.0.3.json
    run "$hpcai500" show lab-4720.0.3.json
    echo "$output"
    [[ "$output" == *"limit       slow node n2: processor"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; at equal processor it computes 15 % longer than in its 5 runs before"* ]]
    unequal 4720 1.15 1.15
    suspects lab-4720.0.3.json
    run "$hpcai500" show lab-4720.0.3.json
    echo "$output"
    [[ "$output" == *"limit       n2 was slower in this run"* ]]

    # the same from the site's history
    need_history
    mkdir even
    unequal 4720 1.15 1
    suspects lab-4720.0.3.json
    "$make_history" even.sqlite even 0 lab-47*.json
    mv lab-4720.0.3.json own
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/even.sqlite" "$BATS_TEST_TMPDIR/noreader" > "$HPCAI500_CONF"
    run bash -c "cd own && '$hpcai500' show lab-4720.0.3.json"
    echo "$output"
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"; at equal processor it computes 15 % longer than in its 5 runs before"* ]]
    mv own/lab-4720.0.3.json .
    slower 4720 n2
    computed lab-4720.0.3.json 1.3
    for job in 4706 4707 4708 4709 4710; do earlier "$job" "1.0${job#47}"; done
    "$make_history" site.sqlite archive 0 lab-47*.json
    mv lab-4720.0.3.json own; rm lab-*
    cd own
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/site.sqlite" "$BATS_TEST_TMPDIR/noreader" > "$HPCAI500_CONF"
    run "$hpcai500" show lab-4720.0.3.json
    echo "$output"
    [[ "$output" == *"limit       slow node n2: processor"* ]]
    run "$hpcai500" history --json --job=4720
    echo "$output"
    [[ "$output" == *"slow node n2: processor"* ]]
    # speed at equal processor is a metric: samples in the time of one convolution
    run "$hpcai500" history --json --metric=samples_per_yardstick --job=4720
    echo "$output"
    [ "$(jq '.rows[0].value * 1e6 | round' <<<"$output")" = "$(jq '.workloads[0] | .performance.samples_per_second * .yardstick.cpu.mean_seconds * 1e6 | round' lab-4720.0.3.json)" ]
}

@test "qualities beside the primary one have a line each; a record of 1.0.0 has none" {
    of() { jq "$1" "$GALLERY/lab-4711.0.3.json" > lab-4711.0.3.json; run "$hpcai500" show lab-4711.0.3.json; [ "$status" -eq 0 ]; }
    of '.workloads[0].quality.others[0].target = 0.4 | .workloads[0].quality.others[0].higher_is_better = true |
        .workloads[0].quality.others[1] |= (.name = "iou_pit" | .value = 0.61)'
    [[ "$output" == *$'\n              rmse 0.42, higher is better; target 0.4, reached\n'* ]]
    [[ "$output" == *$'\n              iou_pit 0.61, higher is better\n'* ]]
    of '.workloads[0].quality.others[0].target = 0.4 | del(.reasons["workloads[0].quality.others[1].value"])'
    [[ "$output" == *$'\n              rmse 0.42, lower is better; target 0.4, NOT reached\n'* ]]
    [[ "$output" == *$'\n              accuracy not measured: the record does not say why\n'* ]]
    of '.schema_version = "1.0.0" | del(.workloads[0].quality.others)'
    no grep -q "rmse\|accuracy" <<<"$output"
    of '.workloads[0].quality.others = [range(500) | {name: "n\(.)", value: ., target: null, higher_is_better: true}]'
    [ "$(grep -c 'higher is better' <<<"$output")" -eq 8 ]
}

@test "records of every kind fit the screen and never steer the terminal" {
    for record in "$GALLERY"/*[0-9].json; do
        fits "$record" 45
    done
    run "$hpcai500" show "$GALLERY/lab-4000_7.0.3.json"
    [[ "$output" == *"nodes perhaps shared"* ]]
    run "$hpcai500" show "$GALLERY/lab-4713.0.3.json"
    [[ "$output" == *"complete, not valid"* ]]
    [[ "$output" == *"not valid: cosmoflow: the loss is not finite in epoch 3;"* ]]
    run "$hpcai500" show --reasons "$GALLERY/lab-4713.0.3.json"
    [[ "$output" == *"  the value is not finite"*"      workloads[0].quality.achieved"* ]]
    [ "$(grep -c '^  the value is not finite' <<<"$output")" -eq 1 ]
}

@test "--json is the record itself" {
    "$hpcai500" show --json "$GALLERY/lab-4711.0.3.json" >out
    cmp out "$GALLERY/lab-4711.0.3.json"
}

@test "a job is found in --dir, the working folder and the spool" {
    run "$hpcai500" show 4711
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 show: no record of job 4711 in the working folder or the spool; no history at $PWD/none: No such file or directory" ]
    run "$hpcai500" show --dir="$GALLERY" 4711
    [ "$status" -eq 0 ]
    run "$hpcai500" show --dir="$GALLERY" 47
    [ "$status" -eq 3 ]
    run "$hpcai500" show --dir="$GALLERY" 4000_7
    [ "$status" -eq 0 ]
    mkdir -p spool/jobs/n1/4711
    cp "$GALLERY/lab-4711.0.3.json" spool/jobs/n1/4711/
    HPCAI500_SPOOL=$PWD/spool run "$hpcai500" show 4711.0.3
    [ "$status" -eq 0 ]
    jq -c '.id = "lab-4711.0.4" | .job.step_id = "4" | .time.end = "2026-11-22T20:00:00.000Z"' "$GALLERY/lab-4711.0.3.json" > lab-4711.0.4.json
    jq -c '.id = "lab-4711.0.5" | .job.step_id = "5"' "$GALLERY/lab-4711.0.3.json" > lab-4711.0.5.json
    run "$hpcai500" show 4711
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "hpcai500 show: 2 runs of 4711, this is the latest: ./lab-4711.0.4.json" ]
    run "$hpcai500" show lab-4711.0.5
    [ "$status" -eq 0 ]
}

@test "what is not a record is refused in one sentence" {
    mkfifo fifo.json
    run timeout 300 "$hpcai500" show ./fifo.json
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 show: ./fifo.json is not a regular file" ]
    ln -s "$GALLERY/lab-4711.0.3.json" link.json
    run "$hpcai500" show ./link.json
    [ "$output" = "hpcai500 show: ./link.json is a symbolic link; name the file itself" ]
    run "$hpcai500" show ./none.json
    [ "$output" = "hpcai500 show: ./none.json: No such file or directory" ]
    run "$hpcai500" show
    [ "$status" -eq 2 ]
    run "$hpcai500" show --frobnicate x
    [ "$status" -eq 2 ]
    for seed in "$top_srcdir"/tests/reports/record/corpus/record/*; do
        run "$hpcai500" show "$seed"
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
        [ "$status" -eq 0 ] || [ "${#lines[@]}" -eq 1 ]
    done
}

@test "colours on a terminal only, and not with NO_COLOR" {
    command -v script >/dev/null || skip "no script(1) to play a terminal"
    run env -u NO_COLOR TERM=xterm script -qec "$hpcai500 show $GALLERY/lab-4711.0.3.json" /dev/null
    [[ "$output" == *$'\033[1;32mcomplete, valid'* ]]
    run env NO_COLOR=1 TERM=xterm script -qec "$hpcai500 show $GALLERY/lab-4711.0.3.json" /dev/null
    [[ "$output" != *$'\033'* ]]
    run "$hpcai500" show "$GALLERY/lab-4711.0.3.json"
    [[ "$output" != *$'\033'* ]]
}

@test "journals become a partial record that names rank and node" {
    cp -r "$GALLERY/lab-4715.0.3.journal" .
    run "$hpcai500" recover lab-4715.0.3.journal/
    [ "$status" -eq 0 ]
    [ "$output" = ./lab-4715.0.3.json ]
    fits ./lab-4715.0.3.json 40
    [[ "$output" == *"partial, not valid"* ]]
    [[ "$output" == *"rank 2 on n3: no answer for 60 s in compute"* ]]
    run "$hpcai500" recover lab-4715.0.3.journal
    [ "$status" -eq 3 ]
    [[ "$output" == *"exists already and was not replaced" ]]
    run "$hpcai500" recover nothing.journal
    [ "$output" = "hpcai500 recover: nothing.journal: No such file or directory" ]
    run "$hpcai500" recover
    [ "$status" -eq 2 ]
}
