#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Standard output that cannot be written is a failure of every verb and program.

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools:$top_builddir/spank/collect:$top_builddir/spank/account
    HPCAI500_EXEC_PATH+=:$top_builddir/spank/doctor:$top_builddir/spank/validate:$top_builddir/spank/witness:$top_builddir/workloads/data
    HPCAI500_EXEC_PATH+=:$top_builddir/workloads/generate
    cd "$BATS_TEST_TMPDIR"
    "$top_builddir/tests/reports/record/make_records" . > /dev/null
    mkdir -p archive
    printf 'history = %s\narchive = %s\nreader =\n' "$PWD/h.sqlite" "$PWD/archive" > conf
    chmod 644 conf
    export HPCAI500_CONF=$PWD/conf
    hpcai500=$top_builddir/reports/tools/hpcai500
}

# What of each verb prints; one that is new must be put here.
declare -gA prints=(
    [show]="show lab-4711.0.3.json|show --json lab-4711.0.3.json|show --reasons lab-4711.0.3.json|show --help"
    [verify]="verify lab-4711.0.3.json|verify --help"
    [history]="history|history --json|history --csv|history --metric=quality|history --help"
    [export]="export --csv lab-4711.0.3.json|export --ndjson lab-4711.0.3.json|export --junit lab-4711.0.3.json|export --csv --since=2020-01-01|export --help"
    [forget]="forget --history=h.sqlite --archive=archive --user=ada --dry-run|forget --help"
    [config]="config|config --json|config --help"
    [doctor]="doctor name|doctor --json name|doctor --help"
    [recover]="recover --help"
    [validate]="validate simulate --runs=100|validate --help"
    [data]="data --help|data list"
    [generate]="generate --help"
    [collect]="collect --help"
    [reader]="reader --help"
    [baseline]="baseline --help"
    [compare]="compare lab-4711.0.3.json lab-4711.0.3.json|compare --help"
    [report]="report --help"
    [slurmctl]="slurmctl --help"
    [slurmdbd]="slurmdbd --help"
    [witness]="witness --help|witness --version"
)

# lost COMMAND...: what it prints goes nowhere, and it says so and does not end well
lost() {
    local code=0
    "$@" > seen 2> /dev/null || true
    [ -s seen ] || { echo "prints nothing: $*"; return 0; }
    timeout 120 "$@" > /dev/full 2> err || code=$?
    [ "$code" -ne 0 ] && grep -q 'cannot write' err || { echo "exit $code: $*"; cat err; return 1; }
}

@test "every verb: what it printed is lost, and its exit status and one sentence say so" {
    [ -c /dev/full ] || skip "there is no /dev/full"
    [ ! -x "$top_builddir/tests/reports/history/make_history" ] ||
        "$top_builddir/tests/reports/history/make_history" h.sqlite archive 6
    verbs=$("$hpcai500" help | awk '/^  [a-z]/ {print $1}')
    [ "$(wc -w <<< "$verbs")" -ge 4 ]
    bad=0
    for verb in $verbs; do
        [ -n "${prints[$verb]-}" ] || { echo "which command of '$verb' prints?"; bad=1; continue; }
        [ "${prints[$verb]}" != none ] || continue
        IFS='|' read -ra commands <<< "${prints[$verb]}"
        for command in "${commands[@]}"; do lost "$hpcai500" $command || bad=1; done
    done
    for command in help --help --version; do lost "$hpcai500" $command || bad=1; done
    agent=$top_builddir/agent/hpcai500-agent
    if [ -x "$agent" ]; then
        for command in list --help --version "--dry-run cosmoflow,class=tiny"; do lost "$agent" $command || bad=1; done
    fi
    [ $bad -eq 0 ]
}

@test "without output a closed standard output is not a failure" {
    "$hpcai500" export --csv --output=x.csv lab-4711.0.3.json >&-
    [ -s x.csv ]
    run bash -c '"$1" show lab-4711.0.3.json >&-' - "$hpcai500"
    echo "$output"
    [ "$status" -eq 3 ]
    [[ "$output" == "hpcai500 show: cannot write to standard output"* ]]
}
