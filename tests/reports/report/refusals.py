#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""refusals.py TREE: sentences of reports/predict without a row in reports/report/refusals.def,
and rows that no sentence has; a line each."""
import glob
import re
import sys

tree = sys.argv[1]
LITERAL = r'"(?:[^"\\]|\\.)*"'
# Said of the command line, to who typed it; and what ends the program.
ELSEWHERE = ("out of memory", "'", "there is no question", "more than %d questions")


def texts(source):
    """Formats that end in an answer's `why`: of err_set(), of snprintf() into a why."""
    call = r'(?:err_set\(\s*[\w&>.\-]+\s*,|snprintf\(\s*why\s*,[^,]+,|refuse\(\s*\w+\s*,\s*\w+\s*,)\s*'
    for m in re.finditer(call + rf'((?:{LITERAL}\s*)+)', source):
        yield "".join(t[1:-1] for t in re.findall(LITERAL, m[1]))


def pattern(form):
    """A sentence's, with anything in its places."""
    return "".join(".+" if p.startswith("%") and p != "%%" else re.escape(p.replace("%%", "%"))
                   for p in re.split(r"(%%|%[-.0-9*]*l?[a-z])", form) if p)


rows = [m for m in re.findall(rf'^REFUSAL\(({LITERAL})', open(f"{tree}/reports/report/refusals.def", encoding="utf-8").read(), re.M)]
rows = [re.sub(r"\{\d\}", "7", r[1:-1]) for r in rows]
used = set()
said = 0
for path in sorted(glob.glob(f"{tree}/reports/predict/*.c")):
    for form in texts(open(path, encoding="utf-8").read()):
        if form.startswith(ELSEWHERE):
            continue
        said += 1
        mine = {r for r in rows if re.fullmatch(pattern(form), r)}
        used |= mine
        if not mine:
            print(f"{path.split('/')[-1]}: no row for: {form}")
for row in rows:
    if row not in used:
        print(f"no sentence is made of the row: {row}")
if said < 25 or len(rows) < 25:
    print(f"only {said} sentences and {len(rows)} rows were found")
