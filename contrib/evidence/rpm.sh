#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Does contrib/rpm/hpcai500.spec build, and hold what `make install` installs?
# Where rpm's database does not know the libraries (Debian) they are not asked
# of it. What is printed is the content of each package.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/var/tmp}/hpcai500-rpm.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$top" && [ -x configure ] || autoreconf -fi) > /dev/null 2>&1
mkdir "$work/build"
(cd "$work/build" && "$top/configure" --prefix=/usr --libexecdir=/usr/libexec --sysconfdir=/etc \
    --with-systemdsystemunitdir=/usr/lib/systemd/system) > "$work/log" 2>&1 || { tail "$work/log" >&2; exit 1; }
RPM_NODEPS=yes "$top/contrib/packages/rpm.sh" "$work/build" "$work/rpms" > "$work/list" 2> "$work/log" ||
    { tail -n 40 "$work/log" >&2; exit 1; }
for package in slurm agent tools collector; do
    echo "== hpcai500-$package"
    rpm -qlp "$work"/rpms/hpcai500-$package-[0-9]*.rpm | tee -a "$work/held"
done
make -s -C "$work/build" install DESTDIR="$work/dest" > "$work/log" 2>&1
# (man pages are compressed; examples for plugstack.conf.d, sysusers.d and tmpfiles.d go where they are read)
missing=$(comm -23 <(cd "$work/dest" && find . -type f | sed 's,^[.],,' | grep -vE '/plugstack[.]conf[.]d/|/doc/hpcai500/systemd/' | sort) \
    <(sed 's/[.]gz$//' "$work/held" | sort))
echo "== installed by make and in no package: ${missing:-none}"
[ -z "$missing" ]
