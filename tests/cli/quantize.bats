#!/usr/bin/env bats
# quantize: models in eight bits.
load common

# On the engine that opens models soonest, as each layer is a model to open, in one thread: more would spin.
quantize() {
    "$LANERT" quantize --engine "$ENGINE" --threads 1 "$@"
}

setup_file() {
    make_model
    export FRAMES="synthetic:frames=3,size=640x360"
    if [ -n "$ENGINE" ]; then
        export INT8=$BATS_FILE_TMPDIR/int8.onnx
        quantize "$MODEL" -o "$INT8" --calib "$FRAMES" --sensitivity 1 -q >"$BATS_FILE_TMPDIR/table"
    fi
}

engines() {
    machine | jq -r '.engines[] | select(.usable) | .name'
}

@test "a model in eight bits is smaller, says what it is, and runs on every engine" {
    need_engine
    [ "$(stat -c %s "$INT8")" -lt $(($(stat -c %s "$MODEL") * 2 / 3)) ]
    "$LANERT" inspect "$INT8" | jq -e --arg sha "$(sha256sum <"$MODEL" | cut -d' ' -f1)" '.arch == "resnet18" and
        (.metadata | .["lanert.precision"] == "int8" and .["lanert.preset"] == "culane" and
        .["lanert.int8.model_sha256"] == $sha and .["lanert.int8.method"] == "minmax" and
        .["lanert.int8.samples"] == "3" and .["lanert.int8.sources"] == "1" and .["lanert.int8.values"] == "uint8" and
        .["lanert.int8.weights"] == "per-channel")'
    for engine in $(engines); do
        "$LANERT" detect "$FRAMES" -m "$INT8" --engine "$engine" -o - --format jsonl -q | jq -es 'length == 3'
    done
}

@test "its lanes are about those of the model that it was made of" {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    detect "$FRAMES" -o was.jsonl -q
    detect "$FRAMES" -m "$INT8" -o is.jsonl -q
    jq -s 'map(.lanes | length) | add' was.jsonl >was
    [ "$(cat was)" -gt 3 ]
    [ "$(cat was)" = "$(jq -s 'map(.lanes | length) | add' is.jsonl)" ]
}

@test "the table has a line for each layer" {
    need_engine
    table=$BATS_FILE_TMPDIR/table
    head -1 "$table" | grep -q 'SNR dB'
    [ "$(grep -c 'Conv .*int8' "$table")" -gt 20 ]
    grep -q 'fp32, small' "$table"
    # Each layer in eight bits was measured alone, and none is as bad as a layer that stays in fp32 for it.
    awk '$NF == "int8" && $(NF-4) !~ /^[0-9.]+$/ || $NF == "int8" && $(NF-4) < 30 { bad = 1 } END { exit bad }' "$table"
    awk '$NF == "sensitive" && $(NF-5) >= 30 { bad = 1 } END { exit bad }' "$table"
    tail -1 "$table" | grep -q 'all in int8'
}

@test "layers stay in fp32 where they are asked to" {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    quantize "$MODEL" -o a.onnx --calib "$FRAMES" --keep-float 'stem/*' --keep-float 'head*' --sensitivity 0 -q >table
    [ -z "$(awk '$NF == "int8" && $(NF-4) != "-"' table)" ]
    [ "$(grep -c 'fp32, as asked' table)" -gt 10 ]
    run ! grep '^head.*int8' table
    fails 2 "no layer has a name like 'stemm*'" "$LANERT" quantize "$MODEL" -o b.onnx --calib "$FRAMES" --keep-float 'stemm*'
    fails 2 "no layer is left" "$LANERT" quantize "$MODEL" -o b.onnx --calib "$FRAMES" --keep-float '*'
    [ ! -e b.onnx ]
}

@test "methods, values and weights" {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    mkdir pictures
    detect "$FRAMES" -o pictures --format pictures -q
    for method in percentile entropy mse; do
        quantize "$MODEL" -o $method.onnx --method $method --values int8 --per-tensor --samples 2 --sensitivity 0 \
            --calib pictures "$FRAMES" -q
        "$LANERT" inspect $method.onnx | jq -e --arg m $method '.metadata | .["lanert.int8.method"] == $m and
            .["lanert.int8.values"] == "int8" and .["lanert.int8.weights"] == "per-tensor" and
            .["lanert.int8.samples"] == "2" and .["lanert.int8.sources"] == "2"'
        detect "$FRAMES" -m $method.onnx -q
    done
}

@test "wrong usage" {
    fails 2 "no model was named" "$LANERT" quantize -o a.onnx
    fails 2 "-o OUT.onnx is missing" "$LANERT" quantize "$MODEL" --calib "$FRAMES"
    fails 2 "--calib is missing" "$LANERT" quantize "$MODEL" -o a.onnx
    fails 2 "--method is 'max'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --method max
    fails 2 "--samples is '0'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --samples 0
    fails 2 "--sensitivity is '-1'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --sensitivity=-1
    fails 2 "--values is 'int4'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --values int4
    fails 2 "--max-drop needs --val" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --max-drop 0.01
    fails 2 "--max-drop is '1.5'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --val . --max-drop 1.5
    fails 2 "--val needs --sensitivity" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --val . --sensitivity 0
    fails 2 "labels beside them" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --val "$FRAMES"
    fails 2 "--val is 'drive.mp4'" "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --val . drive.mp4
    fails 2 "is the model itself" "$LANERT" quantize "$MODEL" -o "$MODEL" --calib "$FRAMES" --force
}

@test "what is no fp32 model of ours is refused, with no file left" {
    cd "$BATS_TEST_TMPDIR"
    "$LANERT" convert "$CHECKPOINT" -o half.onnx --preset culane --precision fp16 -q
    "$LANERT" convert "$CHECKPOINT" -o lanes.onnx --preset culane --outputs lanes -q
    head -c 5000 "$MODEL" >cut.onnx
    fails 3 "quantise the fp32 model" "$LANERT" quantize half.onnx -o out.onnx --calib "$FRAMES"
    fails 3 "--outputs raw" "$LANERT" quantize lanes.onnx -o out.onnx --calib "$FRAMES"
    fails 3 "cut.onnx" "$LANERT" quantize cut.onnx -o out.onnx --calib "$FRAMES"
    fails 3 "'lanert convert'" "$LANERT" quantize "$BATS_TEST_DIRNAME/../fuzz/corpus/onnx/plain.onnx" -o out.onnx --calib "$FRAMES"
    fails 3 "a zip file" "$LANERT" quantize "$CHECKPOINT" -o out.onnx --calib "$FRAMES"
    fails 4 "none.onnx" "$LANERT" quantize none.onnx -o out.onnx --calib "$FRAMES"
    fails 4 "is a folder" "$LANERT" quantize . -o out.onnx --calib "$FRAMES"
    fails 1 "its folder is not there" "$LANERT" quantize "$MODEL" -o no/a.onnx --calib "$FRAMES"
    [ -z "$INT8" ] || fails 3 "eight bits already" "$LANERT" quantize "$INT8" -o out.onnx --calib "$FRAMES"
    [ -z "$(find . -name '*out*')" ]
}

@test "sources and engines that are not there, and a file that is" {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    mkdir empty
    echo "no picture" >bad.jpg
    echo kept >there.onnx
    fails 4 "none.mp4" "$LANERT" quantize "$MODEL" -o out.onnx --calib none.mp4
    fails 4 "bad.jpg" "$LANERT" quantize "$MODEL" -o out.onnx --calib bad.jpg
    fails 2 "there is no engine" "$LANERT" quantize "$MODEL" -o out.onnx --calib "$FRAMES" --engine none
    fails 1 "--force overwrites it" "$LANERT" quantize "$MODEL" -o there.onnx --calib "$FRAMES"
    [ "$(cat there.onnx)" = kept ]
    [ -z "$(find . -name '*out*')" ]
}

@test "an interruption leaves nothing" {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    "$LANERT" quantize "$MODEL" -o out.onnx --calib "synthetic:frames=1000,size=640x360" --samples 200 \
        --engine "$ENGINE" --threads 1 2>words &
    sleep 1
    kill -INT $!
    status=0
    wait $! || status=$?
    [ "$status" = 1 ]
    grep -q interrupted words
    [ -z "$(ls -A | grep -v words)" ]
}

# ---- --val and --max-drop ----

# N pictures in `labelled`, with the lanes beside them that the model itself finds there in fp32: its F1 is 100.
make_labelled() {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    detect "synthetic:frames=$1,size=820x295" -o drawn/ --format pictures -q
    mv drawn/synthetic labelled
    detect labelled -o labelled --format culane --precision fp32 --force -q
    QUANTIZE=("$LANERT" quantize "$MODEL" -o "$PWD/out.onnx" --engine "$ENGINE" --threads 1 --samples 2 --sensitivity 1 -q)
}

@test "the F1 of labelled pictures is measured before and after" {
    make_labelled 3
    "${QUANTIZE[@]}" --calib "$FRAMES" --val labelled --max-drop 1 >table
    head -1 table | grep -Eq '^fp32: F1@0.5 100.00, of [1-9][0-9]* labelled lanes in 3 pictures$'
    grep -Eq '^round 1: [0-9]+ of [0-9]+ layers in int8, F1@0.5 [0-9.]+, drop [0-9.]+$' table
    # The model that was judged is the model that is written.
    detect labelled -m out.onnx -o lanes --format culane -q
    f1=$("$LANERT" val --dataset culane --root labelled --predictions lanes --json | jq '.f1 * 100')
    awk -v f1="$f1" '/^round 1/ { exit !(f1 - $10 < 0.006 && $10 - f1 < 0.006) }' table
}

@test "lists of labelled pictures, and several sources, are one set" {
    make_labelled 3
    cd labelled
    printf '%s\n' *.jpg | head -1 >part.txt
    "${QUANTIZE[@]}" --calib "$FRAMES" --val part.txt ../labelled/part.txt . >table
    grep -q 'in 5 pictures' table
}

# A black picture tells nothing of the values on roads: no layer is sensitive on it, and all are wrong on them, which this
# model's lanes show.
@test "a drop that cannot be avoided has status 5, and nothing is written" {
    ! sanitized || skip "nearly all of its time is the engine's, and the plain build runs it"
    "$LANERT_BUILD/made_checkpoint" "$BATS_TEST_TMPDIR/moved.pth" --width 8 --move 150
    MODEL=$BATS_TEST_TMPDIR/moved.onnx
    "$LANERT" convert "$BATS_TEST_TMPDIR/moved.pth" -o "$MODEL" --preset culane -q
    make_labelled 3
    base64 -d <<<'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADElEQVR42mNgoA4AAABIAAEQRe/SAAAAAElFTkSuQmCC' >black.png
    fails 5 "--max-drop 0.01 is not reached: the best of" "${QUANTIZE[@]}" --calib black.png --val labelled --max-drop 0.01
    [[ $stderr == *"points below the 100.00 of fp32; nothing was written"* ]]
    [ "$(grep -c '^round ' <<<"$output")" -ge 4 ]
    # Every layer that goes back had the lowest ratio of those that were left, and they are half of all at most.
    first=$(awk '/^round 1/ { print $3 }' <<<"$output")
    back=$(grep -c 'fp32, for the F1' <<<"$output")
    [ "$back" -gt 0 ] && [ $((2 * back)) -le "$first" ] && [ $((2 * back + 2)) -gt "$first" ]
    awk '/fp32, for the F1/ { for (i = 1; i <= NF; i++) if ($i == "fp32,") snr = $(i - 4) + 0
                              bad = bad || snr < last; last = snr } END { exit bad }' <<<"$output"
    [ ! -e out.onnx ]
}

@test "labels that are missing, damaged, or of something else are told before anything is calibrated" {
    make_labelled 2
    mkdir empty
    fails 4 "empty: neither list/test.txt nor any .lines.txt" "${QUANTIZE[@]}" --calib "$FRAMES" --val empty
    fails 4 "none.txt" "${QUANTIZE[@]}" --calib "$FRAMES" --val none.txt
    for label in labelled/*.lines.txt; do echo "1 580 1 570 1 560 1 550" >"$label"; done
    fails 4 "finds none of its 2 labelled lanes" "${QUANTIZE[@]}" --calib "$FRAMES" --val labelled
    echo "1 2 3" >"$label"
    fails 4 "$label:1" "${QUANTIZE[@]}" --calib "$FRAMES" --val labelled
    rm labelled/00000.jpg
    fails 4 "labelled/00000.jpg" "${QUANTIZE[@]}" --calib "$FRAMES" --val labelled
    [ -z "$output" ] && [ ! -e out.onnx ]
}

@test "an interruption while labelled pictures are looked at leaves nothing" {
    make_labelled 2
    for ((i = 0; i < 2000; i++)); do echo 00000.jpg; done >labelled/many.txt
    "${QUANTIZE[@]}" --calib "$FRAMES" --val labelled/many.txt >table 2>words &
    interrupt $! 1
    status=0
    wait $! || status=$?
    [ "$status" = 1 ] && [ ! -s table ]
    [ "$(cat words)" = "lanert quantize: interrupted: nothing was written" ]
    [ -z "$(find . -name '*out*')" ]
}

@test "what computes a model with int8 values on a processor says what that costs" {
    ! sanitized || skip "nearly all of its time is the engine's, and the plain build runs it"
    need_engine
    cd "$BATS_TEST_TMPDIR"
    words="its values are int8, for TensorRT"
    "$LANERT" quantize "$MODEL" -o int8.onnx --values int8 --samples 1 --sensitivity 0 --calib "$FRAMES" -q
    for model in int8.onnx "$INT8"; do
        expected=$([ $model = int8.onnx ] && echo 1 || echo 0)
        [ "$("$LANERT" doctor -m "$model" | grep -c "$words")" = "$expected" ]
        [ "$("$LANERT" detect "$FRAMES" -m "$model" -v 2>&1 | grep -c "$words")" = "$expected" ]
        [ "$("$LANERT" bench -m "$model" --engine "$ENGINE" --source "$FRAMES" --frames 2 --rounds 1 -q |
            grep -c "$words")" = "$expected" ]
    done
}
