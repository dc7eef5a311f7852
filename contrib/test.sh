#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# test.sh [--list] [--no-install] [STAGE...]
#
# Runs every test of hpcai500, or the named stages, from a fresh clone on a
# Debian 12 machine. As root it first installs what is missing. Builds and
# logs go to build/test (or $BUILD), nothing else in the tree is touched but
# what autoreconf makes. What the stages and the slowest test files took is
# printed and kept in build/test/times. Exit 0 only if nothing failed; the last
# line is "N passed, N failed, N skipped".
#
# The cluster waits more than it computes: with other stages it has a lane of
# its own beside them, from the moment that gcc's objects are there. Its files
# that judge rates say so in their header (# bats file_tags=quiet) and run last,
# alone on the machine.
#
# With ccache an object that several builds have in common is compiled once.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
W=${BUILD:-$top/build/test}

stages=(deps gcc clang sanitizers distcheck mpich matrix lint train fuzz packages cluster)
declare -A about=(
    [deps]="Debian packages that are missing"
    [gcc]="gcc -Werror, make check"
    [clang]="clang -Werror, make check of the units"
    [sanitizers]="ASan + UBSan, make check of the units"
    [distcheck]="the tarball holds every file, builds, checks, installs and uninstalls"
    [mpich]="the agent with MPICH, its tests under mpirun"
    [matrix]="configure without the optional parts"
    [lint]="shell scripts, layout of C; the rest of the lint is in make check"
    [train]="one epoch of every component, its loss and quality in their bands"
    [fuzz]="libFuzzer on what parses hostile text, \$FUZZ_SECONDS (10) each"
    [packages]="Debian packages: built, lintian, installed, run and purged"
    [cluster]="README's first command, then a real Slurm cluster with faults"
)

# aloud COMMAND...: what it prints is one piece, whatever another lane prints
aloud() { (flock 9; "$@") 9>> "$W/aloud"; }
say() { aloud printf '%s\n' "$*"; }
passed=0 failed=0 skipped=0 rows=() skips=()

# --- counting ----------------------------------------------------------------

# add PASSED FAILED SKIPPED
add() { passed=$((passed + $1)); failed=$((failed + $2)); skipped=$((skipped + $3)); }

# cases_of LOG RESULT: "passed failed skipped" of one test program. bats
# speaks TAP, cmocka has its own summary, all else counts as one by its result.
cases_of() {
    awk -v result="$2" '
        /^1\.\.[0-9]+$/       { tap = 1; plan += substr($0, 4) }
        /^ok [0-9]+/          { if (tolower($0) ~ /# skip/) s++; else p++; seen++ }
        /^not ok [0-9]+/      { f++; seen++ }
        /^\[  PASSED  \] [0-9]+ test/ { cm = 1; cp += $4 }
        /^\[  FAILED  \] [0-9]+ test/ { cm = 1; cf += $4 }
        /^\[  SKIPPED \] [0-9]+ test/ { cm = 1; cs += $4 }
        END {
            if (tap) { if (plan > seen) f += plan - seen }
            else if (cm) { p = cp; f = cf; s = cs }
            else { p = f = s = 0 }
            if (result ~ /FAIL|ERROR|XPASS/ && f == 0) f = 1
            if (result == "SKIP" && p + f + s == 0) s = 1
            if (p + f + s == 0) p = 1
            print p + 0, f + 0, s + 0
        }' "$1"
}

# note_skips LOG: reasons, for the summary
note_skips() {
    local line
    while IFS= read -r line; do skips+=("$line"); done < <(
        sed -n 's/^\(ok .*\) in [0-9]*ms # /\1 # /
                s/^ok [0-9]* \(.*\) # [sS][kK][iI][pP] *(\{0,1\}\(.*[^)]\))\{0,1\}$/\1: \2/p;
                s/^\[  SKIPPED \] \([A-Za-z_].*\)$/\1/p;s/^SKIP:* \(.*\)$/\1/p' "$1" | sort -u)
}

# tail_of LOG [LINES]: what a person needs to see of a failure
tail_of() { aloud end_of "$@"; }
end_of() {
    printf '   ---- end of %s\n' "$1"
    tail -n "${2:-40}" "$1" | cut -c1-300 | sed 's/^/   | /'
}

# count_checks DIR: every test that `make check` left in DIR
count_checks() {
    local trs log result p f s
    while IFS= read -r trs; do
        log=${trs%.trs}.log
        result=$(sed -n 's/^:global-test-result: //p' "$trs")
        read -r p f s < <(cases_of "$log" "$result")
        add "$p" "$f" "$s"
        [ "$s" -eq 0 ] || note_skips "$log"
        [ "$f" -eq 0 ] || tail_of "$log"
    done < <(find "$1" -name '*.trs' -not -path '*/hpcai500-*/*' | sort)
}

# --- time --------------------------------------------------------------------

# cpu: user and system seconds of all that this shell has waited for, into $cpu.
# `times` must run in this shell: a subshell starts from nothing.
cpu() {
    local file=$W/cpu.$BASHPID # each lane its own
    times > "$file"
    cpu=$(awk 'NR == 2 { for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); sum += 60 * t[1] + t[2] } }
        END { printf "%.0f", sum }' "$file")
    rm "$file"
}

# table: a line for each stage, their sum, then the test files that took longest
table() {
    printf '%-12s %7s %7s  %6s %6s %7s\n' stage seconds cpu passed failed skipped
    printf '%s\n' "${rows[@]}"
    printf '%s\n' "${rows[@]}" | awk -v seconds=$SECONDS '{ for (i = 2; i <= 6; i++) sum[i] += $i } END {
        printf "%-12s %7d %7d  %6d %6d %7d\n", "sum", sum[2], sum[3], sum[4], sum[5], sum[6]
        printf "%-12s %7d\n", "by the clock", seconds }'
    [ -s "$W/files" ] || return 0
    printf '\nthe slowest test files\n%-12s %7s %7s  %s\n' stage seconds cpu file
    sort -k2,2nr "$W/files" | head -n 10 | awk '{ printf "%-12s %7.0f %7.0f  %s\n", $1, $2, $3, $4 }'
}

# --- running -----------------------------------------------------------------

# log NAME SECONDS COMMAND...: runs it into $W/logs/NAME.log, says how it went.
# In the background, so that this shell hears of a signal at once; a shell leaves
# what it starts there without SIGINT and SIGQUIT, of which tests must hear.
log() {
    local what=$1 limit=$2 file=$W/logs/$1.log begin=$SECONDS rc; shift 2
    env --default-signal=INT,QUIT timeout -k 30 "$limit" "$@" > "$file" 2>&1 </dev/null &
    wait $!; rc=$?
    [ $rc -ne 124 ] && [ $rc -ne 137 ] || say "stopped after its $limit seconds" >> "$file"
    say "   $what: $([ $rc -eq 0 ] && echo ok || echo "FAILED ($rc)") ($((SECONDS - begin)) s)"
    return $rc
}

# step NAME SECONDS COMMAND...: the same, counted as one test
step() {
    if log "$@"; then add 1 0 0; return 0; fi
    add 0 1 0
    tail_of "$W/logs/$1.log"
    return 1
}

# build DIR CONFIGURE-WORDS...: configure and make, one test
build() {
    local dir=$1; shift
    mkdir -p "$W/$dir"
    step "$dir-build" 1200 bash -ec 'cd "$1"; shift; "$@"; make -j"$JOBS"' - \
        "$W/$dir" "$top/configure" --enable-werror "$@"
}

# check DIR [MAKE-WORDS...]: make check, every case counted
check() {
    local dir=$1 before=$failed; shift
    find "$W/$dir" -name '*.trs' -delete
    STAGE=$dir log "$dir-check" 1500 make -C "$W/$dir" -k -j"$JOBS" check \
        LOG_COMPILER="$timed" BATS_LOG_COMPILER="$timed bats --timing" "$@"; local rc=$?
    count_checks "$W/$dir"
    if [ $rc -ne 0 ] && [ "$failed" -eq "$before" ]; then
        add 0 1 0
        tail_of "$W/logs/$dir-check.log"
    fi
}

# bats_file STAGE FILE: one bats file that is not in make check, every case counted
bats_file() {
    local name rc=0 p f s
    name=$1-$(basename "$2" .bats)
    STAGE=$1 log "$name" 1500 "$timed" bats --tap --timing "$2" || rc=1
    read -r p f s < <(cases_of "$W/logs/$name.log" "$([ $rc -eq 0 ] && echo PASS || echo FAIL)")
    add "$p" "$f" "$s"
    [ "$s" -eq 0 ] || note_skips "$W/logs/$name.log"
    [ "$f" -eq 0 ] || tail_of "$W/logs/$name.log" 100
}

# quiet FILE: it judges rates, and wants the machine for itself
quiet() { grep -qx '# bats file_tags=quiet' "$1"; }

# of DIR VARIABLE FOLDER: what the Makefile there names below that folder
of() { make -s -C "$W/$1" "print-$2" | tr ' ' '\n' | grep "^$3/" | tr '\n' ' '; }

# units DIR: the test programs among TESTS (no scripts)
units() { make -s -C "$W/$1" print-TESTS | tr ' ' '\n' | grep -vE '\.(bats|sh|py)$' | tr '\n' ' '; }

# --- stages ------------------------------------------------------------------

stage_deps() {
    local words=--tests
    [ $install = yes ] || return 0
    log deps 1500 "$top/contrib/install-deps.sh" $words && return 0
    add 0 1 0
    tail_of "$W/logs/deps.log"
    return 1
}

stage_gcc() {
    build gcc CC=gcc MPICC="$openmpi" || return
    beside
    check gcc
}

# Where no other stage has the same objects ccache need not make the preprocessed text, by
# which it knows an object again under another config.h (CCACHE_DEPEND). Debug symbols
# are of use where a failure shows a stack.
stage_clang() {
    local -x CCACHE_DEPEND=1
    build clang CC=clang CFLAGS=-O2 MPICC="$openmpi" || return
    check clang TESTS="$(units clang)"
}

stage_sanitizers() {
    local -x CCACHE_DEPEND=1
    build sanitizers CC=gcc MPICC="$openmpi" --enable-sanitizers || return
    check sanitizers TESTS="$(units sanitizers)"
}

# The tarball's own faults are a file that is missing from it, a path that only
# a checkout has, and what install leaves behind. The first is found by
# comparing lists, the others by a build without optimisation, one test of each
# kind (a unit, a program, MPI, the plugin, a corpus), what these tests run
# (smoke_programs; make check would build all the others) and the installation.
smoke="tests/reports/core/test_runspec tests/reports/core/fuzz_runspec tests/reports/tools/show.bats
    tests/reports/history/test_history tests/papi/test_counters tests/workloads/engine/test_ops
    tests/workloads/data/test_dataset tests/spank/witness/test_witness tests/agent/comm.bats"
smoke_programs="tests/reports/record/make_records tests/reports/history/make_history tests/agent/ranks
    $(printf '%s\n' $smoke | grep -v '[.]bats$')"

stage_distcheck() {
    [ -f "$W/gcc/Makefile" ] || build gcc CC=gcc MPICC="$openmpi" || return
    local -x CCACHE_DEPEND=1
    step distcheck 2400 make -C "$W/gcc" -j"$JOBS" distcheck TESTS="$(echo $smoke)" \
        check_PROGRAMS="$(echo $smoke_programs)" \
        DISTCHECK_CONFIGURE_FLAGS="MPICC=$openmpi CFLAGS=-O0"
    export -f same_files
    step dist-files 60 bash -c 'same_files "$@"' - "$top" "$W/gcc"
}

# same_files TREE BUILD: the tarball in BUILD holds each file of the commit but
# what a checkout alone needs
same_files() {
    local missing
    git -C "$1" rev-parse --git-dir > /dev/null || return 0
    missing=$(comm -23 <(git -C "$1" ls-files | grep -vE '^(\.ci/|\.gitignore|contrib/evidence/results/)' | sort) \
        <(tar -tf "$2"/hpcai500-*.tar.xz | sed 's,^[^/]*/,,' | sort))
    [ -z "$missing" ] || { printf 'not in the tarball (EXTRA_DIST):\n%s\n' "$missing"; return 1; }
}

stage_mpich() {
    local mpich tests
    mpich=$(command -v mpicc.mpich) || { add 0 0 1; skips+=("mpich: mpicc.mpich is not installed"); return; }
    build mpich CC=gcc MPICC="$mpich" || return
    tests=$(of mpich TESTS tests/agent)
    # Of the agent's tests those of several ranks, and of what this MPI prints or starts.
    [ -z "${tests// }" ] || check mpich TESTS="$tests" BATS_LOG_FLAGS="--filter-tags mpi" \
        check_PROGRAMS="$(of mpich check_PROGRAMS tests/agent)" check_LTLIBRARIES=
}

stage_matrix() {
    local all="--without-slurm --without-mpi --without-hdf5 --without-cjson --without-zlib --without-libdeflate
        --without-onednn --without-papi --without-hwloc --without-fftw --without-munge --without-png --without-cmocka"
    build no-slurm --without-slurm MPICC="$openmpi"
    build no-mpi --without-mpi
    build no-onednn --without-onednn --without-papi --without-hwloc --without-libdeflate --without-png MPICC="$openmpi"
    # shellcheck disable=SC2086
    build nothing $all
    # Asked for and missing is an error.
    step matrix-missing 120 bash -c 'mkdir -p "$1" && cd "$1" && ! "$2" --with-mpi="$1/nowhere" PATH=/usr/bin:/bin' - \
        "$W/missing" "$top/configure"
}

stage_lint() {
    # shellcheck disable=SC2046
    step shellcheck 300 bash -c 'cd "$1" && shellcheck -S warning -x -P contrib/cluster \
        contrib/*.sh contrib/cluster/cluster.sh contrib/evidence/*.sh contrib/packages/*.sh tests/*.sh .ci/run' - "$top"
    step clang-format 300 bash -c 'cd "$1" && find agent contrib papi reports spank tests workloads -name "*.[ch]" -print0 | xargs -0 clang-format --dry-run -Werror' - "$top"
}

# Data are made once, in the cache of this command's home.
stage_train() {
    [ -x "$W/gcc/agent/hpcai500-agent" ] || build gcc CC=gcc MPICC="$openmpi" || return
    local -x top_srcdir=$top top_builddir=$W/gcc MPIEXEC=${openmpi/mpicc/mpiexec} # no later stage's
    bats_file train "$top/tests/train/train.bats"
}

stage_fuzz() {
    local file files name seconds=${FUZZ_SECONDS:-10}
    [ -f "$W/gcc/build_id.h" ] || build gcc CC=gcc MPICC="$openmpi" || return
    local -x top_srcdir=$top top_builddir=$W/gcc
    mapfile -t files < <(find "$top/tests" -name 'fuzz_*.c' | sort)
    # a shell of its own, which has no other jobs to wait for
    (for file in "${files[@]}"; do
        [ "$(jobs -rp | wc -l)" -lt "$JOBS" ] || wait -n
        fuzz "$file" "$seconds" &
    done; wait) &
    wait $!
    for file in "${files[@]}"; do
        name=$(fuzz_name "$file")
        case $(cat "$W/logs/$name.rc") in
            0) add 1 0 0 ;;
            77) add 0 0 1; skips+=("$name: $(tail -n 1 "$W/logs/$name.log")") ;;
            *) add 0 1 0; tail_of "$W/logs/$name.log" ;;
        esac
    done
}

fuzz_name() { basename "$1" .c | sed 's/^fuzz_/fuzz-/'; }
# fuzz FILE SECONDS: its exit code to the file beside its log
fuzz() {
    local name; name=$(fuzz_name "$1")
    rm -f "$W/logs/$name.rc"
    log "$name" $(($2 + 600)) "$top/tests/fuzz.sh" "$1" "$2"
    echo $? > "$W/logs/$name.rc"
}

stage_packages() {
    local -x CCACHE_DISABLE=1 # built once, in a folder with a new name each time
    bats_file packages "$top/tests/packages/recipes.bats"
    bats_file packages "$top/tests/packages/deb.bats"
}

# The first command of README, then the tests of tests/cluster on the cluster
# that it leaves: those that need a quiet machine when they have it.
stage_cluster() {
    local lab=$top/contrib/cluster/cluster.sh file
    export HPCAI500_CLUSTER=$cluster top_srcdir=$top
    started=yes
    step first-light 1800 "$top/contrib/first-light.sh"
    "$lab" status > "$W/logs/cluster-status.log" 2>&1 || { tail_of "$W/logs/cluster-status.log"; return; }
    top_builddir=$("$lab" dir)/build; export top_builddir
    for file in "$top"/tests/cluster/*.bats; do quiet "$file" || bats_file cluster "$file"; done
    alone
    for file in "$top"/tests/cluster/*.bats; do ! quiet "$file" || bats_file cluster "$file"; done
    # The daemons, and what they started, are not among what this shell waits for.
    elsewhere=$("$lab" status | sed -n 's/.*runs, pid //p' | xargs -I{} cat /proc/{}/stat |
        awk -v hz="$(getconf CLK_TCK)" '{ t += $14 + $15 + $16 + $17 } END { printf "%d", t / hz }')
    step first-light-stop 120 "$top/contrib/first-light.sh" stop --wipe
}

# --- lanes -------------------------------------------------------------------

# run STAGE: it, and its row of the table; false: nothing can come after it
run() {
    local begin=$SECONDS p=$passed f=$failed k=$skipped used
    cpu; used=$cpu elsewhere=0 waited=0
    say "== $1: ${about[$1]}"
    "stage_$1"
    cpu
    rows+=("$(printf '%-12s %7d %7d  %6d %6d %7d' "$1" $((SECONDS - begin - waited)) $((cpu - used + elsewhere)) \
        $((passed - p)) $((failed - f)) $((skipped - k)))")
    [ "$1" != deps ] || [ "$failed" -eq "$f" ]
}

# beside: the cluster's lane begins, once and if there is to be one. What it has counted
# comes by the file $W/lane. It ends with the other lane, so that its CPU seconds
# are no other stage's.
beside() {
    [ $lanes = 2 ] && [ -z "$lane" ] || return 0
    started=yes
    rm -f "$W/lane" "$W/alone"
    (passed=0 failed=0 skipped=0 rows=() skips=() lane=here
     run cluster
     { echo "add $passed $failed $skipped"
       printf 'rows+=(%q)\n' "${rows[@]}"
       [ ${#skips[@]} -eq 0 ] || printf 'skips+=(%q)\n' "${skips[@]}"; } > "$W/lane"
     alone) &
    lane=$!
}

# alone: in the cluster's lane, waits until no other stage runs
alone() {
    local begin=$SECONDS
    [ "$lane" = here ] || return 0
    until [ -e "$W/alone" ]; do
        [ -d "/proc/$$" ] || exit 1 # who would say it was killed
        sleep 1
    done
    waited=$((waited + SECONDS - begin))
}

# join: the other stages are over; waits for the cluster's, and adds it up
join() {
    [ -n "$lane" ] || return 0
    touch "$W/alone"
    wait "$lane"
    # shellcheck source=/dev/null
    . "$W/lane" || { add 0 1 0; say "the cluster's lane ended before it had counted"; }
}

# end_tree PID...: those and what they started
end_tree() {
    local pid children
    for pid; do
        children=$(pgrep -P "$pid")
        kill "$pid" 2> /dev/null
        # shellcheck disable=SC2086
        end_tree $children
    done
}

# tidy: nothing of this command stays behind
tidy() {
    # shellcheck disable=SC2046
    end_tree $(jobs -p)
    [ $started = no ] || "$top/contrib/cluster/cluster.sh" -c "$cluster" down --wipe > /dev/null 2>&1
}

# --- main --------------------------------------------------------------------

install=yes chosen=()
for arg in "$@"; do
    case $arg in
        --list) for s in "${stages[@]}"; do printf '%-12s %s\n' "$s" "${about[$s]}"; done; exit 0 ;;
        --no-install) install=no ;;
        *) [ -n "${about[$arg]-}" ] || { echo "test.sh: no stage '$arg'; see --list" >&2; exit 2; }
           chosen+=("$arg") ;;
    esac
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${stages[@]}")

# The machine's own programs, and none of what a shell may carry.
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS MAKELEVEL CDPATH CONFIG_SITE MPICC MPIEXEC
for v in $(compgen -e | grep -E '^(SLURM|SPANK|SALLOC|SBATCH|OMPI|PMI|PMIX|HPCAI500|OMP)_' || true); do unset "$v"; done
mkdir -p "$W/logs" "$W/home" || exit 1
export HOME=$W/home XDG_CACHE_HOME=$W/home/.cache
# Each test file adds a line here: stage, seconds, CPU seconds, name.
export TIMES=$W/files timed=$top/tests/timed.sh
: > "$TIMES"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
JOBS=$(nproc); export JOBS
openmpi=$(command -v mpicc.openmpi || command -v mpicc || echo mpicc)
# One cluster per checkout.
cluster=test-$(printf %s "$top" | cksum | cut -d' ' -f1 | cut -c1-8)
started=no
trap tidy EXIT
trap 'exit 130' INT TERM

# use_ccache: compilers through ccache, where it is installed. Every build is
# told of the sources by the same absolute path, so that only the folder of
# the build (hashdir) would keep them apart.
use_ccache() {
    case $PATH in /usr/lib/ccache:*) return ;; esac
    [ -x /usr/lib/ccache/gcc ] || return 0
    export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=$W/ccache CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=2G
}
use_ccache

prepare() {
    [ -x "$top/configure" ] && [ -f "$top/Makefile.in" ] &&
        [ -z "$(find "$top" \( -name '*.mk' -o -name Makefile.am -o -name configure.ac -o -name hpcai500.m4 \) \
            -newer "$top/Makefile.in" -not -path '*/build*/*' -print -quit)" ] && return 0
    step autoreconf 300 env -C "$top" autoreconf -fi
}

# Two lanes: the cluster, and other stages to go beside it
lanes=1 lane=
case " ${chosen[*]} " in *' cluster '*) for s in "${chosen[@]}"; do [[ $s =~ ^(deps|cluster)$ ]] || lanes=2; done ;; esac

for s in "${chosen[@]}"; do
    if [ "$s" != deps ]; then prepare || { lanes=1; break; }; fi
    [[ $s =~ ^(deps|gcc)$ ]] || beside
    [ "$s $lanes" != "cluster 2" ] || continue
    run "$s" || { lanes=1; break; }
    openmpi=$(command -v mpicc.openmpi || echo mpicc)
    use_ccache
done
beside
join

say
table | tee "$W/times"
if [ ${#skips[@]} -gt 0 ]; then
    say "skipped, and why:"
    printf '%s\n' "${skips[@]}" | sort -u | sed 's/^/  /'
fi
say "logs: ${W#"$top"/}/logs"
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
