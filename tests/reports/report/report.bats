#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 report and compare: golden records of every state, in both languages, in a real browser.

load ../../no

setup_file() {
    export PLACE=$BATS_FILE_TMPDIR HPCAI500_EXEC_PATH=$top_builddir/reports/tools LC_ALL=C.UTF-8
    BROWSER=$(command -v chromium || command -v google-chrome || true)
    export BROWSER
    "$top_builddir/tests/reports/report/make_gallery" "$PLACE"
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
    sed -n 's/^W(\([A-Z0-9_]*\),.*/\1/p' "$top_srcdir/reports/report/words.def" >keys
    [ "$(wc -l <keys)" -gt 250 ]
    while read -r key; do
        grep -qE "\bW_$key\b" "$top_srcdir"/reports/report/*.c || { echo "nothing says $key"; false; }
    done <keys
    while read -r key; do
        grep -qxF "${key#W_}" keys || { echo "$key has no row"; false; }
    done < <(grep -ohE '\bW_[A-Z0-9_]+\b' "$top_srcdir"/reports/report/*.c | sort -u)
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
}

@test "the numbers of a page agree with each other and with the record" {
    python3 - whole-en.html whole.json <<'END'
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
    cells = [re.fullmatch(r"([\d.]+) \(([\d.]+) %\)", c).groups() for c in row[1:8]]
    assert abs(sum(float(s) for s, _ in cells) - float(row[8])) < .05, row
    assert abs(sum(float(p) for _, p in cells) - 100) < .4, row
    assert row[0] == work["name"]
    assert abs(sum(p["median_seconds"] for p in work["phases"].values()) - float(row[8])) < .02 or work is not doc["workloads"][0]
money = list(rows("money"))[1]
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
    assert any(abs(float(n) - float(re.search(r"\(([\d.]+)", c).group(1))) <= .51 for c in row[1:8]), (n, row)
assert "hep waits for " + wait["hep"].split()[0] in html.unescape(page).replace("\u201c", ""), wait
results = list(rows("results"))[0]
for row, work in zip(results, doc["workloads"]):
    assert abs(float(row[3]) - work["quality"]["achieved"]) < 5e-3 and abs(float(row[4]) - work["quality"]["target"]) < 5e-3
END
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
    grep -q 'no record holds those steps yet' whole-en.html
    no grep -qE 'broken|faulty' whole-en.html # only what differs in this run
    grep -q 'fastest and slowest left out' whole-en.html
    no grep -q 'fastest and slowest left out' partial-en.html
}

@test "what limited the steps is said in the page's language, and the path sums to the step" {
    "$top_builddir/tests/reports/record/make_records" .
    report lab-en.html lab-4711.0.3.json
    report lab-ja.html --lang=ja lab-4711.0.3.json
    grep -q "lift the quota of this node&#39;s control group, or ask Slurm for the processors used" lab-en.html
    grep -q 'CPU クォータ' lab-ja.html
    sum=$(sed 's/<[^>]*>/ /g' lab-en.html | grep -A6 '^ *The slowest path' | grep cosmoflow | sed 's,&nbsp;, ,g; s,\xc2\xa0, ,g' | tr -d % | awk '{for (i = 4; i <= NF; i++) s += $i} END {printf "%.0f", s}')
    [ "$sum" = 100 ]
    grep -q 'these have none' whole-en.html # the golden records have no diagnosis
    no grep -q 'these have none' lab-en.html
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
    grep -qF '<td>kernels</td><td class="n">–</td>' kernels.html
    jq '.workloads |= map(.why.cause = "network")' kernels.json >network.json
    report network.html network.json
    grep -qF '<td>network</td><td class="n">4' network.html
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
    compare --json --bonus whole.json better.json | jq -e '.bonus and (.workloads[2].leader_by_exponent | length == 10)'
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
