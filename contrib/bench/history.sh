#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# history.sh [BUILD-DIR [RUNS]]: how fast a long history answers.
#
# Builds a history of RUNS runs (1,000,000 by default; 200 nodes, 50 users, 5
# workloads, 8 metrics, a run every two minutes for four years) in a temporary
# folder, then asks it what people ask, as a process of its own each time, and
# prints the median of five. Needs python3 and some 900 bytes of disk per run.
set -euo pipefail

build=$(cd "${1:-build}" && pwd)
runs=${2:-1000000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-history.XXXXXX")
trap 'rm -rf "$dir"' EXIT
export HPCAI500_EXEC_PATH=$build/reports/tools

mkdir "$dir/archive"
"$build/tests/reports/history/make_history" "$dir/h.sqlite" "$dir/archive" 1
python3 - "$dir/h.sqlite" "$runs" <<'EOF'
import sqlite3, sys, time

path, runs = sys.argv[1], int(sys.argv[2])
start = time.time()
db = sqlite3.connect(path)
db.executescript("""
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -400000;
    DELETE FROM value; DELETE FROM part; DELETE FROM on_node; DELETE FROM run;
    DELETE FROM metric; DELETE FROM name;
""")
indices = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql").fetchall()
for name, _ in indices:
    db.execute(f"DROP INDEX {name}")
ids = {}
def name(kind, text):
    ids[kind, text] = db.execute("INSERT INTO name (kind, text) VALUES (?, ?)", (kind, text)).lastrowid
    return ids[kind, text]
nodes = [name(2, f"n{i}") for i in range(1, 201)]
users = [name(3, f"user{i}") for i in range(1, 51)]
cluster = name(4, "lab")
works = [name(0, w) for w in ("cosmoflow", "deepcam", "conv2d", "allreduce", "gemm")]
words = ["samples_per_second", "quality", "time_to_quality_seconds", "flop_per_second",
         "energy_joules", "compute_seconds", "input_wait_seconds", "exposed_allreduce_seconds"]
mids = [name(1, w) for w in words]
metric = {(w, m): db.execute("INSERT INTO metric (workload, name) VALUES (?, ?)", (w, m)).lastrowid
          for w in works for m in mids}
def at(i): return 1640995200 + 120 * i
def node(i): return nodes[i * 7919 % 200]
def user(i): return users[(i * 104729 % 2500) ** 2 // 125000]  # few have many
def work(i): return works[i * 31 % 5 if i % 3 else 0]
R = range(1, runs + 1)
db.executemany("INSERT INTO run VALUES (?,?,?,?,?,?,-1,-1,-1,-1,0,'0',?,?,'phys','batch',?,1,?,?,0,1,1,"
    "'cosmoflow,class=tiny',?,'')", ((i, f"lab-{i}.0.0", 7 << 20, "0" * 64, cluster, i, 1000 + i % 50,
    user(i), f"n{i * 7919 % 200 + 1}", at(i), at(i) + 100, f"2026/01/01/lab-{i}.0.0.json.gz") for i in R))
db.executemany("INSERT INTO part VALUES (?,?,?,0,?,'tiny','cpu','f32','generated',4,2,8,0,1,?,0.31,'mae',83.25,?,"
    "'processor','','','processor','of a step of 62.5 ms: nothing waits noticeably','nothing is in the way')",
    ((i, i, at(i), work(i), 60 + i % 7 * 0.1, 1.2e10) for i in R))
db.executemany("INSERT INTO on_node VALUES (?,?,?)", sorted((node(i), at(i), i) for i in R))
db.executemany("INSERT INTO value VALUES (?,?,0,?,?)",
    ((i, metric[work(i), m], at(i), 60 + i % 7 * 0.1) for i in R for m in mids))
for _, sql in indices:
    db.execute(sql)
db.commit()
db.execute("PRAGMA journal_mode = WAL")
count = lambda t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
size = db.execute("PRAGMA page_count").fetchone()[0] * 4096
print(f"{count('run'):,} runs, {count('value'):,} values, {size / 1e6:,.0f} MB,"
      f" made in {time.time() - start:.0f} s\n")
EOF

printf '%-74s %7s %9s\n' "hpcai500 history ..." rows seconds
ask() {
    local times=() begin rows
    for _ in 1 2 3 4 5; do
        begin=$(date +%s%N)
        "$build/reports/tools/hpcai500" history --history="$dir/h.sqlite" --csv "$@" >"$dir/out" || :
        times+=($((($(date +%s%N) - begin) / 1000)))
    done
    rows=$(($(wc -l <"$dir/out") - 1))
    printf '%-74s %7d %9.3f\n' "$*" "$rows" \
        "$(printf '%s\n' "${times[@]}" | sort -n | awk 'NR == 3 { print $1 / 1e6 }')"
}
ask --limit=1000
ask --node=n17
ask --workload=cosmoflow
ask --metric=samples_per_second
ask --user=user50
ask --user=user1
ask --job=4711
ask --since=2024-06-01 --until=2024-06-08 --limit=0
ask --node=n17 --metric=samples_per_second
ask --node=n17 --metric=samples_per_second --limit=0
ask --workload=deepcam --metric=energy_joules --since=2024-01-01
ask --workload=deepcam --metric=energy_joules --since=2024-01-01 --user=user50 --node=n17
ask --metric=quality --user=user1 --node=n17
ask --workload=gemm --metric=quality --until=2022-02-01
ask --metric=samples_per_second --since=2023-01-01 --until=2023-02-01

begin=$(date +%s%N)
"$build/reports/tools/hpcai500" forget --history="$dir/h.sqlite" --archive="$dir/archive" --user=user30
printf '%-74s %17.3f\n' "hpcai500 forget --user=user30" \
    "$(awk "BEGIN { print ($(date +%s%N) - $begin) / 1e9 }")"
