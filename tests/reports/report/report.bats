#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 report and compare: golden records of every state, in both languages, in a real browser.

load ../../no

setup_file() {
    export PLACE=$BATS_FILE_TMPDIR HPCAI500_EXEC_PATH=$top_builddir/reports/tools LC_ALL=C.UTF-8
    BROWSER=$(command -v chromium || command -v google-chrome || true)
    export BROWSER
    "$top_builddir/tests/reports/report/make_gallery" "$PLACE"
    "$top_builddir/tests/reports/record/make_records" "$PLACE" >/dev/null
    cd "$PLACE" || return 1
    sed 's/^\[node \*\]/[node EPYC 9354 | none | eth0 | H13]/' "$top_srcdir/reports/report/prices.conf.example" >prices.conf
    report whole-en.html --prices=prices.conf whole.json again.json third.json
    report whole-ja.html --lang=ja --prices=prices.conf whole.json again.json third.json
    report partial-en.html partial.json # no price file
    report invalid-ja.html --lang=ja invalid.json
    report alone-en.html --prices=prices.conf alone.json # one rank, no Slurm, no network
    report ceilings-ja.html --lang=ja ceilings.json
    report hostile-en.html --prices=prices.conf hostile.json
    report thousands-en.html --prices=prices.conf thousands.json
    report scaling-ja.html --lang=ja whole.json wider.json
    report redacted-en.html --redact whole.json
    report sizes-en.html whole.json again.json third.json wider.json
    report held-en.html --prices=prices.conf held.json # a diagnosis, a profile, ceilings of every level
    report held-ja.html --lang=ja --prices=prices.conf held.json
    report several-ja.html --lang=ja several.json
    jq '.workloads |= map(.why.confirmed = false | .why.node = "<script>n2</script>")' held.json >open.json
    report open-en.html open.json
    jq '.workloads |= map(.phases as $p | .phases.withheld = $p.compute | .phases.compute = ($p.compute | map_values(if type == "number" then . / 10 else . end)))' whole.json >withheld.json
    report withheld-en.html withheld.json
    report withheld-ja.html --lang=ja withheld.json
    for what in healthy network shared; do # with their steps files, of machines whose limit is known
        mkdir "$what"
        "$top_builddir/tests/reports/tools/make_buy" "$what" "$what" >"$what/path"
        # nothing is in the way of believing it: no gate fails, the cause is confirmed
        jq '.workloads[0] |= (.why = {cause: "processor", confirmed: true, visible: 0.04, foreign: 0, causes: []}
            | .quality.epochs_to_target = 40)' "$(cat "$what/path")" >"$what/sure.json"
        jq '.id = "lab-2.0.0"' "$what/sure.json" >"$what/sure2.json"
        jq '.id = "lab-3.0.0"' "$what/sure.json" >"$what/sure3.json"
    done
    cat >bought.conf <<'END'
nodes = 16
currency = EUR
as_of = 2026-11-01
life_years = 5
hours_available_per_year = 8300
kwh = 0.24
[node *]
purchase = 11800
power_watts = 640
[buy more nodes]
resource = nodes
factor = 2
per_node = 10
[buy gold nodes]
resource = nodes
factor = 2
per_node = 90000
[buy links]
resource = network_bandwidth
factor = 2
per_node = 100
[buy luck]
resource = luck
factor = 2
per_node = 100
[mix]
cosmoflow = 0.9
END
    report bought-en.html --prices=bought.conf healthy/sure*.json
    report bought-ja.html --lang=ja --prices=bought.conf healthy/sure*.json
    report waits-en.html --prices=bought.conf "$(cat healthy/path)"
    report chances-en.html --prices=bought.conf held.json # three trainings and four purchases
    report chances-ja.html --lang=ja --prices=bought.conf held.json
    report network-en.html network/sure.json # no price file
    report shared-steps-ja.html --lang=ja --prices=bought.conf shared/sure*.json
    # nine trainings of one record, as those of a whole suite are
    jq '.workloads += ([.workloads[] | .name = "my-" + .name] + [.workloads[] | .name = "other-" + .name])' held.json >many.json
    report many-en.html --prices=prices.conf many.json
    report many-ja.html --lang=ja --prices=prices.conf many.json
    compare whole.json,again.json,third.json faster.json >compared
    compare --html=compare-en.html whole.json,again.json,third.json faster.json again.json
    compare --html=compare-ja.html --lang=ja whole.json partial.json
}

compare() { "$top_builddir/reports/tools/hpcai500" compare "$@"; }

setup() { cd "$PLACE" || return 1; }

report() { local out=$1; shift; "$top_builddir/reports/tools/hpcai500" report -o "$out" "$@"; }
browser() { [ -n "$BROWSER" ] || skip "no browser is installed (Debian: chromium)"; }
look() { python3 "$top_srcdir/tests/reports/report/look.py" "$@"; }

@test "every row of the words is used" {
    sed -n 's/^W(\([A-Z0-9_]*\),.*/\1/p' "$top_srcdir"/reports/report/words*.def >keys
    [ "$(wc -l <keys)" -gt 250 ]
    while read -r key; do
        grep -qE "\bW_$key\b" "$top_srcdir"/reports/report/*.c || { echo "nothing says $key"; false; }
    done <keys
    while read -r key; do
        grep -qxF "${key#W_}" keys || { echo "$key has no row"; false; }
    done < <(grep -ohE '\bW_[A-Z0-9_]+\b' "$top_srcdir"/reports/report/*.c | sort -u)
}

@test "every refusal of the simulator has a row in both languages, and a Japanese page says it so" {
    python3 "$top_srcdir/tests/reports/report/refusals.py" "$top_srcdir" >rows
    cat rows
    [ ! -s rows ]
    python3 - bought-ja.html <<'END'
import html, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
section = page[page.index('<h2 id="whatif"'):]
section = section[:section.index("</section>")]
table = section[section.index("予測できないもの"):]
why = [html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<td[^>]*>(.*?)</td>", table[:table.index("</table>")], re.S)][1::2]
assert len(why) >= 3, why
for w in why + [c for c in re.findall(r"上限値：(.*?)<", section)]:
    assert re.search("[ぁ-ん]", w) and not re.search("[a-z]+ [a-z]+ [a-z]+", w), w
END
}

@test "what is wrong on purpose is seen in this browser" {
    browser
    look wild "$BROWSER" >wild
    cat wild
    while IFS='|' read -r name words; do
        grep "^$name " wild | grep -qF "$words" || { echo "$name is not seen"; false; }
    done <<'END'
console|console: 
request|a request: http://evil.test/x.png
handler|attribute onclick
outside|leaves the page: http://evil.test/
twice|an id is there twice
dangling|nothing is called nowhere
heading|a heading skips a level
scope|a th without scope
silent|a picture without a title
empty|a picture without ink
beyond|a text outside of its picture
wide|it scrolls sideways at 360
pale|contrast of
long|page one is
END
}

@test "pages of every state are calm, complete and readable; page one is one sheet of A4" {
    browser
    fonts=$(fc-list :lang=ja 2>/dev/null | head -1)
    [ -n "$fonts" ] || echo "# no Japanese font here (Debian: fonts-ipafont-gothic): the breaks of -ja pages are not those of a reader" >&3
    look check "$BROWSER" ./*-en.html ./*-ja.html >found
    cat found
    [ ! -s found ]
}

@test "all plots are there" {
    # the split twice and its section's, both drawn twice; life; three curves; three stairs, spread, three histories twice
    [ "$(grep -c '<svg ' whole-en.html)" -eq 22 ]
    [ "$(grep -c '<svg ' whole-ja.html)" -eq 22 ]
    [ "$(grep -c '<svg ' ceilings-ja.html)" -eq 0 ]
    # a run alone has no history; three rooflines twice, and the two of distributed learning
    [ "$(grep -c '<svg ' held-en.html)" -eq 24 ]
    [ "$(grep -c '<svg ' held-ja.html)" -eq 24 ]
}

@test "the numbers of a page agree with each other and with the record" {
    python3 - whole-en.html whole.json again.json third.json <<'END'
import html, json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
doc = json.load(open(sys.argv[2]))
def rows(section):
    body = page[page.index(f'<h2 id="{section}"'):]
    body = body[:body.index("</section>")]
    for table in re.findall(r"<tbody.*?</tbody>", body, re.S):
        yield [[html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ").replace(",", "") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)]
               for r in re.findall(r"<tr.*?</tr>", table, re.S)]
times = list(rows("time"))
for row, work in zip(times[0], doc["workloads"]):
    cells = [re.fullmatch(r"([\d.]+) \(([\d.]+) %\)", c).groups() for c in row[1:9]]
    assert abs(sum(float(s) for s, _ in cells) - float(row[9])) < .05, row
    assert abs(sum(float(p) for _, p in cells) - 100) < .4, row
    assert row[0] == work["name"]
    assert abs(sum(p["median_seconds"] for p in work["phases"].values()) - float(row[9])) < .02 or work is not doc["workloads"][0]
money = list(rows("money"))[-1]
value = [float(r[1].strip("\u20ac")) for r in money]
assert abs(sum(value[:4]) - value[4]) <= 2, money
assert abs(sum(float(r[2].split()[0]) for r in money[:4]) - 100) < .3, money
assert money[4][2] == "100.0 %"
# page one says what the sections say
big = re.findall(r'<p class="big">([\d.]+)', page)
wait = {r[0]: r[1] for r in times[1]}
assert len(big) == 3
for n, w in zip(big, doc["workloads"]):
    row = [r for r in times[0] if r[0] == w["name"]][0]
    assert any(abs(float(n) - float(re.search(r"\(([\d.]+)", c).group(1))) <= .51 for c in row[1:9]), (n, row)
# the money of a training is the same on page one; the time and the node-hours are of all records
text = html.unescape(re.sub("<[^>]*>", "", page)).replace("\u00a0", " ")
each = re.search("One training to its target quality: (.*?)[.]\n", text).group(1)
assert each == ", ".join(r[0] + " " + r[4] for r in list(rows("money"))[0]), each
hours = float(re.search(r"([\d.]+) node-hours, ", text).group(1))
minutes, seconds = map(int, re.search(r"UTC on, (\d+) min (\d+) s in all", text).groups())
walls = [json.load(open(name))["time"]["wall_seconds"] for name in sys.argv[2:]]
assert abs(60 * minutes + seconds - sum(walls)) < .51 and abs(hours / (doc["system"]["node_count"] * sum(walls) / 3600) - 1) < .01
assert "Prices of 1 Nov 2026." in text
assert "hep waits for " + wait["hep"].split()[0] in html.unescape(page).replace("\u201c", ""), wait
results = list(rows("results"))[0]
for row, work in zip(results, doc["workloads"]):
    assert abs(float(row[3]) - work["quality"]["achieved"]) < 5e-3 and abs(float(row[4]) - work["quality"]["target"]) < 5e-3
END
}

@test "tokens/s and MFU stand among the results where a record has them" {
    no grep -q 'Use of the arithmetic' whole-en.html
    jq '.workloads[1] |= (.performance += {tokens_per_second: 12800, mfu: 0.375} | .yardstick = {peak_flop_per_second: 8.61e9})' whole.json >used.json
    report used-en.html used.json
    report used-ja.html --lang=ja used.json
    grep -q '演算性能の利用' used-ja.html
    python3 - used-en.html <<'END'
import html, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
table = page[page.index("Use of the arithmetic"):]
table = table[:table.index("</table>")]
rows = [[html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)]
        for r in re.findall(r"<tr.*?</tr>", table, re.S)]
assert len(rows) == 2 and rows[1][0] == "hep" and rows[1][2:] == ["37.5 %", "8.61 GFLOP/s"], rows
END
}

@test "time without a core is a part of its own, a wait, and never computing" {
    grep -q 'is waiting for a core' withheld-en.html
    grep -q '<rect [^>]*class="r"' withheld-en.html
    grep -q 'コア待ち' withheld-ja.html
    no grep -qE 'computing is the limit|hardly waits' withheld-en.html
    python3 - withheld-en.html withheld.json <<'END'
import html, json, re, sys
page = html.unescape(open(sys.argv[1], encoding="utf-8").read()).replace("\u00a0", " ")
for work in json.load(open(sys.argv[2]))["workloads"]:
    phases = {n: p["median_seconds"] or 0 for n, p in work["phases"].items()}
    said = re.search(work["name"] + r": compute .*? wait for a core (\d+) %, .*? other (\d+) %\.", page)
    for k, phase in (1, "withheld"), (2, "other"):
        assert abs(float(said.group(k)) - 100 * phases[phase] / sum(phases.values())) < .51, (said.group(0), phases)
END
}

@test "rooflines, stairs and the gap are the record's numbers" {
    python3 - held-en.html held.json <<'END'
import html, json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
doc = json.load(open(sys.argv[2]))
PREFIX = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
def number(text):
    m = re.fullmatch(r"(-?[\d.]+) ?([kMGT]?)(FLOP/s|B|s|ms|%|)", text)
    assert m, text
    return float(m[1]) * PREFIX[m[2]] / (1000 if m[3] == "ms" else 1)
def near(a, b, room=.06):
    assert abs(a - b) <= .02 * abs(b) + room, (a, b)
def tables(section):
    body = page[page.index(f'<h2 id="{section}"'):]
    body = body[:body.index("</section>")]
    for t in re.findall(r"<tbody.*?</tbody>", body, re.S):
        yield [[html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ").replace(",", "") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)]
               for r in re.findall(r"<tr.*?</tr>", t, re.S)]
found = list(tables("ceilings"))
micro = {m["shape"]: m["median"] for m in doc["micro"] if m["name"] == "machine"}
peak, dram = 450e9, micro["DRAM non-temporal"]
gap = {(r[0], r[1]): r for r in found[4]}
for table, work in zip(found[1:4], doc["workloads"]):
    profile, floors, room = work["profile"], 0, 0
    assert len(table) == 1 + len(profile["operators"])
    for row, op in zip(table[1:], profile["operators"]):
        per = op["bytes"] / op["calls"]
        assert row[0] == op["name"] + " " + op["pass"]
        near(number(row[1]), 100 * op["seconds"] / profile["step_seconds"])
        near(number(row[2]), per)
        if op["needed_flop"]:
            near(number(row[3]), op["needed_flop"] / op["bytes"])
            near(number(row[4]), op["needed_flop"] / op["seconds"])
            assert row[5] in ("arithmetic", "L1", "L2", "L3", "DRAM")
            if row[5] == "arithmetic":
                near(number(row[6]), 100 * op["needed_flop"] / peak / op["seconds"], .51)
        else:
            assert row[3] == row[4] == "\u2013", row
        floors += number(row[6]) / 100 * op["seconds"] / profile["steps"]
        room += .0051 * op["seconds"] / profile["steps"] # whole percents
    operators = gap[work["name"], "operators"]
    near(number(operators[2]), floors, room)
    near(number(operators[4]), profile["operators_seconds"] / profile["steps"], 1e-5)
    near(number(gap[work["name"], "exchange waited for"][2]), profile["exchanged_bytes"] / profile["steps"] / .6e9, 1e-5)
    near(number(gap[work["name"], "reading waited for"][4]), profile["input_seconds"] / profile["steps"], 1e-5)
for table, work in zip(tables("stairs"), doc["workloads"]):
    stairs = {r[0]: number(r[1]) for r in table}
    near(stairs["data sheet"], 4 * 4600e9)
    near(stairs["measured peak"], work["ranks"] * peak)
    near(stairs["over a step"], work["ranks"] * sum(o["flop"] for o in work["profile"]["operators"]) / work["profile"]["step_seconds"])
    assert stairs["over a step"] < stairs["while operators run"] < stairs["library\u2019s convolution"] if "library\u2019s convolution" in stairs else True
    near(stairs["in training"], work["performance"]["flop_per_second"])
    assert stairs["quality-valid"] <= stairs["in training"]
    assert [r for r in table if r[0] == "measured peak"][0][2] == "100 %"
END
    grep -q "data sheet&#39;s peak is not known" partial-en.html # no price file
    no grep -q "data sheet&#39;s peak is not known" held-en.html
    grep -q 'No run here has an operator profile' whole-en.html
}

@test "scaling: strong or weak by the batch, efficiency and the time to quality, drawn" {
    rows() { sed -n '/<h2 id="scaling"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    report weak.html whole.json again.json third.json wider.json
    rows weak.html >weak
    cat weak
    grep -q 'hep 8 weak: the same batch a rank' weak
    [ "$(sed -n '/<h2 id="scaling"/,/<\/section>/p' weak.html | grep -c '<svg ')" -eq 6 ]
    jq '.workloads |= map(.batch = 64)' wider.json >strong.json
    report strong.html whole.json again.json third.json strong.json
    rows strong.html | grep -q 'hep 8 strong: the same batch'
    # wider is 1 / 0.6 as fast on twice the nodes: 83 % of ideal, and as much to quality
    grep -qE 'hep 8 weak: the same batch a rank [0-9.,]+ 1.6[0-9].* 8[0-9] % .* 1.6[0-9]' weak
    jq '.workloads |= map(.dtype = "bf16")' wider.json >bf16.json # another training is no size of this one
    report apart.html whole.json bf16.json
    rows apart.html | grep -q 'One size was measured'
}

@test "repeats: the interval of their mean; of one run there is none" {
    rows() { sed -n '/<h2 id="stability"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    rows whole-en.html
    rows whole-en.html | grep -qE 'hep 3 3 .*[0-9.]+ s to [0-9.]+ s'
    no grep -qE '[0-9.]+ s to [0-9.]+ s' <(rows held-en.html)
}

@test "step to step: the record's lengths; of a record without them its steps file's" {
    python3 - whole-en.html whole.json again.json third.json <<'END'
import html, json, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
docs = [json.load(open(name)) for name in sys.argv[2:]]
body = page[page.index('<h2 id="stability"'):]
runs, steps = [[[html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ").replace(",", "") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)]
                for r in re.findall(r"<tr.*?</tr>", t, re.S)] for t in re.findall(r"<tbody.*?</tbody>", body[:body.index("</section>")], re.S)]
for i, (run, row) in enumerate(zip(runs, steps)):
    works = [d["workloads"][i] for d in docs]
    speeds = [w["performance"]["samples_per_second"] for w in works]
    assert abs(float(run[7].split()[0]) - 100 * (max(speeds) / min(speeds) - 1)) < .06, run
    s = sorted(works, key=lambda w: w["performance"]["time_to_quality_seconds"])[1]["performance"]["stalls"] # the median run
    ms = [float(c.split()[0]) * (1 if c.endswith("ms") else 1000) for c in row[1:4]]
    for got, want in zip(ms, (s["median_seconds"], s["p99_seconds"], s["most_seconds"])):
        assert abs(got / (1000 * want) - 1) < .01, (row, s)
    assert abs(float(row[4]) - s["p99_seconds"] / s["median_seconds"]) < .006
END
    mkdir -p without
    cp healthy/*.steps.gz without
    jq 'del(.workloads[].performance.stalls | .median_seconds, .p99_seconds, .most_seconds)' healthy/sure.json >without/sure.json
    report without.html without/sure.json
    cp "$(cat healthy/path)" without
    "$top_builddir/reports/tools/hpcai500" export --steps "without/$(basename "$(cat healthy/path)")" >steps.csv
    python3 - without.html steps.csv <<'END'
import csv, html, math, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
body = page[page.index('<h2 id="stability"'):]
table = re.findall(r"<tbody.*?</tbody>", body[:body.index("</section>")], re.S)[1]
cells = [html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", table, re.S)]
ms = [float(c.split()[0]) * (1 if c.endswith("ms") else 1000) for c in cells[1:4]]
rows = [r for r in csv.DictReader(open(sys.argv[2])) if r["rank"] == "0" and r["epoch"] != "1"]
length = sorted(1000 * float(next(v for k, v in r.items() if k.startswith("length"))) for r in rows)
for got, want in zip(ms, (length[len(length) // 2], length[math.ceil(.99 * len(length)) - 1], length[-1])):
    assert abs(got / want - 1) < .01, (cells, want)
END
}

@test "of single nodes: the diagnosis, the time of the same work, the newest verdicts of validations" {
    nodes() { sed -n '/<h2 id="nodes"/,/<\/section>/p' "$1" | sed 's/<\/tr>/\n/g' | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    nodes held-en.html
    nodes held-en.html | grep -q 'n2 diagnosis of the run network bandwidth: n2 sends slowly hep 40 % of a step not confirmed'
    nodes held-en.html | grep -qE 'n4 compute time slower than the median cosmoflow 6\.[0-9] % more time in this run alone'
    no grep -qE ' n[13] (diagnosis|compute)' <(nodes held-en.html)
    nodes held-en.html | grep -q 'are not on this page: --history'
    nodes held-ja.html | grep -q 'n2 測定の診断'
    nodes alone-en.html | grep -q 'Nothing is said against a single node'
    [ -x "$top_builddir/tests/reports/history/make_history" ] || skip "this build has no history"
    mkdir -p site site/archive
    "$top_builddir/tests/reports/history/make_history" site/history.sqlite site/archive 2
    verdict() { # NODE WORD TIME CLUSTER RUN
        jq -cn --arg n "$1" --arg w "$2" --argjson t "$3" --arg c "$4" --arg r "$5" '{hpcai500: "verdict 1", node: $n, class: "x", verdict: $w, gated: false,
            metric: (if $w == "GOOD" then "" else "memory.triad" end), loss: (if $w == "GOOD" then null else 48.12 end), limit: null, blind: 4.3, reason: "", cluster: $c,
            job: 1, run: $r, boot_id: "", serial: "", time: $t}'
    }
    { # n2 was good, then slow; n3 the other way; n1 of another cluster is another node
        verdict n2 GOOD 1795000000 lab 1; verdict n3 SLOW 1795000000 lab 1; verdict n1 FAULTY 1795300000 other 9
        verdict n2 SLOW 1795200000 lab 2; verdict n3 GOOD 1795200000 lab 2; verdict n1 GOOD 1795200000 lab 2
    } >site/verdicts.jsonl
    report said.html --history=site/history.sqlite held.json
    nodes said.html >said
    cat said
    grep -qE 'n2 validation SLOW: measured again, and slower memory.triad 48.1 % less confirmed on 20 Nov 2026' said
    no grep -qE 'n3 validation|FAULTY' said
    grep -q 'on the 4 nodes that the records describe: 2 good, 0 to be looked at, 1 slow or faulty, 1 without one' said
    report sagt.html --lang=ja --history=site/history.sqlite held.json
    nodes sagt.html | grep -q '良好2、要確認0、低速または不正1、未検証1'
    rm site/verdicts.jsonl # no validation is on file
    report unsaid.html --history=site/history.sqlite held.json
    nodes unsaid.html | grep -q '0 good, 0 to be looked at, 0 slow or faulty, 4 without one'
}

@test "energy is whose the record says it is, else the price file's, and says so" {
    money() { sed -n '/<h2 id="money"/,/<\/section>/p' "$1" | sed 's/<\/tr>/\n/g' | sed 's/<[^>]*>/ /g; s/&#39;/'"'"'/g; s/\xc2\xa0/ /g' | tr -s ' '; }
    money whole-en.html | grep -qE 'hep .* [0-9.]+ kJ processors and memory \(RAPL\)'
    while IFS='|' read -r source words; do
        jq --arg s "$source" '.workloads |= map(.counters.energy_node_joules = (.counters.energy_package_joules | .source = $s | .total = 123456))' whole.json >energy.json
        report energy.html energy.json
        money energy.html | grep -qE "hep .* 123 kJ $words"
    done <<'END'
/sys/cray/pm_counters/energy|node sensors
the site's command (energy)|the site's command, whole nodes
Slurm's acct_gather_energy (sstat)|Slurm's energy plugin, whole nodes
END
    jq '.workloads |= map(.counters.energy_package_joules = null)' whole.json >dark.json
    report dark.html --prices=prices.conf dark.json # four nodes of so many watts
    money dark.html | grep -qE 'hep .* [0-9.]+ kJ watts of the price file, not measured'
    report dark.html dark.json
    money dark.html | grep -qE 'hep .* – not measured'
}

@test "the site's history: a step is found and drawn, runs are there once, names are not given up" {
    [ -x "$top_builddir/tests/reports/history/make_history" ] || skip "this build has no history"
    mkdir archive
    "$top_builddir/tests/reports/history/make_history" history.sqlite archive 60
    report past-en.html --history=history.sqlite lab-4711.0.3.json
    report past-ja.html --history=history.sqlite --lang=ja lab-4711.0.3.json
    sed -n '/<h2 id="history"/,/<\/section>/p' past-en.html | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' >past
    cat past
    grep -q '60 runs, 59 of them from the site&#39;s history' past # the run itself is in both
    grep -qE 'step +24 Nov 2026 +[0-9.]+ +[0-9.]+ +−7\.[0-9] %' past
    grep -q '段差' past-ja.html
    # the yardstick stayed: it is not the processors
    grep -qE 'At equal processor, in the 60 runs that read the yardstick: −7\.[0-9] % from 24 Nov 2026 on' past
    grep -q 'プロセッサの速さを揃えると' past-ja.html
    # sixteen runs, the later half on slower processors
    for i in $(seq 10 25); do
        jq --argjson i "$i" '(if $i < 18 then 1 else 1.2 end) as $slow | .id = "lab-48\($i).0.3" | .job.job_id = 4800 + $i |
            .time.start = "2026-11-22T19:\($i):57.000Z" | .workloads[0] |= (.yardstick.cpu.mean_seconds = 0.001 * $slow |
            .performance.samples_per_second = (60 + $i * 7 % 10 * 0.01) / $slow)' lab-4711.0.3.json >"of-$i.json"
    done
    report slower.html of-*.json
    sed -n '/<h2 id="history"/,/<\/section>/p' slower.html | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' >slower
    cat slower
    grep -qE 'step +22 Nov 2026 +[0-9.]+ +[0-9.]+ +−16\.[0-9] %' slower
    grep -q 'At equal processor, in the 16 runs that read the yardstick, no step and no drift is found' slower
    report new.html --history=history.sqlite whole.json # other trainings are not earlier runs of this one
    grep -q 'has no other run of these trainings' new.html
    jq '.workloads[0].dtype = "bf16"' lab-4711.0.3.json >other.json
    report other.html --history=history.sqlite other.json
    grep -q 'has no other run of these trainings' other.html
    run report x.html --history=history.sqlite --redact whole.json
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500 report: --redact takes the names by which --history finds earlier runs; leave one of them out" ]
    run report x.html --history=nowhere.sqlite whole.json
    [ "$status" -eq 3 ]
    [ ! -e x.html ]
}

@test "what a missed defect and a false reject cost, by the price file alone" {
    of() { sed -n '/<h2 id="money"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    of held-en.html
    # 2,000,000 parts, 0.4 % flawed, 1 % of those missed at 85; 14 % of the good ones rejected at 3.5
    of held-en.html | grep -q 'defect 1.0 % €6,800 14.0 % €976,080 €982,880'
    of partial-en.html | grep -q 'the price file has no \[inspection\]'
    no grep -q 'hep 1.0 %' <(of held-en.html) # which inspects nothing
}

@test "work above its roof makes the roofline not valid; no roof of its threads is a sentence" {
    jq '.workloads[0].profile.operators[0].seconds /= 100' held.json >above.json
    report above.html above.json
    grep -q 'This roofline is not valid: 1 points are more than 5' above.html
    no grep -q 'This roofline is not valid' held-en.html
    jq '.workloads |= map(.threads = 3)' held.json >threads.json
    report threads.html threads.json
    grep -q 'There is no measured peak and memory of the same precision and threads' threads.html
    jq '.micro = []' held.json >bare.json # the ceilings of another run, of the same class of nodes
    report paired.html bare.json held.json
    [ "$(grep -c 'against the measured peak and memory' paired.html)" -ge 3 ]
    jq '.system.nodes |= map(.class = "another")' held.json >another.json
    report unpaired.html bare.json another.json
    grep -q 'There is no measured peak and memory' unpaired.html
}

@test "what must not be claimed is not" {
    grep -q 'is waiting for data' whole-en.html                # a wait is named,
    grep -q 'The causes are not confirmed yet' whole-en.html   # and not as a cause
    grep -q 'not yet: no gain was predicted' whole-en.html     # nothing is to be bought
    no grep -qE '>(buy|recommended)<' whole-en.html
    grep -q '1 of 3 workloads did not reach\|This run is not valid' partial-en.html
    grep -q '判断の材料にできません' invalid-ja.html
    grep -q 'There is no price file' partial-en.html
    no grep -q '€' partial-en.html
    grep -q 'No steps file of these records is beside its record' whole-en.html
    no grep -qE 'broken|faulty' whole-en.html # only what differs in this run
    grep -q 'fastest and slowest left out' whole-en.html
    no grep -q 'fastest and slowest left out' partial-en.html
}

@test "what limited the steps is said in the page's language, and the path sums to the step" {
    report lab-en.html lab-4711.0.3.json
    report lab-ja.html --lang=ja lab-4711.0.3.json
    grep -q "lift the quota of this node&#39;s control group, or ask Slurm for the processors used" lab-en.html
    grep -q 'CPU クォータ' lab-ja.html
    sum=$(sed 's/<[^>]*>/ /g' lab-en.html | grep -A6 '^ *The slowest path' | grep cosmoflow | sed 's,&nbsp;, ,g; s,\xc2\xa0, ,g' | tr -d % | awk '{for (i = 4; i <= NF; i++) s += $i} END {printf "%.0f", s}')
    [ "$sum" = 100 ]
    grep -q 'these have none' whole-en.html # the golden records have no diagnosis
    no grep -q 'these have none' lab-en.html
}

@test "page one says what the diagnosis says, and no more" {
    one() { sed -n '/<section class="m"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g'; }
    one held-en.html >one
    cat one
    grep -q '2 of 3 diagnosed workloads wait for more than 10 % of each step, cosmoflow the most (46 %). The cause is confirmed: storage bandwidth.' one
    grep -q 'is lost: network bandwidth: n2 sends slowly' one
    grep -q 'Limited by: processor.' one
    grep -q 'Keep the samples in memory (keep=yes) or on a local disk' one # what costs nothing, the largest wait first
    [ "$(grep -n 'cosmoflow: storage bandwidth, 46 % of each step, confirmed' one | cut -d: -f1)" -lt "$(grep -n 'hep: network bandwidth: n2 sends slowly, 40 % of each step, not confirmed' one | cut -d: -f1)" ]
    grep -q 'hep: of the whole run evaluation takes more than any wait' one
    no grep -qi 'nothing is in the way of the processors' one # that is bought
    grep -q 'the causes; 1 of 3 have a second witness' one
    grep -q '“cosmoflow loses 46 % of each step: storage bandwidth. A second witness agrees.”' one
    no grep -q 'not confirmed: no purchase' one
    tr -s ' ' <one | grep -q 'Sure: what was measured; 9 of 11 checks passed.'
    tr -s ' ' <one | grep -q 'Would change it: repeats that differ; 1 of 3 runs are here.'
    one open-en.html >one
    tr -s ' ' <one | grep -q 'Would change it: a second witness (diagnose=yes) that names another cause.'
    grep -q 'One witness says so: no purchase is advised.' one
    grep -q 'A second witness is still needed' one
    grep -q '&lt;script&gt;n2' open-en.html
    no grep -q '<script' open-en.html
    jq '.workloads[1].why.foreign = 0.31' held.json >shared.json # such a run says nothing of the machine
    report shared-en.html shared.json
    one shared-en.html >one
    grep -q 'Other work took 31 % of the cores that hep ran on: this run says what was left' one
    grep -q 'Measure again with nodes of your own (--exclusive)' one
    grep -q 'we measure again before we decide anything' one
    no grep -qE 'The cause is confirmed|loses' one
    one several-ja.html >one
    grep -q '単一のボトルネックはありません' one
    grep -q 'ストレージ遅延またはワーカー不足24%、ネットワーク遅延20%' one
    jq '.workloads |= map(.why.cause = "of_a_later_release" | .why.whole = null)' held.json >later-cause.json # is not guessed at
    report later-cause.html later-cause.json
    no grep -qE 'diagnosed workloads? wait|is lost' later-cause.html
}

@test "page one of many trainings and sizes says how many there are, and is one sheet all the same" {
    one() { sed -n '/<section class="m"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    one many-en.html >one
    cat one
    grep -q 'trainings to target quality: cosmoflow, hep, defect and 6 more; ceilings' one
    grep -q 'The 3 of 9 that wait most; section 4 has all.' one
    [ "$(sed -n '/<h2 id="time"/,/<\/section>/p' many-en.html | grep -c 'other-hep: compute')" -ge 1 ]
    no grep -q 'other-defect: compute' one # which waits least
    one sizes-en.html | grep -q 'lab: 4 to 8 nodes, AMD EPYC 9354'
    one sizes-en.html | grep -q 'The 3 of 6 that wait most; section 4 has all.'
    one many-ja.html | grep -q '9件中、待ちの多い3件です（全件は第4章）'
}

@test "a page that is not valid names no cause, whichever record or check it is" {
    one() { sed -n '/<section class="m"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g'; }
    jq '.id = "lab-9.0.0" | .valid = false | .reasons.valid = "it was too hot"' held.json >hot.json
    jq '.system.nodes[1].build_id = "other"' held.json >mixed.json
    report hot.html held.json hot.json
    report mixed.html mixed.json
    report mixed-ja.html --lang=ja mixed.json
    one hot.html | grep -q '1 of 2 records are not valid, and nothing on this page should decide anything: it was too hot.'
    one mixed.html | grep -q '1 of 11 checks failed, beginning with “All nodes ran the same build”: nothing on this page should decide'
    one mixed-ja.html | grep -q '「全ノードで同一のビルド」など'
    for page in hot mixed; do
        no grep -qE 'The cause is confirmed|loses' <(one $page.html)
        one $page.html | grep -q 'Not sure:'
    done
}

@test "how sure: what was predicted, what was not tested, what would change it" {
    sure() { sed -n '/How sure, and what\|④ 確からしさ/,/<\/div>/p' "$1" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' \n' ' '; }
    sure bought-en.html
    sure bought-en.html | grep -qE 'Predicted: the gains; the model replays the steps within [0-9.]+ %\.'
    sure bought-en.html | grep -q 'Not tested: your own data. Would change it: other work; these trainings stand for 90 % of the site'
    sure bought-ja.html | grep -q '未測定： 自社データ。.*業務構成の変化（ここの学習は全体の90%を代表）'
    sure whole-en.html | grep -q 'Not tested: your own data, gains, purchases. Would change it: a second witness'
    sure ceilings-ja.html | grep -q '学習（業務でどこまで使えるか）'
    no grep -qE '待ちの原因|自社データ' <(sure ceilings-ja.html)
    jq '.workloads |= map(.data_origin = "private")' held.json >own.json
    report own.html own.json
    sure own.html | grep -q 'Not tested: gains, purchases.'
    sure several-ja.html | grep -q '第2の証拠（diagnose=yes）が別の原因を示す場合'
}

@test "a section that a sentence names by its number has that number" {
    while read -r id keys; do # the sentences that name it, in both languages
        n=$(sed -n "s/.*<h2 id=\"$id\">\([0-9]*\) .*/\1/p" held-en.html)
        [ -n "$n" ]
        for key in $keys; do
            for words in "section $n\b" "第${n}章"; do
                grep -hA1 "^W($key," "$top_srcdir"/reports/report/words*.def | grep -q "$words" || { echo "$key does not say $words"; false; }
            done
        done
    done <<'END'
system SURE_TURNS_LAYERS
time SPLIT_CAPTION_OF
ceilings F_CEILING
whatif FREE_TOGETHER FREE_NO_GAIN FREE_NEEDS BUY_REFUSED
validity SURE_FAILED
END
    [ "$(grep -hoE 'section [0-9]+' "$top_srcdir"/reports/report/words*.def | wc -l)" -eq 8 ] # a new one needs its row above
}

@test "what start-up is made of, and what a counter had in steady steps" {
    of() { sed -n "/<h2 id=\"$2\"/,/<\/section>/p" "$1" | sed 's/<\/tr>/\n/g' | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' '; }
    of whole-en.html time | grep -q 'What start-up, evaluation and checkpoints are made of was not recorded'
    jq '.workloads[1] |= (.splits = {staging: {input: {median_seconds: 3.5, max_seconds: 4.25, max_node: "n3"}, wait: {median_seconds: 0, max_seconds: 0, max_node: null}}}
        | .counters.cpu_user_seconds.phases.train = 42.5)' whole.json >made.json
    report made.html made.json
    of made.html time | grep -q 'hep staging input 3.50 s 4.25 s n3'
    no grep -q 'hep staging wait' <(of made.html time)
    of made.html counters | grep -qE 'hep cpu_user_seconds [^–]* 42.5 s '
    of made.html counters | grep -qE 'cosmoflow cpu_user_seconds [^–]* – '
}

@test "an option that must save more than waits for it is refused; one that may pay is not advised" {
    grep -q 'no: at most' held-en.html
    grep -q '見送り（待ちは最大' held-ja.html
    no grep -q 'no: at most' whole-en.html # which has no diagnosis
    sed 's/^per_node = .*/per_node = 20/; s/^fixed = .*/fixed = 0/; s/^watts_per_node = .*/watts_per_node = 0/' prices.conf >cheap.conf
    report cheap.html --prices=cheap.conf held.json
    grep -q 'not yet: no gain was predicted' cheap.html
    no grep -q 'no: at most' cheap.html
}

@test "a simulated gain: page one, its section and show --buy say the same" {
    "$top_builddir/reports/tools/hpcai500" show --buy --json --prices=bought.conf healthy/sure.json >bought.json
    "$top_builddir/reports/tools/hpcai500" show --buy --json network/sure.json >network.json
    python3 - bought-en.html bought.json network-en.html network.json <<'END'
import html, json, math, re, sys
def near(text, value): # half of its last digit
    decimals = len(text.partition(".")[2])
    assert abs(float(text.replace(",", "")) - value) <= .51 * 10 ** -decimals, (text, value)
def rows(page, start, end):
    body = page[page.index(start):]
    body = body[:body.index(end)]
    return [[html.unescape(re.sub("<[^>]*>", "", c)).replace("\u00a0", " ") for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)]
            for r in re.findall(r"<tr.*?</tr>", body, re.S)]
for i in 1, 3:
    page = open(sys.argv[i], encoding="utf-8").read()
    work = json.load(open(sys.argv[i + 1]))["workloads"][0]
    section = page[page.index('<h2 id="whatif"'):]
    section = section[:section.index("</section>")]
    replay = rows(section, "How well the steps replay", "</table>")[1]
    for cell, key in zip(replay[3:], ("error", "held_out", "drift")):
        near(cell.strip("% ").replace("\u2212", "-"), 100 * math.expm1(work["replay"][key]))
    asked = rows(section, "For nothing", "</table>")[1:]
    bought = rows(section, "For money", "</table>")[1:]
    for cells, answers in (asked, work["free"]), (bought, work["purchases"]):
        answers = [a["gain"] for a in answers if a.get("gain") and a["gain"]["state"] != "refused"]
        if cells is asked and "together" in work:
            answers.append(work["together"])
        assert len(cells) == len(answers) > 0
        for c, gain in zip(cells, answers):
            ends = re.findall(r"[\d.,]+", c[2])
            if gain["state"] == "bound":
                assert c[2].startswith("at most ") and c[3].startswith("at most "), c
                near(ends[0], gain["high"])
            else:
                near(ends[0], gain["low"])
                near(ends[1], gain["high"])
            near(re.findall(r"[\d.]+", c[3])[-1], max(0, 100 - 100 / gain["high"]))
    said = [(a["quality"], r) for a, r in zip([a for a in work["free"] + work["purchases"] if "quality" in a],
                                              rows(section, "To the target quality", "</table>")[1:], strict=True)]
    assert len(said) >= 4
    for quality, r in said: # epochs, how much sooner, why not
        if quality["state"] == "predicted":
            ends = re.findall(r"[\d.,]+", r[3])
            near(ends[0], quality["low"])
            near(ends[1], quality["high"])
            near(r[2], quality["epochs"])
        else:
            assert r[4] == quality["why"], (quality, r)
    refused = {r[2] for r in rows(section, "What has no answer", "</table>")[1:]}
    for a in work["free"] + work["purchases"]:
        assert not a.get("gain") or a["gain"]["state"] != "refused" or a["gain"]["why"] in refused, a
    if i == 1: # what page one says of an option is what its row says
        one = {r[0].split(" (")[0]: r[3] for r in rows(page, "Then, what to buy", "</table>")[1:]}
        for c in bought:
            less = c[3].split("at most ")[-1]
            assert less in one[c[1].split(":")[0]], (c, one)
        assert one["luck"] == "no answer: section 9 says why", one
END
}

@test "a purchase is advised by a run that decides, by the whole interval, and clear of more nodes" {
    option() { sed -n '/Then, what to buy\|何に投資するか/,/<\/table>/p' "$1" | grep -F ">$2 (" | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g'; }
    option bought-en.html 'more nodes' | grep -qE 'yes: [0-9]+ %–[0-9]+ % less time'
    option bought-en.html links | grep -q 'undecided: at most' # the price is within the interval
    grep -q 'What the table says yes to pays for itself' bought-en.html
    option bought-en.html 'gold nodes' | grep -qE 'no: [0-9]+ %–[0-9]+ % less time'
    option waits-en.html 'more nodes' | grep -qE 'not yet: .* to be confirmed' # one witness
    no grep -qE 'yes: [0-9]|What the table says yes|>worth it<' waits-en.html
    grep -q '>worth it<' bought-en.html
    no grep -q '推奨（' shared-steps-ja.html
    grep -q 'コアがほかの処理と共有されていました' shared-steps-ja.html
    grep -q '推奨（' bought-ja.html
    report once.html --prices=bought.conf healthy/sure.json # page one asks to repeat it first
    option once.html 'more nodes' | grep -q 'not yet: '
    jq '.workloads[0].quality.reached = false | .workloads[0].valid = false' healthy/sure.json >healthy/missed.json
    report missed.html --prices=bought.conf healthy/missed.json
    no grep -qE 'yes: [0-9]' missed.html
}

@test "what ablations measured is on the page, arm by arm, with its interval" {
    jq '.workloads |= map(.ablation = {rounds: 8, dropped: 0, steps: 16, arms: [{name: "data_from_memory", gain: 0.214, low: 0.183, high: 0.25, noisy: false},
        {name: "one_node", gain: 0.1, low: -0.1, high: 0.3, noisy: true}, {name: "of_a_later_release", gain: 0.1, low: 0, high: 0.2, noisy: false}]})' whole.json >arms.json
    report arms.html arms.json
    sed -n '/<h2 id="whatif"/,/<\/section>/p' arms.html | sed 's/<\/tr>/\n/g' | sed 's/<[^>]*>/ /g; s/\xc2\xa0/ /g' | tr -s ' ' >arms
    cat arms
    grep -q 'hep reading data (from memory) 21.4 % 18.3 % to 25.0 %' arms
    grep -q 'hep the other nodes 10.0 % −10.0 % to 30.0 % too noisy' arms
    grep -q 'hep of_a_later_release 10.0 %' arms
    report arms-ja.html --lang=ja arms.json
    grep -q '切り分け試験' arms-ja.html
    no grep -q 'What a step gains without something' whole-en.html
}

@test "without a run's own steps nothing is simulated; redacted, a run is, and has no names" {
    mkdir -p bare
    cp healthy/sure.json bare
    report bare.html --prices=bought.conf bare/sure.json
    grep -q 'No steps file of these records is beside its record' bare.html
    grep -q 'not yet: no gain was predicted' bare.html
    cp healthy/*.steps.gz bare
    printf x >>"$(echo bare/*.steps.gz)" # not the one that the record names
    report bare.html --prices=bought.conf bare/sure.json
    grep -q 'No steps file of these records is beside its record' bare.html
    report hidden.html --redact --prices=bought.conf healthy/sure.json
    grep -q 'How well the steps replay' hidden.html
    for name in lab-4711 lab n1 n2; do
        no grep -qE "(^|[^A-Za-z0-9])$name([^A-Za-z0-9]|\$)" hidden.html
    done
}

@test "hostile names are text and nothing else" {
    no grep -qE '<script|<b onclick|onload="' hostile-en.html
    grep -q '&lt;script&gt;document.title=1&lt;/script&gt;' hostile-en.html
    grep -qF -- '--hpcai500=&#39;cosmoflow,data=&#39;\&#39;&#39;/x&lt;/code&gt;&lt;script&gt;&#39;\&#39;&#39;&#39;' hostile-en.html
    no grep -qE 'style=|javascript:|<a [^>]*href="[^#]' hostile-en.html
    grep -qE "style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'" hostile-en.html
}

@test "lists where names should be are a page, not a crash; what was not tested is a note" {
    jq '.reasons = ["x"] | .system.layers.hardware = ["x", 5]' whole.json >lists.json
    report lists.html lists.json
    "$top_builddir/reports/tools/hpcai500" show lists.json >/dev/null
    jq 'del(.workloads[].phase_sum_error)' whole.json >unsummed.json
    report unsummed.html unsummed.json
    grep 'Phases sum to wall time' unsummed.html | grep -qF '<span class="warn">note</span></td><td>not known<'
    for known in null '"other"'; do # of one node: it did not say, it is another build
        jq ".system.nodes[1].build_id = $known" whole.json >build.json
        report "build-$known.html" build.json
    done
    grep 'All nodes ran the same build' build-null.html | grep -qF '<span class="warn">note</span></td><td>not known<'
    grep 'All nodes ran the same build' 'build-"other".html' | grep -qF '<td>different builds<'
}

@test "a cause has its own part of a step, and none where only others were waited for" {
    jq '.workloads |= map(.why = {cause: "kernels", confirmed: false, causes: [{cause: "network", share: 0.04}]})' whole.json >kernels.json
    report kernels.html kernels.json
    grep -qF '<span>kernels</span></td><td role="cell" data-h="Of a step" class="n"><span>–</span>' kernels.html
    jq '.workloads |= map(.why.cause = "network")' kernels.json >network.json
    report network.html network.json
    grep -qF '<span>network</span></td><td role="cell" data-h="Of a step" class="n"><span>4' network.html
}

@test "a redacted page has none of the names" {
    grep -q 'n1' whole-en.html
    for name in ada phys lab-480 lab n1 n2; do
        no grep -qE "(^|[^A-Za-z0-9])$name([^A-Za-z0-9]|\$)" redacted-en.html
    done
    grep -q 'names replaced in this report' redacted-en.html
}

@test "10,000 nodes are one small page" {
    [ "$(stat -c %s thousands-en.html)" -lt 1048576 ]
    grep -q 'lab: 10,000 nodes' thousands-en.html
    (ulimit -v 1000000; report thousands-again.html thousands.json) # bounded memory
}

@test "the same records give the same bytes, and a later minor version is read" {
    report twice.html --prices=prices.conf whole.json again.json third.json
    cmp whole-en.html twice.html
    jq '.schema_version = "1.99.0" | .workloads[0].phases.later_phase = .workloads[0].phases.other | .later = {"x": 1}' whole.json >later.json
    report later.html later.json
    grep -q later_phase later.html
}

@test "a job is found where its runs are; what cannot be is one sentence" {
    mkdir -p there
    cp whole.json there/lab-4801.0.0.json
    report found.html --dir=there 4801
    run report x.html 99999
    [ "$status" -eq 3 ]
    [ "${#lines[@]}" -eq 1 ]
    run report x.html --lang=de whole.json
    [ "$output" = "hpcai500 report: there is no report in 'de'; the languages are en and ja" ]
    [ "$status" -eq 2 ]
    run report x.html --prices=nowhere.conf whole.json
    [ "$output" = "hpcai500 report: cannot read the price file nowhere.conf: No such file or directory" ]
    [ "$status" -eq 3 ]
    [ ! -e x.html ]
    run report nowhere/x.html whole.json
    [ "$status" -eq 3 ]
}

@test "a comparison says first which layers differ, and what that means" {
    head -1 compared
    head -1 compared | grep -qE 'one layer differs \(hardware\)'
    sed -n 2p compared | grep -qx 'Comparable at level hardware.'
    compare whole.json again.json | head -1 | grep -q '^No layer differs'
    jq '.system.layers.libraries.hash = "x"' faster.json >two.json
    compare whole.json two.json | head -1 | grep -q '2 layers differ (hardware, libraries). The comparison cannot tell'
    jq '.system.layers.problem_domain.hash = "x"' faster.json >other.json
    compare whole.json other.json | sed -n 2p | grep -q '^Not comparable at any level'
}

@test "a layer without a hash is not known, neither the same nor different" {
    jq 'del(.system.layers.libraries.hash)' whole.json >missing.json
    compare whole.json missing.json >unknown
    head -3 unknown
    sed -n 1p unknown | grep -q 'no layer differs that both records know'
    sed -n 2p unknown | grep -q 'not known, and so perhaps different, too: libraries.'
    sed -n 3p unknown | grep -qx 'Comparable at level hardware, as far as the layers are known.'
    jq 'del(.system.layers.hardware.hash)' faster.json >missing.json # what is not known does not change the level
    compare whole.json missing.json | sed -n 3p | grep -qx 'Comparable at level hardware.'
    compare --json whole.json missing.json | jq -e '.differing_layers[0].layers == [] and .unknown_layers[0].layers == ["hardware"] and .level_certain'
    jq 'del(.system.layers.libraries.hash)' faster.json >missing.json
    compare whole.json missing.json | head -1 | grep -q 'one layer differs (hardware)'
}

@test "labels are held against the layers of the records, the data and the run text" {
    of() { sed -n '/<h2 id="validity"/,/<\/section>/p' "$1" | sed 's/<[^>]*>/ /g'; }
    of whole-en.html | grep -q 'these records are comparable at level hardware'
    no grep -q 'does not hold' <(of whole-en.html)
    report sides.html whole.json faster.json # level system is claimed: layer 1 may differ
    no grep -q 'does not hold' <(of sides.html)
    jq '.system.layers.implementation.hash = "x"' again.json >code.json # layer 7 may not
    report code.html whole.json code.json
    of code.html | grep -q 'A record claims a level at which it may not differ'
    of code.html | grep -q 'comparable at level free'
    jq '.system.layers.problem_domain.hash = "x"' again.json >problem.json
    report problem.html whole.json problem.json
    of problem.html | grep -q 'no level lets them be compared'
    jq 'del(.system.layers.libraries.hash)' again.json >gone.json
    report gone.html whole.json gone.json
    of gone.html | grep -q 'By the layers that are known these records are comparable at level hardware'
    jq '.run.canonical = "hep,class=small,target=0.5"' whole.json >aim.json
    report aim.html aim.json
    of aim.html | grep -q 'the closed division keeps the class&#39;s target'
    jq '.run.division = "private"' aim.json >private.json
    report private.html private.json
    no grep -q 'the closed division keeps' private.html
}

@test "a difference is one only where its interval says so" {
    # hep's exchange is half as long: speed 1091 to 1312; cosmoflow's hardly matters
    compare --json whole.json,again.json,third.json faster.json,faster.json >c.json
    jq -e '[.workloads[] | select(.workload == "hep") | .systems[1].speed | .differs, (.ratio > 1.15), .interval_over] == [true, true, "runs"]' c.json
    jq -e '[.workloads[] | select(.workload == "cosmoflow") | .systems[1].speed.differs] == [false]' c.json
    compare --json whole.json faster.json >one.json # single runs: the epochs alone
    jq -e '.workloads[1].systems[1].speed.interval_over == "epochs" and .workloads[1].systems[1].time.interval_over == "none"' one.json
    compare whole.json faster.json | grep -q 'differs within these runs; repeat them to know'
    compare whole.json faster.json | grep -q 'too few runs: no interval, nothing can be said'
    compare whole.json partial.json | grep -q 'target not reached: no result'
    # the processors' speeds, where both have read the same yardstick, and what is left of a difference
    compare whole.json faster.json | no grep -q 'processor ×'
    jq '.workloads[].yardstick = {what: "x", cpu: {mean_seconds: 0.002}}' whole.json >slow.json
    jq '.workloads[].yardstick = {what: "x", cpu: {mean_seconds: 0.001}}' faster.json >quick.json
    jq '.workloads[].yardstick = {what: "y", cpu: {mean_seconds: 0.001}}' faster.json >odd.json
    compare slow.json quick.json | grep -qE '\(processor × 2(\.0+)?; at equal speed × [0-9]'
    compare slow.json odd.json | no grep -q 'processor ×'
    compare --html=equal.html slow.json quick.json
    compare --html=unequal.html slow.json odd.json
    grep -q 'not every record here has read the same yardstick' unequal.html
    no grep -q 'not every record here' equal.html
    python3 - equal.html <<'END'
import html, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
rows = [[html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", r, re.S)] for r in re.findall(r"<tr.*?</tr>", page, re.S)]
rows = [r for r in rows if len(r) == 7 and r[0] == "quick.json" and r[1] == "samples per second"]
assert len(rows) == 3
for r in rows: # as measured and at equal processor agree by the processors' ratio
    ratio, processor, equal = (float(c.split()[0]) for c in r[3:6])
    assert processor == 2 and abs(equal * processor / ratio - 1) < 3e-3, r
END
    compare --json slow.json quick.json | jq -e '.workloads[].systems[1] |
        .processor == 2 and (.speed_at_equal_processor * 2 / .speed.ratio - 1 | fabs) < 1e-9'
}

@test "the order under the rules: exponents, targets, and no bonus unless it is asked for" {
    # a slower system of better quality: it leads only where a bonus counts
    jq '.workloads[2].quality.achieved = 0.6 | .workloads[2].performance.flop_per_second *= 0.7' whole.json >better.json
    compare whole.json better.json | grep -qF 'defect: whole.json leads for every exponent'
    compare --bonus whole.json better.json >bonus
    cat bonus
    grep -qE 'defect: whole.json leads at exponent 1, better.json from exponent [3-5]: the order depends on the rule' bonus
    compare whole.json faster.json | grep -q 'hep, target 0.975: faster.json first'
    [ "$(compare whole.json faster.json | grep -c ' first$')" -ge 6 ]
    grep -qE 'better.json: VFLOPS for n = 1, 5, 10: .*; as published ' bonus
    # 0.6 of 0.45: the n-th power of 4/3 as published, none of it otherwise
    compare --json whole.json better.json | jq -e '.workloads[2].systems[1] | (.vflops_as_published[4] / .vflops_capped[4] / pow(4/3; 5) - 1 | fabs < 1e-9) and .vflops_capped[0] == .vflops_capped[9]'
    compare --json --bonus whole.json better.json | jq -e '.bonus and (.workloads[2].leader_by_exponent | length == 10)'
    # of single runs no lead is shown; of three each, hep's is, and cosmoflow's is not
    compare whole.json faster.json >single
    [ "$(grep -c 'The runs do not show that lead' single)" -eq 3 ]
    compare --json whole.json,again.json,third.json faster.json,faster.json >c.json
    jq -e '[.workloads[] | {(.workload): (.lead_shown | length == 10 and all)}] | add | [.hep, .cosmoflow] == [true, false]' c.json
    # the values of repeats are those that the ratio is of, and the page and the text say how
    jq -e 'all(.workloads[].systems; .[1].samples_per_second / .[0].samples_per_second / .[1].speed.ratio - 1 | fabs < 1e-9)' c.json
    compare whole.json,again.json,third.json faster.json | grep -q 'the values are geometric means'
    no grep -q 'geometric means' single
    grep -q 'the values are geometric means' compare-en.html
    jq -e '[.workloads[0].first_by_target[].target * 10000 | round] == [3293, 3100, 2907]' c.json
    jq 'del(.workloads[].quality.baseline)' whole.json >bare.json # no trivial baseline, no other target
    compare bare.json faster.json | grep -q 'hep: the record has no trivial baseline'
    no grep -q 'target –' <(compare bare.json faster.json)
    jq '.workloads |= map(.valid = false | .quality.epochs_to_target = null)' again.json >missed.json
    compare whole.json,third.json,missed.json faster.json | grep -q 'not every run reached the target: the ratio is of those that did'
    compare --json whole.json,third.json,missed.json faster.json,faster.json | jq -e 'all(.workloads[].systems[1].time; .differs == false) and all(.workloads[].systems[0]; .runs == 3 and .runs_not_reached == 1)'
}

@test "the PDF has pages" {
    [ -x /usr/bin/chromium ] || skip "no Chromium is installed (Debian: chromium)"
    report paper.html --pdf whole.json
    python3 - paper.pdf <<'END'
import re, sys
pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", open(sys.argv[1], "rb").read()))
assert pages >= 4, pages
END
}
