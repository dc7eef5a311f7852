#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# deb.sh [OUT]: Debian packages of the commit that is checked out (or of this
# tarball), into the folder OUT (build/deb): plugin, agent, tools, collector.
# The tree is copied first and nothing in it is written to. Their version is
# NEWS's first; of a release that is not yet out, with the commit's date and id.
# Tests are left to contrib/test.sh (DEB_BUILD_OPTIONS=nocheck).
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$top/build/deb}
for p in dpkg-buildpackage dh autoreconf; do
    command -v $p > /dev/null || { echo "deb.sh: needs $p (Debian: dpkg-dev, debhelper, autoconf)" >&2; exit 3; }
done
mkdir -p "$out"; out=$(cd "$out" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-deb.XXXXXX")
trap 'rm -rf "$work"' EXIT
tree=$work/hpcai500
mkdir "$tree"

# A checkout: what is tracked, as it is now; a tarball: all of it.
if [ -e "$top/.git" ]; then
    git -C "$top" ls-files -z -c -o --exclude-standard | (cd "$top" && tar --null --ignore-failed-read -cf - -T -) | tar -C "$tree" -xf -
    seconds=$(git -C "$top" log -1 --format=%ct) id=$(git -C "$top" rev-parse --short=12 HEAD)
else
    (cd "$top" && tar --exclude=./build -cf - .) | tar -C "$tree" -xf -
    seconds=$(stat -c %Y "$top/NEWS") id=
fi
rm -rf "$tree/debian"
cp -a "$top/contrib/debian" "$tree/debian"

# Of a release's part of NEWS an entry of the changelog: bullets are Debian's.
awk -v date="$(date -u -R -d "@$seconds")" -v day="$(date -u +%Y%m%d -d "@$seconds")" -v id="${id:0:7}" \
    -v who="$(sed -n "s/^Maintainer: //p" "$tree/debian/control")" '
    function sign() { if (version) printf "\n -- %s  %s\n\n", who, date }
    /^[0-9]+[.][0-9]+[^ ]* / || /^[0-9]+[.][0-9]+[^ ]*$/ {
        sign()
        version = $1 (/not yet released/ ? "~" day (id ? "." id : "") : "")
        printf "hpcai500 (%s) unstable; urgency=medium\n\n", version
        next
    }
    !version || /^ *$/ { next }
    /^ *\*/ { sub(/^ */, "  "); print; next }
    /^ ? ?[A-Z][A-Za-z]*:?$/ { sub(/^ */, ""); sub(/:$/, ""); print "  [ " $0 " ]"; next }
    { sub(/^ */, "    "); print }
    END { sign() }' "$tree/NEWS" > "$tree/debian/changelog" || exit 1
[ -s "$tree/debian/changelog" ] || { echo "deb.sh: NEWS has no release" >&2; exit 1; }

(cd "$tree" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc) ${DEB_BUILD_OPTIONS-}" SOURCE_DATE_EPOCH=$seconds \
    dpkg-buildpackage -us -uc -b) >&2
rm -f "$out"/hpcai500*.deb "$out"/hpcai500*.changes "$out"/hpcai500*.buildinfo
mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
ls "$out"/*.deb
