#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 doctor on a real Slurm: a healthy site is healthy, and what is broken
# on one node is found there, with the exit code that monitoring reads.

load helper
load ../no

# Clock and disks of this machine are not ours to judge, and the history is made
# by the collector's first run: every other check must be right.
checks="config plugin option pmix agent munge spool name counters collector"

doctor() { timeout -k 10 600 hpcai500 doctor --nodes "$@" </dev/null; }

# says CODE WORDS...: the exit code, and each of the words on one line of the output
says() {
    local code=$1 words
    shift
    echo "$output"
    [ "$status" -eq "$code" ]
    for words in "$@"; do grep -qE -- "$words" <<<"$output"; done
}

@test "a healthy site: all is OK on every node, for root and for a user" {
    need_root
    run doctor $checks
    if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 2 ]; then
        says 1 "WARN +counters"
    else
        says 0 "^OK$"
    fi
    [ "$(grep -c '^OK .*spool .*a job can write in its own folder' <<<"$output")" -eq 1 ]
    says "$status" "OK +nodes +one agent on $(nodes) of $(nodes) nodes"
    no grep -q '^CRITICAL' <<<"$output"
    run as_user hpcai500 doctor --nodes=n1,n2 config plugin option agent munge spool
    says 0 "OK +spool .*a job can write in its own folder  \[n[12],n[12]\]"
}

@test "an agent of another build on one node is critical" {
    need_root
    need_nodes_of_their_own
    mkdir bin
    for n in n1 n2; do
        printf '#!/bin/sh\necho "hpcai500-agent 0 (of %s)"\n' $n >bin/$n
        chmod 755 bin/$n
    done
    cp bin/n1 bin/hpcai500-agent
    "$lab" plugin agent="$OUT/bin/hpcai500-agent"
    "$lab" exec n2 mount --bind "$OUT/bin/n2" "$OUT/bin/hpcai500-agent"
    run doctor agent
    "$lab" exec n2 umount "$OUT/bin/hpcai500-agent"
    "$lab" plugin
    says 2 "CRITICAL +nodes +the nodes have different agents" "WARN +agent .*of n2.*\[n2\]"
}

@test "no agent on one node, no plugin on another" {
    need_root
    need_nodes_of_their_own
    mv "$S/nodes/n2/plugstack.conf" "$OUT/saved"
    echo '# nothing' >"$S/nodes/n2/plugstack.conf"
    run doctor plugin spool
    mv "$OUT/saved" "$S/nodes/n2/plugstack.conf"
    says 2 "CRITICAL +plugin +no line of .* loads hpcai500.so  \[n2\]" \
        "CRITICAL +spool +this job has no folder in .*\[n2\]"
    "$lab" exec n1 mount --bind /dev/null "$S/prefix/bin/hpcai500-agent"
    run doctor agent
    "$lab" exec n1 umount "$S/prefix/bin/hpcai500-agent"
    says 2 "CRITICAL +agent .*\[n1\]" "one agent on $(($(nodes) - 1)) of $(nodes) nodes"
}

@test "a spool that others may write, a configuration that root refuses" {
    need_root
    spool=$(hpcai500 config spool)
    chmod 1777 "$spool"
    run doctor --json spool
    chmod 0755 "$spool"
    [ "$status" -eq 2 ]
    jq -e '.status == "CRITICAL" and ([.checks[] | select(.check == "spool")] | length > 0 and
        all(.status == "CRITICAL" and (.text | test("with mode 1777"))))' <<<"$output"
    cp "$HPCAI500_CONF" "$OUT/site.conf"
    echo "spol = /x" >>"$OUT/site.conf"
    HPCAI500_CONF=$OUT/site.conf run doctor config
    says 2 "CRITICAL +config .*there is no key 'spol'; the nearest is 'spool'"
}

@test "a node that is down is named, and the others are looked at" {
    need_root
    "$lab" stop n2
    await 5 sh -c 'scontrol update nodename=n2 state=down reason=doctor'
    run doctor agent
    "$lab" start n2 || true
    scontrol update nodename=n2 state=resume 2>/dev/null || true
    says 1 "WARN +nodes +n2 is down.*not checked" \
        "one agent on $(($(nodes) - 1)) of $(($(nodes) - 1)) nodes"
}
