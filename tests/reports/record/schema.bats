#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Records of every kind against the strict schema, by python3-jsonschema.

setup_file() {
    export GALLERY=$(mktemp -d)
    "$top_builddir/tests/reports/record/make_records" "$GALLERY" >"$GALLERY/list"
    HPCAI500_EXEC_PATH=$top_builddir/reports/tools "$top_builddir/reports/tools/hpcai500" recover \
        "$GALLERY/lab-4715.0.3.journal"
}

teardown_file() {
    rm -r "$GALLERY"
}

validate() {
    run "$top_srcdir/tests/reports/record/validate.py" "$@"
    [ "$status" -ne 77 ] || skip "python3-jsonschema is not installed"
    echo "$output"
}

@test "records of every kind keep the schema's promises" {
    [ "$(ls "$GALLERY"/*[0-9].json | wc -l)" -eq 8 ]
    validate "$GALLERY"/*[0-9].json
    [ "$status" -eq 0 ]
}

@test "every field that is deleted, retyped or added is refused" {
    validate --mutate "$GALLERY/lab-4711.0.3.json"
    [ "$status" -eq 0 ]
    [[ "$output" == *" changes tried" ]]
}

@test "every value that the first schema refused is refused: limits, lengths, words, patterns" {
    validate --refused "$top_srcdir/tests/reports/record/refused.txt" "$GALLERY/lab-4711.0.3.json"
    [ "$status" -eq 0 ]
    [[ "$output" == *" values tried" ]]
}

# Both are made of the record's tables and kept in the tree.
renewed() { # FILE of the tree, what it holds of the tables on stdin
    diff -u "$1" - || {
        echo "$1 is not what the tables say: make -C $top_builddir renew"
        return 1
    }
}

@test "record.schema.json is what the tables say" {
    "$top_builddir/reports/record/describe" schema | renewed "$top_srcdir/reports/record/record.schema.json"
}

@test "hpcai500-record(5) explains every field, as the tables do" {
    page=$top_srcdir/reports/record/hpcai500-record.5
    sed '/^\.\\" begin of what describe/,/^\.\\" end of what describe/!d;//d' "$page" >"$BATS_TEST_TMPDIR/part"
    "$top_builddir/reports/record/describe" man | renewed "$BATS_TEST_TMPDIR/part"
    # Every path of a real record has its entry.
    jq -r 'paths | map(if type == "number" then "[]" else "." + . end) | add | .[1:]' \
        "$GALLERY/lab-4711.0.3.json" | sed 's/^\.//' | sort -u |
        grep -v '^reasons\.\|\[\]$' >"$BATS_TEST_TMPDIR/paths"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/paths")" -gt 150 ]
    sed 's/\\-/-/g; s/^\.It Cm //' "$BATS_TEST_TMPDIR/part" >"$BATS_TEST_TMPDIR/entries"
    while read -r path; do
        case $path in
        workloads\[\].counters.?*) path=$(sed 's/counters\.[a-z0-9_]*/counters.NAME/' <<<"$path") ;;
        workloads\[\].phases.*.*) path=$(sed 's/phases\.[a-z_]*/phases.staging/' <<<"$path") ;;
        esac
        [ "$path" = 'workloads[].counters.NAME' ] && continue
        grep -qxF "$path" "$BATS_TEST_TMPDIR/entries" || { echo "no entry for $path"; return 1; }
    done <"$BATS_TEST_TMPDIR/paths"
}

@test "the validator sees a null without a reason, a wrong hash, another id" {
    cp "$GALLERY"/lab-4711.0.3.* "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR"
    sed 's/"achieved":.*0.31/"achieved": null/' lab-4711.0.3.json >x && mv x lab-4711.0.3.json
    validate lab-4711.0.3.json
    [ "$status" -eq 1 ]
    [[ "$output" == *"workloads[0].quality.achieved is null without a reason"* ]]
    sed 's/6.1.0-28-amd64/6.1.0-29-amd64/' "$GALLERY/lab-4711.0.3.json" >lab-4711.0.3.json
    validate lab-4711.0.3.json
    [[ "$output" == *"the hash of layer operating_system is wrong"* ]]
    cp "$GALLERY/lab-4711.0.3.json" other.json
    validate other.json
    [[ "$output" == *"the id is lab-4711.0.3"* ]]
    echo >>lab-4711.0.3.ranks.json.gz
    cp "$GALLERY/lab-4711.0.3.json" .
    validate lab-4711.0.3.json
    [[ "$output" == *"ranks.json.gz is wrong"* ]]
}
