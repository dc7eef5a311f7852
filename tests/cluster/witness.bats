#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What root sees of jobs on a real Slurm: a stand-in for the agent leaves files
# in the drop folder, and bundles come out; two runs of the real agent.

load helper

eval "$(declare -f setup setup_file teardown | sed 's/^setup ()/helper_&/; s/^setup_file ()/helper_&/; s/^teardown ()/helper_&/')"

setup_file() {
    helper_setup_file
    export STANDIN=$S/shared/witness-bin/hpcai500-agent
    mkdir -p "${STANDIN%/*}"
    cat > "$STANDIN" <<'X'
#!/bin/bash
# Leaves a record and a journal as the agent would, says where, does as told.
spool=$(sed -n 's/^spool = //p' "$HPCAI500_CONF")
drop=$spool/jobs/$SLURMD_NODENAME/${HPCAI500_JOB:-none}
id=lab-$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.$SLURM_STEP_ID
mkdir -p "$drop/$id.journal" && echo "rank $SLURM_PROCID" > "$drop/$id.journal/0000$SLURM_PROCID"
[ "$SLURM_PROCID" != 0 ] || echo "{\"id\":\"$id\"}" > "$drop/$id.json"
echo "drop=$drop"
eval "${STANDIN_DO:-true}"
X
    chmod 755 "$STANDIN"
}

teardown_file() { "$lab" site shared; "$lab" plugin; }

setup() {
    helper_setup
    need_root; need_nodes_of_their_own
    "$lab" site shared
    "$lab" plugin agent="$STANDIN"
    spool=$S/spool real=cosmoflow,class=tiny,data=$FEW,batch=4
    rm -rf "$spool/out" "$S"/nodes/*/spool
}

teardown() {
    [ -z "${receiver-}" ] || kill "$receiver" 2> /dev/null || true
    helper_teardown
}

bundles() { ls "$spool"/out/*"-${1-}"*.bundle 2> /dev/null; }
n_bundles() { [ "$(bundles "${2-}" | wc -l)" = "$1" ]; }

# witness BUNDLE: root's words, decoded once and kept
witness() {
    local kept; kept=$OUT/$(basename "$1").json
    if [ ! -s "$kept" ]; then
        tail -c +19 "$1" | head -c $((16#$(head -c 8 "$1"))) > "$kept.cred"
        unmunge -S "$S/munge/socket" -i "$kept.cred" -m "$kept.meta" -o "$kept"
        grep -q '^UID:.*(0)' "$kept.meta" || { cat "$kept.meta"; return 1; }
    fi
    cat "$kept"
}
# has BUNDLE JQ-CONDITION...
has() {
    local bundle=$1 what; shift
    for what in "$@"; do
        witness "$bundle" | jq -e "$what" > /dev/null || { echo "does not hold in $bundle: $what"; witness "$bundle" | jq .; return 1; }
    done >&2
}
job_in() { sed -n 's,.*/\([0-9]*\)$,\1,p' "$1" | head -1; }
# no_trace JOB: nothing of it is left on a node (of others there may be: a job
# whose node lost the plugin while it ran has none of our epilogs)
no_trace() {
    local n
    for n in n1 n2; do
        "$lab" exec $n sh -c "! grep -q '^hpcai500 .*/jobs/$n/$1 ' /proc/mounts && [ ! -e $spool/jobs/$n/$1 ] && [ ! -e $spool/jobs/$n/$1.state ]" || return 1
    done
}

@test "two nodes: each has a bundle of what root knows and of what was left" {
    as_user srun -N2 -n2 -w 'n[1-2]' --hpcai500=component,class=tiny "$STANDIN" > out
    local job file; job=$(job_in out)
    await 5 n_bundles 2 "$job"
    local one; one=$(bundles "$job-n1")
    has "$one" ".job == $job" '.restart == 0' '.node == "n1"' '.nodes == "n[1-2]"' '.user == "nobody"' \
        ".uid == $(id -u nobody)" '.asked | test("component")' '.begin < .end' '.interrupted == false' \
        '.array_job == null' '.skipped == 0' '(.files | length) == 2' \
        '.cgroup.cpu_user_seconds == null' '.cgroup_reason | test("control group")'
    has "$(bundles "$job-n2")" '.node == "n2"' '[.files[].name | select(test("journal/00001$"))] | length == 1'
    file=$(printf '{"id":"lab-%s.0.0"}\n' "$job" | sha256sum | cut -d' ' -f1)
    has "$one" ".files[] | select(.name == \"lab-$job.0.0.json\") | .sha256 == \"$file\""
    grep -qaF "{\"id\":\"lab-$job.0.0\"}" "$one"
    [ "$(stat -c %U:%a "$one")" = slurm:600 ]
    await 5 no_trace "$job"
}

@test "a plain srun hpcai500-agent is witnessed too; a job that leaves nothing makes no bundle" {
    as_user srun -N1 -n1 -w n1 true
    as_user srun -N1 -n1 -w n1 "$STANDIN" > out
    await 5 n_bundles 1 "$(job_in out)"
    has "$(bundles)" '.asked == null' '(.files | length) == 2'
    n_bundles 1
    # asked for, but nothing is there
    STANDIN_DO='rm -r "$drop"/*' as_user srun -N1 -n1 -w n1 --hpcai500=component "$STANDIN" > out
    await 5 n_bundles 1 "$(job_in out)"
    has "$(bundles "$(job_in out)")" '.files == []' '.asked == "component"'
}

@test "jobs that fail or are killed leave what they had" {
    run env STANDIN_DO='exit 3' "$lab" as nobody srun -w n1 "$STANDIN"
    [ "$status" -eq 3 ]
    run env STANDIN_DO='kill -9 $$' "$lab" as nobody srun -w n1 "$STANDIN"
    [ "$status" -ne 0 ]
    STANDIN_DO='exec sleep 900' as_user srun -w n1 "$STANDIN" > out &
    await 5 grep -q drop= out
    scancel --signal=KILL "$(job_in out)"
    wait $! || true
    await 5 n_bundles 3
    local b; for b in $(bundles); do has "$b" '(.files | length) == 2'; done
}

@test "array tasks and starts of a requeued job have bundles of their own" {
    as_user sbatch -W -w n1 --array=1-2 --hpcai500=component -o "$OUT/%a.log" --wrap true
    cat "$OUT"/?.log
    await 5 n_bundles 2
    rm "$spool"/out/*
    cat > job.sh <<X
#!/bin/bash
srun "$STANDIN"
[ -n "\${SLURM_RESTART_COUNT-}" ] || exec sleep 900
X
    local job; job=$(as_user sbatch --parsable --requeue -w n1 -o "$OUT/job.log" --open-mode=append "$OUT/job.sh")
    await 5 grep -q drop= job.log
    scontrol requeue "$job"
    await 5 pending "$job"
    # On the same node, and within cred_expire seconds, slurmd knows the job and runs no prolog.
    scontrol update jobid="$job" reqnodelist=n2 starttime=now
    await 5 n_bundles 2 "$job"
    [ "$(for b in $(bundles "$job"); do witness "$b" | jq -c '[.restart, .files[0].name]'; done | sort | tr '\n' ' ')" = \
        "[0,\"lab-$job.0.0.journal/00000\"] [1,\"lab-$job.1.0.journal/00000\"] " ]
}
pending() { [ "$(squeue -h -j "$1" -o %T)" = PENDING ]; }

@test "a second user can do nothing to the folder of a job that runs" {
    STANDIN_DO='sleep 900' as_user srun -w n1 "$STANDIN" > out &
    await 5 grep -q drop= out
    cat > attack.sh <<'X'
#!/bin/bash
# Each line that works is told.
d=$1 parent=${1%/*}
try() { if timeout 60 "$@" > /dev/null 2>&1; then echo "worked: $*"; fi; }
try ls "$d"; try cat "$d"/*.json; try touch "$d/x"; try mkdir "$d/y"; try ln -s /etc "$d/z"
try ln "$d"/*.json /dev/shm/stolen; try rm -rf "$d"; try mv "$d" "$d.old"; try chmod 777 "$d"
try touch "$parent/x"; try mkdir "$parent/999"; try ln -s /etc "$parent/999"; try umount "$d"
try rm -f "$parent"/*.state; try cat "$parent"/*.state; try ls "$parent/../../out"; try touch "$parent/../../out/x.bundle"
try dd if=/dev/zero of="$d/fill" bs=1k count=1
[ -d "$d" ] || echo "the folder is gone"
X
    local drop; drop=$(sed -n 's/^drop=//p' out)
    "$lab" exec n1 setpriv --reuid daemon --regid daemon --clear-groups bash "$OUT/attack.sh" "$drop" > attack.log 2>&1
    cat attack.log; [ ! -s attack.log ]
    scancel "$(job_in out)"; wait $! || true
    await 5 n_bundles 1
    has "$(bundles)" '(.files | length) == 2' '.skipped == 0'
}

@test "what the owner smuggles into his folder is not taken, filling it stays his own trouble" {
    STANDIN_DO='ln -s /etc/shadow "$drop/s.json"; mkfifo "$drop/f.json"; ln "$drop/$id.json" "$drop/h.json"
        truncate -s 1T "$drop/big"; dd if=/dev/zero of="$drop/fill" bs=1M 2>/dev/null; df --output=pcent "$drop"' \
        as_user srun -w n1 "$STANDIN" > out
    cat out; grep -q '100%' out
    await 5 n_bundles 1
    has "$(bundles)" '.skipped >= 5' '[.files[].name] | contains(["s.json"]) or contains(["f.json"]) | not' \
        '[.files[] | select(.name | test("journal"))] | length == 1'
    [ "$(stat -c %s "$(bundles)")" -lt 40000000 ]
    await 5 no_trace "$(job_in out)"
}

# Nodes that share nothing with the login node but the network.
@test "node-local spools: bundles wait while the collector is away, and reach it when it is back" {
    "$lab" site node
    make -s -C "${top_builddir:-$S/build}" tests/spank/relay/receiver > make.log 2>&1 || { cat make.log; return 1; }
    as_user srun -N2 -n2 -w 'n[1-2]' "$STANDIN" > out
    local first; first=$(job_in out)
    await 5 local_bundle n1; await 5 local_bundle n2
    n_bundles 0
    mkdir -m 700 "$spool/out"
    "${top_builddir:-$S/build}/tests/spank/relay/receiver" "$(sed -n 's/^collector = //p' "$S/etc/hpcai500.conf")" \
        "$spool" "$S/munge/socket" > receiver.log 2>&1 &
    receiver=$!
    await 5 grep -q listening receiver.log
    as_user srun -N2 -n2 -w 'n[1-2]' "$STANDIN" > out
    await 5 n_bundles 4
    cat receiver.log
    has "$(bundles "$first-n2")" ".job == $first" '.node == "n2"'
    await 5 no_local_bundles
    kill "$receiver"
}

@test "node-local spools: the collector, as a service that listens, files what the nodes send" {
    local job collector
    "$lab" site node; "$lab" plugin
    sed -n 's/^collector = /listen = /p' "$S/etc/hpcai500.conf" > listen
    cat "$S/etc/hpcai500.conf" listen > collect.conf
    mkdir -m 700 "$spool/out"; sed -i "s,^spool = .*,spool = $spool," collect.conf
    mkdir -p "$S/site"; chown --reference="$S/site" "$spool/out"
    HPCAI500_CONF=$OUT/collect.conf "$S/prefix/libexec/hpcai500/hpcai500-collect" -v --interval=1 --grace=5 > collect.log 2>&1 3>&- 4>&- &
    collector=$!
    show_state() { cat collect.log; }
    await 5 grep -q 'accounting:' collect.log
    srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$real,epochs=1" > srun.log 2>&1 || true # far from its target
    cat srun.log
    job=$(job_of_record srun.log)
    await 5 history_has "$job"
    await 5 no_local_bundles
    await 5 n_bundles 0 # that of n2 too, which has no record
    kill "$collector"; wait "$collector"
    cat collect.log
    run hpcai500 verify "$job"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"root on 2 nodes, job $job "* || "$output" == *"root on 1 node, job $job "* ]]
    [ "$(sqlite3 "$S/site/history.sqlite" "SELECT count(*) FROM run WHERE job = $job")" = 1 ]
    [ -z "$(find "$spool/out" -type f)" ]
}
# job_of_record LOG: the job whose record the agent says is written
job_of_record() { sed -n 's,.*record: .*/[a-z0-9]*-\([0-9][0-9]*\)\.0\.0\.json$,\1,p' "$1" | grep .; }
history_has() { [ "$(sqlite3 "$S/site/history.sqlite" "SELECT count(*) FROM run WHERE job = $1")" = 1 ]; }
local_bundle() { compgen -G "$S/nodes/$1/spool/out/*.bundle"; }
no_local_bundles() { ! local_bundle n1 && ! local_bundle n2; }

@test "a broken witness or spool costs the job nothing and drains no node" {
    local broken
    for broken in /no/such/witness "$OUT/fails" "$OUT/hangs"; do
        printf '#!/bin/sh\nexit 1\n' > fails; printf '#!/bin/sh\nexec sleep 600\n' > hangs; chmod 755 fails hangs
        "$lab" plugin agent="$STANDIN" witness="$broken"
        [ "$(as_user srun -w n1 echo alive)" = alive ]
        await 5 idle
    done
    "$lab" plugin agent="$STANDIN"
    # a spool that cannot be, and one that users could write
    for broken in /proc/nowhere/spool "$OUT"; do
        sed -i "s,^spool = .*,spool = $broken," "$S/etc/hpcai500.conf"
        [ "$(as_user srun -w n1 echo alive)" = alive ]
        await 5 idle
    done
    # a full one
    "$lab" site shared; echo 'spool_reserve = 900G' >> "$S/etc/hpcai500.conf"
    [ "$(as_user srun -w n1 echo alive)" = alive ]
    await 5 idle
    [ "$(sinfo -h -p main -t drain -o %D)" = "" ]
    [ ! -e "$OUT/jobs" ]
}

@test "witness=no: no folder and no bundle" {
    "$lab" plugin agent="$STANDIN" witness=no
    run as_user srun -w n1 --hpcai500=component "$STANDIN"
    [ "$status" -eq 0 ]
    [[ "$output" == *"/jobs/n1/"*": Permission denied"* || "$output" == *": No such file or directory"* ]]
    await 5 idle
    [ ! -e "$spool/out" ]
}

@test "the real agent: its record comes by the bundle; of killed ranks the journals come" {
    "$lab" plugin
    srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$real,epochs=1,target=1" > srun.log 2>&1 || true # such a target is not valid
    cat srun.log
    local job; job=$(job_of_record srun.log)
    [ "$(records)" = "$OUT/hpcai500-$job.json" ] # the user's copy
    await 5 n_bundles 2
    has "$(bundles | grep -e -n1-)" '[.files[].name | select(test("^[a-z0-9]+-[0-9]+\\.0\\.0\\.json$"))] | length == 1' \
        '[.files[].name | select(test("journal"))] == []'
    # also when the run keeps its own journals elsewhere
    local b out
    for out in "" ",out=$OUT"; do
        rm "$spool"/out/*
        srun_ -w 'n[1-2]' -N2 -n2 --hpcai500="$real,epochs=100000,target=0.000001,time=9m$out" > srun.log 2>&1 &
        await 10 grep -q 'epoch 1,' srun.log || { cat srun.log; return 1; }
        kill -9 $(agent_pids n1) $(agent_pids n2)
        wait $! || true
        await 5 n_bundles 2
        for b in $(bundles); do has "$b" '[.files[].name | select(test("journal/0000"))] | length == 1'; done
    done
    [ "$(find "$OUT" -path '*.journal/0000?' | wc -l)" = 2 ] # the user's own
}
