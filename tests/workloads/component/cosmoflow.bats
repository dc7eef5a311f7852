#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# CosmoFlow gives the numbers that it gave before the harness was made for all.

setup() {
    agent=$top_builddir/agent/hpcai500-agent
    generate=$top_builddir/workloads/generate/hpcai500-generate
    dir=$(mktemp -d)
    cd "$dir"
    unset HPCAI500_RUN HPCAI500_SPOOL "${!SLURM_@}"
}

teardown() {
    cd /
    [ -z "$dir" ] || rm -rf "$dir"
}

# Commit 2572341, engine=ref: sums in double, so that what differs between
# machines is libm's last bit (1e-7 in float32; 1e-6 after a step of five samples
# leaves it ten times the room, and a changed order, draw or norm moves the third digit).
@test "cosmoflow's loss and quality are those of commit 2572341" {
    "$generate" cosmoflow,class=tiny --train 5 --validation 1 --out set 2>log
    "$agent" cosmoflow,class=tiny,engine=ref,data=set,epochs=1,batch=4,threads=1,out=r.json 2>>log ||
        [ $? -eq 1 ]
    jq -e '.workloads[0].epochs[0] | [.train_loss / 0.5379891753196716, .quality / 0.7158114314079285]
        | all(. > 1 - 1e-6 and . < 1 + 1e-6)' r.json
}
