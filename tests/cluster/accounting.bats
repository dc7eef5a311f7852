#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# From a job's drop folder into slurmdbd: real plugin, witness, munge, slurmdbd.
# The records are made by a script in place of the agent, so a job is short.
load helper

setup() {
    need_root
    eval "$("$lab" env)"
    OUT=$S/shared/accounting-$BATS_TEST_NUMBER
    rm -rf "$OUT"; mkdir -p "$OUT"; chmod 1777 "$OUT"
    cd "$OUT" || return 1
    cluster=${HPCAI500_CLUSTER//-/} # Slurm's names have no dash
    helper=$S/prefix/libexec/hpcai500/hpcai500-slurmdbd
    "$lab" site shared
    # What a rank 0 leaves: a record of this very step, in the job's folder.
    cat > "$OUT/leave" <<X
#!/bin/bash
dir=$S/spool/jobs/\$SLURMD_NODENAME/\$SLURM_JOB_ID restart=\${SLURM_RESTART_COUNT:-0}
number=\$SLURM_JOB_ID array=null task=null het=null offset=null
if [ -n "\${SLURM_ARRAY_TASK_ID-}" ]; then
    array=\$SLURM_ARRAY_JOB_ID task=\$SLURM_ARRAY_TASK_ID number=\${array}_\$task
elif [ -n "\${SLURM_HET_JOB_ID-}" ]; then
    het=\$SLURM_HET_JOB_ID offset=\$((SLURM_JOB_ID - het)) number=\$het+\$offset
fi
now=\$(date -u +%Y-%m-%dT%H:%M:%S.000Z) id=\$SLURM_CLUSTER_NAME-\$number.\$restart.\${SLURM_STEP_ID:-0}
jq -n --arg id "\$id" --arg now "\$now" --arg cluster "\$SLURM_CLUSTER_NAME" --arg node "\$SLURMD_NODENAME" \
    --arg step "\${SLURM_STEP_ID:-0}" --arg user "\$(id -un)" --argjson job "\$SLURM_JOB_ID" --argjson uid "\$(id -u)" \
    --argjson restart "\$restart" --argjson array "\$array" --argjson task "\$task" \
    --argjson het "\$het" --argjson offset "\$offset" '{
    schema: "hpcai500/record", schema_version: "1.0.0", id: \$id, status: "complete", valid: true,
    run: {text: "cosmoflow,class=tiny"},
    job: {cluster: \$cluster, job_id: \$job, step_id: \$step, restart: \$restart, array_job_id: \$array,
          array_task_id: \$task, het_job_id: \$het, het_offset: \$offset, user: \$user, uid: \$uid, nodes: [\$node]},
    system: {nodes: [{name: \$node}], node_count: 1},
    time: {start: \$now, end: \$now, wall_seconds: 0.5},
    workloads: [{name: "cosmoflow", suite: "component", class: "tiny", engine: "cpu", dtype: "f32", ranks: 1,
        threads: 1, batch: 8, status: "complete", valid: true,
        quality: {metric: "mae", higher_is_better: false, target: 0.31, achieved: 0.2992},
        performance: {samples_per_second: 188, flop_per_sample: 2e8, flop_per_second: 376e8}}]}' > "\$dir/\$id.json"
X
    chmod 755 "$OUT/leave"
}

comment() { sacct -X -n -P -o admincomment -j "$1"; }
collect() { timeout 600 hpcai500 collect --once "$@" 2>&1; }
# told JOB: the collector goes on until the job's comment has our line
told() { collect > "$OUT/collect.log"; comment "$1" | grep -q 'H5:'; }
bundles() { find "$S/spool/out" -name '*.bundle' | wc -l; }
waits() { [ "$(bundles)" -gt 0 ]; }
line() { echo "H5:cosmoflow tiny mae 0.2992<=0.31 reached 188/s complete valid $cluster-$1.0.0;"; }
job_of() { sed -n 's/.*job_id=\([0-9]*\).*/\1/p' "$1"; }
in_slurmdbd() { [ -n "$(sacct -X -n -o jobid -j "$1")" ]; }

@test "a user's job has its line in sacct, and its record is what root saw" {
    as_user srun -n1 bash -c "echo job_id=\$SLURM_JOB_ID; $OUT/leave" > "$OUT/log"
    job=$(job_of "$OUT/log")
    await 5 told "$job"
    [ "$(comment "$job")" = "$(line "$job")" ]
    sacct -X -o jobid,admincomment%200 -j "$job" | grep -qF "$(line "$job")"
    run hpcai500 verify "$job"
    echo "$output"
    [ "$status" -eq 0 ]
    hpcai500 history --json --since 1h | grep -qF "$cluster-$job.0.0"
}

@test "what others keep there survives, also when they write at the same time" {
    srun_ -n1 bash -c "echo job_id=\$SLURM_JOB_ID; $OUT/leave" > "$OUT/log"
    job=$(job_of "$OUT/log")
    await 5 in_slurmdbd "$job"
    sacctmgr -i modify job where jobid="$job" set admincomment=JS1:H4sIAAAA > /dev/null
    js1=$(comment "$job") # 22.05 writes it in small letters
    await 5 told "$job"
    [ "$(comment "$job")" = "$js1 $(line "$job")" ] || [ "$(comment "$job")" = "$js1 AA== $(line "$job")" ]
    # Somebody overwrites it again and again, as jobstats does.
    for i in $(seq 15); do sacctmgr -i modify job where jobid="$job" set admincomment="js1:h4s$i"; done > /dev/null &
    for i in $(seq 30); do "$helper" merge "$cluster" "$job" "H5:number $i;" || [ $? = 3 ]; done
    wait
    "$helper" merge "$cluster" "$job" "H5:the last;"
    comment "$job"
    [[ $(comment "$job") =~ ^js1:h4s[0-9]+\ H5:the\ last\;$ ]]
    [ "$("$helper" merge "$cluster" "$job" "H5:the last;")" = there ]
}

# How a merge of LINE into JOB writes its change to slurmdbd, "CALL N": N of
# these come before (22.05 says write, 24.11 another); one that reads the same
# from a job of the same kind has told it.
writes_before() {
    strace -f -s 200000 -e trace=write,writev,sendto,sendmsg -o "$OUT/strace" "$helper" merge "$cluster" "$1" "$2" > /dev/null
    awk -v line="$2" 'match($0, / (write|writev|sendto|sendmsg)\(/) {call = substr($0, RSTART + 1, RLENGTH - 2); n[call]++
        if (index($0, line)) {print call, n[call] - 1; exit}}' "$OUT/strace"
}
# stops_before JOB LINE FILE CALL N: the helper stands still when all is read
# and nothing written; its answer goes to FILE
stops_before() {
    rm -f "$OUT/stopped"
    strace -f -e trace="$4" -e inject="$4:signal=STOP:when=$5" -o "$OUT/stopped" \
        "$helper" merge "$cluster" "$1" "$2" > "$3" 2>&1 &
    await 5 grep -q 'stopped by SIGSTOP' "$OUT/stopped"
    stopped=$(awk '{print $1; exit}' "$OUT/stopped")
}

@test "what others write between our reading and our writing is not lost" {
    command -v strace > /dev/null || skip "there is no strace"
    srun_ -n1 bash -c "echo job_id=\$SLURM_JOB_ID" > "$OUT/log"
    job=$(job_of "$OUT/log")
    await 5 in_slurmdbd "$job"
    # (22.05's sacctmgr makes it small letters and ' a backtick.)
    set_comment() { sacctmgr -i modify job where jobid="$job" set admincomment="$1" > /dev/null; }
    set_comment "js1:first"
    read -r call n <<< "$(writes_before "$job" "H5:one;")"
    [ "$n" -gt 2 ]
    # all that a text may have in SQL
    for theirs in "js1:h4s/a+b==" 'back\slash and \n, "quotes", 100% <a|b>; admin_comment=x' "h5:old; caf$(printf '\303\251')" "a
second line" ""; do
        set_comment "js1:before $RANDOM"
        stops_before "$job" "H5:two $RANDOM;" "$OUT/answer" "$call" "$n"
        set_comment "$theirs"
        kept=$(comment "$job")
        kill -CONT "$stopped"
        wait
        [ "$(tail -n 1 "$OUT/answer")" = written ] # libslurm of 24.11 may say something before
        comment "$job"
        [[ $(comment "$job") =~ ^"$kept"\ ?H5:two\ [0-9]+\;$ ]]
    done
    # Another's change of the same job that leaves the comment alone, another
    # job's comment, and one that wrote what we had read: nothing to take up.
    set_comment "js1:stays"
    stops_before "$job" "H5:three;" "$OUT/answer" "$call" "$n"
    sacctmgr -i modify job where jobid="$job" set comment="admin_comment='js1:no'" > /dev/null
    sacctmgr -i modify job where jobid="$((job - 1))" set admincomment="js1:another" > /dev/null
    set_comment "js1:stays"
    kill -CONT "$stopped"
    wait
    [ "$(comment "$job")" = "js1:stays H5:three;" ]
}

@test "a comment that another wrote while a batch goes on is read as it is" {
    for i in 1 2; do srun_ -n1 bash -c "echo job_id=\$SLURM_JOB_ID" > "$OUT/log.$i"; done
    first=$(job_of "$OUT/log.1") second=$(job_of "$OUT/log.2")
    await 5 in_slurmdbd "$second"
    "$helper" merge "$cluster" "$first" "H5:one;"
    mkfifo "$OUT/lines"
    "$helper" merge - < "$OUT/lines" > "$OUT/answers" &
    exec 5> "$OUT/lines"
    echo "$cluster $first H5:one;" >&5
    await 5 test -s "$OUT/answers"
    sacctmgr -i modify job where jobid="$second" set admincomment="js1:meanwhile" > /dev/null
    echo "$cluster $second H5:two;" >&5
    exec 5>&-
    wait
    [ "$(cat "$OUT/answers")" = $'0 there\n0 written' ]
    [ "$(comment "$second")" = "js1:meanwhile H5:two;" ]
}

@test "tasks of an array and components of a het job each have their own line" {
    array=$(sbatch --parsable -o /dev/null --array=0-2 --wrap "srun -n1 $OUT/leave")
    het=$(sbatch --parsable -o /dev/null -n1 : -n1 --wrap "srun --het-group=0 -n1 $OUT/leave")
    await 5 idle
    for i in 0 1 2; do # they end, and are filed, in any order
        await 5 in_slurmdbd "${array}_$i"
        await 5 told "${array}_$i"
    done
    await 5 told "$het"
    for i in 0 1 2; do
        comment "${array}_$i"
        [ "$(comment "${array}_$i")" = "$(line "${array}_$i")" ]
    done
    [[ $(comment "$het+0") =~ ^H5:cosmoflow.*\ $cluster-$het[.+][0-9.]*\;$ ]]
    [ -z "$(comment "$het+1")" ]
}

@test "what left no record has the name by which sacct knows it" {
    as_user sbatch --parsable -o /dev/null --array=3,5 --hpcai500=cosmoflow,data=/not/there --wrap true > "$OUT/array"
    as_user sbatch --parsable -o /dev/null -n1 --hpcai500=cosmoflow,data=/not/there : -n1 --wrap true > "$OUT/het"
    array=$(cat "$OUT/array") het=$(cat "$OUT/het")
    await 5 idle
    await 5 in_slurmdbd "${array}_5"
    await 5 told "${array}_3"
    await 5 told "${array}_5"
    await 5 told "$het+0"
    # slurmdbd may hear of the tasks while we write: the name is learned at the
    # second look at the latest, which is a minute or two after the first.
    named() { collect > "$OUT/collect.log"; [ "$(hpcai500 history --json --job="$1" | jq -r '.rows[].key')" = "$cluster-$1.0" ]; }
    for job in "${array}_3" "${array}_5" "$het+0"; do
        await 10 named "$job" || { cat "$OUT/collect.log"; hpcai500 history --json | jq -c '.rows[]'; return 1; } >&2
        [[ $(comment "$job") =~ ^H5:.*\ no\ record ]]
    done
}

@test "each start of a requeued job has its line in its own row" {
    cat > "$OUT/starts.sh" <<X
#!/bin/bash
$OUT/leave
echo "\${SLURM_RESTART_COUNT:-0}" >> $OUT/starts
[ "\${SLURM_RESTART_COUNT:-0}" = 2 ] || { scontrol requeuehold \$SLURM_JOB_ID; sleep 900; }
X
    job=$(sbatch --parsable --requeue -n1 -o /dev/null "$OUT/starts.sh")
    # Held, not only requeued: slurmd 22.05 was seen to leave out the prolog of a
    # start that came within a second of the one before (so two pass here). Released, it would
    # wait for cred_expire seconds more, unless it is told not to.
    starts() {
        [ "$(wc -l < "$OUT/starts")" = "$1" ] ||
            { sleep 2; scontrol release "$job"; scontrol update jobid="$job" starttime=now; sleep 5; false; }
    }
    # The first start is told while it is the last that was requeued.
    requeued() { sacct -D -X -n -P -o state -j "$job" | grep -q REQUEUED; }
    await 5 waits
    await 5 requeued
    collect > "$OUT/collect.log"
    await 10 starts 2
    await 5 waits
    await 10 starts 3
    await 5 idle
    await 5 in_slurmdbd "$job"
    await 5 told "$job"
    rows() { sacct -D -X -n -P -o admincomment -j "$job"; }
    rows
    for i in 0 1 2; do rows | sed -n $((i + 1))p | grep -qF "$cluster-$job.$i."; done
    # Said a second time the line of each start is there; of one that another of
    # its kind came after nothing can be changed, with a message.
    begin() { sacct -D -X -n -P -o start -j "$job" | sed -n "$1p" | date -f - +%s; }
    for i in 1 2 3; do [ "$("$helper" merge "$cluster" "$job@$(begin $i)" "$(rows | sed -n ${i}p)")" = there ]; done
    run "$helper" merge "$cluster" "$job@$(begin 1)" "H5:late;"
    [ "$status" -eq 1 ]
    grep -q "slurmdbd can change only the last of its starts that ended alike; this one is in the history alone" <<< "$output"
    run "$helper" merge "$cluster" "$job@$(begin 2)" "H5:second;"
    [ "$output" = written ]
    [ "$(rows | sed -n 2p)" = "H5:second;" ]
    # A slurmdbd that was away for it may know of a start's end alone.
    second=$(begin 2)
    mysql --no-defaults -uroot -S "$S/db/socket" slurm_acct_db -e \
        "UPDATE \`${cluster}_job_table\` SET time_start = 0 WHERE id_job = $job AND time_start = $second"
    [ "$(sacct -D -X -n -P -o start -j "$job" | sed -n 2p)" = None ]
    [ "$("$helper" get "$cluster" "$job@$second")" = "H5:second;" ]
    hpcai500 history --json --job="$job" | jq -e '[.rows[].key] | length == 3'
}

@test "slurmdbd stopped while a job ends: the line comes when it is back" {
    "$lab" slurmdbd stop
    srun_ -n1 bash -c "echo job_id=\$SLURM_JOB_ID; $OUT/leave" > "$OUT/log"
    job=$(job_of "$OUT/log")
    await 5 waits
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "0 refused" <<< "$output"
    grep -q "accounting waits" <<< "$output"
    [ "$(bundles)" = 0 ]
    "$lab" slurmdbd start
    await 5 in_slurmdbd "$job"
    await 5 told "$job"
    [ "$(comment "$job")" = "$(line "$job")" ]
}

@test "the collector killed in the middle: each job exactly once" {
    array=$(sbatch --parsable -o /dev/null --array=1-8 --wrap "srun -n1 $OUT/leave")
    await 5 idle
    await 5 in_slurmdbd "${array}_8"
    for i in 1 2 3 4 5 6; do
        timeout -s KILL 0.0$((i * 2)) "$S/prefix/libexec/hpcai500/hpcai500-collect" --once > /dev/null 2>&1 || true
    done
    await 5 told "${array}_8"
    for i in $(seq 8); do [ "$(comment "${array}_$i")" = "$(line "${array}_$i")" ]; done
    [ "$(bundles)" = 0 ]
    [ "$(hpcai500 history --limit=0 --json --job="$array" | jq -r '.rows[].key' | sort | uniq -c | awk '$1 == 1' | wc -l)" = 8 ]
    [ -z "$(ls "$S/site/quarantine")" ]
}
