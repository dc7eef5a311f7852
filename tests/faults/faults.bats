#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Every writer is killed at its system calls, finds the disk full and broken,
# and gets its writes cut: faults.py says how. Here a part of the faults, so
# that it takes a minute; contrib/evidence/faults-io.sh has them all.

broken() {
    run python3 "$top_srcdir/tests/faults/faults.py" "$@"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$(tail -n 1 <<<"$output")"
    [ "$status" -eq 0 ]
    [[ "$output" == *"broken 0"* ]]
}

@test "the record is whole or not there, whatever breaks" {
    broken record recover --every 9
}

@test "a run that dies leaves its record or its journal" {
    broken run --every 9
}

@test "the archive keeps the old version or has the new one" {
    grep -q 'define HAVE_SQLITE 1' "$top_builddir/config.h" || skip "no SQLite in this build"
    broken archive archive-new --every 9
}

@test "a run is filed once or not at all, and accounting is told of it" {
    grep -q 'define HAVE_SQLITE 1' "$top_builddir/config.h" || skip "no SQLite in this build"
    broken history --most 150
}

@test "root's witness loses no file of a job" {
    broken witness-begin witness-end --most 100
}

@test "the collector loses no bundle and files none twice" {
    broken collect --most 60
}

@test "a bundle on its way to the collector is not lost and comes once" {
    broken forward receive --most 60
}

# ---- clocks ----

@test "a clock that runs backwards or leaps: durations stay right" {
    fake=$top_builddir/tests/agent/agent-fake
    [ -x "$fake" ] || skip "no agent in this build"
    cd "$BATS_TEST_TMPDIR"
    unset HPCAI500_RUN "${!SLURM_@}"
    export HPCAI500_CACHE=$PWD/cache
    for step in 3600 -3600; do # each reading of the clock is so much earlier
        rm -f ./*.json
        LD_PRELOAD=$top_builddir/tests/faults/.libs/shim.so HPCAI500_CLOCK=$step \
            run "$fake" cosmoflow,class=tiny
        echo "$output"
        [ "$status" -eq 0 ]
        python3 - ./*.json <<'PY'
import datetime, json, sys
r = json.load(open(sys.argv[1]))
at = [datetime.datetime.strptime(r["time"][k], "%Y-%m-%dT%H:%M:%S.%fZ") for k in ("start", "end")]
assert abs((at[1] - at[0]).total_seconds()) > 1800, "the clock did not leap"
assert 0 < r["time"]["wall_seconds"] < 600, r["time"]
w = r["workloads"][0]
assert 0 < w["wall_seconds"] <= r["time"]["wall_seconds"], w["wall_seconds"]
for e in w["epochs"]:
    assert 0 <= e["seconds"] < 600, e
PY
        python3 "$top_srcdir/tests/reports/record/validate.py" ./*.json || [ $? -eq 77 ]
    done
}
