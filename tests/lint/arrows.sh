#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# The house rules over a source tree: who includes whom, where libraries may
# appear, <config.h> first, headers that stand alone, guards, licence lines,
# tabs, silent libraries, man pages. rules.txt is the table.
#
#   arrows.sh TREE [BUILD-TREE]
#
# CC and CPPFLAGS (where libraries are) are those of the build. One line per
# violation; exit 1 when there is one, 2 when the lint itself cannot work.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
cd "${1:?usage: arrows.sh TREE [BUILD-TREE]}" || exit 2
build=${2:-}
folders='reports papi workloads agent spank tests contrib'
bad=0

# Files of the house with that name pattern; neither what the build makes nor
# what tests hold up as somebody else's (fixtures, later Slurm's headers).
files() {
    for folder in $folders; do
        [ -d "$folder" ] || continue
        find "$folder" \( -name build-aux -o -name fixtures -o -name corpus -o -name later \) -prune -o \
            -type f -name "$1" -print
    done | LC_ALL=C sort
}

complain() {
    echo "$*"
    bad=1
}

# Value of an automake variable over all local.mk, with %D% as the folder.
variable() {
    files 'local.mk' | xargs awk -v name="$1" '
        FNR == 1 { folder = FILENAME; sub(/\/local.mk$/, "", folder); on = 0 }
        { line = $0; more = sub(/\\$/, "", line) }
        !on && line ~ "^[ \t]*" name "[ \t]*\\+?=" { sub(/^[^=]*=/, "", line); on = 1 }
        on { gsub(/%D%/, folder, line); print line }
        { on = on && more }'
}

check_text() {
    core=$(variable '[a-zA-Z_%]*libcore_la_SOURCES' | tr -s ' \n' '  ')
    { files '*.c'; files '*.h'; files '*.def'; } |
        xargs awk -v CORE="$core" -f "$here/text.awk" "$here/rules.txt" || bad=1
}

check_spdx() {
    for pattern in '*.sh' '*.bats' '*.bash' '*.awk' '*.py' '*.mk' '*.m4'; do
        for f in $(files "$pattern"); do
            case $f in
            contrib/m4/libtool.m4 | contrib/m4/lt*.m4) continue ;;
            esac
            head -n 3 "$f" | grep -q 'SPDX-License-Identifier: BSD-3-Clause' ||
                complain "$f:1: no SPDX line"
        done
    done
}

check_tabs() {
    for pattern in '*.sh' '*.bats' '*.bash' '*.awk' '*.py'; do
        for f in $(files "$pattern"); do
            line=$(grep -n "$(printf '\t')" "$f" | head -n 1 | cut -d: -f1)
            [ -z "$line" ] || complain "$f:$line: a tab"
        done
    done
}

# What a header uses it includes itself. One that needs a library which this
# machine has not is left out, aloud.
check_headers() {
    for f in $(files '*.h'); do
        ${CC:-cc} ${CPPFLAGS:-} -I. ${build:+-I"$build"} -std=gnu11 -fopenmp-simd -Wall -Wextra -Werror \
            -Wno-unused-function -fsyntax-only -x c "$f" >"$log" 2>&1 && continue
        missing=$(sed -n "s/.*fatal error: '\{0,1\}\([^:' ]*\.h\).*/\1/p" "$log" | head -n 1)
        case ${missing:-none} in
        none | config.h | reports/* | papi/* | workloads/* | agent/* | spank/* | tests/*) ;;
        *)
            echo "not compiled alone: $f needs $missing" >&2
            continue
            ;;
        esac
        complain "$f:1: does not compile alone: $(grep -m 1 -E 'error|warning' "$log")"
    done
}

# The installed programs of all local.mk, and the man pages.
check_man() {
    pages=" $(variable dist_man_MANS | tr -s ' \n' '  ') "
    for v in bin_PROGRAMS bin_SCRIPTS dist_bin_SCRIPTS sbin_PROGRAMS; do
        for program in $(variable "$v"); do
            case $pages in
            *" $program.1 "* | *" $program.8 "*) ;;
            *) complain "$program: an installed program without its man page beside it" ;;
            esac
        done
    done
    for page in $pages; do
        [ -f "$page" ] || complain "$page: a man page that is not there"
    done
}

log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
[ -n "$(files '*.c')" ] || { echo "no C sources in $PWD" >&2; exit 2; }
check_text
check_spdx
check_tabs
check_headers
check_man
exit "$bad"
