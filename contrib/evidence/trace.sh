#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# trace.sh [RUN]: are the phases of a record what an independent trace says they are?
#
# Builds the agent once more with gcc's -finstrument-functions in agent/ and
# workloads/component/ (not in the kernels), and trace.c, which notes when the main thread
# enters and leaves eight functions, without a word from the agent's own stamps. Two
# ranks on this machine train RUN (cosmoflow,class=tiny,epochs=3,threads=1); trace.py makes
# phases of steady epochs out of the traces of both and puts them beside the record's: each
# phase and their sum must agree within 2 % of those epochs, the evaluation within 2 % of
# itself. CC and MPICC name the compilers (CC="ccache gcc" saves minutes the next time).
#
# A hot function is entered some hundred times a step: the trace costs the run about 1 %.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
run=${1:-cosmoflow,class=tiny,epochs=3,threads=1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
functions='train_epoch make_step take_batch agree_between sums_start sums_progress sums_wait'

mkdir "$work/build"; cd "$work/build"
echo '#define _GNU_SOURCE 1' > "$work/config.h"
gcc -O2 -I"$work" -c "$top/contrib/evidence/trace.c" -o "$work/trace.o"
{
    "$top/configure" --disable-static CC="${CC:-gcc}" MPICC="${MPICC:-mpicc}" LIBS="$work/trace.o" \
        CFLAGS="-g -O2 -fno-ipa-sra -fno-ipa-cp -fno-ipa-icf -fno-partial-inlining -finstrument-functions -finstrument-functions-exclude-file-list=workloads/engine,workloads/data,workloads/generate,workloads/micro,workloads/view,reports/,papi/,spank/"
    make -j"$(nproc)" build_id.h && make -j"$(nproc)" agent/hpcai500-agent workloads/generate/hpcai500-generate
} > "$work/build.log" 2>&1 || { tail -20 "$work/build.log" >&2; exit 1; }
agent=$work/build/agent/.libs/hpcai500-agent
[ -x "$agent" ] || agent=$work/build/agent/hpcai500-agent
for f in $functions; do nm "$agent" | awk -v f="$f" '$3 == f { print $1, f }'; done > "$work/functions"
# harness.c has an evaluate() of its own
nm -l "$agent" | awk '$3 == "evaluate" && $4 ~ /component\/train.c:/ { print $1, $3 }' >> "$work/functions"
[ "$(wc -l < "$work/functions")" = 8 ] || { echo "functions that are not there once:" >&2; cat "$work/functions" >&2; exit 1; }

mkdir "$work/out"
# shellcheck disable=SC2016 # the rank is the shell's that mpirun starts
TRACE_FUNCTIONS=$work/functions OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
    ${MPIEXEC:-mpirun} -n 2 sh -c 'TRACE_OUT=$0.${OMPI_COMM_WORLD_RANK:-$PMI_RANK} exec "$@"' "$work/trace" \
    "$work/build/agent/hpcai500-agent" "$run,out=$work/out" > "$work/run.log" 2>&1 || [ $? = 1 ] ||
    { cat "$work/run.log" >&2; exit 1; }
# sh became the agent, and forked children (a generator) leave none
python3 "$top/contrib/evidence/trace.py" "$work"/out/*.ranks.json.gz "$work"/trace.0.* "$work"/trace.1.*
