#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 validate: what can be said without Slurm.

load ../../no

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/spank/validate PATH=$top_builddir/reports/tools:$PATH
    cd "$BATS_TEST_TMPDIR" || return 1
    echo "history = $PWD/history.sqlite" > conf
    export HPCAI500_CONF=$PWD/conf
}

# refused TEXT WORD...: exit 2 and just this sentence
refused() {
    local wanted="hpcai500 validate: $1"
    shift
    run hpcai500 validate "$@"
    [ "$output" = "$wanted" ] || { printf 'said:   %s\nwanted: %s\n' "$output" "$wanted"; false; }
    [ "$status" -eq 2 ]
}

@test "simulate prints its tables, the same ones for the same seed, on 80 columns" {
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 >one
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 >two
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 --seed=7 >other
    cat one
    cmp one two
    no cmp -s one other
    [ "$(awk 'length > 80' one)" = "" ]
    for title in 'sigma 2 %' 'Student t3' 'stays with the node' 'twice as noisy' 'links' '1 node in 100 bad' \
        'This site: 8 nodes, 4 metrics'; do
        grep -q "$title" one
    done
    no grep -E 'nan|inf|-0\.0' one
    # a 7 % loss is SLOW in almost all runs of 64 nodes, and no healthy node is
    awk '/^noise new/ {on = 1} on && $1 == 64 {print; exit !($4 <= 1 && $8 >= 97)}' one
    # a noisier kind of metric has a larger blind spot
    awk '/^This site/ {on = 1} on && /^(compute|memory|network|disk) / {if ($9 <= last) bad = 1; last = $9; n++}
        END {exit bad || n != 4}' one
    hpcai500 validate simulate --runs=100 --nodes=2 | grep -q '^fewer than 4 nodes without a history: INCONCLUSIVE'
}

@test "rows that are kept are not computed again, and are the same" {
    mkdir rows
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 > plain
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 --keep=rows > first
    cmp plain first
    [ "$(find rows -name '*-100-20261130.row' | wc -l)" = 70 ]
    echo "kept" > rows/precision-3-100-20261130.row
    rm rows/normal-1-n1-m10-100-20261130.row
    hpcai500 validate simulate --runs=100 --nodes=8 --metrics=4 --keep=rows > second
    [ "$(grep -c '^kept$' second)" = 1 ]
    [ "$(diff first second | grep -c '^[<>]')" = 2 ]
}

# what nodes of a class measured in RUNS runs: triad with so many % of noise
measured() {
    awk -v runs="$1" -v noise="$2" 'BEGIN {
        srand(3)
        for (k = 1; k <= runs; k++)
            for (i = 1; i <= 8; i++)
                printf "{\"hpcai500\":\"node 1\",\"node\":\"n%d\",\"class\":\"EPYC\",\"run\":\"r%d\",\"round\":0,\"time\":1," \
                    "\"values\":{\"memory.triad\":[%.5g,0.9,5]}}\n", i, k, 3.5e11 * (1 + noise / 100 * sqrt(12) * (rand() - .5))
    }' > values.jsonl
}

@test "simulate knows the noise of this site: its blind spot grows with it" {
    measured 3 1
    hpcai500 validate simulate --site --runs=100 > few
    cat few
    grep -q '^EPYC: 3 runs of it, from 5 on its noise is known' few; grep -q 'It has no history' few
    for noise in 1 4; do
        measured 20 $noise
        hpcai500 validate simulate --site --runs=100 --nodes=16 > noise-$noise
        cat noise-$noise
        [ "$(awk 'length > 80' noise-$noise)" = "" ]
        grep -q '^16 nodes, 1 metric judged together, 20 runs' noise-$noise
        awk -v noise=$noise '$1 == "memory.triad" { n++; if ($3 < .8 * noise || $3 > 1.2 * noise || $10 < 80) exit 1 }
            END { exit n != 1 }' noise-$noise
    done
    awk '$1 == "memory.triad" { b[FILENAME] = $9 } END { exit !(b["noise-4"] > 2 * b["noise-1"]) }' noise-1 noise-4
    # what was approved stands in when the values are gone
    "$top_builddir/reports/tools/hpcai500-baseline" approve --yes > /dev/null
    measured 1 4
    hpcai500 validate simulate --site --runs=100 --nodes=16 | grep '1 runs, a baseline is approved'
}

@test "what simulate refuses" {
    refused "what is to be done is missing: simulate"
    refused "'simulat' is not a task of validate; simulate is" simulat
    refused "'now' is one word too many" simulate now
    refused "--nodes='0' is not a number from 1 to 4096" simulate --nodes=0
    refused "--runs='1e9' is not a number from 100 to 10000000" simulate --runs=1e9
    refused "--full and --runs exclude each other" simulate --full --runs=100
}
