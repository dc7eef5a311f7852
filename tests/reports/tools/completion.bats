#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The words that bash completes after hpcai500.

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools:$top_builddir/spank/account:$top_builddir/spank/collect:$top_builddir/spank/doctor:$top_builddir/spank/validate:$top_builddir/spank/witness PATH=$top_builddir/reports/tools:$PATH
    unset HPCAI500_CONF
    . "$top_srcdir/reports/tools/completion/hpcai500"
    cd "$BATS_TEST_TMPDIR"
}

# completes WORD... = WORD...: what the last word of the left becomes
completes() {
    COMP_WORDS=()
    while [ "$1" != = ]; do COMP_WORDS+=("$1"); shift; done
    shift
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _hpcai500
    echo "${COMPREPLY[*]}"
    [ "${COMPREPLY[*]}" = "$*" ]
}

@test "commands, options, checks, keys, else files" {
    completes hpcai500 sho = show
    completes hpcai500 help exp = export
    completes hpcai500 export --prom = --prometheus=
    completes hpcai500 export --clu = --cluster= --clustercockpit --clustercockpit-data
    completes hpcai500 config confid = confidential
    completes hpcai500 doctor mun = munge
    completes hpcai500 validate sim = simulate
    if [ -x "$top_builddir/reports/tools/hpcai500-history" ]; then
        completes hpcai500 validate act --appl = --apply
        completes hpcai500 validate fi = file
    fi
    touch record.json
    completes hpcai500 show rec = record.json
    completes hpcai500 zebra --x =
}
