#!/usr/bin/env bats
# val: the benchmarks' figures, gates, journals, shards, comparisons, bad files.
load common

# A lane of CULane's rows: x0 at the bottom, going right by `slope` px a row.
lane() {
    awk -v x="$1" -v slope="$2" 'BEGIN { for (y = 590; y >= 270; y -= 10) printf "%g %d ", x + (590 - y) * slope, y }'
    echo
}

# make_set FOLDER FRAMES: annotations with three lanes a frame, lists, and predictions of which every third frame has a
# lane too few, every fifth one too many, and all are some pixels off.
make_set() {
    mkdir -p "$1"/labels/drive "$1"/labels/list/test_split "$1"/predictions/drive
    for ((i = 0; i < $2; i++)); do
        local name
        name=$(printf 'drive/%05d' $i)
        printf '/%s.jpg\n' "$name" >>"$1"/labels/list/test.txt
        printf '/%s.jpg\n' "$name" >>"$1/labels/list/test_split/test$((i % 2 * 8))_$([ $((i % 2)) = 0 ] && echo normal || echo night).txt"
        { lane $((300 + i % 7)) 0.8 && lane 800 0 && lane 1300 -0.8; } >"$1/labels/$name.lines.txt"
        {
            lane $((303 + i % 7)) 0.8
            lane $((800 + i % 7)) 0
            [ $((i % 3)) = 0 ] || lane $((1300 + i % 5)) -0.8
            [ $((i % 5)) != 0 ] || lane 50 0
        } >"$1/predictions/$name.lines.txt"
    done
}

setup_file() {
    make_set "$BATS_FILE_TMPDIR/set" 30
    make_model
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cp -r "$BATS_FILE_TMPDIR/set" .
    SCORE=("$LANERT" val --dataset culane --root set/labels --predictions set/predictions)
    QUICK=$MODEL,engine=$ENGINE,threads=1
}

@test "CULane: each count of the reference" {
    need_shared reference/metric/culane
    local m=$SHARED/reference/metric/culane
    "$LANERT" val --dataset culane --root "$m/annotations" --list "$m/list/test.txt" --predictions "$m/predictions" \
        --json -q >got.json
    jq -e --slurpfile e "$m/expected.json" '
        def same($a; $b): $a.tp == $b.TP and $a.fp == $b.FP and $a.fn == $b.FN and
            ([$a.precision - $b.Precision, $a.recall - $b.Recall, $a.f1 - $b.F1] | map(fabs) | max) < 1e-9;
        . as $g | $e[0] | all(to_entries[];
            if .key == "all" then (.value | length == 11) and all(.value | to_entries[]; same($g.categories.all[.key]; .value))
            else same($g.categories[.key[6:]]["0.50"]; .value) end)' got.json
    jq -e '.frames == 400 and .missing == 0 and .unfinished == 0 and (.categories | keys_unsorted) ==
        ["all", "normal", "crowd", "cross", "night"]' got.json
}

@test "TuSimple: the reference's four numbers" {
    need_shared reference/metric/tusimple
    local m=$SHARED/reference/metric/tusimple
    "$LANERT" val --dataset tusimple --root "$m" --predictions "$m/predictions.json" --json >got.json
    jq -e --slurpfile e "$m/expected.json" '[.accuracy, .f1, .fp, .fn] as $g |
        $e[0] | map(.name) == ["Accuracy", "F1_score", "FP", "FN"] and
        all(range(4) as $i | (.[$i].value - $g[$i]) | fabs; . < 1e-9)' got.json
}

# One lane, marked from row 700 to 380.
llamas_label() {
    cat <<END
{"projection_matrix": [[800, 0, 638], [0, 800, 300], [0, 0, 1]], "lanes": [{"lane_id": "l0", "markers": [
 {"lane_id": "l0", "pixel_start": {"x": 400, "y": 700}, "pixel_end": {"x": 450, "y": 600}, "world_start": {"x": 0, "y": 0, "z": 5},
  "world_end": {"x": 0, "y": 0, "z": 8}},
 {"lane_id": "l0", "pixel_start": {"x": 500, "y": 500}, "pixel_end": {"x": 560, "y": 380}, "world_start": {"x": 0, "y": 0, "z": 12},
  "world_end": {"x": 0, "y": 0, "z": 20}}]}]}
END
}

@test "LLAMAS: lanes from label to label" {
    mkdir -p root/labels/valid/drive lanes/drive
    llamas_label >root/labels/valid/drive/1.json
    awk 'BEGIN { for (y = 700; y >= 380; y--) printf "%g %d ", 400 + (700 - y) / 2, y }' >lanes/drive/1.lines.txt
    "$LANERT" val --dataset llamas --root root --predictions lanes --json | jq -e '.frames == 1 and
        .categories.all["0.50"].tp == 1 and .categories.all["0.50"].fp == 0'
}

@test "a table, JSON and a line a frame say the same" {
    "${SCORE[@]}" --json --per-image t.csv >a.json
    run --separate-stderr "${SCORE[@]}" -q
    [ "$status" = 0 ] && [ -z "$stderr" ]
    # 30 frames of 3 lanes; 10 lack one, 6 have one too many.
    jq -e '.frames == 30 and (.categories.all["0.50"] | [.tp, .fp, .fn] == [80, 6, 10])' a.json
    jq -e '.categories.normal.frames == 15 and .categories.night.frames == 15 and
        (.categories | .all["0.75"].tp == .normal["0.75"].tp + .night["0.75"].tp) and .mean_f1 < .f1' a.json
    grep -qE '^all +30 +80 +6 +10 +93\.02 +88\.89 ' <<<"$output"
    [ "$(wc -l <t.csv)" = 31 ]
    [ "$(awk -F, 'NR > 1 { n += $6 } END { print n }' t.csv)" = 80 ] # tp50
    head -1 t.csv | grep -q '^frame,missing,predicted,labelled,categories,tp50,'
    fails 1 "--force" "${SCORE[@]}" --per-image t.csv
    "${SCORE[@]}" --per-image t.csv --force -q
}

@test "gates: 5 where they are not met" {
    "${SCORE[@]}" --min-f1 0.9 -q
    fails 5 "less than --min-f1 0.95" "${SCORE[@]}" --min-f1 0.95 --json
    jq -e '.gates == [{"name": "min-f1", "limit": 0.95, "value": .f1, "met": false}] and .frames == 30' <<<"$output"
    local compare=("$LANERT" val --dataset culane --root set/labels --compare set/labels set/predictions)
    "${compare[@]}" --max-drop 0.1 --min-f1 0.9 -q
    fails 5 "more than --max-drop 0.05" "${compare[@]}" --max-drop 0.05
    fails 5 "B's F1" "${compare[@]}" --min-f1 0.95
    # A better B is no drop.
    "$LANERT" val --dataset culane --root set/labels --compare set/predictions set/labels --max-drop 0 -q
}

@test "two sets of predictions: scores, distances, the worst frames" {
    run --separate-stderr "$LANERT" val --dataset culane --root set/labels --compare set/labels set/predictions --json \
        --per-image d.csv
    [ "$status" = 0 ]
    jq -e '.a.f1 == 1 and .b.f1 < 1 and (.difference.f1 - (.b.f1 - .a.f1) | fabs) < 1e-12 and
        (.distance | .frames == 30 and .matched == 80 and .lost == 10 and .gained == 6 and .mean_px > 1 and
        .largest_px >= .mean_px and (.worst | length) == 10) and
        (.distance.worst[0] | .lost == 1 and .gained == 1 and has("frame") and has("largest_px"))' <<<"$output"
    [ "$(wc -l <d.csv)" = 31 ]
    # Without a data set there are distances alone.
    "$LANERT" val --compare set/predictions set/predictions --json | jq -e '.distance | .frames == 30 and .largest_px == 0 and
        .lost == 0 and .differing == 0 and .worst == []'
    fails 2 "--dataset and --root" "$LANERT" val --compare set/labels set/predictions --min-f1 1
    # Frames that the list lacks are of no concern, those that a side lacks are.
    head -4 set/labels/list/test.txt >part.txt
    "$LANERT" val --dataset culane --root set/labels --list part.txt --compare set/labels set/predictions --json |
        jq -e '.a.frames == 4 and .distance.frames == 4'
    rm set/predictions/drive/00003.lines.txt
    fails 4 "00003" "$LANERT" val --dataset culane --root set/labels --compare set/labels set/predictions
    "$LANERT" val --dataset culane --root set/labels --compare set/labels set/predictions --allow-missing --json |
        jq -e '.b.missing == 1 and .distance.missing_b == 1'
}

@test "shards, put together, are the whole" {
    "${SCORE[@]}" --json --per-image whole.csv >whole.json
    for i in 1 2 3 4; do
        "${SCORE[@]}" --shard $i/4 --journal $i.journal --json -q >$i.json
    done
    jq -es 'map(.frames) == [8, 8, 7, 7] and all(.[]; .unfinished == 30 - .frames)' 1.json 2.json 3.json 4.json
    "${SCORE[@]}" --merge ?.journal --json --per-image merged.csv >merged.json
    cmp whole.json merged.json
    cmp whole.csv merged.csv
    # Where the lanes came from need not be said again.
    "$LANERT" val --dataset culane --root set/labels --merge 4.journal 2.journal 3.journal 1.journal --json | cmp - whole.json
    fails 4 "7 of 30 frames are in none" "${SCORE[@]}" --merge 1.journal 2.journal 4.journal
    # Journals of other lanes, or other frames, are another's.
    "$LANERT" val --dataset culane --root set/labels --predictions set/labels --journal other.journal -q
    fails 2 "other.journal:1" "$LANERT" val --dataset culane --root set/labels --merge 1.journal other.journal
    head -3 set/labels/list/test.txt >part.txt
    fails 2 "1.journal:1" "${SCORE[@]}" --list part.txt --merge 1.journal
    fails 2 "1.journal:1" "${SCORE[@]}" --journal 1.journal --allow-missing
    sed -i '3s/1/2/' 1.journal
    fails 4 "1.journal:3" "${SCORE[@]}" --merge 1.journal 2.journal
}

@test "killed anywhere, and started again: the same bytes" {
    # All of it 15 times, so that a run takes long enough to be hit.
    for ((k = 1; k < 15; k++)); do
        cp -r set/labels/drive set/labels/drive$k
        cp -r set/predictions/drive set/predictions/drive$k
        sed "s/drive/drive$k/" "$BATS_FILE_TMPDIR/set/labels/list/test.txt" >>set/labels/list/test.txt
    done
    local run=("${SCORE[@]}" --threads 1 --json -q) start end hits=0
    "${run[@]}" --per-image whole.csv >whole.json
    start=$(date +%s%N)
    "${run[@]}" --journal timed.journal >timed.json
    end=$(date +%s%N)
    cmp timed.json whole.json
    for ((k = 0; k < 10; k++)); do
        rm -f run.journal
        "${run[@]}" --journal run.journal >/dev/null &
        local pid=$!
        sleep "$(awk -v d=$((end - start)) -v r=$RANDOM 'BEGIN { print d / 1e9 * r / 32768 }')"
        kill -9 $pid 2>/dev/null || true
        ! wait $pid 2>/dev/null || true
        [ "$(wc -l 2>/dev/null <run.journal || echo 0)" -gt 450 ] || hits=$((hits + 1))
        "${run[@]}" --journal run.journal --per-image again.csv --force >again.json
        cmp whole.json again.json
        cmp whole.csv again.csv
        # One line a frame: none was scored twice but one that was being written.
        [ "$(wc -l <run.journal)" = 451 ]
    done
    echo "$hits of 10 hit a run"
    [ "$hits" -gt 0 ]
}

@test "Ctrl-C keeps what is finished, and says how to go on" {
    for ((k = 1; k < 40; k++)); do
        cat "$BATS_FILE_TMPDIR/set/labels/list/test.txt" >>set/labels/list/test.txt
    done
    "${SCORE[@]}" --json -q >whole.json
    "${SCORE[@]}" --threads 1 --journal run.journal --json >cut.json 2>err &
    pid=$!
    until [ "$(wc -l 2>/dev/null <run.journal || echo 0)" -gt 20 ]; do sleep 0.01; done
    kill -INT $pid
    status=0
    wait $pid || status=$?
    if [ "$status" = 1 ]; then # else it was done before the signal came
        grep -q "the same command goes on" err
        [ ! -s cut.json ]
    fi
    "${SCORE[@]}" --journal run.journal --json -q | cmp - whole.json
}

@test "bad lane files are named, with file and line" {
    local file=set/predictions/drive/00001.lines.txt good
    good=$(cat $file)
    for bad in "1 2 nan 4" "1 2 inf 4" "1 2 3" "5" "1 2 three 4" "1e10 2 3 4"; do
        printf '%s\n%s\n' "$good" "$bad" >$file
        fails 4 "00001.lines.txt:$(($(wc -l <<<"$good") + 1))" "${SCORE[@]}"
    done
    { printf '1 1 ' && yes "1 2" | head -1000000 | tr '\n' ' '; } >$file
    fails 4 "00001.lines.txt:1" "${SCORE[@]}"
    head -c 3000 /dev/urandom >$file
    fails 4 "00001.lines.txt" "${SCORE[@]}"
    # CRLF, no last newline and a lane of one point are nothing to stumble over.
    head -1 set/labels/list/test.txt >first.txt
    "${SCORE[@]}" --list first.txt --json -q >plain.json
    sed -i 's/$/\r/' set/predictions/drive/00000.lines.txt first.txt
    printf '700 500' >>set/predictions/drive/00000.lines.txt
    "${SCORE[@]}" --list first.txt --json -q | cmp - plain.json
}

@test "a folder without a list is all that has a label in it" {
    "${SCORE[@]}" --json | jq .categories.all >with.json
    rm -r set/labels/list
    mv set/labels plain
    touch plain/drive/00001.png plain/drive/unlabelled.jpg
    ln -s plain linked
    for root in plain plain/ linked; do
        "$LANERT" val --dataset culane --root $root --predictions set/predictions --json | jq .categories.all |
            cmp - with.json
    done
    "$LANERT" val --dataset culane --root plain --predictions set/predictions --per-image frames.csv -q
    grep -q 'drive/00001.png' frames.csv && grep -q 'drive/00002.jpg' frames.csv
}

@test "missing frames and wrong layouts are named" {
    mkdir bare
    rm set/predictions/drive/00007.lines.txt
    fails 4 "drive/00007.lines.txt" "${SCORE[@]}"
    [[ $stderr == *--allow-missing* && -z $output ]]
    "${SCORE[@]}" --allow-missing --json | jq -e '.missing == 1 and .frames == 30 and .categories.all["0.50"].fn == 13'
    rm set/labels/drive/00003.lines.txt
    fails 4 "set/labels/drive/00003.lines.txt" "${SCORE[@]}" --allow-missing
    fails 4 "neither list/test.txt nor any .lines.txt" "$LANERT" val --dataset culane --root bare --predictions set/predictions
    mkdir bare/list
    fails 4 "not laid out as CULane; --list names" "$LANERT" val --dataset culane --root bare --predictions set/predictions
    fails 4 "test_label.json" "$LANERT" val --dataset tusimple --root set --predictions set
    fails 4 "not laid out as LLAMAS" "$LANERT" val --dataset llamas --root set --predictions set
    fails 4 "nowhere" "$LANERT" val --dataset culane --root nowhere --predictions set
    fails 4 "nowhere" "$LANERT" val --dataset culane --root set/labels --predictions nowhere
    printf '/drive/00000.jpg\n/drive/00001.png\n' >list.txt
    fails 4 "list.txt:2" "${SCORE[@]}" --list list.txt
    : >list.txt
    fails 4 "list.txt: no frames" "${SCORE[@]}" --list list.txt
    echo '{"raw_file": "a", "lanes": [[1, 2]], "h_samples": [1, 2, 3]}' >labels.json
    echo '{}' >none.json
    fails 4 "labels.json:1" "$LANERT" val --dataset tusimple --root . --list labels.json --predictions none.json
}

@test "a full disk is a failure, not a result" {
    run --separate-stderr bash -c "ulimit -f 1; '$LANERT' val --dataset culane --root set/labels --predictions set/predictions \
        --journal run.journal -q"
    [ "$status" != 0 ] && [[ $stderr == *run.journal* ]] && [ -z "$output" ]
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$LANERT' val --dataset culane --root set/labels --predictions set/predictions --json >/dev/full"
    [ "$status" = 1 ]
}

@test "a table goes into a folder that is there" {
    fails 1 "its folder is not there" "${SCORE[@]}" --per-image no/a.csv
    fails 2 "standard output" "${SCORE[@]}" --per-image -
    fails 2 "standard output" "$LANERT" val --compare set/labels set/predictions --per-image -
}

@test "wrong usage of val is told, with status 2" {
    fails 2 "--dataset is missing" "$LANERT" val
    fails 2 "expected one of: culane" "$LANERT" val --dataset kitti
    fails 2 "--root is missing" "$LANERT" val --dataset culane
    fails 2 "nothing to score" "$LANERT" val --dataset culane --root set/labels
    fails 2 "which lanes" "${SCORE[@]}" --model x.onnx
    fails 2 "--shard is '5/4'" "${SCORE[@]}" --shard 5/4
    fails 2 "--shard is '1'" "${SCORE[@]}" --shard 1
    fails 2 "not a shard" "${SCORE[@]}" --shard 1/4 --min-f1 0.5
    fails 2 "--min-f1 is '75'" "${SCORE[@]}" --min-f1 75
    fails 2 "--max-drop needs --compare" "${SCORE[@]}" --max-drop 0.1
    fails 2 "no journal was named" "${SCORE[@]}" --merge
    fails 2 "the second is missing" "$LANERT" val --compare a
    fails 2 "the second is missing" "${SCORE[@]}" --worst 3
    fails 2 "do not go with --compare" "$LANERT" val --compare a b --journal j
    fails 2 "no option" "${SCORE[@]}" more
    fails 2 "a model needs pictures" "$LANERT" val --compare a.onnx b.onnx
    fails 2 "--save keeps" "${SCORE[@]}" --save x
}

# ---- with a model ----

# Pictures for the set's frames, annotated with what the model itself finds.
draw_set() {
    need_engine
    detect synthetic:frames=8,size=820x295 -o drawn/ -q
    rm -r set
    mkdir -p set/list/test_split
    cp -r drawn/synthetic set/drive
    detect set/drive -o set/drive --format culane --force -q
    (cd set && ls drive/*.jpg) | sed 's,^,/,' >set/list/test.txt
    MODEL_SCORE=("$LANERT" val --dataset culane --root set -m "$MODEL" --engine "$ENGINE" --threads 1)
}

@test "a model's lanes score as its lane files do" {
    draw_set
    "${MODEL_SCORE[@]}" --json --save kept -q >model.json
    jq -e '.f1 == 1 and .frames == 8' model.json
    diff -r <(cd kept && cat drive/*.txt) <(cd set && cat drive/*.txt)
    "$LANERT" val --dataset culane --root set --predictions kept --json | cmp - model.json
    # Cut anywhere and gone on with; in shards; another model's or setting's journal is refused.
    "${MODEL_SCORE[@]}" --shard 1/2 --journal 1.journal -q
    head -c -9 1.journal >cut.journal
    "${MODEL_SCORE[@]}" --journal cut.journal --save kept2 --force --json -q | cmp - model.json
    "${MODEL_SCORE[@]}" --shard 2/2 --journal 2.journal -q
    "$LANERT" val --dataset culane --root set --merge 1.journal 2.journal --json | cmp - model.json
    fails 2 "1.journal:1" "${MODEL_SCORE[@]}" --journal 1.journal --conf 0.3
    # Pictures that are not there.
    rm set/drive/00005.jpg
    head -c 900 set/drive/00002.jpg >short && mv short set/drive/00002.jpg
    fails 4 "00002.jpg" "${MODEL_SCORE[@]}"
    "${MODEL_SCORE[@]}" --allow-missing --json 2>err | jq -e '.missing == 2 and .categories.all["0.50"].fn == 8'
    grep -q 00005.jpg err
    fails 3 "nowhere.onnx" "$LANERT" val --dataset culane --root set -m nowhere.onnx
}

@test "two models, and the worst frames drawn" {
    draw_set
    "$LANERT" val --dataset culane --root set --compare "$QUICK" "$QUICK,max-lanes=2" --json --worst 2 worst --save kept \
        >compared.json
    jq -e '.a.f1 == 1 and .b.categories.all["0.50"] .fn == 16 and .distance.lost == 16 and .distance.largest_px == 0 and
        .distance.differing == 8 and (.distance.worst | length) == 2' compared.json
    [ "$(find kept/a kept/b -name '*.lines.txt' | wc -l)" = 16 ]
    [ "$(ls worst)" = "001_drive_00000.jpg
002_drive_00001.jpg" ]
    # Nothing of the temporary lanes is left behind.
    mkdir tmp
    TMPDIR=$PWD/tmp "$LANERT" val --dataset culane --root set --compare "$QUICK" kept/a -q --max-drop 0
    [ -z "$(ls -A tmp)" ]
    fails 2 "says nothing of a model" "$LANERT" val --dataset culane --root set --compare "$QUICK,colour=red" kept/a
    fails 2 "--threads is" "$LANERT" val --dataset culane --root set --compare "$QUICK,threads=x" kept/a
    echo "700 590 700 400" >set/drive/00004.lines.txt
    "${MODEL_SCORE[@]}" --worst 3 again -q
    [ "$(ls again)" = 001_drive_00004.jpg ]
    fails 1 "001_drive_00004.jpg" "$LANERT" val --dataset culane --root set --predictions kept/a --worst 3 again
}

@test "a model on TuSimple and LLAMAS: its lanes, kept, score the same" {
    need_engine
    mkdir -p tu/clips ll/labels/valid/drive ll/color_images/valid/drive
    detect synthetic:frames=1 -o tu/clips/1.jpg -o ll/color_images/valid/drive/1_color_rect.png -q
    llamas_label >ll/labels/valid/drive/1.json
    echo '{"raw_file": "clips/1.jpg", "lanes": [[-2, 500, 400]], "h_samples": [500, 600, 700]}' >short.json
    fails 4 "clips/1.jpg" "$LANERT" val --dataset tusimple --root tu --list short.json -m "$MODEL" --engine "$ENGINE"
    seq 160 10 710 | jq -sc '{raw_file: "clips/1.jpg", lanes: [map(if . < 300 then -2 else 900 - . end), map(. + 400)], h_samples: .}' \
        >tu/test_label.json
    local d
    for d in tusimple:tu:tu.json llamas:ll:kept; do
        IFS=: read -r name root kept <<<"$d"
        "$LANERT" val --dataset $name --root $root -m "$MODEL" --engine "$ENGINE" --threads 1 --save $kept --worst 1 worst-$name --json -q >$name.json
        "$LANERT" val --dataset $name --root $root --predictions $kept --json | cmp - $name.json
        [ "$(find worst-$name -type f | wc -l)" = 1 ]
        "$LANERT" val --dataset $name --root $root --compare "$QUICK" $kept --json |
            jq -e '.difference.f1 == 0 and .distance.frames == 1 and .distance.matched == 4 and .distance.largest_px == 0'
    done
    jq -e '.accuracy > 0 and .frames == 1' tusimple.json
    fails 2 "--journal does not go with it" "$LANERT" val --dataset tusimple --root tu -m "$MODEL" --save x --journal y
}
