# What the command-line tests share. LANERT is the program, LANERT_BUILD its build folder (ctest sets both).
bats_require_minimum_version 1.5.0

: "${LANERT:?}" "${LANERT_BUILD:?}"
SHARED=${LANERT_SHARED:-$BATS_TEST_DIRNAME/../../../shared}

# A small model with made weights, made once for each file of tests: MODEL, of CHECKPOINT.
make_model() {
    export MODEL=$BATS_FILE_TMPDIR/made.onnx CHECKPOINT=$BATS_FILE_TMPDIR/made.pth
    "$LANERT_BUILD/made_checkpoint" "$CHECKPOINT" --width 16
    "$LANERT" convert "$CHECKPOINT" -o "$MODEL" --preset culane -q
}

need_engine() {
    "$LANERT" doctor >/dev/null 2>&1 || skip "no inference engine is here"
}

need_shared() {
    [ -e "$SHARED/$1" ] || skip "$SHARED/$1 is not there"
}

sanitized() {
    grep -q __asan_init "$LANERT"
}

# fails STATUS WORDS COMMAND...: it ends with that status, says those words on stderr, and no sanitizer complains.
fails() {
    local expected=$1 words=$2
    shift 2
    run --separate-stderr "$@"
    # shellcheck disable=SC2154
    if [ "$status" != "$expected" ] || [[ $stderr != *"$words"* ]] || [[ $stderr == *Sanitizer* ]]; then
        echo "status $status (expected $expected), stderr: $stderr (expected: $words)"
        return 1
    fi
}
