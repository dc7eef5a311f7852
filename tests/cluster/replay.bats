#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 validate act on a real slurmctld and slurmdbd: maintenances replayed with
# verdicts from files, administrators who do something else meanwhile, deaths.
load helper
load replay

setup() { replay_setup; }
teardown() { replay_end; }

# killed_at CALL N WORD...: act, killed -9 at its N-th such system call; true when it was
killed_at() {
    local call=$1 n=$2; shift 2
    local rc=0
    timeout -k 10 300 strace -o "$R/strace" -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
        "$R/bin/hpcai500-validate" act "$@" > "$R/out" 2>&1 < /dev/null || rc=$?
    [ "$rc" -eq 137 ]
}

# race COMMANDS: what an administrator does between the writer's look and its first write
race() {
    cc -shared -fPIC -D_GNU_SOURCE -I"$top_builddir" -o "$R/race.so" "$top_srcdir/tests/cluster/race.c" -ldl
    printf '%s\n' "$1" > "$R/race.sh"
    rm -f "$R/bin/hpcai500-slurmctl"
    cat > "$R/bin/hpcai500-slurmctl" <<E
#!/bin/bash
case \$1 in drain|resume) [ -e "$R/raced" ] || { touch "$R/raced"
    export LD_PRELOAD=$R/race.so HPCAI500_RACE="PATH=$PATH sh -e $R/race.sh"; } ;; esac
exec "$ctl" "\$@"
E
    chmod 755 "$R/bin/hpcai500-slurmctl"
}

@test "the nodes of a maintenance: rebooted, measured, the good ones return, the slow one is drained" {
    reserve n2,n3,n4
    judge n2 GOOD; judge n3 SLOW "memory.triad -48 %"; judge n4 TRANSIENT
    scontrol reboot asap nextstate=resume reason="hpcai500 validate" n2,n3,n4
    rebooted() { ready n2 && ready n3 && ready n4 && [ "$(booted n3)" -ge $((began - 5)) ]; }
    await 5 rebooted
    for n in n2 n3 n4; do await 5 boot_is_past $n; done
    run act maint # stage 2: prints, changes nothing
    echo "$output"; [ "$status" -eq 1 ]; [[ $output == *"n3       untested"* ]]
    [ ! -e "$R/history.sqlite" ]
    run act --apply --measure="$R/measure" maint
    echo "$output"; [ "$status" -eq 0 ]
    [ "$(members)" = n3 ]
    drained n3; [[ $(reason n3) == "hpcai500: memory.triad -48 % (job "*")" ]]
    [[ $(flags n2) == IDLE && $(flags n4) == IDLE ]]
    [ "$(sql "SELECT count(*) FROM deed WHERE outcome <> 2")" = 0 ]
    # again: nothing is left to do
    deeds=$(sql "SELECT count(*) FROM deed")
    run act --apply maint
    echo "$output"; [ "$status" -eq 0 ]; [ "$(sql "SELECT count(*) FROM deed")" = "$deeds" ]
    # whoever resumes it has the last word, until it is measured again
    scontrol update nodename=n3 state=resume
    await 5 ready n3
    run act --apply maint
    echo "$output"; [ "$status" -eq 1 ]; [[ $output == *"n3       untested"* ]]
    [[ $(flags n3) != *DRAIN* ]]
    judge n3 GOOD
    run act --apply --measure="$R/measure" maint
    echo "$output"; [ "$status" -eq 0 ]; gone
}

@test "what does not decide stays where it is; what stood out is measured again" {
    reserve n1,n2,n3,n4
    judge n1 SUSPECT "gemm.f32 -4 %"; judge n2 GATED "gemm.f32 -4 %"; judge n3 FAULTY "wrong results, core 17"
    run act --apply --measure="$R/measure" maint # n4 is silent
    echo "$output"; [ "$status" -eq 1 ]
    [[ $output == *"n1       undecided"*"n2       to confirm"* ]]
    drained n3; [[ $(reason n3) == "hpcai500: wrong results, core 17 (job "*")" ]]
    [ "$(members)" = "n[1-4]" ]
    judge n2 GOOD; rm "$R/node.n1"; judge n4 GOOD
    run act --apply --measure="$R/measure" maint
    echo "$output"; [ "$status" -eq 1 ]; [ "$(members)" = "n[1,3]" ]
    [ "$(grep -c '"n1"' "$R/verdicts.jsonl")" = 1 ] # not ten minutes old
}

@test "an administrator drains, releases, reboots and ends the reservation meanwhile" {
    reserve n2,n3,n4
    verdict n2 GOOD; verdict n3 GOOD; verdict n4 SLOW "memory.triad -48 %"
    scontrol update nodename=n3 state=drain reason="bob: fan, hpcai500 may wait"
    scontrol reboot nextstate=resume reason="bob: firmware" n2
    new_boot() { ready n2 && [ "$(booted n2)" -ge $((began - 5)) ]; }
    await 5 new_boot
    sleep 1
    scontrol update nodename=n4 state=drain reason="bob: not yours"
    run act --apply maint
    echo "$output"; [ "$status" -eq 1 ]
    [[ $output == *"n2       untested"*"n3       foreign"*"n4       foreign"* ]] # its verdict is of before the boot
    [ "$(reason n3)" = "bob: fan, hpcai500 may wait" ]; [ "$(reason n4)" = "bob: not yours" ]
    [ "$(members)" = "n[2-4]" ]
    scontrol update nodename=n4 state=resume
    scontrol update reservationname=maint nodes=n2,n3 # he releases n4
    run act --apply maint
    [ "$status" -eq 1 ]; [[ $(flags n4) == IDLE* && $(flags n4) != *DRAIN* ]]
    scontrol delete reservation=maint
    run act --apply maint
    echo "$output"; [ "$status" -eq 1 ]; [[ $output == *"there is no reservation maint: nothing is done"* ]]
    drained n3; [ "$(reason n3)" = "bob: fan, hpcai500 may wait" ]
    [ "$(sql "SELECT count(*) FROM deed")" = 0 ]
}

@test "a node that is held by its reboot is resumed inside; one that does not come back is waited for" {
    reserve n3,n4
    touch "$S/nodes/n4/no-reboot"
    scontrol reboot asap nextstate=down reason="hpcai500 validate" n3,n4
    held() { [[ $(flags n3) == DOWN* && $(flags n3) != *REBOOT* && $(reason n3) == "hpcai500 validate"* ]]; }
    await 5 held
    judge n3 GOOD
    run act --apply --measure="$R/measure" maint
    echo "$output"; [ "$status" -eq 1 ]; [[ $output == *"n3       returned"*"n4       booting"* ]]
    await 5 ready n3
    await 5 boot_is_past n3
    run act --apply --measure="$R/measure" maint
    echo "$output"; [ "$status" -eq 1 ]; [ "$(members)" = n4 ]
}

@test "a drain that somebody sets in the millisecond before our write is put back" {
    reserve n3,n4
    verdict n3 SLOW "memory.triad -48 %"
    race "scontrol update nodename=n3 state=drain reason='bob: do not touch'; sleep 1.2"
    run act --apply maint
    echo "$output"; sql "SELECT * FROM deed"; "$ctl" events n3 "$began" "$(($(date +%s) + 60))"
    [[ $output == *"n3: our drain went over a drain of user "*": it is there again"* ]]
    drained n3; [ "$(reason n3)" = "bob: do not touch" ]
    # the same in front of a resume, which would have cleared it
    scontrol update nodename=n4 state=down reason="hpcai500 validate : reboot issued : reboot complete"
    rm "$R/raced"
    race "scontrol update nodename=n4 state=drain reason='bob: fan'"
    run act --apply maint
    echo "$output"
    [[ $output == *"n4: our resume went over a drain of user "*": it is there again"* ]]
    drained n4; [ "$(reason n4)" = "bob: fan" ]
    run act --apply maint
    [[ $output == *"n3       foreign"*"n4       foreign"* ]]
    [ "$(reason n3)" = "bob: do not touch" ]; [ "$(reason n4)" = "bob: fan" ]
    # one that he has set and ended himself just before is not put back
    scontrol update nodename=n3 state=resume
    await 5 ready n3
    scontrol update nodename=n3 state=drain reason="bob: a moment"; scontrol update nodename=n3 state=resume
    await 5 ready n3
    run=r8 verdict n3 FAULTY "wrong results"
    run act --apply maint
    echo "$output"; drained n3; [ "$(reason n3)" = "hpcai500: wrong results (job 7)" ]
}

@test "two at once: the second says who acts, and the node is drained once" {
    reserve n3,n4
    verdict n4 SLOW "memory.triad -48 %"
    "$R/bin/hpcai500-validate" act --apply --watch=5 maint > "$R/first" 2>&1 3>&- < /dev/null &
    first=$!
    await 5 drained n4
    run act --apply maint
    echo "$output"; [ "$status" -eq 3 ]; [[ $output == *": process "*" acts on nodes, its last sign of life is "* ]]
    run act maint # who only looks is not in the way
    [ "$status" -eq 1 ]
    settled() { [ "$(sql "SELECT count(*) FROM deed WHERE outcome = 2")" = 1 ]; }
    await 5 settled
    kill "$first"
    wait "$first" || true
    [ "$(writes n4)" = 1 ]
    run act --apply maint # it gave the lease back
    echo "$output"; [ "$status" -ne 3 ]
}

@test "killed -9 anywhere, the next one goes on; what is done is done once" {
    reserve n2,n3,n4
    verdict n2 GOOD; verdict n3 SLOW "memory.triad -48 %"; verdict n4 FAULTY "wrong results"
    kills=0
    for point in "wait4 1" "pwrite64 4" "pwrite64 8" "wait4 2" "wait4 3" "pwrite64 12" "pwrite64 16" "wait4 4" \
        "pwrite64 20" "wait4 5"; do
        # shellcheck disable=SC2086
        if killed_at $point --apply maint; then kills=$((kills + 1)); fi
        [[ $(reason n3) == "" || $(reason n3) == "hpcai500: memory.triad -48 % (job 7)" ]]
        [[ $(reason n4) == "" || $(reason n4) == "hpcai500: wrong results (job 7)" ]]
    done
    echo "killed $kills times"; [ "$kills" -ge 5 ]
    done_() { act --apply maint > "$R/last"; }
    await 5 done_
    drained n3; drained n4; [ "$(members)" = "n[3-4]" ]
    [ "$(reason n3)" = "hpcai500: memory.triad -48 % (job 7)" ]
    [ "$(writes n3)" = 1 ]; [ "$(writes n4)" = 1 ]
    [ "$(sql "SELECT count(*) FROM deed WHERE outcome < 2")" = 0 ]
}

@test "slurmctld restarts in the middle, slurmdbd is away: nothing is guessed" {
    reserve n3,n4
    verdict n3 SLOW "memory.triad -48 %"; verdict n4 GOOD
    "$lab" slurmdbd stop
    run act --apply maint
    echo "$output"
    drained n3; [ "$(sql "SELECT outcome FROM deed WHERE verb = 'drain'")" = 1 ] # written, and not checked
    [ "$status" -eq 1 ]; [[ $output == *"looked at again later"* ]]
    pid=$(cat "$S/ctld/slurmctld.pid")
    kill "$pid"; await_end 5 "$pid"
    run act --apply maint
    echo "$output"; [ "$status" -eq 3 ]
    "$lab" slurmdbd start
    "$lab" slurmctld start
    up() { scontrol ping | grep -q UP && "$ctl" nodes > /dev/null; }
    await 5 up
    done_() { act --apply maint > "$R/last"; }
    await 5 done_
    drained n3; [ "$(members)" = n3 ]
    [ "$(sql "SELECT outcome FROM deed WHERE verb = 'drain'")" = 2 ]
}

@test "without a history that takes it nothing is written; an ordinary user acts on nothing" {
    reserve n3,n4
    verdict n3 SLOW "memory.triad -48 %"; verdict n4 GOOD
    act maint > /dev/null || true
    sqlite3 "$R/history.sqlite" "PRAGMA user_version = 99"
    run act --apply maint
    echo "$output"; [ "$status" -eq 3 ]; [[ $(flags n3) != *DRAIN* ]]; [ "$(members)" = "n[3-4]" ]
    rm -f "$R"/history.sqlite*
    chmod 755 "$R" "$R/bin"
    run as_user env HPCAI500_CONF="$R/conf" "$R/bin/hpcai500-validate" act --apply maint
    echo "$output"; [ "$status" -eq 3 ]; [[ $(flags n3) != *DRAIN* ]]; [ "$(members)" = "n[3-4]" ]
    # with a history and verdicts of his own, Slurm does not let him
    mkdir -p "$S/home/nobody/own"; chown nobody: "$S/home/nobody/own"
    cp "$R/verdicts.jsonl" "$S/home/nobody/own/"; chown nobody: "$S/home/nobody/own/verdicts.jsonl"
    echo "history = $S/home/nobody/own/history.sqlite" > "$S/home/nobody/own/conf"
    run as_user env HPCAI500_CONF="$S/home/nobody/own/conf" "$R/bin/hpcai500-validate" act --apply maint
    echo "$output"; [ "$status" -eq 3 ]; [[ $(flags n3) != *DRAIN* ]]; [ "$(members)" = "n[3-4]" ]
}

@test "of nodes in service one of four is drained; a poll is three requests" {
    for n in n1 n2 n3; do verdict $n FAULTY "wrong results"; done
    run act --apply --nodes="n[1-4]"
    echo "$output"; [ "$status" -eq 1 ]
    drained n1; [[ $(flags n2) == IDLE && $(flags n3) == IDLE ]]
    [[ $output == *"n3       failed     FAULTY       kept in service: the limit of a run is reached"* ]]
    run act --apply --nodes="n[1-4]"
    [[ $(flags n2) == IDLE && $(flags n3) == IDLE ]]
    reserve n3,n4
    await 5 ready n4
    sdiag -r
    act maint > /dev/null || true
    sdiag > "$R/sdiag"
    sed -n '/by message type/,/by user/p' "$R/sdiag" | grep 'count:' | grep -v 'STATS\|MESSAGE_NODE\|PING\|STATUS' > "$R/rpcs" || true
    cat "$R/rpcs"
    [ "$(awk '{ sub(/.*count:/, ""); n += $1 } END { print n }' "$R/rpcs")" -le 3 ]
}
