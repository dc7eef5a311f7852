# SPDX-License-Identifier: BSD-3-Clause
"""trace.py RANKS.json.gz TRACE...: the phases of steady epochs from function traces (one
of each rank, by rank) beside what the record's ranks say; see trace.sh.

Of a step, in times of the trace:

    take_batch      make_step's rest ...       sums_wait 1   ...   sums_wait B
    |--input--|-----------own-----------|tail|---wait---|...|---wait---|.update.|
                              r: last sums_start     a: first sums_wait

    exchange_cpu = sums_start and sums_progress before r, and r to a
    imbalance = what of the waits lies before the last rank's r
"""
import gzip
import json
import sys

PARTS = ("input_wait", "compute", "exchange_cpu", "imbalance", "exposed_allreduce", "update", "agree", "other")


def events(path):
    """(seconds, entered, name), in order."""
    with open(path) as f:
        for line in f:
            t, way, name = line.split()
            yield float(t), way == ">", name


def epochs_of(path):
    """Per epoch: [begin, end, steps, agreements]; evaluations' seconds beside."""
    epochs, since, step, evaluations = [], {}, None, []
    for t, entered, name in events(path):
        if entered:
            since[name] = t
            if name == "train_epoch":
                epochs.append([t, t, [], 0.0])
            elif name == "make_step":
                step = {"begin": t, "calls": [], "waits": []}
            continue
        took = (since[name], t)
        if name == "train_epoch":
            epochs[-1][1] = t
        elif name == "evaluate":
            evaluations.append(t - took[0])
        elif name == "agree_between":
            epochs[-1][3] += t - took[0]
        elif name == "make_step":
            step["end"] = t
            epochs[-1][2].append(step)
            step = None
        elif step is not None and name == "take_batch":
            step["input"] = took
        elif step is not None and name == "sums_wait":
            step["waits"].append(took)
        elif step is not None and name in ("sums_start", "sums_progress"):
            step["calls"].append(took)
            if name == "sums_start":
                step["ready"] = took[0]
    return epochs, evaluations


def parts_of(epoch, last_ready):
    """Seconds of each part of an epoch."""
    begin, end, steps, agree = epoch
    p = dict.fromkeys(PARTS, 0.0)
    p["agree"] = agree
    for step, last in zip(steps, last_ready):
        r, a = step["ready"], step["waits"][0][0]
        before = sum(e - b for b, e in step["calls"] if e <= r)
        waited = sum(e - b for b, e in step["waits"])
        skew = sum(max(0.0, min(e, last) - b) for b, e in step["waits"])
        p["input_wait"] += step["input"][1] - step["input"][0]
        p["compute"] += r - step["input"][1] - before
        p["exchange_cpu"] += before + a - r
        p["imbalance"] += skew
        p["exposed_allreduce"] += waited - skew
        p["update"] += step["end"] - a - waited
    p["other"] = end - begin - sum(p.values())
    return p


def main():
    ranks = json.load(gzip.open(sys.argv[1]))["workloads"][0]["ranks"]
    traces = [epochs_of(path) for path in sys.argv[2:]]
    # one row of steps a rank; the first epoch stays apart, as in the record
    steady = [epochs[1:] for epochs, _ in traces]
    total = [dict.fromkeys(PARTS, 0.0) for _ in traces]
    for k in range(len(steady[0])):
        last = [max(s["ready"] for s in row) for row in zip(*(e[k][2] for e in steady))]
        for i, e in enumerate(steady):
            for name, seconds in parts_of(e[k], last).items():
                total[i][name] += seconds
    worst = 0.0
    print(f"{'rank':4} {'phase':18} {'record':>10} {'trace':>10} {'difference':>11}, of the steady epochs")
    for i, own in enumerate(total):
        phases = ranks[i]["phase_seconds"]
        length = sum(e[1] - e[0] for e in steady[i])
        recorded = 0.0
        for name in PARTS:
            said = phases[name]
            if name == "compute":
                said += phases["withheld"]
            if name == "other":  # the rest of the run stands there, too
                continue
            recorded += said
            worst = max(worst, abs(said - own[name]) / length)
            print(f"{i:4} {name:18} {said:10.4f} {own[name]:10.4f} {100 * (said - own[name]) / length:10.3f} %")
        print(f"{i:4} {'sum':18} {recorded:10.4f} {length - own['other']:10.4f} "
              f"{100 * (recorded - length + own['other']) / length:10.3f} %")
        worst = max(worst, abs(recorded - length + own["other"]) / length)
        evaluation = sum(traces[i][1])
        print(f"{i:4} {'evaluation':18} {phases['evaluation']:10.4f} {evaluation:10.4f} "
              f"{100 * (phases['evaluation'] / evaluation - 1):10.3f} % of it")
        worst = max(worst, abs(phases["evaluation"] / evaluation - 1))
    print(f"the largest difference: {100 * worst:.3f} % (2 % are allowed)")
    return worst > 0.02


sys.exit(main())
