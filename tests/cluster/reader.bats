#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# An ordinary user and his own runs, on a site as installed: real agent, plugin,
# witness, collector, reader.
load helper
load ../no

setup() {
    need_root
    eval "$("$lab" env)"
    OUT=$S/shared/reader-$BATS_TEST_NUMBER
    rm -rf "$OUT"; mkdir -p "$OUT/his" "$OUT/theirs"; chmod 755 "$OUT"; chmod 1777 "$OUT"/*
    cd "$OUT/his" || return 1
    "$lab" site shared
    echo "reader = $S/run/reader" >> "$S/etc/hpcai500.conf"
    cluster=${HPCAI500_CLUSTER//-/}
    hpcai500 reader 2> "$OUT/reader.log" 3>&- 4>&- &
    reader=$!
    await 2 test -S "$S/run/reader"
    rm -rf "$S/spool/out" # what files before this one left there to be collected
    timeout 600 hpcai500 collect --once > "$OUT/collect.log" 2>&1 # the site has a history
    chmod -R o-rwx "$S/site" # as the unit's StateDirectoryMode=0750 does
}

teardown() {
    kill "$reader" && wait "$reader" || true
    "$lab" site shared
    local left; left=$(jobs -p); [ -z "$left" ] || kill $left 2> /dev/null || true
    await 2 idle
}

collect() { timeout 120 hpcai500 collect --once 2>&1; }
filed() { collect > "$OUT/collect.log"; hpcai500 history --csv --job="$1" | grep -q "$cluster-$1"; }
# his COMMAND...: as the user, in his working folder
his() { as_user bash -c 'cd "$1" && shift && exec "$@"' - "$OUT/his" "$@"; }

# One run of `nobody` in $OUT/his and one of root in $OUT/theirs, kept for all tests.
runs() {
    # root first: data that root made are believed by everybody
    cd "$OUT/theirs"
    srun_ -w n1 -n1 --hpcai500="cosmoflow,class=tiny,data=$FEW,batch=4,epochs=1" hpcai500-agent > log 2>&1 || true
    cd "$OUT/his"
    his srun -w n1 -n1 --hpcai500="cosmoflow,class=tiny,data=$FEW,batch=4,epochs=1" hpcai500-agent > log 2>&1 || true
    job=$(ls | sed -n 's/^hpcai500-\([0-9]*\)\.json$/\1/p')
    other=$(ls ../theirs | sed -n 's/^hpcai500-\([0-9]*\)\.json$/\1/p')
    ls -la . ../theirs; cat log ../theirs/log
    [ -n "$job" ] && [ -n "$other" ]
}

@test "another user's job is refused, one's own is shown, before and after it is collected" {
    runs
    no his test -r "$S/site/history.sqlite"
    # before: the copy that the run left
    run his hpcai500 show "$job"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"$cluster-$job.0.0"* ]]
    his hpcai500 export --csv "$job" | grep -q "$cluster-$job.0.0"
    run his hpcai500 verify "$job"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *"before it is collected there is nothing to compare with"* ]]
    run his hpcai500 show "$other"
    [ "$status" -eq 3 ]
    # after: from anywhere
    await 4 filed "$job"
    await 4 filed "$other"
    cp "hpcai500-$job.json" "$OUT/copy.json"
    rm ./hpcai500-*
    for word in "$job" "$job.0" "$job.0.0" "$cluster-$job.0.0"; do
        his hpcai500 show --json "$word" > again.json
        cmp again.json "$OUT/copy.json"
        run his hpcai500 verify "$word"
        echo "$output"
        [ "$status" -eq 0 ]
    done
    cp "$OUT/copy.json" "hpcai500-$job.json"
    run his hpcai500 verify "hpcai500-$job.json"
    echo "$output"
    [ "$status" -eq 0 ]
    his hpcai500 export --csv --job="$job" | grep -q "$cluster-$job.0.0"
    his hpcai500 history --json --job="$job" | jq -e --argjson job "$job" '[.rows[].job_id] == [$job]'
    his hpcai500 history --csv --since=1d > own.csv
    no grep -q "$cluster-$other" own.csv
    # the other's: each refuses, without a word of it
    for what in "show" "verify" "export --csv"; do
        run his hpcai500 $what "$other"
        echo "$what: $output"
        [ "$status" -eq 3 ]
        [[ "$output" != *"$cluster-$other"* && "$output" == *"may read"* ]]
    done
    run his hpcai500 history --job="$other"
    [ "$status" -eq 1 ]
    # root and those whom the site names
    hpcai500 show --json "$job" > again.json
    cmp again.json "$OUT/copy.json"
}
