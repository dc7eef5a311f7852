#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The collector and verify with a real munged of their own; slurmdbd is played
# by a script. With the real one: tests/cluster/accounting.bats.

load ../../no
load ../../await

setup() {
    [ "$(id -u)" = 0 ] || skip "only root can make the witness's credentials"
    command -v munged > /dev/null || skip "there is no munged"
    D=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-collect-bats-XXXXXX")
    chmod 755 "$D"
    mkdir -p "$D"/{munge,spool/out,lib,bin,tmp}
    head -c 1024 /dev/urandom > "$D/munge/key"
    chmod 600 "$D/munge/key"
    munged_start
    cat > "$D/conf" <<C
spool = $D/spool
history = $D/lib/history.sqlite
archive = $D/lib/archive
quarantine = $D/lib/quarantine
service_user = root
munge_socket = $D/munge/s
C
    export HPCAI500_CONF=$D/conf TMPDIR=$D/tmp
    services=()
    cp "$top_builddir"/spank/collect/hpcai500-{collect,verify} "$D/bin"
    # Keeps what it is told in kept, says so in told; `down` is a file here.
    cat > "$D/bin/hpcai500-slurmdbd" <<S
#!/bin/bash
while read -r cluster job line; do
    job=\${job%@*}
    if [ -e "$D/down" ]; then echo "3 it is down"; continue; fi
    echo "\$job \$line" >> "$D/told"
    if grep -qxF -- "\$job \$line" "$D/kept" 2>/dev/null; then echo "0 there"
    else echo "\$job \$line" >> "$D/kept"; echo "0 written"; fi
done
S
    chmod +x "$D/bin/hpcai500-slurmdbd"
    out=$D/spool/out lib=$D/lib
}

teardown() {
    [ -n "${D-}" ] || return 0
    [ ${#services[@]} = 0 ] || kill "${services[@]}" 2>/dev/null || true
    munged_stop "$D/n1"
    munged_stop
    rm -rf "$D"
}

# Its wrapper, faketime, waits for what becomes a daemon.
faketime=$(compgen -G '/usr/lib*/*/faketime/libfaketimeMT.so.1' | head -n 1) || true
need_faketime() { [ -n "$faketime" ] || skip "there is no faketime"; }

# munged_start [CLOCK [FOLDER]]: of the one key, in FOLDER/munge [$D]; its clock
# is off by CLOCK, as faketime has it
munged_start() {
    local clock=${1-} at=${2:-$D}/munge
    mkdir -p "$at"
    env ${clock:+FAKETIME="$clock" LD_PRELOAD="$faketime"} munged --force --socket="$at/s" --key-file="$D/munge/key" \
        --pid-file="$at/pid" --log-file="$at/log" --seed-file="$at/seed" 3>&- 4>&-
}

munged_stop() {
    local pid
    pid=$(cat "${1:-$D}/munge/pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || return 0
    await_end 5 "$pid"
}

make_bundles() { "$top_builddir/tests/spank/collect/make_bundles" "$out" "$D/munge/s" "$@"; }
collect() { timeout 600 "$D/bin/hpcai500-collect" --once "$@" 2>&1; }
verify() { timeout 600 "$D/bin/hpcai500-verify" "$@" 2>&1; }
reason() { cat "$lib/quarantine/lab-$1-n1-1795374290.bundle.reason"; }
bundles() { find "$out" -name '*.bundle' | wc -l; }
none_left() { [ "$(bundles)" = 0 ]; }
archived() { find "$lib/archive" -name '*.json.gz' | wc -l; }
at_least() { [ "$(archived)" -ge "$1" ]; }
has() { grep -qF -- "$2" <<< "$1" || { echo "no '$2' in: $1"; return 1; }; }

@test "records, with and without a second node, are filed, archived and told" {
    make_bundles record 100
    make_bundles two 101
    run collect
    [ "$status" -eq 0 ]
    has "$output" "3 bundles: 2 filed, 0 better"
    has "$output" "0 refused; 0 wait"
    [ "$(bundles)" = 0 ]
    [ -f "$lib/archive/2026/11/22/lab-100.0.3.json.gz" ]
    [ "$(wc -l < "$lib/archive/2026/11/22/lab-101.0.3.witness")" = 2 ]
    grep -qxF '100 H5:cosmoflow tiny mae 0.31<=0.34 reached 61.5/s complete valid lab-100.0.3;' "$D/told"
    zcat "$lib/archive/2026/11/22/lab-100.0.3.json.gz" > "$D/record.json"
    [ "$(jq -r .id "$D/record.json")" = lab-100.0.3 ]
}

@test "what is per rank is archived beside its record, verified and forgotten with it" {
    local day=$lib/archive/2026/11/22
    make_bundles ranks 100
    make_bundles forged 101
    make_bundles secret 102
    make_bundles record 103
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "4 bundles: 4 filed"
    has "$output" "lab-101.0.3.ranks.json.gz is not what its record says: not archived"
    has "$output" "lab-101.0.3.steps.gz is not what its record says: not archived"
    # whole and byte for byte; none of a record that is confidential or has none
    [ "$(find "$lib/archive" -name '*.ranks*')" = "$day/lab-100.0.3.ranks.json.gz" ]
    [ "$(sha256sum < "$day/lab-100.0.3.ranks.json.gz" | cut -c1-64)" = "$(zcat "$day/lab-100.0.3.json.gz" | jq -r .ranks_file.sha256)" ]
    [ "$(find "$lib/archive" -name '*.steps*')" = "$day/lab-100.0.3.steps.gz" ]
    [ "$(sha256sum < "$day/lab-100.0.3.steps.gz" | cut -c1-64)" = "$(zcat "$day/lab-100.0.3.json.gz" | jq -r .steps_file.sha256)" ]
    [ -z "$(find "$lib/archive" -name '.*tmp')" ]
    run verify 100
    [ "$status" -eq 0 ]
    has "$output" "ok       per rank"
    has "$output" "ok       steps"
    run verify 101
    [ "$status" -eq 0 ]
    no has "$output" "per rank  "
    # a site that redacts keeps none
    (umask 077; head -c 32 /dev/urandom > "$D/salt")
    cp "$D/conf" "$D/conf.open"
    printf 'redact = user\nsalt = %s\n' "$D/salt" >> "$D/conf"
    make_bundles ranks 104
    collect
    [ "$(find "$lib/archive" -name '*.ranks*' | wc -l)" = 1 ]
    cp "$D/conf.open" "$D/conf"
    # the same bundle again changes nothing
    make_bundles ranks 100
    run collect
    has "$output" "0 filed, 0 better than before, 1 known"
    echo x >> "$day/lab-100.0.3.ranks.json.gz"
    echo x >> "$day/lab-100.0.3.steps.gz"
    run verify 100
    [ "$status" -eq 1 ]
    has "$output" "WRONG    per rank"
    has "$output" "WRONG    steps"
    "$top_builddir/reports/tools/hpcai500-forget" --job=100 --history="$lib/history.sqlite" --archive="$lib/archive"
    [ -z "$(find "$lib/archive" -name '*lab-100*')" ]
}

@test "an archive that is redacted holds no names, the history and accounting do" {
    (umask 077; head -c 32 /dev/urandom > "$D/salt")
    printf 'redact = user,host,account\nsalt = %s\n' "$D/salt" >> "$D/conf"
    make_bundles record 100
    run collect
    [ "$status" -eq 0 ]
    has "$output" "1 bundles: 1 filed"
    zcat "$lib/archive/2026/11/22/lab-100.0.3.json.gz" > "$D/record.json"
    [[ "$(jq -r .job.user "$D/record.json")" == u-???????????????? ]]
    [[ "$(jq -r '.job.nodes[0]' "$D/record.json")" == n-???????????????? ]]
    no grep -q '"ada"\|"n1"\|"phys"' "$D/record.json"
    [ -z "$(find "$lib/archive" -name '*.witness')" ]
    [ "$(wc -l < "$D/told")" = 1 ]
    make_bundles record 100
    run collect
    has "$output" "1 bundles: 0 filed, 0 better than before, 1 known"
    rm "$D/salt"
    make_bundles record 101
    run collect
    [ "$status" -ne 0 ]
    has "$output" "cannot read the salt $D/salt"
    [ "$(bundles)" = 1 ]
}

@test "verify: a redacted record against what was filed, its original against the seal" {
    make_bundles record 100
    collect
    zcat "$lib/archive/2026/11/22/lab-100.0.3.json.gz" > "$D/original.json"
    verify lab-100.0.3 > "$D/open"
    grep -q 'ok .*witness .*root on 1 node' "$D/open"
    rm -r "$lib"/archive/* "$lib"/history.sqlite*
    (umask 077; head -c 32 /dev/urandom > "$D/salt")
    printf 'redact = user,host\nsalt = %s\n' "$D/salt" >> "$D/conf"
    make_bundles record 100
    collect
    packed=$lib/archive/2026/11/22/lab-100.0.3.json.gz
    run verify lab-100.0.3
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "redacted; the bytes that were filed when root's witness was checked"
    # a copy of what is archived, and what the user has
    zcat "$packed" > "$D/redacted.json"
    run verify "$D/redacted.json"
    [ "$status" -eq 0 ]
    run verify "$D/original.json"
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "the bytes that root saw, before they were redacted"
    # nobody who lacks the salt can try names against the seal
    sqlite3 "$lib/history.sqlite" 'SELECT seen FROM run' | grep -qx 's-[0-9a-f]\{16\}'
    no grep -q "$(sha256sum < "$D/original.json" | cut -c1-16)" <(sqlite3 "$lib/history.sqlite" .dump)
    # an edited byte, in either
    (cat "$D/original.json"; echo) > "$D/edited.json"
    run verify "$D/edited.json"
    [ "$status" -eq 1 ]
    has "$output" "WRONG    seal"
    echo >> "$D/redacted.json"
    gzip -c "$D/redacted.json" > "$packed"
    run verify lab-100.0.3
    [ "$status" -eq 1 ]
    has "$output" "WRONG    filed      not the bytes that were filed: the archive was changed"
    mv "$D/salt" "$D/gone"
    run verify "$D/original.json"
    [ "$status" -eq 3 ]
    has "$output" "the salt that it is made with cannot be read"
}

@test "a run that asks to be confidential is archived so, the next one is not" {
    make_bundles secret 100
    make_bundles record 101
    run collect
    [ "$status" -eq 0 ]
    has "$output" "2 bundles: 2 filed"
    find "$lib/archive" -name '*-101.*.json.gz' -exec zcat {} + > "$D/open.json"
    [ "$(jq -r .job.user "$D/open.json")" = ada ]
    find "$lib/archive" -name '*-100.*.json.gz' -exec zcat {} + > "$D/secret.json"
    [ "$(jq -r .job.user "$D/secret.json")" = redacted ]
    no grep -q 'ada\|"n1"\|phys' "$D/secret.json"
    [ -z "$(find "$lib/archive" -name '*-100.*.witness')" ]
}

@test "the same bundle again is known, and told no second time" {
    make_bundles record 100
    collect
    make_bundles record 100
    run collect
    has "$output" "1 bundles: 0 filed, 0 better than before, 1 known"
    [ "$(bundles)" = 0 ]
    [ "$(archived)" = 1 ]
    [ "$(wc -l < "$D/told")" = 1 ]
}

@test "journals of two nodes make one partial record, which waits for both" {
    make_bundles first 102
    run collect
    has "$output" "0 bundles: 0 filed"
    has "$output" "1 wait for their job"
    [ "$(bundles)" = 1 ]
    make_bundles journals 102
    run collect
    has "$output" "2 bundles: 1 filed"
    [ "$(bundles)" = 0 ]
    zcat "$lib/archive/2026/11/22/lab-102.0.3.json.gz" > "$D/record.json"
    [ "$(jq -r .status "$D/record.json")" = crashed ]
    has "$(jq -r .reasons.status "$D/record.json")" "1 of 3 ranks left no journal"
    [ "$(wc -l < "$lib/archive/2026/11/22/lab-102.0.3.witness")" = 3 ]
    [ -z "$(ls -A "$D/tmp")" ]
    # A record that comes late is better.
    make_bundles record 102
    run collect
    has "$output" "0 filed, 1 better than before"
    [ "$(zcat "$lib/archive/2026/11/22/lab-102.0.3.json.gz" | jq -r .status)" = complete ]
}

may_trace() {
    command -v strace > /dev/null || skip "there is no strace"
    strace -qq -o /dev/null -e trace=none true 2> /dev/null || skip "strace may not trace here"
}

# collect under strace with these options
disturbed() {
    timeout 600 strace -f -qq -e signal=none -o "$D/strace" "$@" "$D/bin/hpcai500-collect" --once 2>&1
}

@test "killed while journals are unpacked: nothing stays but the bundles" {
    may_trace
    make_bundles journals 110
    run disturbed -e inject=utimensat:signal=SIGKILL:when=2
    [ "$status" -ne 0 ]
    [ "$(bundles)" = 2 ]
    [ -n "$(ls "$lib/history.sqlite.journals")" ]
    make_bundles none 111 # the one that comes next has no journals
    rm "$out"/lab-110-n1-*
    run collect
    [ "$status" -eq 0 ]
    has "$output" "1 wait for their job"
    [ -z "$(ls -d "$lib"/*.journals 2>/dev/null)" ]
    [ -z "$(ls -A "$D/tmp")" ]
}

@test "no room to unpack journals: one sentence, the bundles stay until there is" {
    may_trace
    make_bundles journals 112
    make_bundles journals 113
    make_bundles record 114
    for error in ENOSPC EACCES; do
        run disturbed -P "$lib/history.sqlite.journals" -e inject=mkdir:error=$error
        [ "$(grep -c "journals wait in the spool: cannot make $lib/history.sqlite.journals: " <<< "$output")" = 1 ]
        has "$output" "0 refused"
        [ "$(bundles)" = 4 ]
        [ -z "$(ls -A "$lib/quarantine")" ]
    done
    run disturbed -e inject=utimensat:error=ENOSPC
    [ "$(grep -c "journals wait in the spool: cannot unpack .*: No space left on device" <<< "$output")" = 1 ]
    [ "$(bundles)" = 4 ]
    run collect
    has "$output" "4 bundles: 2 filed"
    [ "$(bundles)" = 0 ]
    [ -z "$(ls -A "$lib/quarantine" "$D/tmp" | grep bundle)" ]
    [ -z "$(ls -d "$lib"/*.journals 2>/dev/null)" ]
}

@test "a bundle is opened once, whatever is in it" {
    may_trace
    make_bundles ranks 120
    make_bundles journals 121
    make_bundles none 122
    make_bundles runs 123 5
    run timeout 120 strace -f -qq -e trace=openat -o "$D/strace" "$D/bin/hpcai500-collect" --once
    echo "$output"
    has "$output" "5 bundles: 8 filed"
    [ "$(grep -o 'lab-[0-9]*-n[0-9]-[0-9]*.bundle' "$D/strace" | sort | uniq -c | awk '{print $1}' | sort -u)" = 1 ]
}

@test "100 runs of one job, a third of which left journals only: all are filed" {
    make_bundles runs 130 100
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "1 bundles: 100 filed"
    has "$output" "0 refused"
    [ "$(archived)" = 100 ]
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(DISTINCT step) FROM run')" = 100 ]
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(*) FROM run WHERE status != 0')" = 34 ]
}

@test "runs beyond runs_per_job go into the quarantine with a sentence, and can be filed later" {
    echo "runs_per_job = 10" >> "$D/conf"
    make_bundles runs 131 14
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "1 bundles: 10 filed"
    has "$(reason 131)" "its job left more than 10 runs (runs_per_job); and 3 more files of it"
    [ "$(archived)" = 10 ]
    sed -i 's/^runs_per_job.*/runs_per_job = 14/' "$D/conf"
    mv "$lib"/quarantine/*.bundle "$out"
    run collect
    has "$output" "1 bundles: 4 filed, 0 better than before, 10 known"
    [ "$(archived)" = 14 ]
}

@test "runs_per_job counts all bundles of a job, whenever they come" {
    echo "runs_per_job = 10" >> "$D/conf"
    make_bundles runs 132 10
    collect
    [ "$(archived)" = 10 ]
    make_bundles record 132 # step 3 again, and better than nothing new
    run collect
    has "$output" "0 refused"
    "$top_builddir/tests/spank/collect/make_bundles" "$out" "$D/munge/s" late 132
    run collect
    echo "$output"
    has "$(reason 132)" "its job has 10 runs already (runs_per_job)"
    [ "$(archived)" = 10 ]
}

@test "names, partition and nodes of a run are what root saw" {
    make_bundles invented 133
    run collect
    has "$output" "1 bundles: 1 filed"
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT partition FROM run')" = batch ]
    make_bundles unknown 134
    run collect
    has "$(reason 134)" "'cosmoflaw' is not a workload of this release"
    [ -z "$(sqlite3 "$lib/history.sqlite" "SELECT text FROM name WHERE text LIKE '%flaw%'")" ]
}

@test "a killed job on 10,000 nodes is one record of all of them" {
    local record=$D/record.json
    timeout 300 "$top_builddir/tests/spank/collect/make_bundles" "$out" "$D/munge/s" failed 140 10000
    [ "$(bundles)" = 10000 ]
    run timeout 300 "$D/bin/hpcai500-collect" --once
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "10000 bundles: 1 filed"
    has "$output" "0 refused; 0 wait"
    no has "$output" "not kept"
    zcat "$lib/archive/2026/11/22/lab-140.0.3.json.gz" > "$record"
    [ "$(jq -r .status "$record")" = partial ]
    has "$(jq -r .reasons.status "$record")" "this record was made from 10000 journals"
    has "$(jq -r .reasons.status "$record")" "rank 0 on n1 was lost; 9999 more ranks gave similar reasons"
    has "$(jq -r .reasons.journals "$record")" "9936 more are torn"
    [ "$(jq -r '.workloads[0].ranks_known' "$record")" = 10000 ]
    [ "$(wc -l < "$lib/archive/2026/11/22/lab-140.0.3.witness")" = 10001 ]
    # each node knows of it
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT n_nodes FROM run')" = 10000 ]
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(DISTINCT node) FROM on_node')" = 10000 ]
    run verify 140
    [ "$status" -eq 0 ]
    has "$output" "root on 10000 nodes"
}

@test "each start of a requeued job is one record, though their bundles lie between each other" {
    make_bundles requeued 141 3
    run collect
    echo "$output"
    has "$output" "6 bundles: 2 filed"
    for start in 0 1; do
        zcat "$lib/archive/2026/11/22/lab-141.$start.3.json.gz" > "$D/record.json"
        has "$(jq -r .reasons.status "$D/record.json")" "this record was made from 3 journals"
    done
}

@test "an empty folder of thousands of files is one line and one reason" {
    make_bundles empty 142 2048
    run collect
    echo "$output" | cut -c1-200
    [ "$status" -eq 0 ]
    [ "$(grep -c refused <<< "$output")" = 2 ] # the line, and the summary
    has "$(reason 142)" "and 2047 more files of it"
}

@test "a node that never sends is not waited for beyond the grace" {
    make_bundles first 103
    run collect --grace=0
    has "$output" "1 bundles: 1 filed"
    has "$(cat "$D/told")" "103 H5:cosmoflow"
}

@test "who asked and left nothing is told of, once" {
    make_bundles none 104
    run collect
    has "$output" "1 filed"
    has "$output" "1 without a record"
    [ "$(cat "$D/told")" = '104 H5:cosmoflow,class=tiny no record;' ]
    [ "$(archived)" = 0 ]
    # and nothing is filed beside a record
    make_bundles record 105
    collect
    make_bundles none 105
    run collect
    has "$output" "0 filed, 0 better than before, 0 known, 1 worse"
}

@test "what is not what root saw, or cannot be, is refused with its reason" {
    local kind job=110
    for kind in edited missing strange other fast broken user torn noise; do
        make_bundles $kind $job
        job=$((job + 1))
    done
    run collect
    [ "$status" -eq 0 ]
    has "$output" "9 refused"
    [ "$(bundles)" = 0 ]
    [ "$(archived)" = 0 ]
    [ "$(reason 110)" = "lab-110.0.3.json: not the bytes that root saw" ]
    [ "$(reason 111)" = "1 file is missing that root saw" ]
    [ "$(reason 112)" = "extra.txt: root did not see it" ]
    [ "$(reason 113)" = "lab-1000113.0.3.json: it is of job 1000113, the folder was of job 113" ]
    has "$(reason 114)" "cosmoflow ran at 1e+18 FLOP/s"
    [ "$(reason 115)" = "lab-115.0.3.json: not JSON at byte 9" ]
    [ "$(reason 116)" = "its credential is of user id 65534, not of root" ]
    has "$(reason 117)" "is torn"
    has "$(reason 118)" "not a bundle"
    has "$(cat "$D/told")" "110 H5:cosmoflow,class=tiny no record: its bundle was refused;"
    # nobody is told of what root did not say
    no grep -q '^11[68] ' "$D/told"
}

@test "an empty or missing key, credential or signature is refused like a wrong one" {
    make_bundles blank 160
    make_bundles keyless 161
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "2 refused"
    [ "$(archived)" = 0 ]
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(*) FROM run')" = 0 ]
    make_bundles record 162
    collect
    for witness in '' $'\n\n' 'MUNGE::' 'MUNGE:AwQDAAD='; do
        printf '%s' "$witness" > "$lib/archive/2026/11/22/lab-162.0.3.witness"
        run verify 162
        echo "$output"
        [ "$status" -ne 0 ]
        no has "$output" "ok       witness"
    done
    # a salt of nothing hides nothing
    : > "$D/salt"
    chmod 600 "$D/salt"
    printf 'redact = user\nsalt = %s\n' "$D/salt" >> "$D/conf"
    make_bundles record 163
    run collect
    [ "$status" -ne 0 ]
    has "$output" "salt"
    [ "$(bundles)" = 1 ]
}

@test "an Epilog that ran three times files and tells a job once" {
    make_bundles again 164
    run collect
    echo "$output"
    has "$output" "3 bundles: 1 filed"
    [ "$(wc -l < "$D/told")" = 1 ]
    make_bundles again 164
    run collect
    has "$output" "3 bundles: 0 filed"
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(*) FROM run')" = 1 ]
    # also when it left journals only: nobody is waited for
    [ "$(bundles)" = 0 ]
}

@test "no identifier is a way in: each word in each place, and every sink after it" {
    local job=170 word name
    local words=("x'); DROP TABLE run; --" '../../../../../tmp/x' 'a/b' '.' '..' '"},{"a":"' $'two\nlines' '{x="y"} 1' '$(touch x)' '\' ' ' "$(printf 'w%.0s' $(seq 300))")
    for name in cluster user account partition asked node step class metric origin workload counter; do
        for word in "${words[@]}"; do
            IDENTIFIER=$name WORD=$word make_bundles named $job
            job=$((job + 1))
        done
    done
    touch "$D/before"
    run collect --grace=0
    echo "$output" | tail -3
    [ "$status" -eq 0 ]
    [ "$(bundles)" = 0 ]
    # nothing of it is anywhere but where records and refusals are
    [ -z "$(find "$D/lib/archive" -mindepth 1 | grep -v '^[A-Za-z0-9/._+-]*$')" ]
    [ -z "$(find /tmp /var/tmp -maxdepth 1 -name 'x*' -newer "$D/before" 2>/dev/null)" ]
    [ "$(sqlite3 "$lib/history.sqlite" 'PRAGMA integrity_check')" = ok ]
    [ "$(sqlite3 "$lib/history.sqlite" "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")" = 9 ]
    # each was filed or refused with its reason
    [ $(($(sqlite3 "$lib/history.sqlite" 'SELECT count(*) FROM run') + $(ls "$lib/quarantine" | grep -c '[.]reason$'))) -ge $((job - 170)) ]
    find "$lib/archive" -name '*.json.gz' -exec zcat {} + | jq -e . > /dev/null
    "$top_builddir/reports/tools/hpcai500-history" --history="$lib/history.sqlite" --json | jq -e . > /dev/null
    # no line told to accounting is more than a line
    no grep -qv '^[0-9]* H5:[ -~]*;$' "$D/told"
    [ ! -e "$D/x" ]
}

@test "killed at any moment and started again: each record once" {
    local i rc=0
    make_bundles record 1000 60
    make_bundles journals 2000 5
    for i in $(seq 1 25); do
        timeout -s KILL "0.0$((i * 37 % 90 + 10))" "$D/bin/hpcai500-collect" --once > /dev/null 2>&1 && rc=1 || true
    done
    run collect
    [ "$status" -eq 0 ]
    [ "$(bundles)" = 0 ]
    [ "$(archived)" = 65 ]
    [ -z "$(ls -A "$lib/quarantine")" ]
    sqlite3 "$lib/history.sqlite" 'SELECT count(*), count(DISTINCT key) FROM run' > "$D/rows"
    [ "$(cat "$D/rows")" = "65|65" ]
    # every job was told, with one text
    [ "$(sort -u "$D/kept" | wc -l)" = 65 ]
}

@test "a job has the name that slurmdbd says, also when it left no record" {
    # as hpcai500-slurmdbd answers for a task and a component
    cat > "$D/bin/hpcai500-slurmdbd" <<S
#!/bin/bash
while read -r cluster job line; do
    echo "\$job" >> "$D/told"
    case \$job in 300@*) echo "0 there 290_7" ;; 301@*) echo "0 there 299+2" ;; *) echo "0 there" ;; esac
done
S
    for job in 300 301 302; do make_bundles none $job; done
    make_bundles record 303
    run collect
    [ "$status" -eq 0 ]
    # root's begin says which start of the job is meant
    [ "$(sort "$D/told")" = "$(printf '%s@1795374170\n' 300 301 302 303)" ]
    keys() { sqlite3 "$lib/history.sqlite" "SELECT key FROM run ORDER BY job" | paste -sd' '; }
    [ "$(keys)" = "lab-290_7.0 lab-299+2.0 lab-302.0 lab-303.0.3" ]
    [ "$(sqlite3 "$lib/history.sqlite" "SELECT array_job, array_task FROM run WHERE job = 300")" = "290|7" ]
    [ "$(sqlite3 "$lib/history.sqlite" "SELECT het_job, het_offset FROM run WHERE job = 301")" = "299|2" ]
    # the same bundles again are known under their new names
    for job in 300 301 302; do make_bundles none $job; done
    run collect
    has "$output" "3 bundles: 0 filed"
    [ "$(keys)" = "lab-290_7.0 lab-299+2.0 lab-302.0 lab-303.0.3" ]
}

@test "while slurmdbd is down the texts wait, then they come" {
    touch "$D/down"
    make_bundles record 100 5
    run collect
    [ "$status" -eq 0 ]
    has "$output" "accounting waits 5 s: it is down"
    has "$output" "0 told, 0 written, 5 in the outbox"
    [ ! -e "$D/told" ]
    rm "$D/down"
    run collect
    has "$output" "0 told, 5 written, 5 in the outbox"
    [ "$(wc -l < "$D/told")" = 5 ]
}

@test "without a helper filing goes on" {
    rm "$D/bin/hpcai500-slurmdbd"
    make_bundles record 100
    run collect
    [ "$status" -eq 0 ]
    has "$output" "1 filed"
    has "$output" "there is no hpcai500-slurmdbd"
}

@test "admin_comment=h5a1 tells the packed record, =off nothing" {
    echo "admin_comment = h5a1" >> "$D/conf"
    make_bundles record 100
    make_bundles none 101
    collect
    cut -d: -f2 "$D/told" | head -1 | tr -d ';' | base64 -d | zcat > "$D/record.json"
    [ "$(jq -r .id "$D/record.json")" = lab-100.0.3 ]
    grep -q '^100 H5A1:' "$D/told"
    grep -q '^101 H5:' "$D/told"
    sed -i 's/h5a1/off/' "$D/conf"
    make_bundles record 102
    run collect
    has "$output" "1 filed"
    no grep -q '^102' "$D/told"
}

@test "without munged nothing is touched" {
    make_bundles record 100
    make_bundles edited 101
    munged_stop
    run collect
    [ "$status" -eq 3 ]
    has "$output" "MUNGE"
    [ "$(bundles)" = 2 ]
    munged_start
    run collect
    [ "$status" -eq 0 ]
    has "$output" "1 refused"
}

@test "in the foreground a bundle is taken as soon as it comes; SIGTERM ends it" {
    "$D/bin/hpcai500-collect" -v > "$D/log" 2>&1 3>&- 4>&- &
    local pid=$!
    await 5 test -s "$D/log"
    make_bundles record 100
    await 5 none_left
    kill $pid
    wait $pid
    [ "$(bundles)" = 0 ]
    [ "$(archived)" = 1 ]
}

@test "a hostile environment of the collector: what tells accounting sees none of it" {
    command -v python3 > /dev/null || skip "python3 is not installed"
    sed -i "2i cat /proc/\$\$/environ > $D/saw" "$D/bin/hpcai500-slurmdbd"
    for seed in 1 2 3 4 $RANDOM; do
        rm -f "$D/saw"
        make_bundles record $((100 + seed))
        SLURM_CONF=/s/c SLURM_CONF_SERVER=s HPCAI500_SLURMDBD_LOCK=$D/lock run timeout 600 \
            python3 "$top_srcdir/tests/spank/plugin/hostile_env.py" "$seed" "$D/bin/hpcai500-collect" --once
        echo "seed $seed: $output"
        [ "$status" -eq 0 ]
        has "$output" "1 filed"
        [ "$(sort -z "$D/saw" | tr '\0' ' ')" = "HPCAI500_SLURMDBD_LOCK=$D/lock SLURM_CONF=/s/c SLURM_CONF_SERVER=s " ]
    done
    grep -q "^$((100 + seed)) H5:" "$D/told"
}

# ---- from other nodes ----

# node NAME: a spool and a munged of its own, and the way to the collector
node() {
    mkdir -p "$D/$1"
    install -d -m 700 "$D/$1/spool/out"
    printf 'spool = %s/spool\nservice_user = root\nmunge_socket = %s\ncollector = 127.0.0.1:%d\n' \
        "$D/$1" "$D/${2:-munge/s}" "$port" > "$D/$1/conf"
}

forward() { HPCAI500_CONF=$D/$1/conf timeout 600 "$top_builddir/spank/witness/hpcai500-witness" forward 2>&1; }

# forward_all NODE: as its epilogs and its timer do, until nothing waits
forward_all() { await 5 forwarded "$1"; }
forwarded() {
    forward "$1" >> "$D/$1/log" || true
    [ -z "$(find "$D/$1/spool/out" -name '*.bundle')" ]
}

# listen: the collector as a service that listens on $port and files; its pid in $service
listen() {
    "$D/bin/hpcai500-collect" -v --interval=1 >> "$D/log" 2>&1 3>&- 4>&- &
    service=$!
    services=("$service")
    await 5 listens_or_ended
    grep "accounting:" "$D/log" || { cat "$D/log"; return 1; }
}
listens_or_ended() { grep -q "accounting:" "$D/log" || has_ended "$service"; }

# free_port: one that nobody has; listen= of the collector
free_port() {
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    echo "listen = 127.0.0.1:$port" >> "$D/conf"
}

@test "what nodes send while it listens is filed and told once, though it is killed in between" {
    local i n senders=()
    chmod 700 "$out"
    free_port
    for n in n1 n2 n3; do node $n; done
    out=$D/n1/spool/out make_bundles record 1000 25
    out=$D/n2/spool/out make_bundles record 2000 25
    out=$D/n3/spool/out make_bundles edited 3000 1
    # journals of two nodes, each from its own
    out=$D/n1/spool/out make_bundles journals 4000 5
    mv "$D"/n1/spool/out/*-n2-* "$D/n2/spool/out"
    listen
    for n in n1 n2 n3; do forward_all $n 3>&- 4>&- & senders+=($!); done
    for i in 1 2 3 4; do
        await 5 at_least $((i * 10))
        kill -9 "$service"
        wait "$service" || true
        : > "$D/log"
        listen
    done
    for i in "${senders[@]}"; do wait "$i"; done
    await 5 none_left
    kill "$service"
    wait "$service"
    cat "$D/log"
    [ "$(bundles)" = 0 ]
    [ "$(archived)" = 55 ]
    [ "$(find "$out" -type f | wc -l)" = 0 ]
    has "$(reason 3000)" "not the bytes that root saw"
    # 3000 asked, and its bundle was refused
    [ "$(sqlite3 "$lib/history.sqlite" 'SELECT count(*), count(DISTINCT key) FROM run')" = "56|56" ]
    [ "$(sort -u "$D/kept" | wc -l)" = 56 ]
    [ "$(cut -d' ' -f1 "$D/kept" | sort | uniq -d | wc -l)" = 0 ]
}

@test "a node whose clock is wrong keeps its bundles until it is set" {
    need_faketime
    chmod 700 "$out"
    free_port
    node n1 n1/munge/s
    make_bundles record 100
    mv "$out"/*.bundle "$D/n1/spool/out"
    listen
    for clock in -2h +2h; do
        munged_start $clock "$D/n1"
        run forward n1
        echo "$clock: $output"
        has "$output" "0 bundles dropped, 1 refused"
        [ $clock = -2h ] && state=expired || state=rewound
        has "$output" "announced by a credential that is $state: do the clocks agree?"
        munged_stop "$D/n1"
        [ "$(find "$D/n1/spool/out" -name '*.bundle' | wc -l)" = 1 ]
        [ "$(bundles)" = 0 ]
    done
    munged_start "" "$D/n1"
    run forward n1
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    await 5 at_least 1
    [ "$(archived)" = 1 ]
}

@test "how old a witness is does not matter, nor that it is of the future" {
    need_faketime
    munged_stop
    munged_start -400d
    make_bundles record 100
    make_bundles edited 101
    munged_stop
    munged_start +2h
    make_bundles record 102
    make_bundles journals 103
    munged_stop
    munged_start
    # they are what they are meant to be
    head -c 4000 "$out"/lab-100-* | cut -c19- | head -1 | unmunge -S "$D/munge/s" > "$D/told-100" || true
    grep -q "EXPIRED\|Expired" "$D/told-100"
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "4 filed"
    has "$output" "lab-102-n1-1795374290.bundle: the clock of its node is 7"
    no grep -q "lab-100.*clock" <<< "$output"
    has "$(reason 101)" "not the bytes that root saw"
    for job in 100 102 103; do
        run verify $job
        echo "$output"
        [ "$status" -eq 0 ]
    done
    sed -i 's/^MUNGE:\(.\{200\}\)./MUNGE:\1#/' "$lib/archive/2026/11/22/lab-100.0.3.witness"
    run verify 100
    [ "$status" -eq 1 ]
    has "$output" "WRONG    witness"
}

@test "what the collector needs is made while it is root, or a sentence says how" {
    rm -r "$D/spool" "$lib"
    run collect
    [ "$status" -eq 0 ]
    [ "$(stat -c %a "$out")" = 700 ]
    rmdir "$out"
    chmod 644 "$D/conf"
    sed -i 's/^service_user.*/service_user = daemon/' "$D/conf"
    chown -R daemon: "$lib"
    run setpriv --reuid daemon --regid daemon --clear-groups "$D/bin/hpcai500-collect" --once
    [ "$status" -eq 3 ]
    has "$output" "there is no $out; start the collector once as root, or make it: install -d -m 755 $D/spool && install -d -m 700 -o daemon $out"
    for unit in "$top_srcdir"/contrib/systemd/hpcai500-collect*.service.in; do
        grep -q "ExecStartPre=+/usr/bin/install -d -m 0700 -o slurm /var/spool/hpcai500/out" "$unit"
    done
}

@test "a full quarantine says what goes" {
    local i
    mkdir -p "$lib/quarantine"
    for i in $(seq 1001); do : > "$lib/quarantine/old$i.bundle"; done
    make_bundles edited 150
    run collect
    echo "$output"
    has "$output" "the quarantine $lib/quarantine is full: its 2 oldest bundles are gone"
}

@test "it is the service user's business" {
    chmod 755 "$D" "$D/bin"
    sed -i 's/^service_user.*/service_user = daemon/' "$D/conf"
    chmod 644 "$D/conf"
    run setpriv --reuid nobody --regid nogroup --clear-groups "$D/bin/hpcai500-collect" --once
    [ "$status" -eq 3 ]
    has "$output" "only user 'daemon' (service_user=) and root may run this"
    # as root it becomes that user, who owns nothing here
    run collect
    [ "$status" -eq 3 ]
    has "$output" "$lib/archive: Permission denied"
}

@test "a root-only file is out of the collector's reach, by every way to it" {
    local name=lab-%d-n1-1795374290.bundle secret=$D/secret/kept all
    bundle_of() { printf "$out/$name" "$1"; }
    sed -i 's/^service_user.*/service_user = daemon/' "$D/conf"
    touch "$D/told" "$D/kept"
    chown daemon: "$lib" "$out" "$D/told" "$D/kept"
    mkdir -m 755 "$D/secret"
    # A bundle that would be filed: a reader that can read it shows that.
    make_bundles record 100
    mv "$(bundle_of 100)" "$secret"
    make_bundles record 101 # root's alone where the others lie
    make_bundles record 102 # the service user's: what is right is still filed
    chown daemon: "$(bundle_of 102)"
    ln -s "$secret" "$(bundle_of 100)"
    ln "$secret" "$(bundle_of 103)"
    ln -s /etc/shadow "$(bundle_of 104)"
    ln -s "$D/secret" "$(bundle_of 105)"
    mkdir -p "$lib/archive/2026/11/22" "$lib/quarantine"
    ln -s "$secret" "$lib/archive/2026/11/22/lab-102.0.3.witness"
    ln -s "$secret" "$lib/quarantine/$(basename "$(bundle_of 104)").reason"
    chown -R daemon: "$lib"
    cp -p "$secret" "$D/secret/copy"
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    has "$output" "1 filed"
    has "$output" "$(printf "$name" 101): Permission denied"
    has "$output" "$(printf "$name" 103): Permission denied"
    [ "$(archived)" = 1 ]
    [ -f "$lib/archive/2026/11/22/lab-102.0.3.json.gz" ]
    # Whose name is 100, 101 or 103 was read by nobody; nor was shadow.
    all=$D/all
    { echo "$output"; cat "$D/told"; find "$lib" -type f -exec zcat -f {} +; } > "$all"
    no grep -aq 'lab-10[013]\.0\.3' "$all"
    no grep -aqFf <(head -c 16 "$secret"; echo; grep -o '^[^:]*:[^:]*:' /etc/shadow) "$all"
    cmp "$secret" "$D/secret/copy"
    run setpriv --reuid daemon --regid daemon --clear-groups \
        env HPCAI500_CONF="$secret" "$D/bin/hpcai500-collect" --once
    [ "$output" = "hpcai500 collect: cannot read $secret: Permission denied" ]
    # Root, were he to file, would see them: nothing but his leave was missing.
    sed -i 's/^service_user.*/service_user = root/' "$D/conf"
    chown -R root: "$lib" "$out"
    run collect
    has "$output" "2 filed"
    has "$(zcat "$lib/archive/2026/11/22/"*.gz)" lab-101.0.3
    no grep -aqFf <(grep -o '^[^:]*:[^:]*:' /etc/shadow) <(find "$lib" -type f -exec zcat -f {} +)
}

@test "what tells accounting is nobody but who calls it" {
    [ -x "$top_builddir/spank/account/hpcai500-slurmdbd" ] || skip "built without libslurm"
    chmod 755 "$D" "$D/bin"
    install -m 4755 "$top_builddir/spank/account/hpcai500-slurmdbd" "$D/bin/helper"
    run setpriv --reuid nobody --regid nogroup --clear-groups "$D/bin/helper" get lab 1
    [ "$status" -eq 3 ]
    [[ "$output" == *"this program must not be set-user-id or set-group-id" ]] ||
        findmnt -no OPTIONS -T "$D" | grep -q nosuid
}

@test "usage" {
    run "$D/bin/hpcai500-collect" --once word
    [ "$status" -eq 2 ]
    run "$D/bin/hpcai500-collect" --grace=x
    [ "$status" -eq 2 ]
    run verify
    [ "$status" -eq 2 ]
    for help in -h --help; do
        run verify $help
        [ "$status" -eq 0 ]
        run "$D/bin/hpcai500-collect" $help
        [ "$status" -eq 0 ]
        has "$output" "usage: hpcai500 collect"
    done
}

# ---- verify ----

@test "verify: what was filed holds, by job, id and file" {
    local day=$lib/archive/2026/11/22
    make_bundles record 100
    make_bundles journals 102
    collect
    run verify 100
    [ "$status" -eq 0 ]
    has "$output" "the bytes that root saw"
    has "$output" "root on 1 node, job 100 of lab"
    no grep -q WRONG <<< "$output"
    run verify lab-100.0.3
    [ "$status" -eq 0 ]
    run verify 102
    [ "$status" -eq 0 ]
    has "$output" "made by the collector from the journals that root saw"
    run verify "$day/lab-100.0.3.json.gz"
    [ "$status" -eq 0 ]
    zcat "$day/lab-100.0.3.json.gz" > "$D/mine.json"
    run verify "$D/mine.json"
    [ "$status" -eq 0 ]
    cp "$day/lab-100.0.3.witness" "$D/mine.witness"
    rm "$lib/history.sqlite"*
    run verify "$D/mine.json"
    [ "$status" -eq 0 ]
}

@test "verify: an edited byte is found, in the record and in the witness" {
    local day=$lib/archive/2026/11/22
    make_bundles record 100
    collect
    zcat "$day/lab-100.0.3.json.gz" > "$D/mine.json"
    sed -i 's,lr=0.001,lr=0.002,' "$D/mine.json"
    run verify "$D/mine.json"
    [ "$status" -eq 1 ]
    has "$output" "WRONG    hash"
    gzip -c "$D/mine.json" > "$day/lab-100.0.3.json.gz"
    run verify 100
    [ "$status" -eq 1 ]
    has "$output" "WRONG    hash"
    zcat "$day/lab-100.0.3.json.gz" | sed 's/lr=0.002/lr=0.001/' | gzip > "$D/x.gz"
    mv "$D/x.gz" "$day/lab-100.0.3.json.gz"
    run verify 100
    [ "$status" -eq 0 ]
    sed -i 's/^MUNGE:\(.\{200\}\)./MUNGE:\1#/' "$day/lab-100.0.3.witness"
    run verify 100
    [ "$status" -eq 1 ]
    has "$output" "WRONG    witness"
}

@test "verify: without a witness or a munged it cannot be told" {
    local day=$lib/archive/2026/11/22
    make_bundles record 100
    make_bundles none 101
    collect
    run verify 101
    [ "$status" -eq 3 ]
    run verify 999
    [ "$status" -eq 3 ]
    has "$output" "the history has no run 999 that you may read"
    munged_stop
    run verify 100
    [ "$status" -eq 3 ]
    munged_start
    rm "$day/lab-100.0.3.witness"
    run verify 100
    [ "$status" -eq 3 ]
    has "$output" "this is a claim of the job's user"
}
