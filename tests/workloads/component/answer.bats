#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# A checkpoint says of samples what the evaluation that it was left by saw: the
# quality that is counted here from its answers is the record's.

setup() {
    agent=$top_builddir/agent/hpcai500-agent
    generate=$top_builddir/workloads/generate/hpcai500-generate
    answers=$top_builddir/tests/workloads/component/answers
    view=$top_builddir/workloads/view/data-view
    cd "$BATS_TEST_TMPDIR"
    unset HPCAI500_RUN HPCAI500_SPOOL "${!SLURM_@}"
}

# trained WORKLOAD[,KEYS]: set/, WORKLOAD-tiny.checkpoint; $quality is what the record says
trained() {
    "$generate" "${1%%,*},class=tiny" --train 64 --validation 40 --out set 2>talk
    "$agent" "$1,class=tiny,data=set,epochs=2,batch=8,threads=1,checkpoint=.,out=r.json" 2>>talk || [ $? -eq 1 ]
    quality=$(jq '.workloads[0].epochs[1].quality' r.json)
}

# counted AWK-PROGRAM: what it makes of the answers is the quality, to 1e-4
counted() {
    "$answers" "${checkpoint:-"$(echo ./*-tiny.checkpoint)"}" set >said
    awk "$1" said >mine
    echo "mine $(cat mine), the record's $quality"
    awk -v a="$quality" '{ exit !(a > 0 && $1 > a - 1e-4 && $1 < a + 1e-4) }' mine
}

@test "cosmoflow's answers have the record's mean absolute error" {
    trained cosmoflow
    counted '{ sum += $1 > $2 ? $1 - $2 : $2 - $1 } END { if (NR == 160) print sum / NR }'
}

@test "hep's answers have the record's area under the curve" {
    for model in resnet50 hepcnn; do
        rm -rf set r.json ./*.checkpoint
        trained "hep,model=$model"
        counted '{ n[$1]++; score[$1, n[$1]] = $2; weight[$1, n[$1]] = $3; all[$1] += $3 }
            END {
                for (i = 1; i <= n[1]; i++)
                    for (k = 1; k <= n[0]; k++)
                        sum += weight[1, i] * weight[0, k] * (score[1, i] > score[0, k] ? 1 : score[1, i] == score[0, k] ? .5 : 0)
                print sum / all[1] / all[0]
            }'
    done
}

@test "defect's answers have the record's intersection over union" {
    trained defect
    counted '{ truth[$1]++; called[$2]++; hit[$1] += $1 == $2 }
        END {
            for (k = 1; k < 6; k++)
                if (truth[k]) { n++; sum += hit[k] / (truth[k] + called[k] - hit[k]) }
            print sum / n
        }'
}

# The set is trained on what it is judged by, so that deviations are those of the lines.
@test "forecast's answers have the record's error a day ahead, from the first moment on" {
    "$generate" forecast,class=tiny --train 8 --validation 8 --out set 2>talk
    rm -r set/train set/MANIFEST
    cp -r set/validation set/train
    "$agent" forecast,class=tiny,data=set,epochs=2,batch=4,threads=1,checkpoint=.,out=r.json 2>>talk || [ $? -eq 1 ]
    quality=$(jq '.workloads[0].epochs[1].quality' r.json)
    counted '{
            i = (NR - 1) % (5 * 32 * 64 * 6); s = int((NR - 1) / (5 * 32 * 64 * 6))
            c = i % 6; y = int(i / 384) % 32; z = int(i / 384 / 32)
            n[c]++; sum[c] += $1; squares[c] += $1 * $1
            if (z == 0 && ($1 - $2) ^ 2 > 1e-8 * $1 ^ 2 + 1e-6) wrong++ # the moment itself
            if (z == 4) {
                w = cos((-66 + 132 * (y + .5) / 32) * 3.14159265358979 / 180)
                error[s, c] += w * ($1 - $2) ^ 2; all[s, c] += w
            }
        }
        END {
            for (k in error) {
                split(k, part, SUBSEP); c = part[2]
                total += sqrt(error[k] / all[k]) / sqrt(squares[c] / n[c] - (sum[c] / n[c]) ^ 2)
            }
            if (!wrong) print total / 48
        }'
}

# no_answer SENTENCE ARGUMENTS...: that, and no picture
no_answer() {
    local words=$1 code=0
    shift
    "$view" "$@" -o x.png >out 2>err || code=$?
    cat err
    [ "$code" -eq 3 ]
    [ "$(wc -l <err)" -eq 1 ]
    grep -qF -- "$words" err
    [ ! -e x.png ]
}

@test "the answer is drawn; what is not of this network or this set is one sentence" {
    [ -x "$view" ] || skip "data view was not built (libpng: libpng-dev)"
    trained hep
    "$view" set --split validation --sample 7 --workload hep --checkpoint hep-tiny.checkpoint -o x.png
    "$view" set --split validation --sample 7 -o plain.png
    # two more lines of words
    size() { od -An -tu1 -j20 -N4 "$1" | awk '{ print $3 * 256 + $4 }'; }
    [ $(($(size x.png) - $(size plain.png))) -eq 30 ]
    rm x.png
    no_answer "checkpoint 'hep-tiny.checkpoint' is of hep, not of 'defect'" set --workload defect --checkpoint hep-tiny.checkpoint
    no_answer "'set/MANIFEST' is not a checkpoint of hpcai500" set --checkpoint set/MANIFEST
    no_answer "--checkpoint needs the folder of the set" set/validation/*.hdf5 --checkpoint hep-tiny.checkpoint
    no_answer "has no sample 40" set --split validation --sample 40 --checkpoint hep-tiny.checkpoint
    head -c 100000 hep-tiny.checkpoint >cut.checkpoint
    no_answer "checkpoint 'cut.checkpoint' has 100000 bytes" set --checkpoint cut.checkpoint
    mv set other
    "$generate" defect,class=tiny --train 64 --validation 8 --out set 2>talk
    no_answer "its manifest says data of 'defect', expected 'hep'" set --checkpoint hep-tiny.checkpoint
}
