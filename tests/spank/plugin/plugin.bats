#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The plugin in a fake Slurm: each hook in each context, every launch form,
# hostile values, what it exports and needs. fake_host.c says what is faked.

load ../../no
load ../../await

run_text=cosmoflow,class=tiny

setup() {
    export FAKE_PLUGIN=$top_builddir/spank/plugin/.libs/hpcai500.so
    dir=$(mktemp -d)
    if [ -e "$top_builddir/tests/spank/plugin/.libs/fake_host" ]; then
        cp "$top_builddir/tests/spank/plugin/.libs/fake_host" "$dir/host"
    else
        cp "$top_builddir/tests/spank/plugin/fake_host" "$dir/host"
    fi
    cat > "$dir/srun" <<'X'
#!/bin/sh
here=$(dirname "$0")
n=1; while [ -e "$here/srun.argv.$n" ]; do n=$((n + 1)); done
printf '%s\n' "$@" > "$here/srun.argv.$n"
ln -sf "srun.argv.$n" "$here/srun.argv"
cat > "$here/srun.stdin.$n"
env > "$here/srun.env"
ls -l /proc/self/fd > "$here/srun.fd"
echo "agent's results"
[ ! -e "$here/srun.sleep" ] || { : > "$here/srun.started"; exec sleep 900; }
exit "$(cat "$here/srun.exit.$n" 2> /dev/null || cat "$here/srun.exit" 2> /dev/null || echo 0)"
X
    cat > "$dir/squeue" <<'X'
#!/bin/sh
here=$(dirname "$0")
echo "$@" > "$here/squeue.argv"
ls -l /proc/self/fd > "$here/squeue.fd"
case $* in *%T*) echo RUNNING ;; *) echo 'n[3-4]' ;; esac
X
    chmod +x "$dir/srun" "$dir/squeue"
    cd "$dir" || return 1
    unset SLURM_JOB_ID SLURM_JOBID SLURM_JOB_NUM_NODES SLURM_HET_SIZE SLURM_CPUS_PER_TASK SLURM_JOB_PARTITION SLURM_NTASKS
}

teardown() {
    cd /; rm -rf "$dir"
}

# in_ CONTEXT WORD...: stdout and stderr in $output, each prefixed
in_() {
    local c=$1; shift
    FAKE_CONTEXT=$c run ./host "$@" < /dev/null
    echo "[$status] $output"
}

# only LINE...: the output is exactly these lines
only() {
    [ "$output" = "$(printf '%s\n' "$@")" ]
}

@test "the plugin exports Slurm's symbols and nothing else" {
    run sh -c "nm -D --defined-only '$FAKE_PLUGIN' | sed 's/.* //' | sort | tr '\n' ' '"
    echo "$output"
    wanted='plugin_name plugin_type plugin_version slurm_spank_init slurm_spank_init_post_opt slurm_spank_job_epilog slurm_spank_job_prolog '
    wanted+='slurm_spank_local_user_init slurm_spank_task_init spank_plugin_version '
    [ "${output/slurm_spank_init_failure_mode /}" = "$wanted" ]
}

@test "the plugin needs libc only, is bound at load and has no writable code" {
    run sh -c "readelf -d '$FAKE_PLUGIN' | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' '"
    [ "${output/ld-linux-*.so.* /}" = "libc.so.6 " ]
    readelf -d "$FAKE_PLUGIN" | grep -q BIND_NOW
    readelf -lW "$FAKE_PLUGIN" | grep -q GNU_RELRO
    readelf -lW "$FAKE_PLUGIN" | grep GNU_STACK | grep -qv E
    run readelf -d "$FAKE_PLUGIN"
    [ $status -eq 0 ]; no grep -q TEXTREL <<< "$output"
    nm -D --undefined-only "$FAKE_PLUGIN" | grep -q __stack_chk_fail
}

@test "the plugin starts no thread, leaves nothing behind, opens no connection" {
    run sh -c "nm -D --undefined-only '$FAKE_PLUGIN' | sed 's/.* //; s/@.*//'"
    grep -qx posix_spawn <<< "$output"
    for name in pthread_create atexit on_exit __cxa_atexit system popen fork vfork dlopen socket \
        connect signal setuid strcpy strcat sprintf gets; do
        no grep -qx "$name" <<< "$output"
    done
}

@test "no hook in any context does anything for a job without the option" {
    for c in local allocator; do in_ $c -N2 hostname; [ $status -eq 0 ]; only "launch: hostname"; done
    in_ remote hostname; [ $status -eq 0 ]; only "exec: hostname"
    FAKE_STEP=0xfffffffb in_ remote script; [ $status -eq 0 ]; only "exec: script"
    for c in slurmd job_script error; do in_ $c; [ $status -eq 0 ]; only "done"; done
    [ ! -e srun.argv ]
}

# The witness of these tests writes down how it was started.
fake_witness() {
    printf '#!/bin/sh\nfor v in verb="$1"; do echo "$v"; done >> %q\nenv | sort >> %q\n%s\n' \
        "$PWD/witness.log" "$PWD/witness.log" "${1-}" > witness; chmod 755 witness
    export FAKE_ARGS="witness=$PWD/witness conf=/c spool=/s"
}

@test "prolog and epilog start the witness, with what it may know and nothing else" {
    fake_witness
    export SLURMD_NODENAME=n1 SLURM_CLUSTER_NAME=lab LD_PRELOAD_X=1 SLURM_JOB_ID=999 SECRET=1
    export SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500='component,class=tiny' FAKE_UID=1234
    in_ job_script; [ $status -eq 0 ]; only "done"
    cat witness.log
    [ "$(grep -c '^verb=begin$' witness.log) $(grep -c '^verb=end$' witness.log)" = "1 1" ]
    for row in SLURM_JOB_ID=7 SLURM_JOB_UID=1234 SLURMD_NODENAME=n1 SLURM_CLUSTER_NAME=lab \
        HPCAI500_CONF=/c HPCAI500_SPOOL=/s SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500=component,class=tiny; do
        [ "$(grep -cxF "$row" witness.log)" = 2 ]
    done
    # PWD, SHLVL and _ are the shell's own
    [ "$(grep -vcE '^(verb|SLURM_JOB_ID|SLURM_JOB_UID|SLURMD_NODENAME|SLURM_CLUSTER_NAME|HPCAI500_|SPANK_|PWD|SHLVL|_)' witness.log)" = 0 ]
}

# hostile COMMAND...: it runs with a hostile environment around ours
hostile() {
    command -v python3 > /dev/null || skip "python3 is not installed"
    echo "seed $seed"
    FAKE_CONTEXT=job_script run python3 "$top_srcdir/tests/spank/plugin/hostile_env.py" "$seed" "$@"
}

@test "a hostile environment of prolog and epilog: the witness sees none of it" {
    printf '#!/bin/sh\ncat "/proc/$$/environ" > %q"$1"\n' "$PWD/saw." > witness; chmod 755 witness
    export FAKE_UID=1234 SLURMD_NODENAME=n1 SLURM_JOB_USER=$'x\n\e[2J$(touch owned)' SLURM_JOB_ID=999
    for seed in 1 2 3 4 5 6 7 8 $RANDOM; do
        for conf in "conf=/c spool=/s" ""; do
            rm -f saw.*
            FAKE_ARGS="witness=$PWD/witness $conf" hostile ./host
            [ $status -eq 0 ]; [[ $output == *done ]]
            wanted=$(printf '%s\0' ${conf:+HPCAI500_CONF=/c HPCAI500_SPOOL=/s} SLURMD_NODENAME=n1 SLURM_JOB_ID=7 \
                SLURM_JOB_UID=1234 "SLURM_JOB_USER=$SLURM_JOB_USER" | sort -z | base64)
            for verb in begin end; do [ "$(sort -z saw.$verb | base64)" = "$wanted" ]; done
        done
    done
    [ ! -e owned ]
    # what is too long to be true is not told at all
    SLURM_JOB_ACCOUNT=$(head -c 17000 /dev/zero | tr '\0' a) FAKE_ARGS="witness=$PWD/witness" hostile ./host
    no grep -q ACCOUNT saw.begin
}

@test "witness=no, or without the job's user from Slurm, starts nothing" {
    fake_witness
    in_ job_script; only "done"; [ ! -e witness.log ]
    export FAKE_UID=1234 FAKE_ARGS="$FAKE_ARGS witness=no"
    in_ job_script; only "done"; [ ! -e witness.log ]
}

@test "a witness that is missing, fails, dies or hangs: Slurm hears success" {
    export FAKE_UID=1234
    FAKE_ARGS="witness=/no/such" in_ job_script; [ $status -eq 0 ]
    [[ $output == *"/no/such: No such file or directory"* && $output == *done* && $output != *returned* ]]
    for end in 'exit 1' 'kill -SEGV $$' 'exec /bin/no-such'; do
        fake_witness "$end"
        in_ job_script; [ $status -eq 0 ]; only "done"
    done
    fake_witness 'trap "" TERM INT HUP; sleep 300 & echo $! >> pids; echo $$ >> pids; wait'
    in_ job_script; [ $status -eq 0 ]
    [[ $output == *"begin did not end within 5 s"*"end did not end within 5 s"* && $output != *returned* ]]
    # the whole group is gone, or dead and not yet fetched
    [ "$(wc -l < pids)" -eq 4 ]
    for pid in $(cat pids); do [ -z "$(tr -d '\0' 2> /dev/null < "/proc/$pid/cmdline")" ]; done
}

@test "a witness that not even SIGKILL ends: prolog and epilog go on without it" {
    fake_witness '[ "$1" = end ] || { echo $$ > pid; exec sleep 300; }'
    export FAKE_UID=1234
    FAKE_NO_KILL=1 in_ job_script
    kill -KILL "$(cat pid)"
    [ $status -eq 0 ]; [[ $output == *"begin did not end within 5 s"*done && $output != *returned* ]]
    grep -qx verb=end witness.log
}

# dead_fs FOLDER COMMAND...: it runs where FOLDER is a file system whose server
# never answers, as a dead NFS; 70: this machine lets nobody mount one
dead_fs() {
    unshare --mount --propagation private python3 - "$@" <<'P'
import ctypes, os, subprocess, sys
try:
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
except OSError:
    sys.exit(70)
words = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
if ctypes.CDLL(None).mount(b"fuse", sys.argv[1].encode(), b"fuse", 0, words):
    sys.exit(70)
code = subprocess.call(sys.argv[2:], stdin=subprocess.DEVNULL)
sys.exit(128 - code if code < 0 else code)
P
}

@test "a dead file system below the spool: prolog and epilog end, no witness is left" {
    [ "$(id -u)" = 0 ] || skip "only root can mount"
    [ -x "$top_builddir/spank/witness/hpcai500-witness" ] || skip "the witness was not built"
    mkdir spool; : > conf
    cp "$top_builddir/spank/witness/hpcai500-witness" witness.$$
    printf '#!/bin/sh\n[ "$1" = end ] || exec %q "$@"\n' "$PWD/witness.$$" > witness; chmod 755 witness
    run dead_fs "$PWD/spool" true
    [ $status -eq 0 ] || skip "no file system can be mounted here"
    run dead_fs "$PWD/spool" timeout -s KILL 1 stat "$PWD/spool/x"
    [ $status -eq 137 ] # it hangs indeed
    export FAKE_UID=1234 SLURMD_NODENAME=n1 FAKE_CONTEXT=job_script
    export FAKE_ARGS="witness=$PWD/witness conf=$PWD/conf spool=$PWD/spool"
    run dead_fs "$PWD/spool" sh -c "./host; n=0
        while pgrep -x witness.$$ && [ \$n -lt 1500 ]; do n=\$((n + 1)); sleep 0.2; done
        pgrep -x witness.$$" # while it is dead
    echo "$output"
    [ $status -eq 1 ]
    [[ $output == *"begin did not end within 5 s"*done && $output != *returned* ]]
}

# deaf COMMAND...: its stderr is a pipe whose reader has gone
deaf() {
    mkfifo pipe
    : < pipe &
    { wait $!; rm pipe; "$@"; } 2> pipe
}

@test "nobody reads the output: script and agent start anyway, and SIGPIPE is theirs" {
    echo 1 > srun.exit
    deaf env FAKE_CONTEXT=remote FAKE_STEP=0xfffffffb FAKE_OPTION=component PATH="$dir:$PATH" \
        SLURM_JOB_NUM_NODES=2 ./host script < /dev/null > out
    [ "$(tail -n 1 out)" = "exec: script" ]
    FAKE_ARGS=step=maybe deaf env FAKE_CONTEXT=remote ./host hpcai500-agent < /dev/null > out
    [[ "$(cat out)" == "exec: hpcai500-agent "* ]]
    no grep -q SIGPIPE out
    # a refusal ends the task with its own code
    run deaf env FAKE_CONTEXT=remote FAKE_OPTION=componet ./host hpcai500-agent
    [ $status -eq 1 ]
    # and the witness says why it could not, to nobody
    if [ -x "$top_builddir/spank/witness/hpcai500-witness" ]; then
        HPCAI500_CONF=/no/such run deaf "$top_builddir/spank/witness/hpcai500-witness" begin
        [ $status -eq 1 ]
    fi
}

@test "with every argument of plugstack wrong, jobs without the option still run" {
    export FAKE_ARGS="agnet=/x max_node_hours=-1 step=maybe"
    in_ local hostname; only "launch: hostname"
    in_ remote hostname; only "exec: hostname"
    in_ remote /bin/hpcai500-agent
    only "hpcai500: plugstack argument 'agnet=/x' is not known; the nearest is 'agent='; the agent runs without this node's conf= and spool=" \
        "exec: /bin/hpcai500-agent HPCAI500_PLUGIN=$(release) SLURM_VERSION=22.5"
}

release() { sed -n 's/#define PACKAGE_VERSION "\(.*\)"/\1/p' "$top_builddir/config.h"; }

@test "help and list answer in srun, sbatch and salloc with exit code 0" {
    for c in local allocator; do
        in_ $c --hpcai500=help; [ $status -eq 0 ]; [[ $output == *"class=auto|tiny|small|standard"* ]]
        in_ $c --hpcai500 list; [ $status -eq 0 ]; [[ $output == *cosmoflow* ]]
        in_ $c -N2 --hpcai500=list hostname; [ $status -eq 0 ]; [[ $output == *cosmoflow* && $output != *launch* ]]
    done
    # before sbatch reads a script from the terminal; a script's own word is not ours
    FAKE_CONTEXT=allocator run ./host -N 2 --hpcai500=help; [[ $output == *class=auto* ]]
    in_ allocator job.sh --hpcai500=help; only "launch: job.sh --hpcai500=help"
    # a full disk or closed pipe is not a success
    FAKE_CONTEXT=local run sh -c './host --hpcai500=help > /dev/full'; [ $status -ne 0 ]
}

@test "a bad option ends srun and sbatch with one sentence" {
    while IFS='|' read -r text sentence; do
        for c in local allocator; do
            in_ $c --hpcai500="$text" hostname
            [ $status -eq 1 ]
            only "fake: error: hpcai500: $sentence"
        done
    done <<'T'
componet|there is no suite or workload 'componet'; the nearest is 'component'
cosmoflow,clas=tiny|there is no key 'clas'; the nearest is 'class'
cosmoflow,class=huge|there is no class=huge; the nearest is 'class=auto'
cosmoflow,epochs=0|epochs=0 is out of range; the nearest is 'epochs=1'
cosmoflow,time=10|time=10 is not a time: use a whole number of s, m or h, for example 'time=10m'
../../etc/passwd|there is no suite or workload '../../etc/passwd'; 'help' shows them all
%n%n%s|there is no suite or workload '%n%n%s'; 'help' shows them all
T
    in_ local --hpcai500= hostname; [ $status -eq 1 ]
    only "fake: error: hpcai500: the run text names no suite or workload; say for example 'component'"
    in_ local --hpcai500=$'component\x1b]0;x\a' hostname; [ $status -eq 1 ]
    only "fake: error: hpcai500: byte 10 of the run text is an unprintable character"
    in_ local --hpcai500="$(head -c 100000 /dev/zero | tr '\0' a)" hostname; [ $status -eq 1 ]
    only "fake: error: hpcai500: the run text is longer than 512 bytes"
}

@test "srun AGENT: it is the step, and the cost is announced" {
    in_ local --hpcai500=$run_text /opt/bin/hpcai500-agent
    only "fake: hpcai500: $run_text may cost 0.333 node-hours" \
        "launch: /opt/bin/hpcai500-agent _SLURM_SPANK_OPTION_hpcai500_hpcai500=$run_text"
    [ ! -e srun.argv ]
}

agent() { # the path that is built in
    sed -n 's/^bindir = //p' "$top_builddir/Makefile" |
        sed "s,\${exec_prefix},$(sed -n 's/^prefix = //p' "$top_builddir/Makefile"),; s,$,/hpcai500-agent,"
}

@test "srun COMMAND in an allocation: the agent first, by srun with the same words" {
    export SLURM_JOB_ID=7
    in_ local -N2 -n3 -c4 --hpcai500=cosmoflow,time=1m hostname -f
    [ $status -eq 0 ]
    only "agent's results" "launch: hostname -f _SLURM_SPANK_OPTION_hpcai500_hpcai500=cosmoflow,time=1m"
    diff srun.argv - <<T
-N2
-n3
-c4
--hpcai500=cosmoflow,time=1m
--input=none
--output=all
--error=all
--job-name=hpcai500
--quit-on-interrupt
--wait=600
--time=12
--
$(agent)
T
    [ ! -e srun.argv.2 ]
    in_ local --pty --multi-prog --hpcai500 cosmoflow --exclusive --bcast=/x file
    diff srun.argv - <<T
--hpcai500
cosmoflow
--exclusive
--input=none
--output=all
--error=all
--job-name=hpcai500
--quit-on-interrupt
--wait=600
--time=21
--
$(agent)
T
}

@test "srun COMMAND that makes its allocation: agent and command beside its step, then the job's end" {
    echo input > input
    FAKE_CONTEXT=local run sh -c './host -N2 --hpcai500=cosmoflow --exclusive --pty cat -v < input'
    echo "$output"; [ $status -eq 0 ]
    only "agent's results" "agent's results" "job 7 ends with 0"
    diff srun.argv.1 - <<T
-N2
--hpcai500=cosmoflow
--input=none
--output=all
--error=all
--job-name=hpcai500
--quit-on-interrupt
--wait=600
--time=21
--overlap
--jobid=7
--nodes=2
--ntasks=3
--
$(agent)
T
    diff srun.argv.2 - <<T
-N2
--pty
--overlap
--jobid=7
--nodes=2
--ntasks=3
--
cat
-v
T
    [ ! -s srun.stdin.1 ]
    [ "$(cat srun.stdin.2)" = input ]
    rm srun.argv.*
    in_ local --hpcai500 cosmoflow hostname < /dev/null
    diff srun.argv.2 - <<< $'--overlap\n--jobid=7\n--nodes=2\n--ntasks=3\n--\nhostname'
    # its exit code is the job's
    rm srun.argv.*; echo 5 > srun.exit
    in_ local --hpcai500=cosmoflow hostname; [ $status -eq 5 ]; [ "${lines[-1]}" = "job 7 ends with 0x500" ]
    rm srun.argv.*; echo 137 > srun.exit.2
    in_ local --hpcai500=cosmoflow hostname; [ $status -eq 137 ]; [ "${lines[-1]}" = "job 7 ends with 0x9" ]
    # a run that a signal has ended stops the command
    rm srun.argv.*; echo 143 > srun.exit.1
    in_ local --hpcai500=cosmoflow hostname; [ $status -eq 1 ]; [ ! -e srun.argv.2 ]
}

@test "srun that root started for another user has become that user by the time of its steps" {
    in_ local --uid=nobody --gid nogroup --hpcai500=component hostname
    for n in 1 2; do no grep -qE 'uid|gid|nogroup' srun.argv.$n; done
    rm srun.argv*
    SLURM_JOB_ID=7 in_ local --uid=nobody --hpcai500=component hostname # not yet
    grep -qx -- --uid=nobody srun.argv
}

@test "srun COMMAND: what the agent prints does not meet the command's output" {
    SLURM_JOB_ID=7 FAKE_CONTEXT=local ./host --hpcai500=component hostname > out 2> err
    [ "$(cat out)" = "launch: hostname _SLURM_SPANK_OPTION_hpcai500_hpcai500=component" ]
    grep -qx "agent's results" err
}

@test "the agent's step has the user's environment but not the caller's step, PMI or option" {
    SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_PROCID=3 PMIX_RANK=1 PMI_RANK=1 OMPI_COMM_WORLD_RANK=1 \
        SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500=x HPCAI500_STOP=1 HPCAI500_RUN=x \
        SLURM_CONF=/c SLURM_DISTRIBUTION=block OMPI_MCA_btl=tcp MINE='a b' LD_PRELOAD= \
        in_ remote true # only to see that the fake passes them on
    [ $status -eq 0 ]
    SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_PROCID=3 PMIX_RANK=1 PMI_RANK=1 OMPI_COMM_WORLD_RANK=1 \
        SLURM_JOB_ID=7 HPCAI500_STOP=1 HPCAI500_RUN=x HPCAI500_CACHE=/c SLURM_CONF=/c SLURM_DISTRIBUTION=block \
        OMPI_MCA_btl=tcp MINE='a b' in_ local --hpcai500=component hostname
    for kept in SLURM_CONF=/c SLURM_DISTRIBUTION=block OMPI_MCA_btl=tcp 'MINE=a b' HPCAI500_CACHE=/c; do
        grep -qx "$kept" srun.env || { echo "lost $kept"; return 1; }
    done
    no grep -E '^(_SLURM_SPANK|SLURM_SPANK|SLURM_STEP|SLURM_PROCID|PMI|OMPI_COMM_WORLD|HPCAI500_(STOP|RUN|PLUGIN))' srun.env
}

@test "no descriptor of the plugin reaches the agent's step" {
    SLURM_JOB_ID=7 in_ local --hpcai500=component hostname
    echo 137 > srun.exit; echo RUNNING > state
    printf '#!/bin/sh\nls -l /proc/self/fd > %s/squeue.fd\necho RUNNING\n' "$dir" > squeue
    batch component
    for program in srun squeue; do
        grep -q ' 0 -> /dev/null' $program.fd
        had=$(grep -c ' -> ' $program.fd)
        ./$program < /dev/null > out || true # what the test itself has open
        cat $program.fd
        [ "$had" -eq "$(grep -c ' -> ' $program.fd)" ]
    done
}

@test "standard descriptors that are closed are /dev/null for what the plugin starts" {
    for job in '' 7; do
        rm -f srun.argv* srun.fd
        (exec <&- 2>&-; SLURM_JOB_ID=$job FAKE_CONTEXT=local ./host --hpcai500=component hostname > out)
        [ -e srun.argv ]
        for fd in 0 2; do grep -q " $fd -> /dev/null" srun.fd; done # 1 is the file itself
    done
}

@test "a failed run: the command starts anyway, unless gate=yes" {
    echo 3 > srun.exit
    export SLURM_JOB_ID=7
    in_ local --hpcai500=component hostname
    [ $status -eq 0 ]
    [ "${lines[1]}" = "fake: hpcai500: component ended with exit code 3; the command starts anyway (gate=yes would stop it)" ]
    [[ ${lines[2]} == "launch: hostname"* ]]
    in_ local --hpcai500=component,gate=yes hostname
    [ $status -eq 1 ]
    only "agent's results" "fake: error: hpcai500: component,gate=yes ended with exit code 3, so the command does not start"
    unset SLURM_JOB_ID; rm srun.argv.*
    in_ local --hpcai500=component,gate=yes hostname
    [ $status -eq 1 ]; [ ! -e srun.argv.2 ]
    only "agent's results" "fake: error: hpcai500: component,gate=yes ended with exit code 3, so the command does not start" "job 7 ends with 0x100"
}

@test "a command that must not start ends in its tasks, before exec" {
    HPCAI500_STOP=1 FAKE_OPTION=component in_ remote hostname
    [ $status -eq 1 ]; only ""
    # but not for a job that did not ask for us
    HPCAI500_STOP=1 in_ remote hostname
    [ $status -eq 0 ]; only "exec: hostname HPCAI500_STOP=1"
    # and what a user's environment had before does not count
    HPCAI500_STOP=1 in_ local --hpcai500=component hpcai500-agent
    [[ $output != *HPCAI500_STOP* ]]
}

@test "srun told to end while the agent runs: the agent is told, the command does not start" {
    : > srun.sleep
    FAKE_CONTEXT=local ./host --hpcai500=component hostname > out 2>&1 3>&- &
    pid=$!
    await 5 test -e srun.started
    kill -TERM $pid; wait $pid || true
    cat out
    grep -qx "fake: error: hpcai500: component ended with exit code 143, so the command does not start" out
    grep -qx "job 7 ends with 0x100" out
    [ ! -e srun.argv.2 ]
}

@test "srun without a command becomes srun with the agent" {
    export FAKE_ARGS="agent=gpu:/opt/gpu/hpcai500-agent agent=/x/hpcai500-agent agent=/opt/hpcai500-agent"
    tail="_SLURM_SPANK_OPTION_hpcai500_hpcai500=component"
    in_ local -N2 --hpcai500=component; [[ $output == *"launch: /opt/hpcai500-agent $tail" ]]
    in_ local -N2 --hpcai500 component; [[ $output == *"launch: /opt/hpcai500-agent $tail" ]]
    in_ local -pgpu --hpcai500=component; [[ $output == *"launch: /opt/gpu/hpcai500-agent $tail" ]]
    in_ local --partition=gpu --hpcai500=component; [[ $output == *"launch: /opt/gpu/hpcai500-agent $tail" ]]
    SLURM_JOB_PARTITION=gpu in_ local --hpcai500=component; [[ $output == *"launch: /opt/gpu/hpcai500-agent $tail" ]]
    # an option that is not last, or the command's own word, is not that
    in_ local --hpcai500=component -N2; [ $status -eq 1 ]
    only "fake: error: hpcai500: there is no command; write --hpcai500=RUN as the last word, or write the command"
    SLURM_JOB_ID=7 in_ local --hpcai500=component cat --hpcai500=component; [[ $output == *"launch: cat --hpcai500=component"* ]]
}

@test "srun's words in every legal form and order: the agent's line has the agent for its command" {
    export SLURM_JOB_ID=7 FAKE_ARGS=agent=/a/hpcai500-agent
    printf '%s\n' '#!/bin/sh' 'exit 99' > prog; chmod 755 prog
    local n=0 words kept
    while IFS='|' read -r words kept; do
        n=$((n + 1)); rm -f srun.argv*
        eval "in_ local $words"
        [ $status -eq 0 ]
        [[ ${lines[-1]} == "launch: "*_SLURM_SPANK_OPTION_hpcai500_hpcai500=component ]] || { echo "$words"; return 1; }
        # the options that stay, in their order
        [ "$(sed '/^--input=none$/,$d' srun.argv.1 | tr '\n' ' ')" = "$kept " ] || { echo "$words: kept other words"; cat srun.argv.1; return 1; }
        [ ! -e srun.argv.2 ]
        # srun reads that line as it was meant, and starts nothing further
        mapfile -t inner < srun.argv.1; rm srun.argv*
        HPCAI500_LEVEL=srun in_ local "${inner[@]}"
        [[ ${lines[-1]} == "launch: /a/hpcai500-agent _SLURM"* ]] || { echo "$words"; return 1; }
        [ ! -e srun.argv ]
    done <<'T'
--hpcai500=component prog|--hpcai500=component
--hpcai500=component -- prog|--hpcai500=component
--hpcai500 component -- prog -- -x|--hpcai500 component
--hp component prog --pty|--hp component
--hpcai500=component -- -prog|--hpcai500=component
-N2 --hpcai500=component -n 3 prog|-N2 --hpcai500=component -n 3
-ln2 --hpcai500=component prog|-ln2 --hpcai500=component
-lN 2 --hpcai500=component -- prog|-lN 2 --hpcai500=component
-N -- --hpcai500=component prog|-N -- --hpcai500=component
-N -- --hpcai500=component -- prog|-N -- --hpcai500=component
-D --pty --hpcai500=component prog|-D --pty --hpcai500=component
--comment --multi-prog --hpcai500=component prog|--comment --multi-prog --hpcai500=component
--comment=--pty --hpcai500=component prog|--comment=--pty --hpcai500=component
--comment hpcai500-agent --hpcai500=component prog|--comment hpcai500-agent --hpcai500=component
--comment : --hpcai500=component prog|--comment : --hpcai500=component
--comm x --multi --hpcai500=component prog|--comm x --hpcai500=component
--pty --hpcai500=component --bcast prog|--hpcai500=component
--bcast=/x --hpcai500=component --pt prog|--hpcai500=component
-K -I --hpcai500=component prog|-K -I --hpcai500=component
-K1 -I60 -k --hpcai500=component prog|-K1 -I60 -k --hpcai500=component
--new value --hpcai500=component prog|--new value --hpcai500=component
--hpcai500=component --new value prog|--hpcai500=component --new value
--hpcai500=cosmoflow --hpcai500=component prog|--hpcai500=cosmoflow --hpcai500=component
-p main -o out --hpcai500=component -t5 prog|-p main -o out --hpcai500=component -t5
--export NONE --exclusive --hpcai500=component prog|--export NONE --exclusive --hpcai500=component
--hpcai500=component -- prog --het-group=1|--hpcai500=component
T
    [ "$n" -eq 26 ]
}

@test "srun without a command: one sentence, unless a later word of it decides" {
    export FAKE_ARGS=agent=/opt/hpcai500-agent
    why="there is no command; write --hpcai500=RUN as the last word, or write the command"
    for words in '--hpcai500=component -N2' '--hpcai500 component -lN 2 --' '--hpcai500=component --comment prog' \
        '--hpcai500=component -N -- -l'; do
        in_ local $words
        [ $status -eq 1 ]; only "fake: error: hpcai500: $why"
    done
    for words in '--hpcai500=cosmoflow -N2 --hpcai500=component' '-N2 --hpcai500=component --' '--hp component'; do
        in_ local $words
        [ $status -eq 0 ]; [[ $output == *"launch: /opt/hpcai500-agent _SLURM_SPANK_OPTION_hpcai500_hpcai500=component" ]]
    done
    # an option of another plugin may have had the next word for its value
    in_ local --hpcai500=component --new prog; [ $status -eq 70 ]
    in_ local --multi-prog --hpcai500=component; [ $status -eq 70 ]
    in_ local -N1 --hpcai500=component : -N1; [ $status -eq 70 ]
    [ ! -e srun.argv ]
}

@test "a run cannot start another" {
    inside="this srun is inside a run of hpcai500, which cannot start another run"
    for job in '' 7; do
        for command in prog hpcai500-agent; do
            HPCAI500_LEVEL=task SLURM_JOB_ID=$job in_ local --hpcai500=component $command
            [ $status -eq 1 ]; only "fake: error: hpcai500: $inside"
        done
        HPCAI500_LEVEL=srun SLURM_JOB_ID=$job in_ local --hpcai500=component --input=none
        [ $status -eq 1 ]
        HPCAI500_LEVEL=srun SLURM_JOB_ID=$job in_ local --hpcai500=component -- --input=none hpcai500-agent
        [ $status -eq 1 ]
        only "fake: error: hpcai500: the srun that should start the agent has another command; report this to your site"
    done
    HPCAI500_LEVEL=task in_ remote hpcai500-agent
    [ $status -eq 1 ]; only "hpcai500: this agent was started inside a run of hpcai500, which cannot start another run"
    HPCAI500_LEVEL=srun FAKE_OPTION=component in_ remote hpcai500-agent; [ $status -eq 0 ]
    # who did not ask is not concerned
    HPCAI500_LEVEL=task in_ local prog; only "launch: prog"
    HPCAI500_LEVEL=task in_ remote prog; only "exec: prog"
    [ ! -e srun.argv ]
    # the agent's srun is marked, the command's is not
    in_ local --hpcai500=component prog; no grep -q HPCAI500_LEVEL srun.env
    SLURM_JOB_ID=7 in_ local --hpcai500=component prog; grep -qx HPCAI500_LEVEL=srun srun.env
}

@test "what srun's environment says of the command is not for the agent" {
    export SLURM_SRUN_MULTI=1 SLURM_BCAST=/x SLURM_EXCLUSIVE=1 SLURM_EXACT=1
    SLURM_JOB_ID=7 in_ local --hpcai500=component prog
    no grep -qE '^SLURM_(SRUN_MULTI|BCAST)=' srun.env
    [ "$(grep -cE '^SLURM_(EXCLUSIVE|EXACT)=' srun.env)" = 2 ]
    in_ local --hpcai500=component prog # the command's, beside srun's own step
    no grep -qE '^SLURM_(EXCLUSIVE|EXACT)=' srun.env
    [ "$(grep -cE '^SLURM_(SRUN_MULTI|BCAST)=' srun.env)" = 2 ]
}

@test "an agent's srun or a squeue that never ends is ended, and the command starts" {
    printf '%s\n' '#!/bin/sh' 'echo $$ >> pids; trap "" TERM INT; [ "$1" = --overlap ] || exit 0' 'while :; do sleep 0.1; done' > squeue
    cp squeue srun # the agent's has --overlap first in a batch job
    batch cosmoflow FAKE_CLOCK=600
    [ $status -eq 0 ]
    only "hpcai500: $dir/srun did not end within 26 minutes and was ended; the script starts anyway (gate=yes would stop it)" "exec: script"
    batch cosmoflow,gate=yes,time=1m FAKE_CLOCK=600
    [ $status -eq 1 ]
    only "hpcai500: the script does not start: $dir/srun did not end within 17 minutes and was ended"
    for pid in $(cat pids); do [ ! -e "/proc/$pid" ]; done
    rm pids
    printf '%s\n' '#!/bin/sh' 'exit 137' > srun
    printf '%s\n' '#!/bin/sh' 'echo $$ >> pids; trap "" TERM INT' 'while :; do sleep 0.1; done' > squeue
    batch cosmoflow FAKE_CLOCK=60
    [ $status -eq 0 ]; [[ $output == *"ended with exit code 137; the script starts anyway"*"exec: script" ]]
    for pid in $(cat pids); do [ ! -e "/proc/$pid" ]; done
}

@test "from 25.05 on every other return code is a failure: no hook returns one, whatever Slurm answers" {
    # that the fake sees them: a plugin whose hooks return 1, or -1
    cat > fails.c <<'C'
#include <stdint.h>
#include <stdlib.h>
#include <slurm/spank.h>
SPANK_PLUGIN(fails, 1)
#define HOOK(name) int slurm_spank_##name(spank_t sp, int ac, char **av) { (void)sp; (void)ac; return atoi(av[0]); }
HOOK(init) HOOK(init_post_opt) HOOK(local_user_init) HOOK(user_init) HOOK(task_init)
HOOK(task_post_fork) HOOK(task_exit) HOOK(job_prolog) HOOK(job_epilog) HOOK(slurmd_exit) HOOK(exit)
C
    cc=$(sed -n 's/^CC = //p' "$top_builddir/Makefile")
    cflags=$(sed -n 's/^SLURM_CFLAGS = //p' "$top_builddir/Makefile")
    $cc -shared -fPIC $cflags fails.c -o fails.so
    for rc in 1 -1; do
        for c in local allocator remote slurmd job_script; do
            FAKE_PLUGIN=$dir/fails.so FAKE_ARGS=$rc in_ $c prog > /dev/null
            grep -o "slurm_spank_[a-z_]* returned $rc" <<< "$output"
        done | sort -u > seen
        [ "$(wc -l < seen)" = 11 ]
    done
    # ours: every context, called well, wrongly, and by a Slurm that refuses everything
    fake_witness 'exit 1'
    export FAKE_UID=1234
    for rc in '' 1 -1 3001; do
        for words in prog '--hpcai500=component prog' '--hpcai500=component hpcai500-agent' '--hpcai500=componet prog'; do
            for args in "witness=$dir/witness" "nonsense" "witness=/no/such"; do
                for c in local allocator slurmd job_script; do
                    env ${rc:+FAKE_RC=$rc} FAKE_ARGS="$args" FAKE_CONTEXT=$c ./host $words
                done
                for option in '' component componet; do
                    env ${rc:+FAKE_RC=$rc} ${option:+FAKE_OPTION=$option} FAKE_ARGS="$args" FAKE_CONTEXT=remote ./host hpcai500-agent
                    env ${rc:+FAKE_RC=$rc} ${option:+FAKE_OPTION=$option} FAKE_ARGS="$args" FAKE_CONTEXT=remote FAKE_STEP=0xfffffffb ./host prog
                done
            done
        done < /dev/null
    done > all 2>&1 || true
    [ "$(grep -c . all)" -gt 300 ]
    no grep returned all
}

@test "an epilog that runs three times is three times the same" {
    fake_witness
    export FAKE_UID=1234
    for _ in 1 2 3; do in_ job_script; [ $status -eq 0 ]; only "done"; done
    [ "$(grep -c '^verb=end$' witness.log)" = 3 ]
    [ "$(grep -cx SLURM_JOB_ID=7 witness.log)" = 6 ]
}

@test "a node is who Slurm says it is: the plugin never asks for the host's name" {
    run sh -c "nm -D --undefined-only '$FAKE_PLUGIN' | sed 's/.* //; s/@.*//'"
    for name in gethostname uname getaddrinfo gethostbyname sysinfo; do no grep -qx "$name" <<< "$output"; done
    FAKE_ARGS=nonsense SLURMD_NODENAME=n7 in_ remote hpcai500-agent
    [ "${lines[0]}" = "hpcai500: node n7: plugstack argument 'nonsense' is not known; the agent runs without this node's conf= and spool=" ]
}

@test "each example of the manual is one that works" {
    n=0
    while read -r program words; do
        case $program in
            srun) SLURM_JOB_ID=7 in_ local $words ;;
            sbatch | salloc | '#SBATCH') in_ allocator $words ${words:+job.sh} ;;
            optional) FAKE_ARGS=${words#hpcai500.so} in_ local --hpcai500=component hpcai500-agent ;;
            *) false ;;
        esac
        [ $status -eq 0 ] || { echo "$program $words"; return 1; }
        n=$((n + 1))
    done < <(sed -n '/^\.Sh EXAMPLES/,/^\.Sh SECURITY/s/^\.Dl //p' "$top_srcdir/spank/plugin/spank-hpcai500.8")
    [ "$n" -ge 8 ]
}

@test "an option that Slurm does not take: every job runs" {
    export FAKE_NO_OPTION=1
    for c in local allocator; do
        in_ $c -N2 hostname
        [ $status -eq 0 ]; [ "${#lines[@]}" -eq 2 ]; [ "${lines[1]}" = "launch: hostname" ]
        [[ ${lines[0]} == "fake: verbose: hpcai500: Slurm does not take the option --hpcai500 ("*")" ]]
    done
    in_ remote hostname; [ $status -eq 0 ]; [[ $output == *"exec: hostname" && $output != *returned* ]]
    in_ remote hpcai500-agent; [ $status -eq 0 ]; [[ $output == *"exec: hpcai500-agent HPCAI500_PLUGIN="* ]]
    for c in slurmd job_script; do in_ $c; [ $status -eq 0 ]; only done; done
}

@test "the site can turn off each trick" {
    FAKE_ARGS=reexec=no in_ local --hpcai500=component; [ $status -eq 70 ]
    FAKE_ARGS=step=no in_ local --hpcai500=component hostname
    only "fake: hpcai500: this site does not start a run before a command (step=no); start the run with its own srun" \
        "launch: hostname _SLURM_SPANK_OPTION_hpcai500_hpcai500=component"
    FAKE_ARGS=step=no in_ local --hpcai500=component,gate=yes hostname
    [ $status -eq 1 ]; only "fake: error: hpcai500: this site does not start a run before a command (step=no); start the run with its own srun"
    FAKE_ARGS=batch=no FAKE_STEP=0xfffffffb FAKE_OPTION=component in_ remote script; only "exec: script"
    [ ! -e srun.argv ]
}

@test "srun of several components says that nothing can run first" {
    why="an srun of several components cannot start a run before its commands; start the run with its own srun"
    in_ local --hpcai500=cosmoflow --het-group=0,1 hostname
    only "fake: hpcai500: $why" "launch: hostname _SLURM_SPANK_OPTION_hpcai500_hpcai500=cosmoflow"
    in_ local --hpcai500=cosmoflow,gate=yes --het-group=0,1 hostname
    [ $status -eq 1 ]; only "fake: error: hpcai500: $why"
    in_ local -N1 --hpcai500=cosmoflow hostname : -N2 hostname
    [ $status -eq 0 ]; [ "${lines[0]}" = "fake: hpcai500: $why" ]; [[ ${lines[1]} == "launch: hostname : -N2 hostname"* ]]
    in_ local -N1 --hpcai500=cosmoflow hpcai500-agent : -N2 hostname
    [ $status -eq 0 ]; [ "${lines[0]}" = "fake: hpcai500: cosmoflow may cost 0.333 node-hours" ]
    [ ! -e srun.argv ]
}

@test "salloc: the cost per node is announced, and the option is for the agent's own srun" {
    in_ allocator --hpcai500=component,time=1h sh
    [ "${lines[0]}" = "fake: hpcai500: component,time=1h may cost 1 node-hour per node of the job" ]
    [[ ${lines[1]} == "launch: sh"* ]]
    export SLURM_JOB_ID=7 SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500=component
    in_ local hostname; [ ! -e srun.argv ]; [[ $output == "launch: hostname"* ]]
    in_ local /x/hpcai500-agent; [[ $output == *"may cost"*"launch: /x/hpcai500-agent"* ]]
    in_ local --hpcai500=cosmoflow hostname; grep -qx -- --hpcai500=cosmoflow srun.argv
    FAKE_STEP=0xfffffffa in_ local bash; [[ $output == "launch: bash"* ]] # salloc's own step
    export SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500=vet,spares=1 # chose the nodes of what follows
    in_ local hostname; [[ $output == "launch: hostname"* ]]
}

@test "the site's cap and partitions, said with the nearest that is allowed" {
    [ "$(id -u)" = 0 ] && drop="setpriv --reuid nobody --regid nogroup --clear-groups" || drop=
    chmod 755 "$dir"
    like_user() { FAKE_CONTEXT=$1 run $drop ./host "${@:2}"; echo "[$status] $output"; }
    export FAKE_ARGS="max_node_hours=0.25 partitions=main,short"
    like_user local --hpcai500=cosmoflow hpcai500-agent
    [ "${lines[0]}" = "fake: error: hpcai500: cosmoflow may cost 0.333 node-hours on 2 nodes and this site allows 0.25; the nearest is 'time=7m'" ]
    [[ ${lines[1]} == *HPCAI500_STOP=1 ]]
    like_user allocator --hpcai500=cosmoflow,time=1h sh
    [ $status -eq 1 ]
    only "fake: error: hpcai500: cosmoflow,time=1h may cost 1 node-hour on 1 node and this site allows 0.25; the nearest is 'time=15m'"
    SLURM_JOB_PARTITION=long like_user local --hpcai500=cosmoflow,time=1m /x/hpcai500-agent
    [ "${lines[0]}" = "fake: error: hpcai500: this site does not run hpcai500 in the partition 'long', only in main,short" ]
    SLURM_JOB_PARTITION=short like_user local --hpcai500=cosmoflow,time=1m /x/hpcai500-agent
    [[ $output == *"may cost 0.0333"* && $output != *STOP* ]]
    if [ -n "$drop" ]; then # neither binds root
        SLURM_JOB_PARTITION=long in_ local --hpcai500=cosmoflow /x/hpcai500-agent; [[ $output != *STOP* ]]
    fi
}

@test "arguments of plugstack that are wrong refuse the option" {
    while IFS='|' read -r argument sentence; do
        FAKE_ARGS=$argument in_ local --hpcai500=component hostname
        [ $status -eq 1 ]
        only "fake: error: hpcai500: $sentence"
    done <<'T'
agnet=/x|plugstack argument 'agnet=/x' is not known; the nearest is 'agent='
nonsense|plugstack argument 'nonsense' is not known
witness=maybe|plugstack argument witness=maybe must be yes, no or an absolute path
agent=x|plugstack argument agent=x is not [PARTITION:]/FOLDER/hpcai500-agent
agent=x/hpcai500-agent|plugstack argument agent=x/hpcai500-agent is not [PARTITION:]/FOLDER/hpcai500-agent
agent=/opt/wrapper|plugstack argument agent=/opt/wrapper is not [PARTITION:]/FOLDER/hpcai500-agent
conf=x|plugstack argument conf=x is not an absolute path
spool=|plugstack argument spool= is not an absolute path
srun=srun|plugstack argument srun=srun is not an absolute path
partitions=|plugstack argument partitions= needs a list of partitions
max_node_hours=many|plugstack argument max_node_hours=many is not a number of hours
max_node_hours=0|plugstack argument max_node_hours=0 is not a number of hours
max_node_hours=nan|plugstack argument max_node_hours=nan is not a number of hours
step=maybe|plugstack argument step=maybe must be yes or no
T
    FAKE_ARGS=$(printf 'agent=/a%d/hpcai500-agent ' $(seq 17)) in_ local --hpcai500=component hostname
    only "fake: error: hpcai500: plugstack has more than 16 agent= arguments"
}

@test "the tasks of the agent are told the run and that the plugin is here" {
    export FAKE_ARGS="spool=/s conf=/c"
    FAKE_OPTION=component,seed=1 in_ remote /x/hpcai500-agent
    only "exec: /x/hpcai500-agent HPCAI500_RUN=component HPCAI500_PLUGIN=$(release) HPCAI500_SPOOL=/s HPCAI500_CONF=/c SLURM_VERSION=22.5"
    in_ remote hpcai500-agent component
    only "exec: hpcai500-agent component HPCAI500_PLUGIN=$(release) HPCAI500_SPOOL=/s HPCAI500_CONF=/c SLURM_VERSION=22.5"
    FAKE_OPTION=component in_ remote hostname; only "exec: hostname"
    FAKE_OPTION=component in_ remote hpcai500-agent-of-mine; only "exec: hpcai500-agent-of-mine"
}

@test "hostile values past srun's check end the task with one sentence, nothing else" {
    long=$(head -c 100000 /dev/zero | tr '\0' a)
    for value in '' 'componet' '../../etc/passwd' '%n%n%s%1$hhn' $'component\n' $'\x1b[2J' \
        'component,out=' $'component,out=\xff' 'component,,,,,,,,,' "component,$long" \
        'component,data=$(touch${IFS}owned)' '`touch owned`' 'help' 'list'; do
        case $value in 'component,data='*) good=1 ;; *) good= ;; esac
        _SLURM_SPANK_OPTION_hpcai500_hpcai500=$value FAKE_OPTION=component in_ remote hpcai500-agent
        if [ -n "$good" ]; then [ $status -eq 0 ]; continue; fi
        [ $status -eq 1 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ ${lines[0]} == "hpcai500: "* ]]
        LC_ALL=C no grep -q '[[:cntrl:]]' <<< "${lines[0]}"
        [ "${#lines[0]}" -lt 600 ]
        # only the first rank speaks
        _SLURM_SPANK_OPTION_hpcai500_hpcai500=$value FAKE_RANK=1 in_ remote hpcai500-agent
        [ $status -eq 1 ]; only ""
    done
    [ ! -e owned ]
    # twice the same, or a second good one, does no harm
    _SLURM_SPANK_OPTION_hpcai500_hpcai500=cosmoflow FAKE_OPTION=component in_ remote hpcai500-agent
    [[ $output == *HPCAI500_RUN=cosmoflow* ]]
}

# batch OPTION [VARIABLE=VALUE...]: as sbatch leaves it to slurmstepd
batch() {
    local text=$1; shift
    run env FAKE_CONTEXT=remote FAKE_STEP=0xfffffffb FAKE_OPTION="$text" PATH="$dir:$PATH" SLURM_JOB_NUM_NODES=2 \
        SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500="$text" "$@" ./host script < /dev/null
    echo "[$status] $output"
}

@test "sbatch: the agent's step before the script, which does not inherit the option" {
    batch cosmoflow SLURM_NTASKS=6 SLURM_CPUS_PER_TASK=2 FAKE_ARGS=agent=/a/hpcai500-agent
    [ $status -eq 0 ]
    only "agent's results" "exec: script"
    [ "$(tail -n 9 srun.argv | tr '\n' ' ')" = \
        "--wait=600 --time=21 --jobid=7 --nodes=2 --ntasks=6 --cpus-per-task=2 -- /a/hpcai500-agent cosmoflow " ]
    no grep SPANK srun.env
    batch cosmoflow; no grep -q ntasks srun.argv
    batch cosmoflow FAKE_ARGS=srun=/nowhere/srun; [ $status -eq 0 ]
    only "hpcai500: /nowhere/srun could not be started: No such file or directory; the script starts anyway (gate=yes would stop it)" "exec: script"
    batch cosmoflow SLURM_JOB_NUM_NODES=
    only "hpcai500: Slurm does not say how many nodes the job has; the script starts anyway (gate=yes would stop it)" "exec: script"
    batch cosmoflow FAKE_NO_ITEMS=1; [[ $output == "exec: script"* ]]
    batch cosmoflow PATH=/nowhere
    only "hpcai500: there is no srun in the job's PATH; the script starts anyway (gate=yes would stop it)" "exec: script"
}

# vet SAID EXIT [VARIABLE=VALUE...]: a vet of n3 and n4 whose agent says that
vet() {
    printf '#!/bin/sh\necho "$@" > %s/srun.argv\n%s\nexit %s\n' "$dir" "${1:+echo $1}" "$2" > srun
    printf '#!/bin/sh\n[ "$*" = "show hostnames" ] && printf "n3\\nn4\\n"\n' > scontrol
    chmod 755 srun scontrol
    shift 2
    batch "${text:-vet,spares=1}" SLURM_TASKS_PER_NODE='8(x2)' TMPDIR="$dir" "$@"
}

@test "sbatch: a vet tells the script which nodes to use, and costs it nothing when it fails" {
    local good="HPCAI500_VET=ok HPCAI500_NODES=n3 HPCAI500_SPARES=n4 HPCAI500_SRUN=-N1 -n8 -x n4"
    vet "hpcai500-vet ok 1:n4" 0
    [ $status -eq 0 ]; only "hpcai500: left out: n4" "exec: script $good"
    [[ "$(cat srun.argv)" == *"--time=5 --jobid=7 --nodes=2 --ntasks=2 --cpu-bind=none --ntasks-per-node=1 -- "*"/hpcai500-agent vet,spares=1" ]]
    [ "$(cat hpcai500-vet-7.*)" = "n3 slots=8" ]
    vet "hpcai500-vet short 1:n4" 0
    only "hpcai500: left out: n4; more nodes than that are bad" "exec: script ${good/ok/short}"
    text=vet,spares=1,gate=yes vet "hpcai500-vet short 1:n4" 0
    [ $status -eq 3 ]; only "hpcai500: left out: n4; more nodes than that are bad" "hpcai500: the script does not start: gate=yes"
    vet "" 1
    [ $status -eq 0 ]; only "hpcai500: vet,spares=1 gave no answer (exit code 1); the last nodes are left out: n4" "exec: script ${good/ok/failed}"
    vet "hpcai500-vet ok 0:n4" 0 # not that node's place
    [[ $output == *"the last nodes are left out: n4"* ]]
    vet "hpcai500-vet ok 1:n4" 0 FAKE_ARGS=srun=/nowhere/srun
    only "hpcai500: the names of the job's nodes are not known; the script starts with all nodes" "exec: script HPCAI500_VET=failed"
    text=vet,spares=2 vet "hpcai500-vet ok 0:n3,1:n4" 0
    only "hpcai500: spares=2 of 2 nodes leaves none; the script starts with all nodes" "exec: script HPCAI500_VET=failed"
}

@test "srun: a vet before a command is refused with the form that works" {
    in_ local --hpcai500=vet,spares=1 -N2 hostname
    [ $status -eq 1 ]; [[ $output == *"sbatch --hpcai500=vet,spares=N job.sh"* ]]
    in_ local --hpcai500=vet,spares=1 -N2 hpcai500-agent
    [ $status -eq 0 ]
}

@test "sbatch: gate=yes stops the script after a failed run" {
    echo 1 > srun.exit
    batch component,gate=yes; [ $status -eq 1 ]
    only "agent's results" "hpcai500: the script does not start: component,gate=yes ended with exit code 1"
    batch component; [ $status -eq 0 ]
    only "agent's results" "hpcai500: component ended with exit code 1; the script starts anyway (gate=yes would stop it)" "exec: script"
    batch componet; [ $status -eq 1 ]
    only "hpcai500: there is no suite or workload 'componet'; the nearest is 'component'"
}

@test "sbatch: a run that was ended with the job does not let the script begin" {
    echo 137 > srun.exit
    printf '#!/bin/sh\necho "$@" > %s/squeue.argv\necho COMPLETING\n' "$dir" > squeue
    batch component; [ $status -eq 137 ]; only "agent's results"
    [ "$(cat squeue.argv)" = "--noheader --jobs 7 -o %T" ]
    # the last task of an array has the number of the array: the others may have ended
    batch component SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2
    [ "$(cat squeue.argv)" = "--noheader --jobs 7_2 -o %T" ]
    echo 4 > srun.exit # an agent that ended in time, with its record
    batch component; [ $status -eq 4 ]; only "agent's results"
    echo 137 > srun.exit
    printf '#!/bin/sh\necho RUNNING\n' > squeue
    batch component; [ $status -eq 0 ]; [[ $output == *"ended with exit code 137; the script starts"*"exec: script" ]]
    rm squeue
    batch component; [[ $output == *"exec: script" ]]
}

@test "sbatch: a signal to the script that has not begun ends agent and job" {
    : > srun.sleep
    SLURM_JOB_NUM_NODES=2 FAKE_CONTEXT=remote FAKE_STEP=0xfffffffb FAKE_OPTION=component PATH="$dir:$PATH" ./host script > out 2>&1 3>&- &
    pid=$!
    await 5 test -e srun.started
    kill -TERM "$(pgrep -P $pid)"
    code=0; wait $pid || code=$?
    echo "$code"; cat out
    [ $code -eq 143 ]
    no grep -q exec out
}

@test "out of memory: srun and the task go on or end with a sentence" {
    for n in 1 2 3; do
        SLURM_JOB_ID=7 FAKE_NO_MEMORY=$n in_ local --hpcai500=component hostname
        [ $status -eq 0 ]; [[ $output == *"launch: hostname"* ]]
        FAKE_NO_MEMORY=$n in_ local --hpcai500=component hostname; [ $status -le 1 ]
        FAKE_NO_MEMORY=$n FAKE_OPTION=component in_ remote hpcai500-agent; [ $status -eq 0 ]
    done
    batch component FAKE_NO_MEMORY=1; [ $status -eq 0 ]
    only "hpcai500: no memory for an environment; the script starts anyway (gate=yes would stop it)" "exec: script"
}

@test "the plugin builds with the header of later releases and then names what a failed init fails" {
    cc=$(sed -n 's/^CC = //p' "$top_builddir/Makefile")
    sed 's/\(HAVE_DECL_ESPANK_JOB_FAILURE\|HAVE_DECL_SPANK_PREPEND_TASK_ARGV\) 0/\1 1/' "$top_builddir/config.h" > config.h
    later=-I$top_srcdir/tests/spank/plugin/later
    cmp -s config.h "$top_builddir/config.h" && later= # the installed one is one of them
    $cc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -shared -fPIC -DHPCAI500_BINDIR='"/b"' -DHPCAI500_LIBEXECDIR='"/l"' \
        -I. ${later:+"$later"} -I"$top_srcdir" \
        -Wl,--version-script="$top_srcdir/spank/plugin/hpcai500.map" \
        "$top_srcdir"/spank/plugin/{plugin,login,local,remote,script,site,cmdline,step}.c \
        "$top_srcdir"/reports/core/{clock,err,nearest,runspec}.c -o later.so
    nm -D --defined-only later.so | grep -q slurm_spank_init_failure_mode
}
