#!/usr/bin/env bats
# detect at a camera's pace: drops, deadlines, processors and priorities.
load common

setup_file() {
    make_model
}

setup() {
    need_engine
    cd "$BATS_TEST_TMPDIR"
}

# The same command without the right to raise a priority.
without_nice() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --bounding-set=-sys_nice "$@"
    else
        "$@"
    fi
}

@test "a paced file: the newest wins, and every frame is accounted for" {
    detect synthetic:frames=100,size=160x90 --rate 1000 --deadline off --json -q -o lanes.jsonl >s.json
    jq -e '.received == 100 and .frames + .dropped == 100 and .dropped > 0 and .late == 0' s.json
    [ "$(wc -l <lanes.jsonl)" = "$(jq .frames s.json)" ]
    # In order, the last one among them; none is late without a deadline.
    jq -se 'map(.frame) | . == (unique) and .[-1] == 99' lanes.jsonl
    jq -se 'all(has("late") | not)' lanes.jsonl
    # Its own pace takes as long as it should.
    detect synthetic:frames=4,rate=2,size=160x90 --rate own --json -q >s.json
    jq -e '.received == 4 and .elapsed_s >= 1.5' s.json
}

@test "late results are marked and counted" {
    detect synthetic:frames=5,size=160x90 --rate 5 --deadline 0.001 --json -q -o late.jsonl >s.json
    jq -e '.late == .frames and .deadline_ms == 0.001' s.json
    jq -se 'all(.late)' late.jsonl
    detect synthetic:frames=5,size=160x90,live=1 --deadline 100000 --json -q -o ok.jsonl >s.json
    jq -e '.late == 0 and .frames > 0' s.json
    jq -se 'all(has("late") | not)' ok.jsonl
    run --separate-stderr detect synthetic:frames=5,size=160x90 --rate 5 --deadline 0.001
    [[ $output == *"later than 0.001 ms"* ]]
}

@test "the deadline that nobody said follows from the detector's speed, and is of what comes at a pace" {
    detect synthetic:frames=5,size=160x90 --rate 5 --json -q -o auto.jsonl >s.json
    jq -e '.deadline_ms > 0 and .received == .frames + .dropped' s.json
    jq -se --slurpfile s s.json 'all((.late // false) == (.times_ms.latency > $s[0].deadline_ms)) and
        (map(select(.late)) | length) == $s[0].late' auto.jsonl
    detect synthetic:frames=3,size=160x90,live=1 --deadline auto --json -q | jq -e '.deadline_ms > 0'
    detect synthetic:frames=3,size=160x90 --deadline auto --json -q | jq -e '.deadline_ms == 0 and .frames == 3'
    detect synthetic:frames=3,size=160x90,live=1 --deadline off --json -q | jq -e '.deadline_ms == 0 and .late == 0'
    detect synthetic:frames=3,size=160x90,live=1 --deadline 0 --json -q | jq -e '.deadline_ms == 0 and .late == 0'
}

@test "the gate: too many frames past the deadline are status 5, outputs complete" {
    fails 5 "missed the deadline" detect synthetic:frames=5,size=160x90 --rate 5 --deadline 0.001 \
        --max-missed 99 -o gate.jsonl
    [ -s gate.jsonl ]
    detect synthetic:frames=5,size=160x90 --rate 5 --deadline 0.001 --max-missed 100 -q
    detect synthetic:frames=1,size=160x90 --rate 1 --deadline 100000 --max-missed 0 -q
}

@test "Ctrl-C at a pace: inputs are results and drops" {
    "$LANERT" detect synthetic:frames=1000000,size=160x90 -m "$MODEL" --engine "$ENGINE" --threads 1 --rate 300 --json -q \
        -o cut.jsonl -o cut --format culane >s.json &
    pid=$!
    until compgen -G 'cut/synthetic/*' >/dev/null; do sleep 0.05; done
    interrupt $pid 0.5
    wait $pid
    jq -e '.interrupted and .received > 0 and .received == .frames + .dropped' s.json
    [ "$(wc -l <cut.jsonl)" = "$(jq .frames s.json)" ]
}

@test "a pipe is a file, unless it is paced" {
    detect synthetic:frames=8,size=160x90 -o in.mkv -q
    detect - --json -q <in.mkv | jq -e '.frames == 8 and .dropped == 0'
    detect - --rate 1000 --json -q <in.mkv | jq -e '.received == 8 and .frames + .dropped == 8'
}

@test "all threads, the engine's too, run where and as they are told" {
    for engine in onnxruntime openvino; do
        usable $engine || continue
        "$LANERT" detect synthetic:frames=1000000,size=160x90 -m "$MODEL" --engine $engine --threads 2 --cpus 0 \
            --priority nice:7 -q -o - >out.jsonl &
        pid=$!
        until [ -s out.jsonl ]; do sleep 0.05; done
        ls /proc/$pid/task | wc -l
        [ "$(ls /proc/$pid/task | wc -l)" -ge 4 ] # main, reader, inference, and one of the engine's at least
        [ "$(cat /proc/$pid/task/*/status | sed -n 's/^Cpus_allowed_list:\t*//p' | sort -u)" = 0 ]
        [ "$(for t in /proc/$pid/task/*/stat; do sed 's/.*) //' "$t" | cut -d' ' -f17; done | sort -u)" = 7 ]
        interrupt $pid
        wait $pid
        rm out.jsonl
    done
}

@test "what the system does not permit is told, with what to do" {
    for priority in nice:-20 fifo:10; do
        fails 1 "CAP_SYS_NICE" without_nice "$LANERT" detect synthetic:frames=1 -m "$MODEL" --priority $priority
        [[ $stderr == *limits.conf* ]]
    done
    fails 1 "there is no processor 1023" detect synthetic:frames=1 --cpus 1023
    fails 1 "there is no processor 1023" detect synthetic:frames=1 --cpus 0,1023
}

@test "wrong usage" {
    for cpus in '' x 1-0 0- -1 0,, 0,x 1024 99999999999999999999 0x1; do
        fails 2 "--cpus is '$cpus'" "$LANERT" detect synthetic: -m x.onnx --cpus "$cpus"
    done
    for priority in '' nice nice: nice:20 nice:-21 fifo:0 fifo:100 fifo:1x rr:5 99999999999999999999; do
        fails 2 "--priority is '$priority'" "$LANERT" detect synthetic: -m x.onnx --priority "$priority"
    done
    fails 2 "--rate is '0'" "$LANERT" detect synthetic: -m x.onnx --rate 0
    fails 2 "--deadline is '-1'" "$LANERT" detect synthetic: -m x.onnx --deadline -1
    fails 2 "--deadline says that there is none" "$LANERT" detect synthetic: -m x.onnx --max-missed 1 --deadline off
    fails 2 "set a --rate" detect synthetic:frames=1 --max-missed 1 -o no.jsonl
    fails 2 "set a rate" detect synthetic:frames=1 --deadline 5 -o no.jsonl
    fails 2 "is live" detect synthetic:frames=1,live=1 --rate 5 -o no.jsonl
    [ ! -e no.jsonl ]
}
