#!/usr/bin/env bats
# convert and inspect, on good and bad checkpoints.
load common

setup_file() {
    make_model
}

@test "inspect tells a checkpoint and a model" {
    "$LANERT" inspect "$CHECKPOINT" | jq -e '.kind == "checkpoint" and .arch == "resnet18"'
    "$LANERT" inspect "$MODEL" | jq -e '.kind == "lanert model" and .metadata["lanert.preset"] == "culane"'
    fails 4 "no-such-file" "$LANERT" inspect no-such-file
    fails 3 "" "$LANERT" inspect "$BATS_TEST_FILENAME"
}

@test "the same checkpoint gives the same bytes" {
    "$LANERT" convert "$CHECKPOINT" -o "$BATS_TEST_TMPDIR/again.onnx" --preset culane -q
    cmp "$MODEL" "$BATS_TEST_TMPDIR/again.onnx"
}

@test "presets, precisions and outputs" {
    for preset in culane tusimple llamas; do
        for precision in fp32 fp16; do
            for outputs in lanes raw both; do
                out=$BATS_TEST_TMPDIR/$preset-$precision-$outputs.onnx
                "$LANERT" convert "$CHECKPOINT" -o "$out" --preset $preset --precision $precision --outputs $outputs -q
                "$LANERT" inspect "$out" | jq -e --arg p $preset --arg q $precision --arg o $outputs \
                    '.metadata | .["lanert.preset"] == $p and .["lanert.precision"] == $q and .["lanert.outputs"] == $o'
            done
        done
    done
}

@test "a model that is there is not overwritten without --force" {
    fails 1 "--force" "$LANERT" convert "$CHECKPOINT" -o "$MODEL" --preset culane
    "$LANERT" convert "$CHECKPOINT" -o "$MODEL" --preset culane --force -q
}

@test "bad input is told, with no file left" {
    cd "$BATS_TEST_TMPDIR"
    : >empty.pth
    head -c 5000 "$CHECKPOINT" >cut.pth
    head -c $(($(stat -c %s "$CHECKPOINT") - 1000)) "$CHECKPOINT" >cut2.pth
    tar cf tarred.pth empty.pth
    gzip -k -c "$CHECKPOINT" >zipped.pth
    echo "<html>not found</html>" >page.pth
    for bad in empty cut cut2 tarred zipped page; do
        fails 3 "$bad.pth" "$LANERT" convert $bad.pth -o out.onnx --preset culane
        [ ! -e out.onnx ]
    done
    fails 4 "none.pth" "$LANERT" convert none.pth -o out.onnx --preset culane
    fails 2 "kitti" "$LANERT" convert "$CHECKPOINT" -o out.onnx --preset kitti
    fails 2 "expected one of: fp32, fp16" "$LANERT" convert "$CHECKPOINT" -o out.onnx --preset culane --precision bf16
    fails 1 "" "$LANERT" convert "$CHECKPOINT" -o /proc/out.onnx --preset culane
    fails 1 "is a folder" "$LANERT" convert "$CHECKPOINT" -o "$BATS_TEST_TMPDIR" --preset culane
    [ -z "$(find . -name '*.onnx*' -o -name '.*.onnx*')" ]
}

@test "a model goes to a file, in a folder that is there" {
    mkdir "$BATS_TEST_TMPDIR/in"
    cd "$BATS_TEST_TMPDIR/in"
    fails 2 "standard output" "$LANERT" convert "$CHECKPOINT" -o - --preset culane
    fails 1 "its folder is not there" "$LANERT" convert "$CHECKPOINT" -o no/where/x.onnx --preset culane
    [ -z "$(ls -A)" ]
    "$LANERT" convert "$CHECKPOINT" -o ./- --preset culane -q
    cmp "$MODEL" ./-
}

@test "a conversion that is killed leaves nothing, or the whole model" {
    mkdir "$BATS_TEST_TMPDIR/in"
    cd "$BATS_TEST_TMPDIR/in"
    for wait in 0.01 0.02 0.03 0.04 0.05 0.1; do
        "$LANERT" convert "$CHECKPOINT" -o out.onnx --preset culane -q &
        sleep $wait
        kill -KILL $! || true
        wait $! || true
        [ ! -e out.onnx ] || cmp "$MODEL" out.onnx # done before the signal came
        rm -f out.onnx
        [ -z "$(ls -A)" ] || { ls -A; false; }
    done
}

@test "convert and inspect say the same of what is no checkpoint" {
    cd "$BATS_TEST_TMPDIR"
    : >empty
    echo "hello" >text
    tar cf tar text
    gzip -c text >gz
    printf '\x80\4\x95' >pickle
    head -c 5000 "$CHECKPOINT" >cut
    for bad in empty text tar gz pickle cut . none; do
        run --separate-stderr "$LANERT" convert $bad -o out.onnx --preset culane
        converting="$status ${stderr/convert/inspect}"
        run --separate-stderr "$LANERT" inspect $bad
        [ "$status $stderr" = "$converting" ] || { echo "$bad: $converting; $status $stderr"; false; }
    done
    fails 4 "is a folder" "$LANERT" convert . -o out.onnx --preset culane
}

@test "flipped bits never go unnoticed and never crash" {
    cd "$BATS_TEST_TMPDIR"
    size=$(stat -c %s "$CHECKPOINT")
    for i in $(seq 1 40); do
        cp "$CHECKPOINT" flipped.pth
        at=$(((i * 7919 * 104729) % size))
        byte=$(od -An -tu1 -j $at -N 1 flipped.pth)
        printf "$(printf '\\x%02x' $((byte ^ (1 << (i % 8)))))" | dd of=flipped.pth bs=1 seek=$at conv=notrunc status=none
        run --separate-stderr timeout 20 "$LANERT" convert flipped.pth -o flipped.onnx --preset culane -q --force
        [ "$status" = 0 ] || [ "$status" = 3 ] || { echo "bit at $at: status $status, $stderr"; false; }
        [[ $stderr != *Sanitizer* ]]
        # A bit of a weight is caught by its record's checksum: what passes was padding, and changes no weight.
        if [ "$status" = 0 ]; then
            [ "$(stat -c %s flipped.onnx)" = "$(stat -c %s "$MODEL")" ]
            [ "$(cmp -l flipped.onnx "$MODEL" | wc -l)" -le 64 ] # the checkpoint's SHA-256 in the metadata
        fi
    done
}

@test "a full disk leaves nothing" {
    mkdir "$BATS_TEST_TMPDIR/full"
    cd "$BATS_TEST_TMPDIR/full"
    run --separate-stderr bash -c "ulimit -f 64; '$LANERT' convert '$CHECKPOINT' -o out.onnx --preset culane"
    [ "$status" = 1 ]
    [[ $stderr == *out.onnx* ]]
    [ -z "$(ls -A)" ]
}
