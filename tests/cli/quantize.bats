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
    "$LANERT" quantize "$MODEL" -o a.onnx --calib "$FRAMES" --keep-float 'stem/*' --keep-float 'head*' \
        --sensitivity 0 -q >table
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
