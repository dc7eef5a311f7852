#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Every component trains one epoch at tiny on two ranks: what comes out lies in the
# band of bands.txt and beyond the constant predictor. Data are made once, in the
# cache that the stages of contrib/test.sh share. Not in make check: the stage train.

load ../no

top_srcdir=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
bands=$top_srcdir/tests/train/bands.txt

setup() {
    agent=$top_builddir/agent/hpcai500-agent
    cd "$BATS_TEST_TMPDIR"
    unset HPCAI500_RUN HPCAI500_SPOOL "${!SLURM_@}"
}

# judge RECORD ROW...: whether its first epoch is in the row's band
judge() {
    jq -e --arg loss "$3" --arg loss_sd "$4" --arg quality "$5" --arg quality_sd "$6" '
        def within($mean; $sd): ($sd | tonumber) > 0 and
            (. - ($mean | tonumber) | fabs) <= 4 * ($sd | tonumber);
        .workloads[0] | .epochs[0] as $e | .quality as $q
        | {loss: $e.train_loss, quality: $e.quality, constant: $q.baseline}, # for who reads the log
          (($e.train_loss | within($loss; $loss_sd)) and ($e.quality | within($quality; $quality_sd))
           and (if $q.higher_is_better then $e.quality > $q.baseline else $e.quality < $q.baseline end))' "$1"
}

@test "every component has a band" {
    while read -r name; do
        grep -q "^$name[ ,]" "$bands" || { echo "$name has no row in tests/train/bands.txt"; false; }
    done < <(sed -n 's/^WORKLOAD(\([a-z0-9]*\), component,.*/\1/p' "$top_srcdir/reports/core/workloads.def")
}

@test "one epoch of every component is in its band" {
    n=0 bad=0
    while read -r run row; do
        rc=0
        ${MPIEXEC:-mpirun} -n 2 "$agent" "$run,class=tiny,epochs=1,threads=1,time=1h,out=$n.json" </dev/null 2>log || rc=$?
        [ $rc -le 1 ] || { cat log; false; }
        echo "$run: expected $row"
        # shellcheck disable=SC2086
        judge "$n.json" "$run" $row || bad=1
        n=$((n + 1))
    done < <(grep -v '^#' "$bands")
    [ "$n" -ge 3 ]
    [ "$bad" = 0 ]
}

@test "a result outside is seen" {
    row="cosmoflow 0.35 0.01 0.45 0.005 6"
    result() { # LOSS QUALITY BASELINE HIGHER
        echo "{\"workloads\": [{\"epochs\": [{\"train_loss\": $1, \"quality\": $2}],
            \"quality\": {\"baseline\": $3, \"higher_is_better\": $4}}]}" >r.json
    }
    # shellcheck disable=SC2086
    try() { result "$@"; judge r.json $row; }
    try 0.35 0.45 0.5 false
    try 0.389 0.431 0.5 false
    no try 0.391 0.45 0.5 false
    no try 0.309 0.45 0.5 false
    no try 0.35 0.471 0.5 false
    no try 0.35 0.45 0.44 false
    no try 0.35 0.45 0.5 true
    row="cosmoflow 0.35 0 0.45 0 0" # not measured
    no try 0.35 0.45 0.5 false
}
