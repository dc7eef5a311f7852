# SPDX-License-Identifier: BSD-3-Clause
# The generator and its verb, as programs.

load ../../no
load ../../await

setup() {
    generate=$top_builddir/workloads/generate/hpcai500-generate
    data=$top_builddir/workloads/data/hpcai500-data
    [ -x "$generate" ] || skip "the generator was not built (FFTW: libfftw3-dev)"
    dir=$(mktemp -d "${TMPDIR:-/tmp}/hpcai500-generate.XXXXXX")
    few="--train 9 --validation 4"
}

teardown() {
    [ -z "$dir" ] || rm -rf "$dir"
}

make_set() { # OUT OPTIONS...
    out=$1
    shift
    "$generate" cosmoflow,class=tiny $few --out "$dir/$out" "$@" 2>>"$dir/talk"
}

@test "one, two and three processes make the same bytes" {
    make_set one
    make_set two -j2
    make_set three --rank 2 --size 3
    [ ! -e "$dir/three" ]
    make_set three --rank 0 --size 3
    grep -q "5 files of $dir/three are left to the other ranks" "$dir/talk" ||
        grep -q "4 files of $dir/three are left to the other ranks" "$dir/talk"
    SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=3 make_set three
    diff -r "$dir/one" "$dir/two"
    diff -r "$dir/one" "$dir/three"
    [ "$(ls "$dir/one" | tr '\n' ' ')" = "MANIFEST train validation " ]
    [ "$(ls "$dir"/one/train | wc -l) $(ls "$dir"/one/validation | wc -l)" = "9 4" ]
    (cd "$dir/one" && sed -n 's/^file \([0-9a-f]*\) [0-9]* /\1  /p' MANIFEST | sha256sum -c --quiet)
}

# The bytes of a seed are part of every result: who changes them raises the
# version in the science's table. The hashes are of the generator before it knew
# more than one science, and hold for one build of its libraries.
@test "the bytes of cosmology are those of version 3" {
    make_set cut
    "$generate" cosmoflow,class=tiny,seed=2 $few --layout raw -o "$dir/raw" 2>/dev/null
    grep -qx "generator 3" "$dir/cut/MANIFEST" # else: new hashes below
    build=$(sed -n 's/^build //p' "$dir/cut/MANIFEST")
    [ "$build" = "x86_64 fftw-3.3.10 hdf5-1.10.8 zlib-1.2.13" ] ||
        skip "hashes are kept for x86_64, FFTW 3.3.10, HDF5 1.10.8, zlib 1.2.13; this is $build"
    while read -r set hash; do
        [ "$(grep ^file "$dir/$set/MANIFEST" | sha256sum)" = "$hash  -" ] || { echo "$set"; false; }
    done <<'END'
cut 69231ab21b8182f35f47a224196f9de6cb752e262aab2e2e3b99337b479f6e93
raw b9f0bd23be06d88916a0c0584c9162c740386dbf1232056023ddc866d279356d
END
    grep -qx "baseline constant_mae 0.570465621" "$dir/cut/MANIFEST"
    grep -qx "baseline ridge_mae 0.52839903" "$dir/cut/MANIFEST"
    grep -qx "baseline ridge_mae 1.4587086" "$dir/raw/MANIFEST"
}

# bytes_are SET VERSION HASH: of the list of files, where the libraries are those of the
# hash. Another version has another hash.
bytes_are() {
    grep -qx "generator $2" "$dir/$1/MANIFEST"
    build=$(sed -n 's/^build //p' "$dir/$1/MANIFEST")
    [ "$build" = "x86_64 fftw-3.3.10 hdf5-1.10.8 zlib-1.2.13" ] ||
        skip "the hash is kept for x86_64, FFTW 3.3.10, HDF5 1.10.8, zlib 1.2.13; this is $build"
    [ "$(grep ^file "$dir/$1/MANIFEST" | sha256sum)" = "$3  -" ]
}

@test "surfaces are the same for one and two processes, and those of version 1" {
    surfaces="defect,class=tiny --train 600 --validation 300" # files of 256
    "$generate" $surfaces -o "$dir/one" 2>/dev/null
    "$generate" $surfaces -j2 -o "$dir/two" 2>/dev/null
    diff -r "$dir/one" "$dir/two"
    [ "$(ls "$dir"/one/train | wc -l) $(ls "$dir"/one/validation | wc -l)" = "3 2" ]
    grep -qx "baseline threshold_iou 0.072940788" "$dir/one/MANIFEST"
    bytes_are one 1 58974016ee2085ddb6f994dcef50b014abfd337d431249ccdbe110ddd7f8e821
}

@test "weather is the same for one and three processes, with statistics beside it" {
    "$generate" deepcam,class=tiny --train 12 --validation 4 -o "$dir/one" 2>/dev/null
    for rank in 1 2 0; do
        "$generate" deepcam,class=tiny --train 12 --validation 4 -o "$dir/three" --rank $rank --size 3 2>/dev/null
    done
    diff -r "$dir/one" "$dir/three"
    [ "$(ls "$dir/one" | tr '\n' ' ')" = "MANIFEST stats.h5 train validation " ]
    [ "$(ls "$dir"/one/train | wc -l) $(ls "$dir"/one/validation | wc -l)" = "12 4" ]
    grep -q "^baseline logistic_iou 0[.]" "$dir/one/MANIFEST"
    "$data" check "$dir/one" | grep -qF "moments of weather, layout 'deepcam', generated, class tiny"
    bytes_are one 1 cb0c98f460d69417abc1738703c7e2953b34b6d6857a060515ece47c2d38f5c0
}

@test "sequences of weather are the same for one and three processes" {
    "$generate" forecast,class=tiny --train 16 --validation 8 -o "$dir/one" 2>/dev/null # files of 8
    for rank in 1 2 0; do
        "$generate" forecast,class=tiny --train 16 --validation 8 -o "$dir/three" --rank $rank --size 3 2>/dev/null
    done
    diff -r "$dir/one" "$dir/three"
    [ "$(ls "$dir"/one/train | wc -l) $(ls "$dir"/one/validation | wc -l)" = "2 1" ]
    "$data" check "$dir/one" | grep -qF "sequences of weather, layout 'sequences', generated, class tiny"
    bytes_are one 1 ec44251b819dc1b2a000a1c7a9e820f851edb1928b1ff90d6c40d6457cd16927
}

@test "another seed makes other bytes" {
    make_set one
    "$generate" cosmoflow,class=tiny,seed=2 $few -o "$dir/two" 2>/dev/null
    no cmp -s "$dir/one/train/cube_0000000.hdf5" "$dir/two/train/cube_0000000.hdf5"
}

@test "validation boxes are the same however many training boxes there are" {
    make_set one
    few="--train 5 --validation 4"
    make_set two
    diff -r "$dir/one/validation" "$dir/two/validation"
}

has_cubes() { ls "$dir"/set.partial/train/*.hdf5; }

@test "a killed generation leaves nothing finished, and the next one completes it" {
    make_set whole
    "$generate" cosmoflow,class=tiny $few --out "$dir/set" 2>/dev/null &
    pid=$!
    await 5 has_cubes
    child=$(pgrep -P $pid || true)
    kill -9 $pid
    wait $pid || true
    # its child is told by the kernel; it must be gone before files are counted
    [ -z "$child" ] || await_end 5 "$child"
    if [ ! -e "$dir/set" ]; then # else it was faster than the kill
        run "$data" verify "$dir/set"
        [ "$status" -eq 3 ]
        made=$(ls "$dir/set.partial/train" | head -1)
        before=$(stat -c %i "$dir/set.partial/train/cube_0000000.hdf5")
    fi
    : >"$dir/set.partial/train/cube_0000008.hdf5.99.tmp"
    make_set set
    diff -r "$dir/whole" "$dir/set"
    [ ! -e "$dir/set.partial" ]
    # what was whole was not made again
    [ -z "$before" ] || [ "$before" = "$(stat -c %i "$dir/set/train/cube_0000000.hdf5")" ]
}

@test "a torn part file, a missing and a cut cube are made good" {
    make_set whole
    make_set set --rank 0 --size 2
    part=$(ls "$dir"/set.partial/part-*)
    truncate -s -7 "$part"
    rm "$dir/set.partial/train/cube_0000002.hdf5"
    truncate -s 100 "$dir/set.partial/train/cube_0000004.hdf5"
    make_set set
    diff -r "$dir/whole" "$dir/set"
}

@test "what lies in the folder is not written over" {
    make_set one
    run "$generate" cosmoflow,class=tiny,seed=5 $few -o "$dir/one"
    [ "$status" -eq 3 ]
    [[ "$output" == "hpcai500-generate: $dir/one holds another set (cosmo, class tiny, layout cut, seed 1, 9 + 4 samples, build "* ]]
    mkdir "$dir/mine"
    echo tea >"$dir/mine/tea"
    run "$generate" cosmoflow,class=tiny $few -o "$dir/mine"
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500-generate: $dir/mine: not empty and without a manifest, expected a new or empty folder" ]
    [ "$(cat "$dir/mine/tea")" = tea ]
    make_set half --rank 0 --size 2
    run "$generate" cosmoflow,class=tiny,seed=5 $few -o "$dir/half"
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500-generate: $dir/half.partial holds an unfinished set of other settings; remove it first" ]
    run "$generate" cosmoflow,class=tiny $few -o "$dir/one" # finished: nothing to do
    [ "$status" -eq 0 ]
    [ "$output" = "$dir/one" ]
}

@test "a full disk is one sentence" {
    run bash -c "ulimit -f 16; exec '$generate' cosmoflow,class=tiny $few -o '$dir/set'"
    [ "$status" -eq 1 ]
    [ "$output" = "hpcai500-generate: $dir/set.partial/train/cube_0000000.hdf5: File too large" ]
    [ ! -e "$dir/set" ]
    [ -z "$(find "$dir" -name '*.hdf5*')" ]
    run "$generate" cosmoflow,class=tiny -o /proc/set
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500-generate: /proc/set.partial: No such file or directory" ]
}

@test "bad words and numbers are refused with one sentence" {
    while IFS='|' read -r args sentence; do
        run "$generate" $args
        [ "$status" -eq 2 ]
        [ "${lines[0]}" = "hpcai500-generate: $sentence" ] || { echo "$args: ${lines[0]}"; false; }
    done <<'END'
cosmoflow,class=tiny|--out DIR is missing
-o x|expected one run text such as cosmoflow,class=tiny
cosmoflow -o x|'cosmoflow': give class=tiny, small or standard
cosmoflow,seed=3 -o x|'cosmoflow,seed=3': give class=tiny, small or standard
cosmoflow,class=tiny,epochs=3 -o x|'cosmoflow,class=tiny,epochs=3': only class and seed mean something to data
cosmoflow,class=tiny -o x -j 0|--jobs 0: expected 1 to 1024
cosmoflow,class=tiny -o x -j -1|--jobs -1: expected 1 to 1024
cosmoflow,class=tiny -o x --rank 3 --size 3|--rank and --size: expected both, with 0 <= rank < size
cosmoflow,class=tiny -o x --rank 3|--rank and --size: expected both, with 0 <= rank < size
cosmoflow,class=tiny -o x --layout round|--layout round: expected cut or raw
cosmoflow,class=tiny -o x --train 4|--train 4: expected 5 to 268435456
cosmoflow,class=tiny -o x --tea|--tea: not an option, or its value is missing
END
    run "$generate" cosmoflow,class=tny -o x
    [ "$status" -eq 2 ]
    [[ "${lines[0]}" == *tny*tiny* ]]
    [ ! -e x ]
}

@test "the raw layout has the published datasets" {
    few="--train 40 --validation 8"
    make_set raw --layout raw
    [ "$(ls "$dir"/raw/train | wc -l) $(ls "$dir"/raw/validation | wc -l)" = "5 1" ]
    h5dump -H "$dir/raw/train/cube_0000000.hdf5" 2>/dev/null >"$dir/head" || skip "h5dump is not installed (hdf5-tools)"
    for name in full unitPar physPar namePar redshifts; do grep -q "DATASET \"$name\"" "$dir/head"; done
    grep -q "( 64, 64, 64, 4 )" "$dir/head"
}

@test "hpcai500 data makes, shows and verifies" {
    run "$data" generate cosmoflow,class=tiny $few --out "$dir/set"
    [ "$status" -eq 0 ]
    run "$data" show "$dir/set"
    [ "$status" -eq 0 ]
    [[ "$output" == "train        9 samples of N-body cubes in 9 files, "*" each on storage, layout cut"*"
  x          32 x 32 x 32 x 4, int16: particles in each cell
  y          4, float32: "*"validation   4 samples"*"class tiny, seed 1, generator 3"* ]]
    [[ "$output" == *"
redshifts    3 1.5 0.5 0
baselines    constant_mae 0.5705
             ridge_mae 0.5284" ]]
    for verb in "show $dir/set" "verify $dir/set" --help; do
        status=0
        "$data" $verb >/dev/full 2>"$dir/err" || status=$?
        [ "$status" -eq 3 ]
        [ "$(cat "$dir/err")" = "hpcai500 data: cannot write to standard output: No space left on device" ]
    done
    status=0
    "$generate" cosmoflow,class=tiny $few --out "$dir/set" >/dev/full 2>"$dir/err" || status=$?
    [ "$status" -eq 3 ]
    grep -qx "hpcai500-generate: cannot write to standard output: No space left on device" "$dir/err"
    run "$data" verify "$dir/set"
    [ "$output" = "$dir/set: 13 files are as the manifest says" ]
    printf x | dd of="$dir/set/train/cube_0000003.hdf5" bs=1 seek=9000 conv=notrunc 2>/dev/null
    run "$data" verify "$dir/set"
    [ "$status" -eq 1 ]
    [ "$output" = "hpcai500 data: $dir/set/train/cube_0000003.hdf5: its SHA-256 is not the manifest's" ]
    rm "$dir/set/MANIFEST" # a foreign set: shown all the same
    run "$data" show "$dir/set"
    [[ "$output" == *"9 samples of N-body cubes"*"none: the data were not generated here"* ]]
    run "$data" tea
    [ "$status" -eq 2 ]
    run "$data" show "$dir/none"
    [ "$status" -eq 3 ]
}

@test "a generator ends with the process that started it" {
    "$generate" cosmoflow,class=tiny --parent 1 --out "$dir/none" 2>"$dir/talk" && false
    grep -q "process 1 (--parent) is not the one that started this" "$dir/talk"
    [ ! -e "$dir/none.partial" ]
    bash -c '"$1" cosmoflow,class=tiny --parent $$ --out "$2" 2>/dev/null & echo $! >"$2.pid"; wait' - \
        "$generate" "$dir/set" &
    parent=$!
    await 5 has_cubes
    child=$(cat "$dir/set.pid")
    kill -9 $parent
    wait $parent || true
    await_end 5 "$child"
    [ ! -e "$dir/set" ]
}

@test "hpcai500 data check says what a folder and a file are" {
    make_set set
    run "$data" check "$dir/set/"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "$dir/set: N-body cubes, layout 'cut', generated, class tiny, seed 1" ]
    [[ "${lines[1]}" == "  train: 9 samples in 9 files, "* ]]
    [[ "${lines[2]}" == "    x           'x': int16 32 x 32 x 32 x 4, chunks 32 x 32 x 32 x 4, deflate 1 (2."* ]]
    [ "${lines[3]}" = "                0 to 214, mean 8" ]
    [ "${lines[${#lines[@]} - 1]}" = "  for: cosmoflow,class=tiny (9 samples to train on), cosmoflow,class=small (9 samples to train on)" ]
    run "$data" check --quick "$dir/set/train/cube_0000000.hdf5"
    [ "$status" -eq 0 ]
    [[ "$output" != *mean* ]]
    [ "${lines[${#lines[@]} - 1]}" = "  for: cosmoflow,class=tiny (1 sample), cosmoflow,class=small (1 sample)" ]
    echo tea >"$dir/tea"
    truncate -s -10 "$dir/set/train/cube_0000004.hdf5"
    rm "$dir/set/validation/cube_0000003.hdf5"
    run "$data" check "$dir/tea" "$dir/set"
    [ "$status" -eq 1 ]
    [ "${lines[0]}" = "$dir/tea: nothing that can be read" ]
    [[ "${lines[1]}" == "  WRONG: $dir/tea: not an HDF5 file"* ]]
    [[ "${lines[3]}" == "  WRONG: $dir/set/train/cube_0000004.hdf5: "*" bytes, expected "*"; and 2 more problems" ]]
    run "$data" check "$dir/none"
    [ "$status" -eq 3 ]
    [ "$output" = "hpcai500 data: $dir/none: No such file or directory" ]
    for args in "" --tea; do
        run "$data" check $args
        [ "$status" -eq 2 ]
    done
    status=0
    "$data" check "$dir/tea" >/dev/full 2>"$dir/err" || status=$?
    [ "$status" -eq 3 ]
}

@test "hpcai500 data check --json has a fixed shape" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    make_set set
    "$generate" cosmoflow,class=tiny $few --layout raw -o "$dir/raw" 2>/dev/null
    echo tea >"$dir/tea"
    run "$data" check --json "$dir/set" "$dir/raw/train/cube_0000000.hdf5" "$dir/tea"
    [[ "$output" != *"built without cJSON"* ]] || skip "built without cJSON (libcjson-dev)"
    [ "$status" -eq 1 ]
    echo "$output" >"$dir/json"
    python3 - "$dir/json" <<'END'
import json, sys
made, raw, tea = json.load(open(sys.argv[1]))
keys = ["path", "good", "science", "layout", "made", "parts", "use", "slow", "problems", "problem", "tried"]
for one in made, raw, tea:
    assert list(one) == keys, list(one)
assert (made["good"], raw["good"], tea["good"]) == (True, True, False)
assert made["made"] == "generated, class tiny, seed 1" and raw["made"] is None
assert [p["split"] for p in made["parts"]] == ["train", "validation"]
x, y = made["parts"][0]["fields"]
assert list(x) == ["name", "datasets", "type", "dims", "chunk", "filters", "stored_bytes", "plain_bytes",
                   "values", "least", "greatest", "mean", "balance", "not_finite", "out_of_range",
                   "fractions", "first_wrong"]
assert x["plain_bytes"] == 9 * 32**3 * 4 * 2 and x["values"] == 9 * 32**3 * 4 and x["greatest"] == 214
assert y["chunk"] is None and y["balance"] is None and y["first_wrong"] is None
assert raw["layout"] == "raw" and raw["parts"][0]["split"] is None
assert raw["use"][0] == {"workload": "cosmoflow", "class": "tiny", "samples": 8}
assert len(raw["slow"]) == 1 and "1/8 of the chunks" in raw["slow"][0]
assert tea["science"] is None and tea["parts"] == [] and tea["problems"] == 1
END
}
