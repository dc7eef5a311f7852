#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500-agent from run text to record, with a workload of the tests.
load mpi.bash

fake=$top_builddir/tests/agent/agent-fake
agent=$top_builddir/agent/hpcai500-agent

setup() {
    dir=$(mktemp -d)
    cd "$dir"
    unset HPCAI500_RUN HPCAI500_SPOOL HPCAI500_TIMEOUT
}

teardown() {
    cd /
    rm -rf "$dir"
}

# the_record: path of the only record in the working folder
the_record() {
    local all=("$dir"/*.json)
    [ "${#all[@]}" -eq 1 ] && [ -f "${all[0]}" ] && echo "${all[0]}"
}

# field EXPRESSION: of the record r, as Python sees it
field() {
    /usr/bin/python3 -c 'import json,sys; r=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' \
        "$(the_record)" "$1"
}

@test "one rank without mpirun leaves a complete record and no journal" {
    run "$fake" cosmoflow,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"mae 0.3 reached the target 0.3"*"record: $(the_record)"* ]]
    [ "$(field 'r["status"], r["valid"]')" = "('complete', True)" ]
    [ ! -e "$dir"/*.journal ]
}
