#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500-reader: users and their own runs in history and archive. The service is
# `daemon`, who alone may open them; `nobody` and `games` are users.

load ../../no
load ../../await

setup() {
    [ "$(id -u)" = 0 ] || skip "only root can play several users"
    D=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-reader-bats-XXXXXX")
    chmod 755 "$D"
    mkdir -p "$D"/{bin,lib/archive,work}
    chmod 1777 "$D/work"
    cp "$top_builddir"/reports/tools/hpcai500{,-show,-history,-export} \
        "$top_builddir"/spank/collect/hpcai500-{reader,verify} "$D/bin"
    "$top_builddir/tests/reports/history/make_history" "$D/lib/history.sqlite" "$D/lib/archive" 6
    # Of the witnessed ones 4712 is nobody's and 4714, 4716 are of games; 4711 is a
    # claim that says it is nobody's.
    sql "UPDATE run SET uid = CASE job WHEN 4711 THEN $(id -u nobody) WHEN 4712 THEN $(id -u nobody) ELSE $(id -u games) END"
    chown -R daemon: "$D/lib"
    chmod -R o-rwx "$D/lib"
    site > "$D/conf"
    export HPCAI500_EXEC_PATH=$D/bin HPCAI500_CONF=$D/conf HPCAI500_SPOOL=$D/nospool
    reader=
    start
    cd "$D/work"
}

teardown() {
    [ -n "${D-}" ] || return 0
    stop
    rm -rf "$D"
}

site() { printf '%s\n' "history = $D/lib/history.sqlite" "archive = $D/lib/archive" "reader = ${socket-$D/run/reader}" "service_user = daemon" "$@"; }
sql() { /usr/bin/python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); print(*d.execute(sys.argv[2]).fetchall()); d.commit()' "$D/lib/history.sqlite" "$1"; }
start() {
    "$D/bin/hpcai500" reader 2> "$D/log" 3>&- 4>&- &
    reader=$!
    await 5 reader_is_settled
    [ -S "$D/run/reader" ] || { cat "$D/log"; return 1; }
}
# It listens, or has ended.
reader_is_settled() { [ -S "$D/run/reader" ] || has_ended "$reader"; }
stop() { [ -z "$reader" ] || { kill "$reader" && wait "$reader"; } || true; reader=; }
again() { stop; rm -f "$D/run/reader"; site "$@" > "$D/conf"; start; }
# by USER COMMAND...: as that user, with his groups
by() { local user=$1; shift; setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; }
# ask USER QUESTION...: the head of each answer, a line each
ask() {
    local user=$1; shift
    by "$user" /usr/bin/python3 -c '
import socket, sys
for question in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1])
    try: s.sendall(question.encode("utf-8", "surrogateescape").decode("unicode_escape").encode("latin1"))
    except BrokenPipeError: pass
    try: print((s.makefile("rb").readline() or b"nothing").decode("latin1").strip())
    except ConnectionResetError: print("nothing")
' "$D/run/reader" "$@"
}
place() { sql "SELECT archive FROM run WHERE job = $1" | tr -d "(),'"; }

@test "a user has his own runs, as if history and archive were open to him" {
    no by nobody test -r "$D/lib/history.sqlite"
    run by nobody "$D/bin/hpcai500" show 4712
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"lab-4712.0.3"* ]]
    by nobody "$D/bin/hpcai500" show --json 4712.3 > one.json
    cmp one.json <(zcat "$D/lib/archive/$(place 4712)")
    run by nobody "$D/bin/hpcai500" history
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^20' <<<"$output")" -eq 1 ]
    [[ "$output" == *"lab-4712.0.3"* ]]
    by nobody "$D/bin/hpcai500" history --json --metric=samples_per_second | jq -e '.rows | length > 0 and all(.job_id == 4712)'
    by nobody "$D/bin/hpcai500" export --csv --job=4712 > by-job.csv
    by nobody "$D/bin/hpcai500" export --csv 4712 > by-word.csv
    [ "$(wc -l < by-job.csv)" -eq 2 ]
    cmp by-job.csv by-word.csv
    run by nobody "$D/bin/hpcai500" verify 4712
    echo "$output"
    [[ "$output" == *"ok       record     lab-4712.0.3"* ]]
}

@test "another's run, and what root did not witness, is answered as one that is not there" {
    for job in 4714 4711 4999; do
        for what in show verify "export --csv" "export --csv --job" "history --job"; do
            set -- $what
            last=${*: -1}
            if [[ $last == --job ]]; then set -- "${@:1:$#-1}" "--job=$job"; else set -- "$@" "$job"; fi
            run by nobody "$D/bin/hpcai500" "$@"
            echo "$* -> $status $output"
            [ "$status" -ne 0 ]
            [[ "$output" != *lab-47* && "$output" != *lab-4999* ]]
        done
    done
    run by nobody "$D/bin/hpcai500" show 4714
    [ "$output" = "hpcai500 show: no record of job 4714 in the working folder, the spool or the history, as far as you may read them" ]
    [ "$(ask nobody "record $(place 4714)\n" "witness $(place 4714)\n" "ranks $(place 4714)\n" "record $(place 4711)\n" | sort -u)" = none ]
    [[ $(ask games "record $(place 4714)\n") == "ok "* ]]
    # the copy holds nothing of others: no name of theirs, no page that has been used
    by nobody /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(b"history all\n")
open("own.sqlite", "wb").write(s.makefile("rb").read().split(b"\n", 1)[1])' "$D/run/reader"
    grep -aq lab-4712 own.sqlite
    no grep -aqE 'lab-47(11|13|14|15|16)|eve|script' own.sqlite
}

@test "readers= names who sees everything, root does, a claim too" {
    [ "$("$D/bin/hpcai500" history | grep -c '^20')" -eq 8 ]
    for who in nobody "@$(id -gn nobody)" "games,@$(id -gn nobody)" '*'; do
        again "readers = $who"
        run by nobody "$D/bin/hpcai500" history
        echo "$who: $output"
        [ "$(grep -c '^20' <<<"$output")" -eq 8 ]
        [[ $(ask nobody "record $(place 4711)\n") == "ok "* ]]
    done
    again "readers = games,@daemon"
    [ "$(by nobody "$D/bin/hpcai500" history | grep -c '^20')" -eq 1 ]
}

@test "no question steers the reader" {
    mine=$(place 4712)
    ln -s /etc/shadow "$D/lib/archive/2026/11/x" || true
    while read -r want question; do
        got=$(ask nobody "$question\n")
        echo "$question -> $got"
        [[ $got == $want* ]]
    done <<Q
none record ../../../../etc/passwd
none record /etc/passwd
none record 2026/11/22/../22/lab-4712.0.3.json.gz
none record 0000/00/00/lab-4712.0.3.json.gz
none record $mine/
none record lab-4712.0.3
no record
no ranks
no history
no history job 0
no history job -1
no history job 4712x
no history job 99999999999999999999999
no history run
no history all x
ok history run lab-4714.0.3
ok history run ' OR 1=1 --
no records $mine
no HISTORY all
Q
    # a byte 0, too long, nothing, half a line
    [ "$(ask nobody 'history all\x00\n')" = nothing ]
    [ "$(ask nobody "history run $(head -c 300 /dev/zero | tr '\0' a)\n")" = nothing ]
    [[ $(ask nobody "history run ' OR 1=1 --\n") == "ok "* ]]
    by nobody "$D/bin/hpcai500" history --job="x-' OR 1=1 --" > out || true
    no grep -q lab- out
    [[ $(ask nobody "record $mine\n") == "ok "* ]]
}

@test "a link in the archive is not followed, whatever it was when it was asked for" {
    mine=$D/lib/archive/$(place 4712)
    mv "$mine" "$mine.real"
    ln -s "$mine.real" "$mine"
    [[ $(ask nobody "record $(place 4712)\n") == "no "* ]]
    ln -sf "$D/lib/archive/$(place 4714)" "$mine"
    [[ $(ask nobody "record $(place 4712)\n") == "no "* ]]
    rm "$mine"; mkfifo "$mine"
    [[ $(ask nobody "record $(place 4712)\n") == "no "* ]]
    rm "$mine"
    run by nobody "$D/bin/hpcai500" show 4712
    [ "$status" -eq 3 ]
}

@test "the asker's environment and files do not reach the service" {
    site "readers = *" > mine.conf
    printf 'history = %s\narchive = %s\nreader = %s\n' "$D/work/fake.sqlite" "$D/work" "$D/run/reader" > fake.conf
    run by nobody env HPCAI500_CONF="$PWD/mine.conf" LD_PRELOAD=/nonexistent.so SQLITE_TMPDIR="$PWD" TMPDIR="$PWD" \
        MALLOC_CHECK_=3 "$D/bin/hpcai500" history
    echo "$output"
    [ "$(grep -c '^20' <<<"$output")" -eq 1 ]
    run by nobody env HPCAI500_CONF="$PWD/fake.conf" "$D/bin/hpcai500" show 4714
    [ "$status" -eq 3 ]
    # the service has none of root's either, and cannot go back to root
    tr '\0' '\n' < /proc/"$reader"/status | grep -E '^(Uid|Gid|Groups|CapEff|NoNewPrivs)' > status
    cat status
    grep -qxE "Uid:(.$(id -u daemon)){4}" status
    grep -qxE "CapEff:.0{16}" status
    grep -qxE "NoNewPrivs:.1" status
    by nobody kill "$reader" 2> /dev/null && return 1
    kill -0 "$reader"
}

@test "one user who only holds connections keeps nobody else from an answer" {
    setpriv --reuid=nobody --regid=nogroup --clear-groups /usr/bin/python3 -c '
import socket, sys, time
held = []
for i in range(100):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); held.append(s)
print("held", flush=True); time.sleep(300)' "$D/run/reader" > held 3>&- &
    holder=$!
    await 5 grep -q held held
    got=$(ask games "history all\n")
    echo "$got"
    [[ $got == "ok "* ]]
    kill $holder
}

@test "without the service the sentence says what to do" {
    stop
    run by nobody "$D/bin/hpcai500" show 4712
    echo "$output"
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 show: no record of job 4712 in the working folder or the spool; you may not read the history $D/lib/history.sqlite; the site's reader does not answer at $D/run/reader (Connection refused); the administrator starts it with hpcai500-reader.socket" ]
    for what in history "export --csv" "verify 4712"; do
        run by nobody "$D/bin/hpcai500" $what
        echo "$output"
        [ "$status" -eq 3 ]
        [[ "$output" == *"you may not read the history"*"the site's reader does not answer"* ]]
    done
    socket='' site > "$D/conf"
    run by nobody "$D/bin/hpcai500" history
    [ "$output" = "hpcai500 history: you may not read the history $D/lib/history.sqlite" ]
    run timeout 60 "$D/bin/hpcai500" reader 3>&- 4>&-
    [ "$output" = "hpcai500 reader: reader= in hpcai500.conf is empty: there is no socket to answer at" ]
    # a file in its way stays, a living reader too
    site > "$D/conf"
    rm -f "$D/run/reader"; echo kept > "$D/run/reader"
    run timeout 60 "$D/bin/hpcai500" reader 3>&- 4>&-
    [ "$output" = "hpcai500 reader: $D/run/reader is there and is not a socket" ]
    [ "$(cat "$D/run/reader")" = kept ]
    rm "$D/run/reader"
    start
    run timeout 60 "$D/bin/hpcai500" reader 3>&- 4>&-
    [ "$output" = "hpcai500 reader: a reader answers at $D/run/reader already" ]
}

@test "a copy in the working folder comes first, chosen by what is in it" {
    zcat "$D/lib/archive/$(place 4712)" > one.json
    jq -c '.id = "lab-4799.0.0" | .job.job_id = 4799 | .job.step_id = "0"' one.json > hpcai500-4799.json
    jq -c '.id = "lab-4799.1.0" | .job.job_id = 4799 | .job.restart = 1 | .job.step_id = "0"' one.json > hpcai500-4799.0.1.json
    jq -c '.id = "lab-47.0.0" | .job.job_id = 47' one.json > hpcai500-47.json
    jq -c '.id = "lab-4801.0.0" | .job.job_id = 4801 | .job.array_job_id = 4800 | .job.array_task_id = 7' one.json > hpcai500-4800_7.json
    echo '{' > hpcai500-4799.bad.json
    shown() { by nobody "$D/bin/hpcai500" show --json "$1" 2> err | jq -r .id; }
    [ "$(shown 4799)" = lab-4799.1.0 ]
    [ "$(cat err)" = "hpcai500 show: 2 runs of 4799, this is the latest: ./hpcai500-4799.0.1.json" ]
    [ "$(shown 4799.0.0)" = lab-4799.0.0 ]
    [ "$(shown 4799.1.0)" = lab-4799.1.0 ]
    [ "$(shown 47)" = lab-47.0.0 ]
    [ "$(shown 4800)" = lab-4801.0.0 ]
    [ "$(shown 4800_7)" = lab-4801.0.0 ]
    [ "$(shown 4801)" = lab-4801.0.0 ]
    [ "$(shown lab-4799.0.0)" = lab-4799.0.0 ]
    run by nobody "$D/bin/hpcai500" show 4800_8
    [ "$status" -eq 3 ]
    # packed, as the archive has it
    gzip -k one.json
    [ "$(by nobody "$D/bin/hpcai500" show --json one.json.gz | jq -r .id)" = lab-4712.0.3 ]
    head -c 100 one.json.gz > short.json.gz
    run by nobody "$D/bin/hpcai500" show short.json.gz
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 show: short.json.gz: cut off" ]
}
