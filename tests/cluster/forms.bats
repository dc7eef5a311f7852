#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Every form and order in which srun, sbatch and salloc take the option: tables
# of command lines, with the tasks of the agent and the output of the command
# that each must give. Agent and command are stand-ins that say how they were
# started.

load helper
load ../no

eval "$(declare -f setup setup_file teardown | sed 's/^setup ()/helper_&/; s/^setup_file ()/helper_&/; s/^teardown ()/helper_&/')"

setup_file() {
    helper_setup_file
    export BIN=$S/shared/forms-bin
    export A=$BIN/hpcai500-agent P=$BIN/program
    mkdir -p "$BIN"
    cat > "$A" <<'X'
#!/bin/sh
echo "run=${1:-$HPCAI500_RUN} of=$SLURM_NTASKS step=$SLURM_JOB_ID.$SLURM_STEP_ID" >> "$LOG"
echo "agent's output"
cat # its input is empty
[ ! -x "$BIN/nested" ] || "$BIN/nested" >> "$LOG" 2>&1
X
    printf '%s\n' '#!/bin/sh' 's=p:; for w; do s="$s<$w>"; done; echo "$s"' > "$P"
    cp "$P" "$BIN/-dash"
    chmod 755 "$A" "$P" "$BIN/-dash"
    "$lab" plugin agent="$A"
}

teardown_file() { "$lab" plugin; }

setup() {
    helper_setup
    export OUT LOG=$OUT/agent.log BIN
    export PATH=$PATH:$BIN
    unset SLURM_JOB_ID SLURM_JOBID
    printf '%s\n' "0 $P zero" "1 $P one" > multi.conf
    echo text > text
    printf '%s\n' '#!/bin/sh' 'program "$@"' > job.sh
    printf '%s\n' '#!/bin/sh' '#SBATCH --hpcai500 component -n2' 'program "$@"' > asks.sh
    printf '%s\n' '#!/bin/sh' '#SBATCH --hpcai500=componet' 'program "$@"' > wrong.sh
}

teardown() {
    rm -f "$BIN/nested"
    helper_teardown
}

# forms < TABLE: rows AGENTS|OUTPUT|CODE|COMMAND LINE [|WORDS OF STDERR]; OUTPUT
# is the sorted output's lines, each with a space behind it
forms() {
    local agents wanted code line says bad=0 n=0 got out
    while IFS='|' read -r agents wanted code line says; do
        [ -n "$line" ] || continue
        n=$((n + 1)); rm -f agent.log job.out made; got=0
        timeout -k 10 120 bash -c "$line" > out 2> err 4>&- 5>&- < /dev/null || got=$?
        if [ -e job.out ]; then cat job.out >> out; fi
        out=$(grep -v "^agent's output\|^Submitted" out | sort | tr '\n' ' ')
        if [ "$(cat agent.log 2> /dev/null | wc -l)" = "$agents" ] && [ "$out" = "$wanted" ] &&
            [ "$got" = "$code" ] && { [ -z "$says" ] || grep -qF -- "$says" err; }; then continue; fi
        bad=$((bad + 1))
        echo "WRONG: $line"
        echo "  wanted $agents tasks of the agent, '$wanted', code $code${says:+, '$says'}; exit code $got, then stdout, stderr, agent.log:"
        cat out err agent.log 2> /dev/null | sed 's/^/    /' | head -20
    done
    echo "$n forms, $bad wrong"
    [ "$n" -gt 0 ] && [ "$bad" = 0 ]
}

@test "srun that makes its allocation: options, values, abbreviations and -- in every order" {
    forms <<'T'
1|p:<a> |0|srun --hpcai500=component $P a
1|p:<a> |0|srun --hpcai500 component $P a
1|p: |0|srun --hpcai component $P
1|p: |0|srun --hp=component $P
1|p: |0|srun --hpcai500=component -- $P
1|p:<--><-x><--hpcai500=no> |0|srun --hpcai500 component -- $P -- -x --hpcai500=no
1|p:<-N9> |0|srun --hpcai500=component $P -N9
2|p: p: |0|srun --hpcai500=component -N2 -n2 $P
2|p: p: |0|srun -N 2 --hpcai500=component -n 2 -- $P
2|p: p: |0|srun --nodes=2 --ntasks 2 --hpcai500=component $P
2|p: p: |0|srun -N1-2 -n2 --hpcai500=component $P
2|0: p: 1: p: |0|srun -lun2 --hpcai500=component $P
2|0: p: 1: p: |0|srun --hpcai500=component -ln 2 $P
1|p: |0|srun -J -- --hpcai500=component $P
1|p: |0|srun -J --pty --hpcai500=component -- $P
1|p: |0|srun --comment --exclusive --hpcai500=component $P
1|p: |0|srun -J hpcai500-agent --hpcai500=component $P
1|p: |0|srun -J : --hpcai500=component $P
1|p: |0|srun --job-name=--hpcai500=no --hpcai500=component $P
1|p: |0|srun --part main --hpcai500=component $P
1|p: |0|srun -pmain --hpcai500=component $P
1|p: |0|srun --hpcai500=cosmoflow --hpcai500=component $P
0||1|srun --hpcai500=componet --hpcai500=component $P|there is no suite or workload 'componet'; the nearest is 'component'
0||1|srun --hpcai500= $P|the run text names no suite or workload
1|p: |0|srun --exclusive --hpcai500=component -- $P
1|p: |0|srun --hpcai500=component --exclusive=user --exact $P
1|p: |0|srun --mem=50 -c1 -t5 --hpcai500=component $P
1|p: |0|srun -t 5 --mpi none -K -I60 --hpcai500=component $P
1|p: |0|srun -K1 --kill-on-bad-exit=0 -W 1 --hpcai500=component $P
2|p: p: |0|srun -O -n2 --cpu-bind=none --hpcai500=component $P
1|p: |0|srun --export=ALL,X=1 --hpcai500=component $P
1|p: |0|srun -D $OUT --chdir=$BIN --hpcai500=component $P
1|p: |0|srun --bcast=/tmp/sent --hpcai500=component -- $P
2|p:<one> p:<zero> |0|srun -n2 --multi-prog --hpcai500=component multi.conf
2|p:<one> p:<zero> |0|srun -n2 --hpcai500=component --mult -- multi.conf
1|p: |0|srun --hpcai500=component -- program
1|p: |0|srun --hpcai500=component $P 2>&-
1||0|srun --hpcai500=component $P <&- >&- 2>&-
1|p: |0|srun --begin=now+1 --nice --mail-type=NONE --gres=none --hpcai500=component $P
2|p: p: |0|srun -N2 --ntasks-per-node=1 -m plane=1 --hpcai500=component $P
1|p: |0|srun --prolog=/bin/true --task-prolog=/bin/true --epilog /bin/true --hpcai500=component $P
1|p: |0|srun --signal=USR1@60 -t2 -k -s --hpcai500=component $P
1|p: |0|srun --hpcai500=component -- -dash
1|text |0|srun -i text --hpcai500=component cat
1||0|srun -o made --hpcai500=component $P && [ "$(cat made)" = p: ]
1||0|srun -lomade --hpcai500=component $P && [ "$(cat made)" = "0: p:" ]
1||3|srun --output made -e made --hpcai500=component sh -c 'program; exit 3'
T
}

@test "srun without a command, or that only answers" {
    forms <<'T'
1||0|srun --hpcai500=component
1||0|srun -N1 -n1 --hpcai500 component
2||0|srun -N2 -n2 --hpcai500=component --
1||0|srun --hpcai500=cosmoflow --hpcai500=component
0||1|srun --hpcai500=component -N2|there is no command; write --hpcai500=RUN as the last word, or write the command
0||1|srun --hpcai500 component --partition main --|there is no command; write --hpcai500=RUN as the last word, or write the command
0||1|srun --hpcai500=component -J x -lu|there is no command; write --hpcai500=RUN as the last word, or write the command
0||0|srun --hpcai500=component --test-only -N1 $P
0||0|srun --hpcai500=component --version > /dev/null
0||0|srun --hpcai500=component --usage > /dev/null
0||0|srun --hpcai500=component --help > /dev/null
0||0|srun -N2 --hpcai500=help $P > /dev/null
1||0|srun --hpcai500=component $A
1||0|srun --hpcai500=component -- $A component
T
}

@test "srun whose options come from the environment" {
    forms <<'T'
2|p: p: |0|SLURM_NTASKS=2 srun --hpcai500=component $P
2|p: p: |0|SLURM_NNODES=2 srun -n2 --hpcai500=component -- $P
1|p: |0|SLURM_EXCLUSIVE=user srun --hpcai500=component $P
1|p: |0|SLURM_EXACT=1 srun --hpcai500=component -- $P
2|p:<one> p:<zero> |0|SLURM_SRUN_MULTI=1 srun -n2 --hpcai500=component multi.conf
1|p: |0|SLURM_BCAST=/tmp/sent srun --hpcai500=component $P
1|p: |0|SLURM_JOB_NAME=x SLURM_PARTITION=main SLURM_TIMELIMIT=5 SLURM_MPI_TYPE=none srun --hpcai500=component $P
1|p: |0|SLURM_OVERLAP=1 SLURM_WAIT=1 SLURM_KILL_BAD_EXIT=1 srun --hpcai500=component $P
1||0|SLURM_STDOUTMODE=made srun --hpcai500=component $P && [ "$(cat made)" = p: ]
2|0: p: 1: p: |0|SLURM_LABELIO=1 SLURM_DISTRIBUTION=cyclic SLURM_HINT=nomultithread srun -n2 --hpcai500=component $P
1|p: |0|HPCAI500_RUN=no HPCAI500_STOP=1 srun --hpcai500=component $P
1|p: |0|_SLURM_SPANK_OPTION_hpcai500_hpcai500=cosmoflow srun --hpcai500=component $P
0|p: |0|SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500=component srun $P
T
}

@test "srun in an allocation" {
    cat > job.sh <<'X'
forms <<'T'
1|p: |0|srun -n1 --hpcai500=component -- $P
2|p: p: |0|srun -N2 -n2 --hpcai500 component $P
1|p: |0|srun -N1 -n1 -w n2 --exact --hpcai500=component $P
1|p: |0|srun -N1 -n1 -r1 --exclusive --hpcai500=component -- $P
1|p: |0|srun -N1 -n1 --overlap --hpcai500=component $P
1|p: |0|env -u SLURM_JOB_ID -u SLURM_JOBID srun --jobid=$SLURM_JOB_ID -N1 -n1 --hpcai500=component $P
1|p: |0|env -u SLURM_JOB_ID -u SLURM_JOBID srun --jobid $SLURM_JOB_ID -N1 -n1 --hpcai500=component -- $P
2|p:<one> p:<zero> |0|srun -n2 --multi-prog --hpcai500=component -- multi.conf
2|p:<one> p:<zero> |0|SLURM_SRUN_MULTI=1 srun -n2 --hpcai500=component multi.conf
1|p: |0|srun -n1 -t 1 --hpcai500=component $P
1||0|srun -n1 -o made --hpcai500=component $P && [ "$(cat made)" = p: ]
1|text |0|srun -n1 -itext --hpcai500=component cat
0||0|srun -n1 --test-only --hpcai500=component $P
1||0|srun -n1 --hpcai500=component
0||1|srun --hpcai500=component -n1|there is no command; write --hpcai500=RUN as the last word, or write the command
1|p: |5|srun -n1 --hpcai500=component -- sh -c 'program; exit 5'
1|p: p: |0|srun -n1 --hpcai500=component sh -c 'srun --overlap -n1 $P; program'
T
X
    export -f forms
    run timeout -k 10 $limit salloc -N2 -n4 -w n1,n2 --exclusive bash job.sh < /dev/null
    echo "$output"; [ "$status" -eq 0 ]
    [[ $output == *" forms, 0 wrong"* ]]
}

@test "sbatch and salloc: options, #SBATCH lines and the environment" {
    forms <<'T'
1|p: |0|sbatch -W -o job.out --hpcai500=component job.sh
1|p:<a> |0|sbatch -W -o job.out --hpcai500 component -- job.sh a
1|p:<--hpcai500=no> |0|sbatch --hpcai500=component -Wojob.out job.sh --hpcai500=no
0|p:<--hpcai500=component> |0|sbatch -W -o job.out job.sh --hpcai500=component
2|p: |0|sbatch -W -n2 --output=job.out --hpcai500=component --wrap program
1|p: |0|sbatch -W -o job.out --wrap=program --hpcai=component
1|p: |0|sbatch -W -o job.out --hpcai500=component < job.sh
2|p: |0|sbatch -W -o job.out asks.sh
1|p: |0|sbatch -W -o job.out -n1 --hpcai500=cosmoflow asks.sh
0||1|sbatch -W -o job.out wrong.sh|there is no suite or workload 'componet'; the nearest is 'component'
1|p: |0|SBATCH_PARTITION=main SBATCH_TIMELIMIT=5 SBATCH_EXCLUSIVE=user SBATCH_WAIT=1 sbatch -o job.out --hpcai500=component job.sh
1|p: |0|SLURM_SRUN_MULTI=1 SLURM_EXACT=1 sbatch -W -o job.out --hpcai500=component job.sh
0||0|sbatch -J x --hpcai500=list job.sh > /dev/null
0||0|sbatch -A -- --hpcai500=help > /dev/null
0|p: |0|salloc --hpcai500=component -N1 srun $P
1||0|salloc --hpcai500=component -- srun $A
1|p: |0|salloc --hpcai500 component srun --hpcai500=component -- $P
1|p: |0|SALLOC_PARTITION=main SALLOC_TIMELIMIT=5 SALLOC_EXCLUSIVE=user salloc srun --hpcai500=component -- $P
0||1|salloc --hpcai500=componet srun $P|there is no suite or workload 'componet'; the nearest is 'component'
T
}

@test "root starts a step for another user" {
    need_root
    chmod 1777 "$OUT"; : > agent.log; chmod 666 agent.log
    srun_ --uid=nobody --hpcai500=component sh -c 'id -un' > out 2> err || { cat err; false; }
    [ "$(cat out)" = nobody ]
    [ "$(wc -l < agent.log)" = 1 ]
}

@test "several components: one sentence, no run, and each program starts once" {
    forms <<'T'
0|p: p: |0|srun --mpi=none --hpcai500=component $P : --mpi=none $P|an srun of several components cannot start a run before its commands; start the run with its own srun
0|p: p: |0|srun --mpi=none $P : --mpi=none --hpcai500=component -- $P|an srun of several components cannot start a run before its commands; start the run with its own srun
0||1|srun --mpi=none --hpcai500=component,gate=yes -- $P : --mpi=none $P|an srun of several components cannot start a run before its commands; start the run with its own srun
T
    [ "$(grep -c 'cannot start a run' err)" = 1 ]
}

@test "a run cannot start another, whatever it starts" {
    for nested in 'srun --overlap -n1 --hpcai500=component $P' 'srun --overlap -n1 --hpcai500=component -- $A' \
        'srun --overlap -n1 --hpcai500=component'; do
        printf '%s\n' '#!/bin/sh' "$nested" 'echo "code=$?"' > "$BIN/nested"; chmod 755 "$BIN/nested"
        rm -f agent.log
        srun_ -n1 --hpcai500=component "$P" > out 2> err
        cat out err agent.log
        [ "$(cat out)" = p: ]
        [ "$(grep -c ^run= agent.log)" = 1 ]
        grep -q "this srun is inside a run of hpcai500, which cannot start another run" agent.log
        grep -qx code=1 agent.log
    done
    # without the option it is the node's side that refuses the agent
    printf '%s\n' '#!/bin/sh' 'srun --overlap -n1 $A' > "$BIN/nested"
    rm -f agent.log
    srun_ -n1 --hpcai500=component "$P" > out 2> err
    cat out err agent.log
    [ "$(grep -c ^run= agent.log)" = 1 ]
    grep -q "this agent was started inside a run of hpcai500, which cannot start another run" agent.log
    # and the srun that should start the agent starts nothing else
    HPCAI500_LEVEL=srun run srun_ -n1 --hpcai500=component "$P"
    [ "$status" -eq 1 ]; [[ $output == *"has another command"* ]]
}

@test "the plugin's table of options is the installed Slurm's" {
    local program name takes said
    for program in srun sbatch salloc; do
        sed -n 's/^    {"\([a-z0-9-]*\)", \(.*\), \([A-Z_]*\), \([A-Z |]*\)},$/\1 \3 \4/p' "$top_srcdir/spank/plugin/cmdline.c" |
            awk -v p="${program^^}" '$3 == "ALL" || index(" " $0 " ", " " p " ") {print $1, $2}' > rows
        [ "$(wc -l < rows)" -gt 80 ]
        while read -r name takes; do
            said=$("$program" "--$name" 2>&1 < /dev/null --no-such-option || true)
            case $said in *"unrecognized option '--$name'"*) continue ;; esac # of another release
            # the last word of all: does it want a value?
            if [ "$takes" = VALUE ]; then
                said=$(timeout 300 "$program" "--$name" 2>&1 < /dev/null || true)
                case $said in *"'--$name"[a-z-]*) continue ;; esac # taken for a longer one: of another release
                [[ $said == *"option '--$name' requires an argument"* ]] || { echo "$program --$name takes no value: $said"; return 1; }
            else
                [[ $said == *"unrecognized option '--no-such-option'"* || $name == help || $name == usage || $name == version ]] ||
                    { echo "$program --$name takes a value: $said"; return 1; }
            fi
        done < rows
        # and it has all that its manual names
        "$program" --help | grep -oE -- '--[a-z0-9][a-z0-9-]+' | sort -u | sed 's/^--//' > named
        while read -r name; do
            case $("$program" "--$name" --no-such-option 2>&1 < /dev/null || true) in
                *"unrecognized option '--$name'"* | *ambiguous*) continue ;;
            esac
            grep -q "^$name " rows || [[ $(cut -d' ' -f1 rows | grep -c "^$name") -ge 1 ]] || { echo "$program --$name is not in the table"; return 1; }
        done < named
    done
}
