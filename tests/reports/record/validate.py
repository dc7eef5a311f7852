#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""validate.py [--mutate|--refused LIST] FILE...: are these records what the schema and its words promise?

Schema (JSON Schema 2020-12, by python3-jsonschema); every null has a reason;
every reason but the well-known ones explains a null; the hashes of the nine
layers and of the ranks' file are right. --mutate: deletes, retypes and adds
every field in turn and expects the schema to refuse each. --refused: puts
the values that LIST names at its paths and expects the same.
Exit 0: yes, 1: no (one line per fault), 77: python3-jsonschema is not there.
"""
import copy
import gzip
import hashlib
import json
import os
import re
import sys

try:
    import jsonschema
except ImportError:
    print("validate.py: python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

TOP = os.environ.get("top_srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
SCHEMA = os.path.join(TOP, "reports/record/record.schema.json")


class Number(str):
    """A number as it was spelt, so that hashes can be made again."""


def spelt(o):
    """JSON without white space, numbers as they were."""
    if isinstance(o, Number):
        return str(o)
    if isinstance(o, dict):
        return "{" + ",".join(json.dumps(k) + ":" + spelt(v) for k, v in o.items()) + "}"
    if isinstance(o, list):
        return "[" + ",".join(spelt(v) for v in o) + "]"
    return json.dumps(o, ensure_ascii=False)


def no_twice(pairs):
    keys = [k for k, _ in pairs]
    twice = {k for k in keys if keys.count(k) > 1}
    if twice:
        raise ValueError(f"key twice: {twice}")
    return dict(pairs)


def refuse(word):
    raise ValueError(f"{word} is not JSON")


def places(o, path=""):
    """(path, value) of everything below o."""
    if isinstance(o, dict):
        rows = ((f"{path}.{k}" if path else k, v) for k, v in o.items())
    elif isinstance(o, list):
        rows = ((f"{path}[{i}]", v) for i, v in enumerate(o))
    else:
        return
    for at, v in rows:
        yield at, v
        if at != "reasons":
            yield from places(v, at)


def check_reasons(doc):
    nulls = {at for at, v in places(doc) if v is None}
    for at in sorted(nulls - set(doc["reasons"])):
        yield f"{at} is null without a reason"
    known = re.compile(r"(workloads\[\d+\]\.)?(valid|status|phases|profile)$|journal\[\d+\]$")
    for at in sorted(set(doc["reasons"]) - nulls):
        if not known.match(at):
            yield f"a reason for {at}, which is not null"


def check_hashes(text, path):
    raw = json.loads(text, parse_int=Number, parse_float=Number)
    for name, layer in raw["system"]["layers"].items():
        said = layer.pop("hash")
        if hashlib.sha256(spelt(layer).encode()).hexdigest() != said:
            yield f"the hash of layer {name} is wrong"
    if raw["steps_file"]:
        beside = os.path.join(os.path.dirname(path), raw["steps_file"]["name"])
        data = open(beside, "rb").read()
        if hashlib.sha256(data).hexdigest() != raw["steps_file"]["sha256"]:
            yield f"the hash of {beside} is wrong"
        head = json.loads(gzip.decompress(data).split(b"\n", 1)[0])
        if head["id"] != raw["id"] or head["schema"] != "hpcai500/steps":
            yield f"{beside} belongs to {head['id']}"
    if raw["ranks_file"]:
        beside = os.path.join(os.path.dirname(path), raw["ranks_file"]["name"])
        with open(beside, "rb") as f:
            data = f.read()
        if hashlib.sha256(data).hexdigest() != raw["ranks_file"]["sha256"]:
            yield f"the hash of {beside} is wrong"
            return
        ranks = json.loads(gzip.decompress(data) if beside.endswith(".gz") else data)
        if ranks["id"] != raw["id"]:
            yield f"{beside} belongs to {ranks['id']}"


def check_sums(doc):
    for i, w in enumerate(doc["workloads"]):
        error = w["phase_sum_error"]
        if error is not None and error > 0.02 and f"workloads[{i}].phases" not in doc["reasons"]:
            yield f"workloads[{i}]: phases miss the wall time by {error} and no reason says so"


def check(validator, path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if len(text.encode()) > 1 << 20:
        yield "more than 1 MiB"
    doc = json.loads(text, object_pairs_hook=no_twice, parse_constant=refuse)
    faults = [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors(doc)]
    yield from faults
    if faults:
        return
    if os.path.basename(path) != doc["id"] + ".json":
        yield f"the id is {doc['id']}"
    yield from check_reasons(doc)
    yield from check_hashes(text, path)
    yield from check_sums(doc)


# Maps, whose keys are data: a key less is not an error.
MAPS = re.compile(r"^reasons$|^workloads\[\d+\]\.counters$")


def wrong(v):
    """A value of another type than v and than null."""
    if v is None:
        return {"wrong": 1}
    if isinstance(v, (dict, list, bool)):
        return "wrong"
    return [v]


def holders(o, path=""):
    """(path, holder) of every object, the document first."""
    if isinstance(o, dict):
        yield path, o
    if isinstance(o, (dict, list)):
        rows = o.items() if isinstance(o, dict) else enumerate(o)
        for k, v in rows:
            at = f"{path}[{k}]" if isinstance(o, list) else f"{path}.{k}" if path else k
            yield from holders(v, at)


def mutate(validator, path):
    """Every field deleted, retyped, and a stranger added, one at a time."""
    with open(path, encoding="utf-8") as f:
        doc = json.load(f)
    tried = 0

    def refused(what):
        nonlocal tried
        tried += 1
        if validator.is_valid(doc):
            yield f"not refused: {what}"

    for at, o in list(holders(doc)):
        if not MAPS.match(at):
            o["stranger"] = 1
            yield from refused(f"{at}.stranger added")
            del o["stranger"]
        for k in list(o):
            keep = copy.copy(o)
            if not MAPS.match(at):
                del o[k]
                yield from refused(f"{at}.{k} deleted")
            o[k] = wrong(keep[k])
            yield from refused(f"{at}.{k} retyped")
            o.clear()
            o.update(keep)
    if not validator.is_valid(doc):
        yield "the record was not put back"
    print(f"{path}: {tried} changes tried", file=sys.stderr)


VALUES = {
    "minus_one": -1, "minus_two": -2, "zero": 0, "fraction": 1.5, "two": 2, "huge": 1e30, "null": None,
    "empty": "", "control": "\x01x", "blank": "x y", "word": "word", "long": "x" * 5000,
}


def refused(listed):
    """What --refused does, for the rows of LIST."""
    rows = [line.split() for line in listed if line.strip() and not line.startswith("#")]

    def job(validator, path):
        with open(path, encoding="utf-8") as f:
            doc = json.load(f)
        for at, *names in rows:
            steps = [int(s) if s.isdigit() else s for s in re.findall(r"[^.\[\]]+", at)]
            holder = doc
            try:
                for step in steps[:-1]:
                    holder = holder[step]
                was = holder[steps[-1]]
            except (KeyError, IndexError, TypeError):
                yield f"{at} is not in the record"
                continue
            for name in names:
                holder[steps[-1]] = was * 5000 if name == "many" else VALUES[name]
                if validator.is_valid(doc):
                    yield f"not refused: {at} {name}"
            holder[steps[-1]] = was
        if not validator.is_valid(doc):
            yield "the record was not put back"
        print(f"{path}: {sum(len(r) - 1 for r in rows)} values tried", file=sys.stderr)

    return job


def main():
    args = sys.argv[1:]
    job = check
    if args[:1] == ["--mutate"]:
        job = mutate
        args = args[1:]
    elif args[:1] == ["--refused"] and len(args) > 1:
        with open(args[1], encoding="utf-8") as f:
            job = refused(f.readlines())
        args = args[2:]
    if not args:
        sys.exit(__doc__)
    with open(SCHEMA, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = False
    for path in args:
        try:
            faults = list(job(validator, path))
        except (OSError, ValueError, KeyError, TypeError) as fault:
            faults = [f"{type(fault).__name__}: {fault}"]
        for fault in faults:
            print(f"{path}: {fault}")
        failed = failed or bool(faults)
    sys.exit(1 if failed else 0)


main()
