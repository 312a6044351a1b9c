#!/usr/bin/env bash
# Checks lanert on this machine's NVIDIA GPU: builds it, holds the GPU's lanes to the processor's, and measures. A step
# that fails is told, and the others go on. FOLDER then has log, table.txt, doctor.txt, and all lanes and reports.
#
# usage: scripts/gpu_check.sh [-c CHECKPOINT.pth] [-n FRAMES] [FOLDER]
#   -c      a CLRNet checkpoint for CULane; else a ResNet18 of made weights
#   -n      drawn frames to compare, and to measure in each row (200)
#   FOLDER  build/gpu-check where none is named
# LANERT names a program that is built already: nothing is built or fetched then. LANERT_ENGINES names the folder of ONNX
# Runtime for GPUs, and of TensorRT where the loader does not find it; else scripts/deps.sh cuda fetches the former.
# TENSORRT_ROOT and CUDA_PATH are the folders whose include/ has TensorRT's and CUDA's headers, where the system has not.
#
# exit status: 0 all is well, 1 a step failed, 2 wrong usage, 77 there is no GPU that can be used
# shellcheck disable=SC2317 # same and bench are called through step
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
checkpoint='' frames=200 failed=0 engines=()
while getopts c:n: option; do
    case $option in
    c) checkpoint=$(realpath "$OPTARG") ;;
    n) frames=$OPTARG ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))
program=$(realpath -m "${LANERT:-$root/build/lanert}")
build=$(dirname "$program")
out=$(realpath -m "${1:-$root/build/gpu-check}")
mkdir -p "$out" && cd "$out" || exit 1
: | tee log >table.txt

say() { echo "$*" | tee -a table.txt; }

# step NAME COMMAND...: 77 is no failure.
step() {
    local status=0
    echo "== $1: ${*:2}" >>log
    "${@:2}" >>log 2>&1 || status=$?
    case $status in
    0) say "ok       $1" ;;
    77) say "skipped  $1" ;;
    *) failed=1 && say "FAILED   $1 (status $status; see $out/log)" ;;
    esac
    return $status
}

# A GPU that hangs ends a step alone.
lanert() { timeout 30m "$program" "$@"; }

# note NAME: what doctor says of an engine or device that cannot be used.
note() { grep -A1 "^$1" doctor.txt | sed -n '2s/^ *//p'; }

# lanes NAME MODEL OPTION...: those of drawn frames.
lanes() {
    step "lanes of $1" lanert detect "synthetic:frames=$frames,size=1640x590" -m "$2" -o "$1" --format culane --force -q "${@:3}"
}

# same NAME: the processor's lanes, none lost, gained, or moved by more than 2 of 1640 pixels.
same() {
    lanert val --compare cpu "$1" --json >"$1.json" && cat "$1.json" &&
        jq -e '.distance | .matched > 0 and .lost == 0 and .gained == 0 and .largest_px <= 2' "$1.json"
}

# bench NAME OPTION...: a report, of which no row failed.
bench() {
    lanert bench --frames "$frames" --warmup $((frames / 10)) --json -q "${@:2}" >"$1.json"
    cat "$1.json"
    jq -e '.rows | length > 0 and all(.error == null)' "$1.json"
}

# table REPORT...
table() {
    jq -rs '(["model", "engine", "device", "precision", "p50 ms", "p99 ms", "frames/s"] | @tsv),
        (.[].rows[] | [.model, .engine, .device] + if .error then ["failed", .error] else [.precision_used] +
        (.steady.latency_ms | [.p50, .p99] | map(. * 1000 | round / 1000)) + [.pipeline.fps * 10 | round / 10] end | @tsv)' "$@" |
        awk -F '\t' '{ printf "%-14s %-12s %-11s %-9s %9s %9s %9s\n", $1, $2, $3, $4, $5, $6, $7 }' | tee -a table.txt
}

if [ -z "${LANERT:-}" ]; then
    step "installing" "$root/scripts/deps.sh" test || exit 1
    step "building" "$root/scripts/build.sh" -DLANERT_TESTS=ON || exit 1
    [ -n "${LANERT_ENGINES:-}" ] || step "fetching ONNX Runtime for GPUs" "$root/scripts/deps.sh" cuda
    export LANERT_ENGINES=${LANERT_ENGINES:-$root/.deps/cuda}
fi
lanert doctor >doctor.txt 2>>log
if ! grep -q '^cuda:0 .* memory' doctor.txt; then
    say "no GPU that can be used: $(note cuda:0)"
    exit 77
fi
say "$(head -n 1 doctor.txt), $(date -u +%F); $(grep '^cuda:0' doctor.txt | tr -s ' ')"

# In float32; in float16; with the NMS in the graph; and in eight bits, as TensorRT wants them.
if [ -z "$checkpoint" ]; then
    checkpoint=made.pth
    step "a ResNet18 of made weights" "$build/made_checkpoint" made.pth
fi
step "model fp32" lanert convert "$checkpoint" -o fp32.onnx --preset culane --force -q
step "model fp16" lanert convert "$checkpoint" -o fp16.onnx --preset culane --precision fp16 --force -q
step "model nms" lanert convert "$checkpoint" -o nms.onnx --preset culane --outputs lanes --force -q
step "model int8" lanert quantize fp32.onnx -o int8.onnx --calib synthetic:frames=16,size=1640x590 --values int8 \
    --sensitivity 0 --force -q

lanes cpu fp32.onnx --engine onnxruntime --device cpu --precision fp32
for device in cuda tensorrt; do
    for model in fp32 fp16 nms; do
        lanes "onnxruntime-$device-$model" $model.onnx --engine onnxruntime --device $device &&
            step "the same as the processor's" same "onnxruntime-$device-$model"
    done
done
if grep -q '^tensorrt *usable' doctor.txt; then
    for model in fp32 fp16 nms int8; do
        step "engine $model" lanert build $model.onnx -o $model.engine --timing-cache timing --force -q || continue
        engines+=(-m "$model.engine")
        lanes tensorrt-$model $model.engine --engine tensorrt || continue
        [ $model = int8 ] || step "the same as the processor's" same tensorrt-$model
    done
else
    say "skipped  TensorRT: $(note tensorrt)"
fi
step "goldens of the reference" timeout 30m "$build/tests/test_golden" "$build/checkpoints" onnxruntime cuda
if command -v compute-sanitizer >>log; then
    for tool in memcheck initcheck racecheck; do
        step "compute-sanitizer $tool" timeout 30m compute-sanitizer --tool $tool --error-exitcode 1 "$program" detect \
            synthetic:frames=3 -m fp32.onnx --engine onnxruntime --device cuda -q
    done
else
    say "skipped  compute-sanitizer: it is not installed"
fi

step "speed of ONNX Runtime" bench bench-onnxruntime -m fp32.onnx -m fp16.onnx -m nms.onnx --engine onnxruntime \
    --device cpu,cuda,tensorrt
[ ${#engines[@]} = 0 ] ||
    step "speed of TensorRT" bench bench-tensorrt "${engines[@]}" --engine tensorrt --device cuda
table bench-*.json
exit $failed
