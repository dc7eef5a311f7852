#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# What the plugin costs a job that does not use it: empty one-task steps in one
# allocation, with and without the plugin in plugstack.conf, one of each in
# turn, in random order within a pair. Prints both medians and the median
# difference of a pair, each with its 95 % interval.
#
#   contrib/bench/plugin-cost.sh [PAIRS]
#
# The private cluster must be up (contrib/cluster/cluster.sh up), the plugin in
# its prefix; $HPCAI500_CLUSTER names it.
set -euo pipefail
pairs=${1:-100}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$here/../cluster/cluster.sh
eval "$("$lab" env)"
dir=$("$lab" dir)
[ -e "$dir/prefix/lib/slurm/hpcai500.so" ] || { echo "plugin-cost.sh: no plugin in $dir/prefix: make install first" >&2; exit 3; }

if [ "${2-}" != inside ]; then
    "$lab" status > /dev/null
    echo "# $(git -C "$here" describe --always --dirty 2> /dev/null || echo tarball), $(date -u +%F), $(uname -r)," \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), Slurm $(srun --version | sed 's/.* //')"
    trap '"$lab" plugin' EXIT
    salloc --quiet -N1 -n1 "$0" "$pairs" inside
    exit
fi

# once with|without: milliseconds of an empty step
once() {
    if [ "$1" = with ]; then "$lab" plugin; else "$lab" plugin none; fi
    local from to
    from=$(date +%s%N)
    timeout 60 srun -n1 true < /dev/null
    to=$(date +%s%N)
    echo $(((to - from) / 1000))
}

# row TITLE < numbers: median, and its 95 % interval by order statistics
row() {
    sort -n | awk -v title="$1" '
        { v[NR] = $1 / 1000 }
        END {
            low = int((NR - 1.96 * sqrt(NR)) / 2); if (low < 1) low = 1
            middle = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
            printf "%-40s %8.2f   %7.2f to %.2f\n", title, middle, v[low], v[NR + 1 - low]
        }'
}

rows=$(mktemp)
for _ in 1 2 3; do once with > /dev/null; once without > /dev/null; done
for _ in $(seq "$pairs"); do
    if [ $((RANDOM % 2)) = 0 ]; then a=$(once with); b=$(once without); else b=$(once without); a=$(once with); fi
    echo "$a $b $((a - b))" >> "$rows"
done
printf '%-40s %8s   %s\n' "empty step, $pairs pairs, ms" median "95 %"
cut -d' ' -f2 "$rows" | row "without the plugin"
cut -d' ' -f1 "$rows" | row "with the plugin"
cut -d' ' -f3 "$rows" | row "with less without, within a pair"
rm "$rows"
