#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# report.sh [BUILD-DIR]: what a page costs, of four nodes and of 10,000.
#
# Records of the tests' gallery (make_gallery, make_buy) and a history with 16 verdicts on
# each of 10,000 nodes; each page is made five times as a process of its own. Prints a row a
# page: bytes of its records and of the page, median and longest time, memory at its peak.
set -euo pipefail

build=$(cd "${1:-build}" && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-report.XXXXXX")
trap 'rm -rf "$dir"' EXIT
export HPCAI500_EXEC_PATH=$build/reports/tools
top=$(cd "$(dirname "$0")/../.." && pwd)

"$build/tests/reports/report/make_gallery" "$dir"
mkdir "$dir/steps" "$dir/archive"
"$build/tests/reports/tools/make_buy" "$dir/steps" network >"$dir/steps.path"
"$build/tests/reports/history/make_history" "$dir/history.sqlite" "$dir/archive" 1000
python3 - "$dir/verdicts.jsonl" <<'EOF'
import json, sys
with open(sys.argv[1], "w") as f:
    for run in range(16):
        for node in range(10000):
            f.write(json.dumps({"hpcai500": "verdict 1", "node": f"n{node + 1}", "class": "EPYC 9354", "gated": False,
                                "verdict": "SLOW" if node % 997 == 0 else "GOOD", "metric": "memory.triad", "loss": 12.5, "limit": 4.3,
                                "blind": 4.3, "reason": "", "cluster": "lab", "job": run + 1, "run": f"r{run}", "boot_id": "",
                                "serial": "", "time": 1795000000 + 3600 * run}) + "\n")
EOF
cd "$dir"
sed 's/^\[node \*\]/[node EPYC 9354 | none | eth0 | H13]/' "$top/reports/report/prices.conf.example" >prices.conf
python3 - "$build/reports/tools/hpcai500" "$(cat steps.path)" <<'EOF'
import os, statistics, subprocess, sys, time
hpcai500, played = sys.argv[1:3]
rows = [("4 nodes, 3 trainings, a record", ["whole.json"]),
        ("the same, three repeats and prices", ["whole.json", "again.json", "third.json", "--prices=prices.conf"]),
        ("2 nodes, its steps played again", [played]),
        ("10,000 nodes, 20,000 ranks", ["thousands.json"]),
        ("the same in Japanese, with prices", ["thousands.json", "--lang=ja", "--prices=prices.conf"]),
        ("the same, a history and 160,000 verdicts", ["thousands.json", "--history=history.sqlite"])]
print("| page | records [KiB] | page [KiB] | median, longest [s] | memory [MiB] |\n|---|---|---|---|---|")
for title, words in rows:
    took, memory = [], 0
    for _ in range(5):
        start = time.monotonic()
        child = subprocess.Popen([hpcai500, "report", "-o", "page.html", *words])
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"report.sh: {title}: exit {status}")
        took.append(time.monotonic() - start)
        memory = max(memory, usage.ru_maxrss)
    records = sum(os.path.getsize(w) for w in words if not w.startswith("--"))
    print(f"| {title} | {records / 1024:.0f} | {os.path.getsize('page.html') / 1024:.0f} "
          f"| {statistics.median(took):.2f}, {max(took):.2f} | {memory / 1024:.0f} |")
EOF
