#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# bats file_tags=quiet
#
# What limits a run is named on the real thing: a node's slow wire, a node's CPU quota,
# slow storage, and nothing where nothing was done. The other three of why.bash, and
# repeats, are contrib/evidence/why.sh.
#
# Two nodes with a thread each on two processors; no rate and no time is asserted.

load helper
load inject
load why

eval "$(declare -f teardown | sed 's/^teardown ()/helper_&/')"
# shellcheck disable=SC2154
teardown() { end_all "${why_nodes[@]}"; helper_teardown; }

# verdict CASE: its run says the fault that was injected
verdict() { # $said: what the judge says
    need_root; need_nodes_of_their_own
    said=$(why_possible "$1") || skip "$said"
    why_data "$OUT/data"
    why_run "$1" "$OUT/run"
    R=$(the_record "$OUT/run")
    is "$R" '.status == "complete" or .workloads[0].epochs[1]' '.workloads[0].why.visible != null'
    said=$(why_judge "$1" "$R")
    echo "$1: $said"; hpcai500 show --why "$R"
    [ "$said" != right ] || return 0
    case $1,$said in nothing,abstained*) return ;; *,abstained*) skip "$said" ;; esac
    # with other work on more than a third of the cores the fault is no longer what limits
    # the run: what is then said is neither right nor wrong
    jq -e '.workloads[0].why.foreign > 0.35' "$R"
    skip "other work took more than a third of the cores: $said"
}

# An abstention passes here: other work on one of the two processors is "n2 was slower in
# this run", which accuses nobody. Below it is a skip. How often each is named:
# contrib/evidence/why.sh.
@test "where nothing was done no resource and no node is named" { verdict nothing; }

@test "a node that sends slowly: network, and that node" {
    verdict network
    is "$R" '.workloads[0].why.verdict | startswith("network") and contains("n2 sends slowly")'
}

@test "a CPU quota on one node: that node, and no network" {
    verdict quota
    is "$R" '.workloads[0].why.verdict | startswith("node n2: CPU quota")'
}

@test "slow storage of both nodes: storage, and no node" { verdict storage; }
