#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 export: each format against its rules, with friendly and hostile records.

load ../../no

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    export GALLERY=$(mktemp -d)
    "$top_builddir/tests/reports/record/make_records" "$GALLERY" >/dev/null
    cd "$GALLERY"
    # A run that MLPerf would know, and a hostile one.
    python3 - <<'P'
import json
d = json.load(open("lab-4711.0.3.json"))
w = d["workloads"][0]
w["class"] = "standard"
w["hyper_parameters"] = ("sgd momentum=0.9 lr=0.001 warmup_epochs=4 decay1=0.25@32 "
                         "decay2=0.125@64 dropout=0.5 init=xavier augment=no norm=no epochs=100")
for e in w["epochs"]:
    e["quality"] = 0.3 - 0.06 * e["epoch"]
json.dump(d, open("standard.json", "w"))
evil = ['=cmd|\' /C calc\'!A0', '"><script>alert(1)</script>&', '\x1b[2J', "a\\b\"c\nd\re", "@SUM(1)",
        "\u202egnp", "]]>", "-1+1", "{}\x7f", "\uff1d1", "\ufffe\uffff", "'; DROP TABLE runs;--",
        "%s%n", "  =1", "a,b;c\td", "n1\r\nhpcai500_fake 1"]
n = 0
def plant(o):
    global n
    for k, v in (list(o.items()) if isinstance(o, dict) else list(enumerate(o))):
        if isinstance(v, (dict, list)):
            plant(v)
        elif isinstance(v, str) and k not in ("schema", "schema_version", "start", "end"):
            o[k] = evil[n % len(evil)]
            n += 1
d = json.load(open("lab-4711.0.3.json"))
plant({k: v for k, v in d.items() if k != "reasons"})
for k in ("id", "status"):
    d[k] = evil[n % len(evil)]
    n += 1
d["workloads"][0]["valid"] = False
d["reasons"]["workloads[0].valid"] = evil[1]
json.dump(d, open("evil.json", "w"))
# Long texts are cut, wherever their characters end.
d = json.load(open("lab-4711.0.3.json"))
w = d["workloads"][0]
for shift in "", "x":
    long = shift + "\u00e4" * 200
    d["id"] = d["job"]["cluster"] = d["job"]["partition"] = w["class"] = w["suite"] = w["dtype"] = long
    w["hyper_parameters"] = long
    json.dump(d, open(f"long{shift}.json", "w"))
P
}

teardown_file() {
    [ -z "$GALLERY" ] || rm -r "$GALLERY"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools HPCAI500_CONF=$BATS_TEST_TMPDIR/site.conf
    unset HPCAI500_SPOOL HPCAI500_CACHE
    hpcai500=$top_builddir/reports/tools/hpcai500
    out=$BATS_TEST_TMPDIR
    : >"$HPCAI500_CONF"
    cd "$GALLERY"
}

good="lab-4711.0.3.json lab-4000_7.0.3.json lab-4713.0.3.json lab-4714.0.3.json evil.json local-19700101T000000Z-77.json"

# clean FILE: no control character but tab and line ends
clean() {
    LC_ALL=C no grep -q "$(printf '[\001-\010\013\014\016-\037\177]')" "$1"
}

@test "wrong words get a sentence" {
    run "$hpcai500" export --zebra lab-4711.0.3.json
    [ "$status" -eq 2 ]
    run "$hpcai500" export lab-4711.0.3.json
    [ "$status" -eq 2 ]
    run "$hpcai500" export --csv --junit lab-4711.0.3.json
    [ "$status" -eq 2 ]
    run "$hpcai500" export --csv nowhere.json
    [ "$status" -eq 3 ]
    [[ "$output" == "hpcai500 export: "*nowhere.json* ]]
    run "$hpcai500" export --help
    [ "$status" -eq 0 ]
    for format in prometheus ndjson csv mllog junit xdmod clustercockpit clustercockpit-data steps; do
        [[ "$output" == *"--$format"* ]]
        grep -q "Fl -$format" "$top_srcdir/reports/tools/hpcai500-export.1"
    done
}

@test "csv: RFC 4180, and no cell is a formula" {
    "$hpcai500" export --csv $good >"$out/x.csv"
    clean "$out/x.csv"
    python3 - "$out/x.csv" <<'P'
import csv, sys
raw = open(sys.argv[1], newline="").read()
assert raw.endswith("\r\n") and raw.count("\n") == raw.count("\r\n")
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
assert len(rows) == 9, len(rows)
first = rows[0]
assert first["id"] == "lab-4711.0.3" and first["workload_name"] == "cosmoflow"
assert float(first["workload_performance_samples_per_second"]) == 61.5
assert first["workload_quality_others"] == "rmse=0.42 accuracy="
assert first["workload_quality_target"] == "0.34" and first["workload_performance_cost"] == ""
micro = rows[1] # of the same run
assert micro["id"] == first["id"] and micro["workload_name"] == "conv2d"
assert (micro["workload_what"], micro["workload_median"], micro["workload_unit"]) == ("library", "1.5", "ms")
assert rows[-1]["workload_name"] == ""
for row in rows:
    assert None not in row and None not in row.values()
    for cell in row.values():
        text = cell.lstrip(" ")
        assert not text or text[0] not in "=+-@|%\t\r\uff1d\uff0b\uff0d\uff20", cell
P
}

@test "ndjson: bulk pairs with one id per workload" {
    "$hpcai500" export --ndjson $good >"$out/x.ndjson"
    clean "$out/x.ndjson"
    python3 - "$out/x.ndjson" <<'P'
import json, sys
lines = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
pairs = list(zip(lines[::2], lines[1::2]))
assert len(lines) == 18 and all(set(a) == {"index"} for a, _ in pairs)
action, doc = pairs[0]
assert action["index"] == {"_index": "hpcai500", "_id": "lab-4711.0.3-cosmoflow"}
assert doc["@timestamp"] == "2026-11-22T19:04:37.000Z" and doc["nodes"] == ["n1", "n2"]
assert doc["workload"]["quality"]["others"] == {"rmse": 0.42}
assert doc["workload"]["quality"]["achieved"] == 0.31 and doc["job"]["job_id"] == 4711
assert pairs[1][0]["index"]["_id"] == "lab-4711.0.3-conv2d-2" and pairs[1][1]["workload"]["median"] == 1.5
assert all(len(a["index"]["_id"].encode()) <= 512 for a, _ in pairs)
P
}

@test "junit: the elements and attributes of the common schema, escaped" {
    "$hpcai500" export --junit $good >"$out/x.xml"
    clean "$out/x.xml"
    python3 - "$out/x.xml" <<'P'
# Facts: the schema that CI servers share (Windy Road's JUnit.xsd): attributes and
# children of each element, in this order.
import re, sys, xml.etree.ElementTree as ET
root = ET.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites" and not root.attrib
wanted = {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "time"}
for i, suite in enumerate(root):
    assert suite.tag == "testsuite" and set(suite.attrib) == wanted and suite.get("id") == str(i)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    tags = [c.tag for c in suite]
    assert tags[0] == "properties" and tags[-2:] == ["system-out", "system-err"]
    assert set(tags[1:-2]) == {"testcase"}
    cases = suite.findall("testcase")
    assert len(cases) == int(suite.get("tests"))
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures"))
    assert len(suite.findall("testcase/error")) == int(suite.get("errors"))
    for case in cases:
        assert set(case.attrib) == {"classname", "name", "time"} and float(case.get("time")) >= 0
        assert all(set(c.attrib) == {"type", "message"} for c in case)
assert root[2].find("testcase/failure").get("message") == "the loss is not finite in epoch 3"
assert root[4].find("testcase/*").get("message") == '"><script>alert(1)</script>&'
assert root[5].find("testcase/error") is not None
P
}

@test "prometheus: the text format, whole or not at all, few series" {
    "$hpcai500" export --prometheus="$out/x.prom" $good lab-4716.0.3.json
    [ "$(stat -c %a "$out/x.prom")" = 644 ]
    [ "$(ls "$out" | grep -c prom)" -eq 1 ]
    python3 - "$out/x.prom" <<'P'
# Facts: Prometheus' text exposition format 0.0.4.
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
assert text.endswith("\n")
sample = re.compile(r'([a-z_:][a-z0-9_:]*)(\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)')
declared, seen = {}, set()
for line in text.splitlines():
    if line.startswith("# "):
        kind, name, rest = line[2:].split(" ", 2)
        declared.setdefault(name, {})[kind] = rest
        continue
    m = sample.fullmatch(line)
    assert m, line
    float(m[4])
    assert declared[m[1]]["TYPE"] == "gauge" and declared[m[1]]["HELP"]
    assert (m[1], m[3]) not in seen, line
    seen.add((m[1], m[3]))
    assert m[1] != "hpcai500_fake"
assert ("hpcai500_exported_records", None) in seen
others = [labels for name, labels in seen if name == "hpcai500_quality_other"]
assert others and all(',metric="rmse"' in labels for labels in others), others
assert not re.search(r'"(ada|n1|n2|4711)"', text), "users, nodes and jobs are not labels"
P
    # Nothing is left behind, and the old file stands, when it cannot be written.
    cp "$out/x.prom" "$out/old"
    run "$hpcai500" export --prometheus="$out/x.prom" nowhere.json
    [ "$status" -eq 3 ]
    cmp "$out/x.prom" "$out/old"
    [ "$(ls "$out" | grep -c prom)" -eq 1 ]
}

@test "a quality of a name that is not this release's is in CSV alone, and a name twice is one series" {
    jq '.workloads[0].quality.others = [{name: "auc", value: 0.9}, {name: "auc", value: 0.8}, {name: "a b\"", value: 1},
        {name: "=1+1", value: 2}, {name: "map", value: null}, {name: "iou", value: "x"}]' lab-4711.0.3.json > "$out/lab-4711.0.3.json"
    "$hpcai500" export --csv "$out/lab-4711.0.3.json" > "$out/x.csv"
    python3 -c 'import csv, sys; row = next(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
assert row["workload_quality_others"] == "auc=0.9 auc=0.8 a b\"=1 =1+1=2 map= iou=", row' "$out/x.csv"
    "$hpcai500" export --ndjson "$out/lab-4711.0.3.json" | jq -es 'map(.workload.quality.others // empty) | last == {auc: 0.9}'
    "$hpcai500" export --prometheus="$out/x.prom" "$out/lab-4711.0.3.json"
    [ "$(grep -c '^hpcai500_quality_other{' "$out/x.prom")" -eq 1 ]
    grep -q '^hpcai500_quality_other{.*,metric="auc"} 0.9$' "$out/x.prom"
}

@test "prometheus: the collector can read it, whatever the umask" {
    for mask in 077 000; do
        (umask $mask; "$hpcai500" export --prometheus="$out/x.prom" $good)
        [ "$(stat -c %a "$out/x.prom")" = 644 ]
    done
    (umask 077; "$hpcai500" export --csv --output="$out/mine.csv" $good)
    [ "$(stat -c %a "$out/mine.csv")" = 600 ]
    (umask 022; "$hpcai500" export --csv --output="$out/mine.csv" $good)
    [ "$(stat -c %a "$out/mine.csv")" = 644 ]
}

@test "prometheus: promtool agrees" {
    command -v promtool >/dev/null || skip "promtool is not installed (Debian: prometheus)"
    "$hpcai500" export --prometheus="$out/x.prom" $good
    promtool check metrics <"$out/x.prom"
}

@test "prometheus: the number of series has a bound" {
    python3 - "$out" <<'P'
import json, sys
d = json.load(open("lab-4711.0.3.json"))
for i in range(130):
    d["job"]["partition"] = f"p{i}"
    json.dump(d, open(f"{sys.argv[1]}/r{i}.json", "w"))
P
    "$hpcai500" export --prometheus="$out/x.prom" "$out"/r*.json
    [ "$(grep -c '^hpcai500_ranks{' "$out/x.prom")" -eq 100 ]
    [ "$(grep -vc '^#' "$out/x.prom")" -le 2500 ]
    grep -qx 'hpcai500_dropped_groups 30' "$out/x.prom"
}

@test "mllog: a run at the published size is compliant" {
    "$hpcai500" export --mllog --org="A & B" standard.json >"$out/x.log"
    run python3 "$top_srcdir/tests/reports/export/mllog_check.py" "$out/x.log"
    echo "$output"
    [ "$status" -eq 0 ]
    grep -q '"submission_division","value":"closed"' "$out/x.log"
    grep -q '"opt_learning_rate_decay_boundary_epochs","value":\[32,64\]' "$out/x.log"
    grep -q '"submission_org","value":"A & B"' "$out/x.log"
}

@test "mllog: a small run says that it is not one, and nothing else is wrong" {
    "$hpcai500" export --mllog lab-4711.0.3.json >"$out/x.log"
    run python3 "$top_srcdir/tests/reports/export/mllog_check.py" "$out/x.log"
    [ "$status" -eq 1 ]
    [ "$output" = "eval_error never reaches 0.124" ]
    grep -q '"submission_division","value":"open"' "$out/x.log"
    "$hpcai500" export --mllog evil.json >"$out/evil.log" || true
    clean "$out/evil.log"
}

@test "mllog: one run, and one of MLPerf's" {
    run sh -c '"$0" export --mllog standard.json lab-4711.0.3.json 2>&1 >/dev/null' "$hpcai500"
    [ "$status" -eq 3 ]
    [[ "$output" == *"an MLPerf log holds one run: name one record, and --workload=NAME" ]]
    run "$hpcai500" export --mllog --workload=zebra standard.json
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 export: none of its workloads is a benchmark of MLPerf HPC" ]
}

@test "clustercockpit: fields and types of its schema, none invented" {
    "$hpcai500" export --clustercockpit $good >"$out/x"
    clean "$out/x"
    python3 - "$out/x" <<'P'
# Facts: ClusterCockpit's job-meta.schema.json and unit.schema.json (cc-lib).
import json, sys
kinds = {"jobId": int, "user": str, "project": str, "cluster": str, "subCluster": str,
         "partition": str, "arrayJobId": int, "numNodes": int, "numHwthreads": int, "numAcc": int,
         "exclusive": int, "jobState": str, "startTime": int, "duration": int, "resources": list,
         "tags": list, "statistics": dict, "metaData": dict}
bases = {"B", "F", "B/s", "F/s", "CPI", "IPC", "Hz", "W", "J", "\u00b0C", ""}
docs = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
assert len(docs) == 5
for d in docs:
    for k, v in d.items():
        assert isinstance(v, kinds[k]) and not isinstance(v, bool), (k, v)
    assert d["jobState"] in ("completed", "failed", "stopped") and d["duration"] > 0
    assert all(set(r) == {"hostname"} for r in d["resources"])
    for s in d["statistics"].values():
        assert set(s) == {"unit", "avg", "min", "max"} and 0 <= s["min"] <= s["avg"] <= s["max"]
        assert set(s["unit"]) == {"base"} and s["unit"]["base"] in bases
# Its archiver's statistics are means over nodes: 512 samples of 0.21 GFLOP in 8.25 s on 2 nodes.
assert docs[0]["statistics"]["flops_any"]["avg"] == 6516360000
assert docs[0]["numHwthreads"] == 448 and "numHwthreads" not in docs[1]  # shared nodes
P
}

@test "clustercockpit-data: the series of the same jobs, by its schema, from what was measured" {
    python3 - "$out" <<'P'
import json, sys
d = json.load(open("lab-4711.0.3.json"))
w = d["workloads"][0]
w["counters"] = {n: {"total": t} for n, t in (
    ("instructions", 9e9), ("cycles", 6e9), ("energy_package_joules", 45000), ("cpu_user_seconds", 4032),
    ("net_receive_bytes", 45e6), ("net_transmit_bytes", 45e6))}
w["epochs"][0]["quality"] = 0.4  # all were evaluated
second = json.loads(json.dumps(w))
second["name"] = "second"
second["epochs"] = second["epochs"][:1]
second["epochs"][0].update(seconds=20, quality=None)  # cut short: its rate is not known
second["counters"] = {"ib_receive_bytes": {"total": 9e9}, "ib_transmit_bytes": {"total": 9e9}}
d["workloads"].append(second)
json.dump(d, open(sys.argv[1] + "/two.json", "w"))
d["job"]["exclusive"] = False
json.dump(d, open(sys.argv[1] + "/shared.json", "w"))
d["job"]["exclusive"] = True
d["job"]["nodes"] = [f"n{i}" for i in range(3000)]
d["system"]["node_count"] = 3000
json.dump(d, open(sys.argv[1] + "/wide.json", "w"))
P
    for what in clustercockpit clustercockpit-data; do
        "$hpcai500" export --$what $good "$out/two.json" "$out/shared.json" "$out/wide.json" >"$out/$what"
        clean "$out/$what"
    done
    python3 - "$out" <<'P'
# Facts: job-data.schema.json and job-metric-data.schema.json: metric, scope, then
# unit, timestep [s], and per host statistics and at least one value, none below 0.
import json, math, sys
meta, data = ([json.loads(l) for l in open(f"{sys.argv[1]}/{n}", encoding="utf-8")]
              for n in ("clustercockpit", "clustercockpit-data"))
assert len(meta) == len(data) == 8
for m, d in zip(meta, data):
    assert set(d) == set(m["statistics"])
    hosts = [r["hostname"] for r in m["resources"]]
    for name, scopes in d.items():
        assert set(scopes) == {"node"}
        metric = scopes["node"]
        assert set(metric) == {"unit", "timestep", "series"}
        assert metric["unit"] == m["statistics"][name]["unit"]
        step = metric["timestep"]
        assert isinstance(step, int) and step >= 1
        assert [s["hostname"] for s in metric["series"]] == hosts
        for s in metric["series"]:
            assert set(s) == {"hostname", "statistics", "data"}
            assert len(s["data"]) == math.ceil(m["duration"] / step)
            known = [v for v in s["data"] if v is not None]
            assert known and min(known) >= 0
            assert s["statistics"]["min"] == min(known) and s["statistics"]["max"] == max(known)
            assert math.isclose(s["statistics"]["avg"], sum(known) / len(known), rel_tol=1e-5)
            assert s["statistics"] == {k: m["statistics"][name][k] for k in ("avg", "min", "max")}
two, shared, wide = data[5:]
line = lambda d, name: d[name]["node"]["series"][0]["data"]
# 2.5 s of staging, thrice 8.25 s of training and 2.83 s of evaluation; 45 s of counters; then
# a workload of whose only epoch the rate is not known. Seconds, asked at their middle.
eval_ = 8.5 / 3
def during(t):
    return any(2.5 + k * (8.25 + eval_) <= t < 2.5 + 8.25 + k * (8.25 + eval_) for k in range(3))
assert len(line(two, "ipc")) == 100
for i in range(100):
    t = i + 0.5
    flops, wait = line(two, "flops_any")[i], line(two, "hpcai500_input_wait")[i]
    assert (flops is not None) == during(t), (t, flops)
    assert (wait is not None) == (during(t) or 47.5 <= t < 67.5), (t, wait)
    assert line(two, "ipc")[i] == (1.5 if t < 45 else None)
    assert line(two, "cpu_power")[i] == (500 if t < 45 else None)
    assert line(two, "cpu_user")[i] == (20 if t < 45 else None)
    assert line(two, "net_bw")[i] == (1e6 if t < 45 else 2e8 if t < 90 else None), t
assert line(two, "flops_any")[5] == 6516360000
assert line(two, "hpcai500_samples_per_second")[5] == 31.0303
assert "mem_power" not in two
# Of shared nodes nothing that others had a part in; of wide jobs no more than there is room for.
assert set(shared) == {"flops_any", "hpcai500_samples_per_second", "hpcai500_input_wait", "ipc"}
assert wide["net_bw"]["node"]["timestep"] == 13 and len(line(wide, "net_bw")) == 8
P
    "$hpcai500" export --clustercockpit-data --workload=second "$out/two.json" >"$out/x"
    python3 - "$out/x" <<'P'
import json, sys
d = json.load(open(sys.argv[1]))
assert set(d) == {"hpcai500_input_wait", "net_bw"}
assert [v is None for v in d["net_bw"]["node"]["series"][0]["data"]] == [not 45 <= i < 90 for i in range(100)]
P
}

@test "xdmod: what its maps read stands where they read it" {
    "$hpcai500" export --xdmod $good >"$out/x"
    clean "$out/x"
    python3 - "$out/x" <<'P'
# Facts: xdmod-supremm's dataset maps: acct.*, shared, summarization.complete, METRIC.avg.
import json, sys
docs = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]
assert len(docs) == 5
a = docs[0]["acct"]
assert a == {"id": 4711, "user": "ada", "account": "phys", "partition": "batch", "nodes": 2,
             "ncpus": 448, "start_time": 1795374177, "end_time": 1795374277,
             "host_list": ["n1", "n2"]}
assert docs[0]["shared"] is False and "shared" not in docs[1]  # not known
assert docs[0]["summarization"]["complete"] is True
assert docs[3]["summarization"]["complete"] is False
assert docs[0]["hpcai500"]["cosmoflow"]["samples_per_second"] == {"avg": 61.5}
P
}

@test "confidential: no canary is in any sink" {
    (umask 077; head -c 32 /dev/urandom >"$out/salt")
    printf 'confidential = yes\nsalt = %s\n' "$out/salt" >"$HPCAI500_CONF"
    python3 - "$out" <<'P'
import json, sys
d = json.load(open("lab-4711.0.3.json"))
n = 0
def plant(o):
    global n
    for k, v in (list(o.items()) if isinstance(o, dict) else list(enumerate(o))):
        if isinstance(v, (dict, list)):
            plant(v)
        elif isinstance(v, str) and k not in ("schema", "schema_version", "start", "end"):
            o[k] = f"CANARY{n}"
            n += 1
    if isinstance(o, dict) and o is not d:
        o[f"CANARY{n}"] = "CANARY"
name = d["workloads"][0]["name"]
plant(d)
d["workloads"][0]["name"] = name  # a name that is not a workload's is taken away with the rest
json.dump(d, open(sys.argv[1] + "/canary.json", "w"))
P
    grep -q CANARY "$out/canary.json"
    for format in ndjson csv junit mllog xdmod clustercockpit clustercockpit-data prometheus="$out/x.prom"; do
        run "$hpcai500" export --$format "$out/canary.json"
        [ "$status" -eq 0 ]
        no grep -qi canary <<<"$output"
    done
    [ -s "$out/x.prom" ]
    no grep -qi canary "$out/x.prom"
}

@test "redact: who ran it becomes a hash in every sink" {
    (umask 077; head -c 32 /dev/urandom >"$out/salt")
    printf 'redact = user,host,cluster\nsalt = %s\n' "$out/salt" >"$HPCAI500_CONF"
    for format in ndjson csv junit xdmod clustercockpit clustercockpit-data; do
        run "$hpcai500" export --$format lab-4711.0.3.json
        [ "$status" -eq 0 ]
        no grep -q '"ada"\|,ada,\|"n1"\|lab-4711' <<<"$output"
    done
    run "$hpcai500" export --csv lab-4711.0.3.json
    [[ "$output" == *u-????????????????* ]]
}

@test "from the history: what is asked for, each run once" {
    [ -x "$top_builddir/tests/reports/history/make_history" ] || skip "this build has no history"
    mkdir "$out/archive"
    "$top_builddir/tests/reports/history/make_history" "$out/history.sqlite" "$out/archive" 6
    printf 'history = %s\narchive = %s\n' "$out/history.sqlite" "$out/archive" >"$HPCAI500_CONF"
    run "$hpcai500" export --csv
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 9 ]
    run "$hpcai500" export --csv --user=ada --since=2026-11-22T20:00 --until=2026-11-22T23:00 --workload=cosmoflow
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 4 ]
    [[ "${lines[1]}" == lab-4712.0.3,* ]]
    [[ "${lines[3]}" == lab-4714.0.3,* ]]
    run "$hpcai500" export --ndjson --job=4713
    [ "${#lines[@]}" -eq 2 ]
    run "$hpcai500" export --csv --user=adda
    [ "$status" -eq 3 ]
    [[ "$output" == *"adda"*"ada"* ]]
    run "$hpcai500" export --csv --since=yesterdy
    [ "$status" -eq 2 ]
    run "$hpcai500" export --csv --user=ada lab-4711.0.3.json
    [ "$status" -eq 2 ]
}

@test "what is cut is cut between characters" {
    for record in long.json longx.json; do
        for format in ndjson csv junit mllog xdmod clustercockpit clustercockpit-data prometheus="$out/x.prom"; do
            "$hpcai500" export --$format $record >"$out/x"
            iconv -f UTF-8 -t UTF-8 "$out/x" >/dev/null
        done
        iconv -f UTF-8 -t UTF-8 "$out/x.prom" >/dev/null
    done
}

@test "steps: a row per step, from the file that the record names and no other" {
    [ -f lab-4711.0.3.steps.gz ] || skip "this build has no zlib"
    mkdir "$out/run" "$out/lone"
    cp lab-4711.0.3.json lab-4711.0.3.steps.gz "$out/run"
    cp lab-4711.0.3.json "$out/lone"
    "$hpcai500" export --steps "$out/run/lab-4711.0.3.json" >"$out/x.csv"
    python3 - "$out/x.csv" <<'P'
import csv, sys
raw = open(sys.argv[1], newline="").read()
assert raw.endswith("\r\n") and raw.count("\n") == raw.count("\r\n")
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
assert [(r["rank"], r["node"], r["epoch"], r["step"]) for r in rows] == \
    [(str(k), f"n{k + 1}", "1", str(s)) for k in (0, 1) for s in (0, 1, 2)]
last = rows[-1]
assert (last["id"], last["workload"], last["position"], last["last_rank"]) == \
    ("lab-4711.0.3", "cosmoflow", "0", "1")
assert (last["begin_seconds"], last["own_seconds"]) == ("100.5000000", "0.1250000")
assert last["wait_end_0_seconds"] == "0.1625000" and last["half_0_seconds"] == ""
assert "start_1_seconds" not in last
P
    [ "$("$hpcai500" export --steps --workload=hep "$out/run/lab-4711.0.3.json" | wc -l)" -eq 1 ]
    # one byte more, none at all, no steps, two runs, none named
    echo >>"$out/run/lab-4711.0.3.steps.gz"
    run "$hpcai500" export --steps "$out/run/lab-4711.0.3.json"
    [ "$status" -eq 3 ]
    [[ "$output" == *"lab-4711.0.3.steps.gz is not the steps file that its record names: it was changed, or is another" ]]
    run "$hpcai500" export --steps "$out/lone/lab-4711.0.3.json"
    [ "$status" -eq 3 ]
    [[ "$output" == *"/lone/lab-4711.0.3.steps.gz: No such file or directory" ]]
    run "$hpcai500" export --steps lab-4713.0.3.json
    [ "$status" -eq 3 ]
    [[ "$output" == *"lab-4713.0.3.json names no steps file: no steps were kept" ]]
    run "$hpcai500" export --steps lab-4711.0.3.json lab-4711.0.3.json
    [ "$status" -eq 3 ]
    [[ "$output" == *"--steps is of one run at a time" ]]
    run "$hpcai500" export --steps
    [ "$status" -eq 3 ]
    [[ "$output" == *"--steps is of runs that are named: give FILE or JOB" ]]
    # what a site hides is not in a file beside
    (umask 077; head -c 32 /dev/urandom >"$out/salt")
    printf 'redact = user,host\nsalt = %s\n' "$out/salt" >"$HPCAI500_CONF"
    run "$hpcai500" export --steps lab-4711.0.3.json
    [ "$status" -eq 3 ]
    [[ "$output" == *"the site redacts this record, and a steps file cannot be redacted" ]]
}
