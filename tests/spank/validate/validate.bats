#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 validate: what can be said without Slurm.

load ../../no

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/spank/validate PATH=$top_builddir/reports/tools:$PATH
    cd "$BATS_TEST_TMPDIR"
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

@test "what simulate refuses" {
    refused "what is to be done is missing: simulate"
    refused "'simulat' is not a task of validate; simulate is" simulat
    refused "'now' is one word too many" simulate now
    refused "--nodes='0' is not a number from 1 to 4096" simulate --nodes=0
    refused "--runs='1e9' is not a number from 100 to 10000000" simulate --runs=1e9
    refused "--full and --runs exclude each other" simulate --full --runs=100
}
