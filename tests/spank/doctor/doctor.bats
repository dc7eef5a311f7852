#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 doctor on a made-up site: each thing that is wrong gets its line, its
# advice and its exit code. Slurm's programs are stand-ins; tests/cluster has
# the real ones.

load ../../no

doctor=$top_builddir/spank/doctor/hpcai500-doctor
plugin=$top_builddir/spank/plugin/.libs/hpcai500.so

setup() {
    cd "$BATS_TEST_TMPDIR"
    umask 022
    mkdir bin spool slurm
    unset HPCAI500_SPOOL HPCAI500_CACHE "${!SLURM_@}" SLURMD_NODENAME
    export SITE=$PWD HPCAI500_CONF=$PWD/site.conf PATH=$PWD/bin:$PATH
    printf 'spool = %s\nhistory = %s\narchive = %s\nspool_reserve = 0\n' \
        "$PWD/spool" "$PWD/none.sqlite" "$PWD" >site.conf
    put bin/scontrol '[ "$1" != --version ] || exec cat $SITE/release' \
        'printf "PluginDir = %s\nPlugStackConfig = %s\n" $SITE/slurm $SITE/plugstack.conf'
    put bin/srun 'case $1 in --hpcai500=list) echo Workloads: ;; --mpi=list) echo pmix_v4 ;;' \
        '*) . $SITE/step ;; esac'
    put bin/sinfo 'cat $SITE/nodes'
    put bin/hpcai500-agent "echo 'hpcai500-agent 0 ($(build_id))'"
    echo "slurm-wlm 22.05.8" >release
    echo "include $PWD/plugstack.d/*.conf" >plugstack.conf
    mkdir plugstack.d
    echo "optional hpcai500.so agent=$PWD/bin/hpcai500-agent" >plugstack.d/hpcai500.conf
}

# put FILE LINE...: a program of the shell
put() {
    local file=$1
    shift
    { echo '#!/bin/sh'; printf '%s\n' "$@"; } >"$file"
    chmod 755 "$file"
}

build_id() { sed -n 's/.*"\(.*\)".*/\1/p' "$top_builddir/build_id.h"; }

# says STATUS-CODE WORDS...: the run ended so, and has each of these lines' parts
says() {
    local code=$1 words
    shift
    echo "$output"
    [ "$status" -eq "$code" ]
    for words in "$@"; do [[ "$output" == *"$words"* ]]; done
}

# bundle DAYS NAME...: bundles of 1 MiB that came so many days ago
bundle() {
    local days=$1 name
    shift
    for name in "$@"; do
        truncate -s 1M "$name"
        touch -d "$days days ago" "$name"
    done
}

@test "a week without a collector: what waits is reported, and when its bound is near" {
    mkdir -m 700 spool/out quarantine
    echo "quarantine = $PWD/quarantine" >>site.conf
    run "$doctor" queues
    says 0 "the spool $PWD/spool/out holds 0 files" "the quarantine $PWD/quarantine holds 0 files"
    for day in 1 2 3 4 5 6 7; do bundle $day "spool/out/lab-$day-n1-1.bundle"; done
    run "$doctor" queues collector
    says 1 "the spool $PWD/spool/out holds 7 files of 7.0 MiB" "has had a bundle for 168.0 h"
    # a node that sends them has a bound
    printf 'collector = 127.0.0.1:9\nspool_queue = 7M\n' >>site.conf
    run "$doctor" queues
    says 1 "the spool $PWD/spool/out holds 7 files of 7.0 MiB: its bound is near" \
        "beyond spool_queue= the oldest bundle goes"
    touch quarantine/{1..950}.bundle quarantine/{1..950}.bundle.reason
    truncate -s 300M none.sqlite-wal
    run "$doctor" queues
    says 1 "the quarantine $PWD/quarantine holds 950 files of 0.0 MiB: its bound is near" \
        "the history's log $PWD/none.sqlite-wal has 300.0 MiB"
}

@test "words: checks, help, the nearest good one" {
    run "$doctor" --help
    [ "$status" -eq 0 ]
    for check in config plugin option pmix agent munge spool name counters clock disk history queues collector; do
        [[ "$output" == *"  $check "* ]]
        grep -q "^\.It Cm $check\$" "$top_srcdir/spank/doctor/hpcai500-doctor.1"
    done
    run "$doctor" agnt
    says 3 "hpcai500 doctor: there is no check 'agnt'; the nearest is 'agent'"
    run "$doctor" --nonsense
    [ "$status" -eq 3 ]
}

@test "config: right, wrong, writable by others" {
    run "$doctor" config
    says 0 "OK        config     $PWD/site.conf"
    chmod g+w site.conf
    run "$doctor" config
    says 2 "CRITICAL  config     $PWD/site.conf can be written by others" "-> fix the configuration"
    chmod g-w site.conf
    echo "spol = /x" >>site.conf
    run "$doctor" config
    says 2 "site.conf:5: there is no key 'spol'; the nearest is 'spool'"
}

@test "plugin: found through plugstack, of the release that runs" {
    [ -e "$plugin" ] || skip "this build has no plugin"
    run "$doctor" plugin
    says 2 "the plugin hpcai500.so cannot be read"
    install -m 755 "$plugin" slurm/hpcai500.so
    echo "slurm-wlm 1.02.3" >release
    run "$doctor" plugin
    says 2 "slurm/hpcai500.so was built for Slurm" "here runs 1.02" "-> build and install"
    sed -n 's/.*was built for Slurm \([0-9.]*\),.*/slurm-wlm \1.7/p' <<<"$output" >release
    run "$doctor" plugin
    says 0 "OK        plugin     $PWD/slurm/hpcai500.so is built for Slurm"
    chmod g+w slurm/hpcai500.so
    run "$doctor" plugin
    says 2 "can be written by others than its owner"
    head -c 3000 "$plugin" >slurm/hpcai500.so
    run "$doctor" plugin
    says 2 "it is not a shared library of this machine"
    : >plugstack.d/hpcai500.conf
    run "$doctor" plugin
    says 2 "no line of $PWD/plugstack.conf loads hpcai500.so"
}

@test "option and PMIx: what srun answers" {
    run "$doctor" option pmix
    says 0 "srun --hpcai500=list answers" "srun supports PMIx"
    put bin/srun 'echo "srun: unrecognized option --hpcai500" >&2; exit 1'
    run "$doctor" option
    says 2 "does not answer: srun: unrecognized option"
    run "$doctor" pmix
    says 1 "WARN      pmix       srun does not support PMIx"
}

@test "agent: there, starts, of this build" {
    run "$doctor" agent
    says 0 "OK        agent      $PWD/bin/hpcai500-agent: hpcai500-agent 0 ($(build_id))"
    put bin/hpcai500-agent '[ -n "$SLURM_PROCID$PMIX_RANK" ] || exec echo "hpcai500-agent 0 ('"$(build_id)"')"'
    SLURM_PROCID=1 PMIX_RANK=1 run "$doctor" agent
    says 0 "OK        agent"
    put bin/hpcai500-agent 'echo "hpcai500-agent 0 (other)"'
    run "$doctor" agent
    says 1 "says hpcai500-agent 0 (other), this program is $(build_id)"
    put bin/hpcai500-agent 'echo "error while loading shared libraries: libhdf5.so" >&2; exit 127'
    run "$doctor" agent
    says 2 "does not start (127): error while loading shared libraries: libhdf5.so"
    rm bin/hpcai500-agent
    run "$doctor" agent
    says 2 "cannot be started: No such file or directory"
}

@test "spool: whose it is, and the job's folder" {
    [ "$(id -u)" -eq 0 ] || skip "needs root, whose the spool must be"
    run "$doctor" spool
    says 0 "OK        spool      $PWD/spool is root's"
    SLURM_JOB_ID=7 SLURMD_NODENAME=n1 run "$doctor" spool
    says 2 "this job has no folder in $PWD/spool"
    mkdir -p spool/jobs/n1/7
    SLURM_JOB_ID=7 SLURMD_NODENAME=n1 run "$doctor" spool
    says 0 "a job can write in its own folder  [n1]"
    chmod 1777 spool
    run "$doctor" spool
    says 2 "with mode 1777, and should to 0 with at most 0755"
    chown 12345 spool
    run "$doctor" spool
    says 2 "belongs to user 12345"
    rm -r spool
    run "$doctor" spool
    says 1 "is not there"
    ln -s / spool
    run "$doctor" spool
    says 2 "is not a folder"
}

@test "collector: nobody listens, and what lies in the spool" {
    run "$doctor" collector
    says 0 "nothing waits for the collector"
    mkdir spool/out
    touch -d '2 hours ago' spool/out/lab-1-n1-1.bundle
    run "$doctor" collector
    says 1 "has had a bundle for 2.0 h"
    echo "collector = localhost:1" >>site.conf
    run "$doctor" collector
    says 2 "the collector localhost:1 does not answer"
}

@test "history: missing, and a file that is not one" {
    run "$doctor" history
    [[ "$output" != *"has no history"* ]] || skip "no SQLite in this build"
    says 3 "there is no history $PWD/none.sqlite here"
    head -c 8192 /dev/urandom >none.sqlite
    run "$doctor" history
    says 2 "CRITICAL  history"
    rm none.sqlite
    echo "collector = elsewhere:1" >>site.conf
    run "$doctor" history
    says 0 "the history is where the collector runs"
}

@test "disk: too little is critical" {
    run "$doctor" disk
    [ "$status" -le 1 ]
    sed -i 's/spool_reserve = 0/spool_reserve = 999999T/' site.conf
    run "$doctor" disk
    says 2 "CRITICAL  disk       spool=$PWD/spool has"
}

@test "nodes: findings come together, builds are compared, silence is critical" {
    printf 'n1 idle\nn2 mixed\nn1 idle\nn3 down*\nn4 allocated\n' >nodes
    put step 'echo "$*" >>$SITE/srun.log' 'for n in n1 n2; do t=$(date +%s%N)' \
        'printf "T\t%s\t%s\n" $n $t; printf "F\t$n\t0\tagent\ta (1)\t\n"' \
        'printf "F\t$n\t1\tcounters\tmay not count\tdo this\n"; done'
    run "$doctor" --nodes agent
    says 1 "WARN      counters   may not count  [n1,n2]" "-> do this" \
        "OK        nodes      one agent on 2 of 2 nodes" "n3 is down*: not checked" \
        "n4 is busy: not checked"
    grep -q -- "--nodes=2 --ntasks=2 --nodelist=n1,n2 .*hpcai500-doctor --as-node agent" srun.log
    printf 'n1 idle\nn1 idle\nn2 idle\nn3 down\nn3 down\n' >nodes
    put step 'printf "T\tn1\t%s\nF\tn1\t0\tagent\ta (1)\t\n" $(date +%s%N)' \
        'printf "T\tn2\t%s\nF\tn2\t0\tagent\ta (2)\t\n" $(date +%s%N)'
    run "$doctor" --nodes agent
    says 2 "the nodes have different agents: a (1), and on n2 a (2)" "n3 is down: not checked  ["
    [ "$(grep -o 'n3 is down' <<<"$output" | wc -l)" -eq 1 ]
    put step 'printf "T\tn1\t%s\n" $(date +%s%N); echo "slurmstepd: error: no such file" >&2'
    run "$doctor" --nodes agent
    says 2 "n2 gave no answer: slurmstepd: error: no such file"
    put step 'printf "T\tn1\t%s\n" $(date +%s%N); printf "T\tn2\t%s\n" $(($(date +%s%N) - 3000000000))'
    run "$doctor" --nodes agent
    says 2 "the clock of n2 is slow by at least"
    : >nodes
    run "$doctor" --nodes agent
    says 3 "sinfo names no nodes"
}

@test "hostile nodes: what they tell is text" {
    echo 'n1 idle' >nodes
    put step 'printf "T\tn1\t1\nF\tn1\t9\tag\033[2Jent\tx\"\\\\\007y\tz\nF\tghost\t2\tagent\tboo\t\nF\nT\nF\tn1\n"'
    run "$doctor" --nodes --json agent
    [[ "$output" != *boo* ]]
    LC_ALL=C no grep -q "$(printf '[\001-\010\013-\037\177]')" <<<"$output"
    python3 -c 'import json,sys; json.load(sys.stdin)' <<<"$output"
}

@test "hostile names of nodes: never an option, a list, a file or a word of a shell" {
    long=$(head -c 64 /dev/zero | tr '\0' n)
    cat >nodes <<N
\$(touch owned) idle
\`touch\${IFS}owned\` idle
;touch\${IFS}owned; idle
--uid=0 idle
-n1 idle
n[1-9] idle
n1,n2 idle
../../etc/hosts idle
/etc/hosts idle
@all idle
$(printf 'n\033[2J') idle
$long idle
n1 idle\$(touch
good-1.a_b idle
 idle
N
    put step 'printf "<%s>" "$@" >>$SITE/srun.log; printf "T\tgood-1.a_b\t%s\n" $(date +%s%N)'
    run "$doctor" --nodes='$(touch owned)' agent
    says 1 "'\$(touch' is not a node's name: not checked" "'--uid=0' is not a node's name" "'n[1-9]' is not a node's name" \
        "'n1,n2' is not a node's name" "'../../etc/hosts' is not a node's name" "'$long' is not a node's name" "n1 is idle\$(touch: not checked"
    LC_ALL=C no grep -q "$(printf '[\001-\010\013-\037\177]')" <<<"$output"
    grep -qF '<--nodes=1><--ntasks=1><--nodelist=good-1.a_b>' srun.log
    [ "$(wc -l <srun.log)" -eq 0 ] # one step
    [ -z "$(find . -name '*owned*')" ]
}

@test "a tool that hangs is ended" {
    put bin/srun 'sleep 300'
    run "$doctor" --timeout=1 option
    says 2 "does not answer"
}

@test "JSON says the same" {
    run "$doctor" --json config option
    [ "$status" -eq 0 ]
    python3 -c '
import json, sys
d = json.load(sys.stdin)
assert d["status"] == "OK" and [c["check"] for c in d["checks"]] == ["config", "option"]
assert all(set(c) == {"node", "check", "status", "text", "advice"} for c in d["checks"])
' <<<"$output"
}
