#!/usr/bin/env bash
# Who may include whom: rooms go upwards only, each third party's headers stay in the files that wrap it, and the program
# uses nothing of the library but lanert.h.
set -euo pipefail
cd "$(dirname "$0")/.."

declare -A may=(
    [base]="base"
    [model]="base model"
    [frame]="base frame"
    [engine]="base engine"
    [lane]="base model lane"
    [detect]="base model frame engine lane detect"
    [quant]="base model frame engine lane detect quant"
    [sink]="base model frame lane sink"
    [eval]="base model lane eval"
    [cli]="cli"
)
# header: the files that wrap it
declare -A wraps=(
    [libavutil/sha.h]="src/base/sha256.c"
    [zlib.h]="src/model/checkpoint_archive.c"
    [onnx/]="src/model/*"
    [jansson.h]="src/model/inspect* src/sink/sink_* src/eval/* src/cli/bench*"
    [onnxruntime_c_api.h]="src/engine/engine_onnxruntime*"
    [openvino/]="src/engine/engine_openvino*"
    [Nv]="src/engine/tensorrt_shim.cpp"
    [jpeglib.h]="src/frame/still* src/sink/*"
    [png.h]="src/frame/still* src/sink/*"
    [cairo]="src/sink/*"
    [libavcodec/]="src/frame/source_video.c src/frame/still* src/sink/*"
    [libavformat/]="src/frame/source_video.c src/frame/stream_facts.* src/frame/still* src/sink/*"
    [libavdevice/]="src/frame/source_video.c"
    [libswscale/]="src/frame/bgr.c src/sink/*"
)

status=0
complain() { echo "$1"; status=1; }

for room in "${!may[@]}"; do
    for file in src/"$room"/*.[ch] src/"$room"/*.cpp; do
        [ -e "$file" ] || continue
        while read -r header; do
            case $header in
            */*.h) from=${header%%/*} ;;
            *) complain "$file includes \"$header\": name it with its room"; continue ;;
            esac
            case " ${may[$room]} " in
            *" $from "*) ;;
            *) complain "$file includes \"$header\": $room may use ${may[$room]}" ;;
            esac
        done < <(sed -n 's/^ *# *include "\([^"]*\)".*/\1/p' "$file")
    done
done

for header in "${!wraps[@]}"; do
    while IFS=: read -r file _; do
        matched=
        for pattern in ${wraps[$header]}; do
            # shellcheck disable=SC2053
            [[ $file == $pattern ]] && matched=1
        done
        [ -n "$matched" ] || complain "$file includes <$header…>, which only ${wraps[$header]} may"
    done < <(grep -nE "# *include <$header" -r src include || true)
done

[ $status = 0 ] && echo "includes are as they should be"
exit $status
