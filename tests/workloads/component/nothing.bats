#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The do-nothing workload from its four files to its record, and what the harness
# does for every workload: models, checkpoints, resuming.
load ../../agent/mpi.bash
load ../../await
load ../../no

agent=$top_builddir/tests/workloads/component/agent-nothing

setup() {
    dir=$(mktemp -d)
    cd "$dir"
    unset HPCAI500_RUN HPCAI500_SPOOL HPCAI500_TIMEOUT "${!SLURM_@}"
    export HPCAI500_GENERATOR=$top_builddir/tests/workloads/component/generate-nothing
    export HPCAI500_CACHE=$dir/cache
}

teardown() {
    cd /
    rm -rf "$dir"
}

# losses RECORD: loss and quality of every epoch
losses() {
    jq -c '.workloads[0].epochs[] | [.epoch, .train_loss, .quality]' "$1"
}

@test "a workload of four files is planned, generated, trained and recorded" {
    run "$agent" --dry-run nothing,class=tiny
    [ "$status" -eq 0 ]
    [[ "$output" == *"The mean of three numbers"* ]]
    mkdir out
    ranks 2 "$agent" nothing,class=tiny,threads=1,out=out
    /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" out/*.json || [ $? -eq 77 ]
    cp out/*.json one.json
    [ "$(jq -c '.workloads[0] | [.name, .valid, .quality.metric, .parameters]' one.json)" = \
        '["nothing",true,"mae",4]' ]
    # the profile: every operator once a step, operators and parts are the whole of it
    jq -e '.workloads[0].profile as $p | $p.steps > 0 and all($p.operators[]; .calls == $p.steps) and
        ([$p.operators[].seconds] | add + $p.others.seconds - $p.operators_seconds | fabs) < 1e-9 and
        ([$p | to_entries[] | select(.key != "step_seconds" and (.key | endswith("_seconds"))).value] |
            add / $p.step_seconds - 1 | fabs) < 1e-9 and $p.exchanged_bytes >= 16 * $p.steps' one.json
    [ "$(jq '[.workloads[0].epochs[]] | length > 1' one.json)" = "$(jq .workloads[0].profile.steady one.json)" ]
    # the steps of both ranks, one by one, and the yardstick
    [ -z "$(ls out/*.steps.gz)" ] || # a build without zlib has none
        [ "$(zcat out/*.steps.gz | head -n 1 | jq -c '[([.blocks[][1]] | unique), ([.blocks[][4]] | add)]')" = \
        "$(jq -c '.workloads[0] | [[0, 1], (.epochs | length) * 2 * ((.data.train_samples / .batch) | ceil)]' one.json)" ]
    jq -e '.workloads[0].yardstick | .readings >= 2 and .speed > 0' one.json
    # it has no tokens; MFU is what it did of what its ranks could do, where there was a steady state
    jq -e '.workloads[0] | .performance.tokens_per_second == null and if .profile.steady then .performance.mfu > 0 and
        (.performance.flop_per_second / (.ranks * .yardstick.peak_flop_per_second) / .performance.mfu - 1 | fabs) < 1e-6
        else .performance.mfu == null end' one.json
    # the generator's baseline came with the data, and the folder's name is the science's
    jq -e '.workloads[0].quality.baseline_domain.value > 0.2' one.json
    [ "$(ls -d cache/*/)" = "cache/nothing-tiny-g1-s1/" ]
    [ "$(ls cache/nothing-tiny-g1-s1/train | wc -l)" -eq 8 ]
}

@test "diagnose= times steps without something, and says before what that takes" {
    run=nothing,class=tiny,threads=1,target=0.000001,epochs=60
    mkdir plain quick
    ranks 2 "$agent" "$run,out=plain" || [ $? -eq 1 ]
    ranks 2 "$agent" "$run,diagnose=quick,out=quick" 2>log || [ $? -eq 1 ]
    cat log
    /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" plain/*.json quick/*.json || [ $? -eq 77 ]
    cp plain/local*[0-9].json plain.json
    cp quick/local*[0-9].json quick.json
    grep -q "diagnose: 8 rounds of 3 arms, about [0-9]* s" log
    jq -e '.workloads[0].ablation == null and (.reasons["workloads[0].ablation"] | test("not asked"))' plain.json
    # what was trained is the same, whatever is measured after it
    [ "$(losses plain.json)" = "$(losses quick.json)" ]
    # others' work may have come or gone: then it says so
    jq -e '.workloads[0].ablation as $a | if $a == null
        then .reasons["workloads[0].ablation"] | test("others. work came or went")
        else $a.rounds == 8 and ([$a.arms[].name] == ["data_from_memory", "empty_exchange"]) and
            all($a.arms[]; .low <= .gain and .gain <= .high) end' quick.json
}

@test "after two epochs an ablation is made, or the record says why it is not" {
    ranks 2 "$agent" nothing,class=tiny,threads=1,target=0.000001,epochs=2,diagnose=yes,out=short.json || [ $? -eq 1 ]
    # whether a step of microseconds takes longer without something is the machine's affair
    jq -e 'if .workloads[0].ablation == null
        then .reasons["workloads[0].ablation"] | test("it would take .* s, more than training did|others. work came or went")
        else .workloads[0].ablation.rounds >= 1 end' short.json
}

@test "model= chooses a model, or says what there is" {
    run "$agent" nothing,class=tiny,model=line,epochs=1,target=1
    [[ "$output" == *"epoch 1"* ]]
    run "$agent" nothing,class=tiny,model=curve
    [ "$status" -ne 0 ]
    [[ "$output" == *"nothing does not have the model 'curve'; its first is line"* ]]
    run "$agent" nothing,class=small
    [[ "$output" == *"nothing has no class small"* ]]
}

# ranks_here: pids of this test's ranks
ranks_here() {
    local q
    for q in $(pgrep -f "agent-nothing nothing"); do
        [ "$(readlink "/proc/$q/cwd")" != "$dir" ] || [[ "$(readlink "/proc/$q/exe")" != *agent-nothing ]] || echo "$q"
    done
}

killed_and_resumed() { # RANKS
    local n=$1 run=nothing,class=tiny,threads=1,target=0.000001,epochs=8 p
    ranks "$n" "$agent" "$run,out=whole.json" 2>log || [ $? -eq 1 ]
    # it dies in an epoch, with the checkpoint of the third at least behind it
    NOTHING_NAP=100000000 ranks "$n" "$agent" "$run,checkpoint=kept,out=killed.json" >log 2>&1 &
    p=$!
    await 5 grep -q "epoch 3" log
    kill -9 $(ranks_here)
    wait "$p" || true
    [ ! -e killed.json ]
    # what it had measured of its steps was in its journals
    HPCAI500_EXEC_PATH=$top_builddir/reports/tools "$top_builddir/reports/tools/hpcai500" recover ./*.journal . >path
    jq -e '.workloads[0].profile as $p | $p.steady and $p.steps > 0 and all($p.operators[]; .calls == $p.steps) and
        (.reasons["workloads[0].profile"] | test("^of rank [01] alone, as far as its journal goes$"))' "$(cat path)"
    rm -r ./*.journal "$(cat path)"
    [ "$(ls kept)" = "nothing-tiny.checkpoint" ]
    ranks "$n" "$agent" "$run,checkpoint=kept,resume=kept,out=resumed.json" >log 2>&1 || [ $? -eq 1 ]
    grep "goes on after epoch [3-7]" log
    diff <(losses whole.json) <(losses resumed.json)
    jq -e '.workloads[0].phases.checkpoint.median_seconds > 0' resumed.json
    # counters have the same borders: of the loop over steps there is one number
    jq -e '.workloads[0].counters.io_read_calls | .phases | (.train | type) == "number" and .checkpoint > 0 and .compute == null' resumed.json
}

# Its steps are short, so that an ablation would fit; of a real network it would take as long
# again as training did, and who told waits half a minute.
@test "a run that is told to end makes no ablation" {
    NOTHING_NAP=20000000 "$agent" nothing,class=tiny,threads=1,target=0.000001,epochs=1000,diagnose=quick,out=told.json \
        >log 2>&1 3>&- &
    p=$!
    await 5 grep -q "epoch 4" log
    kill -TERM "$p"
    wait "$p" || true
    jq -e '.workloads[0].ablation == null and (.reasons["workloads[0].ablation"] | test("told to end"))' told.json || { cat log; jq -c '.reasons, .status' told.json; false; }
}

@test "a run killed in an epoch resumes to the same losses (1 rank)" {
    killed_and_resumed 1
}

@test "a run killed in an epoch resumes to the same losses (2 ranks)" {
    killed_and_resumed 2
}

@test "what cannot be resumed is said, and nothing is lost" {
    "$agent" nothing,class=tiny,epochs=2,checkpoint=kept,target=0.000001,out=a.json || [ $? -eq 1 ]
    cp kept/nothing-tiny.checkpoint whole
    run "$agent" nothing,class=tiny,epochs=3,resume=kept
    [ "$status" -ne 0 ]
    [[ "$output" == *"kept/nothing-tiny.checkpoint' is of 'nothing class=tiny"*"epochs=2"*"epochs=3"* ]]
    run "$agent" nothing,class=tiny,seed=2,epochs=2,resume=kept
    [[ "$output" == *"seed=1"*"seed=2"* ]]
    run "$agent" nothing,class=tiny,epochs=2,resume=nowhere
    [ "$status" -ne 0 ]
    [[ "$output" == *"resume=nowhere: No such file or directory"* ]]
    head -c 1000 whole >kept/nothing-tiny.checkpoint
    run "$agent" nothing,class=tiny,epochs=2,resume=kept
    [ "$status" -ne 0 ]
    [[ "$output" == *"checkpoint 'kept/nothing-tiny.checkpoint' has 1000 bytes instead of"* ]]
    # a folder without one is a run that begins
    mkdir empty
    run "$agent" nothing,class=tiny,epochs=2,resume=empty,out=b.json
    [[ "$output" == *"there is no checkpoint to go on from yet: training begins"* ]]
    diff <(losses a.json) <(losses b.json)
}

@test "a checkpoint that cannot be written is said once, and training goes on" {
    mkdir kept
    mkdir kept/nothing-tiny.checkpoint # a folder in the way of the rename
    run "$agent" nothing,class=tiny,epochs=3,target=0.000001,checkpoint=kept
    [ "$(grep -c "training goes on without" <<<"$output")" -eq 1 ]
    [[ "$output" == *"epoch 3"* ]]
    touch file
    run "$agent" nothing,class=tiny,epochs=3,checkpoint=file
    [ "$status" -ne 0 ]
    [[ "$output" == *"checkpoint=file is not a folder"* ]]
}
