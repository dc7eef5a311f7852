#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Micro benchmarks under Slurm name what is really slow: a node whose wire is
# throttled as the sender that it is, and nobody where nothing was done.
#
# All nodes share this machine's cores and take turns (turns=auto finds that out, or
# turns=yes says it). The throttle, 200 Mbit/s on an egress whose peers send at GB/s, is
# far above anything that noise makes of a median of five; nothing here asserts a rate.

load helper

eval "$(declare -f teardown | sed 's/^teardown ()/helper_&/')"
teardown() { end_throttle n2; helper_teardown; }

throttle() { "$lab" exec "$1" tc qdisc add dev eth0 root tbf rate 200mbit burst 64kb latency 50ms; }
end_throttle() { "$lab" exec "$1" tc qdisc del dev eth0 root 2> /dev/null || true; }

# p2p: a run on all four nodes; its record is $R
p2p() {
    srun_ -N4 -n4 --hpcai500="p2p,class=tiny,turns=yes,out=$OUT$1" hpcai500-agent
    R=$(the_record)
}

# slow FILE: "what from to" of each row that stands out
slow() { jq -r '.micro[] | select(.status == "SLOW") | [.what, .from // "-", .to // "-"] | join(" ")' "$1"; }

@test "p2p names the node whose egress is throttled, its direction, and nobody else" {
    need_root; need_nodes_of_their_own
    throttle n2
    p2p ""
    run slow "$R"
    [ "$output" = "sends n2 -" ] || { echo "named: $output"; jq -c '.micro[] | [.what, .from, .to, .median, .status]' "$R"; false; }
    is "$R" '.status == "complete"' '.valid' \
        '.micro[0].status == "SLOW" and (.micro[0].reason | startswith("n2 sends slowly: "))' \
        '[.micro[] | select(.what == "bandwidth" and .from)] | length == 12' \
        '[.micro[] | select(.what == "latency" and .from)] | length == 6' \
        'all(.micro[] | select(.from and .to); .samples_taken == 5 and .checked)' \
        '([.micro[] | select(.what == "bandwidth" and .from == "n2") | .median] | max) <
         ([.micro[] | select(.what == "bandwidth" and .from and .from != "n2") | .median] | min)'
    hpcai500 show "$R" | grep -q 'SLOW: n2 sends slowly'
}

@test "p2p names nobody where nothing was done, and keeps every sample of every rank" {
    p2p ""
    run slow "$R"
    [ "$output" = "" ] || { echo "named: $output"; jq -c '.micro[] | [.what, .from, .to, .median, .status]' "$R"; false; }
    zcat "${R%.json}.ranks.json.gz" > ranks.json
    is ranks.json '[.micro[] | select(.from and .to) | .ranks[] | .samples | length] | length == 18 and all(. == 5)'
}

@test "machine: nodes that share cores take turns, and the run delay is in the record" {
    srun_ -N2 -n2 --hpcai500="machine,class=tiny,turns=yes,threads=1,out=$OUT" hpcai500-agent
    R=$(the_record)
    is "$R" '.status == "complete"' '.valid' 'all(.micro[]; .status == "OK" or .status == "SKIPPED")' \
        'all(.micro[] | select(.what == "fma"); .ranks == 2 and .samples_taken == 10 and .run_delay != null and
            (.slowest_node | test("^n[1-4]$")))' \
        '[.micro[] | select(.what == "peak")] | length >= 1'
}
