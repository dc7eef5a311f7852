#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# T6 in a real browser: what `hpcai500 history --plot` draws of hostile names is
# text there, and nothing else.

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    BROWSER=$(command -v chromium || command -v google-chrome) || skip "no browser is installed (Debian: chromium)"
    export BROWSER PLACE=$BATS_FILE_TMPDIR
    "$top_builddir/tests/reports/record/make_records" "$PLACE" >/dev/null
    judge records "$PLACE/lab-4711.0.3.json" "$PLACE/evil"
}

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools LC_ALL=C.UTF-8
    cd "$PLACE"
}

judge() {
    python3 "$top_srcdir/tests/reports/draw/browser.py" "$@"
}

# Each word, put into a document as it is, does what it wants, or leaves an
# error page: the next tests look at a browser that would tell.
@test "what is not escaped acts in this browser" {
    judge wild "$BROWSER" >wild
    cat wild
    [ "$(wc -l <wild)" -eq 22 ]
    [ "$(grep -c '^acts: ' wild)" -eq 22 ]
    [ "$(grep -c '^acts: it holds .*script>' wild)" -ge 4 ]
    [ "$(grep -c '^acts: it asked for evil.test/' wild)" -ge 4 ]
    [ "$(grep -c '^acts: an error page' wild)" -ge 5 ]
}

@test "hostile names of workloads and nodes are text in a picture" {
    for place in evil/*; do
        history="$top_builddir/reports/tools/hpcai500 history --history=$place/history.sqlite"
        mkdir -p "$place/archive"
        "$top_builddir/tests/reports/history/make_history" "$place/history.sqlite" "$place/archive" 0 "$place"/*.json
        $history --plot="$place/names.svg" >/dev/null
        $history --workload=w --metric=other_max_seconds --plot="$place/nodes.svg" >/dev/null
    done
    judge open "$BROWSER" evil/*/*.svg >opened
    cat opened
    [ "$(sort -u opened)" = calm ]
    [ "$(wc -l <opened)" -eq 6 ]
    for kind in names nodes; do
        judge shown evil/*/$kind.svg >missing
        cat missing
        [ ! -s missing ]
    done
}
