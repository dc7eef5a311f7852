#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""mllog_check.py LOG: is it a log of MLPerf HPC? One complaint a line; exit 1.

Independent of the exporter. Facts, from the compliance checker of MLCommons
(PyPI mlperf_logging 4.1.68, compliance_checker/hpc_3.0.0/{common,closed_common,
closed_cosmoflow,open_common,open_cosmoflow}.yaml and mlp_parser) and from the
MLPerf HPC training rules: every line begins with ':::MLLOG ' and goes on with a
JSON object of time_ms, key, value, metadata, event_type, namespace; which keys
stand once, at least once, under which conditions, is in the tables below;
init_stop follows init_start within 30 minutes and is before run_start, which is
before run_stop; CosmoFlow's quality is `eval_error`, reached at 0.124.
"""
import json
import sys

number = lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
ONCE = {
    "submission_org": lambda v: v != "",
    "submission_platform": lambda v: v != "",
    "submission_division": lambda v: v in ("closed", "open"),
    "submission_status": lambda v: v in ("cloud", "onprem", "preview", "research"),
    "submission_benchmark": lambda v: v in ("deepcam", "cosmoflow", "oc20", "openfold"),
    "init_stop": None, "run_start": None, "run_stop": None,
    "train_samples": lambda v: v != "", "eval_samples": lambda v: v != "",
}
ONCE_CLOSED = {
    "number_of_nodes": lambda v: v > 0, "accelerators_per_node": lambda v: v >= 0,
    "global_batch_size": lambda v: v > 0, "opt_name": lambda v: v in ("sgd", "SGD"),
    "opt_base_learning_rate": lambda v: v >= 0,
    "opt_learning_rate_warmup_epochs": lambda v: v >= 0,
    "opt_learning_rate_warmup_factor": lambda v: v >= 0,
    "opt_learning_rate_decay_boundary_epochs": None, "opt_learning_rate_decay_factor": None,
}
IN_EPOCH = ("epoch_start", "epoch_stop", "eval_start", "eval_stop", "eval_error")
PAIRS = (("init_start", "init_stop"), ("staging_start", "staging_stop"),
         ("run_start", "run_stop"), ("epoch_start", "epoch_stop"), ("eval_start", "eval_stop"))
EVENTS = {"_start": "INTERVAL_START", "_stop": "INTERVAL_END"}

complaints = []
lines = []
for i, text in enumerate(open(sys.argv[1], encoding="utf-8"), 1):
    if not text.startswith(":::MLLOG "):
        complaints.append(f"line {i} does not begin with ':::MLLOG '")
        continue
    o = json.loads(text[len(":::MLLOG "):])
    lines.append(o)
    if set(o) != {"namespace", "time_ms", "event_type", "key", "value", "metadata"}:
        complaints.append(f"line {i} has the fields {sorted(o)}")
    if not isinstance(o["time_ms"], int):
        complaints.append(f"time_ms of line {i} is not an integer")
    if not isinstance(o["metadata"].get("lineno"), int) or not o["metadata"].get("file"):
        complaints.append(f"line {i} does not say file and lineno")
    wanted = next((e for end, e in EVENTS.items() if o["key"].endswith(end)), "POINT_IN_TIME")
    if o["event_type"] != wanted:
        complaints.append(f"{o['key']} is a {o['event_type']}")

at = lambda key: [o for o in lines if o["key"] == key]
once = dict(ONCE)
if [o["value"] for o in at("submission_division")] == ["closed"]:
    once.update(ONCE_CLOSED)
for key, good in once.items():
    if len(at(key)) != 1:
        complaints.append(f"{key} stands {len(at(key))} times")
    elif good and not good(at(key)[0]["value"]):
        complaints.append(f"{key} is {at(key)[0]['value']!r}")
for key in ("cache_clear", "init_start", "epoch_start", "epoch_stop", "eval_start", "eval_stop",
            "eval_error"):
    if not at(key):
        complaints.append(f"{key} is missing")
for key in IN_EPOCH:
    if any(not number(o["metadata"].get("epoch_num")) for o in at(key)):
        complaints.append(f"{key} does not say epoch_num")
if any("status" not in o["metadata"] for o in at("run_stop")):
    complaints.append("run_stop does not say its status")
order = [next((i for i, o in enumerate(lines) if o["key"] == k), -1)
         for k in ("init_start", "init_stop", "run_start", "epoch_start", "run_stop")]
if order != sorted(order):
    complaints.append("init, run and epochs are out of order")
times = [o["time_ms"] for o in lines]
if times != sorted(times):
    complaints.append("the time goes back")
if at("init_start") and at("init_stop"):
    if at("init_stop")[0]["time_ms"] - at("init_start")[0]["time_ms"] >= 30 * 60 * 1000:
        complaints.append("init takes 30 minutes or more")
for start, stop in PAIRS:
    if len(at(start)) != len(at(stop)):
        complaints.append(f"{start} and {stop} do not pair")
if at("eval_error") and not any(0 < o["value"] <= 0.124 for o in at("eval_error")):
    complaints.append("eval_error never reaches 0.124")
print("\n".join(complaints))
sys.exit(bool(complaints))
