#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The recipes of the man pages run, on a site that a test made. What others
# install (sacct, cc-backend) is played.

setup() {
    export HPCAI500_EXEC_PATH=$top_builddir/reports/tools
    command -v jq > /dev/null || skip "there is no jq"
    cd "$BATS_TEST_TMPDIR"
    mkdir bin archive prometheus
    "$top_builddir/tests/reports/history/make_history" h.sqlite archive 6
    "$top_builddir/tests/reports/record/make_records" . > /dev/null
    printf 'history = %s\narchive = %s\nreader =\nspool = %s\n' "$PWD/h.sqlite" "$PWD/archive" "$PWD/spool" > conf
    chmod 644 conf
    export HPCAI500_CONF=$PWD/conf PATH=$PWD/bin:$top_builddir/reports/tools:$PATH
    cp lab-4711.0.3.json hpcai500-4711.json
    # 4711 is an array: its first task, a step more, and others of it
    cat > bin/sacct <<'S'
#!/bin/bash
[ "$SLURM_TIME_FORMAT" = %s ] && [ "$*" = "-nXP -j 4711 -o jobidraw,submit,ncpus" ] || exit 9
printf '4710|1795370000|8\n4711|1795370001|16\n4712|1795370002|32\n'
S
    printf '#!/bin/sh\necho "$*" >> %s/told\n' "$PWD" > bin/cc-backend
    chmod +x bin/*
}

# recipes PAGE: the commands of its EXAMPLES, a paragraph's as one text, NUL between
recipes() {
    awk '/^\.Sh / {on = $2 == "EXAMPLES"} !on {next}
        /^\.Dl / {printf "%s\0", substr($0, 5)}
        /^\.Bd/ {in_block = 1; next}
        /^\.Ed/ {in_block = 0; printf "\0"; next}
        in_block' "$1" | sed 's/\\e/\\/g; s/\\-/-/g; s/\\&//g'
}

# here TEXT: with this site's names in the place of the page's
here() {
    sed "s,/var/lib/prometheus/node-exporter,$PWD/prometheus,; s,/etc/hpcai500/hpcai500.conf.new,$PWD/conf,
        s,--node=n17,--node=n1,; s,--since=30d,--since=2020-01-01,; s,--ceilings=4700,--ceilings=4711," <<< "$1"
}

@test "each recipe of each page runs and prints something" {
    n=0
    # recover: show.bats has the journals; forget comes last, it empties the site
    for page in config show history export hpcai500 forget; do
        file=$top_srcdir/reports/tools/hpcai500-$page.1
        [ "$page" != hpcai500 ] || file=$top_srcdir/reports/tools/hpcai500.1
        while IFS= read -r -d '' recipe; do
            here "$recipe" > run.sh
            echo "== $page: $(cat run.sh)"
            bash -euo pipefail run.sh > seen
            n=$((n + 1))
            case $recipe in *--prometheus=*) [ -s prometheus/hpcai500.prom ] ;; *cc-backend*) [ -s meta.json ] && [ -s data.json ] ;; *) [ -s seen ] ;; esac
        done < <(recipes "$file")
    done
    [ $n -ge 8 ]
    [ "$(cat told)" = "-import-job meta.json:data.json" ]
}

@test "xdmod: of an array each task gets its own time of submission, shared nodes their processors" {
    recipes "$top_srcdir/reports/tools/hpcai500-export.1" | while IFS= read -r -d '' recipe; do
        [[ $recipe == *--xdmod* ]] || continue
        sed 's/--job=4711/array.1 array.2/' <<< "$recipe" > run.sh
    done
    jq -c '.job.array_job_id = 4711 | .job.array_task_id = 1' lab-4711.0.3.json > array.1
    jq -c '.job.array_job_id = 4711 | .job.array_task_id = 2 | .job.job_id = 4712 | .job.exclusive = false' lab-4711.0.3.json > array.2
    bash -euo pipefail run.sh > seen
    cat seen
    jq -s -e 'map(.acct | [.id, .submit, .ncpus]) == [[4711, 1795370001, 448], [4712, 1795370002, 32]]' seen
}
