#!/usr/bin/env bats
# detect: sources, outputs, ends good and bad.
load common

setup_file() {
    make_model
}

setup() {
    need_engine
    cd "$BATS_TEST_TMPDIR"
}

lines_of() {
    find "$1" -name '*.lines.txt' | wc -l
}

@test "a drawn road to every output at once" {
    run --separate-stderr detect synthetic:frames=12,size=640x360 \
        -o road.mp4 -o road.jsonl -o road.json -o culane --format culane -o llamas --format llamas -o pictures/
    [ "$status" = 0 ]
    [[ $stderr == *"12 frames"* ]]
    [ "$(wc -l <road.jsonl)" = 12 ]
    [ "$(jq -s 'map(.frame) == [range(12)]' road.jsonl)" = true ]
    jq -e '.width == 640 and .height == 360 and (.lanes | length > 0) and (.truth | length > 0)' <(head -1 road.jsonl)
    jq -e '.lanes[0] | .score > 0 and (.points[0] | length == 2)' <(head -1 road.jsonl)
    [ "$(wc -l <road.json)" -ge 11 ]
    [ "$(jq -s 'length' road.json)" = 12 ]
    [ "$(lines_of culane)" = 12 ] && [ "$(lines_of llamas)" = 12 ]
    [ "$(find pictures -name '*.jpg' | wc -l)" = 12 ]
    [ "$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 road.mp4)" = 12 ]
    [ "$(ffprobe -v error -show_entries stream=codec_name -of csv=p=0 road.mp4)" = h264 ]
}

@test "-v says what is written, and what encodes it" {
    run --separate-stderr detect synthetic:frames=2,size=160x90 -v -o a.mp4 -o b.jsonl
    [ "$status" = 0 ]
    [[ $stderr == *"writing a.mp4, encoded by libx264"$'\n'"writing b.jsonl"$'\n'* ]]
}

@test "engines leave nothing behind" {
    mkdir home tmp
    for engine in onnxruntime openvino; do
        usable $engine || continue
        HOME=$PWD/home TMPDIR=$PWD/tmp XDG_CACHE_HOME= detect synthetic:frames=1,size=160x90 --engine $engine -q
    done
    HOME=$PWD/home TMPDIR=$PWD/tmp XDG_CACHE_HOME= "$LANERT" doctor -m "$MODEL" >/dev/null
    [ -z "$(find home tmp -mindepth 1)" ] || { find home tmp; false; }
}

@test "without --model the bundled one finds the own lane of the demo's drive" {
    ! sanitized || skip "nearly all of its time is the engine's, and the plain build runs it"
    ffmpeg -v error -i "$BATS_TEST_DIRNAME/../../examples/drive.mp4" -vf 'select=not(mod(n\,40))' -vsync 0 %d.png
    run --separate-stderr "$LANERT" detect . -o lanes.jsonl -v
    [[ $stderr =~ \;\ (/.*/road.onnx)\ on\  ]]
    # A line to the left and one to the right of the middle, where the picture ends.
    jq -se 'length == 5 and all(.width as $w | [.lanes[].points | max_by(.[1])[0]] | min < $w / 2 and max > $w / 2)' lanes.jsonl
    [ "$("$LANERT" inspect "${BASH_REMATCH[1]}" | jq -r '.metadata["lanert.preset"]')" = road ]
}

@test "both engines and all outputs of convert give the same lanes" {
    for outputs in lanes raw both; do
        "$LANERT" convert "$CHECKPOINT" -o $outputs.onnx --preset culane --outputs $outputs -q
        for engine in onnxruntime openvino; do
            usable $engine || continue
            detect synthetic:frames=3,size=640x360 -m $outputs.onnx --engine $engine --precision fp32 -q \
                -o $outputs-$engine --format culane
            diff -r <(cd $outputs-$engine && sed 's/\.[0-9]*//g' -- */*.txt) \
                <(cd "$(ls -d ./*-*/ | head -1)" && sed 's/\.[0-9]*//g' -- */*.txt)
        done
    done
}

@test "a folder of pictures, its bad ones told and skipped" {
    detect synthetic:frames=3,size=320x180 -o drawn/ -q
    mkdir -p in/deep
    find drawn -name '*.jpg' -exec cp {} in/ \;
    cp "$(find in -name '*.jpg' | head -1)" in/deep/other.jpg
    head -c 2000 in/deep/other.jpg >in/truncated.jpg
    : >in/empty.jpg
    fails 4 "truncated.jpg" detect in -o out --format culane
    [[ $stderr == *empty.jpg* ]]
    [ "$(lines_of out)" = 4 ]
    [ -e out/deep/other.lines.txt ]
    # The same as JSON lines on standard output, by glob and by list.
    [ "$(detect 'in/deep/*.jpg' -o - -q | jq -r .file)" = other.jpg ]
    printf 'in/deep/other.jpg\r\n\r\nin/nowhere.jpg\n' >list.txt
    fails 4 "nowhere.jpg" detect list.txt -o list.jsonl
    [ "$(wc -l <list.jsonl)" = 1 ]
}

@test "a video through a pipe" {
    detect synthetic:frames=10,size=320x180 -o in.mkv -q
    [ "$(detect - -o - -q <in.mkv | wc -l)" = 10 ]
}

@test "a reader that leaves is an output that failed, not a crash" {
    run bash -c "set -o pipefail; '$LANERT' detect synthetic:frames=500,size=160x90 -m '$MODEL' --engine $ENGINE --threads 1 -o - -q 2>err | head -1"
    [ "$status" = 1 ]
    grep -q "standard output" err
}

@test "Ctrl-C leaves a playable video and whole lines" {
    "$LANERT" detect synthetic:frames=1000000,size=320x180 -m "$MODEL" --engine "$ENGINE" --threads 1 -o cut.mp4 -o cut.json -o - >cut.jsonl 2>err &
    pid=$!
    until [ -s cut.jsonl ]; do sleep 0.05; done
    interrupt $pid 0.3
    wait $pid
    grep -q interrupted err
    frames=$(wc -l <cut.jsonl)
    [ "$frames" -gt 0 ]
    [ "$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 cut.mp4)" = "$frames" ]
    [ "$(jq -s length cut.json)" = "$frames" ]
}

@test "Ctrl-C ends a wait for standard input" {
    mkfifo pipe
    sleep 30 >pipe &
    writer=$!
    "$LANERT" detect - -m "$MODEL" --engine "$ENGINE" --threads 1 <pipe 2>err &
    pid=$!
    interrupt $pid 1
    kill $writer
}

@test "Ctrl-C ends a wait for a pipe that nobody writes to; what was done before it is kept" {
    mkfifo silent
    "$LANERT" detect synthetic:frames=3,size=160x90 silent -m "$MODEL" --engine "$ENGINE" --threads 1 -o cut.mp4 -o - >cut.jsonl 2>err &
    pid=$!
    until [ "$(wc -l <cut.jsonl)" = 3 ]; do sleep 0.05; done
    interrupt $pid 0.2
    wait $pid
    grep -q "3 frames.*interrupted" err
    [ "$(ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 cut.mp4)" = 3 ]
    "$LANERT" quantize "$MODEL" --engine "$ENGINE" --calib silent -o int8.onnx 2>err &
    pid=$!
    interrupt $pid 0.5
    wait $pid || status=$?
    [ "$status" = 1 ]
    [ ! -e int8.onnx ]
}

@test "a damaged video is told, frame by frame, and with status 4" {
    ffmpeg -v error -f lavfi -i testsrc2=size=320x180:rate=25,noise=alls=40 -frames:v 30 -g 10 -c:v libx264 sound.mkv
    run --separate-stderr detect sound.mkv -o sound.jsonl --json
    [ "$status" = 0 ] && [ -z "$stderr" ]
    jq -e '.damage == {frames: 0, packets: 0, missing_s: 0}' <<<"$output"
    cp sound.mkv bad.mkv
    printf '\xff\xff\xff\xff\xff\xff\xff\xff' |
        dd of=bad.mkv bs=1 seek=$(($(stat -c %s bad.mkv) / 2)) conv=notrunc status=none
    fails 4 "bad.mkv: " detect bad.mkv -o bad.jsonl --json
    [[ $stderr =~ "frame"s?" "(is|are)" damaged, the first at 0."[4-7] ]]
    [ "$(jq .damage.frames <<<"$output")" = "$(jq -s 'map(select(.damaged)) | length' bad.jsonl)" ]
    jq -e '.frames == 30 and .damage.frames > 0 and .damage.frames <= 10' <<<"$output"
    head -c $(($(stat -c %s sound.mkv) / 2)) sound.mkv >cut.mkv
    fails 4 "cut.mkv: ends 0." detect cut.mkv -q
}

@test "a live source drops what comes too fast, and counts it" {
    detect synthetic:frames=120,rate=400,size=160x90,live=1 --json -q >live.json
    jq -e '.frames + .dropped == 120 and .frames > 0' live.json
}

@test "--duration ends a run" {
    run --separate-stderr timeout 60 "$LANERT" detect synthetic:frames=1000000,size=160x90 -m "$MODEL" --engine "$ENGINE" --threads 1 --duration 1 --json
    [ "$status" = 0 ]
    echo "$output" | jq -e '.frames > 0 and .elapsed_s < 20'
}

@test "thresholds and cut change what is found" {
    run_with() { detect synthetic:frames=1,size=640x360 -q -o - "$@"; }
    [ "$(run_with | jq '.lanes | length')" = 4 ]
    [ "$(run_with --max-lanes 2 | jq '.lanes | length')" = 2 ]
    [ "$(run_with --conf 1 | jq '.lanes | length')" = 0 ]
    [ "$(run_with --max-lanes 8 --conf 0 | jq '.lanes | length')" = 8 ]
    [ "$(run_with --cut 0.5 | jq '[.lanes[].points[][1]] | min >= 180')" = true ]
}

@test "outputs are not overwritten without --force" {
    detect synthetic:frames=1,size=160x90 -o a.jsonl -q
    fails 1 "--force" detect synthetic:frames=1,size=160x90 -o a.jsonl
    detect synthetic:frames=1,size=160x90 -o a.jsonl -q --force
}

@test "files go into folders that are there; folders are made" {
    for out in no/a.mp4 no/a.jsonl no/a.json no/a.jpg; do
        fails 1 "its folder is not there" detect synthetic:frames=1,size=160x90 -o $out
        [ ! -e no ]
    done
    run --separate-stderr detect synthetic:frames=1,size=160x90 --max-lanes 1 -o a/b/c// --format culane \
        -o d/e/ -o f/g --format llamas
    [ "$status" = 0 ] && [[ $stderr == "1 frame, 1 lane in "* ]]
    [ -e a/b/c/synthetic/00000.lines.txt ] && [ -e d/e/synthetic/00000.jpg ] && [ -e f/g/synthetic/00000.lines.txt ]
}

@test "an input is not an output too, and no output is named twice" {
    detect synthetic:frames=2,size=160x90 -o in.mp4 -q
    ln -s in.mp4 link.mp4
    fails 2 "is an input too" detect in.mp4 -o in.mp4
    fails 2 "is an input too" detect in.mp4 -o in.mp4 --force
    fails 2 "is an input too" detect in.mp4 -o link.mp4 --force
    fails 2 "is an input too" detect in.mp4 -o "$MODEL" --format jsonl --force
    detect synthetic:frames=2,size=160x90 -o drawn/ -q
    fails 2 "is an input too" detect drawn/synthetic -o drawn/synthetic --force
    detect drawn/synthetic -o drawn/synthetic --format culane --force -q
    [ "$(find drawn -name '*.jpg' | wc -l)/$(find drawn -name '*.lines.txt' | wc -l)" = 2/2 ]
    # Nor a picture that a name stands for that is not its own, or that lies where it would be written.
    printf '%s\n' synthetic/00000.jpg >drawn/list.txt
    before=$(cat drawn/synthetic/*.jpg | sha256sum)
    fails 1 "is the picture itself" detect 'drawn/synthetic/*.jpg' -o drawn/synthetic/ --force
    fails 1 "is the picture itself" detect 'drawn/*/*.jpg' -o drawn --force
    fails 1 "is the picture itself" detect drawn/synthetic/00001.jpg -o drawn/synthetic/ --force
    fails 1 "is the picture itself" detect drawn/list.txt -o drawn/ --force
    [ "$(cat drawn/synthetic/*.jpg | sha256sum)" = "$before" ]
    fails 2 "named as an output twice" detect in.mp4 -o a.jsonl -o a.jsonl
    [ "$(detect in.mp4 -o - -q | wc -l)" = 2 ]
}

@test "a picture that cannot be read leaves no output" {
    : >empty.png
    for out in a.mp4 a.jsonl a.json; do
        fails 4 "empty.png" detect empty.png -o $out
        [ ! -e $out ]
    done
}

@test "bad sources are told, with status 4 and nothing written" {
    : >empty.mp4
    mkdir nothing
    echo "hello" >text.mp4
    for bad in empty.mp4 nothing text.mp4 missing.mp4 missing/ 'no*.jpg' synthetic:frames=x synthetic:colour=red; do
        fails 4 "" detect "$bad" -o out.mp4
        [ -n "$stderr" ] && [ ! -e out.mp4 ]
    done
    fails 4 "no .jpg" detect nothing
}

@test "bad models are told, with status 3" {
    : >empty.onnx
    head -c 100000 "$MODEL" >cut.onnx
    cp "$CHECKPOINT" checkpoint.onnx
    for bad in empty cut checkpoint missing; do
        fails 3 "$bad.onnx" "$LANERT" detect synthetic:frames=1 -m $bad.onnx
    done
    # What is known without the model is told first: a detector takes seconds to open.
    : >there.jsonl
    fails 4 "missing.mp4" "$LANERT" detect missing.mp4 -m empty.onnx
    fails 1 "is there already" "$LANERT" detect synthetic:frames=1 -m empty.onnx -o there.jsonl
    fails 2 "abacus" detect synthetic:frames=1 --engine abacus
    fails 2 "fixed thresholds" bash -c "'$LANERT' convert '$CHECKPOINT' -o lanes.onnx --preset culane --outputs lanes -q &&
        '$LANERT' detect synthetic:frames=1 -m lanes.onnx --conf 0.1"
}

@test "a full disk is told, and nothing half-written stays" {
    mkdir full
    cd full
    for out in a.mp4 a.jsonl a.json; do
        run --separate-stderr bash -c "ulimit -f 8; '$LANERT' detect synthetic:frames=400,size=640x360 -m '$MODEL' --engine $ENGINE --threads 1 -o $out -q"
        [ "$status" = 1 ] || { echo "$out: $status: $stderr"; false; }
        [[ $stderr == *"$out"* ]]
        [ -z "$(ls -A)" ] || { ls -A; false; }
    done
}

@test "broken videos of the road are told" {
    need_shared road/broken
    for bad in "$SHARED"/road/broken/*.mp4; do
        fails 4 "$(basename "$bad")" detect "$bad" -o out.jsonl
        [ ! -e out.jsonl ]
    done
}

@test "real videos: every frame, in order" {
    need_shared road/videos
    ! sanitized || skip "the plain build runs them all; here they take minutes"
    while read -r name frames; do
        detect "$SHARED/road/videos/$name" -o "$name.jsonl" -q
        jq -se 'map(.frame) == [range(length)]' "$name.jsonl"
        [ "$(wc -l <"$name.jsonl")" = "$frames" ] || { echo "$name: $(wc -l <"$name.jsonl")"; false; }
    done <<END
solidWhiteRight_960x540.mp4 221
test_video_1280x720.mp4 38
project_video_cut_mpeg4.mp4 76
test_small1_ends_on_pale_concrete.mp4 88
night_1920x1080_mpeg4.mp4 157
END
}

@test "huge and empty pictures are refused in time and memory" {
    # The head of a PNG that says 30000x30000, and one that says 0x0.
    for size in 00007530 00000000; do
        {
            printf '\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR'
            printf "$(sed 's/../\\x&/g' <<<"$size$size")\x08\x02\0\0\0\0\0\0\0"
        } >$size.png
        limit="ulimit -v 4000000;"
        ! sanitized || limit= # AddressSanitizer's own shadow does not fit under it
        fails 4 "$size.png" bash -c "$limit '$LANERT' detect $size.png -m '$MODEL' --engine $ENGINE --threads 1"
    done
}
