#!/usr/bin/env bats
# Help, versions and wrong usage.
load common

@test "help and version" {
    run "$LANERT" --help
    [ "$status" = 0 ] && [[ $output == *detect* && $output == *convert* ]]
    run "$LANERT" --version
    [ "$status" = 0 ] && [[ $output =~ ^lanert\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    for command in detect convert build val bench inspect doctor; do
        run "$LANERT" $command --help
        [ "$status" = 0 ]
        [[ $output == "usage: lanert $command"* ]]
    done
}

@test "each option of the help is in the man page and the completions" {
    root=$BATS_TEST_DIRNAME/../..
    for command in detect convert build val bench doctor; do
        for option in $("$LANERT" $command --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
            [ "$option" = --help ] || grep -qF -- "${option//-/\\-}" "$root/docs/lanert.1" || { echo "man: $option"; false; }
            grep -qF -- "$option" "$root/completions/lanert.bash" || { echo "bash: $option"; false; }
            grep -qF -- "$option" "$root/completions/_lanert" || { echo "zsh: $option"; false; }
        done
    done
}

@test "wrong usage is told, with status 2" {
    fails 2 "" "$LANERT"
    fails 2 "no command 'drive'" "$LANERT" drive
    fails 2 "no source" "$LANERT" detect
    fails 2 "unknown option '--colour'" "$LANERT" --colour
    fails 2 "--threads is 'many'" "$LANERT" detect x -m y --threads many
    fails 2 "--conf is '2'" "$LANERT" detect x -m y --conf 2
    fails 2 "--conf is 'nan'" "$LANERT" detect x -m y --conf nan
    fails 2 "--cut is '1'" "$LANERT" detect x -m y --cut 1
    fails 2 "--max-lanes is '17'" "$LANERT" detect x -m y --max-lanes 17
    fails 2 "expected one of: linear, cubic" "$LANERT" detect x -m y --resize nearest
    fails 2 "expected one of: video, pictures" "$LANERT" detect x -m y -o z --format gif
    fails 2 "-o OUT is missing" "$LANERT" detect x -m y --format culane
    fails 2 "two --format" "$LANERT" detect x -m y --format culane --format jsonl -o z
    fails 2 "both go to standard output" "$LANERT" detect x -m y -o - -o -
    fails 2 "no checkpoint" "$LANERT" convert
    fails 2 "-o MODEL.onnx is missing" "$LANERT" convert x.pth
    fails 2 "--preset is missing" "$LANERT" convert x.pth -o y.onnx
    fails 2 "--keep-priors" "$LANERT" convert x.pth -o y.onnx --preset road --keep-priors 0
    fails 2 "--shrink" "$LANERT" convert x.pth -o y.onnx --preset road --shrink 3
    fails 2 "one checkpoint at a time" "$LANERT" convert x.pth y.pth -o z.onnx --preset culane
    fails 2 "no file" "$LANERT" inspect
    fails 2 "no argument" "$LANERT" doctor now
}

@test "a wrong option is one sentence, and where to find help" {
    says() { # SENTENCE COMMAND ARGUMENT...
        local sentence=$1
        shift
        run --separate-stderr "$LANERT" "$@"
        [ "$status" = 2 ] && [ -z "$output" ]
        [ "$stderr" = "lanert $1: $sentence
Try 'lanert $1 --help'." ] || { echo "$stderr"; return 1; }
    }
    for command in detect convert val bench inspect doctor; do
        says "unknown option '--foo'" $command --foo
        says "unknown option '--foo'" $command x --foo=bar y
        says "unknown option '-z'" $command -z
        says "option '--help' takes no value" $command --help=me
    done
    says "unknown option '-z'" convert --output=x -qz
    says "option '--prec' needs a value" convert --prec
    says "option '--model' needs a value" detect x --model
    says "option '-o' needs a value" convert -qo
    says "option '--pre' is ambiguous: --preset, --precision" convert --pre x
    says "unknown option '-j'" inspect --json -j
}

@test "names that would move the cursor are shown, not obeyed" {
    fails 4 'a\x0ab\x1b[31m: No such file' "$LANERT" inspect $'a\nb\x1b[31m'
    [ "$(wc -l <<<"$stderr")" = 1 ]
    fails 4 "is empty" "$LANERT" inspect ""
}

@test "a full standard output is a failure" {
    [ -e /dev/full ] || skip "no /dev/full"
    run bash -c "'$LANERT' --help >/dev/full"
    [ "$status" = 1 ]
    run bash -c "'$LANERT' doctor -m none >/dev/full"
    [ "$status" = 1 ]
}

@test "doctor says what is there, as text and as JSON" {
    run --separate-stderr "$LANERT" doctor -m none
    [ "$status" = 0 ] || [ "$status" = 3 ]
    [[ $output == *processor*openvino*onnxruntime*model*none* ]]
    machine | jq -e '.model == "none"'
    run --separate-stderr "$LANERT" doctor --json
    echo "$output" | jq -e '.lanert and .cpu.threads > 0 and (.engines | length >= 2) and (.engines[0] | has("usable")) and
        (.model | endswith("/road.onnx"))'
}

@test "doctor says what auto chooses for a model, or why it cannot be opened" {
    make_model
    need_engine
    "$LANERT" doctor --json --model "$MODEL" | jq -e --arg m "$MODEL" '.model == $m and (.auto.engine | length > 0) and
        (.auto.precision == "fp32" or (.auto.precision == "bf16" and (.auto.why | test("bf16 finds the same [0-9]+ lanes"))))'
    [[ $("$LANERT" doctor) == *"/models/road.onnx"*"auto: "* ]] # the bundled one
    "$LANERT" doctor --json -m nowhere.onnx | jq -e '.auto.engine == "" and (.auto.why | test("nowhere.onnx"))'
}

@test "doctor without engines says how to get them, and detect cannot start without a model" {
    mkdir "$BATS_TEST_TMPDIR/empty"
    cp "$LANERT" "$BATS_TEST_TMPDIR/empty/"
    cp -P "$LANERT_BUILD"/liblanert.so* "$BATS_TEST_TMPDIR/empty/"
    fails 3 "bundled model" "$BATS_TEST_TMPDIR/empty/lanert" detect x.mp4
    fails 3 "bundled model" "$BATS_TEST_TMPDIR/empty/lanert" bench
    LANERT_ENGINES=$BATS_TEST_TMPDIR/empty run --separate-stderr "$BATS_TEST_TMPDIR/empty/lanert" doctor
    [ "$status" = 0 ] || [ "$status" = 3 ] # a build's own engines may still be found
}
