#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Every way in which --hpcai500=RUN starts the agent, on a real Slurm. Where
# only the launch matters the agent is a stand-in that writes down how it was
# started; what a run leaves is in faults.bats and in the last tests here.

load helper
load ../no

eval "$(declare -f setup setup_file teardown | sed 's/^setup ()/helper_&/; s/^setup_file ()/helper_&/; s/^teardown ()/helper_&/')"

setup_file() {
    helper_setup_file
    export STANDIN=$S/shared/launch-bin/hpcai500-agent
    mkdir -p "${STANDIN%/*}"
    cat > "$STANDIN" <<'X'
#!/bin/sh
echo "rank=$SLURM_PROCID/$SLURM_NTASKS node=$SLURMD_NODENAME job=$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}.$SLURM_STEP_ID run=${1:-$HPCAI500_RUN} plugin=${HPCAI500_PLUGIN:-missing}" >> "$OUT/agent.log"
echo "agent says hello"
[ -z "${STANDIN_TERM:-}" ] || trap 'exit "$STANDIN_TERM"' TERM # as the agent: a record, then the end
sleep "${STANDIN_SLEEP:-0}" & wait $!
exit "${STANDIN_EXIT:-0}"
X
    chmod 755 "$STANDIN"
    "$lab" plugin agent="$STANDIN"
}

teardown_file() { "$lab" plugin; }

# $real: a run of the real agent
setup() { helper_setup; export OUT; real=cosmoflow,class=tiny,data=$FEW,batch=4,epochs=1,out=$OUT; }

teardown() {
    # A test that takes the plugin away and fails there must not take it from others.
    [ ! -e "$OUT/taken.so" ] || mv "$OUT/taken.so" "$S/prefix/lib/slurm/hpcai500.so"
    "$lab" plugin agent="$STANDIN"
    helper_teardown
}

# ran NUMBER WORD...: the stand-in ran so often, and each line has each word
ran() {
    local n=$1 word; shift
    [ "$(cat agent.log 2> /dev/null | wc -l)" = "$n" ] || { echo "agent.log:"; cat agent.log; return 1; }
    for word in "$@"; do
        [ "$(grep -c -- "$word" agent.log)" = "$n" ] || { echo "not all have $word:"; cat agent.log; return 1; }
    done
}
ran_on() { [ "$(sed 's/.*node=\([^ ]*\).*/\1/' agent.log | sort -u | tr '\n' ' ')" = "$1 " ]; }

# steps JOB STEP=STATE...: what accounting knows, when it knows it all
steps() {
    local job=$1; shift
    await 5 all_steps "$job" "$@" || { sacct -P -n -j "$job" -o jobid,jobname,state,exitcode; return 1; }
}
all_steps() {
    local job=$1 step; shift
    sacct -P -n -j "$job" -o jobid,jobname,state > sacct.out
    for step in "$@"; do grep -qx "$job\.$step" sacct.out || return 1; done
    [ "$(grep -vc '|batch|\|extern' sacct.out)" = $(($# + 1)) ]
}
job_of() { sed -n 's/.*job=\([0-9]*\)\..*/\1/p' agent.log | head -1; }

# batch WORD...: submits job.sh, waits; its output in job.out, its code in $code
batch() {
    code=0
    timeout -k 10 $limit sbatch --wait --output=job.out "$@" < /dev/null > sbatch.out 2>&1 || code=$?
    cat sbatch.out job.out
}

@test "of what is installed, Slurm's folder of plugins holds the plugin alone" {
    [ "$(cd "$S/prefix/lib/slurm" && ls)" = hpcai500.so ]
}

@test "the agent as the command is the step, and nothing else is started" {
    run srun_ -N2 -n2 --hpcai500=cosmoflow,class=tiny "$STANDIN"
    echo "$output"; [ "$status" -eq 0 ]
    [[ $output == *"hpcai500: cosmoflow,class=tiny may cost 0.333 node-hours"* ]]
    ran 2 run=cosmoflow,class=tiny '\.0 run' plugin=[0-9]
    steps "$(job_of)" '0|hpcai500-agent|COMPLETED'
}

@test "no command: the agent is the command, also as the option's own word" {
    srun_ -N2 -n2 --hpcai500=cosmoflow
    ran 2 run=cosmoflow; rm agent.log
    srun_ -N1 -n1 --hpcai500 cosmoflow
    ran 1 run=cosmoflow
}

@test "another command: the agent first, on the same nodes and tasks, in a step of its own" {
    srun_ -N2 -n3 --hpcai500=cosmoflow sh -c 'echo command $SLURMD_NODENAME; wc -l < $OUT/agent.log' > out 2> err
    cat out err
    [ "$(grep -c '^command' out)" = 3 ]
    [ "$(grep -c '^3$' out)" = 3 ] # all of the agent's tasks were there before
    ran 3 rank=./3 run=cosmoflow
    ran_on "$(sed -n 's/^command //p' out | sort -u | tr '\n' ' ' | sed 's/ $//')"
    no grep -q hello out
    grep -q hello err
    steps "$(job_of)" '0|sh|CANCELLED' '1|hpcai500|COMPLETED' '2|sh|COMPLETED'
}

@test "another command on a part of an allocation: the agent is on that part" {
    cat > job.sh <<'X'
timeout 300 srun -N2 -n2 -w n3,n4 --hpcai500=cosmoflow sh -c 'echo $SLURMD_NODENAME'
X
    run timeout -k 10 $limit salloc -N4 -n8 --exclusive bash job.sh < /dev/null
    echo "$output"; [ "$status" -eq 0 ]
    ran 2; ran_on "n3 n4"
}

@test "gate=yes: a failed run stops the command; without it the command starts" {
    cat > job.sh <<'X'
STANDIN_EXIT=1 timeout 300 srun -n2 --hpcai500=cosmoflow,gate=yes touch "$OUT/started" < /dev/null; echo "gate $?"
STANDIN_EXIT=1 timeout 300 srun -n2 --hpcai500=cosmoflow touch "$OUT/started2" < /dev/null; echo "open $?"
timeout 300 srun -n2 hostname < /dev/null; echo "after $?" # no step was left behind
X
    run timeout -k 10 $limit salloc -N1 -n2 bash job.sh < /dev/null
    echo "$output"
    [[ $output == *"hpcai500: cosmoflow,gate=yes ended with exit code 1, so the command does not start"* ]]
    [[ $output == *"gate 1"* && $output == *"open 0"* && $output == *"after 0"* ]]
    [ ! -e started ]; [ -e started2 ]
}

@test "an MPI program after the agent has its own PMIx" {
    mpicc=$(sed -n 's/^MPICC = //p' "$top_builddir/Makefile")
    [ -n "$mpicc" ] || skip "no mpicc"
    # On a busy machine a rank is still in MPI_Init when another's first message comes: Open MPI
    # 4.1.4 (btl tcp) then calls NULL, 3 of 41 times with no plugin in sight.
    cat > hello.c <<'X'
#include <mpi.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    int rank, size, sum;
    MPI_Init(&argc, &argv);
    sleep(1);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
        printf("size %d sum %d\n", size, sum);
    return MPI_Finalize();
}
X
    "$mpicc" hello.c -o hello
    # the agent of the first step is an MPI program too
    cp hello "$OUT/hpcai500-agent"
    "$lab" plugin agent="$OUT/hpcai500-agent"
    srun_ -N3 -n3 --hpcai500=cosmoflow ./hello > out 2> err || { cat out err; false; }
    [ "$(cat out)" = "size 3 sum 3" ]
    grep -qx "size 3 sum 3" err
}

@test "sbatch: the agent before the script, and no srun in it inherits the option" {
    cat > job.sh <<'X'
#!/bin/sh
echo "script begins after $(wc -l < $OUT/agent.log) tasks"
srun sh -c 'echo step; env | grep -c SPANK || true'
X
    batch -N2 -n3 --hpcai500=cosmoflow,class=tiny job.sh
    [ $code -eq 0 ]
    grep -qx "script begins after 3 tasks" job.out
    [ "$(grep -c '^step' job.out)" = 3 ]
    [ "$(grep -c '^0$' job.out)" = 3 ]
    ran 3 rank=./3 run=cosmoflow,class=tiny '\.0 run'
    grep -q "may cost 0.167 node-hours per node" sbatch.out
    steps "$(job_of)" '0|hpcai500|COMPLETED' '1|sh|COMPLETED'
}

@test "#SBATCH: the same, and gate=yes stops the script" {
    printf '%s\n' '#!/bin/sh' '#SBATCH -N2 --hpcai500=cosmoflow,gate=yes' 'echo script' > job.sh
    batch job.sh
    [ $code -eq 0 ]; grep -qx script job.out; ran 2
    rm job.out
    STANDIN_EXIT=3 batch job.sh
    [ $code -ne 0 ]
    no grep -qx script job.out
    grep -qx "hpcai500: the script does not start: cosmoflow,gate=yes ended with exit code 3" job.out
}

@test "sbatch: scancel while the agent runs ends the job, and the script never begins" {
    printf '%s\n' '#!/bin/sh' 'touch $OUT/began' > job.sh
    job=$(STANDIN_SLEEP=900 sbatch --parsable -N2 --output=job.out --hpcai500=cosmoflow job.sh 2> /dev/null)
    await 5 ran 2
    scancel "$job"
    await 5 idle
    [ ! -e began ]
    # an agent that ends at once as after a partial run, before the script's process hears of it
    rm agent.log
    job=$(STANDIN_TERM=4 STANDIN_SLEEP=900 sbatch --parsable -N2 --output=job.out --hpcai500=cosmoflow job.sh 2> /dev/null)
    await 5 ran 2
    scancel "$job"
    await 5 idle
    cat job.out
    [ ! -e began ]
}

@test "salloc: the option is for the agent's own srun in the allocation" {
    cat > job.sh <<'X'
timeout 300 srun -N2 -n2 echo plain < /dev/null
timeout 300 srun -N2 -n2 $STANDIN < /dev/null > /dev/null
X
    run timeout -k 10 $limit salloc -N2 -n4 --hpcai500=cosmoflow bash job.sh < /dev/null
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(grep -c '^plain' <<< "$output")" = 2 ]
    ran 2 run=cosmoflow
}

@test "the run may take longer than a step's credential lives, and the exit code is the command's" {
    local lives; lives=$(scontrol show config | sed -n 's/^AuthInfo .*cred_expire=\([0-9]*\).*/\1/p')
    # without -K: the first task's 7 would end the second, if that is slower, by a signal
    STANDIN_SLEEP=$((${lives:-120} + 15)) timeout -k 10 $limit srun -N2 -n2 --hpcai500=cosmoflow sh -c 'echo command; exit 7' \
        < /dev/null > out 2> err && code=0 || code=$?
    cat out err
    [ $code -eq 7 ]
    [ "$(grep -c command out)" = 2 ]
    steps "$(job_of)" '0|sh|CANCELLED' '1|hpcai500|COMPLETED' '2|sh|FAILED'
    [ "$(sacct -X -n -P -j "$(job_of)" -o state,exitcode)" = "FAILED|7:0" ]
}

@test "the command has the terminal's input and srun's options, the agent has not" {
    echo input | timeout -k 10 $limit srun -K -N1 -n1 --exclusive -l -t 5 --hpcai500=cosmoflow cat > out 2> err
    cat out err
    [ "$(cat out)" = "0: input" ]
    ran 1
}

@test "an array: every task has its own run" {
    printf '%s\n' '#!/bin/sh' 'echo script' > job.sh
    code=0
    timeout -k 10 $limit sbatch --wait --array=1-6 -N1 --output=job-%a.out --hpcai500=cosmoflow job.sh < /dev/null || code=$?
    [ $code -eq 0 ]
    ran 6
    [ "$(sed 's/.*job=\([0-9.]*\) .*/\1/' agent.log | sort -u | wc -l)" = 6 ]
    [ "$(cat job-*.out | grep -c script)" = 6 ]
}

@test "a requeued job has its run again, as another restart" {
    printf '%s\n' '#!/bin/sh' '[ "${SLURM_RESTART_COUNT:-0}" -ge 1 ] || { touch $OUT/began; sleep 900; }' > job.sh
    job=$(sbatch --parsable --requeue -N1 --output=job.out --hpcai500=cosmoflow job.sh 2> /dev/null)
    await 5 test -e began
    scontrol requeuehold "$job"
    await 5 ran 1
    await 5 pending "$job"
    # slurmd refuses a credential of the very second in which it revoked the last
    # one; and released it would wait for cred_expire seconds, unless it is told not to.
    sleep 2
    scontrol release "$job"
    scontrol update jobid="$job" starttime=now
    await 5 ran 2
    grep -q "job=$job.0.0 " agent.log
    grep -q "job=$job.1.0 " agent.log
}

pending() { [ "$(squeue -h -j "$1" -o %T)" = PENDING ]; }

@test "two steps of one allocation at once, with --overlap" {
    cat > job.sh <<'X'
timeout 300 srun --overlap -N2 -n2 --hpcai500=defect true < /dev/null &
timeout 300 srun --overlap -N2 -n2 --hpcai500=cosmoflow true < /dev/null &
wait
X
    STANDIN_SLEEP=1 run timeout -k 10 $limit salloc -N2 -n2 bash job.sh < /dev/null
    echo "$output"; [ "$status" -eq 0 ]
    ran 4
    [ "$(grep -c run=cosmoflow agent.log)" = 2 ]
    [ "$(sed 's/.*job=\([0-9.]*\) .*/\1/' agent.log | sort -u | wc -l)" = 2 ]
}

# Without PMIx: in 22.05 srun keeps the abort threads of all components in the
# same variables, and now and then waits for ever for one of them (4 of 15 on
# a busy machine, with no plugin in sight; none of 15 without PMIx).
@test "a heterogeneous job: sbatch runs the agent on the first component; srun says it cannot wait" {
    cat > job.sh <<'X'
#!/bin/sh
#SBATCH -N1 --hpcai500=cosmoflow
#SBATCH hetjob
#SBATCH -N2
echo script
timeout 300 srun --mpi=none --het-group=0,1 sh -c 'echo step'
X
    batch job.sh
    [ $code -eq 0 ]
    ran 1; grep -qx script job.out
    [ "$(grep -c '^step' job.out)" = 3 ]
    run srun_ --mpi=none -N1 -n1 --hpcai500=cosmoflow echo command : --mpi=none -N2 -n2 echo command
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(grep -c '^command' <<< "$output")" = 3 ]
    [[ $output == *"an srun of several components cannot start a run before its commands; start the run with its own srun"* ]]
    ran 1
    run timeout -k 10 $limit salloc -N1 : -N2 srun --mpi=none --het-group=0,1 --hpcai500=cosmoflow echo command < /dev/null
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(grep -c '^command' <<< "$output")" = 3 ]
    ran 1
}

@test "the real agent, then the command: both to their end, one record" {
    "$lab" plugin
    run srun_ -N2 -n2 --hpcai500="$real" sh -c 'echo command on $SLURMD_NODENAME'
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(grep -c '^command on n' <<< "$output")" = 2 ]
    local record; record=$(the_record)
    is "$record" '.status == "complete"' '.job.step_id != null' '.system.nodes | length == 2' \
        '.workloads[0].epochs | length == 1' '.job.plugin_remote == ["n1", "n2"]'
}

@test "the record says whether the job had its nodes to itself" {
    "$lab" plugin
    local cores; cores=$(nproc)
    srun_ -N2 -n2 --exclusive --hpcai500="$real" hpcai500-agent || [ $? -eq 1 ]
    is "$(the_record)" '.job.exclusive == true'
    rm -rf "${OUT:?}"/*
    [ "$cores" -gt 1 ] || skip "nodes of one core are always a job's own"
    srun_ -N2 -n2 --hpcai500="$real" hpcai500-agent || [ $? -eq 1 ]
    is "$(the_record)" '.job.exclusive == false'
}

@test "srun told to end while the agent runs ends both and leaves no step" {
    STANDIN_SLEEP=900 timeout -k 10 $limit srun -N2 -n2 --hpcai500=cosmoflow touch "$OUT/began" < /dev/null > out 2>&1 &
    await 5 ran 2
    kill -TERM $! # timeout hands it on
    wait $! || true
    cat out
    grep -q "hpcai500: cosmoflow ended with exit code .*, so the command does not start" out
    [ ! -e began ]
    await 5 idle
}

@test "scancel while srun's agent runs: the command does not start" {
    STANDIN_SLEEP=900 srun_ -N2 -n2 --hpcai500=cosmoflow touch "$OUT/began" > out 2>&1 &
    waiting=$!
    await 5 ran 2
    scancel "$(job_of)"
    code=0; wait $waiting || code=$?
    cat out
    [ $code -ne 0 ]
    [ ! -e began ]
}

@test "values put into the environment past srun's check end the tasks with one sentence" {
    for value in componet '%n%n%s' $'component\x1b[2J' '../../etc/passwd' "$(head -c 5000 /dev/zero | tr '\0' a)"; do
        run env _SLURM_SPANK_OPTION_hpcai500_hpcai500="$value" timeout 300 srun -N2 -n2 touch "$OUT/began" < /dev/null
        echo "$output"
        [ "$status" -eq 1 ]
        [ "$(grep -c '^hpcai500: ' <<< "$output")" = 1 ]
        [ ! -e began ]
    done
    # a good one is what the option would have been
    _SLURM_SPANK_OPTION_hpcai500_hpcai500=cosmoflow srun_ -N1 -n1 "$STANDIN"
    ran 1 run=cosmoflow
    [ -z "$(sinfo -h -t drain -o %N)" ]
}

@test "an ordinary user, a cap on node-hours, partitions" {
    need_root
    "$lab" plugin agent="$STANDIN" max_node_hours=0.2 partitions=other
    chmod 1777 "$OUT"
    run as_user srun -N2 -n2 -p other --hpcai500=cosmoflow,gate=yes true
    echo "$output"; [ "$status" -eq 1 ]
    [[ $output == *"may cost 0.333 node-hours on 2 nodes and this site allows 0.2; the nearest is 'time=6m'"* ]]
    run as_user srun -N2 -n2 --hpcai500=cosmoflow,time=1m,gate=yes true
    echo "$output"; [ "$status" -eq 1 ]
    [[ $output == *"does not run hpcai500 in the partition 'main', only in other"* ]]
    run as_user env OUT="$OUT" srun -N2 -n2 -p other --hpcai500=cosmoflow,time=1m true
    echo "$output"; [ "$status" -eq 0 ]
    ran 2
    rm agent.log
    run as_user env OUT="$OUT" sbatch --wait -N2 -p other --output="$OUT/job.out" --hpcai500=cosmoflow,gate=yes --wrap 'echo script'
    [ "$status" -ne 0 ]
    grep -q "hpcai500: the script does not start: .* on 2 nodes and this site allows 0.2" "$OUT/job.out"
}

@test "without the plugin on one node, the agent there is not told" {
    need_nodes_of_their_own
    echo '# removed by a test' > "$S/nodes/n2/plugstack.conf"
    run srun_ -w 'n[1-2]' -N2 -n2 --hpcai500=cosmoflow "$STANDIN" component
    echo "$output"; [ "$status" -eq 0 ]
    ran 2
    grep -q 'node=n1.*plugin=[0-9]' agent.log
    grep -q 'node=n2.*plugin=missing' agent.log
    [ "$(srun_ -w n2 hostname)" = "$(srun_ -w n2 hostname)" ]
}

@test "a plugin of another release: ordinary jobs never notice, the option is unknown" {
    cat > other.c <<'X'
const char plugin_name[] = "hpcai500", plugin_type[] = "spank";
const unsigned int plugin_version = 0x180b00, spank_plugin_version = 1; /* 24.11 */
int slurm_spank_init(void *sp, int ac, char **av);
int slurm_spank_init(void *sp, int ac, char **av) { return sp && ac && av ? -1 : -1; }
X
    cc -shared -fPIC other.c -o other.so
    for node in "$S"/node "$S"/nodes/n[12]; do
        echo "optional $OUT/other.so" > "$node/plugstack.conf.new"
        mv "$node/plugstack.conf.new" "$node/plugstack.conf"
    done
    run srun_ -N2 -n2 -w 'n[1-2]' sh -c 'echo fine'
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(grep -cx fine <<< "$output")" = 2 ]
    run srun_ -N2 --hpcai500=cosmoflow true; [ "$status" -ne 0 ]
    [ -z "$(sinfo -h -t drain,down -o %N)" ]
}

@test "the plugin taken away while jobs run: they never notice" {
    printf '%s\n' '#!/bin/sh' 'touch $OUT/began' 'until [ -e $OUT/gone ]; do sleep 0.2; done' 'srun -n2 echo step' \
        'until [ -e $OUT/over ]; do sleep 0.2; done' > job.sh
    sbatch --parsable -N2 -n2 --output=job.out --hpcai500=cosmoflow job.sh > id 2> /dev/null
    await 5 test -e began
    srun_ --overlap --jobid="$(cat id)" -N2 -n2 sh -c 'touch waits.$SLURM_PROCID; until [ -e $OUT/gone ]; do sleep 0.2; done; echo running' > out 2>&1 &
    waiting=$!
    await 5 test -e waits.0 -a -e waits.1
    "$lab" plugin none
    mv "$S/prefix/lib/slurm/hpcai500.so" "$OUT/taken.so"
    touch gone
    code=0; wait $waiting || code=$?
    touch over
    await 5 sh -c '[ -z "$(squeue -h)" ]'
    run srun_ -N4 -n4 echo new
    mv "$OUT/taken.so" "$S/prefix/lib/slurm/hpcai500.so"
    echo "$output"; cat out job.out
    [ $code -eq 0 ]; [ "$(grep -c running out)" = 2 ]
    [ "$(grep -c step job.out)" = 2 ]
    [ "$(grep -c new <<< "$output")" = 4 ]
    steps "$(cat id)" '0|hpcai500|COMPLETED' '1|sh|COMPLETED' '2|echo|COMPLETED'
}

@test "a task of the agent has the descriptors of any task" {
    plain=$(srun_ -N1 -n1 sh -c 'ls /proc/self/fd | wc -l')
    cp "$STANDIN" ./hpcai500-agent
    printf '%s\n' '#!/bin/sh' 'ls /proc/self/fd | wc -l' > ./hpcai500-agent
    asked=$(srun_ -N1 -n1 --hpcai500=cosmoflow ./hpcai500-agent 2> /dev/null)
    [ -n "$plain" ]
    [ "$asked" = "$plain" ]
}

@test "nodes are who Slurm says they are: host names with a domain, an environment carried to another node" {
    need_root
    need_nodes_of_their_own
    "$lab" plugin
    "$lab" exec n1 hostname n1.example.org
    run srun_ -N2 -n2 -w n1,n2 --hpcai500="$real" hpcai500-agent
    "$lab" exec n1 hostname n1
    echo "$output"
    is "$(the_record)" '.job.nodes == ["n1", "n2"]' '.status == "complete"' \
        '[.system.nodes[] | [.name, .host]] | sort == [["n1", "n1.example.org"], ["n2", "n2"]]'
    # a launcher that carries n1's environment to n2 (Hydra): host names then
    rm -f "$OUT"/*.json*
    run srun_ -N2 -n2 -w n1,n2 --hpcai500="$real" env SLURMD_NODENAME=n1 hpcai500-agent
    echo "$output"
    is "$(the_record)" '.job.nodes == ["n1", "n2"]'
}
