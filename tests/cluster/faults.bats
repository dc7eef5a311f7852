#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What a cluster does to a run, and what the record says of it afterwards.
# Rank 0 is on n1, rank 1 on n2, unless a test says otherwise.

load helper
load ../no

data=cosmoflow,class=tiny,data=${FEW-},batch=4 # not there yet when bats counts the tests
short=$data,epochs=1,target=1
# Never reaches this target: it is there to be hit.
long=$data,epochs=100000,target=0.000001,time=9m

# begin SRUN-WORDS... -- RUN: starts the long run and waits until both ranks train
begin() {
    : "${name:=srun}" # of its log
    srun_ -w 'n[1-2]' -N2 -n2 "$@" > "$OUT/$name.log" 2>&1 &
    srun=$! began=$SECONDS
    await 10 grep -q "epoch 1," "$OUT/$name.log" || { cat "$OUT/$name.log" >&2; return 1; }
}

# finish: its exit code into $rc, its words to the test's log
finish() {
    rc=0; wait "$srun" || rc=$?
    cat "$OUT/$name.log"
    echo "exit code $rc"
    [ $((SECONDS - began)) -lt $limit ] # it ended by itself
}

job_id() { squeue -h -o %A "$@" | head -1; }

pending() { [ "$(squeue -h -j "$1" -o %T)" = PENDING ]; }
two_records() { [ "$(records | wc -l)" = 2 ]; }

next_job() { scontrol show config | sed -n 's/^NEXT_JOB_ID *= *//p'; }

@test "a bad option is refused on the login node, in one sentence, and no job is made" {
    local before; before=$(next_job)
    while IFS='|' read -r text word; do
        for command in "srun -N1" "salloc -N1" "sbatch -N1 --wrap"; do
            # shellcheck disable=SC2086
            run timeout 300 ${command% --wrap} --hpcai500="$text" ${command##*-N1} true < /dev/null
            echo "$command --hpcai500=$text: $status: $output"
            [ "$status" -ne 0 ]
            [[ "$output" == *"$word"* ]]
            [ "$(grep -c 'hpcai500' <<< "$output")" = 1 ]
        done
    done <<'E'
componant|'component'
component,clas=tiny|'class'
component,class=huge|huge
component,time=soon|soon
component,seed=-1|-1
E
    [ -z "$(squeue -h)" ]
    [ "$(next_job)" = "$before" ]
}

@test "without the plugin on one node the run goes on, and the record says where it was missing" {
    need_nodes_of_their_own
    cp "$S/nodes/n2/plugstack.conf" "$OUT/plugstack.conf"
    echo '# removed by a test' > "$S/nodes/n2/plugstack.conf"
    run srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$short,out=$OUT" hpcai500-agent
    cp "$OUT/plugstack.conf" "$S/nodes/n2/plugstack.conf"
    echo "$output"
    local r; r=$(the_record)
    is "$r" '.status == "complete"' \
        '.job.plugin_remote == ["n1"]'
    [[ "$output" == *"missing on 1 of 2 nodes (n2)"* ]]
}

@test "a killed rank ends the run with a partial record that names rank and node" {
    begin --hpcai500="$long,out=$OUT" hpcai500-agent
    kill -9 "$(agent_pids n2)"
    finish
    [ $rc -ne 0 ]
    local r; r=$(the_record)
    is "$r" '.status == "partial"' '.valid == false' '[.reasons[]] | any(test("rank 1") and test("n2"))' \
        '.workloads[0].epochs | length >= 1'
}

@test "when rank 0 is killed another rank speaks for the run" {
    begin --hpcai500="$long,out=$OUT" hpcai500-agent
    kill -9 "$(agent_pids n1)"
    finish
    [ $rc -ne 0 ]
    local r; r=$(the_record)
    is "$r" '.status == "partial"' '.valid == false' '[.reasons[]] | any(test("rank 0") and test("n1"))'
}

@test "a stopped rank ends the run by the time-out, with a record that names rank and node" {
    export HPCAI500_TIMEOUT=10
    begin --hpcai500="$long,out=$OUT" hpcai500-agent
    local pid; pid=$(agent_pids n2)
    kill -STOP "$pid"
    finish
    kill -CONT "$pid" 2>/dev/null || true
    [ $rc -ne 0 ]
    local r; r=$(the_record)
    is "$r" '.status == "partial"' '.valid == false' '[.reasons[]] | any(test("rank 1") and test("n2"))'
}

# Longer than our longest wait; the record's two clocks agree on it.
@test "a suspended job goes on when it is resumed: no time-out fires, the record says it stood still" {
    need_root
    local job r
    export HPCAI500_TIMEOUT=10
    begin --hpcai500="$data,epochs=200,target=0.000001,out=$OUT" hpcai500-agent
    job=$(job_id)
    scontrol suspend "$job"
    await 5 suspended "$job"
    await 5 stands n1; await 5 stands n2
    sleep 14
    scontrol resume "$job"
    finish
    [ $rc -eq 1 ] # complete, and not valid
    r=$(the_record)
    is "$r" '.status == "complete"' '.valid == false' '.workloads[0].epochs | length == 200' \
        '.reasons.valid | test("stood still for (1[3-9]|[2-9][0-9]) s")' '.time.wall_seconds > 14' \
        '[.time.start, .time.end | sub("[.][0-9]*Z"; "Z") | fromdate] as [$a, $b] | ($b - $a - .time.wall_seconds) | fabs < 5'
    await 5 idle
    srun_ -w 'n[1-2]' -N2 -n2 true # and the nodes take the next job
}
suspended() { [ "$(squeue -h -j "$1" -o %T)" = SUSPENDED ]; }
# stands NODE: the agent there is stopped
stands() { grep -q '^State:.T' "/proc/$(agent_pids "$1")/status"; }

# Slurm looks at limits each half a minute: both at once, a processor each. Their time is
# moved near when both train; nothing else ends them before they fail this test.
@test "the job's time limit, and the signal before it (--signal), leave what was measured" {
    local limited limited_job signalled_job r
    long=${long/time=9m/time=59m}
    name=limit begin -J limit --time=60 --hpcai500="$long,out=$OUT/limit" hpcai500-agent
    limited=$srun limited_job=$(job_id -n limit)
    name=signal begin -J signal --time=60 --signal=USR1@1200 --hpcai500="$long,out=$OUT/signal" hpcai500-agent
    signalled_job=$(job_id -n signal)
    scontrol update jobid="$limited_job" endtime=now+1
    scontrol update jobid="$signalled_job" endtime=now+1200
    name=signal finish
    [ $rc -ne 0 ]
    srun=$limited
    name=limit finish
    [ $rc -ne 0 ]
    for name in limit signal; do
        r=$(the_record "$OUT/$name")
        is "$r" '.status == "partial"' '.workloads[0].epochs | length >= 1'
    done
    await 5 ended_as "$limited_job" TIMEOUT
    await 5 ended_as "$signalled_job" FAILED
}
ended_as() { [[ "$(scontrol -o show job "$1")" == *" JobState=$2 "* ]]; }

@test "scancel leaves what was measured" {
    begin --hpcai500="$long,out=$OUT" hpcai500-agent
    scancel "$(job_id)"
    finish
    [ $rc -ne 0 ]
    local r; r=$(the_record)
    is "$r" '.status == "partial"' '.workloads[0].epochs | length >= 1'
}

@test "no room for the record: one sentence, and nothing that looks like one" {
    need_nodes_of_their_own
    mkdir "$OUT/full"
    "$lab" exec n1 mount -t tmpfs -o size=64k,mode=1777 tmpfs "$OUT/full"
    "$lab" exec n1 dd if=/dev/zero of="$OUT/full/filler" bs=4k 2>/dev/null || true
    run srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$short,out=$OUT/full" hpcai500-agent
    local left; left=$("$lab" exec n1 find "$OUT/full" -type f ! -name filler)
    "$lab" exec n1 umount "$OUT/full"
    echo "$output"; echo "left: $left"
    [ "$status" -ne 0 ]
    [[ "$output" == *"No space left on device"* ]]
    no grep -q '\.json$' <<< "$left"
}

@test "two builds on two nodes: not valid, and the record names them" {
    need_nodes_of_their_own
    local agent=$S/prefix/bin/hpcai500-agent
    # A second build of the same source, under another name.
    cp -a "${top_builddir:-$S/build}" "$OUT/build"
    GIT_DIR=/nowhere make -s -C "$OUT/build" BUILD_ID=another-build build_id.h agent/hpcai500-agent > make.log 2>&1 || { cat make.log; return 1; }
    cp "$OUT/build/agent/hpcai500-agent" "$OUT/agent"; rm -r "$OUT/build"
    "$OUT/agent" --version | grep -qF another-build
    "$lab" exec n2 mount --bind "$OUT/agent" "$agent"
    run srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$short,out=$OUT" hpcai500-agent
    "$lab" exec n2 umount "$agent"
    echo "$output"
    [ "$status" -eq 1 ]
    local r; r=$(the_record)
    is "$r" '.valid == false' '.reasons.valid | test("build")' \
        '[.system.nodes[] | select(.build_id == "another-build") | .name] == ["n2"]' \
        '.reasons.valid | test("n1") and test("n2")'
}

# What runs before the script fails here (these few cubes teach nothing): the script starts anyway.
@test "tasks of an array leave a record each" {
    run sbatch -W -N1 -n1 --array=1-2 --hpcai500="$short,out=$OUT" -o "$OUT/%a.log" --wrap true
    cat "$OUT"/*.log; echo "$output"
    [ "$status" -eq 0 ]
    [ "$(records | wc -l)" = 2 ]
    local r
    for r in $(records); do check_record "$r"; done
    [ "$(jq -r .job.array_task_id $(records) | sort | tr '\n' ' ')" = "1 2 " ]
    [ "$(jq -r .id $(records) | sort -u | wc -l)" = 2 ]
}

@test "a requeued job leaves one record for each of its starts" {
    cat > "$OUT/job.sh" <<E
#!/bin/bash
run=$long; [ -z "\${SLURM_RESTART_COUNT-}" ] || run=$short
exec srun -K --hpcai500=\$run,out=$OUT hpcai500-agent
E
    local job
    job=$(sbatch --parsable --requeue -w n1 -N1 -n1 -o "$OUT/job.log" --open-mode=append "$OUT/job.sh")
    await 10 grep -q "epoch 1," "$OUT/job.log"
    scontrol requeue "$job"
    # A requeued job waits for cred_expire seconds, unless it is told not to.
    await 5 pending "$job"
    scontrol update jobid="$job" starttime=now
    await 10 two_records
    cat "$OUT/job.log"
    [ "$(records | wc -l)" = 2 ]
    local r
    for r in $(records); do check_record "$r"; done
    [ "$(jq -r '"\(.job.restart) \(.status)"' $(records) | sort | tr '\n' ';')" = "0 partial;1 complete;" ]
}
