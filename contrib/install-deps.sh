#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# install-deps.sh [--tests] [--list]
#
# Installs from Debian's own packages (12, 13) what is missing to build hpcai500 and
# to run its private cluster; with --tests also what the test command needs.
# --list prints the packages and installs nothing. What is there already is
# left as it is. No service of the system is started and no file under
# /etc/slurm is written. Needs root only when something is missing.
set -euo pipefail

packages=(
    # to build
    gcc libc6-dev make autoconf automake libtool pkg-config git xz-utils
    libslurm-dev libopenmpi-dev libhdf5-dev libcjson-dev zlib1g-dev libdeflate-dev libsqlite3-dev
    libdnnl-dev libpapi-dev libhwloc-dev libfftw3-dev libmunge-dev libpng-dev
    # to run: MPI, and the daemons of the private cluster
    openmpi-bin slurm-wlm slurm-client slurmd slurmctld slurmdbd slurm-wlm-basic-plugins
    slurm-wlm-mysql-plugin munge mariadb-server iproute2 procps util-linux
)
test_packages=(
    ccache clang clang-format llvm libclang-rt-dev libomp-dev libcmocka-dev bats shellcheck
    libmpich-dev mpich hdf5-tools strace jq sqlite3 man-db binutils file faketime
    debhelper lintian prometheus chromium fonts-ipafont-gothic python3-jsonschema python3-h5py python3-numpy python3-torch
)

list=no
for arg in "$@"; do
    case $arg in
        --tests) packages+=("${test_packages[@]}") ;;
        --list) list=yes ;;
        *) echo "usage: install-deps.sh [--tests] [--list]" >&2; exit 2 ;;
    esac
done
if [ $list = yes ]; then printf '%s\n' "${packages[@]}"; exit 0; fi

command -v dpkg-query >/dev/null || {
    echo "install-deps: this machine has no dpkg; see --list for what Debian calls what is needed" >&2
    exit 3
}
missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "install-deps: all ${#packages[@]} packages are there"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "install-deps: missing: ${missing[*]}" >&2
    echo "install-deps: run this once as root: apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 3
fi

# invoke-rc.d asks this file before it starts a service; 101 says no.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' > $policy
    chmod 755 $policy
    trap 'rm -f $policy' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@" </dev/null; }
fresh=$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 2>/dev/null | head -1)
if [ -z "$fresh" ]; then
    echo "install-deps: package lists are missing or older than a day: apt-get update"
    apt update || echo "install-deps: the update failed; trying with the lists that are there" >&2
fi
echo "install-deps: installing ${missing[*]}"
apt install -y --no-install-recommends "${missing[@]}"
