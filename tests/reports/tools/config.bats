#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 config, and the pages that must say what its table says.

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    unset HPCAI500_CONF HPCAI500_SPOOL HPCAI500_CACHE
    hpcai500=$top_builddir/reports/tools/hpcai500
    cd "$BATS_TEST_TMPDIR"
    umask 022
    echo 'spool = /s' >site.conf
}

@test "each setting is shown with where it came from" {
    run "$hpcai500" config --file="$PWD/site.conf"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" =~ "spool "+"= /s "+"# $PWD/site.conf:1" ]]
    [[ "$output" == *"# default"* ]]
    HPCAI500_CONF=$PWD/site.conf HPCAI500_SPOOL=/t run "$hpcai500" config spool
    [ "$output" = /t ]
    HPCAI500_CONF=$PWD/site.conf HPCAI500_SPOOL=/t run "$hpcai500" config -p spool spool_reserve
    [ "$output" = $'/s\n64M' ]
}

@test "what is printed can be read again" {
    "$hpcai500" config --file="$PWD/site.conf" | sed 's/ *# .*//' >again.conf
    diff <("$hpcai500" config -f "$PWD/site.conf" | sed 's/ *# .*//') \
        <("$hpcai500" config -f "$PWD/again.conf" | sed 's/ *# .*//')
}

@test "JSON is JSON" {
    run python3 -c '
import json, subprocess, sys
o = json.loads(subprocess.check_output([sys.argv[1], "config", "-j", "-f", sys.argv[2]]))
assert o["spool"]["value"] == "/s" and o["spool"]["origin"] == sys.argv[2] + ":1"
assert o["spool_per_job"] == {"value": "16M", "default": "16M", "origin": "default",
                              "help": o["spool_per_job"]["help"]}
' "$hpcai500" "$PWD/site.conf"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "what is wrong is one sentence, with the nearest good word" {
    run "$hpcai500" config spol
    [ "$status" -eq 2 ]
    [ "$output" = "hpcai500 config: there is no key 'spol'; the nearest is 'spool'" ]
    echo 'confidental = yes' >>site.conf
    run "$hpcai500" config -f site.conf
    [ "$status" -eq 1 ]
    [ "$output" = "hpcai500 config: site.conf:2: there is no key 'confidental'; the nearest is 'confidential'" ]
    run "$hpcai500" config --nonsense
    [ "$status" -eq 2 ]
}

@test "the manual lists every key with its default, and no other" {
    page=$top_srcdir/reports/core/hpcai500.conf.5
    "$hpcai500" config -j -f /dev/null 2>/dev/null || : >empty.conf
    "$hpcai500" config -j -f "$PWD/site.conf" >table.json
    python3 -c '
import json, re, sys
table = json.load(open(sys.argv[1]))
page = open(sys.argv[2]).read().split(".Sh KEYS")[1].split(".Sh ")[0]
rows = {m[1]: m[2] for m in re.finditer(r"^\.It Cm (\w+) = .*\n((?:(?!\.It).*\n)*)", page, re.M)}
assert list(rows) == list(table), set(rows) ^ set(table)
for key, row in table.items():
    text, default = rows[key], row["default"]
    if key in ("agent", "salt"):  # where it was installed
        assert "Default" in text, key
    elif default == "":
        assert "Unset, the default" in text or "Default: nothing" in text, key
    else:
        assert re.search(r"Default\s+(\.Pa )?" + re.escape(default) + r"( ?[.;]|$)", text, re.M), key
' table.json "$page"
}

@test "the example is the defaults, and has no unknown key" {
    sed 's/^#\([a-z_]* =\)/\1/' "$top_srcdir/reports/core/hpcai500.conf.example" >all.conf
    run "$hpcai500" config -f "$PWD/all.conf"
    echo "$output"
    [ "$status" -eq 0 ]
    "$hpcai500" config -f "$top_srcdir/reports/core/hpcai500.conf.example" | sed 's/ *# .*//' >example
    : >empty.conf
    "$hpcai500" config -f "$PWD/empty.conf" | sed 's/ *# .*//' | diff - example
}
