# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of a workload beside the engine: same files, same start values.
# shellcheck shell=bash disable=SC2154

losses=$top_builddir/tests/workloads/component/twin_losses
generate=$top_builddir/workloads/generate/hpcai500-generate

# twin_of WORKLOAD [KEYS SAMPLES STEPS]: a set of it in $dir/set, five steps of the engine
# in $dir/run
twin_of() {
    local keys=${2:-class=tiny}
    twin=$top_srcdir/contrib/frameworks/pytorch/$1.py
    [ -x "$losses" ] && [ -x "$generate" ] || skip "the generator was not built (FFTW is missing)"
    dir=$BATS_TEST_TMPDIR
    mkdir "$dir/run"
    "$generate" "$1,${keys%%,*}" --train "${3:-64}" --validation $((${3:-64} / 4)) --out "$dir/set"
    "$losses" "$1,$keys,seed=3" "$dir/set" "$dir/run" ${4:+"$4"}
    export PYTHONDONTWRITEBYTECODE=1
}

# python ARGUMENTS...: $status and $output; skips where a package is missing
python() {
    run /usr/bin/python3 "$@"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
}

# first_losses_agree [OPTION...]: of the twin
first_losses_agree() {
    python "$twin" "$dir/set" --compare "$dir/run" "$@"
    [ "$status" -eq 0 ]
    [ "$(grep -c 'off by' <<<"$output")" -eq "$(wc -l <"$dir/run/steps.txt")" ]
}
