#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 show --profile and --roofline: the tables, and the picture.

load ../../no

# A record with a profile, and what the machine can do at most beside it.
setup_file() {
    export GALLERY=$(mktemp -d)
    "$top_builddir/tests/reports/record/make_records" "$GALLERY" >"$GALLERY/list"
    jq '.micro[0] as $m | def row(w; s; d; u; v; b): $m + {name: "machine", what: w, shape: s,
            dtype: d, unit: u, median: v, bytes: b, threads: 2, status: "OK"};
        .micro += [row("peak"; "fma AVX-512"; "f32"; "FLOP/s"; 100e9; 0),
                   row("convolution"; "128"; "f32"; "FLOP/s"; 80e9; 0),
                   row("copy"; "L1"; null; "B/s"; 200e9; 32768),
                   row("triad"; "DRAM"; null; "B/s"; 12e9; 400000000)]' \
        "$GALLERY/lab-4711.0.3.json" >"$GALLERY/roofs.json"
    jq '(.micro[] | select(.name == "machine" and .unit == "FLOP/s")).median = 15e9' "$GALLERY/roofs.json" \
        >"$GALLERY/low.json"
}

teardown_file() {
    rm -r "$GALLERY"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools HPCAI500_CONF=$BATS_TEST_TMPDIR/conf
    : >"$HPCAI500_CONF"
    hpcai500=$top_builddir/reports/tools/hpcai500
    cd "$BATS_TEST_TMPDIR"
}

@test "--profile: parts of a step, operators by time with their rate, roof and maker" {
    run "$hpcai500" show --profile "$GALLERY/roofs.json"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"cosmoflow tiny: 400 ms a step, 100 steps after the first epoch"* ]]
    [[ "$output" =~ "operators"\ +"260 ms"\ +"65 %" ]]
    [[ "$output" =~ "waiting for the exchange"\ +"40 ms"\ +"10 %" ]]
    # 1.8 GFLOP without padding in 125 ms: 14.4 GFLOP/s of 100; 18 ms of computing
    [[ "$output" =~ conv1\ +weights\ +125.000\ +"31 %"\ +14.4\ +0.08\ +"14 %"\ +FLOP\ +f32\ +own ]]
    [[ "$output" =~ maxpool1\ +forward\ +15.000\ +"3.8 %"\ +-\ +5.33\ +"44 %"\ +DRAM ]]
    [[ "$output" == *"brgconv:avx512_core"* ]]
    [[ "$output" == *"and 19 more operators: 4.750 ms a step, 1.2 %"* ]]
}

@test "a record without roofs or without a profile says what would give them" {
    run "$hpcai500" show --profile "$GALLERY/lab-4711.0.3.json"
    [ "$status" -eq 0 ]
    [[ "${output//$'\n'/ }" == *"no ceilings; run machine+WORKLOAD, or name a run"* ]]
    run "$hpcai500" show --profile --ceilings="$GALLERY/roofs.json" "$GALLERY/lab-4711.0.3.json"
    [ "$status" -eq 0 ]
    [[ "$output" == *"14 %"*FLOP* ]]
    jq '.workloads[0].profile = null' "$GALLERY/roofs.json" >none.json
    for page in --profile --roofline; do
        run "$hpcai500" show $page none.json
        [ "$status" -eq 3 ]
        [[ "$output" == "hpcai500 show: lab-4711.0.3 has no profile: it trained no network"* ]]
    done
    run "$hpcai500" show --profile --output=x.svg "$GALLERY/roofs.json"
    [ "$status" -eq 2 ]
    run "$hpcai500" show --roofline --output="$BATS_TEST_TMPDIR/no/x.svg" "$GALLERY/roofs.json"
    [ "$status" -eq 3 ]
    [[ "$output" == *"cannot write"* ]]
}

@test "seconds that no step has are a table, not an overflow; no roof is no share" {
    jq '.workloads[0].profile |= (.step_seconds = 1e-5 | .input_seconds = 1e300 | .operators[0].seconds = 1e300)
        | .workloads[0].threads = -1e300' "$GALLERY/roofs.json" >huge.json
    for page in --profile --roofline; do
        run "$hpcai500" show $page huge.json
        echo "$output"
        [ "$status" -eq 0 ]
    done
    run "$hpcai500" show --roofline -o bare.svg "$GALLERY/lab-4711.0.3.json"
    [ "$status" -eq 0 ]
    grep -q 'of the step, ' bare.svg
    no grep -q 'nan %' bare.svg
}

# at JOB DAY FILTER: a run of machine on that day, with more changed
at() {
    jq ".job.job_id = $1 | .id = \"lab-$1.0.3\" | .workloads = [] | (.time.start, .time.end) |= \"$2\" + .[10:] | $3" \
        "$GALLERY/roofs.json" >"$1.json"
}

@test "a run without ceilings takes the latest of its nodes and its build from the history" {
    [ -x "$top_builddir/tests/reports/history/make_history" ] || skip "built without a history"
    mkdir archive
    at 4600 2026-11-20 '(.micro[] | select(.what == "peak")).median = 90e9'
    at 4601 2026-11-21 .
    at 4602 2026-11-22 '.system.nodes[0].build_id = "another"'
    at 4603 2026-11-23 '.system.nodes |= .[1:]'
    at 4604 2026-11-24 '(.micro[] | select(.name == "machine")).threads = 7'
    "$top_builddir/tests/reports/history/make_history" h.sqlite archive 3 460?.json
    printf 'history = %s\narchive = %s\nreader =\nspool = %s\n' "$PWD/h.sqlite" "$PWD/archive" "$PWD/spool" >"$HPCAI500_CONF"
    chmod 644 "$HPCAI500_CONF"
    for page in --profile --roofline; do
        run "$hpcai500" show $page "$GALLERY/lab-4711.0.3.json"
        echo "$output"
        [ "$status" -eq 0 ]
        [[ "$output" == "ceilings: of lab-4601.0.3, 2026-11-21, the latest of these nodes with this build"* ]]
        [[ "$output" == *"14 %"* ]]
    done
    # the page draws them, and says whose and how old they are; not of names that are replaced
    ceilings() { sed -n '/<h2 id="ceilings"/,/<\/section>/p' "$1" | sed 's/\xc2\xa0/ /g'; }
    "$hpcai500" report -o page.html "$GALLERY/lab-4711.0.3.json"
    ceilings page.html | sed 's/<[^>]*>/ /g'
    [ "$(ceilings page.html | grep -c 'lab-4711.0.3 did not measure ceilings: these are of lab-4601.0.3, 21 Nov 2026')" -eq 1 ]
    jq '.micro = []' "$GALLERY/lab-4711.0.3.json" >bare.json # then its table is theirs, too
    "$hpcai500" report -o bare.html bare.json
    [ "$(ceilings bare.html | grep -c 'lab-4711.0.3 did not measure ceilings: these are of lab-4601.0.3, 21 Nov 2026')" -eq 2 ]
    ceilings bare.html | grep -q 'machine: peak'
    ceilings page.html | grep -q '<title [^>]*>Roofline of cosmoflow<'
    [ "$(sed -n '/<h2 id="stairs"/,/<\/section>/p' page.html | grep -c '<svg ')" -eq 2 ]
    "$hpcai500" report -o page.html --redact "$GALLERY/lab-4711.0.3.json"
    no grep -q 'did not measure ceilings' <(ceilings page.html)
    "$hpcai500" report -o page.html "$GALLERY/roofs.json"
    no grep -q 'did not measure ceilings' <(ceilings page.html)
    ceilings page.html | grep -q '<title [^>]*>Roofline of cosmoflow<'
    # its own come first, and a run that is named
    run "$hpcai500" show --roofline "$GALLERY/roofs.json"
    [[ "$output" != *"ceilings: of"* ]]
    run "$hpcai500" show --roofline --ceilings=4600.json "$GALLERY/lab-4711.0.3.json"
    [[ "$output" =~ "f32"\ +"90 GFLOP/s" && "$output" != *"ceilings: of"* ]]
    # of another build there are none
    jq '.system.nodes[].build_id = "x"' "$GALLERY/lab-4711.0.3.json" >other.json
    run "$hpcai500" show --roofline other.json
    [ "$status" -eq 0 ]
    [[ "${output//$'\n'/ }" == *"no ceilings; run machine+WORKLOAD"* ]]
}

@test "--roofline: roofs, points, links; a point above its roof makes it not valid" {
    run "$hpcai500" show --roofline "$GALLERY/roofs.json"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ "f32"\ +"100 GFLOP/s"\ +"fma AVX-512" ]]
    [[ "$output" =~ "DRAM"\ +"12 GB/s"\ +"triad DRAM" ]]
    [[ "$output" == *"cosmoflow, a step"* ]]
    [[ "$output" == *"its operators at least"* ]]
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"no ceiling: the run has no rows of allreduce"* ]]
    no grep "not valid" <<<"$output"
    run "$hpcai500" show --roofline "$GALLERY/low.json"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"ABOVE"* ]]
    [[ "$output" == *"the roofline is not valid: "* ]]
}

@test "the picture: an image with title and numbers, no script, labels apart and inside" {
    run "$hpcai500" show --roofline --output=x.svg "$GALLERY/roofs.json"
    [ "$status" -eq 0 ]
    run "$top_srcdir/tests/reports/tools/picture_check.py" x.svg
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == "3 panels, "* ]]
    "$hpcai500" show --roofline -o low.svg "$GALLERY/low.json"
    grep -q "The roofline is not valid\|the roofline is not valid" low.svg
    # What is in a record is text in the picture.
    jq '.workloads[0].profile.operators[0].name = "<script>&\"x\u202e"' "$GALLERY/roofs.json" >evil.json
    "$hpcai500" show --roofline -o evil.svg evil.json >/dev/null
    run "$top_srcdir/tests/reports/tools/picture_check.py" evil.svg
    [ "$status" -eq 0 ]
    no grep -q '<script' evil.svg
}
