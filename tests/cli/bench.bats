#!/usr/bin/env bats
# bench: what its reports hold, however fast the machine is.
load common

setup_file() {
    make_model
    export REPORT=$BATS_FILE_TMPDIR/report.json
    setup
    bench --json >"$REPORT"
}

setup() {
    need_engine
    cd "$BATS_TEST_TMPDIR"
    QUICK=(--source synthetic:size=320x180,frames=3 --engine "$ENGINE" --threads 1 --frames 4 --rounds 2 --warmup 1 -q)
}

bench() {
    "$LANERT" bench -m "$MODEL" "${QUICK[@]}" "$@"
}

well_formed() {
    python3 -c 'import sys, xml.dom.minidom as m; print(len(m.parse(sys.argv[1]).getElementsByTagName(sys.argv[2])))' "$@"
}

@test "a report: machine, model, engine, every stage" {
    cp "$REPORT" r.json
    jq -e '.schema == "lanert-bench-1" and .interrupted == false and (.rows | length) == 1' r.json
    jq -e --arg e "$ENGINE" '.rows[0] | .engine == $e and .engine_version != "" and .threads >= 1 and .batch == 1 and
        .memory_mb > 10 and .model == "made.onnx" and .frame_width == 320 and .frames_held == 3 and
        .machine.processors >= 1 and (.machine.features | type) == "array" and (.error | not)' r.json
    [ "$(jq -r '.rows[0].model_sha256' r.json)" = "$(sha256sum <"$MODEL" | cut -d' ' -f1)" ]
    [ "$(jq '.rows[0].model_mb * 1e6 | round' r.json)" = "$(stat -c %s "$MODEL")" ]
    jq -e '.rows[0].steady.frames == 4 and .rows[0].pipeline.frames >= 4' r.json
    # Of every phase and stage: in order, and a stage is a part of the whole.
    jq -e '.rows[0] | [.steady, .pipeline] | all(.fps > 0 and (.rounds_fps | length) == 2 and
        (.rounds_latency_ms | length) == 2 and
        ([.preprocess_ms, .inference_ms, .decode_ms, .latency_ms] | all(
            .min > 0 and .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .p99_9 and .p99_9 <= .max)) and
        .inference_ms.min < .latency_ms.min)' r.json
    jq -e '.rows[0] | .pipeline.read_ms.min > 0 and .steady.read_ms.max == 0' r.json
    jq -e '.rows[0].steady | .engine_share > 0 and .engine_share < 1 and (has("late") | not)' r.json
}

@test "the rounds' figures are those of the whole" {
    bench --json --rounds 1 >r.json
    jq -e '.rows[0].steady | .rounds_latency_ms[0] == .latency_ms.p50 and
        (.rounds_fps[0] - .frames / .elapsed_s | fabs) < 1e-6 * .fps and .elapsed_s * 1e3 >= .latency_ms.p50 * 2' r.json
}

@test "rows are all combinations; one that cannot run says why" {
    cp "$MODEL" other.onnx
    bench -m other.onnx -m nowhere.onnx --batch 1,3 --frames 3 --rounds 1 --json >r.json
    jq -e '[.rows[] | [.model, .batch]] == [("made.onnx", "other.onnx", "nowhere.onnx") as $m | (1, 3) as $b | [$m, $b]]' \
        r.json
    jq -e '[.rows[] | select(.error)] | length == 2 and all(.model == "nowhere.onnx" and (.error | test("nowhere")))' r.json
    jq -e '[.rows[] | select(.batch == 3 and (.error | not)) | .steady.frames == 3] | length == 2 and all' r.json
}

@test "nothing that runs is status 3" {
    fails 3 "no row could run" "$LANERT" bench -m nowhere.onnx "${QUICK[@]}"
    [[ $output == *nowhere.onnx* ]]
    echo damaged >damaged.onnx
    fails 3 "no row could run" "$LANERT" bench -m damaged.onnx "${QUICK[@]}"
}

@test "long names make new lines, and no long ones" {
    long=$(printf 'name%.0s' {1..23})rs.mp4
    ln -s "$BATS_TEST_DIRNAME/../../examples/drive.mp4" "$long"
    run --separate-stderr bench --source "$long"
    [ "$status" = 0 ]
    [[ $output == *"$long;"$'\n'"    2 rounds, 4 frames a row and phase"$'\n'* ]]
    [ "$(wc -L <<<"$output")" -le 100 ]
}

@test "text, and CSV that agrees with the JSON's columns" {
    run --separate-stderr bench -v --rate 200 --contend both:1
    [ "$status" = 0 ]
    [[ $output == *"$ENGINE"* && $output == *"made.onnx"* && $output == *"frames at 200 a second"* ]]
    [[ $output == *"competing load: both"* && $output == *"p99_9"* ]]
    [ "$(wc -L <<<"$output")" -le 100 ]
    bench --csv --threads 1,2 --contend cpu:1 >r.csv
    python3 - r.csv <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline='')))
assert len(rows) == 2 and [r['threads'] for r in rows] == ['1', '2'], rows
for r in rows:
    assert None not in r and r['model'] == 'made.onnx' and len(r['model_sha256']) == 64
    v = [float(r['steady.latency_ms.' + s]) for s in ('min', 'p50', 'p90', 'p99', 'p99_9', 'max')]
    assert v == sorted(v) and v[0] > 0
    assert r['machine.processors'] != '' and len(r['machine.features'].split()) > 0
    assert r['paced.fps'] == '' and r['error'] == '' and float(r['contended.load.cpu_gsteps_s.beside']) > 0
PY
}

@test "a text with a comma, a quote and a line's end in CSV" {
    mkdir 'a,b'
    "$LANERT" bench -m 'a,b"c.onnx' -m "$MODEL" "${QUICK[@]}" --csv >r.csv
    python3 -c 'import csv; r = list(csv.DictReader(open("r.csv", newline=""))); assert r[0]["model"] == "a,b\"c.onnx" and r[0]["error"], r'
}

@test "a camera's pace: frames that arrive are answered or lost" {
    bench --rate 100 --deadline 0.001 --frames 20 --json >late.json
    jq -e '.settings.deadline_ms == 0.001 and .rows[0].paced.deadline_ms == 0.001' late.json
    # Nothing is done in a microsecond.
    jq -e '.rows[0].paced | .late == .frames and .frames > 0 and .frames + .dropped >= 20' late.json
    bench --rate 4 --deadline 100000 --frames 4 --json >easy.json
    jq -e '.rows[0].paced | .late == 0 and .frames + .dropped >= 4 and (.fps <= 40)' easy.json
    # Where nobody says it, the deadline is as detect's.
    bench --rate 100 --frames 20 --json >auto.json
    jq -e '.rows[0] | (.paced.deadline_ms / .steady.latency_ms.p50 - 4 | fabs) < 1e-6' auto.json
    bench --rate 100 --frames 20 --deadline off --json | jq -e '.rows[0].paced | .deadline_ms == 0 and .late == 0'
}

@test "a competing load is seen to have run" {
    bench --contend both:1 --json >r.json
    jq -e '.rows[0].contended | .frames == 4 and .latency_ms.p50 > 0 and .load.kind == "both" and .load.threads == 1 and
        ([.load.cpu_gsteps_s, .load.memory_gb_s] | all(.alone > 0 and .beside > 0))' r.json
    # Late is what takes more than four times the idle median, or the deadline.
    jq -e '.rows[0] | (.contended.deadline_ms / .steady.latency_ms.p50 - 4 | fabs) < 1e-6 and .contended.late <= .contended.frames and
        (.contended.late > 0) == (.contended.latency_ms.max > .contended.deadline_ms)' r.json
    bench --contend cpu:1 --deadline 0.001 --json | jq -e '.rows[0].contended | .late == .frames'
    bench --contend memory:2 --json | jq -e '.rows[0].contended.load | .memory_gb_s.beside > 0 and (.cpu_gsteps_s | not)'
}

@test "rows run on the processors they are given, with as many threads" {
    bench --cpus 0 --priority nice:3 --json >r.json
    jq -e '.settings.cpus == "0" and .settings.priority == "nice:3" and .rows[0].threads == 1 and .rows[0].steady.frames == 4' \
        r.json
    fails 3 "no row could run" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --cpus 1023 --engine "$ENGINE"
    [[ $output == *"there is no processor 1023"* ]]
}

@test "a plot is sound XML, in the file or not at all" {
    cp "$MODEL" 'a<b>&c.onnx'
    bench -m 'a<b>&c.onnx' -m nowhere.onnx --plot p.svg --rate 100 >/dev/null
    [ "$(well_formed p.svg rect)" = 10 ] # the ground, three stages of two rows, three in the legend
    grep -q 'a&lt;b&gt;&amp;c.onnx' p.svg
    grep -q 'could not run' p.svg
    fails 1 "--force" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --plot p.svg
    bench --plot p.svg --force >/dev/null
    [ "$(well_formed p.svg rect)" = 7 ]
    fails 1 "its folder is not there" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --plot no/where/p.svg
    fails 2 "standard output" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --plot -
    [ -z "$(find . -name 'p.svg.*')" ]
}

@test "a comparison: regressions are status 5, noise is not" {
    cp "$REPORT" now.json
    # Once ten times as fast, once ten times as slow as now.
    jq '.rows[].steady.rounds_latency_ms |= map(. / 10)' now.json >fast.json
    jq '.rows[] |= (.steady.rounds_latency_ms |= map(. * 1000) | .pipeline.rounds_fps |= map(. / 1000))' now.json >slow.json
    run --separate-stderr bench --compare fast.json --json
    [ "$status" = 5 ]
    jq -e '.comparison | .regressions == 1 and .rows[0].verdict == "slower" and .rows[0].latency_ms.slowdown > 0.1' <<<"$output"
    jq '.rows[0].model_sha256 = "0" | .rows[0].machine.cpu = "abacus"' slow.json >other.json
    run --separate-stderr bench --compare other.json
    [ "$status" = 0 ]
    [[ $output == *": faster; the model is another; the machine is another"* ]]
    # Rounds that reach from very fast to very slow say nothing.
    jq '.rows[].steady.rounds_latency_ms = [1e-9, 1e-6, 1e9] | .rows[].pipeline.rounds_fps = [1e-9, 1e9]' now.json >wild.json
    bench --compare wild.json --json | jq -e '.comparison.regressions == 0 and .comparison.rows[0].verdict == "unclear" and
        .comparison.rows[0].latency_ms.overlap'
}

@test "a row that no longer runs is a regression; rows of no report are not" {
    jq '.rows += [.rows[0] | .model = "nowhere.onnx"]' "$REPORT" >old.json
    run --separate-stderr bench -m nowhere.onnx --compare old.json --json
    [ "$status" = 5 ]
    jq -e '[.comparison.rows[].verdict] | .[1] == "fails now"' <<<"$output"
    jq '.rows |= map(.batch = 63)' old.json >none.json
    fails 4 "none of these rows" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --compare none.json
}

@test "an older report that is none" {
    echo '{"rows": []}' >no-schema.json
    echo '{"schema": "lanert-bench-1"' >cut.json
    for file in no-schema.json cut.json nowhere.json .; do
        fails 4 "" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --compare $file
        [ -n "$stderr" ]
    done
    # Hostile values are not comparable, and break nothing.
    cp "$REPORT" now.json
    jq '.rows = [.rows[0] | (.steady = 5), (.steady.rounds_latency_ms = ["x", null]), (.steady.rounds_latency_ms = [-1]),
        (.machine = [] | .engine_version = {})]' now.json >odd.json
    bench --compare odd.json --max-slowdown 1000000 --json | jq -e '.comparison.matched == 4'
    jq '.rows[0] = 7 | .rows[1] = null | .rows[2] = {"threads": "x"}' now.json >odd.json
    fails 4 "none of these rows" "$LANERT" bench -m "$MODEL" "${QUICK[@]}" --compare odd.json
}

@test "Ctrl-C ends the measurement, and what is done is reported" {
    "$LANERT" bench -m "$MODEL" --engine "$ENGINE" --source synthetic:size=320x180 --duration 600 --warmup 1 --rounds 1 -q \
        --json >r.json &
    pid=$!
    until pgrep -P $pid >/dev/null; do sleep 0.05; done
    interrupt $pid 1
    wait $pid || [ $? = 3 ]
    jq -e '.interrupted and (.rows | length) == 1' r.json
}

@test "a worker ended by force is told in its row, and leaves the others" {
    "$LANERT" bench -m "$MODEL" --engine "$ENGINE" --source synthetic:size=320x180 --duration 1 --warmup 1 --rounds 1 -q \
        --threads 1,2 --json >r.json &
    pid=$!
    for _ in $(seq 100); do
        worker=$(pgrep -P $pid) && break
        sleep 0.1
    done
    kill -KILL "$worker"
    wait $pid
    jq -e '(.rows[0].error | test("signal 9")) and (.rows[1].error | not) and .rows[1].steady.frames > 0' r.json
}

@test "wrong usage" {
    fails 2 "no argument" "$LANERT" bench -m x.onnx video.mp4
    fails 2 "--json and --csv" "$LANERT" bench -m x.onnx --json --csv
    fails 2 "--threads is '-1'" "$LANERT" bench -m x.onnx --threads 1,-1
    fails 2 "--batch is '65'" "$LANERT" bench -m x.onnx --batch 65
    fails 2 "--precision is 'int1'" "$LANERT" bench -m x.onnx --precision fp32,int1
    fails 2 "--preset is 'kitti'" "$LANERT" bench -m x.onnx --preset kitti
    fails 2 "--engine is empty" "$LANERT" bench -m x.onnx --engine ,
    fails 2 "expected one of: cpu, memory, both" "$LANERT" bench -m x.onnx --contend disk
    fails 2 "--contend's N is '0'" "$LANERT" bench -m x.onnx --contend cpu:0
    fails 2 "--rate or --contend is missing" "$LANERT" bench -m x.onnx --deadline 5
    fails 2 "--rate is 'nan'" "$LANERT" bench -m x.onnx --rate nan
    fails 2 "--cpus is 'x'" "$LANERT" bench -m x.onnx --cpus x
    fails 2 "--priority is 'nice'" "$LANERT" bench -m x.onnx --priority nice
    mkfifo pipe
    fails 2 "- is a pipe, and cannot be read twice" "$LANERT" bench -m x.onnx --source -
    fails 2 "pipe is a pipe, and cannot be read twice" timeout 10 "$LANERT" bench -m x.onnx --source pipe
    fails 2 "live" "$LANERT" bench -m x.onnx --source synthetic:live=1
    fails 2 "at most 64" "$LANERT" bench -m x.onnx --threads 1,2,3,4,5,6,7,8,9 --batch 1,2,3,4,5,6,7,8 --engine "$ENGINE"
    fails 2 "more than 16" "$LANERT" bench -m x.onnx --threads 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1
    fails 2 "UTF-8" "$LANERT" bench -m $'\xff.onnx'
    head -c 100 /dev/urandom >noise.mp4
    fails 4 "noise.mp4" "$LANERT" bench -m x.onnx --source noise.mp4
    fails 4 "nowhere.mp4" "$LANERT" bench -m x.onnx --source nowhere.mp4
    run bash -c "'$LANERT' bench -m '$MODEL' ${QUICK[*]} --json >/dev/full"
    [ "$status" = 1 ]
}
