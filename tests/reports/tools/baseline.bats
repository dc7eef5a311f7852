#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 baseline: proposed from values, approved by a person, versions, drift, inventory.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    baseline=$top_builddir/reports/tools/hpcai500-baseline
    echo "history = $PWD/history.sqlite" > conf
}

# runs FIRST LAST SCALE [KERNEL]: runs of four nodes, triad about 350 GB/s x SCALE
runs() {
    awk -v first="$1" -v last="$2" -v scale="$3" -v kernel="${4-5.14}" 'BEGIN {
        srand(first)
        for (k = first; k <= last; k++)
            for (i = 1; i <= 4; i++)
                printf "{\"hpcai500\":\"node 1\",\"node\":\"n%d\",\"class\":\"EPYC\",\"run\":\"r%d\",\"round\":0,\"time\":%d," \
                    "\"isa\":\"avx2\",\"kernel\":\"%s\",\"cpus\":%d,\"numa_nodes\":2,\"memory_bytes\":540e9," \
                    "\"clock_source\":\"tsc\",\"microcode\":\"0xa0011d1\",\"values\":{\"memory.triad\":[%.4g,0.9,5]}}\n",
                    i, k, 1764511620 + k, kernel, i == 3 ? 63 : 64, scale * 3.5e11 * (1 + .01 * (rand() - .5))
    }' >> values.jsonl
}

@test "nothing yet, then a proposal, an approval, and what has drifted since" {
    run "$baseline" propose --conf=conf
    [ "$status" -eq 0 ]; [ "$output" = "no values yet: hpcai500 validate measures them" ]
    runs 1 4 1
    run "$baseline" propose --conf=conf
    echo "$output"; [[ "$output" == *"no noise is known yet: that takes 5 runs"* ]]
    runs 5 9 1
    run "$baseline" propose --conf=conf
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"software 5.14, avx2; 4 nodes, 9 runs"* ]]
    [[ "$output" == *"memory.triad         35"*" GB/s"* || "$output" == *"memory.triad         34"*" GB/s"* ]]
    [[ "$(xargs <<< "$output")" == *"inventory: cpus=64 memory_gib=503 microcode=0xa0011d1 numa_nodes=2 governor=- clock_source=tsc"* ]]
    [ "$(awk 'length > 80' <<< "$output" | wc -l)" = 0 ]
    [ ! -e baseline.jsonl ]
    "$baseline" approve --conf=conf --note="after BIOS 2.8" --yes
    runs 10 60 .93
    run "$baseline" propose --conf=conf
    echo "$output"
    [[ "$output" =~ memory.triad\ .*-[67]\.[0-9]\ DRIFT ]]
    [[ "$output" == *"approved: version 1 of 5.14, avx2"* ]]
    runs 61 61 1 6.1
    run "$baseline" propose --conf=conf
    echo "$output"; [[ "$output" == *"approved: version 1 of 5.14, avx2, other software"* ]]
}

@test "a person approves: no terminal, no --yes, no approval; each is a version, logged" {
    runs 1 6 1
    run "$baseline" approve --conf=conf < /dev/null
    [ "$status" -eq 3 ]; [ "$output" = "hpcai500 baseline: a person approves: answer on a terminal, or give --yes" ]
    run "$baseline" approve --conf=conf --class=other --yes
    [ "$status" -eq 3 ]; [[ "$output" == *"has no values of the class other" ]]
    [ ! -e baseline.jsonl ]
    "$baseline" approve --conf=conf --yes
    "$baseline" approve --conf=conf --yes --note="again, \"so\""
    run "$baseline" show --all --conf=conf
    echo "$output"
    [ "$(wc -l <<< "$output")" = 2 ]
    [[ "$output" == "EPYC: version 1, "*", by $(id -un)"*"EPYC: version 2, "*": again, \"so\"" ]]
    [ "$("$baseline" show --json --conf=conf | jq -r '.version, .runs, .metrics."memory.triad"[5]' | xargs)" = "2 6 20" ]
    jq -es 'length == 2 and .[0].hpcai500 == "baseline 1"' baseline.jsonl
}

@test "the inventory is a file that the health check takes, with the facts that it knows" {
    runs 1 6 1
    "$baseline" inventory --conf=conf > inventory
    cat inventory
    grep -qx '# n3: cpus=63' inventory; grep -qx 'cpus=64' inventory
    run "$baseline" inventory --approved --conf=conf
    [ "$output" = "" ]
    "$baseline" approve --yes --conf=conf
    "$baseline" inventory --approved --conf=conf > approved
    diff inventory approved
    # every fact is one of the health check's, and this machine's are the same from both
    "$top_srcdir/spank/validate/health" --inventory | sed 's/=.*//' | sort > known
    grep -o '^[a-z_]*=' inventory | tr -d = | sort | comm -23 - known > unknown
    [ ! -s unknown ]
    rm values.jsonl baseline.jsonl
    "$top_builddir/agent/node/hpcai500-node" --only=inventory -q | sed 's/"run":""/"run":"r1"/' > values.jsonl
    "$baseline" inventory --conf=conf | grep -v '^#\|^cpus=' | sort > ours
    "$top_srcdir/spank/validate/health" --inventory | sort > theirs
    grep -c = ours
    comm -23 ours theirs > differs
    cat ours theirs; [ ! -s differs ]
}

@test "what is wrong is said" {
    run "$baseline"
    [ "$status" -eq 2 ]; [[ "$output" == *"what is to be done is missing: propose, show, approve or inventory" ]]
    run "$baseline" aprove
    [ "$status" -eq 2 ]; [[ "$output" == *"'aprove' is not a task of baseline; "* ]]
    run "$baseline" show --conf=conf
    [ "$status" -eq 0 ]; [ "$output" = "nothing is approved" ]
}
