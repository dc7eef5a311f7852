#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# hpcai500 data view: a picture of a sample of every science, or one sentence.

load ../../no

setup() {
    generate=$top_builddir/workloads/generate/hpcai500-generate
    data=$top_builddir/workloads/data/hpcai500-data
    cd "$BATS_TEST_TMPDIR"
}

make_set() { # WORKLOAD
    "$generate" "$1,class=tiny" --train 64 --validation 8 --out "$1" 2>>talk
}

# view ARGUMENTS...: it is drawn; SIZE takes the width and height of x.png
view() {
    rm -f x.png
    "$data" view "$@" -o x.png >out 2>&1 || { cat out; false; }
    [ ! -s out ]
    [ "$(od -An -tx1 -N8 x.png | tr -d ' ')" = 89504e470d0a1a0a ]
    SIZE=$(od -An -tu1 -j16 -N8 x.png | awk '{ print ($3 * 256 + $4) " " ($7 * 256 + $8) }')
}

# refused STATUS SENTENCE ARGUMENTS...: that, and no file is left
refused() {
    local status=$1 words=$2 before code=0
    shift 2
    before=$(find . | sort)
    "$data" view "$@" >out 2>err || code=$?
    cat err
    [ "$code" -eq "$status" ]
    [ "$(wc -l <err)" -eq 1 ]
    grep -qF "hpcai500 data view: $words" err
    rm out err
    [ "$(find . | sort)" = "$before" ]
}

@test "a sample of each science is drawn, of folders and files" {
    while read -r workload file least_width least_height; do
        make_set "$workload"
        view "$workload" --sample 3
        echo "$workload: $SIZE"
        [ "${SIZE% *}" -ge "$least_width" ]
        [ "${SIZE#* }" -ge "$least_height" ]
        cp x.png first.png
        view "$workload/$file" --sample 0
        no cmp -s first.png x.png
        view "$workload" --sample 3 --split validation
        no cmp -s first.png x.png
        view "$workload" --sample 3 --split=train
        cmp first.png x.png # the same bytes
    done <<'END'
cosmoflow train/cube_0000003.hdf5 950 600
hep train/events_0000000.hdf5 700 300
defect train/surfaces_0000000.hdf5 400 300
deepcam train/data_0000003.hdf5 900 1100
END
}

@test "one field, and a scale of one's own" {
    make_set hep
    view hep --sample 1 --field=label
    small=$SIZE
    view hep --sample 1 --field=image
    [ "${SIZE#* }" -gt "${small#* }" ]
    cp x.png auto.png
    view hep --sample 1 --field=image --scale linear
    no cmp -s auto.png x.png
    view hep --sample 1 --field=image --scale auto
    cmp auto.png x.png
}

@test "what cannot be drawn is one sentence, and nothing is left behind" {
    make_set hep
    echo text >text.h5
    refused 3 "hep has no sample 64: there are 64, from 0 on" hep --sample 64 -o x.png
    refused 2 "--sample=-1 is not a number from 0 on" hep --sample -1 -o x.png
    refused 2 "--sample=two is not a number from 0 on" hep --sample two -o x.png
    refused 3 "text.h5: fits no science; 'hpcai500 data check' says what each lacks" text.h5 -o x.png
    refused 3 "none.h5: No such file or directory" none.h5 -o x.png
    refused 3 "no/x.png cannot be written: No such file or directory" hep -o no/x.png
    refused 3 "calorimeter images have no field 'mask'; \`hpcai500 data show\` lists them" hep --field mask -o x.png
    refused 2 "--scale=round is not one of auto, linear, log" hep --scale=round -o x.png
    refused 2 "--split=test is not one of train, validation" hep --split=test -o x.png
    refused 2 "--output=PNG is missing" hep
    refused 2 "--workload needs --checkpoint=FILE" hep --workload=hep -o x.png
    refused 3 "--split needs a folder" hep/train/events_0000000.hdf5 --split=train -o x.png
}
