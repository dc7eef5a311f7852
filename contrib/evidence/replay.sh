#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# replay [TIMES]: does a validation that acts ever touch what is not its own, wherever it is
# killed? On the private cluster $HPCAI500_CLUSTER, which is up: the replay tests TIMES times
# (1; 0 none), then for each system call by which it files or waits a maintenance of its own, in
# which it is killed -9 there and started again. Rows of this commit are kept in the cluster's
# folder: ended and started again it goes on, and MINUTES=8 makes a piece.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export top_srcdir=$PWD BATS_TEST_DIRNAME=$PWD/tests/cluster
lab=$top_srcdir/contrib/cluster/cluster.sh
"$lab" status > /dev/null || { echo "no cluster is up: contrib/first-light.sh" >&2; exit 1; }
S=$("$lab" dir)
export S top_builddir=$S/build
eval "$("$lab" env)"
. tests/await.bash
. tests/cluster/replay.bash
idle() { [ -z "$(squeue -h)" ] && [ "$(sinfo -h -p main -t idle -o %D)" = "$(nodes)" ]; }
nodes() { sinfo -h -p main -o %D | awk '{n += $1} END {print n}'; }
need_root() { [ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 77; }; }

begun=$SECONDS
late() { [ $((SECONDS - begun)) -ge $((60 * ${MINUTES:-100000})) ]; }
kept=$S/replay-$(git rev-parse --short HEAD 2> /dev/null || echo tarball)
mkdir -p "$kept"

for time in $(seq 1 "${1:-1}"); do
    # not for `set -e`: a failure is a row
    bats tests/cluster/replay.bats > "$S/replay.tap" 2>&1 || true
    echo "replay tests, time $time: $(grep -c '^ok' "$S/replay.tap") held, $(grep -c '^not ok' "$S/replay.tap" || true) did not"
    grep '^not ok' "$S/replay.tap" || true
done

# once CALL N: one maintenance; prints a row
once() {
    local call=$1 n=$2 rc=0 tries=0 wrong=""
    replay_setup
    reserve n2,n3,n4
    scontrol update nodename=n4 state=drain reason="bob: not yours" # a foreign reason, throughout
    verdict n2 GOOD; verdict n3 SLOW "memory.triad -48 %"; verdict n4 GOOD
    timeout -k 10 300 strace -o "$R/strace" -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$n" \
        "$R/bin/hpcai500-validate" act --apply maint > "$R/out" 2>&1 < /dev/null || rc=$?
    if [ "$rc" -ne 137 ]; then echo "| $call $n | not reached |  |"; replay_end; return; fi
    until [ "$(sql "SELECT count(*) FROM deed WHERE verb = 'drain' AND outcome = 2" 2> /dev/null)" = 1 ] &&
        [ "$(members)" = "n[3-4]" ]; do
        act --apply maint > "$R/last" 2>&1 || true
        tries=$((tries + 1)); [ $tries -lt 30 ] || break
    done
    drained n3 && [ "$(reason n3)" = "hpcai500: memory.triad -48 % (job 7)" ] || wrong+=" n3: $(reason n3)"
    [ "$(reason n4)" = "bob: not yours" ] || wrong+=" n4: $(reason n4)"
    [ "$(members)" = "n[3-4]" ] || wrong+=" members: $(members)"
    [ "$(sql "SELECT count(*) FROM deed WHERE outcome < 2")" = 0 ] || wrong+=" a deed is not settled"
    echo "| $call $n | ended right after $tries more |${wrong:- nothing} |"
    replay_end
}

echo
echo "| killed -9 at | then | wrong |"
echo "|---|---|---|"
for call in wait4 pwrite64 fdatasync; do
    step=1; [ $call != pwrite64 ] || step=4
    for ((n = 1; n <= 40; n += step)); do
        row=$kept/$call-$n
        if [ ! -s "$row" ]; then
            ! late || break 2
            once $call $n > "$row.new" 2> "$S/replay.err" || true # a failure is a row
            tail -n 1 "$row.new" > "$row"
            # made again the next time
            [ -s "$row" ] || { echo "| $call $n | no row | $(tail -n 1 "$S/replay.err") |"; continue; }
        fi
        cat "$row"
        ! grep -q 'not reached' "$row" || break
    done
done
