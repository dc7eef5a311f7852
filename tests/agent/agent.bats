#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500-agent from run text to record, with a workload of the tests in the
# place of cosmoflow; how it ends when a rank or the site ends it.
load mpi.bash
load ../await
load ../no

fake=$top_builddir/tests/agent/agent-fake
agent=$top_builddir/agent/hpcai500-agent

setup() {
    dir=$(mktemp -d)
    cd "$dir"
    unset HPCAI500_RUN HPCAI500_SPOOL HPCAI500_TIMEOUT "${!SLURM_@}" "${!FAKE_@}"
    export HPCAI500_CACHE=$dir/cache
}

teardown() {
    cd /
    rm -rf "$dir"
}

# the_record: path of the only record in the working folder
the_record() {
    local all=("$dir"/*.json)
    [ "${#all[@]}" -eq 1 ] && [ -f "${all[0]}" ] && echo "${all[0]}"
}

# field EXPRESSION: of the record r, as Python sees it
field() {
    /usr/bin/python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
        "$(the_record)" "$1"
}

# valid_record: by the independent validator of tests/reports
valid_record() {
    local rc=0
    /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" "$(the_record)" || rc=$?
    [ "$rc" -eq 0 ] || [ "$rc" -eq 77 ]
}

no_journal() {
    no compgen -G "$dir/*.journal" >/dev/null
}

# ranks_here: pids of the fake's ranks in this test's folder, as they were started
ranks_here() {
    local q
    for q in $(pgrep -f "^$fake"); do
        [ "$(readlink "/proc/$q/cwd")" != "$dir" ] || echo "$q"
    done
}

# signal_to NAME WHICH COMMAND...: starts 2 ranks, sends the signal once
# $AFTER was said; WHICH: starter or rank
signal_to() {
    local name=$1 which=$2 p child
    shift 2
    timeout -k 5 600 "$MPIEXEC" -n 2 "$@" >>log 2>&1 &
    p=$!
    await 5 grep -q "${AFTER:-epoch 3}" log
    child=$(pgrep -P "$p")
    if [ "$which" = rank ]; then
        child=$(ranks_here | tail -n 1)
    fi
    kill "-$name" "$child"
    status=0
    wait "$p" || status=$?
    output=$(cat log)
}

# bats test_tags=mpi
@test "energy by the site's command: of each node once, in the place of what the kernel shows" {
    local counter='r["workloads"][0]["counters"]["energy_node_joules"]'
    printf '#!/bin/sh\nn=$(cat %s/count 2>/dev/null || echo 4000); n=$((n + 1000)); echo $n >%s/count\necho $n ${UNIT:-J}\n' "$dir" "$dir" >joules
    chmod +x joules
    printf 'energy = %s\n' "$dir/joules" >site.conf
    chmod 644 site.conf
    HPCAI500_CONF=$dir/site.conf FAKE_EPOCHS=2 ranks 2 "$fake" cosmoflow >log 2>&1 || [ $? = 1 ]
    valid_record
    field "$counter"
    [ "$(field "$counter['total'] == 1000 and $counter['ranks']['counted'] == 1")" = True ]
    [ "$(field "$counter['source']")" = "the site's command (energy)" ]
    [ "$(field 'r["workloads"][0]["performance"]["energy_joules"] == 1000')" = True ]
    rm ./*.json
    UNIT=W HPCAI500_CONF=$dir/site.conf FAKE_EPOCHS=1 ranks 2 "$fake" cosmoflow >log 2>&1 || [ $? = 1 ]
    valid_record
    field 'r["reasons"]["workloads[0].counters.energy_node_joules"]' | grep -q "'[0-9]* W' is not a count of energy; 'NUMBER J' is one"
}

# bats test_tags=mpi
@test "energy is read as the first rank's node says, where another's configuration differs" {
    printf '#!/bin/sh\necho $(date +%%s) J\n' >joules
    chmod +x joules
    printf 'energy = %s\n' "$dir/joules" >site.conf
    chmod 644 site.conf
    export FAKE_EPOCHS=1
    LIMIT=200 ranks 1 env HPCAI500_CONF="$dir/site.conf" "$fake" cosmoflow : -n 1 env HPCAI500_CONF="$dir/none.conf" "$fake" cosmoflow >log 2>&1 ||
        [ $? = 1 ] || { cat log; false; }
    valid_record
    [ "$(field 'r["workloads"][0]["counters"]["energy_node_joules"]["source"]')" = "the site's command (energy)" ]
}

# bats test_tags=mpi
@test "one rank without mpirun leaves a complete record and no journal" {
    run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"mae 0.3 reached the target 0.3"*"record: $(the_record)"* ]]
    [ "$(field 'r["status"], r["valid"], r["job"]')" = "('complete', True, None)" ]
    valid_record
    no_journal
}

# bats test_tags=mpi
@test "three ranks leave one record: run, system, phases of all ranks, counters" {
    run ranks 3 "$fake" component,class=tiny,seed=5
    [ "$status" -eq 0 ]
    valid_record
    no_journal
    [ "$(field 'r["run"]["text"], r["run"]["seed"]')" = "('component,class=tiny,seed=5', 5)" ]
    [ "$(field 'r["system"]["nodes"][0]["name"]')" = "$(hostname)" ]
    [ "$(field 'r["workloads"][0]["ranks"], len(r["workloads"][0]["epochs"])')" = "(3, 3)" ]
    [ "$(field 'len(r["workloads"][0]["phases"]["compute"]["worst"])')" = 3 ]
    [ "$(field 'r["workloads"][0]["counters"]["cpu_user_seconds"]["total"] > 0')" = True ]
    [[ "$(field 'r["system"]["layers"]["communication"]["mpi"]')" == *MPI* ]]
}

@test "counters are of the training: by phases that are borders, train for the loop, nothing of what follows" {
    local c='r["workloads"][0]["counters"]["io_write_bytes"]'
    FAKE_EPOCHS=3 FAKE_AFTER=50000000 run "$fake" cosmoflow,class=tiny
    echo "$output"
    valid_record
    field "$c"
    [ "$(field "$c['total'] < 5e7 and $c['phases']['compute'] is None")" = True ]
    [ "$(field "abs(sum(v or 0 for v in $c['phases'].values()) - $c['total']) < 1")" = True ]
    [ "$(field "r['workloads'][0]['counters']['io_write_calls']['phases']['train'] >= 0")" = True ]
    [ "$(field "r['reasons']['workloads[0].counters.io_write_bytes.phases.compute']")" = "counted with all else in training steps: train" ]
    [ "$(field "r['reasons']['workloads[0].counters.io_write_bytes.phases.input_wait']")" = "a part of training steps: counted in train and first_epoch" ]
}

# bats test_tags=mpi
@test "runs=N: a training N times with seeds of its own in one record, of which a report makes one result" {
    run ranks 2 "$fake" cosmoflow+hep,class=tiny,runs=3,seed=7
    echo "$output"
    [ "$status" -eq 0 ]
    valid_record
    no_journal
    [ "$(field '[(w["name"], w["hyper_parameters"]) for w in r["workloads"]]')" = "[('cosmoflow', 'seed 7'), ('cosmoflow', 'seed 8'), ('cosmoflow', 'seed 9'), ('hep', 'seed 7'), ('hep', 'seed 8'), ('hep', 'seed 9')]" ]
    [ "$(field 'r["run"]["seed"], r["run"]["canonical"]')" = "(7, 'cosmoflow+hep,class=tiny,seed=7,runs=3')" ]
    HPCAI500_EXEC_PATH=$top_builddir/reports/tools "$top_builddir/reports/tools/hpcai500" report -o page.html "$(the_record)"
    grep -q '<td>3 of each workload</td>' page.html
    grep -q 'fastest and slowest left out' page.html
    run "$fake" --dry-run cosmoflow+machine,class=tiny,runs=2 # ceilings once
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^workload  cosmoflow, run [12] of 2 with seed [12], class tiny' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^workload  machine, class' <<<"$output")" -eq 1 ]
}

# bats test_tags=mpi
@test "the time of the phases is the wall time of the workload" {
    run ranks 2 "$fake" cosmoflow,class=tiny
    [ "$(field '[v for v in r["reasons"].values() if "differ by more" in v]')" = "[]" ]
    [ "$(field 'r["workloads"][0]["phases"]["first_epoch"]["median_seconds"] > 0')" = True ]
}

@test "the argument wins over HPCAI500_RUN; without both it is a usage error" {
    HPCAI500_RUN=cosmoflow,class=tiny,seed=2 run "$fake" --json
    [ "$status" -eq 0 ]
    [ "$(field 'r["run"]["seed"]')" = 2 ]
    [[ "$output" == *'"hpcai500/record"'* ]]
    rm -f "$(the_record)"
    HPCAI500_RUN=cosmoflow,class=tiny,seed=2 run "$fake" cosmoflow,class=tiny,seed=3
    [ "$(field 'r["run"]["seed"]')" = 3 ]
    run "$fake"
    [ "$status" -eq 2 ]
    [[ "$output" == "hpcai500-agent: there is nothing to run: give a run text"* ]]
}

# bats test_tags=mpi
@test "bad words and options: exit 2, one sentence, also under mpirun" {
    run "$agent" cosmoflwo
    [ "$status" -eq 2 ]
    [[ "$output" == "hpcai500-agent: "*cosmoflwo*cosmoflow* ]]
    [ "${#lines[@]}" -eq 1 ]
    run "$agent" --frob cosmoflow
    [ "$status" -eq 2 ]
    [[ "$output" == *"there is no option '--frob'; --help lists them"* ]]
    run "$agent" cosmoflow component
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500-agent: only one RUN is allowed; 'component' is extra" ]
    run "$agent" --timeout=soon cosmoflow
    [ "$status" -eq 2 ]
    run ranks 3 "$agent" cosmoflow,class=huge
    [ "$status" -eq 2 ]
    [ "$(grep -c "^hpcai500-agent: " <<<"$output")" -eq 1 ]
    run "$agent" list
    [ "$status" -eq 0 ]
    [[ "$output" == *cosmoflow* ]]
    run "$agent" --timout=3
    [ "$output" = "hpcai500-agent: there is no option '--timout'; the nearest is '--timeout'" ]
    for help in -h --help; do
        run "$agent" $help
        [ "$status" -eq 0 ]
        [[ "$output" == "usage: hpcai500-agent"*--dry-run*"-h, --help"* ]]
    done
}

# bats test_tags=mpi
@test "--dry-run shows the plan and leaves nothing" {
    run ranks 2 "$agent" --dry-run cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    for word in "workload  cosmoflow, class tiny" "per rank, of" "batch 8" "node-hours" "$dir/cache"; do
        [[ "$output" == *"$word"* ]]
    done
    [ -z "$(ls -A "$dir")" ]
}

@test "more threads than the cores of a rank's binding are reported" {
    run taskset -c "$(taskset -pc $$ | sed 's/.*: \([0-9]*\).*/\1/')" "$fake" --dry-run cosmoflow,class=tiny,threads=2
    [ "$status" -eq 0 ]
    [[ "$output" == *"threads=2, but a rank is bound to 1 core: "*"srun -c 2"* ]]
    run taskset -c "$(taskset -pc $$ | sed 's/.*: \([0-9]*\).*/\1/')" "$fake" --dry-run cosmoflow,class=tiny,threads=1
    [ "$status" -eq 0 ]
    [[ "$output" != *"bound to"* ]]
}

# bats test_tags=mpi
@test "the site says where generated data are kept, and a wrong site file is reported" {
    unset HPCAI500_CACHE
    echo "cache = $dir/shared" >site.conf
    HPCAI500_CONF=$dir/site.conf run ranks 1 "$agent" --dry-run cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"$dir/shared"* ]]
    echo "cach = $dir/shared" >site.conf
    HPCAI500_CONF=$dir/site.conf run ranks 1 "$agent" --dry-run cosmoflow,class=tiny
    [ "$status" -ne 0 ]
    [[ "$output" == *"$dir/site.conf:1: there is no key 'cach'; the nearest is 'cache'"* ]]
}

@test "class=auto takes the largest class that fits time and memory" {
    run "$fake" --dry-run cosmoflow
    [[ "$output" == *"class small (chosen by auto)"* ]]
    run "$fake" --dry-run cosmoflow,time=30s
    [[ "$output" == *"class tiny"* ]]
    FAKE_BYTES=1e15 run "$fake" --dry-run cosmoflow
    [[ "$output" == *"class tiny"* ]]
}

@test "what does not fit is refused before it runs, by --dry-run and by the run: memory, batch" {
    for dry in --dry-run ""; do
        FAKE_BYTES=1e15 run "$fake" $dry cosmoflow,class=small
        echo "$output"
        [ "$status" -eq 3 ]
        [[ "$output" =~ "hpcai500-agent: cosmoflow class small needs 909.5 TiB per rank, and a rank may use "[0-9.]+" "[KMGT]iB" ("[^\)]+"): take a smaller class" ]]
        run "$fake" $dry cosmoflow,class=tiny,batch=81
        [ "$status" -eq 3 ]
        [ "$output" = "hpcai500-agent: batch=81 is more than the 80 samples that cosmoflow class tiny trains on" ]
    done
    run "$fake" --dry-run cosmoflow,class=tiny,batch=80
    [ "$status" -eq 0 ]
    [ -z "$(ls -A "$dir")" ]
}

# bats test_tags=mpi
@test "the plan says which limit of memory counts, by the least of all ranks" {
    SLURM_MEM_PER_CPU=20 SLURM_CPUS_ON_NODE=2 run ranks 2 "$fake" --dry-run cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"per rank, of 20.0 MiB (Slurm's --mem-per-cpu)"* ]]
}

@test "a run that is expected to outlast its time is announced, and the class that auto took" {
    for dry in --dry-run ""; do
        rm -f "$dir"/*.json
        run "$fake" $dry cosmoflow,class=small,time=30s
        [ "$status" -eq 0 ]
        [[ "$output" == *"the last epoch is expected after 1 min 00 s, and time= ends the run after 30 s: give time=1m or more, or a smaller class"* ]]
        rm -f "$dir"/*.json
        run "$fake" $dry cosmoflow
        [[ "$output" == *"class=auto takes small for cosmoflow"* ]]
    done
    run "$fake" --dry-run cosmoflow
    [[ "$output" == *"workload  cosmoflow, class small (chosen by auto): "* ]]
}

@test "on a terminal one line is rewritten, within its width, and each epoch leaves a line" {
    export TERM=xterm FAKE_EPOCHS=4 FAKE_STEP_MS=100 FAKE_COUNT=10
    for columns in 30 80 200; do
        rm -f "$dir"/*.json
        run /usr/bin/python3 "$top_srcdir/tests/agent/terminal.py" $columns 0 "$fake" cosmoflow,class=tiny,target=0.001
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" != *"too wide"* ]]
        for epoch in 1 2 3 4; do
            [ "$(grep -c "^hpcai500-agent: cosmoflow: epoch $epoch, loss" <<<"$output")" = 1 ]
        done
        [ "$(grep -c '^> cosmoflow: making data' <<<"$output")" -ge 2 ]
        [ "$(grep -c '^hpcai500-agent: .*making data' <<<"$output")" = 0 ]
        no grep -q 'making data.*hpcai500-agent' <<<"$output"
    done
    [[ "$output" == *"> cosmoflow epoch 2/4 step "*", quality 0.9 (target 0.001), loss 0.5, 100 samples/s"* ]]
}

@test "the progress line follows the terminal's width when that changes" {
    export TERM=xterm FAKE_EPOCHS=4 FAKE_STEP_MS=100
    run /usr/bin/python3 "$top_srcdir/tests/agent/terminal.py" 100 40 "$fake" cosmoflow,class=tiny,target=0.001
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" != *"too wide"* && "$output" == *" rewritten, "[1-9]*" after the change"* ]]
}

# bats test_tags=mpi
@test "an agent inside an agent's step refuses, the outer one goes on" {
    FAKE_RUN="'$fake' cosmoflow,class=tiny 2>inner; echo \$? >code; '$fake' --version >version" run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [ "$(cat code)" = 3 ]
    [[ "$(cat inner)" == "hpcai500-agent: this is inside the step of another hpcai500-agent (process "*"), and one cannot run inside another" ]]
    [ "$(wc -l <inner)" = 1 ]
    grep -q '^hpcai500-agent' version
    the_record
}

@test "the end of the Slurm job is a deadline" {
    SLURM_JOB_ID=77 SLURM_CLUSTER_NAME=lab SLURM_STEP_ID=3 SLURM_JOB_END_TIME=$(($(date +%s) + 4)) \
        FAKE_EPOCHS=1000 FAKE_STEP_MS=20 run "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -eq 1 ]
    [ "$(the_record)" = "$dir/lab-77.0.3.json" ]
    [ "$(field 'r["job"]["job_id"], r["time"]["wall_seconds"] < 6')" = "(77, True)" ]
    valid_record
    SLURM_JOB_ID=77 SLURM_CLUSTER_NAME=lab SLURM_STEP_ID=3 run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 3 ]
    [[ "$output" == *"lab-77.0.3.json exists already"* ]]
}

# bats test_tags=mpi
@test "a failure of one rank ends all with its sentence" {
    FAKE_TROUBLE=1:2:fail run ranks 3 "$fake" cosmoflow,class=tiny
    [ "$status" -eq 1 ]
    [[ "$output" == *"cosmoflow: "*"rank 1 ($(hostname)): sample 7 of x.h5 is cut short"* ]]
    [ "$(field 'r["status"], r["valid"]')" = "('crashed', False)" ]
    valid_record
    rm -f "$dir"/*.json*
    FAKE_TROUBLE=1:1:fail run ranks 2 "$fake" cosmoflow,class=tiny
    [ "$status" -eq 3 ]
}

# bats test_tags=mpi
@test "a rank that is killed: partial record with rank and node, by rank 0" {
    FAKE_TROUBLE=1:3:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -ne 0 ]
    [ "$(field 'r["status"], r["valid"], len(r["workloads"][0]["epochs"])')" = "('partial', False, 2)" ]
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 1 on $(hostname): rank 1 ($(hostname)) has ended"* ]]
    valid_record
}

# bats test_tags=mpi
@test "energy is not asked for when a rank is lost: the last words wait for no command" {
    printf '#!/bin/sh\necho asked >>%s/count\necho 5 J\n' "$dir" >joules
    chmod +x joules
    printf 'energy = %s\n' "$dir/joules" >site.conf
    chmod 644 site.conf
    HPCAI500_CONF=$dir/site.conf FAKE_TROUBLE=1:3:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -ne 0 ]
    [ "$(field 'r["status"]')" = partial ]
    cat count
    [ "$(wc -l <count)" -eq 1 ] # as it began
}

# bats test_tags=mpi
@test "rank 0 is killed: another one writes the record, and only one does" {
    FAKE_TROUBLE=0:3:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -ne 0 ]
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 0 ($(hostname)) has ended while rank 1"* ]]
    [ "$(field 'len(r["workloads"][0]["epochs"])')" = 2 ]
    valid_record
}

# bats test_tags=mpi
@test "a rank that is stopped: partial record after the time-out, exit 4" {
    FAKE_TROUBLE=1:3:stop HPCAI500_TIMEOUT=5 \
        run ranks 3 "$fake" cosmoflow,class=tiny,target=0.001
    echo "$output"
    [ "$status" -eq 4 ]
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 1 ($(hostname)) is stopped"* ]]
    [ "$(field 'r["status"]')" = partial ]
    valid_record
    [ "$(pgrep -f "^$fake" | wc -l)" -lt 3 ]
}

# Rank 1 stands first, so that rank 0 waits for it when it is stopped itself.
# bats test_tags=mpi
@test "ranks that are stopped and continued, as of a suspended job: no time-out, not valid" {
    local pids p
    FAKE_EPOCHS=60 FAKE_STEP_MS=10 HPCAI500_TIMEOUT=5 \
        timeout -k 5 600 "$MPIEXEC" -n 2 "$fake" cosmoflow,class=tiny,target=0.001 >log 2>&1 &
    p=$!
    await 5 grep -q 'epoch 3' log
    mapfile -t pids < <(ranks_here)
    [ ${#pids[@]} = 2 ]
    kill -STOP "${pids[1]}"; sleep 1
    kill -STOP "${pids[0]}"; sleep 8
    kill -CONT "${pids[0]}"; sleep 1
    kill -CONT "${pids[1]}"
    status=0
    wait "$p" || status=$?
    cat log
    [ "$status" -eq 1 ]
    [ "$(field 'r["status"], r["valid"], len(r["workloads"][0]["epochs"])')" = "('complete', False, 60)" ]
    [[ "$(field 'r["reasons"]["valid"]')" =~ "stood still for "([0-9]+)" s" ]]
    [ "${BASH_REMATCH[1]}" -ge 8 ]
    [ "$(field 'r["time"]["wall_seconds"] >= 10')" = True ]
    valid_record
    no_journal
}

# bats test_tags=mpi
@test "a signal to one rank stops all after the step; the record is partial" {
    FAKE_EPOCHS=1000 FAKE_STEP_MS=10 signal_to USR1 rank "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -eq 4 ]
    [ "$(field 'r["status"], r["workloads"][0]["ranks"]')" = "('partial', 2)" ]
    [[ "$(field 'r["reasons"]["status"]')" == *"stopped by a signal"* ]]
    valid_record
    no_journal
}

# bats test_tags=mpi
@test "a signal while data are made: partial, not crashed, exit 4" {
    AFTER="finding data" FAKE_STAGING=1 signal_to USR1 rank "$fake" cosmoflow,class=tiny
    [ "$status" -eq 4 ]
    [ "$(field 'r["status"]')" = partial ]
    [[ "$(field 'r["reasons"]["status"]')" == *"stopped while the data were made"* ]]
    valid_record
}

# bats test_tags=mpi
@test "time that ends while data are made: partial, not crashed, exit 4" {
    FAKE_STAGING=1 run ranks 2 "$fake" cosmoflow,class=tiny,time=2s
    echo "$output"
    [ "$status" -eq 4 ]
    [ "$(field 'r["status"]')" = partial ]
    [[ "$(field 'r["reasons"]["status"]')" == *"stopped while the data were made"* ]]
    valid_record
}

# bats test_tags=mpi
@test "a rank that spins for ever: its time ends it, the record names it and the phase" {
    FAKE_TROUBLE=1:2:spin run ranks 2 "$fake" cosmoflow,class=tiny,time=3s
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(field 'r["status"], len(r["workloads"][0]["epochs"])')" = "('partial', 1)" ]
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 1 ($(hostname))"* ]]
    valid_record
    [ -z "$(ranks_here)" ]
    rm -f "$dir"/*.json*
    FAKE_TROUBLE=-1:2:spin run ranks 2 "$fake" cosmoflow,class=tiny,time=3s
    echo "$output"
    # 4 is rank 0's; MPICH's launcher kills the other one then, and may report that (9)
    [ "$status" -eq 4 ] || [ "$status" -eq 9 ]
    [[ "$(field 'r["reasons"]["status"]')" == *"its time has been over for "*" s and it has not ended; rank 0 ($(hostname)) was in compute of cosmoflow"* ]]
    [ "$(field 'r["status"], len(r["workloads"][0]["epochs"])')" = "('partial', 1)" ]
    valid_record
    [ -z "$(ranks_here)" ]
}

# bats test_tags=mpi
@test "ranks that spin for ever: a signal ends them, the record names the phase" {
    AFTER='epoch 1' FAKE_TROUBLE=-1:2:spin signal_to USR1 rank "$fake" cosmoflow,class=tiny,time=60s
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(field 'r["status"]')" = partial ]
    [[ "$(field 'r["reasons"]["status"]')" == *" was in compute of cosmoflow"* ]]
    valid_record
    [ -z "$(ranks_here)" ]
}

# bats test_tags=mpi
@test "a rank killed on another node, as this one sees it: nobody waits beyond the time" {
    # (pids of another node cannot be watched; a stopped rank stands for the dead one)
    FAKE_TROUBLE=0:2:stop run ranks 2 "$fake" cosmoflow,class=tiny,time=4s
    echo "$output"
    [ "$(field 'r["status"]')" = partial ]
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 0 ($(hostname)) is stopped"* ]]
    valid_record
}

# bats test_tags=mpi
@test "the workloads of a suite share its time: each leaves those after it their part" {
    FAKE_EPOCHS=100000 FAKE_STEP_MS=20 run ranks 2 "$top_builddir/tests/agent/agent-two" \
        component,class=tiny,target=cosmoflow:0.000001,target=other:0.000001,target=last:0.000001,time=9s
    echo "$output"
    [ "$status" -eq 1 ]
    [ "$(field '[(w["name"], len(w["epochs"]) > 1) for w in r["workloads"]]')" = "[('cosmoflow', True), ('other', True), ('last', True)]" ]
    [ "$(field 'r["status"]')" = complete ]
    valid_record
}

@test "--dry-run of a suite says its time, each workload's share, and what belongs to one" {
    two=$top_builddir/tests/agent/agent-two
    FAKE_EXPECTED_cosmoflow=600 FAKE_EXPECTED_other=200 FAKE_EXPECTED_last=200 run "$two" --dry-run component,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *$'\ntime      10 min 00 s for the run, the default of component; what a workload leaves of its share is those\' after it\n'* ]]
    [ "$(grep -c '  time    10 min 00 s expected to the last epoch; its share is 6 min 00 s$' <<<"$output")" -eq 1 ]
    [ "$(grep -c '  time    3 min 20 s expected to the last epoch; its share is 2 min 00 s$' <<<"$output")" -eq 2 ]
    run "$two" --dry-run component,class=tiny,time=20m,epochs=other:7,batch=last:2,target=cosmoflow:0.25,target=other:0.5,data=/d
    [ "$status" -eq 0 ]
    [[ "$output" == *$'\ntime      20 min 00 s for the run; what a workload leaves'* ]]
    [ "$(grep -o 'batch [0-9]*, [0-9]* epochs' <<<"$output" | tr '\n' ';')" = "batch 8, 4 epochs;batch 8, 7 epochs;batch 2, 4 epochs;" ]
    [ "$(grep -o 'target  .*' <<<"$output" | tr -s ' \n' ' ')" = "target 0.25 target 0.5 target 0.3 " ]
    run "$two" --dry-run component,class=tiny,epochs=3
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500-agent: epochs=3 must say for which workload, as several run: 'epochs=cosmoflow:3'" ]
    run "$fake" --dry-run cosmoflow,class=tiny
    [[ "$output" == *$'\ntime      10 min 00 s for the run, the default\n'* ]]
}

# bats test_tags=mpi
@test "higher is better: the target is reached from below, others stand beside it, a rank's death keeps the best" {
    FAKE_HIGHER=1 run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"accuracy 0.7667 reached the target 0.7"* ]]
    [ "$(field '[(q["name"], q["target"], q["higher_is_better"]) for q in r["workloads"][0]["quality"]["others"]]')" = \
        "[('iou_pit', 0.3, True), ('iou_crack', None, True)]" ]
    [ "$(field 'r["reasons"]["workloads[0].quality.others[1].value"]')" = "no crack in the set" ]
    [ "$(field 'r["reasons"]["workloads[0].epochs[2].train_quality"]')" = "it would take a second evaluation" ]
    valid_record
    rm -f "$dir"/*.json
    FAKE_HIGHER=1 FAKE_TROUBLE=1:4:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.99
    echo "$output"
    [ "$status" -ne 0 ]
    [ "$(field 'r["workloads"][0]["quality"]["metric"], r["workloads"][0]["quality"]["higher_is_better"]')" = "('accuracy', True)" ]
    [ "$(field 'round(r["workloads"][0]["quality"]["achieved"], 3)')" = 0.767 ]
    valid_record
}

# bats test_tags=mpi
@test "a suite whose first workload used up its time leaves a record" {
    FAKE_STAGING=1 run ranks 2 "$top_builddir/tests/agent/agent-two" component,class=tiny,time=4s
    echo "$output"
    [ "$status" -eq 4 ]
    [ "$(field '[w["status"] for w in r["workloads"]]')" = "['partial', 'partial', 'partial']" ]
    valid_record
}

# bats test_tags=mpi
@test "fewer threads than asked: those that OpenMP gives are used, with a message" {
    OMP_THREAD_LIMIT=1 run ranks 2 "$agent" --dry-run cosmoflow,class=tiny,threads=2
    [ "$status" -eq 0 ]
    [[ "$output" == *"OpenMP gives a rank 1 of the 2 threads asked for, OMP_THREAD_LIMIT=1: 1 used"* ]]
    OMP_THREAD_LIMIT=1 run ranks 2 "$fake" cosmoflow,class=tiny,threads=2
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(field 'r["workloads"][0]["threads"], r["system"]["layers"]["programming_model"]["threads_per_rank"]')" = "(1, 1)" ]
    [[ "$(field 'r["system"]["layers"]["programming_model"]["binding"]')" == *"; OpenMP gives 1 of 2 threads" ]]
    valid_record
}

# bats test_tags=mpi
@test "SIGTERM while a rank does not listen: an interim record stands there in time" {
    # Open MPI 5 passes on nothing that is printed after the signal.
    FAKE_EPOCHS=1000 FAKE_STEP_MS=10 FAKE_TROUBLE=1:4:sleep \
        signal_to TERM starter sh -c 'exec "$@" 2>>log' sh "$fake" cosmoflow,class=tiny,target=0.001
    [ "$(field 'r["status"]')" = partial ]
    [ "$(field 'len(r["workloads"][0]["epochs"]) >= 3')" = True ]
    # The starter kills soon after (Open MPI) or waits (MPICH: the last word is
    # then the orderly end's).
    [[ "$output" == *"stopped by SIGTERM; rank "*" was in "*" of cosmoflow; what was measured so far: $(the_record)"* ]]
    valid_record
}

@test "no room for the record: a sentence, exit 1, nothing half-written" {
    unshare -rm true 2>/dev/null || skip "no mount namespaces for this user"
    mkdir full
    run unshare -rm bash -c "mount -t tmpfs -o size=32k none full && cd full &&
        '$fake' cosmoflow,class=tiny; echo exit \$?; ls -A"
    [[ "$output" == *"No space left on device"*"exit 1"* ]]
    [[ "$output" != *.json ]]
}

@test "a folder for the record that cannot be: refused before anything runs" {
    run "$fake" cosmoflow,class=tiny,out="$dir/no/such"
    [ "$status" -eq 3 ]
    [[ "$output" == *"out=$dir/no/such"* ]]
}

@test "a drop folder of this job on this node takes the record; with out= a copy of it" {
    local drop=$dir/spool/jobs/n1/7
    mkdir -p "$drop"
    export HPCAI500_SPOOL=$dir/spool SLURMD_NODENAME=n1 SLURM_JOB_ID=7 SLURM_CLUSTER_NAME=lab SLURM_STEP_ID=0
    run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"record: $drop/lab-7.0.0.json"*"your copy: $dir/hpcai500-7.json"* ]]
    [ "$(cd "$drop"; echo *)" = lab-7.0.0.json ]
    SLURM_STEP_ID=1 run "$fake" cosmoflow,class=tiny,out="$dir/out"
    [ "$status" -eq 0 ]
    cmp "$dir/out/lab-7.0.1.json" "$drop/lab-7.0.1.json"
    # root's number of the job comes first; another job's, another node's: none
    HPCAI500_JOB=8 SLURM_STEP_ID=2 run "$fake" cosmoflow,class=tiny
    [ -e "$dir/lab-7.0.2.json" ]
    SLURMD_NODENAME=n2 SLURM_STEP_ID=3 run "$fake" cosmoflow,class=tiny
    [ -e "$dir/lab-7.0.3.json" ]
    # a link is not a drop folder
    mv "$drop" "$dir/mine"; ln -s "$dir/mine" "$drop"
    SLURM_STEP_ID=4 run "$fake" cosmoflow,class=tiny
    [ -e "$dir/lab-7.0.4.json" ]
}

# drop_folder JOB: of node n1, as root's prolog makes it
drop_folder() {
    drop=$dir/spool/jobs/n1/$1
    mkdir -p "$drop" "$dir/cwd"
    export HPCAI500_SPOOL=$dir/spool SLURMD_NODENAME=n1 SLURM_JOB_ID=$1 SLURM_CLUSTER_NAME=lab SLURM_STEP_ID=0
    cd "$dir/cwd"
}

@test "a node is who Slurm says it is; its host name stands beside it" {
    unshare --uts true 2>/dev/null || skip "no UTS namespaces for this user"
    drop_folder 12
    run unshare --uts sh -c 'hostname n1.example.org; exec "$@"' sh "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    cp "$drop/lab-12.0.0.json" "$dir"
    [ "$(field '[(n["name"], n["host"]) for n in r["system"]["nodes"]]')" = "[('n1', 'n1.example.org')]" ]
    [ "$(field 'r["job"]["nodes"], r["workloads"][0]["phases"]["compute"]["max_node"]')" = "(['n1'], 'n1')" ]
    # who has no job is who he says he is
    rm "$dir"/*.json
    cd "$dir"
    unset SLURM_JOB_ID SLURM_STEP_ID
    run unshare --uts sh -c 'hostname n1.example.org; exec "$@"' sh "$fake" cosmoflow,class=tiny
    [ "$(field 'r["system"]["nodes"][0]["name"]')" = n1.example.org ]
}

# bats test_tags=mpi
@test "a node is who Slurm says it is, in its last words too" {
    unshare --uts true 2>/dev/null || skip "no UTS namespaces for this user"
    drop_folder 13
    FAKE_TROUBLE=1:3:kill run ranks_alive 3 unshare --uts sh -c 'hostname n1.example.org; exec "$@"' sh \
        "$fake" cosmoflow,class=tiny,target=0.001
    cp "$drop/lab-13.0.0.json" "$dir"
    [[ "$(field 'r["reasons"]["status"]')" == *"rank 1 on n1: rank 1 (n1) has ended"* ]]
    [ "$(field 'r["job"]["nodes"]')" = "['n1']" ]
}

# bats test_tags=mpi
@test "standard output is ours: what libraries print does not break --json" {
    ONEDNN_VERBOSE=1 DNNL_VERBOSE=1 "$fake" --json cosmoflow,class=tiny >out 2>err || [ $? -eq 1 ]
    grep -q '_verbose,' err
    /usr/bin/python3 -c 'import json; json.load(open("out"))'
    [[ "$(field 'r["reasons"]["valid"]')" == "DNNL_VERBOSE is set: "* ]]
}

@test "standard output that cannot be written: a sentence and no success" {
    [ -w /dev/full ] || skip "no /dev/full"
    for words in list help --help --version "--dry-run cosmoflow,class=tiny" "--json cosmoflow,class=tiny"; do
        status=0
        "$fake" $words >/dev/full 2>err || status=$?
        echo "$words: $status, $(cat err)"
        [ "$status" -eq 1 ]
        [ "$(grep -c "^hpcai500-agent: cannot write to standard output: " err)" = 1 ]
    done
    valid_record
    status=0
    "$fake" list >&- 2>err || status=$?
    [ "$status" -eq 1 ]
}

# bats test_tags=mpi
@test "variables that change speed are recorded, and some make the run not valid" {
    OMP_WAIT_POLICY=active MALLOC_ARENA_MAX=3 HDF5_USE_FILE_LOCKING=FALSE UCX_TLS=self \
        run bash -c 'unset "${!OMPI_MCA_@}" "${!PRTE_MCA_@}"
        OMPI_MCA_pml=ob1 exec "$0" cosmoflow,class=tiny' "$fake"
    [ "$status" -eq 0 ]
    valid_record
    [[ "$(field 'r["system"]["layers"]["programming_model"]["environment"]')" == *"OMP_WAIT_POLICY=active"* ]]
    [[ "$(field 'r["system"]["layers"]["operating_system"]["environment"]')" == *"MALLOC_ARENA_MAX=3"* ]]
    [[ "$(field 'r["system"]["layers"]["libraries"]["environment"]')" == "HDF5_USE_FILE_LOCKING=FALSE" ]]
    [[ "$(field 'r["system"]["layers"]["communication"]["environment"]')" == *"OMPI_MCA_pml=ob1"*"UCX_TLS=self"* ]]
    isa=$(field 'r["system"]["layers"]["implementation"]["instruction_set"]')
    rm -f "$dir"/*.json
    # of one rank alone, too
    run ranks 2 sh -c '[ "${OMPI_COMM_WORLD_RANK-$PMI_RANK}" = 0 ] || export GLIBC_TUNABLES=glibc.malloc.check=3
        exec "$0" cosmoflow,class=tiny' "$fake"
    [ "$status" -eq 1 ]
    [[ "$(field 'r["reasons"]["valid"]')" == "GLIBC_TUNABLES is set: it makes malloc check"* ]]
    rm -f "$dir"/*.json*
    ONEDNN_MAX_CPU_ISA=SSE41 DNNL_MAX_CPU_ISA=SSE41 run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 1 ]
    [[ "$(field 'r["system"]["layers"]["implementation"]["instruction_set"]')" == "oneDNN sse41, own kernels "* ]]
    [[ "$isa" != "oneDNN sse41,"* ]] || [ "$(uname -m)" != x86_64 ]
    [[ "$(field 'r["reasons"]["valid"]')" == *"it keeps oneDNN from instructions that the processor has"* ]]
    # the longest lists stay within what a record holds
    rm -f "$dir"/*.json
    for i in $(seq 200); do export "UCX_TEST_VARIABLE_$i=a value of some length"; done
    run "$fake" cosmoflow,class=tiny
    valid_record
    [[ "$(field 'r["system"]["layers"]["communication"]["environment"]')" =~ "and "[0-9]+" more, crc32c "[0-9a-f]{8}$ ]]
}

@test "a topology that is not this system's is not the inventory" {
    for claim in 0 1; do
        rm -f "$dir"/*.json
        run env "HWLOC_SYNTHETIC=pack:4 core:16 pu:1" HWLOC_THISSYSTEM=$claim "$fake" cosmoflow,class=tiny
        [ "$status" -eq 0 ]
        [ "$(field '[r["system"]["nodes"][0]["inventory"][k] for k in ("cores", "sockets", "hardware_threads", "numa_nodes")]')" = "[None, None, None, None]" ]
        [[ "$(field 'r["reasons"]["system.nodes[0].inventory.cores"]')" == *"another system than this one, as it is told by HWLOC_SYNTHETIC" ]]
        valid_record
    done
}

@test "the manual names every variable of a library that the agent knows" {
    sed -n '/settings\[\] = {/,/^};/p' "$top_srcdir/agent/environment.c" | sed -n 's/^ *{"\([A-Z0-9_a-z]*\)\*\{0,1\}",.*/\1/p' | sort -u >names
    [ "$(wc -l <names)" -gt 30 ]
    while read -r name; do grep -q "$name" "$top_srcdir/agent/hpcai500-agent.1" || { echo "$name"; false; }; done <names
}

@test "the user's copy is named as Slurm names output; no file of another run is replaced" {
    drop_folder 7
    umask 022
    run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    cmp hpcai500-7.json "$drop/lab-7.0.0.json"
    [ "$(stat -c %a hpcai500-7.json)" = 644 ]
    [ "$(ls -A)" = hpcai500-7.json ]
    SLURM_STEP_ID=1 "$fake" cosmoflow,class=tiny
    cmp hpcai500-7.1.json "$drop/lab-7.0.1.json"
    SLURM_RESTART_COUNT=2 "$fake" cosmoflow,class=tiny
    cmp hpcai500-7.0.2.json "$drop/lab-7.2.0.json"
    SLURM_ARRAY_JOB_ID=6 SLURM_ARRAY_TASK_ID=3 "$fake" cosmoflow,class=tiny
    cmp hpcai500-6_3.json "$drop/lab-6_3.0.0.json"
    SLURM_HET_JOB_ID=5 SLURM_HET_JOB_OFFSET=1 "$fake" cosmoflow,class=tiny
    cmp hpcai500-5+1.json "$drop/lab-5+1.0.0.json"
    # all three names taken: said, and the record is where root sees it
    SLURM_STEP_ID=9; touch hpcai500-7.9.json hpcai500-7.9.0.json
    run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [ "$(grep -c "cannot leave a copy of the record: $dir/cwd/hpcai500-7.9.0.json: File exists" <<<"$output")" = 1 ]
    [[ "$output" == *"the record stays there until the job ends; after that: hpcai500 show lab-7.0.9"* ]]
    [ ! -s hpcai500-7.9.json ]
    [ -s "$drop/lab-7.0.9.json" ]
}

# bats test_tags=mpi
@test "out=none leaves no copy; out=NAME.json is a file, which is never replaced" {
    drop_folder 8
    run "$fake" cosmoflow,class=tiny,out=none
    [ "$status" -eq 0 ]
    [ -z "$(ls -A)" ]
    SLURM_STEP_ID=1 run ranks 2 "$fake" cosmoflow,class=tiny,out=x.json
    [ "$status" -eq 0 ]
    [ -f x.json ]
    cmp x.json "$drop/lab-8.0.1.json"
    cmp lab-8.0.1.ranks.json.gz "$drop/lab-8.0.1.ranks.json.gz"
    [ "$(ls -A)" = "$(printf '%s\n' lab-8.0.1.ranks.json.gz x.json)" ]
    cp x.json y
    SLURM_STEP_ID=2 run "$fake" cosmoflow,class=tiny,out=x.json
    [ "$status" -eq 3 ]
    [[ "$output" == "hpcai500-agent: "*"out=x.json exists already and is not replaced; choose another name" ]]
    cmp x.json y
    [ ! -e "$drop/lab-8.0.2.json" ]
    mkdir z.json
    run "$fake" cosmoflow,class=tiny,out=z.json
    [ "$status" -eq 3 ]
    run "$fake" cosmoflow,class=tiny,out=no/such/x.json
    [ "$status" -eq 3 ]
    [[ "$output" == *"cannot open the folder of out=no/such/x.json"* ]]
}

@test "out=NAME.json without a drop folder: the record itself has that name" {
    run "$fake" --json cosmoflow,class=tiny,out="$dir/x.json"
    [ "$status" -eq 0 ]
    [ "$(ls -A)" = x.json ]
    [[ "$output" == *"record: $dir/x.json"*'"hpcai500/record"'* ]]
    run "$fake" cosmoflow,class=tiny,out=none
    [ "$status" -eq 0 ]
    [ "$(compgen -G 'local-*.json' | wc -l)" = 1 ]
}

# bats test_tags=mpi
@test "a run that dies leaves the user's copy too, and only one" {
    drop_folder 9
    FAKE_TROUBLE=1:3:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.001
    [ "$status" -ne 0 ]
    cmp hpcai500-9.json "$drop/lab-9.0.0.json"
    [ "$(compgen -G 'hpcai500-*.json')" = hpcai500-9.json ]
    cd "$dir"
    unset HPCAI500_SPOOL
    FAKE_TROUBLE=1:3:kill run ranks_alive 3 "$fake" cosmoflow,class=tiny,target=0.001,out=x.json
    [ "$(field 'r["status"]')" = partial ]
    [ "$(the_record)" = "$dir/x.json" ]
}

# bats test_tags=mpi
@test "an interim record's copy is replaced by the last one of the same run" {
    drop_folder 10
    FAKE_EPOCHS=1000 FAKE_STEP_MS=10 FAKE_TROUBLE=1:4:sleep \
        signal_to USR1 starter sh -c 'exec "$@" 2>>log' sh "$fake" cosmoflow,class=tiny,target=0.001
    [ "$(compgen -G 'hpcai500-*.json')" = hpcai500-10.json ]
    cmp hpcai500-10.json "$drop/lab-10.0.0.json"
}

@test "a working folder that cannot be written costs a sentence, not the run" {
    [ "$(id -u)" = 0 ] && setpriv=(setpriv --reuid=65534 --regid=65534 --clear-groups) || setpriv=()
    drop_folder 11
    chmod 755 "$dir"
    [ -z "${setpriv[*]}" ] || chown -R 65534:65534 "$drop"
    chmod 555 "$dir/cwd"
    HOME=$dir run "${setpriv[@]}" "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [ "$(grep -c "cannot leave a copy of the record in $dir/cwd: Permission denied; it is $drop/lab-11.0.0.json" <<<"$output")" = 1 ]
    [ -s "$drop/lab-11.0.0.json" ]
}

# bats test_tags=mpi
@test "ranks that were told different runs refuse" {
    # (mpirun of Open MPI 5.0.7 dies of "-n 1 a : -n 1 b" itself)
    run ranks 2 sh -c '[ "${OMPI_COMM_WORLD_RANK-$PMI_RANK}" = 0 ] && class=tiny || class=small
        exec "$0" "cosmoflow,class=$class"' "$fake"
    [ "$status" -ne 0 ]
    [[ "$output" == *"rank 1 ($(hostname)): has the run text 'cosmoflow,class=small', but rank 0 has 'cosmoflow,class=tiny': start all ranks with one"* ]]
    no compgen -G "$dir/*.json" >/dev/null
}
