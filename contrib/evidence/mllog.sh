#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Does MLCommons' own compliance checker accept the log that hpcai500 export
# writes? Its package (PyPI mlperf_logging) is installed in a folder that is
# removed afterwards; a made-up run at the published size must be a success, and
# one of the tiny class must fail for its quality alone.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
(cd "$top" && [ -x configure ] || autoreconf -fi) > /dev/null 2>&1
(cd "$build" && "$top/configure" && make -j2 build_id.h reports/tools/hpcai500-export tests/reports/record/make_records) > "$build/log" 2>&1 ||
    { tail "$build/log" >&2; exit 1; }
python3 -m venv "$build/venv"
"$build/venv/bin/pip" -q install mlperf_logging pyyaml >&2
"$build/venv/bin/pip" list 2> /dev/null | grep -i mlperf
mkdir "$build/records"
"$build/tests/reports/record/make_records" "$build/records" > /dev/null
cd "$build/records"
python3 - << 'P'
import json
d = json.load(open("lab-4711.0.3.json"))
w = d["workloads"][0]
w["class"] = "standard"
w["hyper_parameters"] = ("sgd momentum=0.9 lr=0.001 warmup_epochs=4 decay1=0.25@32 "
                         "decay2=0.125@64 dropout=0.5")
for e in w["epochs"]:
    e["quality"] = 0.3 - 0.06 * e["epoch"]
json.dump(d, open("standard.json", "w"))
P
for record in standard.json lab-4711.0.3.json; do
    echo "== $record"
    : > site.conf
    HPCAI500_CONF=$PWD/site.conf "$build/reports/tools/hpcai500-export" --mllog $record > log
    "$build/venv/bin/python" -m mlperf_logging.compliance_checker --usage hpc --ruleset 3.0.0 log 2>&1 |
        grep -v '^\*\*' || true
done
