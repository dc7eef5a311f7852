#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Fifty jobs of all kinds by an ordinary user, slurmdbd away for a part of
# them: in the end accounting and history agree on every one.

load helper

eval "$(declare -f setup_file | sed 's/^setup_file ()/helper_&/')"
setup_file() {
    helper_setup_file
    eval "$("$lab" env)"
    "$lab" site shared
    "$lab" plugin
}

# submit KIND WORDS...: a job of the ordinary user; its id to kinds as "JOB KIND"
submit() {
    local kind=$1 id; shift
    id=$(as_user sbatch --parsable --chdir=/tmp --output=/dev/null --error=/dev/null "$@") || return 1
    echo "${id%%;*} $kind" >> kinds
}

# script NAME: a batch script, its lines from stdin
script() { { echo '#!/bin/sh'; cat; } > "$1"; chmod 755 "$1"; }

scripts() {
    script ok.sh <<< 'timeout 600 srun --hpcai500=$RUN true'
    script plain.sh <<< 'timeout 600 srun hpcai500-agent $RUN'
    script long.sh <<< 'timeout 600 srun hpcai500-agent $LONG'
    script three.sh <<< 'for i in 1 2 3; do timeout 600 srun hpcai500-agent $RUN,seed=$i; done'
    printf '#!/bin/sh\n#SBATCH -N1 -n1 --hpcai500=%s\n#SBATCH hetjob\n#SBATCH -N1 -n1\ntrue\n' "$RUN" > het.sh
}

# agents JOB: processes of the job's agent, by pid
agents() {
    local p
    for p in /proc/[0-9]*; do
        [ "$(cat "$p/comm" 2>/dev/null)" = hpcai500-agent ] || continue
        ! tr '\0' '\n' < "$p/environ" 2>/dev/null | grep -qx "SLURM_JOB_ID=$1" || echo "${p#/proc/}"
    done
    return 0
}
# trains JOB: its journal has begun; the drop folder is mounted on the node only
trains() {
    local p
    for p in $(agents "$1"); do
        [ -z "$(find "/proc/$p/root$S"/spool/jobs/*/"$1"/*.journal/ -type f -size +1k 2>/dev/null)" ] || return 0
    done
    return 1
}

# collect: as the site's timer would, until accounting has all lines, of both
# starts of a requeued job too. The second component of a heterogeneous job had
# no run.
settled() {
    "$S/prefix/bin/hpcai500" collect --once --grace=1
    sacct -D -X -P -n -a -o jobid,state,admincomment -j "$(cut -d' ' -f1 kinds | paste -sd,)" > sacct.out
    [ -s sacct.out ] && ! grep -qE 'RUNNING|PENDING|COMPLETING' sacct.out && ! grep -qvE 'H5:|[+]1[|]' sacct.out
}

# compare: each run that a kind must have left is in the history, once, with
# the state that accounting has for the job
compare() {
    local job kind n jobs=0 runs=0
    "$S/prefix/bin/hpcai500" history --limit=0 --json > history.json
    while read -r job kind; do
        case $kind in
            ok) expect "$job" COMPLETED complete ;;
            # a network that saw nine cubes misses its target: exit code 1
            plain) expect "$job" FAILED complete ;;
            three) expect "$job" FAILED complete complete complete ;;
            failed) expect "$job" COMPLETED none ;;
            cancelled) expect "$job" CANCELLED 'partial|crashed' ;;
            killed) expect "$job" FAILED 'partial|crashed' ;;
            limit) expect "$job" TIMEOUT 'partial|crashed' ;;
            requeued) expect "$job" 'REQUEUED|CANCELLED' 'partial|crashed' 'partial|crashed' ;;
            het) expect "$job+0" COMPLETED complete ;;
            array) for n in 1 2 3 4 5 6 7 8 9 10; do expect "${job}_$n" FAILED complete; done ;;
        esac
    done < kinds
    [ ! -e wrong ] || { cat wrong sacct.out; "$S/prefix/bin/hpcai500" history --limit=0; return 1; }
    # nothing twice, and each whole record is what root saw
    [ "$(jq -r '.rows[] | [.key, .position] | @tsv' history.json | sort | uniq -d)" = "" ]
    for job in $(of_kind ok) $(of_kind plain); do "$S/prefix/bin/hpcai500" verify "$job"; done
    echo "jobs: $jobs, runs: $runs"
    [ $jobs = 50 ] && [ $runs = 55 ]
}

# expect JOB STATES STATUS...: what accounting and history have for it
expect() {
    local job=$1 states=$2 rows status i=0; shift 2
    jobs=$((jobs + 1)) runs=$((runs + $#))
    # (the first component's own id is the job's)
    awk -F'|' -v job="$job" '$1 == job {print $2}' sacct.out | grep -qE "^($states)" ||
        echo "$job: sacct has no $states" >> wrong
    ! awk -F'|' -v job="$job" '$1 == job {print $2}' sacct.out | grep -vqE "^($states)" ||
        echo "$job: sacct has other states than $states" >> wrong
    rows=$("$S/prefix/bin/hpcai500" history --limit=0 --json --job="${job%+0}" | jq -r '.rows[].status' | sort)
    [ "$(grep -c . <<< "$rows")" = $# ] || { echo "$job: wanted $# runs, history has: $rows" >> wrong; return 0; }
    while read -r status; do
        i=$((i + 1))
        [[ $status =~ ^(${!i})$ ]] || echo "$job: history has $status, not ${!i}" >> wrong
    done <<< "$rows"
}

of_kind() { awk -v k="$1" '$2 == k {print $1}' kinds; }

@test "fifty jobs of all kinds, slurmdbd down for part of them: sacct and history agree on every one" {
    need_root
    export RUN="cosmoflow,class=tiny,data=$FEW,epochs=1,batch=4" NO_DATA="cosmoflow,data=$OUT/nowhere"
    export LONG="cosmoflow,class=tiny,data=$FEW,epochs=100000,batch=4,time=24h,target=0.000001"
    local i job
    scripts
    # run well, before and while slurmdbd is down
    for i in 1 2 3; do submit ok -N1 -n1 "$OUT"/ok.sh; submit ok -N2 -n2 --hpcai500="$RUN" --wrap=true; done
    "$lab" slurmdbd stop
    # a requeued job waits for cred_expire seconds before it begins again
    for i in 1 2 3; do
        submit requeued -N1 -n1 --requeue "$OUT"/long.sh
        job=$(of_kind requeued | tail -1)
        await 10 trains "$job"
        as_user scontrol requeue "$job"
        await 10 eval 'scontrol show job '"$job"' | grep -q Restarts=1'
    done
    for i in 1 2 3; do submit plain -N1 -n1 "$OUT"/plain.sh; done
    submit three -N1 -n1 "$OUT"/three.sh
    submit array -N1 -n1 --array=1-10 "$OUT"/plain.sh
    submit het "$OUT"/het.sh; submit het "$OUT"/het.sh
    for i in 1 2 3 4 5; do submit failed -N1 -n1 --hpcai500="$NO_DATA" --wrap=true; done
    for i in 1 2; do submit limit -N1 -n1 --time=1 "$OUT"/long.sh; done
    # long ones, each ended as soon as it trains; slurmdbd comes back meanwhile
    for i in 1 2 3 4 5; do
        submit cancelled -N1 -n1 "$OUT"/long.sh
        submit killed -N1 -n1 "$OUT"/long.sh
        [ "$i" != 3 ] || "$lab" slurmdbd start
        job=$(of_kind cancelled | tail -1); await 10 trains "$job"; as_user scancel "$job"
        job=$(of_kind killed | tail -1); await 10 trains "$job"; kill -9 $(agents "$job")
    done
    for i in 1 2 3 4 5 6 7 8; do submit plain -N1 -n1 "$OUT"/plain.sh; done
    for job in $(of_kind requeued); do
        await 10 trains "$job"
        as_user scancel "$job"
    done
    await 10 idle
    await 10 settled
    cat kinds
    compare
}
