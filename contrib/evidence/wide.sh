#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# wide [NODES [MODE]]: what does a look at many real nodes cost: seconds, memory, requests to
# slurmctld?
#
# A private cluster of NODES (200) slurmd on this machine (MODE loop: each its own host name
# and mounts, no network of its own), all of them in one reservation for maintenance:
# `hpcai500 validate --reservation` as a dry run, as a look in which every node answers (its
# inventory: 200 nodes that measure speed on two cores would measure each other), and what
# would be done. Requests are what slurmctld counts meanwhile (sdiag), but for those of nodes
# and of sdiag itself; they must not grow with the nodes, so that four nodes stand beside. The cluster is this
# script's own ($HPCAI500_CLUSTER, wide); contrib/first-light.sh builds it, and it goes when all is done.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
export HPCAI500_CLUSTER=${HPCAI500_CLUSTER:-wide}
lab=$top/contrib/cluster/cluster.sh
S=$("$lab" dir)
nodes=${1:-200} mode=${2:-loop}
! "$lab" status > /dev/null 2>&1 ||
    { echo "wide.sh: the cluster '$HPCAI500_CLUSTER' is up, and would be removed; HPCAI500_CLUSTER names another" >&2; exit 2; }
trap '"$lab" down --wipe > /dev/null 2>&1' EXIT
[ -x "$S/prefix/libexec/hpcai500/hpcai500-slurmctl" ] || "$top/contrib/first-light.sh" >&2

available() { awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }

# requests: those of programs since the last `sdiag -r`: how many, and of which kinds
requests() {
    sdiag | sed -n '/by message type/,/by user/s/^\t\([A-Z_]*\) .*count:\([0-9]*\) .*/\1 \2/p' |
        awk '$1 ~ /^REQUEST_/ && $1 !~ /STATS|REGISTRATION|PING|COMPLETE|RECONF/ { n += $2; all = all " " $1 "=" $2 }
             END { print n + 0 " |" all }' | sed 's/REQUEST_//g'
}

# row WHAT COMMAND...: seconds, megabytes of the program and its children, requests
row() {
    local what=$1; shift
    sdiag -r > /dev/null
    /usr/bin/python3 -c '
import resource, subprocess, sys, time
begin = time.time()
code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=open(sys.argv[1], "w"), stderr=subprocess.STDOUT).returncode
print("%.1f | %.0f | %d" % (time.time() - begin, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, code))
' "$folder/said" "$@" > "$folder/cost"
    echo "| $what | $(cat "$folder/cost") | $(requests) |"
}

# look_at N: the table of a cluster of so many
look_at() {
    local n=$1 before begun=$SECONDS
    "$lab" down > /dev/null 2>&1
    before=$(available)
    "$lab" up -n "$n" -m "$mode" >&2
    eval "$("$lab" env)"
    folder=$S/shared/wide
    rm -rf "$folder"; mkdir -p "$folder"; cd "$folder"
    echo "history = $folder/history.sqlite" > conf
    scontrol create reservation reservationname=maint starttime=now duration=unlimited flags=maint,ignore_jobs \
        nodes=ALL users=root > /dev/null
    echo "$n slurmd, mode $mode: up after $((SECONDS - begun)) s, $((before - $(available))) MB"
    echo
    echo "| what | s | MB | exit code | requests | of which |"
    echo "|---|---|---|---|---|---|"
    local validate=("$S/prefix/libexec/hpcai500/hpcai500-validate" --conf="$folder/conf")
    row "dry run" "${validate[@]}" --reservation=maint --folder="$folder" --dry-run
    row "look" "${validate[@]}" --reservation=maint --folder="$folder" --profile=quick --only=inventory --mpi=none
    row "what would be done" env HPCAI500_CONF="$folder/conf" "${validate[0]}" act maint
    scontrol delete reservation=maint > /dev/null
    echo
    echo "$(grep -c '"GOOD"' verdicts.jsonl || true) of $n nodes are GOOD; $(wc -c < values.jsonl) bytes of values filed"
    echo
    cd /
}

look_at "$nodes"
look_at 4
