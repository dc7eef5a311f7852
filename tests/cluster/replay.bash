# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# What the replay tier shares (tests/cluster/replay.bats, contrib/evidence/replay.sh):
# nodes answer a measurement from a file each, all else is real.
#
#   $R/node.n3       what n3 answers: "SLOW memory.triad -48 %"; none: it is silent
#   $R/measure       stands in the place of the program that measures: a real job that
#                    reads these files on the nodes, and `hpcai500 validate file`
#   act WORD...      hpcai500 validate act, with a history and verdicts of its own

replay_begin() {
    R=$S/replay; rm -rf "$R"; mkdir -p "$R/bin"
    printf '%s\n' "history = $R/history.sqlite" "archive = $R/archive" > "$R/conf"
    chmod 644 "$R/conf"
    export HPCAI500_CONF=$R/conf R
    ctl=$S/prefix/libexec/hpcai500/hpcai500-slurmctl
    cp "$S/prefix/libexec/hpcai500/hpcai500-validate" "$R/bin/"
    ln -sf "$ctl" "$R/bin/hpcai500-slurmctl"
    cat > "$R/measure" <<'E'
#!/bin/bash
# a job: each node prints its own file, or nothing when there is none
for w; do case $w in --reservation=*) res=$w ;; --nodes=*) list=${w#*=} ;; esac; done
[ -n "$res" ] || exit 2
n=$(tr ',' '\n' <<< "$list" | wc -l)
id=$(sbatch --parsable --wait --chdir=/ "$res" --nodelist="$list" -N"$n" --exclusive --no-requeue \
    --job-name=hpcai500-validate --output="$R/lines" --open-mode=truncate \
    --wrap 'srun --mpi=none -n$SLURM_NNODES --ntasks-per-node=1 bash -c "sed \"s/^/\$SLURMD_NODENAME /\" \$R/node.\$SLURMD_NODENAME 2>/dev/null || true"')
while read -r node verdict why; do
    gated=false; [ "$verdict" != GATED ] || { gated=true; verdict=SUSPECT; }
    printf '{"hpcai500":"verdict 1","node":"%s","verdict":"%s","gated":%s,"reason":"%s","job":%d,"run":"r%d","time":%d}\n' \
        "$node" "$verdict" $gated "$why" "$id" "$id" "$(date +%s)"
done < "$R/lines" | "$R/bin/hpcai500-validate" file
E
    chmod 755 "$R/measure"
}

act() { timeout -k 10 300 "$R/bin/hpcai500-validate" act "$@" < /dev/null; }
judge() { echo "${*:2}" > "$R/node.$1"; }                 # NODE VERDICT [WHY]: what it answers
reserve() { # NODES
    scontrol create reservation reservationname=maint starttime=now duration=unlimited flags=maint,ignore_jobs \
        "nodes=$1" users=root > /dev/null
}
# verdict NODE VERDICT [WHY]: filed, as of now, of run $run
verdict() {
    printf '{"hpcai500":"verdict 1","node":"%s","verdict":"%s","gated":false,"reason":"%s","job":7,"run":"%s","time":%d}\n' \
        "$1" "$2" "${3-}" "${run:-r7}" "$(date +%s)" | "$R/bin/hpcai500-validate" file
}
members() { "$ctl" reservation maint | awk '{ print $5 }'; }
gone() { [ "$("$ctl" reservation maint)" = "none there is no reservation maint" ]; }
flags() { "$ctl" nodes | awk -v n="$1" '$1 == n { print $3 }'; }
drained() { [[ $(flags "$1") == *DRAIN* ]]; }
reason() { "$ctl" nodes | sed -n "s/^$1 [^ ]* [^ ]* [0-9]* [0-9]* [0-9]* //p"; }
booted() { "$ctl" nodes | awk -v n="$1" '$1 == n { print $6 }'; }
sql() { sqlite3 "$R/history.sqlite" "$1"; }
# writes NODE: how often hpcai500 has set the node's reason since the test began
writes() { tail -n +$((log_lines + 1)) "$S/log/slurmctld.log" | grep -c "update_node: node $1 reason set to: hpcai500: " || true; }
# a verdict counts that is 10 s younger than the boot, whose time Slurm knows to 1 s
boot_is_past() { [ "$(date +%s)" -gt $(($(booted "$1") + 11)) ]; }
# the node is in the reservation, idle, as after a boot
ready() { local f; f=$(flags "$1"); [[ $f == IDLE+*MAINTENANCE* && $f != *NOT_RESPONDING* ]]; }

replay_setup() {
    need_root
    eval "$("$lab" env)"
    replay_begin
    began=$(date +%s) log_lines=$(wc -l < "$S/log/slurmctld.log")
    await 5 all_fresh
}
# no flag but IDLE: slurmctld has heard of each since the test before
all_fresh() { [ "$("$ctl" nodes | awk 'NR > 1 && $3 == "IDLE"' | wc -l)" = "$(nodes)" ] && idle; }

replay_end() {
    local n
    # a test that failed with a watcher of its own leaves it to nobody else's nodes
    [ -z "${first-}" ] || kill "$first" 2>/dev/null || true
    scancel --quiet --user=root 2>/dev/null || true
    for n in n1 n2 n3 n4; do
        rm -f "$S/nodes/$n/no-reboot"
        case $(flags $n) in *REBOOT*) scontrol cancel_reboot $n 2>/dev/null || true ;; esac
        case $(flags $n) in *DRAIN*|*DOWN*|*FAIL*) scontrol update nodename=$n state=resume 2>/dev/null || true ;; esac
    done
    scontrol delete reservation=maint > /dev/null 2>&1 || true
    await 5 idle
}
