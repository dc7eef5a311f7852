#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 show --buy: on records and steps files of machines whose limit is known.

load ../../no

setup_file() {
    export RUNS=$(mktemp -d)
    for what in healthy network latency storage shared; do
        mkdir "$RUNS/$what"
        "$top_builddir/tests/reports/tools/make_buy" "$RUNS/$what" "$what" >"$RUNS/$what/path"
    done
}

teardown_file() {
    rm -r "$RUNS"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    hpcai500=$top_builddir/reports/tools/hpcai500
    printf 'history = %s\nreader = %s\n' "$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/noreader" >"$BATS_TEST_TMPDIR/conf"
    export HPCAI500_CONF=$BATS_TEST_TMPDIR/conf
}

# --buy of the run $1 with further options; JSON's value at the jq-like path is py's business.
buy() {
    local run=$1
    shift
    run "$hpcai500" show --buy "$@" "$(cat "$RUNS/$run/path")"
    echo "$output"
    [ "$status" -eq 0 ]
}

# Truth of a Python expression about the JSON: w is its first workload, by() finds a
# purchase.
holds() {
    python3 -c '
import json, sys
d = json.load(sys.stdin); w = d["workloads"][0]
def by(what): return next(p for p in w["purchases"] if p["what"] == what)
def free(what, k): return next(f for f in w["free"] if f["what"] == what and f["factor"] == k)
sys.exit(not ('"$1"'))' <<<"$output"
}

# A price file: $1 more lines of [buy x], $2 the mix.
prices() {
    cat >"$BATS_TEST_TMPDIR/prices.conf" <<END
currency = EUR
as_of = 2026-11-01
kwh = 0.24
life_years = 5
hours_available_per_year = 8300
nodes = 16
${3:-}
[node *]
purchase = 11800
power_watts = 640
[buy x]
$1
$2
END
    prices=--prices=$BATS_TEST_TMPDIR/prices.conf
}

@test "without prices: gains with intervals, free measures first, refusals by name" {
    buy network
    [[ "$output" == *"A step takes "*"; played again "* ]]
    [[ "$output" == *"First, for nothing"*"Then, for money:"* ]]
    [[ "$output" == *"network bandwidth × 2"*"between "*" and "*" times as fast"* ]]
    [[ "$output" == *"processors × 2"*"no answer: how much of the work"* ]]
    [[ "$output" != *EUR* && "$output" != *saves* ]]
    [ -z "$(LC_ALL=C.UTF-8 awk 'length > 80' <<<"$output")" ]
}

@test "the JSON has what the text says" {
    buy network --json
    holds 'd["schema"] == "hpcai500/buy" and w["name"] == "cosmoflow"'
    holds 'abs(w["replay"]["error"]) < 0.03 and w["shared_cores"] is False'
    holds '1.1 < by("network_bandwidth")["gain"]["middle"] < 1.9'
    holds 'by("compute")["gain"]["state"] == "refused" and by("compute")["gain"]["low"] is None'
    holds '"price" not in by("storage") and "money" not in w'
}

# asked I CASE KIND FACTOR: the answer to question I holds what that machine really does
asked() {
    local truth
    truth=$("$top_builddir/tests/reports/tools/make_buy" truth "$2" "$3" "$4")
    echo "truth of $3: $truth"
    holds 'w["asked"]['"$1"']["gain"]["state"] == "predicted" and w["asked"]['"$1"']["gain"]["low"] <= '"$truth"' <= w["asked"]['"$1"']["gain"]["high"]'
}

@test "a record with the transport's test answers for latency and bandwidth, and says what a message takes" {
    buy latency --json --what=network_latency:4,network_bandwidth:2
    asked 0 latency network_latency 4
    holds 'w["asked"][0]["gain"]["middle"] > 1.15'
    holds 'w["asked"][1]["gain"]["state"] == "predicted" and w["asked"][1]["gain"]["middle"] < 1.1'
    buy network --json --what=network_latency:4
    holds 'w["asked"][0]["gain"]["why"] == "the time of a message was not measured: the run has no transport test"'
    run "$hpcai500" show --why "$(cat "$RUNS/latency/path")"
    [[ "$output" == *"transport, 9 rounds: a message 3000 us (2940 to 3060), a phase's software"* ]]
    [[ "$output" == *"200 us (180 to 220), bytes at 3"*" GB/s (98 to 102 %)"* ]]
    [[ "$output" == *"memory binds 0 to 0 % of the operators' time"* ]]
}

@test "a record that knows what memory binds answers for processors, untested" {
    buy latency --json --what=compute:2,memory_bandwidth:2
    asked 0 latency compute 2
    holds 'w["asked"][0]["gain"]["untested"] and w["asked"][1]["gain"]["state"] == "bound"'
    buy latency --what=compute:2
    [[ "$(tr -s ' \n' ' ' <<<"$output")" == *"processors × 2 between "*" times as fast (untested)"* ]]
}

@test "slow storage: what faster storage brings" {
    buy storage --json --what=storage:2
    holds '1.1 < w["asked"][0]["gain"]["middle"] < 1.6 and w["asked"][0]["gain"]["low"] > 1'
    buy network --json
    holds 'by("storage")["gain"]["state"] in ("bound", "refused")'
}

@test "a healthy run says at most what a network could bring" {
    buy healthy --json
    holds 'by("network_bandwidth")["gain"]["state"] == "bound"'
    holds '1 < by("network_bandwidth")["gain"]["high"] < 1.06'
}

@test "to the target quality: epochs of more nodes and other batches enter, or there is no answer" {
    buy network --json --what=batch:3,nodes:2,network_bandwidth:2,nodes_weak:2
    # the same batch: as many epochs, and no more gained than samples per second and evaluation
    holds 'w["asked"][1]["quality"]["state"] == "predicted" and w["asked"][1]["quality"]["epochs"] == 1'
    holds '1 < w["asked"][1]["quality"]["middle"] and w["asked"][1]["quality"]["low"] < w["asked"][1]["quality"]["middle"] < w["asked"][1]["quality"]["high"]'
    holds 'w["asked"][0]["quality"]["state"] == "refused" and w["asked"][0]["quality"]["why"] == "epochs to the target at a batch of 24 were not measured"'
    holds '"quality" not in w["asked"][2]'
    holds 'by("nodes")["quality"]["epochs"] == 1 and len([p for p in w["purchases"] if p["what"] == "nodes_weak"]) == 2'
    buy network --what=batch:3
    [[ "${output//$'\n'/ }" == *"batch × 3 "*"to the target quality "*"no answer: epochs to the target at a batch"*"of 24 were not measured"* ]]
    [ -z "$(LC_ALL=C.UTF-8 awk 'length > 80' <<<"$output")" ]
    # of a target of its own the reference points do not hold, at the same batch they are not asked
    jq '.run.canonical = "cosmoflow,class=tiny,target=0.4"' "$(cat "$RUNS/network/path")" >"$(dirname "$(cat "$RUNS/network/path")")/own.json"
    run "$hpcai500" show --buy --json --what=batch:2,nodes:2 "$(dirname "$(cat "$RUNS/network/path")")/own.json"
    holds '"of its own" in w["asked"][0]["quality"]["why"] and w["asked"][1]["quality"]["state"] == "predicted"'
}

@test "worth it at the lower end only, against nodes for the same money" {
    prices $'resource = nodes\nfactor = 2\nper_node = 10' $'[mix]\ncosmoflow = 0.9'
    buy healthy --json "$prices"
    holds 'by("nodes")["worth"] == "worth it" and by("nodes")["advised"]'
    holds 'by("nodes")["rival"]["nodes"] < 1.01'
    buy healthy "$prices"
    [[ "$output" == *"saves between "*": worth it"* ]]
    [[ "$output" == *"the price file does not say what support costs"* ]]
    prices $'resource = nodes\nfactor = 2\nper_node = 90000' $'[mix]\ncosmoflow = 0.9'
    buy healthy --json "$prices"
    holds 'by("nodes")["worth"] == "not worth it" and not by("nodes")["advised"]'
}

@test "an interval on both sides of the price is undecided" {
    prices $'resource = network_bandwidth\nfactor = 2\nper_node = 4000' $'[mix]\ncosmoflow = 0.9'
    buy network --json "$prices"
    holds 'by("network_bandwidth")["saved_low"] < by("network_bandwidth")["price"] < by("network_bandwidth")["saved_high"]'
    holds 'by("network_bandwidth")["worth"] == "undecided" and not by("network_bandwidth")["advised"]'
}

@test "without a mix there is no sum of the site" {
    prices $'resource = network_bandwidth\nfactor = 8\nper_node = 10' ''
    buy network "$prices"
    [[ "$output" == *"[mix] does not have this workload"* ]]
    [[ "$output" != *saves* ]]
    [[ "$output" == *"% for 1,000 EUR"* ]]
}

@test "money has two digits and is no power of ten" {
    prices $'resource = nodes\nfactor = 2\nper_node = 10' $'[mix]\ncosmoflow = 0.9'
    buy healthy "$prices"
    [[ "$output" == *"x costs 160 EUR"* ]]
    [[ "$output" != *e+* ]]
    prices $'resource = nodes\nfactor = 2\nper_node = 9000000' ''
    buy healthy "$prices"
    [[ "$output" == *"x costs 140 million EUR"* ]]
}

@test "a price file without an option: its mix is not said to lack the workload" {
    prices '' $'[mix]\ncosmoflow = 0.9'
    sed -i '/^\[buy x\]/d' "$BATS_TEST_TMPDIR/prices.conf"
    buy network "$prices"
    [[ "$output" == *"node-hour "*" EUR"*"Then, for money:"* ]]
    [[ "$output" != *"does not have this workload"* && "$output" != *" costs "[-–]* ]]
}

# A record describes 64 nodes at most, and says how many there were.
@test "a run of more nodes than its record describes costs what all of them cost" {
    mkdir "$BATS_TEST_TMPDIR/large"
    cp "$RUNS"/network/* "$BATS_TEST_TMPDIR/large"
    local record=$BATS_TEST_TMPDIR/large/$(basename "$(cat "$RUNS/network/path")")
    jq '.system.node_count = 1000' "$(cat "$RUNS/network/path")" >"$record"
    prices $'resource = nodes\nfactor = 2\nper_node = 10' ''
    run "$hpcai500" show --buy --json "$prices" "$record"
    [ "$status" -eq 0 ]
    local large=$output
    buy network --json "$prices"
    [ "$(jq '.workloads[0].nodes' <<<"$large")" = 1000 ]
    [ "$(jq --argjson two "$output" '.workloads[0].money.run / $two.workloads[0].money.run | round' <<<"$large")" = 500 ]
}

# runs=: workloads of one name, the first of a healthy machine, the second of a slow network.
@test "each run of a training is asked about its own steps" {
    mkdir "$BATS_TEST_TMPDIR/runs"
    python3 - "$(cat "$RUNS/healthy/path")" "$(cat "$RUNS/network/path")" "$BATS_TEST_TMPDIR/runs/two.json" <<'END'
import gzip, hashlib, json, os, sys, zlib
def read(path):
    record = json.load(open(path))
    data = open(os.path.join(os.path.dirname(path), record["steps_file"]["name"]), "rb").read()
    head = zlib.decompressobj(31)
    return record, json.loads(head.decompress(data)), head.unused_data
a, head, first = read(sys.argv[1])
b, other, second = read(sys.argv[2])
a["workloads"] += b["workloads"]
head["workloads"] += other["workloads"]
head["blocks"] += [[1] + block[1:] for block in other["blocks"]]
data = gzip.compress(json.dumps(head).encode() + b"\n") + first + second
open(os.path.join(os.path.dirname(sys.argv[3]), a["steps_file"]["name"]), "wb").write(data)
a["steps_file"]["sha256"] = hashlib.sha256(data).hexdigest()
json.dump(a, open(sys.argv[3], "w"))
END
    run "$hpcai500" show --buy --json "$BATS_TEST_TMPDIR/runs/two.json"
    echo "$output"
    [ "$status" -eq 0 ]
    holds 'by("network_bandwidth")["gain"]["state"] == "bound"'
    holds 'd["workloads"][1]["purchases"][2]["what"] == "network_bandwidth"'
    holds 'd["workloads"][1]["purchases"][2]["gain"]["middle"] > 1.1'
}

@test "a question of one's own, and a wrong one" {
    buy network --json --what=network_bandwidth:4,nodes:2,network_bandwidth:100
    holds 'len(w["asked"]) == 3 and w["asked"][0]["factor"] == 4'
    holds 'w["asked"][0]["gain"]["middle"] > 1.2'
    holds 'w["asked"][2]["gain"]["why"] == "100 times what was measured is beyond 64 times"'
    run "$hpcai500" show --buy --what=luck:2 "$(cat "$RUNS/network/path")"
    [ "$status" -eq 3 ]
    [[ "$output" == *"there is no question 'luck'"* ]]
}

@test "expired prices warn" {
    prices $'resource = storage\nfactor = 2\nper_node = 10' '' 'valid_until = 2020-01-01'
    buy network "$prices"
    [[ "$output" == *"they were valid until 2020-01-01: this run is later"* ]]
}

@test "on shared cores nothing is advised" {
    prices $'resource = nodes\nfactor = 2\nper_node = 1' $'[mix]\ncosmoflow = 1'
    buy shared --json "$prices"
    holds 'w["shared_cores"] and not any(p["advised"] for p in w["purchases"])'
    buy shared
    [[ "$output" == *"Other work shares these cores"* ]]
}

@test "a run without its steps is refused with a sentence" {
    cp "$(cat "$RUNS/network/path")" "$BATS_TEST_TMPDIR/alone.json"
    run "$hpcai500" show --buy "$BATS_TEST_TMPDIR/alone.json"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == *steps* ]]
}
