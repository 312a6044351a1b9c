# What the command-line tests share. LANERT is the program, LANERT_BUILD its build folder (ctest sets both).
bats_require_minimum_version 1.5.0

: "${LANERT:?}" "${LANERT_BUILD:?}"
SHARED=${LANERT_SHARED:-$BATS_TEST_DIRNAME/../../../shared}

# What doctor says of the machine: of a model that is not there, so that none is tried.
machine() {
    "$LANERT" doctor --json --model none 2>/dev/null
}

# A small model with made weights, made once for each file of tests: MODEL, of CHECKPOINT; and ENGINE, which opens models
# soonest: the last of auto's choices.
make_model() {
    export MODEL=$BATS_FILE_TMPDIR/made.onnx CHECKPOINT=$BATS_FILE_TMPDIR/made.pth ENGINE
    "$LANERT_BUILD/made_checkpoint" "$CHECKPOINT" --width 8
    "$LANERT" convert "$CHECKPOINT" -o "$MODEL" --preset culane -q
    ENGINE=$(machine | jq -r '[.engines[] | select(.usable)] | last.name // empty')
}

usable() {
    machine | jq -e --arg e "$1" '.engines[] | select(.name == $e) | .usable' >/dev/null
}

need_engine() {
    [ -n "$ENGINE" ] || skip "no inference engine is here"
}

# detect with that model, on that engine, in one thread: more would spin. (In the background, or under timeout, signals are for
# "$LANERT" itself.)
detect() {
    "$LANERT" detect -m "$MODEL" --engine "$ENGINE" --threads 1 "$@"
}

# interrupt PID [SECONDS]: Ctrl-C, so long after the program is ready for it; fails where that does not end it within 20 s.
# Its status is wait's.
interrupt() {
    until grep -q 'SigCgt:.*[2367abef]$' "/proc/$1/status"; do sleep 0.02; done
    sleep "${2:-0}"
    kill -INT "$1"
    for _ in $(seq 200); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1"
    return 1
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
