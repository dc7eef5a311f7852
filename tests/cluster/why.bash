# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154
# Runs on two nodes whose limit is known, and what may be said of them. Sourced by
# tests/cluster/why.bats, which runs four, and contrib/evidence/why.sh, which runs all.
# Each is injected so strongly that it is more than half of the step: what noise of this
# machine makes of that changes no verdict.
#
#     nothing    two processors, a thread each; an epoch has 64 steps of 16 samples
#     network    n2 sends at 100 Mbit/s: an exchange takes twice as long as its step computes
#     quota      n2 has a quarter of a processor
#     quota-all  both have
#     storage    both read 4 MB/s, keep nothing in memory, and memory keeps nothing for them
#     threads    eight a node, which has two processors
#     workers    one, which waits 20 ms for each file to be opened, and one batch ahead

# shellcheck disable=SC2034 # by who sources this
why_cases=(nothing network quota quota-all storage threads workers)
why_nodes=(n1 n2)

why_inject() {
    case $1 in
        network) slow_wire n2 100mbit ;;
        quota) slow_cpu n2 25 ;;
        quota-all) slow_cpu n1 25 && slow_cpu n2 25 ;;
        storage) slow_disk n1 4000000 && slow_disk n2 4000000 && chill "$S"/nodes/n[12]/cache ;;
    esac
}

# why_possible CASE: else what is missing here
why_possible() {
    case $1 in
        network) grep -q mode=netns "$S/state.sh" || { echo "the nodes have no network of their own"; return 1; } ;;
        quota*) can_hold cpu || { echo "no cgroup v1 with the controller cpu here"; return 1; } ;;
        storage) can_hold blkio || { echo "no cgroup v1 with the controller blkio here"; return 1; } ;;
        workers) strace -qq -o /dev/null -e trace=none true 2> /dev/null || { echo "no strace that may trace here"; return 1; } ;;
    esac
}

# why_run CASE FOLDER [KEYS]: a run of two epochs with that fault; its record goes there.
# KEYS take the place of those of the loader that are too few
why_run() {
    local run=cosmoflow,class=tiny,batch=16,epochs=2,seed=${WHY_SEED:-1},out=$2 rc=0
    case $1 in
        threads) run+=,threads=8 ;;
        storage) run+=,threads=1,keep=no ;;
        workers) run+=,threads=1,keep=no,${3:-workers=1,ahead=1} ;;
        *) run+=,threads=1 ;;
    esac
    why_inject "$1" || rc=1
    if [ $rc = 0 ] && [ "$1" = workers ]; then
        srun_ -w n1,n2 -N2 -n2 strace -f --seccomp-bpf -qq -o /dev/null -e trace=openat \
            -e inject=openat:delay_enter=20000 hpcai500-agent "$run" || rc=$?
    elif [ $rc = 0 ]; then
        srun_ -w n1,n2 -N2 -n2 --hpcai500="$run" hpcai500-agent || rc=$?
    fi
    end_all "${why_nodes[@]}"
    [ $rc -le 1 ] # 1: the target was not reached, as two epochs do not
}

# why_data FOLDER: each node has the samples; a fault of its disk finds them there
why_data() {
    [ -n "$(find "$S"/nodes/n1/cache -name MANIFEST -path '*cosmo-tiny*')" ] &&
        [ -n "$(find "$S"/nodes/n2/cache -name MANIFEST -path '*cosmo-tiny*')" ] ||
        srun_ -w n1,n2 -N2 -n2 --hpcai500="cosmoflow,class=tiny,epochs=1,threads=1,out=$1" hpcai500-agent ||
        [ $? = 1 ]
}

# why_judge CASE RECORD: "right", "abstained: ...", or "wrong: ..."; what is named is the
# cause and its node, of no single bottleneck the first
why_judge() {
    local said cause node want where=-
    IFS=$'\t' read -r cause node said < <(jq -r '.workloads[0].why |
        if . == null then ["none", "-", "no verdict"] else [.cause, .node // "-", .verdict] end | @tsv' "$2")
    case $1 in
        nothing) want='processor|kernels|memory_bandwidth' ;;
        network) want='network|network_bandwidth|network_latency' where=n2 ;;
        quota) want=node_quota where=n2 ;;
        quota-all) want=withheld ;;
        storage) want='storage|storage_bandwidth' ;;
        threads) want=too_many_threads ;;
        workers) want=storage_latency ;;
    esac
    if [[ $cause =~ ^($want)$ && $node = "$where" ]]; then echo right
    elif [ "$cause" = no_single_bottleneck ] && jq -e --arg want "^($want)\$" --arg where "$where" \
        '.workloads[0].why.causes[0] | (.cause | test($want)) and (.node // "-") == $where' "$2" > /dev/null
    then echo "abstained: $said"
    elif [[ $1 = nothing && $cause = node_was_slower ]]; then echo "abstained: $said"
    else echo "wrong: $said"; fi
}
