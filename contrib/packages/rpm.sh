#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# rpm.sh BUILD [OUT]: RPM packages of the tarball that `make dist` makes in the
# build folder BUILD, into the folder OUT (build/rpm). Where rpm's database
# does not know the libraries (Debian has rpmbuild too) they are not asked of
# it: RPM_NODEPS=yes.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: rpm.sh BUILD [OUT]}
out=${2:-$top/build/rpm}
command -v rpmbuild > /dev/null || { echo "rpm.sh: needs rpmbuild (Debian: rpm)" >&2; exit 3; }
mkdir -p "$out"; out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-rpm.XXXXXX")
trap 'rm -rf "$work"' EXIT
words=()
[ "${RPM_NODEPS-}" != yes ] || words+=(--nodeps)
# Debian's rpm does not know where systemd's files go, nor this Slurm's plugins.
[ -n "$(rpm -E '%{?_unitdir}')" ] || words+=(--define "_unitdir /usr/lib/systemd/system")
[ -n "$(rpm -E '%{?_tmpfilesdir}')" ] || words+=(--define "_tmpfilesdir /usr/lib/tmpfiles.d")
plugins=$(sed -n 's/^slurmplugindir = //p' "$build/Makefile")
case $plugins in /*) words+=(--define "slurm_plugindir $plugins") ;; esac
id=$(sed -n 's/^BUILD_ID = //p' "$build/Makefile")
make -s -C "$build" dist >&2
rpmbuild -ta --define "_topdir $work" --define "build_id $id" "${words[@]}" "$build"/hpcai500-*.tar.xz >&2
find "$work/RPMS" "$work/SRPMS" -name '*.rpm' -exec mv {} "$out" \;
ls "$out"/*.rpm
