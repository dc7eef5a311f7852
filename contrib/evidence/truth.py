#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The plan of truth.sh, and its tables.

truth.py plan SEED LINES CODE    the runs that LINES lacks of this code, a JSON line each
truth.py tables LINES            confusion matrix, errors, coverage
"""
import collections
import json
import math
import random
import statistics
import sys

COMPONENTS = ["cosmoflow", "hep", "defect"]
INJECTED, CLEAN = 72, 30
FOREIGN = 0.10  # of a step: beyond it a run is made again; what watches over this machine takes 5 to 6 % itself
NEAR = 3        # clean runs that are the reference of an injected one
VISIBLE = 1.10  # a step this much longer than theirs is limited by what was injected: the rule's own border

# case: causes that name it, the node that has to be named, and mild and strong bands
CASES = {
    "nothing": (["processor", "kernels", "memory_bandwidth", "batch_norm"], None, None),
    "network": (["network", "network_bandwidth", "network_latency", "not_overlapped"], None, ((400, 800), (100, 300))),
    "network-n2": (["network", "network_bandwidth", "network_latency", "not_overlapped"], "n2", ((300, 600), (80, 200))),
    "delay": (["network", "network_latency", "not_overlapped"], None, ((300, 500), (800, 1400))),
    "quota": (["withheld"], None, ((70, 85), (35, 60))),
    "quota-n2": (["node_quota"], "n2", ((70, 85), (35, 60))),
    "storage": (["storage", "storage_bandwidth", "storage_latency"], None, ((6, 9), (2, 4))),
    "memory": (["memory_size"], None, ((6, 9), (2, 4))),
    "workers": (["input", "storage_latency", "decode"], None, ((1, 1), (1, 1))),
    "small": (["network", "network_latency", "not_overlapped", "exchange_software", "processor", "kernels", "memory_bandwidth"],
              None, ((4, 4), (2, 2))),
    "threads": (["too_many_threads"], None, ((3, 4), (6, 8))),
    "two": (["no_single_bottleneck"], None, ((150, 300), (80, 120))),
}
# says that it lies near, but not what it is
VAGUE = {"network": ["batch_norm"], "delay": ["batch_norm", "network_bandwidth"], "network-n2": ["batch_norm"], "storage": ["input"], "memory": ["input", "storage", "storage_bandwidth"], "workers": ["storage"]}
# that no injection of the others can have: a set that memory can nearly hold, in a step that it can
MEMORY = ("cosmoflow", 150)


def injections(case, value):
    both = ["n1", "n2"]
    if case == "network":
        return [{"node": n, "what": "network", "value": f"{value}mbit"} for n in both]
    if case == "network-n2":
        return [{"node": "n2", "what": "network", "value": f"{value}mbit"}]
    if case == "delay":
        return [{"node": n, "what": "delay", "value": value} for n in both]
    if case == "quota":
        return [{"node": n, "what": "cpu", "value": value} for n in both]
    if case == "quota-n2":
        return [{"node": "n2", "what": "cpu", "value": value}]
    if case == "storage":
        return [{"node": n, "what": "storage", "value": value * 1000000} for n in both]
    if case == "memory":
        return [{"node": n, "what": "storage", "value": value * 1000000} for n in both] + \
            [{"node": n, "what": "memory", "value": MEMORY[1] * 1000000} for n in both]
    if case == "two":
        return [{"node": "n1", "what": "cpu", "value": 60}, {"node": "n2", "what": "network", "value": f"{value}mbit"}]
    return []


def keys_of(case, value):
    if case in ("storage",):
        return "threads=1,keep=no"
    if case == "workers":
        return "threads=1,keep=no,workers=1,ahead=1"
    if case == "threads":
        return f"threads={value}"
    if case == "small":
        return f"threads=1,batch={value}"
    return "threads=1"


# clean runs of each component, and what is asked of them; what they are called where another
# run is their truth
CLEAN_KINDS = ["plain", "batch", "plain", "nodes", "plain", "half", "plain", "batch", "plain", "nodes"]
CLEAN_ASKS = {
    "plain": [("batch:2", "batch"), ("batch:0.5", "half"), ("nodes:2", "nodes")],
    "batch": [("batch:0.5", "nothing"), ("batch:0.25", "half")],
    "half": [("batch:2", "nothing"), ("batch:4", "batch")],
    "nodes": [("nodes:0.5", "nothing")],
}
# of a run: hep has eight times as many samples, which are small
BATCH = {"cosmoflow": 8, "hep": 32, "defect": 8}
TIMES = {"batch": 2, "half": 0.5}


def asks(case, value, levels, kind):
    """Questions whose truth another run of the plan is: {what, of: key of those runs}."""
    if case == "network":
        return [{"what": f"network_bandwidth:{v / value:g}", "of": f"network {v}"} for v in levels if v != value]
    if case == "storage":
        return [{"what": f"storage:{v / value:g}", "of": f"storage {v}"} for v in levels if v != value]
    if case == "nothing":
        return [{"what": what, "of": of} for what, of in CLEAN_ASKS[kind]]
    return []


def levels_of(rng, case):
    """Mild and strong in turn: two of each where one predicts the other, else one."""
    mild, strong = CASES[case][2]
    levels = []
    while len(levels) < (4 if case in ("network", "storage") else 2):
        value = rng.randint(*(strong if len(levels) % 2 else mild))
        if value not in levels or case not in ("network", "storage"):
            levels.append(value)
    return levels


def plan(seed):
    """102 runs in order: two or three injected, one clean. Each level of network and storage is there
    for each component, so that the truth of every question is."""
    rng = random.Random(seed)
    names = [c for c in CASES if c != "nothing"]
    levels = {case: levels_of(rng, case) for case in names}
    injected = []
    for case in names:
        n = len(levels[case])
        for i in range(12 if n == 4 else 3 if case in ("memory", "small") else 6):
            component = MEMORY[0] if case == "memory" else COMPONENTS[(i if case == "small" else i // n) % 3]
            injected.append((case, levels[case][i % n], component, "plain"))
    rng.shuffle(injected)
    clean = [("nothing", 0, COMPONENTS[i % 3], CLEAN_KINDS[i // 3]) for i in range(CLEAN)]
    assert len(injected) == INJECTED
    order = []
    for i, c in enumerate(clean):
        order += injected[INJECTED * i // CLEAN:INJECTED * (i + 1) // CLEAN] + [c]
    for number, (case, value, component, kind) in enumerate(order, 1):
        yield {
            "run": number, "case": case, "value": value, "component": component, "kind": kind,
            "nodes": "n1,n2,n3,n4" if kind == "nodes" else "n1,n2",
            "keys": keys_of(case, value) + ("" if case == "small" else f",batch={BATCH[component] * TIMES.get(kind, 1):g}"),
            "chill": case in ("storage", "workers"),
            "inject": injections(case, value),
            "ask": asks(case, value, levels.get(case, []), kind),
        }


def read(path, code=None):
    lines = [json.loads(x) for x in open(path) if x.strip()]
    return [x for x in lines if code is None or x["code"] == code]


def undisturbed(x):
    return not (x.get("foreign") or 0) > FOREIGN


def key(x):
    """What a question's `of` names."""
    if x["kind"] != "plain":
        return x["kind"]
    return "nothing" if x["case"] == "nothing" else f"{x['case']} {x['value']}"


# ---- tables ----

def met(lines, x):
    """Whether what was injected made the step longer at all; unknown: it did."""
    now, clean = at_yardstick(x), truth_of(lines, x, "nothing")
    return not now or not clean or x["case"] == "small" or now >= VISIBLE * statistics.median(clean)


def judgement(lines, x):
    """right, abstained, wrong resource, wrong node"""
    want, node, _ = CASES[x["case"]]
    cause, at = x.get("cause"), x.get("node")
    if x["case"] != "nothing" and cause in CASES["nothing"][0] and not met(lines, x):
        return "right"  # a throttle that nothing met limits nothing
    if x["case"] == "two":
        first = {c["cause"] for c in x.get("causes", [])[:2]}
        if cause == "no_single_bottleneck":
            return "right" if any("network" in c for c in first) and any(c in ("node_quota", "withheld") for c in first) else "abstained"
        return "abstained" if cause in ("node_quota", "network", "network_bandwidth", "withheld") else "wrong resource"
    if cause in (None, "no_single_bottleneck", "unknown", "several"):
        return "abstained"
    if cause in want:
        return "right" if node is None or at == node else "wrong node" if at else "right"
    if cause in VAGUE.get(x["case"], []):
        return "abstained"
    if cause in CASES["nothing"][0]:
        return "abstained"  # a throttle that nobody saw
    if cause in ("node_was_slower", "slow_node"):
        return "wrong node" if x["case"] == "nothing" or at != node else "abstained"
    return "wrong resource"


def at_yardstick(x):
    """Step in units of the run's own yardstick: a slower hour is not a slower machine."""
    if not x.get("step") or not x.get("yardstick"):
        return None
    return x["step"] / (x["yardstick"] / (x.get("speed") or 1))


def truth_of(lines, x, of):
    near = [y for y in lines if key(y) == of and y["component"] == x["component"] and undisturbed(y) and at_yardstick(y)]
    near.sort(key=lambda y: abs(y["run"] - x["run"]))
    return [at_yardstick(y) for y in near[:NEAR]]


def predictions(lines):
    """(kind, run, ln error, covered, ln noise of the reference)"""
    for x in lines:
        asked = {f"{a['what']}:{a['factor']:g}": a["gain"] for a in x.get("asked") or []}
        for a in x["ask"]:
            gain = asked.get(a["what"])
            if not gain or gain["state"] != "predicted" or not at_yardstick(x):
                yield a["what"].split(":")[0], x["run"], None, None, (gain or {}).get("why"), x
                continue
            truth = truth_of(lines, x, a["of"])
            if not truth:
                continue
            batch = float(a["what"].split(":")[1]) if a["what"].startswith("batch:") else 1
            true_gain = batch * at_yardstick(x) / statistics.median(truth)
            noise = math.log(max(truth) / min(truth)) if len(truth) > 1 else float("nan")
            yield (a["what"].split(":")[0], x["run"], math.log(gain["middle"] / true_gain),
                   gain["low"] <= true_gain <= gain["high"], noise, x)


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if whole else "–"


def aims(good, verdicts, told):
    """What the campaign is for, and whether it holds."""
    def error(rows):
        return [abs(math.expm1(r[2])) for r in rows]

    def part(n, of):
        return 100 * n / of if of else float("nan")
    nodes = error(r for r in told if r[0] == "nodes" and r[5]["nodes"] == "n1,n2")
    all_errors = error(told)
    covered = part(sum(r[3] for r in told), len(told))
    rows = [
        ("a wrong resource in at most 2 % of the runs", part(verdicts["wrong resource"], len(good)), lambda v: v <= 2),
        ("a wrong node in at most 2 %", part(verdicts["wrong node"], len(good)), lambda v: v <= 2),
        ("right in at least 90 % (aim 95)", part(verdicts["right"], len(good)), lambda v: v >= 90),
        ("median error at most 6 % (aim 5)", 100 * statistics.median(all_errors) if all_errors else float("nan"), lambda v: v <= 6),
        ("at least 85 % of the predictions within 10 % (aim 90)", part(sum(e <= 0.1 for e in all_errors), len(all_errors)), lambda v: v >= 85),
        ("90 % intervals cover 84 to 96 %", covered, lambda v: 84 <= v <= 96),
        ("of at least 120 predictions", len(told), lambda v: v >= 120),
        ("four nodes from two: median error at most 8 %", 100 * statistics.median(nodes) if nodes else float("nan"), lambda v: v <= 8),
        ("of at least 6 pairs", len(nodes), lambda v: v >= 6),
    ]
    print("\n| aim | here | |\n|---|---|---|")
    for name, value, holds in rows:
        print(f"| {name} | {value:.1f} | {'–' if math.isnan(value) else 'holds' if holds(value) else 'missed'} |")


def tables(path):
    lines = read(path)
    codes = collections.Counter(x["code"] for x in lines)
    if not codes:
        print("no runs")
        return
    code = lines[-1]["code"]
    lines = [x for x in lines if x["code"] == code]
    good = [x for x in lines if undisturbed(x)]
    print(f"code {code}: {len(lines)} runs, {len(good)} undisturbed; of other code: {len(read(path)) - len(lines)}\n")

    seen = collections.defaultdict(collections.Counter)
    verdicts = collections.Counter()
    for x in good:
        j = judgement(good, x)
        seen[x["case"]][x.get("cause") or "none"] += 1
        verdicts[j] += 1
    names = sorted({c for row in seen.values() for c in row})
    print("| injected | " + " | ".join(names) + " |\n|---" * 1 + "|---" * len(names) + "|")
    for case in CASES:
        if seen[case]:
            print(f"| {case} | " + " | ".join(str(seen[case][c] or "") for c in names) + " |")
    print("\n| judged | runs | |\n|---|---|---|")
    for name in ("right", "abstained", "wrong resource", "wrong node"):
        print(f"| {name} | {verdicts[name]} | {percent(verdicts[name], len(good))} |")

    rows = list(predictions(good))
    told = [r for r in rows if r[2] is not None]
    print("\n| what-if | predictions | median error | within 10 % | covered by 90 % | refused | noise of the reference |\n|---|---|---|---|---|---|---|")
    for kind in sorted({r[0] for r in rows}) + ["all"]:
        mine = [r for r in told if kind in (r[0], "all")]
        refused = len([r for r in rows if r[2] is None and kind in (r[0], "all")])
        if not mine:
            print(f"| {kind} | 0 | – | – | – | {refused} | – |")
            continue
        errors = [abs(math.expm1(r[2])) for r in mine]
        noise = [r[4] for r in mine if not math.isnan(r[4])]
        print(f"| {kind} | {len(mine)} | {100 * statistics.median(errors):.1f} % | {percent(sum(e <= 0.1 for e in errors), len(mine))} "
              f"| {percent(sum(r[3] for r in mine), len(mine))} | {refused} "
              f"| {f'{100 * statistics.median(noise):.0f} %' if noise else '–'} |")
    aims(good, verdicts, told)
    replays = [abs(x["replay"]["error"]) for x in good if x.get("replay")]
    if replays:
        print(f"\nReplay of the same steps: mean {100 * statistics.mean(replays):.1f} %, worst {100 * max(replays):.1f} %.")


def main():
    if sys.argv[1:2] == ["plan"] and len(sys.argv) == 5:
        done = {x["run"] for x in read(sys.argv[3], sys.argv[4]) if undisturbed(x)}
        for x in plan(int(sys.argv[2])):
            if x["run"] not in done:
                print(json.dumps(x))
    elif sys.argv[1:2] == ["tables"] and len(sys.argv) == 3:
        tables(sys.argv[2])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
