#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500-slurmctl against a real slurmctld: what it changes, what it refuses, and what
# an administrator does in between.
load helper

setup() {
    need_root
    eval "$("$lab" env)"
    cd "$BATS_TEST_TMPDIR" || return 1
    ctl=$S/prefix/libexec/hpcai500/hpcai500-slurmctl
    scontrol delete reservation=maint > /dev/null 2>&1 || true
    await 5 idle
    scontrol create reservation reservationname=maint starttime=now duration=60 flags=maint,ignore_jobs \
        nodes=n3,n4 users=root > /dev/null
}

teardown() {
    scontrol delete reservation=maint > /dev/null 2>&1 || true
    scontrol update nodename=n3,n4 state=resume > /dev/null 2>&1 || true
}

field() { "$ctl" nodes | awk -v n="$1" -v f="$2" '$1 == n { print $f }'; }
mark() { field "$1" 2; }
reason() { "$ctl" nodes | sed -n "s/^$1 [^ ]* [^ ]* [0-9]* [0-9]* [0-9]* //p"; }
members() { "$ctl" reservation maint | awk '{ print $5 }'; }
in_maintenance() { [[ $(field "$1" 3) == IDLE+*MAINTENANCE* ]]; }
state() { scontrol -o show node "$1" | sed 's/.* State=\([^ ]*\).*/\1/'; }

@test "every node is told of once, with what scontrol says" {
    "$ctl" nodes > all
    [[ $(head -1 all) == "nodes "*" 4" ]]
    [ "$(wc -l < all)" = 5 ]
    [[ $(field n1 3) == IDLE ]]
    await 5 in_maintenance n3
    boot=$(scontrol -o show node n1 | sed 's/.*BootTime=\([^ ]*\).*/\1/')
    [ "$(field n1 6)" = "$(date -d "$boot" +%s)" ]
    since=$(awk 'NR == 1 { print $2 }' all)
    run "$ctl" nodes "$((since + 3600))"
    echo "$output"; [ "$output" = "same $((since + 3600))" ]
    [[ $("$ctl" reservation maint) =~ ^"reservation "[0-9]+" MAINT+IGNORE_JOBS"[^\ ]*" root n[3-4]"$ ]]
}

@test "a node is drained once, and what a person wrote is never replaced" {
    was=$(mark n4)
    run "$ctl" drain n4 "$was" "hpcai500: SLOW stream -12 % (job 7)"
    echo "$output"; [ "$status" -eq 0 ]; [[ $output == "done n4 "*DRAIN*" hpcai500: SLOW stream -12 % (job 7)" ]]
    [[ $(state n4) == *DRAIN* ]]
    run "$ctl" drain n4 "$was" "hpcai500: SLOW stream -12 % (job 7)" # a second validator
    [ "$status" -eq 6 ]; [[ $output == "changed n4 "* ]]
    run "$ctl" drain n4 "$(mark n4)" "hpcai500: SLOW stream -12 % (job 7)"
    [ "$status" -eq 0 ]; [[ $output == "there n4 "* ]]
    # an administrator's words, with what text output would be read wrongly for
    scontrol update nodename=n3 state=drain reason="fan State=IDLE \\ (asked bob)"
    [ "$(reason n3)" = "fan State=IDLE \\\\ (asked bob)" ]
    run "$ctl" drain n3 "$(mark n3)" "hpcai500: FAULTY (job 7)"
    echo "$output"; [ "$status" -eq 1 ]; [[ $output == "refused n3 is out of service for a reason that is not hpcai500's" ]]
    run "$ctl" resume n3 "$(mark n3)"
    [ "$status" -eq 1 ]
    run "$ctl" resume n4 "$(mark n4)" # ours, but a drain: a person's to end
    [ "$status" -eq 1 ]
    [ "$(reason n3)" = "fan State=IDLE \\\\ (asked bob)" ]
    [[ $(state n4) == *DRAIN* ]]
}

@test "only a node that is held by the reboot for a validation is resumed" {
    scontrol update nodename=n4 state=down reason="hpcai500 validate : reboot issued : reboot complete"
    was=$(mark n4)
    scontrol update nodename=n4 state=drain reason="bob: do not touch" # in between
    run "$ctl" resume n4 "$was"
    echo "$output"; [ "$status" -eq 6 ]; [[ $output == "changed n4 "*"bob: do not touch" ]]
    [[ $(state n4) == *DRAIN* ]]
    scontrol update nodename=n4 state=resume
    scontrol update nodename=n4 state=down reason="hpcai500 validate : reboot issued : reboot complete"
    # a node whose slurmd has not answered since then cannot be resumed: it is "changed", and asked again
    resumed() { run "$ctl" resume n4 "$(mark n4)"; [ "$status" -ne 6 ]; }
    await 5 resumed
    echo "$output"; [ "$status" -eq 0 ]; [[ $output == "done n4 IDLE"* || $output == "done n4 "*" IDLE"* ]]
    scontrol update nodename=n3 state=down reason="power supply"
    run "$ctl" resume n3 "$(mark n3)"
    [ "$status" -eq 1 ]
}

@test "nodes leave a reservation, others stay, and the last one ends it" {
    scontrol update reservationname=maint nodes=n1,n2,n3,n4
    run "$ctl" leave maint n2,n4
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(members)" = "n[1,3]" ]
    run "$ctl" leave maint n2
    [ "$status" -eq 0 ]; [[ $output == "there n[1,3]" ]]
    run "$ctl" leave maint "n[1-4]"
    [ "$status" -eq 0 ]; [ "$output" = "done deleted" ]
    run "$ctl" reservation maint
    [ "$status" -eq 4 ]; [ "$output" = "none there is no reservation maint" ]
    run "$ctl" leave maint n1
    [ "$status" -eq 4 ]
}

@test "a reservation in use is left for later, and its end is moved" {
    before=$("$ctl" reservation maint | awk '{ print $2 }')
    run "$ctl" extend maint 1800
    echo "$output"; [ "$status" -eq 0 ]
    [ "$("$ctl" reservation maint | awk '{ print $2 }')" -ge $((before + 1800)) ]
    job=$(sbatch --parsable --chdir=/ --output=/dev/null --reservation=maint -w n3,n4 -N2 --wrap "sleep 600")
    await 5 running "$job"
    run "$ctl" leave maint n3 # also while a job of the reservation runs there
    echo "$output"; [ "$status" -eq 0 ]; [ "$(members)" = n4 ]
    run "$ctl" leave maint n4
    echo "$output"; [ "$status" -eq 3 ]; [[ $output == later* ]]
    scancel "$job"
}
running() { [ "$(squeue -h -j "$1" -o %T)" = RUNNING ]; }

@test "who may not change nodes is told so, and changes none" {
    run as_user "$ctl" drain n4 "$(mark n4)" "hpcai500: SLOW"
    echo "$output"; [ "$status" -eq 5 ]; [[ $output == denied* ]]
    run as_user "$ctl" leave maint n3
    [ "$status" -eq 5 ]
    [[ $(state n4) != *DRAIN* ]]; [ "$(members)" = "n[3-4]" ]
}

@test "bad words get one sentence, and a node that is not there is none" {
    run "$ctl" drain n9 0123456789abcdef "hpcai500: SLOW"
    echo "$output"; [ "$status" -eq 4 ]; [[ $output == none* ]]
    run "$ctl" drain n4 "$(mark n4)" "slow"
    [ "$status" -eq 1 ]; [[ $output == "refused a reason must begin with 'hpcai500'" ]]
    run "$ctl" extend maint 0
    [ "$status" -eq 2 ]
    run "$ctl" drain n4
    [ "$status" -eq 2 ]
    run "$ctl"
    [ "$status" -eq 2 ]; [[ $output == usage:* ]]
    [[ $(state n4) != *DRAIN* ]]
}

# What slurmctld counts is everybody's: a node that registers in between is counted, too, so
# each is tried until nobody came between. More requests of ours would be there each time.
@test "the table of nodes is one request" {
    count() { sdiag | awk '/REQUEST_NODE_INFO /{ sub(/.*count:/, ""); print $1 + 0; exit }'; }
    five_are_five() {
        local before; before=$(count)
        for i in 1 2 3 4 5; do "$ctl" nodes > /dev/null; done
        [ $(($(count) - before)) -eq 5 ]
    }
    nothing_else() {
        sdiag -r
        "$ctl" nodes > /dev/null
        [ "$(sdiag | sed -n '/by message type/,/by user/p' | grep -c 'count:')" -le 3 ] # ours, and sdiag's own
    }
    await 1 five_are_five
    await 1 nothing_else
}
