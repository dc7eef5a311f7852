#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# contrib/evidence/rcp.sh: its arithmetic, with a stand-in for the agent.

setup() {
    command -v jq > /dev/null || skip "jq is not installed"
    cat > "$BATS_TEST_TMPDIR/agent" <<'A'
#!/bin/bash
# WORKLOAD HIGHER TARGET ACHIEVED FAR BASELINE FIELD come from the environment
[ "$1" = --version ] && { echo stand-in; exit; }
[ "$1" = --dry-run ] && { echo "  train 1 parameters, batch 8, 5 epochs at most"; exit; }
t=$TARGET a=$ACHIEVED n=3
[[ $2 == *target=$NEVER,epochs=50* ]] && { t=$NEVER; a=$FAR; n=null; }
cat <<J
{"workloads": [{"name": "$WORKLOAD", "epochs": [1], "performance": {}, "quality": {"higher_is_better": $HIGHER,
 "target": $t, "achieved": $a, "epochs_to_target": $n, "baseline": $BASELINE, "baseline_domain": {"name": "cuts", "value": $FIELD}}}]}
J
A
    chmod +x "$BATS_TEST_TMPDIR/agent"
    export AGENT=$BATS_TEST_TMPDIR/agent
}

@test "higher is better: from the field's own baseline, by runs whose target nothing reaches" {
    WORKLOAD=hep HIGHER=true TARGET=0.8 ACHIEVED=0.85 FAR=0.85 BASELINE=0.5 FIELD=0.6 NEVER=1000000 \
        run "$top_srcdir/contrib/evidence/rcp.sh" hep tiny 2 1
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"reached 2 of 2; epochs mean 3 "* ]]
    [[ "$output" == *"ten times longer: 0.85; the target is 80"*" % of the way from cuts (rule: >= 60)"* ]]
}

@test "lower is better: from the trivial predictor" {
    WORKLOAD=cosmoflow HIGHER=false TARGET=0.3 ACHIEVED=0.29 FAR=0.1 BASELINE=0.5 FIELD=0.2 NEVER=0.000001 \
        run "$top_srcdir/contrib/evidence/rcp.sh" cosmoflow tiny 2 1
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"ten times longer: 0.1; the target is 50 % of the way from the trivial predictor (rule: >= 60)"* ]]
}
