#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What a user is told: --help of every command, its man page, what bash completes.

load ../../no

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools:$top_builddir/spank/account:$top_builddir/spank/collect:$top_builddir/spank/doctor:$top_builddir/spank/validate:$top_builddir/spank/witness:$top_builddir/workloads/data:$top_builddir/workloads/generate
    export PATH=$top_builddir/reports/tools:$PATH LC_ALL=C.UTF-8
    unset HPCAI500_CONF
    cd "$BATS_TEST_TMPDIR"
    mapfile -t verbs < <(hpcai500 help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
    [ "${#verbs[@]}" -gt 3 ]
}

# page VERB: its man page in the tree
page() {
    find "$top_srcdir/reports" "$top_srcdir/spank" "$top_srcdir/workloads" -name "hpcai500-$1.[18]"
}

# pages: all man pages of the tree
pages() {
    find "$top_srcdir"/{agent,reports,spank,workloads} -name '*.[1578]'
}

# options <TEXT: --a --b, each once, but --help
options() {
    grep -o -- '--[a-z][a-z-]*\b' | grep -vx -- --help | sort -u
}

@test "each command says what it is for, and has a page" {
    hpcai500 help >out
    cat out
    no grep -E '^  [a-z-]+ *$' out
    for verb in "${verbs[@]}"; do
        [ -n "$(page "$verb")" ] || { echo "$verb has no page"; false; }
        grep -q "Xr hpcai500-$verb " "$top_srcdir/reports/tools/hpcai500.1" || { echo "hpcai500(1) does not know $verb"; false; }
    done
}

@test "--help of each command is an answer: usage, on a screen, and no error" {
    for verb in "${verbs[@]}"; do
        hpcai500 "$verb" --help >out 2>err
        [ ! -s err ]
        head -1 out | grep -q '^usage:' || { echo "$verb"; cat out; false; }
        [ -z "$(awk 'length > 100' out)" ] || { awk 'length > 100' out; false; }
    done
}

@test "--help, the man page and completion know the same options" {
    . "$top_srcdir/reports/tools/completion/hpcai500"
    for verb in "${verbs[@]}"; do
        hpcai500 "$verb" --help | options >help
        grep -o 'Fl -[a-z][a-z-]*' "$(page "$verb")" | sed 's/Fl /-/' | options >man
        diff help man || { echo "$verb: <: only in --help, >: only in the page"; false; }
        COMP_WORDS=(hpcai500 "$verb" --) COMP_CWORD=2
        _hpcai500
        printf '%s\n' "${COMPREPLY[@]%=}" | options >completed
        diff help completed || { echo "$verb: <: only in --help, >: only completed"; false; }
    done
}

@test "each man page is laid out without a warning" {
    command -v man >/dev/null || skip "man is not installed (Debian: man-db)"
    n=0
    while IFS= read -r file; do
        man --warnings -E UTF-8 -l -Tutf8 -Z "$file" 2>warnings >/dev/null
        [ ! -s warnings ] || { echo "$file"; cat warnings; false; }
        n=$((n + 1))
    done < <(pages)
    [ "$n" -ge 19 ]
}

@test "each man page has examples, and each of our pages that it names is there" {
    while IFS= read -r file; do
        grep -q '^\.Sh EXAMPLES' "$file" || { echo "$file has no EXAMPLES"; false; }
        while read -r name section; do
            case $name in
            hpcai500* | spank-hpcai500)
                [ -n "$(pages | grep "/$name\.$section\$")" ] || { echo "$file names $name($section), which is not there"; false; } ;;
            esac
        done < <(sed -n 's/.*\.\?Xr \([a-z0-9.-]*\) \([1-9]\).*/\1 \2/p' "$file")
    done < <(pages)
}

@test "the site guide's numbers are the code's" {
    page=$top_srcdir/spank/hpcai500-site.7
    # words of the page | what the source must say, and where
    while IFS='|' read -r words source file; do
        grep -q "$words" "$page" || { echo "the page does not say: $words"; false; }
        grep -qF "$source" "$top_srcdir/$file" || { echo "$file does not say: $source"; false; }
    done <<'END'
waits 5 seconds at most|WITNESS_MS = 5000|spank/plugin/script.c
ends after 10 seconds|SCRIPT_SECONDS = 10|spank/witness/witness_main.c
sends for 60 seconds at most|FORWARD_SECONDS = 60|spank/witness/witness_main.c
64 connections at a time|RECEIVE_MAX_PEERS = 64|spank/relay/receive.h
1,000 bundles or 1 GiB|QUARANTINE_FILES = 1000, QUARANTINE_BYTES = 1 << 30|spank/relay/spool.h
every two minutes|OnUnitInactiveSec=2min|contrib/systemd/hpcai500-collect-once.timer
END
    hpcai500 config >config
    grep -q '^spool_queue *= *256M' config
    grep -q '^spool_per_job *= *16M' config
    grep -q '^service_user *= *slurm' config
}

@test "what README.md names is there" {
    cd "$top_srcdir"
    n=0
    while read -r path; do
        [ -e "$path" ] || { echo "README.md names $path, which is not there"; false; }
        n=$((n + 1))
    done < <(grep -oE '\b(contrib|reports|workloads|spank|tests|papi|agent)/[A-Za-z0-9_./-]*[A-Za-z0-9/]' README.md | sort -u)
    [ "$n" -ge 15 ]
    # the two commands of a fresh machine
    grep -qx '    contrib/first-light.sh' README.md
    grep -qx '    contrib/test.sh' README.md
    while read -r page; do
        pages | grep -q "/$page\.[1578]$" || { echo "README.md names man $page, which is not there"; false; }
    done < <(grep -o '`man [a-z0-9.-]*`' README.md | sed 's/.*man //; s/`//' | sort -u)
}

@test "near misses get the nearest good word, with one prefix; -h helps" {
    while IFS='|' read -r words sentence; do
        case $words in # programs that only some builds have
        verify* | doctor* | collect* | reader*) [[ " ${verbs[*]} " == *" ${words%% *} "* ]] || continue ;;
        esac
        run hpcai500 $words
        echo "$words: $output"
        case $words in
        doctor*) [ "$status" -eq 3 ] ;; # 2 is: broken
        *) [ "$status" -eq 2 ] ;;
        esac
        [ "$output" = "$sentence" ]
    done <<'Q'
help shwo|hpcai500: there is no command 'shwo'; the nearest is 'show'
show --resons 1|hpcai500 show: there is no option '--resons'; the nearest is '--reasons'
show --json=3 1|hpcai500 show: --json takes no value
show -x 1|hpcai500 show: there is no option '-x', or its value is missing; --help lists them
config --jsno|hpcai500 config: there is no option '--jsno'; the nearest is '--json'
config --file|hpcai500 config: --file needs a value
history --ndoe=n1|hpcai500 history: there is no option '--ndoe'; the nearest is '--node'
history 4711|hpcai500 history: '4711' is not an option; use --job=, --node=, --user= or what --help lists
export csv x.json|hpcai500 export: 'csv' is not an option; the format is --csv
export x.json|hpcai500 export: give a format; --help lists them
export --cvs x.json|hpcai500 export: there is no option '--cvs'; the nearest is '--csv'
forget --usr=ada|hpcai500 forget: there is no option '--usr'; the nearest is '--user'
recover --hlep x|hpcai500 recover: there is no option '--hlep'; the nearest is '--help'
verify --jsn 1|hpcai500 verify: there is no option '--jsn'; --help lists them
doctor --ndoes|hpcai500 doctor: there is no option '--ndoes'; the nearest is '--nodes'
doctor --timeout=x|hpcai500 doctor: --timeout='x' is not a number of seconds
doctor clok|hpcai500 doctor: there is no check 'clok'; the nearest is 'clock'
collect --onec|hpcai500 collect: there is no option '--onec'; the nearest is '--once'
collect --grace=1h|hpcai500 collect: --grace='1h' is not a number of seconds from 0 to 604800
collect --interval=0|hpcai500 collect: --interval='0' is not a number of seconds from 1 to 604800
collect --interval|hpcai500 collect: --interval needs a value
reader -x|hpcai500 reader: there is no option '-x', or its value is missing; --help lists them
Q
    for verb in config show history export forget recover verify doctor reader; do
        [[ " ${verbs[*]} " == *" $verb "* ]] || continue
        cmp <(hpcai500 $verb -h) <(hpcai500 $verb --help)
    done
    cmp <(hpcai500 -h) <(hpcai500 help)
}
