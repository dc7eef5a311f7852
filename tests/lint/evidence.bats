#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Tables in the tree say what the results of contrib/evidence say.

load ../no

setup() {
    cd "$BATS_TEST_TMPDIR"
    table=$top_srcdir/contrib/evidence/table.sh
    [ -d "$top_srcdir/contrib/evidence/results" ] || skip "the results are in a checkout alone"
}

# written README: what stands between its marks
written() { sed -n '/^<!-- contrib\/evidence\/table.sh/,/^<!-- to here/p' "$1" | sed '1d;$d'; }

@test "the table of workloads/README.md is that of the results" {
    "$table" >now
    diff <(written "$top_srcdir/workloads/README.md") now || { echo "run contrib/evidence/table.sh --write"; false; }
    while read -r workload; do
        grep -q "^| \`$workload\` | tiny | .* | 10 of 10 | " now || { echo "$workload has no ten seeds at tiny"; false; }
    done < <(sed -n 's/^WORKLOAD(\([a-z0-9]*\), component,.*/\1/p' "$top_srcdir/reports/core/workloads.def")
    no grep "not said" now
}

@test "reference points at other batches are those of the results" {
    # the first row of a class is of its own batch: lint.bats holds it equal to the component's
    awk -F '[(, )]+' '/^CONVERGENCE/ && seen[$2, $3]++' "$top_srcdir/reports/core/convergence.def" >rows
    [ -s rows ]
    while read -r row; do
        grep -qxF "$row" "$top_srcdir"/contrib/evidence/results/batches-*.md || { echo "no result has $row"; false; }
    done <rows
}

@test "a changed result is another table; --write puts it there" {
    cp -r "$top_srcdir/contrib/evidence/results" results
    cp "$top_srcdir/workloads/README.md" README.md
    export RESULTS=$PWD/results README=$PWD/README.md
    sed -i 's/^3  *5 /3 9 /' results/rcp-hep-tiny-10-0.md
    no diff <(written README.md) <("$table")
    "$table" --write
    diff <(written README.md) <("$table")
    diff <(sed '/^| `hep`/d' README.md) <(sed '/^| `hep`/d' "$top_srcdir/workloads/README.md")
    grep -q '^| `hep` | tiny | 0.975 | 10 of 10 | 5.6 ' README.md
    sed -i '/to here/d' README.md
    cp README.md before
    no "$table" --write
    cmp README.md before
}
