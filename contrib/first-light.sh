#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# first-light.sh [stop [--wipe]]
#
# From a fresh Debian 12 or 13 machine to a trained network under Slurm: installs
# what is missing from Debian's packages, builds, brings up a private cluster
# of four nodes, trains cosmoflow on two of them and shows the
# record. The cluster stays up. Run it again whenever you like; what is done
# is not done twice. Nothing under /etc/slurm is read or written.
#
# As an ordinary user it works too, once the packages are there.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
export HPCAI500_CLUSTER=${HPCAI500_CLUSTER:-light}
lab=$top/contrib/cluster/cluster.sh
S=$("$lab" dir)
build=$S/build
run=cosmoflow,class=tiny,out=$S/records

step() { printf '\n==> %s\n' "$*"; }
# quiet LOG COMMAND...: its output goes to LOG, and to the screen if it fails
quiet() {
    local file=$1; shift
    "$@" > "$file" 2>&1 </dev/null || { tail -n 40 "$file" >&2; echo "first-light: '$*' failed; all of it: $file" >&2; exit 1; }
}

case ${1-} in
    '') ;;
    stop) shift; exec "$lab" down "$@" ;;
    *) sed -n 's/^# \{0,1\}//; 3,11p' "$0"; [ "$1" = --help ] || exit 2; exit 0 ;;
esac

step "1/5 Debian packages that are missing"
"$top/contrib/install-deps.sh" | sed '/^\(Get\|Selecting\|Preparing\|Unpacking\|Setting\|(Reading\|Processing\)/d'

step "2/5 Build, and install into $S/prefix"
mkdir -p "$build"
if [ ! -x "$top/configure" ] || [ "$top/configure" -ot "$top/configure.ac" ]; then
    (cd "$top" && quiet "$build/autoreconf.log" autoreconf -fi)
fi
if [ ! -f "$build/Makefile" ]; then
    (cd "$build" && quiet configure.log "$top/configure" --prefix="$S/prefix" --sysconfdir="$S/prefix/etc" \
        --with-slurm-plugindir="$S/prefix/lib/slurm" \
        MPICC="$(PATH=$PATH:/usr/bin command -v mpicc.openmpi || command -v mpicc)")
fi
quiet "$build/make.log" make -C "$build" -j"$(nproc)"
quiet "$build/install.log" make -C "$build" install
echo "built $("$S/prefix/bin/hpcai500-agent" --version 2>/dev/null | head -1 || true)"

step "3/5 A private Slurm cluster in $S"
"$lab" up
"$lab" plugin
eval "$("$lab" env)"
mkdir -p "$S/records"
cd "$S/records"
sinfo

step "4/5 srun -N2 -n2 --hpcai500=$run"
touch "$S/records/.before"
rc=0
timeout 900 srun -N2 -n2 --hpcai500=$run || rc=$?

step "5/5 The record"
record=$(find "$S/records" -name '*.json' -newer "$S/records/.before" 2>/dev/null | sort | tail -1)
if [ -n "$record" ]; then
    hpcai500 show "$record" || true
    echo "the record: $record"
fi
if [ $rc -ne 0 ] || [ -z "$record" ]; then
    echo "first-light: the run ended with exit code $rc${record:+, see the record above}" >&2
    [ $rc -ne 0 ] || rc=1
fi
echo
echo "use it:  eval \"\$($lab env)\"; srun -N2 -n2 --hpcai500=$run"
echo "stop it: $0 stop"
exit $rc
