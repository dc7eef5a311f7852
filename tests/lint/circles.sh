#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# No circle of modules: the object of NAME.c depends on
# that of another when it needs a symbol that only the other defines. It is
# asked of the objects, not of includes: a header that several modules share
# hides nothing, and one that only borrows a type is no arrow. Nor is a function
# that is handed in at run time.
#
#   circles.sh TREE BUILD-TREE [ROOM...]      ROOM: a folder; none: all rooms
#
# One line for each circle found, "A -> B -> A"; exit 1 when there is one, 2 when
# the lint itself cannot work (no objects, for instance).
set -u
tree=${1:?usage: circles.sh TREE BUILD-TREE [ROOM...]}
build=$(cd "${2:?usage: circles.sh TREE BUILD-TREE [ROOM...]}" && pwd) || exit 2
cd "$tree" || exit 2
shift 2
[ $# -gt 0 ] || set -- reports papi workloads agent spank
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

find "$@" -type f -name '*.c' 2>"$work/missing" | LC_ALL=C sort >"$work/sources"

# Objects of a source: in its folder of the build, NAME.o or PROGRAM-NAME.o.
objects() {
    while IFS= read -r source; do
        folder=$build/${source%/*} name=${source##*/}
        name=${name%.c}
        for o in "$folder/$name.o" "$folder"/*-"$name.o" "$folder/.libs/$name.o" "$folder/.libs"/*-"$name.o"; do
            [ ! -f "$o" ] || echo "${source%.c} $o"
        done
    done <"$work/sources"
}

objects >"$work/objects"
[ -s "$work/objects" ] || { echo "no objects in $build" >&2; exit 2; }
while read -r module o; do
    ${NM:-nm} -g -P "$o" 2>/dev/null | awk -v m="$module" '{ print m, $1, $2 }'
done <"$work/objects" | sort -u >"$work/symbols"
# A name that two modules define (main) does not count.
awk '$3 != "U" && $3 != "w" && !seen[$1, $2]++ { n[$2]++; at[$2] = $1 }
     { line[NR] = $0 }
     END {
         for (i = 1; i <= NR; i++) {
             split(line[i], f, " ")
             if (f[3] == "U" && n[f[2]] == 1)
                 print f[1], at[f[2]]
         }
     }' "$work/symbols" >"$work/arrows"

sort -u "$work/arrows" | awk '
    $1 != $2 { to[$1, ++n[$1]] = $2; all[$1]; all[$2] }
    function walk(m, i, k, at, text) {
        state[m] = 1
        path[++depth] = m
        for (i = 1; i <= n[m]; i++) {
            at = to[m, i]
            if (state[at] == 1) {
                text = at
                for (k = depth; path[k] != at; k--)
                    text = path[k] " -> " text
                print at " -> " text
                bad = 1
            } else if (!state[at]) {
                walk(at)
            }
        }
        state[m] = 2
        depth--
    }
    END {
        for (m in all)
            if (!state[m])
                walk(m)
        exit bad
    }' >"$work/circles"
bad=$?
LC_ALL=C sort "$work/circles"
exit "$bad"
