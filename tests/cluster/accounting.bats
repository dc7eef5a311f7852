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
    run: {text: "component,class=tiny"},
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
collect() { timeout 120 hpcai500 collect --once "$@" 2>&1; }
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
    until_true 60 told "$job"
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
    until_true 60 in_slurmdbd "$job"
    sacctmgr -i modify job where jobid="$job" set admincomment=JS1:H4sIAAAA > /dev/null
    js1=$(comment "$job") # 22.05 writes it in small letters
    until_true 60 told "$job"
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

@test "tasks of an array and components of a het job each have their own line" {
    array=$(sbatch --parsable -o /dev/null --array=0-2 --wrap "srun -n1 $OUT/leave")
    het=$(sbatch --parsable -o /dev/null -n1 : -n1 --wrap "srun --het-group=0 -n1 $OUT/leave")
    until_true 120 idle
    until_true 60 in_slurmdbd "${array}_2"
    until_true 60 told "${array}_2"
    until_true 60 told "$het"
    for i in 0 1 2; do
        comment "${array}_$i"
        [ "$(comment "${array}_$i")" = "$(line "${array}_$i")" ]
    done
    [[ $(comment "$het+0") =~ ^H5:cosmoflow.*\ $cluster-$het[.+][0-9.]*\;$ ]]
    [ -z "$(comment "$het+1")" ]
}

@test "slurmdbd stopped while a job ends: the line comes when it is back" {
    "$lab" slurmdbd stop
    srun_ -n1 bash -c "echo job_id=\$SLURM_JOB_ID; $OUT/leave" > "$OUT/log"
    job=$(job_of "$OUT/log")
    until_true 60 waits
    run collect
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q "0 refused" <<< "$output"
    grep -q "accounting waits" <<< "$output"
    [ "$(bundles)" = 0 ]
    "$lab" slurmdbd start
    until_true 120 in_slurmdbd "$job"
    until_true 150 told "$job"
    [ "$(comment "$job")" = "$(line "$job")" ]
}

@test "the collector killed in the middle: each job exactly once" {
    array=$(sbatch --parsable -o /dev/null --array=1-8 --wrap "srun -n1 $OUT/leave")
    until_true 120 idle
    until_true 60 in_slurmdbd "${array}_8"
    for i in 1 2 3 4 5 6; do
        timeout -s KILL 0.0$((i * 2)) "$S/prefix/libexec/hpcai500/hpcai500-collect" --once > /dev/null 2>&1 || true
    done
    until_true 60 told "${array}_8"
    for i in $(seq 8); do [ "$(comment "${array}_$i")" = "$(line "${array}_$i")" ]; done
    [ "$(bundles)" = 0 ]
    [ "$(hpcai500 history --limit=0 --json --job="$array" | jq -r '.rows[].key' | sort | uniq -c | awk '$1 == 1' | wc -l)" = 8 ]
    [ -z "$(ls "$S/site/quarantine")" ]
}
