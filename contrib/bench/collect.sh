#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# collect.sh [BUNDLES]
#
# How many bundles the collector files in a second, and with how much memory:
# makes BUNDLES (default 10000) bundles with a record each, by a munged of its
# own, in a folder under $TMPDIR or /var/tmp, and lets one `collect --once` file
# them; accounting is off. Needs root, munged, and a build folder: run it there,
# or say `top_builddir=DIR`.
set -euo pipefail
n=${1:-10000} build=${top_builddir:-$PWD}
[ "$(id -u)" = 0 ] || { echo "collect.sh: only root can make the witness's credentials" >&2; exit 3; }
[ -x "$build/spank/collect/hpcai500-collect" ] || { echo "collect.sh: no collector in $build" >&2; exit 3; }
make -s -C "$build" tests/spank/collect/make_bundles
D=$(mktemp -d "${TMPDIR:-/var/tmp}/hpcai500-bench-XXXXXX")
chmod 755 "$D"
# The munged is not our child, and takes its socket away as it ends.
gone() {
    local pid
    pid=$(cat "$D/munge/pid" 2>/dev/null) && kill "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}
trap 'gone; rm -rf "$D"' EXIT
mkdir -p "$D"/{munge,spool/out,lib}
head -c 1024 /dev/urandom > "$D/munge/key"
chmod 600 "$D/munge/key"
munged --force --socket="$D/munge/s" --key-file="$D/munge/key" --pid-file="$D/munge/pid" \
    --log-file="$D/munge/log" --seed-file="$D/munge/seed" --num-threads=2
cat > "$D/conf" <<C
spool = $D/spool
history = $D/lib/history.sqlite
archive = $D/lib/archive
quarantine = $D/lib/quarantine
service_user = root
munge_socket = $D/munge/s
admin_comment = off
C
begin=$(date +%s.%N)
"$build/tests/spank/collect/make_bundles" "$D/spool/out" "$D/munge/s" record 1 "$n"
made=$(date +%s.%N)
echo "$n bundles of $(du -sm "$D/spool/out" | cut -f1) MB made in $(awk "BEGIN {printf \"%.1f\", $made - $begin}") s"
HPCAI500_CONF=$D/conf "$build/spank/collect/hpcai500-collect" --once > "$D/log" &
pid=$!
peak=0
while now=$(awk '/^VmHWM/ {print $2}' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do peak=$now; sleep 0.05; done
wait $pid
end=$(date +%s.%N)
cat "$D/log"
awk "BEGIN {s = $end - $made; printf \"filed in %.1f s: %.0f bundles/s; peak memory %.1f MB; load %s\n\",
    s, $n / s, $peak / 1024, \"$(cut -d' ' -f1 /proc/loadavg)\"}"
du -sm "$D/lib/archive" "$D/lib/history.sqlite" | sed "s,$D/lib/,," | awk '{print $2 ": " $1 " MB"}'
