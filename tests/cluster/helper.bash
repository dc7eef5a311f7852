# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# What every file of tests/cluster starts from: `load helper`.
#
# The cluster is up before (contrib/test.sh cluster, or contrib/first-light.sh)
# and is named by $HPCAI500_CLUSTER; the tests run on its login node, which is
# this machine, and reach into nodes by namespace and pid. Each test has a
# folder of its own, $OUT, that all nodes see, and leaves the cluster idle.

load ../await

top_srcdir=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
lab=$top_srcdir/contrib/cluster/cluster.sh

setup_file() {
    # up, and a node may be on its way back from what a test before did
    "$lab" status > /dev/null || { [ -e "$("$lab" dir)/up" ] && await 5 "$lab" status; } || {
        echo "no cluster '${HPCAI500_CLUSTER:-light}' is up: contrib/test.sh cluster, or contrib/cluster/cluster.sh up" >&2
        return 1
    }
    export S; S=$("$lab" dir)
    few
}

# few: $FEW, a folder of a few cubes: a whole run in seconds, where it does not matter
# what is learned. Made once for all files.
few() {
    export FEW=$S/shared/few
    [ -d "$FEW" ] || "$S/prefix/bin/hpcai500" data generate cosmoflow,class=tiny --train 9 --validation 4 --out "$FEW" &&
        chmod -R a+rX "$FEW"
}

setup() {
    eval "$("$lab" env)"
    OUT=$S/shared/$(basename "$BATS_TEST_FILENAME" .bats)-$BATS_TEST_NUMBER
    rm -rf "$OUT"; mkdir -p "$OUT"; chmod 1777 "$OUT"
    cd "$OUT" || return 1
}

teardown() {
    local left
    scancel --quiet --user="$(id -un)" 2>/dev/null || true
    [ "$(id -u)" != 0 ] || scancel --quiet --user=nobody 2>/dev/null || true
    # What a test that failed half-way holds ($stopped), its background srun.
    [ -z "${stopped-}" ] || kill -KILL "$stopped" 2>/dev/null || true
    left=$(jobs -p); [ -z "$left" ] || kill $left 2>/dev/null || true
    await 5 idle
}

idle() { [ -z "$(squeue -h)" ] && [ "$(sinfo -h -p main -t idle -o %D)" = "$(nodes)" ]; }
nodes() { sinfo -h -p main -o %D | awk '{n += $1} END {print n}'; }

# show_state: what await says when it waited in vain
show_state() {
    squeue; sinfo -N -p main -o '%N %T %E'
    tail -n 15 "$S/log/slurmctld.log"
}

# Every srun of a test goes through one of these: no hang outlives its limit,
# and -K ends a step whose task was killed.
limit=600
srun_() { timeout -k 10 $limit srun -K "$@" < /dev/null; }
# as_user COMMAND...: as an ordinary user, at home
as_user() { timeout -k 10 $limit "$lab" as nobody "$@" < /dev/null; }

need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }
need_nodes_of_their_own() { grep -q 'mode=\(netns\|loop\)' "$S/state.sh" || skip "nodes share this machine's mounts here"; }

# records [DIR]: the records in it, one path a line
records() { find "${1:-$OUT}" -maxdepth 1 -name '*.json' | sort; }

# the_record [DIR]: the one record there; fails with what is there
the_record() {
    local found; found=$(records "${1:-$OUT}")
    [ "$(grep -c . <<< "$found")" = 1 ] || { echo "wanted one record, found: ${found:-none}" >&2; ls -la "${1:-$OUT}" >&2; return 1; }
    check_record "$found" && echo "$found"
}

# check_record FILE: the independent validator of the schema has no objection
check_record() { /usr/bin/python3 "$top_srcdir/tests/reports/record/validate.py" "$1" >&2; }

# field FILE JQ-PATH: one value of a record
field() { jq -r "$2" "$1"; }

# is FILE JQ-CONDITION...: each holds; says which does not
is() {
    local file=$1 what; shift
    for what in "$@"; do
        jq -e "$what" "$file" > /dev/null || {
            echo "does not hold in $file: $what" >&2
            jq '{id, status, valid, reasons: (.reasons | {valid, status, "workloads[0].status"}), job,
                nodes: [.system.nodes[]? | {name, build_id, plugin_remote}]}' "$file" >&2
            return 1
        }
    done
}

# agent_pids NODE: processes of the agent on that node, by pid
agent_pids() {
    local p
    for p in /proc/[0-9]*; do
        [ "$(cat "$p/comm" 2>/dev/null)" = hpcai500-agent ] || continue
        grep -qzxF "SLURMD_NODENAME=$1" "$p/environ" 2>/dev/null || continue
        grep -qzxF "SLURM_CONF=$S/etc/slurm.conf" "$p/environ" 2>/dev/null || continue
        # forked children of a rank (generator, ...) share its name for a moment
        grep -qzE '^SLURM_PROCID=' "$p/environ" && echo "${p#/proc/}"
    done
}
