#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# debian.sh [SUITE [STAGE...]]: do the tests hold on another release of Debian
# (trixie, that is 13), with its Slurm, MPI, HDF5, oneDNN and compilers? The
# release comes from Debian's archive into a folder (debootstrap), the commit
# is cloned into it, and there the test command runs its stages (gcc, cluster);
# the stage first-light is README's first command by itself.
# Needs root. ROOT=FOLDER is kept and taken again; else one is made and removed.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=${1:-trixie}
stages=("${@:2}")
[ ${#stages[@]} -gt 0 ] || stages=(deps gcc cluster)
[ "$(id -u)" = 0 ] || { echo "debian.sh: needs root" >&2; exit 2; }
command -v debootstrap > /dev/null || { echo "debian.sh: needs debootstrap (Debian: debootstrap)" >&2; exit 3; }
root=${ROOT:-}
if [ -z "$root" ]; then
    root=$(mktemp -d "${TMPDIR:-/var/tmp}/hpcai500-$suite.XXXXXX")
    chmod 755 "$root" # it becomes /, which munge and _apt must be able to enter
    trap 'rm -rf --one-file-system "$root"' EXIT
fi
[ -e "$root/etc/debian_version" ] || debootstrap --variant=minbase --include=ca-certificates,git "$suite" "$root" >&2
rm -rf "$root/src"
git clone -q --no-hardlinks "$top" "$root/src"
cp /etc/hosts /etc/resolv.conf "$root/etc/"
mkdir -p "$root/old"

# Processes of its own, which end with this one, and a root of its own: a mere
# chroot would be left by who enters the name space of a node.
inside() {
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        cd "$0" && mount --rbind . . && cd "$0" && mount --rbind /dev dev && mount -t sysfs sysfs sys &&
        mount --rbind /sys/fs/cgroup sys/fs/cgroup &&
        mount -t proc proc proc && mount -t tmpfs tmpfs run && pivot_root . old && cd /src && umount -l /old &&
        unset ROOT TMPDIR && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"' "$root" "$@"
}

inside bash -c '. /etc/os-release; echo "$PRETTY_NAME"'
rc=0 tests=()
for stage in "${stages[@]}"; do
    [ "$stage" = first-light ] || { tests+=("$stage"); continue; }
    inside bash -c 'contrib/first-light.sh; rc=$?; contrib/first-light.sh stop --wipe; exit $rc' || rc=$?
    echo "first-light: exit code $rc"
done
[ ${#tests[@]} -eq 0 ] || inside contrib/test.sh "${tests[@]}" || rc=$?
inside dpkg-query -W -f '${Package} ${Version}\n' gcc libopenmpi-dev libslurm-dev libhdf5-dev \
    libdnnl-dev libpapi-dev libmunge-dev || true
exit $rc
