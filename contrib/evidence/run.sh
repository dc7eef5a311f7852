#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# run.sh NAME [ARGS...]: runs contrib/evidence/NAME.sh and files what it prints
# as contrib/evidence/results/NAME[-ARGS].md, with the commit, the machine and the
# date, so that a figure in the tree can always be asked where it comes from.
# Refuses a tree with uncommitted changes: the commit would be a lie.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
name=${1:-}
[ -n "$name" ] && [ "$name" != run ] && [ -x "$here/$name.sh" ] || {
    echo "usage: run.sh NAME [ARGS...]; NAME is one of:" >&2
    for f in "$here"/*.sh; do [ "$f" = "$here/run.sh" ] || basename "$f" .sh >&2; done
    exit 2
}
shift
result=$(printf '%s' "$name" "${@/#/-}" | tr -c 'A-Za-z0-9._-' _)
changed=$(git -C "$top" status --porcelain -- . ':!contrib/evidence/results')
[ -z "$changed" ] || { printf 'run.sh: commit first:\n%s\n' "$changed" >&2; exit 1; }

mkdir -p "$here/results"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
before=$(cut -d' ' -f1-3 /proc/loadavg)
begin=$(date -u +%Y-%m-%dT%H:%MZ) start=$SECONDS rc=0
"$here/$name.sh" "$@" 2> >(cat >&2) | tee "$out" || rc=$?

{
    echo "# $name"
    sed -n '3,/^[^#]/s/^# \{0,1\}//p' "$here/$name.sh"
    echo
    echo "| | |"
    echo "|---|---|"
    echo "| command | \`contrib/evidence/run.sh $name${*:+ $*}\` |"
    echo "| commit | $(git -C "$top" rev-parse --short=12 HEAD) |"
    echo "| began, took | $begin, $((SECONDS - start)) s |"
    echo "| exit code | $rc |"
    echo "| load average before, after | $before; $(cut -d' ' -f1-3 /proc/loadavg) |"
    echo "| processor | $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1 x /') |"
    echo "| memory | $(awk '/^MemTotal/ {printf "%.0f GiB", $2 / 1048576}' /proc/meminfo) |"
    echo "| system | $(. /etc/os-release; echo "$PRETTY_NAME"), kernel $(uname -r), $(gcc --version | head -1) |"
    echo
    echo '```'
    cat "$out"
    echo '```'
} > "$here/results/$result.md"
echo "run.sh: filed in contrib/evidence/results/$result.md" >&2
exit $rc
