#!/usr/bin/env bats
# --device: without a driver, and on a GPU that is played.
load common

setup_file() {
    make_model
}

setup() {
    PLAYED=$LANERT_BUILD/tests/played
    [ -e "$PLAYED/onnxruntime" ] || skip "ONNX Runtime is not here"
    cd "$BATS_TEST_TMPDIR"
}

need_no_driver() {
    machine | jq -e '.gpus[0].usable | not' >/dev/null || skip "this machine has a GPU"
}

@test "doctor says what the GPU is, or why there is none" {
    export LANERT_ENGINES=$PLAYED
    machine | jq -e '.gpus == [{"name": "cuda:0", "usable": true, "model": "Played GPU 0", "capability": "8.9",
        "driver": "13.2", "memory_gb": 8.0, "note": ""}] and
        (.engines[] | select(.name == "onnxruntime") | .devices == "cpu, cuda, tensorrt")'
    [[ $("$LANERT" doctor -m none) == *"cuda:0       Played GPU 0, 8.0 GB of memory, compute capability 8.9; driver for CUDA 13.2"* ]]
    unset LANERT_ENGINES
    need_no_driver
    machine | jq -e '.gpus | length == 1 and (.[0].note | test("driver"))'
    machine | jq -e '.engines[] | select(.name == "onnxruntime") | .devices == "cpu"'
}

@test "a stub of the driver, as CUDA's toolkit has it, is not taken for it" {
    mkdir path
    ln -s "$LANERT_BUILD/liblanert.so" path/libcuda.so
    ln -s "$PLAYED/cuda/libcuda.so.1" path/libcuda.so.1
    LD_LIBRARY_PATH=$PWD/path machine | jq -e '.gpus[0].usable'
}

@test "a GPU gives the lanes that the processor gives" {
    "$LANERT" detect synthetic:frames=5,size=640x360 -m "$MODEL" --engine onnxruntime -o cpu.jsonl -q
    export LANERT_ENGINES=$PLAYED XDG_CACHE_HOME=$PWD/cache
    for device in cuda cuda:0 tensorrt auto; do
        "$LANERT" detect synthetic:frames=5,size=640x360 -m "$MODEL" --engine onnxruntime --device $device --batch 2 \
            -o gpu.jsonl -q --force --json >summary.json
        jq -e '.device | test("^(cuda|tensorrt):0$")' summary.json
        diff <(jq -c .lanes cpu.jsonl) <(jq -c .lanes gpu.jsonl)
    done
    [ "$(stat -c %a cache/lanert)" = 700 ]
    # auto as the engine too: the first that computes there.
    "$LANERT" detect synthetic:frames=1 -m "$MODEL" --device cuda --json | jq -e '.engine == "onnxruntime"'
    fails 3 "openvino does not compute on cuda:0" "$LANERT" detect synthetic:frames=1 -m "$MODEL" --engine openvino --device cuda
    fails 3 "there is no GPU 1" "$LANERT" detect synthetic:frames=1 -m "$MODEL" --device cuda:1
}

@test "without a driver a GPU that is asked for is an error, and auto falls back" {
    need_no_driver
    fails 3 "install NVIDIA's driver" "$LANERT" detect synthetic:frames=1 -m "$MODEL" --device cuda
    fails 3 "install NVIDIA's driver" "$LANERT" detect synthetic:frames=1 -m "$MODEL" --engine onnxruntime --device cuda
    fails 2 'no device "gpu"' "$LANERT" detect synthetic:frames=1 -m "$MODEL" --device gpu
    "$LANERT" detect synthetic:frames=1 -m "$MODEL" --engine onnxruntime --device auto --json | jq -e '.device == "cpu"'
    run --separate-stderr "$LANERT" detect synthetic:frames=1 -m "$MODEL" --device auto --json
    jq -e '.device == "cpu"' <<<"$output"
    [ "$(grep -c "install NVIDIA's driver.*; the processor computes instead" <<<"$stderr")" = 1 ]
}

@test "bench has a row for each device" {
    export LANERT_ENGINES=$PLAYED
    "$LANERT" bench -m "$MODEL" --engine onnxruntime --device cpu,cuda --frames 2 --rounds 1 --warmup 1 -q --json \
        --source synthetic:size=320x180,frames=2 >report.json
    jq -e '[.rows[].device] == ["cpu", "cuda:0"] and all(.rows[]; .error == null)' report.json
    # An older report does not say; it was the processor.
    jq 'del(.rows[].device) | .rows |= .[:1]' report.json >old.json
    "$LANERT" bench -m "$MODEL" --engine onnxruntime --device cpu,cuda --frames 2 --rounds 1 --warmup 1 -q --json \
        --source synthetic:size=320x180,frames=2 --compare old.json --max-slowdown 100000 >both.json
    jq -e '.comparison.matched == 1 and .comparison.rows[0].device == "cpu"' both.json
}

@test "build makes an engine that is a model everywhere" {
    "$LANERT" detect synthetic:frames=2,size=320x180 -m "$MODEL" --engine onnxruntime -o cpu.jsonl -q
    LANERT_ENGINES=$PLAYED "$LANERT" build "$MODEL" -o made.engine --max-batch 2 -q
    "$LANERT" inspect made.engine | jq -e '.kind == "lanert model" and .engine.gpu == "Played GPU 0" and .engine.max_batch == 2'
    LANERT_ENGINES=$PLAYED "$LANERT" detect synthetic:frames=2,size=320x180 -m made.engine -o gpu.jsonl -q --json >summary.json
    jq -e '.engine == "tensorrt" and .device == "cuda:0"' summary.json
    diff <(jq -c .lanes cpu.jsonl) <(jq -c .lanes gpu.jsonl)
    # Another batch has it built anew, which is told, once.
    export XDG_CACHE_HOME=$PWD/cache
    for words in "asked for are 3; building for Played GPU 0" ""; do
        LANERT_ENGINES=$PLAYED run --separate-stderr "$LANERT" detect synthetic:frames=1 -m made.engine --batch 3
        [ "$status" = 0 ] && [[ $stderr == *"$words"* ]]
    done
    [[ $stderr != *building* ]]
    need_no_driver
    run --separate-stderr "$LANERT" detect synthetic:frames=1 -m made.engine --json
    [ "$status" = 0 ] && [[ $stderr == *"the processor computes instead"* ]]
    jq -e '.device == "cpu"' <<<"$output"
    fails 3 "tensorrt" "$LANERT" detect synthetic:frames=1 -m made.engine --engine tensorrt
}

# Of the script for machines with a GPU; without goldens, which take minutes.
check() {
    LANERT_SHARED=none run "$BATS_TEST_DIRNAME/../../scripts/gpu_check.sh" -c "$CHECKPOINT" -n 1 check
}

@test "gpu_check.sh ends with 77 where there is no GPU" {
    need_no_driver
    check
    [ "$status" = 77 ] && [[ $output == "no GPU that can be used: "*"install NVIDIA's driver"* ]]
    [ "$(cat check/table.txt)" = "$output" ]
}

@test "gpu_check.sh goes through all of it, tells what fails, and goes on" {
    sanitized && skip "the script is tested here"
    export LANERT_ENGINES=$PLAYED XDG_CACHE_HOME=$PWD/cache
    mkdir -p cache/lanert && chmod 777 cache/lanert # not to be trusted, so that the TensorRT provider is refused
    check
    [ "$status" = 1 ]
    [ "$(grep -c '^FAILED   lanes of onnxruntime-tensorrt' <<<"$output")" = 3 ]
    [ "$(grep -c '^FAILED' <<<"$output")" = 4 ]
    [ "$(grep -c "^ok       the same as the processor's" <<<"$output")" = 6 ]
    [[ $output == *"FAILED   speed of ONNX Runtime"*"ok       speed of TensorRT"* ]]
    [ "$(grep -cE '^(fp32|fp16|nms|int8)[.](onnx|engine) +(onnxruntime|tensorrt) +(cpu|cuda:0) .* [0-9.]+ +[0-9.]+ +[0-9.]+$' check/table.txt)" = 10 ]
    [ "$(grep -cE '[.]onnx +onnxruntime +tensorrt +failed +' check/table.txt)" = 3 ]
}

@test "build refuses what it cannot do" {
    fails 2 "no model" "$LANERT" build
    fails 2 "-o MODEL.engine is missing" "$LANERT" build x.onnx
    fails 2 "ends in .engine" "$LANERT" build "$MODEL" -o x.onnx
    fails 2 "--precision is 'bf16'" "$LANERT" build "$MODEL" -o x.engine --precision bf16
    fails 2 "batches are 2, 2 and 1" "$LANERT" build "$MODEL" -o x.engine --min-batch 2 --max-batch 1
    fails 4 "none.onnx" "$LANERT" build none.onnx -o x.engine
    export LANERT_ENGINES=$PLAYED
    fails 3 "precision" "$LANERT" build "$MODEL" -o x.engine --precision fp16
    fails 3 "there is no GPU 1" "$LANERT" build "$MODEL" -o x.engine --device cuda:1
    fails 3 "no whole ONNX model" "$LANERT" build "$CHECKPOINT" -o x.engine
    [ ! -e x.engine ]
    "$LANERT" build "$MODEL" -o x.engine -q
    fails 1 "is there already" "$LANERT" build "$MODEL" -o x.engine
    "$LANERT" build "$MODEL" -o x.engine -q --force
}
