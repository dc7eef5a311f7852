#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 history and forget, on a history made of records.

setup_file() {
    export SITE=$(mktemp -d)
    mkdir "$SITE/archive"
    "$top_builddir/tests/reports/history/make_history" "$SITE/history.sqlite" "$SITE/archive" 60
}

teardown_file() {
    rm -r "$SITE"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    unset COLUMNS
    export LC_ALL=C.UTF-8
    cd "$BATS_TEST_TMPDIR"
}

history() {
    "$top_builddir/reports/tools/hpcai500" history --history="${DB:-$SITE/history.sqlite}" "$@"
}

@test "the table: a row per workload, a line of blocks and the step per series" {
    run history
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^20' <<<"$output")" -eq 62 ]
    [[ "${lines[0]}" == "begin (UTC)"*"run"*"user"*"workload"*"samples/s"* ]]
    [[ "$output" == *"lab-4711.0.3  ada"*"complete"*"claim"* ]]
    [[ "$output" == *"lab-4712.0.3  ada"*"complete"*"root"* ]]
    [[ "$output" == *"samples_per_second: cosmoflow tiny cpu f32, 4 ranks on 2 nodes, lab"* ]]
    [[ "$output" == *"█"*"|"*"▁"*"60 values"* ]]
    [[ "$output" == *"step -7"*" % at 2026-11-24T01:02:57Z (lab-4741.0.3)"* ]]
    [[ "$output" == *"1 % false alarms per series"* ]]
    LC_ALL=C run history
    [[ "$output" == *"#"*"|"*"_"*"60 values"* ]]
    [[ "$output" != *"█"* ]]
}

@test "a table fits the terminal and steers none" {
    run history --user=$'eve\e[2J'
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"  eve?[2J  "* ]]
    COLUMNS=80 run history
    [ -z "$(LC_ALL=C grep "$(printf '[\001-\010\013-\037\177]')" <<<"$output")" ]
    [ -z "$(awk 'length > 80' <<<"$output")" ]
    [[ "${lines[0]}" != *"to quality"* ]]
    # words move to the next line, and none is lost
    [[ "$(tr '\n' ' ' <<<"$output")" == *"1 % false alarms per series without change; hpcai500-history(1)."* ]]
    COLUMNS=60 run history --user=ada
    [ -z "$(grep -v '^[b2]' <<<"$output" | awk 'length > 60 && !/^  step/')" ]
    [[ "$output" == *"60 values, median"* ]]
}

# A terminal of its own, 80 columns wide: as wide as it says, in blocks, without
# a sequence that colours or moves; the picture is written beside it.
@test "in a terminal of 80 columns, with and without NO_COLOR" {
    command -v script >/dev/null || skip "script is not installed (Debian: bsdutils)"
    for no_color in "" 1; do
        env -u COLUMNS TERM=xterm NO_COLOR=$no_color script -qec \
            "stty cols 80 rows 24; '$top_builddir/reports/tools/hpcai500' history --history='$SITE/history.sqlite' --limit=40 --plot=t.svg" \
            /dev/null </dev/null | tr -d '\r' >out
        cat out
        [ "$(grep -c '^20' out)" -eq 40 ]
        [ -z "$(awk 'length > 80' out)" ]
        grep -q '█' out
        [ -z "$(LC_ALL=C grep "$(printf '[\001-\010\013-\037\177]')" out)" ]
        grep -q '</svg>' t.svg
        rm t.svg
    done
}

@test "filters" {
    [ "$(history --csv --user=ada | wc -l)" -eq 61 ]
    [ "$(history --csv --node=n2 --limit=0 | wc -l)" -eq 63 ]
    [ "$(history --csv --job=4720 | wc -l)" -eq 2 ]
    [ "$(history --csv --job=lab-4720.0.3 | wc -l)" -eq 2 ]
    [ "$(history --csv --limit=5 | wc -l)" -eq 6 ]
    [ "$(history --csv --witnessed | wc -l)" -eq 31 ]
    [ "$(history --csv --since=2026-11-24T19:30 --until=2026-11-24T22:30 | wc -l)" -eq 4 ]
    [ "$(history --csv --workload=cosmoflow --metric=quality | wc -l)" -eq 61 ]
    [ "$(history --csv --workload=cosmoflow --metric=quality_rmse | grep -c ',quality_rmse,.*0\.42')" -eq 60 ]
    [ -z "$(history --csv --metric=quality_accuracy 2> /dev/null)" ]
    history --metric=compute_max_seconds --node=n1 --job=4711 >out
    grep -q '  n1 *5$' out
    run history --job=1
    [ "$status" -eq 1 ]
    [ "$output" = "hpcai500 history: no run matches" ]
}

@test "a copy, a backup, a read-only mount can be read, or the sentence says how" {
    [ "$(id -u)" = 0 ] || skip "needs a user who may not write"
    nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups "$PWD/hpcai500-history" --history="$1" --csv; }
    W=$(mktemp -d)
    chmod 755 "$W"
    cp "$top_builddir/reports/tools/hpcai500-history" "$W"
    cd "$W"
    mkdir copy
    cp "$SITE/history.sqlite" 'copy/a%b?c#d.sqlite' # no log beside it
    chmod -R a+rX,go-w copy
    [ "$(nobody 'copy/a%b?c#d.sqlite' | wc -l)" -eq 63 ]
    [ "$(ls copy)" = 'a%b?c#d.sqlite' ]
    # with a log, which is a part of it, and no index
    cp "$SITE/history.sqlite" copy/h.sqlite
    head -c 32 /dev/zero > copy/h.sqlite-wal
    chmod a+r copy/h.sqlite*
    run nobody copy/h.sqlite
    echo "$output"
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 history: the history copy/h.sqlite has a log (copy/h.sqlite-wal) without its index (-shm), and none can be made there: copy both files into a folder that you may write" ]
    # what nobody may write, root neither
    mkdir mount
    mount --bind copy mount && mount -o remount,bind,ro mount || skip "no mount here"
    run history --csv --history="mount/a%b?c#d.sqlite"
    umount mount
    [ "$(wc -l <<<"$output")" -eq 63 ]
    # without permission it says so
    chmod 600 copy/h.sqlite
    run nobody copy/h.sqlite
    [ "$output" = "hpcai500 history: you may not read the history copy/h.sqlite" ]
    cd /
    rm -r "$W"
}

@test "wrong words get a sentence" {
    for case in "--metric=qualty|1|no run has the metric 'qualty'; did you mean 'quality'?" \
        "--user=adda|1|no run has the user 'adda'; did you mean 'ada'?" \
        "--since=yesteryear|2|'yesteryear' is not a time; use 2026-11-22, 2026-11-22T19:02 or 7d" \
        "--job=x|2|'x' is not a job; use 4711, 4711_7, 4711+1, 4711.0 or lab-4711.0.3" \
        "--limit=-3|2|--limit: '-3' is not a count"; do
        IFS='|' read -r option code sentence <<<"$case"
        run history "$option"
        echo "$output"
        [ "$status" -eq "$code" ]
        [ "$output" = "hpcai500 history: $sentence" ]
    done
    run history --no-such
    [ "$status" -eq 2 ]
    DB=$PWD/none run history
    [ "$status" -eq 3 ]
    [[ "$output" == "hpcai500 history: no history at "* ]]
    echo "no database, whatever its name says; long enough to be looked at" >text
    DB=$PWD/text run history --user=ada
    [ "$status" -eq 3 ]
    [[ "$output" == *"file is not a database"* ]]
}

@test "--json is JSON, with the changes" {
    history --json | jq -e '
        (.rows | length) == 62 and .rows[0].witnessed == false and
        .rows[0].array_task_id == null and
        ([.series[] | select(.values == 60)][0].changes[0] |
            .kind == "step" and .first_run == "lab-4741.0.3" and .percent < -6 and .percent > -8) and
        .test.false_alarm_rate == 0.01'
    history --json --job=1 --limit=2 >empty || [ $? -eq 1 ]
    jq -e '.rows == [] and .series == []' empty
}

@test "what limited a run: in the table, in JSON and CSV, and two of three runs make a slow node" {
    "$top_builddir/tests/reports/record/make_records" . > /dev/null
    for job in 4700 4701 4702; do
        jq -c --argjson job $job '.id = "lab-\($job).0.3" | .job.job_id = $job | .time.start = "2026-11-22T19:0\($job - 4700):57.000Z" |
            .workloads[0].why |= (.cause = "node_was_slower" | .node = "n2" | .verdict = "n2 was slower in this run" |
                .causes = [{cause: .cause, node: .node, suspect: "node_shared", share: 0.25}])' lab-4711.0.3.json > $job.json
    done
    jq -c '.id = "lab-4701.0.3" | .job.job_id = 4701 | .time.start = "2026-11-22T19:01:57.000Z"' lab-4711.0.3.json > 4701.json
    mkdir archive
    "$top_builddir/tests/reports/history/make_history" own.sqlite archive 0 4700.json 4701.json 4702.json
    DB=own.sqlite history --json --user=ada | jq -e '[.rows[] | select(.workload == "cosmoflow")] | map([.cause, .cause_node, .verdict]) == [
        ["node_was_slower", "n2", "n2 was slower in this run"],
        ["node_quota", "n2", "node n2: CPU quota (not confirmed)"],
        ["node_shared", "n2", "node n2: shared core"]] and
        all(.[]; .why | startswith("of a step of 62.5 ms")) and
        (map(.next) | (.[0] | startswith("lift the quota")) and (.[2] | startswith("find what else runs")))'
    DB=own.sqlite history --csv --job=4702 | grep -q ',node_shared,n2,node n2: shared core,'
    DB=own.sqlite run history --workload=cosmoflow --user=ada
    echo "$output"
    [[ "${lines[0]}" == *"to quality  limited by"* ]]
    [[ "${lines[1]}" == *"  n2 was slower in this run" ]]
    [[ "${lines[3]}" == *"  node n2: shared core" ]]
    # the record's word on a node where the run was not is not taken
    jq -c '.id = "lab-4703.0.3" | .job.job_id = 4703 | .workloads[0].why.node = "n99"' 4700.json > 4703.json
    "$top_builddir/tests/reports/history/make_history" other.sqlite archive 0 4703.json
    DB=other.sqlite history --json --user=ada | jq -e '.rows[] | select(.workload == "cosmoflow") | .cause == "node_was_slower" and .cause_node == null'
}

@test "--csv is what RFC 4180 says, and no formula" {
    history --csv >out.csv
    python3 - <<'EOF'
import csv
raw = open("out.csv", newline="", encoding="utf-8").read()
assert raw.endswith("\r\n") and "\n" not in raw.replace("\r\n", "")
rows = list(csv.DictReader(open("out.csv", newline="", encoding="utf-8")))
assert len(rows) == 62
assert all(None not in r and len(r) == 46 for r in rows)
for r in rows:
    for name, cell in r.items():
        assert not cell or cell[0] not in "=+-@\t\r", (name, cell)
evil = [r for r in rows if r["account"].startswith("'=")]
assert len(evil) == 1 and evil[0]["account"] == "'=cmd|' /C calc'!A0", evil
EOF
}

@test "--plot is well-formed SVG without anything that acts" {
    history --plot=x.svg >/dev/null
    python3 - <<'EOF'
import xml.etree.ElementTree as ET
root = ET.parse("x.svg").getroot()
names = {e.tag.split("}")[1] for e in root.iter()}
assert names == {"svg", "g", "rect", "text", "line", "circle"}, names
texts = [e.text for e in root.iter() if e.tag.endswith("text")]
assert any("step -7" in t for t in texts)
assert any("<script>alert(1)</script>" in t for t in texts), texts
assert "<script" not in open("x.svg").read()
EOF
    # 30 series, and not silently 24 of them; long names are cut, between characters
    cp -r "$SITE"/. site
    python3 - <<'EOF'
import sqlite3
db = sqlite3.connect("site/history.sqlite")
parts = db.execute("SELECT id FROM part ORDER BY id LIMIT 30").fetchall()
for i, (part,) in enumerate(parts):
    db.execute("UPDATE part SET class = ? WHERE id = ?", (f"{i:02}" + "\u00e4" * 200, part))
db.commit()
EOF
    DB=site/history.sqlite history --plot=y.svg >/dev/null
    python3 - <<'EOF'
import xml.etree.ElementTree as ET
texts = [e.text for e in ET.parse("y.svg").getroot().iter() if e.tag.endswith("text")]
assert texts[-1].startswith("The first 24 of 33 series. Changes: "), texts[-1]
assert "samples_per_second: cosmoflow 00" + "\u00e4" * 99 + "\u2026" in texts, texts
assert max(map(len, texts)) == 132
EOF
    rm -r site y.svg
    run history --plot=/nowhere/x.svg
    [ "$status" -eq 3 ]
    [ "${lines[-1]}" = "hpcai500 history: cannot write /nowhere/x.svg: No such file or directory" ]
    [ "$(ls)" = x.svg ] # nothing else is left
}

@test "forget takes a user out, and says how many" {
    cp -r "$SITE"/. site
    forget() { "$top_builddir/reports/tools/hpcai500" forget --history=site/history.sqlite --archive=site/archive "$@"; }
    run forget
    [ "$status" -eq 2 ]
    run forget --cluster=lab
    [ "$status" -eq 2 ]
    run forget --user=ada --dry-run
    [ "$output" = "would forget 60 runs" ]
    run forget --user=ada --cluster=other
    [ "$output" = "forgot 0 runs" ]
    run forget --job=4720 --cluster=lab
    [ "$output" = "forgot 1 run" ]
    run forget --user=ada
    [ "$status" -eq 0 ]
    [ "$output" = "forgot 59 runs" ]
    # hashes aside, which have any letters
    [ "$(cat site/history.sqlite* | LC_ALL=C sed -E 's/[0-9a-f]{64}//g' | grep -ac 'ada')" -eq 0 ]
    [ "$(find site/archive -name '*.json.gz' | wc -l)" -eq 2 ]
    DB=site/history.sqlite run history --user=ada
    [ "$status" -eq 1 ]
    [ "$(DB=site/history.sqlite history --csv | wc -l)" -eq 3 ]
    run forget --user=ada
    [ "$output" = "forgot 0 runs" ]
}

# Rows stream: ten thousand need no more memory than a thousand.
@test "memory is bounded, however many rows there are" {
    cp -r "$SITE"/. site
    python3 -c 'import sqlite3
db = sqlite3.connect("site/history.sqlite")
db.execute("""WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 10000)
    INSERT INTO part SELECT NULL, run, begin + i, i, workload, class, engine, dtype, origin,
        ranks, threads, batch, status, valid, 60 + i % 7, quality, quality_metric,
        time_to_quality_seconds, flop_per_second, cause, cause_node, suspect, verdict, why, next
        FROM k JOIN part p ON p.id = 1""")
db.commit()'
    # what ASan holds back of freed memory is not the program's
    export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1
    peak() {
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=open("out", "w"), check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
            "$top_builddir/reports/tools/hpcai500" history --history=site/history.sqlite "$@"
    }
    for form in "" --csv --json; do
        few=$(peak --limit=1000 $form) many=$(peak --limit=0 $form)
        echo "$form: $few KiB for 1,000 rows, $many KiB for 10,000"
        [ "$(wc -l <out)" -gt 10000 ]
        [ "$many" -lt $((few + 16384)) ]
    done
}
